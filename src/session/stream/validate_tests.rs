//! What is believed and what isn't.

use proptest::prelude::*;

use super::*;
use crate::protocol::ids::{LearnerId, SessionId};
use crate::protocol::sample::{Fields, Occasion, SignalSet};

const NOW: u64 = 1_793_500_000_000;
const INTERVAL: Duration = Duration::from_secs(5);

/// The nth sample of a run, taken and sent every 5 s.
fn sample(n: u32) -> Sample {
    let at = INTERVAL * n;
    Sample {
        learner: LearnerId::fresh(),
        session: SessionId::fresh(),
        number: Sample::number_of(1, n),
        after: 1,
        at,
        at_unix_ms: Some(NOW + at.as_millis() as u64),
        interval: INTERVAL,
        occasion: Occasion::Tick,
        expected: SignalSet::default(),
        fields: Fields::default(),
    }
}

fn with(n: u32, signal: Signal, value: f32) -> Sample {
    let mut sample = sample(n);
    sample.fields.set(signal, Field::Measured { value });
    sample
}

/// A stream that arrives in time.
#[derive(Default)]
struct Stream {
    validator: Validator,
    rules: ValidationRules,
    quarantine: Quarantine,
}

impl Stream {
    fn take(&mut self, sample: &Sample) -> Result<Checked, Fault> {
        let now = NOW + sample.at.as_millis() as u64;
        self.take_at(sample, now)
    }

    fn take_at(&mut self, sample: &Sample, now: u64) -> Result<Checked, Fault> {
        self.validator
            .check(sample, now, &self.rules, &mut self.quarantine)
    }
}

fn any_field() -> impl Strategy<Value = Field> {
    let number = || prop_oneof![prop::num::f32::ANY, -0.5_f32..1.5];
    prop_oneof![
        Just(Field::Absent),
        number().prop_map(|value| Field::Measured { value }),
        (number(), number(), number()).prop_map(|(value, low, high)| Field::Inferred {
            value,
            low,
            high
        }),
    ]
}

proptest! {
    #[test]
    fn whatever_numbers_come_only_believable_ones_get_through_and_the_rest_is_kept(
        signal in prop::sample::select(&Signal::ALL[..]),
        field in any_field(),
    ) {
        let mut stream = Stream::default();
        let mut sample = sample(1);
        sample.fields.set(signal, field);
        let checked = stream.take(&sample).unwrap();
        let rule = SignalRule::of(signal);
        match checked.sample.fields.get(signal) {
            Field::Measured { value } => {
                prop_assert!(value >= rule.low && value <= rule.high);
                prop_assert_eq!(field, Field::Measured { value });
            }
            Field::Inferred { value, low, high } => {
                prop_assert!(rule.low <= low && low <= value && value <= high && high <= rule.high);
                prop_assert_eq!(field, Field::Inferred { value, low, high });
            }
            Field::Absent if field == Field::Absent => {
                prop_assert_eq!(stream.quarantine.total(), 0);
            }
            Field::Absent => {
                let kept: Vec<&Kept> = stream.quarantine.kept().collect();
                prop_assert_eq!(kept.len(), 1);
                prop_assert_eq!(kept[0].signal, Some(signal));
            }
        }
        // The others are as they were.
        for (other, field) in checked.sample.fields.iter() {
            prop_assert!(other == signal || field == Field::Absent);
        }
    }

    #[test]
    fn numbers_and_times_only_grow_in_what_is_believed(
        samples in prop::collection::vec((0_u32..50, 0_u64..100), 1..60),
    ) {
        let mut stream = Stream::default();
        let mut last: Option<(u64, Duration)> = None;
        for (n, at) in samples {
            let sample = Sample { at: Duration::from_secs(at), ..sample(n) };
            let follows = last.is_none_or(|(number, at)| sample.number > number && sample.at >= at);
            let taken = stream.take(&sample);
            prop_assert_eq!(taken.is_ok(), follows);
            if follows {
                last = Some((sample.number, sample.at));
            }
        }
    }
}

#[test]
fn the_quarantine_is_bounded_and_counts_all() {
    let mut stream = Stream::default();
    for n in 0..500 {
        stream.take(&with(n, Signal::Tracking, f32::NAN)).unwrap();
    }
    assert_eq!(
        stream.quarantine.kept().count(),
        super::super::quarantine::KEPT
    );
    assert_eq!(stream.quarantine.count(&Fault::NotFinite), 500);
    let newest = stream.quarantine.kept().last().unwrap();
    assert_eq!(newest.number, Sample::number_of(1, 499));
}

#[test]
fn each_kind_of_what_is_put_aside_is_told_once() {
    let mut stream = Stream::default();
    let mut told = Vec::new();
    for n in 0..5 {
        let value = if n < 3 { f32::NAN } else { 1e9 };
        stream.take(&with(n, Signal::Tracking, value)).unwrap();
        told.extend(std::iter::from_fn(|| stream.quarantine.untold()));
    }
    let told: Vec<_> = told
        .iter()
        .map(|it| (it.number, it.signal, it.fault))
        .collect();
    let [nan, far] = &told[..] else {
        panic!("{told:?}");
    };
    let signal = Some(Signal::Tracking);
    assert_eq!(*nan, (Sample::number_of(1, 0), signal, Fault::NotFinite));
    assert_eq!((far.0, far.1), (Sample::number_of(1, 3), signal));
    assert!(matches!(far.2, Fault::OutOfRange { .. }));
}

#[test]
fn a_sensor_that_stands_still_is_stuck_until_it_moves() {
    let mut stream = Stream::default();
    let mut there = |n, value| {
        let sample = with(n, Signal::HeadMotion, value);
        stream
            .take(&sample)
            .unwrap()
            .sample
            .fields
            .get(Signal::HeadMotion)
            != Field::Absent
    };
    for n in 0..6 {
        assert!(there(n, 0.8), "{n}");
    }
    assert!(!there(6, 0.8));
    assert!(!there(7, 0.8));
    assert!(there(8, 0.800_001));
    // What may stand still does.
    let mut stream = Stream::default();
    for n in 0..50 {
        let checked = stream.take(&with(n, Signal::Tracking, 1.0)).unwrap();
        let tracking = checked.sample.fields.get(Signal::Tracking);
        assert_eq!(tracking, Field::Measured { value: 1.0 });
    }
    assert_eq!(stream.quarantine.total(), 0);
}

#[test]
fn a_clock_that_jumps_by_a_day_costs_one_time_stamp_and_no_figure() {
    let day = 24 * 3600 * 1000;
    for (ahead, back) in [(day, 0), (0, day)] {
        let mut stream = Stream::default();
        stream.take(&with(0, Signal::Tracking, 0.5)).unwrap();
        for n in 1..5 {
            let mut sample = with(n, Signal::Tracking, 0.5);
            let unix = sample.at_unix_ms.unwrap();
            sample.at_unix_ms = Some(unix + ahead - back);
            // The clock of here jumps too: a headset checks its own samples.
            let now = unix + ahead - back;
            let checked = stream.take_at(&sample, now).unwrap();
            let tracking = checked.sample.fields.get(Signal::Tracking);
            assert_eq!(tracking, Field::Measured { value: 0.5 });
            assert_eq!(checked.sample.at_unix_ms.is_none(), n == 1);
        }
        let skew = Fault::ClockSkew { by: Duration::ZERO };
        assert_eq!(stream.quarantine.count(&skew), 1);
    }
}

#[test]
fn a_clock_ahead_of_ours_by_more_than_two_seconds_is_not_believed() {
    let mut stream = Stream::default();
    let tested = |stream: &mut Stream, n, ahead| {
        let sample = sample(n);
        let now = sample.at_unix_ms.unwrap() - ahead;
        stream
            .take_at(&sample, now)
            .unwrap()
            .sample
            .at_unix_ms
            .is_some()
    };
    assert!(tested(&mut stream, 1, 2000));
    assert!(!tested(&mut stream, 2, 2001));
}

#[test]
fn a_process_that_was_dead_for_an_hour_has_no_wrong_clock() {
    let mut stream = Stream::default();
    stream.take(&sample(1)).unwrap();
    // The session's time leaves the interruption out, the wall clock doesn't.
    let mut later = sample(2);
    later.number = Sample::number_of(9, 0);
    let unix = later.at_unix_ms.unwrap() + 3_600_000;
    later.at_unix_ms = Some(unix);
    let checked = stream.take_at(&later, unix).unwrap();
    assert_eq!(checked.sample.at_unix_ms, Some(unix));
}

#[test]
fn what_comes_after_two_intervals_is_late_and_not_lost() {
    let mut stream = Stream::default();
    let now = NOW + 5_000;
    let checked = stream
        .take_at(&with(1, Signal::Tracking, 0.5), now + 10_000)
        .unwrap();
    assert_eq!(checked.late, None);
    let checked = stream
        .take_at(&with(2, Signal::Tracking, 0.5), now + 20_000)
        .unwrap();
    assert_eq!(checked.late, Some(Duration::from_secs(15)));
    let tracking = checked.sample.fields.get(Signal::Tracking);
    assert_eq!(tracking, Field::Measured { value: 0.5 });
}
