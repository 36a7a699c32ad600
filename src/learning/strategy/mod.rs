//! Adaptation strategies as data: a table of rules over model outputs, and what it decides for a learner now.
//!
//! [`table`] is what authors write, [`check`] makes it sound or says everything that is wrong with it, [`choose`] decides
//! with a [`memory`] per learner, [`gain`] looks one step ahead, [`explain`] says why, [`effect`] measures what came of it.
//! Never: I/O, a clock, randomness that isn't passed in, an action on evidence that is absent.

pub mod action;
mod admit;
pub mod check;
pub mod checked;
pub mod choose;
pub mod effect;
pub mod explain;
mod fault;
pub mod feature;
pub mod gain;
mod judge;
pub mod memory;
mod message;
pub mod patch;
pub mod precedence;
pub mod table;
mod words;

#[cfg(test)]
mod tests;
