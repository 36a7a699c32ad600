//! Recorded movements in the store: blocks of a second, each recording sealed with a key of its own, which is wrapped
//! with the learner's data key. So nobody opens a recording of somebody erased, and a recording can be forgotten for good
//! while the learner's log stays: its wrapped key is wiped from the file like an erased learner's.
//!
//! Blocks are chained, and what a recording adds to the sum over the store makes `records verify` find one that was taken
//! away, cut off or put back. Rotation wraps data keys anew and touches nothing here. Nothing is kept of somebody who has
//! no log, so nothing outlives an erasure.

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, TableError};

use super::audit::{Action, By};
use super::error::{Fault, RecordError};
use super::motion::{ConsentToken, MotionChunk, MotionError, MotionFrame, decode};
use super::seal::{Sealer, Secret};
use super::sealed::{Fields, Hash, START, follow, motion_place};
use super::store::Store;
use super::writing::{MOTION, MOTION_HEADS, MOTION_KEYS, Writing};
use crate::protocol::ids::{LearnerId, SessionId};

/// A recording's own part of a block's number: the rest says which run of the program it is of.
const RUN: u32 = 1 << 20;

/// The number of a run's first block; a session has one run more than it was resumed.
#[must_use]
pub fn first_of_run(run: u32) -> u32 {
    run.saturating_mul(RUN)
}

/// A recording that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// Of which session.
    pub session: SessionId,
    /// Blocks of about a second.
    pub blocks: u64,
    /// When it has to be gone, milliseconds since the Unix epoch: the earliest its blocks say.
    pub delete_at_unix_ms: u64,
}

/// One run's frames, in order; times since the learner joined it.
#[derive(Debug)]
pub struct Run {
    /// 0: the session's first; one more for each time it was resumed.
    pub number: u32,
    /// Its frames.
    pub frames: Vec<MotionFrame>,
}

/// Why movements are not given back.
#[derive(Debug, thiserror::Error)]
pub enum MovementsError {
    /// The store.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The consent, or the bytes.
    #[error(transparent)]
    Motion(#[from] MotionError),
    /// None kept.
    #[error(
        "no movements are kept of this session; they are recorded only with consent, and kept for days"
    )]
    None,
    /// Kept too long: the next sweep removes them.
    #[error(
        "the time for which these movements may be kept is over; `malloc-vr records sweep` removes them"
    )]
    Over,
}

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MotionHead {
    pub blocks: u64,
    pub last: u64,
    pub chain: Hash,
    pub delete_at_unix_ms: u64,
}

impl MotionHead {
    const NEW: Self = Self {
        blocks: 0,
        last: 0,
        chain: START,
        delete_at_unix_ms: u64::MAX,
    };

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(56);
        for number in [self.blocks, self.last, self.delete_at_unix_ms] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.chain);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let head = Self {
            blocks: fields.number()?,
            last: fields.number()?,
            delete_at_unix_ms: fields.number()?,
            chain: fields.take()?,
        };
        fields.0.is_empty().then_some(head)
    }
}

/// What a place belongs to: a block, a recording's head, its key.
pub(super) const BLOCK: u8 = b'm';
const HEAD: u8 = b'n';
const KEY: u8 = b'o';

impl Writing<'_> {
    /// Keeps a block; one that is there already is left as it is. Nothing is kept of somebody without a log.
    fn append_motion(&mut self, block: &MotionChunk) -> Result<(), Fault> {
        let (row, session) = (
            self.secrets.row(block.learner()),
            block.session().0.as_u128(),
        );
        let Some(data_key) = self.sealer_of(block.learner())? else {
            return Ok(());
        };
        let sealed = self.motion_heads.get((row, session))?;
        let old = match sealed.map(|head| head.value().to_vec()) {
            Some(sealed) => Some(self.open_motion_head(row, session, &sealed)?),
            None => None,
        };
        let place = motion_place(KEY, row, session, 0);
        let wrapped = self.motion_keys.get((row, session))?;
        let wrapped = wrapped.map(|key| key.value().to_vec());
        let key = match wrapped {
            Some(wrapped) => data_key.open_secret(&place, &wrapped).ok_or_else(no_key)?,
            None => {
                let key = Secret::fresh()?;
                let wrapped = data_key.seal(&place, key.bytes())?;
                self.motion_keys
                    .insert((row, session), wrapped.as_slice())?;
                key
            }
        };
        let number = block.number();
        if self.motion.get((row, session, number))?.is_some() {
            return Ok(());
        }
        let place = motion_place(BLOCK, row, session, number);
        let sealed = key.sealer().seal(&place, block.bytes())?;
        self.motion
            .insert((row, session, number), sealed.as_slice())?;
        let before = old.unwrap_or(MotionHead::NEW);
        let head = MotionHead {
            blocks: before.blocks.saturating_add(1),
            last: u64::from(number),
            chain: follow(&before.chain, &sealed),
            delete_at_unix_ms: before.delete_at_unix_ms.min(block.delete_at_unix_ms()),
        };
        if let Some(old) = old {
            self.head
                .toggle(&self.secrets.motion_share(row, session, &old.encode()));
        }
        let encoded = head.encode();
        self.head
            .toggle(&self.secrets.motion_share(row, session, &encoded));
        let place = motion_place(HEAD, row, session, 0);
        let sealed = self.secrets.heads.seal(&place, &encoded)?;
        self.motion_heads
            .insert((row, session), sealed.as_slice())?;
        Ok(())
    }

    fn open_motion_head(
        &self,
        row: u128,
        session: u128,
        sealed: &[u8],
    ) -> Result<MotionHead, Fault> {
        opened(&self.secrets.heads, row, session, sealed)
    }

    /// Forgets a learner's recordings for good, or one of them. Returns how many there were.
    pub(super) fn forget_motion(&mut self, row: u128, only: Option<u128>) -> Result<u64, Fault> {
        let mut found = Vec::new();
        for entry in self.motion_heads.range((row, 0)..=(row, u128::MAX))? {
            let (place, sealed) = entry?;
            let (_, session) = place.value();
            if only.is_none_or(|only| only == session) {
                found.push((session, sealed.value().to_vec()));
            }
        }
        for (session, sealed) in &found {
            let head = self.open_motion_head(row, *session, sealed)?;
            self.head
                .toggle(&self.secrets.motion_share(row, *session, &head.encode()));
            self.motion_heads.remove((row, *session))?;
            let wrapped = self.motion_keys.remove((row, *session))?;
            let wrapped = wrapped.map(|key| key.value().to_vec()).unwrap_or_default();
            self.wipe_later(&wrapped)?;
            let all = (row, *session, 0)..=(row, *session, u32::MAX);
            self.motion.retain_in(all, |_, _| false)?;
        }
        Ok(found.len() as u64)
    }

    /// Forgets recordings whose time is over at `now`. Returns how many.
    pub(super) fn forget_old_motion(&mut self, now: u64) -> Result<u64, Fault> {
        let mut over = Vec::new();
        for entry in self.motion_heads.iter()? {
            let (place, sealed) = entry?;
            let (row, session) = place.value();
            let head = opened(&self.secrets.heads, row, session, sealed.value())?;
            if head.delete_at_unix_ms <= now {
                over.push((row, session));
            }
        }
        for (row, session) in &over {
            self.forget_motion(*row, Some(*session))?;
        }
        Ok(over.len() as u64)
    }
}

pub(super) fn opened(
    heads: &Sealer,
    row: u128,
    session: u128,
    sealed: &[u8],
) -> Result<MotionHead, Fault> {
    heads
        .open(&motion_place(HEAD, row, session, 0), sealed)
        .and_then(|head| MotionHead::decode(&head))
        .ok_or_else(|| Fault::damaged("the head of a recording does not open: it was changed"))
}

fn no_key() -> Fault {
    Fault::damaged("the key of a recording does not open: it was changed or taken away")
}

/// A table that stores of before movements were kept do not have.
pub(super) fn absent<T>(table: Result<T, TableError>) -> Result<Option<T>, Fault> {
    match table {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Store {
    /// Keeps a block of movements; it is on the disk when this returns. Of somebody erased nothing is kept.
    ///
    /// # Errors
    /// [`RecordError`]; nothing was then written.
    pub fn append_motion(&self, block: &MotionChunk) -> Result<(), RecordError> {
        self.guarded(|| self.write(|writing| writing.append_motion(block)))
    }

    /// Which movements are kept of a learner. Tells nothing of how they moved.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn recordings(&self, learner: LearnerId) -> Result<Vec<Recording>, RecordError> {
        self.guarded(|| {
            let read = self.database.begin_read()?;
            let row = self.secrets.row(learner);
            let mut found = Vec::new();
            let Some(heads) = absent(read.open_table(MOTION_HEADS))? else {
                return Ok(found);
            };
            for entry in heads.range((row, 0)..=(row, u128::MAX))? {
                let (place, sealed) = entry?;
                let (_, session) = place.value();
                let head = opened(&self.secrets.heads, row, session, sealed.value())?;
                found.push(Recording {
                    session: SessionId(uuid::Uuid::from_u128(session)),
                    blocks: head.blocks,
                    delete_at_unix_ms: head.delete_at_unix_ms,
                });
            }
            Ok(found)
        })
    }

    /// A session's movements, by run of the program, for who shows that they may have them at `now_unix_ms`.
    ///
    /// # Errors
    /// [`MovementsError`]: no consent, none kept, kept too long, or damaged.
    pub fn movements(
        &self,
        token: &ConsentToken,
        learner: LearnerId,
        session: SessionId,
        now_unix_ms: u64,
    ) -> Result<Vec<Run>, MovementsError> {
        token
            .check(learner, now_unix_ms)
            .map_err(MotionError::from)?;
        let kept = self.recordings(learner)?;
        let recording = kept.iter().find(|it| it.session == session);
        let recording = recording.ok_or(MovementsError::None)?;
        if recording.delete_at_unix_ms <= now_unix_ms {
            return Err(MovementsError::Over);
        }
        let blocks = self.guarded(|| self.open_motion(learner, session))?;
        let mut runs: Vec<Run> = Vec::new();
        for (number, bytes) in blocks {
            let frames = decode(token, learner, now_unix_ms, &bytes)?;
            let number = number / RUN;
            match runs.last_mut() {
                Some(run) if run.number == number => run.frames.extend(frames),
                _ => runs.push(Run { number, frames }),
            }
        }
        Ok(runs)
    }

    #[allow(clippy::type_complexity)] // Numbers and bytes, wiped when dropped.
    fn open_motion(
        &self,
        learner: LearnerId,
        session: SessionId,
    ) -> Result<Vec<(u32, zeroize::Zeroizing<Vec<u8>>)>, Fault> {
        let read = self.database.begin_read()?;
        let (row, session) = (self.secrets.row(learner), session.0.as_u128());
        let key = self
            .motion_key(&read, learner, session)?
            .ok_or_else(no_key)?;
        let sealer = key.sealer();
        let mut blocks = Vec::new();
        for entry in read
            .open_table(MOTION)?
            .range((row, session, 0)..=(row, session, u32::MAX))?
        {
            let (place, sealed) = entry?;
            let (.., number) = place.value();
            let bytes = sealer
                .open(&motion_place(BLOCK, row, session, number), sealed.value())
                .ok_or_else(|| {
                    Fault::Damaged(format!("block {number} of a recording does not open"))
                })?;
            blocks.push((number, bytes));
        }
        Ok(blocks)
    }

    pub(super) fn motion_key(
        &self,
        read: &ReadTransaction,
        learner: LearnerId,
        session: u128,
    ) -> Result<Option<Secret>, Fault> {
        let row = self.secrets.row(learner);
        let Some(data_key) = self.data_key(read, learner)? else {
            return Ok(None);
        };
        let Some(keys) = absent(read.open_table(MOTION_KEYS))? else {
            return Ok(None);
        };
        let wrapped = keys.get((row, session))?;
        let place = motion_place(KEY, row, session, 0);
        Ok(wrapped.and_then(|key| data_key.open_secret(&place, key.value())))
    }

    /// Forgets a learner's recorded movements for good, or those of one session; the log stays. What was recorded
    /// cannot be opened any more with every byte of the file and the master key. Returns how many recordings.
    ///
    /// # Errors
    /// [`RecordError`]. Where already the first write fails nothing is forgotten; later the keys are gone from their
    /// table, and are wiped from the file when the store is opened next.
    pub fn forget_motion(
        &self,
        learner: LearnerId,
        session: Option<SessionId>,
        by: &By,
    ) -> Result<u64, RecordError> {
        self.guarded(|| {
            let row = self.secrets.row(learner);
            let forgotten = self.write(|writing| {
                let only = session.map(|session| session.0.as_u128());
                let recordings = writing.forget_motion(row, only)?;
                if recordings > 0 {
                    let subject = super::audit::Subject(uuid::Uuid::from_u128(row));
                    writing.audit(by, Some(subject), Action::MotionForgotten { recordings })?;
                }
                Ok(recordings)
            })?;
            if forgotten > 0 {
                self.wipe()?;
            }
            Ok(forgotten)
        })
    }
}

#[cfg(test)]
#[path = "movements_tests.rs"]
mod tests;
