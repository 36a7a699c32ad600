//! The tracer over many skills; the model itself is tested in `learning::bkt`, its fit in `learning::bkt_fit`.

use proptest::prelude::*;

use super::super::answers::Answer;
use super::super::testing::{
    Log, after, equal_logs_give_equal_states, log, log_and_place, losses, no_success_lowers,
    predicts_probabilities, rasch, weights_are_held_in_range,
};
use super::*;

const SKILL: Question = Question {
    skill: 0,
    item: None,
};

fn one(params: BktParams) -> Bkt {
    Bkt {
        skills: vec![params],
        pooled: BktParams::default(),
    }
}

#[test]
fn a_worked_example() {
    let bkt = one(BktParams {
        prior: 0.5,
        learn: 0.1,
        slip: 0.1,
        guess: 0.2,
        forget: 0.0,
    });
    let mut learner = BySkill::default();
    let p = bkt.predict(&learner, SKILL);
    assert!((p.mean - 0.55).abs() < 1e-12);
    // Known or not, both are likely: the interval spans what either would do.
    assert!((p.low - 0.2).abs() < 1e-12 && (p.high - 0.9).abs() < 1e-12);
    bkt.observe(&mut learner, SKILL, true, 1.0);
    // As in `learning::bkt`: 9/11 + 2/11·0.1.
    assert!((bkt.known(&learner, 0) - 9.2 / 11.0).abs() < 1e-12);
    for _ in 0..5 {
        bkt.observe(&mut learner, SKILL, true, 1.0);
    }
    // Surely known: what is left is the slip.
    let p = bkt.predict(&learner, SKILL);
    assert!(p.low > 0.89 && (p.high - 0.9).abs() < 1e-12);
}

#[test]
fn half_a_failure_moves_the_belief_half_the_way() {
    let p = BktParams {
        learn: 1e-9,
        prior: 0.5,
        slip: 0.1,
        guess: 0.2,
        forget: 0.0,
    };
    let mut learner = BySkill::default();
    one(p).observe(&mut learner, SKILL, false, 0.5);
    // The whole way leads from 1/2 to 1/9.
    assert!((learner.get(0).unwrap() - (0.5 + 1.0 / 9.0) / 2.0).abs() < 1e-8);
}

#[test]
fn it_predicts_new_learners_better_than_their_mean() {
    let options = FitOptions {
        forgetting: true,
        ..FitOptions::default()
    };
    let threads = NonZeroUsize::new(2).unwrap();
    let mut bkt = fit(&rasch(150, 1), &options, threads, &|_, _| ());
    let (constant, loss) = losses(&mut bkt, &rasch(100, 2));
    assert!(loss < constant - 0.05, "{loss} {constant}");
    assert!(bkt.validated().is_ok());
}

#[test]
fn a_parameter_out_of_range_is_refused() {
    let wrong = BktParams {
        guess: 0.9,
        ..BktParams::default()
    };
    assert_eq!(one(wrong).validated().unwrap_err().name, "guess");
}

fn bkt() -> impl Strategy<Value = Bkt> {
    let unit = 1e-6..0.999_999;
    let params = (unit.clone(), unit, 1e-6..0.3, 1e-6..0.3, 0.0..1.0).prop_map(
        |(prior, learn, slip, guess, share)| BktParams {
            prior,
            learn,
            slip,
            guess,
            forget: share * (1.0 - learn),
        },
    );
    (prop::collection::vec(params.clone(), 0..4), params)
        .prop_map(|(skills, pooled)| Bkt { skills, pooled })
}

proptest! {
    #[test]
    fn it_predicts_probabilities_whatever_happened(mut bkt in bkt(), log in log(6)) {
        predicts_probabilities(&mut bkt, &log)?;
    }

    #[test]
    fn no_success_lowers_a_prediction(bkt in bkt(), log in log_and_place(6)) {
        no_success_lowers(&bkt, &log)?;
    }

    #[test]
    fn weights_of_failures_are_held_in_range(bkt in bkt(), log in log(6)) {
        weights_are_held_in_range(&bkt, &log)?;
    }

    #[test]
    fn it_only_depends_on_the_log(bkt in bkt(), log in log(6)) {
        equal_logs_give_equal_states(&bkt, &log)?;
    }

    #[test]
    fn a_failure_of_no_weight_says_nothing(bkt in bkt(), log in log(6), skill in 0..6u32) {
        let mut learner = after(&bkt, &log);
        let params = *bkt.params(skill);
        let known = bkt.known(&learner, skill);
        bkt.observe(&mut learner, Question { skill, item: None }, false, 0.0);
        let unseen = known * (1.0 - params.forget) + (1.0 - known) * params.learn;
        prop_assert!((bkt.known(&learner, skill) - unseen).abs() < 1e-12);
    }

    #[test]
    fn memory_is_one_number_for_each_skill_met(bkt in bkt(), log in log(6)) {
        let mut long: Log = Vec::new();
        for _ in 0..20 {
            long.extend(log.iter().copied());
        }
        let met: std::collections::BTreeSet<_> =
            log.iter().map(|(Answer { question, .. }, _)| question.skill).collect();
        prop_assert_eq!(after(&bkt, &long).len(), met.len());
    }
}
