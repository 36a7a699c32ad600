//! Deadlines and intervals.

use proptest::prelude::*;

use super::*;

const BASE: Duration = Duration::from_secs(5);
const FRAME: Duration = Duration::from_micros(13_889);

fn frames(shown: f64, busy: f64) -> Circumstances {
    let busy = Some(busy);
    let frames = Some(FramePace { shown, busy });
    Circumstances {
        frames,
        activity: None,
    }
}

fn active(activity: f64) -> Circumstances {
    let activity = Some(activity);
    Circumstances {
        activity,
        ..Circumstances::default()
    }
}

#[test]
fn the_interval_follows_the_table_of_the_sources() {
    let rules = ScheduleRules::default();
    let seconds = |now: &Circumstances| rules.interval(now).as_secs_f64();
    let is = |now, expected: f64| assert!((seconds(&now) - expected).abs() < 1e-9, "{now:?}");
    is(Circumstances::default(), 5.0);
    is(frames(0.79, 0.1), 7.5);
    is(frames(0.8, 0.9), 5.0);
    // Every frame of a 72 Hz display in time, with time to spare: the original waited for more than 90 Hz.
    is(frames(1.0, 0.5), 4.0);
    is(frames(1.0, 0.81), 5.0);
    is(active(0.81), 4.5);
    is(active(0.29), 6.0);
    is(active(0.5), 5.0);
    // 5 · 1.5 · 1.2 = 9, and calm lengthens to 8 at most.
    is(
        Circumstances {
            frames: frames(0.5, 1.0).frames,
            ..active(0.1)
        },
        8.0,
    );
    is(
        Circumstances {
            frames: frames(1.0, 0.1).frames,
            ..active(0.9)
        },
        3.6,
    );
    is(frames(f64::NAN, f64::NAN), 5.0);
}

#[test]
fn no_limit_turns_a_lengthening_into_a_shortening() {
    let slow = ScheduleRules {
        base: Duration::from_secs(9),
        ..ScheduleRules::default()
    };
    assert_eq!(slow.interval(&active(0.1)), Duration::from_secs(9));
    let quick = ScheduleRules {
        base: Duration::from_millis(2500),
        ..ScheduleRules::default()
    };
    assert_eq!(quick.interval(&active(0.9)), Duration::from_millis(2500));
}

proptest! {
    #[test]
    fn every_interval_is_between_two_and_ten_seconds(
        shown in prop::num::f64::ANY,
        busy in prop::option::of(prop::num::f64::ANY),
        activity in prop::option::of(prop::num::f64::ANY),
        base in 0_u64..u64::MAX,
    ) {
        let rules = ScheduleRules { base: Duration::from_micros(base), ..ScheduleRules::default() };
        let now = Circumstances { frames: Some(FramePace { shown, busy }), activity };
        let interval = rules.interval(&now);
        prop_assert!(interval >= rules.shortest && interval <= rules.longest);
    }

    #[test]
    fn late_frames_never_add_up_to_a_drift_and_no_sample_comes_in_a_burst(
        late in prop::collection::vec(0_u64..4_000, 1..300),
        ordinal in 0_u32..64,
    ) {
        let rules = ScheduleRules::default();
        let mut schedule = Schedule::new(Duration::ZERO, ordinal, &rules);
        let mut errors = Histogram::default();
        let first = schedule.next();
        for (n, late) in late.iter().enumerate() {
            let deadline = schedule.next();
            prop_assert_eq!(deadline, first + BASE * n as u32);
            let just_before = deadline.saturating_sub(Duration::from_nanos(1));
            if deadline > Duration::ZERO {
                prop_assert_eq!(schedule.poll(just_before, BASE, &mut errors), None);
            }
            let now = deadline + Duration::from_millis(*late);
            let late = Duration::from_millis(*late);
            prop_assert_eq!(schedule.poll(now, BASE, &mut errors), Some(Due { late, missed: 0 }));
            prop_assert_eq!(schedule.poll(now, BASE, &mut errors), None);
        }
    }

    #[test]
    fn after_a_stall_comes_one_sample_and_the_rest_is_counted(stall in 5_000_u64..1_000_000) {
        let rules = ScheduleRules::default();
        let mut errors = Histogram::default();
        let mut schedule = Schedule::new(Duration::ZERO, 0, &rules);
        schedule.poll(Duration::ZERO, BASE, &mut errors).unwrap();
        let now = Duration::from_millis(stall);
        let due = schedule.poll(now, BASE, &mut errors).unwrap();
        prop_assert_eq!(u64::from(due.missed), stall / 5_000 - 1);
        prop_assert_eq!(schedule.missed(), stall / 5_000 - 1);
        prop_assert_eq!(schedule.poll(now, BASE, &mut errors), None);
        prop_assert!(schedule.next() > now && schedule.next() <= now + BASE);
        prop_assert_eq!(errors.longest(), now - BASE);
    }
}

#[test]
fn sixty_four_learners_are_never_due_in_the_same_frame() {
    let rules = ScheduleRules::default();
    let mut schedules: Vec<Schedule> = (0..64)
        .map(|ordinal| Schedule::new(Duration::ZERO, ordinal, &rules))
        .collect();
    let mut errors = Histogram::default();
    let mut now = Duration::ZERO;
    while now < Duration::from_secs(60) {
        let due = schedules
            .iter_mut()
            .filter_map(|schedule| schedule.poll(now, BASE, &mut errors))
            .count();
        assert!(due <= 1, "{due} at {now:?}");
        now += FRAME;
    }
    assert!(errors.n() > 64 * 10);
    // In frames of 13.9 ms nothing is later than a frame.
    assert!(errors.quantile(0.99).unwrap() <= FRAME);
}
