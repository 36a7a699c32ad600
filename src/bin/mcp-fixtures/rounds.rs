//! Fixtures that ask the client by an `input_required` result, as 2026-07-28 does: one round and several, with state
//! that comes back.
#![allow(deprecated)] // Sampling and roots are, and the suite still asks for them.

use malloc_vr::bridge::mcp::call::Call;
use malloc_vr::bridge::mcp::catalogue::{Catalogue, PromptRow};
use rmcp::ErrorData;
use rmcp::model::{
    CreateMessageRequest, CreateMessageRequestParams, ElicitRequest, ElicitRequestParams,
    GetPromptResponse, GetPromptResult, InputRequest, InputRequests, InputRequiredResult,
    ListRootsRequest, Prompt, PromptMessage, Role, SamplingMessage,
};
use serde_json::{Map, Value, json};

use crate::contents::{Answer, plain, said, tool};

pub(crate) fn offer(catalogue: &mut Catalogue) {
    tool(
        catalogue,
        "test_input_required_result_elicitation",
        plain(),
        |call| async move {
            match response(&call, "user_name") {
                Some(answer) => said(format!("Hello, {}!", field(answer, "name"))),
                None => ask([("user_name", name()?)], None),
            }
        },
    );
    tool(
        catalogue,
        "test_input_required_result_sampling",
        plain(),
        |call| async move {
            match response(&call, "capital_question") {
                Some(answer) => {
                    let text = answer.get("content").and_then(|it| it.get("text"));
                    said(format!(
                        "Sampling response: {}",
                        text.and_then(Value::as_str).unwrap_or_default()
                    ))
                }
                None => ask(
                    [("capital_question", sample("What is the capital of France?"))],
                    None,
                ),
            }
        },
    );
    tool(
        catalogue,
        "test_input_required_result_list_roots",
        plain(),
        |call| async move {
            match response(&call, "client_roots") {
                Some(answer) => said(format!(
                    "Client roots: {}",
                    answer.get("roots").cloned().unwrap_or_default()
                )),
                None => ask([("client_roots", roots())], None),
            }
        },
    );
    for name in [
        "test_input_required_result_request_state",
        "test_input_required_result_tampered_state",
    ] {
        tool(catalogue, name, plain(), |call| async move {
            if call.brought_back().is_some() {
                state(&call)?;
                return said("Confirmed: state-ok");
            }
            let confirm = form(
                "Please confirm",
                json!({ "ok": { "type": "boolean" } }),
                "ok",
            )?;
            ask(
                [("confirm", confirm)],
                Some(call.seal().close("fixture", "confirm")),
            )
        });
    }
    tool(
        catalogue,
        "test_input_required_result_multiple_inputs",
        plain(),
        |call| async move {
            let brought = state(&call)?.is_some();
            let all = ["user_name", "greeting", "client_roots"];
            if brought && all.iter().all(|key| response(&call, key).is_some()) {
                return said("All inputs received");
            }
            let asked = [
                ("user_name", name()?),
                ("greeting", sample("Generate a greeting")),
                ("client_roots", roots()),
            ];
            ask(asked, Some(call.seal().close("fixture", "gather")))
        },
    );
    tool(
        catalogue,
        "test_input_required_result_multi_round",
        plain(),
        |call| async move {
            let next = |round| Some(call.seal().close("fixture", round));
            match state(&call)? {
                None => {
                    let asked = form(
                        "Step 1: What is your name?",
                        json!({ "name": { "type": "string" } }),
                        "name",
                    )?;
                    ask([("step1", asked)], next("1"))
                }
                Some("1") => {
                    let color = json!({ "color": { "type": "string" } });
                    let asked = form("Step 2: What is your favorite color?", color, "color")?;
                    ask([("step2", asked)], next("2"))
                }
                Some(_) => said("Multi-round flow complete"),
            }
        },
    );
    tool(
        catalogue,
        "test_input_required_result_capabilities",
        plain(),
        |call| async move {
            if call.responses().is_some() {
                return said("Capability-aware flow complete");
            }
            let can = call.meta().client_capabilities().unwrap_or_default();
            let mut asked = Vec::new();
            if can.elicitation.is_some() {
                asked.push(("user_name", name()?));
            }
            if can.sampling.is_some() {
                asked.push(("greeting", sample("Generate a greeting")));
            }
            if can.roots.is_some() {
                asked.push(("client_roots", roots()));
            }
            if asked.is_empty() {
                return said("Nothing can be asked");
            }
            ask(asked, None)
        },
    );
    tool(
        catalogue,
        "test_streaming_elicitation",
        plain(),
        |_| async {
            let value = form(
                "Provide a value",
                json!({ "value": { "type": "string" } }),
                "value",
            )?;
            ask([("streaming_elicitation", value)], None)
        },
    );
    let prompt = Prompt::new(
        "test_input_required_result_prompt",
        Some("Asks before it is filled"),
        None,
    );
    catalogue.prompt(PromptRow::new(prompt, prompted));
}

async fn prompted(call: Call) -> Result<GetPromptResponse, ErrorData> {
    if let Some(answer) = response(&call, "user_context") {
        let text = format!("Prompt with elicited context: {}", field(answer, "context"));
        return Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into());
    }
    let context = json!({ "context": { "type": "string" } });
    let asked = form("What context should the prompt use?", context, "context")?;
    let requests = InputRequests::from([("user_context".to_owned(), asked)]);
    Ok(InputRequiredResult::from_input_requests(requests).into())
}

/// An answer; what is no object is none.
fn response<'a>(call: &'a Call, key: &str) -> Option<&'a Map<String, Value>> {
    call.responses()?.get(key)?.as_object()
}

fn field<'a>(answer: &'a Map<String, Value>, name: &str) -> &'a str {
    let value = answer.get("content").and_then(|content| content.get(name));
    value.and_then(Value::as_str).unwrap_or("nobody")
}

/// What was brought back, if it is ours.
fn state(call: &Call) -> Result<Option<&str>, ErrorData> {
    let opened = call
        .brought_back()
        .map(|sealed| call.seal().open("fixture", sealed));
    opened
        .transpose()
        .map_err(|why| ErrorData::invalid_params(format!("requestState: {why}"), None))
}

fn name() -> Result<InputRequest, ErrorData> {
    form(
        "What is your name?",
        json!({ "name": { "type": "string" } }),
        "name",
    )
}

fn form(message: &str, properties: Value, required: &str) -> Result<InputRequest, ErrorData> {
    let schema = json!({ "type": "object", "properties": properties, "required": [required] });
    let requested_schema = serde_json::from_value(schema)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let params = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema,
    };
    Ok(InputRequest::Elicitation(ElicitRequest::new(params)))
}

fn sample(prompt: &str) -> InputRequest {
    let message = SamplingMessage::user_text(prompt);
    let params = CreateMessageRequestParams::new(vec![message], 100);
    InputRequest::CreateMessage(CreateMessageRequest::new(params))
}

fn roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}

fn ask<'a>(
    asked: impl IntoIterator<Item = (&'a str, InputRequest)>,
    state: Option<String>,
) -> Answer {
    let requests = asked
        .into_iter()
        .map(|(key, request)| (key.to_owned(), request));
    Ok(InputRequiredResult::new(Some(requests.collect()), state).into())
}
