//! The store: one redb file with every learner's events, sealed with a data key of their own.

use std::path::{Path, PathBuf};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};
use tracing::warn;
use zeroize::Zeroizing;

use super::codec;
use super::disk::Shared;
use super::error::{Fault, RecordError, guarded, storage};
use super::key::{Keys, MasterKey};
use super::plain;
use super::seal::Sealer;
use super::sealed::{LearnerHead, Secrets, StoreHead, event_place, key_place};
use super::unlock::{Found, backend, begin_store, found, part, put_in_place, unlock, whole};
use super::writing::{
    EVENTS, HEADS, KEYS, META, META_HEAD, Writing, begin, no_data_key, open_head, read_head,
};
use crate::protocol::event::Event;
use crate::protocol::ids::LearnerId;

/// An open store.
#[derive(Debug)]
pub struct Store {
    pub(super) file: PathBuf,
    pub(super) database: Database,
    pub(super) disk: Shared,
    pub(super) keys: Keys,
    pub(super) master: MasterKey,
    pub(super) secrets: Secrets,
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

impl Store {
    /// Opens the store, making file, folder and key where they are missing. One that an earlier version wrote in
    /// clear is sealed first.
    ///
    /// # Errors
    /// [`RecordError`] names the file and what to do.
    pub fn open(file: &Path, keys: &Keys) -> Result<Self, RecordError> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|cause| storage(file, cause))?;
        }
        let there = file.try_exists().map_err(|cause| storage(file, cause))?;
        if !there {
            let keys = Self::make(file, keys)?;
            return Self::open_existing(file, &keys);
        }
        match Self::open_existing(file, keys) {
            Err(RecordError::Unsealed { .. }) => plain::seal(file, keys),
            opened => opened,
        }
    }

    /// Opens a store that must be there: a log that goes on must not go on in a new, empty file.
    pub(super) fn open_existing(file: &Path, keys: &Keys) -> Result<Self, RecordError> {
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
        Self::checked(file, backend(file, file, false)?, keys)
    }

    /// A process killed while it makes the file must not leave half of one under its name. Returns the keys it is
    /// sealed with, which may be new too.
    fn make(file: &Path, keys: &Keys) -> Result<Keys, RecordError> {
        let part = part(file);
        let _ = std::fs::remove_file(&part);
        // Problems are told of the file that was asked for, not of the one it is made in.
        let store = Self::checked(file, backend(file, &part, true)?, keys)?;
        let keys = store.keys.clone();
        drop(store);
        put_in_place(&part, file)?;
        Ok(keys)
    }

    /// A store over any backend of redb's: for tests of failing disks.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(
        file: &Path,
        backend: impl redb::StorageBackend,
        keys: &Keys,
    ) -> Result<Self, RecordError> {
        Self::checked(file, Shared::new(backend), keys)
    }

    /// Opens and reads all of it once against its checksums: redb itself does so only after a crash, and else
    /// takes a damaged page at its word, up to a log that ends too early.
    pub(super) fn checked(file: &Path, disk: Shared, keys: &Keys) -> Result<Self, RecordError> {
        guarded(file, || {
            let database = whole(file, disk.clone())?;
            Self::unlocked(file, database, disk, keys).map_err(|fault| fault.of(file))
        })
    }

    /// Finds the key that it is sealed with, or seals a new one.
    fn unlocked(file: &Path, database: Database, disk: Shared, keys: &Keys) -> Result<Self, Fault> {
        let (keys, master, secrets) = match found(file, &database)? {
            Found::Nothing => {
                let (keys, master) = keys.clone().made()?;
                let secrets = Secrets::fresh()?;
                begin_store(&database, &master, &secrets)?;
                (keys, master, secrets)
            }
            Found::Plain => {
                return Err(RecordError::Unsealed {
                    file: file.to_owned(),
                }
                .into());
            }
            Found::Sealed { master: sealed } => {
                let (master, secrets) = unlock(file, &sealed, keys)?;
                (keys.settled(&master)?, master, secrets)
            }
        };
        let store = Self {
            file: file.to_owned(),
            database,
            disk,
            keys,
            master,
            secrets,
        };
        if let Err(fault) = store.wipe() {
            // Tried again each time; nothing of it is needed to go on.
            warn!("{}", fault.of(file));
        }
        Ok(store)
    }

    /// Where it lies.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The keys it was opened with.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A secret for another use of the store's master key, such as tokens; `context` says which, and no two uses share
    /// one. Another master key gives another secret.
    #[must_use]
    pub fn secret_for(&self, context: &str) -> Zeroizing<[u8; 32]> {
        self.master.secret_for(context)
    }

    /// Writes events, in order, all or none; they are on the disk when this returns. One that is there already
    /// is left as it is, so that a retry doubles nothing. What was still under way when its learner was erased is
    /// not written.
    ///
    /// # Errors
    /// [`RecordError`]; nothing was then written.
    pub fn append(&self, events: &[Event]) -> Result<(), RecordError> {
        self.guarded(|| {
            self.write(|writing| {
                for event in events {
                    writing.append(event)?;
                }
                Ok(())
            })
        })
    }

    /// Writes, and is done when it is on the disk for good.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let write = begin(&self.database)?;
        let mut writing = Writing::open(self, &write)?;
        let done = work(&mut writing)?;
        writing.finish()?;
        write.commit()?;
        // redb keeps the last two commits and silently falls back to the older when the newer is damaged.
        // What is acknowledged must be in both.
        begin(&self.database)?.commit()?;
        Ok(done)
    }

    /// A learner's whole log, in order; empty for an unknown learner.
    ///
    /// # Errors
    /// [`RecordError::BadEvent`] at the first that cannot be read; [`RecordError::Damaged`] where some are missing.
    pub fn events(&self, learner: LearnerId) -> Result<Vec<Event>, RecordError> {
        self.guarded(|| self.read_events(learner))
    }

    fn read_events(&self, learner: LearnerId) -> Result<Vec<Event>, Fault> {
        let read = self.database.begin_read()?;
        let row = self.secrets.row(learner);
        let Some(head) = read.open_table(HEADS)?.get(row)? else {
            return Ok(Vec::new());
        };
        let head = open_head(&self.secrets, row, head.value())?;
        let sealer = self.data_key(&read, learner)?.ok_or_else(no_data_key)?;
        let table = read.open_table(EVENTS)?;
        let mut events = Vec::new();
        for entry in table.range((row, 0)..=(row, u64::MAX))? {
            let (key, sealed) = entry?;
            let (_, seq) = key.value();
            let bad = |cause: String| RecordError::BadEvent {
                file: self.file.clone(),
                learner,
                seq,
                cause,
            };
            let text = sealer
                .open(&event_place(row, seq), sealed.value())
                .ok_or_else(|| bad("it was changed or moved since it was sealed".to_owned()))?;
            events.push(codec::decode(&text).map_err(|error| bad(error.to_string()))?);
        }
        if events.len() as u64 != head.events {
            return Err(Fault::Damaged(format!(
                "learner {learner} has {} events, and {} were written",
                events.len(),
                head.events
            )));
        }
        Ok(events)
    }

    /// What a learner's rows are sealed with; `None`: nothing, or it does not open.
    pub(super) fn data_key(
        &self,
        read: &ReadTransaction,
        learner: LearnerId,
    ) -> Result<Option<Sealer>, Fault> {
        let key = read.open_table(KEYS)?.get(self.secrets.row(learner))?;
        let key = key.and_then(|key| {
            let wrapping = self.master.wrapping();
            wrapping.open_secret(&key_place(learner), key.value())
        });
        Ok(key.map(|key| key.sealer()))
    }

    /// Everybody in the store, the one who was here last first.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn learners(&self) -> Result<Vec<LearnerEntry>, RecordError> {
        self.guarded(|| {
            let read = self.database.begin_read()?;
            let mut heads = Vec::new();
            for entry in read.open_table(HEADS)?.iter()? {
                let (row, sealed) = entry?;
                heads.push(open_head(&self.secrets, row.value(), sealed.value())?);
            }
            // By the order of writing: the clock may have been set.
            heads.sort_by_key(|head| std::cmp::Reverse(head.written));
            let entry = |head: &LearnerHead| LearnerEntry {
                learner: head.learner,
                events: head.events,
                last_at_unix_ms: head.last_at_unix_ms,
            };
            Ok(heads.iter().map(entry).collect())
        })
    }

    pub(super) fn store_head(&self, read: &ReadTransaction) -> Result<StoreHead, Fault> {
        let sealed = read.open_table(META)?.get(META_HEAD)?;
        read_head(&self.secrets, sealed.map(|head| head.value().to_vec()))
    }

    pub(super) fn guarded<T>(
        &self,
        work: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, RecordError> {
        guarded(&self.file, || work().map_err(|fault| fault.of(&self.file)))
    }

    pub(super) fn bad(&self, event: &Event, error: &codec::CodecError) -> RecordError {
        RecordError::BadEvent {
            file: self.file.clone(),
            learner: event.learner,
            seq: event.seq,
            cause: error.to_string(),
        }
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
