//! Best-LR: by hand, on simulated learners, and what must hold for any log.

use proptest::prelude::*;

use super::super::testing::{
    after, equal_logs_give_equal_states, log, losses, predicts_probabilities, rasch,
    weights_are_held_in_range,
};
use super::*;

fn some() -> BestLr {
    BestLr {
        shared: [0.1, 0.3, -0.2, 0.4, -0.1],
        skills: vec![Weight(0.5, 0.1), Weight(-0.5, 0.2)],
        items: vec![Weight(-0.3, 0.3)],
    }
}

#[test]
fn a_worked_example() {
    let lr = some();
    let mut learner = LearnerCounts::default();
    let (first, second) = (
        Question {
            skill: 0,
            item: Some(0),
        },
        Question {
            skill: 1,
            item: None,
        },
    );
    lr.observe(&mut learner, first, true, 1.0);
    lr.observe(&mut learner, second, false, 1.0);
    // 0.1 + 0.3·ln 2 − 0.2·ln 2 + 0.4·ln 2 − 0.1·ln 1 + 0.5 − 0.3 = 0.3 + 0.5·ln 2; variance 0.1 + 0.3.
    let expected = Prediction::of_logit(0.3 + 0.5 * 2f64.ln(), 0.4f64.sqrt());
    let p = lr.predict(&learner, first);
    assert!((p.mean - expected.mean).abs() < 1e-9 && (p.low - expected.low).abs() < 1e-6);
    // A new item is uncertain; fitted without items, there is nothing to be uncertain about.
    let new = Question {
        skill: 1,
        item: Some(7),
    };
    assert!(lr.predict(&learner, new).high > lr.predict(&learner, second).high);
    let without = BestLr {
        items: Vec::new(),
        ..lr
    };
    assert_eq!(
        without.predict(&learner, new),
        without.predict(&learner, second)
    );
}

#[test]
fn the_fit_is_where_the_log_posterior_is_flat() {
    let answers = rasch(60, 1);
    let lr = fit(&answers, &|_, _| ());
    let mut slopes = vec![0.0; lr.skills.len() + lr.items.len() + SHARED];
    for example in examples(&answers) {
        let item = example.item.unwrap();
        let logit =
            dot(&lr.shared, &example.inputs) + lr.skills[example.skill].0 + lr.items[item].0;
        let surprise = f64::from(example.correct) - sigmoid(logit);
        for (slope, input) in slopes.iter_mut().zip(example.inputs) {
            *slope += surprise * input;
        }
        slopes[SHARED + example.skill] += surprise;
        slopes[SHARED + lr.skills.len() + item] += surprise;
    }
    slopes[0] -= INTERCEPT_PRECISION * lr.shared[0];
    for (slope, weight) in slopes[1..].iter_mut().zip(&lr.shared[1..]) {
        *slope -= PRECISION * weight;
    }
    let one_hot = lr.skills.iter().chain(&lr.items);
    for (slope, weight) in slopes[SHARED..].iter_mut().zip(one_hot) {
        *slope -= PRECISION * weight.0;
    }
    // 1800 answers inform a shared weight by more than 1000: a slope of 0.2 is less than 0.0002 logits away.
    assert!(slopes.iter().all(|slope| slope.abs() < 0.2), "{slopes:?}");
}

#[test]
fn it_learns_the_order_of_the_skills_and_beats_the_mean() {
    let mut lr = fit(&rasch(150, 1), &|_, _| ());
    let easiness: Vec<f64> = lr.skills.iter().map(|weight| weight.0).collect();
    assert!(easiness.is_sorted_by(|a, b| a > b), "{easiness:?}");
    for items in lr.items.chunks(3) {
        assert!(items[0].0 > items[2].0, "{items:?}");
    }
    let (constant, loss) = losses(&mut lr, &rasch(100, 2));
    assert!(loss < constant - 0.1, "{loss} {constant}");
    assert!(lr.validated().is_ok());
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    let mut lr = some();
    lr.items.push(Weight(f64::NAN, 1.0));
    assert_eq!(lr.validated(), Err(NotFinite));
    let mut lr = some();
    lr.skills.push(Weight(0.0, -1.0));
    assert_eq!(lr.validated(), Err(NotFinite));
}

proptest! {
    #[test]
    fn it_predicts_probabilities_whatever_happened(log in log(6)) {
        predicts_probabilities(&mut some(), &log)?;
    }

    #[test]
    fn weights_of_failures_are_held_in_range(log in log(6)) {
        weights_are_held_in_range(&some(), &log)?;
    }

    #[test]
    fn it_only_depends_on_the_log(log in log(6)) {
        equal_logs_give_equal_states(&some(), &log)?;
    }

    #[test]
    fn a_failure_of_no_weight_moves_nothing(log in log(6), skill in 0..6u32) {
        let lr = some();
        let mut learner = after(&lr, &log);
        let question = Question { skill, item: Some(0) };
        let before = lr.predict(&learner, question);
        lr.observe(&mut learner, question, false, 0.0);
        prop_assert_eq!(before, lr.predict(&learner, question));
    }
}
