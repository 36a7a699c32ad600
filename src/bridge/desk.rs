//! The desk between world and network: one task that holds what is published and who waits for which answer.
//! Handlers come and go with their requests; nothing that must last lives in them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::protocol::command::{Command, Outcome};
use crate::protocol::event::Event;
use crate::protocol::ids::{CommandId, LearnerId};
use crate::protocol::snapshot::LearnerSnapshot;
use crate::session::pairing::DoorAlert;

/// From the frame: never waits, never locks.
#[derive(Debug)]
pub(super) enum FromWorld {
    Snapshot(Box<LearnerSnapshot>),
    Gone(LearnerId),
    Event(Box<Event>),
    Answer(Box<Command>, Outcome),
    Records(RecordsState),
    Alert(DoorAlert),
}

/// How the learning records fare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct RecordsState {
    /// Whether they are written as they come.
    pub(super) good: bool,
    /// Why not, and what to do.
    pub(super) why: Option<String>,
}

/// What anybody with the token may read.
#[derive(Debug, Clone, Default)]
pub(super) struct Published {
    pub(super) learners: BTreeMap<LearnerId, Arc<LearnerSnapshot>>,
    pub(super) records: RecordsState,
    /// What somebody should look at, oldest first; the latest [`ALERTS`].
    pub(super) alerts: VecDeque<DoorAlert>,
}

/// Alerts kept for whoever looks later.
const ALERTS: usize = 64;
/// Events for live streams; a reader that falls behind by this many skips some.
const STREAM: usize = 512;
/// A command reaches the world and is answered within a frame or two; this long means that the world stands still.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum AskError {
    #[error(
        "too many commands are under way; wait a second and send it again with the same command id"
    )]
    Busy,
    #[error(
        "the lesson did not answer within 2 s; it may be starting or standing still (see /healthz); sending it again with the same command id is safe"
    )]
    NoAnswer,
}

struct Question {
    command: Command,
    answer: oneshot::Sender<Result<Outcome, AskError>>,
}

/// The network side's view of the world. Cheap to clone.
#[derive(Clone)]
pub(super) struct Desk {
    published: watch::Receiver<Arc<Published>>,
    events: broadcast::Sender<Arc<Event>>,
    questions: mpsc::Sender<Question>,
}

impl Desk {
    pub(super) fn published(&self) -> Arc<Published> {
        self.published.borrow().clone()
    }

    /// Follows what is published.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<Published>> {
        self.published.clone()
    }

    /// Follows the events.
    pub(super) fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// Has a command carried out and says what really happened.
    pub(super) async fn ask(&self, command: Command) -> Result<Outcome, AskError> {
        let (answer, answered) = oneshot::channel();
        self.questions
            .try_send(Question { command, answer })
            .map_err(|_| AskError::Busy)?;
        match tokio::time::timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(outcome)) => outcome,
            _ => Err(AskError::NoAnswer),
        }
    }
}

/// Starts the task. It ends when the world is gone.
pub(super) fn open(
    mut from_world: mpsc::Receiver<FromWorld>,
    to_world: crossbeam_channel::Sender<Command>,
) -> Desk {
    let (publish, published) = watch::channel(Arc::new(Published {
        records: RecordsState {
            good: true,
            why: None,
        },
        ..Published::default()
    }));
    let (events, _) = broadcast::channel(STREAM);
    let (questions, mut asked) = mpsc::channel::<Question>(super::REQUESTS);
    let desk = Desk {
        published,
        events: events.clone(),
        questions,
    };
    tokio::spawn(async move {
        let mut waiting: HashMap<CommandId, Vec<oneshot::Sender<Result<Outcome, AskError>>>> =
            HashMap::new();
        loop {
            tokio::select! {
                update = from_world.recv() => match update {
                    None => return,
                    Some(FromWorld::Snapshot(snapshot)) => publish.send_modify(|published| {
                        let published = Arc::make_mut(published);
                        published.learners.insert(snapshot.learner, Arc::from(snapshot));
                    }),
                    Some(FromWorld::Gone(learner)) => publish.send_modify(|published| {
                        Arc::make_mut(published).learners.remove(&learner);
                    }),
                    Some(FromWorld::Records(records)) => {
                        publish.send_modify(|published| Arc::make_mut(published).records = records);
                    }
                    Some(FromWorld::Alert(alert)) => publish.send_modify(|published| {
                        let alerts = &mut Arc::make_mut(published).alerts;
                        alerts.push_back(alert);
                        while alerts.len() > ALERTS {
                            alerts.pop_front();
                        }
                    }),
                    // Without listeners there is nobody to tell.
                    Some(FromWorld::Event(event)) => drop(events.send(Arc::from(event))),
                    Some(FromWorld::Answer(command, outcome)) => {
                        for answer in waiting.remove(&command.id).unwrap_or_default() {
                            let _ = answer.send(Ok(outcome.clone()));
                        }
                    }
                },
                Some(Question { command, answer }) = asked.recv() => {
                    // Whoever stopped waiting makes room.
                    waiting.retain(|_, answers| {
                        answers.retain(|answer| !answer.is_closed());
                        !answers.is_empty()
                    });
                    let id = command.id;
                    if to_world.try_send(command).is_ok() {
                        waiting.entry(id).or_default().push(answer);
                    } else {
                        let _ = answer.send(Err(AskError::Busy));
                    }
                }
            }
        }
    });
    desk
}
