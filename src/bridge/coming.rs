//! What comes from the network to the world about learners whose session runs elsewhere, and what goes back to them.
//! The network side waits where the world is slow; the world never does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};

use crate::protocol::command::Command;
use crate::protocol::event::Event;
use crate::protocol::ids::{LearnerId, LessonId, SessionId};
use crate::protocol::parcel::{Parcel, Position};
use crate::protocol::picture::{Look, Shown};
use crate::protocol::wire::{Done, Learning, WireError};

/// Messages under way to the world, of all connections together. Each connection has a smaller share of its own.
pub(super) const COMING: usize = 4096;

/// A learner's connection; another one each time they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Connection(u64);

impl Connection {
    pub(super) fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// From the network.
#[derive(Debug)]
pub(super) enum ToWorld {
    /// A learner asks to be followed.
    Join(Box<Asking>),
    /// The next of their stream.
    Parcel {
        connection: Connection,
        parcel: Box<Parcel>,
        /// The connection's share; free again when the world has taken this in.
        _place: OwnedSemaphorePermit,
    },
    /// What became of a command there.
    Done { connection: Connection, done: Done },
    /// The picture that was asked for there, or why there is none.
    Shown {
        connection: Connection,
        shown: Box<Shown>,
    },
    /// The connection ended; the learner may come back.
    Left { connection: Connection },
    /// Somebody wants to read a log.
    Read(ReadLog),
}

/// A learner who asks to be followed.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) learning: Learning,
    /// What shows that it is they who come back.
    pub(super) resume: Option<String>,
    /// The access token itself is this learner's, so that nothing else has to show it.
    pub(super) is_theirs: bool,
    pub(super) connection: Connection,
    pub(super) line: mpsc::Sender<ToRuntime>,
    pub(super) safe: Arc<Safe>,
    pub(super) answer: oneshot::Sender<Result<Admitted, WireError>>,
}

/// A learner who is followed now.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) session: Option<SessionId>,
    pub(super) resume_token: String,
    pub(super) has: Position,
    pub(super) lesson: Option<LessonId>,
}

/// From the world to a learner's runtime.
#[derive(Debug)]
pub(super) enum ToRuntime {
    Do(Box<Command>),
    Look(Box<Look>),
    /// They came over another connection.
    Superseded,
}

/// How much of a learner's stream is here for good. The newest only, so there is always room for it.
#[derive(Debug, Default)]
pub(super) struct Safe {
    events: AtomicU64,
    samples: AtomicU64,
    told: Notify,
}

impl Safe {
    /// It is so much now. Nobody is woken yet: a class has many in a frame, and waking another thread costs more than all
    /// the rest of it.
    pub(super) fn set(&self, has: Position) {
        // Each for itself: either may be told before the other.
        self.events.store(has.events, Ordering::Relaxed);
        self.samples.store(has.samples, Ordering::Release);
    }

    /// The conversation tells it.
    pub(super) fn tell(&self) {
        self.told.notify_one();
    }

    /// Waits until there is something to tell.
    pub(super) async fn changed(&self) -> Position {
        self.told.notified().await;
        let samples = self.samples.load(Ordering::Acquire);
        let events = self.events.load(Ordering::Relaxed);
        Position { events, samples }
    }
}

/// Somebody wants to read a log.
#[derive(Debug)]
pub(super) struct ReadLog {
    pub(super) learner: LearnerId,
    pub(super) after: u64,
    pub(super) most: usize,
    pub(super) answer: oneshot::Sender<Result<Vec<Event>, String>>,
}

/// The way to the world. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Coming {
    to_world: mpsc::Sender<ToWorld>,
    bell: Bell,
}

impl Coming {
    pub(super) fn new(to_world: mpsc::Sender<ToWorld>, bell: Bell) -> Self {
        Self { to_world, bell }
    }

    /// Waits for room. A world that has ended takes nothing any more, and nobody has to know.
    pub(super) async fn send(&self, message: ToWorld) {
        self.put(message).await;
        self.bell.ring();
    }

    /// The same without waking the world: [`Bell::ring`] once for all that was put.
    pub(super) async fn put(&self, message: ToWorld) {
        if let Err(full) = self.to_world.try_send(message) {
            // It has to wake up to make room.
            self.bell.ring();
            let (TrySendError::Full(message) | TrySendError::Closed(message)) = full;
            let _ = self.to_world.send(message).await;
        }
    }

    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

/// Wakes a world that does not run by the frames of a display.
#[derive(Debug, Clone)]
pub(super) struct Bell(crossbeam_channel::Sender<()>);

impl Bell {
    pub(super) fn new() -> (Self, crossbeam_channel::Receiver<()>) {
        let (ring, heard) = crossbeam_channel::bounded(1);
        (Self(ring), heard)
    }

    pub(super) fn ring(&self) {
        // It rings already.
        let _ = self.0.try_send(());
    }
}
