//! A learner's state: the fold of their events, and nothing else.
//!
//! The same log gives the same state to the bit, on headset and host, in one go or from a snapshot and a tail.

use std::collections::BTreeSet;
use std::time::Duration;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::adapted::Adapted;
use super::life::{LifeLine, cause_of};
use super::models::{Models, Where};
use crate::learning::event::LearningEvent;
use crate::learning::skill::SkillId;
use crate::protocol::command::CommandBody;
use crate::protocol::event::{Attempt, EndReason, Event, EventBody, PauseCause};
use crate::protocol::ids::{LearnerId, LessonId, SessionId, StepId};
use crate::protocol::life::{Life, LifeCause};
use crate::protocol::teaching::{Preferences, TelemetryLevel};
use crate::record::consent::Consents;
use crate::record::rights::Rights;

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
    pub skills: BTreeSet<SkillId>,
    /// What the five models believe, over all sessions and lessons. Boxed: it is many times larger than the rest.
    pub models: Box<Models>,
    /// The step the learner stands before.
    pub step: Option<StepId>,
    /// Which phase of learning that step belongs to, where the log says so.
    pub event: Option<LearningEvent>,
    /// Rungs of its hint ladder.
    pub hints: u8,
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
    /// How the lesson is adapted.
    pub adapted: Adapted,
    /// Decisions of the adaptation rules in this learner's whole log.
    pub decisions: u64,
    /// The session's life.
    #[serde(default)]
    pub life: LifeLine,
    /// As `life` has it: why the lesson stands still, in order, each once.
    pub paused_by: Vec<PauseCause>,
    /// As `life` has it: whether the session is over …
    pub ended: bool,
    /// … and why.
    pub end_reason: Option<EndReason>,
    /// What was agreed to, over all sessions.
    #[serde(default)]
    pub consents: Consents,
    /// What was restricted, noted and disclosed, over all sessions.
    #[serde(default)]
    pub rights: Rights,
    /// How the learner likes it, over all sessions.
    #[serde(default)]
    pub preferences: Preferences,
    /// How much is told outside, over all sessions.
    #[serde(default)]
    pub telemetry: TelemetryLevel,
    /// Last event folded.
    pub seq: u64,
    /// Its wall-clock time, milliseconds since the Unix epoch: how long a learner was away.
    pub at_unix_ms: u64,
}

/// A step done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedStep {
    /// Which.
    pub step: StepId,
    /// Passed over.
    pub skipped: bool,
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
        let away = matches!(
            event.body,
            EventBody::SessionStarted { .. } | EventBody::SessionResumed
        );
        if away || self.is_paused() {
            let passed = event.at_unix_ms.saturating_sub(self.at_unix_ms);
            self.models.rested(passed);
        }
        self.take_in(event);
        self.consents.take_in(event);
        self.rights.take_in(event);
        self.live_on(event);
        self.at_unix_ms = event.at_unix_ms;
        Ok(())
    }

    /// Where the running or last session is in its life.
    #[must_use]
    pub fn life(&self) -> Life {
        self.life.life()
    }

    /// Turns that are not admitted (in a log of before they were guarded) lead nowhere.
    fn live_on(&mut self, event: &Event) {
        let cause = match &event.body {
            EventBody::Attempted(_) => Some(LifeCause::Stirred),
            body => cause_of(body),
        };
        let at = match &event.body {
            EventBody::LifeChanged { at, .. } => *at,
            _ => Duration::ZERO,
        };
        let Some(cause) = cause else { return };
        if self.life.take(cause, at).is_ok() {
            self.paused_by.clear();
            self.paused_by.extend_from_slice(self.life.paused_by());
            self.end_reason = self.life.ended();
            self.ended = self.end_reason.is_some();
        }
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
                // What is known of a learner outlives the session in which it was shown.
                let mut before = std::mem::take(self);
                before.models.begin(lesson, skills.iter());
                before.be_away_until(event.at_unix_ms);
                *self = Self {
                    learner: before.learner,
                    session: Some(event.session),
                    lesson: Some(lesson.clone()),
                    lesson_digest: lesson_digest.clone(),
                    seed: *seed,
                    skills: skills.keys().cloned().collect(),
                    models: before.models,
                    decisions: before.decisions,
                    consents: before.consents,
                    rights: before.rights,
                    preferences: before.preferences,
                    telemetry: before.telemetry,
                    seq: before.seq,
                    ..Self::default()
                };
            }
            EventBody::SessionResumed => self.be_away_until(event.at_unix_ms),
            EventBody::StepEntered {
                step,
                event: phase,
                hints,
            } => {
                self.step = Some(step.clone());
                self.event = *phase;
                self.hints = *hints;
                self.adapted.step_entered();
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
            EventBody::Attempted(attempt) => self.learn_from(event.seq, attempt),
            EventBody::Observed { moment } => self.models.observed(moment),
            EventBody::Told { about, value, .. } => {
                self.models.told(*about, *value);
                self.adapted.told(*about);
            }
            EventBody::CommandApplied {
                command,
                hint_level,
            } => {
                self.adapted.carried_out(event.seq, command);
                match command.body {
                    CommandBody::GiveHint { .. } => {
                        self.hint_level = hint_level.unwrap_or(self.hint_level);
                    }
                    CommandBody::FadeHint => self.hint_level = hint_level.unwrap_or(0),
                    CommandBody::SetPreferences { patch } => {
                        self.preferences = patch.upon(&self.preferences);
                    }
                    CommandBody::SetTelemetry { level } => self.telemetry = level,
                    CommandBody::OverrideStage { event, seconds } => {
                        let hold = Duration::from_secs(u64::from(seconds));
                        self.models.stand_at(event, hold);
                    }
                    // Their own events follow.
                    _ => {}
                }
            }
            EventBody::Decided(decision) => self.decisions = decision.number + 1,
            EventBody::SessionEnded { .. } => self.step = None,
            EventBody::CommandRefused { .. }
            | EventBody::Paused { .. }
            | EventBody::Resumed { .. }
            | EventBody::LifeChanged { .. }
            // They change what may be done with the record, not where the learner stands.
            | EventBody::ConsentGiven(_)
            | EventBody::ConsentWithdrawn(_)
            | EventBody::AmendmentNoted(_)
            | EventBody::ProcessingRestricted { .. }
            | EventBody::RestrictionLifted { .. }
            | EventBody::Disclosed(_)
            | EventBody::Timed(_) => {}
        }
    }

    /// Time between two events in which no lesson ran.
    fn be_away_until(&mut self, at_unix_ms: u64) {
        // Before the first event there is nowhere to be away from.
        if self.at_unix_ms > 0 {
            self.models.away(at_unix_ms.saturating_sub(self.at_unix_ms));
        }
    }

    fn learn_from(&mut self, seq: u64, attempt: &Attempt) {
        if let Some(lesson) = &self.lesson {
            let at = Where {
                lesson,
                event: self.event,
                hints: self.hints,
                failures: self.failures_on_step,
                harder: self.adapted.logits(),
            };
            self.models.attempted(seq, attempt, &at);
        }
        self.attempts += 1;
        if self.adapted.checks(&attempt.step) {
            // Beside the steps: nothing that the running step counts.
            self.adapted.check_no_more(&attempt.step);
            self.correct += u32::from(attempt.correct);
        } else if attempt.correct {
            self.correct += 1;
        } else {
            self.failures_on_step += 1;
        }
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
