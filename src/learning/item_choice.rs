//! Which task to give next to learn most about a learner, and when to stop asking.
//!
//! In: tasks with difficulty and discrimination, answers. Out: ability with its standard error, the next task.
//! Never: randomness; among equally telling tasks the first is taken.
//!
//! Sources: two-parameter logistic model, Birnbaum 1968 (in Lord & Novick); with discrimination 1 it is Rasch's (1PL).
//! Expected a posteriori estimate on a grid: Bock & Mislevy 1982, "Adaptive EAP estimation of ability in a microcomputer
//! environment".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, MAX_LOGIT, bounded, sigmoid};
use super::quality::Quality;

/// A task's place on the scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// How sharply it tells abilities apart, in [0.1, 4]; 1 for the one-parameter model.
    pub discrimination: f64,
    /// Ability at which every second attempt succeeds, in logit.
    pub difficulty: f64,
}

impl Item {
    /// Probability of success in (0, 1) at `ability` logits: σ(a·(θ − b)).
    #[must_use]
    pub fn success(&self, ability: f64) -> f64 {
        let ability = bounded(ability, -MAX_LOGIT, MAX_LOGIT, 0.0);
        let difficulty = bounded(self.difficulty, -MAX_LOGIT, MAX_LOGIT, 0.0);
        sigmoid(self.slope() * (ability - difficulty))
    }

    /// Fisher information about an ability, per logit²: a²·P·(1 − P).
    #[must_use]
    pub fn information(&self, ability: f64) -> f64 {
        let p = self.success(ability);
        self.slope() * self.slope() * p * (1.0 - p)
    }

    fn slope(&self) -> f64 {
        bounded(self.discrimination, 0.1, 4.0, 1.0)
    }
}

/// The item with most information at `ability`, among `candidates` (number and item, those not yet asked); among
/// equals the first. Nothing if there are none.
#[must_use]
pub fn most_informative(
    candidates: impl IntoIterator<Item = (usize, Item)>,
    ability: f64,
) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (number, item) in candidates {
        let information = item.information(ability);
        if best.is_none_or(|(_, most)| information > most) {
            best = Some((number, information));
        }
    }
    best.map(|(number, _)| number)
}

/// When an adaptive test ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StopParams {
    /// Standard error in logit below which enough is known. The sources' 0.35.
    pub standard_error: f64,
    /// Fewest items, whatever the standard error. The sources' 5.
    pub fewest: u32,
    /// Most items. The sources' 20.
    pub most: u32,
}

impl Default for StopParams {
    fn default() -> Self {
        Self {
            standard_error: 0.35,
            fewest: 5,
            most: 20,
        }
    }
}

/// Points of the grid, from −[`REACH`] to [`REACH`] logits.
const POINTS: usize = 81;
/// Ends of the grid in logit.
const REACH: f64 = 6.0;

/// A test in progress: what is believed of an ability, on a grid. Exact to the grid's step of 0.15 logits, whatever the
/// order of the answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveTest {
    /// Logarithm of the posterior at each point, up to a constant.
    log_posterior: [f64; POINTS],
    asked: u32,
}

impl AdaptiveTest {
    /// Before the first answer: `prior` in logit, with a variance in [0.01, 100].
    #[must_use]
    pub fn new(prior: Estimate) -> Self {
        let mean = bounded(prior.mean, -REACH, REACH, 0.0);
        let variance = bounded(prior.variance, 0.01, 100.0, 1.0);
        let mut log_posterior = [0.0; POINTS];
        for (i, log) in log_posterior.iter_mut().enumerate() {
            *log = -(at(i) - mean).powi(2) / (2.0 * variance);
        }
        Self {
            log_posterior,
            asked: 0,
        }
    }

    /// Takes in an answer. A failure has the likelihood 1 − q·P, with the trust q in the hardware ([`Quality`]).
    pub fn answer(&mut self, item: &Item, correct: bool, quality: Quality) {
        let q = quality.trust();
        let mut largest = f64::NEG_INFINITY;
        for (i, log) in self.log_posterior.iter_mut().enumerate() {
            let p = item.success(at(i));
            // P stays away from 0 and 1 (MAX_LOGIT), so both logarithms are finite.
            *log += if correct { p.ln() } else { (1.0 - q * p).ln() };
            largest = largest.max(*log);
        }
        for log in &mut self.log_posterior {
            *log -= largest;
        }
        self.asked = self.asked.saturating_add(1);
    }

    /// Ability in logit with its variance: mean and variance of the posterior.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let (mut all, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for (i, log) in self.log_posterior.iter().enumerate() {
            let weight = log.exp();
            all += weight;
            sum += weight * at(i);
            squares += weight * at(i) * at(i);
        }
        // The largest weight is 1 or, before the first answer, near it: the prior's mean lies on the grid.
        let mean = sum / all;
        Estimate {
            mean,
            variance: (squares / all - mean * mean).max(1e-6),
        }
    }

    /// Items asked so far.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.asked
    }

    /// Whether enough is known, or enough was asked.
    #[must_use]
    pub fn is_done(&self, p: &StopParams) -> bool {
        let sure = self.estimate().variance.sqrt() < p.standard_error;
        self.asked >= p.most || (self.asked >= p.fewest && sure)
    }
}

/// Ability at a point of the grid.
fn at(point: usize) -> f64 {
    REACH * (2.0 * point as f64 / (POINTS - 1) as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STANDARD: Estimate = Estimate {
        mean: 0.0,
        variance: 1.0,
    };

    fn item(discrimination: f64, difficulty: f64) -> Item {
        Item {
            discrimination,
            difficulty,
        }
    }

    #[test]
    fn information_is_largest_at_the_difficulty() {
        // a²/4 at θ = b.
        assert!((item(2.0, 0.7).information(0.7) - 1.0).abs() < 1e-12);
        // σ(1) = 0.731059: 0.731059·0.268941 = 0.196612.
        assert!((item(1.0, 0.0).information(1.0) - 0.196_612).abs() < 1e-6);
    }

    #[test]
    fn estimates_agree_with_fine_integration() {
        // Computed with NumPy on 2,400,001 points from −12 to 12.
        let mut one = AdaptiveTest::new(STANDARD);
        one.answer(&item(1.0, 0.0), true, Quality::PERFECT);
        let estimate = one.estimate();
        assert!((estimate.mean - 0.413_241_928).abs() < 1e-6, "{estimate:?}");
        assert!((estimate.variance.sqrt() - 0.910_621_276).abs() < 1e-6);

        let mut five = AdaptiveTest::new(STANDARD);
        for (a, b, correct) in [
            (1.0, -0.5, true),
            (1.5, 0.3, true),
            (0.8, 1.2, false),
            (2.0, 0.9, false),
            (1.2, 0.1, true),
        ] {
            five.answer(&item(a, b), correct, Quality::PERFECT);
        }
        let estimate = five.estimate();
        assert!((estimate.mean - 0.470_566_088).abs() < 1e-6, "{estimate:?}");
        assert!((estimate.variance.sqrt() - 0.595_860_694).abs() < 1e-6);

        let mut doubtful = AdaptiveTest::new(STANDARD);
        let half = Quality {
            frame_health: 0.5,
            tracking: 1.0,
        };
        doubtful.answer(&item(1.0, 0.0), false, half);
        assert!((doubtful.estimate().mean + 0.137_747_309).abs() < 1e-6);
    }

    #[test]
    fn the_most_telling_item_is_asked() {
        let items = [
            item(1.0, -2.0),
            item(1.0, 0.4),
            item(1.0, 3.0),
            item(1.0, 0.4),
        ];
        let candidates = || items.iter().copied().enumerate();
        assert_eq!(most_informative(candidates(), 0.5), Some(1));
        let left = candidates().filter(|&(i, _)| i != 1);
        assert_eq!(most_informative(left, 0.5), Some(3));
        assert_eq!(most_informative([], 0.5), None);
    }

    #[test]
    fn a_test_ends_when_enough_is_known_or_asked() {
        let p = StopParams::default();
        let mut sharp = AdaptiveTest::new(STANDARD);
        let mut blunt = AdaptiveTest::new(STANDARD);
        for i in 0..20 {
            assert!(!blunt.is_done(&p));
            let ability = sharp.estimate().mean;
            sharp.answer(&item(2.5, ability), i % 2 == 0, Quality::PERFECT);
            blunt.answer(&item(0.5, 0.0), i % 2 == 0, Quality::PERFECT);
            assert!(!sharp.is_done(&p) || i >= 4);
        }
        assert!(sharp.estimate().variance.sqrt() < 0.35);
        assert!(blunt.estimate().variance.sqrt() > 0.35 && blunt.is_done(&p));
    }

    #[test]
    fn a_long_run_of_surprises_does_not_wear_out_the_numbers() {
        let mut test = AdaptiveTest::new(STANDARD);
        for _ in 0..500 {
            test.answer(&item(4.0, 6.0), true, Quality::PERFECT);
            test.answer(&item(4.0, -6.0), false, Quality::PERFECT);
        }
        // As many for as against: still in the middle.
        assert!(test.estimate().mean.abs() < 1e-6);
    }

    #[test]
    fn choosing_by_information_is_sooner_sure_than_asking_in_order() {
        // Someone of ability 1.5 who succeeds exactly at what is easier; 41 items from −4 to 4.
        let items: Vec<Item> = (0..41)
            .map(|i| item(1.5, -4.0 + 0.2 * f64::from(i)))
            .collect();
        let (mut chosen, mut in_order) = (AdaptiveTest::new(STANDARD), AdaptiveTest::new(STANDARD));
        let mut asked = Vec::new();
        for next in items.iter().take(12) {
            let left = items
                .iter()
                .copied()
                .enumerate()
                .filter(|(i, _)| !asked.contains(i));
            let best = most_informative(left, chosen.estimate().mean).unwrap();
            asked.push(best);
            chosen.answer(&items[best], items[best].difficulty < 1.5, Quality::PERFECT);
            in_order.answer(next, next.difficulty < 1.5, Quality::PERFECT);
        }
        assert!(chosen.estimate().variance < 0.5 * in_order.estimate().variance);
        assert!((chosen.estimate().mean - 1.5).abs() < 0.5);
    }

    fn answers() -> impl Strategy<Value = Vec<(f64, f64, bool, f64)>> {
        prop::collection::vec((0.3..2.5, -4.0..4.0, any::<bool>(), 0.0..=1.0), 1..30)
    }

    fn after(answers: &[(f64, f64, bool, f64)]) -> Estimate {
        let mut test = AdaptiveTest::new(STANDARD);
        for &(a, b, correct, trust) in answers {
            test.answer(
                &item(a, b),
                correct,
                Quality {
                    frame_health: trust,
                    tracking: 1.0,
                },
            );
        }
        test.estimate()
    }

    proptest! {
        #[test]
        fn more_success_never_lowers_the_ability(answers in answers(), which in any::<prop::sample::Index>()) {
            let mut better = answers.clone();
            better[which.index(answers.len())].2 = true;
            prop_assert!(after(&better).mean >= after(&answers).mean - 1e-9);
        }

        #[test]
        fn the_order_of_answers_does_not_matter(answers in answers()) {
            let mut turned = answers.clone();
            turned.reverse();
            prop_assert!((after(&turned).mean - after(&answers).mean).abs() < 1e-9);
        }

        #[test]
        fn a_failure_without_trust_moves_nothing(answers in answers(), difficulty in -4.0..4.0) {
            let mut with_lost = answers.clone();
            with_lost.push((1.0, difficulty, false, 0.0));
            prop_assert!((after(&with_lost).mean - after(&answers).mean).abs() < 1e-12);
            prop_assert!((after(&with_lost).variance - after(&answers).variance).abs() < 1e-12);
        }

        #[test]
        fn any_input_stays_finite(
            mean in prop::num::f64::ANY, variance in prop::num::f64::ANY,
            answers in prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY, any::<bool>(), prop::num::f64::ANY), 0..60),
        ) {
            let mut test = AdaptiveTest::new(Estimate { mean, variance });
            for (a, b, correct, trust) in answers {
                test.answer(&item(a, b), correct, Quality { frame_health: trust, tracking: 1.0 });
                let estimate = test.estimate();
                prop_assert!(estimate.mean.abs() <= REACH && estimate.variance > 0.0 && estimate.variance <= REACH * REACH);
                prop_assert!(item(a, b).information(mean).is_finite());
            }
        }
    }
}
