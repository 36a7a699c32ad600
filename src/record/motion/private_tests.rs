//! Tests of the noise on body attributes.

use proptest::prelude::*;

use super::*;

fn mechanism(epsilon: f64, lower: f64, upper: f64) -> BoundedLaplace {
    BoundedLaplace::new(&Noise {
        epsilon,
        lower,
        upper,
    })
    .unwrap()
}

/// Evenly from `lower` to `upper`, both included.
fn grid(lower: f64, upper: f64, n: u32) -> impl Iterator<Item = f64> + Clone {
    (0..=n).map(move |i| lower + (upper - lower) * f64::from(i) / f64::from(n))
}

#[test]
fn no_output_tells_two_bodies_apart_by_more_than_e_to_the_epsilon() {
    for epsilon in [0.1, 0.5, 1.0, 3.0, 5.0] {
        let m = mechanism(epsilon, 1.0, 1.9);
        let mut worst: f64 = 0.0;
        for x in grid(1.0, 1.9, 60) {
            let mut densities = grid(1.0, 1.9, 60).map(|value| m.density(value, x));
            let first = densities.next().unwrap();
            let (least, most) = densities.fold((first, first), |(a, b), d| (a.min(d), b.max(d)));
            worst = worst.max(most / least);
        }
        assert!(worst <= epsilon.exp() * (1.0 + 1e-9), "{epsilon}: {worst}");
        // And the noise is no larger than it must be.
        assert!(worst >= epsilon.exp() * (1.0 - 1e-9), "{epsilon}: {worst}");
    }
}

#[test]
fn what_is_told_in_centimetres_keeps_the_bound_too() {
    // By counting: how often each centimetre is told, over an even grid of places.
    let m = mechanism(1.0, 1.0, 1.9);
    let n = 200_000;
    let shares = |value: f64| {
        let mut counts = [0_u32; 91];
        for i in 0..n {
            let u = (f64::from(i) + 0.5) / f64::from(n);
            counts[(m.draw(value, u) * 100.0).round() as usize - 100] += 1;
        }
        counts.map(f64::from)
    };
    let all: Vec<[f64; 91]> = grid(1.0, 1.9, 6).map(shares).collect();
    for a in &all {
        for b in &all {
            for (x, y) in a.iter().zip(b) {
                assert!(*y > 0.0);
                assert!(x / y <= 1.0_f64.exp() * 1.01, "{x} to {y}");
            }
        }
    }
}

#[test]
fn densities_weigh_one_and_are_what_is_drawn() {
    let m = mechanism(2.0, 1.0, 1.9);
    for value in [1.0, 1.23, 1.9] {
        let n = 9000;
        let width = 0.9 / f64::from(n);
        let mut below = 0.0;
        for i in 0..n {
            let x = 1.0 + (f64::from(i) + 0.5) * width;
            below += m.density(value, x) * width;
            if i % 500 == 0 {
                // The place of x is the weight below it.
                assert!((m.draw(value, below) - x).abs() < 1e-3);
            }
        }
        assert!((below - 1.0).abs() < 1e-4, "{below}");
    }
}

#[test]
fn what_was_said_is_said_again_and_costs_once() {
    let noise = Noise::of(BodyAttribute::Height);
    let mut report = BodyReport::with_budget(1.5);
    let first = report
        .tell(BodyAttribute::Height, 1.62, &noise, 0.3)
        .unwrap();
    for u in [0.0, 0.5, 0.99] {
        let again = report.tell(BodyAttribute::Height, 1.40, &noise, u).unwrap();
        assert_eq!(again, first);
    }
    assert!((report.spent() - 1.0).abs() < 1e-12);
    // Also after the records were read back.
    let text = serde_json::to_string(&report).unwrap();
    let mut read: BodyReport = serde_json::from_str(&text).unwrap();
    assert_eq!(
        read.tell(BodyAttribute::Height, 1.4, &noise, 0.9).unwrap(),
        first
    );
}

#[test]
fn a_spent_budget_and_no_budget_let_nothing_out() {
    let noise = Noise::of(BodyAttribute::Height);
    let span = Noise::of(BodyAttribute::Span);
    let mut nothing = BodyReport::default();
    assert_eq!(
        nothing.tell(BodyAttribute::Height, 1.6, &noise, 0.5),
        Err(PrivacyError::Spent {
            asked: 1.0,
            left: 0.0
        })
    );
    let mut report = BodyReport::with_budget(1.2);
    report
        .tell(BodyAttribute::Height, 1.6, &noise, 0.5)
        .unwrap();
    assert!(report.tell(BodyAttribute::Span, 1.6, &span, 0.5).is_err());
    assert!((report.spent() - 1.0).abs() < 1e-12);
    for budget in [f64::NAN, f64::INFINITY, -1.0] {
        assert_eq!(BodyReport::with_budget(budget), BodyReport::default());
    }
}

proptest! {
    #[test]
    fn whatever_comes_in_what_goes_out_lies_in_the_range(
        value in prop::num::f64::ANY, u in prop::num::f64::ANY, epsilon in 0.01..10.0,
    ) {
        let m = mechanism(epsilon, 1.0, 1.9);
        let x = m.draw(value, u);
        prop_assert!(value.is_nan() || (1.0..=1.9).contains(&x), "{}", x);
        let mut report = BodyReport::with_budget(10.0);
        let noise = Noise { epsilon, lower: 1.0, upper: 1.9 };
        if let Ok(said) = report.tell(BodyAttribute::Height, value, &noise, u) {
            prop_assert!((100..=190).contains(&said.centimetres));
        }
    }

    #[test]
    fn numbers_that_make_no_mechanism_are_refused(
        epsilon in prop::num::f64::ANY, lower in prop::num::f64::ANY, upper in prop::num::f64::ANY,
    ) {
        if let Ok(m) = BoundedLaplace::new(&Noise { epsilon, lower, upper }) {
            prop_assert!(m.scale.is_finite() && m.scale > 0.0);
        }
    }
}
