//! A learner's habits over all skills: pace, asking for help, going on after failure, comfort.
//!
//! In: what they did and told. Out: how usual something is for this learner.
//! Never: who the learner is. Age, origin or schooling decide nothing here: they would make one learner pay for what
//! others did, and everything they could tell is told better by a few attempts. Nor do 'learning styles': matching
//! instruction to a stated style has not been shown to help (Pashler, McDaniel, Rohrer & Bjork 2008, "Learning styles:
//! concepts and evidence", Psychological Science in the Public Interest 9(3)). What a learner prefers may choose
//! comfort, language and pace of presentation, not what is taught or how hard it is.
//!
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::estimate::{Rate, RateParams, bounded};
use super::quality::Quality;

/// How a learner's habits are followed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HabitParams {
    /// Observations remembered by pace and comfort, at least 2. Arbitrary.
    pub memory: f64,
    /// Smallest spread of log response times believed, in log seconds. Arbitrary: a tenth.
    pub least_pace_deviation: f64,
    /// Smallest spread of comfort believed, on its scale of 0..1. Arbitrary: one step of a ten-step question.
    pub least_comfort_deviation: f64,
    /// Trust in the hardware ([`Quality::trust`]) below which a response time isn't counted. Arbitrary: 0.8.
    pub least_trust: f64,
    /// Start and memory of the rates of help and persistence.
    pub rates: RateParams,
}

impl Default for HabitParams {
    fn default() -> Self {
        Self {
            memory: 50.0,
            least_pace_deviation: 0.1,
            least_comfort_deviation: 0.1,
            least_trust: 0.8,
            rates: RateParams::default(),
        }
    }
}

/// A learner's habits, over all skills. What was never seen stays unknown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Learner {
    pace: Baseline,
    help_seeking: Rate,
    persistence: Rate,
    comfort: Baseline,
}

impl Learner {
    /// Someone nothing is known about.
    #[must_use]
    pub fn new(p: &HabitParams) -> Self {
        Self {
            pace: Baseline::default(),
            help_seeking: Rate::new(&p.rates),
            persistence: Rate::new(&p.rates),
            comfort: Baseline::default(),
        }
    }

    /// An attempt took `seconds` (more than 0). Slow frames make slow answers: with little trust it isn't counted.
    pub fn responded(&mut self, seconds: f64, quality: Quality, p: &HabitParams) {
        if quality.trust() >= bounded(p.least_trust, 0.0, 1.0, 1.0) {
            self.pace.observe(log_seconds(seconds), p.memory);
        }
    }

    /// On a step where help was on offer, it was asked for or not.
    pub fn could_ask_for_help(&mut self, asked: bool, p: &HabitParams) {
        self.help_seeking
            .observe(f64::from(u8::from(asked)), 1.0, Quality::PERFECT, &p.rates);
    }

    /// After a failure the learner went on with the same skill, or left it.
    pub fn after_failure(&mut self, went_on: bool, p: &HabitParams) {
        self.persistence.observe(
            f64::from(u8::from(went_on)),
            1.0,
            Quality::PERFECT,
            &p.rates,
        );
    }

    /// The learner told how comfortable they are, in [0, 1] with 1 the best.
    pub fn told_comfort(&mut self, comfort: f64, p: &HabitParams) {
        if !comfort.is_nan() {
            self.comfort.observe(comfort.clamp(0.0, 1.0), p.memory);
        }
    }

    /// How slow `seconds` are for this learner, in standard deviations of the log; negative is quick.
    #[must_use]
    pub fn relative_pace(&self, seconds: f64, p: &HabitParams) -> Option<f64> {
        self.pace
            .unusual(log_seconds(seconds), p.least_pace_deviation)
    }

    /// How good `comfort` is for this learner, in standard deviations; negative is worse than usual.
    #[must_use]
    pub fn relative_comfort(&self, comfort: f64, p: &HabitParams) -> Option<f64> {
        self.comfort.unusual(comfort, p.least_comfort_deviation)
    }

    /// Log seconds an attempt usually takes.
    #[must_use]
    pub fn pace(&self) -> &Baseline {
        &self.pace
    }

    /// Share of the steps with help on offer at which it was taken.
    #[must_use]
    pub fn help_seeking(&self) -> &Rate {
        &self.help_seeking
    }

    /// Share of the failures after which the learner went on.
    #[must_use]
    pub fn persistence(&self) -> &Rate {
        &self.persistence
    }

    /// Comfort as told, in [0, 1].
    #[must_use]
    pub fn comfort(&self) -> &Baseline {
        &self.comfort
    }
}

/// Natural logarithm of a response time; NaN for what can't be one. Quicker than 50 ms is cut to that, slower than an
/// hour to an hour: neither tells more.
pub(crate) fn log_seconds(seconds: f64) -> f64 {
    if seconds > 0.0 {
        seconds.clamp(0.05, 3600.0).ln()
    } else {
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pace_is_measured_against_the_learners_own() {
        let p = HabitParams::default();
        let mut learner = Learner::new(&p);
        assert_eq!(learner.relative_pace(5.0, &p), None);
        for seconds in [4.0, 5.0, 6.0, 5.0, 4.5, 5.5] {
            learner.responded(seconds, Quality::PERFECT, &p);
        }
        assert!(learner.relative_pace(20.0, &p).unwrap() > 3.0);
        assert!(learner.relative_pace(1.0, &p).unwrap() < -3.0);
        assert!(learner.relative_pace(5.0, &p).unwrap().abs() < 0.5);
    }

    #[test]
    fn what_was_never_seen_stays_unknown() {
        let learner = Learner::new(&HabitParams::default());
        assert_eq!(learner.persistence().estimate(), None);
        assert_eq!(learner.help_seeking().estimate(), None);
        assert_eq!(learner.pace().estimate(), None);
        assert_eq!(learner.comfort().estimate(), None);
    }

    #[test]
    fn going_on_after_failure_is_persistence() {
        let p = HabitParams::default();
        let mut learner = Learner::new(&p);
        for went_on in [true, true, false, true] {
            learner.after_failure(went_on, &p);
        }
        // Beta(1, 1) with three of four: 4/6.
        let persistence = learner.persistence().estimate().unwrap();
        assert!((persistence.mean - 4.0 / 6.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn any_input_stays_finite(
            told in prop::collection::vec(prop::num::f64::ANY, 0..30), memory in prop::num::f64::ANY, least in prop::num::f64::ANY,
        ) {
            let p = HabitParams {
                memory,
                least_pace_deviation: least,
                least_comfort_deviation: least,
                ..HabitParams::default()
            };
            let mut learner = Learner::new(&p);
            for x in told {
                learner.responded(x, Quality::PERFECT, &p);
                learner.told_comfort(x, &p);
                prop_assert!(learner.relative_pace(x, &p).is_none_or(f64::is_finite));
                prop_assert!(learner.relative_comfort(x, &p).is_none_or(f64::is_finite));
            }
        }

        #[test]
        fn an_answer_through_bad_frames_is_not_slow(seconds in 0.1..100.0, trust in 0.0..0.79) {
            let p = HabitParams::default();
            let mut learner = Learner::new(&p);
            learner.responded(seconds, Quality { frame_health: trust, tracking: 1.0 }, &p);
            prop_assert_eq!(learner, Learner::new(&p));
        }
    }
}
