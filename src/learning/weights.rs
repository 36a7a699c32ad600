//! How much each of the four models weighs in the transition index, per learning event and situation.
//!
//! In: the learning event and what is observed. Out: four weights, never negative, sum 1, and the rules that fired.
//! The base table and the rules' numbers are the sources': nobody has
//! published evidence for these figures. They are data here, bounded so that no combination of rules can turn a
//! weight negative (in the original, good assessment could lower the index).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::LearningEvent;
use super::few::Few;

/// Farthest a rule may move a weight from its base value (a choice of ours, not measured).
pub const MAX_SHIFT: f64 = 0.15;
/// No model ever weighs less than this, or it would be ignored altogether (a choice of ours, not measured).
pub const MIN_WEIGHT: f64 = 0.05;
/// No model ever weighs more than this, or it would decide alone (a choice of ours, not measured).
pub const MAX_WEIGHT: f64 = 0.55;

/// Weights of the learner, knowledge, engagement and assessment model: each in [0, 1], together 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "[f64; 4]", into = "[f64; 4]")]
#[schemars(with = "[f64; 4]")]
pub struct Weights([f64; 4]);

/// Four numbers that are no weights.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0:?} are no weights: each must lie in [0, 1] and together they must make 1")]
pub struct NotWeights(pub [f64; 4]);

impl TryFrom<[f64; 4]> for Weights {
    type Error = NotWeights;

    fn try_from(w: [f64; 4]) -> Result<Self, NotWeights> {
        let each = w.iter().all(|w| (0.0..=1.0).contains(w));
        let sum: f64 = w.iter().sum();
        if each && (sum - 1.0).abs() < 1e-9 {
            Ok(Self(w))
        } else {
            Err(NotWeights(w))
        }
    }
}

impl From<Weights> for [f64; 4] {
    fn from(weights: Weights) -> Self {
        weights.0
    }
}

impl Weights {
    /// The sources' base row of a learning event.
    #[must_use]
    pub const fn base(event: LearningEvent) -> Self {
        Self(match event {
            LearningEvent::Onboarding => [0.40, 0.22, 0.28, 0.10],
            LearningEvent::Introduction => [0.32, 0.28, 0.22, 0.18],
            LearningEvent::Practice => [0.27, 0.32, 0.18, 0.23],
            LearningEvent::Application => [0.25, 0.27, 0.16, 0.32],
            LearningEvent::Mastery => [0.22, 0.23, 0.15, 0.40],
        })
    }

    /// Lowest and highest legal value of each weight in a learning event: base ± [`MAX_SHIFT`], within
    /// [[`MIN_WEIGHT`], [`MAX_WEIGHT`]]. The base row itself always lies inside, so the simplex is never empty.
    #[must_use]
    pub fn bounds(event: LearningEvent) -> [(f64, f64); 4] {
        Self::base(event).0.map(|base| {
            (
                (base - MAX_SHIFT).max(MIN_WEIGHT),
                (base + MAX_SHIFT).min(MAX_WEIGHT),
            )
        })
    }

    /// Weight of the learner model.
    #[must_use]
    pub const fn learner(&self) -> f64 {
        self.0[0]
    }

    /// Weight of the knowledge model.
    #[must_use]
    pub const fn knowledge(&self) -> f64 {
        self.0[1]
    }

    /// Weight of the engagement model.
    #[must_use]
    pub const fn engagement(&self) -> f64 {
        self.0[2]
    }

    /// Weight of the assessment model.
    #[must_use]
    pub const fn assessment(&self) -> f64 {
        self.0[3]
    }

    /// The nearest legal weights of a learning event to any four numbers; a number that is none (NaN, infinite)
    /// counts as its base value.
    #[must_use]
    pub fn nearest(event: LearningEvent, wanted: [f64; 4]) -> Self {
        let base = Self::base(event).0;
        let mut wanted = wanted;
        for (value, base) in wanted.iter_mut().zip(base) {
            // Beyond ±4 the answer no longer changes, but the arithmetic would lose the digits of the others.
            *value = if value.is_finite() {
                value.clamp(-4.0, 4.0)
            } else {
                base
            };
        }
        Self(project(wanted, Self::bounds(event)))
    }
}

/// Euclidean projection of `wanted` on {w : Σw = 1, low ≤ w ≤ high}; the set must not be empty.
///
/// By the optimality conditions wᵢ = clamp(vᵢ − τ, lowᵢ, highᵢ) for one τ (Held, Wolfe & Crowder 1974, Validation of
/// subgradient optimization; with bounds: Pardalos & Kovoor 1990). The sum falls with τ and is straight between
/// the eight points where a coordinate meets a bound, so τ is found exactly, without iterating to a tolerance.
fn project(wanted: [f64; 4], bounds: [(f64, f64); 4]) -> [f64; 4] {
    let at = |tau: f64| {
        let mut w = [0.0; 4];
        for ((w, v), (low, high)) in w.iter_mut().zip(wanted).zip(bounds) {
            *w = (v - tau).max(low).min(high);
        }
        w
    };
    let sum = |w: [f64; 4]| w.iter().sum::<f64>();
    let untouched = at(0.0);
    if (sum(untouched) - 1.0).abs() < 1e-15 {
        // τ = 0: most rules take as much as they give and stay within the bounds.
        return untouched;
    }
    let mut knots = [0.0; 8];
    for (pair, (v, (low, high))) in knots
        .chunks_exact_mut(2)
        .zip(wanted.into_iter().zip(bounds))
    {
        pair.copy_from_slice(&[v - high, v - low]);
    }
    knots.sort_unstable_by(f64::total_cmp);
    // The last knot whose sum is still at least 1, and the first whose sum is at most 1.
    let mut left = knots[0];
    let mut right = knots[7];
    for knot in knots {
        if sum(at(knot)) >= 1.0 {
            left = knot;
        } else {
            right = knot;
            break;
        }
    }
    let (sum_left, sum_right) = (sum(at(left)), sum(at(right)));
    let drop = sum_left - sum_right;
    let tau = if drop > 0.0 {
        left + (right - left) * ((sum_left - 1.0) / drop)
    } else {
        left
    };
    at(tau)
}

/// What the rules look at. `None` and anything that is no number: not observed, and no rule fires on it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// Share of recent attempts that succeeded, in [0, 1].
    pub success: Option<f64>,
    /// Engagement against the learner's own baseline, in [0, 1]; 0.5 is as usual.
    pub engagement_trend: Option<f64>,
    /// Share of the step's prerequisites that are not mastered, in [0, 1].
    pub prerequisite_gaps: Option<f64>,
    /// Strain as the learner reports it, in [0, 1]. Never inferred as an emotion from sensors.
    pub stress: Option<f64>,
    /// Share of the last attempts done without hint, pause or error, in [0, 1].
    pub flow: Option<f64>,
    /// Share of the last actions that undid or repeated the one before, or asked what to do, in [0, 1].
    pub confusion: Option<f64>,
}

/// The rules' names, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleName {
    /// Few attempts succeed: who the learner is counts more, what they score less.
    Struggling,
    /// Most attempts succeed: scores can be trusted more.
    HighPerformer,
    /// Engagement is below the learner's own: it counts more.
    LowEngagement,
    /// Prerequisites are missing: knowledge counts more.
    PrerequisiteGaps,
    /// The learner reports strain: scores count less.
    Stress,
    /// Everything goes by itself: scores can be read without disturbing. This changes an index, it never adds a test.
    Flow,
    /// Actions are undone or repeated: knowledge counts more.
    Confusion,
}

/// When a rule fires.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The observed value is lower than this.
    Below(f64),
    /// The observed value is higher than this.
    Above(f64),
}

/// One rule: what it looks at follows from its name; when it fires and what it adds are data.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which rule.
    pub name: RuleName,
    /// When it fires.
    pub trigger: Trigger,
    /// What it adds to learner, knowledge, engagement and assessment; the sources' rows sum to 0.
    pub shift: [f64; 4],
    /// Factor on `shift`: 1 for the performance layer, 0.7 for the sources' micro layer.
    pub scale: f64,
    /// Not with this rule at once.
    #[serde(default)]
    pub unless: Option<RuleName>,
}

/// The rules, in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Rules(pub Few<Rule, 12>);

impl Default for Rules {
    /// The sources' seven rules. Every number here is theirs and arbitrary.
    fn default() -> Self {
        use RuleName::{
            Confusion, Flow, HighPerformer, LowEngagement, PrerequisiteGaps, Stress, Struggling,
        };
        use Trigger::{Above, Below};
        let micro = 0.7;
        let rows = [
            (Struggling, Below(0.60), [0.10, -0.05, 0.0, -0.05], 1.0),
            (HighPerformer, Above(0.85), [-0.05, 0.0, -0.03, 0.08], 1.0),
            (LowEngagement, Below(0.5), [0.0, -0.07, 0.12, -0.05], 1.0),
            (PrerequisiteGaps, Above(0.3), [-0.05, 0.10, -0.05, 0.0], 1.0),
            (Stress, Above(0.7), [0.15, -0.05, 0.0, -0.10], micro),
            (Flow, Above(0.8), [-0.10, 0.0, -0.05, 0.15], micro),
            (Confusion, Above(0.6), [0.0, 0.12, -0.04, -0.08], micro),
        ];
        let mut rules = Few::default();
        for (name, trigger, shift, scale) in rows {
            rules.push(Rule {
                name,
                trigger,
                shift,
                scale,
                unless: (name == Flow).then_some(Stress),
            });
        }
        Self(rules)
    }
}

/// A rule that fired, and why.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fired {
    /// Which rule.
    pub rule: RuleName,
    /// What was observed.
    pub observed: f64,
    /// What it was compared with.
    pub trigger: Trigger,
}

/// Weights for a situation, and the rules that made them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjusted {
    /// The weights in force.
    pub weights: Weights,
    /// The rules that fired, in order.
    pub fired: Few<Fired, 12>,
}

/// Weights of a learning event in a situation: the base row, moved by each rule that fires, and projected after each.
///
/// Always starts from the base row, so that the answer depends on the situation alone and not on what came before.
#[must_use]
pub fn adjust(event: LearningEvent, rules: &Rules, conditions: &Conditions) -> Adjusted {
    let mut adjusted = Adjusted {
        weights: Weights::base(event),
        fired: Few::default(),
    };
    for rule in rules.0.iter() {
        let Some(observed) = observed(rule.name, conditions) else {
            continue;
        };
        let excluded = |other| adjusted.fired.iter().any(|fired| fired.rule == other);
        if !fires(rule.trigger, observed) || rule.unless.is_some_and(excluded) {
            continue;
        }
        adjusted.weights = apply(event, adjusted.weights, rule);
        adjusted.fired.push(Fired {
            rule: rule.name,
            observed,
            trigger: rule.trigger,
        });
    }
    adjusted
}

/// One rule's shift, and back to legal weights.
#[must_use]
pub fn apply(event: LearningEvent, weights: Weights, rule: &Rule) -> Weights {
    let mut wanted = weights.0;
    for (weight, shift) in wanted.iter_mut().zip(rule.shift) {
        *weight += rule.scale * shift;
    }
    Weights::nearest(event, wanted)
}

fn observed(name: RuleName, conditions: &Conditions) -> Option<f64> {
    let value = match name {
        RuleName::Struggling | RuleName::HighPerformer => conditions.success,
        RuleName::LowEngagement => conditions.engagement_trend,
        RuleName::PrerequisiteGaps => conditions.prerequisite_gaps,
        RuleName::Stress => conditions.stress,
        RuleName::Flow => conditions.flow,
        RuleName::Confusion => conditions.confusion,
    };
    value.filter(|value| value.is_finite())
}

fn fires(trigger: Trigger, observed: f64) -> bool {
    match trigger {
        Trigger::Below(limit) => observed < limit,
        Trigger::Above(limit) => observed > limit,
    }
}

#[cfg(test)]
#[path = "weights_tests.rs"]
mod tests;
