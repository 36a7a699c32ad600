//! The network over the inputs: a straight part, a part for each skill, and one hidden layer of monotone units.

use serde::{Deserialize, Serialize};

use super::features::{COUNT, Features, PER_SKILL, RISING};

/// Hidden units. The even ones are convex (they keep what is above 0), the odd ones concave (what is below).
pub(super) const HIDDEN: usize = 48;
/// Inputs further than this many standard deviations from their mean are taken as that far.
const FAR: f32 = 6.0;

/// Weights of one skill beside the shared ones.
pub(super) type SkillWeights = [f32; 1 + PER_SKILL.len()];

/// The network's weights. Those on the inputs that rise with success, the per-skill slopes added to the shared ones, and those
/// out of the hidden units are never negative; [`Network::is_monotone`] checks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Of each input, over the answers it was fitted on.
    pub(super) mean: Vec<f32>,
    /// One over its standard deviation.
    pub(super) scale: Vec<f32>,
    pub(super) bias: f32,
    pub(super) straight: Vec<f32>,
    /// Bias and slopes of each skill it was fitted on.
    pub(super) skills: Vec<SkillWeights>,
    /// Into the hidden units, input by input, `HIDDEN` weights each.
    pub(super) inward: Vec<f32>,
    pub(super) hidden_bias: Vec<f32>,
    pub(super) outward: Vec<f32>,
}

/// Why stored weights cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not as many as this program's network has.
    #[error(
        "it has {found} `{name}` weights where this program needs {needed}; fit it again with this program"
    )]
    Shape {
        /// Which.
        name: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        needed: usize,
    },
    /// A success would lower a prediction, or a weight is no number.
    #[error("its weights are not monotone or not finite; fit it again with this program")]
    NotMonotone,
}

impl Network {
    /// All zero: predicts one half.
    pub(super) fn zero(skills: usize) -> Self {
        Self {
            mean: vec![0.0; COUNT],
            scale: vec![1.0; COUNT],
            bias: 0.0,
            straight: vec![0.0; COUNT],
            skills: vec![SkillWeights::default(); skills],
            inward: vec![0.0; COUNT * HIDDEN],
            hidden_bias: vec![0.0; HIDDEN],
            outward: vec![0.0; HIDDEN],
        }
    }

    /// The same network, if it has this program's shape and keeps its promise.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn validated(self) -> Result<Self, NetworkError> {
        let shapes = [
            ("mean", self.mean.len(), COUNT),
            ("scale", self.scale.len(), COUNT),
            ("straight", self.straight.len(), COUNT),
            ("inward", self.inward.len(), COUNT * HIDDEN),
            ("hidden_bias", self.hidden_bias.len(), HIDDEN),
            ("outward", self.outward.len(), HIDDEN),
        ];
        for (name, found, needed) in shapes {
            if found != needed {
                return Err(NetworkError::Shape {
                    name,
                    found,
                    needed,
                });
            }
        }
        if self.is_monotone() {
            Ok(self)
        } else {
            Err(NetworkError::NotMonotone)
        }
    }

    /// Whether no rising input can lower the outcome. A NaN anywhere says no.
    #[must_use]
    pub fn is_monotone(&self) -> bool {
        let numbers = [
            &self.mean,
            &self.straight,
            &self.inward,
            &self.hidden_bias,
            &self.outward,
        ];
        let finite = numbers
            .iter()
            .all(|list| list.iter().all(|w| w.is_finite()))
            && self.bias.is_finite()
            && self.skills.iter().flatten().all(|w| w.is_finite());
        let scaled = self
            .scale
            .iter()
            .all(|scale| scale.is_finite() && *scale > 0.0);
        let rising = |weights: &[f32]| weights.iter().all(|w| *w >= 0.0);
        let shared = self.straight.get(..RISING).unwrap_or_default();
        let slopes = self.skills.iter().all(|skill| {
            let slopes = skill.iter().skip(1).zip(PER_SKILL);
            slopes.into_iter().all(|(slope, input)| {
                shared
                    .get(input)
                    .is_some_and(|shared| shared + slope >= 0.0)
            })
        });
        finite
            && scaled
            && rising(shared)
            && rising(self.inward.get(..RISING * HIDDEN).unwrap_or_default())
            && rising(&self.outward)
            && slopes
    }

    /// How many skills have weights of their own.
    pub(super) fn skills(&self) -> usize {
        self.skills.len()
    }

    /// Brings inputs to their standard scale.
    pub(super) fn standardise(&self, inputs: &mut Features) {
        for ((input, mean), scale) in inputs.iter_mut().zip(&self.mean).zip(&self.scale) {
            *input = ((*input - mean) * scale).clamp(-FAR, FAR);
        }
    }

    /// The logit for raw inputs.
    pub(super) fn logit(&self, inputs: &Features, skill: u32) -> f32 {
        let mut inputs = *inputs;
        self.standardise(&mut inputs);
        let mut hidden = [0.0; HIDDEN];
        self.forward(&inputs, skill, &mut hidden)
    }

    /// The logit for standardised inputs; leaves the hidden units' output in `hidden`.
    pub(super) fn forward(&self, inputs: &Features, skill: u32, hidden: &mut [f32; HIDDEN]) -> f32 {
        let mut logit = self.bias + dot(inputs, &self.straight);
        if let Some([bias, slopes @ ..]) = self.skills.get(skill as usize) {
            logit += bias;
            for (slope, input) in slopes.iter().zip(PER_SKILL) {
                logit += slope * inputs[input];
            }
        }
        for (sum, bias) in hidden.iter_mut().zip(&self.hidden_bias) {
            *sum = *bias;
        }
        for (input, weights) in inputs.iter().zip(self.inward.chunks_exact(HIDDEN)) {
            for (sum, weight) in hidden.iter_mut().zip(weights) {
                *sum += input * weight;
            }
        }
        for pair in hidden.chunks_exact_mut(2) {
            pair[0] = pair[0].max(0.0);
            pair[1] = pair[1].min(0.0);
        }
        logit + dot(hidden, &self.outward)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
