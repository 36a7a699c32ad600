//! The class: who is here, how it gets on as a whole, and the class as a query.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow, page};
use super::super::class_time::OnStep;
use super::super::look::Look;
use super::app;
use crate::protocol::ids::{LearnerId, LessonId, StepId};
use crate::protocol::snapshot::LearnerSnapshot;

/// Who is here.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Roster {
    /// Learners, ordered by id.
    pub learners: Vec<RosterEntry>,
    /// Pass it as `cursor` for the next page; left out: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One learner in short.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RosterEntry {
    /// Pseudonym; pass it to the other tools.
    learner: LearnerId,
    /// The lesson being played.
    lesson: LessonId,
    /// The step before which the learner stands; null: not begun or over.
    step: Option<StepId>,
    /// Steps done.
    steps_done: u32,
    /// Steps in the lesson.
    steps_total: u32,
    /// Wrong attempts on the running step.
    failures_on_step: u32,
    /// Whether the lesson stands still.
    paused: bool,
    /// Whether the session is over.
    ended: bool,
    /// What the adaptation rules want the instructor to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
}

impl RosterEntry {
    fn of(it: &LearnerSnapshot) -> Self {
        Self {
            learner: it.learner,
            lesson: it.lesson.clone(),
            step: it.step.clone(),
            steps_done: u32::try_from(it.completed.len()).unwrap_or(u32::MAX),
            steps_total: it.steps_total,
            failures_on_step: it.failures_on_step,
            paused: !it.paused_by.is_empty(),
            ended: it.ended,
            notice: it.notice.clone(),
        }
    }
}

/// Which learners to list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Filter {
    /// Only those at this step.
    step: Option<String>,
    /// Only those whose lesson stands still (true) or runs (false).
    paused: Option<bool>,
    /// Only those with at least so many wrong attempts on the running step.
    failures_at_least: Option<u32>,
    /// Only those of this group.
    group: Option<String>,
    /// Also those whose session is over.
    ended: bool,
    /// From the page before.
    cursor: Option<String>,
}

/// The class as a whole; nobody in it can be told apart.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Dashboard {
    /// Learners whose session runs.
    learners: usize,
    /// Of those, whose lesson stands still.
    paused: usize,
    /// Sessions that are over.
    ended: usize,
    /// How many are at which step.
    at_step: BTreeMap<String, usize>,
    /// How many have three or more wrong attempts on their step.
    stuck: usize,
    /// Mean share of steps done, 0..1; left out where nobody is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<f64>,
    /// Mean belief that a skill is known, by skill, 0..1 (inferred).
    known: BTreeMap<String, f64>,
}

/// Whom to look for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    /// By how many standard deviations longer than the others.
    #[serde(default = "two")]
    deviations: f64,
    /// Only on this step.
    #[serde(default)]
    step: Option<String>,
    /// Only those of this group.
    #[serde(default)]
    group: Option<String>,
}

fn two() -> f64 {
    2.0
}

/// Who has been on the same step longer than the others.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Stuck {
    /// By how many standard deviations, at least.
    deviations: f64,
    /// Those, the longest first.
    stuck: Vec<OnStep>,
    /// Learners at a step of whom it cannot be told, because fewer than three others have been at it.
    cannot_tell: usize,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    let look = (Act::ReadRoster, Effects::Reads);
    catalogue.tool(ToolRow::typed(
        (
            "class.list_learners",
            "List learners",
            "Who is in a lesson on this machine, and where each one stands; filtered, in pages of 100.",
        ),
        look,
        list,
    ));
    catalogue.tool(app::shown_with(ToolRow::typed(
        (
            "class.dashboard",
            "Class dashboard",
            "The class as a whole, without identities: how many are where, how far, and what is known by skill.",
        ),
        look,
        |call: Call, of: OfGroup| async move {
            Ok(match &of.group {
                Some(name) => dashboard_of_those(&call, &call.members(name).await?),
                None => dashboard(&call),
            })
        },
    )));
    catalogue.tool(ToolRow::typed(
        (
            "class.stuck",
            "Who is stuck",
            "Who has been on the same step longer than the mean of the others by so many standard deviations (2 unless \
             said otherwise), answered from the running lessons. class://stuck is the same as a subscription.",
        ),
        look,
        |call: Call, query: Query| async move {
            if !(0.5..=10.0).contains(&query.deviations) {
                return Err(Fault::from("`deviations` lies between 0.5 and 10"));
            }
            let mut found = stuck(&call, query.deviations, query.step.as_deref()).await?;
            if let Some(name) = &query.group {
                let members = call.members(name).await?;
                found.stuck.retain(|it| members.contains(&it.learner));
            }
            Ok(found)
        },
    ));
}

/// Of whom.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfGroup {
    /// Only those of this group.
    #[serde(default)]
    group: Option<String>,
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoArguments {}

async fn list(call: Call, filter: Filter) -> Result<Roster, Fault> {
    let mut all = call.learners();
    if let Some(name) = &filter.group {
        let members = call.members(name).await?;
        all.retain(|it| members.contains(&it.learner));
    }
    let fitting = all.iter().filter(|it| {
        let step = it.step.as_ref().map(StepId::as_str);
        (filter.ended || !it.ended)
            && filter.step.as_deref().is_none_or(|at| step == Some(at))
            && filter
                .paused
                .is_none_or(|paused| paused != it.paused_by.is_empty())
            && filter
                .failures_at_least
                .is_none_or(|least| it.failures_on_step >= least)
    });
    let (learners, next_cursor) = page(
        fitting.map(|it| RosterEntry::of(it)).collect(),
        filter.cursor.as_deref(),
    )
    .map_err(|error| Fault::Told(error.message.into_owned()))?;
    Ok(Roster {
        learners,
        next_cursor,
    })
}

/// Everybody, in one piece.
pub(super) fn roster(call: &Call) -> Roster {
    Roster {
        learners: call
            .learners()
            .iter()
            .map(|it| RosterEntry::of(it))
            .collect(),
        next_cursor: None,
    }
}

pub(super) fn dashboard(call: &Call) -> Dashboard {
    dashboard_of(&call.learners())
}

/// The same of some.
pub(super) fn dashboard_of_those(call: &Call, members: &[LearnerId]) -> Dashboard {
    let mut all = call.learners();
    all.retain(|it| members.contains(&it.learner));
    dashboard_of(&all)
}

fn dashboard_of(all: &[Arc<LearnerSnapshot>]) -> Dashboard {
    let (ended, here): (Vec<_>, Vec<_>) = all.iter().partition(|it| it.ended);
    let mut at_step = BTreeMap::new();
    let mut beliefs: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for it in &here {
        let step = it.step.as_ref().map_or("none", StepId::as_str);
        *at_step.entry(step.to_owned()).or_insert(0) += 1;
        for (skill, belief) in &it.skills {
            beliefs
                .entry(skill.to_string())
                .or_default()
                .push(belief.known);
        }
    }
    let share = |it: &&std::sync::Arc<LearnerSnapshot>| {
        let done = f64::from(u32::try_from(it.completed.len()).unwrap_or(u32::MAX));
        (done / f64::from(it.steps_total.max(1))).min(1.0)
    };
    let shares: Vec<f64> = here.iter().map(share).collect();
    Dashboard {
        learners: here.len(),
        paused: here.iter().filter(|it| !it.paused_by.is_empty()).count(),
        ended: ended.len(),
        at_step,
        stuck: here.iter().filter(|it| it.failures_on_step >= 3).count(),
        progress: mean(&shares),
        known: beliefs
            .into_iter()
            .filter_map(|(skill, of)| Some((skill, mean(&of)?)))
            .collect(),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    let count = f64::from(u32::try_from(values.len()).ok()?);
    (count > 0.0).then(|| values.iter().sum::<f64>() / count)
}

/// Who stands out.
pub(super) async fn stuck(
    call: &Call,
    deviations: f64,
    step: Option<&str>,
) -> Result<Stuck, Fault> {
    let mut all = call.look(Look::Class).await?;
    all.retain(|it| call.sees(it.learner) && step.is_none_or(|step| it.step.as_str() == step));
    let cannot_tell = all.iter().filter(|it| it.above.is_none()).count();
    all.retain(|it| it.above.is_some_and(|above| above >= deviations));
    all.sort_by(|a, b| b.above.unwrap_or(0.0).total_cmp(&a.above.unwrap_or(0.0)));
    Ok(Stuck {
        deviations,
        stuck: all,
        cannot_tell,
    })
}

/// Who stands out by two deviations, without the figures that change every second: what a subscription compares.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StuckNow {
    /// Learner and step, ordered by learner.
    pub stuck: Vec<StuckOne>,
}

/// One who stands out.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StuckOne {
    /// Who.
    pub learner: LearnerId,
    /// At which step.
    pub step: StepId,
}

pub(super) async fn stuck_now(call: &Call) -> Result<StuckNow, Fault> {
    let mut stuck: Vec<StuckOne> = stuck(call, two(), None)
        .await?
        .stuck
        .into_iter()
        .map(|it| StuckOne {
            learner: it.learner,
            step: it.step,
        })
        .collect();
    stuck.sort_by_key(|it| it.learner);
    Ok(StuckNow { stuck })
}
