//! What consent and restriction do to the rules.

use super::*;
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, Withdrawal,
};
use crate::protocol::privacy::RestrictionGround;

/// The delivered table, in which the rules that are compared by lot speak as soon as something goes wrong.
fn eager() -> Strategies {
    let text = crate::learning::strategy::table::Table::DEFAULT.replace(
        r#"when: (all: [(of: "engagement_dropped", enter: above(0.8), leave: 0.7)])"#,
        r#"when: (all: [(of: "failures", enter: above(1), leave: 0)])"#,
    );
    Strategies::read(&text).unwrap()
}

fn hold_out() -> Consent {
    Consent {
        scopes: [ConsentScope::HoldOut].into(),
        text_version: "1".to_owned(),
        actor: ConsentActor::Guardian,
        evidence: ConsentEvidence {
            method: ConsentMethod::SignedForm,
            reference: None,
        },
        until_unix_ms: None,
    }
}

#[test]
fn help_is_left_out_by_lot_only_where_that_was_agreed_to() {
    let trials = |room: &mut Room| {
        room.attempt(false);
        room.wait(SECOND);
        let decided = room.log().iter().filter_map(|body| match body {
            EventBody::Decided(decision) => Some(decision.trial.clone()),
            _ => None,
        });
        let all: Vec<_> = decided.collect();
        (all.len(), all.into_iter().flatten().last())
    };
    let room = || {
        let mut room = Room::new();
        room.app.insert_resource(eager());
        room
    };
    let mut unasked = room();
    let (decisions, trial) = trials(&mut unasked);
    assert!(decisions > 0 && trial.is_none(), "{decisions} {trial:?}");

    let mut agreed = room();
    agreed.happen(EventBody::ConsentGiven(hold_out()));
    let (_, trial) = trials(&mut agreed);
    let trial = trial.expect("a comparison");
    let sum = trial.propensity * trial.arms.len() as f64 + trial.propensity_of_nothing;
    assert!((sum - 1.0).abs() < 1e-9, "{trial:?}");
    assert_eq!(trial.seed, agreed.state().seed, "a replay draws the same");

    let mut withdrawn = room();
    withdrawn.happen(EventBody::ConsentGiven(hold_out()));
    withdrawn.happen(EventBody::ConsentWithdrawn(Withdrawal {
        scopes: [ConsentScope::HoldOut].into(),
        actor: ConsentActor::Guardian,
    }));
    assert!(trials(&mut withdrawn).1.is_none());
}

#[test]
fn a_restricted_record_brings_no_hint_and_no_decision_but_safety_stays() {
    let mut room = Room::new();
    room.app.insert_resource(eager());
    room.happen(EventBody::ConsentGiven(hold_out()));
    let restrict = CommandBody::Restrict {
        actor: ConsentActor::Learner,
        ground: RestrictionGround::Objection,
    };
    let answer = room.ask(&room.command(Principal::Learner, restrict));
    assert!(matches!(answer, Outcome::Applied { .. }), "{answer:?}");
    room.attempt(false);
    room.attempt(false);
    room.wait(SECOND);
    assert_eq!(room.hint(), 0);
    let decided = |room: &Room| {
        let mut log = room.log().iter();
        log.any(|body| matches!(body, EventBody::Decided(_)))
    };
    assert!(!decided(&room), "{:?}", room.log());
    let mut log = room.log().iter();
    let refused = log.any(|body| matches!(body, EventBody::CommandRefused { .. }));
    assert!(!refused, "the ladder does not even ask: {:?}", room.log());
    // Who asks still gets help, and who is not well still rests.
    let hint = room.ask(&room.command(Principal::Learner, give(None)));
    assert!(matches!(hint, Outcome::Applied { .. }), "{hint:?}");
    room.say_how_well(0.1);
    assert!(room.state().adapted.resting, "{:?}", room.log());
}
