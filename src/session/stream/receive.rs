//! The other end of a stream: takes every event once and in order, every sample once and in order, and each sample in
//! its place among the events; only one that the sender gave up while it was under way may come later than that.

use crate::protocol::ids::LearnerId;
use crate::protocol::parcel::{Content, Parcel, Position};

/// What to do with a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Take its content in: it is the next.
    Next,
    /// It was here before. Acknowledge again: the sender doesn't know.
    Known,
    /// Something before it is not here yet. It will come again.
    Early,
    /// It is another learner's, and is not taken.
    Foreign,
}

/// What has come of one learner's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming {
    learner: LearnerId,
    has: Position,
}

impl Incoming {
    /// For a learner of whose stream this much is here for good: the last event of the log, the last sample.
    #[must_use]
    pub fn new(learner: LearnerId, has: Position) -> Self {
        Self { learner, has }
    }

    /// Whether a parcel's content is to be taken in. It then counts as taken.
    pub fn receive(&mut self, parcel: &Parcel) -> Arrival {
        let (learner, known, early) = match &parcel.content {
            Content::Event(event) => (
                event.learner,
                event.seq <= self.has.events,
                event.seq > self.has.events + 1 || parcel.before.samples > self.has.samples,
            ),
            Content::Sample(sample) => (
                sample.learner,
                sample.number <= self.has.samples,
                sample.after > self.has.events || parcel.before.samples > self.has.samples,
            ),
        };
        if learner != self.learner {
            return Arrival::Foreign;
        }
        if known {
            return Arrival::Known;
        }
        if early {
            return Arrival::Early;
        }
        match &parcel.content {
            Content::Event(event) => self.has.events = event.seq,
            Content::Sample(sample) => self.has.samples = sample.number,
        }
        Arrival::Next
    }

    /// What was taken in. Of it, acknowledge what is safe: events up to the last one on the disk.
    #[must_use]
    pub fn has(&self) -> Position {
        self.has
    }

    /// What to acknowledge, where events up to `stored` are on the disk.
    #[must_use]
    pub fn acknowledgement(&self, stored: u64) -> Position {
        Position {
            events: self.has.events.min(stored),
            ..self.has
        }
    }
}
