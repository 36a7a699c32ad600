//! What of a learner may leave this device, for every door: a pure function of where the learner stands.
//! In: consents, restrictions, age, policy. Out: open, or the reason why nothing leaves. Never: half a learner.

use std::time::Duration;

use bevy::prelude::*;
use tracing::warn;

use super::Bridge;
use super::desk::FromWorld;
use crate::learning::load::Observed;
use crate::protocol::consent::ConsentScope;
use crate::protocol::event::EventBody;
use crate::protocol::privacy::{DataClass, Purpose, Role};
use crate::protocol::teaching::TelemetryLevel;
use crate::record::access::{
    AccessRefusal, Grant, Question, Relation, Standing, decide, may_leave,
};
use crate::record::purpose::class_of;
use crate::record::{Action, By, Recorder};
use crate::session::standing::{Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::{Learner, unix_ms};

/// Kinds of data in a learner's snapshot, and in the events that go out with it. Consents, notes and restrictions are
/// between the family and the school's records, and no part of it.
const SHOWN: [DataClass; 7] = [
    DataClass::Keeping,
    DataClass::Progress,
    DataClass::Attempts,
    DataClass::Knowledge,
    DataClass::Support,
    DataClass::Messages,
    DataClass::Comfort,
];

/// Whether an instructor at the bridge may see this learner, and so whether anything of them leaves the device.
///
/// # Errors
/// [`AccessRefusal`]: what stands against it, and who could agree.
pub fn opens(standing: &Standing) -> Result<Grant, AccessRefusal> {
    for class in SHOWN {
        may_leave(class, standing)?;
    }
    let question = Question {
        role: Role::Instructor,
        relation: Relation::Class,
        purpose: Purpose::Instruction,
        data: SHOWN.into(),
        party: String::new(),
    };
    decide(&question, standing)
}

/// Whether somebody may look through this learner's eyes: beside what [`opens`] asks for, consent to just that.
///
/// # Errors
/// As [`opens`].
pub fn opens_pictures(standing: &Standing) -> Result<(), AccessRefusal> {
    // What is seen is no part of the record, so there is nothing to account for but the look itself.
    opens(standing).map(|_| ())?;
    standing.policy.decide(
        ConsentScope::ViewPicture,
        standing.band,
        standing.consents,
        standing.now_unix_ms,
    )?;
    Ok(())
}

/// Whether an event is of a kind that goes out at all.
pub(super) fn shows(body: &EventBody) -> bool {
    SHOWN.contains(&class_of(body))
}

/// Why nothing leaves although it might.
const OFF: &str = "an operator has set the telemetry level of this learner to off; telemetry.set_level opens it again";

/// Takes out of an event what no instructor is told: how the hands did it tells who it was. It stays in the log, with
/// the learner's own machine and the school's host.
pub(super) fn withhold(body: &mut EventBody) {
    if let EventBody::Observed { moment } = body {
        moment.window = None;
        moment.load = Observed::default();
    }
}

/// How often the clock alone is asked: a consent may end.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Whether anything of a learner leaves. On the learner; shut until it was looked at.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub(super) struct Gate {
    /// Why it is shut; `None`: it is open.
    pub shut: Option<String>,
    /// Nothing but where the learner stands is told.
    pub aggregate: bool,
    /// What was shown is to be taken back.
    take_back: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            shut: Some("the program has just begun; try again in a second".to_owned()),
            aggregate: false,
            take_back: false,
        }
    }
}

impl Gate {
    pub(super) fn is_open(&self) -> bool {
        self.shut.is_none()
    }

    /// Whether single events, samples and the scene are told, too.
    pub(super) fn is_wide_open(&self) -> bool {
        self.is_open() && !self.aggregate
    }
}

/// Looks at every learner whose log or age changed, and once a second at all: opens, or shuts and takes back.
pub(super) fn mind(
    time: Res<Time<Real>>,
    bridge: Res<Bridge>,
    agreements: Res<Agreements>,
    recorder: Option<Res<Recorder>>,
    mut learners: Query<(&Learner, Ref<LearnerState>, Ref<Age>, &mut Gate)>,
    mut looked: Local<Duration>,
) {
    let again = agreements.is_changed() || time.elapsed() >= *looked + LOOK_AGAIN;
    if again {
        *looked = time.elapsed();
    }
    for (learner, state, age, mut gate) in &mut learners {
        if again || state.is_changed() || age.is_changed() {
            let standing = agreements.standing(learner.id, *age, &state, unix_ms());
            let aggregate = state.telemetry == TelemetryLevel::Aggregate;
            if gate.aggregate != aggregate {
                gate.aggregate = aggregate;
            }
            let opened = match state.telemetry {
                TelemetryLevel::Off => Err(OFF.to_owned()),
                _ => opens(&standing).map_err(|refusal| refusal.to_string()),
            };
            let (shut, shown) = match opened {
                Ok(grant) => (None, Some(grant)),
                Err(why) => (Some(why), None),
            };
            if gate.shut != shut {
                let was_open = gate.is_open();
                gate.take_back |= was_open && shut.is_some();
                gate.shut = shut;
                if let (false, Some(grant), Some(recorder)) = (was_open, shown, &recorder) {
                    account_for(&grant, recorder);
                }
            }
        }
        if gate.take_back && bridge.to_desk.try_send(FromWorld::Gone(learner.id)).is_ok() {
            gate.take_back = false;
        }
    }
}

/// From now on instructors can see this learner: that is a use of the record, and stands in the audit. A disclosure in
/// the sense of 34 CFR 99.32 would stand in the learner's own log; an instructor of the class is none.
fn account_for(grant: &Grant, recorder: &Recorder) {
    let by = By {
        actor: format!("{:?} at the bridge", grant.role()),
        purpose: format!("{:?}", grant.purpose()),
        at_unix_ms: unix_ms(),
    };
    let learner = grant.learner();
    let asked = recorder.ask(move |store| store.audit(&by, Some(learner), Action::Accessed));
    if asked.is_none() {
        warn!(%learner, "the audit log is busy; that instructors can see this learner is not in it");
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::protocol::consent::{
        Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, OUTSIDE_SESSIONS,
        Withdrawal,
    };
    use crate::protocol::event::Event;
    use crate::protocol::ids::LearnerId;
    use crate::protocol::privacy::RestrictionGround;
    use crate::record::ages::AgeBand;
    use crate::record::purpose_fields::FIELDS;

    /// Whether it is open for somebody of this age with this log.
    fn open(band: AgeBand, bodies: Vec<EventBody>) -> bool {
        let learner = LearnerId(Uuid::from_u128(7));
        let mut state = LearnerState::default();
        for (seq, body) in (1..).zip(bodies) {
            let event = Event {
                seq,
                at_unix_ms: seq,
                learner,
                session: OUTSIDE_SESSIONS,
                body,
            };
            state.fold(&event).unwrap();
        }
        let agreements = Agreements::default();
        opens(&agreements.standing(learner, Age(band), &state, 100)).is_ok()
    }

    fn given(actor: ConsentActor, method: ConsentMethod, until: Option<u64>) -> EventBody {
        EventBody::ConsentGiven(Consent {
            scopes: [ConsentScope::LeaveHeadset, ConsentScope::InstructorView].into(),
            text_version: "1".to_owned(),
            actor,
            evidence: ConsentEvidence {
                method,
                reference: None,
            },
            until_unix_ms: until,
        })
    }

    fn withdrawn(actor: ConsentActor, scope: ConsentScope) -> EventBody {
        EventBody::ConsentWithdrawn(Withdrawal {
            scopes: [scope].into(),
            actor,
        })
    }

    #[test]
    fn nothing_of_a_child_leaves_without_a_consent_that_counts() {
        use ConsentActor::{Guardian, Learner, School};
        use ConsentMethod::{OnScreen, SchoolAgreement, SignedForm};
        for band in [AgeBand::Under13, AgeBand::UnderConsentAge, AgeBand::Unknown] {
            assert!(!open(band, vec![]), "{band:?}");
            assert!(
                !open(band, vec![given(Learner, SignedForm, None)]),
                "{band:?}"
            );
            assert!(
                !open(band, vec![given(Guardian, OnScreen, None)]),
                "{band:?}"
            );
            assert!(
                !open(band, vec![given(Guardian, SignedForm, Some(50))]),
                "{band:?}"
            );
            assert!(
                open(band, vec![given(Guardian, SignedForm, None)]),
                "{band:?}"
            );
            assert!(
                open(band, vec![given(School, SchoolAgreement, None)]),
                "{band:?}"
            );
        }
    }

    #[test]
    fn anybody_can_shut_it_again() {
        use ConsentActor::{Guardian, Learner, School};
        let given = || given(Guardian, ConsentMethod::SignedForm, None);
        for scope in [ConsentScope::LeaveHeadset, ConsentScope::InstructorView] {
            for actor in [Guardian, Learner, School] {
                let log = vec![given(), withdrawn(actor, scope)];
                assert!(!open(AgeBand::Under13, log), "{actor:?} {scope:?}");
            }
            assert!(!open(AgeBand::Adult, vec![withdrawn(Learner, scope)]));
        }
        assert!(open(AgeBand::Adult, vec![]));
        let restricted = EventBody::ProcessingRestricted {
            actor: Learner,
            ground: RestrictionGround::Objection,
        };
        assert!(!open(AgeBand::Adult, vec![restricted]));
    }

    #[test]
    fn every_kind_of_data_in_a_snapshot_is_asked_for() {
        for (class, fields) in FIELDS {
            if fields
                .iter()
                .any(|field| field.starts_with("LearnerSnapshot."))
            {
                assert!(SHOWN.contains(class), "{class:?}");
            }
        }
        assert!(!shows(&withdrawn(
            ConsentActor::Learner,
            ConsentScope::HoldOut
        )));
    }

    #[test]
    fn that_a_learner_can_be_seen_stands_in_the_audit_once() {
        use crate::bridge::for_tests::recorded;
        use crate::protocol::ids::SessionId;
        use crate::record::{Keys, Store};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("records.redb");
        let mut app = recorded(&file);
        let grown_up = Learner {
            id: LearnerId::fresh(),
            session: SessionId::fresh(),
        };
        let child = Learner {
            id: LearnerId::fresh(),
            ..grown_up
        };
        app.world_mut().spawn((grown_up, Age(AgeBand::Adult)));
        app.world_mut().spawn((child, Age(AgeBand::Under13)));
        (0..5).for_each(|_| app.update());
        drop(app);
        let store = Store::open(&file, &Keys::beside(&file).unwrap()).unwrap();
        let log = store.audit_log().unwrap();
        let [(_, entry)] = &log[..] else {
            panic!("{log:?}");
        };
        assert_eq!(entry.subject, Some(store.subject(grown_up.id)));
        assert_eq!(entry.action, Action::Accessed);
    }
}
