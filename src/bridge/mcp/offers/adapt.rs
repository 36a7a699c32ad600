//! Adapting the lesson by hand. Taking it back is in `revert`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::catalogue::{Act, Catalogue, Effects};
use super::write::offer as act;
use crate::protocol::command::{CommandBody, Modality, SupportKind, Variety};

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
    super::revert::offer(catalogue);
}
