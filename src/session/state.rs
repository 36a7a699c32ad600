//! A learner's state: the fold of their events, and nothing else.
//!
//! The same log gives the same state to the bit, on headset and host, in one go or from a snapshot and a tail.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use crate::learning::bkt::{self, BktParams};
use crate::learning::skill::SkillId;
use crate::protocol::command::CommandBody;
use crate::protocol::event::{Attempt, EndReason, Event, EventBody, PauseCause};
use crate::protocol::ids::{LearnerId, LessonId, SessionId, StepId};

/// What the log says about a learner.
#[derive(Component, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LearnerState {
    /// Whose; `None` before the first event.
    pub learner: Option<LearnerId>,
    /// The running or last session.
    pub session: Option<SessionId>,
    /// Its lesson.
    pub lesson: Option<LessonId>,
    /// Digest of the edition that was begun.
    pub lesson_digest: String,
    /// Seed of the learner's generator.
    pub seed: u64,
    /// Skills of the lesson.
    pub skills: BTreeMap<SkillId, SkillState>,
    /// The step the learner stands before.
    pub step: Option<StepId>,
    /// Steps done in this session, in order.
    pub completed: Vec<CompletedStep>,
    /// Hint level shown; 0 = none.
    pub hint_level: u8,
    /// Wrong attempts on the running step.
    pub failures_on_step: u32,
    /// Attempts in this session.
    pub attempts: u32,
    /// Right ones among them.
    pub correct: u32,
    /// Why the lesson stands still, in order, each once; empty: it runs.
    pub paused_by: Vec<PauseCause>,
    /// Whether the session is over …
    pub ended: bool,
    /// … and why.
    pub end_reason: Option<EndReason>,
    /// Last event folded.
    pub seq: u64,
}

/// A step done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedStep {
    /// Which.
    pub step: StepId,
    /// Passed over.
    pub skipped: bool,
}

/// What is known of one skill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SkillState {
    /// Parameters in force, from the log.
    pub params: BktParams,
    /// P(known), 0..1.
    pub known: f64,
    /// Attempts it rests on.
    pub attempts: u32,
}

/// Why an event cannot follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// Another learner's event.
    #[error("event {seq} belongs to learner {found}, not to {expected}")]
    ForeignLearner {
        /// Place in the log.
        seq: u64,
        /// Whose log this is.
        expected: LearnerId,
        /// Whose event it is.
        found: LearnerId,
    },
    /// A gap or a repetition.
    #[error("after event {last} comes {found}: the log has a gap or a repetition")]
    OutOfOrder {
        /// Last event folded.
        last: u64,
        /// What came.
        found: u64,
    },
}

impl LearnerState {
    /// The state after all `events`.
    ///
    /// # Errors
    /// [`FoldError`] at the first event that cannot follow.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self, FoldError> {
        let mut state = Self::default();
        for event in events {
            state.fold(event)?;
        }
        Ok(state)
    }

    /// Whether the lesson stands still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        !self.paused_by.is_empty()
    }

    /// Takes in the next event.
    ///
    /// # Errors
    /// [`FoldError`]; the state is then unchanged.
    pub fn fold(&mut self, event: &Event) -> Result<(), FoldError> {
        if let Some(expected) = self.learner
            && expected != event.learner
        {
            return Err(FoldError::ForeignLearner {
                seq: event.seq,
                expected,
                found: event.learner,
            });
        }
        if event.seq != self.seq + 1 {
            return Err(FoldError::OutOfOrder {
                last: self.seq,
                found: event.seq,
            });
        }
        self.seq = event.seq;
        self.learner = Some(event.learner);
        self.take_in(event);
        Ok(())
    }

    fn take_in(&mut self, event: &Event) {
        match &event.body {
            EventBody::SessionStarted {
                lesson,
                lesson_digest,
                seed,
                skills,
                protocol: _,
            } => {
                // What is known of a skill outlives the session in which it was shown.
                let before = std::mem::take(self);
                *self = Self {
                    learner: before.learner,
                    session: Some(event.session),
                    lesson: Some(lesson.clone()),
                    lesson_digest: lesson_digest.clone(),
                    seed: *seed,
                    skills: skills
                        .iter()
                        .map(|(id, params)| {
                            let state = before
                                .skills
                                .get(id)
                                .filter(|_| before.lesson.as_ref() == Some(lesson))
                                .map_or(
                                    SkillState {
                                        params: *params,
                                        known: params.prior,
                                        attempts: 0,
                                    },
                                    |kept| SkillState {
                                        params: *params,
                                        ..*kept
                                    },
                                );
                            (id.clone(), state)
                        })
                        .collect(),
                    seq: before.seq,
                    ..Self::default()
                };
            }
            EventBody::SessionResumed => {
                // The headset's and the instructor's pauses belonged to the life before.
                self.paused_by.clear();
            }
            EventBody::StepEntered { step } => {
                self.step = Some(step.clone());
                self.failures_on_step = 0;
                self.hint_level = 0;
            }
            EventBody::StepCompleted { step, skipped } => {
                self.completed.push(CompletedStep {
                    step: step.clone(),
                    skipped: *skipped,
                });
                if self.step.as_ref() == Some(step) {
                    self.step = None;
                    self.hint_level = 0;
                    self.failures_on_step = 0;
                }
            }
            EventBody::Attempted(attempt) => self.learn_from(attempt),
            EventBody::CommandApplied {
                command,
                hint_level,
            } => match command.body {
                CommandBody::GiveHint { .. } => {
                    self.hint_level = hint_level.unwrap_or(self.hint_level);
                }
                CommandBody::FadeHint => self.hint_level = hint_level.unwrap_or(0),
                // Their own events follow.
                CommandBody::Pause | CommandBody::Resume | CommandBody::Message { .. } => {}
            },
            EventBody::CommandRefused { .. } => {}
            EventBody::Paused { by } => {
                if let Err(place) = self.paused_by.binary_search(by) {
                    self.paused_by.insert(place, *by);
                }
            }
            EventBody::Resumed { by } => {
                self.paused_by.retain(|cause| cause != by);
            }
            EventBody::SessionEnded { reason } => {
                self.ended = true;
                self.end_reason = Some(*reason);
                self.step = None;
            }
        }
    }

    fn learn_from(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        if attempt.correct {
            self.correct += 1;
        } else {
            self.failures_on_step += 1;
        }
        for id in &attempt.skills {
            if let Some(skill) = self.skills.get_mut(id) {
                let params = attempt.quality.weigh(&skill.params, attempt.correct);
                skill.known = bkt::update(skill.known, attempt.correct, &params);
                skill.attempts += 1;
            }
        }
    }
}
