//! Knowledge tracing: from the answers so far to the chance that the next one is right.
//!
//! In: who answered what, and how it went. Out: predictions with an interval, and states of constant size per learner
//! and skill. Several published models stand behind one trait, so that they can be measured against each other:
//! Bayesian knowledge tracing ([`bkt`]), performance factors analysis ([`pfa`]), Elo ratings ([`elo`]), a logistic
//! regression on counts ([`best_lr`]), and our best, a monotone tracer with counts at several time
//! scales ([`monotone`]). [`fitted`] is any of them as a file.
//! Skills and items are dense indices here; [`answers::Names`] ties them to what people call them.

use serde::{Deserialize, Serialize};

pub mod answers;
pub mod best_lr;
pub mod bkt;
pub mod elo;
pub mod fitted;
mod logistic;
pub mod monotone;
mod parallel;
pub mod pfa;
pub mod population;
pub mod score;
#[cfg(test)]
mod testing;

/// What is asked: a skill and, where known, which item (task, question) of it. Indices into [`answers::Names`];
/// one that a model was not fitted on gets the model's prior.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question {
    /// Index of the skill (knowledge component).
    pub skill: u32,
    /// Index of the item, where items are told apart.
    pub item: Option<u32>,
}

/// The chance that an answer is right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Probability in (0, 1).
    pub mean: f64,
    /// Lower end of the interval that holds nine tenths of the model's belief.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Standard deviations to either side that hold nine tenths of a normal distribution.
const NINE_TENTHS: f64 = 1.645;

/// Probabilities are kept this far from 0 and 1, so that one surprise never costs an infinite log-loss.
const CERTAIN: f64 = 1e-6;

impl Prediction {
    /// From a logit and its standard deviation.
    #[must_use]
    pub fn of_logit(logit: f64, deviation: f64) -> Self {
        let half = NINE_TENTHS * deviation;
        Self {
            mean: bounded(sigmoid(logit)),
            low: bounded(sigmoid(logit - half)),
            high: bounded(sigmoid(logit + half)),
        }
    }
}

/// A model of what learners know that takes one answer at a time.
pub trait Tracer {
    /// What is kept of one learner: constant size for each skill met.
    type Learner: Default + Clone;

    /// The chance that this learner answers this question rightly now. Changes nothing.
    fn predict(&self, learner: &Self::Learner, question: Question) -> Prediction;

    /// Takes an answer in. `weight`, 0..=1, is how much a failure counts: less where the hardware may be to blame
    /// (see `quality`); a success always counts in full.
    fn observe(&self, learner: &mut Self::Learner, question: Question, correct: bool, weight: f64);

    /// Learns about the question itself from an answer (its difficulty), where the model does that.
    /// Call it before [`Tracer::observe`] of the same answer.
    fn learn_question(&mut self, _learner: &Self::Learner, _question: Question, _correct: bool) {}
}

/// How much a failure counts, in 0..=1; one whose weight is no number does not count.
fn weight(weight: f64) -> f64 {
    if weight.is_nan() {
        0.0
    } else {
        weight.clamp(0.0, 1.0)
    }
}

/// Logistic function, for any finite or infinite argument in [0, 1]; NaN gives one half (nothing is known).
#[must_use]
pub fn sigmoid(logit: f64) -> f64 {
    if logit.is_nan() {
        0.5
    } else {
        1.0 / (1.0 + (-logit).exp())
    }
}

/// Its inverse; the argument is kept inside (0, 1).
#[must_use]
pub fn logit(probability: f64) -> f64 {
    let p = bounded(probability);
    (p / (1.0 - p)).ln()
}

/// The probability, kept inside (0, 1).
#[must_use]
pub fn bounded(probability: f64) -> f64 {
    if probability.is_nan() {
        0.5
    } else {
        probability.clamp(CERTAIN, 1.0 - CERTAIN)
    }
}

/// A learner's states by skill: a short sorted list, since a learner meets tens of skills, not thousands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BySkill<T>(Vec<(u32, T)>);

impl<T> Default for BySkill<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> BySkill<T> {
    /// The state of a skill that was met.
    #[must_use]
    pub fn get(&self, skill: u32) -> Option<&T> {
        let place = self.0.binary_search_by_key(&skill, |entry| entry.0).ok()?;
        self.0.get(place).map(|entry| &entry.1)
    }

    /// The state of a skill, made by `fresh` at the first meeting.
    pub fn entry(&mut self, skill: u32, fresh: impl FnOnce() -> T) -> &mut T {
        let place = match self.0.binary_search_by_key(&skill, |entry| entry.0) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (skill, fresh()));
                place
            }
        };
        // `place` was found or has just been filled.
        &mut self.0[place].1
    }

    /// Skills met.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was met.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Skills and states, by rising index.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.0.iter().map(|(skill, state)| (*skill, state))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn skills_are_found_again_in_whatever_order_they_came() {
        let mut states = BySkill::default();
        for skill in [7, 2, 9, 2] {
            *states.entry(skill, || 0) += skill;
        }
        let all: Vec<_> = states.iter().map(|(skill, sum)| (skill, *sum)).collect();
        assert_eq!(all, [(2, 4), (7, 7), (9, 9)]);
        assert_eq!(states.get(3), None);
    }

    proptest! {
        #[test]
        fn a_prediction_is_a_probability_inside_its_interval(logit in any::<f64>(), deviation in 0.0..1e9) {
            let p = Prediction::of_logit(logit, deviation);
            prop_assert!(p.mean > 0.0 && p.mean < 1.0);
            prop_assert!(p.low > 0.0 && p.low <= p.mean && p.mean <= p.high && p.high < 1.0);
        }
    }
}
