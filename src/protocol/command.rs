//! What somebody asks of the running lesson, and what became of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{CommandId, LearnerId};

/// A typed request from whatever door: MCP, WebSocket, the desk, or the adaptation rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// Also the idempotency key: the same id is carried out once.
    pub id: CommandId,
    /// For whom.
    pub learner: LearnerId,
    /// Who asks.
    pub principal: Principal,
    /// Why, in the asker's words; kept in the audit.
    pub purpose: String,
    /// What is asked.
    pub body: CommandBody,
}

/// Who asks. The order is the order of precedence: an earlier one outranks a later one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// The learner.
    Learner,
    /// An instructor, human or machine, who holds the bridge's token.
    Instructor,
    /// The automatic adaptation rules.
    Automatic,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum CommandBody {
    /// Show a hint for the current step: this rung of its ladder (1 = first), or the next one.
    GiveHint {
        /// Rung of the ladder, 1-based; `None`: the next one.
        level: Option<u8>,
    },
    /// Take the hint away.
    FadeHint,
    /// Stop the lesson where it is.
    Pause,
    /// Let it go on.
    Resume,
    /// Words from the instructor, shown in the world.
    Message {
        /// At most [`MAX_MESSAGE_CHARS`] characters.
        text: String,
    },
}

/// Longest message, in characters, that a panel shows readably.
pub const MAX_MESSAGE_CHARS: usize = 280;

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
    #[error("no learner {learner} is here; list_learners names those who are")]
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
    /// The text is empty or too long.
    #[error("a message has 1 to {max} characters; this one has {length}")]
    BadMessage { length: usize, max: usize },
    /// A higher-ranking cause keeps it so.
    #[error("{by} keeps it so; it can be undone only there")]
    Outranked { by: String },
}
