//! Assessment: what a handling was worth, and what many of them say of a skill.
//!
//! In: errors of position, rotation and time with the measured tracking noise, and the lesson's tolerances. Out: partial
//! credit, competency per dimension, growth, transfer.
//! Never: a learner paying for the noise of a sensor; a number for what wasn't measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, Interval, Rate, RateParams, bounded};
use super::quality::Quality;

/// How far a handling was off, as measured. What wasn't measured is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Errors {
    /// Distance from where the object should be, in metres.
    pub position: Option<f64>,
    /// Angle from how it should lie, in radians.
    pub rotation: Option<f64>,
    /// Time it took, in seconds.
    pub seconds: Option<f64>,
}

/// What a lesson lets pass with full credit. `None`: the lesson doesn't ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tolerance {
    /// Metres; 0.005 to 0.02 is what hands can do.
    pub position: Option<f64>,
    /// Radians.
    pub rotation: Option<f64>,
    /// Seconds.
    pub seconds: Option<f64>,
}

/// Root mean square of the tracking noise while it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Noise {
    /// Metres; about 0.001 for a tracked controller.
    pub position: f64,
    /// Radians.
    pub rotation: f64,
}

/// How errors become credit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreditParams {
    /// Credit falls in a straight line from 1 at the tolerance to 0 at this many tolerances; at least 1. Arbitrary: 3.
    pub fade: f64,
    /// Weight of position, rotation and time in the total. Arbitrary: 0.7 and 0.3 are the sources' for position and
    /// rotation; time counts only where a lesson gives it weight.
    pub weights: [f64; 3],
}

impl Default for CreditParams {
    fn default() -> Self {
        Self {
            fade: 3.0,
            weights: [0.7, 0.3, 0.0],
        }
    }
}

/// What a handling was worth, each in [0, 1]; `None` where it wasn't measured or wasn't asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Credit {
    /// For the position.
    pub position: Option<f64>,
    /// For the rotation.
    pub rotation: Option<f64>,
    /// For the time.
    pub time: Option<f64>,
    /// Weighted mean of those there are.
    pub total: Option<f64>,
}

/// Credit for a handling. Noise, independent of the error, adds to it in quadrature (what is measured has the mean
/// square error² + noise²), so it is taken off in quadrature.
#[must_use]
pub fn credit(errors: &Errors, tolerance: &Tolerance, noise: &Noise, p: &CreditParams) -> Credit {
    let position = part(errors.position, tolerance.position, noise.position, p);
    let rotation = part(errors.rotation, tolerance.rotation, noise.rotation, p);
    let time = part(errors.seconds, tolerance.seconds, 0.0, p);
    let (mut sum, mut all) = (0.0, 0.0);
    for (part, weight) in [position, rotation, time].into_iter().zip(p.weights) {
        let weight = bounded(weight, 0.0, 1000.0, 0.0);
        if let Some(part) = part {
            sum += weight * part;
            all += weight;
        }
    }
    Credit {
        position,
        rotation,
        time,
        total: (all > 0.0).then(|| (sum / all).clamp(0.0, 1.0)),
    }
}

fn part(error: Option<f64>, tolerance: Option<f64>, noise: f64, p: &CreditParams) -> Option<f64> {
    let tolerance = tolerance.filter(|t| *t > 0.0 && t.is_finite())?;
    let error = error.filter(|e| !e.is_nan())?.abs();
    // In tolerances, so that squares stay small; cut where credit is 0 anyway.
    let ratio = (error / tolerance).min(1e6);
    let noise = bounded(noise / tolerance, 0.0, 1e6, 0.0);
    let real = (ratio * ratio - noise * noise).max(0.0).sqrt();
    let fade = bounded(p.fade, 1.0 + 1e-9, 1e6, 3.0);
    Some(((fade - real) / (fade - 1.0)).clamp(0.0, 1.0))
}

/// What competency is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// The right thing was done: the step's own criterion.
    Choice,
    /// It was put in the right place.
    Position,
    /// It was turned the right way.
    Rotation,
    /// It was done in time.
    Time,
}

/// A learner's competency in one skill, per dimension.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Competency {
    choice: Rate,
    position: Rate,
    rotation: Rate,
    time: Rate,
}

impl Competency {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(p: &RateParams) -> Self {
        Self {
            choice: Rate::new(p),
            position: Rate::new(p),
            rotation: Rate::new(p),
            time: Rate::new(p),
        }
    }

    /// Takes in an attempt: whether the step's criterion was met, and the credit for how. What is `None` changes nothing;
    /// what went wrong through bad hardware hardly does ([`Quality::surprise`]).
    pub fn observe(
        &mut self,
        correct: Option<bool>,
        credit: &Credit,
        quality: Quality,
        p: &RateParams,
    ) {
        let choice = correct.map(|correct| f64::from(u8::from(correct)));
        for (rate, score) in [
            (&mut self.choice, choice),
            (&mut self.position, credit.position),
            (&mut self.rotation, credit.rotation),
            (&mut self.time, credit.time),
        ] {
            if let Some(score) = score {
                rate.observe(score, 1.0, quality, p);
            }
        }
    }

    /// Time without practice leaves a `share` in [0, 1] of the evidence: the intervals widen, the means stay.
    pub fn fade(&mut self, share: f64) {
        for rate in [
            &mut self.choice,
            &mut self.position,
            &mut self.rotation,
            &mut self.time,
        ] {
            rate.fade(share);
        }
    }

    /// Competency in one dimension, with its effective sample size and interval.
    #[must_use]
    pub fn rate(&self, dimension: Dimension) -> &Rate {
        match dimension {
            Dimension::Choice => &self.choice,
            Dimension::Position => &self.position,
            Dimension::Rotation => &self.rotation,
            Dimension::Time => &self.time,
        }
    }
}

/// How a skill's score has changed from its first attempts to its latest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    first: Rate,
    latest: Rate,
}

impl Growth {
    /// Attempts that make the beginning, and that the end remembers. Arbitrary: as many as a decision needs at least.
    pub const ATTEMPTS: f64 = 5.0;

    /// Nothing seen yet.
    #[must_use]
    pub fn new(p: &RateParams) -> Self {
        Self {
            first: Rate::new(p),
            latest: Rate::new(p),
        }
    }

    /// Takes in an attempt's score in [0, 1].
    pub fn observe(&mut self, score: f64, quality: Quality, p: &RateParams) {
        let p = RateParams {
            memory: Self::ATTEMPTS,
            ..*p
        };
        if self.first.evidence() < Self::ATTEMPTS {
            self.first.observe(score, 1.0, quality, &p);
            // Until there is evidence of a change, the end is as the beginning.
            if let Some(first) = self.first.estimate() {
                self.latest = Rate::new(&RateParams {
                    prior_mean: first.mean,
                    ..p
                });
            }
        } else {
            self.latest.observe(score, 1.0, quality, &p);
        }
    }

    /// Latest minus first, in [−1, 1], with its variance; nothing before there is evidence of both.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        let (first, latest) = (self.first.estimate()?, self.latest.estimate()?);
        Some(Estimate {
            mean: latest.mean - first.mean,
            variance: latest.variance + first.variance,
        })
    }

    /// The change's interval at `z` standard deviations, inside [−1, 1]; all of it where nothing is known.
    #[must_use]
    pub fn interval(&self, z: f64) -> Interval {
        let open = Interval {
            low: -1.0,
            high: 1.0,
        };
        self.estimate().map_or(open, |estimate| {
            let interval = estimate.interval(z);
            Interval {
                low: interval.low.clamp(-1.0, 1.0),
                high: interval.high.clamp(-1.0, 1.0),
            }
        })
    }
}

/// Whether a skill carries over: success at the first attempt on a variant never seen, after another one succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// One bit for each variant.
    seen: u64,
    succeeded: bool,
    rate: Rate,
}

impl Transfer {
    /// Variants of one skill that are told apart.
    pub const VARIANTS: u32 = 64;

    /// Nothing seen yet.
    #[must_use]
    pub fn new(p: &RateParams) -> Self {
        Self {
            seen: 0,
            succeeded: false,
            rate: Rate::new(p),
        }
    }

    /// Takes in an attempt on a variant, numbered from 0 by the lesson. Variants from [`Self::VARIANTS`] on can't be told
    /// apart and count for nothing.
    pub fn observe(&mut self, variant: u32, correct: bool, quality: Quality, p: &RateParams) {
        let Some(bit) = 1_u64.checked_shl(variant) else {
            return;
        };
        if self.seen & bit == 0 && self.succeeded {
            let score = f64::from(u8::from(correct));
            self.rate.observe(score, 1.0, quality, p);
        }
        self.seen |= bit;
        self.succeeded |= correct;
    }

    /// Share of first attempts on unseen variants that succeeded, with its evidence.
    #[must_use]
    pub fn rate(&self) -> &Rate {
        &self.rate
    }
}

#[cfg(test)]
mod tests;
