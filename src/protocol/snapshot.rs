//! What is shown of a learner: published by the session, read by the bridge.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::PauseCause;
use super::ids::{LearnerId, LessonId, ObjectId, SessionId, StepId};
use super::life::Life;
use crate::learning::equation::Index;
use crate::learning::event::Place;
use crate::learning::five::Tick;
use crate::learning::skill::SkillId;

/// A learner's state as others see it. Every figure says where it comes from; absent is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LearnerSnapshot {
    /// Whose.
    pub learner: LearnerId,
    /// The session.
    pub session: SessionId,
    /// The lesson.
    pub lesson: LessonId,
    /// The step before which the learner stands; `None`: not begun or over.
    pub step: Option<StepId>,
    /// What the step asks, in the lesson's words.
    pub goal: Option<String>,
    /// Steps done, in the order they were done.
    pub completed: Vec<StepId>,
    /// Steps in the lesson, optional ones included.
    pub steps_total: u32,
    /// Hint level shown now; 0 = none.
    pub hint_level: u8,
    /// Hints the current step has.
    pub hints_available: u8,
    /// The hint's words, while one is shown.
    pub hint: Option<String>,
    /// The instructor's last message, while it is shown.
    pub message: Option<String>,
    /// Wrong attempts on the current step.
    pub failures_on_step: u32,
    /// All attempts so far (measured).
    pub attempts: u32,
    /// Right attempts so far (measured).
    pub correct: u32,
    /// Knowledge per skill (inferred).
    pub skills: BTreeMap<SkillId, SkillSnapshot>,
    /// Where the learner stands between onboarding and mastery (inferred).
    pub place: Place,
    /// The transition index with its interval (inferred).
    pub index: Index,
    /// What the models made of the latest moment, with reasons; `None` before the first.
    pub latest: Option<Box<Tick>>,
    /// A skill is due for review (inferred).
    pub review_due: bool,
    /// Multiple of the authored difficulty, 0.4..1.6.
    pub difficulty: f64,
    /// Multiple of the authored pace, 0.6..1.4.
    pub pace: f64,
    /// Level of support in place beyond hints, 0..3.
    pub support: u8,
    /// Things that the instructor added to the scene.
    #[serde(default)]
    pub added: Vec<ObjectId>,
    /// What the adaptation rules want the instructor to know, latest.
    pub notice: Option<String>,
    /// Where the session is in its life.
    #[serde(default)]
    pub life: Life,
    /// Who has stopped the lesson; empty: nobody.
    pub paused_by: Vec<PauseCause>,
    /// True once the session is over.
    pub ended: bool,
    /// How the machine is reached on which the lesson runs.
    #[serde(default)]
    pub link: Reached,
    /// Last event of the log this state is the fold of.
    pub seq: u64,
    /// Last event that is safely on disk.
    pub acknowledged_seq: u64,
}

/// How the machine is reached on which a lesson runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// It is this one.
    #[default]
    Here,
    /// Over a link that is there.
    Linked,
    /// Not just now. The lesson goes on there; what is seen here is from before.
    Gone,
}

/// Inferred knowledge of one skill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkillSnapshot {
    /// Probability that the skill is known, 0..1 (Bayesian knowledge tracing).
    pub known: f64,
    /// What the same answers make of the lowest belief anybody might have begun with, 0..1.
    pub known_low: f64,
    /// And of the highest.
    pub known_high: f64,
    /// Ability, in logit …
    pub ability: f64,
    /// … and its standard deviation.
    pub ability_sd: f64,
    /// Attempts it rests on: all but failures that the hardware may be to blame for.
    pub attempts: u32,
}
