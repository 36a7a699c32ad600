//! The batch: the same bits as one at a time.

use std::time::Duration;

use proptest::prelude::*;

use super::super::equation::{Params, Signals, step};
use super::super::event::LearningEvent;
use super::super::weights::Weights;
use super::*;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..=1.0_f64, 1 => Just(f64::NAN), 1 => prop::num::f64::ANY]
}

#[derive(Debug, Clone)]
struct Row {
    index: [f64; 3],
    x: [f64; 4],
    weights: Weights,
    epsilon: f64,
}

fn row() -> impl Strategy<Value = Row> {
    (
        prop::array::uniform3(number()),
        prop::array::uniform4(number()),
        prop::sample::select(LearningEvent::ALL.to_vec()),
        prop::array::uniform4(-0.3..0.9_f64),
        prop_oneof![Just(0.0), number()],
    )
        .prop_map(|(index, x, event, wanted, epsilon)| Row {
            index,
            x,
            weights: Weights::nearest(event, wanted),
            epsilon,
        })
}

proptest! {
    #[test]
    fn a_batch_equals_one_at_a_time_to_the_last_bit(
        rows in prop::collection::vec(row(), 0..67), millis in 0..20_000_u64,
    ) {
        let rate = Rate::over(Duration::from_millis(millis), &Params::default());
        let column = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).collect::<Vec<_>>();
        let [mut value, mut lower, mut upper] = [0, 1, 2].map(|i| column(&|row| row.index[i]));
        let x = [0, 1, 2, 3].map(|i| column(&|row| row.x[i]));
        let w = [0, 1, 2, 3].map(|i| column(&|row| <[f64; 4]>::from(row.weights)[i]));
        let epsilon = column(&|row| row.epsilon);
        step_batch(&rate, Columns {
            value: &mut value,
            lower: &mut lower,
            upper: &mut upper,
            signals: [&x[0], &x[1], &x[2], &x[3]],
            weights: [&w[0], &w[1], &w[2], &w[3]],
            epsilon: &epsilon,
        }).unwrap();
        for (i, row) in rows.iter().enumerate() {
            let [value_before, lower_before, upper_before] = row.index;
            let index = Index { value: value_before, lower: lower_before, upper: upper_before };
            let [learner, knowledge, engagement, assessment] = row.x.map(Some);
            let signals = Signals { learner, knowledge, engagement, assessment };
            let alone = step(&rate, &row.weights, index, &signals, row.epsilon).index;
            prop_assert_eq!(value[i].to_bits(), alone.value.to_bits());
            prop_assert_eq!(lower[i].to_bits(), alone.lower.to_bits());
            prop_assert_eq!(upper[i].to_bits(), alone.upper.to_bits());
        }
    }
}

#[test]
fn columns_of_different_length_are_refused_untouched() {
    let rate = Rate::over(Duration::from_secs(5), &Params::default());
    let (mut value, mut lower, mut upper) = ([0.5; 2], [0.0; 2], [1.0; 2]);
    let two = [1.0; 2];
    let refused = step_batch(
        &rate,
        Columns {
            value: &mut value,
            lower: &mut lower,
            upper: &mut upper,
            signals: [&two, &two, &two[..1], &two],
            weights: [&two; 4],
            epsilon: &two,
        },
    );
    assert_eq!(
        refused,
        Err(ColumnsDiffer {
            shortest: 1,
            longest: 2
        })
    );
    assert!(
        value
            .iter()
            .all(|value| value.to_bits() == 0.5_f64.to_bits())
    );
}
