//! What cannot be undone asks back. How, depends on the client: one of 2026-07-28 gets an `input_required` result and
//! calls again with the answer; one before it is sent an `elicitation/create`; one that can do neither gets a token
//! that it must give back as `confirm`, after it has asked its person.

use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema,
    InputRequest, InputRequests, InputRequiredResult,
};
use serde_json::{Value, json};

use super::call::{Call, Fault};

/// The question's key among the input requests.
const KEY: &str = "confirm";

/// Asks whether `question`, which names what will be gone, is really meant. `Ok`: it is.
pub(super) async fn confirmed(call: &Call, question: &str) -> Result<(), Fault> {
    let act = act_of(call);
    if let Some(token) = call.text(KEY) {
        return call
            .seal()
            .open(&act, token)
            .map(drop)
            .map_err(|why| Fault::Told(format!("the token in `confirm` does not count: {why}")));
    }
    let can_be_asked = call
        .context
        .client_capabilities()
        .is_some_and(|can| can.elicitation.is_some());
    if !can_be_asked {
        let token = call.seal().close(&act, "token");
        return Err(Fault::Told(format!(
            "not done yet, because it cannot be undone. {question} Ask the person you act for; if they say yes, call \
             again with the same arguments and confirm: \"{token}\" (good for 15 minutes)"
        )));
    }
    if call.is_stateless() {
        return round_trip(call, &act, question);
    }
    let asked = call
        .context
        .peer
        .create_elicitation(form(question)?)
        .await
        .map_err(|error| {
            Fault::Told(format!("not done: the question was not answered ({error})"))
        })?;
    judge(&asked)
}

/// The question as a result, the answer with the next request.
fn round_trip(call: &Call, act: &str, question: &str) -> Result<(), Fault> {
    let answer = call.responses().and_then(|responses| responses.get(KEY));
    match (answer, call.brought_back()) {
        (Some(answer), Some(state)) => {
            call.seal().open(act, state).map_err(|why| {
                Fault::Request(Box::new(rmcp::ErrorData::invalid_params(
                    format!("requestState does not count: {why}"),
                    None,
                )))
            })?;
            let answer: ElicitResult = serde_json::from_value(answer.clone())
                .map_err(|error| Fault::Told(format!("the answer to `{KEY}` is none: {error}")))?;
            judge(&answer)
        }
        _ => {
            let request = InputRequest::Elicitation(ElicitRequest::new(form(question)?));
            let requests = InputRequests::from([(KEY.to_owned(), request)]);
            let state = call.seal().close(act, "asked");
            let ask = InputRequiredResult::new(Some(requests), Some(state));
            Err(Fault::Answered(Box::new(ask.into())))
        }
    }
}

fn judge(answer: &ElicitResult) -> Result<(), Fault> {
    let meant = answer.action == ElicitationAction::Accept
        && answer
            .content
            .as_ref()
            .and_then(|content| content.get("really"))
            .and_then(Value::as_bool)
            == Some(true);
    if meant {
        Ok(())
    } else {
        Err(Fault::Told(
            "not done: the person who was asked did not say yes".to_owned(),
        ))
    }
}

fn form(question: &str) -> Result<ElicitRequestParams, Fault> {
    let schema = json!({
        "type": "object",
        "properties": {
            "really": {
                "type": "boolean",
                "title": "Yes, do it",
                "description": "It cannot be undone.",
                "default": false
            }
        },
        "required": ["really"]
    });
    let requested_schema: ElicitationSchema = serde_json::from_value(schema)
        .map_err(|error| Fault::Told(format!("the question cannot be asked: {error}")))?;
    Ok(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.to_owned(),
        requested_schema,
    })
}

/// What a token or a state is good for: this tool with these arguments, whoever brings it back.
fn act_of(call: &Call) -> String {
    let mut arguments = call.arguments.clone();
    arguments.remove(KEY);
    // Objects are written with their keys in order: the same arguments give the same text.
    format!("{}|{}", call.name, Value::Object(arguments))
}
