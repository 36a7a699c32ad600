//! Comfort: what exposure, answers and breaks do to it, and what follows.

use proptest::prelude::*;

use super::*;
use crate::learning::event::{LearningEvent, Place};
use crate::learning::event_criteria::Criterion;
use crate::learning::few::Few;
use crate::learning::five::Five;
use crate::learning::five::observation::{Moment, Observation};
use crate::learning::five::params::Params;

const P: fn() -> ComfortParams = ComfortParams::default;

fn minutes(n: u64) -> Exposure {
    Exposure {
        dt: Duration::from_secs(60 * n),
        ..Exposure::default()
    }
}

fn exposed(to: &Exposure) -> f64 {
    let mut comfort = Comfort::new(&P());
    comfort.exposed(to, &P());
    comfort.sickness().0
}

#[test]
fn a_worked_example() {
    // A minute: 0.08 + 2 rad · 0.06 + 1 rad snapped · 0.3 · 0.06 + 3 m/s · 0.05 + 0.1 · 60 s · 0.3 = 2.168.
    let to = Exposure {
        dt: Duration::from_secs(60),
        turned: 2.0,
        snapped: 1.0,
        acceleration: 3.0,
        missed: 0.1,
    };
    assert!((exposed(&to) - 2.168).abs() < 1e-9, "{}", exposed(&to));
}

#[test]
fn an_answer_makes_the_expectation_the_learners_own() {
    let mut delicate = Comfort::new(&P());
    delicate.exposed(&minutes(10), &P());
    let (before, interval) = delicate.sickness();
    delicate.answered(6.0, &P());
    let (after, narrower) = delicate.sickness();
    assert!(after > 2.0 * before, "{before} {after}");
    delicate.answered(6.0, &P());
    // The next ten minutes are expected to do more to this one than to a middling learner.
    let (a, b) = (delicate.sickness().0, {
        delicate.exposed(&minutes(10), &P());
        delicate.sickness().0
    });
    assert!(b - a > exposed(&minutes(10)), "{a} {b}");
    assert!(narrower.width() / after < interval.width() / before);
}

#[test]
fn a_break_is_offered_once_and_not_again_at_once() {
    let mut comfort = Comfort::new(&P());
    comfort.exposed(&minutes(5), &P());
    comfort.answered(12.0, &P());
    assert_eq!(comfort.advise(&P()), Advice::OfferBreak);
    assert_ne!(comfort.advise(&P()), Advice::OfferBreak);
    comfort.exposed(&minutes(4), &P());
    assert_ne!(comfort.advise(&P()), Advice::OfferBreak);
    comfort.exposed(&minutes(1), &P());
    assert_eq!(comfort.advise(&P()), Advice::OfferBreak);
    comfort.rested(Duration::from_secs(1200), &P());
    assert_ne!(comfort.advise(&P()), Advice::OfferBreak);
}

#[test]
fn who_was_never_asked_is_asked() {
    let mut comfort = Comfort::new(&P());
    assert_eq!(comfort.advise(&P()), Advice::Nothing);
    comfort.exposed(&minutes(5), &P());
    assert_eq!(comfort.advise(&P()), Advice::Ask);
    comfort.answered(0.0, &P());
    assert_eq!(comfort.advise(&P()), Advice::Nothing);
}

/// A learner whose hands do everything right, and who answers `fms`.
fn onboarded(fms: f64) -> Place {
    let p = Params::default();
    let mut five = Five::new(1, &p);
    let mut shows = Few::default();
    for criterion in [
        Criterion::Interactions,
        Criterion::Orientation,
        Criterion::Interface,
    ] {
        shows.push(criterion);
    }
    five.told(Criterion::Comfort, of_answer(fms), &p);
    for _ in 0..150 {
        let seen = Observation {
            correct: true,
            shows,
            ..Observation::default()
        };
        five.observe(&seen, &p);
        let moment = Moment {
            dt: Duration::from_secs(2),
            ready: true,
            ..Moment::default()
        };
        five.tick(&moment, &p);
    }
    five.chart().place()
}

#[test]
fn onboarding_cannot_be_passed_while_uncomfortable() {
    assert!(matches!(
        onboarded(1.0),
        Place::In(LearningEvent::Introduction, _)
    ));
    for fms in [5.0, 7.0, 12.0, 20.0] {
        let place = onboarded(fms);
        assert!(
            matches!(place, Place::In(LearningEvent::Onboarding, _)),
            "{fms} {place:?}"
        );
    }
}

proptest! {
    #[test]
    fn more_exposure_is_never_expected_to_feel_better(
        turned in 0.0..50.0_f64, snapped in 0.0..50.0_f64, acceleration in 0.0..50.0_f64, missed in 0.0..=1.0_f64,
        more in 0.0..10.0_f64, seconds in 0_u64..600,
    ) {
        let to = Exposure { dt: Duration::from_secs(seconds), turned, snapped, acceleration, missed };
        let least = exposed(&to);
        for worse in [
            Exposure { turned: turned + more, ..to },
            Exposure { snapped: snapped + more, ..to },
            Exposure { acceleration: acceleration + more, ..to },
            Exposure { missed: missed + more, ..to },
        ] {
            prop_assert!(exposed(&worse) >= least);
        }
    }

    #[test]
    fn any_numbers_at_all_keep_it_in_range(
        doses in prop::collection::vec(prop::array::uniform5(prop::num::f64::ANY), 0..20),
        odd in prop::array::uniform5(prop::num::f64::ANY),
    ) {
        let [per_radian, leak, people, answer, per_minute] = odd;
        for p in [P(), ComfortParams { per_radian, leak, people, answer, per_minute, ..P() }] {
            let mut comfort = Comfort::new(&p);
            for [turned, snapped, acceleration, missed, fms] in &doses {
                let to = Exposure {
                    dt: Duration::from_secs(5),
                    turned: *turned, snapped: *snapped, acceleration: *acceleration, missed: *missed,
                };
                comfort.exposed(&to, &p);
                comfort.answered(*fms, &p);
                comfort.advise(&p);
                let (sickness, interval) = comfort.sickness();
                prop_assert!((0.0..=MOST).contains(&sickness), "{sickness}");
                prop_assert!(interval.low <= sickness && sickness <= interval.high);
            }
        }
    }

    #[test]
    fn how_the_time_is_cut_changes_little(seconds in 10_u64..600, turned in 0.0..10.0_f64) {
        let whole = Exposure { dt: Duration::from_secs(seconds), turned, ..Exposure::default() };
        let mut comfort = Comfort::new(&P());
        for _ in 0..seconds {
            let part = Exposure { dt: Duration::from_secs(1), turned: turned / seconds as f64, ..whole };
            comfort.exposed(&part, &P());
        }
        // A dose at the end of a stretch hasn't leaked yet: at most the stretch's share of the time constant is off.
        let off = (comfort.sickness().0 - exposed(&whole)).abs();
        prop_assert!(off <= exposed(&whole) * seconds as f64 / 1500.0 + 1e-9);
    }
}
