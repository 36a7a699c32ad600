//! What a rule does: its effect estimated from logged decisions and what came of them, never from how often it spoke.
//!
//! In: for every trial, what could have been drawn with which probability, what was drawn, and the outcome. Out: the
//! difference that the rule makes against doing nothing, with its interval; or why nothing can be said.
//!
//! Estimators: Horvitz & Thompson (1952), each outcome weighted by 1/propensity; and Hájek (1971), the same divided by
//! the sum of the weights, which is steadier and is the one to read. Variance of the first: of the learners' totals; of
//! the second: by linearisation (Särndal, Swensson & Wretman 1992, §5.5), both over learners and not over trials, since
//! trials of one learner are alike (Liang & Zeger 1986). Intervals by Student's t with learners − 1 degrees of freedom.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::explain::LoggedTrial;
use crate::learning::estimate::{Interval, Z_95};

/// What an effect must rest on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EffectRules {
    /// Least trials in either arm. Ours, arbitrary: below, the normal approximation of a mean is poor.
    pub least_per_arm: u32,
    /// Least learners. Ours, arbitrary: a variance over fewer is hardly one.
    pub least_learners: u32,
    /// Least propensity of either arm: weights stay below its inverse. Ours, arbitrary.
    pub least_propensity: f64,
}

impl Default for EffectRules {
    fn default() -> Self {
        Self {
            least_per_arm: 20,
            least_learners: 10,
            least_propensity: 0.02,
        }
    }
}

/// What came of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outcome {
    /// Whether the next attempt was right, 0..1; `None`: there was none.
    pub success: Option<f64>,
    /// Seconds that it took.
    pub seconds: Option<f64>,
}

/// A logged trial with what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Which learner, by any number that tells them apart.
    pub learner: u64,
    /// What could have been drawn and what was.
    pub trial: &'a LoggedTrial,
    /// What came of it.
    pub outcome: Outcome,
}

/// One arm's weight in one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Which learner.
    pub learner: u64,
    /// Whether the rule spoke (`Some(true)`), nothing was done (`Some(false)`), or something else.
    pub treated: Option<bool>,
    /// Probability that the rule spoke.
    pub propensity: f64,
    /// Probability that nothing was done.
    pub propensity_of_nothing: f64,
    /// The outcome, on any scale.
    pub value: f64,
}

/// A difference with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// With the rule minus without.
    pub estimate: f64,
    /// 95 %.
    pub interval: Interval,
}

/// What a rule does to one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// By inverse propensity, self-normalised (Hájek): the one to read.
    pub hajek: Difference,
    /// By inverse propensity (Horvitz–Thompson).
    pub horvitz_thompson: Difference,
    /// Trials in which the rule spoke.
    pub treated: u32,
    /// Trials in which nothing was done.
    pub untreated: u32,
    /// Learners.
    pub learners: u32,
    /// How many equally weighted trials the weighted ones are worth (Kish 1965), in the smaller arm.
    pub effective: f64,
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoEffect {
    /// The rule was never drawn against nothing with both possible.
    #[error(
        "the rule was never compared with nothing: both must be possible with at least {least} each; let it take part in \
         the table's experiment, where consent to that is recorded"
    )]
    NoOverlap {
        /// Least propensity.
        least: f64,
    },
    /// Too few trials or learners.
    #[error(
        "{treated} trials with and {untreated} without the rule, of {learners} learners, are too few; {per_arm} each of at \
         least {needed} learners are needed"
    )]
    TooFew {
        /// With the rule.
        treated: u32,
        /// Without.
        untreated: u32,
        /// Learners.
        learners: u32,
        /// Trials needed in either.
        per_arm: u32,
        /// Learners needed.
        needed: u32,
    },
}

/// The report on one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleReport {
    /// Which rule.
    pub rule: String,
    /// Change of the probability of success in the next attempt.
    pub success: Result<Effect, NoEffect>,
    /// Change of the seconds it takes.
    pub seconds: Result<Effect, NoEffect>,
}

/// The effect of every rule that was ever compared, by id.
#[must_use]
pub fn report(observed: &[Observed], p: &EffectRules) -> Vec<RuleReport> {
    let mut rules: BTreeMap<&str, ()> = BTreeMap::new();
    for it in observed {
        rules.extend(it.trial.arms.iter().map(|arm| (arm.as_str(), ())));
    }
    let of = |rule: &str, value: fn(&Outcome) -> Option<f64>| {
        let samples: Vec<Sample> = observed
            .iter()
            .filter(|it| it.trial.arms.iter().any(|arm| arm == rule))
            .filter_map(|it| sample(it, rule, value(&it.outcome)?))
            .collect();
        estimate(&samples, p)
    };
    rules
        .into_keys()
        .map(|rule| RuleReport {
            rule: rule.to_owned(),
            success: of(rule, |outcome| outcome.success),
            seconds: of(rule, |outcome| outcome.seconds),
        })
        .collect()
}

fn sample(it: &Observed, rule: &str, value: f64) -> Option<Sample> {
    let treated = match it.trial.drawn.as_deref() {
        None => Some(false),
        Some(drawn) => (drawn == rule).then_some(true),
    };
    value.is_finite().then_some(Sample {
        learner: it.learner,
        treated,
        propensity: it.trial.propensity,
        propensity_of_nothing: it.trial.propensity_of_nothing,
        value,
    })
}

/// Effect of a rule against doing nothing. Trials in which either was impossible are left out.
///
/// # Errors
/// Why nothing can be said: no overlap, or too few trials or learners.
pub fn estimate(samples: &[Sample], p: &EffectRules) -> Result<Effect, NoEffect> {
    let possible = p.least_propensity..=1.0;
    let samples: Vec<&Sample> = samples
        .iter()
        .filter(|it| {
            let both =
                possible.contains(&it.propensity) && possible.contains(&it.propensity_of_nothing);
            both && it.value.is_finite()
        })
        .collect();
    if samples.is_empty() {
        return Err(NoEffect::NoOverlap {
            least: p.least_propensity,
        });
    }
    let (mut with, mut without) = (Arm::default(), Arm::default());
    let mut learners: BTreeMap<u64, [f64; 3]> = BTreeMap::new();
    for it in &samples {
        learners.entry(it.learner).or_default();
        match it.treated {
            Some(true) => with.add(1.0 / it.propensity, it.value),
            Some(false) => without.add(1.0 / it.propensity_of_nothing, it.value),
            None => {}
        }
    }
    // Numbers of trials and learners fit in 32 bits by far.
    let groups = learners.len() as u32;
    if with.n.min(without.n) < p.least_per_arm.max(2) || groups < p.least_learners.max(2) {
        return Err(NoEffect::TooFew {
            treated: with.n,
            untreated: without.n,
            learners: groups,
            per_arm: p.least_per_arm,
            needed: p.least_learners,
        });
    }
    let n = samples.len() as f64;
    let hajek = with.mean() - without.mean();
    let horvitz_thompson = (with.total - without.total) / n;
    for it in &samples {
        let (z, e) = match it.treated {
            Some(true) => (
                it.value / it.propensity,
                (it.value - with.mean()) / (it.propensity * with.weight),
            ),
            Some(false) => (
                -it.value / it.propensity_of_nothing,
                -(it.value - without.mean()) / (it.propensity_of_nothing * without.weight),
            ),
            None => (0.0, 0.0),
        };
        if let Some([total, linear, trials]) = learners.get_mut(&it.learner) {
            *total += z;
            *linear += e;
            *trials += 1.0;
        }
    }
    let groups_f = f64::from(groups);
    let correction = groups_f / (groups_f - 1.0);
    let (mut total, mut linear) = (0.0, 0.0);
    for [z, e, trials] in learners.values() {
        // A learner's share of the mean against what their number of trials would give.
        total += ((z - trials * horvitz_thompson) / n).powi(2);
        linear += e * e;
    }
    let t = student_95(groups_f - 1.0);
    let around = |estimate: f64, variance: f64| {
        let half = t * variance.max(0.0).sqrt();
        Difference {
            estimate,
            interval: Interval {
                low: estimate - half,
                high: estimate + half,
            },
        }
    };
    Ok(Effect {
        hajek: around(hajek, correction * linear),
        horvitz_thompson: around(horvitz_thompson, correction * total),
        treated: with.n,
        untreated: without.n,
        learners: groups,
        effective: with.effective().min(without.effective()),
    })
}

/// Weighted sums of one arm.
#[derive(Debug, Clone, Copy, Default)]
struct Arm {
    n: u32,
    weight: f64,
    squares: f64,
    total: f64,
}

impl Arm {
    fn add(&mut self, weight: f64, value: f64) {
        self.n += 1;
        self.weight += weight;
        self.squares += weight * weight;
        self.total += weight * value;
    }

    fn mean(&self) -> f64 {
        self.total / self.weight
    }

    fn effective(&self) -> f64 {
        self.weight * self.weight / self.squares
    }
}

/// Two-sided 95 % of Student's t, by the expansion in 1/df (Abramowitz & Stegun 1964, 26.7.5): within 0.3 % from 4 degrees
/// of freedom on.
fn student_95(df: f64) -> f64 {
    let z = Z_95;
    let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
    z + (z3 + z) / (4.0 * df)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * df * df)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * df * df * df)
}
