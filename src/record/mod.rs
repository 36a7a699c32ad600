//! The append-only log on disk: a learner's events, written by a thread of its own, fsync'd before they count.
//! In: events over a bounded channel. Out: [`Acknowledged`] once they are safe, [`Health`] while they are not.
//! Never: waits in the frame, drops an event, writes one twice.

pub mod access;
pub mod ages;
pub mod aggregate;
pub mod anonymity;
pub mod boundary;
mod codec;
pub mod compliance;
pub mod consent;
#[cfg(test)]
mod disk_for_tests;
mod error;
pub mod export;
mod export_summary;
pub mod motion;
pub mod noise;
pub mod pii;
pub mod privacy_page;
pub mod purpose;
pub mod purpose_fields;
pub mod rights;
mod store;
mod time;
mod writer;
pub mod xapi;
#[cfg(test)]
mod xapi_check;

pub use error::RecordError;
pub use store::{Check, LearnerEntry, Store};
pub use writer::{Acknowledged, Health, Recorder};
