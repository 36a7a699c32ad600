//! Bayesian knowledge tracing over many skills; the model itself and its sources are in [`crate::learning::bkt`].
//!
//! A skill that nobody was fitted on is taken to be as all skills together are.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::super::bkt::{self, BktParams, OutOfRange};
use super::super::bkt_fit::{self, FitOptions};
use super::super::bkt_tree::AnswerTree;
use super::answers::Answers;
use super::{BySkill, Prediction, Question, Tracer, bounded};

/// What either tail of the interval leaves out.
const TAIL: f64 = 0.05;

/// Fitted parameters of many skills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bkt {
    /// Of each skill, by index.
    pub skills: Vec<BktParams>,
    /// Of a skill that was not fitted.
    pub pooled: BktParams,
}

impl Bkt {
    /// The same tracer, if every parameter is in range.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first parameter that is not.
    pub fn validated(self) -> Result<Self, OutOfRange> {
        for params in self.skills.iter().chain([&self.pooled]) {
            params.validated()?;
        }
        Ok(self)
    }

    /// The parameters used for a skill.
    #[must_use]
    pub fn params(&self, skill: u32) -> &BktParams {
        self.skills.get(skill as usize).unwrap_or(&self.pooled)
    }

    /// P(known) of a skill as this learner stands.
    #[must_use]
    pub fn known(&self, learner: &BySkill<f64>, skill: u32) -> f64 {
        learner
            .get(skill)
            .copied()
            .unwrap_or(self.params(skill).prior)
    }
}

impl Tracer for Bkt {
    /// P(known) of each skill.
    type Learner = BySkill<f64>;

    /// The interval is what the model believes about this learner's chance: it is `guess` for those who do not know the
    /// skill and 1 − `slip` for those who do, so it spans both until one of them is more than 0.95 probable. It does not
    /// hold the doubt about the parameters themselves.
    fn predict(&self, learner: &BySkill<f64>, question: Question) -> Prediction {
        let p = self.params(question.skill);
        let known = self.known(learner, question.skill);
        let mean = bounded(bkt::predict(known, p));
        let (if_not, if_known) = (bounded(bkt::predict(0.0, p)), bounded(bkt::predict(1.0, p)));
        let low = if known < 1.0 - TAIL { if_not } else { mean };
        let high = if known > TAIL { if_known } else { mean };
        Prediction {
            mean,
            low: low.min(mean),
            high: high.max(mean),
        }
    }

    /// A failure that weighs less moves the belief only so much of the way, as a larger slip would; one of weight 0 leaves
    /// it where an attempt that nobody saw would: what is learnt or forgotten between attempts remains.
    fn observe(&self, learner: &mut BySkill<f64>, question: Question, correct: bool, weight: f64) {
        let p = self.params(question.skill);
        let known = learner.entry(question.skill, || p.prior);
        let weight = if correct { 1.0 } else { super::weight(weight) };
        let posterior = bkt::posterior(*known, correct, p);
        *known = bkt::attempted(*known + weight * (posterior - *known), p);
    }
}

/// Fits the pooled parameters to all answers and then every skill's, drawn towards them. `progress` hears (skills done,
/// of), the pooled ones as the first. Equal answers give equal parameters on any number of threads.
#[must_use]
pub fn fit(
    answers: &Answers,
    options: &FitOptions,
    threads: NonZeroUsize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Bkt {
    let mut sequences: Vec<Vec<Vec<bool>>> = vec![Vec::new(); answers.skill_count()];
    for learner in answers.learners() {
        let mut own: BySkill<Vec<bool>> = BySkill::default();
        for answer in learner {
            own.entry(answer.question.skill, Vec::new)
                .push(answer.correct);
        }
        for (skill, sequence) in own.iter() {
            if let Some(skill) = sequences.get_mut(skill as usize) {
                skill.push(sequence.clone());
            }
        }
    }
    let all = sequences.len() + 1;
    let pooled = AnswerTree::new(sequences.iter().flatten().map(Vec::as_slice));
    let pooled = bkt_fit::fit(&pooled, options).params;
    progress(1, all);
    let trees: Vec<AnswerTree> = sequences
        .iter()
        .map(|skill| AnswerTree::new(skill.iter().map(Vec::as_slice)))
        .collect();
    let options = FitOptions {
        towards: pooled,
        ..*options
    };
    let fits = bkt_fit::fit_all(&trees, &options, threads, &|done, _| {
        progress(done + 1, all);
    });
    Bkt {
        skills: fits.into_iter().map(|fit| fit.params).collect(),
        pooled,
    }
}

#[cfg(test)]
mod tests;
