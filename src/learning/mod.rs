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
pub mod cohort;
pub mod comfort;
pub mod engagement;
pub mod equation;
pub mod equation_batch;
pub mod estimate;
pub mod event;
pub mod event_chart;
pub mod event_criteria;
pub mod event_rules;
pub mod explain;
pub mod explore;
pub mod few;
pub mod five;
pub mod habits;
pub mod hints;
pub mod item_choice;
pub mod knowledge;
pub mod load;
pub mod predict;
pub mod quality;
pub mod retention;
pub mod simulated;
pub mod skill;
pub mod strategy;
pub mod tracer;
pub mod weights;
