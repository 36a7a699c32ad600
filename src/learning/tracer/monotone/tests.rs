//! The monotone tracer: on simulated learners, and what must hold for any log.

use std::sync::{LazyLock, Mutex};

use proptest::prelude::*;

use super::super::answers::Answers;
use super::super::testing::{
    Log, after, equal_logs_give_equal_states, log, log_and_place, losses, no_success_lowers,
    predicts_probabilities, rasch, weights_are_held_in_range,
};
use super::*;

const QUICK: FitOptions = FitOptions {
    parts: 3,
    epochs: 4,
    rate: 0.005,
    seed: 1,
    threads: 2,
};

/// Fitted once for all tests.
static FITTED: LazyLock<Monotone> = LazyLock::new(|| fit(&rasch(100, 1), &QUICK, &|_, _| ()));

#[test]
fn it_predicts_new_learners_better_than_their_mean() {
    let (constant, loss) = losses(&mut FITTED.clone(), &rasch(100, 2));
    assert!(loss < constant - 0.1, "{loss} {constant}");
}

#[test]
fn the_same_seed_gives_the_same_tracer_on_any_number_of_threads() {
    let quick = FitOptions { epochs: 2, ..QUICK };
    let answers = rasch(20, 1);
    let fitted = |threads, seed| {
        fit(
            &answers,
            &FitOptions {
                threads,
                seed,
                ..quick
            },
            &|_, _| (),
        )
    };
    let one = fitted(1, 1);
    assert_eq!(one, fitted(1, 1));
    assert_eq!(one, fitted(4, 1));
    assert_ne!(one, fitted(1, 2));
}

#[test]
fn every_part_and_epoch_is_reported_once() {
    let heard = Mutex::new(Vec::new());
    fit(
        &rasch(6, 1),
        &FitOptions { epochs: 2, ..QUICK },
        &|done, of| {
            heard.lock().unwrap().push((done, of));
        },
    );
    let mut heard = heard.into_inner().unwrap();
    heard.sort_unstable();
    // Three parts, the whole, two epochs.
    let expected: Vec<_> = (1..=6).map(|done| (done, 6)).collect();
    assert_eq!(heard, expected);
}

#[test]
fn without_answers_it_predicts_one_half() {
    let nothing = fit(&Answers::default(), &QUICK, &|_, _| ());
    let question = Question {
        skill: 0,
        item: Some(0),
    };
    let p = nothing.predict(&LearnerTrace::default(), question);
    assert!((p.mean - 0.5).abs() < 1e-12);
    assert!(nothing.validated().is_ok());
}

#[test]
fn a_file_gives_the_same_predictions_to_the_bit() {
    let json = serde_json::to_string(&*FITTED).unwrap();
    let read: Monotone = serde_json::from_str(&json).unwrap();
    assert_eq!(read, *FITTED);
    let read = read.validated().unwrap();
    let mut learner = LearnerTrace::default();
    for answer in rasch(1, 5).iter() {
        let (one, other) = (
            FITTED.predict(&learner, answer.question),
            read.predict(&learner, answer.question),
        );
        assert_eq!(one.mean.to_bits(), other.mean.to_bits());
        read.observe(&mut learner, answer.question, answer.correct, 1.0);
    }
}

#[test]
fn a_damaged_file_is_refused() {
    let damaged = |damage: fn(&mut Monotone)| {
        let mut tracer = FITTED.clone();
        damage(&mut tracer);
        tracer.validated().unwrap_err()
    };
    let not_monotone = MonotoneError::Network(NetworkError::NotMonotone);
    for damage in [
        (|t: &mut Monotone| t.network.straight[0] = -0.1) as fn(&mut Monotone),
        |t| t.network.inward[3] = -0.1,
        |t| t.network.outward[0] = -0.1,
        |t| t.network.skills[0][1] = -1000.0,
        |t| t.network.hidden_bias[0] = f32::NAN,
        |t| t.network.inward[features::COUNT * network::HIDDEN - 1] = f32::INFINITY,
        |t| t.network.mean[0] = f32::NAN,
        |t| t.network.scale[0] = -1.0,
    ] {
        assert_eq!(damaged(damage), not_monotone);
    }
    let short = damaged(|t| t.network.straight.truncate(3));
    let shape = NetworkError::Shape {
        name: "straight",
        found: 3,
        needed: features::COUNT,
    };
    assert_eq!(short, MonotoneError::Network(shape));
    let json = serde_json::to_string(&*FITTED).unwrap();
    let nothing: Monotone = serde_json::from_str(&json).unwrap();
    assert!(nothing.validated().is_ok());
}

#[test]
fn a_new_learner_is_less_certain_than_one_with_answers() {
    let question = Question {
        skill: 0,
        item: Some(1),
    };
    let mut learner = LearnerTrace::default();
    let new = learner.variance(0);
    for correct in [true, false, true, true, false, true] {
        FITTED.observe(&mut learner, question, correct, 1.0);
    }
    assert!(learner.variance(0) < new / 1.5);
    assert!((learner.variance(1) - new).abs() < 1e-9);
}

#[test]
fn what_is_kept_of_a_learner_is_as_small_as_it_says() {
    assert!(size_of::<state::SkillTrace>() <= 120);
    assert!(size_of::<LearnerTrace>() <= 480);
}

#[test]
fn an_item_is_remembered_until_enough_others_came() {
    let mut learner = LearnerTrace::default();
    for item in 0..=RECENT_ITEMS as u32 {
        let question = Question {
            skill: 0,
            item: Some(item),
        };
        FITTED.observe(&mut learner, question, true, 1.0);
        FITTED.observe(&mut learner, question, false, 0.5);
        let recent = learner.recent(item).unwrap();
        assert!((recent.right - 1.0).abs() < 1e-6 && (recent.wrong - 0.5).abs() < 1e-6);
    }
    assert!(learner.recent(0).is_none());
    assert!(learner.recent(1).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn it_predicts_probabilities_whatever_happened(log in log(6)) {
        predicts_probabilities(&mut FITTED.clone(), &log)?;
    }

    #[test]
    fn no_success_lowers_a_prediction(log in log_and_place(6)) {
        no_success_lowers(&*FITTED, &log)?;
    }

    #[test]
    fn no_input_that_rises_falls_when_a_wrong_answer_turns_right(
        (log, place) in log_and_place(6), skill in 0..6u32, item in 0..30u32,
    ) {
        // The network may leave an input aside; its promise must not rest on that.
        let (mut wrong, mut right) = (log.clone(), log);
        if let (Some(wrong), Some(right)) = (wrong.get_mut(place), right.get_mut(place)) {
            (wrong.0.correct, right.0.correct) = (false, true);
        }
        let inputs = |log: &Log| {
            let mut inputs = [0.0; features::COUNT];
            let question = Question { skill, item: Some(item) };
            features(&after(&*FITTED, log), question, &FITTED.population, &mut inputs);
            inputs
        };
        let (wrong, right) = (inputs(&wrong), inputs(&right));
        for (at, (wrong, right)) in wrong.iter().zip(right).enumerate() {
            if at < features::RISING {
                prop_assert!(right >= wrong - 1e-5 * wrong.abs().max(1.0), "input {at}: {wrong} {right}");
            } else {
                prop_assert!((right - wrong).abs() < 1e-6, "input {at} depends on answers");
            }
        }
    }

    #[test]
    fn weights_of_failures_are_held_in_range(log in log(6)) {
        weights_are_held_in_range(&*FITTED, &log)?;
    }

    #[test]
    fn it_only_depends_on_the_log(log in log(6)) {
        equal_logs_give_equal_states(&*FITTED, &log)?;
    }

    #[test]
    fn a_failure_of_no_weight_moves_no_rating_count_or_streak(log in log(6), skill in 0..6u32) {
        let before = after(&*FITTED, &log);
        let mut learner = before.clone();
        FITTED.observe(&mut learner, Question { skill, item: Some(1) }, false, 0.0);
        let unseen = state::SkillTrace::default();
        let (was, is) = (before.skills.get(skill).unwrap_or(&unseen), learner.skills.get(skill).unwrap());
        let kept = |learner: &LearnerTrace, skill: &state::SkillTrace| {
            [learner.rating.mean, learner.counts.right, learner.counts.wrong,
             skill.rating.mean, skill.counts.right, skill.counts.wrong, skill.streak].map(f32::to_bits)
        };
        prop_assert_eq!(kept(&before, was), kept(&learner, is));
    }

    #[test]
    fn memory_is_bounded_by_the_skills_met(log in log(6)) {
        let mut long: Log = Vec::new();
        for _ in 0..20 {
            long.extend(log.iter().copied());
        }
        let met: std::collections::BTreeSet<_> = log.iter().map(|(answer, _)| answer.question.skill).collect();
        prop_assert_eq!(after(&*FITTED, &long).skills.len(), met.len());
    }
}
