//! A simulated learner in a lesson: where they are, how things are set, and what an action does.
//!
//! Shared by the run, which draws what is up to chance, and by the oracle, which expects it.

use super::act::Act;
use super::lesson::{Lesson, Step};
use super::mind::{Mind, RUNGS, Setting, Task};
use super::truth::Learner;

/// Seconds of a break.
pub const BREAK_SECONDS: f64 = 120.0;
/// Seconds to read a hint, to follow a worked example, to find one's way in another approach, to look at another form.
/// Ours.
const HINT_SECONDS: f64 = 3.0;
const EXAMPLE_SECONDS: f64 = 10.0;
const APPROACH_SECONDS: f64 = 12.0;
const VARIETY_SECONDS: f64 = 3.0;

/// Where a learner is. Small and `Copy`, so that futures can be tried out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct World {
    /// Their state.
    pub mind: Mind,
    /// How things are set.
    pub setting: Setting,
    /// Place in the lesson's list of steps.
    pub step: usize,
    /// Attempts on this step.
    pub rounds: u32,
    /// Right ones in a row; a fraction where they are expected and not drawn.
    pub in_a_row: f64,
    /// Seconds of the lesson that are left.
    pub left: f64,
    /// Seconds until the running attempt comes out, when nothing delays it.
    pub working: f64,
    /// Seconds for which the learner is stuck before that, if nobody helps.
    pub stuck: f64,
    /// Steps begun so far.
    pub begun: u32,
}

impl World {
    /// At the beginning of a lesson.
    #[must_use]
    pub fn new(learner: &Learner, lesson: &Lesson) -> Self {
        Self {
            mind: Mind::of(learner),
            setting: Setting::default(),
            step: 0,
            rounds: 0,
            in_a_row: 0.0,
            left: lesson.seconds,
            working: 0.0,
            stuck: 0.0,
            begun: 1,
        }
    }

    /// The step, if the lesson has any.
    #[must_use]
    pub fn step<'a>(&self, lesson: &'a Lesson) -> Option<&'a Step> {
        lesson.steps.get(self.step)
    }

    /// What is asked now.
    #[must_use]
    pub fn task(&self, lesson: &Lesson) -> Task {
        let step = self.step(lesson);
        Task {
            skill: step.map_or(0, |step| step.skill),
            difficulty: step.map_or(0.0, |step| step.difficulty),
            motion: step.map_or(0.0, |step| step.motion),
        }
    }

    /// Median seconds of an attempt at this pace.
    #[must_use]
    pub fn usual_seconds(&self, learner: &Learner) -> f64 {
        learner.seconds / self.setting.pace.max(0.1)
    }

    /// Chance that the learner takes a break that is offered, in [0, 1]: who needs it sooner does (ours).
    #[must_use]
    pub fn takes_break(&self) -> f64 {
        (0.1 + self.mind.sickness / 10.0 + 0.6 * self.mind.fatigue).min(0.95)
    }

    /// Does what was decided. An offered break is taken as declined here: whether it is taken is up to chance.
    pub fn apply(&mut self, action: Act, learner: &Learner, lesson: &Lesson) {
        match action {
            Act::Rest => self.rest(BREAK_SECONDS),
            Act::OfferHint(rung) => {
                let rung = rung.min(RUNGS);
                if rung > self.setting.rung {
                    self.setting.rung = rung;
                    self.helped(HINT_SECONDS);
                }
            }
            Act::FadeHint => self.setting.rung = 0,
            Act::AddSupport => {
                if !self.setting.supported {
                    self.setting.supported = true;
                    self.helped(EXAMPLE_SECONDS);
                }
            }
            Act::FadeSupport => self.setting.supported = false,
            Act::Difficulty(multiple) => self.setting.difficulty = held(multiple, 0.4, 1.6),
            Act::Pace(multiple) => self.setting.pace = held(multiple, 0.6, 1.4),
            Act::ChangeApproach => {
                self.setting.approach ^= 1 << (self.task(lesson).skill & 7);
                self.helped(APPROACH_SECONDS);
            }
            Act::Vary => {
                self.mind.vary();
                self.working += VARIETY_SECONDS;
            }
            Act::MoveOn => {
                self.next_step(lesson);
                self.begin_attempt(self.usual_seconds(learner), 0.0);
            }
            Act::OfferBreak => {}
        }
    }

    /// A break of so many seconds.
    pub fn rest(&mut self, seconds: f64) {
        self.mind.rest(seconds);
        self.left -= seconds;
    }

    fn helped(&mut self, seconds: f64) {
        self.stuck = 0.0;
        self.working += seconds;
    }

    /// Begins an attempt.
    pub fn begin_attempt(&mut self, working: f64, stuck: f64) {
        self.working = working;
        self.stuck = stuck;
    }

    /// Goes on to the next step; after the last comes the first.
    pub fn next_step(&mut self, lesson: &Lesson) {
        self.step = (self.step + 1) % lesson.steps.len().max(1);
        self.rounds = 0;
        self.in_a_row = 0.0;
        self.setting.rung = 0;
        self.begun = self.begun.saturating_add(1);
    }

    /// Whether the lesson's end is reached.
    #[must_use]
    pub fn over(&self, lesson: &Lesson) -> bool {
        lesson.once && self.begun as usize > lesson.steps.len()
    }

    /// Whether the step has been repeated enough.
    #[must_use]
    pub fn done(&self, lesson: &Lesson) -> bool {
        self.rounds >= lesson.at_most || self.in_a_row >= f64::from(lesson.successes)
    }
}

fn held(x: f64, low: f64, high: f64) -> f64 {
    if x.is_nan() { 1.0 } else { x.clamp(low, high) }
}
