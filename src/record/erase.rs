//! Erasing a learner: the data key is destroyed, so that no copy of the ciphertext in the file can ever be opened,
//! and a tombstone stays in the audit log. redb leaves old pages where they are, so the file is looked through for
//! copies of the wrapped key, and they are overwritten. What no program can reach are copies of the whole file from
//! before (backups, snapshots, blocks a flash disk has put aside): they need the master key of their time, so
//! rotating it, and destroying the old one, closes them too.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use redb::{ReadableDatabase, ReadableTable};

use super::audit::{Action, By, Subject, Tombstone};
use super::disk::{Mark, mark};
use super::error::{Fault, RecordError};
use super::sealed::{LearnerHead, Secrets};
use super::store::Store;
use super::writing::{EVENTS, HEADS, KEYS, WIPE, Writing, begin};
use crate::protocol::ids::LearnerId;

/// That a learner is erased, and how it was found to be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureProof {
    /// What stays; also in the audit log.
    pub tombstone: Tombstone,
    /// Copies of the wrapped data key found in the file and overwritten.
    pub key_copies_overwritten: u64,
    /// Copies found when the file was looked through once more: 0.
    pub key_copies_left: u64,
    /// Events of this learner's, and blocks and keys of their movements, that are left in the store: 0.
    pub events_left: u64,
}

impl Store {
    /// Erases a learner: destroys the data key, removes the events, leaves a [`Tombstone`]. `None`: nobody has this
    /// pseudonym. Takes as long as it takes to read the file twice.
    ///
    /// # Errors
    /// [`RecordError`]. Where already the first write fails, nothing is erased; later, the learner is, and what is
    /// left to overwrite in the file is overwritten when the store is opened next.
    pub fn erase(&self, learner: LearnerId, by: &By) -> Result<Option<ErasureProof>, RecordError> {
        self.guarded(|| {
            let row = self.secrets.row(learner);
            let keys = self.database.begin_read()?.open_table(KEYS)?;
            let marks = keys.get(row)?.and_then(|key| mark(key.value()));
            let mut marks: BTreeSet<Mark> = marks.into_iter().collect();
            drop(keys);
            marks.extend(self.motion_marks(row)?);
            let Some(tombstone) = self.write(|writing| writing.erase(learner, by))? else {
                return Ok(None);
            };
            let key_copies_overwritten = self.wipe()?;
            Ok(Some(ErasureProof {
                tombstone,
                key_copies_overwritten,
                key_copies_left: self.disk.count(&marks)?,
                events_left: self.left(learner)?,
            }))
        })
    }

    pub(super) fn tombstone(&self, head: &LearnerHead) -> Tombstone {
        tombstone(&self.secrets, head)
    }

    /// Events of somebody who is erased.
    fn left(&self, learner: LearnerId) -> Result<u64, Fault> {
        let read = self.database.begin_read()?;
        let row = self.secrets.row(learner);
        let rows = read
            .open_table(EVENTS)?
            .range((row, 0)..=(row, u64::MAX))?
            .count();
        let head = read.open_table(HEADS)?.get(row)?.is_some();
        let motion = self.motion_left(&read, row)?;
        Ok(rows as u64 + u64::from(head) + motion)
    }

    /// Overwrites wrapped keys that are no longer in use, wherever in the file they lie. Returns how many.
    pub(super) fn wipe(&self) -> Result<u64, Fault> {
        let marks = self.to_wipe()?;
        if marks.is_empty() {
            return Ok(0);
        }
        // Also where the program ended before its second commit: neither of redb's roots may need those pages.
        begin(&self.database)?.commit()?;
        let wiped = self.disk.wipe(&marks)?;
        self.write(|writing| {
            for mark in &marks {
                writing.wipe.remove(mark.map(|byte| !byte).as_slice())?;
            }
            Ok(())
        })?;
        Ok(wiped)
    }

    fn to_wipe(&self) -> Result<BTreeSet<Mark>, Fault> {
        let read = self.database.begin_read()?;
        let mut marks = BTreeSet::new();
        for entry in read.open_table(WIPE)?.iter()? {
            let mark: Option<Mark> = entry?.0.value().try_into().ok();
            marks.extend(mark.map(|mark| mark.map(|byte| !byte)));
        }
        Ok(marks)
    }
}

impl Writing<'_> {
    /// Destroys a learner's key, takes the events out, and puts the tombstone into the audit log.
    pub(super) fn erase(
        &mut self,
        learner: LearnerId,
        by: &By,
    ) -> Result<Option<Tombstone>, Fault> {
        let Some(head) = self.take_out(learner)? else {
            return Ok(None);
        };
        let tombstone = tombstone(self.secrets, &head);
        self.audit(
            by,
            Some(tombstone.subject),
            Action::Erased(tombstone.clone()),
        )?;
        Ok(Some(tombstone))
    }
}

fn tombstone(secrets: &Secrets, head: &LearnerHead) -> Tombstone {
    let mut chain = String::new();
    for byte in head.chain {
        let _ = write!(chain, "{byte:02x}");
    }
    Tombstone {
        subject: Subject(uuid::Uuid::from_u128(secrets.row(head.learner))),
        events: head.events,
        chain,
    }
}

#[cfg(test)]
#[path = "erase_tests.rs"]
mod tests;
