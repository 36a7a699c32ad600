//! What each actuator is worth, learnt from what its changes did: recursive least squares (Ljung 1999, System
//! Identification, 11.2) on the ratio of costs before and after, so that the scene's own cost cancels.
//!
//! A frame costs L·f(w): L is the scene at full quality, w the work by kind as shares of full, and
//! f(w) = 1 − Σ θᵢ·(1 − wᵢ), with θᵢ the part of the cost that kind i has. From r = f(w′)/f(w) follows
//! Σ θᵢ·[(1 − w′ᵢ) − r·(1 − wᵢ)] = 1 − r, which is linear in θ.

use super::actuators::Work;

/// Least that any change can leave of a cost: a frame is never free.
const LEAST: f64 = 0.05;
/// How much doubt comes back with every observation, as a variance: scenes change.
const FORGETTING: f64 = 1e-5;

/// Shares of the cost by kind, with their doubt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostModel {
    share: [f64; 5],
    doubt: [[f64; 5]; 5],
}

impl CostModel {
    /// From shares that are believed, each with a standard deviation of `doubt` times itself and 0.02.
    #[must_use]
    pub fn new(shares: &[f64; 5], doubt: f64) -> Self {
        let mut model = Self {
            share: *shares,
            doubt: [[0.0; 5]; 5],
        };
        for (i, (row, share)) in model.doubt.iter_mut().zip(shares).enumerate() {
            if let Some(own) = row.get_mut(i) {
                *own = (doubt * share).powi(2) + 4e-4;
            }
        }
        model
    }

    /// Shares of the cost by kind, 0..0.95 in all.
    #[must_use]
    pub fn shares(&self) -> &[f64; 5] {
        &self.share
    }

    /// What a frame costs with this work, as a share of its cost at full quality.
    #[must_use]
    pub fn factor(&self, work: &Work) -> f64 {
        let saved: f64 = self
            .share
            .iter()
            .zip(work)
            .map(|(share, work)| share * (1.0 - work))
            .sum();
        (1.0 - saved).max(LEAST)
    }

    /// Standard deviation of what going from one work to another saves.
    #[must_use]
    pub fn doubt(&self, from: &Work, to: &Work) -> f64 {
        let moved = difference(from, to);
        let variance: f64 = self
            .doubt
            .iter()
            .zip(&moved)
            .map(|(row, a)| a * row.iter().zip(&moved).map(|(p, b)| p * b).sum::<f64>())
            .sum();
        variance.max(0.0).sqrt()
    }

    /// Learns that going from one work to another multiplied the cost by `ratio`, known within `noise` (a standard
    /// deviation). A ratio further away than four standard deviations says that the scene changed, and nothing is learnt.
    /// Returns whether something was.
    pub fn learn(&mut self, from: &Work, to: &Work, ratio: f64, noise: f64) -> bool {
        if !ratio.is_finite() || !(0.05..20.0).contains(&ratio) || !noise.is_finite() {
            return false;
        }
        let mut seen = [0.0; 5];
        for ((seen, from), to) in seen.iter_mut().zip(from).zip(to) {
            *seen = (1.0 - to) - ratio * (1.0 - from);
        }
        let mut gain = [0.0; 5];
        for (gain, row) in gain.iter_mut().zip(&self.doubt) {
            *gain = row.iter().zip(&seen).map(|(p, h)| p * h).sum();
        }
        let expected: f64 = self.share.iter().zip(&seen).map(|(s, h)| s * h).sum();
        let variance = noise * noise + gain.iter().zip(&seen).map(|(k, h)| k * h).sum::<f64>();
        let error = 1.0 - ratio - expected;
        if variance <= 0.0 || error * error > 16.0 * variance {
            return false;
        }
        for (share, gain) in self.share.iter_mut().zip(&gain) {
            *share = (*share + gain / variance * error).clamp(0.0, 0.9);
        }
        for (i, (row, a)) in self.doubt.iter_mut().zip(&gain).enumerate() {
            for (p, b) in row.iter_mut().zip(&gain) {
                *p -= a * b / variance;
            }
            if let Some(own) = row.get_mut(i) {
                *own = own.max(0.0) + FORGETTING;
            }
        }
        let sum: f64 = self.share.iter().sum();
        if sum > 0.95 {
            for share in &mut self.share {
                *share *= 0.95 / sum;
            }
        }
        true
    }
}

fn difference(from: &Work, to: &Work) -> Work {
    let mut moved = [0.0; 5];
    for ((moved, from), to) in moved.iter_mut().zip(from).zip(to) {
        *moved = to - from;
    }
    moved
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BELIEVED: [f64; 5] = [0.55, 0.15, 0.06, 0.04, 0.10];

    #[test]
    fn full_work_costs_all_of_it() {
        let model = CostModel::new(&BELIEVED, 0.3);
        assert!((model.factor(&[1.0; 5]) - 1.0).abs() < 1e-12);
        assert!((model.factor(&[0.0; 5]) - 0.1).abs() < 1e-12);
        assert!(model.doubt(&[1.0; 5], &[1.0; 5]) < 1e-12);
    }

    #[test]
    fn nothing_is_learnt_from_a_scene_that_changed_meanwhile() {
        let mut model = CostModel::new(&BELIEVED, 0.3);
        let before = model;
        assert!(!model.learn(&[1.0; 5], &[0.9; 5], 2.0, 0.04));
        assert!(!model.learn(&[1.0; 5], &[0.9; 5], f64::NAN, 0.04));
        assert_eq!(model, before);
    }

    #[test]
    fn it_finds_what_each_actuator_is_worth() {
        let truth = CostModel::new(&[0.7, 0.05, 0.05, 0.0, 0.1], 0.3);
        let mut model = CostModel::new(&BELIEVED, 1.0);
        for n in 0..60 {
            // One after the other is turned down, and up again.
            let mut low = [1.0; 5];
            low[n % 5] = 0.3;
            let ratio = truth.factor(&low);
            assert!(model.learn(&[1.0; 5], &low, ratio, 0.02));
            assert!(model.learn(&low, &[1.0; 5], 1.0 / ratio, 0.02));
        }
        for (learnt, share) in model.shares().iter().zip(truth.shares()) {
            assert!((learnt - share).abs() < 0.01, "{model:?}");
        }
    }

    proptest! {
        #[test]
        fn what_it_has_seen_it_foretells(
            // With the others at most 0.95 in all, as any cost has.
            pixels in 0.3..0.7_f64,
            detail in 0.0..0.15_f64,
            works in prop::collection::vec(prop::array::uniform5(0.2..1.0_f64), 60..80),
        ) {
            let truth = CostModel::new(&[pixels, 0.05, 0.05, 0.0, detail], 0.3);
            let mut model = CostModel::new(&BELIEVED, 1.0);
            let mut from = [1.0; 5];
            for to in works {
                let ratio = truth.factor(&to) / truth.factor(&from);
                model.learn(&from, &to, ratio, 0.02);
                from = to;
            }
            let error = model.factor(&from) - truth.factor(&from);
            prop_assert!(error.abs() < 0.08, "{error}: {model:?}");
        }

        #[test]
        fn it_stays_a_cost_whatever_it_is_told(
            told in prop::collection::vec((prop::array::uniform5(0.0..=1.0_f64), prop::num::f64::ANY, 0.0..1.0_f64), 0..50),
        ) {
            let mut model = CostModel::new(&BELIEVED, 2.0);
            let mut from = [1.0; 5];
            for (to, ratio, noise) in told {
                model.learn(&from, &to, ratio, noise);
                let factor = model.factor(&to);
                prop_assert!((LEAST..=1.0 + 1e-9).contains(&factor));
                prop_assert!(model.doubt(&from, &to).is_finite());
                from = to;
            }
        }
    }
}
