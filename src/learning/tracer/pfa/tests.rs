//! Performance factors analysis: by hand, on simulated learners, and what must hold for any log.

use proptest::prelude::*;

use super::super::testing::{
    after, equal_logs_give_equal_states, log, log_and_place, losses, no_success_lowers,
    predicts_probabilities, rasch, weights_are_held_in_range,
};
use super::*;

const SKILL: Question = Question {
    skill: 0,
    item: None,
};

fn of(weights: [f64; 3]) -> PfaParams {
    PfaParams {
        weights,
        covariance: [[0.1, 0.0, 0.0], [0.0, 0.04, 0.0], [0.0, 0.0, 0.04]],
    }
}

#[test]
fn a_worked_example() {
    let pfa = Pfa {
        skills: vec![of([0.2, 0.5, -0.4])],
        pooled: of([0.0; 3]),
    };
    let mut learner = BySkill::default();
    for correct in [true, false, true, true] {
        pfa.observe(&mut learner, SKILL, correct, 1.0);
    }
    // 0.2 + 0.5·ln 4 − 0.4·ln 2 = 0.615888; its variance 0.1 + 0.04·(ln 4)² + 0.04·(ln 2)² = 0.196092.
    let expected = Prediction::of_logit(0.615_888_309, 0.196_092_4f64.sqrt());
    let p = pfa.predict(&learner, SKILL);
    assert!((p.mean - expected.mean).abs() < 1e-8);
    assert!((p.low - expected.low).abs() < 1e-6 && (p.high - expected.high).abs() < 1e-6);
}

#[test]
fn it_learns_the_order_of_the_skills_and_beats_the_mean() {
    let mut pfa = fit(&rasch(150, 1), 2, &|_, _| ());
    let easiness: Vec<f64> = pfa.skills.iter().map(|skill| skill.weights[0]).collect();
    assert!(easiness.is_sorted_by(|a, b| a > b), "{easiness:?}");
    let (constant, loss) = losses(&mut pfa, &rasch(100, 2));
    assert!(loss < constant - 0.05, "{loss} {constant}");
    assert!(pfa.validated().is_ok());
}

#[test]
fn equal_answers_give_equal_weights_on_any_number_of_threads() {
    let answers = rasch(30, 3);
    assert_eq!(fit(&answers, 1, &|_, _| ()), fit(&answers, 4, &|_, _| ()));
}

#[test]
fn the_order_of_learners_does_not_matter() {
    let answers = rasch(30, 3);
    let mut learners: Vec<_> = answers.learners().map(<[_]>::to_vec).collect();
    learners.reverse();
    assert_eq!(
        fit(&answers, 1, &|_, _| ()),
        fit(&Answers::of(learners), 1, &|_, _| ())
    );
}

#[test]
fn no_success_lowers_a_prediction_even_where_the_answers_say_so() {
    // Skill 0 goes well after failures, skill 1 badly after successes.
    let learner = |(skill, outcomes): (u32, [bool; 6])| {
        outcomes.map(|correct| super::super::answers::Answer {
            question: Question { skill, item: None },
            correct,
        })
    };
    let mut well = [true; 6];
    (well[0], well[1]) = (false, false);
    let badly = well.map(|correct| !correct);
    let class = [(0, well), (1, badly)].map(learner);
    let pfa = fit(
        &Answers::of(std::iter::repeat_n(class, 40).flatten()),
        1,
        &|_, _| (),
    );
    // The bounds hold, and it is they that hold: the weight sits on them.
    assert!(
        pfa.skills[0].weights[2].abs() < 1e-12,
        "{:?}",
        pfa.skills[0]
    );
    assert!(
        pfa.skills[1].weights[1].abs() < 1e-12,
        "{:?}",
        pfa.skills[1]
    );
    assert!(pfa.validated().is_ok());
}

#[test]
fn a_skill_without_answers_is_as_all_skills_are() {
    let mut learners: Vec<Vec<_>> = rasch(30, 3).learners().map(<[_]>::to_vec).collect();
    // The last skill, 9, leaves 4 to 8 empty.
    learners[0][0].question.skill = 9;
    let pfa = fit(&Answers::of(learners), 1, &|_, _| ());
    assert_eq!(pfa.skills[5], pfa.pooled);
    let nothing = fit(&Answers::default(), 1, &|_, _| ());
    assert!((nothing.predict(&BySkill::default(), SKILL).mean - 0.5).abs() < 1e-12);
}

#[test]
fn weights_that_break_the_promise_are_refused() {
    let good = of([0.0, 0.1, -0.1]);
    for bad in [
        of([0.0, -0.1, -0.1]),
        of([0.0, 0.1, 0.1]),
        of([f64::NAN, 0.1, -0.1]),
    ] {
        let pfa = Pfa {
            skills: vec![good, bad],
            pooled: good,
        };
        assert_eq!(pfa.validated().unwrap_err().skill, Some(1));
    }
}

fn params() -> impl Strategy<Value = PfaParams> {
    (-5.0..5.0, 0.0..3.0, -3.0..0.0).prop_map(|(a, b, c)| of([a, b, c]))
}

fn pfa() -> impl Strategy<Value = Pfa> {
    (prop::collection::vec(params(), 0..4), params())
        .prop_map(|(skills, pooled)| Pfa { skills, pooled })
}

proptest! {
    #[test]
    fn it_predicts_probabilities_whatever_happened(mut pfa in pfa(), log in log(6)) {
        predicts_probabilities(&mut pfa, &log)?;
    }

    #[test]
    fn no_success_lowers_a_prediction(pfa in pfa(), log in log_and_place(6)) {
        no_success_lowers(&pfa, &log)?;
    }

    #[test]
    fn weights_of_failures_are_held_in_range(pfa in pfa(), log in log(6)) {
        weights_are_held_in_range(&pfa, &log)?;
    }

    #[test]
    fn it_only_depends_on_the_log(pfa in pfa(), log in log(6)) {
        equal_logs_give_equal_states(&pfa, &log)?;
    }

    #[test]
    fn a_failure_of_no_weight_moves_nothing(pfa in pfa(), log in log(6), skill in 0..6u32) {
        let mut learner = after(&pfa, &log);
        let question = Question { skill, item: None };
        let before = pfa.predict(&learner, question);
        pfa.observe(&mut learner, question, false, 0.0);
        prop_assert_eq!(before, pfa.predict(&learner, question));
    }
}
