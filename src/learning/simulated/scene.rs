//! What can be seen of a simulated lesson from outside, and what our models make of it.

use super::act::Advice;
use super::mind::{LOGITS_PER_MULTIPLE, RUNGS};
use super::world::World;
use crate::learning::ability::HINT_EASES;
use crate::learning::estimate::Estimate;
use crate::learning::five::Five;
use crate::learning::five::params::Params;
use crate::learning::hints::HintView;
use crate::learning::predict::{Inputs, Predictor};
use crate::learning::strategy::feature::{Feature, View};

/// What our models assume that support makes easier, logit; of a rung of the hint ladder they assume [`HINT_EASES`]. The
/// truth is [`super::mind::SUPPORT`] and [`super::mind::RUNG`], which nobody can know: ours here are rounder.
const ASSUMED_SUPPORT: f64 = 1.0;

/// What is counted and timed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// Seconds since the lesson began.
    pub now: f64,
    /// What the hint ladder looks at.
    pub hints: HintView,
    /// Seconds since the last break, or since the beginning.
    pub since_break: f64,
    /// Seconds since the last change of the task; `None`: none yet.
    pub since_change: Option<f64>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            now: 0.0,
            hints: HintView {
                rungs: RUNGS,
                ..HintView::default()
            },
            since_break: 0.0,
            since_change: None,
        }
    }
}

/// What a policy sees.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The models.
    pub five: &'a Five,
    /// Their parameters.
    pub params: &'a Params,
    /// The step's skill.
    pub skill: u32,
    /// Difficulty of the step as it is set now, logit, as far as its author and we know.
    pub difficulty: Estimate,
    /// What is counted and timed.
    pub scene: &'a Scene,
    /// How things are set: difficulty, pace, support, hints, approach.
    pub setting: &'a super::mind::Setting,
}

impl<'a> Seen<'a> {
    /// Of a learner somewhere in a lesson.
    #[must_use]
    pub fn of(
        five: &'a Five,
        params: &'a Params,
        skill: u32,
        world: &'a World,
        scene: &'a Scene,
    ) -> Self {
        let setting = &world.setting;
        Self {
            five,
            params,
            skill,
            difficulty: assumed_difficulty(setting),
            scene,
            setting,
        }
    }

    /// What the adaptation rules look at, without predictions.
    #[must_use]
    pub fn view(&self) -> View {
        let scene = self.scene;
        let hints = &scene.hints;
        let left = f64::from(hints.rungs.saturating_sub(hints.rung));
        let support = if self.setting.supported { 2.0 } else { 0.0 };
        let view = View::default()
            .measured(Feature::SinceBreak, scene.since_break)
            .measured(Feature::Failures, f64::from(hints.failures))
            .measured(Feature::Successes, f64::from(hints.successes))
            .measured(Feature::Hesitation, hints.hesitated)
            .measured(Feature::HintsLeft, left)
            .measured(Feature::SupportLevel, support)
            .measured(Feature::Difficulty, self.setting.difficulty)
            .measured(Feature::Pace, self.setting.pace);
        self.five
            .view(&[self.skill], self.difficulty, &view, self.params)
    }

    /// The same with predictions.
    #[must_use]
    pub fn view_with(&self, predictor: &Predictor) -> View {
        let view = self.view();
        let inputs = Inputs::of(self.five, self.skill, &view, self.params);
        predictor.predict(&inputs).seen_in(view)
    }

    /// Whether the skill is taught by the other approach.
    #[must_use]
    pub fn other_approach(&self) -> bool {
        self.setting.approach >> (self.skill & 7) & 1 == 1
    }
}

/// What the lesson's author and the settings say about the difficulty, logit: not the step's true one.
pub(super) fn assumed_difficulty(setting: &super::mind::Setting) -> Estimate {
    let support = if setting.supported {
        ASSUMED_SUPPORT
    } else {
        0.0
    };
    Estimate {
        mean: LOGITS_PER_MULTIPLE * (setting.difficulty - 1.0)
            - support
            - HINT_EASES * f64::from(setting.rung),
        variance: 0.0,
    }
}

/// Something that decides for one learner through one lesson; it may remember.
pub type Decider<'a> = Box<dyn FnMut(&Seen) -> Advice + 'a>;

/// Who decides.
#[derive(Clone, Copy)]
pub enum Policy<'a> {
    /// Nobody: the lesson as authored, with help for who asks.
    Nothing,
    /// Something that sees what the models say: made anew for every lesson.
    Models(&'a dyn Fn() -> Decider<'a>),
    /// Who knows the truth.
    Oracle,
    /// Chance: each of the oracle's options is as likely.
    Chance,
}
