//! The thread that writes: batches events, commits them with fsync, and says so.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bevy::prelude::Resource;
use crossbeam_channel::{
    Receiver, RecvTimeoutError, Sender, TrySendError, bounded, never, select_biased,
};
use tracing::{error, info};

use super::error::{RecordError, guarded};
use super::motion::MotionChunk;
use super::store::Store;
use crate::protocol::event::Event;
use crate::protocol::ids::LearnerId;

/// Events under way to the thread: minutes of the busiest lesson. What doesn't fit stays with the session.
const UNDER_WAY: usize = 4096;
/// Requests to the store under way to the thread; more are refused.
const REQUESTS: usize = 64;
/// Events written in one commit at most.
const BATCH: usize = 512;
/// Pause before a failed commit is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(if cfg!(test) { 2 } else { 500 });
/// How long the program's end waits for a disk that fails.
const LAST_TRIES: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 3000 });

/// A learner's events up to and with `seq` are safely on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// Whose.
    pub learner: LearnerId,
    /// Last safe place in the log.
    pub seq: u64,
}

/// How the log fares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Health {
    /// Written as it comes.
    #[default]
    Good,
    /// Not written at the moment; kept in memory and tried again.
    Failing {
        /// Why, and what to do.
        why: String,
    },
}

/// Work on the store, between two writes; it is given the error where there is no store to be had.
type Request = Box<dyn FnOnce(Result<&Store, RecordError>) -> bool + Send>;

/// The log's entrance. Dropping it writes what is still under way.
#[derive(Resource, Debug)]
pub struct Recorder {
    events: Option<Sender<Event>>,
    requests: Option<Sender<Request>>,
    acknowledged: Receiver<Acknowledged>,
    health: Arc<Mutex<Option<Health>>>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the thread over a store that is open already.
    ///
    /// # Errors
    /// The system's, where no thread can be had.
    pub fn start(store: Store) -> std::io::Result<Self> {
        let file = store.file().to_owned();
        let keys = store.keys().clone();
        Self::start_reopening(store, move || Store::open_existing(&file, &keys))
    }

    /// As [`Recorder::start`]; `reopen` gives a fresh store after a failed write, which leaves the old one unusable.
    ///
    /// # Errors
    /// The system's, where no thread can be had.
    pub fn start_reopening(
        store: Store,
        reopen: impl FnMut() -> Result<Store, RecordError> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (events, incoming) = bounded(UNDER_WAY);
        let (requests, asked) = bounded(REQUESTS);
        let (acknowledge, acknowledged) = bounded(UNDER_WAY);
        let health = Arc::new(Mutex::new(None));
        let health_out = health.clone();
        let file = store.file().to_owned();
        let closing = Arc::new(AtomicBool::new(false));
        let closed = closing.clone();
        let thread = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || {
                Writer {
                    file,
                    store: Some(store),
                    reopen,
                    incoming,
                    asked,
                    acknowledge,
                    health: health_out,
                    closing: closed,
                    batch: Vec::with_capacity(BATCH),
                    failing: None,
                }
                .run();
            })?;
        Ok(Self {
            events: Some(events),
            requests: Some(requests),
            acknowledged,
            health,
            closing,
            thread: Some(thread),
        })
    }

    /// Hands an event over. Never waits.
    ///
    /// # Errors
    /// Gives the event back where there is no room just now (or the thread has ended): keep it and try again.
    // An event is what the caller needs back; boxing it would allocate in the frame.
    #[allow(clippy::result_large_err)]
    pub fn append(&self, event: Event) -> Result<(), Event> {
        match &self.events {
            Some(sender) => sender.try_send(event).map_err(|error| match error {
                TrySendError::Full(event) | TrySendError::Disconnected(event) => event,
            }),
            None => Err(event),
        }
    }

    /// Has something done with the store that only this thread can reach: an audit entry, an export, an erasure.
    /// Never waits: the answer comes over the channel. It may come before events that were handed over earlier are
    /// written. Dropping the channel does not stop the work.
    ///
    /// # Errors
    /// `None` where too much is asked already, or the thread has ended: ask again later.
    #[must_use]
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, RecordError> + Send + 'static,
    ) -> Option<Receiver<Result<T, RecordError>>> {
        ask(self.requests.as_ref()?, work)
    }

    /// A way to ask that other threads may hold: it ends with this.
    #[must_use]
    pub fn door(&self) -> StoreDoor {
        StoreDoor(self.requests.clone())
    }

    /// What became safe since the last call.
    pub fn acknowledgements(&self) -> impl Iterator<Item = Acknowledged> + '_ {
        self.acknowledged.try_iter()
    }

    /// The newest change of health since the last call, if any.
    #[must_use]
    pub fn health_change(&self) -> Option<Health> {
        // Held by either side for no longer than it takes to put a value in or out.
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.take()
    }
}

/// Asks the record thread for work on the store, from another thread.
#[derive(Debug, Clone)]
pub struct StoreDoor(Option<Sender<Request>>);

impl StoreDoor {
    /// Has a block of movements kept, and waits until it is on the disk.
    ///
    /// # Errors
    /// Why it is not, in words; it may be tried again.
    pub fn keep(&self, block: &MotionChunk) -> Result<(), String> {
        let busy = || "the record thread is busy or has ended".to_owned();
        let block = block.clone();
        let asked = self
            .0
            .as_ref()
            .and_then(|requests| ask(requests, move |store: &Store| store.append_motion(&block)));
        let answer = asked.ok_or_else(busy)?.recv().map_err(|_| busy())?;
        answer.map_err(|error| error.to_string())
    }
}

fn ask<T: Send + 'static>(
    requests: &Sender<Request>,
    work: impl FnOnce(&Store) -> Result<T, RecordError> + Send + 'static,
) -> Option<Receiver<Result<T, RecordError>>> {
    let (answer, answered) = bounded(1);
    let request: Request = Box::new(move |store| {
        let done = store.and_then(work);
        let good = done.is_ok();
        // Nobody may be waiting any more.
        let _ = answer.send(done);
        good
    });
    requests.try_send(request).ok()?;
    Some(answered)
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // The closed channel tells the thread to write the rest and end; a full channel of acknowledgements that
        // nobody reads any more must not stop it.
        self.closing.store(true, Ordering::Relaxed);
        self.events = None;
        self.requests = None;
        self.acknowledged = never();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the record thread ended by a panic; the last events may be missing");
        }
    }
}

struct Writer<R> {
    file: PathBuf,
    store: Option<Store>,
    reopen: R,
    incoming: Receiver<Event>,
    asked: Receiver<Request>,
    acknowledge: Sender<Acknowledged>,
    /// The newest, until the session takes it: a session that does not look must not miss the last one.
    health: Arc<Mutex<Option<Health>>>,
    closing: Arc<AtomicBool>,
    batch: Vec<Event>,
    /// Why, as the session was told.
    failing: Option<String>,
}

impl<R: FnMut() -> Result<Store, RecordError>> Writer<R> {
    fn run(mut self) {
        let mut ending: Option<Instant> = None;
        loop {
            if self.batch.is_empty() {
                select_biased! {
                    recv(self.incoming) -> event => match event {
                        Ok(event) => self.batch.push(event),
                        Err(_) => {
                            self.answer();
                            return;
                        }
                    },
                    recv(self.asked) -> request => {
                        match request {
                            Ok(request) => self.carry_out(request),
                            // The program ends: events may still come.
                            Err(_) => self.asked = never(),
                        }
                        continue;
                    }
                }
            }
            let room = BATCH.saturating_sub(self.batch.len());
            self.batch.extend(self.incoming.try_iter().take(room));
            let file = self.file.clone();
            match guarded(&file, || self.write()) {
                Ok(()) => {
                    self.good();
                    self.acknowledge();
                    // Events come first, but a busy lesson must not shut others out.
                    self.answer();
                }
                Err(error) => {
                    self.failing(&error);
                    let closing = self.wait_to_retry();
                    if closing {
                        let since = ending.get_or_insert_with(Instant::now);
                        if since.elapsed() > LAST_TRIES {
                            error!(
                                events = self.batch.len() + self.incoming.len(),
                                "not recorded before the end: {error}"
                            );
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Carries out what is asked for by now.
    fn answer(&mut self) {
        for _ in 0..REQUESTS {
            match self.asked.try_recv() {
                Ok(request) => self.carry_out(request),
                Err(_) => return,
            }
        }
    }

    fn carry_out(&mut self, request: Request) {
        let store = guarded(&self.file.clone(), || self.take_store());
        match store {
            Ok(store) => {
                let done = catch_unwind(AssertUnwindSafe(|| request(Ok(&store))));
                // As after a failed write, it may be of no more use.
                if done.unwrap_or(false) {
                    self.store = Some(store);
                }
            }
            Err(error) => {
                request(Err(error));
            }
        }
    }

    fn take_store(&mut self) -> Result<Store, RecordError> {
        match self.store.take() {
            Some(store) => Ok(store),
            None => (self.reopen)(),
        }
    }

    fn write(&mut self) -> Result<(), RecordError> {
        let store = self.take_store()?;
        store.append(&self.batch)?;
        // Kept only while it works: redb refuses a database whose disk failed once.
        self.store = Some(store);
        Ok(())
    }

    fn acknowledge(&mut self) {
        for (index, event) in self.batch.iter().enumerate() {
            // The last of each learner speaks for those before it.
            let later = self.batch[index + 1..]
                .iter()
                .any(|other| other.learner == event.learner);
            if !later {
                // Nobody listens any more only while the program ends.
                let _ = self.acknowledge.send(Acknowledged {
                    learner: event.learner,
                    seq: event.seq,
                });
            }
        }
        self.batch.clear();
    }

    fn good(&mut self) {
        if self.failing.take().is_some() {
            info!("records are written again");
            self.tell(Health::Good);
        }
    }

    fn failing(&mut self, error: &RecordError) {
        let why = error.to_string();
        if self.failing.as_ref() != Some(&why) {
            error!("records are kept in memory: {why}");
            self.failing = Some(why.clone());
            self.tell(Health::Failing { why });
        }
    }

    fn tell(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = Some(health);
    }

    /// Waits a little, still taking events in as far as there is room. True where the program is ending.
    fn wait_to_retry(&mut self) -> bool {
        let until = Instant::now() + RETRY_AFTER;
        while self.batch.len() < BATCH {
            match self.incoming.recv_deadline(until) {
                Ok(event) => self.batch.push(event),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        self.closing.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
