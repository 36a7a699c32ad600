//! Malloc VR: a native VR learning runtime.
//!
//! The rooms, from the ground up: a room may import rooms below it, never above
//! (`ARCHITECTURE.md` has the table, `tests/rooms.rs` holds the order).

// Floor 0
pub mod learning;
pub mod protocol;
// Floor 1
pub mod lesson;
pub mod record;
// Floor 2
pub mod adaptation;
pub mod session;
// Floor 3
pub mod physics;
pub mod xr;
// Floor 3, on xr
pub mod governor;
// Floor 4
pub mod interaction;
pub mod task;
pub mod ui;
// Floor 5
pub mod bridge;
// Floor 6
pub mod app;
