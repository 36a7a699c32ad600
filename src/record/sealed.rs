//! What the sealed store is made of: the secrets that all of a store hangs on, the head of each learner's chain,
//! and the head of the store over all of them. Sealed, so that without the master key a file tells counts and sizes.

use zeroize::Zeroizing;

use super::key::MasterKey;
use super::seal::{KEY, NoRandomness, Sealer, Secret};
use crate::protocol::ids::LearnerId;

/// Version of the store's layout; a newer one is refused.
pub(super) const FORMAT: u8 = 2;

/// A hash of a chain.
pub(super) type Hash = [u8; KEY];

/// Where a chain begins.
pub(super) const START: Hash = [0; KEY];

/// The chain goes on over the sealed row, so that it can be followed without any data key.
pub(super) fn follow(chain: &Hash, row: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(chain);
    hasher.update(row);
    *hasher.finalize().as_bytes()
}

/// Secrets of one store, from its random root; the root is wrapped by the master key, so they outlive its rotation.
#[derive(Clone)]
pub(super) struct Secrets {
    root: Secret,
    /// Names rows: nobody without it can tell whose they are.
    rows: Secret,
    /// Sums over heads.
    sums: Secret,
    pub(super) heads: Sealer,
    pub(super) audit: Sealer,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// The place under which the root is wrapped.
const ROOT: &[u8] = b"malloc-vr 2 root";

impl Secrets {
    pub(super) fn fresh() -> Result<Self, NoRandomness> {
        Secret::fresh().map(Self::of)
    }

    fn of(root: Secret) -> Self {
        Self {
            rows: root.derive("malloc-vr 2026-11-21 names of rows"),
            sums: root.derive("malloc-vr 2026-11-21 sums of heads"),
            heads: root.derive("malloc-vr 2026-11-21 heads of chains").sealer(),
            audit: root.derive("malloc-vr 2026-11-21 audit").sealer(),
            root,
        }
    }

    pub(super) fn wrap(&self, master: &MasterKey) -> Result<Vec<u8>, NoRandomness> {
        master.wrapping().seal(ROOT, self.root.bytes())
    }

    pub(super) fn unwrap(master: &MasterKey, wrapped: &[u8]) -> Option<Self> {
        master.wrapping().open_secret(ROOT, wrapped).map(Self::of)
    }

    /// The name of a learner's rows.
    pub(super) fn row(&self, learner: LearnerId) -> u128 {
        let [name @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            self.rows.hash(learner.0.as_bytes());
        u128::from_be_bytes(name)
    }

    /// What the noise of a word about movements is drawn from.
    pub(super) fn words(&self, row: u128, session: u128, seq: u64, drawn: u64) -> Hash {
        let mut text = b"words".to_vec();
        text.extend_from_slice(&row.to_be_bytes());
        text.extend_from_slice(&session.to_be_bytes());
        text.extend_from_slice(&seq.to_be_bytes());
        text.extend_from_slice(&drawn.to_be_bytes());
        self.sums.hash(&text)
    }

    /// What the head of a recording adds to the sum of all heads.
    pub(super) fn motion_share(&self, row: u128, session: u128, head: &[u8]) -> Hash {
        let mut text = b"motion".to_vec();
        text.extend_from_slice(&row.to_be_bytes());
        text.extend_from_slice(&session.to_be_bytes());
        text.extend_from_slice(head);
        self.sums.hash(&text)
    }

    /// What a head adds to the sum of all heads.
    pub(super) fn share(&self, row: u128, head: &LearnerHead) -> Hash {
        let mut text = row.to_be_bytes().to_vec();
        text.extend_from_slice(&head.encode());
        self.sums.hash(&text)
    }
}

/// Place of a block of movements, of the head of a recording or of its key.
pub(super) fn motion_place(kind: u8, row: u128, session: u128, number: u32) -> [u8; 38] {
    let mut place = [0; 38];
    place[0] = kind;
    place[1] = FORMAT;
    place[2..18].copy_from_slice(&row.to_be_bytes());
    place[18..34].copy_from_slice(&session.to_be_bytes());
    place[34..].copy_from_slice(&number.to_be_bytes());
    place
}

/// Place of an event: what its ciphertext is bound to. The format is part of it, so that no later layout takes it for its own.
pub(super) fn event_place(row: u128, seq: u64) -> [u8; 26] {
    let mut place = [0; 26];
    place[0] = b'e';
    place[1] = FORMAT;
    place[2..18].copy_from_slice(&row.to_be_bytes());
    place[18..].copy_from_slice(&seq.to_be_bytes());
    place
}

/// Place of a learner's wrapped data key: their pseudonym.
pub(super) fn key_place(learner: LearnerId) -> [u8; 18] {
    let mut place = [0; 18];
    place[0] = b'k';
    place[1] = FORMAT;
    place[2..].copy_from_slice(learner.0.as_bytes());
    place
}

/// Place of a learner's head.
pub(super) fn head_place(row: u128) -> [u8; 18] {
    let mut place = [0; 18];
    place[0] = b'h';
    place[1] = FORMAT;
    place[2..].copy_from_slice(&row.to_be_bytes());
    place
}

/// Place of an audit entry.
pub(super) fn audit_place(seq: u64) -> [u8; 10] {
    let mut place = [0; 10];
    place[0] = b'a';
    place[1] = FORMAT;
    place[2..].copy_from_slice(&seq.to_be_bytes());
    place
}

/// Place of the store's head.
pub(super) const STORE_HEAD: &[u8] = b"malloc-vr 2 store head";

/// Where a learner's chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LearnerHead {
    pub learner: LearnerId,
    /// Events, and so the place of the last one.
    pub events: u64,
    pub chain: Hash,
    /// Of the last event; for people.
    pub last_at_unix_ms: u64,
    /// The store's count of writes at the last one: order without a clock.
    pub written: u64,
    /// Events at the last sighting of the clock that saw new ones, and the latest time they can be of.
    pub noticed_events: u64,
    pub not_after_unix_ms: u64,
}

impl LearnerHead {
    pub(super) fn new(learner: LearnerId) -> Self {
        Self {
            learner,
            events: 0,
            chain: START,
            last_at_unix_ms: 0,
            written: 0,
            noticed_events: 0,
            not_after_unix_ms: 0,
        }
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(88));
        out.extend_from_slice(self.learner.0.as_bytes());
        out.extend_from_slice(&self.chain);
        for number in [
            self.events,
            self.last_at_unix_ms,
            self.written,
            self.noticed_events,
            self.not_after_unix_ms,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let head = Self {
            learner: LearnerId(uuid::Uuid::from_bytes(fields.take()?)),
            chain: fields.take()?,
            events: fields.number()?,
            last_at_unix_ms: fields.number()?,
            written: fields.number()?,
            noticed_events: fields.number()?,
            not_after_unix_ms: fields.number()?,
        };
        fields.0.is_empty().then_some(head)
    }
}

/// Where the store stands: what no single chain can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct StoreHead {
    pub learners: u64,
    /// Exclusive or of every learner's share: finds a learner taken away, or put back to an earlier state.
    pub sum: Hash,
    /// Writes of events so far.
    pub written: u64,
    /// The last audit entry, and the chain up to it.
    pub audit: u64,
    pub audit_chain: Hash,
    /// Audit entries swept away: the last one, and the chain up to it.
    pub audit_swept: u64,
    pub audit_swept_chain: Hash,
    pub clock: Sightings,
}

/// What the sweeper knows of time, in milliseconds since the Unix epoch; see `retention.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sightings {
    /// It is at least so late.
    pub believed: u64,
    /// What the clock showed at the last sighting; 0: there was none.
    pub last: u64,
}

impl StoreHead {
    /// Takes a learner's old share out of the sum, or a new one in.
    pub(super) fn toggle(&mut self, share: &Hash) {
        for (byte, other) in self.sum.iter_mut().zip(share) {
            *byte ^= other;
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(144);
        for number in [
            self.learners,
            self.written,
            self.audit,
            self.audit_swept,
            self.clock.believed,
            self.clock.last,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for hash in [&self.sum, &self.audit_chain, &self.audit_swept_chain] {
            out.extend_from_slice(hash);
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let head = Self {
            learners: fields.number()?,
            written: fields.number()?,
            audit: fields.number()?,
            audit_swept: fields.number()?,
            clock: Sightings {
                believed: fields.number()?,
                last: fields.number()?,
            },
            sum: fields.take()?,
            audit_chain: fields.take()?,
            audit_swept_chain: fields.take()?,
        };
        fields.0.is_empty().then_some(head)
    }
}

/// Fields of a head, from first to last.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl Fields<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}
