//! Stores that earlier versions wrote in clear: read once, sealed, and overwritten. Where the program is killed after
//! the sealed store has its name and before the old blocks are overwritten, those lie in free space of the disk.

use std::collections::BTreeMap;
use std::path::Path;

use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use tracing::info;

use super::codec;
use super::error::{Fault, RecordError, guarded};
use super::key::Keys;
use super::store::Store;
use super::unlock::{backend, part, put_in_place, whole};
use crate::protocol::event::Event;
use crate::protocol::ids::LearnerId;

/// Events in clear, by learner and place.
pub(super) const EVENTS: TableDefinition<(u128, u64), &[u8]> = TableDefinition::new("events");

/// Events sealed in one commit.
const BATCH: usize = 4096;

/// Makes a sealed store of one in clear, under the same name. Broken off at any moment, it leaves the one or the other.
pub(super) fn seal(file: &Path, keys: &Keys) -> Result<Store, RecordError> {
    // Open until it has another name, so that no other process writes to it meanwhile.
    let disk = backend(file, file, false)?;
    let old = guarded(file, || whole(file, disk.clone()))?;
    let logs = guarded(file, || read(&old).map_err(|fault| fault.of(file)))?;
    let part = part(file);
    let _ = std::fs::remove_file(&part);
    let new = Store::checked(file, backend(file, &part, true)?, keys)?;
    let keys = new.keys().clone();
    for log in &logs {
        for batch in log.chunks(BATCH) {
            new.append(batch)?;
        }
    }
    drop(new);
    put_in_place(&part, file)?;
    // Nobody finds the old file any more, but it is still open here. redb may not see it overwritten.
    drop(old);
    disk.wipe_all()
        .map_err(|cause| Fault::from(cause).of(file))?;
    info!(
        learners = logs.len(),
        "the records in {} were in clear and are sealed now",
        file.display()
    );
    Store::open_existing(file, &keys)
}

/// Whole logs, the one written to last at the end.
fn read(old: &redb::Database) -> Result<Vec<Vec<Event>>, Fault> {
    let read = old.begin_read()?;
    let mut logs: BTreeMap<LearnerId, Vec<Event>> = BTreeMap::new();
    for entry in read.open_table(EVENTS)?.iter()? {
        let (key, value) = entry?;
        let (learner, seq) = key.value();
        let event = codec::decode(value.value()).map_err(|error| {
            Fault::Damaged(format!(
                "event {seq} of learner {}: {error}",
                uuid::Uuid::from_u128(learner)
            ))
        })?;
        logs.entry(event.learner).or_default().push(event);
    }
    let mut logs: Vec<_> = logs.into_values().collect();
    logs.sort_by_key(|log| log.last().map(|event| event.at_unix_ms));
    Ok(logs)
}
