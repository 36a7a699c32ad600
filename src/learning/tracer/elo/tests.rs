//! Elo ratings: by hand, on simulated learners, and what must hold for any log.

use proptest::prelude::*;

use super::super::testing::{
    after, equal_logs_give_equal_states, log, log_and_place, losses, predicts_probabilities, rasch,
    weights_are_held_in_range,
};
use super::*;

const GAINS: [Gain; 3] = [
    Gain { a: 0.4, b: 0.05 },
    Gain { a: 0.4, b: 0.1 },
    Gain { a: 0.4, b: 0.1 },
];

fn skill(skill: u32) -> Question {
    Question { skill, item: None }
}

#[test]
fn a_worked_example() {
    let mut elo = Elo::new(GAINS, 0.0);
    let mut learner = LearnerRatings::default();
    elo.learn_question(&learner, skill(0), true);
    // K = 0.4 times a surprise of one half.
    assert!((elo.skills[0].0 + 0.2).abs() < 1e-12);
    elo.observe(&mut learner, skill(0), true, 1.0);
    // Against a difficulty of −0.2: 0.4·(1 − σ(0.2)) = 0.180066 in each of the two ratings.
    assert!((elo.logit(&learner, skill(0)) - (0.2 + 2.0 * 0.180_066_401)).abs() < 1e-8);
    // The second gains are 0.4/1.05 and 0.4/1.1, the difficulty's too.
    let deviation = (0.4f64 / 1.05 + 0.4 / 1.1 + 0.4 / 1.1).sqrt();
    let expected = Prediction::of_logit(0.560_132_802, deviation);
    let p = elo.predict(&learner, skill(0));
    assert!((p.low - expected.low).abs() < 1e-8 && (p.high - expected.high).abs() < 1e-8);
}

#[test]
fn across_skills_a_success_can_lower_a_prediction() {
    // Why the promise in the module's comment is for one skill: A, then B, then A for long, then the chance in B.
    let elo = Elo::new([Gain { a: 1.0, b: 0.0 }; 3], 0.0);
    let b_after = |first: bool| {
        let mut learner = LearnerRatings::default();
        elo.observe(&mut learner, skill(0), first, 1.0);
        elo.observe(&mut learner, skill(1), true, 1.0);
        for round in 0..40 {
            elo.observe(&mut learner, skill(0), round % 2 == 0, 1.0);
        }
        elo.predict(&learner, skill(1)).mean
    };
    assert!(b_after(true) < b_after(false) - 0.01);
}

#[test]
fn it_learns_difficulties_and_beats_the_mean() {
    let mut elo = fit(&rasch(300, 1), 2, &|_, _| ());
    let difficulties: Vec<f64> = elo.skills.iter().map(|rating| rating.0).collect();
    assert!(difficulties.is_sorted(), "{difficulties:?}");
    for items in elo.items.chunks(3) {
        assert!(items[0].0 < items[2].0, "{items:?}");
    }
    let (constant, loss) = losses(&mut elo, &rasch(100, 2));
    assert!(loss < constant - 0.1, "{loss} {constant}");
    assert!(elo.validated().is_ok());
}

#[test]
fn the_search_finds_better_gains_than_it_began_with() {
    let answers = rasch(100, 1);
    let elo = fit(&answers, 1, &|_, _| ());
    let numbers = |gains: [Gain; 3]| {
        let [g, s, d] = gains;
        [g.a, g.b, s.a, s.b, d.a, d.b]
    };
    let found = numbers([elo.general, elo.in_skill, elo.difficulty]);
    assert!(
        loss(&answers, found, elo.usual)
            < loss(&answers, [0.4, 0.05, 0.4, 0.1, 0.4, 0.1], elo.usual)
    );
}

#[test]
fn equal_answers_give_equal_ratings_on_any_number_of_threads() {
    let answers = rasch(30, 3);
    assert_eq!(fit(&answers, 1, &|_, _| ()), fit(&answers, 4, &|_, _| ()));
}

#[test]
fn ratings_that_cannot_be_are_refused() {
    let mut wild = Elo::new(GAINS, 0.0);
    wild.general.a = 3.0;
    assert_eq!(wild.validated(), Err(BadRatings::Gain));
    let mut infinite = Elo::new(GAINS, 0.0);
    infinite.items.push(Rating(f64::INFINITY, 1));
    assert_eq!(infinite.validated(), Err(BadRatings::NotFinite));
    assert_eq!(
        Elo::new(GAINS, f64::NAN).validated(),
        Err(BadRatings::NotFinite)
    );
}

fn elo() -> impl Strategy<Value = Elo> {
    let gain = (1e-3..MOST_A, 0.0..MOST_B).prop_map(|(a, b)| Gain { a, b });
    let ratings = || {
        let rating = (-4.0..4.0, 0..1000u32).prop_map(|(value, n)| Rating(value, n));
        prop::collection::vec(rating, 0..4)
    };
    let gains = (gain.clone(), gain.clone(), gain);
    (gains, -3.0..3.0, ratings(), ratings()).prop_map(|((g, s, d), usual, skills, items)| Elo {
        skills,
        items,
        ..Elo::new([g, s, d], usual)
    })
}

proptest! {
    #[test]
    fn it_predicts_probabilities_whatever_happened(mut elo in elo(), log in log(6)) {
        predicts_probabilities(&mut elo, &log)?;
    }

    #[test]
    fn within_a_skill_no_success_lowers_a_prediction(elo in elo(), log in log_and_place(1)) {
        let (log, place) = log;
        let (mut wrong, mut right) = (log.clone(), log.clone());
        if let (Some(wrong), Some(right)) = (wrong.get_mut(place), right.get_mut(place)) {
            (wrong.0.correct, right.0.correct) = (false, true);
        }
        let (wrong, right) = (after(&elo, &wrong), after(&elo, &right));
        for item in [None, Some(0), Some(99)] {
            let question = Question { skill: 0, item };
            prop_assert!(elo.logit(&right, question) >= elo.logit(&wrong, question) - 1e-9);
        }
    }

    #[test]
    fn a_success_never_lowers_the_very_next_prediction(elo in elo(), log in log(6), skill in 0..6u32) {
        let mut log = log;
        let mut wrong = log.clone();
        if let (Some(right), Some(wrong)) = (log.last_mut(), wrong.last_mut()) {
            (wrong.0.correct, right.0.correct) = (false, true);
        }
        let question = Question { skill, item: None };
        let (right, wrong) = (after(&elo, &log), after(&elo, &wrong));
        prop_assert!(elo.logit(&right, question) >= elo.logit(&wrong, question) - 1e-9);
    }

    #[test]
    fn weights_of_failures_are_held_in_range(elo in elo(), log in log(6)) {
        weights_are_held_in_range(&elo, &log)?;
    }

    #[test]
    fn it_only_depends_on_the_log(elo in elo(), log in log(6)) {
        equal_logs_give_equal_states(&elo, &log)?;
    }

    #[test]
    fn a_failure_of_no_weight_moves_no_rating(elo in elo(), log in log(6), skill in 0..6u32) {
        let mut learner = after(&elo, &log);
        let question = Question { skill, item: Some(1) };
        let before = elo.predict(&learner, question).mean;
        elo.observe(&mut learner, question, false, 0.0);
        prop_assert_eq!(before.to_bits(), elo.predict(&learner, question).mean.to_bits());
    }

    #[test]
    fn with_difficulties_held_learners_do_not_depend_on_each_other(elo in elo(), a in log(6), b in log(6)) {
        let one_after_another = (after(&elo, &a), after(&elo, &b));
        let mut both = (LearnerRatings::default(), LearnerRatings::default());
        let longest = a.len().max(b.len());
        for at in 0..longest {
            for (learner, log) in [(&mut both.1, &b), (&mut both.0, &a)] {
                if let Some((answer, weight)) = log.get(at) {
                    elo.observe(learner, answer.question, answer.correct, *weight);
                }
            }
        }
        prop_assert_eq!(one_after_another, both);
    }
}
