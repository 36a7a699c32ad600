//! What can be wrong with a store, in words for the person who has to mend it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{DatabaseError, StorageError};

use super::key::KeyError;
use super::seal::NoRandomness;
use crate::protocol::ids::LearnerId;

/// Why the log cannot be read or written. Every variant names the file and the cure.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Another process has it open.
    #[error(
        "the records in {file} are in use by another process; end that one, or keep these elsewhere with --data-dir"
    )]
    InUse {
        /// The store.
        file: PathBuf,
    },
    /// The folder cannot be made or written.
    #[error(
        "the records cannot be kept in {file}: {cause}; choose a folder you may write to with --data-dir"
    )]
    Folder {
        /// The store.
        file: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// No room left.
    #[error(
        "the disk with {file} is full; make room: a program that is running loses nothing and goes on by itself, one that could not begin must be started again"
    )]
    DiskFull {
        /// The store.
        file: PathBuf,
    },
    /// Nothing may be written to the disk: it is mounted so, or the system has made it so after an error.
    #[error(
        "the disk with {file} is read-only; let it be written to again (a system often shuts a failing disk: look at its log), or keep the records elsewhere with --data-dir: a program that is running loses nothing and goes on by itself, one that could not begin must be started again"
    )]
    ReadOnly {
        /// The store.
        file: PathBuf,
    },
    /// It was there and is not any more.
    #[error(
        "the records in {file} are gone; put the file back, or end the program and start a new one with --data-dir"
    )]
    Gone {
        /// The store.
        file: PathBuf,
    },
    /// The file is no store, or damaged.
    #[error(
        "{file} cannot be read as a store: {cause}; keep a copy of it and restore it from a backup, or start a new one with --data-dir"
    )]
    Damaged {
        /// The store.
        file: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// Sealed, and not with the key at hand.
    #[error(
        "the records in {file} are sealed with another master key than {place}; put the right key there, none of them is damaged or lost"
    )]
    WrongKey {
        /// The store.
        file: PathBuf,
        /// Where the key at hand came from.
        place: String,
    },
    /// No master key to open or make it with.
    #[error("the records in {file} need their master key: {cause}")]
    Key {
        /// The store.
        file: PathBuf,
        /// What is wrong with it.
        cause: KeyError,
    },
    /// Written by a later version of this program.
    #[error(
        "{file} is written in format {format}, newer than this program reads; update Malloc VR"
    )]
    Newer {
        /// The store.
        file: PathBuf,
        /// Its format.
        format: u8,
    },
    /// Written before records were sealed.
    #[error(
        "{file} is written in clear, by an older version; start `malloc-vr` on that file itself, which seals it"
    )]
    Unsealed {
        /// The store.
        file: PathBuf,
    },
    /// One event cannot be read.
    #[error("event {seq} of learner {learner} in {file} cannot be read: {cause}")]
    BadEvent {
        /// The store.
        file: PathBuf,
        /// Whose log.
        learner: LearnerId,
        /// Its place.
        seq: u64,
        /// What is wrong.
        cause: String,
    },
    /// A program error: an event that cannot follow.
    #[error("event {seq} of learner {learner} cannot be stored: {why}")]
    CannotFollow {
        /// Whose log.
        learner: LearnerId,
        /// Its place.
        seq: u64,
        /// Why.
        why: &'static str,
    },
}

/// What went wrong inside, before it is told of a file.
#[derive(Debug)]
pub(super) enum Fault {
    Told(RecordError),
    Redb(redb::Error),
    Key(KeyError),
    /// What lies there is not what was written.
    Damaged(String),
}

impl Fault {
    pub(super) fn damaged(cause: impl Into<String>) -> Self {
        Self::Damaged(cause.into())
    }

    pub(super) fn of(self, file: &Path) -> RecordError {
        let file = file.to_owned();
        match self {
            Self::Told(error) => error,
            Self::Redb(redb::Error::Io(cause)) => storage(&file, cause),
            Self::Redb(other) => RecordError::Damaged {
                file,
                cause: other.to_string(),
            },
            Self::Key(cause) => RecordError::Key { file, cause },
            Self::Damaged(cause) => RecordError::Damaged { file, cause },
        }
    }
}

impl From<RecordError> for Fault {
    fn from(error: RecordError) -> Self {
        Self::Told(error)
    }
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<NoRandomness> for Fault {
    fn from(error: NoRandomness) -> Self {
        Self::Key(error.into())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Redb(redb::Error::Io(error))
    }
}

macro_rules! redb_fault {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Redb(error.into())
            }
        }
    )*};
}

redb_fault!(
    redb::CommitError,
    redb::SetDurabilityError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError
);

pub(super) fn opening(file: &Path, error: DatabaseError) -> RecordError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => RecordError::InUse {
            file: file.to_owned(),
        },
        DatabaseError::Storage(StorageError::Io(cause)) => storage(file, cause),
        other => RecordError::Damaged {
            file: file.to_owned(),
            cause: other.to_string(),
        },
    }
}

pub(super) fn storage(file: &Path, cause: std::io::Error) -> RecordError {
    use std::io::ErrorKind;
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            RecordError::DiskFull {
                file: file.to_owned(),
            }
        }
        ErrorKind::ReadOnlyFilesystem => RecordError::ReadOnly {
            file: file.to_owned(),
        },
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => RecordError::Damaged {
            file: file.to_owned(),
            cause: cause.to_string(),
        },
        _ => RecordError::Folder {
            file: file.to_owned(),
            cause,
        },
    }
}

/// redb panics over some damage; that must not end the program, nor the record thread.
pub(super) fn guarded<T>(
    file: &Path,
    work: impl FnOnce() -> Result<T, RecordError>,
) -> Result<T, RecordError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let cause = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(RecordError::Damaged {
            file: file.to_owned(),
            cause: cause.unwrap_or_else(|| "redb panicked over it".to_owned()),
        })
    })
}
