//! Bayesian knowledge tracing (Corbett & Anderson 1995), one estimate per skill.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The four parameters of a skill. Probabilities in (0, 1) with `guess + slip < 1`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BktParams {
    /// P(known) before the first attempt.
    pub prior: f64,
    /// P(learnt between two attempts).
    pub learn: f64,
    /// P(wrong although known), at most 0.3.
    pub slip: f64,
    /// P(right although not known), at most 0.3.
    pub guess: f64,
}
