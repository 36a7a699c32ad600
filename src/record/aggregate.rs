//! Figures over a class that tell nothing about any one learner: at least five learners, noise of a stated size, and a
//! budget per learner that ends.
//! In: one value per learner, a budget ledger, random bits. Out: a figure with its interval, or a refusal.
//!
//! Differential privacy is that of Dwork & Roth, "The Algorithmic Foundations of Differential Privacy" (2014), def. 2.4,
//! where neighbours differ in one learner's value ('bounded', Kifer & Machanavajjhala 2011): who is in the class is
//! known to whoever teaches it, what a learner did is not. Answers about the same learner add up (their theorem 3.16).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::noise::{Bits, discrete_laplace, half_width_95};
use crate::protocol::ids::LearnerId;

/// Values are counted in this many steps between the bounds. Arbitrary: fine enough for a percentage, coarse enough
/// that sums over any class stay small whole numbers.
const STEPS: u64 = 1000;

/// Privacy loss in millionths of ε, so that a budget is added up without rounding.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct MicroEpsilon(pub u64);

impl MicroEpsilon {
    /// ε as a number, rounded up to the next millionth; NaN and what is not positive become 0, which buys nothing.
    #[must_use]
    pub fn of(epsilon: f64) -> Self {
        // A cast from a float keeps to the range of the whole number.
        Self((epsilon.max(0.0) * 1e6).ceil() as u64)
    }

    /// ε.
    #[must_use]
    pub fn epsilon(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// What protects a class's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AggregatePolicy {
    /// Fewest learners behind a figure. 5 is the figure this project's sources give; the United States Department of
    /// Education's PTAC names 10 for public reports.
    pub fewest: usize,
    /// What all answers about one learner may cost together. 3: between what is usual for one release (1) and what is
    /// called weak (10); arbitrary, for want of an agreed value.
    pub budget: MicroEpsilon,
}

impl Default for AggregatePolicy {
    fn default() -> Self {
        Self {
            fewest: 5,
            budget: MicroEpsilon(3_000_000),
        }
    }
}

/// What has been spent on each learner. It has to be kept with the records: whoever forgets it starts anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    spent: BTreeMap<LearnerId, MicroEpsilon>,
}

impl Ledger {
    /// What has been spent on this learner.
    #[must_use]
    pub fn spent(&self, learner: LearnerId) -> MicroEpsilon {
        self.spent.get(&learner).copied().unwrap_or_default()
    }

    /// Forgets an erased learner.
    pub fn forget(&mut self, learner: LearnerId) {
        self.spent.remove(&learner);
    }

    /// Forgets every learner who was erased; false: none of them was here.
    pub fn forget_whoever(&mut self, erased: impl Fn(LearnerId) -> bool) -> bool {
        let before = self.spent.len();
        self.spent.retain(|learner, _| !erased(*learner));
        self.spent.len() < before
    }
}

/// What is asked of a class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// The mean of the values, each cut to these bounds. The bounds must not come from the data.
    Mean {
        /// Lower bound.
        low: f64,
        /// Upper bound, above `low`.
        high: f64,
    },
    /// How many have at least this value.
    AtLeast {
        /// The value.
        value: f64,
    },
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The figure, with noise; cut to what is possible.
    pub value: f64,
    /// Learners behind it.
    pub learners: usize,
    /// Half-width in which the noise lies with a probability of at least 95 %; chance in who was asked is not in it.
    pub noise_95: f64,
    /// What it cost each learner.
    pub cost: MicroEpsilon,
}

/// Why a class's figure is not given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AggregateRefusal {
    /// Too few.
    #[error("{learners} learners are too few; a figure needs at least {fewest}")]
    TooFew {
        /// How many.
        learners: usize,
        /// How many it takes.
        fewest: usize,
    },
    /// The rest of the class would show by difference.
    #[error(
        "all but {rest} of the class: the rest would show by difference; ask for the whole class"
    )]
    ByDifference {
        /// How many are left out.
        rest: usize,
    },
    /// A learner is in it twice.
    #[error("a learner is counted twice; give one value for each")]
    Twice,
    /// The question makes no sense.
    #[error("{0}")]
    BadQuestion(&'static str),
    /// The noise could not be drawn.
    #[error("the source of random numbers is broken; nothing is published without noise")]
    NoNoise,
    /// Somebody's budget is spent.
    #[error(
        "it would cost each learner {} of ε and {short_of} of them have less left; ask less, or with a smaller ε",
        cost.epsilon()
    )]
    Spent {
        /// What was asked.
        cost: MicroEpsilon,
        /// How many have not that much left.
        short_of: usize,
    },
}

/// Answers a question about `values`, one per learner, of a class of `class_size` learners, at `cost` to each of them.
/// Values that are no numbers count as the lowest. The ledger is charged before anything is drawn.
///
/// # Errors
/// [`AggregateRefusal`]; nothing was then charged, but for [`AggregateRefusal::NoNoise`].
pub fn answer(
    asks: Asks,
    values: &[(LearnerId, f64)],
    class_size: usize,
    cost: MicroEpsilon,
    policy: &AggregatePolicy,
    ledger: &mut Ledger,
    bits: Bits,
) -> Result<Answer, AggregateRefusal> {
    let learners = values.len();
    let distinct: BTreeSet<LearnerId> = values.iter().map(|(learner, _)| *learner).collect();
    if distinct.len() != learners {
        return Err(AggregateRefusal::Twice);
    }
    if learners < policy.fewest.max(1) {
        return Err(AggregateRefusal::TooFew {
            learners,
            fewest: policy.fewest.max(1),
        });
    }
    let rest = class_size.saturating_sub(learners);
    if (1..policy.fewest).contains(&rest) {
        return Err(AggregateRefusal::ByDifference { rest });
    }
    if cost.0 == 0 {
        return Err(AggregateRefusal::BadQuestion(
            "an answer has to cost something; give an ε above 0",
        ));
    }
    if let Asks::Mean { low, high } = asks
        && !(low.is_finite() && high.is_finite() && low < high)
    {
        return Err(AggregateRefusal::BadQuestion(
            "bounds have to be numbers, the lower one first",
        ));
    }
    charge(&distinct, cost, policy.budget, ledger)?;
    // The noise has scale sensitivity/ε in steps: exp(−|x|·cost/(sensitivity·10⁶)).
    Ok(match asks {
        Asks::Mean { low, high } => {
            let width = high - low;
            let sum: i64 = values
                .iter()
                .map(|(_, value)| {
                    let part = ((value - low) / width).clamp(0.0, 1.0);
                    // NaN becomes 0 by the cast.
                    (part * STEPS as f64).round() as i64
                })
                .sum();
            // One learner moves the sum by at most STEPS.
            let scale = STEPS * 1_000_000;
            let noise = discrete_laplace(scale, cost.0, bits).ok_or(AggregateRefusal::NoNoise)?;
            let noisy = sum.saturating_add(noise);
            let per_step = width / (STEPS as f64 * learners as f64);
            Answer {
                value: (low + noisy as f64 * per_step).clamp(low, high),
                learners,
                noise_95: half_width_95(scale, cost.0) as f64 * per_step,
                cost,
            }
        }
        Asks::AtLeast { value: least } => {
            let count = values.iter().filter(|(_, value)| *value >= least).count();
            // One learner moves the count by at most one.
            let noise =
                discrete_laplace(1_000_000, cost.0, bits).ok_or(AggregateRefusal::NoNoise)?;
            let noisy = i64::try_from(count)
                .unwrap_or(i64::MAX)
                .saturating_add(noise);
            Answer {
                value: (noisy as f64).clamp(0.0, learners as f64),
                learners,
                noise_95: half_width_95(1_000_000, cost.0) as f64,
                cost,
            }
        }
    })
}

fn charge(
    learners: &BTreeSet<LearnerId>,
    cost: MicroEpsilon,
    budget: MicroEpsilon,
    ledger: &mut Ledger,
) -> Result<(), AggregateRefusal> {
    let after = |ledger: &Ledger, learner| ledger.spent(learner).0.saturating_add(cost.0);
    let short_of = learners
        .iter()
        .filter(|learner| after(ledger, **learner) > budget.0)
        .count();
    if short_of > 0 {
        return Err(AggregateRefusal::Spent { cost, short_of });
    }
    for learner in learners {
        let spent = MicroEpsilon(after(ledger, *learner));
        ledger.spent.insert(*learner, spent);
    }
    Ok(())
}

#[cfg(test)]
#[path = "aggregate_tests.rs"]
mod tests;
