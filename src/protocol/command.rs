//! What somebody asks of the running lesson, and what became of it.

mod outcome;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asker::Asker;
use super::consent::{Consent, ConsentActor, Withdrawal};
use super::ids::{CommandId, LearnerId, LessonId, ObjectId, StepId};
use super::privacy::{Amendment, RestrictionGround};
use super::teaching::{Checkpoint, PreferencesPatch, TelemetryLevel};
use super::trace::Trace;
use crate::learning::event::LearningEvent;
pub use crate::learning::event_criteria::Criterion;
use crate::learning::strategy::action::Action;
pub use crate::learning::strategy::action::{Modality, SupportKind, Variety};
use crate::learning::strategy::patch::PolicyPatch;
use crate::learning::strategy::precedence::Lever;
/// Who asks, in the order of precedence; the adaptation rules know it, too.
pub use crate::learning::strategy::precedence::Principal;
pub use outcome::{Outcome, Refusal};

/// A typed request from whatever door: MCP, WebSocket, the desk, or the adaptation rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// Also the idempotency key: the same id is carried out once.
    pub id: CommandId,
    /// For whom.
    pub learner: LearnerId,
    /// Who asks.
    pub principal: Principal,
    /// Who exactly, if they came in by the bridge. Logs from before it was noted do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<Asker>,
    /// Why, in the asker's words; kept in the audit.
    pub purpose: String,
    /// What is asked.
    pub body: CommandBody,
    /// The trace that the act belongs to. Logs from before it was kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
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
    /// A score that only a person can give, for one of [`Criterion::by_rubric`].
    Score {
        /// What is scored.
        criterion: Criterion,
        /// How far it is met, 0..1.
        value: f64,
    },
    /// Make something in the scene stand out for a while: it shines, and a marker hovers over it.
    PointAt {
        /// Which.
        object: ObjectId,
        /// For how many seconds, within [`POINTING`].
        seconds: f32,
    },
    /// Put a further thing into the learner's scene.
    Spawn {
        /// What, where, and what can be done with it.
        object: AddedObject,
    },
    /// Take a thing away that was put there by [`CommandBody::Spawn`].
    Remove {
        /// Which.
        object: ObjectId,
    },
    /// The session is over, for good.
    EndSession,
    /// A fresh session begins, of this lesson or another; one that still runs ends.
    StartSession {
        /// Which lesson; `None`: the one that runs.
        lesson: Option<LessonId>,
    },
    /// How the learner likes it.
    SetPreferences {
        /// What is to be otherwise.
        patch: PreferencesPatch,
    },
    /// The learner stands at this stage of learning, whatever the models found; they judge on from there.
    OverrideStage {
        /// Which; `None`: the models decide again at once.
        event: Option<LearningEvent>,
        /// For so many seconds of the running lesson the models move nobody, within [`STAGE_HOLD`].
        seconds: u32,
    },
    /// Something is checked beside the steps.
    SetCheckpoint {
        /// What.
        checkpoint: Checkpoint,
    },
    /// It is not checked any more.
    RemoveCheckpoint {
        /// Which.
        checkpoint: StepId,
    },
    /// The adaptation rules of the machine on which the lesson runs are to be otherwise.
    SetPolicy {
        /// How.
        patch: PolicyPatch,
    },
    /// How much of the learner is told outside, as far as was agreed to.
    SetTelemetry {
        /// How much.
        level: TelemetryLevel,
    },
    /// Say what would come of it, and do nothing. Leaves no trace in the log.
    Try {
        /// What is tried.
        body: Box<CommandBody>,
    },
    /// Somebody who may speak for the learner agrees to something. The learner says it for themself; an instructor
    /// writes down what guardian or school said.
    GiveConsent(Consent),
    /// Somebody who may speak for the learner does not agree, or no longer. It holds at once.
    WithdrawConsent(Withdrawal),
    /// The record is kept, the lesson runs, and nothing else is done with it until the same actor lifts this.
    Restrict {
        /// Who asks.
        actor: ConsentActor,
        /// On which ground.
        ground: RestrictionGround,
    },
    /// The actor's restriction ends.
    LiftRestriction {
        /// Whose.
        actor: ConsentActor,
    },
    /// A note to an earlier event, by whoever disputes it.
    NoteAmendment(Amendment),
}

/// Shortest and longest time to point at something, seconds.
pub const POINTING: [f32; 2] = [1.0, 60.0];

/// Shortest and longest hold of a stage that the instructor sets, seconds of the running lesson.
pub const STAGE_HOLD: [u32; 2] = [30, 3600];

/// Things that an instructor may add to one scene.
pub const MOST_ADDED: usize = 16;

/// A thing that an instructor adds to the scene. Lengths in metres, in the lesson's room: x right, y up, z towards the
/// learner's start, floor at y = 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedObject {
    /// Its name; no other thing in the lesson may have it. 1 to 64 letters, digits, `-` and `_`.
    pub id: ObjectId,
    /// What it is, in words: "blue ball". 1 to 60 characters.
    pub label: String,
    /// Its form.
    pub form: AddedForm,
    /// Full size: edge length of a box, diameter of a ball, height (and diameter) of a cylinder or cone; 0.02 to 2.
    pub size: f32,
    /// Colour as `#rrggbb`.
    pub color: String,
    /// Its centre; each within 10 of the room's origin, and not under the floor.
    pub position: [f32; 3],
    /// Kilograms, if it can be grasped (0.01 to 20); left out: it stands fixed.
    #[serde(default)]
    pub mass: Option<f32>,
}

/// Form of an added thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddedForm {
    /// A cube.
    Box,
    /// A ball.
    Ball,
    /// A cylinder, standing.
    Cylinder,
    /// A cone, tip up.
    Cone,
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
            Self::Pause
            | Self::Resume
            | Self::Message { .. }
            | Self::Score { .. }
            | Self::PointAt { .. }
            | Self::Spawn { .. }
            | Self::Remove { .. }
            | Self::EndSession
            | Self::StartSession { .. }
            | Self::SetPreferences { .. }
            | Self::OverrideStage { .. }
            | Self::SetCheckpoint { .. }
            | Self::RemoveCheckpoint { .. }
            | Self::SetPolicy { .. }
            | Self::SetTelemetry { .. } => None,
            Self::Try { body } => body.lever(),
            Self::SetDifficulty { .. } => Some(Lever::Difficulty),
            Self::SetPace { .. } => Some(Lever::Pace),
            Self::AddSupport { .. } | Self::FadeSupport => Some(Lever::Support),
            Self::OfferBreak | Self::Rest | Self::EndBreak => Some(Lever::Break),
            Self::Vary { .. } => Some(Lever::Variety),
            Self::ChangeApproach | Self::MoveOn | Self::Review => Some(Lever::Route),
            Self::TellInstructor => Some(Lever::Notice),
            Self::GiveConsent(_)
            | Self::WithdrawConsent(_)
            | Self::Restrict { .. }
            | Self::LiftRestriction { .. }
            | Self::NoteAmendment(_) => None,
        }
    }

    /// Whether it is about consent or the learner's rights: it is open whatever is closed, and stays between the
    /// learner's family and whoever runs the school's records.
    #[must_use]
    pub fn is_about_rights(&self) -> bool {
        matches!(
            self,
            Self::GiveConsent(_)
                | Self::WithdrawConsent(_)
                | Self::Restrict { .. }
                | Self::LiftRestriction { .. }
                | Self::NoteAmendment(_)
        )
    }

    /// Whether it may be asked for a learner of whom nothing leaves: what is about their rights, and what closes the door
    /// on their data or opens it again.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        match self {
            Self::Try { body } => body.is_open_to_all(),
            Self::SetTelemetry { .. } => true,
            body => body.is_about_rights(),
        }
    }
}

/// Longest message, in characters, that a panel shows readably.
pub const MAX_MESSAGE_CHARS: usize = 280;
