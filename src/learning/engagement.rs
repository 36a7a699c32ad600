//! What can be seen of a learner's engagement: separate features, each with how sure it is.
//!
//! In: what was measured in a stretch of time. Out: features, changes against the learner's own habit, wheel-spinning.
//! Never: one number for attention, motivation or feeling. Headsets of the kind we run on follow the head, not the
//! eyes: what is called head gaze here says where the head points. What isn't measured is absent, not average.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baseline::{Change, ChangeDetector, ChangeParams};
use super::estimate::{Estimate, Interval, Rate, RateParams, bounded};
use super::habits::log_seconds;
use super::quality::Quality;

/// What was measured in one stretch of time. Stretches are best of about equal length, some 5 to 15 s.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stretch {
    /// How long it was, in seconds.
    pub seconds: f64,
    /// Share of it spent on the task (near its objects, holding one, or moving towards one), in [0, 1].
    pub on_task: Option<f64>,
    /// Share of it in which the head pointed at the task ([`head_on_task`]), in [0, 1].
    pub head_on_task: Option<f64>,
    /// Straight line through actual path of the hand, in [0, 1] ([`path_efficiency`]), if something was carried.
    pub path_efficiency: Option<f64>,
    /// Seconds between the last two actions, if there was one.
    pub between_actions: Option<f64>,
    /// Frame health and tracking during it.
    pub quality: Quality,
}

/// How engagement is followed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngagementParams {
    /// Seconds of watching that count as one observation: behaviour a second later is nearly the same behaviour.
    /// Arbitrary: 5.
    pub seconds_per_observation: f64,
    /// Start and memory of each feature.
    pub rates: RateParams,
    /// When a change is believed.
    pub changes: ChangeParams,
    /// Trust in the hardware below which nothing is measured at all. Arbitrary: 0.8.
    pub least_trust: f64,
    /// Weight in the index of on-task ratio, head gaze, path efficiency and persistence; at least 0.
    /// Equal: there is no evidence for anything else.
    pub index_weights: [f64; 4],
}

impl Default for EngagementParams {
    fn default() -> Self {
        Self {
            seconds_per_observation: 5.0,
            rates: RateParams::default(),
            changes: ChangeParams::default(),
            least_trust: 0.8,
            index_weights: [1.0; 4],
        }
    }
}

/// A share in [0, 1] with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Mean and variance.
    pub estimate: Estimate,
    /// 1 − s/½ in [0, 1], where s is its standard deviation and ½ the largest a share can have: 0 knows nothing.
    pub confidence: f64,
}

impl Feature {
    /// Of a rate, if anything was observed; also for the learner's habits ([`super::habits::Learner::persistence`]).
    #[must_use]
    pub fn of(rate: &Rate) -> Option<Self> {
        rate.estimate().map(|estimate| Self {
            estimate,
            confidence: (1.0 - 2.0 * estimate.variance.sqrt()).clamp(0.0, 1.0),
        })
    }
}

/// Changes against the learner's own habit that were noticed in a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Of the on-task ratio.
    pub on_task: Option<Change>,
    /// Of the head gaze.
    pub head_on_task: Option<Change>,
    /// Of the path efficiency.
    pub path_efficiency: Option<Change>,
    /// Of the time between actions: `Rose` is slower.
    pub between_actions: Option<Change>,
}

/// Engagement of one learner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engagement {
    on_task: Watched,
    head_on_task: Watched,
    path_efficiency: Watched,
    between_actions: ChangeDetector,
}

/// A share, and whether it leaves the habit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Watched {
    rate: Rate,
    change: ChangeDetector,
}

impl Watched {
    fn new(p: &EngagementParams) -> Self {
        Self {
            rate: Rate::new(&p.rates),
            change: ChangeDetector::default(),
        }
    }

    fn observe(&mut self, share: Option<f64>, weight: f64, p: &EngagementParams) -> Option<Change> {
        let share = share.filter(|share| !share.is_nan())?.clamp(0.0, 1.0);
        // Doubtful stretches were left out as a whole, so that here a low share weighs as much as a high one.
        self.rate.observe(share, weight, Quality::PERFECT, &p.rates);
        self.change.observe(share, &p.changes)
    }
}

impl Engagement {
    /// Of someone nothing was seen of.
    #[must_use]
    pub fn new(p: &EngagementParams) -> Self {
        Self {
            on_task: Watched::new(p),
            head_on_task: Watched::new(p),
            path_efficiency: Watched::new(p),
            between_actions: ChangeDetector::default(),
        }
    }

    /// Takes in a stretch and says what changed. With too little trust in the hardware it is as if never measured:
    /// a frozen picture looks like a frozen learner.
    pub fn observe(&mut self, stretch: &Stretch, p: &EngagementParams) -> Changes {
        let least_trust = bounded(p.least_trust, 0.0, 1.0, 1.0);
        let seconds = bounded(stretch.seconds, 0.0, 3600.0, 0.0);
        if stretch.quality.trust() < least_trust || seconds <= 0.0 {
            return Changes::default();
        }
        let weight = seconds / bounded(p.seconds_per_observation, 0.01, 3600.0, 5.0);
        let between = stretch.between_actions.map(log_seconds);
        Changes {
            on_task: self.on_task.observe(stretch.on_task, weight, p),
            head_on_task: self.head_on_task.observe(stretch.head_on_task, weight, p),
            // A carried object is one observation, however long it took.
            path_efficiency: self
                .path_efficiency
                .observe(stretch.path_efficiency, 1.0, p),
            between_actions: between.and_then(|x| self.between_actions.observe(x, &p.changes)),
        }
    }

    /// Share of the time spent on the task.
    #[must_use]
    pub fn on_task(&self) -> Option<Feature> {
        Feature::of(&self.on_task.rate)
    }

    /// Share of the time in which the head pointed at the task.
    #[must_use]
    pub fn head_on_task(&self) -> Option<Feature> {
        Feature::of(&self.head_on_task.rate)
    }

    /// Mean path efficiency.
    #[must_use]
    pub fn path_efficiency(&self) -> Option<Feature> {
        Feature::of(&self.path_efficiency.rate)
    }

    /// On-task ratio of late against the learner's habit, in standard deviations; negative is less than usual.
    #[must_use]
    pub fn on_task_deviation(&self, p: &EngagementParams) -> Option<Estimate> {
        self.on_task.change.deviation(&p.changes)
    }

    /// Time between actions of late against the learner's habit, in standard deviations of the log; positive is slower.
    #[must_use]
    pub fn between_actions(&self, p: &EngagementParams) -> Option<Estimate> {
        self.between_actions.deviation(&p.changes)
    }

    /// One number in [0, 1] for the transition equation alone, with its variance; nothing if no feature was seen.
    ///
    /// The weighted mean of what was seen, here and in the learner's `persistence` ([`super::habits::Learner`]). A
    /// feature not seen adds nothing to the mean, but counts in the variance as one of which nothing is known: 1/4, the
    /// largest a quantity in [0, 1] can have (Popoviciu 1935). So what is missing always widens. Features are taken as
    /// independent, which is generous; weigh it as an index, not a measure.
    #[must_use]
    pub fn index(&self, persistence: &Rate, p: &EngagementParams) -> Option<Estimate> {
        let features = [
            self.on_task(),
            self.head_on_task(),
            self.path_efficiency(),
            Feature::of(persistence),
        ];
        combine(features, p.index_weights)
    }

    /// The index's interval at `z` standard deviations, inside [0, 1]; all of it if nothing was seen.
    #[must_use]
    pub fn index_interval(&self, persistence: &Rate, z: f64, p: &EngagementParams) -> Interval {
        let Some(index) = self.index(persistence, p) else {
            return Interval {
                low: 0.0,
                high: 1.0,
            };
        };
        let interval = index.interval(z);
        Interval {
            low: interval.low.clamp(0.0, 1.0),
            high: interval.high.clamp(0.0, 1.0),
        }
    }
}

fn combine(features: [Option<Feature>; 4], weights: [f64; 4]) -> Option<Estimate> {
    let (mut seen, mut all, mut sum, mut variance) = (0.0, 0.0, 0.0, 0.0);
    for (feature, weight) in features.iter().zip(weights) {
        let weight = bounded(weight, 0.0, 1000.0, 0.0);
        all += weight;
        variance += weight * weight * feature.map_or(0.25, |f| f.estimate.variance);
        if let Some(feature) = feature {
            seen += weight;
            sum += weight * feature.estimate.mean;
        }
    }
    (seen > 0.0).then(|| Estimate {
        mean: (sum / seen).clamp(0.0, 1.0),
        variance: variance / (all * all),
    })
}

/// Whether the head points at the task: the angle between its ray and the direction to the task, in radians, is at
/// most `cone`. Arbitrary, and different from person to person, since eyes turn before the head does: 0.26 (15°).
#[must_use]
pub fn head_on_task(angle: f64, cone: f64) -> bool {
    angle.abs() <= cone
}

/// Straight line through actual path, in [0, 1]; lengths in metres. Nothing for a path within the tracking noise
/// `noise` (metres), which says nothing about the hand.
#[must_use]
pub fn path_efficiency(straight: f64, path: f64, noise: f64) -> Option<f64> {
    let real = path > bounded(noise, 0.0, f64::MAX, 0.0) && path.is_finite() && straight >= 0.0;
    real.then(|| (straight / path).min(1.0))
}

/// Attempts at one skill, to notice wheel-spinning: going on without getting anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WheelSpinning {
    attempts: u32,
    in_a_row: u32,
    mastered: bool,
}

impl WheelSpinning {
    /// Attempts without mastery that make wheel-spinning (Beck & Gong 2013, "Wheel-spinning: students who fail to
    /// master a skill", AIED 2013).
    pub const ATTEMPTS: u32 = 10;
    /// Successes in a row that make mastery (ibid.).
    pub const IN_A_ROW: u32 = 3;

    /// Takes in an attempt. A failure through hardware trusted less than `least_trust` is none.
    pub fn attempt(&mut self, correct: bool, quality: Quality, least_trust: f64) {
        if !correct && quality.trust() < bounded(least_trust, 0.0, 1.0, 1.0) {
            return;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.in_a_row = if correct {
            self.in_a_row.saturating_add(1)
        } else {
            0
        };
        self.mastered |= self.in_a_row >= Self::IN_A_ROW;
    }

    /// Ten attempts or more, and never three successes in a row.
    #[must_use]
    pub fn is_spinning(&self) -> bool {
        self.attempts >= Self::ATTEMPTS && !self.mastered
    }

    /// Attempts so far.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests;
