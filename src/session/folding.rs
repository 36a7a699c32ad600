//! What happened gets its place in the log, is folded into the state and handed to the record thread; what lies on the
//! disk is acknowledged.
//! In: [`Happened`], [`ChangeAsked`]. Out: [`Folded`], [`ChangeRefused`], [`AcknowledgedSeq`], [`RecordHealth`].

use std::collections::{HashMap, VecDeque};

use bevy::prelude::*;
use tracing::error;

use super::clock::SessionClock;
use super::life::{cause_of, event_of};
use super::state::{FoldError, LearnerState};
use super::stream::mirror::Mirror;
use super::times::{Redoing, wall_clock};
use super::{ChangeAsked, ChangeRefused, Folded, Happened, Learner, NextSession};
use crate::lesson::ActiveLesson;
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::LearnerId;
use crate::protocol::life::LifeCause;
use crate::record::boundary::screen_words;
use crate::record::pii::Screen;
use crate::record::{Health, Recorder};

/// What happened in the running session, oldest first: from it everything that is not the state itself can be
/// rebuilt, for example the way through the lesson.
#[derive(Component, Debug, Default, Clone, PartialEq)]
pub struct SessionLog(pub Vec<EventBody>);

/// Whether an event says anything about the way through the lesson or an answer given: only such are kept at hand.
pub(crate) fn rebuilds(body: &EventBody) -> bool {
    !matches!(
        body,
        EventBody::Observed { .. } | EventBody::Told { .. } | EventBody::Timed(_)
    )
}

/// Events folded that the record thread has not taken yet. Grows only while the disk fails.
#[derive(Component, Debug, Default)]
pub struct Outbox(pub(super) VecDeque<Event>);

impl Outbox {
    /// Events that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.len()
    }
}

/// Last event that is safely on the disk; 0: none.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct AcknowledgedSeq(pub u64);

/// What is masked in words that somebody typed before they are written: mail addresses, telephone numbers and the like,
/// and the roster's names where there is one.
#[derive(Resource, Default)]
pub struct WordScreen(pub Screen);

/// How the log fares, for panels, health and instructors.
#[derive(Resource, Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordHealth(pub Health);

impl RecordHealth {
    /// A log that is kept in memory only, for this reason.
    #[must_use]
    pub fn failing_because(why: impl Into<String>) -> Self {
        Self(Health::Failing { why: why.into() })
    }

    /// Why the log is not written at the moment, and what to do; `None`: it is.
    #[must_use]
    pub fn failing(&self) -> Option<&str> {
        match &self.0 {
            Health::Good => None,
            Health::Failing { why } => Some(why),
        }
    }
}

pub(super) fn fold_events(
    mut commands: Commands,
    (time, redoing, screen): (Res<Time<Real>>, Option<Res<Redoing>>, Res<WordScreen>),
    mut happened: MessageReader<Happened>,
    mut asked: MessageReader<ChangeAsked>,
    mut learners: Query<
        (
            &mut Learner,
            &mut LearnerState,
            &mut SessionLog,
            &mut Outbox,
            &SessionClock,
            Option<&NextSession>,
        ),
        Without<Mirror>,
    >,
    mut folded: MessageWriter<Folded>,
    mut refused: MessageWriter<ChangeRefused>,
) {
    let now = wall_clock(redoing.as_deref());
    for Happened { learner, body } in happened.read() {
        let Ok((mut who, mut state, mut log, mut outbox, _, next)) = learners.get_mut(*learner)
        else {
            error!("something happened to an entity that is no learner here; it is not recorded");
            continue;
        };
        // A joining is always a new life, whatever became of the one before.
        if let Some(cause) = cause_of(body).filter(|cause| *cause != LifeCause::Joined)
            && let Err(why) = state.life.admits(cause)
        {
            let learner = *learner;
            refused.write(ChangeRefused {
                learner,
                cause,
                why,
            });
            continue;
        }
        if let (EventBody::SessionStarted { .. }, Some(next)) = (body, next) {
            who.session = next.session;
            commands.insert_resource(ActiveLesson(next.lesson.clone()));
            commands.entity(*learner).remove::<NextSession>();
        }
        let mut body = body.clone();
        screen_words(&mut body, &screen.0);
        if let Some(event) = take_in(&who, &mut state, &mut log, &mut outbox, now, body) {
            let learner = *learner;
            folded.write(Folded { learner, event });
        }
    }
    for &ChangeAsked { learner, cause } in asked.read() {
        let Ok((who, mut state, mut log, mut outbox, clock, _)) = learners.get_mut(learner) else {
            error!("{cause:?} is asked for of an entity that is no learner here");
            continue;
        };
        match event_of(&state.life, cause, clock.at(time.elapsed())) {
            Ok(Some(body)) => {
                if let Some(event) = take_in(&who, &mut state, &mut log, &mut outbox, now, body) {
                    folded.write(Folded { learner, event });
                }
            }
            Ok(None) => error!("{cause:?} is told by an event of its own, not asked for"),
            Err(why) => {
                refused.write(ChangeRefused {
                    learner,
                    cause,
                    why,
                });
            }
        }
    }
}

/// Gives an event its place in the log, folds it, and has it stored.
pub(super) fn take_in(
    who: &Learner,
    state: &mut LearnerState,
    log: &mut SessionLog,
    outbox: &mut Outbox,
    at_unix_ms: u64,
    body: EventBody,
) -> Option<Event> {
    let event = Event {
        seq: state.seq + 1,
        at_unix_ms,
        learner: who.id,
        session: who.session,
        body,
    };
    // Seq and learner are the state's own, so this fails only on a bug; the event is kept out of the log then.
    match admit(&event, state, log, outbox) {
        Ok(()) => Some(event),
        Err(error) => {
            error!(learner = %who.id, "an event does not fit its log: {error}");
            None
        }
    }
}

/// Folds an event that has its place in the log, and has it stored.
pub(super) fn admit(
    event: &Event,
    state: &mut LearnerState,
    log: &mut SessionLog,
    outbox: &mut Outbox,
) -> Result<(), FoldError> {
    state.fold(event)?;
    if matches!(event.body, EventBody::SessionStarted { .. }) {
        log.0.clear();
    }
    if rebuilds(&event.body) {
        log.0.push(event.body.clone());
    }
    outbox.0.push_back(event.clone());
    Ok(())
}

pub(super) fn hand_over(recorder: Res<Recorder>, mut outboxes: Query<&mut Outbox>) {
    for mut outbox in &mut outboxes {
        while let Some(event) = outbox.0.pop_front() {
            if let Err(event) = recorder.append(event) {
                outbox.0.push_front(event);
                break;
            }
        }
    }
}

pub(super) fn collect_acknowledgements(
    recorder: Res<Recorder>,
    mut learners: Query<(&Learner, &mut AcknowledgedSeq)>,
    mut health: ResMut<RecordHealth>,
    mut safe: Local<HashMap<LearnerId, u64>>,
) {
    safe.extend(recorder.acknowledgements().map(|it| (it.learner, it.seq)));
    if !safe.is_empty() {
        for (learner, mut seq) in &mut learners {
            if let Some(safe) = safe.remove(&learner.id).filter(|safe| *safe > seq.0) {
                seq.0 = safe;
            }
        }
        // Somebody who left meanwhile.
        safe.clear();
    }
    if let Some(change) = recorder.health_change() {
        health.0 = change;
    }
}
