//! Simulated learners whose truth is known, to test models and policies on.
//!
//! In: populations, lessons, policies, seeds. Out: what came of it, beside what would have been best.
//! Never: a claim about people. The world is ours ([`mind`]); it shows whether a policy does what it is for where its
//! assumptions hold, and how it fares where they don't ([`truth::Learner::indifferent_to_difficulty`]).
//! Research that simulates learners to compare policies: Matsuda, Cohen & Koedinger 2015; its limits: VanLehn, Ohlsson &
//! Nason 1994.

pub mod act;
pub mod draws;
pub mod fork;
pub mod lesson;
pub mod mind;
pub mod oracle;
pub mod original;
pub mod ours;
pub mod run;
pub mod scene;
pub mod study;
pub mod truth;
pub mod world;

#[cfg(test)]
mod tests;
