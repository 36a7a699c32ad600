//! A value's place among the learner's own last ones: body, style and tempo cancel.
//!
//! Where values come as if drawn from one distribution, whatever it is, their ranks among those before are distributed
//! alike for everybody and independent of each other (Rényi 1962, "Théorie des éléments saillants d'une suite
//! d'observations"; Barndorff-Nielsen 1963 for the independence, under the name of sequential ranks). So the words made
//! from them tell two people apart only by how each changes in the course of a session, not by how they are.

use std::collections::VecDeque;

use crate::protocol::motion::OwnLevel;

/// Values kept: enough for fifths, few enough to follow practice and tiredness. Arbitrary.
const WINDOW: usize = 60;
/// Values before the first word: with fewer a fifth is less than two of them. Arbitrary.
const WARM_UP: usize = 9;

/// A learner's own last values of one kind.
#[derive(Clone, Default)]
pub(super) struct OwnScale {
    recent: VecDeque<f64>,
}

impl OwnScale {
    /// The place of `x` among the values before it, and takes it in. Nothing for what is no number, and nothing while
    /// there are too few to compare with. Equal ones count half.
    pub(super) fn place(&mut self, x: f64) -> Option<OwnLevel> {
        if !x.is_finite() {
            return None;
        }
        let n = self.recent.len();
        let below: f64 = self
            .recent
            .iter()
            .map(|y| {
                if *y < x {
                    1.0
                } else {
                    f64::from(u8::from(*y <= x)) / 2.0
                }
            })
            .sum();
        if n >= WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(x);
        if n < WARM_UP {
            return None;
        }
        // n + 1 places, of which a fifth at either end, the same number for everybody.
        let fifth = ((n + 1) as f64 / 5.0).floor();
        Some(if below < fifth {
            OwnLevel::Low
        } else if below > n as f64 - fifth {
            OwnLevel::High
        } else {
            OwnLevel::Usual
        })
    }

    /// The middle one, and how many there are.
    pub(super) fn median(&self) -> Option<(f64, usize)> {
        let mut sorted: Vec<f64> = self.recent.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).map(|x| (*x, sorted.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(values: impl IntoIterator<Item = f64>) -> Vec<Option<OwnLevel>> {
        let mut scale = OwnScale::default();
        values.into_iter().map(|x| scale.place(x)).collect()
    }

    #[test]
    fn ten_values_in_order_as_worked_by_hand() {
        // Nine before it, ten places, a fifth is two: above all nine or above eight of them is high.
        let nine: Vec<f64> = (1..=9).map(f64::from).collect();
        let tenth = |x: f64| words(nine.iter().copied().chain([x]))[9];
        assert_eq!(tenth(0.5), Some(OwnLevel::Low));
        assert_eq!(tenth(1.5), Some(OwnLevel::Low));
        assert_eq!(tenth(2.5), Some(OwnLevel::Usual));
        assert_eq!(tenth(7.5), Some(OwnLevel::Usual));
        assert_eq!(tenth(8.5), Some(OwnLevel::High));
        assert_eq!(words(nine), [None; 9]);
    }

    #[test]
    fn a_constant_is_as_usual() {
        assert_eq!(words([3.0; 100])[99], Some(OwnLevel::Usual));
    }

    proptest! {
        /// Scale, offset and shape of a person's values cancel: any rising function of them gives the same words.
        #[test]
        fn who_does_everything_twice_as_slowly_gets_the_same_words(
            values in prop::collection::vec(0.01..10.0, 0..200), scale in 0.1..10.0, power in 0.3..3.0,
        ) {
            let other = values.iter().map(|x: &f64| scale * x.powf(power) + 1.0);
            prop_assert_eq!(words(other), words(values.iter().copied()));
        }

        #[test]
        fn memory_is_bounded_whatever_comes_in(values in prop::collection::vec(prop::num::f64::ANY, 0..300)) {
            let mut scale = OwnScale::default();
            for x in values {
                let word = scale.place(x);
                prop_assert!(x.is_finite() || word.is_none());
                prop_assert!(scale.recent.len() <= WINDOW);
            }
        }
    }
}
