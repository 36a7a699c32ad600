//! What somebody asks of the running lesson, and what became of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{CommandId, LearnerId};
use crate::learning::strategy::action::{Action, Modality, SupportKind, Variety};
use crate::learning::strategy::precedence::Lever;
/// Who asks, in the order of precedence; the adaptation rules know it, too.
pub use crate::learning::strategy::precedence::Principal;

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
    /// Make the task harder or easier.
    SetDifficulty {
        /// Multiple of the authored difficulty, within [`DIFFICULTY`].
        multiplier: f64,
    },
    /// Give more or less time.
    SetPace {
        /// Multiple of the authored pace, within [`PACE`]; more is faster.
        multiplier: f64,
    },
    /// Put support in place, beyond hints.
    AddSupport {
        /// Which.
        kind: SupportKind,
        /// How much, within [`SUPPORT_LEVEL`].
        level: u8,
        /// By which sense.
        modality: Modality,
    },
    /// Take that support away.
    FadeSupport,
    /// Offer the learner a break.
    OfferBreak,
    /// Stop for a break now.
    Rest,
    /// The break is over. Only the learner may say so.
    EndBreak,
    /// Give the same otherwise.
    Vary {
        /// What to vary.
        by: Variety,
        /// How much, 0..1.
        level: f64,
    },
    /// Take another way to the same skill, or its prerequisite first.
    ChangeApproach,
    /// No more repetitions of the skill: the next one.
    MoveOn,
    /// Go over what is due.
    Review,
    /// Let the instructor know that more of the same doesn't help this learner; why is in the command's purpose.
    TellInstructor,
}

/// Lowest and highest multiple of the authored difficulty.
pub const DIFFICULTY: [f64; 2] = [0.4, 1.6];

/// Lowest and highest multiple of the authored pace.
pub const PACE: [f64; 2] = [0.6, 1.4];

/// Least and most support.
pub const SUPPORT_LEVEL: [u8; 2] = [1, 3];

impl From<Action> for CommandBody {
    fn from(action: Action) -> Self {
        match action {
            Action::Rest => Self::Rest,
            Action::OfferBreak => Self::OfferBreak,
            Action::OfferHint => Self::GiveHint { level: None },
            Action::AddSupport {
                kind,
                level,
                modality,
            } => Self::AddSupport {
                kind,
                level,
                modality,
            },
            Action::FadeSupport => Self::FadeSupport,
            Action::Difficulty { multiplier } => Self::SetDifficulty { multiplier },
            Action::Pace { multiplier } => Self::SetPace { multiplier },
            Action::ChangeApproach => Self::ChangeApproach,
            Action::Vary { by, level } => Self::Vary { by, level },
            Action::MoveOn => Self::MoveOn,
            Action::Review => Self::Review,
            Action::TellInstructor => Self::TellInstructor,
        }
    }
}

impl CommandBody {
    /// What it moves, for the memory of the adaptation rules; `None`: nothing that they move.
    #[must_use]
    pub fn lever(&self) -> Option<Lever> {
        match self {
            Self::GiveHint { .. } | Self::FadeHint => Some(Lever::Hint),
            Self::Pause | Self::Resume | Self::Message { .. } => None,
            Self::SetDifficulty { .. } => Some(Lever::Difficulty),
            Self::SetPace { .. } => Some(Lever::Pace),
            Self::AddSupport { .. } | Self::FadeSupport => Some(Lever::Support),
            Self::OfferBreak | Self::Rest | Self::EndBreak => Some(Lever::Break),
            Self::Vary { .. } => Some(Lever::Variety),
            Self::ChangeApproach | Self::MoveOn | Self::Review => Some(Lever::Route),
            Self::TellInstructor => Some(Lever::Notice),
        }
    }
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
    /// The lesson runs on a headset, and the link to it is gone.
    #[error(
        "the learner's headset is not reached just now; the lesson goes on there, and everything comes later: send it again when the link is back"
    )]
    NotReached,
    /// A higher-ranking cause keeps it so.
    #[error("{by} keeps it so; it can be undone only there")]
    Outranked { by: String },
}
