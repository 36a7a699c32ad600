//! A disk in memory that fills up, is shut, tears and flips as a test says; and a log to lay on it.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::error::RecordError;
use super::key::Keys;
use super::store::Store;
use crate::learning::bkt::BktParams;
use crate::learning::quality::Quality;
use crate::learning::skill::SkillId;
use crate::protocol::event::{Attempt, Event, EventBody, Evidence};
use crate::protocol::ids::{AttemptId, LearnerId, LessonId, ObjectId, SessionId, StepId};

/// What the store on a [`Disk`] is called.
pub(super) const FILE: &str = "/data/records.redb";

/// The master key of stores on a [`Disk`].
pub(super) fn keys() -> Keys {
    Keys::from_text("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").unwrap()
}

/// A disk: clones are the same one, as a file opened twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    bytes: Vec<u8>,
    /// Writes, changes of length and syncs so far.
    steps: usize,
    /// The step at which it was, or will be, full.
    full_at: Option<usize>,
    ran_full: bool,
    /// Whether it is not full from then on, but shut: it can be read only.
    shut: bool,
    /// All that was done to it, where that is kept.
    done: Option<Vec<Done>>,
}

/// What was done to a [`Disk`], in order.
#[derive(Debug, Clone)]
pub(super) enum Done {
    Length(u64),
    Written(u64, Vec<u8>),
    /// All before it stays, whatever happens.
    Synced,
    /// So many events of the log were acknowledged.
    Acknowledged(usize),
}

impl Disk {
    pub(super) fn holding(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.platter().bytes = bytes;
        disk
    }

    pub(super) fn full_at(step: usize) -> Self {
        let disk = Self::default();
        disk.platter().full_at = Some(step);
        disk
    }

    /// As [`full_at`](Self::full_at), but read-only from that step on.
    pub(super) fn shut_at(step: usize) -> Self {
        let disk = Self::full_at(step);
        disk.platter().shut = true;
        disk
    }

    /// One that keeps what is done to it.
    pub(super) fn that_remembers() -> Self {
        let disk = Self::default();
        disk.platter().done = Some(Vec::new());
        disk
    }

    /// Remembers that this many events of a log were acknowledged.
    pub(super) fn acknowledged(&self, events: usize) {
        self.platter().note(|| Done::Acknowledged(events));
    }

    /// All that was done to it, if it [remembers](Self::that_remembers).
    pub(super) fn done(&self) -> Vec<Done> {
        self.platter().done.clone().unwrap_or_default()
    }

    /// Whether it ran full, or was shut.
    pub(super) fn ran_full(&self) -> bool {
        self.platter().ran_full
    }

    /// From now on nothing fits any more.
    pub(super) fn fill(&self) {
        let mut platter = self.platter();
        platter.full_at = Some(platter.steps);
    }

    /// After so many more writes nothing fits any more.
    pub(super) fn fill_after(&self, steps: usize) {
        let mut platter = self.platter();
        platter.full_at = Some(platter.steps + steps);
    }

    /// Somebody made room, or opened it for writing.
    pub(super) fn make_room(&self) {
        self.platter().full_at = None;
    }

    /// What `Store::open` does with a store that it could not finish making.
    pub(super) fn begin_anew(&self) {
        self.platter().bytes.clear();
    }

    /// What lies on it now: what a crash at this moment would leave.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.platter().bytes.clone()
    }

    pub(super) fn open(&self) -> Result<Store, RecordError> {
        self.open_with(&keys())
    }

    pub(super) fn open_with(&self, keys: &Keys) -> Result<Store, RecordError> {
        Store::open_on(Path::new(FILE), self.clone(), keys)
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }
}

impl Platter {
    fn note(&mut self, done: impl FnOnce() -> Done) {
        if let Some(all) = &mut self.done {
            all.push(done());
        }
    }

    fn step(&mut self) -> Result<(), Error> {
        self.steps += 1;
        match self.full_at {
            Some(at) if self.steps > at => {
                self.ran_full = true;
                let why = if self.shut {
                    ErrorKind::ReadOnlyFilesystem
                } else {
                    ErrorKind::StorageFull
                };
                Err(why.into())
            }
            _ => Ok(()),
        }
    }
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.platter().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let platter = self.platter();
        let from = usize::try_from(offset).unwrap();
        match platter.bytes.get(from..).and_then(|b| b.get(..out.len())) {
            Some(bytes) => out.copy_from_slice(bytes),
            None => return Err(ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.step()?;
        platter.note(|| Done::Length(len));
        platter.bytes.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut platter = self.platter();
        platter.step()?;
        platter.note(|| Done::Synced);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut platter = self.platter();
        let from = usize::try_from(offset).unwrap();
        let room = platter.step();
        // A disk that runs full in the middle of a write keeps its first half.
        let kept = if room.is_ok() {
            data.len()
        } else if !platter.shut && platter.full_at.is_some_and(|at| platter.steps == at + 1) {
            data.len() / 2
        } else {
            0
        };
        platter.note(|| Done::Written(offset, data[..kept].to_vec()));
        platter.bytes[from..from + kept].copy_from_slice(&data[..kept]);
        room
    }
}

/// The log of a learner: a session of this many attempts.
pub(super) fn log(attempts: u64) -> Vec<Event> {
    let (learner, session) = (LearnerId::fresh(), SessionId::fresh());
    let skill = SkillId::new("match-shape");
    let start = EventBody::SessionStarted {
        lesson: LessonId::new("first-steps"),
        lesson_digest: "b1946ac92492d2347c6235b4d2611184".to_owned(),
        seed: 7,
        skills: BTreeMap::from([(skill.clone(), BktParams::default())]),
        protocol: 1,
    };
    let attempt = |round: u64| {
        EventBody::Attempted(Attempt {
            id: AttemptId::fresh(),
            step: StepId::new("place-the-cube"),
            skills: vec![skill.clone()],
            correct: !round.is_multiple_of(3),
            credit: 0.5,
            latency: Duration::from_millis(700 + round),
            hints_used: 0,
            position_error: Some(0.013),
            rotation_error: None,
            quality: Quality::default(),
            blurred: Default::default(),
            evidence: Evidence::Grabbed {
                object: ObjectId::new("cube"),
            },
        })
    };
    std::iter::once(start)
        .chain((0..attempts).map(attempt))
        .zip(1..)
        .map(|(body, seq)| Event {
            seq,
            at_unix_ms: 1_793_500_000_000 + seq,
            learner,
            session,
            body,
        })
        .collect()
}
