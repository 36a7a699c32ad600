//! What the five models are told before they see anybody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::learning::ability::AbilityParams;
use crate::learning::bkt::BktParams;
use crate::learning::engagement::EngagementParams;
use crate::learning::equation;
use crate::learning::estimate::RateParams;
use crate::learning::event_rules::ChartRules;
use crate::learning::habits::HabitParams;
use crate::learning::load::LoadParams;
use crate::learning::retention::RetentionParams;
use crate::learning::weights::Rules;

/// What is known of a skill before a learner tries it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SkillParams {
    /// How it is learnt, slipped in and guessed.
    pub bkt: BktParams,
    /// How hard its tasks usually are, in logit; of an attempt whose task has a difficulty of its own, that one counts.
    pub difficulty: f64,
}

/// Parameters of the five models and of what is decided on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// By the skill's number; a skill beyond the list has the defaults.
    pub skills: Vec<SkillParams>,
    /// Of ability.
    pub ability: AbilityParams,
    /// Share of the prior variance of ability that all skills of a learner have in common, in [0, 1): 0 treats every skill
    /// as if of another learner. 0.57: the variances of learner, 1/1.5, and of learner in skill, 1/2, that a fit to
    /// ASSISTments 2009 settled on ([`crate::learning::tracer`]).
    pub shared_ability: f64,
    /// Lowest and highest P(known) that anybody might begin with: the interval of P(known) is what the answers make of
    /// these two beginnings. Ours, arbitrary: one in twenty either way.
    pub prior_ends: [f64; 2],
    /// Of competency, growth and transfer.
    pub rates: RateParams,
    /// Of the criteria of a learning event. They remember longer than competency and lean less on their beginning: a
    /// lower bound of 0.9 at 95 % takes some forty flawless attempts even so.
    pub criteria: RateParams,
    /// Days after which half the evidence of competency is left. Ours, arbitrary: a month.
    pub evidence_half_life: f64,
    /// Attempts before anything is said about recent ones, at most [`super::recent::REMEMBERED`].
    pub least_recent: u32,
    /// Seconds for which a noticed drop of engagement counts. Ours, arbitrary: a minute.
    pub drop_lasts: f64,
    /// Of habits.
    pub habits: HabitParams,
    /// Of engagement.
    pub engagement: EngagementParams,
    /// Of memory.
    pub retention: RetentionParams,
    /// Of the transition equation.
    pub equation: equation::Params,
    /// Of the weights.
    pub weights: Rules,
    /// Of the learning events.
    pub chart: ChartRules,
    /// Of load.
    pub load: LoadParams,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            skills: Vec::new(),
            ability: AbilityParams::default(),
            shared_ability: 0.57,
            prior_ends: [0.05, 0.95],
            rates: RateParams::default(),
            criteria: RateParams {
                prior_weight: 0.5,
                memory: 100.0,
                ..RateParams::default()
            },
            evidence_half_life: 30.0,
            least_recent: 5,
            drop_lasts: 60.0,
            habits: HabitParams::default(),
            engagement: EngagementParams::default(),
            retention: RetentionParams::default(),
            equation: equation::Params::default(),
            weights: Rules::default(),
            chart: ChartRules::default(),
            load: LoadParams::default(),
        }
    }
}

impl Params {
    /// What is known of a skill.
    #[must_use]
    pub fn skill(&self, skill: u32) -> SkillParams {
        let known = self.skills.get(skill as usize);
        known.copied().unwrap_or_default()
    }

    /// The same with the skills in the order of [`super::Five::with_first`].
    #[must_use]
    pub fn with_first(&self, numbers: &[u32]) -> Self {
        let order = super::order(numbers, self.skills.len());
        let skills = order
            .iter()
            .filter_map(|&number| self.skills.get(number).copied());
        Self {
            skills: skills.collect(),
            ..self.clone()
        }
    }

    /// Share of the evidence that is left after so many `days`, in [0, 1].
    pub(in crate::learning) fn share_after(&self, days: f64) -> f64 {
        if self.evidence_half_life > 0.0 && days > 0.0 {
            (-days / self.evidence_half_life).exp2()
        } else {
            1.0
        }
    }
}
