//! Our best online tracer: a logistic model of decayed counts, ratings and pauses, with a small monotone network on top.
//!
//! It starts from the logistic tracers Best-LR (Gervet, Koedinger, Schneider & Mitchell, "When is deep learning the best
//! approach to knowledge tracing?", Journal of Educational Data Mining 12(3), 2020) and DAS3H (Choffin, Popineau, Bourda
//! & Vie, EDM 2019): skill and item difficulty, counts of successes and failures over all and for the skill, at several
//! time scales. To these it adds ratings (Pelánek, "Applications of the Elo rating system in adaptive educational
//! systems", Computers & Education 98, 2016) and lets a single hidden layer weigh them together.
//!
//! The layer is monotone: every weight on an input that rises when an answer turns from wrong to right is at least 0
//! (Archer & Wang, "Application of the back propagation neural network algorithm with monotonicity constraints", Decision
//! Sciences 24, 1993; convex and concave units together as in Runje & Shankaranarayana, ICML 2023). So for fixed
//! difficulties, turning any past answer from wrong to right never lowers any prediction, which nobody can promise of an
//! unconstrained network, and which a teacher takes for granted.
//!
//! Memory is constant per learner and per learner and skill; items a learner met are remembered for the last
//! [`RECENT_ITEMS`] only.

mod adam;
mod features;
mod fit;
mod network;
mod state;

pub use fit::{FitOptions, fit};
pub use network::{Network, NetworkError};
pub use state::{LearnerTrace, RECENT_ITEMS};

use serde::{Deserialize, Serialize};

use super::population::Population;
use super::{Prediction, Question, Tracer, sigmoid, weight as share};
use features::{Features, features};

/// The fitted tracer: difficulties and the network over a learner's traces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monotone {
    /// Difficulties of skills and items, learnt on from every answer.
    pub population: Population,
    /// The network.
    pub network: Network,
}

/// Why a stored tracer cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MonotoneError {
    /// A difficulty.
    #[error(
        "a difficulty is not finite or its variance not positive; fit it again with this program"
    )]
    Population,
    /// The network.
    #[error("{0}")]
    Network(#[from] NetworkError),
}

impl Monotone {
    /// The same tracer, if its network keeps its promise and every number can be used.
    ///
    /// # Errors
    /// [`MonotoneError`].
    pub fn validated(self) -> Result<Self, MonotoneError> {
        if !self.population.is_sound() {
            return Err(MonotoneError::Population);
        }
        Ok(Self {
            network: self.network.validated()?,
            ..self
        })
    }

    /// How many skills and items it has numbers for.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        let (skills, items) = self.population.sizes();
        (skills.max(self.network.skills()), items)
    }

    /// The logit of a right answer.
    fn logit(&self, learner: &LearnerTrace, question: Question) -> f64 {
        let mut inputs: Features = [0.0; features::COUNT];
        features(learner, question, &self.population, &mut inputs);
        f64::from(self.network.logit(&inputs, question.skill))
    }
}

impl Tracer for Monotone {
    type Learner = LearnerTrace;

    fn predict(&self, learner: &LearnerTrace, question: Question) -> Prediction {
        let variance = learner.variance(question.skill) + self.population.variance(question);
        Prediction::of_logit(self.logit(learner, question), variance.sqrt())
    }

    fn observe(&self, learner: &mut LearnerTrace, question: Question, correct: bool, weight: f64) {
        let easiness = self.population.easiness(question);
        learner.observe(question, correct, share(weight) as f32, easiness as f32);
    }

    fn learn_question(&mut self, learner: &LearnerTrace, question: Question, correct: bool) {
        let expected = sigmoid(self.logit(learner, question));
        self.population
            .learn(question, f64::from(correct) - expected);
    }
}

#[cfg(test)]
mod tests;
