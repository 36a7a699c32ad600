//! The store: one redb file with every learner's events, keyed by learner and place in the log.

use std::path::{Path, PathBuf};

use redb::{
    Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableDefinition, TableError,
};
use tracing::warn;
use uuid::Uuid;

use super::codec;
use super::error::{RecordError, guarded, opening, storage};
use crate::protocol::event::Event;
use crate::protocol::ids::LearnerId;

const EVENTS: TableDefinition<(u128, u64), &[u8]> = TableDefinition::new("events");

/// An open store.
#[derive(Debug)]
pub struct Store {
    file: PathBuf,
    database: Database,
}

/// A learner in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnerEntry {
    /// Pseudonym.
    pub learner: LearnerId,
    /// Events in the log.
    pub events: u64,
    /// Wall-clock time of the last one, milliseconds since the Unix epoch.
    pub last_at_unix_ms: u64,
}

/// What [`Store::check`] found.
#[derive(Debug, Default)]
pub struct Check {
    /// Events read.
    pub events: u64,
    /// What is wrong, in words; empty: the store is whole.
    pub problems: Vec<String>,
}

impl Store {
    /// Opens the store, making file and folder where they are missing.
    ///
    /// # Errors
    /// [`RecordError`] names the file and what to do.
    pub fn open(file: &Path) -> Result<Self, RecordError> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|cause| RecordError::Folder {
                file: file.to_owned(),
                cause,
            })?;
        }
        let there = file.try_exists().map_err(|cause| storage(file, cause))?;
        if !there {
            Self::make(file)?;
        }
        Self::open_existing(file)
    }

    /// Opens a store that must be there: a log that goes on must not go on in a new, empty file.
    pub(super) fn open_existing(file: &Path) -> Result<Self, RecordError> {
        let found = std::fs::metadata(file).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::NotFound => RecordError::Gone {
                file: file.to_owned(),
            },
            _ => storage(file, cause),
        })?;
        // redb would take it for a new one. Ours are never empty, so this one has lost what it held.
        if found.is_file() && found.len() == 0 {
            return Err(RecordError::Damaged {
                file: file.to_owned(),
                cause: "it is empty".to_owned(),
            });
        }
        Self::open_file(file)
    }

    /// A process killed while it makes the file must not leave half of one under its name.
    fn make(file: &Path) -> Result<(), RecordError> {
        let part = file.with_extension("part");
        let _ = std::fs::remove_file(&part);
        // Problems are told of the file that was asked for, not of the one it is made in.
        drop(Self::checked(file, || Database::create(&part))?);
        std::fs::rename(&part, file).map_err(|cause| storage(file, cause))?;
        // Without this a power cut could take the name away again, and the whole log with it.
        #[cfg(unix)]
        if let Some(folder) = file.parent().filter(|it| !it.as_os_str().is_empty()) {
            std::fs::File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|cause| storage(file, cause))?;
        }
        Ok(())
    }

    fn open_file(file: &Path) -> Result<Self, RecordError> {
        Self::checked(file, || Database::create(file))
    }

    /// A store over any backend of redb's: for tests of failing disks.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(file: &Path, backend: impl redb::StorageBackend) -> Result<Self, RecordError> {
        Self::checked(file, || Database::builder().create_with_backend(backend))
    }

    /// Opens and reads all of it once against its checksums: redb itself does so only after a crash, and else
    /// takes a damaged page at its word, up to a log that ends too early.
    fn checked(
        file: &Path,
        open: impl FnOnce() -> Result<Database, DatabaseError>,
    ) -> Result<Self, RecordError> {
        guarded(file, || {
            let mut database = open().map_err(|error| opening(file, error))?;
            let whole = database
                .check_integrity()
                .map_err(|error| opening(file, error))?;
            if !whole {
                // Only its book-keeping: both of redb's roots hold every acknowledged event (see `append`).
                warn!(
                    "{} was damaged and is mended; no event was touched",
                    file.display()
                );
            }
            let store = Self {
                file: file.to_owned(),
                database,
            };
            store.make_tables()?;
            Ok(store)
        })
    }

    /// Makes the tables where they are missing; a whole store is not written to, the disk may be full.
    fn make_tables(&self) -> Result<(), RecordError> {
        let read = self
            .database
            .begin_read()
            .map_err(|e| self.broken(e.into()))?;
        match read.open_table(EVENTS) {
            Ok(_) => return Ok(()),
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(self.broken(error.into())),
        }
        let write = self
            .database
            .begin_write()
            .map_err(|e| self.broken(e.into()))?;
        // A table comes into being when it is first opened for writing.
        write
            .open_table(EVENTS)
            .map_err(|e| self.broken(e.into()))?;
        write.commit().map_err(|e| self.broken(e.into()))
    }

    /// Where it lies.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Writes events, in order, all or none; they are on the disk when this returns. One that is there already
    /// is left as it is, so that a retry doubles nothing.
    ///
    /// # Errors
    /// [`RecordError`]; nothing was then written.
    pub fn append(&self, events: &[Event]) -> Result<(), RecordError> {
        guarded(&self.file, || {
            self.insert(events)?;
            // redb keeps the last two commits and silently falls back to the older when the newer is damaged.
            // What is acknowledged must be in both.
            self.insert(&[])
        })
    }

    fn insert(&self, events: &[Event]) -> Result<(), RecordError> {
        let mut write = self
            .database
            .begin_write()
            .map_err(|e| self.broken(e.into()))?;
        write
            .set_durability(Durability::Immediate)
            .map_err(|e| self.broken(e.into()))?;
        {
            let mut table = write
                .open_table(EVENTS)
                .map_err(|e| self.broken(e.into()))?;
            for event in events {
                let learner = event.learner.0.as_u128();
                let bytes = codec::encode(event).map_err(|error| self.bad(event, error))?;
                let known = table
                    .get((learner, event.seq))
                    .map_err(|e| self.broken(e.into()))?
                    .map(|there| there.value() == bytes.as_slice());
                match known {
                    Some(true) => continue,
                    Some(false) => return Err(cannot_follow(event, "another event has its place")),
                    None => {}
                }
                let follows = event.seq == 1
                    || table
                        .get((learner, event.seq.saturating_sub(1)))
                        .map_err(|e| self.broken(e.into()))?
                        .is_some();
                if !follows {
                    return Err(cannot_follow(event, "the one before it is missing"));
                }
                table
                    .insert((learner, event.seq), bytes.as_slice())
                    .map_err(|e| self.broken(e.into()))?;
            }
        }
        write.commit().map_err(|e| self.broken(e.into()))
    }

    /// A learner's whole log, in order; empty for an unknown learner.
    ///
    /// # Errors
    /// [`RecordError::BadEvent`] at the first that cannot be read.
    pub fn events(&self, learner: LearnerId) -> Result<Vec<Event>, RecordError> {
        guarded(&self.file, || self.read_events(learner))
    }

    fn read_events(&self, learner: LearnerId) -> Result<Vec<Event>, RecordError> {
        let read = self
            .database
            .begin_read()
            .map_err(|e| self.broken(e.into()))?;
        let table = read.open_table(EVENTS).map_err(|e| self.broken(e.into()))?;
        let key = learner.0.as_u128();
        let mut events = Vec::new();
        for entry in table
            .range((key, 0)..=(key, u64::MAX))
            .map_err(|e| self.broken(e.into()))?
        {
            let (key, value) = entry.map_err(|e| self.broken(e.into()))?;
            events.push(self.decode(key.value(), value.value())?);
        }
        Ok(events)
    }

    /// Everybody in the store, the one who was here last first.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn learners(&self) -> Result<Vec<LearnerEntry>, RecordError> {
        guarded(&self.file, || self.read_learners())
    }

    fn read_learners(&self) -> Result<Vec<LearnerEntry>, RecordError> {
        let read = self
            .database
            .begin_read()
            .map_err(|e| self.broken(e.into()))?;
        let table = read.open_table(EVENTS).map_err(|e| self.broken(e.into()))?;
        let mut found = Vec::new();
        let mut next = Some(0_u128);
        // Events have no gaps, so a learner's last place in the log is their count.
        while let Some(from) = next {
            let Some(first) = table
                .range((from, 0)..)
                .map_err(|e| self.broken(e.into()))?
                .next()
            else {
                break;
            };
            let (learner, _) = first.map_err(|e| self.broken(e.into()))?.0.value();
            if let Some(last) = table
                .range((learner, 0)..=(learner, u64::MAX))
                .map_err(|e| self.broken(e.into()))?
                .next_back()
            {
                let (key, value) = last.map_err(|e| self.broken(e.into()))?;
                let event = self.decode(key.value(), value.value())?;
                found.push(LearnerEntry {
                    learner: event.learner,
                    events: event.seq,
                    last_at_unix_ms: event.at_unix_ms,
                });
            }
            next = learner.checked_add(1);
        }
        found.sort_by_key(|entry| std::cmp::Reverse(entry.last_at_unix_ms));
        Ok(found)
    }

    /// Reads everything and says what is wrong with it.
    ///
    /// # Errors
    /// [`RecordError`] where reading itself fails.
    pub fn check(&self) -> Result<Check, RecordError> {
        guarded(&self.file, || self.read_check())
    }

    fn read_check(&self) -> Result<Check, RecordError> {
        let read = self
            .database
            .begin_read()
            .map_err(|e| self.broken(e.into()))?;
        let table = read.open_table(EVENTS).map_err(|e| self.broken(e.into()))?;
        let mut check = Check {
            events: table.len().map_err(|e| self.broken(e.into()))?,
            problems: Vec::new(),
        };
        let mut expected = (0, 1);
        for entry in table.iter().map_err(|e| self.broken(e.into()))? {
            let (key, value) = entry.map_err(|e| self.broken(e.into()))?;
            let (learner, seq) = key.value();
            if expected.0 != learner {
                expected = (learner, 1);
            }
            if seq != expected.1 {
                check.problems.push(format!(
                    "learner {}: after event {} comes {seq}",
                    Uuid::from_u128(learner),
                    expected.1 - 1
                ));
            }
            expected.1 = seq.saturating_add(1);
            match self.decode((learner, seq), value.value()) {
                Ok(event) if event.seq == seq && event.learner.0.as_u128() == learner => {}
                Ok(_) => check.problems.push(format!(
                    "learner {}: event {seq} names another learner or place",
                    Uuid::from_u128(learner)
                )),
                Err(error) => check.problems.push(error.to_string()),
            }
        }
        Ok(check)
    }

    fn decode(&self, (learner, seq): (u128, u64), bytes: &[u8]) -> Result<Event, RecordError> {
        codec::decode(bytes).map_err(|error| RecordError::BadEvent {
            file: self.file.clone(),
            learner: LearnerId(Uuid::from_u128(learner)),
            seq,
            cause: error.to_string(),
        })
    }

    fn bad(&self, event: &Event, error: codec::CodecError) -> RecordError {
        RecordError::BadEvent {
            file: self.file.clone(),
            learner: event.learner,
            seq: event.seq,
            cause: error.to_string(),
        }
    }

    fn broken(&self, error: redb::Error) -> RecordError {
        match error {
            redb::Error::Io(cause) => storage(&self.file, cause),
            other => RecordError::Damaged {
                file: self.file.clone(),
                cause: other.to_string(),
            },
        }
    }
}

fn cannot_follow(event: &Event, why: &'static str) -> RecordError {
    RecordError::CannotFollow {
        learner: event.learner,
        seq: event.seq,
        why,
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
