//! A session's own time and the learner's signs of life, and what is due by them.

use std::time::Duration;

use bevy::prelude::*;

use super::life::LifeRules;
use super::state::LearnerState;
use super::stream::mirror::Mirror;
use super::{ChangeAsked, Folded, Learner, Stirred};
use crate::protocol::command::Principal;
use crate::protocol::event::{EventBody, PauseCause};

/// A gap longer than this between two frames is a process that slept, not a learner who thought: whoever counts time
/// of the running lesson counts no more for one frame.
pub(crate) const LONGEST_FRAME: Duration = Duration::from_secs(1);

/// How long things may last.
#[derive(Resource, Debug, Clone, Copy, Default)]
pub struct SessionRules(pub LifeRules);

/// Time of the session: since it began, monotone, interruptions left out.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SessionClock {
    /// Time of the session and of `Time<Real>` when the learner joined here.
    joined: Option<(Duration, Duration)>,
    /// The last sign of the learner, in time of the session.
    last_sign: Duration,
}

impl SessionClock {
    /// Time of the session at this moment of `Time<Real>`.
    #[must_use]
    pub fn at(&self, real: Duration) -> Duration {
        self.joined.map_or(Duration::ZERO, |(session, then)| {
            session.saturating_add(real.saturating_sub(then))
        })
    }
}

/// A session that is taken up again goes on from the time that its log tells.
pub(super) fn start_clocks(
    time: Res<Time<Real>>,
    mut joined: Query<(&LearnerState, &mut SessionClock), Added<Learner>>,
) {
    for (state, mut clock) in &mut joined {
        let session = state.life.at();
        clock.joined = Some((session, time.elapsed()));
        clock.last_sign = session;
    }
}

/// What the learner did is a sign of them; what others did isn't.
pub(super) fn notice_signs(
    time: Res<Time<Real>>,
    mut folded: MessageReader<Folded>,
    mut stirred: MessageReader<Stirred>,
    mut clocks: Query<&mut SessionClock>,
) {
    let signs = folded
        .read()
        .filter(|folded| is_sign(&folded.event.body))
        .map(|folded| folded.learner)
        .chain(stirred.read().map(|stirred| stirred.learner));
    for learner in signs {
        if let Ok(mut clock) = clocks.get_mut(learner) {
            clock.last_sign = clock.at(time.elapsed());
        }
    }
}

fn is_sign(body: &EventBody) -> bool {
    match body {
        EventBody::SessionStarted { .. }
        | EventBody::SessionResumed
        | EventBody::StepEntered { .. }
        | EventBody::StepCompleted { .. }
        | EventBody::Attempted(_)
        | EventBody::Paused {
            by: PauseCause::Learner | PauseCause::Break,
        }
        | EventBody::Resumed {
            by: PauseCause::Learner | PauseCause::Runtime | PauseCause::Break,
        } => true,
        EventBody::CommandApplied { command, .. } | EventBody::CommandRefused { command, .. } => {
            command.principal == Principal::Learner
        }
        EventBody::Told { by, .. } => *by == Principal::Learner,
        _ => false,
    }
}

/// Sessions that run here and that nobody is at go idle and end; those whose link is gone for too long end.
pub(super) fn close_idle(
    time: Res<Time<Real>>,
    rules: Res<SessionRules>,
    learners: Query<(Entity, &LearnerState, &SessionClock), (With<Learner>, Without<Mirror>)>,
    mut asked: MessageWriter<ChangeAsked>,
) {
    for (learner, state, clock) in &learners {
        let now = clock.at(time.elapsed());
        if let Some(cause) = state.life.due(now, clock.last_sign, &rules.0) {
            asked.write(ChangeAsked { learner, cause });
        }
    }
}
