//! What became of a command: its effect in the world, or why it was not done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::ids::LearnerId;

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It had its effect in the world.
    Applied {
        /// What the learner now sees or hears, in words.
        effect: String,
    },
    /// It was understood and not done.
    Refused(Refusal),
}

/// Why a command was not done. The text says what the asker can do instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// Nobody here has that id.
    #[error("no learner {learner} is here; class.list_learners names those who are")]
    NoSuchLearner { learner: LearnerId },
    /// The current step has no further hint.
    #[error("step `{step}` has {available} hint(s) and all are shown; a message may help instead")]
    NoMoreHints { step: String, available: u8 },
    /// There is no step to act on.
    #[error("no step is running; the lesson has ended or has not begun")]
    NoStep,
    /// The state asked for already holds.
    #[error("nothing to do: {state}")]
    AlreadySo { state: String },
    /// Nothing in the scene has that name.
    #[error("there is no `{object}` in the scene; view.scene names what is there")]
    NoSuchObject { object: String },
    /// What shall be put into the scene cannot be.
    #[error("`{object}` cannot be put there: {why}")]
    BadObject { object: String, why: String },
    /// The text is empty or too long.
    #[error("a message has 1 to {max} characters; this one has {length}")]
    BadMessage { length: usize, max: usize },
    /// A number beyond what is good for anybody.
    #[error("`{what}` is {value}; it must lie between {low} and {high}")]
    OutOfRange {
        what: String,
        value: String,
        low: String,
        high: String,
    },
    /// The lesson as it runs has no means for it.
    #[error("{what} cannot be changed here; a hint or a message may help instead")]
    NotHere { what: String },
    /// Not for whoever asked.
    #[error("{who} may not do that; {instead}")]
    NotForYou { who: String, instead: String },
    /// There is no such lesson on the machine where the learner is.
    #[error("there is no lesson `{lesson}` there; there are {known}. lesson.load brings one")]
    NoSuchLesson { lesson: String, known: String },
    /// The adaptation rules would not be sound.
    #[error("these adaptation rules would not be sound: {why}")]
    BadPolicy { why: String },
    /// The checkpoint cannot be set.
    #[error("checkpoint `{checkpoint}` cannot be set: {why}")]
    BadCheckpoint { checkpoint: String, why: String },
    /// What was agreed to does not cover it, or the word would not count.
    #[error("{why}")]
    NotAgreed { why: String },
    /// The lesson runs on a headset, and the link to it is gone.
    #[error(
        "the learner's headset is not reached just now; the lesson goes on there, and everything comes later: send it again when the link is back"
    )]
    NotReached,
    /// A higher-ranking cause keeps it so.
    #[error("{by} keeps it so; it can be undone only there")]
    Outranked { by: String },
}
