//! Which observations moved an estimate most: a short record of fixed size beside each estimate.
//!
//! In: the change each observation made. Out: the largest ones, and what all others added up to.
//! Never: growth with the number of observations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{MAX_LOGIT, bounded, logit};

/// How many observations are named: as many as fit a line for a teacher.
pub const NAMED: usize = 8;

/// One observation and what it did.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mover {
    /// The observation's number in the log.
    pub observation: u64,
    /// By how much it moved the estimate, in logit; negative is down.
    pub change: f64,
}

/// The observations that moved one estimate most.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Movers {
    /// Largest change first; empty places have change 0 and lie at the end.
    largest: [Mover; NAMED],
    /// Sum of the changes of all others, in logit.
    others: f64,
}

impl Movers {
    /// Remembers that `observation` moved the estimate by `change` logits, if it is among the largest.
    /// A change that is 0 or NaN is none. Among equals the earlier stays, so that equal logs give equal records.
    pub fn observe(&mut self, observation: u64, change: f64) {
        let change = bounded(change, -2.0 * MAX_LOGIT, 2.0 * MAX_LOGIT, 0.0);
        let mut carried = Mover {
            observation,
            change,
        };
        for place in &mut self.largest {
            if carried.change.abs() > place.change.abs() {
                std::mem::swap(place, &mut carried);
            }
        }
        self.others = bounded(self.others + carried.change, -1e12, 1e12, 0.0);
    }

    /// As [`Movers::observe`], for an estimate that is a probability.
    pub fn observe_probability(&mut self, observation: u64, before: f64, after: f64) {
        self.observe(observation, logit(after) - logit(before));
    }

    /// The observations that moved it most, the largest first; at most [`NAMED`].
    pub fn largest(&self) -> impl Iterator<Item = &Mover> {
        self.largest.iter().filter(|mover| mover.change.abs() > 0.0)
    }

    /// What all observations not named moved together, in logit.
    #[must_use]
    pub fn others(&self) -> f64 {
        self.others
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_changes_are_named_in_order() {
        let mut movers = Movers::default();
        for (observation, change) in [0.1, -0.9, 0.3, 0.2].into_iter().enumerate() {
            movers.observe(observation as u64, change);
        }
        let named: Vec<u64> = movers.largest().map(|mover| mover.observation).collect();
        assert_eq!(named, [1, 2, 3, 0]);
    }

    #[test]
    fn what_does_not_fit_is_summed() {
        let mut movers = Movers::default();
        for observation in 0..10 {
            movers.observe(observation, 1.0);
        }
        assert_eq!(movers.largest().count(), NAMED);
        // Ten changes of 1, eight named.
        assert!((movers.others() - 2.0).abs() < 1e-12);
        assert!(movers.largest().all(|mover| mover.observation < 8));
    }

    #[test]
    fn a_probability_is_compared_on_the_logit_scale() {
        let mut movers = Movers::default();
        movers.observe_probability(7, 0.5, 0.75);
        // ln 3 by hand.
        let change = movers.largest().next().unwrap().change;
        assert!((change - 3.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn the_record_survives_storage() {
        let mut movers = Movers::default();
        movers.observe(u64::MAX, -0.1 - 0.2);
        let stored = serde_json::to_string(&movers).unwrap();
        assert_eq!(serde_json::from_str::<Movers>(&stored).unwrap(), movers);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_larger_goes_unnamed(changes in prop::collection::vec(-5.0..5.0, 0..60)) {
            let mut movers = Movers::default();
            for (observation, &change) in changes.iter().enumerate() {
                movers.observe(observation as u64, change);
            }
            let named: f64 = movers.largest().map(|mover| mover.change).sum();
            prop_assert!((named + movers.others() - changes.iter().sum::<f64>()).abs() < 1e-9);
            let mut sizes: Vec<f64> = changes.iter().map(|c: &f64| c.abs()).collect();
            sizes.sort_by(|a, b| b.total_cmp(a));
            for (mover, size) in movers.largest().zip(sizes) {
                prop_assert!((mover.change.abs() - size).abs() < 1e-12);
            }
        }

        #[test]
        fn any_input_stays_finite(changes in prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY), 0..30)) {
            let mut movers = Movers::default();
            for (observation, (a, b)) in changes.into_iter().enumerate() {
                movers.observe(observation as u64, a);
                movers.observe_probability(observation as u64, a, b);
            }
            prop_assert!(movers.others().is_finite());
            prop_assert!(movers.largest().all(|mover| mover.change.is_finite()));
        }
    }
}
