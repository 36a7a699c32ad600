//! What a learning event asks for before the next one may begin, and how sure we are that it is met.
//!
//! In: an estimate with its interval per criterion. Out: every guard with what was needed, what was seen, and whether
//! it holds. Guards are conjunctive, each on its own lower bound: in the original they were averaged, and somebody
//! could leave onboarding half sick because their hands were quick.
//!
//! The thresholds are the sources': teachers' rules of thumb, not measurements, which
//! a lesson may replace. Only what a VR runtime can observe is required. What no sensor provides (teaching others,
//! innovation) counts where an instructor has scored it and is otherwise reported as not assessed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, Rate, Z_95, bounded};
use super::few::Few;

/// What a learning event can ask for. All are shares in [0, 1]; more is better, but for [`Criterion::Strain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Being well in the headset, from the learner's own reports.
    Comfort,
    /// Strain, from the learner's own reports; less is better. Never inferred from sensors.
    Strain,
    /// Grasping, placing, pressing and letting go succeed.
    Interactions,
    /// What is announced is found by turning and moving.
    Orientation,
    /// Menus and panels are used without error.
    Interface,
    /// Mastery of the concepts that are introduced.
    Concept,
    /// Steps done with help at hand.
    GuidedTasks,
    /// Share of what there is to find that was looked at or tried.
    Exploration,
    /// Questions answered, where the lesson asks some.
    Comprehension,
    /// Right and in good time.
    Fluency,
    /// Right without any hint.
    Independence,
    /// Errors that the learner put right themselves; nobody who makes none is asked for it.
    Recovery,
    /// Path and time against the lesson's reference. A level, not the sources' gain: who begins well cannot gain much.
    Efficiency,
    /// Success at first sight of an unseen variant.
    Transfer,
    /// Success in tasks with a purpose of their own.
    Purpose,
    /// Success in steps that need several skills at once.
    Integration,
    /// Precision of the result beyond the measured tracking noise.
    Quality,
    /// Success in the hardest variants, at the reference pace.
    Expertise,
    /// Connecting it to what is known; scored by the instructor.
    Connections,
    /// New ways; scored by the instructor.
    Creativity,
    /// Suiting the context; scored by the instructor.
    Context,
    /// Making something of it; scored by the instructor.
    Creation,
    /// Teaching others; scored by the instructor.
    Teaching,
    /// Innovation; scored by the instructor.
    Innovation,
}

impl Criterion {
    /// Whether only an instructor's rubric can tell.
    #[must_use]
    pub const fn by_rubric(self) -> bool {
        matches!(
            self,
            Self::Connections
                | Self::Creativity
                | Self::Context
                | Self::Creation
                | Self::Teaching
                | Self::Innovation
        )
    }

    /// Whether it says how the learner does, and not how they feel. Only performance leads to remediation.
    #[must_use]
    pub const fn is_performance(self) -> bool {
        !matches!(self, Self::Comfort | Self::Strain)
    }

    /// How many scored observations make it count, of `attempts` for performance.
    const fn least_n(self, attempts: u32) -> u32 {
        // A learner's own report and an instructor's score count from the first.
        if self.is_performance() && !self.by_rubric() {
            attempts
        } else {
            1
        }
    }
}

/// An estimated share in [0, 1] with both ends of its interval, which need not lie equally far from it. A Gaussian
/// belief, as [`super::estimate::Estimate`] has it, becomes one by [`Bounded::of`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounded {
    /// Middle of the estimate (its median, or its mean where that is what there is), in [`lower`, `upper`].
    pub mean: f64,
    /// Lower end of the 95 % interval, in [0, 1].
    pub lower: f64,
    /// Upper end of the 95 % interval, in [0, 1].
    pub upper: f64,
    /// How many scored observations it rests on.
    pub n: u32,
}

impl Bounded {
    /// Of a Gaussian belief about a share: mean ± 1.96 standard deviations, cut to [0, 1].
    #[must_use]
    pub fn of(estimate: Estimate, n: u32) -> Self {
        let mean = bounded(estimate.mean, 0.0, 1.0, 0.5);
        let interval = estimate.interval(Z_95);
        Self {
            mean,
            lower: interval.low.clamp(0.0, mean),
            upper: interval.high.clamp(mean, 1.0),
            n,
        }
    }

    /// Of an average of outcomes, with its score interval; `None` if nothing was observed. It rests on as many
    /// observations as could be trusted, whole ones.
    #[must_use]
    pub fn of_rate(rate: &Rate) -> Option<Self> {
        let mean = rate.estimate()?.mean;
        let interval = rate.interval(Z_95);
        Some(Self {
            mean,
            lower: interval.low,
            upper: interval.high,
            // Evidence is at least 0; half a millionth makes up for what rounding took from a whole number.
            n: (rate.evidence() + 5e-7) as u32,
        })
    }

    /// The same estimate within [0, 1] and in order; `None` if any of its numbers is none.
    #[must_use]
    pub fn checked(self) -> Option<Self> {
        let finite = self.mean.is_finite() && self.lower.is_finite() && self.upper.is_finite();
        finite.then(|| {
            let mean = self.mean.clamp(0.0, 1.0);
            Self {
                mean,
                lower: self.lower.clamp(0.0, 1.0).min(mean),
                upper: self.upper.clamp(0.0, 1.0).max(mean),
                n: self.n,
            }
        })
    }

    /// Probability that the true share is at least `needed`, in [0, 1].
    ///
    /// By a normal distribution on either side of the middle, whose 2.5 %, 50 % and 97.5 % quantiles are `lower`, `mean`
    /// and `upper` (the two-piece normal of Fechner 1897, see Wallis 2014, with both halves weighing the same).
    #[must_use]
    pub fn probability_at_least(&self, needed: f64) -> f64 {
        let Some(Self {
            mean, lower, upper, ..
        }) = self.checked()
        else {
            return 0.0;
        };
        let side = if needed <= mean {
            mean - lower
        } else {
            upper - mean
        };
        if side > 0.0 {
            normal_cdf(Z_95 * (mean - needed) / side)
        } else if needed <= mean {
            1.0
        } else {
            0.0
        }
    }
}

/// Standard normal distribution function, error below 7.5e-8 (Abramowitz & Stegun 1964, 26.2.17).
pub(super) fn normal_cdf(x: f64) -> f64 {
    if x.is_nan() {
        return 0.0;
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let tail = (density * series).clamp(0.0, 0.5);
    if x >= 0.0 { 1.0 - tail } else { tail }
}

/// A criterion that has been estimated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Which.
    pub criterion: Criterion,
    /// What is known of it.
    pub estimate: Bounded,
}

/// What is known of a learner in the present learning event; a criterion that isn't in the list is not assessed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Criteria(pub Few<Measured, 24>);

impl Criteria {
    /// The estimate of a criterion, made to be in range; `None`: not assessed, or no number.
    #[must_use]
    pub fn get(&self, criterion: Criterion) -> Option<Bounded> {
        let found = self
            .0
            .iter()
            .find(|measured| measured.criterion == criterion);
        found.and_then(|measured| measured.estimate.checked())
    }

    /// These criteria and one more; of two estimates of the same, the first counts.
    #[must_use]
    pub fn with(mut self, criterion: Criterion, estimate: Bounded) -> Self {
        self.0.push(Measured {
            criterion,
            estimate,
        });
        self
    }
}

/// Whether a criterion must have been assessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Nobody goes on without it.
    Required,
    /// It must hold where it was assessed.
    IfAssessed,
}

/// One criterion of a learning event.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// What.
    pub criterion: Criterion,
    /// How much of it at least (of strain: at most), in [0, 1].
    pub needed: f64,
    /// Whether it must have been assessed.
    pub basis: Basis,
}

/// What stands between two learning events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// A criterion of the event.
    Criterion(Criterion),
    /// The headset is calibrated and the accessibility check is done: 0 or 1.
    Ready,
    /// Scored attempts in this event.
    Attempts,
    /// Seconds in this event, breaks left out.
    Dwell,
}

/// How a guard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It holds.
    Held,
    /// It does not hold, or not surely enough.
    Open,
    /// It rests on too few observations.
    TooLittleEvidence,
    /// Nobody has assessed it. Holds nobody up unless it is required.
    NotAssessed,
    /// The learner has put it aside; only the learner can, and only for comfort.
    PutAsideByLearner,
}

/// A guard, and why it stands as it does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardReport {
    /// Which.
    pub guard: Guard,
    /// What is needed.
    pub needed: f64,
    /// What was seen.
    pub observed: Option<f64>,
    /// The bound that must reach `needed`: the lower one, of strain the upper one.
    pub bound: Option<f64>,
    /// How it stands.
    pub standing: Standing,
    /// Whether it holds nobody up.
    pub passes: bool,
    /// Probability that it is truly met, in [0, 1]; `None` where it was not assessed or put aside and need not be.
    pub probability: Option<f64>,
}

impl std::fmt::Display for GuardReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.guard {
            Guard::Criterion(criterion) => write!(f, "{criterion:?}")?,
            other => write!(f, "{other:?}")?,
        }
        match (self.observed, self.bound) {
            (Some(seen), Some(bound)) => write!(f, " {seen:.2} (surely {bound:.2})")?,
            (Some(seen), None) => write!(f, " {seen:.2}")?,
            (None, _) => write!(f, " unknown")?,
        }
        write!(f, " of {:.2}: {:?}", self.needed, self.standing)
    }
}

impl GuardReport {
    /// A guard on something that is simply so: no estimate, no doubt.
    pub(super) fn fact(guard: Guard, needed: f64, observed: f64) -> Self {
        let passes = observed >= needed;
        Self {
            guard,
            needed,
            observed: Some(observed),
            bound: Some(observed),
            standing: if passes {
                Standing::Held
            } else {
                Standing::Open
            },
            passes,
            probability: Some(if passes { 1.0 } else { 0.0 }),
        }
    }

    /// A guard on an estimate. `attempts`: how many scored attempts performance must rest on.
    pub(super) fn criterion(
        requirement: &Requirement,
        criteria: &Criteria,
        attempts: u32,
        comfort_put_aside: bool,
    ) -> Self {
        let Requirement {
            criterion, needed, ..
        } = *requirement;
        let estimate = criteria.get(criterion);
        let less = criterion == Criterion::Strain;
        let bound = estimate.map(|e| if less { e.upper } else { e.lower });
        let enough = estimate.is_some_and(|e| e.n >= criterion.least_n(attempts));
        // NaN as a threshold is never reached.
        let reached = bound.is_some_and(|bound| {
            if less {
                bound <= needed
            } else {
                bound >= needed
            }
        });
        let standing = if criterion == Criterion::Comfort && comfort_put_aside {
            Standing::PutAsideByLearner
        } else if estimate.is_none() {
            Standing::NotAssessed
        } else if !enough {
            Standing::TooLittleEvidence
        } else if reached {
            Standing::Held
        } else {
            Standing::Open
        };
        let optional = requirement.basis == Basis::IfAssessed;
        let passes = match standing {
            Standing::Held | Standing::PutAsideByLearner => true,
            Standing::NotAssessed | Standing::TooLittleEvidence => optional,
            Standing::Open => false,
        };
        let met = estimate.map_or(0.0, |e| {
            let at_least = e.probability_at_least(needed);
            if less { 1.0 - at_least } else { at_least }
        });
        let counts = standing != Standing::PutAsideByLearner
            && (requirement.basis == Basis::Required || enough);
        Self {
            guard: Guard::Criterion(criterion),
            needed,
            observed: estimate.map(|e| e.mean),
            bound,
            standing,
            passes,
            probability: counts.then_some(met),
        }
    }
}

#[cfg(test)]
#[path = "event_criteria_tests.rs"]
mod tests;
