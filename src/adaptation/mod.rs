//! Turns.
pub mod decide;
pub mod ladder;
