//! What lies in a file, which key opens it, and how a new store begins.

use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, TableHandle};
use tracing::warn;

use super::disk::Shared;
use super::error::{Fault, RecordError, opening, storage};
use super::key::{Keys, MasterKey};
use super::key_source::sync_folder;
use super::plain;
use super::sealed::{FORMAT, STORE_HEAD, Secrets, StoreHead};
use super::writing::{
    AUDIT, ERASED, EVENTS, HEADS, KEYS, META, META_FORMAT, META_HEAD, META_MASTER, MOTION,
    MOTION_HEADS, MOTION_KEYS, WIPE, begin,
};

/// Bytes of pages kept in memory. Without a bound of ours it is 1 GiB, and a program that runs for a day grows with its
/// log; what is read again and again are a learner's last pages, and the roots.
const CACHE: usize = 8 << 20;

/// What lies in a database.
pub(super) enum Found {
    Nothing,
    /// Events in clear, of an earlier version.
    Plain,
    Sealed {
        master: Vec<u8>,
    },
}

/// Where a file is made before it gets its name.
pub(super) fn part(file: &Path) -> PathBuf {
    file.with_extension("part")
}

/// Gives a finished file its name.
pub(super) fn put_in_place(part: &Path, file: &Path) -> Result<(), RecordError> {
    std::fs::rename(part, file)
        // Without this a power cut could take the name away again, and the whole log with it.
        .and_then(|()| sync_folder(file))
        .map_err(|cause| storage(file, cause))
}

/// The file at `path` as a backend; problems are told of `file`.
pub(super) fn backend(file: &Path, path: &Path, new: bool) -> Result<Shared, RecordError> {
    let open = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(new)
        .open(path)
        .map_err(|cause| storage(file, cause))?;
    let backend = FileBackend::new(open).map_err(|error| opening(file, error))?;
    Ok(Shared::new(backend))
}

/// A database, all of its pages read against their checksums.
pub(super) fn whole(file: &Path, disk: Shared) -> Result<Database, RecordError> {
    let mut database = Database::builder()
        .set_cache_size(CACHE)
        .create_with_backend(disk)
        .map_err(|error| opening(file, error))?;
    let whole = database
        .check_integrity()
        .map_err(|error| opening(file, error))?;
    if !whole {
        // Only its book-keeping: both of redb's roots hold every acknowledged event (see `Store::write`).
        warn!(
            "{} was damaged and is mended; no event was touched",
            file.display()
        );
    }
    Ok(database)
}

pub(super) fn found(file: &Path, database: &Database) -> Result<Found, Fault> {
    let read = database.begin_read()?;
    let mut plain = false;
    let mut sealed = false;
    for table in read.list_tables()? {
        plain |= table.name() == plain::EVENTS.name();
        sealed |= table.name() == META.name();
    }
    match (plain, sealed) {
        (false, false) => return Ok(Found::Nothing),
        (true, false) => return Ok(Found::Plain),
        (_, true) => {}
    }
    let meta = read.open_table(META)?;
    let entry = |key| -> Result<Vec<u8>, Fault> {
        let value = meta.get(key)?.map(|value| value.value().to_vec());
        value.ok_or_else(|| Fault::Damaged(format!("it has no `{key}`")))
    };
    match entry(META_FORMAT)?.as_slice() {
        [FORMAT] => Ok(Found::Sealed {
            master: entry(META_MASTER)?,
        }),
        [newer] if *newer > FORMAT => Err(RecordError::Newer {
            file: file.to_owned(),
            format: *newer,
        }
        .into()),
        _ => Err(Fault::damaged("its format is none")),
    }
}

/// The candidate that this was wrapped with, and what was wrapped.
pub(super) fn unlock(
    file: &Path,
    sealed: &[u8],
    keys: &Keys,
) -> Result<(MasterKey, Secrets), Fault> {
    if let Some(missing) = keys.missing() {
        return Err(missing.into());
    }
    let Some((check, wrapped)) = sealed.split_first_chunk::<16>() else {
        return Err(Fault::damaged("its root secret is cut off"));
    };
    let master = keys
        .candidates()
        .find(|master| master.check() == *check)
        .ok_or_else(|| RecordError::WrongKey {
            file: file.to_owned(),
            place: keys.place(),
        })?;
    // It is the right key, so it is the secret that was changed.
    let secrets = Secrets::unwrap(master, wrapped)
        .ok_or_else(|| Fault::damaged("its root secret does not open: it was changed"))?;
    Ok((master.clone(), secrets))
}

/// What [`unlock`] reads.
pub(super) fn lock(master: &MasterKey, secrets: &Secrets) -> Result<Vec<u8>, Fault> {
    let mut sealed = master.check().to_vec();
    sealed.extend_from_slice(&secrets.wrap(master)?);
    Ok(sealed)
}

pub(super) fn begin_store(
    database: &Database,
    master: &MasterKey,
    secrets: &Secrets,
) -> Result<(), Fault> {
    let write = begin(database)?;
    {
        // A table comes into being when it is first opened for writing.
        write.open_table(EVENTS)?;
        write.open_table(KEYS)?;
        write.open_table(HEADS)?;
        write.open_table(AUDIT)?;
        write.open_table(WIPE)?;
        write.open_table(ERASED)?;
        write.open_table(MOTION)?;
        write.open_table(MOTION_HEADS)?;
        write.open_table(MOTION_KEYS)?;
        let mut meta = write.open_table(META)?;
        let head = secrets
            .heads
            .seal(STORE_HEAD, &StoreHead::default().encode())?;
        meta.insert(META_FORMAT, [FORMAT].as_slice())?;
        meta.insert(META_MASTER, lock(master, secrets)?.as_slice())?;
        meta.insert(META_HEAD, head.as_slice())?;
    }
    write.commit()?;
    // In both of redb's roots: the older one would else be an empty store, to be begun anew.
    begin(database)?.commit()?;
    Ok(())
}
