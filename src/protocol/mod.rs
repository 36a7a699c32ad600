//! The wire and log vocabulary: ids, events, commands, snapshots and their version.
//! In and out: serde types shared by headset, host, instructor and store.
//! Never: behaviour, bevy, I/O.

pub mod asker;
pub mod blur;
pub mod command;
pub mod consent;
pub mod event;
pub mod ids;
pub mod life;
pub mod motion;
pub mod parcel;
pub mod picture;
pub mod privacy;
pub mod sample;
pub mod scene;
pub mod snapshot;
pub mod teaching;
pub mod trace;
pub mod wire;
pub mod wire_page;

/// Version of the log and wire vocabulary; written with every session so that later readers can migrate.
pub const PROTOCOL_VERSION: u16 = 1;
