//! A decision as data: what was done, on which values, what else was considered, and what it was decided with.
//!
//! In: the choice and what it was made from. Out: a [`Decision`] for the log, and two sentences for a teacher. It is made
//! only when something was decided, and allocates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::checked::{Checked, Cond};
use super::choose::{Choice, Trial, WhyNot};
use super::feature::{Feature, Provenance, View};
use super::precedence::Principal;
use super::table::{Bound, Strategy, Threshold};
use crate::learning::estimate::Interval;

/// One decision, complete: nothing else is needed to understand it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Which decision of this learner, from 0: its id within the learner's log.
    pub number: u64,
    /// When, in seconds of the session's clock.
    pub at: f64,
    /// Scored attempts until then.
    pub attempts: u64,
    /// What is to be done, most urgent first; empty where nothing was drawn.
    pub chosen: Vec<Chosen>,
    /// Rules that would have spoken, or could not be asked, and why they didn't get their way.
    pub considered: Vec<Considered>,
    /// Everything that was known. What isn't here was absent.
    pub saw: Vec<Saw>,
    /// The randomised comparison that it is part of.
    pub trial: Option<LoggedTrial>,
    /// Name and checksum of the table.
    pub table: String,
    /// Name and version of each model behind the values.
    pub models: Vec<String>,
}

/// One command with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Chosen {
    /// Which rule.
    pub rule: String,
    /// What it belongs to.
    pub strategy: Strategy,
    /// What to do.
    pub action: Action,
    /// Whether it takes back what the rule did before.
    pub fading: bool,
    /// In whose name.
    pub principal: Principal,
    /// The rule's reason in words.
    pub because: String,
    /// The conditions that held, with the values that they held for.
    pub reasons: Vec<Reason>,
    /// Seconds for which its effect counts as active.
    pub expiry: f64,
    /// What was expected of it, where the table looks ahead ([`super::gain`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_gain: Option<f64>,
}

/// One condition and the value that it was asked of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Which feature.
    pub feature: Feature,
    /// Which part of its interval.
    pub bound: Bound,
    /// From where it holds.
    pub enter: Threshold,
    /// Up to where it goes on holding.
    pub leave: f64,
    /// What was seen; `None`: absent.
    pub value: Option<f64>,
    /// The whole interval; `None`: absent.
    pub interval: Option<Interval>,
    /// Observations behind it.
    pub n: u32,
    /// Where it comes from; `None`: absent.
    pub provenance: Option<Provenance>,
}

/// A rule that didn't get its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Considered {
    /// Which rule.
    pub rule: String,
    /// Why not.
    pub why_not: WhyNot<String>,
    /// What was expected of it, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_gain: Option<f64>,
}

/// One value that was known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Saw {
    /// Of what.
    pub feature: Feature,
    /// Middle of its interval.
    pub mean: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Observations behind it.
    pub n: u32,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A randomised comparison, as [`super::effect`] needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedTrial {
    /// The rules that could have been drawn.
    pub arms: Vec<String>,
    /// The one that was; `None`: nothing.
    pub drawn: Option<String>,
    /// Probability of each rule.
    pub propensity: f64,
    /// Probability of nothing.
    pub propensity_of_nothing: f64,
    /// The learner's seed.
    pub seed: u64,
    /// What was drawn, from [0, 1).
    pub uniform: f64,
}

/// The whole decision behind a choice; `None` where nothing was decided.
///
/// `view` must be what the choice was made from; `models` names each model and its version.
#[must_use]
pub fn explain(
    table: &Checked,
    choice: &Choice,
    view: &View,
    models: &[String],
) -> Option<Decision> {
    if !choice.is_decision() {
        return None;
    }
    let id = |rule: usize| {
        table
            .rule(rule)
            .map_or_else(String::new, |it| it.id.clone())
    };
    let expected = |rule: usize| choice.gains.get(rule).copied().flatten();
    let chosen = choice.picks.iter().filter_map(|pick| {
        let rule = table.rule(pick.rule)?;
        let conditions = table.rules.get(pick.rule)?.when.iter();
        let because = if pick.fading {
            format!(
                "the last attempts went well (it was there because {})",
                rule.because
            )
        } else {
            rule.because.clone()
        };
        Some(Chosen {
            rule: rule.id.clone(),
            strategy: rule.strategy,
            action: pick.action,
            fading: pick.fading,
            principal: pick.principal,
            because,
            reasons: conditions.map(|cond| reason(cond, view)).collect(),
            expiry: rule.expiry,
            expected_gain: expected(pick.rule),
        })
    });
    let order = table.order.iter().map(|rule| usize::from(*rule));
    let considered = order.filter_map(|rule| {
        let why = (*choice.why_not.get(rule)?)?;
        Some(Considered {
            rule: id(rule),
            why_not: named(why, &id),
            expected_gain: expected(rule),
        })
    });
    let saw = view.known().map(|(feature, seen)| Saw {
        feature,
        mean: seen.mean,
        lower: seen.lower,
        upper: seen.upper,
        n: seen.n,
        provenance: seen.provenance,
    });
    Some(Decision {
        number: choice.number,
        at: choice.at,
        attempts: view.attempts,
        chosen: chosen.collect(),
        considered: considered.collect(),
        saw: saw.collect(),
        trial: choice.trial.as_ref().map(|trial| logged(trial, &id)),
        table: table.edition(),
        models: models.to_vec(),
    })
}

fn logged(trial: &Trial, id: &impl Fn(usize) -> String) -> LoggedTrial {
    LoggedTrial {
        arms: trial.arms.iter().map(|arm| id(*arm)).collect(),
        drawn: trial.drawn.map(id),
        propensity: trial.propensity,
        propensity_of_nothing: trial.propensity_of_nothing,
        seed: trial.draw.seed,
        uniform: trial.draw.uniform,
    }
}

fn reason(cond: &Cond, view: &View) -> Reason {
    let seen = view.get(cond.feature);
    Reason {
        feature: cond.feature,
        bound: cond.bound,
        enter: if cond.above {
            Threshold::Above(cond.enter)
        } else {
            Threshold::Below(cond.enter)
        },
        leave: cond.leave,
        value: seen.map(|seen| match cond.bound {
            Bound::Lower => seen.lower,
            Bound::Mean => seen.mean,
            Bound::Upper => seen.upper,
        }),
        interval: seen.map(|seen| Interval {
            low: seen.lower,
            high: seen.upper,
        }),
        n: seen.map_or(0, |seen| seen.n),
        provenance: seen.map(|seen| seen.provenance),
    }
}

/// The same with the other rule's id.
fn named(why: WhyNot<u8>, id: &impl Fn(usize) -> String) -> WhyNot<String> {
    match why {
        WhyNot::StillActive(rule) => WhyNot::StillActive(id(usize::from(rule))),
        WhyNot::ConflictsWith(rule) => WhyNot::ConflictsWith(id(usize::from(rule))),
        WhyNot::Absent(feature) => WhyNot::Absent(feature),
        WhyNot::Blocked(feature) => WhyNot::Blocked(feature),
        WhyNot::LeftAlone => WhyNot::LeftAlone,
        WhyNot::Outranked(by) => WhyNot::Outranked(by),
        WhyNot::CoolingDown(left) => WhyNot::CoolingDown(left),
        WhyNot::Settling(left) => WhyNot::Settling(left),
        WhyNot::BudgetSpent => WhyNot::BudgetSpent,
        WhyNot::TooManyLately => WhyNot::TooManyLately,
        WhyNot::MessageFull => WhyNot::MessageFull,
        WhyNot::OneAtATime => WhyNot::OneAtATime,
        WhyNot::NothingLeft => WhyNot::NothingLeft,
        WhyNot::NotDrawn => WhyNot::NotDrawn,
        WhyNot::HeldOut => WhyNot::HeldOut,
        WhyNot::SafetyFirst => WhyNot::SafetyFirst,
        WhyNot::LittleToGain(gain) => WhyNot::LittleToGain(gain),
    }
}
