//! Tools that act: each becomes one typed command with who, why and an id, and answers with what came of it.

use rmcp::handler::server::common::schema_for_type;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::call::{Call, Fault};
use super::super::catalogue::{
    Act, Catalogue, Effects, ToolRow, describe, failed, structured, with_properties,
};
use super::super::confirm::confirmed;
use crate::protocol::command::{Command, CommandBody, Outcome, Refusal};
use crate::protocol::ids::{CommandId, LearnerId};

/// What every act takes besides what it is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    pub learner: Option<String>,
    pub purpose: String,
    pub command_id: Option<String>,
    pub dry_run: bool,
}

/// What a command did in the learner's world.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    /// The command's id: sent again, it is not carried out again.
    pub command_id: CommandId,
    /// For whom.
    pub learner: LearnerId,
    /// Whether it was carried out.
    pub done: bool,
    /// Whether it was only tried out.
    pub dry_run: bool,
    /// What the learner now sees or hears; of a dry run, what they would; of a refusal, why, and what to do instead.
    pub effect: String,
    /// Why it was not carried out, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// The trace that command, log and this answer belong to.
    pub trace: String,
}

/// The properties of [`Wish`], for the schema.
fn wishes() -> Value {
    json!({
        "learner": {
            "type": ["string", "null"],
            "description": "The learner's id from class.list_learners; may be left out where only one is here."
        },
        "purpose": {
            "type": "string",
            "description": "Why, in a few words; kept in the learner's record. No names.",
            "maxLength": 200
        },
        "command_id": {
            "type": ["string", "null"],
            "format": "uuid",
            "description": "A UUID of your own: sending the same one twice carries the command out once."
        },
        "dry_run": {
            "type": "boolean",
            "description": "Only say what would happen; nothing is done or recorded.",
            "default": false
        }
    })
}

/// Where an act that cannot be undone asks back by a token.
fn confirmation() -> Value {
    json!({
        "confirm": {
            "type": "string",
            "description": "Only for clients that cannot ask their person by elicitation: the token from the first, unconfirmed call."
        }
    })
}

/// How a tool is named and described.
pub(super) type Words = (&'static str, &'static str, &'static str);

/// An act upon one learner.
pub(super) fn offer<A>(
    catalogue: &mut Catalogue,
    (name, title, says): Words,
    (needs, effects): (Act, Effects),
    body: fn(A) -> Result<CommandBody, String>,
) where
    A: DeserializeOwned + JsonSchema + Send + 'static,
{
    let mut input = with_properties((*schema_for_type::<A>()).clone(), &wishes());
    let irreversible = effects == Effects::Ends;
    if irreversible {
        input = with_properties(input, &confirmation());
    }
    catalogue.tool(ToolRow {
        tool: describe::<Done>(name, title, says, effects, input),
        needs,
        run: Box::new(move |call| {
            Box::pin(async move {
                let done = async {
                    let (wish, rest) = take_wish(&call)?;
                    let arguments: A = read_rest(&call, rest)?;
                    let body = body(arguments)?;
                    let learner = call.find(wish.learner.as_deref())?.learner;
                    call.may_with(needs, learner)?;
                    if irreversible && !wish.dry_run {
                        let question = format!("{title}: {says} This is for learner {learner}.");
                        confirmed(&call, &question).await?;
                    }
                    Ok(carry_out(&call, learner, &wish, body).await?)
                };
                answer(done.await)
            })
        }),
    });
}

/// An act upon everybody whom the caller may reach.
pub(super) fn offer_for_all<A>(
    catalogue: &mut Catalogue,
    (name, title, says): Words,
    needs: Act,
    body: fn(A) -> Result<CommandBody, String>,
) where
    A: DeserializeOwned + JsonSchema + Send + 'static,
{
    let mut wishes = wishes();
    if let Some(wishes) = wishes.as_object_mut() {
        wishes.remove("learner");
        wishes.remove("command_id");
    }
    let input = with_properties((*schema_for_type::<A>()).clone(), &wishes);
    catalogue.tool(ToolRow {
        tool: describe::<DoneForAll>(name, title, says, Effects::Sets, input),
        needs,
        run: Box::new(move |call| {
            Box::pin(async move {
                let (wish, rest) = match take_wish(&call) {
                    Ok(taken) => taken,
                    Err(fault) => return fault.answer(),
                };
                let made = read_rest::<A>(&call, rest).and_then(|it| Ok(body(it)?));
                let body = match made {
                    Ok(body) => body,
                    Err(fault) => return fault.answer(),
                };
                if wish.learner.is_some() || wish.command_id.is_some() {
                    return Ok(failed(
                        "this is for everybody: it takes no learner and no command_id",
                    ));
                }
                structured(&for_all(&call, needs, &wish, &body).await, false)
            })
        }),
    });
}

/// What came of an act upon everybody.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DoneForAll {
    /// How many it was carried out for.
    pub done: usize,
    /// Learner by learner.
    pub outcomes: Vec<Done>,
}

async fn for_all(call: &Call, needs: Act, wish: &Wish, body: &CommandBody) -> DoneForAll {
    let learners = call.learners();
    let of = f64::from(u32::try_from(learners.len()).unwrap_or(u32::MAX));
    let mut outcomes = Vec::with_capacity(learners.len());
    for (at, it) in learners.iter().enumerate() {
        let learner = it.learner;
        if it.ended || call.may_with(needs, learner).is_err() {
            continue;
        }
        let done = carry_out(call, learner, wish, body.clone()).await;
        outcomes.push(done.unwrap_or_else(|why| Done {
            command_id: CommandId::fresh(),
            learner,
            done: false,
            dry_run: wish.dry_run,
            effect: why,
            refused: None,
            trace: call.trace().to_string(),
        }));
        let done = f64::from(u32::try_from(at + 1).unwrap_or(u32::MAX));
        call.progress(done, of, "learner by learner").await;
    }
    DoneForAll {
        done: outcomes.iter().filter(|it| it.done).count(),
        outcomes,
    }
}

/// A result or a fault as the tool's answer; a refusal is an error with its structure.
pub(super) fn answer(
    done: Result<Done, Fault>,
) -> Result<rmcp::model::CallToolResponse, rmcp::ErrorData> {
    match done {
        Ok(done) => structured(&done, !done.done && !done.dry_run || done.refused.is_some()),
        Err(fault) => fault.answer(),
    }
}

/// Parts what every act takes from what this one is about.
pub(super) fn take_wish(call: &Call) -> Result<(Wish, serde_json::Map<String, Value>), Fault> {
    let mut rest = call.arguments.clone();
    let mut wish = serde_json::Map::new();
    for name in ["learner", "purpose", "command_id", "dry_run"] {
        if let Some(value) = rest.remove(name) {
            wish.insert(name.to_owned(), value);
        }
    }
    rest.remove("confirm");
    let wish = serde_json::from_value(Value::Object(wish))
        .map_err(|error| Fault::Told(format!("{}: {error}", call.name)))?;
    Ok((wish, rest))
}

pub(super) fn read_rest<A: DeserializeOwned>(
    call: &Call,
    rest: serde_json::Map<String, Value>,
) -> Result<A, Fault> {
    serde_json::from_value(Value::Object(rest)).map_err(|error| {
        Fault::Told(format!(
            "{} does not take these arguments: {error}",
            call.name
        ))
    })
}

/// Has a command carried out, or tried out.
///
/// # Errors
/// What kept it from reaching the world.
pub(super) async fn carry_out(
    call: &Call,
    learner: LearnerId,
    wish: &Wish,
    body: CommandBody,
) -> Result<Done, String> {
    let id = match &wish.command_id {
        None => CommandId::fresh(),
        Some(text) => text
            .parse()
            .map_err(|_| format!("`{text}` is no UUID; leave command_id out to have one made"))?,
    };
    let trace = call.trace();
    let body = if wish.dry_run {
        CommandBody::Try {
            body: Box::new(body),
        }
    } else {
        body
    };
    let caller = call.caller()?;
    let command = caller
        .command(id, learner, &wish.purpose, body)
        .map_err(|refused| refused.to_string())?;
    let command = Command {
        trace: Some(trace),
        ..command
    };
    let outcome = call
        .desk()
        .ask(command)
        .await
        .map_err(|error| error.to_string())?;
    let (done, effect, refused) = match outcome {
        Outcome::Applied { effect } => (!wish.dry_run, effect, None),
        Outcome::Refused(refusal) => (false, refusal.to_string(), Some(refusal)),
    };
    Ok(Done {
        command_id: id,
        learner,
        done,
        dry_run: wish.dry_run,
        effect,
        refused,
        trace: trace.to_string(),
    })
}
