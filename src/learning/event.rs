//! Learning events and where a learner can stand among them.
//!
//! Onboarding → Introduction → Practice ⇄ Application → Mastery → Completed; each event can also be left backwards,
//! by one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Phase of learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LearningEvent {
    /// Getting used to the headset and the hands.
    Onboarding,
    /// Meeting something new.
    Introduction,
    /// Doing it again, with help at hand.
    Practice,
    /// Using it for a purpose.
    Application,
    /// Showing command of it.
    Mastery,
}

impl LearningEvent {
    /// All of them, in the order of learning.
    pub const ALL: [Self; 5] = [
        Self::Onboarding,
        Self::Introduction,
        Self::Practice,
        Self::Application,
        Self::Mastery,
    ];

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Onboarding => Some(Self::Introduction),
            Self::Introduction => Some(Self::Practice),
            Self::Practice => Some(Self::Application),
            Self::Application => Some(Self::Mastery),
            Self::Mastery => None,
        }
    }

    /// The one before it.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        match self {
            Self::Onboarding => None,
            Self::Introduction => Some(Self::Onboarding),
            Self::Practice => Some(Self::Introduction),
            Self::Application => Some(Self::Practice),
            Self::Mastery => Some(Self::Application),
        }
    }
}

/// Where a learner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In a learning event.
    In(LearningEvent, Activity),
    /// Through.
    Completed(Attained),
}

/// What happens within an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// The event's own steps.
    Active,
    /// Help beyond hints, because of remediation.
    Intervening,
    /// A break. Its time counts for nothing.
    Break(BreakCause),
    /// Going over something earlier that is due again.
    Review,
}

/// Why there is a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakCause {
    /// The learner wants one.
    Learner,
    /// The learner is not well.
    Comfort,
}

/// What a learner who is through has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attained {
    /// Everything that a runtime can observe; what an instructor alone can score has not been assessed.
    PerformanceMastery,
    /// That, and all that the instructor scores.
    FullMastery,
}
