//! What is measured of some five seconds, before it is set against the learner's own: figures in plain units.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the task was done in a stretch of some five seconds. `None`: nothing of the kind was seen.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoadWindow {
    /// Seconds between one deed and the next (taking, letting go, pressing, moving on), geometric mean.
    pub interval: Option<f64>,
    /// Spread of the logarithms of the last eight such times: 1.4826 times their median deviation from their median.
    pub interval_spread: Option<f64>,
    /// Seconds that a hand lingered at things before it took one, mean.
    pub hesitation: Option<f64>,
    /// Way of the hand, to a thing and with it, over the straight one; at least 1.
    pub path: Option<f64>,
    /// How hands and head moved; `None`: not looked at, because nobody agreed to it or the region does not allow it.
    pub motion: Option<LoadMotion>,
}

/// How hands and head moved in a stretch. Only where the region's policy allows it and consent to it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoadMotion {
    /// Log dimensionless jerk of the ways to things, mean; at most about −5, nearer 0 is smoother.
    pub jerk: Option<f64>,
    /// Speed of head turning around the vertical, radians per second.
    pub head_turning: Option<f64>,
    /// Entropy of the head's yaw, nats.
    pub head_entropy: Option<f64>,
    /// How often the head came back to what the step is about, per minute.
    pub head_returns: Option<f64>,
}

impl LoadWindow {
    /// Nothing was seen, and nothing was to be looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
