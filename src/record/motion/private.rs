//! Body attributes under local differential privacy: noise is added on the headset, before anybody else has the value.
//!
//! The bounded Laplace mechanism (Holohan, Antonatos, Braghin & Mac Aonghusa 2020, "The bounded Laplace mechanism in
//! differential privacy", Journal of Privacy and Confidentiality 10(1)), as MetaGuard applies it to height and wingspan
//! (Nair, Munilla-Garrido & Song 2023, "Going incognito in the metaverse", UIST). Noise is drawn once per attribute and
//! kept: fresh noise each time would average out. Nothing of this leaves unless somebody set a budget.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::motion::{BodyAttribute, NoisedAttribute};

/// How one attribute is noised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Privacy loss, more than 0; smaller is more private. MetaGuard's plug-in offers 5 (low privacy), 3 and 1 (high).
    pub epsilon: f64,
    /// Shortest, metres: what is shorter counts as this.
    pub lower: f64,
    /// Tallest, metres: what is taller counts as this.
    pub upper: f64,
}

impl Noise {
    /// For a body attribute: MetaGuard's highest privacy for the height, half of it for the span, which tells much of the
    /// height again. Arbitrary. The ranges are wider than MetaGuard's for adults (1.45 to 1.85 m), because our learners
    /// may be children; a wider range is a stronger noise.
    #[must_use]
    pub fn of(attribute: BodyAttribute) -> Self {
        let epsilon = match attribute {
            BodyAttribute::Height => 1.0,
            BodyAttribute::Span => 0.5,
        };
        Self {
            epsilon,
            lower: 1.0,
            upper: 1.9,
        }
    }
}

/// Why an attribute does not leave.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PrivacyError {
    /// The numbers make no mechanism.
    #[error(
        "noise with epsilon {epsilon} over {lower} to {upper} m protects nobody; epsilon has to be between 0.01 and 10, and the range between 0.01 and 10 m wide"
    )]
    NoMechanism {
        /// As given.
        epsilon: f64,
        /// As given.
        lower: f64,
        /// As given.
        upper: f64,
    },
    /// Nothing was measured.
    #[error("there is no measurement to noise; an absent value stays absent")]
    NotMeasured,
    /// Spent.
    #[error(
        "{asked} would be spent of a privacy budget with {left} left; a body attribute leaves no more for this learner"
    )]
    Spent {
        /// Cost of what was asked.
        asked: f64,
        /// What is left.
        left: f64,
    },
}

/// The mechanism: a Laplace distribution around the value, cut to the range and brought to weight 1 again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundedLaplace {
    scale: f64,
    lower: f64,
    upper: f64,
}

impl BoundedLaplace {
    /// From its numbers.
    ///
    /// The scale is (upper − lower)/ε. Where any two values are neighbours, as they are in the local model, it is exact:
    /// the densities of values v and w at x differ by e^{(|x − w| − |x − v|)/b}·C(w)/C(v), with
    /// C(v) = 1 − (e^{−(v − l)/b} + e^{−(u − v)/b})/2; that is largest for v and w at the two ends, where C(w) = C(v), and
    /// there it is e^{(u − l)/b} = e^ε. (Holohan et al. 2020, theorem 3.5 with Δq = u − l and δ = 0.)
    ///
    /// # Errors
    /// The numbers make no mechanism.
    pub fn new(noise: &Noise) -> Result<Self, PrivacyError> {
        let &Noise {
            epsilon,
            lower,
            upper,
        } = noise;
        let width = upper - lower;
        if (0.01..=10.0).contains(&epsilon) && (0.01..=10.0).contains(&width) {
            Ok(Self {
                scale: width / epsilon,
                lower,
                upper,
            })
        } else {
            Err(PrivacyError::NoMechanism {
                epsilon,
                lower,
                upper,
            })
        }
    }

    /// Density of output `x` for `value`, both in metres; 0 outside the range.
    #[must_use]
    pub fn density(&self, value: f64, x: f64) -> f64 {
        if !(self.lower..=self.upper).contains(&x) {
            return 0.0;
        }
        let value = value.clamp(self.lower, self.upper);
        let (below, above) = self.tails(value);
        let weight = 1.0 - below - above;
        (-(x - value).abs() / self.scale).exp() / (2.0 * self.scale * weight)
    }

    /// The output for `value` (metres) at place `u` of its distribution: with `u` uniform in [0, 1), a random draw.
    /// Within the range whatever comes in; a `u` that is NaN counts as 0.5.
    #[must_use]
    pub fn draw(&self, value: f64, u: f64) -> f64 {
        let value = value.clamp(self.lower, self.upper);
        let u = if u.is_nan() { 0.5 } else { u.clamp(0.0, 1.0) };
        let (below, above) = self.tails(value);
        // Place in the whole Laplace distribution, then its inverse.
        let p = below + u * (1.0 - below - above);
        let x = if p < 0.5 {
            value + self.scale * (2.0 * p).ln()
        } else {
            value - self.scale * (2.0 * (1.0 - p)).ln()
        };
        x.clamp(self.lower, self.upper)
    }

    /// Weight of the Laplace distribution around `value` below and above the range.
    fn tails(&self, value: f64) -> (f64, f64) {
        (
            0.5 * ((self.lower - value) / self.scale).exp(),
            0.5 * ((value - self.upper) / self.scale).exp(),
        )
    }
}

/// A learner's body as it may be told: what it has cost, and what was said, so that the same is said again.
/// It is kept with the learner's records and goes with them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyReport {
    budget: f64,
    spent: f64,
    said: BTreeMap<BodyAttribute, NoisedAttribute>,
}

impl BodyReport {
    /// One that may spend `budget` altogether, over all attributes and for ever (sequential composition: Dwork & Roth
    /// 2014, theorem 3.16). 0, the default, and what is no number: nothing leaves.
    #[must_use]
    pub fn with_budget(budget: f64) -> Self {
        Self {
            budget: if budget.is_finite() {
                budget.max(0.0)
            } else {
                0.0
            },
            ..Self::default()
        }
    }

    /// What may leave of `attribute`, measured as `metres`. `u` is uniform in [0, 1), from a source nobody outside can
    /// know (never the session's logged seed: who has the seed takes the noise off). What was said once is said again,
    /// at no cost, whatever is measured now. Told in whole centimetres, so that no low bit tells the value (Mironov 2012).
    ///
    /// # Errors
    /// Why it does not leave.
    pub fn tell(
        &mut self,
        attribute: BodyAttribute,
        metres: f64,
        noise: &Noise,
        u: f64,
    ) -> Result<NoisedAttribute, PrivacyError> {
        if let Some(said) = self.said.get(&attribute) {
            return Ok(*said);
        }
        if !metres.is_finite() || !u.is_finite() {
            return Err(PrivacyError::NotMeasured);
        }
        let mechanism = BoundedLaplace::new(noise)?;
        let left = (self.budget - self.spent).max(0.0);
        // Sums of sums: a rounding is no reason to refuse.
        if noise.epsilon > left + 1e-9 {
            return Err(PrivacyError::Spent {
                asked: noise.epsilon,
                left,
            });
        }
        self.spent += noise.epsilon;
        let centimetres = (mechanism.draw(metres, u) * 100.0).round() as u16;
        let said = NoisedAttribute {
            attribute,
            centimetres,
            epsilon: noise.epsilon,
        };
        self.said.insert(attribute, said);
        Ok(said)
    }

    /// What it has cost so far.
    #[must_use]
    pub fn spent(&self) -> f64 {
        self.spent
    }
}

#[cfg(test)]
#[path = "private_tests.rs"]
mod tests;
