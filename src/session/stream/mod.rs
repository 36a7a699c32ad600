//! The stream of samples: when one is due, what it holds, whether it can be believed, and how it gets to others.
//! Pure files; the systems around them are in [`systems`].

pub mod buffer;
pub mod histogram;
pub mod mirror;
pub mod quarantine;
pub mod receive;
pub mod sample;
pub mod schedule;
pub mod systems;
pub mod urgent;
pub mod validate;
