//! Fits the tracer: difficulties first, then the network over the traces that learners would have left.
//!
//! The network must not see difficulties that its own answers have shaped: it would trust them more than it may with a new
//! learner. So the learners are split in parts, and each part's inputs use difficulties fitted on the others
//! (cross-fitting, as in Chernozhukov et al., The Econometrics Journal 21(1), 2018). On ASSISTments 2009 with items this
//! alone is worth 0.007 of AUC.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::answers::Answers;
use super::super::parallel;
use super::super::population::Population;
use super::Monotone;
use super::adam::{Adam, project};
use super::features::{COUNT, Features, PER_SKILL, features};
use super::network::{HIDDEN, Network};
use super::state::{LearnerTrace, logistic};

/// Answers in one step of the optimiser.
const BATCH: usize = 64;
/// The step size falls to this share of its beginning.
const LAST_RATE: f32 = 0.02;

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitOptions {
    /// Parts of the cross-fitting, at least 2.
    pub parts: usize,
    /// Times that the network sees every answer.
    pub epochs: usize,
    /// First step size.
    pub rate: f32,
    /// Seed of the shuffling and of the first weights: the same seed and answers give the same tracer.
    pub seed: u64,
    /// Threads for the difficulties.
    pub threads: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            parts: 10,
            epochs: 24,
            rate: 0.002,
            seed: 1,
            threads: parallel::available(),
        }
    }
}

/// An answer with its inputs.
struct Example {
    inputs: Features,
    skill: u32,
    correct: bool,
}

/// Fits difficulties and network. `progress` hears (done, of): difficulties of each part, then epochs.
///
/// Without answers the tracer predicts one half for everything.
pub fn fit(
    answers: &Answers,
    options: &FitOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Monotone {
    let parts = options.parts.max(2);
    let all = parts + 1 + options.epochs;
    let done = AtomicUsize::new(0);
    let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);

    let mut examples = cross_fitted(answers, parts, options.threads, &step);
    let population = Population::fit(answers);
    step();
    let mut network = Network::zero(answers.skill_count());
    if !examples.is_empty() {
        standard(&mut network, &examples);
        for example in &mut examples {
            network.standardise(&mut example.inputs);
        }
        train(&mut network, &examples, options, &step);
    }
    Monotone {
        population,
        network,
    }
}

/// Inputs of every answer, with difficulties fitted on other learners.
fn cross_fitted(
    answers: &Answers,
    parts: usize,
    threads: usize,
    step: &(dyn Fn() + Sync),
) -> Vec<Example> {
    let made = parallel::map(parts, threads, |part| {
        let population = Population::fit(&answers.only(|i| i % parts != part));
        let examples = examples(&answers.only(|i| i % parts == part), &population);
        step();
        examples
    });
    made.into_iter().flatten().collect()
}

fn examples(answers: &Answers, population: &Population) -> Vec<Example> {
    let mut all = Vec::with_capacity(answers.len());
    for learner in answers.learners() {
        let mut trace = LearnerTrace::default();
        for answer in learner {
            let mut inputs = [0.0; COUNT];
            features(&trace, answer.question, population, &mut inputs);
            all.push(Example {
                inputs,
                skill: answer.question.skill,
                correct: answer.correct,
            });
            let easiness = population.easiness(answer.question) as f32;
            trace.observe(answer.question, answer.correct, 1.0, easiness);
        }
    }
    all
}

/// Mean and scale of every input.
fn standard(network: &mut Network, examples: &[Example]) {
    let n = examples.len() as f64;
    let (mut sums, mut squares) = ([0.0f64; COUNT], [0.0f64; COUNT]);
    for example in examples {
        for (sum, input) in sums.iter_mut().zip(example.inputs) {
            *sum += f64::from(input) / n;
        }
    }
    for example in examples {
        for ((square, input), mean) in squares.iter_mut().zip(example.inputs).zip(sums) {
            *square += (f64::from(input) - mean).powi(2) / n;
        }
    }
    network.mean = sums.iter().map(|mean| *mean as f32).collect();
    // An input that never varies stays where it is, near 0.
    network.scale = squares
        .iter()
        .map(|square| 1.0 / (square.sqrt() as f32).max(1e-3))
        .collect();
}

fn train(
    network: &mut Network,
    examples: &[Example],
    options: &FitOptions,
    step: &(dyn Fn() + Sync),
) {
    let mut random = Random(options.seed ^ 0x9e37_79b9_7f4a_7c15);
    let spread = (1.5 / COUNT as f32).sqrt();
    network
        .inward
        .iter_mut()
        .for_each(|w| *w = random.normal() * spread);
    network
        .outward
        .iter_mut()
        .for_each(|w| *w = random.normal().abs() * 0.1);
    project(network);
    let mut adam = Adam::new(network);
    let mut gradient = Network::zero(network.skills.len());
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let steps = (options.epochs * examples.len().div_ceil(BATCH)).max(1) as f32;
    let mut taken = 0.0;
    for _ in 0..options.epochs {
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        for batch in order.chunks(BATCH) {
            let share = 1.0 / batch.len() as f32;
            for example in batch.iter().filter_map(|index| examples.get(*index)) {
                backward(network, example, share, &mut gradient);
            }
            taken += 1.0;
            let rate = options.rate * (1.0 - taken / steps).max(LAST_RATE);
            adam.step(network, &mut gradient, rate);
        }
        step();
    }
}

/// Adds the slope of one example's log-loss, times `share`, to the gradient.
fn backward(network: &Network, example: &Example, share: f32, gradient: &mut Network) {
    let mut hidden = [0.0; HIDDEN];
    let inputs = &example.inputs;
    let logit = network.forward(inputs, example.skill, &mut hidden);
    let slope = share * (logistic(logit) - f32::from(u8::from(example.correct)));
    gradient.bias += slope;
    for (sum, input) in gradient.straight.iter_mut().zip(inputs) {
        *sum += slope * input;
    }
    if let Some([bias, slopes @ ..]) = gradient.skills.get_mut(example.skill as usize) {
        *bias += slope;
        for (sum, input) in slopes.iter_mut().zip(PER_SKILL) {
            *sum += slope * inputs[input];
        }
    }
    let mut inward = [0.0; HIDDEN];
    let outward = gradient.outward.iter_mut().zip(&network.outward);
    for ((into, (sum, weight)), hidden) in inward.iter_mut().zip(outward).zip(hidden) {
        *sum += slope * hidden;
        // A unit that is cut off passes nothing on.
        *into = if hidden == 0.0 { 0.0 } else { slope * weight };
    }
    for (sum, into) in gradient.hidden_bias.iter_mut().zip(inward) {
        *sum += into;
    }
    for (input, sums) in inputs.iter().zip(gradient.inward.chunks_exact_mut(HIDDEN)) {
        for (sum, into) in sums.iter_mut().zip(inward) {
            *sum += input * into;
        }
    }
}

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// About standard normal: six uniforms over [−½, ½), whose variances add up to one half, scaled.
    fn normal(&mut self) -> f32 {
        let uniform = |random: &mut Self| (random.next() >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
        (0..6).map(|_| uniform(self)).sum::<f32>() * std::f32::consts::SQRT_2
    }
}
