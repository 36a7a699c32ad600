//! What is likely to happen next: success in the next attempt, a stall, leaving for good.
//!
//! In: what the models say. Out: probabilities with the time they are for. **Calibrated on simulated learners only**
//! ([`super::simulated`]): nobody has watched real ones for this yet, and the numbers are to be shown with that remark.
//!
//! Success: logistic regression on the logits of two other predictions, ability's and knowledge tracing's, and the recent
//! share of successes (stacking: Wolpert 1992). Stall and leaving: discrete-time hazard, logistic in each interval of
//! 30 s (Singer & Willett 1993, "It's about time", Journal of Educational Statistics 18(2)); over a longer time t the
//! chance is 1 − (1 − h)^(t/30 s), everything else staying as it is. Never: what a learner feels or thinks.
//! One prediction is some twenty multiplications and three exponentials, without allocation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bkt;
use super::estimate::{bounded, logit, sigmoid};
use super::event_criteria::Bounded;
use super::five::Five;
use super::five::params::Params;
use super::strategy::feature::{Feature, View};

pub mod fit;
pub mod reliability;

/// Seconds of an interval of the hazards.
pub const INTERVAL: f64 = 30.0;
/// Seconds without progress that make a stall. Ours: longer than a hint takes to be read and tried.
pub const STALL: f64 = 30.0;

/// Seconds over which stalling and leaving are predicted for the adaptation rules.
pub const HORIZON: f64 = 60.0;

/// Inputs of the prediction of success: one, ability's logit, knowledge tracing's logit, recent successes − ½.
pub type SuccessInputs = [f64; 4];
/// Inputs of the hazard of stalling: one, logit of success, hesitation in units of 20 s (to 3), failures since the last
/// hint in units of 3 (to 2), support in thirds.
pub type StallInputs = [f64; 5];
/// Inputs of the hazard of leaving: one, 1 − comfort, 1 − share on task, minutes since the last break in half hours,
/// recent failures.
pub type LeavingInputs = [f64; 5];

/// The parameters, with where they are from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Predictor {
    /// Counts up with every fit that is put to use.
    pub version: u32,
    /// Fitted on whom, how many, with which program and seed.
    pub provenance: String,
    /// Weights of [`SuccessInputs`].
    pub success: SuccessInputs,
    /// Weights of [`StallInputs`].
    pub stall: StallInputs,
    /// Weights of [`LeavingInputs`].
    pub leaving: LeavingInputs,
}

impl Default for Predictor {
    fn default() -> Self {
        Self {
            version: 1,
            provenance: "simulated learners only: 400 of the default population, seed 2, \
                         `measure-adaptation --fit --predicted 400`"
                .to_owned(),
            success: [0.016, 0.669, 0.225, -0.607],
            stall: [-8.381, -1.263, 2.337, 1.794, 1.509],
            leaving: [-6.012, 3.065, -0.059, 0.009, -0.495],
        }
    }
}

/// What is known of a learner before a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inputs {
    /// Of success; with the lower and the upper ends of what the models say.
    pub success: [SuccessInputs; 3],
    /// Of stalling but for the logit of success, which comes second.
    pub stall: StallInputs,
    /// Of leaving.
    pub leaving: LeavingInputs,
}

/// What is likely.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// Chance that the next attempt succeeds, with what the ends of the models' intervals make of it.
    pub success: Bounded,
    /// Chance of a stall in an interval of [`INTERVAL`] seconds.
    pub stall: f64,
    /// Chance of leaving for good in such an interval.
    pub leaving: f64,
}

impl Prediction {
    /// Chance of a stall within so many seconds, in [0, 1].
    #[must_use]
    pub fn stalls_within(&self, seconds: f64) -> f64 {
        within(self.stall, seconds)
    }

    /// Chance of leaving within so many seconds, in [0, 1].
    #[must_use]
    pub fn leaves_within(&self, seconds: f64) -> f64 {
        within(self.leaving, seconds)
    }
}

/// 1 − (1 − h)^(t/interval).
fn within(hazard: f64, seconds: f64) -> f64 {
    let intervals = bounded(seconds, 0.0, 86_400.0, 0.0) / INTERVAL;
    1.0 - (1.0 - hazard.clamp(0.0, 1.0)).powf(intervals)
}

impl Inputs {
    /// Of a learner before a step of this `skill`. `view` is the complete one ([`Five::view`]). What is not known
    /// counts as usual: a logit of 0, half of the attempts right, comfortable, on task.
    #[must_use]
    pub fn of(five: &Five, skill: u32, view: &View, p: &Params) -> Self {
        let recent = five.recent().success(1).unwrap_or(0.5);
        let traced = |known: f64| {
            let bkt = p.skill(skill).bkt;
            logit(bkt::predict(known, &bkt))
        };
        let of = |feature: Feature, mean: f64, lower: f64, upper: f64| {
            let seen = view.get(feature);
            seen.map_or((mean, lower, upper), |it| (it.mean, it.lower, it.upper))
        };
        let at = |feature: Feature, otherwise: f64| of(feature, otherwise, 0.0, 1.0).0;
        let ability = of(Feature::NextSuccess, 0.5, 0.05, 0.95);
        let prior = p.skill(skill).bkt.prior;
        let known = of(
            Feature::Mastery,
            prior,
            0.05_f64.min(prior),
            0.95_f64.max(prior),
        );
        let success = [
            (ability.0, known.0),
            (ability.1, known.1),
            (ability.2, known.2),
        ]
        .map(|(ability, known)| [1.0, logit(ability), traced(known), recent - 0.5]);
        let on_task = five.engagement().on_task();
        Self {
            success,
            stall: [
                1.0,
                0.0,
                bounded(at(Feature::Hesitation, 0.0) / 20.0, 0.0, 3.0, 0.0),
                bounded(at(Feature::Failures, 0.0) / 3.0, 0.0, 2.0, 0.0),
                at(Feature::SupportLevel, 0.0) / 3.0,
            ],
            leaving: [
                1.0,
                1.0 - at(Feature::Comfort, 1.0),
                1.0 - on_task.map_or(1.0, |share| share.estimate.mean),
                bounded(at(Feature::SinceBreak, 0.0) / 1800.0, 0.0, 4.0, 0.0),
                1.0 - recent,
            ],
        }
    }

    /// The inputs of stalling with the logit of success put in.
    #[must_use]
    pub fn stall_with(&self, success: f64) -> StallInputs {
        let mut inputs = self.stall;
        inputs[1] = logit(success);
        inputs
    }
}

impl Predictor {
    /// What is likely to happen next. Never allocates.
    #[must_use]
    pub fn predict(&self, inputs: &Inputs) -> Prediction {
        let [mean, lower, upper] = inputs
            .success
            .map(|inputs| sigmoid(product(&self.success, &inputs)));
        Prediction {
            // A weight below 0 would turn the ends round.
            success: Bounded {
                mean,
                lower: mean.min(lower).min(upper),
                upper: mean.max(lower).max(upper),
                n: 0,
            },
            stall: sigmoid(product(&self.stall, &inputs.stall_with(mean))),
            leaving: sigmoid(product(&self.leaving, &inputs.leaving)),
        }
    }
}

impl Prediction {
    /// Puts the risks within [`HORIZON`] into what the adaptation rules look at.
    #[must_use]
    pub fn seen_in(&self, view: View) -> View {
        let risk = |p: f64| Some(p).filter(|p| p.is_finite());
        view.concluded(Feature::StallRisk, risk(self.stalls_within(HORIZON)), 1)
            .concluded(Feature::DropOutRisk, risk(self.leaves_within(HORIZON)), 1)
    }
}

fn product<const D: usize>(weights: &[f64; D], inputs: &[f64; D]) -> f64 {
    weights.iter().zip(inputs).map(|(w, x)| w * x).sum()
}

#[cfg(test)]
mod tests;
