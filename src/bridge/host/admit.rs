//! Who is let in as a learner, and with what: their log as it lies in the store, read by the record thread.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use bevy::prelude::*;
use crossbeam_channel::{Receiver, TryRecvError};
use tracing::info;

use super::{Classroom, Connected, Headset, Link};
use crate::bridge::Bridge;
use crate::bridge::coming::{Admitted, Asking, ToRuntime};
use crate::protocol::ids::{LearnerId, SessionId};
use crate::protocol::parcel::Position;
use crate::protocol::wire::{ErrorCode, WireError};
use crate::record::{LearnerEntry, RecordError, Recorder, Store};
use crate::session::join::{JoinError, Joining};
use crate::session::resume::Claim;
use crate::session::standing::Age;
use crate::session::stream::mirror::Mirror;
use crate::session::{AcknowledgedSeq, Learner, SessionLog, rebuilds, unix_ms};

/// Clocks of host and host may be this far apart: a token may have been issued by another one with the same key.
const SKEW: Duration = Duration::from_mins(2);
/// Logs being read at once; who comes later waits.
const READING: usize = 16;

/// Who asked to come in and has no answer yet.
#[derive(Resource, Debug, Default)]
pub(crate) struct Waiting {
    asked: VecDeque<Asking>,
    reading: Vec<(Asking, Receiver<Result<Joined, RecordError>>)>,
    known: Known,
}

/// Who has a log here: for others the disk need not be asked, which would keep a whole class waiting in turn.
#[derive(Debug, Default)]
enum Known {
    /// Nobody has looked.
    #[default]
    Unasked,
    /// The record thread is looking.
    Asked(Receiver<Result<Vec<LearnerEntry>, RecordError>>),
    /// These, and whoever came since.
    All(HashSet<LearnerId>),
}

impl Known {
    /// Looks, as far as that goes without waiting.
    fn look(&mut self, recorder: &Recorder) {
        match self {
            Self::Unasked => {
                if let Some(asked) = recorder.ask(Store::learners) {
                    *self = Self::Asked(asked);
                }
            }
            Self::Asked(asked) => match asked.try_recv() {
                Ok(Ok(all)) => *self = Self::All(all.iter().map(|entry| entry.learner).collect()),
                Ok(Err(_)) | Err(TryRecvError::Disconnected) => *self = Self::Unasked,
                Err(TryRecvError::Empty) => {}
            },
            Self::All(_) => {}
        }
    }

    /// Whether there is no log of theirs for certain.
    fn is_new(&self, learner: LearnerId) -> bool {
        matches!(self, Self::All(all) if !all.contains(&learner))
    }

    fn came(&mut self, learner: LearnerId) {
        if let Self::All(all) = self {
            all.insert(learner);
        }
    }
}

type Joined = Result<Joining, JoinError>;

impl Waiting {
    pub(crate) fn push(&mut self, asking: Asking) {
        self.asked.push_back(asking);
    }
}

/// Lets in those whose log is at hand, and has the others' read.
pub(crate) fn answer_those_who_wait(
    mut commands: Commands,
    time: Res<Time<Real>>,
    classroom: Option<Res<Classroom>>,
    (recorder, bridge): (Option<Res<Recorder>>, Option<Res<Bridge>>),
    mut waiting: ResMut<Waiting>,
    mut connected: ResMut<Connected>,
    mut learners: Query<(&mut Headset, &Mirror, &AcknowledgedSeq, &Learner)>,
) {
    let (Some(classroom), Some(recorder), Some(bridge)) = (classroom, recorder, bridge) else {
        return;
    };
    let waiting = &mut *waiting;
    waiting.known.look(&recorder);
    while waiting.reading.len() < READING
        && let Some(asking) = waiting.asked.pop_front()
    {
        let learner = asking.learning.learner;
        if let Some(&entity) = connected.by_learner.get(&learner)
            && let Ok((mut headset, mirror, stored, who)) = learners.get_mut(entity)
        {
            let has = mirror.acknowledgement(*stored);
            // Of whom nothing came yet there is nothing to guard, and their first welcome may have been lost on its way, and
            // the token with it.
            let known = has != Position::default();
            if let Some(asking) = shown_to_be(asking, known, &classroom) {
                let link = link_to(&asking, has);
                if let Ok(old) = std::mem::replace(&mut headset.link, Ok(link)) {
                    connected.by_connection.remove(&old.connection);
                    let _ = old.line.try_send(ToRuntime::Superseded);
                }
                connected.by_connection.insert(asking.connection, entity);
                welcome(asking, has, Some(who.session), &classroom);
            }
            continue;
        }
        if waiting.known.is_new(learner) {
            waiting.known.came(learner);
            let joining = Joining {
                learner,
                ..Joining::newcomer()
            };
            let now = time.elapsed();
            enter(
                &mut commands,
                &mut connected,
                asking,
                joining,
                &classroom,
                now,
            );
            continue;
        }
        // The same learner's log is being read for a connection that ended meanwhile: one after the other.
        let bell = bridge.ring.clone();
        let read = move |store: &Store| {
            let joining = Joining::of(store, learner);
            // Nothing else may come that wakes the world.
            bell.ring();
            Ok(joining)
        };
        let read = (!waiting.is_reading(learner))
            .then(|| recorder.ask(read))
            .flatten();
        let Some(read) = read else {
            waiting.asked.push_front(asking);
            break;
        };
        waiting.reading.push((asking, read));
    }
    let mut still = Vec::with_capacity(waiting.reading.len());
    for (asking, read) in waiting.reading.drain(..) {
        let joining = match read.try_recv() {
            Err(TryRecvError::Empty) => {
                still.push((asking, read));
                continue;
            }
            Err(TryRecvError::Disconnected) => {
                refuse(
                    asking,
                    ErrorCode::Record,
                    "the records are closed".to_owned(),
                );
                continue;
            }
            Ok(Ok(Ok(joining))) => joining,
            Ok(Ok(Err(error))) => {
                refuse(asking, ErrorCode::Record, error.to_string());
                continue;
            }
            Ok(Err(error)) => {
                refuse(asking, ErrorCode::Record, error.to_string());
                continue;
            }
        };
        if let Some(asking) = shown_to_be(asking, !joining.log.is_empty(), &classroom) {
            waiting.known.came(joining.learner);
            enter(
                &mut commands,
                &mut connected,
                asking,
                joining,
                &classroom,
                time.elapsed(),
            );
        }
    }
    waiting.reading = still;
}

impl Waiting {
    fn is_reading(&self, learner: LearnerId) -> bool {
        let mut reading = self.reading.iter();
        reading.any(|(asking, _)| asking.learning.learner == learner)
    }
}

/// Who asks, where it may be they: somebody new, or with a token of ours. `None`: refused, and told so.
fn shown_to_be(asking: Asking, known: bool, classroom: &Classroom) -> Option<Asking> {
    if !known || asking.is_theirs {
        return Some(asking);
    }
    let Some(token) = &asking.resume else {
        let why = "this learner is known here, and nothing shows that it is they who come back: \
                   a headset keeps its resume token beside its records; else pair it again for this learner";
        refuse(asking, ErrorCode::ResumeRefused, why.to_owned());
        return None;
    };
    let claim = classroom.key.check(token, unix_ms(), SKEW);
    match claim {
        Ok(claim) if claim.learner == asking.learning.learner => Some(asking),
        Ok(_) => {
            let why = "the resume token belongs to another learner; pair again for this one";
            refuse(asking, ErrorCode::ResumeRefused, why.to_owned());
            None
        }
        Err(why) => {
            refuse(asking, ErrorCode::ResumeRefused, why.to_string());
            None
        }
    }
}

/// Says no, and why.
pub(crate) fn refuse(asking: Asking, code: ErrorCode, message: String) {
    let id = None;
    // The connection may have ended meanwhile.
    let _ = asking.answer.send(Err(WireError { code, message, id }));
}

fn link_to(asking: &Asking, acknowledged: Position) -> Link {
    Link {
        connection: asking.connection,
        line: asking.line.clone(),
        safe: asking.safe.clone(),
        acknowledged,
    }
}

fn enter(
    commands: &mut Commands,
    connected: &mut Connected,
    asking: Asking,
    joining: Joining,
    classroom: &Classroom,
    now: Duration,
) {
    let id = joining.learner;
    let stored = AcknowledgedSeq(joining.state.seq);
    let mirror = Mirror::new(id, stored.0);
    let has = mirror.acknowledgement(stored);
    let bodies = joining.session_log().iter().map(|event| &event.body);
    let log = SessionLog(bodies.filter(|body| rebuilds(body)).cloned().collect());
    let session = joining.state.session;
    let learner = Learner {
        id,
        session: session.unwrap_or(asking.learning.session),
    };
    // It may have ended while the log was read.
    let link = match asking.line.is_closed() {
        true => Err(now),
        false => Ok(link_to(&asking, has)),
    };
    let entity = commands.spawn((
        learner,
        joining.state,
        log,
        stored,
        mirror,
        Headset { link },
        Age(asking.learning.age),
    ));
    info!(learner = %id, lesson = %asking.learning.lesson, "joined");
    connected.by_learner.insert(id, entity.id());
    connected
        .by_connection
        .insert(asking.connection, entity.id());
    welcome(asking, has, session, classroom);
}

fn welcome(asking: Asking, has: Position, session: Option<SessionId>, classroom: &Classroom) {
    let claim = Claim {
        learner: asking.learning.learner,
        session: asking.learning.session,
        seq: has.events,
        issued_unix_ms: unix_ms(),
        good_for_ms: u64::try_from(classroom.token_good_for.as_millis()).unwrap_or(u64::MAX),
    };
    let admitted = Admitted {
        session,
        resume_token: classroom.key.issue(&claim),
        has,
        lesson: classroom.lesson.clone(),
    };
    let _ = asking.answer.send(Ok(admitted));
}
