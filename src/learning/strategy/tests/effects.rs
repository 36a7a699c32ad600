//! Effects are estimated without bias, with honest intervals, or not at all.

use super::support::*;
use crate::learning::strategy::choose::Draw;
use crate::learning::strategy::effect::{
    EffectRules, NoEffect, Observed, Outcome, Sample, estimate, report,
};
use crate::learning::strategy::explain::{LoggedTrial, explain};
use crate::learning::strategy::feature::{Feature, View};

/// Uniform numbers that are the same in every run.
struct Numbers {
    seed: u64,
    drawn: u64,
}

impl Numbers {
    fn next(&mut self) -> f64 {
        self.drawn += 1;
        Draw::of(self.seed, self.drawn).uniform
    }
}

/// 60 learners with 5 trials each. Without the rule the next attempt is right with 0.5, more or less by learner; the rule
/// adds `effect`. It's drawn more often for the able, as a policy would: plain means are then biased.
fn samples(seed: u64, effect: f64) -> Vec<Sample> {
    let mut numbers = Numbers { seed, drawn: 0 };
    let mut samples = Vec::new();
    for learner in 0..60 {
        let able = 0.3 * numbers.next();
        for _ in 0..5 {
            let propensity = if able > 0.15 { 0.8 } else { 0.4 };
            let treated = numbers.next() < propensity;
            let chance = 0.35 + able + if treated { effect } else { 0.0 };
            samples.push(Sample {
                learner,
                treated: Some(treated),
                propensity,
                propensity_of_nothing: 1.0 - propensity,
                value: f64::from(u8::from(numbers.next() < chance)),
            });
        }
    }
    samples
}

#[test]
fn by_hand_it_is_the_weighted_difference() {
    let sample = |learner, treated, propensity, value| Sample {
        learner,
        treated: Some(treated),
        propensity,
        propensity_of_nothing: 1.0 - propensity,
        value,
    };
    let samples = [
        sample(1, true, 0.5, 1.0),
        sample(2, true, 0.25, 0.0),
        sample(3, false, 0.5, 1.0),
        sample(4, false, 0.75, 0.0),
    ];
    let few = EffectRules {
        least_per_arm: 2,
        least_learners: 2,
        ..EffectRules::default()
    };
    let effect = estimate(&samples, &few).unwrap();
    // With: weights 2 and 4, so 2/6; without: 2 and 4, so 2/6. Horvitz–Thompson: (2 − 2)/4.
    assert!(effect.hajek.estimate.abs() < 1e-12);
    assert!(effect.horvitz_thompson.estimate.abs() < 1e-12);
    // Kish: 6²/(4 + 16) = 1.8.
    assert!((effect.effective - 1.8).abs() < 1e-12);
    // Linear terms 2·(2/3)/6, 4·(1/3)/6 and the same without: 4·(2/9)² ·4/3 = .2634; t of 3 is 3.182.
    let half = effect.hajek.interval.width() / 2.0;
    assert!((half - 3.182 * 0.263_374_f64.sqrt()).abs() < 0.02, "{half}");
}

#[test]
fn a_known_effect_is_found_and_its_interval_holds_it_as_often_as_it_says() {
    let p = EffectRules::default();
    for truth in [0.0, 0.2] {
        let (mut covered, mut covered_ht, mut sum, mut naive) = (0, 0, 0.0, 0.0);
        let runs = 400;
        for seed in 0..runs {
            let samples = samples(seed, truth);
            let effect = estimate(&samples, &p).unwrap();
            sum += effect.hajek.estimate;
            let holds =
                |it: &crate::learning::estimate::Interval| (it.low..=it.high).contains(&truth);
            covered += u32::from(holds(&effect.hajek.interval));
            covered_ht += u32::from(holds(&effect.horvitz_thompson.interval));
            let mean = |with: bool| {
                let arm: Vec<f64> = samples
                    .iter()
                    .filter(|it| it.treated == Some(with))
                    .map(|it| it.value)
                    .collect();
                arm.iter().sum::<f64>() / arm.len() as f64
            };
            naive += mean(true) - mean(false);
        }
        let runs = f64::from(u32::try_from(runs).unwrap());
        // Standard error of the mean of 400 runs: about .06/20 = .003.
        assert!((sum / runs - truth).abs() < 0.012, "{}", sum / runs);
        // Counting without weights is off by what the able bring along.
        assert!(naive / runs - truth > 0.03, "{}", naive / runs);
        // 95 % of 400 ± 3 standard deviations of 1.1 %.
        for covered in [covered, covered_ht] {
            let share = f64::from(covered) / runs;
            assert!((0.917..=0.983).contains(&share), "{share}");
        }
    }
}

#[test]
fn without_overlap_or_with_few_trials_nothing_is_said() {
    let p = EffectRules::default();
    let few = &samples(1, 0.1)[..40];
    assert!(matches!(
        estimate(few, &p),
        Err(NoEffect::TooFew { learners: 8, .. })
    ));
    let always: Vec<Sample> = samples(1, 0.1)
        .into_iter()
        .map(|it| Sample {
            propensity: 1.0,
            propensity_of_nothing: 0.0,
            ..it
        })
        .collect();
    let refused = estimate(&always, &p).unwrap_err();
    assert!(matches!(refused, NoEffect::NoOverlap { .. }));
    assert!(refused.to_string().contains("experiment"));
    assert!(matches!(estimate(&[], &p), Err(NoEffect::NoOverlap { .. })));
}

#[test]
fn numbers_that_are_none_are_left_out() {
    let p = EffectRules::default();
    let mut some = samples(3, 0.2);
    let clean = estimate(&some, &p).unwrap();
    for value in [f64::NAN, f64::INFINITY] {
        some.push(Sample { value, ..some[0] });
        some.push(Sample {
            propensity: value,
            ..some[0]
        });
    }
    assert_eq!(estimate(&some, &p).unwrap(), clean);
}

#[test]
fn from_logged_decisions_the_report_finds_which_of_two_ways_helps() {
    let table = test_table();
    let view = View::default().concluded(Feature::EngagementDropped, Some(0.9), 1);
    let mut trials: Vec<(u64, LoggedTrial, Outcome)> = Vec::new();
    let mut numbers = Numbers { seed: 9, drawn: 0 };
    for seed in 0..1500 {
        let choice = Learner::new(&table).drawing(0.0, &view, seed);
        let decision = explain(&table, &choice, &view, &[]).unwrap();
        let trial = decision.trial.unwrap();
        // In truth one of the two helps, and the other costs time.
        let (chance, seconds) = match trial.drawn.as_deref() {
            Some("more-to-do") => (0.8, 10.0),
            Some(_) => (0.5, 15.0),
            None => (0.5, 10.0),
        };
        let outcome = Outcome {
            success: Some(f64::from(u8::from(numbers.next() < chance))),
            seconds: Some(seconds + numbers.next()),
        };
        trials.push((seed, trial, outcome));
    }
    let observed: Vec<Observed> = trials
        .iter()
        .map(|(learner, trial, outcome)| Observed {
            learner: *learner,
            trial,
            outcome: *outcome,
        })
        .collect();
    let report = report(&observed, &EffectRules::default());
    let [other, more] = &report[..] else {
        panic!("{report:?}");
    };
    assert_eq!(
        (other.rule.as_str(), more.rule.as_str()),
        ("another-form", "more-to-do")
    );
    let helps = more.success.as_ref().unwrap().hajek;
    assert!(
        helps.interval.low > 0.1 && helps.interval.high < 0.5,
        "{helps:?}"
    );
    let neutral = other.success.as_ref().unwrap().hajek.interval;
    assert!(neutral.low < 0.0 && neutral.high > 0.0, "{neutral:?}");
    let slower = other.seconds.as_ref().unwrap().hajek.interval;
    assert!(slower.low > 4.5 && slower.high < 5.5, "{slower:?}");
}
