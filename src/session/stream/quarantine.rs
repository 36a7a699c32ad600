//! What was not believed: the newest of it, and counts of all.

use std::collections::VecDeque;

use super::validate::Fault;
use crate::protocol::sample::{Field, Signal};

/// How many are kept. Arbitrary: enough to see what is broken.
pub const KEPT: usize = 32;

/// Something that was not believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    /// Number of its sample.
    pub number: u64,
    /// Of which signal; `None`: the whole sample, or its time.
    pub signal: Option<Signal>,
    /// What it was.
    pub field: Field,
    /// Why.
    pub fault: Fault,
}

/// What was not believed of one stream. Its size is bounded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quarantine {
    kept: VecDeque<Kept>,
    counts: [u64; Fault::KINDS],
    told: [bool; Fault::KINDS],
}

impl Quarantine {
    /// Puts something aside. The oldest gives way.
    pub fn keep(&mut self, kept: Kept) {
        if let Some(count) = self.counts.get_mut(kept.fault.kind()) {
            *count += 1;
        }
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(kept);
    }

    /// The newest, oldest first; at most [`KEPT`].
    pub fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter()
    }

    /// The newest of a kind that nobody has been told of; each kind once. `None`: all are told.
    pub fn untold(&mut self) -> Option<Kept> {
        let told = &mut self.told;
        let mut kept = self.kept.iter().rev().copied();
        let found = kept.find(|it| told.get(it.fault.kind()) == Some(&false))?;
        if let Some(told) = told.get_mut(found.fault.kind()) {
            *told = true;
        }
        Some(found)
    }

    /// How many there were of a fault's kind.
    #[must_use]
    pub fn count(&self, like: &Fault) -> u64 {
        self.counts.get(like.kind()).copied().unwrap_or(0)
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}
