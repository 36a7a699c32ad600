//! t
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
}
