//! The transition equation ∂(t+1) = ∂(t) + α·Δ(∩,∆,E,A) + β·ε(t), in a form that can also fall.
//!
//! In: four model outputs in [0, 1] (any may be missing), their weights, the time since the last step. Out: the
//! transition index ∂ in [0, 1] with an interval. The index orders and displays; it opens no gate
//! (that is [`super::event_chart`]), and ε, zero unless somebody passes one, can therefore move none either.
//!
//! In the sources Δ = Σwᵢxᵢ ≥ 0 is added at every call, so the index can only rise, and a learner with every
//! observable at zero is told to advance after ten calls. Here Δ is the difference to the present state,
//! Δ = T − ∂ with T = Σwᵢxᵢ + I: first-order relaxation towards the evidence (an exponentially weighted moving
//! average; Roberts 1959, Hunter 1986), which rises and falls with it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::weights::Weights;

/// The equation's constants. All are the sources', and arbitrary: no published evidence fixes them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Share of the way to the evidence that is gone in one `period`, in (0, 1].
    pub alpha: f64,
    /// Weight of ε, in [0, 0.3].
    pub beta: f64,
    /// Largest |ε| that counts, in [0, 1].
    pub epsilon_limit: f64,
    /// Strength of the interaction engagement × knowledge, in [0, 0.075] (the sources allow 0.15 for both together).
    pub engagement_knowledge: f64,
    /// Strength of the interaction assessment × learner, in [0, 0.075].
    pub assessment_learner: f64,
    /// The time step that `alpha` and `beta` are stated for, in seconds, > 0.
    pub period: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            alpha: 0.7,
            beta: 0.15,
            epsilon_limit: 0.3,
            engagement_knowledge: 0.05,
            assessment_learner: 0.05,
            period: 5.0,
        }
    }
}

/// A constant outside its range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("`{name}` is {value}; it must lie in [{min}, {max}]")]
pub struct OutOfRange {
    /// Which one.
    pub name: &'static str,
    /// What it was.
    pub value: f64,
    /// Lower end of its range.
    pub min: f64,
    /// Upper end of its range.
    pub max: f64,
}

impl Params {
    /// Name, value and range of each constant.
    fn ranges(&self) -> [(&'static str, f64, f64, f64); 6] {
        [
            ("alpha", self.alpha, 1e-6, 1.0),
            ("beta", self.beta, 0.0, 0.3),
            ("epsilon_limit", self.epsilon_limit, 0.0, 1.0),
            (
                "engagement_knowledge",
                self.engagement_knowledge,
                0.0,
                0.075,
            ),
            ("assessment_learner", self.assessment_learner, 0.0, 0.075),
            ("period", self.period, 1e-3, 1e6),
        ]
    }

    /// The same constants, if every one is in range.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first that is not; NaN never is.
    pub fn validated(self) -> Result<Self, OutOfRange> {
        for (name, value, min, max) in self.ranges() {
            if !(min..=max).contains(&value) {
                return Err(OutOfRange {
                    name,
                    value,
                    min,
                    max,
                });
            }
        }
        Ok(self)
    }
}

/// The four models' outputs, in [0, 1]. `None` and anything not finite: missing; beyond [0, 1]: the nearer end.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Signals {
    /// Learner model ∩.
    pub learner: Option<f64>,
    /// Knowledge model ∆.
    pub knowledge: Option<f64>,
    /// Engagement model E.
    pub engagement: Option<f64>,
    /// Assessment model A.
    pub assessment: Option<f64>,
}

/// The transition index of one learner.
///
/// `lower` and `upper` are not a confidence interval but a guarantee: whatever the index was at the start and whatever
/// the missing inputs would have been, the index of complete data lies between them (worst-case bounds for missing
/// data: Manski 1989). They narrow as evidence comes in and widen while inputs are missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// ∂, in [`lower`, `upper`].
    pub value: f64,
    /// Lowest possible, in [0, 1].
    pub lower: f64,
    /// Highest possible, in [0, 1].
    pub upper: f64,
}

impl Default for Index {
    /// Before any evidence: the sources' start of 0.5, with an interval that says that nothing is known.
    fn default() -> Self {
        Self {
            value: 0.5,
            lower: 0.0,
            upper: 1.0,
        }
    }
}

/// What one step came from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The index after the step.
    pub index: Index,
    /// Σwᵢxᵢ over the inputs that are there, their weights made to sum to 1; `None`: no input.
    pub evidence: Option<f64>,
    /// I, the bounded interaction term that is added to the evidence, in [−0.15, 0.15]; `None`: no input.
    pub interaction: Option<f64>,
    /// The inputs that are missing, in the order learner, knowledge, engagement, assessment.
    pub missing: [bool; 4],
}

/// The equation's constants for one length of step. Made once per tick, used for every learner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    alpha: f64,
    beta: f64,
    limit: f64,
    engagement_knowledge: f64,
    assessment_learner: f64,
}

impl Rate {
    /// Constants for a step of `dt`. A constant out of range counts as the nearer end, one that is no number as its
    /// default.
    ///
    /// α_dt = 1 − (1 − α)^(dt/period), so that two half steps equal a whole one. ε is a disturbance that holds during
    /// the step: the exact solution of d∂/dt = λ(T + (β/α)ε − ∂) gives β_dt = β·α_dt/α, which is β at dt = period. The
    /// path is then the same at any update rate for any ε that holds between steps, hence also the mean path for
    /// a random ε; the spread of an ε drawn anew at every step is not (it would need 1/√dt).
    #[must_use]
    pub fn over(dt: Duration, params: &Params) -> Self {
        let mut safe = [0.0; 6];
        let defaults = Params::default().ranges();
        for ((safe, (_, value, min, max)), (_, default, ..)) in
            safe.iter_mut().zip(params.ranges()).zip(defaults)
        {
            *safe = if value.is_nan() { default } else { value }.clamp(min, max);
        }
        let [
            alpha,
            beta,
            limit,
            engagement_knowledge,
            assessment_learner,
            period,
        ] = safe;
        let periods = dt.as_secs_f64() / period;
        // 1 − (1 − α)^n without losing the digits of a short step; α = 1 is there at once, but not in no time.
        let gone = if periods > 0.0 {
            -(periods * (-alpha).ln_1p()).exp_m1()
        } else {
            0.0
        };
        Self {
            alpha: gone,
            beta: beta * (gone / alpha),
            limit,
            engagement_knowledge,
            assessment_learner,
        }
    }
}

/// One step of one learner. `epsilon` is any number; not finite counts as 0. Never allocates.
#[must_use]
pub fn step(rate: &Rate, weights: &Weights, index: Index, signals: &Signals, epsilon: f64) -> Step {
    let inputs = [
        signals.learner,
        signals.knowledge,
        signals.engagement,
        signals.assessment,
    ]
    .map(|signal| signal.unwrap_or(f64::NAN));
    let moved = relax(rate, (*weights).into(), index, inputs, epsilon);
    let known = moved.weight > 0.0;
    Step {
        index: moved.index,
        evidence: known.then_some(moved.evidence),
        interaction: known.then_some(moved.interaction),
        missing: inputs.map(|input| !input.is_finite()),
    }
}

/// What a step computes; `weight` is the weight of the inputs that are there.
pub(super) struct Moved {
    pub index: Index,
    evidence: f64,
    interaction: f64,
    weight: f64,
}

/// The equation itself, free of branches so that a batch becomes vector instructions.
///
/// A missing input takes the mean of the others, which is the same as renormalising the weights; the bounds take it
/// as 0 and as 1. An interaction's strength is cut to half the lesser of its two weights: T then never falls when an
/// input rises (∂T/∂xᵢ = wᵢ + 4κ(xⱼ − ½) ≥ wᵢ − 2κ ≥ 0), and the bounds hold. Two low inputs
/// also go together: with nothing but zeros T is κ₁ + κ₂ (a tenth by default), not 0.
#[inline(always)]
pub(super) fn relax(
    rate: &Rate,
    weights: [f64; 4],
    index: Index,
    inputs: [f64; 4],
    epsilon: f64,
) -> Moved {
    let mut there = [0.0; 4];
    let mut x = [0.0; 4];
    let mut w = [0.0; 4];
    for i in 0..4 {
        there[i] = or_else(inputs[i], 1.0, 0.0);
        x[i] = unit(or_else(inputs[i], inputs[i], 0.0));
        w[i] = unit(or_else(weights[i], weights[i], 0.0));
    }
    let all = w[0] + w[1] + w[2] + w[3];
    let weight = w[0] * there[0] + w[1] * there[1] + w[2] * there[2] + w[3] * there[3];
    let sum = w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + w[3] * x[3];
    let some = weight > 0.0;
    let evidence = unit(sum / if some { weight } else { 1.0 });
    let share = if all > 0.0 { 1.0 / all } else { 0.0 };
    let kappa = [
        least(rate.engagement_knowledge, 0.5 * share * least(w[2], w[1])),
        least(rate.assessment_learner, 0.5 * share * least(w[3], w[0])),
    ];
    // The target if every missing input were this.
    let fill = |missing: f64| {
        let mut y = [0.0; 4];
        for i in 0..4 {
            y[i] = if there[i] > 0.0 { x[i] } else { missing };
        }
        let mean = share * (w[0] * y[0] + w[1] * y[1] + w[2] * y[2] + w[3] * y[3]);
        let interaction = kappa[0] * (4.0 * (y[2] - 0.5) * (y[1] - 0.5))
            + kappa[1] * (4.0 * (y[3] - 0.5) * (y[0] - 0.5));
        (mean, interaction)
    };
    let (_, interaction) = fill(evidence);
    let (low_mean, low_interaction) = fill(0.0);
    let (high_mean, high_interaction) = fill(1.0);
    let noise = or_else(epsilon, epsilon, 0.0);
    let noise = if noise > rate.limit {
        rate.limit
    } else {
        noise
    };
    let noise = if noise < -rate.limit {
        -rate.limit
    } else {
        noise
    };
    // With nothing observed there is nothing to deviate from: the index stays.
    let push = if some { rate.beta * noise } else { 0.0 };

    let value = unit(or_else(index.value, index.value, 0.5));
    let lower = least(unit(or_else(index.lower, index.lower, 0.0)), value);
    let upper = most(unit(or_else(index.upper, index.upper, 1.0)), value);
    let target = if some {
        unit(evidence + interaction)
    } else {
        value
    };
    let low_target = if some {
        unit(low_mean + low_interaction)
    } else {
        0.0
    };
    let high_target = if some {
        unit(high_mean + high_interaction)
    } else {
        1.0
    };
    let towards = |from: f64, to: f64| unit(from + rate.alpha * (to - from) + push);
    let value = towards(value, target);
    Moved {
        index: Index {
            value,
            // In exact arithmetic the bounds enclose the value; rounding may miss by the last bit.
            lower: least(towards(lower, low_target), value),
            upper: most(towards(upper, high_target), value),
        },
        evidence,
        interaction,
        weight,
    }
}

/// `then` where `x` is a finite number, `otherwise` where it is none.
#[inline(always)]
fn or_else(x: f64, then: f64, otherwise: f64) -> f64 {
    if x.abs() < f64::INFINITY {
        then
    } else {
        otherwise
    }
}

#[inline(always)]
fn least(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[inline(always)]
fn most(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline(always)]
fn unit(x: f64) -> f64 {
    least(most(x, 0.0), 1.0)
}

#[cfg(test)]
#[path = "equation_tests.rs"]
mod tests;
