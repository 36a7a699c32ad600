//! What a learner's own ratings of effort (Paas 1992, nine points) say about the index for this learner.
//!
//! The index is made of signs that mean different things in different people: the same detour is effort in one and style
//! in another. So each rating is compared with what the signs alone said, and the mean difference, drawn towards none as
//! long as there are few (a normal mean with a normal prior: Gelman et al., "Bayesian Data Analysis", section 2.5), moves
//! the index for the learner. As ratings come in the margin of the model shrinks, never by more than half.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Load, LoadParams, Sign, class};

/// Standard deviation of a learner's offset over people, and of one rating around the learner's own; both in units of the
/// index. Arbitrary: a fifth of the scale.
const PEOPLE: f64 = 0.2;
const RATING: f64 = 0.2;
/// A rating speaks for the present as long as this. Ours: a step or two.
pub const LASTS: Duration = Duration::from_secs(120);

/// One learner's ratings.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ratings {
    /// Ratings that could be compared.
    pub n: u32,
    /// Sum of rating minus index, both in [0, 1].
    pub sum: f64,
    /// The latest, 1 to 9, and its age.
    pub latest: Option<(f64, Duration)>,
}

impl Ratings {
    /// The learner rates their effort from 1 to 9, when the signs without any rating said `load`. What is no number was
    /// not said.
    pub fn rated(&mut self, rating: f64, load: Option<&Load>) {
        if rating.is_nan() {
            return;
        }
        let rating = rating.clamp(1.0, 9.0);
        self.latest = Some((rating, Duration::ZERO));
        if let Some(level) = load.and_then(behaviour) {
            self.sum += (rating - 1.0) / 8.0 - level;
            self.n = self.n.saturating_add(1);
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, dt: Duration) {
        if let Some((_, age)) = &mut self.latest {
            *age = age.saturating_add(dt);
        }
    }

    /// The latest rating, if it still speaks for the present.
    #[must_use]
    pub fn fresh(&self) -> Option<f64> {
        let latest = self.latest.filter(|(_, age)| *age < LASTS);
        latest.map(|(rating, _)| rating)
    }

    /// Share in [0, 1) with which the ratings count against having none.
    #[must_use]
    pub fn weight(&self) -> f64 {
        let n = f64::from(self.n);
        n / (n + (RATING / PEOPLE).powi(2))
    }

    /// The index moved to where this learner means it.
    #[must_use]
    pub fn calibrated(&self, load: Load, p: &LoadParams) -> Load {
        let (Some(level), true) = (load.level, self.n > 0) else {
            return load;
        };
        let weight = self.weight();
        let offset = weight * (self.sum / f64::from(self.n)).clamp(-1.0, 1.0);
        let firmer = 0.5 * weight * super::half_width(p.residual);
        let moved = (level + offset).clamp(0.0, 1.0);
        let lower = (load.lower + offset + firmer).clamp(0.0, 1.0).min(moved);
        let upper = (load.upper + offset - firmer).clamp(0.0, 1.0).max(moved);
        Load {
            level: Some(moved),
            lower,
            upper,
            class: class(lower, upper, p),
            ..load
        }
    }
}

/// What the signs alone say, without any rating: a rating must not be compared with itself.
fn behaviour(load: &Load) -> Option<f64> {
    let signs = load.contributions.iter();
    let signs = signs.filter(|sign| sign.sign != Sign::OwnRating);
    let (there, sum) = signs.fold((0.0, 0.0), |(there, sum), sign| {
        let says = sign.says.map_or((0.0, 0.0), |says| (sign.share, says));
        (there + says.0, sum + says.0 * says.1)
    });
    (there > 0.0).then(|| sum / there)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Observed, estimate};
    use super::*;

    fn load(response_time: f64) -> Load {
        let observed = Observed {
            response_time: Some(response_time),
            baseline: 20,
            ..Observed::default()
        };
        estimate(&LoadParams::default(), &observed)
    }

    #[test]
    fn a_worked_example() {
        // Twice the usual time says 2/3. Rated 1 (nothing at all) four times: offset −2/3, weight 4/5: 2/15 is left.
        let load = load(2.0);
        let mut ratings = Ratings::default();
        for _ in 0..4 {
            ratings.rated(1.0, Some(&load));
        }
        let moved = ratings.calibrated(load, &LoadParams::default());
        assert!(
            (moved.level.unwrap() - 2.0 / 15.0).abs() < 1e-9,
            "{moved:?}"
        );
    }

    #[test]
    fn a_rating_grows_old_but_what_it_taught_stays() {
        let mut ratings = Ratings::default();
        ratings.rated(9.0, Some(&load(1.0)));
        assert_eq!(ratings.fresh(), Some(9.0));
        ratings.pass(LASTS);
        assert_eq!(ratings.fresh(), None);
        let p = LoadParams::default();
        assert!(ratings.calibrated(load(1.0), &p).level > load(1.0).level);
    }

    proptest! {
        #[test]
        fn whatever_is_rated_the_load_stays_in_range(
            rated in prop::collection::vec(prop::num::f64::ANY, 0..30), response_time in 0.0..5.0_f64,
        ) {
            let mut ratings = Ratings::default();
            for rating in rated {
                ratings.rated(rating, Some(&load(response_time)));
            }
            let moved = ratings.calibrated(load(response_time), &LoadParams::default());
            let level = moved.level.unwrap();
            prop_assert!((0.0..=1.0).contains(&moved.lower) && (0.0..=1.0).contains(&moved.upper));
            prop_assert!(moved.lower <= level && level <= moved.upper);
        }

        #[test]
        fn who_rates_higher_is_taken_to_be_more_loaded(low in 1.0..9.0_f64, more in 0.1..8.0_f64, n in 1_usize..10) {
            let level = |rating: f64| {
                let mut ratings = Ratings::default();
                for _ in 0..n {
                    ratings.rated(rating, Some(&load(1.6)));
                }
                ratings.calibrated(load(1.6), &LoadParams::default()).level.unwrap()
            };
            prop_assert!(level((low + more).min(9.0)) >= level(low));
        }
    }
}
