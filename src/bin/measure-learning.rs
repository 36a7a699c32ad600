//! What the learning models cost: prints one JSON object for `cargo xtask measure learning`.
//!
//! Every figure is the median over repetitions, with their 5th and 95th percentile. A repetition is short, so that few
//! of them are interrupted where others use the machine, and works on learners in different states, so that neither
//! caches nor branch predictors see one learner over and over.

use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use malloc_vr::learning::cohort::{Answer, Cohort};
use malloc_vr::learning::equation::{Index, Params as Constants, Rate, Signals, step};
use malloc_vr::learning::equation_batch::{Columns, step_batch};
use malloc_vr::learning::event::LearningEvent;
use malloc_vr::learning::five::Five;
use malloc_vr::learning::five::params::Params;
use malloc_vr::learning::weights::Weights;
use serde_json::{Value, json};

#[path = "../../benches/support/counting.rs"]
mod counting;
#[path = "../../benches/support/seen.rs"]
mod seen;

use counting::ALLOCATIONS;
use seen::{Numbers, SKILLS, TICK, attempt, full_moment};

/// As many learners as sit in a large course: together more than the second-level cache holds.
const CLASS: usize = 64;
/// Of what takes microseconds.
const ROUNDS: usize = 1_500;
/// Of what takes milliseconds.
const TICKS: usize = 15;

fn main() {
    let p = Params::default();
    let [update, decision, both, allocations] = five(&p);
    let figures = json!({
        "update_ns": update,
        "decision_ns": decision,
        "update_decision_ns": both,
        "steady_state_allocations": allocations,
        "equation_ns": equation(),
        "equation_batch_ns": equation_batch(),
        "equation_check": equation_check(),
        "tick_1k_learners_ms": tick(1_000, &p),
        "tick_100k_learners_ms": tick(100_000, &p),
    });
    println!("{figures}");
}

/// Median and 5th and 95th percentile of repetitions, which did it `n` times in all.
fn figure(mut values: Vec<f64>, n: usize) -> Value {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = |share: usize| values.get(last * share / 100).copied();
    json!({ "value": at(50), "n": n, "spread": [at(5), at(95)] })
}

fn nanoseconds(time: Duration, n: usize) -> f64 {
    time.as_secs_f64() * 1e9 / n as f64
}

/// Updates and decisions of a class, in turns: nanoseconds of each and of both, and allocations in all of them.
fn five(p: &Params) -> [Value; 4] {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut class = vec![Five::new(SKILLS, p); CLASS];
    let moment = full_moment();
    let mut times = [(); 3].map(|()| Vec::with_capacity(ROUNDS));
    let mut seen = Vec::with_capacity(CLASS);
    let mut allocations = 0;
    // A tenth to warm up.
    for round in 0..ROUNDS + ROUNDS / 10 {
        seen.clear();
        seen.extend((0..CLASS).map(|_| attempt(round as u64, &mut numbers)));
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let start = Instant::now();
        for (five, seen) in class.iter_mut().zip(&seen) {
            five.observe(black_box(seen), p);
        }
        let updated = start.elapsed();
        for five in &mut class {
            black_box(five.tick(black_box(&moment), p));
        }
        let decided = start.elapsed();
        if round >= ROUNDS / 10 {
            allocations += ALLOCATIONS.load(Ordering::Relaxed) - before;
            let parts = [updated, decided.saturating_sub(updated), decided];
            for (times, part) in times.iter_mut().zip(parts) {
                times.push(nanoseconds(part, CLASS));
            }
        }
    }
    let n = ROUNDS * CLASS;
    let [update, decision, both] = times.map(|times| figure(times, n));
    let allocations = figure(vec![allocations as f64], 2 * n);
    [update, decision, both, allocations]
}

/// One step of the equation of one learner, over a class.
fn equation() -> Value {
    const STEPS: usize = 20;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let rate = Rate::over(TICK, &Constants::default());
    let mut learners: Vec<(Weights, Index, Signals)> = (0..CLASS)
        .map(|i| {
            let mut signal = || Some(numbers.share());
            let signals = Signals {
                learner: signal(),
                knowledge: signal(),
                engagement: signal().filter(|_| i % 4 > 0),
                assessment: signal(),
            };
            let event = LearningEvent::ALL[i % LearningEvent::ALL.len()];
            (Weights::base(event), Index::default(), signals)
        })
        .collect();
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..STEPS {
            for (weights, index, signals) in &mut learners {
                *index = step(&rate, weights, *index, black_box(signals), 0.0).index;
            }
        }
        times.push(nanoseconds(start.elapsed(), STEPS * CLASS));
        black_box(&learners);
    }
    figure(times, ROUNDS * STEPS * CLASS)
}

/// One step of the equation of one learner among 1024 in columns.
fn equation_batch() -> Value {
    const LEARNERS: usize = 1024;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let rate = Rate::over(TICK, &Constants::default());
    let weights: [f64; 4] = Weights::base(LearningEvent::Practice).into();
    let mut column = |()| -> Vec<f64> { (0..LEARNERS).map(|_| numbers.share()).collect() };
    let signals = [(); 4].map(&mut column);
    let weights = weights.map(|weight| vec![weight; LEARNERS]);
    let mut index = [0.5, 0.0, 1.0].map(|start| vec![start; LEARNERS]);
    let epsilon = vec![0.0; LEARNERS];
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let [value, lower, upper] = &mut index;
        let columns = Columns {
            value,
            lower,
            upper,
            signals: signals.each_ref().map(Vec::as_slice),
            weights: weights.each_ref().map(Vec::as_slice),
            epsilon: &epsilon,
        };
        let start = Instant::now();
        // All columns are equally long.
        let _ = black_box(step_batch(&rate, columns));
        times.push(nanoseconds(start.elapsed(), LEARNERS));
    }
    figure(times, ROUNDS * LEARNERS)
}

/// Value and bounds after ten steps that another implementation can take, too.
fn equation_check() -> [f64; 3] {
    let rate = Rate::over(TICK, &Constants::default());
    let weights = Weights::base(LearningEvent::Practice);
    let signals = Signals {
        learner: Some(0.8),
        knowledge: Some(0.6),
        engagement: None,
        assessment: Some(0.9),
    };
    let mut index = Index::default();
    for _ in 0..10 {
        index = step(&rate, &weights, index, &signals, 0.1).index;
    }
    [index.value, index.lower, index.upper]
}

/// One tick of so many learners with 50 skills, a hundredth of whom have just answered; milliseconds.
fn tick(learners: usize, p: &Params) -> Value {
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    let mut cohort = Cohort::new(learners, SKILLS, p);
    let mut answers = |n: usize| -> Vec<Answer> {
        let answer = |_| Answer {
            learner: numbers.below(learners as u64) as u32,
            skill: numbers.below(SKILLS as u64) as u32,
            correct: numbers.below(10) < 7,
            weight: 1.0,
        };
        (0..n).map(answer).collect()
    };
    cohort.observe_batch(&answers(20 * learners), p);
    let mut times = Vec::with_capacity(TICKS);
    for repetition in 0..=TICKS {
        let answers = answers(learners / 100);
        let start = Instant::now();
        cohort.observe_batch(&answers, p);
        black_box(cohort.tick(TICK, p));
        if repetition > 0 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    figure(times, TICKS)
}
