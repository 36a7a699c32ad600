//! The learning maths: plain Rust over plain data.
//! In: what a learner did. Out: estimates of what they know.
//! Never: bevy, I/O, a clock, or randomness that isn't passed in.

pub mod bkt;
pub mod bkt_fit;
pub mod bkt_tree;
pub mod equation;
pub mod equation_batch;
pub mod event;
pub mod event_chart;
pub mod event_criteria;
pub mod event_rules;
pub mod explore;
pub mod few;
pub mod load;
pub mod policy;
pub mod policy_rules;
pub mod policy_view;
pub mod skill;
pub mod tracer;
pub mod weights;
