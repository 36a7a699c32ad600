//! The tree against enumeration of everything learners could have known, and against the online predictions.

use proptest::prelude::*;

use super::*;
use crate::learning::bkt::{predict, update};

fn tree(learners: &[Vec<bool>]) -> AnswerTree {
    AnswerTree::new(learners.iter().map(Vec::as_slice))
}

fn class(longest: usize) -> impl Strategy<Value = Vec<Vec<bool>>> {
    prop::collection::vec(prop::collection::vec(any::<bool>(), 0..longest), 0..12)
}

fn params() -> impl Strategy<Value = BktParams> {
    let inner = 0.001..0.999;
    (
        inner.clone(),
        inner.clone(),
        inner.clone(),
        inner,
        0.0..0.999,
    )
        .prop_map(|(prior, learn, slip, guess, forget)| BktParams {
            prior,
            learn,
            slip,
            guess,
            forget,
        })
}

fn rows(counts: &Counts) -> [f64; 10] {
    let Counts {
        prior,
        learn,
        forget,
        slip,
        guess,
    } = counts;
    [
        prior.yes, prior.no, learn.yes, learn.no, forget.yes, forget.no, slip.yes, slip.no,
        guess.yes, guess.no,
    ]
}

/// The definition: every way in which one learner can have known and not known, weighed by its probability.
fn by_enumeration(answers: &[bool], p: &BktParams) -> ([f64; 10], f64) {
    let (mut sum, mut total) = ([0.0; 10], 0.0);
    for path in 0..1_u32 << answers.len() {
        let known = |at: usize| path >> at & 1 == 1;
        let (mut seen, mut weight) = (Counts::default(), 1.0);
        let mut happens = |count: &mut Count, rate: f64, yes: bool| {
            count.add(f64::from(u8::from(yes)), f64::from(u8::from(!yes)));
            weight *= if yes { rate } else { 1.0 - rate };
        };
        happens(&mut seen.prior, p.prior, known(0));
        for (at, &correct) in answers.iter().enumerate() {
            if at > 0 && known(at - 1) {
                happens(&mut seen.forget, p.forget, !known(at));
            } else if at > 0 {
                happens(&mut seen.learn, p.learn, known(at));
            }
            if known(at) {
                happens(&mut seen.slip, p.slip, !correct);
            } else {
                happens(&mut seen.guess, p.guess, correct);
            }
        }
        total += weight;
        for (sum, seen) in sum.iter_mut().zip(rows(&seen)) {
            *sum += weight * seen;
        }
    }
    (sum.map(|s| s / total), total.ln())
}

#[test]
fn learners_share_what_they_have_in_common() {
    let tree = tree(&[
        vec![true, true, false],
        vec![true, true],
        vec![],
        vec![true, true, false],
        vec![false],
    ]);
    // Right, right-right, right-right-wrong and wrong.
    assert_eq!((tree.distinct(), tree.first), (4, 2));
    assert_eq!((tree.learners(), tree.answers()), (4, 9));
}

#[test]
fn the_likelihood_of_two_answers_by_hand() {
    let p = BktParams {
        prior: 0.5,
        learn: 0.1,
        slip: 0.1,
        guess: 0.2,
        forget: 0.0,
    };
    // Right: 0.55. Then P(known) is 0.45/0.55·0.9 + 0.1 = 0.46/0.55, so wrong has 0.46/0.55·0.1 + 0.09/0.55·0.8.
    let expected = (0.046_f64 + 0.072).ln();
    let found = tree(&[vec![true, false]]).log_likelihood(&p);
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
}

#[test]
fn thousands_of_equal_answers_stay_finite() {
    let p = BktParams {
        guess: LEAST_PROBABILITY,
        slip: LEAST_PROBABILITY,
        ..BktParams::default()
    };
    for forget in [0.0, 0.1] {
        let p = BktParams { forget, ..p };
        for answer in [false, true] {
            let tree = tree(&[vec![answer; 5000], vec![!answer; 3000]]);
            let (counts, log_likelihood) = tree.expect(&p, &mut tree.room());
            assert!(log_likelihood.is_finite());
            assert!(rows(&counts).iter().all(|c| c.is_finite() && *c >= 0.0));
            let moves = counts.learn.yes + counts.learn.no + counts.forget.yes + counts.forget.no;
            assert!((moves - 7998.0).abs() < 1e-6, "{moves}");
        }
    }
}

proptest! {
    #[test]
    fn one_learners_counts_are_those_of_the_definition(
        p in params(), answers in prop::collection::vec(any::<bool>(), 1..9),
    ) {
        let tree = tree(std::slice::from_ref(&answers));
        let (counts, log_likelihood) = tree.expect(&p, &mut tree.room());
        let (expected, expected_log) = by_enumeration(&answers, &p);
        prop_assert!((log_likelihood - expected_log).abs() < 1e-9);
        for (found, expected) in rows(&counts).into_iter().zip(expected) {
            prop_assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn a_tree_counts_what_its_learners_count_one_by_one(p in params(), class in class(12)) {
        let whole = tree(&class);
        let (counts, log_likelihood) = whole.expect(&p, &mut whole.room());
        let (mut sum, mut log_sum) = ([0.0; 10], 0.0);
        for learner in class {
            let one = tree(&[learner]);
            let (counts, log_likelihood) = one.expect(&p, &mut one.room());
            log_sum += log_likelihood;
            for (sum, one) in sum.iter_mut().zip(rows(&counts)) {
                *sum += one;
            }
        }
        prop_assert!((log_likelihood - log_sum).abs() < 1e-9);
        for (found, expected) in rows(&counts).into_iter().zip(sum) {
            prop_assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn the_likelihood_is_that_of_the_online_predictions(p in params(), class in class(30)) {
        let mut expected = 0.0;
        for learner in &class {
            let mut known = p.prior;
            for &correct in learner {
                let right = predict(known, &p);
                expected += if correct { right.ln() } else { (1.0 - right).ln() };
                known = update(known, correct, &p);
            }
        }
        prop_assert!((tree(&class).log_likelihood(&p) - expected).abs() < 1e-6);
    }

    #[test]
    fn the_order_of_learners_does_not_matter(
        (class, other) in class(6).prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle())),
    ) {
        prop_assert_eq!(tree(&class), tree(&other));
    }
}
