//! The fold: any split into snapshot and tail gives the same state, to the bit.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::learning::bkt::BktParams;
use crate::learning::engagement::Stretch;
use crate::learning::event_criteria::Criterion;
use crate::learning::five::observation::Moment;
use crate::learning::load::window::{LoadMotion, LoadWindow};
use crate::learning::quality::Quality;
use crate::protocol::command::{Command, Principal, Refusal};
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, Withdrawal,
};
use crate::protocol::event::{Evidence, Told};
use crate::protocol::ids::{AttemptId, CommandId, ObjectId};
use crate::protocol::privacy::{
    Amendment, DataClass, Disclosure, Purpose, RestrictionGround, Role,
};

/// A chance in a million steps, so that not every one is a short binary fraction.
fn chance(upper: u32) -> impl Strategy<Value = f64> {
    (1..upper).prop_map(|millionths| f64::from(millionths) / 1e6)
}

fn skill() -> impl Strategy<Value = SkillId> {
    "[a-d]".prop_map(SkillId::new)
}

fn step() -> impl Strategy<Value = StepId> {
    "[a-c]".prop_map(StepId::new)
}

fn params() -> impl Strategy<Value = BktParams> {
    let forget = prop_oneof![Just(0.0), chance(100_000)];
    (
        chance(999_999),
        chance(900_000),
        chance(300_000),
        chance(300_000),
        forget,
    )
        .prop_map(|(prior, learn, slip, guess, forget)| BktParams {
            prior,
            learn,
            slip,
            guess,
            forget,
        })
}

fn started() -> impl Strategy<Value = EventBody> {
    let skills = prop::collection::btree_map(skill(), params(), 0..4);
    ("[xy]", any::<u64>(), skills).prop_map(|(lesson, seed, skills)| EventBody::SessionStarted {
        lesson: LessonId::new(lesson),
        lesson_digest: format!("{seed:x}"),
        seed,
        skills,
        protocol: 1,
    })
}

/// Perfect, and anything worse.
fn quality() -> impl Strategy<Value = Quality> {
    let share = || prop_oneof![Just(1.0), chance(1_000_000)];
    (share(), share()).prop_map(|(frame_health, tracking)| Quality {
        frame_health,
        tracking,
    })
}

fn attempted() -> impl Strategy<Value = EventBody> {
    let skills = prop::collection::vec(skill(), 0..3);
    let drawn = (step(), skills, any::<bool>(), 0.0_f32..1.0, quality());
    drawn.prop_map(|(step, skills, correct, credit, quality)| {
        EventBody::Attempted(Attempt {
            id: AttemptId::fresh(),
            step,
            skills,
            correct,
            credit,
            latency: Duration::from_millis(700),
            hints_used: 0,
            position_error: Some(0.013),
            rotation_error: None,
            quality,
            blurred: Default::default(),
            evidence: Evidence::Grabbed {
                object: ObjectId::new("cube"),
            },
        })
    })
}

fn entered() -> impl Strategy<Value = EventBody> {
    let event = prop::option::of(prop::sample::select(LearningEvent::ALL.to_vec()));
    (step(), event, 0_u8..4).prop_map(|(step, event, hints)| EventBody::StepEntered {
        step,
        event,
        hints,
    })
}

fn observed() -> impl Strategy<Value = EventBody> {
    let share = || prop::option::of(chance(1_000_000));
    let motion = (share(), share()).prop_map(|(turning, entropy)| LoadMotion {
        jerk: entropy.map(|share| -5.0 - 3.0 * share),
        head_turning: turning,
        head_entropy: entropy,
        head_returns: turning.map(|share| 60.0 * share),
    });
    let window =
        (share(), share(), prop::option::of(motion)).prop_map(|(hesitation, path, motion)| {
            LoadWindow {
                interval: path.map(|share| 0.1 + 9.0 * share),
                interval_spread: path,
                hesitation: hesitation.map(|share| 3.0 * share),
                path: path.map(|share| 1.0 + share),
                motion,
            }
        });
    let window = prop::option::of(window);
    (share(), share(), share(), quality(), any::<bool>(), window).prop_map(
        |(on_task, head_on_task, path_efficiency, quality, ready, window)| EventBody::Observed {
            moment: Box::new(Moment {
                window,
                dt: Duration::from_millis(5013),
                stretch: Some(Stretch {
                    seconds: 5.013,
                    on_task,
                    head_on_task,
                    path_efficiency,
                    between_actions: on_task.map(|share| 7.0 * share),
                    quality,
                }),
                ready,
                ..Moment::default()
            }),
        },
    )
}

fn told() -> impl Strategy<Value = EventBody> {
    let about = prop_oneof![
        Just(Told::Criterion(Criterion::Comfort)),
        Just(Told::Criterion(Criterion::Creativity)),
        Just(Told::Effort),
    ];
    (about, chance(1_000_000)).prop_map(|(about, value)| EventBody::Told {
        by: Principal::Learner,
        about,
        value,
    })
}

fn commanded() -> impl Strategy<Value = EventBody> {
    let body = prop_oneof![
        Just(CommandBody::GiveHint { level: None }),
        Just(CommandBody::FadeHint),
        Just(CommandBody::Pause),
    ];
    let level = prop::option::of(0_u8..4);
    (body, level, any::<bool>()).prop_map(|(body, hint_level, applied)| {
        let command = Command {
            id: CommandId::fresh(),
            learner: LearnerId::fresh(),
            principal: Principal::Instructor,
            asker: None,
            purpose: "the learner hesitates".to_owned(),
            body,
            trace: None,
        };
        if applied {
            EventBody::CommandApplied {
                command: Box::new(command),
                hint_level,
            }
        } else {
            EventBody::CommandRefused {
                command: Box::new(command),
                refusal: Refusal::NoStep,
            }
        }
    })
}

fn turn() -> impl Strategy<Value = LifeCause> {
    prop_oneof![
        Just(LifeCause::InterventionBegan),
        Just(LifeCause::InterventionEnded),
        Just(LifeCause::ReviewBegan),
        Just(LifeCause::ReviewEnded),
        Just(LifeCause::LinkLost),
        Just(LifeCause::LinkBack),
        Just(LifeCause::WentIdle),
        Just(LifeCause::Stirred),
    ]
}

fn actor() -> impl Strategy<Value = ConsentActor> {
    prop::sample::select(vec![
        ConsentActor::Learner,
        ConsentActor::Guardian,
        ConsentActor::School,
    ])
}

/// Consents, refusals, restrictions, notes and disclosures.
fn about_rights() -> impl Strategy<Value = EventBody> {
    let scopes = || prop::sample::subsequence(ConsentScope::ALL.to_vec(), 1..4);
    prop_oneof![
        (scopes(), actor(), prop::option::of(any::<u64>())).prop_map(
            |(scopes, actor, until_unix_ms)| EventBody::ConsentGiven(Consent {
                scopes: scopes.into_iter().collect(),
                text_version: "1".to_owned(),
                actor,
                evidence: ConsentEvidence {
                    method: ConsentMethod::SignedForm,
                    reference: Some("form 12".to_owned()),
                },
                until_unix_ms,
            })
        ),
        (scopes(), actor()).prop_map(|(scopes, actor)| EventBody::ConsentWithdrawn(Withdrawal {
            scopes: scopes.into_iter().collect(),
            actor,
        })),
        actor().prop_map(|actor| EventBody::ProcessingRestricted {
            actor,
            ground: RestrictionGround::Objection,
        }),
        actor().prop_map(|actor| EventBody::RestrictionLifted { actor }),
        (1_u64..9, actor()).prop_map(|(about_seq, actor)| EventBody::AmendmentNoted(Amendment {
            about_seq,
            note: "the controller had lost tracking".to_owned(),
            actor,
        })),
        Just(EventBody::Disclosed(Disclosure {
            to: Role::Researcher,
            party: "a study".to_owned(),
            purpose: Purpose::Research,
            data: [DataClass::Attempts].into(),
        })),
    ]
}

fn body() -> impl Strategy<Value = EventBody> {
    let cause = prop_oneof![
        Just(PauseCause::Learner),
        Just(PauseCause::Instructor),
        Just(PauseCause::Runtime),
        Just(PauseCause::Break),
    ];
    prop_oneof![
        1 => started(),
        1 => Just(EventBody::SessionResumed),
        3 => entered(),
        3 => observed(),
        1 => told(),
        2 => (step(), any::<bool>())
            .prop_map(|(step, skipped)| EventBody::StepCompleted { step, skipped }),
        8 => attempted(),
        2 => commanded(),
        2 => cause.clone().prop_map(|by| EventBody::Paused { by }),
        2 => cause.prop_map(|by| EventBody::Resumed { by }),
        2 => (turn(), 0_u64..10_000).prop_map(|(cause, at)| EventBody::LifeChanged {
            from: Life::Active,
            to: Life::Active,
            cause,
            at: Duration::from_millis(at),
        }),
        1 => Just(EventBody::SessionEnded { reason: EndReason::LearnerLeft }),
        4 => about_rights(),
    ]
}

/// Any log that begins with a session.
fn log() -> impl Strategy<Value = Vec<Event>> {
    (started(), prop::collection::vec(body(), 0..60)).prop_map(|(first, rest)| {
        let (learner, session) = (LearnerId::fresh(), SessionId::fresh());
        std::iter::once(first)
            .chain(rest)
            .zip(1..)
            .map(|(body, seq)| Event {
                seq,
                // A quarter of a day and a bit.
                at_unix_ms: 1_793_500_000_000 + seq * 21_600_017,
                learner,
                session,
                body,
            })
            .collect()
    })
}

/// Bits, not values: 0 and -0 are equal and NaN is not even equal to itself.
fn bits(state: &LearnerState) -> Vec<u64> {
    let five = state.models.five();
    let skills = state.models.skills().flat_map(|(.., skill)| {
        let (known, ability) = (skill.known, skill.ability);
        [
            known.mean,
            known.lower,
            known.upper,
            ability.mean,
            ability.variance,
        ]
    });
    let (index, weights) = (five.index(), five.weights());
    let rest = [
        index.value,
        index.lower,
        index.upper,
        five.day(),
        weights.learner(),
        weights.knowledge(),
        weights.engagement(),
        weights.assessment(),
    ];
    skills.chain(rest).map(f64::to_bits).collect()
}

proptest! {
    #[test]
    fn consents_and_rights_outlive_sessions_and_are_the_fold_of_the_whole_log(log in log()) {
        let state = LearnerState::of(&log).unwrap();
        prop_assert_eq!(&state.consents, &Consents::of(&log));
        prop_assert_eq!(&state.rights, &Rights::of(&log));
    }

    #[test]
    fn pauses_and_ends_are_told_as_the_life_has_them(log in log()) {
        let mut state = LearnerState::default();
        for event in &log {
            state.fold(event).unwrap();
            prop_assert_eq!(&state.paused_by[..], state.life.paused_by());
            prop_assert_eq!(state.end_reason, state.life.ended());
            prop_assert_eq!(state.ended, matches!(state.life(), Life::Ended { .. }));
        }
    }

    #[test]
    fn a_snapshot_and_the_tail_give_the_state_of_the_whole_log_to_the_bit(
        log in log(),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = LearnerState::of(&log).unwrap();
        let (head, tail) = log.split_at(cut.index(log.len() + 1));
        // The snapshot went over the wire or lay on a disk.
        let snapshot = serde_json::to_vec(&LearnerState::of(head).unwrap()).unwrap();
        let mut state: LearnerState = serde_json::from_slice(&snapshot).unwrap();
        for event in tail {
            state.fold(event).unwrap();
        }
        prop_assert_eq!(bits(&state), bits(&whole));
        prop_assert_eq!(state, whole);
    }

    #[test]
    fn a_log_that_was_written_and_read_gives_the_same_state_to_the_bit(log in log()) {
        let text = serde_json::to_vec(&log).unwrap();
        let read: Vec<Event> = serde_json::from_slice(&text).unwrap();
        let (before, after) = (LearnerState::of(&log).unwrap(), LearnerState::of(&read).unwrap());
        prop_assert_eq!(bits(&after), bits(&before));
        prop_assert_eq!(after, before);
    }

    #[test]
    fn an_event_left_out_or_told_twice_is_refused(
        log in log(),
        place in any::<prop::sample::Index>(),
    ) {
        let place = place.index(log.len());
        let mut twice = log.clone();
        twice.insert(place, log[place].clone());
        prop_assert!(LearnerState::of(&twice).is_err());
        let mut without = log;
        without.remove(place);
        // A log without its last event is a shorter log, and only the store can know.
        prop_assert_eq!(LearnerState::of(&without).is_err(), place < without.len());
    }
}
