//! The append-only log on disk: a learner's events, sealed, written by a thread of its own, fsync'd before they count.
//! In: events over a bounded channel. Out: [`Acknowledged`] once they are safe, [`Health`] while they are not.
//! Never: waits in the frame, drops an event, writes one twice, writes anything of a learner in clear.

pub mod access;
pub mod ages;
pub mod aggregate;
pub mod anonymity;
mod audit;
pub mod boundary;
#[cfg(test)]
mod canary_tests;
#[cfg(test)]
mod chance_for_tests;
mod check;
mod class_ledger;
mod codec;
pub mod compliance;
pub mod consent;
mod disk;
#[cfg(test)]
mod disk_for_tests;
mod erase;
mod error;
pub mod export;
mod export_summary;
mod guard;
mod key;
mod key_source;
#[cfg(target_os = "android")]
mod keystore;
pub mod motion;
mod movements;
mod movements_check;
pub mod noise;
pub mod pii;
mod plain;
#[cfg(test)]
mod power_tests;
pub mod privacy_page;
pub mod purpose;
pub mod purpose_fields;
mod rehearsal;
mod released;
mod replace;
mod retention;
pub mod rights;
mod roster;
mod rotate;
mod seal;
mod sealed;
mod sealed_file;
mod store;
mod tail;
mod time;
mod unlock;
mod writer;
mod writing;
pub mod xapi;
#[cfg(test)]
mod xapi_check;

pub use audit::{Action, Admission, AuditEntry, Became, By, Subject, Tombstone};
pub use check::Check;
pub use class_ledger::{ClassFigureError, ClassLedger};
pub use erase::ErasureProof;
pub use error::RecordError;
pub use guard::Keeping;
pub use key::{KeyError, Keys, MASTER_KEY_VARIABLE, PASSPHRASE_VARIABLE};
pub use movements::{MovementsError, Recording, Run, first_of_run};
pub use rehearsal::Rehearsal;
pub use replace::replace;
pub use retention::{Retention, SweepReport};
pub use roster::{Person, Roster, RosterId};
pub use seal::NoRandomness;
pub use sealed_file::SealedFileError;
pub use store::{LearnerEntry, Store};
pub use writer::{Acknowledged, Health, Recorder, StoreDoor};
