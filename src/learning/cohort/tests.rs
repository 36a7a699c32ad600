//! The cohort against the same learners one by one.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::learning::event_chart::{Chart, Situation};
use crate::learning::event_criteria::{Criterion, Requirement};
use crate::learning::few::Few;
use crate::learning::five::Five;
use crate::learning::five::observation::{Moment, Observation};

/// 11 learners are a block and a part of one.
const LEARNERS: usize = 11;
const SKILLS: usize = 5;

fn seen(answer: &Answer, id: u64) -> Observation {
    let mut skills = Few::default();
    skills.push(answer.skill);
    let mut shows = Few::default();
    for criterion in [
        Criterion::Interactions,
        Criterion::Orientation,
        Criterion::Interface,
        Criterion::Exploration,
    ] {
        shows.push(criterion);
    }
    Observation {
        id,
        skills,
        shows,
        correct: answer.correct,
        quality: Quality {
            frame_health: answer.weight,
            tracking: 1.0,
        },
        ..Observation::default()
    }
}

fn moment(dt: Duration) -> Moment {
    Moment {
        dt,
        ready: true,
        ..Moment::default()
    }
}

fn answer(right: f64) -> impl Strategy<Value = Answer> {
    let weight = prop_oneof![3 => Just(1.0), 1 => 0.0..=1.0, 1 => prop::num::f64::ANY];
    // Few learners get most answers, so that some get far.
    let learner = prop_oneof![0..2_u32, 0..LEARNERS as u32];
    (
        learner,
        0..SKILLS as u32,
        prop::bool::weighted(right),
        weight,
    )
        .prop_map(|(learner, skill, correct, weight)| Answer {
            learner,
            skill,
            correct,
            weight,
        })
}

/// Good and bad spells, each of some ticks.
fn log() -> impl Strategy<Value = Vec<(Vec<Answer>, u64)>> {
    let spell = |right: f64| {
        let answers =
            prop_oneof![3 => prop::collection::vec(answer(right), 0..12), 1 => Just(Vec::new())];
        prop::collection::vec((answers, 0..40_000_u64), 1..25)
    };
    let spells = prop::collection::vec(prop_oneof![spell(0.95), spell(0.05)], 1..6);
    spells.prop_map(|spells| spells.concat())
}

/// Events that are soon gone through, forwards and backwards.
fn lenient() -> Params {
    let mut p = Params::default();
    p.criteria.memory = 6.0;
    let stages = &mut p.chart.stages;
    let mut easier = Few::default();
    for requirement in stages.onboarding.requirements.iter() {
        easier.push(Requirement {
            needed: requirement.needed * 0.6,
            ..*requirement
        });
    }
    for stage in [
        &mut stages.onboarding,
        &mut stages.introduction,
        &mut stages.practice,
    ] {
        stage.requirements = easier;
    }
    p
}

/// To the last bit.
fn bits(x: f64) -> u64 {
    x.to_bits()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_cohort_is_its_learners_to_the_last_bit(log in log()) {
        let p = lenient();
        let mut cohort = Cohort::new(LEARNERS, SKILLS, &p);
        let mut fives = vec![Five::new(SKILLS, &p); LEARNERS];
        for five in &mut fives {
            five.told(Criterion::Comfort, 0.9, &p);
        }
        let mut told = [Conditions::default(); LEARNERS];
        let mut id = 0;
        for (answers, ms) in &log {
            let dt = Duration::from_millis(*ms);
            cohort.observe_batch(answers, &p);
            for answer in answers {
                fives[answer.learner as usize].observe(&seen(answer, id), &p);
                id += 1;
            }
            let ticks: Vec<_> = fives.iter_mut().map(|five| five.tick(&moment(dt), &p)).collect();
            for (learner, tick) in ticks.iter().enumerate() {
                // What the cohort doesn't see is told to it.
                cohort.set_engagement(learner, tick.signals.engagement);
                let conditions = Conditions { success: None, ..tick.conditions };
                if conditions != told[learner] {
                    told[learner] = conditions;
                    cohort.set_conditions(learner, conditions);
                }
            }
            let due = cohort.tick(dt, &p).to_vec();
            for (learner, (five, tick)) in fives.iter().zip(&ticks).enumerate() {
                let index = cohort.index(learner).unwrap();
                for (one, many) in [
                    (five.index().value, index.value), (five.index().lower, index.lower), (five.index().upper, index.upper),
                ] {
                    prop_assert_eq!(bits(one), bits(many));
                }
                prop_assert_eq!(cohort.signals(learner).unwrap(), tick.signals);
                prop_assert_eq!(cohort.weights(learner).unwrap(), five.weights());
                for (number, skill) in five.skills().iter().enumerate() {
                    let cell = cohort.cell(learner, number).unwrap();
                    prop_assert_eq!(bits(cell.known), bits(skill.known.mean));
                    prop_assert_eq!(bits(cell.ability.mean), bits(skill.ability.mean));
                    prop_assert_eq!(bits(cell.ability.variance), bits(skill.ability.variance));
                    prop_assert_eq!(cell.competency.map(bits), skill.competency().map(bits));
                }
                if due.contains(&(learner as u32)) {
                    cohort.decided(learner, five.chart(), &p.chart);
                }
            }
        }
    }

    #[test]
    fn whoever_is_not_asked_would_not_have_moved(
        log in log(), told in prop::collection::vec(prop::option::weighted(0.1, (0..LEARNERS, 0.3..=1.0)), 150),
        least in 1..6_u32, dwell in 5.0..90.0, cap in 60.0..600.0,
    ) {
        let mut p = lenient();
        p.chart.dwell = dwell;
        p.chart.least_attempts = least;
        p.chart.stages.onboarding.time_cap = cap;
        let mut cohort = Cohort::new(LEARNERS, SKILLS, &p);
        let mut fives = vec![Five::new(SKILLS, &p); LEARNERS];
        // Charts that are asked only when the cohort says so, and the time since they were.
        let mut lazy = vec![(Chart::default(), Duration::ZERO); LEARNERS];
        let mut id = 0;
        for five in &mut fives {
            five.told(Criterion::Comfort, 0.9, &p);
        }
        for ((answers, ms), told) in log.iter().zip(&told) {
            let dt = Duration::from_millis(*ms);
            cohort.observe_batch(answers, &p);
            for answer in answers {
                fives[answer.learner as usize].observe(&seen(answer, id), &p);
                id += 1;
            }
            if let Some((learner, comfort)) = told {
                fives[*learner].told(Criterion::Comfort, *comfort, &p);
                cohort.call(*learner);
            }
            let due = cohort.tick(dt, &p).to_vec();
            for (learner, (five, (chart, since))) in fives.iter_mut().zip(&mut lazy).enumerate() {
                let situation = Situation {
                    criteria: five.criteria(&p),
                    attempts: five.attempts(),
                    ready: true,
                    review_due: five.review_due(),
                    ..Situation::default()
                };
                let verdict = five.tick(&moment(dt), &p).verdict;
                *since += dt;
                if due.contains(&(learner as u32)) {
                    let late = chart.step(&p.chart, &situation, *since);
                    *since = Duration::ZERO;
                    prop_assert_eq!(late.notice, verdict.notice);
                    prop_assert_eq!(late.decision, verdict.decision);
                    cohort.decided(learner, chart, &p.chart);
                } else {
                    prop_assert_eq!(verdict.notice, None);
                }
                prop_assert_eq!(chart.place(), five.chart().place());
            }
        }
    }

    #[test]
    fn learners_do_not_depend_on_each_other(log in log(), who in 0..LEARNERS as u32) {
        let p = Params::default();
        let mut together = Cohort::new(LEARNERS, SKILLS, &p);
        let mut alone = Cohort::new(1, SKILLS, &p);
        for (answers, ms) in &log {
            let dt = Duration::from_millis(*ms);
            together.observe_batch(answers, &p);
            let own: Vec<_> = answers.iter().filter(|answer| answer.learner == who)
                .map(|answer| Answer { learner: 0, ..*answer }).collect();
            alone.observe_batch(&own, &p);
            together.tick(dt, &p);
            alone.tick(dt, &p);
        }
        prop_assert_eq!(together.index(who as usize), alone.index(0));
        for skill in 0..SKILLS {
            prop_assert_eq!(together.cell(who as usize, skill), alone.cell(0, skill));
        }
    }
}

#[test]
fn everybody_is_asked_when_the_dwell_time_is_over_and_then_left_alone() {
    let p = Params::default();
    let mut cohort = Cohort::new(3, 2, &p);
    let five_seconds = Duration::from_secs(5);
    let mut charts = [Chart::default(); 3];
    for _ in 0..11 {
        assert!(cohort.tick(five_seconds, &p).is_empty());
    }
    assert_eq!(cohort.tick(five_seconds, &p), [0, 1, 2]);
    // Who is not answered for is asked again.
    assert_eq!(cohort.tick(five_seconds, &p), [0, 1, 2]);
    for (learner, chart) in charts.iter_mut().enumerate() {
        chart.step(&p.chart, &Situation::default(), Duration::from_secs(65));
        cohort.decided(learner, chart, &p.chart);
    }
    assert!(cohort.tick(five_seconds, &p).is_empty());
    cohort.call(1);
    assert_eq!(cohort.tick(five_seconds, &p), [1]);
}

#[test]
fn five_answers_make_a_decision_possible() {
    let p = Params::default();
    let mut cohort = Cohort::new(2, 1, &p);
    let mut chart = Chart::default();
    chart.step(&p.chart, &Situation::default(), Duration::from_secs(70));
    for learner in 0..2 {
        cohort.decided(learner, &chart, &p.chart);
    }
    let answer = Answer {
        learner: 1,
        skill: 0,
        correct: true,
        weight: 1.0,
    };
    for _ in 0..4 {
        cohort.observe_batch(&[answer], &p);
        assert!(cohort.tick(Duration::from_secs(5), &p).is_empty());
    }
    cohort.observe_batch(&[answer], &p);
    assert_eq!(cohort.tick(Duration::from_secs(5), &p), [1]);
}

#[test]
fn what_there_is_none_of_is_passed_over() {
    let p = Params::default();
    let mut cohort = Cohort::new(1, 1, &p);
    let before = cohort.cell(0, 0);
    for (learner, skill) in [(1, 0), (0, 1), (u32::MAX, u32::MAX)] {
        let answer = Answer {
            learner,
            skill,
            correct: true,
            weight: 1.0,
        };
        cohort.observe_batch(&[answer], &p);
    }
    cohort.decided(5, &Chart::default(), &p.chart);
    cohort.call(100);
    cohort.set_engagement(100, Some(1.0));
    assert_eq!(cohort.cell(0, 0), before);
    assert_eq!(cohort.cell(1, 0), None);
    assert_eq!(cohort.index(1), None);
    assert_eq!(cohort.signals(1), None);
    assert!(
        Cohort::new(0, 0, &p)
            .tick(Duration::from_secs(5), &p)
            .is_empty()
    );
}

#[test]
fn failures_of_late_move_the_weights_by_themselves() {
    let p = Params::default();
    let mut cohort = Cohort::new(1, 1, &p);
    cohort.tick(Duration::from_secs(5), &p);
    let before = cohort.weights(0).unwrap();
    assert_eq!(before, Weights::base(LearningEvent::Onboarding));
    let answer = Answer {
        learner: 0,
        skill: 0,
        correct: false,
        weight: 1.0,
    };
    cohort.observe_batch(&[answer; 5], &p);
    cohort.tick(Duration::from_secs(5), &p);
    // Struggling: +0.10 for the learner model, −0.05 for knowledge and for assessment.
    let after = cohort.weights(0).unwrap();
    assert!((after.learner() - before.learner() - 0.10).abs() < 1e-12);
    assert!((after.assessment() - before.assessment() + 0.05).abs() < 1e-12);
    assert_eq!(cohort.attempts(0), Some(5));
}
