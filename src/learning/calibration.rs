//! Whether learners know what they know: stated confidence against what happened.
//!
//! In: confidence stated before an attempt, and its outcome. Out: Brier score with its parts, and over-confidence.
//! Never: anything for a learner who wasn't asked.
//!
//! Sources: Brier 1950, "Verification of forecasts expressed in terms of probability"; its parts: Murphy 1973, "A new
//! vector partition of the probability score".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, bounded};
use super::quality::Quality;

/// Confidence is asked on a scale of eleven levels, 0 %, 10 %, … 100 %. What lies between goes to the nearest, which makes
/// Murphy's parts add up exactly.
pub const LEVELS: usize = 11;

/// Outcomes of the attempts at which one level was stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Level {
    right: u32,
    wrong: u32,
}

/// A learner's stated confidence and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    levels: [Level; LEVELS],
}

/// How well stated confidence fits, all in [0, 1]; `score = reliability − resolution + uncertainty`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Brier {
    /// Mean of (confidence − outcome)²; 0 is perfect, 0.25 is always saying 50 %.
    pub score: f64,
    /// How far each level lies from the share that was right at it; 0 is perfectly calibrated.
    pub reliability: f64,
    /// How far the levels tell right from wrong; more is better.
    pub resolution: f64,
    /// Variance of the outcomes, which no confidence can change.
    pub uncertainty: f64,
    /// Attempts with stated confidence.
    pub asked: u64,
}

impl Calibration {
    /// Takes in an attempt before which `confidence` in [0, 1] was stated. NaN is as if never asked.
    ///
    /// Where the hardware was trusted less than `least_trust` neither success nor failure counts: what is left out must
    /// not depend on how it came out, or learners would look less sure of themselves than they are.
    pub fn observe(&mut self, confidence: f64, correct: bool, quality: Quality, least_trust: f64) {
        if confidence.is_nan() || quality.trust() < bounded(least_trust, 0.0, 1.0, 1.0) {
            return;
        }
        let steps = confidence.clamp(0.0, 1.0) * (LEVELS - 1) as f64;
        // In 0..=10, so the cast only drops the fraction that rounding has made 0.
        if let Some(level) = self.levels.get_mut(steps.round() as usize) {
            let count = if correct {
                &mut level.right
            } else {
                &mut level.wrong
            };
            *count = count.saturating_add(1);
        }
    }

    /// The Brier score and its parts; nothing if confidence was never stated.
    #[must_use]
    pub fn brier(&self) -> Option<Brier> {
        let n: f64 = self.stated().map(|(_, n, _)| n).sum();
        if n <= 0.0 {
            return None;
        }
        let base = self.stated().map(|(_, _, right)| right).sum::<f64>() / n;
        let (mut score, mut reliability, mut resolution) = (0.0, 0.0, 0.0);
        for (confidence, at_level, right) in self.stated() {
            let share = right / at_level;
            score += right * (1.0 - confidence).powi(2) + (at_level - right) * confidence.powi(2);
            reliability += at_level * (confidence - share).powi(2);
            resolution += at_level * (share - base).powi(2);
        }
        Some(Brier {
            score: score / n,
            reliability: reliability / n,
            resolution: resolution / n,
            uncertainty: base * (1.0 - base),
            asked: self.asked(),
        })
    }

    /// Mean confidence minus share right, in [−1, 1], with the variance of the mean: above 0 is over-confident. Nothing
    /// before confidence was stated twice.
    #[must_use]
    pub fn over_confidence(&self) -> Option<Estimate> {
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for (confidence, at_level, right) in self.stated() {
            let (if_right, if_wrong) = (confidence - 1.0, confidence);
            let wrong = at_level - right;
            n += at_level;
            sum += right * if_right + wrong * if_wrong;
            squares += right * if_right * if_right + wrong * if_wrong * if_wrong;
        }
        if n < 2.0 {
            return None;
        }
        let mean = sum / n;
        Some(Estimate {
            mean,
            // Never quite sure: with every difference the same the sample variance is 0, however few there are. One
            // further difference of the largest size keeps it open.
            variance: ((squares - n * mean * mean).max(0.0) + 1.0) / (n * n),
        })
    }

    /// Attempts with stated confidence.
    #[must_use]
    pub fn asked(&self) -> u64 {
        let counts = self.levels.iter();
        counts
            .map(|level| u64::from(level.right) + u64::from(level.wrong))
            .sum()
    }

    /// Each level that was stated: its confidence, how often, how often right.
    fn stated(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.levels.iter().enumerate().filter_map(|(i, level)| {
            let (right, wrong) = (f64::from(level.right), f64::from(level.wrong));
            let confidence = i as f64 / (LEVELS - 1) as f64;
            (right + wrong > 0.0).then_some((confidence, right + wrong, right))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stated(attempts: &[(f64, bool)]) -> Calibration {
        let mut calibration = Calibration::default();
        for &(confidence, correct) in attempts {
            calibration.observe(confidence, correct, Quality::PERFECT, 0.8);
        }
        calibration
    }

    #[test]
    fn the_parts_as_worked_by_hand() {
        // Twice 80 % (right, wrong), twice 20 % (wrong, wrong). Score (0.04 + 0.64 + 0.04 + 0.04)/4 = 0.19.
        // Shares 1/2 and 0, base 1/4: reliability (2·0.09 + 2·0.04)/4 = 0.065, resolution (2/16 + 2/16)/4 = 0.0625,
        // uncertainty 3/16 = 0.1875; 0.065 − 0.0625 + 0.1875 = 0.19.
        let calibration = stated(&[(0.8, true), (0.8, false), (0.2, false), (0.2, false)]);
        let brier = calibration.brier().unwrap();
        assert!((brier.score - 0.19).abs() < 1e-12);
        assert!((brier.reliability - 0.065).abs() < 1e-12);
        assert!((brier.resolution - 0.0625).abs() < 1e-12);
        assert!((brier.uncertainty - 0.1875).abs() < 1e-12);
        // Mean confidence 1/2, right 1/4.
        let over = calibration.over_confidence().unwrap();
        assert!((over.mean - 0.25).abs() < 1e-12);
        // Differences −0.2, 0.8, 0.2, 0.2: squares 0.76 − 4/16 = 0.51, and one further: 1.51/16.
        assert!((over.variance - 1.51 / 16.0).abs() < 1e-12);
    }

    #[test]
    fn confidence_goes_to_the_nearest_level() {
        // 29 % is 30 %: (1 − 0.3)².
        let brier = stated(&[(0.29, true)]).brier().unwrap();
        assert!((brier.score - 0.49).abs() < 1e-12);
    }

    #[test]
    fn who_was_never_asked_has_no_calibration() {
        let calibration = stated(&[(f64::NAN, true)]);
        assert_eq!(calibration.brier(), None);
        assert_eq!(calibration.over_confidence(), None);
    }

    #[test]
    fn bad_hardware_makes_nobody_over_confident() {
        let lost = Quality {
            frame_health: 0.3,
            tracking: 1.0,
        };
        let mut calibration = Calibration::default();
        for _ in 0..20 {
            calibration.observe(0.9, false, lost, 0.8);
        }
        assert_eq!(calibration, Calibration::default());
    }

    proptest! {
        #[test]
        fn the_parts_add_up(attempts in prop::collection::vec((0.0..=1.0, any::<bool>()), 1..100)) {
            let brier = stated(&attempts).brier().unwrap();
            prop_assert!((brier.score - (brier.reliability - brier.resolution + brier.uncertainty)).abs() < 1e-12);
            for part in [brier.score, brier.reliability, brier.resolution, brier.uncertainty] {
                prop_assert!((-1e-12..=1.0).contains(&part));
            }
        }

        #[test]
        fn the_order_of_attempts_does_not_matter(attempts in prop::collection::vec((0.0..=1.0, any::<bool>()), 0..50)) {
            let mut turned = attempts.clone();
            turned.reverse();
            prop_assert_eq!(stated(&attempts), stated(&turned));
        }

        #[test]
        fn any_confidence_stays_finite(attempts in prop::collection::vec((prop::num::f64::ANY, any::<bool>()), 0..50)) {
            let calibration = stated(&attempts);
            if let Some(brier) = calibration.brier() {
                prop_assert!((0.0..=1.0).contains(&brier.score));
            }
            if let Some(over) = calibration.over_confidence() {
                prop_assert!(over.mean.abs() <= 1.0 && over.variance > 0.0 && over.variance.is_finite());
            }
        }
    }
}
