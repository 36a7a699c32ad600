//! Criteria: probabilities by hand, and guards that do not average.

use proptest::prelude::*;

use super::*;

fn estimate(mean: f64, lower: f64, upper: f64, n: u32) -> Bounded {
    Bounded {
        mean,
        lower,
        upper,
        n,
    }
}

#[test]
fn the_distribution_function_agrees_with_the_tables() {
    for (x, table) in [
        (0.0, 0.5),
        (1.0, 0.841_344_746),
        (-1.96, 0.024_997_895),
        (3.0, 0.998_650_102),
        (f64::NEG_INFINITY, 0.0),
        (f64::INFINITY, 1.0),
    ] {
        assert!((normal_cdf(x) - table).abs() < 1e-7, "{x}");
    }
}

#[test]
fn the_ends_of_the_interval_are_its_quantiles() {
    // Lower end, middle and upper end of a skewed estimate: 97.5 %, 50 % and 2.5 % lie above.
    let skewed = estimate(0.9, 0.6, 0.95, 9);
    assert!((skewed.probability_at_least(0.6) - 0.975).abs() < 1e-6);
    assert!((skewed.probability_at_least(0.9) - 0.5).abs() < 1e-6);
    assert!((skewed.probability_at_least(0.95) - 0.025).abs() < 1e-6);
    // Half way from the middle to the lower end: Φ(0.98) = .836457.
    assert!((skewed.probability_at_least(0.75) - 0.836_457).abs() < 1e-5);
    let certain = estimate(0.5, 0.5, 0.5, 9);
    assert!(certain.probability_at_least(0.5) > 0.999 && certain.probability_at_least(0.51) < 1e-9);
}

fn report(criterion: Criterion, basis: Basis, estimate: Option<Bounded>) -> GuardReport {
    let requirement = Requirement {
        criterion,
        needed: 0.8,
        basis,
    };
    let criteria = estimate.map_or(Criteria::default(), |estimate| {
        Criteria::default().with(criterion, estimate)
    });
    GuardReport::criterion(&requirement, &criteria, 5, false)
}

#[test]
fn the_lower_bound_decides_and_not_the_mean() {
    let sure = report(
        Criterion::Fluency,
        Basis::Required,
        Some(estimate(0.9, 0.8, 0.95, 9)),
    );
    assert_eq!((sure.standing, sure.passes), (Standing::Held, true));
    let unsure = report(
        Criterion::Fluency,
        Basis::Required,
        Some(estimate(0.95, 0.79, 1.0, 9)),
    );
    assert_eq!((unsure.standing, unsure.passes), (Standing::Open, false));
}

#[test]
fn four_attempts_are_too_few() {
    let few = report(
        Criterion::Fluency,
        Basis::Required,
        Some(estimate(1.0, 1.0, 1.0, 4)),
    );
    assert_eq!(
        (few.standing, few.passes),
        (Standing::TooLittleEvidence, false)
    );
    let one_report = report(
        Criterion::Comfort,
        Basis::Required,
        Some(estimate(1.0, 1.0, 1.0, 1)),
    );
    assert!(one_report.passes);
}

#[test]
fn what_nobody_assessed_holds_nobody_up_unless_it_is_required() {
    let teaching = report(Criterion::Teaching, Basis::IfAssessed, None);
    assert_eq!(
        (teaching.standing, teaching.passes, teaching.probability),
        (Standing::NotAssessed, true, None)
    );
    let fluency = report(Criterion::Fluency, Basis::Required, None);
    assert_eq!((fluency.passes, fluency.probability), (false, Some(0.0)));
    let poor = report(
        Criterion::Teaching,
        Basis::IfAssessed,
        Some(estimate(0.2, 0.1, 0.3, 1)),
    );
    assert!(!poor.passes, "an instructor's low score does");
}

#[test]
fn of_strain_less_is_better() {
    let requirement = Requirement {
        criterion: Criterion::Strain,
        needed: 0.3,
        basis: Basis::Required,
    };
    let strained = |upper| {
        let criteria = Criteria::default().with(Criterion::Strain, estimate(0.1, 0.0, upper, 3));
        GuardReport::criterion(&requirement, &criteria, 5, false)
    };
    assert!(strained(0.3).passes && !strained(0.31).passes);
    assert!((strained(0.3).probability.unwrap_or(0.0) - 0.975).abs() < 1e-6);
}

proptest! {
    #[test]
    fn a_probability_for_any_numbers(
        numbers in prop::array::uniform4(prop::num::f64::ANY), n in any::<u32>(),
    ) {
        let [mean, lower, upper, needed] = numbers;
        let p = estimate(mean, lower, upper, n).probability_at_least(needed);
        prop_assert!((0.0..=1.0).contains(&p), "{p}");
    }

    #[test]
    fn asking_for_more_is_never_likelier_to_be_met(
        mut x in prop::array::uniform3(0.0..=1.0_f64), needed in 0.0..1.0_f64, more in 0.0..0.5_f64,
    ) {
        x.sort_by(f64::total_cmp);
        let e = estimate(x[1], x[0], x[2], 9);
        prop_assert!(e.probability_at_least(needed + more) <= e.probability_at_least(needed) + 1e-7);
    }

    #[test]
    fn a_guard_that_holds_is_met_with_97_5_percent(
        mut x in prop::array::uniform3(0.0..=1.0_f64), needed in 0.0..1.0_f64,
    ) {
        x.sort_by(f64::total_cmp);
        let requirement = Requirement { criterion: Criterion::Fluency, needed, basis: Basis::Required };
        let criteria = Criteria::default().with(Criterion::Fluency, estimate(x[1], x[0], x[2], 9));
        let report = GuardReport::criterion(&requirement, &criteria, 5, false);
        if report.passes {
            prop_assert!(report.probability.unwrap() >= 0.975 - 1e-6);
        }
    }
}
