//! Adapting the lesson by hand, and taking it back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::carry::{Whom, carry_out, whom};
use super::write::{Done, Wish, offer as act};
use crate::protocol::command::{CommandBody, Modality, SupportKind, Variety};
use crate::protocol::snapshot::LearnerSnapshot;

/// What to change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Apply {
    /// The change.
    change: Change,
}

/// A change to how the lesson is played.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
enum Change {
    /// Harder or easier: tolerances are divided by it.
    Difficulty {
        /// Multiple of the authored difficulty, 0.4 to 1.6.
        multiplier: f64,
    },
    /// Faster or slower: times are divided by it.
    Pace {
        /// Multiple of the authored pace, 0.6 to 1.4.
        multiplier: f64,
    },
    /// Support beyond hints.
    Support {
        /// Which.
        kind: SupportKind,
        /// How much, 1 to 3.
        level: u8,
        /// By which sense.
        modality: Modality,
    },
    /// The same in another form.
    Vary {
        /// What to vary.
        by: Variety,
        /// How much, 0 to 1.
        level: f64,
    },
    /// Another way to the same skill, or its prerequisite first.
    AnotherWay,
    /// The next skill, without more repetitions.
    MoveOn,
    /// Going over what is due.
    Review,
}

/// What to take back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Revert {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    learner: Option<String>,
    /// Instead of a learner: everybody of this group.
    group: Option<String>,
    /// Why, in a few words; kept in the learner's record. No names.
    purpose: String,
    /// Only say what would happen; nothing is done or recorded.
    dry_run: bool,
    /// What of it; left out: everything that is not as authored.
    what: Vec<Lever>,
}

/// What can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Lever {
    /// The difficulty.
    Difficulty,
    /// The pace.
    Pace,
    /// Support beyond hints.
    Support,
    /// The hint that is shown.
    Hint,
    /// Things added to the scene.
    Scene,
}

/// What was taken back.
#[derive(Debug, Serialize, JsonSchema)]
struct Reverted {
    /// One for each thing that was not as authored; empty: nothing was to be taken back.
    outcomes: Vec<Done>,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    act(
        catalogue,
        (
            "adapt.apply",
            "Adapt lesson",
            "Changes how the lesson is played for a learner: difficulty, pace, support, variety, way. It holds against \
             the adaptation rules for a while; adapt.revert takes it back.",
        ),
        (Act::Adapt, Effects::Sets),
        |it: Apply| {
            Ok(match it.change {
                Change::Difficulty { multiplier } => CommandBody::SetDifficulty { multiplier },
                Change::Pace { multiplier } => CommandBody::SetPace { multiplier },
                Change::Support {
                    kind,
                    level,
                    modality,
                } => CommandBody::AddSupport {
                    kind,
                    level,
                    modality,
                },
                Change::Vary { by, level } => CommandBody::Vary { by, level },
                Change::AnotherWay => CommandBody::ChangeApproach,
                Change::MoveOn => CommandBody::MoveOn,
                Change::Review => CommandBody::Review,
            })
        },
    );
    catalogue.tool(ToolRow::typed(
        (
            "adapt.revert",
            "Revert adaptation",
            "Brings the lesson back to what its author wrote: difficulty, pace, support, hint, added things, or some of \
             them.",
        ),
        (Act::Adapt, Effects::Sets),
        revert,
    ));
}

async fn revert(call: Call, it: Revert) -> Result<Reverted, Fault> {
    let wish = Wish {
        learner: it.learner.clone(),
        group: it.group.clone(),
        purpose: it.purpose.clone(),
        dry_run: it.dry_run,
        ..Wish::default()
    };
    let learners = match whom(&call, &wish, Act::Adapt, false).await? {
        Whom::One(learner) => vec![learner],
        Whom::Group(_, members) => members,
    };
    let mut outcomes = Vec::new();
    for learner in learners {
        let found = call.find(Some(&learner.to_string()))?;
        for body in as_authored(&found, &it.what) {
            outcomes.push(carry_out(&call, learner, &wish, body).await?);
        }
    }
    Ok(Reverted { outcomes })
}

/// What brings back what is otherwise than authored.
fn as_authored(found: &LearnerSnapshot, what: &[Lever]) -> Vec<CommandBody> {
    let wanted = |lever| what.is_empty() || what.contains(&lever);
    let differs = |now: f64| (now - 1.0).abs() > 0.005;
    let mut bodies = Vec::new();
    if wanted(Lever::Difficulty) && differs(found.difficulty) {
        bodies.push(CommandBody::SetDifficulty { multiplier: 1.0 });
    }
    if wanted(Lever::Pace) && differs(found.pace) {
        bodies.push(CommandBody::SetPace { multiplier: 1.0 });
    }
    if wanted(Lever::Support) && found.support > 0 {
        bodies.push(CommandBody::FadeSupport);
    }
    if wanted(Lever::Hint) && found.hint_level > 0 {
        bodies.push(CommandBody::FadeHint);
    }
    if wanted(Lever::Scene) {
        let added = found.added.iter().cloned();
        bodies.extend(added.map(|object| CommandBody::Remove { object }));
    }
    bodies
}
