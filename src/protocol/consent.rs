//! Consent as it lies in a learner's log: who agreed to what, on which text, and how that is known.
//! What follows from it (who may agree, for which age, for how long) is `record/consent.rs`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::SessionId;

/// Session of events that belong to none: a consent given at a desk, a note added to the record.
pub const OUTSIDE_SESSIONS: SessionId = SessionId(Uuid::nil());

/// What can be agreed to, each apart from the others.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ConsentScope {
    /// The lesson runs and keeps the learner's progress on this device.
    TeachOnDevice,
    /// The learner's events go to the school's host.
    LeaveHeadset,
    /// An instructor sees the learner's state while the lesson runs.
    InstructorView,
    /// Now and then the automatic help is left out by lot, to measure whether it helps.
    HoldOut,
    /// Pseudonymous records go to a named study.
    ResearchExport,
    /// Records go to a company outside the school, for example one that runs a record store.
    ThirdParty,
    /// Records serve to fit models that others will use.
    ModelTraining,
    /// How the hands and head move is used to estimate how hard the task is.
    KinematicLoad,
    /// Movements are recorded on this device, for replay.
    MotionRecording,
    /// Recorded movements are kept after the session, or leave this device.
    MotionRetention,
    /// An instructor sees pictures of what the learner sees. The learner is shown that somebody looks; none is kept.
    ViewPicture,
}

impl ConsentScope {
    /// All of them, in order.
    pub const ALL: [Self; 11] = [
        Self::TeachOnDevice,
        Self::LeaveHeadset,
        Self::InstructorView,
        Self::HoldOut,
        Self::ResearchExport,
        Self::ThirdParty,
        Self::ModelTraining,
        Self::KinematicLoad,
        Self::MotionRecording,
        Self::MotionRetention,
        Self::ViewPicture,
    ];
}

/// Who speaks for the learner.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ConsentActor {
    /// The learner.
    Learner,
    /// A parent or legal guardian.
    Guardian,
    /// The school, for its own teaching only.
    School,
}

/// How it is known that the person who agreed is the one who may (16 CFR §312.5(b)(2) lists such ways).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ConsentMethod {
    /// A button pressed on a screen. Says that somebody agreed, not who.
    OnScreen,
    /// An answer to a mail, confirmed by a second step.
    EmailPlus,
    /// An answer to a text message, confirmed by a second step.
    TextPlus,
    /// A form signed and sent back.
    SignedForm,
    /// A payment in the guardian's name.
    Payment,
    /// A call to trained staff, by telephone or video.
    Call,
    /// A government-issued id that was checked and then deleted.
    GovernmentId,
    /// Questions that only the guardian can answer.
    KnowledgeQuestions,
    /// In person, before the school's staff.
    InPerson,
    /// The school's written agreement with whoever runs this program.
    SchoolAgreement,
}

impl ConsentMethod {
    /// Whether it shows who agreed, as the consent of a child's guardian must (16 CFR §312.5(b)(1)).
    #[must_use]
    pub fn verifies(self) -> bool {
        self != Self::OnScreen
    }

    /// Whether it is enough where records are disclosed to others: mail and text message with a second step are
    /// only where they are not (16 CFR §312.5(b)(2)).
    #[must_use]
    pub fn covers_disclosure(self) -> bool {
        self.verifies() && !matches!(self, Self::EmailPlus | Self::TextPlus)
    }
}

/// What shows that a consent was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentEvidence {
    /// How it was given.
    pub method: ConsentMethod,
    /// Where the proof lies in the school's files, for example a form's number. Never a name.
    #[serde(default)]
    pub reference: Option<String>,
}

/// A consent. Its time is the event's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// What was agreed to.
    pub scopes: BTreeSet<ConsentScope>,
    /// Version of the text that was read.
    pub text_version: String,
    /// Who agreed.
    pub actor: ConsentActor,
    /// How that is known.
    pub evidence: ConsentEvidence,
    /// Until when, milliseconds since the Unix epoch; `None`: until withdrawn.
    #[serde(default)]
    pub until_unix_ms: Option<u64>,
}

/// A consent taken back, or refused from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withdrawal {
    /// What is no longer agreed to.
    pub scopes: BTreeSet<ConsentScope>,
    /// Who says so.
    pub actor: ConsentActor,
}
