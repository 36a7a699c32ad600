//! The frame-time governor: keeps the headset's frame rate whatever the lesson does, and gives quality back as soon as it
//! may.
//! In: what frames cost ([`sense`]), what the learner is at. Out: [`decide::Decision`]: level, actuator values and why.
//! Never: input, physics of held things, assessment, safety panels or the log given up; an engine in the pure files.
//!
//! [`plugin::GovernorPlugin`] decides in an application, [`acting`] acts there.
//! [`plant`] is a model of a headset to prove it on, [`policies`] what others ship, behind the same door.

pub mod acting;
pub mod actuators;
mod chain;
mod cost;
pub mod decide;
pub mod forecast;
mod gpu_clock;
pub mod mode;
pub mod plant;
pub mod plugin;
pub mod policies;
pub mod restraint;
pub mod rules;
pub mod sense;
mod side;
pub mod state;
pub mod why;
