//! Who may overrule whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who asks. The order is the order of precedence: an earlier one outranks a later one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// The learner's safety: comfort rules, and a break that the learner asks for.
    Safety,
    /// The learner.
    Learner,
    /// An instructor, human or machine, who holds the bridge's token.
    Instructor,
    /// The frame governor. It decides about presentation only.
    Governor,
    /// The automatic adaptation rules.
    Automatic,
}

/// What a command moves. Two commands on one lever can contradict each other, on two they can't.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Lever {
    /// Whether the learner rests.
    Break,
    /// The hint ladder of the step.
    Hint,
    /// Support beyond hints.
    Support,
    /// Difficulty.
    Difficulty,
    /// Pace.
    Pace,
    /// What comes next: another way, the next skill, a review.
    Route,
    /// Form and interactivity of what comes.
    Variety,
    /// What the instructor is told.
    Notice,
}

impl Lever {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::Break,
        Self::Hint,
        Self::Support,
        Self::Difficulty,
        Self::Pace,
        Self::Route,
        Self::Variety,
        Self::Notice,
    ];
}
