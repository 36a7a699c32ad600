//! How far the hardware can be trusted at the moment of an answer, and what that does to the evidence.
//!
//! In: frame health and tracking of the moment. Out: how much an answer may move an estimate.
//! Never: a low estimate because of missed frames or lost tracking.
//!
//! The headset is a channel that can lose a right answer but cannot make one up: with trust q, someone who would have
//! succeeded with probability p is seen to succeed with probability q·p (a Z-channel; Cover & Thomas 2006, chapter 7).
//! In the words of knowledge tracing, slip rises from s to 1 − q·(1 − s) and guess falls from g to q·g. So a success
//! says what it always said, and a failure says less and less, until at q = 0 it says nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bkt::BktParams;
use super::estimate::bounded;

/// Frame health and tracking quality of the moment of an observation, each in [0, 1]; 1 is flawless.
/// What lies outside is cut to the range; NaN (nobody measured) counts as 0, because doubt must not cost the learner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Share of frames delivered in time around the observation.
    pub frame_health: f64,
    /// Share of the time in which head and hands were tracked, around the observation.
    pub tracking: f64,
}

impl Default for Quality {
    fn default() -> Self {
        Self::PERFECT
    }
}

impl Quality {
    /// Every frame in time, nothing lost.
    pub const PERFECT: Self = Self {
        frame_health: 1.0,
        tracking: 1.0,
    };

    /// Probability in [0, 1] that an action came through as it was meant: both have to hold, taken as independent.
    #[must_use]
    pub fn trust(self) -> f64 {
        bounded(self.frame_health, 0.0, 1.0, 0.0) * bounded(self.tracking, 0.0, 1.0, 0.0)
    }

    /// How much a failure counts, in [0, 1], where success was `expected` with probability p: w = q·(1 − p)/(1 − q·p).
    /// 1 with full trust, 0 without; in between the less, the surer the learner would have succeeded. A success always
    /// counts 1. An expectation that is NaN gives 0.
    #[must_use]
    pub fn failure_weight(self, expected: f64) -> f64 {
        let p = bounded(expected, 0.0, 1.0, 1.0);
        let q = self.trust();
        if q >= 1.0 {
            1.0
        } else {
            // q < 1, so the divisor is more than 0.
            q * (1.0 - p) / (1.0 - q * p)
        }
    }

    /// How far the evidence pulls away from the expectation, in [−1, 1].
    ///
    /// `expected` is the probability p of success in [0, 1], `score` the outcome in [0, 1] (1 is a success, between is
    /// partial credit). It is p·(1 − p) times the derivative of ln(q·p) and ln(1 − q·p) by p, so `1 − p` for a success
    /// and `−p·w` for a failure with its [`Quality::failure_weight`]; with full trust simply `score − expected`, and 0
    /// for a failure without any. A score or expectation that is NaN pulls nowhere.
    #[must_use]
    pub fn surprise(self, expected: f64, score: f64) -> f64 {
        if expected.is_nan() || score.is_nan() {
            return 0.0;
        }
        let p = expected.clamp(0.0, 1.0);
        let score = score.clamp(0.0, 1.0);
        score * (1.0 - p) - (1.0 - score) * p * self.failure_weight(p)
    }

    /// Parameters with which [`super::bkt::posterior`] and [`super::bkt::update`] weigh this answer.
    ///
    /// For a failure slip is `1 − q·(1 − s)` and guess `q·g`; a success is weighed as ever, since q cancels. Either way
    /// the chances to learn and to forget by the attempt are scaled by q: one that hardly took place is hardly practice.
    /// So at q = 0 a failure leaves the estimate where it was, and at q = 1 the parameters come back untouched. Slip may
    /// exceed [`super::bkt::MAX_SLIP_OR_GUESS`]: the result is for one update only, never to be stored.
    #[must_use]
    pub fn weigh(self, p: &BktParams, correct: bool) -> BktParams {
        let q = self.trust();
        // 1 − (1 − s) is not always s to the last bit, and perfect quality has to be exactly no change.
        if q >= 1.0 {
            return *p;
        }
        let (slip, guess) = if correct {
            (p.slip, p.guess)
        } else {
            (1.0 - q * (1.0 - p.slip), q * p.guess)
        };
        BktParams {
            slip,
            guess,
            learn: q * p.learn,
            forget: q * p.forget,
            ..*p
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::learning::bkt;

    fn quality(trust: f64) -> Quality {
        Quality {
            frame_health: trust,
            tracking: 1.0,
        }
    }

    #[test]
    fn a_failure_through_half_lost_tracking_counts_a_third_at_even_odds() {
        // By hand: p = 0.5, q = 0.5: w = 0.5·0.5 / (1 − 0.25) = 1/3, so the pull is −0.5/3.
        assert!((quality(0.5).surprise(0.5, 0.0) + 1.0 / 6.0).abs() < 1e-12);
        assert!((quality(0.5).surprise(0.5, 1.0) - 0.5).abs() < 1e-12);
        assert!((Quality::PERFECT.surprise(0.3, 0.0) + 0.3).abs() < 1e-12);
    }

    #[test]
    fn slip_rises_with_bad_hardware_as_worked_by_hand() {
        let p = BktParams {
            prior: 0.5,
            learn: 0.1,
            slip: 0.1,
            guess: 0.2,
            forget: 0.0,
        };
        // q = 0.5: slip 1 − 0.5·0.9 = 0.55, guess 0.1; P(known | wrong) = 0.5·0.55 / (0.5·0.55 + 0.5·0.9) = 0.379310…,
        // where flawless hardware would have said 1/9.
        let weighed = quality(0.5).weigh(&p, false);
        assert!((bkt::posterior(0.5, false, &weighed) - 0.55 / 1.45).abs() < 1e-12);
    }

    #[test]
    fn unmeasured_quality_is_no_trust() {
        let unknown = Quality {
            frame_health: f64::NAN,
            tracking: 1.0,
        };
        assert!(unknown.trust().abs() < f64::EPSILON);
    }

    fn params() -> impl Strategy<Value = BktParams> {
        (
            1e-6..0.999_999,
            1e-6..0.999_999,
            1e-6..0.3,
            1e-6..0.3,
            0.0..=1.0,
        )
            .prop_map(|(prior, learn, slip, guess, share)| BktParams {
                prior,
                learn,
                slip,
                guess,
                forget: share * (1.0 - learn),
            })
    }

    proptest! {
        #[test]
        fn a_failure_without_trust_moves_nothing(p in params(), known in 0.0..=1.0, expected in 0.0..=1.0) {
            let lost = quality(0.0);
            prop_assert!((bkt::update(known, false, &lost.weigh(&p, false)) - known).abs() < 1e-12);
            prop_assert!(lost.surprise(expected, 0.0).abs() < 1e-12);
        }

        #[test]
        fn a_success_counts_in_full_whatever_the_hardware(p in params(), known in 0.0..=1.0, q in 0.0..=1.0) {
            let in_full = bkt::posterior(known, true, &p);
            for q in [q, 0.0] {
                let weighed = quality(q).weigh(&p, true);
                prop_assert!((bkt::posterior(known, true, &weighed) - in_full).abs() < f64::EPSILON);
            }
        }

        #[test]
        fn perfect_quality_leaves_the_parameters_untouched(p in params(), correct in any::<bool>()) {
            prop_assert_eq!(Quality::PERFECT.weigh(&p, correct), p);
        }

        #[test]
        fn worse_hardware_never_makes_a_failure_weigh_more(
            p in params(), known in 0.001..0.999, a in 0.0..=1.0, b in 0.0..=1.0,
        ) {
            let (low, high): (f64, f64) = if a < b { (a, b) } else { (b, a) };
            let after_low = bkt::posterior(known, false, &quality(low).weigh(&p, false));
            let after_high = bkt::posterior(known, false, &quality(high).weigh(&p, false));
            prop_assert!(after_low >= after_high - 1e-12);
            prop_assert!(quality(low).surprise(known, 0.0) >= quality(high).surprise(known, 0.0) - 1e-12);
        }

        #[test]
        fn success_is_never_worse_than_failure(p in params(), known in 0.001..0.999, q in 0.0..=1.0) {
            let q = quality(q);
            let right = bkt::update(known, true, &q.weigh(&p, true));
            let wrong = bkt::update(known, false, &q.weigh(&p, false));
            prop_assert!(right >= wrong - 1e-12);
        }

        #[test]
        fn any_input_gives_a_finite_pull(
            expected in prop::num::f64::ANY, score in prop::num::f64::ANY, frame_health in prop::num::f64::ANY, tracking in prop::num::f64::ANY,
        ) {
            let q = Quality { frame_health, tracking };
            prop_assert!((0.0..=1.0).contains(&q.trust()));
            prop_assert!((-1.0..=1.0).contains(&q.surprise(expected, score)));
            prop_assert!((0.0..=1.0).contains(&q.failure_weight(expected)));
        }
    }
}
