//! Who may read what of a learner's record, and for what: roles, purposes and kinds of data as one table, default no.
//! In: a question with a purpose. Out: a [`Grant`], without which no export is made, or a refusal with its reason.
//! Never: reads records itself.

use std::collections::BTreeSet;

use super::ages::AgeBand;
use super::consent::{ConsentPolicy, ConsentRefusal, Consents};
use super::purpose::{Leaves, treatment};
use super::rights::Rights;
use crate::protocol::consent::{ConsentActor, ConsentScope};
use crate::protocol::event::EventBody;
use crate::protocol::ids::LearnerId;
use crate::protocol::privacy::{DataClass, Disclosure, Purpose, Role};

/// How somebody stands to the learner whose record it is. Whoever asks has been authenticated before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// They are the learner.
    Self_,
    /// They are the learner's parent or guardian.
    Family,
    /// They teach a class the learner is in.
    Class,
    /// They run the school's installation.
    School,
    /// They are party to a written agreement that names the records, the purpose and their duties
    /// (34 CFR §99.31(a)(6)(iii)(C), GDPR Art. 28(3)).
    Agreement,
    /// None of these.
    None,
}

/// One line of the table: this role may read these for this purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Who.
    pub role: Role,
    /// How they must stand to the learner.
    pub relation: Relation,
    /// For what.
    pub purpose: Purpose,
    /// Which kinds of data.
    pub data: &'static [DataClass],
    /// What must have been agreed to.
    pub needs: &'static [ConsentScope],
    /// Whether it is a disclosure, which the record has to name (34 CFR §99.32; its (d) excepts the family and school
    /// officials with a legitimate interest).
    pub discloses: bool,
}

const fn rule(
    role: Role,
    relation: Relation,
    purpose: Purpose,
    data: &'static [DataClass],
    needs: &'static [ConsentScope],
    discloses: bool,
) -> Rule {
    Rule {
        role,
        relation,
        purpose,
        data,
        needs,
        discloses,
    }
}

use DataClass as Data;

const OWN_RECORD: &[Data] = &[
    Data::Keeping,
    Data::Progress,
    Data::Attempts,
    Data::Knowledge,
    Data::Support,
    Data::Messages,
    Data::Rights,
    Data::Comfort,
    Data::Motion,
    Data::Identity,
    Data::Audit,
];

const IN_CLASS: &[Data] = &[
    Data::Keeping,
    Data::Progress,
    Data::Attempts,
    Data::Knowledge,
    Data::Support,
    Data::Messages,
    Data::Comfort,
];

const TO_LEARN_BY: &[Data] = &[
    Data::Keeping,
    Data::Progress,
    Data::Attempts,
    Data::Knowledge,
    Data::Support,
];

const TO_ADAPT_BY: &[Data] = &[
    Data::Keeping,
    Data::Progress,
    Data::Attempts,
    Data::Knowledge,
    Data::Support,
    Data::Comfort,
];

const FOR_THE_LESSON: &[Data] = &[
    Data::Keeping,
    Data::Progress,
    Data::Attempts,
    Data::Knowledge,
    Data::Support,
    Data::Messages,
    Data::Comfort,
];

/// The table that holds unless a school has a stricter one.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule(Role::Learner, Relation::Self_, Purpose::Teaching, FOR_THE_LESSON, &[], false),
    rule(Role::Learner, Relation::Self_, Purpose::Rights, OWN_RECORD, &[], false),
    rule(Role::Guardian, Relation::Family, Purpose::Rights, OWN_RECORD, &[], false),
    rule(Role::Instructor, Relation::Class, Purpose::Instruction, IN_CLASS, &[ConsentScope::InstructorView], false),
    rule(Role::Instructor, Relation::Class, Purpose::Instruction, &[Data::Identity, Data::Aggregate], &[], false),
    rule(Role::Administrator, Relation::School, Purpose::Administration, &[Data::Keeping, Data::Rights, Data::Identity, Data::Aggregate, Data::Audit, Data::Metrics], &[], false),
    rule(Role::Administrator, Relation::School, Purpose::Security, &[Data::Keeping, Data::Rights, Data::Audit, Data::Metrics], &[], false),
    rule(Role::Administrator, Relation::School, Purpose::Rights, OWN_RECORD, &[], false),
    rule(Role::Researcher, Relation::Agreement, Purpose::Research, TO_LEARN_BY, &[ConsentScope::ResearchExport], true),
    rule(Role::Researcher, Relation::Agreement, Purpose::Research, &[Data::Motion], &[ConsentScope::ResearchExport, ConsentScope::MotionRetention], true),
    rule(Role::Researcher, Relation::Agreement, Purpose::Research, &[Data::Aggregate], &[], false),
    rule(Role::ThirdParty, Relation::Agreement, Purpose::Instruction, &[Data::Keeping, Data::Progress, Data::Attempts], &[ConsentScope::ThirdParty], true),
    rule(Role::System, Relation::School, Purpose::Teaching, FOR_THE_LESSON, &[], false),
    rule(Role::System, Relation::School, Purpose::Teaching, &[Data::Motion], &[ConsentScope::MotionRecording], false),
    rule(Role::System, Relation::School, Purpose::Adaptation, TO_ADAPT_BY, &[], false),
    rule(Role::System, Relation::School, Purpose::Safety, &[Data::Comfort], &[], false),
    rule(Role::System, Relation::School, Purpose::Administration, &Data::ALL, &[], false),
    rule(Role::System, Relation::School, Purpose::Security, &[Data::Keeping, Data::Rights, Data::Audit, Data::Metrics], &[], false),
    rule(Role::System, Relation::School, Purpose::ModelTraining, &[Data::Attempts], &[ConsentScope::ModelTraining], true),
];

/// Purposes that a restriction leaves open: to keep the record, to answer the family, to protect it and the learner,
/// and to let the lesson itself run (GDPR Art. 18(2)).
const OPEN_UNDER_RESTRICTION: &[Purpose] = &[
    Purpose::Rights,
    Purpose::Administration,
    Purpose::Security,
    Purpose::Safety,
    Purpose::Teaching,
];

/// Everything that an answer depends on, for one learner.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Whose record.
    pub learner: LearnerId,
    /// Their age, from the roster.
    pub band: AgeBand,
    /// What was agreed to.
    pub consents: &'a Consents,
    /// What was restricted.
    pub rights: &'a Rights,
    /// What has to be agreed to.
    pub policy: &'a ConsentPolicy,
    /// Now, milliseconds since the Unix epoch.
    pub now_unix_ms: u64,
}

/// Who asks, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// In which role.
    pub role: Role,
    /// How they stand to the learner.
    pub relation: Relation,
    /// For what.
    pub purpose: Purpose,
    /// Which kinds of data.
    pub data: BTreeSet<DataClass>,
    /// For a disclosure: to which body; it is written into the record.
    pub party: String,
}

/// Leave to read. Only [`decide`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a grant with a disclosure has to be recorded before anything is handed over"]
pub struct Grant {
    learner: LearnerId,
    role: Role,
    purpose: Purpose,
    data: BTreeSet<DataClass>,
    disclosure: Option<Disclosure>,
}

impl Grant {
    /// Whose record.
    #[must_use]
    pub fn learner(&self) -> LearnerId {
        self.learner
    }

    /// For whom.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// For what.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Which kinds of data.
    #[must_use]
    pub fn data(&self) -> &BTreeSet<DataClass> {
        &self.data
    }

    /// What has to be written into the learner's log, and be safe there, before anything is handed over.
    #[must_use]
    pub fn to_record(&self) -> Option<EventBody> {
        self.disclosure.clone().map(EventBody::Disclosed)
    }
}

/// Why somebody may not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// Nothing was asked for.
    #[error("name at least one kind of data; see docs/privacy.md")]
    Nothing,
    /// The data is not there for this purpose.
    #[error("{data:?} is not kept for {purpose:?}; docs/privacy.md says what it is kept for")]
    Purpose {
        /// Which data.
        data: DataClass,
        /// For what.
        purpose: Purpose,
    },
    /// The role may not.
    #[error(
        "as {role:?} nobody may read {data:?} for {purpose:?} of a learner to whom they stand as {relation:?}"
    )]
    Role {
        /// Who.
        role: Role,
        /// How they stand to the learner.
        relation: Relation,
        /// Which data.
        data: DataClass,
        /// For what.
        purpose: Purpose,
    },
    /// The learner is of age.
    #[error("the learner is of age: the right to the record is theirs alone")]
    OfAge,
    /// Consent is missing.
    #[error(transparent)]
    Consent(#[from] ConsentRefusal),
    /// The record is restricted.
    #[error(
        "{by:?} has restricted this record: it is kept, and not used for {purpose:?} until the same lifts it"
    )]
    Restricted {
        /// Who.
        by: ConsentActor,
        /// For what it was asked.
        purpose: Purpose,
    },
    /// It never leaves the device.
    #[error("{data:?} stays where it is")]
    Stays {
        /// Which data.
        data: DataClass,
    },
    /// A disclosure has to name who gets it.
    #[error("say to which body the records go; the learner's record has to name it")]
    NoParty,
}

/// Decides by [`RULES`].
///
/// # Errors
/// [`AccessRefusal`]: the first reason that stands against it. One kind of data that may not be read refuses all.
pub fn decide(question: &Question, standing: &Standing) -> Result<Grant, AccessRefusal> {
    decide_by(RULES, question, standing)
}

/// Decides by another table, for example a school's stricter one.
///
/// # Errors
/// As [`decide`].
pub fn decide_by(
    rules: &[Rule],
    question: &Question,
    standing: &Standing,
) -> Result<Grant, AccessRefusal> {
    let Question {
        role,
        relation,
        purpose,
        ref data,
        ref party,
    } = *question;
    if data.is_empty() {
        return Err(AccessRefusal::Nothing);
    }
    let mut discloses = false;
    for class in data {
        if !treatment(*class).is_some_and(|entry| serves(entry.why, role, purpose)) {
            return Err(AccessRefusal::Purpose {
                data: *class,
                purpose,
            });
        }
        let rule = rules.iter().find(|rule| {
            rule.role == role
                && rule.relation == relation
                && rule.purpose == purpose
                && rule.data.contains(class)
        });
        let Some(rule) = rule else {
            return Err(AccessRefusal::Role {
                role,
                relation,
                data: *class,
                purpose,
            });
        };
        for scope in rule.needs {
            standing.policy.decide(
                *scope,
                standing.band,
                standing.consents,
                standing.now_unix_ms,
            )?;
        }
        discloses |= rule.discloses;
    }
    if role == Role::Guardian && standing.band == AgeBand::Adult {
        return Err(AccessRefusal::OfAge);
    }
    if let Some((by, _)) = standing.rights.restricted_by()
        && !OPEN_UNDER_RESTRICTION.contains(&purpose)
    {
        return Err(AccessRefusal::Restricted { by, purpose });
    }
    if discloses && party.trim().is_empty() {
        return Err(AccessRefusal::NoParty);
    }
    Ok(Grant {
        learner: standing.learner,
        role,
        purpose,
        data: data.clone(),
        disclosure: discloses.then(|| Disclosure {
            to: role,
            party: party.clone(),
            purpose,
            data: data.clone(),
        }),
    })
}

/// Whether data of this kind may leave the device for the school's host.
///
/// # Errors
/// [`AccessRefusal::Stays`] for what never does, else the consent that is missing.
pub fn may_leave(class: DataClass, standing: &Standing) -> Result<(), AccessRefusal> {
    let scope = match treatment(class).map(|entry| entry.leaves) {
        Some(Leaves::Freely) => return Ok(()),
        Some(Leaves::Under(scope)) => scope,
        Some(Leaves::Never) | None => return Err(AccessRefusal::Stays { data: class }),
    };
    for scope in [ConsentScope::LeaveHeadset, scope] {
        standing.policy.decide(
            scope,
            standing.band,
            standing.consents,
            standing.now_unix_ms,
        )?;
    }
    Ok(())
}

/// Whether data kept for `why` serves this purpose. This program has to be able to keep, move and delete whatever it
/// holds.
fn serves(why: &[Purpose], role: Role, purpose: Purpose) -> bool {
    why.contains(&purpose) || (role == Role::System && purpose == Purpose::Administration)
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
