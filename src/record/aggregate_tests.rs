//! A class's figures: not of too few, never past the budget, and no more than the noise allows.

use proptest::prelude::*;
use uuid::Uuid;

use super::super::chance_for_tests::bits;
use super::*;

fn class(n: u128) -> Vec<(LearnerId, f64)> {
    (0..n)
        .map(|i| (LearnerId(Uuid::from_u128(i + 1)), (i % 10) as f64 / 10.0))
        .collect()
}

const MEAN: Asks = Asks::Mean {
    low: 0.0,
    high: 1.0,
};

fn ask(
    asks: Asks,
    values: &[(LearnerId, f64)],
    class_size: usize,
    epsilon: f64,
    ledger: &mut Ledger,
) -> Result<Answer, AggregateRefusal> {
    answer(
        asks,
        values,
        class_size,
        MicroEpsilon::of(epsilon),
        &AggregatePolicy::default(),
        ledger,
        &mut bits(5),
    )
}

#[test]
fn four_learners_are_too_few_and_five_are_enough() {
    let mut ledger = Ledger::default();
    assert_eq!(
        ask(MEAN, &class(4), 4, 1.0, &mut ledger),
        Err(AggregateRefusal::TooFew {
            learners: 4,
            fewest: 5
        })
    );
    assert!(ask(MEAN, &class(5), 5, 1.0, &mut ledger).is_ok());
}

#[test]
fn all_but_one_are_refused_for_what_the_difference_would_tell() {
    let mut ledger = Ledger::default();
    assert_eq!(
        ask(MEAN, &class(19), 20, 1.0, &mut ledger),
        Err(AggregateRefusal::ByDifference { rest: 1 })
    );
    assert!(ask(MEAN, &class(15), 20, 1.0, &mut ledger).is_ok());
}

#[test]
fn a_spent_budget_refuses_and_charges_nobody() {
    let mut ledger = Ledger::default();
    for _ in 0..3 {
        assert!(ask(MEAN, &class(6), 6, 1.0, &mut ledger).is_ok());
    }
    let before = ledger.clone();
    assert!(matches!(
        ask(MEAN, &class(20), 20, 0.5, &mut ledger),
        Err(AggregateRefusal::Spent { short_of: 6, .. })
    ));
    assert_eq!(ledger, before);
}

#[test]
fn the_ledger_survives_being_written_down() {
    let mut ledger = Ledger::default();
    ask(MEAN, &class(6), 6, 0.25, &mut ledger).unwrap();
    let text = serde_json::to_string(&ledger).unwrap();
    let mut read: Ledger = serde_json::from_str(&text).unwrap();
    assert_eq!(read, ledger);
    let learner = class(1)[0].0;
    assert_eq!(read.spent(learner), MicroEpsilon(250_000));
    read.forget(learner);
    assert_eq!(read.spent(learner), MicroEpsilon(0));
}

#[test]
fn a_learner_counts_once_and_an_answer_costs() {
    let mut twice = class(6);
    twice[1].0 = twice[0].0;
    let mut ledger = Ledger::default();
    assert_eq!(
        ask(MEAN, &twice, 6, 1.0, &mut ledger),
        Err(AggregateRefusal::Twice)
    );
    for free in [0.0, -1.0, f64::NAN] {
        assert!(ask(MEAN, &class(6), 6, free, &mut ledger).is_err());
    }
    let backwards = Asks::Mean {
        low: 1.0,
        high: 0.0,
    };
    assert!(ask(backwards, &class(6), 6, 1.0, &mut ledger).is_err());
}

#[test]
fn answers_are_right_on_average_and_as_wide_as_they_say() {
    let values = class(20);
    let truth = values.iter().map(|(_, value)| value).sum::<f64>() / 20.0;
    let policy = AggregatePolicy::default();
    let mut source = bits(9);
    let (mut sum, mut inside) = (0.0, 0);
    for _ in 0..1000 {
        let mut ledger = Ledger::default();
        let cost = MicroEpsilon::of(1.0);
        let given = answer(MEAN, &values, 20, cost, &policy, &mut ledger, &mut source).unwrap();
        sum += given.value;
        inside += u32::from((given.value - truth).abs() <= given.noise_95);
    }
    assert!((sum / 1000.0 - truth).abs() < 0.01, "{}", sum / 1000.0);
    assert!((920..=980).contains(&inside), "{inside}");
}

proptest! {
    #[test]
    fn one_learners_value_however_wild_moves_the_figure_no_further_than_the_bounds(
        wild in prop::num::f64::ANY, seed in any::<u64>(),
    ) {
        let policy = AggregatePolicy::default();
        let cost = MicroEpsilon::of(1.0);
        let mut values = class(10);
        let mut given = Vec::new();
        for value in [0.0, wild] {
            values[3].1 = value;
            let mut ledger = Ledger::default();
            given.push(answer(MEAN, &values, 10, cost, &policy, &mut ledger, &mut bits(seed)).unwrap().value);
        }
        // The same noise: what is left is the learner's own part, at most a tenth of the width.
        prop_assert!((given[0] - given[1]).abs() <= 0.1 + 1e-9);
        prop_assert!((0.0..=1.0).contains(&given[1]));
    }

    #[test]
    fn nobody_is_ever_charged_beyond_the_budget(costs in prop::collection::vec(0.0..2.0_f64, 1..20)) {
        let mut ledger = Ledger::default();
        for epsilon in costs {
            let _ = ask(Asks::AtLeast { value: 0.5 }, &class(7), 7, epsilon, &mut ledger);
        }
        for (learner, _) in class(7) {
            prop_assert!(ledger.spent(learner) <= AggregatePolicy::default().budget);
        }
    }
}
