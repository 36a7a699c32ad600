//! How loaded a learner seems to be, from what they do: an estimate with an honest interval.
//!
//! In: ratios to the learner's own baseline, errors, hints, and the learner's own rating where one was asked. Out: an
//! index in [0, 1] with an interval that widens with everything that is missing.
//!
//! Hands and head are watched for five seconds at a time ([`meter`]); what was seen is set against what this learner
//! usually does ([`own`]). How a hand and a head *move* (smoothness, head turning) is motion, and motion is biometric: it
//! counts only where [`LoadParams::kinematics`] says so, which a region's policy must allow. Without it the index is of
//! task performance alone. A learner's own ratings move the index to where that learner means it ([`rating`]).
//!
//! Background: cognitive load theory (Sweller 1988); mental effort rated on nine points (Paas 1992); longer response
//! times and more errors under load (Brünken, Plass & Leutner 2003); hesitation and detours in virtual reality as
//! behavioural signs, in small samples. Limits, and they are serious: different measures answer to different kinds of
//! load (DeLeeuw & Mayer 2008), so that no index separates a hard task from a badly told one; the weights below are
//! plausible, not fitted; tiredness, a bad headset or a phone call look alike. It is an estimate of load from
//! behaviour, never of attention or emotion, and nothing is decided on it that can't be undone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_criteria::Bounded;

pub mod meter;
pub mod motion;
pub mod own;
pub mod rating;
pub mod window;

/// What is observed over the last half minute or so. `None` and anything not finite: not observed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Observed {
    /// Time to respond, divided by the learner's own usual time; 1 is as usual.
    pub response_time: Option<f64>,
    /// Longest run of wrong attempts among the last ten, as a count.
    pub error_burst: Option<f64>,
    /// Hints asked for or offered per attempt, in [0, 1].
    pub hints: Option<f64>,
    /// Pause before grasping, divided by the learner's own usual pause; 1 is as usual.
    pub hesitation: Option<f64>,
    /// Way of the hand over the straight one, divided by the learner's own usual such ratio; 1 is as usual.
    pub path: Option<f64>,
    /// Speed of head turning, divided by the learner's own usual one; 1 is as usual.
    pub head_motion: Option<f64>,
    /// Time between two actions, divided by the learner's own usual one; 1 is as usual.
    pub interval: Option<f64>,
    /// Spread of the times between actions (standard deviation of their logarithms), divided by the learner's own usual
    /// one; 1 is as usual.
    pub interval_spread: Option<f64>,
    /// How much less smooth the hand is than usual: the learner's usual log dimensionless jerk (Balasubramanian, Melendez-
    /// Calderon & Burdet 2012; nearer 0 is smoother) minus the present one; 0 is as usual, more is jerkier.
    pub jerk: Option<f64>,
    /// Entropy of the head's yaw, in nats, minus the learner's usual one; 0 is as usual.
    pub head_entropy: Option<f64>,
    /// Returns of the head to what the step is about, per minute, divided by the learner's own usual number; 1 is as usual.
    pub head_returns: Option<f64>,
    /// The learner's own rating of mental effort, 1 (very, very low) to 9 (very, very high) (Paas 1992).
    pub own_rating: Option<f64>,
    /// How many observations the learner's own baseline rests on.
    pub baseline: u32,
}

/// How one observable counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Share of the whole, ≥ 0; the shares need not sum to 1.
    pub weight: f64,
    /// Value that speaks for no load at all.
    pub calm: f64,
    /// Value that speaks for the highest load; straight in between.
    pub strained: f64,
}

/// The estimator's numbers: choices of ours, to be replaced by a calibration against ratings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoadParams {
    /// Of the response time.
    pub response_time: Scale,
    /// Of runs of errors: one is a slip, four in a row are not.
    pub error_burst: Scale,
    /// Of hints.
    pub hints: Scale,
    /// Of hesitation.
    pub hesitation: Scale,
    /// Of detours.
    pub path: Scale,
    /// Of head motion: searching turns the head, and so does curiosity, hence the small weight.
    pub head_motion: Scale,
    /// Of the time between actions.
    pub interval: Scale,
    /// Of its spread.
    pub interval_spread: Scale,
    /// Of jerkiness.
    pub jerk: Scale,
    /// Of the head's entropy.
    pub head_entropy: Scale,
    /// Of the head's returns.
    pub head_returns: Scale,
    /// Whether hand and head motion count: head motion, jerk, entropy, returns. Off unless a region's policy allows it.
    pub kinematics: bool,
    /// Of the learner's own rating: the nearest thing to a measurement, but rarely there, and every share that is missing
    /// widens the interval.
    pub own_rating: Scale,
    /// Half width that remains with everything observed and a firm baseline: behaviour predicts ratings only so well.
    pub residual: f64,
    /// Half width that a baseline of one single observation adds; falls with the root of their number.
    pub baseline_spread: f64,
    /// The load is low where the whole interval lies below this.
    pub low: f64,
    /// The load is high where the whole interval lies above this.
    pub high: f64,
}

impl Default for LoadParams {
    fn default() -> Self {
        let scale = |weight, calm, strained| Scale {
            weight,
            calm,
            strained,
        };
        Self {
            // Shares of the whole; without motion they sum to 1.1.
            response_time: scale(0.25, 1.0, 2.5),
            error_burst: scale(0.20, 0.0, 4.0),
            hints: scale(0.15, 0.0, 1.0),
            hesitation: scale(0.15, 1.0, 3.0),
            path: scale(0.10, 1.0, 2.5),
            head_motion: scale(0.05, 1.0, 2.5),
            interval: scale(0.10, 1.0, 2.5),
            interval_spread: scale(0.05, 1.0, 2.5),
            jerk: scale(0.10, 0.0, 1.5),
            head_entropy: scale(0.05, 0.0, 1.0),
            head_returns: scale(0.05, 1.0, 3.0),
            kinematics: false,
            own_rating: scale(0.10, 1.0, 9.0),
            residual: 0.1,
            baseline_spread: 0.3,
            low: 0.5,
            high: 0.5,
        }
    }
}

/// How many observables there are.
pub const SIGNS: usize = 12;

/// Names of the observables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Time to respond.
    ResponseTime,
    /// Runs of errors.
    ErrorBurst,
    /// Hints.
    Hints,
    /// Pause before grasping.
    Hesitation,
    /// Detours of the hand.
    Path,
    /// Head turning.
    HeadMotion,
    /// Time between actions.
    Interval,
    /// Its spread.
    IntervalSpread,
    /// Jerkiness of the hand.
    Jerk,
    /// Entropy of the head's yaw.
    HeadEntropy,
    /// Returns of the head.
    HeadReturns,
    /// The learner's own rating.
    OwnRating,
}

impl Sign {
    /// Whether it is motion of hand or head.
    #[must_use]
    pub const fn is_kinematic(self) -> bool {
        matches!(
            self,
            Self::HeadMotion | Self::Jerk | Self::HeadEntropy | Self::HeadReturns
        )
    }
}

/// What one observable adds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// Which.
    pub sign: Sign,
    /// Its share of the whole, in [0, 1]; all shares sum to 1.
    pub share: f64,
    /// What it says by itself, in [0, 1]; `None`: not observed.
    pub says: Option<f64>,
}

/// Load in three words, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadClass {
    /// Surely low.
    Low,
    /// Neither surely low nor surely high.
    Unsure,
    /// Surely high.
    High,
}

/// The estimate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Index in [0, 1]; `None`: nothing observed, and no middle is made up.
    pub level: Option<f64>,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// The word for it.
    pub class: LoadClass,
    /// What each observable adds.
    pub contributions: [Contribution; SIGNS],
}

impl Load {
    /// As it leaves the headset: what runs of errors, hints and the learner's own rating say, which leave as well. What
    /// hands, head and times say stays: it tells people apart, even as one word for all of it (`docs/motion.md`).
    #[must_use]
    pub fn by_results(&self, params: &LoadParams) -> Self {
        let kept = self.contributions.map(|it| {
            let leaves = matches!(it.sign, Sign::ErrorBurst | Sign::Hints | Sign::OwnRating);
            (leaves, it)
        });
        let whole: f64 = kept
            .iter()
            .map(|(leaves, it)| if *leaves { it.share } else { 0.0 })
            .sum();
        let contributions = kept.map(|(leaves, it)| Contribution {
            sign: it.sign,
            share: if leaves && whole > 0.0 {
                it.share / whole
            } else {
                0.0
            },
            says: it.says.filter(|_| leaves),
        });
        concluded(contributions, half_width(params.residual), params)
    }

    /// The same as an estimate, as [`super::strategy`] takes it; `None`: nothing observed.
    #[must_use]
    pub fn as_estimate(&self) -> Option<Bounded> {
        let seen = self.contributions.iter().filter(|c| c.says.is_some());
        self.level.map(|mean| Bounded {
            mean,
            lower: self.lower,
            upper: self.upper,
            n: u32::try_from(seen.count()).unwrap_or(u32::MAX),
        })
    }
}

/// Estimates the load.
///
/// The level is the weighted mean of what is observed. The interval takes each missing observable as 0 and as 1
/// (worst-case bounds: Manski 1989) and adds the half widths for the model and the baseline.
#[must_use]
pub fn estimate(params: &LoadParams, observed: &Observed) -> Load {
    let rows = [
        (
            Sign::ResponseTime,
            params.response_time,
            observed.response_time,
        ),
        (Sign::ErrorBurst, params.error_burst, observed.error_burst),
        (Sign::Hints, params.hints, observed.hints),
        (Sign::Hesitation, params.hesitation, observed.hesitation),
        (Sign::Path, params.path, observed.path),
        (Sign::HeadMotion, params.head_motion, observed.head_motion),
        (Sign::Interval, params.interval, observed.interval),
        (
            Sign::IntervalSpread,
            params.interval_spread,
            observed.interval_spread,
        ),
        (Sign::Jerk, params.jerk, observed.jerk),
        (
            Sign::HeadEntropy,
            params.head_entropy,
            observed.head_entropy,
        ),
        (
            Sign::HeadReturns,
            params.head_returns,
            observed.head_returns,
        ),
        (Sign::OwnRating, params.own_rating, observed.own_rating),
    ];
    let counts = |sign: Sign| params.kinematics || !sign.is_kinematic();
    let weight = |sign: Sign, scale: Scale| {
        if scale.weight.is_finite() && counts(sign) {
            scale.weight.clamp(0.0, 1e6)
        } else {
            0.0
        }
    };
    let all: f64 = rows
        .iter()
        .map(|(sign, scale, _)| weight(*sign, *scale))
        .sum();
    let contributions = rows.map(|(sign, scale, value)| Contribution {
        sign,
        share: if all > 0.0 {
            weight(sign, scale) / all
        } else {
            0.0
        },
        // What must not count isn't even put down.
        says: value
            .filter(|_| counts(sign))
            .and_then(|value| says(scale, value)),
    });
    let baseline = f64::from(observed.baseline.max(1)).sqrt();
    let margin = half_width(params.residual) + half_width(params.baseline_spread) / baseline;
    concluded(contributions, margin, params)
}

/// Level, interval and word of what was observed.
fn concluded(contributions: [Contribution; SIGNS], margin: f64, params: &LoadParams) -> Load {
    let (mut there, mut sum) = (0.0, 0.0);
    for contribution in &contributions {
        if let Some(says) = contribution.says {
            there += contribution.share;
            sum += contribution.share * says;
        }
    }
    let level = (there > 0.0).then(|| (sum / there).clamp(0.0, 1.0));
    let missing = (1.0 - there).max(0.0);
    let (lower, upper) = match level {
        None => (0.0, 1.0),
        Some(level) => (
            (sum - margin).clamp(0.0, 1.0).min(level),
            (sum + missing + margin).clamp(0.0, 1.0).max(level),
        ),
    };
    let class = level.map_or(LoadClass::Unsure, |_| class(lower, upper, params));
    Load {
        level,
        lower,
        upper,
        class,
        contributions,
    }
}

/// The word for an interval.
fn class(lower: f64, upper: f64, params: &LoadParams) -> LoadClass {
    if lower > params.high {
        LoadClass::High
    } else if upper < params.low {
        LoadClass::Low
    } else {
        LoadClass::Unsure
    }
}

/// What a value says by itself: 0 at `calm`, 1 at `strained`, held beyond them. A scale of no length says nothing.
fn says(scale: Scale, value: f64) -> Option<f64> {
    let said = (value - scale.calm) / (scale.strained - scale.calm);
    said.is_finite().then(|| said.clamp(0.0, 1.0))
}

/// A margin that is no number leaves nothing certain.
fn half_width(x: f64) -> f64 {
    if x.is_nan() { 1.0 } else { x.clamp(0.0, 1.0) }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
