//! Every decision explains itself, as data and in words.

use proptest::prelude::*;

use super::support::*;
use crate::learning::strategy::choose::WhyNot;
use crate::learning::strategy::explain::{Decision, explain};
use crate::learning::strategy::feature::{Feature, Provenance, View};

fn decision(learner: &mut Learner, view: &View) -> Option<Decision> {
    let choice = learner.after(0.0, view);
    explain(learner.table, &choice, view, &["bkt 1".to_owned()])
}

#[test]
fn a_decision_says_what_was_seen_and_what_else_was_considered() {
    let table = test_table();
    let view = View::default()
        .inferred(Feature::NextSuccess, between(0.1, 0.3))
        .measured(Feature::ReviewDue, 1.0);
    let decision = decision(&mut Learner::new(&table), &view).expect("a decision");
    let chosen = &decision.chosen[0];
    assert_eq!(chosen.rule, "easier");
    let reason = chosen.reasons[0];
    assert_eq!(
        (reason.feature, reason.value, reason.n),
        (Feature::NextSuccess, Some(0.3), 9)
    );
    assert_eq!(reason.provenance, Some(Provenance::Inferred));
    let review = decision
        .considered
        .iter()
        .find(|it| it.rule == "review-due");
    assert_eq!(review.expect("considered").why_not, WhyNot::OneAtATime);
    // What could not be asked is told apart from what said no.
    let load = decision
        .considered
        .iter()
        .find(|it| it.rule == "support-under-load");
    assert_eq!(load.expect("absent").why_not, WhyNot::Absent(Feature::Load));
    assert_eq!(decision.saw.len(), 2);
    assert!(decision.table.starts_with("test 1 ("));
    assert_eq!(decision.models, ["bkt 1"]);
}

#[test]
fn in_words_it_is_two_sentences() {
    let table = test_table();
    let view = View::default()
        .inferred(Feature::NextSuccess, between(0.1, 0.3))
        .measured(Feature::ReviewDue, 1.0);
    let decision = decision(&mut Learner::new(&table), &view).expect("a decision");
    let words = decision.in_words();
    assert!(
        words.starts_with(
            "The difficulty was set to 70 % of the authored one, because the task is surely too hard: the chance of \
             success in the next attempt is surely at most 30 % (inferred from 9 observations). Also considered: \
             ‘review due’ (one change at a time)"
        ),
        "{words}"
    );
    assert_eq!(words.matches(". ").count(), 1, "{words}");
}

#[test]
fn a_model_without_an_interval_is_sure_of_nothing() {
    let table = test_table();
    let view = View::default().concluded(Feature::WheelSpinning, Some(0.9), 1);
    let decision = decision(&mut Learner::new(&table), &view).expect("a decision");
    let words = decision.in_words();
    assert!(
        words.contains("is about 90 % (inferred from 1 observation)"),
        "{words}"
    );
    assert!(!words.contains("surely"), "{words}");
}

#[test]
fn a_trial_is_logged_with_its_propensities_and_told() {
    let table = test_table();
    let view = View::default().concluded(Feature::EngagementDropped, Some(0.9), 1);
    let (mut drawn, mut held_out) = (0, 0);
    for seed in 0..60 {
        let choice = Learner::new(&table).drawing(0.0, &view, seed);
        let decision = explain(&table, &choice, &view, &[]).expect("a decision");
        let trial = decision.trial.as_ref().expect("a trial");
        assert_eq!(trial.arms, ["more-to-do", "another-form"]);
        assert_eq!(trial.seed, seed);
        let words = decision.in_words();
        if trial.drawn.is_some() {
            drawn += 1;
            assert!(words.contains("by lot, with a chance of 45 %"), "{words}");
        } else {
            held_out += 1;
            assert!(words.starts_with("Nothing was done, by lot"), "{words}");
        }
    }
    assert!(drawn > 0 && held_out > 0);
}

proptest! {
    #[test]
    fn every_decision_survives_the_log_and_has_its_reasons(
        views in prop::collection::vec((any_view(), 20.0..100.0_f64), 1..8), seed in any::<u64>(),
    ) {
        let table = delivered();
        let mut learner = Learner::new(&table);
        for (view, seconds) in views {
            let choice = learner.drawing(seconds, &view, seed);
            let Some(decision) = explain(&table, &choice, &view, &[]) else {
                prop_assert!(choice.picks.is_empty());
                continue;
            };
            let stored = serde_json::to_string(&decision).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Decision>(&stored).unwrap(), &decision);
            prop_assert_eq!(decision.chosen.len(), choice.picks.len());
            for chosen in &decision.chosen {
                prop_assert!(chosen.fading || chosen.reasons.iter().any(|it| it.value.is_some_and(f64::is_finite)));
            }
            let words = decision.in_words();
            prop_assert_eq!(words.matches(". ").count(), 1, "{}", words);
            prop_assert!(words.ends_with('.'));
        }
    }
}
