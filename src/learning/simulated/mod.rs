//! Simulated learners whose truth is known, to test models and policies on.
//!
//! In: populations, lessons, policies, seeds. Out: what came of it, beside what would have been best.
//! Never: a claim about people. The world is ours ([`mind`]); it shows whether a policy does what it is for where its
//! assumptions hold, and how it fares where they don't ([`truth::Learner::indifferent_to_difficulty`]).
//! Research that simulates learners to compare policies: Matsuda, Cohen & Koedinger 2015; its limits: VanLehn, Ohlsson &
//! Nason 1994.

pub mod draws;
pub mod fork;
pub mod lesson;
pub mod mind;
pub mod oracle;
pub mod original;
pub mod run;
pub mod study;
pub mod truth;
pub mod world;

use super::policy::advise;
use super::policy_rules::PolicyRules;
use run::{Advice, Seen};

/// What our policy says, as a simulated lesson asks for it.
#[must_use]
pub fn ours(rules: &PolicyRules, seen: &Seen) -> Advice {
    let mut advice = Advice::default();
    for recommendation in advise(rules, seen.view).iter() {
        advice.push(recommendation.action);
    }
    advice
}

/// What the original's thresholds say.
#[must_use]
pub fn original(seen: &Seen) -> Advice {
    original::advise(&original::Signals::of(seen), seen.other_approach)
}

#[cfg(test)]
mod tests;
