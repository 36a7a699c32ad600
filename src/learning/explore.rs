//! Choosing among activities that are equally good for all that is known: Thompson sampling with its propensity.
//!
//! In: how often each activity helped, and one uniform random number. Out: which one, and with which probability it
//! was to be chosen, to be logged beside what came of it, so that the effect of the choice can be estimated later by
//! inverse propensity weighting (Horvitz & Thompson 1952). It chooses only among what the caller has found admissible
//! and opens no gate.
//!
//! Thompson (1933) chooses each activity with the probability that it is the best. Usually one draws from every
//! posterior and takes the highest; here that probability itself is computed, p_k = ∫ f_k Π_{j≠k} F_j over Beta
//! posteriors, and one uniform number chooses by it. The choice has the same distribution, and the propensity is
//! known instead of estimated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_criteria::Bounded;
use super::few::Few;

/// Most activities to choose among.
pub const MAX_ACTIVITIES: usize = 8;

/// Points of the integral over [0, 1]. With the evidence capped below, the narrowest posterior covers several.
const GRID: usize = 256;

/// The chooser's numbers, choices of ours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExploreRules {
    /// Every activity keeps at least this probability, in [0, 1/8], so that weighting by 1/propensity stays bounded.
    pub floor: f64,
    /// Evidence beyond this many trials counts no more, in [1, 200]: what helped long ago says less about today.
    pub most_trials: f64,
}

impl Default for ExploreRules {
    fn default() -> Self {
        Self {
            floor: 0.05,
            most_trials: 100.0,
        }
    }
}

/// What is known of one activity.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// How often it helped, ≥ 0; parts of a success count as such.
    pub helped: f64,
    /// How often it didn't, ≥ 0.
    pub did_not: f64,
}

/// The choice, to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Place of the chosen one in the list.
    pub chosen: usize,
    /// Probability with which it was to be chosen, in [floor, 1].
    pub propensity: f64,
    /// That of every activity, in order; they sum to 1.
    pub propensities: Few<f64, MAX_ACTIVITIES>,
}

/// Whether an activity belongs among the equally good: its probability of success is thought to lie in this band
/// (of the adaptation table as delivered: 0.6 to 0.85).
#[must_use]
pub fn is_admissible(band: [f64; 2], success: &Bounded) -> bool {
    let [low, high] = band;
    let checked = success.checked();
    checked.is_some_and(|success| low <= success.mean && success.mean <= high)
}

/// Chooses one of up to [`MAX_ACTIVITIES`] admissible activities; further ones are left out. `uniform` is drawn from
/// [0, 1) by the caller and belongs into the log; what is no number counts as 0. `None`: there is nothing to choose.
/// Never allocates; some 30 µs for eight activities, for moments of choice and not for every frame.
#[must_use]
pub fn choose(rules: &ExploreRules, activities: &[Record], uniform: f64) -> Option<Choice> {
    let n = activities.len().min(MAX_ACTIVITIES);
    if n == 0 {
        return None;
    }
    let best = probability_best(rules, activities);
    let floor = held(rules.floor, 0.0, 1.0 / 8.0, 0.05);
    let mut propensities = Few::default();
    let mut chosen = (n - 1, 0.0);
    let mut before = 0.0;
    let mut found = false;
    let uniform = held(uniform, 0.0, 1.0, 0.0);
    for (i, best) in best.into_iter().take(n).enumerate() {
        let propensity = floor + (1.0 - floor * n as f64) * best;
        propensities.push(propensity);
        before += propensity;
        // Rounding may leave the sum a hair below 1: then the last one that was possible is taken.
        if !found && propensity > 0.0 {
            chosen = (i, propensity);
            found = uniform < before;
        }
    }
    Some(Choice {
        chosen: chosen.0,
        propensity: chosen.1,
        propensities,
    })
}

/// Probability of each activity to be the most helpful one; they sum to 1, entries beyond the list are 0.
fn probability_best(rules: &ExploreRules, activities: &[Record]) -> [f64; MAX_ACTIVITIES] {
    let mut grid = [[0.0; MAX_ACTIVITIES]; GRID];
    for (k, record) in activities.iter().take(MAX_ACTIVITIES).enumerate() {
        for (cell, mass) in grid.iter_mut().zip(posterior(rules, record)) {
            cell[k] = mass;
        }
    }
    let n = activities.len().min(MAX_ACTIVITIES);
    let mut below = [0.0; MAX_ACTIVITIES];
    let mut best = [0.0; MAX_ACTIVITIES];
    for mass in grid {
        for k in 0..n {
            let mut others = 1.0;
            for j in 0..n {
                if j != k {
                    // Half of the cell's own mass: a tie within a cell is nobody's.
                    others *= below[j] + 0.5 * mass[j];
                }
            }
            best[k] += mass[k] * others;
        }
        for (below, mass) in below.iter_mut().zip(mass) {
            *below += mass;
        }
    }
    let sum: f64 = best.iter().sum();
    if sum > 0.0 {
        best.map(|best| best / sum)
    } else {
        best
    }
}

/// Probability mass of the Beta(1 + helped, 1 + did_not) posterior on the cells of the grid.
fn posterior(rules: &ExploreRules, record: &Record) -> [f64; GRID] {
    let cap = held(rules.most_trials, 1.0, 200.0, 100.0);
    let helped = held(record.helped, 0.0, 1e12, 0.0);
    let did_not = held(record.did_not, 0.0, 1e12, 0.0);
    let kept = (cap / (helped + did_not).max(cap)).min(1.0);
    let (a, b) = (helped * kept, did_not * kept);
    // Relative to its highest point, so that the exponential can't vanish everywhere.
    let log_density = |x: f64| a * x.ln() + b * (1.0 - x).ln();
    let mode = if a + b > 0.0 { a / (a + b) } else { 0.5 };
    let top = log_density(mode.clamp(0.5 / GRID as f64, 1.0 - 0.5 / GRID as f64));
    let mut mass = [0.0; GRID];
    for (i, mass) in mass.iter_mut().enumerate() {
        let x = (i as f64 + 0.5) / GRID as f64;
        *mass = (log_density(x) - top).exp();
    }
    let sum: f64 = mass.iter().sum();
    mass.map(|mass| mass / sum)
}

/// `x` within its range; `otherwise` if it is no number.
fn held(x: f64, low: f64, high: f64, otherwise: f64) -> f64 {
    if x.is_nan() {
        otherwise
    } else {
        x.clamp(low, high)
    }
}

#[cfg(test)]
#[path = "explore_tests.rs"]
mod tests;
