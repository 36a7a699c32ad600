//! A learner's own habit, and when they leave it.
//!
//! In: one number per observation. Out: how unusual it is for this learner, and whether the level has changed.
//! Never: a comparison with other learners.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, bounded};

/// Numbers beyond ±1e9 are cut to that: no unit of ours goes so far, and sums of squares stay finite.
const LARGEST: f64 = 1e9;

/// Running mean and variance (Welford 1962), with a memory.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Observations it is worth, at most the memory.
    count: f64,
    mean: f64,
    /// Sum of squared deviations.
    squares: f64,
}

impl Baseline {
    /// Takes in `x`, in any unit; NaN and infinite are as if never measured.
    /// Beyond `memory` observations (at least 2) old ones fade, by the same share each time.
    pub fn observe(&mut self, x: f64, memory: f64) {
        if !x.is_finite() {
            return;
        }
        let x = x.clamp(-LARGEST, LARGEST);
        let memory = bounded(memory, 2.0, 1e9, 30.0);
        if self.count + 1.0 > memory {
            // Room for one: what is there counts for memory − 1.
            self.squares *= (memory - 1.0) / self.count;
            self.count = memory - 1.0;
        }
        self.count += 1.0;
        let deviation = x - self.mean;
        self.mean += deviation / self.count;
        self.squares += deviation * (x - self.mean);
    }

    /// Effective number of observations.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }

    /// Mean with the variance of the mean; nothing before two observations.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        (self.count >= 2.0).then(|| Estimate {
            mean: self.mean,
            variance: self.variance() / self.count,
        })
    }

    /// How many standard deviations `x` lies from the habit, within ±100; nothing before two observations or for a NaN.
    ///
    /// It is the deviation of a prediction, (x − mean)/(s·√(1 + 1/n)): few observations make nothing look unusual.
    /// `least_deviation` > 0 is the smallest s believed, in the unit of `x`.
    #[must_use]
    pub fn unusual(&self, x: f64, least_deviation: f64) -> Option<f64> {
        if !x.is_finite() || self.count < 2.0 {
            return None;
        }
        let least = bounded(least_deviation, 1e-9, LARGEST, 1e-3);
        let deviation = self.variance().sqrt().max(least) * (1.0 + 1.0 / self.count).sqrt();
        Some(bounded((x - self.mean) / deviation, -100.0, 100.0, 0.0))
    }

    fn variance(&self) -> f64 {
        (self.squares / (self.count - 1.0).max(1.0)).max(0.0)
    }
}

/// Which way a level went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Above the learner's own habit.
    Rose,
    /// Below it.
    Fell,
}

/// When a change of level is believed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeParams {
    /// Observations that make the habit, at least 2; none of them can be a change. 20 is usual for control charts.
    pub warm_up: u32,
    /// Smallest standard deviation believed, in the unit of the observations; keeps a constant habit from seeing
    /// change in everything. Depends on the sensor, 0.02 suits shares and log seconds; arbitrary.
    pub least_deviation: f64,
    /// Weight of the newest observation in the moving average, in (0, 1].
    pub smoothing: f64,
    /// Limit of the moving average in its own standard deviations.
    pub average_limit: f64,
    /// Slack of the cumulative sums in standard deviations: half the shift worth seeing (Page 1954).
    pub slack: f64,
    /// Limit of the cumulative sums in standard deviations.
    pub sum_limit: f64,
}

impl Default for ChangeParams {
    /// Slack 0.5 aims at shifts of one deviation, 0.2 is the usual smoothing (Montgomery 2009, chapter 9). The limits are
    /// a little wider than his 5 and 2.962, because two charts run together over a habit that is itself being learnt.
    /// By simulation: half of all learners see a false alarm within 600 observations; a shift of one deviation after 60
    /// is seen after 13 (median), one of two deviations after 4.
    fn default() -> Self {
        Self {
            warm_up: 20,
            least_deviation: 0.02,
            smoothing: 0.2,
            average_limit: 3.3,
            slack: 0.5,
            sum_limit: 6.0,
        }
    }
}

/// Notices when a level leaves the learner's own habit: a moving average (EWMA, Roberts 1959) for how far it is now,
/// and cumulative sums (CUSUM, Page 1954) for small lasting shifts. The habit goes on being learnt from whatever raises
/// no alarm (self-starting charts, Hawkins 1987), so it needs no long calibration.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeDetector {
    habit: Baseline,
    /// Moving average of the deviations, in standard deviations.
    average: f64,
    above: f64,
    below: f64,
}

impl ChangeDetector {
    /// Takes in `x` and says whether the level has changed. NaN is as if never measured.
    ///
    /// After an alarm average and sums begin anew while the habit stays: a level that stays changed is reported again.
    pub fn observe(&mut self, x: f64, p: &ChangeParams) -> Option<Change> {
        if self.habit.count() < f64::from(p.warm_up.max(2)) {
            self.habit.observe(x, f64::MAX);
            return None;
        }
        let z = self.habit.unusual(x, p.least_deviation)?;
        let smoothing = bounded(p.smoothing, 1e-3, 1.0, 0.2);
        let slack = bounded(p.slack, 0.0, 10.0, 0.5);
        self.average = bounded(
            self.average + smoothing * (z - self.average),
            -100.0,
            100.0,
            0.0,
        );
        self.above = bounded(self.above + z - slack, 0.0, 1e6, 0.0);
        self.below = bounded(self.below - z - slack, 0.0, 1e6, 0.0);
        // Standard deviation of the moving average in the long run (Roberts 1959).
        let average_limit =
            bounded(p.average_limit, 0.1, 1e3, 3.3) * (smoothing / (2.0 - smoothing)).sqrt();
        let sum_limit = bounded(p.sum_limit, 0.1, 1e3, 6.0);
        let change = if self.above > sum_limit || self.average > average_limit {
            Change::Rose
        } else if self.below > sum_limit || self.average < -average_limit {
            Change::Fell
        } else {
            self.habit.observe(x, f64::MAX);
            return None;
        };
        self.average = 0.0;
        self.above = 0.0;
        self.below = 0.0;
        Some(change)
    }

    /// How far the level is from the habit at the moment, in standard deviations, with the variance of the moving
    /// average; nothing while the habit is learnt.
    #[must_use]
    pub fn deviation(&self, p: &ChangeParams) -> Option<Estimate> {
        let smoothing = bounded(p.smoothing, 1e-3, 1.0, 0.2);
        (self.habit.count() >= f64::from(p.warm_up.max(2))).then(|| Estimate {
            mean: self.average,
            variance: smoothing / (2.0 - smoothing),
        })
    }

    /// What is usual for this learner.
    #[must_use]
    pub fn habit(&self) -> &Baseline {
        &self.habit
    }

    /// Learns the habit anew, for example in a new lesson.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mean_and_variance_are_the_textbooks() {
        let mut baseline = Baseline::default();
        for x in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            baseline.observe(x, 1000.0);
        }
        // Mean 5, squared deviations 32, sample variance 32/7, of the mean 32/56.
        let estimate = baseline.estimate().unwrap();
        assert!((estimate.mean - 5.0).abs() < 1e-12);
        assert!((estimate.variance - 32.0 / 56.0).abs() < 1e-12);
        // (8 − 5) / (√(32/7)·√(9/8)) = 1.322875…
        assert!((baseline.unusual(8.0, 0.01).unwrap() - 1.322_875_655_5).abs() < 1e-9);
    }

    /// Habit of 20 observations 9, 11, 9, 11…: mean 10, sample variance 20/19, prediction deviation √(20/19·21/20).
    fn settled(p: &ChangeParams) -> ChangeDetector {
        let mut detector = ChangeDetector::default();
        for i in 0..20 {
            assert_eq!(
                detector.observe(if i % 2 == 0 { 9.0 } else { 11.0 }, p),
                None
            );
        }
        detector
    }

    #[test]
    fn average_and_sums_as_worked_by_hand() {
        let p = ChangeParams::default();
        let one = (21.0_f64 / 19.0).sqrt();
        let mut detector = settled(&p);
        // Three deviations up: average 0.2·3, upper sum 3 − 0.5.
        assert_eq!(detector.observe(10.0 + 3.0 * one, &p), None);
        assert!((detector.average - 0.6).abs() < 1e-12);
        assert!((detector.above - 2.5).abs() < 1e-12);
        assert!(detector.below.abs() < 1e-12);
    }

    #[test]
    fn the_moving_average_sees_a_large_shift_at_once() {
        let p = ChangeParams {
            sum_limit: 1000.0,
            ..ChangeParams::default()
        };
        let mut detector = settled(&p);
        // Limit 3.3·√(0.2/1.8) = 1.1; one observation of −6 deviations brings the average to −1.2.
        let six = 6.0 * (21.0_f64 / 19.0).sqrt();
        assert_eq!(detector.observe(10.0 - six, &p), Some(Change::Fell));
        // It begins anew over the same habit.
        let anew = ChangeDetector {
            habit: settled(&p).habit,
            ..ChangeDetector::default()
        };
        assert_eq!(detector, anew);
    }

    /// How many observations each of 400 learners takes to an alarm, sorted; their level shifts after 60.
    fn run_lengths(shift: f64) -> Vec<u32> {
        let p = ChangeParams::default();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut uniform = || {
            // xorshift64 (Marsaglia 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        // Twelve uniforms less six are normal enough.
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let mut lengths: Vec<u32> = (0..400)
            .map(|_| {
                let mut detector = ChangeDetector::default();
                for _ in 0..60 {
                    detector.observe(normal(), &p);
                }
                (1..5000)
                    .find(|_| detector.observe(normal() + shift, &p).is_some())
                    .unwrap_or(5000)
            })
            .collect();
        lengths.sort_unstable();
        lengths
    }

    #[test]
    fn false_alarms_are_rare_and_shifts_are_seen_soon() {
        let median = |shift| run_lengths(shift)[200];
        assert!(median(0.0) > 400);
        assert!(median(1.0) <= 15);
        assert!(median(-2.0) <= 5);
    }

    #[test]
    fn a_level_that_stays_is_no_change() {
        let p = ChangeParams::default();
        let mut detector = settled(&p);
        for i in 0..1000 {
            assert_eq!(
                detector.observe(if i % 2 == 0 { 9.0 } else { 11.0 }, &p),
                None
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_not_measured_changes_nothing(xs in prop::collection::vec(-5.0..5.0, 0..60)) {
            let p = ChangeParams::default();
            let mut with_gaps = ChangeDetector::default();
            let mut without = ChangeDetector::default();
            for x in xs {
                prop_assert_eq!(with_gaps.observe(f64::NAN, &p), None);
                prop_assert_eq!(with_gaps.observe(x, &p), without.observe(x, &p));
            }
            prop_assert_eq!(with_gaps, without);
        }

        #[test]
        fn any_input_stays_finite(
            xs in prop::collection::vec(prop::num::f64::ANY, 0..60), memory in prop::num::f64::ANY, least_deviation in prop::num::f64::ANY,
            smoothing in prop::num::f64::ANY, average_limit in prop::num::f64::ANY, slack in prop::num::f64::ANY, sum_limit in prop::num::f64::ANY,
        ) {
            let p = ChangeParams { warm_up: 5, least_deviation, smoothing, average_limit, slack, sum_limit };
            let mut detector = ChangeDetector::default();
            let mut baseline = Baseline::default();
            for x in xs {
                detector.observe(x, &p);
                baseline.observe(x, memory);
                prop_assert!(detector.deviation(&p).is_none_or(|d| d.mean.is_finite() && d.variance > 0.0));
                prop_assert!(baseline.unusual(x, least_deviation).is_none_or(f64::is_finite));
                if let Some(estimate) = baseline.estimate() {
                    prop_assert!(estimate.mean.is_finite() && estimate.variance.is_finite() && estimate.variance >= 0.0);
                }
            }
        }
    }
}
