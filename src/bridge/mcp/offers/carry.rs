//! Carrying acts out: for one learner, for a group, for everybody; and what came of it.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, structured};
use super::write::{Done, One, Wish};
use crate::protocol::command::{CommandBody, Outcome};
use crate::protocol::ids::{CommandId, LearnerId};

/// What came of an act upon everybody.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DoneForAll {
    /// How many it was carried out for.
    pub done: usize,
    /// Learner by learner.
    pub outcomes: Vec<Done>,
}

pub(super) async fn for_all(
    call: &Call,
    needs: Act,
    wish: &Wish,
    body: &CommandBody,
) -> Result<DoneForAll, String> {
    let mut learners = call.learners();
    if let Some(name) = &wish.group {
        let members = call.members(name).await?;
        learners.retain(|it| members.contains(&it.learner));
    }
    let of = count(learners.len());
    let mut outcomes = Vec::with_capacity(learners.len());
    for (at, it) in learners.iter().enumerate() {
        let learner = it.learner;
        // Who is through can only begin anew.
        let over = it.ended && !matches!(body, CommandBody::StartSession { .. });
        if over || call.may_with(needs, learner).is_err() {
            continue;
        }
        let own = for_one_of(wish, learner)?;
        let done = carry_out(call, learner, &own, body.clone()).await;
        outcomes.push(done.unwrap_or_else(|why| Done {
            command_id: CommandId::fresh(),
            learner: Some(learner),
            group: None,
            done: false,
            dry_run: wish.dry_run,
            effect: why,
            refused: None,
            trace: call.trace().to_string(),
            outcomes: Vec::new(),
        }));
        call.progress(count(at + 1), of, "learner by learner").await;
    }
    Ok(DoneForAll {
        done: outcomes.iter().filter(|it| it.done).count(),
        outcomes,
    })
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// The same wish for one of many: each has a command of its own, and the same one again when it is sent again.
fn for_one_of(wish: &Wish, learner: LearnerId) -> Result<Wish, String> {
    let own = |id: CommandId| {
        let both = id.0.as_u128() ^ learner.0.as_u128();
        Uuid::from_u128(both).to_string()
    };
    Ok(Wish {
        learner: Some(learner.to_string()),
        group: None,
        purpose: wish.purpose.clone(),
        command_id: wish.id()?.map(own),
        dry_run: wish.dry_run,
    })
}

/// Whom an act is for.
pub(super) enum Whom {
    /// One learner.
    One(LearnerId),
    /// A group, by name, and who is in it.
    Group(String, Vec<LearnerId>),
}

impl Whom {
    pub(super) fn words(&self) -> String {
        match self {
            Self::One(learner) => format!("learner {learner}"),
            Self::Group(name, members) => format!("group {name}, {} learners", members.len()),
        }
    }
}

/// Whom a wish is for. `open_to_all`: also somebody of whom nothing leaves, who has to be named then.
pub(super) async fn whom(
    call: &Call,
    wish: &Wish,
    needs: Act,
    open_to_all: bool,
) -> Result<Whom, String> {
    if let Some(name) = &wish.group {
        if wish.learner.is_some() {
            return Err("name a learner or a group, not both".to_owned());
        }
        let members = call.members(name).await?;
        for learner in &members {
            call.may_with(needs, *learner)?;
        }
        return Ok(Whom::Group(name.clone(), members));
    }
    let named = || wish.learner.as_ref()?.parse::<LearnerId>().ok();
    let learner = match named().filter(|_| open_to_all) {
        Some(named) => named,
        None => call.find(wish.learner.as_deref())?.learner,
    };
    call.may_with(needs, learner)?;
    Ok(Whom::One(learner))
}

/// The same act for everybody of a group.
pub(super) async fn for_group(
    call: &Call,
    name: String,
    members: &[LearnerId],
    wish: &Wish,
    body: &CommandBody,
) -> Result<Done, String> {
    let mut outcomes = Vec::with_capacity(members.len());
    for (at, learner) in members.iter().enumerate() {
        let own = for_one_of(wish, *learner)?;
        outcomes.push(match carry_out(call, *learner, &own, body.clone()).await {
            Ok(done) => One {
                learner: *learner,
                done: done.done,
                effect: done.effect,
                refused: done.refused,
            },
            Err(effect) => One {
                learner: *learner,
                done: false,
                effect,
                refused: None,
            },
        });
        call.progress(count(at + 1), count(members.len()), "learner by learner")
            .await;
    }
    let done = outcomes.iter().filter(|it| it.done).count();
    let could = outcomes.iter().filter(|it| it.refused.is_none()).count();
    let effect = match (wish.dry_run, outcomes.first()) {
        (_, None) => "nobody of the group is here".to_owned(),
        (true, Some(first)) => format!("{could} of {}: {}", outcomes.len(), first.effect),
        (false, Some(first)) => {
            let shown = outcomes.iter().find(|it| it.done).unwrap_or(first);
            format!("{done} of {}: {}", outcomes.len(), shown.effect)
        }
    };
    Ok(Done {
        // One that can't be read was refused above, where anybody is in the group.
        command_id: wish.id().ok().flatten().unwrap_or_else(CommandId::fresh),
        learner: None,
        group: Some(name),
        done: done > 0,
        dry_run: wish.dry_run,
        effect,
        refused: None,
        trace: call.trace().to_string(),
        outcomes,
    })
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
    for name in ["learner", "group", "purpose", "command_id", "dry_run"] {
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
    let id = wish.id()?.unwrap_or_else(CommandId::fresh);
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
        .command(id, learner, &wish.purpose, body, Some(trace))
        .map_err(|refused| refused.to_string())?;
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
        learner: Some(learner),
        group: None,
        done,
        dry_run: wish.dry_run,
        effect,
        refused,
        trace: trace.to_string(),
        outcomes: Vec::new(),
    })
}
