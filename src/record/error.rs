//! What can be wrong with a store, in words for the person who has to mend it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{DatabaseError, StorageError};

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
