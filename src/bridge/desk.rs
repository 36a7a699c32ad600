//! The desk between world and network: one task that holds what is published and who waits for which answer.
//! Handlers come and go with their requests; nothing that must last lives in them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::coming::{Coming, ReadLog, Safe, ToWorld};
use crate::protocol::command::{Command, Outcome};
use crate::protocol::event::Event;
use crate::protocol::ids::{CommandId, LearnerId};
use crate::protocol::sample::Sample;
use crate::protocol::snapshot::LearnerSnapshot;
use crate::session::answers::ANSWER_WITHIN;
use crate::session::frames::Frames;
use crate::session::pairing::DoorAlert;

/// From the frame: never waits, never locks.
#[derive(Debug)]
pub(super) enum FromWorld {
    Snapshot(Box<LearnerSnapshot>),
    Sample(Arc<Sample>),
    /// Of so many learners it is known now what is here for good.
    Safe(Vec<Arc<Safe>>),
    Gone(LearnerId),
    Event(Box<Event>),
    Answer(Box<Command>, Outcome),
    Health(Fares),
    Alert(DoorAlert),
    Frames(Box<Frames>),
}

/// How the learning records fare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct RecordsState {
    /// Whether they are written as they come.
    pub(super) good: bool,
    /// Why not, and what to do.
    pub(super) why: Option<String>,
}

/// How the running process fares, as the world tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Fares {
    /// The learning records.
    pub(super) records: RecordsState,
    /// Commands that were not answered within 2 s.
    pub(super) commands: CommandsState,
    /// The learners' samples.
    pub(super) stream: StreamState,
    /// The machine's memory.
    pub(super) memory: MemoryState,
}

/// How the machine fares in memory, as its system says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub(super) struct MemoryState {
    /// Whether it said within two minutes that it is short; it may then end the program, whose lesson goes on at the
    /// next start.
    pub(super) low: bool,
    /// How often it said so since the process began.
    pub(super) times: u64,
}

/// Commands that were not answered within 2 s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub(super) struct CommandsState {
    /// Those of the last minute that still are not; health is good where there are none.
    pub(super) unanswered: usize,
    /// All since the process began.
    pub(super) unanswered_ever: u64,
}

/// How punctual samples are: how far intervals are off what was planned, over all learners.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub(super) struct StreamState {
    /// Intervals measured.
    pub(super) intervals: u64,
    /// Half of them are off by no more, milliseconds; none without intervals.
    pub(super) off_p50_ms: Option<f64>,
    /// 99 in 100 are off by no more, milliseconds. The goal is 50.
    pub(super) off_p99_ms: Option<f64>,
    /// None is off by more, milliseconds.
    pub(super) off_at_most_ms: f64,
}

impl Fares {
    /// Whether all is well.
    pub(super) fn good(&self) -> bool {
        self.records.good && self.commands.unanswered == 0
    }
}

/// What anybody with the token may read.
#[derive(Debug, Clone, Default)]
pub(super) struct Published {
    pub(super) learners: BTreeMap<LearnerId, Arc<LearnerSnapshot>>,
    pub(super) health: Fares,
    /// How the headset's frames fare, where one shows any.
    pub(super) frames: Option<Frames>,
    /// What somebody should look at, oldest first; the latest [`ALERTS`].
    pub(super) alerts: VecDeque<DoorAlert>,
}

/// Alerts kept for whoever looks later.
const ALERTS: usize = 64;

/// The newest sample of everybody here.
pub(super) type Samples = BTreeMap<LearnerId, Arc<Sample>>;

/// Events for live streams; a reader that falls behind by this many skips some.
const STREAM: usize = 512;
/// Updates of the world that are taken in at once: a class publishes many in a frame.
const AT_ONCE: usize = 256;

/// Reading a log of some hours takes a good part of a second, and others may be read before it.
const READ_WITHIN: Duration = Duration::from_secs(10);

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
    samples: watch::Receiver<Arc<Samples>>,
    coming: Coming,
}

impl Desk {
    /// The way to the world for learners' runtimes.
    pub(super) fn coming(&self) -> &Coming {
        &self.coming
    }

    /// Follows the newest samples.
    pub(super) fn samples(&self) -> watch::Receiver<Arc<Samples>> {
        self.samples.clone()
    }

    /// Events of a learner's log after a place in it, from the store: `most` at most.
    ///
    /// # Errors
    /// In words, where the store can't be read, or where there is none.
    pub(super) async fn read_log(
        &self,
        learner: LearnerId,
        after: u64,
        most: usize,
    ) -> Result<Vec<Event>, String> {
        let (answer, answered) = oneshot::channel();
        let request = ReadLog {
            learner,
            after,
            most,
            answer,
        };
        self.coming.send(ToWorld::Read(request)).await;
        match tokio::time::timeout(READ_WITHIN, answered).await {
            Ok(Ok(read)) => read,
            _ => Err("the records did not answer in time; ask again".to_owned()),
        }
    }

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
    coming: Coming,
) -> Desk {
    let (publish, published) = watch::channel(Arc::new(Published {
        health: Fares {
            records: RecordsState {
                good: true,
                why: None,
            },
            ..Fares::default()
        },
        ..Published::default()
    }));
    let (events, _) = broadcast::channel(STREAM);
    let (questions, mut asked) = mpsc::channel::<Question>(super::REQUESTS);
    let (publish_samples, samples) = watch::channel(Arc::new(Samples::new()));
    let bell = coming.bell();
    let desk = Desk {
        published,
        events: events.clone(),
        questions,
        samples,
        coming,
    };
    tokio::spawn(async move {
        let mut waiting: HashMap<CommandId, Vec<oneshot::Sender<Result<Outcome, AskError>>>> =
            HashMap::new();
        let mut updates = Vec::with_capacity(AT_ONCE);
        loop {
            tokio::select! {
                some = from_world.recv_many(&mut updates, AT_ONCE) => {
                    if some == 0 {
                        return;
                    }
                    let mut told = Told { publish: &publish, samples: &publish_samples, states: Vec::new(), newest: Vec::new() };
                    for update in updates.drain(..) {
                        match update {
                            FromWorld::Snapshot(snapshot) => told.states.push(State::Is(snapshot)),
                            FromWorld::Gone(learner) => told.states.push(State::Gone(learner)),
                            FromWorld::Sample(sample) => told.newest.push(sample),
                            FromWorld::Safe(those) => those.iter().for_each(|safe| safe.tell()),
                            FromWorld::Health(health) => told.states.push(State::Health(health)),
                            FromWorld::Frames(frames) => told.states.push(State::Frames(frames)),
                            FromWorld::Alert(alert) => told.states.push(State::Alert(alert)),
                            // Without listeners there is nobody to tell. A state is published before its events and answers.
                            FromWorld::Event(event) => {
                                told.publish();
                                drop(events.send(Arc::from(event)));
                            }
                            FromWorld::Answer(command, outcome) => {
                                told.publish();
                                for answer in waiting.remove(&command.id).unwrap_or_default() {
                                    let _ = answer.send(Ok(outcome.clone()));
                                }
                            }
                        }
                    }
                    told.publish();
                }
                Some(Question { command, answer }) = asked.recv() => {
                    // Whoever stopped waiting makes room.
                    waiting.retain(|_, answers| {
                        answers.retain(|answer| !answer.is_closed());
                        !answers.is_empty()
                    });
                    let id = command.id;
                    if to_world.try_send(command).is_ok() {
                        bell.ring();
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

/// What the world says of its state, until it is published at once.
struct Told<'a> {
    publish: &'a watch::Sender<Arc<Published>>,
    samples: &'a watch::Sender<Arc<Samples>>,
    states: Vec<State>,
    newest: Vec<Arc<Sample>>,
}

enum State {
    Is(Box<LearnerSnapshot>),
    Gone(LearnerId),
    Health(Fares),
    Alert(DoorAlert),
    Frames(Box<Frames>),
}

impl Told<'_> {
    fn publish(&mut self) {
        let gone = |state: &State| matches!(state, State::Gone(_));
        if !self.newest.is_empty() || self.states.iter().any(gone) {
            self.samples.send_modify(|samples| {
                let samples = Arc::make_mut(samples);
                for sample in self.newest.drain(..) {
                    samples.insert(sample.learner, sample);
                }
                for state in &self.states {
                    if let State::Gone(learner) = state {
                        samples.remove(learner);
                    }
                }
            });
        }
        if self.states.is_empty() {
            return;
        }
        self.publish.send_modify(|published| {
            let published = Arc::make_mut(published);
            for state in self.states.drain(..) {
                match state {
                    State::Is(snapshot) => {
                        published
                            .learners
                            .insert(snapshot.learner, Arc::from(snapshot));
                    }
                    State::Gone(learner) => {
                        published.learners.remove(&learner);
                    }
                    State::Health(health) => published.health = health,
                    State::Frames(frames) => published.frames = Some(*frames),
                    State::Alert(alert) => {
                        published.alerts.push_back(alert);
                        while published.alerts.len() > ALERTS {
                            published.alerts.pop_front();
                        }
                    }
                }
            }
        });
    }
}
