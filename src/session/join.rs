//! How a learner comes in: fresh, or where they were interrupted. Called before the frames begin; it may read the disk.

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::state::{FoldError, LearnerState};
use super::{AcknowledgedSeq, Happened, Learner, SessionLog, rebuilds};
use crate::learning::bkt::BktParams;
use crate::lesson::format::Lesson;
use crate::protocol::PROTOCOL_VERSION;
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{LearnerId, LessonId, SessionId};
use crate::record::{RecordError, Store};

/// Why nobody can join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The store cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The log contradicts itself.
    #[error(
        "the log of learner {learner} cannot be followed: {error}; `malloc-vr records verify` says where it is damaged"
    )]
    Log {
        /// Whose.
        learner: LearnerId,
        /// What is wrong.
        error: FoldError,
    },
}

/// A learner about to join.
#[derive(Debug, Clone)]
pub struct Joining {
    /// Pseudonym.
    pub learner: LearnerId,
    /// The whole log so far.
    pub log: Vec<Event>,
    /// The state it folds to.
    pub state: LearnerState,
}

impl Joining {
    /// Somebody who was never here.
    #[must_use]
    pub fn newcomer() -> Self {
        Self {
            learner: LearnerId::fresh(),
            log: Vec::new(),
            state: LearnerState::default(),
        }
    }

    /// Whoever was here last, from the store; a newcomer where nobody was.
    ///
    /// # Errors
    /// [`JoinError`] where the log cannot be read or followed.
    pub fn latest(store: &Store) -> Result<Self, JoinError> {
        match store.learners()?.first() {
            Some(entry) => Self::of(store, entry.learner),
            None => Ok(Self::newcomer()),
        }
    }

    /// This learner, from the store.
    ///
    /// # Errors
    /// [`JoinError`] where the log cannot be read or followed.
    pub fn of(store: &Store, learner: LearnerId) -> Result<Self, JoinError> {
        let log = store.events(learner)?;
        let state = LearnerState::of(&log).map_err(|error| JoinError::Log { learner, error })?;
        Ok(Self {
            learner,
            log,
            state,
        })
    }

    /// Whether there is a session of this lesson to take up again.
    #[must_use]
    pub fn interrupted_in(&self, lesson: &LessonId) -> bool {
        self.state.session.is_some()
            && !self.state.ended
            && self.state.lesson.as_ref() == Some(lesson)
    }

    /// The events of the session the state is in, oldest first.
    #[must_use]
    pub fn session_log(&self) -> &[Event] {
        let start = self
            .log
            .iter()
            .rposition(|event| matches!(event.body, EventBody::SessionStarted { .. }))
            .unwrap_or(self.log.len());
        &self.log[start..]
    }

    /// Puts the learner into the world: takes an interrupted session of this lesson up again unless `fresh`,
    /// else begins one. Returns the learner's entity.
    pub fn enter(self, world: &mut World, lesson: &Lesson, digest: &str, fresh: bool) -> Entity {
        let resumed = !fresh && self.interrupted_in(&lesson.id);
        let session = match self.state.session {
            Some(session) if resumed => session,
            _ => SessionId::fresh(),
        };
        let acknowledged = AcknowledgedSeq(self.state.seq);
        let log = if resumed { self.session_log() } else { &[] };
        let bodies = log.iter().map(|event| &event.body);
        let log = SessionLog(bodies.filter(|body| rebuilds(body)).cloned().collect());
        let learner = world
            .spawn((
                Learner {
                    id: self.learner,
                    session,
                },
                self.state,
                log,
                acknowledged,
            ))
            .id();
        let body = if resumed {
            EventBody::SessionResumed
        } else {
            started(session, lesson, digest)
        };
        world.write_message(Happened { learner, body });
        learner
    }
}

/// A session of this lesson begins.
#[must_use]
pub fn started(session: SessionId, lesson: &Lesson, digest: &str) -> EventBody {
    EventBody::SessionStarted {
        lesson: lesson.id.clone(),
        lesson_digest: digest.to_owned(),
        // The id is fresh and random in its low half; a separate source would add nothing.
        seed: session.0.as_u64_pair().1,
        skills: parameters(lesson),
        protocol: PROTOCOL_VERSION,
    }
}

fn parameters(lesson: &Lesson) -> BTreeMap<crate::learning::skill::SkillId, BktParams> {
    lesson
        .skills
        .iter()
        .map(|skill| (skill.id.clone(), skill.bkt.unwrap_or_default()))
        .collect()
}
