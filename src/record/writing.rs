//! A write to the store: its tables, the chains that grow, and the head over them, all in one commit.

use std::collections::BTreeMap;

use redb::{Durability, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::codec;
use super::disk::mark;
use super::error::{Fault, RecordError};
use super::seal::Sealer;
use super::seal::Secret;
use super::sealed::{
    LearnerHead, STORE_HEAD, Secrets, StoreHead, event_place, follow, head_place, key_place,
};
use super::store::Store;
use crate::protocol::event::Event;
use crate::protocol::ids::LearnerId;

/// Sealed events, by the name of the learner's rows and the place in the log.
pub(super) const EVENTS: TableDefinition<(u128, u64), &[u8]> = TableDefinition::new("sealed");
/// Learners' data keys, wrapped by the master key.
pub(super) const KEYS: TableDefinition<u128, &[u8]> = TableDefinition::new("keys");
/// Sealed [`LearnerHead`]s.
pub(super) const HEADS: TableDefinition<u128, &[u8]> = TableDefinition::new("heads");
/// Sealed audit entries.
pub(super) const AUDIT: TableDefinition<u64, &[u8]> = TableDefinition::new("audit");
/// The store's format, root secret and head.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// Marks of wrapped keys that are still to be wiped from the file, inverted so that they are not found themselves.
pub(super) const WIPE: TableDefinition<&[u8], ()> = TableDefinition::new("wipe");

/// Names of the rows of learners who are erased and have not begun anew.
pub(super) const ERASED: TableDefinition<u128, ()> = TableDefinition::new("erased");

/// Sealed blocks of movements, by learner's rows, session and number.
pub(super) const MOTION: TableDefinition<(u128, u128, u32), &[u8]> = TableDefinition::new("motion");
/// Sealed heads of recordings, by learner's rows and session.
pub(super) const MOTION_HEADS: TableDefinition<(u128, u128), &[u8]> =
    TableDefinition::new("motion heads");
/// Keys of recordings, wrapped by the learners' data keys.
pub(super) const MOTION_KEYS: TableDefinition<(u128, u128), &[u8]> =
    TableDefinition::new("motion keys");

/// Keys of [`META`].
pub(super) const META_FORMAT: &str = "format";
pub(super) const META_MASTER: &str = "master";
pub(super) const META_HEAD: &str = "head";

type Bytes = &'static [u8];

/// An open write; nothing of it counts before [`Writing::finish`] and the commit.
pub(super) struct Writing<'t> {
    pub secrets: &'t Secrets,
    store: &'t Store,
    pub events: Table<'t, (u128, u64), Bytes>,
    pub keys: Table<'t, u128, Bytes>,
    pub heads: Table<'t, u128, Bytes>,
    pub audit: Table<'t, u64, Bytes>,
    pub meta: Table<'t, &'static str, Bytes>,
    pub wipe: Table<'t, Bytes, ()>,
    pub erased: Table<'t, u128, ()>,
    pub motion: Table<'t, (u128, u128, u32), Bytes>,
    pub motion_heads: Table<'t, (u128, u128), Bytes>,
    pub motion_keys: Table<'t, (u128, u128), Bytes>,
    pub head: StoreHead,
    /// As it lies in the table.
    old_head: StoreHead,
    open: BTreeMap<LearnerId, Chain>,
}

/// A learner's chain while it is written to.
struct Chain {
    row: u128,
    sealer: Sealer,
    head: LearnerHead,
    /// As it lies in the table; `None`: not yet.
    old: Option<LearnerHead>,
}

/// Begins a write that is on the disk when it is committed.
pub(super) fn begin(database: &redb::Database) -> Result<WriteTransaction, Fault> {
    let mut write = database.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    Ok(write)
}

impl<'t> Writing<'t> {
    pub(super) fn open(store: &'t Store, write: &'t WriteTransaction) -> Result<Self, Fault> {
        let meta = write.open_table(META)?;
        let head = read_head(
            &store.secrets,
            meta.get(META_HEAD)?.map(|it| it.value().to_vec()),
        )?;
        Ok(Self {
            secrets: &store.secrets,
            store,
            events: write.open_table(EVENTS)?,
            keys: write.open_table(KEYS)?,
            heads: write.open_table(HEADS)?,
            audit: write.open_table(AUDIT)?,
            wipe: write.open_table(WIPE)?,
            erased: write.open_table(ERASED)?,
            motion: write.open_table(MOTION)?,
            motion_heads: write.open_table(MOTION_HEADS)?,
            motion_keys: write.open_table(MOTION_KEYS)?,
            meta,
            head,
            old_head: head,
            open: BTreeMap::new(),
        })
    }

    /// Adds an event to its learner's chain; one that is there already is left as it is, and one that was still
    /// under way when its learner was erased goes the way of those before it.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), Fault> {
        let text = codec::encode(event).map_err(|error| self.store.bad(event, &error))?;
        self.load(event.learner)?;
        let Some(chain) = self.open.get_mut(&event.learner) else {
            return Err(Fault::damaged("a learner's chain is gone"));
        };
        let place = event_place(chain.row, event.seq);
        if (1..=chain.head.events).contains(&event.seq) {
            let there = self.events.get((chain.row, event.seq))?;
            let same = there
                .and_then(|there| chain.sealer.open(&place, there.value()))
                .is_some_and(|there| *there == text);
            if same {
                return Ok(());
            }
            return Err(cannot_follow(event, "another event has its place").into());
        }
        if event.seq != chain.head.events.saturating_add(1) {
            if chain.head.events == 0 && self.erased.get(chain.row)?.is_some() {
                return Ok(());
            }
            return Err(cannot_follow(event, "the one before it is missing").into());
        }
        let row = chain.sealer.seal(&place, &text)?;
        self.events.insert((chain.row, event.seq), row.as_slice())?;
        if event.seq == 1 {
            self.erased.remove(chain.row)?;
        }
        self.head.written = self.head.written.saturating_add(1);
        chain.head.events = event.seq;
        chain.head.chain = follow(&chain.head.chain, &row);
        chain.head.last_at_unix_ms = event.at_unix_ms;
        chain.head.written = self.head.written;
        Ok(())
    }

    /// Opens the learner's chain, or begins one with a fresh data key.
    fn load(&mut self, learner: LearnerId) -> Result<(), Fault> {
        if self.open.contains_key(&learner) {
            return Ok(());
        }
        let row = self.secrets.row(learner);
        let wrapping = self.store.master.wrapping();
        let sealed = self.heads.get(row)?.map(|head| head.value().to_vec());
        let (old, key) = match sealed {
            Some(sealed) => {
                let head = open_head(self.secrets, row, &sealed)?;
                let key = self
                    .keys
                    .get(row)?
                    .and_then(|key| wrapping.open_secret(&key_place(learner), key.value()));
                (Some(head), key.ok_or_else(no_data_key)?)
            }
            None => {
                let key = Secret::fresh()?;
                let wrapped = wrapping.seal(&key_place(learner), key.bytes())?;
                self.keys.insert(row, wrapped.as_slice())?;
                (None, key)
            }
        };
        let chain = Chain {
            row,
            sealer: key.sealer(),
            head: old.unwrap_or_else(|| LearnerHead::new(learner)),
            old,
        };
        self.open.insert(learner, chain);
        Ok(())
    }

    /// What seals for a learner; `None`: nobody with a log.
    pub(super) fn sealer_of(&mut self, learner: LearnerId) -> Result<Option<Sealer>, Fault> {
        self.load(learner)?;
        let chain = self
            .open
            .get(&learner)
            .filter(|chain| chain.head.events > 0);
        Ok(chain.map(|chain| chain.sealer.clone()))
    }

    /// Puts a head in its table, and its share into the sum.
    pub(super) fn put_head(
        &mut self,
        row: u128,
        old: Option<&LearnerHead>,
        new: &LearnerHead,
    ) -> Result<(), Fault> {
        match old {
            Some(old) => self.head.toggle(&self.secrets.share(row, old)),
            None => self.head.learners = self.head.learners.saturating_add(1),
        }
        self.head.toggle(&self.secrets.share(row, new));
        let sealed = self.secrets.heads.seal(&head_place(row), &new.encode())?;
        self.heads.insert(row, sealed.as_slice())?;
        Ok(())
    }

    /// Takes a learner out: data key, events, head. Returns the head as it was.
    pub(super) fn take_out(&mut self, learner: LearnerId) -> Result<Option<LearnerHead>, Fault> {
        let row = self.secrets.row(learner);
        let sealed = self.heads.remove(row)?.map(|head| head.value().to_vec());
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let head = open_head(self.secrets, row, &sealed)?;
        self.head.toggle(&self.secrets.share(row, &head));
        self.head.learners = self.head.learners.saturating_sub(1);
        self.erased.insert(row, ())?;
        let wrapped = self.keys.remove(row)?.map(|key| key.value().to_vec());
        if let Some(wrapped) = wrapped {
            self.wipe_later(&wrapped)?;
        }
        self.events
            .retain_in((row, 0)..=(row, u64::MAX), |_, _| false)?;
        self.forget_motion(row, None)?;
        Ok(Some(head))
    }

    /// Remembers that this wrapped key must be wiped from the file, even if the program ends before.
    pub(super) fn wipe_later(&mut self, wrapped: &[u8]) -> Result<(), Fault> {
        if let Some(mark) = mark(wrapped) {
            self.wipe.insert(mark.map(|byte| !byte).as_slice(), ())?;
        }
        Ok(())
    }

    /// Seals and stores the heads of what changed.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        for chain in std::mem::take(&mut self.open).into_values() {
            if chain.old != Some(chain.head) && chain.head.events > 0 {
                self.put_head(chain.row, chain.old.as_ref(), &chain.head)?;
            } else if chain.old.is_none() {
                // Nothing was written: no key without a chain.
                self.keys.remove(chain.row)?;
            }
        }
        if self.head != self.old_head {
            let sealed = self.secrets.heads.seal(STORE_HEAD, &self.head.encode())?;
            self.meta.insert(META_HEAD, sealed.as_slice())?;
        }
        Ok(())
    }
}

/// Opens the head of the store.
pub(super) fn read_head(secrets: &Secrets, sealed: Option<Vec<u8>>) -> Result<StoreHead, Fault> {
    sealed
        .and_then(|sealed| secrets.heads.open(STORE_HEAD, &sealed))
        .and_then(|head| StoreHead::decode(&head))
        .ok_or_else(|| Fault::damaged("the head of the store does not open: it was changed"))
}

/// Opens the head of a learner's chain.
pub(super) fn open_head(secrets: &Secrets, row: u128, sealed: &[u8]) -> Result<LearnerHead, Fault> {
    secrets
        .heads
        .open(&head_place(row), sealed)
        .and_then(|head| LearnerHead::decode(&head))
        .filter(|head| secrets.row(head.learner) == row)
        .ok_or_else(|| Fault::damaged("the head of a learner's log does not open: it was changed"))
}

pub(super) fn no_data_key() -> Fault {
    Fault::damaged("a learner's data key does not open: it was changed or taken away")
}

fn cannot_follow(event: &Event, why: &'static str) -> RecordError {
    RecordError::CannotFollow {
        learner: event.learner,
        seq: event.seq,
        why,
    }
}
