//! A made-up learner for a rule to be tried on.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::Subject;
use crate::learning::quality::Quality;
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, OUTSIDE_SESSIONS,
    Withdrawal,
};
use crate::protocol::event::{Attempt, Event, EventBody, Evidence};
use crate::protocol::ids::{AttemptId, LearnerId, LessonId, StepId};
use crate::protocol::privacy::{Amendment, DataClass, Purpose, RestrictionGround, Role};
use crate::record::access::{AccessRefusal, Grant, Question, Relation, Standing, may_leave};
use crate::record::ages::AgeBand;
use crate::record::consent::{Basis, ConsentRefusal};
use crate::record::export::{Export, ExportError};
use crate::record::rights::Rights;
use crate::record::xapi::Home;

/// When the probes live: 9 October 2025.
const NOW: u64 = 1_760_000_000_000;

/// A text version that no installation has in force.
pub(super) const SUPERSEDED: &str = "0";

/// What a note says, to be found again.
pub(super) const NOTE: &str = "the tracking was lost here";

/// Everything kept of a learner.
pub(super) const OWN: [DataClass; 11] = [
    DataClass::Keeping,
    DataClass::Progress,
    DataClass::Attempts,
    DataClass::Knowledge,
    DataClass::Support,
    DataClass::Messages,
    DataClass::Rights,
    DataClass::Comfort,
    DataClass::Motion,
    DataClass::Identity,
    DataClass::Audit,
];

/// A learner with a log.
pub(super) struct Probe<'a> {
    subject: &'a Subject<'a>,
    pub(super) band: AgeBand,
    pub(super) log: Vec<Event>,
}

impl<'a> Probe<'a> {
    /// Of this age, with a lesson begun and one attempt (event 2) in the log.
    pub(super) fn new(subject: &'a Subject<'a>, band: AgeBand) -> Self {
        let attempt = Attempt {
            id: AttemptId(Uuid::from_u128(1)),
            step: StepId::new("step"),
            skills: vec![],
            correct: false,
            credit: 0.0,
            latency: std::time::Duration::from_secs(1),
            hints_used: 0,
            position_error: None,
            rotation_error: None,
            quality: Quality::default(),
            blurred: Default::default(),
            evidence: Evidence::TimedOut,
        };
        let started = EventBody::SessionStarted {
            lesson: LessonId::new("lesson"),
            lesson_digest: String::new(),
            seed: 0,
            skills: [].into(),
            protocol: crate::protocol::PROTOCOL_VERSION,
        };
        Self {
            subject,
            band,
            log: vec![],
        }
        .with(started)
        .with(EventBody::Attempted(attempt))
    }

    /// One event more.
    pub(super) fn with(mut self, body: EventBody) -> Self {
        let seq = self.log.len() as u64 + 1;
        self.log.push(Event {
            seq,
            at_unix_ms: NOW,
            learner: LearnerId(Uuid::from_u128(7)),
            session: OUTSIDE_SESSIONS,
            body,
        });
        self
    }

    pub(super) fn given(self, scopes: &[ConsentScope], by: ConsentActor) -> Self {
        self.given_by(scopes, by, ConsentMethod::SignedForm)
    }

    pub(super) fn given_by(
        self,
        scopes: &[ConsentScope],
        actor: ConsentActor,
        method: ConsentMethod,
    ) -> Self {
        let text = self.subject.consent.texts.last().cloned();
        self.given_to(scopes, actor, method, &text.unwrap_or_default())
    }

    pub(super) fn given_to(
        self,
        scopes: &[ConsentScope],
        actor: ConsentActor,
        method: ConsentMethod,
        text: &str,
    ) -> Self {
        self.with(EventBody::ConsentGiven(Consent {
            scopes: scopes.iter().copied().collect(),
            text_version: text.to_owned(),
            actor,
            evidence: ConsentEvidence {
                method,
                reference: None,
            },
            until_unix_ms: None,
        }))
    }

    pub(super) fn withdrawn(self, scope: ConsentScope, actor: ConsentActor) -> Self {
        self.with(EventBody::ConsentWithdrawn(Withdrawal {
            scopes: BTreeSet::from([scope]),
            actor,
        }))
    }

    pub(super) fn restricted(self, actor: ConsentActor) -> Self {
        self.with(EventBody::ProcessingRestricted {
            actor,
            ground: RestrictionGround::Objection,
        })
    }

    /// A note to the attempt.
    pub(super) fn noted(self) -> Self {
        self.with(EventBody::AmendmentNoted(Amendment {
            about_seq: 2,
            note: NOTE.to_owned(),
            actor: ConsentActor::Guardian,
        }))
    }

    /// Whether the policy lets this be done.
    pub(super) fn may(&self, scope: ConsentScope) -> Result<Basis, ConsentRefusal> {
        let consents = (self.subject.mechanisms.consents)(&self.log);
        self.subject
            .consent
            .decide(scope, self.band, &consents, NOW + 1000)
    }

    pub(super) fn rights(&self) -> Rights {
        (self.subject.mechanisms.rights)(&self.log)
    }

    /// Whether somebody may read.
    pub(super) fn read(
        &self,
        role: Role,
        relation: Relation,
        purpose: Purpose,
        data: &[DataClass],
    ) -> Result<Grant, AccessRefusal> {
        let question = Question {
            role,
            relation,
            purpose,
            data: data.iter().copied().collect(),
            party: "a body made up for this check".to_owned(),
        };
        self.standing(|standing| {
            (self.subject.mechanisms.decide)(self.subject.access, &question, standing)
        })
    }

    /// Whether data may leave the device.
    pub(super) fn may_leave(&self, class: DataClass) -> bool {
        self.standing(|standing| may_leave(class, standing).is_ok())
    }

    fn standing<T>(&self, then: impl FnOnce(&Standing) -> T) -> T {
        then(&Standing {
            learner: LearnerId(Uuid::from_u128(7)),
            band: self.band,
            consents: &(self.subject.mechanisms.consents)(&self.log),
            rights: &self.rights(),
            policy: self.subject.consent,
            now_unix_ms: NOW + 1000,
        })
    }

    pub(super) fn research(&self) -> Result<Grant, AccessRefusal> {
        self.read(
            Role::Researcher,
            Relation::Agreement,
            Purpose::Research,
            &[DataClass::Attempts],
        )
    }

    /// The export that the school makes for the family.
    pub(super) fn own_export(&self) -> Option<Export> {
        let grant = self
            .read(Role::Administrator, Relation::School, Purpose::Rights, &OWN)
            .ok()?;
        self.export(&grant).ok()
    }

    pub(super) fn export(&self, grant: &Grant) -> Result<Export, ExportError> {
        (self.subject.mechanisms.export)(grant, &self.log, &Home::default())
    }
}

/// A file of an export; empty where it is missing.
pub(super) fn file<'a>(export: &'a Export, name: &str) -> &'a str {
    export
        .files
        .iter()
        .find(|(file, _)| *file == name)
        .map_or("", |(_, content)| content.as_str())
}
