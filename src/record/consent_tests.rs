//! Who may agree, what counts, and what holds while nobody has.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::protocol::consent::{ConsentEvidence, ConsentMethod, OUTSIDE_SESSIONS, Withdrawal};
use crate::protocol::ids::LearnerId;

const NOW: u64 = 1_760_000_000_000;

fn event(seq: u64, body: EventBody) -> Event {
    Event {
        seq,
        at_unix_ms: NOW - 1000 + seq,
        learner: LearnerId(Uuid::from_u128(7)),
        session: OUTSIDE_SESSIONS,
        body,
    }
}

fn given(scopes: &[ConsentScope], actor: ConsentActor, method: ConsentMethod) -> EventBody {
    EventBody::ConsentGiven(Consent {
        scopes: scopes.iter().copied().collect(),
        text_version: "1".to_owned(),
        actor,
        evidence: ConsentEvidence {
            method,
            reference: None,
        },
        until_unix_ms: None,
    })
}

fn withdrawn(scopes: &[ConsentScope], actor: ConsentActor) -> EventBody {
    EventBody::ConsentWithdrawn(Withdrawal {
        scopes: scopes.iter().copied().collect(),
        actor,
    })
}

fn fold(bodies: Vec<EventBody>) -> Consents {
    let events: Vec<Event> = (1..)
        .zip(bodies)
        .map(|(seq, body)| event(seq, body))
        .collect();
    Consents::of(&events)
}

use ConsentActor::{Guardian, Learner, School};
use ConsentMethod::{EmailPlus, OnScreen, SchoolAgreement, SignedForm};
use ConsentScope::{
    InstructorView, LeaveHeadset, MotionRecording, ResearchExport, TeachOnDevice, ThirdParty,
};

#[test]
fn nothing_of_a_child_leaves_the_headset_without_consent_and_teaching_goes_on() {
    let policy = ConsentPolicy::default();
    for band in [AgeBand::Under13, AgeBand::UnderConsentAge, AgeBand::Unknown] {
        for scope in ConsentScope::ALL {
            let allowed = policy.decide(scope, band, &Consents::default(), NOW);
            if scope == TeachOnDevice {
                assert_eq!(allowed, Ok(Basis::NotAsked));
            } else {
                assert!(
                    matches!(allowed, Err(ConsentRefusal::Missing { .. })),
                    "{band:?} {scope:?}"
                );
            }
        }
    }
}

#[test]
fn a_child_cannot_agree_and_a_click_does_not_show_who_did() {
    let policy = ConsentPolicy::default();
    let child = fold(vec![given(&[LeaveHeadset], Learner, SignedForm)]);
    assert!(
        policy
            .decide(LeaveHeadset, AgeBand::Under13, &child, NOW)
            .is_err()
    );
    let click = fold(vec![given(&[LeaveHeadset], Guardian, OnScreen)]);
    assert_eq!(
        policy.decide(LeaveHeadset, AgeBand::Under13, &click, NOW),
        Err(ConsentRefusal::DoesNotCount {
            scope: LeaveHeadset,
            by: Guardian,
            why: Defect::NotVerified
        })
    );
    let signed = fold(vec![given(&[LeaveHeadset], Guardian, SignedForm)]);
    assert_eq!(
        policy.decide(LeaveHeadset, AgeBand::Under13, &signed, NOW),
        Ok(Basis::Consent {
            by: Guardian,
            seq: 1
        })
    );
}

#[test]
fn the_school_agrees_to_its_own_teaching_only() {
    let policy = ConsentPolicy::default();
    let school = fold(vec![given(&ConsentScope::ALL, School, SchoolAgreement)]);
    for scope in ConsentScope::ALL {
        let may = matches!(scope, TeachOnDevice | LeaveHeadset | InstructorView);
        assert_eq!(
            policy.decide(scope, AgeBand::Under13, &school, NOW).is_ok(),
            may,
            "{scope:?}"
        );
    }
}

#[test]
fn no_setting_lets_the_school_agree_to_the_recording_of_movements() {
    let mut policy = ConsentPolicy::default();
    policy.school_may.extend(ConsentScope::ALL);
    let school = fold(vec![given(&[MotionRecording], School, SchoolAgreement)]);
    assert!(
        policy
            .decide(MotionRecording, AgeBand::Under13, &school, NOW)
            .is_err()
    );
}

#[test]
fn mail_is_no_proof_where_others_get_the_records() {
    let policy = ConsentPolicy::default();
    for (scope, may) in [(LeaveHeadset, true), (ResearchExport, false)] {
        let mail = fold(vec![given(&[scope], Guardian, EmailPlus)]);
        assert_eq!(
            policy.decide(scope, AgeBand::Under13, &mail, NOW).is_ok(),
            may
        );
    }
}

#[test]
fn disclosure_to_a_third_party_has_to_be_asked_apart() {
    let policy = ConsentPolicy::default();
    let bundled = fold(vec![given(
        &[LeaveHeadset, ThirdParty],
        Guardian,
        SignedForm,
    )]);
    assert!(
        policy
            .decide(LeaveHeadset, AgeBand::Under13, &bundled, NOW)
            .is_ok()
    );
    assert!(matches!(
        policy.decide(ThirdParty, AgeBand::Under13, &bundled, NOW),
        Err(ConsentRefusal::DoesNotCount {
            why: Defect::Bundled,
            ..
        })
    ));
    let apart = fold(vec![given(&[ThirdParty], Guardian, SignedForm)]);
    assert!(
        policy
            .decide(ThirdParty, AgeBand::Under13, &apart, NOW)
            .is_ok()
    );
}

#[test]
fn what_a_guardian_refuses_the_school_cannot_allow() {
    let policy = ConsentPolicy::default();
    let refused = fold(vec![
        given(&[LeaveHeadset], Guardian, SignedForm),
        withdrawn(&[LeaveHeadset], Guardian),
        given(&[LeaveHeadset], School, SchoolAgreement),
    ]);
    assert_eq!(
        policy.decide(LeaveHeadset, AgeBand::Under13, &refused, NOW),
        Err(ConsentRefusal::Withdrawn {
            scope: LeaveHeadset,
            by: Guardian
        })
    );
}

#[test]
fn whoever_comes_of_age_is_asked_themself() {
    let policy = ConsentPolicy::default();
    let log = fold(vec![given(&[MotionRecording], Guardian, SignedForm)]);
    assert!(
        policy
            .decide(MotionRecording, AgeBand::Under13, &log, NOW)
            .is_ok()
    );
    assert!(
        policy
            .decide(MotionRecording, AgeBand::Adult, &log, NOW)
            .is_err()
    );
    let refused = fold(vec![withdrawn(&[LeaveHeadset], Guardian)]);
    assert!(
        policy
            .decide(LeaveHeadset, AgeBand::Adult, &refused, NOW)
            .is_ok()
    );
}

#[test]
fn in_the_united_states_a_minors_records_are_the_guardians_to_disclose() {
    let us = ConsentPolicy {
        ages: AgeRules::of_country("US"),
        ..ConsentPolicy::default()
    };
    let own = fold(vec![given(&[ResearchExport], Learner, SignedForm)]);
    assert!(
        us.decide(ResearchExport, AgeBand::Minor, &own, NOW)
            .is_err()
    );
    assert!(us.decide(ResearchExport, AgeBand::Adult, &own, NOW).is_ok());
    let germany = ConsentPolicy {
        ages: AgeRules::of_country("DE"),
        ..ConsentPolicy::default()
    };
    assert!(
        germany
            .decide(ResearchExport, AgeBand::Minor, &own, NOW)
            .is_ok()
    );
}

#[test]
fn a_consent_ends_with_its_time_and_with_its_text() {
    let policy = ConsentPolicy::default();
    let EventBody::ConsentGiven(consent) = given(&[ResearchExport], Learner, SignedForm) else {
        unreachable!()
    };
    let until = fold(vec![EventBody::ConsentGiven(Consent {
        until_unix_ms: Some(NOW),
        ..consent.clone()
    })]);
    assert!(
        policy
            .decide(ResearchExport, AgeBand::Adult, &until, NOW - 1)
            .is_ok()
    );
    assert!(matches!(
        policy.decide(ResearchExport, AgeBand::Adult, &until, NOW),
        Err(ConsentRefusal::DoesNotCount {
            why: Defect::Expired,
            ..
        })
    ));
    let older = fold(vec![EventBody::ConsentGiven(Consent {
        text_version: "0".to_owned(),
        ..consent
    })]);
    assert!(matches!(
        policy.decide(ResearchExport, AgeBand::Adult, &older, NOW),
        Err(ConsentRefusal::DoesNotCount {
            why: Defect::OldText,
            ..
        })
    ));
}

#[test]
fn a_refusal_names_who_could_agree() {
    let refusal = ConsentPolicy::default()
        .decide(LeaveHeadset, AgeBand::Under13, &Consents::default(), NOW)
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "no consent to LeaveHeadset is recorded; ask Guardian or School"
    );
}

fn scope() -> impl Strategy<Value = ConsentScope> {
    prop::sample::select(ConsentScope::ALL.to_vec())
}

fn actor() -> impl Strategy<Value = ConsentActor> {
    prop::sample::select(vec![Learner, Guardian, School])
}

fn words() -> impl Strategy<Value = Vec<EventBody>> {
    let scopes = || prop::collection::vec(scope(), 1..4);
    let method = prop::sample::select(vec![OnScreen, EmailPlus, SignedForm, SchoolAgreement]);
    let word = prop_oneof![
        (scopes(), actor(), method)
            .prop_map(|(scopes, actor, method)| given(&scopes, actor, method)),
        (scopes(), actor()).prop_map(|(scopes, actor)| withdrawn(&scopes, actor)),
    ];
    prop::collection::vec(word, 0..20)
}

fn band() -> impl Strategy<Value = AgeBand> {
    use AgeBand::{Adult, Minor, Under13, UnderConsentAge, Unknown};
    prop::sample::select(vec![Under13, UnderConsentAge, Minor, Adult, Unknown])
}

proptest! {
    #[test]
    fn whatever_was_said_before_a_withdrawal_stops_it_at_once(
        before in words(), scope in scope(), by in actor(), band in band(),
    ) {
        prop_assume!(scope != TeachOnDevice);
        prop_assume!(!(by == Guardian && band == AgeBand::Adult));
        let mut log = before;
        log.push(withdrawn(&[scope], by));
        prop_assert!(ConsentPolicy::default().decide(scope, band, &fold(log), NOW).is_err());
    }

    #[test]
    fn nobody_agrees_for_a_child_but_guardian_or_school(log in words(), scope in scope()) {
        let without: Vec<EventBody> = log
            .into_iter()
            .filter(|body| !matches!(body, EventBody::ConsentGiven(given) if given.actor != Learner))
            .collect();
        let allowed = ConsentPolicy::default().decide(scope, AgeBand::Under13, &fold(without), NOW);
        prop_assert_eq!(allowed.is_ok(), scope == TeachOnDevice);
    }

    #[test]
    fn the_lesson_on_the_device_is_never_made_conditional(log in words(), band in band()) {
        let allowed = ConsentPolicy::default().decide(TeachOnDevice, band, &fold(log), NOW);
        prop_assert_eq!(allowed, Ok(Basis::NotAsked));
    }
}
