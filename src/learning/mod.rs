//! The learning maths: plain Rust over plain data.
//! In: what a learner did. Out: estimates of what they know.
//! Never: bevy, I/O, a clock, or randomness that isn't passed in.

pub mod bkt;
pub mod bkt_fit;
pub mod bkt_tree;
pub mod skill;
pub mod tracer;
