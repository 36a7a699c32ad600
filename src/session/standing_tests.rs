use uuid::Uuid;

use super::*;
use crate::protocol::consent::OUTSIDE_SESSIONS;
use crate::protocol::event::Event;
use crate::protocol::ids::CommandId;
use crate::protocol::privacy::Amendment;

/// A learner whose log holds what was asked for and admitted.
struct Desk {
    band: AgeBand,
    state: LearnerState,
}

impl Desk {
    fn new(band: AgeBand) -> Self {
        Self {
            band,
            state: LearnerState::default(),
        }
    }

    fn standing<T>(&self, ask: impl FnOnce(&Standing) -> T) -> T {
        let agreements = Agreements::default();
        let learner = LearnerId(Uuid::from_u128(7));
        ask(&agreements.standing(learner, Age(self.band), &self.state, 100))
    }

    fn ask(&mut self, principal: Principal, body: CommandBody) -> Result<String, Refusal> {
        let learner = LearnerId(Uuid::from_u128(7));
        let command = Command {
            id: CommandId::fresh(),
            learner,
            principal,
            purpose: String::new(),
            body,
            asker: None,
            trace: None,
        };
        let events = self.state.seq;
        let decided = self.standing(|standing| decide(&command, standing, events));
        let (body, words) = decided.expect("it is about rights")?;
        let event = Event {
            seq: self.state.seq + 1,
            at_unix_ms: 1,
            learner,
            session: OUTSIDE_SESSIONS,
            body,
        };
        self.state.fold(&event).unwrap();
        Ok(words)
    }

    fn may(&self, scope: ConsentScope) -> bool {
        self.standing(|standing| allows(scope, standing))
    }
}

fn consent(scope: ConsentScope, actor: ConsentActor, method: ConsentMethod) -> CommandBody {
    CommandBody::GiveConsent(Consent {
        scopes: [scope].into(),
        text_version: "1".to_owned(),
        actor,
        evidence: ConsentEvidence {
            method,
            reference: None,
        },
        until_unix_ms: None,
    })
}

fn no(scope: ConsentScope, actor: ConsentActor) -> CommandBody {
    CommandBody::WithdrawConsent(Withdrawal {
        scopes: [scope].into(),
        actor,
    })
}

use ConsentActor::{Guardian, Learner, School};
use ConsentMethod::{InPerson, OnScreen, SchoolAgreement, SignedForm};

#[test]
fn what_would_not_count_is_not_recorded_as_if_it_did() {
    let scope = ConsentScope::HoldOut;
    let mut child = Desk::new(AgeBand::Under13);
    for (principal, actor, method) in [
        (Principal::Learner, Learner, OnScreen),
        (Principal::Learner, Guardian, SignedForm),
        (Principal::Instructor, Guardian, OnScreen),
        (Principal::Instructor, Learner, InPerson),
        (Principal::Instructor, School, SchoolAgreement),
        (Principal::Automatic, Guardian, SignedForm),
    ] {
        let asked = child.ask(principal, consent(scope, actor, method));
        assert!(asked.is_err(), "{principal:?} {actor:?} {method:?}");
    }
    assert_eq!(child.state.seq, 0);
    let given = consent(scope, Guardian, SignedForm);
    assert!(child.ask(Principal::Instructor, given).is_ok());
    assert!(child.may(scope));
}

#[test]
fn a_withdrawal_holds_at_once_and_only_the_same_takes_it_back() {
    let scope = ConsentScope::LeaveHeadset;
    let mut child = Desk::new(AgeBand::Under13);
    let given = consent(scope, Guardian, SignedForm);
    child.ask(Principal::Instructor, given.clone()).unwrap();
    assert!(child.may(scope));
    child.ask(Principal::Learner, no(scope, Learner)).unwrap();
    assert!(!child.may(scope));
    // The guardian's word stands against the child's no, and does not lift it.
    assert!(child.ask(Principal::Instructor, given).is_err());
    let back = consent(scope, Learner, OnScreen);
    child.ask(Principal::Learner, back).unwrap();
    assert!(child.may(scope), "the child's own no is gone");
    child
        .ask(Principal::Instructor, no(scope, Guardian))
        .unwrap();
    assert!(!child.may(scope));
}

#[test]
fn a_childs_word_never_stands_for_the_guardians() {
    let scope = ConsentScope::LeaveHeadset;
    let mut child = Desk::new(AgeBand::Under13);
    child.ask(Principal::Learner, no(scope, Learner)).unwrap();
    let back = consent(scope, Learner, OnScreen);
    child.ask(Principal::Learner, back).unwrap();
    assert!(!child.may(scope));
}

#[test]
fn a_restriction_stops_everything_until_whoever_asked_lifts_it() {
    let scope = ConsentScope::LeaveHeadset;
    let mut adult = Desk::new(AgeBand::Adult);
    assert!(adult.may(scope));
    let ground = RestrictionGround::Objection;
    let actor = Learner;
    let restrict = CommandBody::Restrict { actor, ground };
    adult.ask(Principal::Learner, restrict.clone()).unwrap();
    assert!(!adult.may(scope));
    assert!(adult.ask(Principal::Learner, restrict).is_err());
    let by_school = CommandBody::LiftRestriction { actor: School };
    assert!(adult.ask(Principal::Instructor, by_school).is_err());
    let lift = CommandBody::LiftRestriction { actor };
    adult.ask(Principal::Learner, lift).unwrap();
    assert!(adult.may(scope));
}

#[test]
fn a_note_is_about_an_event_that_is_there_and_says_something() {
    let mut adult = Desk::new(AgeBand::Adult);
    let note = |about_seq, words: &str| {
        CommandBody::NoteAmendment(Amendment {
            about_seq,
            note: words.to_owned(),
            actor: Learner,
        })
    };
    let by = Principal::Learner;
    assert!(adult.ask(by, note(1, "there is no event yet")).is_err());
    let scope = ConsentScope::HoldOut;
    adult.ask(by, consent(scope, Learner, OnScreen)).unwrap();
    assert!(adult.ask(by, note(1, "  ")).is_err());
    assert!(
        adult
            .ask(by, note(1, &"x".repeat(MAX_NOTE_CHARS + 1)))
            .is_err()
    );
    adult.ask(by, note(1, "I did not mean that")).unwrap();
    assert_eq!(adult.state.rights.amendments.len(), 1);
}

#[test]
fn everything_that_a_panel_offers_is_admitted_and_changes_the_offer() {
    for band in [
        AgeBand::Under13,
        AgeBand::Minor,
        AgeBand::Adult,
        AgeBand::Unknown,
    ] {
        let offered = Desk::new(band).standing(offers);
        for offer in offered {
            let mut desk = Desk::new(band);
            desk.ask(Principal::Learner, offer.body.clone()).unwrap();
            assert!(!desk.standing(offers).contains(&offer), "{}", offer.words);
        }
    }
}
