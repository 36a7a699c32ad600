//! What a decision does, with its numbers worked out; tables say it relative to what is ([`super::table::Payload`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupportKind {
    /// The step is shown done before the learner does it.
    WorkedExample,
    /// The step comes in smaller parts.
    FewerParts,
    /// Places and angles count as right from further off.
    WiderTolerance,
    /// What to do next is pointed out throughout.
    Guidance,
}

/// By which sense support comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Written.
    Text,
    /// Spoken.
    Voice,
    /// The things concerned glow.
    Highlight,
    /// Hands that show the movement.
    Ghost,
}

/// What to vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variety {
    /// The same in another form.
    Form,
    /// The same with more to do.
    Interaction,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Stop for a break now.
    Rest,
    /// Offer a break; the learner may decline.
    OfferBreak,
    /// Show the next rung of the hint ladder.
    OfferHint,
    /// Put support in place.
    AddSupport {
        /// Which.
        kind: SupportKind,
        /// How much, 1..3.
        level: u8,
        /// By which sense.
        modality: Modality,
    },
    /// Take the support away again.
    FadeSupport,
    /// Set the difficulty to this multiple of the authored one.
    Difficulty {
        /// 0.4..1.6.
        multiplier: f64,
    },
    /// Set the pace to this multiple of the authored one.
    Pace {
        /// 0.6..1.4.
        multiplier: f64,
    },
    /// Another way to the same skill, or the prerequisite first; not more of the same.
    ChangeApproach,
    /// The same otherwise.
    Vary {
        /// What.
        by: Variety,
        /// How much, 0..1.
        level: f64,
    },
    /// The skill is mastered: no more repetitions of it.
    MoveOn,
    /// Go over what is due.
    Review,
    /// Tell the instructor that more of the same doesn't help this learner.
    TellInstructor,
}
