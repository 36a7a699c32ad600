//! A simulated learner takes a lesson: what they do goes into [`Five`], what a policy says comes back.
//!
//! In: a learner, a lesson, a policy, a family of random numbers. Out: what came of it. Equal inputs give equal outputs.

use std::time::Duration;

use super::act::{Act, Advice};
use super::draws::{Draws, Purpose};
use super::lesson::Lesson;
use super::mind::{RUNGS, STUCK_SECONDS};
use super::oracle::Oracle;
use super::scene::{Decider, Policy, Scene, Seen};
use super::truth::{Kind, Learner};
use super::world::{BREAK_SECONDS, World};
use crate::learning::event_chart::Decision;
use crate::learning::five::Five;
use crate::learning::five::observation::Moment;
use crate::learning::five::params::Params;
use crate::learning::hints::HintView;

mod continued;
mod outcome;
mod told;

pub use continued::Start;
pub use outcome::{Happened, Outcome};
pub(super) use told::engagement_of;

/// Least seconds between two changes of the task, and for which the oracle holds what is decided: as our table has it
/// ([`crate::learning::strategy::table::Limits::settle`]).
pub const DWELL: f64 = 50.0;
/// Seconds between two moments of deciding, as the sources have it.
pub const TICK: f64 = 5.0;

/// A learner in a lesson.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// Truth.
    pub learner: &'a Learner,
    /// Lesson.
    pub lesson: &'a Lesson,
    /// Parameters of the models and of the policy.
    pub params: &'a Params,
    /// What the models believe.
    pub five: Five,
    /// Where the learner truly is.
    pub world: World,
    draws: Draws,
    tick: u64,
    attempt: u64,
    elapsed: f64,
    asked: Option<f64>,
    scene: Scene,
    changed_event: Option<f64>,
    moved: Option<(f64, bool)>,
    outcome: Outcome,
}

impl<'a> Run<'a> {
    /// Before the lesson. The models know nothing of the learner.
    #[must_use]
    pub fn new(learner: &'a Learner, lesson: &'a Lesson, params: &'a Params, draws: Draws) -> Self {
        let five = Five::new(lesson.skills(), params);
        let mut run = Self::from(learner, lesson, params, draws, five);
        run.onboard();
        run
    }

    /// Before a lesson with a learner the models know already.
    #[must_use]
    pub fn from(
        learner: &'a Learner,
        lesson: &'a Lesson,
        params: &'a Params,
        draws: Draws,
        five: Five,
    ) -> Self {
        let world = World::new(learner, lesson);
        Self {
            learner,
            lesson,
            params,
            five,
            world,
            draws,
            tick: 0,
            attempt: 0,
            elapsed: 0.0,
            asked: None,
            scene: Scene::default(),
            changed_event: None,
            moved: None,
            outcome: Outcome {
                before: world.mind.test(learner, lesson.skills()),
                ..Outcome::default()
            },
        }
    }

    /// Takes the lesson to its end, or until the learner leaves.
    pub fn finish(mut self, policy: Policy, watch: &mut dyn FnMut(&Happened)) -> Outcome {
        let mut decider = match policy {
            Policy::Models(begin) => Some(begin()),
            _ => None,
        };
        if self.world.working <= 0.0 {
            self.begin_attempt();
        }
        while self.world.left > 0.0 && !self.outcome.left && !self.world.over(self.lesson) {
            self.decide(policy, &mut decider, watch);
            self.pass(watch);
        }
        let world = &self.world;
        self.outcome.after = world.mind.test(self.learner, self.lesson.skills());
        self.outcome.seconds = self.scene.now;
        self.outcome
    }

    fn decide(
        &mut self,
        policy: Policy,
        decider: &mut Option<Decider>,
        watch: &mut dyn FnMut(&Happened),
    ) {
        self.ask_for_help();
        let free = self.scene.since_change.is_none_or(|since| since >= DWELL);
        let oracle = Oracle {
            learner: self.learner,
            lesson: self.lesson,
            dwell: DWELL,
        };
        let mut advice = match policy {
            Policy::Nothing => Advice::default(),
            Policy::Models(_) => decider
                .as_mut()
                .map_or_else(Advice::default, |decide| decide(&self.seen())),
            Policy::Oracle => {
                let options = oracle.options(&self.world, free);
                let best = options.iter().copied().reduce(|best, other| {
                    if other.value > best.value {
                        other
                    } else {
                        best
                    }
                });
                only(best.and_then(|best| best.action))
            }
            Policy::Chance => {
                let options = oracle.options(&self.world, free);
                let which = self.draws.uniform(Purpose::Choice, self.tick) * options.len() as f64;
                only(options.iter().nth(which as usize).and_then(|it| it.action))
            }
        };
        watch(&Happened::Decided {
            world: &self.world,
            advice: &advice,
            free,
            tick: self.tick,
        });
        // Who asks for help gets it from everybody.
        let hints = |action: &Act| matches!(action, Act::OfferHint(_));
        if self.scene.hints.wanted && !advice.iter().any(hints) {
            advice.push(Act::OfferHint(self.scene.hints.rung.saturating_add(1)));
        }
        for &action in advice.iter() {
            self.act(action);
        }
        self.scene.hints.wanted = false;
    }

    fn act(&mut self, action: Act) {
        let before = self.world;
        match action {
            Act::OfferBreak => {
                let luck = self.draws.uniform(Purpose::TakesBreak, self.tick);
                if luck < self.world.takes_break() {
                    self.take_break();
                }
            }
            Act::Rest => self.take_break(),
            _ => self.world.apply(action, self.learner, self.lesson),
        }
        if matches!(action, Act::OfferHint(_) | Act::FadeHint) {
            self.hinted(&before);
        }
        if action.is_change() && self.world != before {
            self.scene.since_change = Some(0.0);
        }
        if self.world.begun != before.begun {
            self.entered_step();
            self.begin_attempt();
        }
        if action == Act::AddSupport || action == Act::ChangeApproach {
            self.elapsed = 0.0;
        }
        self.note_reversal(before.setting.difficulty);
        self.scene.hints.rung = self.world.setting.rung;
        self.outcome.actions += 1;
        self.outcome.hints += u32::from(self.world.setting.rung > before.setting.rung);
    }

    fn hinted(&mut self, before: &World) {
        if before.setting.rung != self.world.setting.rung {
            self.scene.hints.since_hint = Some(0.0);
            self.scene.hints.failures = 0;
            self.scene.hints.successes = 0;
            self.elapsed = 0.0;
        }
    }

    fn take_break(&mut self) {
        self.world.rest(BREAK_SECONDS);
        self.scene.now += BREAK_SECONDS;
        self.scene.since_break = 0.0;
        self.asked = None;
        let moment = Moment {
            dt: Duration::from_secs_f64(BREAK_SECONDS),
            ready: true,
            break_wanted: true,
            ..Moment::default()
        };
        let tick = self.five.tick(&moment, self.params);
        self.noted(tick.verdict.decision, self.scene.now);
    }

    fn note_reversal(&mut self, before: f64) {
        let step = self.world.setting.difficulty - before;
        if step.abs() < 1e-9 {
            return;
        }
        let up = step > 0.0;
        if let Some((when, was_up)) = self.moved
            && was_up != up
        {
            let passed = self.scene.now - when;
            let quickest = self.outcome.quickest_reversal.unwrap_or(f64::INFINITY);
            self.outcome.quickest_reversal = Some(quickest.min(passed));
        }
        self.moved = Some((self.scene.now, up));
    }

    fn noted(&mut self, decision: Decision, clock: f64) {
        match decision {
            Decision::Advance(_) | Decision::Complete(_) => self.outcome.advances += 1,
            Decision::Demote(_) => self.outcome.demotions += 1,
            _ => return,
        }
        if let Some(before) = self.changed_event {
            let quickest = self.outcome.quickest_change.unwrap_or(f64::INFINITY);
            self.outcome.quickest_change = Some(quickest.min(clock - before));
        }
        self.changed_event = Some(clock);
    }

    /// Lets the time until the next moment pass, or until the attempt comes out if that is sooner.
    fn pass(&mut self, watch: &mut dyn FnMut(&Happened)) {
        let until = (self.world.stuck + self.world.working).max(0.1);
        let seconds = TICK.min(until).min(self.world.left.max(0.1));
        let task = self.world.task(self.lesson);
        let setting = self.world.setting;
        self.world.mind.work(self.learner, &task, &setting, seconds);
        let leaving = 1.0 - (-self.world.mind.hazard() * seconds / 60.0).exp();
        self.outcome.left = self.draws.uniform(Purpose::Leaves, self.tick) < leaving;
        self.outcome.sickness = self.outcome.sickness.max(self.world.mind.sickness);
        watch(&Happened::Passed {
            seen: self.seen(),
            seconds,
            hesitated: self.scene.hints.hesitated,
            left: self.outcome.left,
        });
        self.world.left -= seconds;
        self.scene.now += seconds;
        self.elapsed += seconds;
        let stuck = self.world.stuck.min(seconds);
        self.world.stuck -= stuck;
        self.world.working -= seconds - stuck;
        self.count_time(seconds);
        self.report(seconds);
        self.tick += 1;
        if self.world.stuck + self.world.working <= 1e-9 {
            self.come_out(watch);
        }
    }

    fn count_time(&mut self, seconds: f64) {
        let later = |since: &mut Option<f64>| {
            if let Some(since) = since {
                *since += seconds;
            }
        };
        later(&mut self.scene.since_change);
        later(&mut self.scene.hints.since_hint);
        self.scene.since_break += seconds;
        // Looking on is hesitation, the second half of an attempt is not: then a hand moves.
        let half = 0.5 * self.world.usual_seconds(self.learner);
        self.scene.hints.hesitated = if self.world.stuck > 0.0 || self.world.working > half {
            self.elapsed
        } else {
            0.0
        };
    }

    /// Who is stuck asks for help after a while, or not; who games the system asks at once.
    fn ask_for_help(&mut self) {
        let gaming = self.learner.kind == Kind::Gaming;
        let waited = self.world.stuck > 0.0 && self.elapsed >= 15.0;
        let luck = self.draws.uniform(Purpose::AsksForHelp, self.tick);
        let asks = if gaming {
            luck < 0.3
        } else {
            waited && luck < 0.3 * self.learner.help_seeking
        };
        self.scene.hints.wanted = asks && self.world.setting.rung < RUNGS;
    }

    fn begin_attempt(&mut self) {
        let draws = self.draws;
        let usual = self.world.usual_seconds(self.learner);
        let working = usual * (0.3 * draws.normal(Purpose::Seconds, self.attempt)).exp();
        let task = self.world.task(self.lesson);
        let is_stuck = draws.uniform(Purpose::Stuck, self.attempt)
            < self.world.mind.stuck(&task, &self.world.setting);
        let stuck = if is_stuck {
            let luck = draws.uniform(Purpose::StuckSeconds, self.attempt);
            -STUCK_SECONDS * (1.0 - luck).ln()
        } else {
            0.0
        };
        self.world.begin_attempt(working, stuck);
        self.elapsed = 0.0;
        self.scene.hints.hesitated = 0.0;
    }

    fn come_out(&mut self, watch: &mut dyn FnMut(&Happened)) {
        let task = self.world.task(self.lesson);
        let setting = self.world.setting;
        let chance = self.learner.chance(self.world.mind.logit(&task, &setting));
        let correct = self.draws.uniform(Purpose::Right, self.attempt) < chance;
        watch(&Happened::Attempted {
            seen: self.seen(),
            correct,
        });
        let seen = self.observation(correct);
        self.five.observe(&seen, self.params);
        self.world.mind.practise(self.learner, &task, &setting);
        self.attempt += 1;
        self.outcome.attempts += 1;
        self.world.rounds += 1;
        if correct {
            self.world.in_a_row += 1.0;
            self.scene.hints.successes += 1;
        } else {
            self.world.in_a_row = 0.0;
            self.scene.hints.successes = 0;
            self.scene.hints.failures += 1;
        }
        if self.world.done(self.lesson) {
            self.world.next_step(self.lesson);
            self.entered_step();
        }
        self.begin_attempt();
    }

    fn entered_step(&mut self) {
        self.scene.hints = HintView {
            rungs: RUNGS,
            ..HintView::default()
        };
    }

    fn skill(&self) -> u32 {
        // At most 8.
        self.world.task(self.lesson).skill as u32
    }

    fn seen(&self) -> Seen<'_> {
        Seen::of(
            &self.five,
            self.params,
            self.skill(),
            &self.world,
            &self.scene,
        )
    }
}

fn only(action: Option<Act>) -> Advice {
    let mut advice = Advice::default();
    if let Some(action) = action {
        advice.push(action);
    }
    advice
}
