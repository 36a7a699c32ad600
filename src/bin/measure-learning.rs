//! What the learning models cost: prints one JSON object for `cargo xtask measure learning`.
//!
//! Every figure is the median over repetitions, with their minimum and maximum. Work is repeated until it can be timed,
//! on learners in different states, so that neither caches nor branch predictors see one learner over and over.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use malloc_vr::learning::cohort::{Answer, Cohort};
use malloc_vr::learning::equation::{Index, Params as Constants, Rate, Signals, step};
use malloc_vr::learning::event::LearningEvent;
use malloc_vr::learning::few::Few;
use malloc_vr::learning::five::Five;
use malloc_vr::learning::five::observation::{Moment, Observation};
use malloc_vr::learning::five::params::Params;
use malloc_vr::learning::weights::Weights;
use serde_json::{Value, json};

/// Counts what is allocated, and leaves it to the system.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const SKILLS: usize = 50;
/// As many learners as sit in a large course: together more than the second-level cache holds.
const CLASS: usize = 64;
const REPETITIONS: usize = 15;
const TICK: Duration = Duration::from_secs(5);

fn main() {
    let p = Params::default();
    let (update, decision, allocations) = five(&p);
    let figures = json!({
        "update_ns": update,
        "decision_ns": decision,
        "equation_ns": equation(),
        "tick_100k_learners_ms": tick(100_000, &p),
        "tick_1k_learners_ms": tick(1_000, &p),
        "steady_state_allocations": allocations,
    });
    println!("{figures}");
}

/// Median, minimum and maximum of repetitions, each of which did something `n` times.
fn figure(mut values: Vec<f64>, n: usize) -> Value {
    values.sort_by(f64::total_cmp);
    let at = |place: usize| values.get(place).copied();
    json!({
        "value": at(values.len() / 2),
        "n": n,
        "spread": [at(0), at(values.len().saturating_sub(1))],
    })
}

/// Numbers that look random enough, the same in every run (xorshift64; Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1_u32 << 20)
    }
}

fn attempt(id: u64, numbers: &mut Numbers) -> Observation {
    let mut skills = Few::default();
    skills.push(numbers.below(SKILLS as u64) as u32);
    Observation {
        id,
        skills,
        variant: Some(numbers.below(8) as u32),
        correct: numbers.below(10) < 7,
        seconds: Some(2.0 + 10.0 * numbers.share()),
        in_good_time: Some(numbers.below(2) == 0),
        help_on_offer: true,
        hints: u32::from(numbers.below(5) == 0),
        efficiency: Some(numbers.share()),
        ..Observation::default()
    }
}

/// Updates and decisions of a class, in turns; nanoseconds each, and allocations in all of them.
fn five(p: &Params) -> (Value, Value, Value) {
    const ROUNDS: usize = 100;
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut class = vec![Five::new(SKILLS, p); CLASS];
    let moment = Moment {
        dt: TICK,
        ready: true,
        ..Moment::default()
    };
    let (mut updates, mut decisions) = (Vec::new(), Vec::new());
    updates.reserve(REPETITIONS);
    decisions.reserve(REPETITIONS);
    let mut seen = Vec::with_capacity(CLASS);
    let mut allocations = 0;
    // The first repetition warms up and is left out.
    for repetition in 0..=REPETITIONS {
        let (mut update, mut decision) = (Duration::ZERO, Duration::ZERO);
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for round in 0..ROUNDS {
            seen.clear();
            seen.extend((0..CLASS).map(|_| attempt(round as u64, &mut numbers)));
            let start = Instant::now();
            for (five, seen) in class.iter_mut().zip(&seen) {
                five.observe(black_box(seen), p);
            }
            update += start.elapsed();
            let start = Instant::now();
            for five in &mut class {
                black_box(five.tick(black_box(&moment), p));
            }
            decision += start.elapsed();
        }
        if repetition > 0 {
            allocations += ALLOCATIONS.load(Ordering::Relaxed) - before;
            let each = |time: Duration| time.as_secs_f64() * 1e9 / (ROUNDS * CLASS) as f64;
            updates.push(each(update));
            decisions.push(each(decision));
        }
    }
    let n = REPETITIONS * ROUNDS * CLASS;
    let allocations = figure(vec![allocations as f64], 2 * n);
    (figure(updates, n), figure(decisions, n), allocations)
}

/// One step of the equation of one learner, over a class.
fn equation() -> Value {
    const ROUNDS: usize = 1_000;
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
    let mut times = Vec::new();
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for (weights, index, signals) in &mut learners {
                *index = step(&rate, weights, *index, black_box(signals), 0.0).index;
            }
        }
        times.push(start.elapsed().as_secs_f64() * 1e9 / (ROUNDS * CLASS) as f64);
        black_box(&learners);
    }
    figure(times, REPETITIONS * ROUNDS * CLASS)
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
    let mut times = Vec::with_capacity(REPETITIONS);
    for repetition in 0..=REPETITIONS {
        let answers = answers(learners / 100);
        let start = Instant::now();
        cohort.observe_batch(&answers, p);
        black_box(cohort.tick(TICK, p));
        if repetition > 0 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    figure(times, REPETITIONS)
}
