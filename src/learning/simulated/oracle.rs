//! What would be best for a simulated learner whose truth is known, and how much worse something else is.
//!
//! The value of an action is the expected score in a test on the next day ([`Mind::test`]), less what sickness on the way
//! costs, when the action is taken now, its setting is held for the dwell, and from then on everything is chosen with the
//! truth in sight: a one-step deviation followed by a good policy (rollout: Bertsekas & Castañon 1999). The future is
//! expected, not drawn: what changes in a learner does not depend on how an attempt comes out ([`super::mind`]), so only
//! the number of repetitions and the chance of leaving are averaged over.

use super::act::Act;
use super::lesson::Lesson;
use super::mind::{MOST_SICKNESS, Mind, STUCK_SECONDS, Setting, Task};
use super::truth::{Learner, MAX_SKILLS};
use super::world::{BREAK_SECONDS, World};
use crate::learning::estimate::sigmoid;
use crate::learning::few::Few;

/// What a whole lesson of the worst sickness would cost, as a share of the test's score. Ours: wellbeing is worth more
/// than what little is learnt unwell.
const SICKNESS_COST: f64 = 0.5;
/// Seconds in one go after the dwell.
const COARSE: f64 = 60.0;
/// Sickness and fatigue at which, after the dwell, most of the time goes into breaks.
const REST_AT_SICKNESS: f64 = 8.0;
const REST_AT_FATIGUE: f64 = 0.7;

/// Most actions considered at once.
pub const CANDIDATES: usize = 18;

/// The truth, to look ahead with.
#[derive(Debug, Clone, Copy)]
pub struct Oracle<'a> {
    /// Of the learner.
    pub learner: &'a Learner,
    /// Of the lesson.
    pub lesson: &'a Lesson,
    /// Seconds for which what is decided now is held.
    pub dwell: f64,
}

/// What could be done now, with its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valued {
    /// `None`: nothing.
    pub action: Option<Act>,
    /// Expected score, less the cost of sickness.
    pub value: f64,
}

impl Oracle<'_> {
    /// Everything that could be done now, each with its value; doing nothing comes first.
    #[must_use]
    pub fn options(&self, world: &World, free: bool) -> Few<Valued, CANDIDATES> {
        let mut options = Few::default();
        let mut consider = |action: Option<Act>| {
            let mut actions = Few::<Act, 5>::default();
            if let Some(action) = action {
                actions.push(action);
            }
            let value = self.value(world, &actions);
            options.push(Valued { action, value });
        };
        consider(None);
        let setting = world.setting;
        if setting.rung < super::mind::RUNGS {
            consider(Some(Act::OfferHint(setting.rung + 1)));
        }
        if setting.rung > 0 {
            consider(Some(Act::FadeHint));
        }
        if !free {
            return options;
        }
        for step in [-0.3, -0.2, -0.1, 0.1, 0.2] {
            let multiple = (setting.difficulty + step).clamp(0.4, 1.6);
            if (multiple - setting.difficulty).abs() > 0.01 {
                consider(Some(Act::Difficulty(multiple)));
            }
        }
        for step in [-0.1, 0.1] {
            let multiple = (setting.pace + step).clamp(0.6, 1.4);
            if (multiple - setting.pace).abs() > 0.01 {
                consider(Some(Act::Pace(multiple)));
            }
        }
        consider(Some(if setting.supported {
            Act::FadeSupport
        } else {
            Act::AddSupport
        }));
        for action in [Act::OfferBreak, Act::ChangeApproach, Act::Vary, Act::MoveOn] {
            consider(Some(action));
        }
        options
    }

    /// The value of doing all `actions` now.
    #[must_use]
    pub fn value(&self, world: &World, actions: &Few<Act, 5>) -> f64 {
        let mut world = *world;
        let mut offered = false;
        for &action in actions.iter() {
            offered |= action == Act::OfferBreak;
            world.apply(action, self.learner, self.lesson);
        }
        let on = self.future(world);
        if !offered {
            return on;
        }
        let taken = world.takes_break();
        let mut rested = world;
        rested.rest(BREAK_SECONDS);
        taken * self.future(rested) + (1.0 - taken) * on
    }

    /// The value of wasting the dwell: neither practice nor a break.
    #[must_use]
    pub fn wasted(&self, world: &World) -> f64 {
        let mut sum = Sum::new(self);
        let mut world = *world;
        let task = world.task(self.lesson);
        let seconds = self.dwell.min(world.left);
        sum.pass(&mut world, &task, seconds);
        let mind = self.informed(&mut sum, world);
        sum.total(&mind)
    }

    fn future(&self, mut world: World) -> f64 {
        let mut sum = Sum::new(self);
        let mut held = self.dwell.min(world.left);
        let mut first = world.stuck + world.working;
        while held > 0.0 {
            let task = world.task(self.lesson);
            let seconds = if first > 0.0 {
                first
            } else {
                world.usual_seconds(self.learner)
                    + STUCK_SECONDS * world.mind.stuck(&task, &world.setting)
            };
            first = 0.0;
            let seconds = seconds.max(1.0);
            // An attempt that reaches beyond the dwell counts in part.
            let part = (held / seconds).min(1.0);
            let x = world.mind.logit(&task, &world.setting);
            let gain = world.mind.gain(self.learner, &task, &world.setting);
            if let Some(ability) = world.mind.ability.get_mut(task.skill) {
                *ability += part * gain;
            }
            sum.pass(&mut world, &task, seconds * part);
            held -= seconds;
            world.rounds += 1;
            world.in_a_row = (world.in_a_row + 1.0) * self.learner.chance(x);
            // Two expected in a row, as they are counted here, take as long as three drawn ones do on average.
            if world.rounds >= self.lesson.at_most || world.in_a_row >= 2.0 {
                world.next_step(self.lesson);
            }
        }
        let mind = self.informed(&mut sum, world);
        sum.total(&mind)
    }

    /// The rest of the lesson with the truth in sight: every skill at its ideal difficulty in the approach that suits, with
    /// breaks as they are needed. Skills share the time by the square of what they bring: mostly the best, but smoothly, for
    /// a choice of one alone would make the value of what is decided now jump where two skills change places.
    fn informed(&self, sum: &mut Sum, mut world: World) -> Mind {
        let skills = self.lesson.skills();
        let kept = 1.0 - self.learner.forgetting;
        world.setting = Setting::default();
        while world.left > 1.0 {
            let all = COARSE.min(world.left);
            let rest = all * resting(&world.mind);
            world.rest(rest);
            let seconds = all - rest;
            let attempts = seconds / self.learner.seconds.max(1.0);
            let mind = &world.mind;
            let state = mind.engagement
                * (1.0 - 0.5 * mind.fatigue)
                * (1.0 - mind.sickness / MOST_SICKNESS);
            let mut options = [(0.0, 0.0); MAX_SKILLS];
            let each = mind.ability.iter().zip(&self.learner.skills).take(skills);
            for ((&now, skill), option) in each.zip(&mut options) {
                let gain = attempts * skill.rate * state;
                let then = skill.ability + kept * (now - skill.ability);
                *option = (gain, sigmoid(then + kept * gain) - sigmoid(then));
            }
            let all: f64 = options.iter().map(|(_, worth)| worth * worth).sum();
            for (ability, (gain, worth)) in world.mind.ability.iter_mut().zip(options) {
                *ability += gain * worth * worth / all.max(1e-12);
            }
            // At the ideal: nothing is off.
            let task = Task {
                skill: 0,
                difficulty: world.mind.ability[0] - self.learner.ideal,
                motion: 1.0,
            };
            sum.pass(&mut world, &task, seconds);
        }
        world.mind
    }
}

/// Share of the time that goes into breaks after the dwell: a share and not whole breaks, which would make the value of
/// what is decided now jump with when they happen to fall.
fn resting(mind: &Mind) -> f64 {
    let need = (mind.sickness / REST_AT_SICKNESS).max(mind.fatigue / REST_AT_FATIGUE);
    (need - 0.5).clamp(0.0, 0.6)
}

/// Expected score so far.
struct Sum<'a> {
    learner: &'a Learner,
    lesson: &'a Lesson,
    /// Chance of still being there.
    there: f64,
    /// Expected score of having left, and cost of sickness.
    value: f64,
}

impl<'a> Sum<'a> {
    fn new(oracle: &Oracle<'a>) -> Self {
        Self {
            learner: oracle.learner,
            lesson: oracle.lesson,
            there: 1.0,
            value: 0.0,
        }
    }

    fn pass(&mut self, world: &mut World, task: &Task, seconds: f64) {
        world.mind.work(self.learner, task, &world.setting, seconds);
        world.left -= seconds;
        let leaves = 1.0 - (-world.mind.hazard() * seconds / 60.0).exp();
        let lesson = self.lesson.seconds.max(1.0);
        let sick = world.mind.sickness / MOST_SICKNESS * seconds / lesson;
        self.value += self.there * (leaves * self.score(&world.mind) - SICKNESS_COST * sick);
        self.there *= 1.0 - leaves;
    }

    fn score(&self, mind: &Mind) -> f64 {
        mind.test(self.learner, self.lesson.skills())
    }

    fn total(&self, mind: &Mind) -> f64 {
        self.value + self.there * self.score(mind)
    }
}

/// Keeps the number of skills where arrays have their end.
const _: () = assert!(MAX_SKILLS == 8);
