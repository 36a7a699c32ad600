//! Estimates that know how sure they are.
//!
//! [`Estimate`] is a Gaussian for quantities on the logit scale; [`Rate`] is an average of outcomes in [0, 1] with the
//! amount of evidence behind it. Both are plain numbers of constant size and never leave their range.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quality::Quality;

/// Nobody is measured further out: σ(±10) is 0.00005 from certainty, and one more logit is beyond any evidence.
pub const MAX_LOGIT: f64 = 10.0;

/// Two-sided 95 % of a normal distribution.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// `x` cut to [`low`, `high`]; NaN becomes `if_nan`.
pub(crate) fn bounded(x: f64, low: f64, high: f64, if_nan: f64) -> f64 {
    if x.is_nan() {
        if_nan
    } else {
        x.max(low).min(high)
    }
}

/// Logistic function of `x`, a probability in (0, 1); `x` is cut to ±[`MAX_LOGIT`], NaN counts as 0.
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-bounded(x, -MAX_LOGIT, MAX_LOGIT, 0.0)).exp())
}

/// Log-odds of a probability, cut to ±[`MAX_LOGIT`]; NaN counts as even odds.
#[must_use]
pub fn logit(p: f64) -> f64 {
    let p = bounded(p, 0.0, 1.0, 0.5);
    bounded((p / (1.0 - p)).ln(), -MAX_LOGIT, MAX_LOGIT, 0.0)
}

/// Lower and upper end of what is likely, `low <= high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// How far apart the ends are.
    #[must_use]
    pub fn width(self) -> f64 {
        self.high - self.low
    }
}

/// A normally distributed belief: `mean`, and `variance` in the square of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// What is most likely.
    pub mean: f64,
    /// How unsure it is, greater than 0.
    pub variance: f64,
}

impl Estimate {
    /// Mean ± `z` standard deviations ([`Z_95`] for 95 %), always finite.
    #[must_use]
    pub fn interval(self, z: f64) -> Interval {
        let mean = bounded(self.mean, f64::MIN, f64::MAX, 0.0);
        let half = bounded(z, 0.0, 100.0, Z_95) * bounded(self.variance, 0.0, 1e12, 1e12).sqrt();
        Interval {
            low: bounded(mean - half, f64::MIN, f64::MAX, 0.0),
            high: bounded(mean + half, f64::MIN, f64::MAX, 0.0),
        }
    }
}

/// How a [`Rate`] starts and how long it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RateParams {
    /// Expectation before any evidence, in [0, 1].
    pub prior_mean: f64,
    /// How many observations that expectation is worth, in [0.5, 1000].
    pub prior_weight: f64,
    /// Evidence counts up to this many observations; beyond, old ones fade so that change shows. At least 1.
    pub memory: f64,
}

impl Default for RateParams {
    /// Beta(1, 1), Laplace's uniform prior. A memory of 30 is ours and arbitrary: about a lesson's worth of attempts.
    fn default() -> Self {
        Self {
            prior_mean: 0.5,
            prior_weight: 2.0,
            memory: 30.0,
        }
    }
}

/// Average of outcomes in [0, 1] with its evidence: a Beta distribution written as mean and size, with weights.
///
/// The size grows by how far an observation could be trusted and not by how it came out; so more success can never
/// lower the mean, also not later on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    mean: f64,
    prior_weight: f64,
    /// Effective number of observations.
    evidence: f64,
}

impl Rate {
    /// Nothing observed yet.
    #[must_use]
    pub fn new(p: &RateParams) -> Self {
        Self {
            mean: bounded(p.prior_mean, 0.0, 1.0, 0.5),
            prior_weight: bounded(p.prior_weight, 0.5, 1000.0, 2.0),
            evidence: 0.0,
        }
    }

    /// Takes in one outcome: `score` in [0, 1], `weight` ≥ 0 how many observations it is worth (at most 1000).
    /// A failure through bad hardware weighs less ([`Quality::surprise`]); a score that is NaN is as if never made.
    pub fn observe(&mut self, score: f64, weight: f64, quality: Quality, p: &RateParams) {
        let weight = bounded(weight, 0.0, 1000.0, 0.0);
        if score.is_nan() || weight <= 0.0 {
            return;
        }
        let gain = weight / (self.weight() + weight);
        let mean = self.mean();
        self.mean = (mean + gain * quality.surprise(mean, score)).clamp(0.0, 1.0);
        let memory = bounded(p.memory, 1.0, 1e9, 30.0);
        self.evidence = (self.evidence + weight * quality.trust()).min(memory);
    }

    /// What time without evidence does: a `share` in [0, 1] of the evidence stays, the mean does not move.
    pub fn fade(&mut self, share: f64) {
        self.evidence *= bounded(share, 0.0, 1.0, 1.0);
    }

    /// Effective number of observations behind it; 0 if there were none.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        self.evidence
    }

    /// Mean and variance of the Beta distribution, or nothing if nothing was observed. Variance is at most 1/4.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        let mean = self.mean();
        (self.evidence > 0.0).then(|| Estimate {
            mean,
            variance: mean * (1.0 - mean) / (self.weight() + 1.0),
        })
    }

    /// Score interval at `z` standard deviations (Wilson 1927), inside [0, 1]; all of [0, 1] without evidence.
    #[must_use]
    pub fn interval(&self, z: f64) -> Interval {
        if self.evidence <= 0.0 {
            return Interval {
                low: 0.0,
                high: 1.0,
            };
        }
        let mean = self.mean();
        let z = bounded(z, 0.0, 100.0, Z_95);
        let n = self.weight();
        let spread = z * z / n;
        let centre = (mean + spread / 2.0) / (1.0 + spread);
        let half = z / (1.0 + spread)
            * (mean * (1.0 - mean) / n + spread / (4.0 * n))
                .max(0.0)
                .sqrt();
        Interval {
            low: (centre - half).clamp(0.0, mean),
            high: (centre + half).clamp(mean, 1.0),
        }
    }

    /// Mean and evidence, as a batch keeps them in columns.
    pub(super) fn parts(&self) -> (f64, f64) {
        (self.mean, self.evidence)
    }

    /// The rate with these [`Rate::parts`].
    pub(super) fn of_parts(mean: f64, evidence: f64, p: &RateParams) -> Self {
        Self {
            mean,
            evidence,
            ..Self::new(p)
        }
    }

    /// What was read back from a file may be anything.
    fn mean(&self) -> f64 {
        bounded(self.mean, 0.0, 1.0, 0.5)
    }

    fn weight(&self) -> f64 {
        bounded(self.prior_weight, 0.5, 1000.0, 2.0) + bounded(self.evidence, 0.0, 1e9, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate_after(scores: &[f64], quality: Quality) -> Rate {
        let p = RateParams::default();
        let mut rate = Rate::new(&p);
        for &score in scores {
            rate.observe(score, 1.0, quality, &p);
        }
        rate
    }

    #[test]
    fn with_flawless_hardware_it_is_the_beta_posterior() {
        // Beta(1, 1), then right, right, wrong: Beta(3, 2), mean 3/5, variance 3·2/(5²·6) = 0.04.
        let estimate = rate_after(&[1.0, 1.0, 0.0], Quality::PERFECT)
            .estimate()
            .unwrap();
        assert!((estimate.mean - 0.6).abs() < 1e-12);
        assert!((estimate.variance - 0.04).abs() < 1e-12);
    }

    #[test]
    fn the_interval_is_wilsons() {
        // Wilson, 15 of 20 at 95 %: 0.5313 to 0.8881 (Newcombe 1998's formula, by hand).
        let rate = Rate {
            mean: 0.75,
            prior_weight: 2.0,
            evidence: 18.0,
        };
        let interval = rate.interval(Z_95);
        assert!((interval.low - 0.5313).abs() < 1e-4, "{interval:?}");
        assert!((interval.high - 0.8881).abs() < 1e-4, "{interval:?}");
    }

    #[test]
    fn without_evidence_there_is_no_estimate_and_anything_is_possible() {
        let rate = Rate::new(&RateParams::default());
        assert_eq!(rate.estimate(), None);
        assert!((rate.interval(Z_95).width() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_score_that_was_never_made_changes_nothing() {
        let before = rate_after(&[1.0, 0.0, 1.0], Quality::PERFECT);
        let mut after = before;
        after.observe(f64::NAN, 1.0, Quality::PERFECT, &RateParams::default());
        after.observe(1.0, f64::NAN, Quality::PERFECT, &RateParams::default());
        assert_eq!(after, before);
    }

    #[test]
    fn logit_and_sigmoid_undo_each_other() {
        for p in [0.01, 0.3, 0.5, 0.85, 0.999] {
            assert!((sigmoid(logit(p)) - p).abs() < 1e-12);
        }
        assert!((logit(1.0) - MAX_LOGIT).abs() < 1e-12);
        assert!((logit(0.0) + MAX_LOGIT).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn more_success_never_lowers_it(
            answers in prop::collection::vec((0.0..=1.0, 0.0..=1.0, 0.0..=1.0), 1..60), which in any::<prop::sample::Index>(),
        ) {
            let p = RateParams { memory: 10.0, ..RateParams::default() };
            let better = which.index(answers.len());
            let mut plain = Rate::new(&p);
            let mut more = plain;
            for (i, &(score, up, trust)) in answers.iter().enumerate() {
                let quality = Quality { frame_health: trust, tracking: 1.0 };
                plain.observe(score, 1.0, quality, &p);
                let raised = if i == better { score + (1.0 - score) * up } else { score };
                more.observe(raised, 1.0, quality, &p);
                prop_assert!(more.mean >= plain.mean - 1e-12, "{} < {}", more.mean, plain.mean);
            }
        }

        #[test]
        fn failures_without_trust_move_nothing(scores in prop::collection::vec(0.0..=1.0, 0..20)) {
            let before = rate_after(&scores, Quality::PERFECT);
            let mut after = before;
            after.observe(0.0, 1.0, Quality { frame_health: 0.0, tracking: 1.0 }, &RateParams::default());
            prop_assert_eq!(before, after);
        }

        #[test]
        fn fading_widens_the_interval_and_keeps_the_mean(
            scores in prop::collection::vec(0.0..=1.0, 1..40), share in 0.01..0.99,
        ) {
            let before = rate_after(&scores, Quality::PERFECT);
            let mut after = before;
            after.fade(share);
            prop_assert!((after.mean - before.mean).abs() < f64::EPSILON);
            prop_assert!(after.interval(Z_95).width() > before.interval(Z_95).width());
            prop_assert!(after.estimate().unwrap().variance >= before.estimate().unwrap().variance);
        }

        #[test]
        fn nothing_leaves_its_range(
            scores in prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY, prop::num::f64::ANY, prop::num::f64::ANY), 0..40),
            z in prop::num::f64::ANY, prior_mean in prop::num::f64::ANY, prior_weight in prop::num::f64::ANY, memory in prop::num::f64::ANY,
        ) {
            let p = RateParams { prior_mean, prior_weight, memory };
            let mut rate = Rate::new(&p);
            for (score, weight, frame_health, tracking) in scores {
                rate.observe(score, weight, Quality { frame_health, tracking }, &p);
                rate.fade(score);
                prop_assert!((0.0..=1.0).contains(&rate.mean));
                let interval = rate.interval(z);
                prop_assert!(0.0 <= interval.low && interval.low <= interval.high && interval.high <= 1.0);
                if let Some(estimate) = rate.estimate() {
                    prop_assert!((0.0..=0.25).contains(&estimate.variance));
                }
            }
        }

        #[test]
        fn the_logit_scale_stays_finite(x in prop::num::f64::ANY, variance in prop::num::f64::ANY, z in prop::num::f64::ANY) {
            prop_assert!(sigmoid(x) > 0.0 && sigmoid(x) < 1.0);
            prop_assert!(logit(x).abs() <= MAX_LOGIT);
            let interval = Estimate { mean: x, variance }.interval(z);
            prop_assert!(interval.low.is_finite() && interval.high.is_finite());
        }
    }
}
