//! Watches.
pub mod judge;
#[allow(dead_code)]
mod look;
