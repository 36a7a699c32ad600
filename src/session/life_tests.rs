//! The session's life: what may follow what, from any sequence of causes.

use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn pause() -> impl Strategy<Value = PauseCause> {
    prop_oneof![
        Just(PauseCause::Learner),
        Just(PauseCause::Instructor),
        Just(PauseCause::Runtime),
        Just(PauseCause::Break),
    ]
}

fn cause() -> impl Strategy<Value = LifeCause> {
    prop_oneof![
        1 => Just(LifeCause::Joined),
        1 => Just(LifeCause::Rejoined),
        4 => Just(LifeCause::InterventionBegan),
        2 => Just(LifeCause::InterventionEnded),
        2 => Just(LifeCause::ReviewBegan),
        2 => Just(LifeCause::ReviewEnded),
        3 => pause().prop_map(|by| LifeCause::Paused { by }),
        4 => pause().prop_map(|by| LifeCause::Unpaused { by }),
        2 => Just(LifeCause::LinkLost),
        2 => Just(LifeCause::LinkBack),
        3 => Just(LifeCause::WentIdle),
        2 => Just(LifeCause::Stirred),
        1 => Just(LifeCause::Ended { reason: EndReason::LearnerLeft }),
    ]
}

/// Causes, each with the time since the one before.
fn causes() -> impl Strategy<Value = Vec<(LifeCause, Duration)>> {
    let wait = (0_u64..600).prop_map(Duration::from_secs);
    prop::collection::vec((cause(), wait), 0..80)
}

fn joined() -> LifeLine {
    after(&[LifeCause::Joined])
}

fn after(causes: &[LifeCause]) -> LifeLine {
    let mut line = LifeLine::default();
    for cause in causes {
        line.take(*cause, Duration::ZERO).unwrap();
    }
    line
}

/// Which place may follow which, written down apart from the machine.
fn may_follow(from: Life, to: Life) -> bool {
    use Life::{Active, Ended, Idle, Intervening, Joining, LinkLost, OnBreak, Paused, Reviewing};
    match (from, to) {
        (Joining, to) => to == Active,
        // Final.
        (Ended { .. }, _) | (_, Joining) => false,
        // What lay behind a pause or a lost link comes back; what may be done meanwhile is another test's.
        (_, Ended { .. } | Paused { .. } | LinkLost { .. } | OnBreak)
        | (Paused { .. } | LinkLost { .. } | OnBreak, _) => true,
        (Active, Intervening | Reviewing | Idle { .. }) => true,
        (Intervening, Active | Idle { .. }) => true,
        (Reviewing, Active | Idle { .. }) => true,
        // An intervention or a review that was under way comes back with the learner.
        (Idle { .. }, Active | Intervening | Reviewing) => true,
        // An intervention or a review may run out while nobody stirs.
        (Idle { since }, Idle { since: still }) => since == still,
        _ => false,
    }
}

proptest! {
    #[test]
    fn only_admitted_places_follow_one_another(causes in causes()) {
        let mut line = joined();
        let mut now = Duration::ZERO;
        for (cause, wait) in causes {
            now += wait;
            let (before, from) = (line.clone(), line.life());
            match line.take(cause, now) {
                Ok(()) if cause == LifeCause::Rejoined => {
                    prop_assert!(matches!(line.life(), Life::Active | Life::Reviewing | Life::OnBreak));
                }
                Ok(()) => prop_assert!(
                    may_follow(from, line.life()),
                    "{from:?} -> {:?} by {cause:?}", line.life()
                ),
                Err(_) => prop_assert_eq!(&line, &before),
            }
        }
    }

    #[test]
    fn an_end_is_final(causes in causes(), more in causes()) {
        let mut line = joined();
        for (cause, _) in causes {
            let _ = line.take(cause, Duration::ZERO);
        }
        let _ = line.take(LifeCause::Ended { reason: EndReason::Shutdown }, Duration::ZERO);
        let ended = line.clone();
        let is_over = matches!(ended.life(), Life::Ended { .. });
        prop_assert!(is_over);
        for (cause, at) in more {
            let over = matches!(line.take(cause, at), Err(LifeRefused::Over { .. }));
            prop_assert!(over);
        }
        prop_assert_eq!(line, ended);
    }

    #[test]
    fn equal_causes_make_equal_lives_and_time_never_runs_back(
        causes in causes(),
        clock in prop::collection::vec(0_u64..10_000, 80),
    ) {
        let (mut one, mut other) = (LifeLine::default(), LifeLine::default());
        for ((cause, _), at) in causes.iter().zip(clock) {
            let before = one.at();
            // The clock jumps about at will.
            let results = [&mut one, &mut other].map(|line| line.take(*cause, Duration::from_secs(at)));
            prop_assert_eq!(results[0], results[1]);
            prop_assert!(one.at() >= before);
        }
        prop_assert_eq!(one, other);
    }

    #[test]
    fn nothing_of_a_pause_is_forgotten_behind_another_or_a_lost_link(
        causes in causes(),
    ) {
        let mut line = joined();
        let mut pauses = std::collections::BTreeSet::new();
        for (cause, wait) in causes {
            if line.take(cause, wait).is_ok() {
                match cause {
                    LifeCause::Paused { by } => drop(pauses.insert(by)),
                    LifeCause::Unpaused { by } => drop(pauses.remove(&by)),
                    LifeCause::Rejoined => pauses.retain(|by| *by == PauseCause::Break),
                    _ => {}
                }
            }
            prop_assert!(line.paused_by().iter().eq(&pauses));
            prop_assert!(pauses.is_empty() || !line.runs());
        }
    }

    #[test]
    fn what_is_due_is_admitted_and_comes_once(
        causes in causes(),
        now in 0_u64..10_000,
        stirred in 0_u64..10_000,
    ) {
        let mut line = LifeLine::default();
        for (cause, wait) in causes {
            let _ = line.take(cause, wait);
        }
        let (now, stirred) = (Duration::from_secs(now), Duration::from_secs(stirred));
        let rules = LifeRules::default();
        for _ in 0..2 {
            if let Some(due) = line.due(now, stirred, &rules) {
                prop_assert_eq!(line.take(due, now), Ok(()));
            }
        }
        prop_assert_eq!(line.due(now, stirred, &rules), None);
    }

    #[test]
    fn the_event_of_a_cause_says_that_cause_again(causes in causes(), cause in cause()) {
        let mut line = LifeLine::default();
        for (cause, wait) in causes {
            let _ = line.take(cause, wait);
        }
        match event_of(&line, cause, MINUTE) {
            Ok(Some(body)) => {
                prop_assert_eq!(cause_of(&body), Some(cause));
                if let EventBody::LifeChanged { from, to, cause, at } = body {
                    prop_assert_eq!(from, line.life());
                    line.take(cause, at).unwrap();
                    prop_assert_eq!(to, line.life());
                }
            }
            Ok(None) => prop_assert!(matches!(cause, LifeCause::Joined | LifeCause::Rejoined)),
            Err(why) => prop_assert_eq!(line.take(cause, MINUTE), Err(why)),
        }
    }
}

#[test]
fn an_hour_without_a_sign_ends_a_session_after_it_was_idle() {
    let mut line = joined();
    let rules = LifeRules::default();
    assert_eq!(line.due(4 * MINUTE, Duration::ZERO, &rules), None);
    assert_eq!(
        line.due(5 * MINUTE, Duration::ZERO, &rules),
        Some(LifeCause::WentIdle)
    );
    line.take(LifeCause::WentIdle, 5 * MINUTE).unwrap();
    assert_eq!(line.life(), Life::Idle { since: 5 * MINUTE });
    // A sign of the learner in between.
    assert_eq!(
        line.due(50 * MINUTE, 49 * MINUTE, &rules),
        Some(LifeCause::Stirred)
    );
    assert_eq!(line.due(59 * MINUTE, Duration::ZERO, &rules), None);
    let reason = EndReason::Idle;
    assert_eq!(
        line.due(60 * MINUTE, Duration::ZERO, &rules),
        Some(LifeCause::Ended { reason })
    );
}

#[test]
fn a_headset_that_lies_on_the_table_ends_its_session_too() {
    let by = PauseCause::Runtime;
    let line = after(&[LifeCause::Joined, LifeCause::Paused { by }]);
    let rules = LifeRules::default();
    assert_eq!(line.due(59 * MINUTE, Duration::ZERO, &rules), None);
    let reason = EndReason::Idle;
    let due = line.due(60 * MINUTE, Duration::ZERO, &rules);
    assert_eq!(due, Some(LifeCause::Ended { reason }));
}

#[test]
fn a_link_may_be_gone_for_a_quarter_of_an_hour_and_on_a_headset_for_good() {
    let mut line = joined();
    line.take(LifeCause::LinkLost, 2 * MINUTE).unwrap();
    assert!(line.runs());
    let rules = LifeRules::default();
    assert_eq!(line.due(16 * MINUTE, 16 * MINUTE, &rules), None);
    let reason = EndReason::LinkLost;
    let due = line.due(17 * MINUTE, 17 * MINUTE, &rules);
    assert_eq!(due, Some(LifeCause::Ended { reason }));
    let rules = LifeRules::on_the_headset();
    assert_eq!(line.due(600 * MINUTE, 600 * MINUTE, &rules), None);
}

#[test]
fn a_break_in_a_review_leads_back_to_the_review_and_no_crash_ends_it() {
    let by = PauseCause::Break;
    let mut line = after(&[
        LifeCause::Joined,
        LifeCause::ReviewBegan,
        LifeCause::Paused { by },
    ]);
    assert_eq!(line.life(), Life::OnBreak);
    assert!(!line.runs());
    line.take(LifeCause::Rejoined, MINUTE).unwrap();
    assert_eq!(line.life(), Life::OnBreak);
    line.take(LifeCause::Unpaused { by }, MINUTE).unwrap();
    assert_eq!(line.life(), Life::Reviewing);
}

#[test]
fn nobody_is_helped_who_rests_is_away_or_has_been_stopped() {
    let by = PauseCause::Instructor;
    for away in [
        LifeCause::Paused {
            by: PauseCause::Break,
        },
        LifeCause::WentIdle,
        LifeCause::ReviewBegan,
        LifeCause::Paused { by },
    ] {
        let line = after(&[LifeCause::Joined, away]);
        let in_the_way = line.life();
        assert_eq!(
            line.admits(LifeCause::InterventionBegan),
            Err(LifeRefused::NotNow { in_the_way })
        );
    }
    // The headset goes on helping where nobody follows it.
    let alone = after(&[LifeCause::Joined, LifeCause::LinkLost]);
    assert_eq!(alone.admits(LifeCause::InterventionBegan), Ok(()));
}

#[test]
fn what_did_not_begin_takes_no_turn_but_to_begin() {
    let line = LifeLine::default();
    for cause in [
        LifeCause::Rejoined,
        LifeCause::ReviewBegan,
        LifeCause::WentIdle,
    ] {
        assert_eq!(line.admits(cause), Err(LifeRefused::NotBegun));
    }
    assert_eq!(joined().admits(LifeCause::Joined), Err(LifeRefused::Begun));
}
