//! Worked examples and properties of credit, competency, growth and transfer.

use proptest::prelude::*;

use super::*;
use crate::learning::estimate::Z_95;

const TOLERANCE: Tolerance = Tolerance {
    position: Some(0.010),
    rotation: Some(0.2),
    seconds: None,
};

fn errors(position: f64, rotation: f64) -> Errors {
    Errors {
        position: Some(position),
        rotation: Some(rotation),
        seconds: Some(12.0),
    }
}

#[test]
fn credit_as_worked_by_hand() {
    let p = CreditParams::default();
    let quiet = Noise::default();
    // Within the tolerance: 1. Twice the tolerance, fading to 0 at three: (3 − 2)/2 = 1/2. Time isn't asked for.
    let worth = credit(&errors(0.009, 0.4), &TOLERANCE, &quiet, &p);
    assert_eq!(worth.position, Some(1.0));
    assert!((worth.rotation.unwrap() - 0.5).abs() < 1e-12);
    assert_eq!(worth.time, None);
    assert!((worth.total.unwrap() - (0.7 + 0.15)).abs() < 1e-12);
}

#[test]
fn tracking_noise_is_taken_off_in_quadrature() {
    let p = CreditParams::default();
    let noise = Noise {
        position: 0.012,
        rotation: 0.0,
    };
    // Measured 20 mm with 12 mm of noise: √(400 − 144) = 16 mm, 1.6 tolerances, credit (3 − 1.6)/2 = 0.7.
    let worth = credit(&errors(0.020, 0.0), &TOLERANCE, &noise, &p);
    assert!((worth.position.unwrap() - 0.7).abs() < 1e-12);
    // Nothing but noise is no error.
    let worth = credit(&errors(0.011, 0.0), &TOLERANCE, &noise, &p);
    assert_eq!(worth.position, Some(1.0));
}

#[test]
fn what_was_not_measured_is_left_out_of_the_total() {
    let p = CreditParams::default();
    let only = Errors {
        rotation: Some(0.4),
        ..Errors::default()
    };
    let worth = credit(&only, &TOLERANCE, &Noise::default(), &p);
    assert_eq!(worth.position, None);
    assert!((worth.total.unwrap() - 0.5).abs() < 1e-12);
    let nothing = credit(&Errors::default(), &TOLERANCE, &Noise::default(), &p);
    assert_eq!(nothing, Credit::default());
}

#[test]
fn competency_is_kept_apart_by_dimension() {
    let p = RateParams::default();
    let mut competency = Competency::new(&p);
    let credit = Credit {
        position: Some(0.25),
        ..Credit::default()
    };
    competency.observe(Some(true), &credit, Quality::PERFECT, &p);
    // Beta(1, 1): (1 + 1)/3 and (1 + 0.25)/3.
    let mean = |dimension| competency.rate(dimension).estimate().map(|e| e.mean);
    assert!((mean(Dimension::Choice).unwrap() - 2.0 / 3.0).abs() < 1e-12);
    assert!((mean(Dimension::Position).unwrap() - 1.25 / 3.0).abs() < 1e-12);
    assert_eq!(mean(Dimension::Rotation), None);
    assert_eq!(mean(Dimension::Time), None);
}

#[test]
fn growth_is_the_latest_against_the_first() {
    let p = RateParams::default();
    let mut growth = Growth::new(&p);
    for score in [0.0, 0.0, 0.0, 0.0, 1.0] {
        assert_eq!(growth.estimate(), None);
        growth.observe(score, Quality::PERFECT, &p);
    }
    // First: (1 + 1)/7 = 0.285714. Latest starts there, worth 2; after five successes (2·2/7 + 5)/7 = 0.795918.
    for _ in 0..5 {
        growth.observe(1.0, Quality::PERFECT, &p);
    }
    let estimate = growth.estimate().unwrap();
    assert!((estimate.mean - (0.795_918_367 - 0.285_714_286)).abs() < 1e-8);
    // 0.285714·0.714286/8 + 0.795918·0.204082/8 = 0.025510 + 0.020304
    assert!((estimate.variance - 0.045_814).abs() < 1e-6);
    assert!(growth.interval(Z_95).low > 0.0);
}

#[test]
fn who_stays_the_same_has_not_grown() {
    let p = RateParams::default();
    let mut growth = Growth::new(&p);
    for i in 0..40 {
        growth.observe(f64::from(i % 2), Quality::PERFECT, &p);
    }
    let interval = growth.interval(Z_95);
    assert!(interval.low < 0.0 && interval.high > 0.0);
}

#[test]
fn transfer_is_the_first_attempt_on_something_new_after_a_success() {
    let p = RateParams::default();
    let mut transfer = Transfer::new(&p);
    transfer.observe(0, false, Quality::PERFECT, &p);
    transfer.observe(1, false, Quality::PERFECT, &p);
    transfer.observe(0, true, Quality::PERFECT, &p);
    // Nothing had succeeded before variant 1, and variant 0 was not new.
    assert_eq!(transfer.rate().estimate(), None);
    transfer.observe(2, true, Quality::PERFECT, &p);
    transfer.observe(2, false, Quality::PERFECT, &p);
    transfer.observe(3, false, Quality::PERFECT, &p);
    // Two first attempts, one of them right: (1 + 1)/4.
    let estimate = transfer.rate().estimate().unwrap();
    assert!((estimate.mean - 0.5).abs() < 1e-12);
    assert!((transfer.rate().evidence() - 2.0).abs() < 1e-12);
    let before = transfer;
    transfer.observe(64, true, Quality::PERFECT, &p);
    assert_eq!(transfer, before);
}

proptest! {
    #[test]
    fn noise_never_costs_credit(position in 0.0..0.1, rotation in 0.0..1.0, a in 0.0..0.05, b in 0.0..0.05) {
        let p = CreditParams::default();
        let (quiet, loud): (f64, f64) = if a < b { (a, b) } else { (b, a) };
        let worth = |position_noise| {
            let noise = Noise { position: position_noise, rotation: 0.0 };
            credit(&errors(position, rotation), &TOLERANCE, &noise, &p)
        };
        prop_assert!(worth(loud).position >= worth(quiet).position);
    }

    #[test]
    fn a_smaller_error_never_earns_less(a in 0.0..0.1, b in 0.0..0.1, rotation in 0.0..1.0) {
        let p = CreditParams::default();
        let noise = Noise { position: 0.001, rotation: 0.01 };
        let (small, large): (f64, f64) = if a < b { (a, b) } else { (b, a) };
        let worth = |position| credit(&errors(position, rotation), &TOLERANCE, &noise, &p);
        prop_assert!(worth(small).total >= worth(large).total);
    }

    #[test]
    fn a_failure_without_trust_moves_no_competency(seen in prop::collection::vec(any::<bool>(), 0..20)) {
        let p = RateParams::default();
        let mut competency = Competency::new(&p);
        let mut transfer = Transfer::new(&p);
        for (variant, &correct) in seen.iter().enumerate() {
            let score = f64::from(u8::from(correct));
            let credit = Credit { position: Some(score), rotation: Some(score), time: Some(score), total: None };
            competency.observe(Some(correct), &credit, Quality::PERFECT, &p);
            transfer.observe(u32::try_from(variant).unwrap(), correct, Quality::PERFECT, &p);
        }
        let (before, transferred) = (competency, *transfer.rate());
        let lost = Quality { frame_health: 1.0, tracking: 0.0 };
        let worthless = Credit { position: Some(0.0), rotation: Some(0.0), time: Some(0.0), total: None };
        competency.observe(Some(false), &worthless, lost, &p);
        transfer.observe(40, false, lost, &p);
        prop_assert_eq!(competency, before);
        prop_assert_eq!(*transfer.rate(), transferred);
    }

    #[test]
    fn any_input_stays_in_range(
        position in prop::num::f64::ANY, rotation in prop::num::f64::ANY, seconds in prop::num::f64::ANY, tolerance in prop::num::f64::ANY,
        noise in prop::num::f64::ANY, fade in prop::num::f64::ANY, weight in prop::num::f64::ANY, score in prop::num::f64::ANY, z in prop::num::f64::ANY,
        variant in any::<u32>(),
    ) {
        let worth = credit(
            &Errors { position: Some(position), rotation: Some(rotation), seconds: Some(seconds) },
            &Tolerance { position: Some(tolerance), rotation: Some(0.1), seconds: Some(tolerance) },
            &Noise { position: noise, rotation: noise },
            &CreditParams { fade, weights: [weight, 1.0, weight] },
        );
        for part in [worth.position, worth.rotation, worth.time, worth.total].into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&part));
        }
        let p = RateParams::default();
        let mut growth = Growth::new(&p);
        let mut transfer = Transfer::new(&p);
        for i in 0..12 {
            growth.observe(score * f64::from(i), Quality::PERFECT, &p);
            transfer.observe(variant.wrapping_add(i), i > 3, Quality::PERFECT, &p);
        }
        let interval = growth.interval(z);
        prop_assert!(-1.0 <= interval.low && interval.low <= interval.high && interval.high <= 1.0);
        let transferred = transfer.rate().interval(z);
        prop_assert!(0.0 <= transferred.low && transferred.high <= 1.0);
    }
}
