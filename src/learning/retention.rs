//! What is remembered after a while, and when to offer a skill again: FSRS-6.
//!
//! In: days since the last review and how it went. Out: chance of recall, memory state, days until the next review.
//! Never: a clock; days are passed in.
//!
//! Source: open-spaced-repetition, "The Algorithm", FSRS-6 (21 parameters; J. Ye and contributors, 2025), grown out of
//! J. Ye, J. Su, Y. Cao, "A Stochastic Shortest Path Algorithm for Optimizing Spaced Repetition Scheduling", KDD 2022.
//! Written out here because the crate rs-fsrs (1.2.1) is FSRS-5 with 19 parameters and asks the clock for its seed;
//! the tests hold vectors computed with the authors' Python package fsrs 6.3.2.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::bounded;
use super::quality::Quality;

/// Days, the shortest stability FSRS knows.
pub const MIN_STABILITY: f64 = 0.001;
/// Days, a hundred years: FSRS's longest interval, here also its longest stability.
pub const MAX_STABILITY: f64 = 36_500.0;

/// How a review went.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rating {
    /// Not remembered.
    Again,
    /// Remembered with effort or a hint.
    Hard,
    /// Remembered.
    Good,
    /// Remembered at once.
    Easy,
}

impl Rating {
    /// The number of FSRS's formulas, 1 to 4.
    fn grade(self) -> f64 {
        match self {
            Self::Again => 1.0,
            Self::Hard => 2.0,
            Self::Good => 3.0,
            Self::Easy => 4.0,
        }
    }

    /// The rating of an attempt nobody was asked to rate.
    ///
    /// `latency_z` is the log response time in standard deviations from the learner's own habit
    /// ([`super::habits::Learner::relative_pace`]); absent or NaN means ordinary. FSRS takes ratings from learners, so
    /// this mapping is ours: a failure is `Again`; a success with hints, or slower than `p.slow`, is `Hard`;
    /// quicker than `p.quick` is `Easy`; else `Good`.
    ///
    /// Where the hardware was trusted less than `p.least_trust`, a failure is no review at all (nothing), and a slow
    /// success is `Good`: neither says anything about memory.
    #[must_use]
    pub fn of_attempt(
        correct: bool,
        hints: u32,
        latency_z: Option<f64>,
        quality: Quality,
        p: &RetentionParams,
    ) -> Option<Self> {
        let trusted = quality.trust() >= bounded(p.least_trust, 0.0, 1.0, 1.0);
        let z = latency_z.filter(|_| trusted).unwrap_or(0.0);
        if !correct {
            return trusted.then_some(Self::Again);
        }
        Some(if hints > 0 || z > p.slow {
            Self::Hard
        } else if z < p.quick {
            Self::Easy
        } else {
            Self::Good
        })
    }
}

/// What is remembered of one skill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Days after which the chance of recall has fallen to 0.9, in [[`MIN_STABILITY`], [`MAX_STABILITY`]].
    pub stability: f64,
    /// How hard it is to make the memory last longer, in [1, 10].
    pub difficulty: f64,
}

/// Weights of FSRS-6 and how this product uses it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionParams {
    /// w0 to w20 of the publication. Weights outside the optimiser's bounds are cut to them.
    pub weights: [f64; 21],
    /// Chance of recall at which a review is offered, in [0.7, 0.97]; 0.9 by default.
    pub desired_retention: f64,
    /// Longest time between two reviews in days, in [1, 36500].
    pub longest_interval: f64,
    /// Log response time above this many standard deviations of the learner's own is slow. Ours, arbitrary: 1.
    pub slow: f64,
    /// Below this many it is quick. Ours, arbitrary: −1.
    pub quick: f64,
    /// Trust in the hardware ([`Quality::trust`]) below which a failure is no review. Ours, arbitrary: 0.8.
    pub least_trust: f64,
}

impl Default for RetentionParams {
    /// The authors' defaults, fitted to reviews of flashcards: nothing better is known for tasks in VR.
    fn default() -> Self {
        Self {
            weights: [
                0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666,
                0.796, 1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658,
                0.1542,
            ],
            desired_retention: 0.9,
            longest_interval: MAX_STABILITY,
            slow: 1.0,
            quick: -1.0,
            least_trust: 0.8,
        }
    }
}

/// Bounds of the authors' optimiser for w0 to w20.
const BOUNDS: [(f64, f64); 21] = [
    (MIN_STABILITY, 100.0),
    (MIN_STABILITY, 100.0),
    (MIN_STABILITY, 100.0),
    (MIN_STABILITY, 100.0),
    (1.0, 10.0),
    (0.001, 4.0),
    (0.001, 4.0),
    (0.001, 0.75),
    (0.0, 4.5),
    (0.0, 0.8),
    (0.001, 3.5),
    (0.001, 5.0),
    (0.001, 0.25),
    (0.001, 0.9),
    (0.0, 4.0),
    (0.0, 1.0),
    (1.0, 6.0),
    (0.0, 2.0),
    (0.0, 2.0),
    (0.0, 0.8),
    (0.1, 0.8),
];

impl RetentionParams {
    /// The weights, each inside its bounds.
    fn within_bounds(&self) -> [f64; 21] {
        let mut weights = self.weights;
        let defaults = Self::default().weights;
        for ((weight, (low, high)), default) in weights.iter_mut().zip(BOUNDS).zip(defaults) {
            *weight = bounded(*weight, low, high, default);
        }
        weights
    }
}

/// Chance of recall in (0, 1] after `days`: R(t, S) = (1 + F·t/S)^−w20 with F = 0.9^(−1/w20) − 1, so that R(S, S) = 0.9.
/// Negative or unknown (NaN) days count as 0.
#[must_use]
pub fn retrievability(memory: &Memory, days: f64, p: &RetentionParams) -> f64 {
    let decay = p.within_bounds()[20];
    let days = bounded(days, 0.0, 1e6, 0.0);
    (1.0 + factor(decay) * days / stability(memory.stability)).powf(-decay)
}

/// Days until the chance of recall has fallen to the desired retention, whole days, at least 1.
#[must_use]
pub fn interval(memory: &Memory, p: &RetentionParams) -> f64 {
    let decay = p.within_bounds()[20];
    let retention = bounded(p.desired_retention, 0.7, 0.97, 0.9);
    let days = stability(memory.stability) / factor(decay) * (retention.powf(-1.0 / decay) - 1.0);
    let longest = bounded(p.longest_interval, 1.0, MAX_STABILITY, MAX_STABILITY);
    days.round().clamp(1.0, longest)
}

/// Whether a review should be offered `days` after the last: the chance of recall has fallen to the desired retention.
#[must_use]
pub fn is_due(memory: &Memory, days: f64, p: &RetentionParams) -> bool {
    retrievability(memory, days, p) <= bounded(p.desired_retention, 0.7, 0.97, 0.9)
}

/// The memory after its first review.
#[must_use]
pub fn first_review(rating: Rating, p: &RetentionParams) -> Memory {
    let w = p.within_bounds();
    let initial = match rating {
        Rating::Again => w[0],
        Rating::Hard => w[1],
        Rating::Good => w[2],
        Rating::Easy => w[3],
    };
    Memory {
        stability: stability(initial),
        difficulty: difficulty(first_difficulty(rating, &w)),
    }
}

/// The memory after a further review, `days` after the last one. Less than a day is a same-day review.
#[must_use]
pub fn review(memory: &Memory, days: f64, rating: Rating, p: &RetentionParams) -> Memory {
    let w = p.within_bounds();
    let s = stability(memory.stability);
    let d = difficulty(memory.difficulty);
    let days = bounded(days, 0.0, 1e6, 0.0);
    let next = if days < 1.0 {
        same_day(s, rating, &w)
    } else {
        let r = retrievability(memory, days, p);
        match rating {
            Rating::Again => after_lapse(s, d, r, &w),
            Rating::Hard => after_recall(s, d, r, w[15], &w),
            Rating::Good => after_recall(s, d, r, 1.0, &w),
            Rating::Easy => after_recall(s, d, r, w[16], &w),
        }
    };
    Memory {
        stability: stability(next),
        difficulty: next_difficulty(d, rating, &w),
    }
}

fn stability(days: f64) -> f64 {
    bounded(days, MIN_STABILITY, MAX_STABILITY, MIN_STABILITY)
}

fn difficulty(d: f64) -> f64 {
    bounded(d, 1.0, 10.0, 5.0)
}

fn factor(decay: f64) -> f64 {
    0.9_f64.powf(-1.0 / decay) - 1.0
}

/// D0(G) = w4 − e^(w5·(G − 1)) + 1, not yet cut to [1, 10].
fn first_difficulty(rating: Rating, w: &[f64; 21]) -> f64 {
    w[4] - (w[5] * (rating.grade() - 1.0)).exp() + 1.0
}

/// D′ = w7·D0(Easy) + (1 − w7)·(D − w6·(G − 3)·(10 − D)/9): damped near 10, pulled back to the start.
fn next_difficulty(d: f64, rating: Rating, w: &[f64; 21]) -> f64 {
    let change = -w[6] * (rating.grade() - 3.0) * (10.0 - d) / 9.0;
    difficulty(w[7] * first_difficulty(Rating::Easy, w) + (1.0 - w[7]) * (d + change))
}

/// S′ = S·e^(w17·(G − 3 + w18))·S^−w19; a remembered skill never gets less stable.
fn same_day(s: f64, rating: Rating, w: &[f64; 21]) -> f64 {
    let growth = (w[17] * (rating.grade() - 3.0 + w[18])).exp() * s.powf(-w[19]);
    if rating == Rating::Again {
        s * growth
    } else {
        s * growth.max(1.0)
    }
}

/// S′ = S·(1 + e^w8·(11 − D)·S^−w9·(e^(w10·(1 − R)) − 1)·bonus).
fn after_recall(s: f64, d: f64, r: f64, bonus: f64, w: &[f64; 21]) -> f64 {
    let growth = w[8].exp() * (11.0 - d) * s.powf(-w[9]) * (w[10] * (1.0 - r)).exp_m1() * bonus;
    s * (1.0 + growth)
}

/// S′ = min(w11·D^−w12·((S + 1)^w13 − 1)·e^(w14·(1 − R)), S/e^(w17·w18)): forgetting never strengthens.
fn after_lapse(s: f64, d: f64, r: f64, w: &[f64; 21]) -> f64 {
    let long = w[11] * d.powf(-w[12]) * ((s + 1.0).powf(w[13]) - 1.0) * (w[14] * (1.0 - r)).exp();
    long.min(s / (w[17] * w[18]).exp())
}

#[cfg(test)]
mod tests;
