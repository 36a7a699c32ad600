//! A value's place among the learner's own last ones: body, style and tempo cancel.
//!
//! Where values come as if drawn from one distribution, whatever it is, their ranks among those before are distributed
//! alike for everybody and independent of each other (sequential ranks: Rényi 1962, "Théorie des éléments saillants
//! d'une suite d'observations"; Barndorff-Nielsen 1963, "On the limit behaviour of extreme order statistics"). So what
//! is made of them tells people apart only by how each changes in the course of a session. That is enough to find
//! people where several are told for every attempt (`docs/motion.md`), hence the stretches.

use std::collections::VecDeque;

use crate::protocol::motion::OwnLevel;

/// Values kept: few enough to follow practice and tiredness. Arbitrary.
const WINDOW: usize = 60;
/// Values before the first place: among fewer it says little. Arbitrary.
const WARM_UP: usize = 9;
/// Attempts in a stretch. Shorter ones tell more, also of who it is. Arbitrary; found by the attack.
pub(super) const STRETCH: u32 = 10;
/// Fewest places in a stretch that make a word.
const FEWEST: u32 = STRETCH / 2;
/// Standard deviations of a mean of uniform places beyond which a stretch is low or high: a tenth at either end.
const UNUSUAL: f64 = 1.28;

/// A learner's own last values of one kind.
#[derive(Clone, Default)]
pub(super) struct OwnScale {
    recent: VecDeque<f64>,
}

impl OwnScale {
    /// The place of `x` among the values before it, in (0, 1), and takes it in. Nothing for what is no number, and
    /// nothing while there are too few to compare with. Equal ones count half.
    pub(super) fn place(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        let n = self.recent.len();
        let below: f64 = self
            .recent
            .iter()
            .map(|y| match y.total_cmp(&x) {
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 0.0,
            })
            .sum();
        if n >= WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(x);
        (n >= WARM_UP).then(|| (below + 0.5) / (n as f64 + 1.0))
    }
}

/// Places of a stretch of attempts, for one word.
#[derive(Clone, Copy, Default)]
pub(super) struct Places {
    sum: f64,
    count: u32,
}

impl Places {
    pub(super) fn add(&mut self, place: Option<f64>) {
        if let Some(place) = place {
            self.sum += place;
            self.count += 1;
        }
    }

    /// The word, and begins anew.
    pub(super) fn word(&mut self) -> Option<OwnLevel> {
        let Self { sum, count } = std::mem::take(self);
        if count < FEWEST {
            return None;
        }
        // A mean of n uniform numbers has variance 1/(12·n).
        let n = f64::from(count);
        let unusual = (sum / n - 0.5) * (12.0 * n).sqrt();
        Some(if unusual < -UNUSUAL {
            OwnLevel::Low
        } else if unusual > UNUSUAL {
            OwnLevel::High
        } else {
            OwnLevel::Usual
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(values: impl IntoIterator<Item = f64>) -> Vec<Option<f64>> {
        let mut scale = OwnScale::default();
        values.into_iter().map(|x| scale.place(x)).collect()
    }

    #[test]
    fn a_tenth_value_as_worked_by_hand() {
        let nine: Vec<f64> = (1..=9).map(f64::from).collect();
        let tenth = |x: f64| places(nine.iter().copied().chain([x]))[9].unwrap();
        // Below all nine of ten places: the middle of the first tenth; level with the fifth: in the middle.
        assert!((tenth(0.5) - 0.05).abs() < 1e-12);
        assert!((tenth(9.5) - 0.95).abs() < 1e-12);
        assert!((tenth(5.0) - 0.5).abs() < 1e-12);
        assert_eq!(places(nine), [None; 9]);
    }

    #[test]
    fn a_stretch_is_unusual_beyond_a_tenth() {
        let word = |place: f64, n: u32| {
            let mut places = Places::default();
            (0..n).for_each(|_| places.add(Some(place)));
            places.word()
        };
        // 1.28/√120 = 0.1168.
        assert_eq!(word(0.61, 10), Some(OwnLevel::Usual));
        assert_eq!(word(0.62, 10), Some(OwnLevel::High));
        assert_eq!(word(0.38, 10), Some(OwnLevel::Low));
        assert_eq!(word(0.99, 4), None);
    }

    proptest! {
        /// Scale, offset and shape of a person's values cancel: any rising function of them has the same places.
        #[test]
        fn who_does_everything_twice_as_slowly_has_the_same_places(
            values in prop::collection::vec(0.01..10.0, 0..200), scale in 0.1..10.0,
        ) {
            let other = values.iter().map(|x: &f64| scale * x.powi(3) + 1.0);
            prop_assert_eq!(places(other), places(values.iter().copied()));
        }

        #[test]
        fn memory_is_bounded_whatever_comes_in(values in prop::collection::vec(prop::num::f64::ANY, 0..300)) {
            let mut scale = OwnScale::default();
            for x in values {
                let place = scale.place(x);
                prop_assert!(x.is_finite() || place.is_none());
                prop_assert!(place.is_none_or(|p| p > 0.0 && p < 1.0));
                prop_assert!(scale.recent.len() <= WINDOW);
            }
        }
    }
}
