//! Tools that read one learner: state, timeline, why something was decided.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::super::look::Look;
use super::super::path::Suggested;
use crate::learning::skill::SkillId;
use crate::protocol::command::{Command, Refusal};
use crate::protocol::event::{Decision, Event, EventBody};
use crate::protocol::ids::LearnerId;
use crate::protocol::snapshot::LearnerSnapshot;

/// Which learner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
}

/// Which decision.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
    /// Its place in the log (`seq`), from learner.timeline; left out: the latest.
    #[serde(default)]
    decision: Option<u64>,
}

/// A decision of the adaptation rules, and what became of it.
#[derive(Debug, Serialize, JsonSchema)]
struct Explained {
    /// Whose.
    learner: LearnerId,
    /// Its place in the log.
    seq: u64,
    /// When, milliseconds since the Unix epoch.
    at_unix_ms: u64,
    /// What was decided, by which rules, on which features.
    decision: Decision,
    /// What became of the commands that followed, until the next decision.
    followed: Vec<Followed>,
}

/// A command, and what became of it.
#[derive(Debug, Serialize, JsonSchema)]
struct Followed {
    /// The command.
    command: Command,
    /// Why it was not carried out; null: it was.
    refused: Option<Refusal>,
}

/// How far back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Back {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
    /// Only events after this place in the log.
    #[serde(default)]
    after: u64,
    /// At most so many, the latest; 1 to 200.
    #[serde(default = "fifty")]
    most: usize,
}

fn fifty() -> usize {
    50
}

/// Whither.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whither {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
    /// A skill of the lesson that the way shall lead to.
    #[serde(default)]
    goal: Option<String>,
}

/// What happened lately.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Timeline {
    /// Whose.
    pub learner: LearnerId,
    /// Events in the order of the log. What was before this process began is in the record only.
    pub events: Vec<Event>,
    /// Whether older ones were left out.
    pub more: bool,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    let look = (Act::ReadState, Effects::Reads);
    catalogue.tool(ToolRow::typed(
        (
            "learner.get_state",
            "Get learner state",
            "Everything known of one learner now: step and goal, hint, attempts, knowledge per skill with intervals, \
             phase of learning, load and engagement with reasons, how the lesson is adapted, pauses.",
        ),
        look,
        get_state,
    ));
    catalogue.tool(ToolRow::typed(
        (
            "learner.timeline",
            "Get timeline",
            "What happened to one learner lately, in order: attempts with evidence, steps, hints, commands with who gave \
             them and why, decisions, pauses.",
        ),
        look,
        timeline,
    ));
    catalogue.tool(ToolRow::typed(
        (
            "learner.explain_decision",
            "Explain decision",
            "Why the adaptation rules decided as they did: the rule, the features with their values, what was weighed \
             against it, and what became of the commands that followed.",
        ),
        (Act::ReadExplanation, Effects::Reads),
        explain,
    ));
    catalogue.tool(ToolRow::typed(
        (
            "learner.suggest_path",
            "Suggest path",
            "Which skill of the running lesson the learner could take next, each with why (within reach, too easy, too hard, \
             waiting for another, mastered, due for review) and the steps that practise it; with `goal` the way there.",
        ),
        look,
        suggest,
    ));
}

async fn suggest(call: Call, it: Whither) -> Result<Suggested, Fault> {
    let learner = call.find(it.learner.as_deref())?.learner;
    call.may_with(Act::ReadState, learner)?;
    let goal = it.goal.map(SkillId::new);
    Ok(call
        .look(|answer| Look::Path(learner, goal, answer))
        .await??)
}

async fn get_state(call: Call, who: Who) -> Result<LearnerSnapshot, Fault> {
    let found = call.find(who.learner.as_deref())?;
    call.may_with(Act::ReadState, found.learner)?;
    Ok((*found).clone())
}

async fn timeline(call: Call, back: Back) -> Result<Timeline, Fault> {
    if !(1..=200).contains(&back.most) {
        return Err(Fault::from("`most` lies between 1 and 200"));
    }
    let learner = call.find(back.learner.as_deref())?.learner;
    call.may_with(Act::ReadState, learner)?;
    Ok(latest(&call, learner, back.after, back.most))
}

/// The latest events of a learner after a place in the log.
pub(super) fn latest(call: &Call, learner: LearnerId, after: u64, most: usize) -> Timeline {
    let events = call.shared.journal.of(learner);
    let fitting: Vec<&Arc<Event>> = events.iter().filter(|it| it.seq > after).collect();
    let skipped = fitting.len().saturating_sub(most);
    Timeline {
        learner,
        events: fitting
            .iter()
            .skip(skipped)
            .map(|it| Event::clone(it))
            .collect(),
        more: skipped > 0,
    }
}

async fn explain(call: Call, which: Which) -> Result<Explained, Fault> {
    let learner = call.find(which.learner.as_deref())?.learner;
    call.may_with(Act::ReadExplanation, learner)?;
    let events = call.shared.journal.of(learner);
    let mut decisions = events.iter().enumerate().filter_map(|(at, event)| {
        let EventBody::Decided(decision) = &event.body else {
            return None;
        };
        let meant = which.decision.is_none_or(|seq| seq == event.seq);
        meant.then_some((at, event, decision))
    });
    let Some((at, event, decision)) = decisions.next_back() else {
        return Err(Fault::Told(match which.decision {
            Some(seq) => format!(
                "event {seq} is no decision of the latest 200 events of learner {learner}; learner.timeline shows them"
            ),
            None => format!("nothing was decided for learner {learner} since this process began"),
        }));
    };
    let followed = events
        .iter()
        .skip(at + 1)
        .take_while(|it| !matches!(it.body, EventBody::Decided(_)))
        .filter_map(|it| match &it.body {
            EventBody::CommandApplied { command, .. } => Some((command, None)),
            EventBody::CommandRefused { command, refusal } => Some((command, Some(refusal))),
            _ => None,
        })
        .map(|(command, refused)| Followed {
            command: (**command).clone(),
            refused: refused.cloned(),
        })
        .collect();
    Ok(Explained {
        learner,
        seq: event.seq,
        at_unix_ms: event.at_unix_ms,
        decision: decision.clone(),
        followed,
    })
}
