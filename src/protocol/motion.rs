//! What may leave the headset instead of motion: words measured against the learner's own, and noised body attributes.
//!
//! None of these carries a time of day, a duration, a length, a speed, or an id that holds a time (ours are UUIDs of
//! version 7, which do): from these people are told apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::StepId;
use crate::learning::skill::SkillId;

/// A value among the learner's own last ones. A fifth of anybody's values are low and a fifth high, whoever they are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OwnLevel {
    /// In the lowest fifth.
    Low,
    /// As mostly.
    Usual,
    /// In the highest fifth.
    High,
}

/// A movement of the hand, in words. `None`: not measured, or too few of the learner's own to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MovementLevels {
    /// Pause before the hand moved.
    pub hesitation: Option<OwnLevel>,
    /// Detour: the path's length over the straight one.
    pub detour: Option<OwnLevel>,
    /// Jerkiness: dimensionless jerk.
    pub jerkiness: Option<OwnLevel>,
    /// Turning of the head.
    pub head_turning: Option<OwnLevel>,
}

/// An attempt as it leaves the headset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleasedAttempt {
    /// Place in the learner's log, which says the order and nothing of the time.
    pub seq: u64,
    /// The step it belongs to.
    pub step: StepId,
    /// The skills it is evidence for.
    pub skills: Vec<SkillId>,
    /// Whether it met the step's goal within tolerance.
    pub correct: bool,
    /// Partial credit in quarters: 0..=4, 4 where `correct`.
    pub credit_quarters: u8,
    /// Hint level shown at that moment; 0 = none.
    pub hints_used: u8,
    /// Trust in the hardware at that moment, in tenths, 0..=10.
    pub trust_tenths: u8,
    /// How long it took.
    pub slowness: Option<OwnLevel>,
    /// How far it missed, where a place was asked for.
    pub miss: Option<OwnLevel>,
    /// How the hand moved.
    pub movement: MovementLevels,
}

/// Which attribute of a body.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BodyAttribute {
    /// Standing height, metres.
    Height,
    /// From fingertip to fingertip of the outstretched arms, metres.
    Span,
}

/// A body attribute under local differential privacy: as much noise as value, by design.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoisedAttribute {
    /// Which.
    pub attribute: BodyAttribute,
    /// Centimetres, noised.
    pub centimetres: u16,
    /// What it cost: a given output is at most e^epsilon times likelier for one body than for another.
    pub epsilon: f64,
}
