//! What the learning models cost, each beside a baseline.
//!
//! `cargo bench --bench learning`. Before the timings it prints what was allocated in steady state.

use std::hint::black_box;
use std::sync::atomic::Ordering;

use criterion::{Criterion, criterion_group, criterion_main};
use malloc_vr::learning::bkt::{self, BktParams};
use malloc_vr::learning::cohort::{Answer, Cohort};
use malloc_vr::learning::equation::{Index, Params as Constants, Rate, Signals, step};
use malloc_vr::learning::equation_batch::{Columns, step_batch};
use malloc_vr::learning::event::LearningEvent;
use malloc_vr::learning::five::Five;
use malloc_vr::learning::five::observation::Moment;
use malloc_vr::learning::five::params::Params;
use malloc_vr::learning::load::meter::{FrameSeen, HandSeen, HeadSeen, Meter};
use malloc_vr::learning::tracer::answers::{self, Answers};
use malloc_vr::learning::tracer::monotone::{FitOptions, Monotone, fit};
use malloc_vr::learning::tracer::{Question, Tracer};
use malloc_vr::learning::weights::Weights;

#[path = "support/counting.rs"]
mod counting;
#[path = "support/seen.rs"]
mod seen;

use counting::ALLOCATIONS;
use seen::{Numbers, SKILLS, TICK, attempt, full_moment};

/// Learners taken in turns, so that no bench looks at one learner over and over.
const CLASS: usize = 64;

/// What `repeat` calls allocate after as many to warm up.
fn report(what: &str, repeat: usize, mut call: impl FnMut()) {
    (0..repeat).for_each(|_| call());
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    (0..repeat).for_each(|_| call());
    let allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
    println!("{what}: {allocated} allocations in {repeat} calls");
}

fn tracing(c: &mut Criterion) {
    let mut group = c.benchmark_group("one answer");
    let mut numbers = Numbers(7);
    let p = BktParams::default();
    let mut known = [p.prior; CLASS];
    let mut turn = 0;
    group.bench_function("bkt update", |b| {
        b.iter(|| {
            turn = (turn + 1) % CLASS;
            known[turn] = bkt::update(known[turn], black_box(turn % 3 > 0), &p);
        });
    });
    // The least that any tracer has to do: count.
    let mut counts = [[0_u32; 2]; CLASS];
    group.bench_function("baseline: counting right and wrong", |b| {
        b.iter(|| {
            turn = (turn + 1) % CLASS;
            counts[turn][usize::from(black_box(turn % 3 > 0))] += 1;
        });
    });
    let model = fitted(&mut numbers);
    let mut learners = vec![<Monotone as Tracer>::Learner::default(); CLASS];
    let mut turn = 0;
    let mut ask = move || {
        turn += 1;
        let learner = &mut learners[turn % CLASS];
        let question = Question {
            skill: (turn / CLASS % 10) as u32,
            item: Some((turn % 60) as u32),
        };
        black_box(model.predict(learner, question));
        model.observe(learner, question, turn % 3 > 0, 1.0);
    };
    report("tracer update and prediction", 50_000, &mut ask);
    group.bench_function("tracer update and prediction", |b| b.iter(&mut ask));
    group.finish();
}

/// The product's tracer, fitted on a small simulated class.
fn fitted(numbers: &mut Numbers) -> Monotone {
    let answers = Answers::of((0..200).map(|learner| {
        (0..60)
            .map(|_| answers::Answer {
                question: Question {
                    skill: numbers.below(10) as u32,
                    item: Some(numbers.below(60) as u32),
                },
                correct: numbers.below(200) > learner / 2,
            })
            .collect::<Vec<_>>()
    }));
    fit(&answers, &FitOptions::default(), &|_, _| {})
}

/// What watching one learner costs in a frame, motion and all; every 360th ends a window.
fn watching(c: &mut Criterion) {
    let mut meter = Meter::default();
    let mut turn = 0_u32;
    let mut frame = || {
        turn = turn.wrapping_add(1);
        let t = f64::from(turn) / 72.0;
        let hand = HandSeen {
            at: [0.3 * t.sin(), 1.0, 0.2 * t.cos()],
            near: turn % 100 < 20,
            holds: turn % 100 > 60,
        };
        meter.frame(&FrameSeen {
            dt: 1.0 / 72.0,
            hands: [Some(hand); 2],
            head: Some(HeadSeen {
                yaw: (0.3 * t).sin(),
                off: Some(t.sin().abs()),
            }),
            motion: true,
        });
        if turn % 100 == 20 {
            meter.took(1);
        }
        if turn.is_multiple_of(360) {
            black_box(meter.take());
        }
    };
    report("a frame watched for the load", 20_000, &mut frame);
    c.bench_function("a frame watched for the load", |b| b.iter(&mut frame));
}

fn five_models(c: &mut Criterion) {
    let mut group = c.benchmark_group("five models, 50 skills");
    let p = Params::default();
    let mut numbers = Numbers(11);
    let mut class = vec![Five::new(SKILLS, &p); CLASS];
    let seen: Vec<_> = (0..4096).map(|id| attempt(id, &mut numbers)).collect();
    let moment = full_moment();
    let mut turn = 0;
    let mut both = |observe: bool, decide: bool| {
        turn += 1;
        let five = &mut class[turn % CLASS];
        if observe {
            five.observe(black_box(&seen[turn % seen.len()]), &p);
        }
        if decide {
            black_box(five.tick(&moment, &p));
        }
    };
    report("five-model update and decision", 50_000, || {
        both(true, true);
    });
    group.bench_function("update and decision", |b| b.iter(|| both(true, true)));
    group.bench_function("update alone", |b| b.iter(|| both(true, false)));
    group.bench_function("decision alone", |b| b.iter(|| both(false, true)));
    // What there is to read and write: a learner's own bytes, copied once.
    let mut copy = class[0].clone();
    let mut turn = 0;
    group.bench_function("baseline: copying one learner", |b| {
        b.iter(|| {
            turn += 1;
            copy.clone_from(&class[turn % CLASS]);
            black_box(&copy);
        });
    });
    group.finish();
}

/// Columns of a batch of the equation.
struct Batch {
    value: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    signals: [Vec<f64>; 4],
    weights: [Vec<f64>; 4],
    epsilon: Vec<f64>,
}

fn equation(c: &mut Criterion) {
    const LEARNERS: usize = 1024;
    let mut group = c.benchmark_group("equation, 1024 learners");
    let mut numbers = Numbers(13);
    let rate = Rate::over(TICK, &Constants::default());
    let weights: [f64; 4] = Weights::base(LearningEvent::Practice).into();
    let mut batch = Batch {
        value: vec![0.5; LEARNERS],
        lower: vec![0.0; LEARNERS],
        upper: vec![1.0; LEARNERS],
        signals: [(); 4].map(|()| (0..LEARNERS).map(|_| numbers.share()).collect()),
        weights: weights.map(|weight| vec![weight; LEARNERS]),
        epsilon: vec![0.0; LEARNERS],
    };
    let mut ask = || {
        let stepped = step_batch(
            &rate,
            Columns {
                value: &mut batch.value,
                lower: &mut batch.lower,
                upper: &mut batch.upper,
                signals: batch.signals.each_ref().map(Vec::as_slice),
                weights: batch.weights.each_ref().map(Vec::as_slice),
                epsilon: &batch.epsilon,
            },
        );
        black_box(stepped).is_ok()
    };
    report("equation, batch", 100, || {
        ask();
    });
    group.bench_function("batch", |b| b.iter(&mut ask));
    let mut learners: Vec<(Weights, Index, Signals)> = (0..LEARNERS)
        .map(|_| {
            let mut signal = || Some(numbers.share());
            let signals = Signals {
                learner: signal(),
                knowledge: signal(),
                engagement: signal(),
                assessment: signal(),
            };
            (
                Weights::base(LearningEvent::Practice),
                Index::default(),
                signals,
            )
        })
        .collect();
    group.bench_function("baseline: one by one", |b| {
        b.iter(|| {
            for (weights, index, signals) in &mut learners {
                *index = step(&rate, weights, *index, signals, 0.0).index;
            }
            black_box(&learners);
        });
    });
    group.finish();
}

fn cohorts(c: &mut Criterion) {
    let p = Params::default();
    for learners in [1_000, 100_000] {
        let mut group = c.benchmark_group(format!("tick of {learners} learners, 50 skills"));
        group.sample_size(10);
        let mut numbers = Numbers(17);
        let mut cohort = Cohort::new(learners, SKILLS, &p);
        let mut answers = |n: usize| -> Vec<Answer> {
            let answer = |_| Answer {
                learner: numbers.below(learners as u64) as u32,
                skill: numbers.below(SKILLS as u64) as u32,
                correct: numbers.below(10) < 7,
                weight: 1.0,
            };
            (0..n).map(answer).collect()
        };
        cohort.observe_batch(&answers(20 * learners), &p);
        let some = answers(learners / 100);
        let mut tick = || {
            cohort.observe_batch(&some, &p);
            black_box(cohort.tick(TICK, &p).len());
        };
        report(&format!("tick of {learners} learners"), 3, &mut tick);
        group.bench_function("cohort", |b| b.iter(&mut tick));
        drop(cohort);
        // A hundred learners' full models, taken so often that it makes as many.
        let mut fives = vec![Five::new(SKILLS, &p); 100];
        let moment = Moment {
            dt: TICK,
            ..Moment::default()
        };
        group.bench_function("baseline: full models one by one", |b| {
            b.iter(|| {
                for _ in 0..learners / fives.len() {
                    for five in &mut fives {
                        black_box(five.tick(&moment, &p));
                    }
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, tracing, five_models, watching, equation, cohorts);
criterion_main!(benches);
