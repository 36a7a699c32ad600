//! The append-only log on disk: a learner's events, written by a thread of its own, fsync'd before they count.
//! In: events over a bounded channel. Out: [`Acknowledged`] once they are safe, [`Health`] while they are not.
//! Never: waits in the frame, drops an event, writes one twice.

mod codec;
#[cfg(test)]
mod disk_for_tests;
mod error;
pub mod motion;
mod store;
mod writer;

pub use error::RecordError;
pub use store::{Check, LearnerEntry, Store};
pub use writer::{Acknowledged, Health, Recorder};
