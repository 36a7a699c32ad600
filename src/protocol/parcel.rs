//! What travels between a headset and whoever follows it: events and samples, in order, and how far they have come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::Event;
use super::sample::Sample;

/// How far a stream has come: what a receiver has for good, or what a sender has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// Last event of the log (all before it, too); 0: none.
    pub events: u64,
    /// Number of the last sample; 0: none.
    pub samples: u64,
}

/// One thing under way, and what has to be there before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parcel {
    /// What went before: whoever hasn't got it can't take this in yet.
    pub before: Position,
    /// The thing.
    pub content: Content,
}

/// What a parcel holds.
// Nearly all are samples or attempts, which are about as large.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Something happened. Never left out.
    Event(Event),
    /// How the learner fared. Left out where it has become too old to be kept.
    Sample(Sample),
}
