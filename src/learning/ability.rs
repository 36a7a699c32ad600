//! Ability per skill, and difficulty per task, on one logit scale.
//!
//! In: attempts with the quality of their moment. Out: estimates with intervals.
//! Never: who the learner is (why: [`super::habits`]).
//!
//! Ability is Elo's rating with uncertainty for the one-parameter logistic model (Pelánek 2016, "Applications of the Elo
//! rating system in adaptive educational systems", Computers & Education 98): θ ← θ + K·(y − σ(θ − d)), with his
//! uncertainty function K(n) = a/(1 + b·n). That K is also the variance of a Gaussian belief with prior variance a that
//! gains b of precision (Fisher information) per answer; so K and the interval are one number. b = 0.05 is what an
//! answer tells when success was expected with 0.947 or 0.053; nearer to even odds it tells more (0.25 at most). The
//! interval is therefore on the wide side for every task within 2.9 logits, which leaves room for learning meanwhile.
//! Because K does not depend on the answers, more success can never lead to less ability, also later on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, MAX_LOGIT, bounded, sigmoid};
use super::quality::Quality;

/// By how much a hint makes a task easier, logit. Ours: an answer that was even odds becomes 0.62.
pub const HINT_EASES: f64 = 0.5;

/// How ability and difficulty move.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AbilityParams {
    /// Variance before the first answer, in logit², in [0.01, 3.9]; also the first step K. Pelánek's a.
    pub prior_variance: f64,
    /// Precision gained per answer, per logit², in [0, 0.25]. Pelánek's b.
    pub information: f64,
    /// Variance regained per day without practice, in logit², at least 0. Ours and arbitrary: half a year to forget
    /// that one knew.
    pub drift_per_day: f64,
}

impl Default for AbilityParams {
    /// a = 1 and b = 0.05 are Pelánek's (2016).
    fn default() -> Self {
        Self {
            prior_variance: 1.0,
            information: 0.05,
            drift_per_day: 0.005,
        }
    }
}

impl AbilityParams {
    /// What is believed of a skill nobody has tried yet: `mean` logits (0 if nothing better is known).
    #[must_use]
    pub fn prior(&self, mean: f64) -> Estimate {
        Estimate {
            mean: bounded(mean, -MAX_LOGIT, MAX_LOGIT, 0.0),
            variance: self.most_variance(),
        }
    }

    /// Ability after one answer to a task of `difficulty` logits. `score` is 1 for a success, 0 for a failure, or
    /// partial credit between; NaN is as if never answered. One exponential, no allocation.
    #[must_use]
    pub fn after_answer(
        &self,
        ability: Estimate,
        difficulty: f64,
        score: f64,
        quality: Quality,
    ) -> Estimate {
        let before = self.within_range(ability);
        if score.is_nan() {
            return before;
        }
        let expected = sigmoid(before.mean - bounded(difficulty, -MAX_LOGIT, MAX_LOGIT, 0.0));
        self.moved(before, quality.surprise(expected, score), quality)
    }

    /// A task's difficulty after one answer of a learner with `ability` logits: the same rule, the other way round.
    #[must_use]
    pub fn difficulty_after_answer(
        &self,
        difficulty: Estimate,
        ability: f64,
        score: f64,
        quality: Quality,
    ) -> Estimate {
        let before = self.within_range(difficulty);
        if score.is_nan() {
            return before;
        }
        let expected = sigmoid(bounded(ability, -MAX_LOGIT, MAX_LOGIT, 0.0) - before.mean);
        self.moved(before, -quality.surprise(expected, score), quality)
    }

    /// Ability after `days` without an answer: as high as it was, but less sure. Never less sure than at first.
    #[must_use]
    pub fn after_days(&self, ability: Estimate, days: f64) -> Estimate {
        Estimate {
            mean: self.within_range(ability).mean,
            variance: self.drift(days).widen(ability.variance),
        }
    }

    /// What `days` without an answer do to any variance: the same for many learners as for one.
    pub(super) fn drift(&self, days: f64) -> Drift {
        Drift {
            gained: bounded(self.drift_per_day, 0.0, 100.0, 0.0) * bounded(days, 0.0, 1e6, 0.0),
            most: self.most_variance(),
        }
    }

    fn moved(&self, before: Estimate, surprise: f64, quality: Quality) -> Estimate {
        let information = bounded(self.information, 0.0, 0.25, 0.05) * quality.trust();
        Estimate {
            mean: (before.mean + before.variance * surprise).clamp(-MAX_LOGIT, MAX_LOGIT),
            variance: before.variance / (1.0 + before.variance * information),
        }
    }

    /// Below 4, because a step of more could overshoot: θ − 4·σ(θ) is no longer monotone in θ.
    fn most_variance(&self) -> f64 {
        bounded(self.prior_variance, 0.01, 3.9, 1.0)
    }

    fn within_range(&self, estimate: Estimate) -> Estimate {
        let most = self.most_variance();
        Estimate {
            mean: bounded(estimate.mean, -MAX_LOGIT, MAX_LOGIT, 0.0),
            variance: within(estimate.variance, most),
        }
    }
}

/// Variance regained in some time, in logit², and the most there can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drift {
    gained: f64,
    most: f64,
}

impl Drift {
    /// A variance after that time.
    #[inline]
    pub fn widen(self, variance: f64) -> f64 {
        let wider = within(variance, self.most) + self.gained;
        if wider < self.most { wider } else { self.most }
    }
}

/// A variance cut to [1e-6, `most`]; NaN becomes `most`. Two comparisons and no branch, for whole vectors at a time.
#[inline]
fn within(variance: f64, most: f64) -> f64 {
    let variance = if variance <= most { variance } else { most };
    if variance >= 1e-6 { variance } else { 1e-6 }
}

/// Probability of success in (0, 1) at a task of `difficulty`, with both uncertainties averaged over:
/// σ(m/√(1 + π·v/8)) for a logit with mean m and variance v (MacKay 1992). Unsure pulls the *prediction* to even
/// odds, as it should; it does not move the ability.
#[must_use]
pub fn success_probability(ability: Estimate, difficulty: Estimate) -> f64 {
    let sure = |estimate: Estimate| bounded(estimate.variance, 0.0, 1e6, 1.0);
    let variance = sure(ability) + sure(difficulty);
    let gap = bounded(ability.mean, -MAX_LOGIT, MAX_LOGIT, 0.0)
        - bounded(difficulty.mean, -MAX_LOGIT, MAX_LOGIT, 0.0);
    sigmoid(gap / (1.0 + std::f64::consts::PI * variance / 8.0).sqrt())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::learning::estimate::Z_95;

    const P: AbilityParams = AbilityParams {
        prior_variance: 1.0,
        information: 0.05,
        drift_per_day: 0.005,
    };

    #[test]
    fn it_is_pelaneks_elo_with_uncertainty_function() {
        // θ = d = 0, K(0) = 1: right gives +0.5; then K(1) = 1/1.05, σ(0.5) = 0.622459, wrong: 0.5 − 0.592818 = −0.092818.
        let first = P.after_answer(P.prior(0.0), 0.0, 1.0, Quality::PERFECT);
        assert!((first.mean - 0.5).abs() < 1e-12);
        assert!((first.variance - 1.0 / 1.05).abs() < 1e-12);
        let second = P.after_answer(first, 0.0, 0.0, Quality::PERFECT);
        assert!((second.mean + 0.092_818_4).abs() < 1e-6, "{second:?}");
        assert!((second.variance - 1.0 / 1.1).abs() < 1e-12);
    }

    #[test]
    fn learner_and_task_move_against_each_other() {
        let learner = P.after_answer(P.prior(0.3), -0.2, 0.0, Quality::PERFECT);
        let task = P.difficulty_after_answer(P.prior(-0.2), 0.3, 0.0, Quality::PERFECT);
        assert!((learner.mean - 0.3 + (task.mean + 0.2)).abs() < 1e-12);
    }

    #[test]
    fn an_unsure_prediction_leans_to_even_odds() {
        let sure = Estimate {
            mean: 1.0,
            variance: 0.0,
        };
        let unsure = Estimate {
            mean: 1.0,
            variance: 8.0 / std::f64::consts::PI * 3.0,
        };
        let task = Estimate {
            mean: 0.0,
            variance: 0.0,
        };
        // √(1 + 3) = 2: the gap of 1 counts half.
        assert!((success_probability(unsure, task) - sigmoid(0.5)).abs() < 1e-12);
        assert!((success_probability(sure, task) - sigmoid(1.0)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn more_success_never_lowers_ability(
            answers in prop::collection::vec((-6.0..6.0, 0.0..=1.0, 0.0..=1.0), 1..80), which in any::<prop::sample::Index>(),
            prior_variance in 0.01..10.0,
        ) {
            let p = AbilityParams { prior_variance, ..P };
            let better = which.index(answers.len());
            let (mut plain, mut more) = (p.prior(0.0), p.prior(0.0));
            for (i, &(difficulty, score, trust)) in answers.iter().enumerate() {
                let quality = Quality { frame_health: trust, tracking: 1.0 };
                plain = p.after_answer(plain, difficulty, score, quality);
                let score = if i == better { 1.0 } else { score };
                more = p.after_answer(more, difficulty, score, quality);
                prop_assert!(more.mean >= plain.mean - 1e-12);
            }
        }

        #[test]
        fn who_was_ahead_stays_ahead_after_the_same_answer(
            a in -8.0..8.0, b in -8.0..8.0, difficulty in -4.0..4.0, score in 0.0..=1.0, trust in 0.0..=1.0,
            prior_variance in 0.01..50.0,
        ) {
            let p = AbilityParams { prior_variance, ..P };
            let quality = Quality { frame_health: trust, tracking: 1.0 };
            let (behind, ahead): (f64, f64) = if a < b { (a, b) } else { (b, a) };
            let after = |mean| p.after_answer(p.prior(mean), difficulty, score, quality).mean;
            prop_assert!(after(ahead) >= after(behind) - 1e-12);
        }

        #[test]
        fn a_failure_without_trust_moves_nothing(mean in -8.0..8.0, variance in 0.05..1.0, difficulty in -8.0..8.0) {
            let before = Estimate { mean, variance };
            let lost = Quality { frame_health: 1.0, tracking: 0.0 };
            prop_assert_eq!(P.after_answer(before, difficulty, 0.0, lost), before);
            prop_assert_eq!(P.difficulty_after_answer(before, difficulty, 0.0, lost), before);
        }

        #[test]
        fn time_away_widens_the_interval_and_keeps_the_mean(mean in -8.0..8.0, variance in 0.05..0.9, days in 0.1..1000.0) {
            let before = Estimate { mean, variance };
            let after = P.after_days(before, days);
            prop_assert!((after.mean - mean).abs() < f64::EPSILON);
            prop_assert!(after.interval(Z_95).width() > before.interval(Z_95).width());
        }

        #[test]
        fn evidence_narrows_the_interval(answers in prop::collection::vec((-4.0..4.0, any::<bool>()), 1..50)) {
            let mut ability = P.prior(0.0);
            for (difficulty, correct) in answers {
                let after = P.after_answer(ability, difficulty, f64::from(u8::from(correct)), Quality::PERFECT);
                prop_assert!(after.variance < ability.variance);
                ability = after;
            }
        }

        #[test]
        fn learners_do_not_depend_on_each_other(
            log in prop::collection::vec((0..2usize, -4.0..4.0, any::<bool>()), 0..60),
        ) {
            let answer = |ability, &(_, difficulty, correct): &(usize, f64, bool)| {
                P.after_answer(ability, difficulty, f64::from(u8::from(correct)), Quality::PERFECT)
            };
            let mut mixed = [P.prior(0.0); 2];
            for entry in &log {
                mixed[entry.0] = answer(mixed[entry.0], entry);
            }
            for (who, together) in mixed.into_iter().enumerate() {
                let alone = log.iter().filter(|entry| entry.0 == who).fold(P.prior(0.0), answer);
                prop_assert_eq!(alone, together);
            }
        }

        #[test]
        fn any_input_stays_in_range(
            mean in prop::num::f64::ANY, variance in prop::num::f64::ANY, difficulty in prop::num::f64::ANY, score in prop::num::f64::ANY,
            frame_health in prop::num::f64::ANY, tracking in prop::num::f64::ANY, days in prop::num::f64::ANY,
            prior_variance in prop::num::f64::ANY, information in prop::num::f64::ANY, drift_per_day in prop::num::f64::ANY,
        ) {
            let p = AbilityParams { prior_variance, information, drift_per_day };
            let quality = Quality { frame_health, tracking };
            let before = Estimate { mean, variance };
            for after in [
                p.after_answer(before, difficulty, score, quality),
                p.difficulty_after_answer(before, difficulty, score, quality),
                p.after_days(before, days),
                p.prior(mean),
            ] {
                prop_assert!(after.mean.abs() <= MAX_LOGIT);
                prop_assert!(after.variance > 0.0 && after.variance <= 3.9);
                let success = success_probability(after, before);
                prop_assert!(success > 0.0 && success < 1.0);
            }
        }
    }
}
