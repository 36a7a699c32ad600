use proptest::prelude::*;

use super::super::disk_for_tests::{Disk, log};
use super::*;

/// 21 November 2026.
const START: u64 = 20_778 * DAY;

fn by(at_unix_ms: u64) -> By {
    By {
        actor: "sweeper".to_owned(),
        purpose: "retention".to_owned(),
        at_unix_ms,
    }
}

/// A store whose clock is believed to show the start.
fn store() -> Store {
    let store = Disk::default().open().unwrap();
    let retention = Retention::default();
    for at in [START - DAY, START] {
        store.sweep(&retention, &by(at), false).unwrap();
    }
    store
}

fn sweep(store: &Store, days: u64) -> SweepReport {
    let at = by(START + days * DAY);
    store.sweep(&Retention::default(), &at, false).unwrap()
}

#[test]
fn a_learner_is_erased_when_the_days_are_over_and_not_before() {
    let store = store();
    let (a, b) = (log(3), log(3));
    store.append(&a).unwrap();
    store.append(&b[..2]).unwrap();
    for day in 1..=60 {
        assert!(sweep(&store, day).erased.is_empty(), "day {day}");
    }
    store.append(&b[2..]).unwrap();
    for day in 61..=92 {
        assert!(sweep(&store, day).erased.is_empty(), "day {day}");
    }
    let dry = store
        .sweep(&Retention::default(), &by(START + 93 * DAY), true)
        .unwrap();
    assert_eq!(dry.erased.len(), 1);
    assert_eq!(
        store.events(a[0].learner).unwrap(),
        a,
        "a dry run erases nothing"
    );
    let report = sweep(&store, 93);
    assert_eq!(report.erased, dry.erased);
    assert_eq!(report.erased[0].subject, store.subject(a[0].learner));
    assert_eq!(report.kept, 1);
    assert!(store.events(a[0].learner).unwrap().is_empty());
    assert_eq!(store.events(b[0].learner).unwrap(), b);
    let proof = store.disclosures(a[0].learner).unwrap();
    assert_eq!(
        proof.last().unwrap().1.action,
        Action::Erased(report.erased[0].clone())
    );
    assert!(store.check().unwrap().problems.is_empty());
}

#[test]
fn a_clock_that_jumps_ahead_and_back_erases_nothing_early_and_keeps_nothing_longer() {
    let store = store();
    let log = log(3);
    store.append(&log).unwrap();
    for (day, shown) in [(1, 1), (2, 500), (3, 3), (4, 500), (5, 5)] {
        let report = sweep(&store, shown);
        assert_eq!(report.clock_in_doubt, shown != day, "day {day}");
        assert!(report.erased.is_empty(), "day {day}");
    }
    // Two sweeps at the same wrong time are one sighting.
    for _ in 0..3 {
        assert!(sweep(&store, 500).erased.is_empty());
    }
    for day in 6..98 {
        assert!(sweep(&store, day).erased.is_empty(), "day {day}");
    }
    assert_eq!(sweep(&store, 98).erased.len(), 1);
}

#[test]
fn a_clock_of_1970_erases_nothing() {
    let store = store();
    let mut log = log(3);
    for event in &mut log {
        event.at_unix_ms = event.seq;
    }
    store.append(&log).unwrap();
    let report = store.sweep(&Retention::default(), &by(5), false).unwrap();
    assert!(report.clock_in_doubt && report.erased.is_empty());
    for day in 1..90 {
        assert!(sweep(&store, day).erased.is_empty(), "day {day}");
    }
}

#[test]
fn audit_entries_end_oldest_first_and_the_chain_still_holds() {
    let store = store();
    let few = Retention {
        teaching: 90,
        audit: 10,
    };
    let mut removed = 0;
    for day in 1..40 {
        let report = store.sweep(&few, &by(START + day * DAY), false).unwrap();
        removed += report.audit_removed;
        assert!(store.check().unwrap().problems.is_empty(), "day {day}");
    }
    assert!(removed > 20);
    assert!(store.audit_log().unwrap().len() < 15);
}

proptest! {
    /// Whatever single readings of the clock are wrong, nobody is erased before their days are over.
    #[test]
    fn a_clock_wrong_now_and_then_never_erases_early(
        sweeps in prop::collection::vec((1_u64..40, any::<bool>(), -400_i64..400, any::<bool>()), 1..60),
    ) {
        let mut clock = Sightings::default();
        let mut head = LearnerHead { events: 1, ..LearnerHead::new(crate::protocol::ids::LearnerId::fresh()) };
        let (mut truth, mut active, mut was_wrong) = (START, START, false);
        for (hours, wrong, days, plays) in sweeps {
            truth += hours * 3_600_000;
            if plays {
                head.events += 1;
                active = truth;
            }
            // Never wrong twice in a row: that is a clock that stays wrong.
            let wrong = wrong && !was_wrong;
            let shown = if wrong { truth.saturating_add_signed(days * DAY as i64) } else { truth };
            let Some(not_after) = clock.see(shown) else { continue };
            was_wrong = wrong;
            head = sighted(&head, not_after);
            if gone(&head, &clock, 10) {
                prop_assert!(truth >= active + 10 * DAY, "{} hours early", (active + 10 * DAY - truth) / 3_600_000);
                return Ok(());
            }
        }
    }
}
