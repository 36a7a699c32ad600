//! What may leave the headset instead of motion: words measured against the learner's own, and noised body attributes.
//!
//! None of these carries a time of day, a duration, a length, a speed, or an id that holds a time (ours are UUIDs of
//! version 7, which do): from these people are told apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::StepId;
use crate::learning::skill::SkillId;

/// A stretch among the learner's own attempts before it. About a tenth of anybody's are low and a tenth high, whoever
/// they are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OwnLevel {
    /// Lower than usual for this learner.
    Low,
    /// As mostly.
    Usual,
    /// Higher than usual for this learner.
    High,
}

/// An attempt as it leaves the headset: what came of it. How the hand moved, how long it took and how far it missed
/// stay: each of these, even as a word for each attempt, told people apart (`docs/motion.md`).
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
    /// Wrong, and worth half or more.
    pub nearly: bool,
    /// Hint level shown at that moment; 0 = none.
    pub hints_used: u8,
}

/// A stretch of attempts in two words against the learner's own, each noised: for counts over a class, never for one
/// learner. `None`: not measured, or too few of the learner's own to compare with; noised like the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleasedStretch {
    /// Its last attempt.
    pub until_seq: u64,
    /// How long the attempts took.
    pub slowness: Option<OwnLevel>,
    /// How the hand came to them: pauses, detours and jerks together.
    pub effort: Option<OwnLevel>,
    /// What each word cost: it is at most e^epsilon times likelier after one stretch than after another.
    pub epsilon: f64,
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
