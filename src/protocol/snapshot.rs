//! What is shown of a learner: published by the session, read by the bridge.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::PauseCause;
use super::ids::{LearnerId, LessonId, SessionId, StepId};
use super::life::Life;
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
    /// Where the session is in its life.
    #[serde(default)]
    pub life: Life,
    /// Who has stopped the lesson; empty: nobody.
    pub paused_by: Vec<PauseCause>,
    /// True once the session is over.
    pub ended: bool,
    /// Last event of the log this state is the fold of.
    pub seq: u64,
    /// Last event that is safely on disk.
    pub acknowledged_seq: u64,
}

/// Inferred knowledge of one skill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkillSnapshot {
    /// Probability that the skill is known, 0..1 (Bayesian knowledge tracing).
    pub known: f64,
    /// Attempts it rests on.
    pub attempts: u32,
}
