//! Commands that adapt the lesson: who may, what is possible, and within which limits.

use proptest::prelude::*;

use super::*;
use crate::adaptation::decide::decide;
use crate::learning::event::LearningEvent;
use crate::learning::strategy::action::Variety;
use crate::lesson::format::{Action as Deed, OnFailure, Step};
use crate::protocol::command::Command;
use crate::protocol::ids::{CommandId, LearnerId, ObjectId, StepId};
use crate::session::adapted::Adapted;

fn step() -> Step {
    Step {
        id: StepId::new("take"),
        event: LearningEvent::Practice,
        goal: "take the cube".to_owned(),
        say: None,
        action: Deed::Grab {
            object: ObjectId::new("cube"),
        },
        time_limit: None,
        evidence_for: Vec::new(),
        hints: Vec::new(),
        on_failure: OnFailure::Retry,
    }
}

const ALL: Able = Able {
    difficulty: true,
    pace: true,
    support: true,
    breaks: true,
    variety: true,
    more_to_do: true,
    approach: true,
    move_on: true,
    review: true,
    instructor: true,
};

/// As authored.
fn plain() -> &'static Adapted {
    static PLAIN: std::sync::LazyLock<Adapted> = std::sync::LazyLock::new(Adapted::default);
    &PLAIN
}

fn command(principal: Principal, body: CommandBody) -> Command {
    Command {
        id: CommandId::fresh(),
        learner: LearnerId::fresh(),
        principal,
        asker: None,
        purpose: "test".to_owned(),
        body,
        trace: None,
    }
}

fn after(body: CommandBody) -> Adapted {
    let mut adapted = Adapted::default();
    adapted.carried_out(1, &command(Principal::Learner, body));
    adapted
}

fn standing(step: &Step) -> Standing<'_> {
    Standing {
        lesson: None,
        ended: false,
        step: Some(step),
        hint_level: 0,
        paused_by: &[],
        since_instructor: None,
        adapted: plain(),
        able: ALL,
        holder: None,
        restricted: false,
    }
}

fn ask(principal: Principal, body: CommandBody, standing: &Standing) -> Result<Effect, Refusal> {
    decide(&command(principal, body), standing).map(|(effect, _)| effect)
}

fn bodies() -> Vec<CommandBody> {
    vec![
        CommandBody::SetDifficulty { multiplier: 0.7 },
        CommandBody::SetPace { multiplier: 0.9 },
        CommandBody::AddSupport {
            kind: SupportKind::Guidance,
            level: 2,
            modality: Modality::Text,
        },
        CommandBody::OfferBreak,
        CommandBody::Rest,
        CommandBody::Vary {
            by: Variety::Form,
            level: 0.5,
        },
        CommandBody::Vary {
            by: Variety::Interaction,
            level: 0.5,
        },
        CommandBody::ChangeApproach,
        CommandBody::MoveOn,
        CommandBody::Review,
        CommandBody::TellInstructor,
    ]
}

#[test]
fn what_the_lesson_has_no_means_for_is_refused_and_not_said_to_be_done() {
    let step = step();
    let able = standing(&step);
    let unable = Standing {
        able: Able::default(),
        ..able
    };
    for body in bodies() {
        assert!(
            ask(Principal::Automatic, body.clone(), &able).is_ok(),
            "{body:?}"
        );
        let refused = ask(Principal::Automatic, body.clone(), &unable);
        assert!(matches!(refused, Err(Refusal::NotHere { .. })), "{body:?}");
    }
}

#[test]
fn who_is_outranked_gives_way_and_the_governor_touches_nothing_of_the_lesson() {
    let step = step();
    let held = Standing {
        holder: Some(Principal::Learner),
        ..standing(&step)
    };
    for body in bodies() {
        for below in [Principal::Instructor, Principal::Automatic] {
            let refused = ask(below, body.clone(), &held);
            assert!(
                matches!(refused, Err(Refusal::Outranked { .. })),
                "{body:?}"
            );
        }
        for above in [Principal::Safety, Principal::Learner] {
            assert!(ask(above, body.clone(), &held).is_ok(), "{body:?}");
        }
        let governor = ask(Principal::Governor, body.clone(), &standing(&step));
        assert!(
            matches!(governor, Err(Refusal::NotForYou { .. })),
            "{body:?}"
        );
    }
}

#[test]
fn only_the_learner_ends_a_break_and_nobody_below_changes_anything_meanwhile() {
    let step = step();
    let adapted = after(CommandBody::Rest);
    let resting = Standing {
        adapted: &adapted,
        ..standing(&step)
    };
    for other in [
        Principal::Instructor,
        Principal::Automatic,
        Principal::Safety,
    ] {
        let refused = ask(other, CommandBody::EndBreak, &resting);
        assert!(
            matches!(refused, Err(Refusal::NotForYou { .. })),
            "{other:?}"
        );
    }
    let easier = CommandBody::SetDifficulty { multiplier: 0.7 };
    assert!(matches!(
        ask(Principal::Automatic, easier, &resting),
        Err(Refusal::Outranked { .. })
    ));
    let ended = ask(Principal::Learner, CommandBody::EndBreak, &resting);
    assert_eq!(ended, Ok(Effect::EndBreak));
}

#[test]
fn what_is_so_already_is_not_done_again() {
    let step = step();
    let standing = standing(&step);
    for body in bodies().into_iter().take(3).chain([CommandBody::Rest]) {
        assert!(ask(Principal::Learner, body.clone(), &standing).is_ok());
        let done = after(body.clone());
        let then = Standing {
            adapted: &done,
            ..standing
        };
        let again = ask(Principal::Learner, body.clone(), &then);
        assert!(matches!(again, Err(Refusal::AlreadySo { .. })), "{body:?}");
    }
}

proptest! {
    #[test]
    fn nothing_beyond_the_limits_is_carried_out(x in prop_oneof![0.0..3.0_f64, prop::num::f64::ANY], level in any::<u8>()) {
        let step = step();
        let standing = standing(&step);
        let fits = |body| !matches!(ask(Principal::Instructor, body, &standing), Err(Refusal::OutOfRange { .. }));
        prop_assert_eq!(fits(CommandBody::SetDifficulty { multiplier: x }), (0.4..=1.6).contains(&x));
        prop_assert_eq!(fits(CommandBody::SetPace { multiplier: x }), (0.6..=1.4).contains(&x));
        prop_assert_eq!(fits(CommandBody::Vary { by: Variety::Form, level: x }), (0.0..=1.0).contains(&x));
        let support = CommandBody::AddSupport { kind: SupportKind::FewerParts, level, modality: Modality::Voice };
        prop_assert_eq!(fits(support), (1..=3).contains(&level));
    }
}

#[test]
fn a_restricted_record_moves_no_rule_but_safety_and_whoever_asks() {
    let step = step();
    let restricted = Standing {
        restricted: true,
        ..standing(&step)
    };
    for body in bodies() {
        let asked = |principal| decide(&command(principal, body.clone()), &restricted);
        let refused = asked(Principal::Automatic);
        assert!(
            matches!(refused, Err(Refusal::NotAgreed { .. })),
            "{body:?}"
        );
        assert!(asked(Principal::Safety).is_ok(), "{body:?}");
        assert!(asked(Principal::Instructor).is_ok(), "{body:?}");
    }
}
