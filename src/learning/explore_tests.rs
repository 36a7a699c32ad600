//! Exploration: probabilities that can be worked out by hand, and what holds for any record.

use proptest::prelude::*;

use super::*;

fn record(helped: f64, did_not: f64) -> Record {
    Record { helped, did_not }
}

fn bare() -> ExploreRules {
    ExploreRules {
        floor: 0.0,
        ..ExploreRules::default()
    }
}

fn propensities(rules: &ExploreRules, activities: &[Record]) -> Vec<f64> {
    let choice = choose(rules, activities, 0.0).unwrap();
    choice.propensities.iter().copied().collect()
}

#[test]
fn two_that_nobody_has_tried_are_equally_likely() {
    let p = propensities(&bare(), &[Record::default(); 2]);
    assert!(p.iter().all(|p| (p - 0.5).abs() < 1e-9), "{p:?}");
}

#[test]
fn one_success_against_none() {
    // Beta(2,1) against Beta(1,1): P = ∫ 2x · x dx = 2/3. Against Beta(1,2), F = 2x − x²: ∫ 2x(2x − x²) dx = 5/6.
    let p = propensities(&bare(), &[record(1.0, 0.0), record(0.0, 0.0)]);
    assert!((p[0] - 2.0 / 3.0).abs() < 1e-4, "{p:?}");
    let p = propensities(&bare(), &[record(1.0, 0.0), record(0.0, 1.0)]);
    assert!((p[0] - 5.0 / 6.0).abs() < 1e-4, "{p:?}");
    // Of three, Beta(2,1) against two Beta(1,1): ∫ 2x · x² dx = 1/2.
    let three = [record(1.0, 0.0), Record::default(), Record::default()];
    let p = propensities(&bare(), &three);
    assert!((p[0] - 0.5).abs() < 1e-3, "{p:?}");
}

#[test]
fn nothing_to_choose_is_no_choice_and_one_is_certain() {
    assert_eq!(choose(&bare(), &[], 0.5), None);
    let one = choose(&bare(), &[record(3.0, 9.0)], 0.99).unwrap();
    assert!(one.chosen == 0 && (one.propensity - 1.0).abs() < 1e-9);
}

#[test]
fn the_choice_follows_the_propensity() {
    let activities = [record(8.0, 2.0), record(5.0, 5.0), record(1.0, 1.0)];
    let expected = propensities(&ExploreRules::default(), &activities);
    let mut chosen = [0.0; 3];
    for i in 0..10_000 {
        let uniform = (f64::from(i) + 0.5) / 10_000.0;
        chosen[choose(&ExploreRules::default(), &activities, uniform)
            .unwrap()
            .chosen] += 1e-4;
    }
    for (chosen, expected) in chosen.into_iter().zip(expected) {
        assert!((chosen - expected).abs() < 2e-4);
    }
}

#[test]
fn only_what_lies_in_the_band_is_admissible() {
    let band = [0.6, 0.85];
    let success = |mean| Bounded {
        mean,
        lower: 0.0,
        upper: 1.0,
        n: 9,
    };
    assert!(is_admissible(band, &success(0.6)) && is_admissible(band, &success(0.85)));
    assert!(!is_admissible(band, &success(0.59)) && !is_admissible(band, &success(f64::NAN)));
}

proptest! {
    #[test]
    fn propensities_are_probabilities_for_any_record(
        numbers in prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY), 1..12),
        floor in prop::num::f64::ANY, most_trials in prop::num::f64::ANY, uniform in prop::num::f64::ANY,
    ) {
        let activities: Vec<_> = numbers.into_iter().map(|(a, b)| record(a, b)).collect();
        let rules = ExploreRules { floor, most_trials };
        let choice = choose(&rules, &activities, uniform).unwrap();
        prop_assert!((choice.propensities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(choice.propensities.iter().all(|p| (0.0..=1.0 + 1e-9).contains(p)));
        prop_assert_eq!(choice.propensities.iter().nth(choice.chosen).copied(), Some(choice.propensity));
        prop_assert!(choice.propensity > 0.0);
    }

    #[test]
    fn everything_keeps_its_floor(numbers in prop::collection::vec((0.0..1e4_f64, 0.0..1e4_f64), 1..9)) {
        let activities: Vec<_> = numbers.into_iter().map(|(a, b)| record(a, b)).collect();
        let p = propensities(&ExploreRules::default(), &activities);
        prop_assert!(p.iter().all(|p| *p >= 0.05 - 1e-12), "{:?}", p);
    }

    #[test]
    fn who_helped_more_is_chosen_no_less(a in 0.0..60.0_f64, b in 0.0..30.0_f64, more in 0.0..10.0_f64, other in (0.0..30.0_f64, 0.0..30.0_f64)) {
        let other = record(other.0, other.1);
        let before = propensities(&bare(), &[record(a, b), other])[0];
        let after = propensities(&bare(), &[record(a + more, b), other])[0];
        prop_assert!(after >= before - 1e-6);
    }
}
