//! What the chart looks at, what it says, and what follows from a look alone, whatever was before: a break, what is surely
//! missing, what was attained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::learning::event::{Activity, Attained, BreakCause, LearningEvent, Place};
use crate::learning::event_criteria::{
    Basis, Criteria, Criterion, Guard, GuardReport, Requirement, Standing,
};
use crate::learning::event_rules::ChartRules;
use crate::learning::few::Few;

/// What the chart looks at.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Situation {
    /// Estimates. For going back, those of the previous event count too.
    pub criteria: Criteria,
    /// Scored attempts since the learner began, over all events; only grows.
    pub attempts: u32,
    /// The headset is calibrated and the accessibility check is done.
    pub ready: bool,
    /// The learner wants a break, or has not ended the one they wanted.
    pub break_wanted: bool,
    /// The learner goes on although the comfort guard says no. Nobody else may set this.
    pub comfort_put_aside: bool,
    /// Something earlier is due for review.
    pub review_due: bool,
}

/// What the chart decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The next event begins.
    Advance(LearningEvent),
    /// The learner is through.
    Complete(Attained),
    /// All goes on as it is.
    Continue,
    /// Something that the event needs is surely missing.
    Remediate,
    /// Back by one event.
    Demote(LearningEvent),
    /// Rest.
    Rest(BreakCause),
}

/// What the instructor should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The event takes longer than its cap.
    TimeCap,
    /// Remediation is due again and there is no earlier event to go back to.
    Stuck,
}

/// Why remediation is due: a criterion whose upper bound lies below `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lacking {
    /// Which criterion.
    pub criterion: Criterion,
    /// Of which event: the present one, or the one before, whose ground is lost.
    pub event: LearningEvent,
    /// Upper end of its interval.
    pub upper: f64,
    /// What it lies below.
    pub limit: f64,
}

/// A decision with its reasons.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// What was decided.
    pub decision: Decision,
    /// Where the learner stands now.
    pub place: Place,
    /// Every guard of going on.
    pub guards: Few<GuardReport, 12>,
    /// Probability that all guards of going on are truly met, in [0, 1]. The product of each one's: exact if they were
    /// independent, too low if they go together, as successes do (Esary, Proschan & Walkup 1967).
    pub confidence: f64,
    /// Why remediation is due, if it is.
    pub lacking: Few<Lacking, 16>,
    /// What the instructor should know; said once per stay in an event.
    pub notice: Option<Notice>,
}

/// Whether there is a break, and why. It ends when the learner wants it to; one for comfort when comfort is back above
/// its threshold by the hysteresis, or the learner puts it aside. No report is no recovery.
pub(super) fn rest(
    activity: Activity,
    rules: &ChartRules,
    situation: &Situation,
) -> Option<BreakCause> {
    if situation.break_wanted {
        return Some(BreakCause::Learner);
    }
    if situation.comfort_put_aside {
        return None;
    }
    let comfort = situation.criteria.get(Criterion::Comfort).map(|e| e.mean);
    let resting = activity == Activity::Break(BreakCause::Comfort);
    let unwell = if resting {
        !comfort.is_some_and(|comfort| comfort >= rules.comfort_break + rules.hysteresis)
    } else {
        comfort.is_some_and(|comfort| comfort <= rules.comfort_break)
    };
    unwell.then_some(BreakCause::Comfort)
}

/// What is surely missing: of the present event what lies below `remediate_below`, of the one before what has fallen
/// below its threshold by more than the hysteresis.
pub(super) fn lacking(
    event: LearningEvent,
    rules: &ChartRules,
    criteria: &Criteria,
) -> Few<Lacking, 16> {
    let mut lacking = Few::default();
    let mut look = |event: LearningEvent, limit: &dyn Fn(&Requirement) -> f64| {
        for requirement in rules.stage(event).requirements.iter() {
            let Some(estimate) = criteria.get(requirement.criterion) else {
                continue;
            };
            let counts = requirement.basis == Basis::Required
                && requirement.criterion.is_performance()
                && estimate.n >= rules.least_attempts;
            let limit = limit(requirement);
            if counts && estimate.upper < limit {
                lacking.push(Lacking {
                    criterion: requirement.criterion,
                    event,
                    upper: estimate.upper,
                    limit,
                });
            }
        }
    };
    look(event, &|requirement| {
        rules.remediate_below.min(requirement.needed)
    });
    if let Some(previous) = event.previous() {
        look(previous, &|requirement| {
            requirement.needed - rules.hysteresis.max(0.0)
        });
    }
    lacking
}

/// Full mastery needs every criterion that only an instructor can score.
pub(super) fn attained(guards: &Few<GuardReport, 12>) -> Attained {
    let assessed = guards.iter().all(|report| match report.guard {
        Guard::Criterion(criterion) => !criterion.by_rubric() || report.standing == Standing::Held,
        _ => true,
    });
    if assessed {
        Attained::FullMastery
    } else {
        Attained::PerformanceMastery
    }
}
