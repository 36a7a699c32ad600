//! The learning maths: plain Rust over plain data.
//! In: what a learner did. Out: estimates of what they know.
//! Never: bevy, I/O, a clock, or randomness that isn't passed in.

pub mod ability;
pub mod assessment;
pub mod baseline;
pub mod bkt;
pub mod bkt_fit;
pub mod bkt_tree;
pub mod calibration;
pub mod engagement;
pub mod estimate;
pub mod explain;
pub mod habits;
pub mod item_choice;
pub mod knowledge;
pub mod quality;
pub mod retention;
pub mod skill;
pub mod tracer;
