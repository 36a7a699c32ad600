//! Words for who reads what of a learner's records, and why; and the events in which a learner's rights leave a trace.
//! Who may is decided in `record/access.rs`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consent::ConsentActor;

/// Who asks for records.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The learner themself.
    Learner,
    /// A parent or legal guardian.
    Guardian,
    /// Who teaches, human or machine.
    Instructor,
    /// Who runs the school's installation.
    Administrator,
    /// Who studies learning.
    Researcher,
    /// A company outside the school.
    ThirdParty,
    /// This program.
    System,
}

/// Why records are read. Every read names one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To run the lesson and show the learner where they stand.
    Teaching,
    /// To choose hints, difficulty and pace by what the learner has shown.
    Adaptation,
    /// To protect the learner's body: breaks, sickness, boundaries.
    Safety,
    /// To teach and to support: an instructor's work.
    Instruction,
    /// To answer the learner's or the family's request: show, export, amend, erase, restrict.
    Rights,
    /// To keep the records in order: accounts, retention, backup.
    Administration,
    /// To find and stop misuse and faults.
    Security,
    /// To study learning.
    Research,
    /// To fit models that others will use.
    ModelTraining,
}

/// Kinds of data, by how they are to be treated.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DataClass {
    /// What holds the record together: order, time, pseudonym, versions.
    Keeping,
    /// Which lesson, which steps, begun, paused, finished.
    Progress,
    /// Each try: what was done, right or wrong, how long, how far off.
    Attempts,
    /// What is inferred from the attempts: how probable it is that a skill is known.
    Knowledge,
    /// Hints and other help, and why they were given.
    Support,
    /// Words that somebody typed.
    Messages,
    /// Consents, notes, restrictions, disclosures.
    Rights,
    /// Comfort, sickness and task load, as told or estimated.
    Comfort,
    /// Recorded movements of head and hands.
    Motion,
    /// Name, year of birth, guardian: the roster.
    Identity,
    /// Figures over a class.
    Aggregate,
    /// Who read or changed records.
    Audit,
    /// Technical figures without any pseudonym.
    Metrics,
}

impl DataClass {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::Keeping,
        Self::Progress,
        Self::Attempts,
        Self::Knowledge,
        Self::Support,
        Self::Messages,
        Self::Rights,
        Self::Comfort,
        Self::Motion,
        Self::Identity,
        Self::Aggregate,
        Self::Audit,
        Self::Metrics,
    ];
}

/// Records were shown or given to somebody besides the learner and their family (34 CFR §99.32(a)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disclosure {
    /// To whom.
    pub to: Role,
    /// Which body: a study, a company, an office. Never a person's name.
    pub party: String,
    /// Their interest in it.
    pub purpose: Purpose,
    /// What they got.
    pub data: BTreeSet<DataClass>,
}

/// A note to the record by whoever disputes it (34 CFR §99.21(b)(2), GDPR Art. 16). The disputed event stays beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amendment {
    /// Which event of this log it is about.
    pub about_seq: u64,
    /// What is to be known with it.
    pub note: String,
    /// Who says so.
    pub actor: ConsentActor,
}

/// Why processing is restricted (GDPR Art. 18(1)).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RestrictionGround {
    /// The record's accuracy is disputed: Art. 18(1)(a).
    AccuracyDisputed,
    /// It should not be processed, and they do not want it erased: (b).
    Unlawful,
    /// Not needed any more, but they need it for a claim: (c).
    NeededForClaim,
    /// They object, and it is not settled yet: (d).
    Objection,
}

/// How old a learner is, as far as it matters. Kept in the roster; never in the log.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AgeBand {
    /// Under 13: a child in the sense of 16 CFR §312.2.
    Under13,
    /// 13 or older, but below the age at which the country lets them consent alone.
    UnderConsentAge,
    /// Old enough to consent alone, not yet of age.
    Minor,
    /// 18 or older.
    Adult,
    /// Nobody said.
    #[default]
    Unknown,
}
