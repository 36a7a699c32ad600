//! Performance factors analysis: logit P(right) = β + γ·successes + ρ·failures, each skill with its own three weights.
//!
//! Source: P. I. Pavlik, H. Cen, K. R. Koedinger, "Performance factors analysis: A new alternative to knowledge tracing",
//! AIED 2009. We count ln(1 + successes) and ln(1 + failures) where they count successes and failures: on the three
//! ASSISTments sets the logarithm's AUC is about .01 higher, since the tenth success says less than the first.
//! γ ≥ 0 and ρ ≤ 0, so no success ever lowers a prediction.
//!
//! A skill's weights are drawn to those of all skills together, which also serve skills that nobody was fitted on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::logistic::{Prior, Row, fit as fit_logistic};
use super::{BySkill, Prediction, Question, Tracer, parallel};

/// Prior precisions (1/variance) of a skill's β, γ, ρ around those of all skills. A search over factors of 2 on
/// ASSISTments 2009 changes the figures of merit in the fourth digit.
const PRECISION: [f64; 3] = [1.0, 5.0, 5.0];
/// Those of all skills' weights around 0: as good as flat.
const POOLED_PRECISION: [f64; 3] = [0.01; 3];
const LOW: [f64; 3] = [f64::NEG_INFINITY, 0.0, f64::NEG_INFINITY];
const HIGH: [f64; 3] = [f64::INFINITY, f64::INFINITY, 0.0];

/// Weights of one skill: those of the mean, and the covariance of what is believed about them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PfaParams {
    /// β, γ ≥ 0, ρ ≤ 0; logits, and logits per unit of ln(1 + count).
    pub weights: [f64; 3],
    /// Their covariance.
    pub covariance: [[f32; 3]; 3],
}

/// Fitted weights of many skills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pfa {
    /// Of each skill, by index.
    pub skills: Vec<PfaParams>,
    /// Of a skill that was not fitted.
    pub pooled: PfaParams,
}

/// Why stored weights cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the weights of skill {skill:?} (by index; none: of all skills) are not finite, or a success would lower a prediction"
)]
pub struct BadWeights {
    /// Whose.
    pub skill: Option<usize>,
}

/// A learner's answers to one skill; failures by their weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    right: f64,
    wrong: f64,
}

impl Pfa {
    /// The same tracer, if every weight is in range.
    ///
    /// # Errors
    /// [`BadWeights`] names the first skill where one is not.
    pub fn validated(self) -> Result<Self, BadWeights> {
        let skills = self.skills.iter().enumerate();
        let all = skills.map(|(skill, params)| (Some(skill), params));
        for (skill, params) in all.chain([(None, &self.pooled)]) {
            let [_, success, failure] = params.weights;
            let finite = params.weights.iter().all(|weight| weight.is_finite())
                && params.covariance.iter().flatten().all(|c| c.is_finite());
            if !(finite && success >= 0.0 && failure <= 0.0) {
                return Err(BadWeights { skill });
            }
        }
        Ok(self)
    }
}

impl Tracer for Pfa {
    type Learner = BySkill<Performance>;

    /// The interval holds the doubt about the skill's weights. The model has no term for how learners differ beyond their
    /// counts, so it holds none about that.
    fn predict(&self, learner: &BySkill<Performance>, question: Question) -> Prediction {
        let params = self.skills.get(question.skill as usize);
        let PfaParams {
            weights,
            covariance,
        } = params.unwrap_or(&self.pooled);
        let counts = learner.get(question.skill).copied().unwrap_or_default();
        let inputs = [1.0, counts.right.ln_1p(), counts.wrong.ln_1p()];
        let mut variance = 0.0;
        for (row, a) in covariance.iter().zip(inputs) {
            for (covariance, b) in row.iter().zip(inputs) {
                variance += a * f64::from(*covariance) * b;
            }
        }
        let logit = weights.iter().zip(inputs).map(|(w, x)| w * x).sum();
        Prediction::of_logit(logit, variance.max(0.0).sqrt())
    }

    fn observe(
        &self,
        learner: &mut BySkill<Performance>,
        question: Question,
        correct: bool,
        weight: f64,
    ) {
        let counts = learner.entry(question.skill, Performance::default);
        if correct {
            counts.right += 1.0;
        } else {
            counts.wrong += super::weight(weight);
        }
    }
}

/// Answers after equal counts: (successes, failures) before, and how often right and wrong after.
type Table = BTreeMap<(u32, u32), (f64, f64)>;

/// Fits the weights of all skills together, then each skill's. `progress` hears (skills done, of), the pooled ones as the
/// first. Equal answers give equal weights on any number of threads.
#[must_use]
pub fn fit(answers: &Answers, threads: usize, progress: &(dyn Fn(usize, usize) + Sync)) -> Pfa {
    let mut tables = vec![Table::new(); answers.skill_count()];
    let mut all = Table::new();
    for learner in answers.learners() {
        let mut counts: BySkill<(u32, u32)> = BySkill::default();
        for answer in learner {
            let skill = answer.question.skill;
            let counts = counts.entry(skill, || (0, 0));
            for table in [Some(&mut all), tables.get_mut(skill as usize)] {
                let Some(table) = table else { continue };
                let outcomes = table.entry(*counts).or_default();
                if answer.correct {
                    outcomes.0 += 1.0;
                } else {
                    outcomes.1 += 1.0;
                }
            }
            if answer.correct {
                counts.0 += 1;
            } else {
                counts.1 += 1;
            }
        }
    }
    let of = tables.len() + 1;
    let flat = fit_table(&all, [0.0; 3], POOLED_PRECISION);
    progress(1, of);
    let done = AtomicUsize::new(1);
    let skills = parallel::map(tables.len(), threads, |at| {
        let empty = Table::new();
        let table = tables.get(at).unwrap_or(&empty);
        let fitted = fit_table(table, flat.weights, PRECISION);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, of);
        fitted
    });
    // A new skill may be anywhere that skills are.
    let pooled = fit_table(&Table::new(), flat.weights, PRECISION);
    Pfa { skills, pooled }
}

fn fit_table(table: &Table, mean: [f64; 3], precision: [f64; 3]) -> PfaParams {
    let rows: Vec<Row<3>> = table
        .iter()
        .map(|((successes, failures), (right, wrong))| Row {
            inputs: [
                1.0,
                f64::from(*successes).ln_1p(),
                f64::from(*failures).ln_1p(),
            ],
            right: *right,
            wrong: *wrong,
        })
        .collect();
    let prior = Prior {
        mean,
        precision,
        low: LOW,
        high: HIGH,
    };
    let (weights, covariance) = fit_logistic(&rows, &prior);
    PfaParams {
        weights,
        covariance: covariance.map(|row| row.map(|c| c as f32)),
    }
}

#[cfg(test)]
mod tests;
