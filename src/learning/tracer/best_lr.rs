//! Best-LR: one logistic regression over skill, item and the logarithms of four counts. A strong and simple peer to measure
//! the others against; its weights may take any sign, so it does not promise that a success never lowers a prediction.
//!
//! Source: T. Gervet, K. Koedinger, J. Schneider, T. Mitchell, "When is deep learning the best approach to knowledge
//! tracing?", Journal of Educational Data Mining 12(3), 2020. Learner one-hot weights are left out, as there: learners to
//! predict are new.

use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::logistic::{Slope, dot};
use super::{BySkill, Prediction, Question, Tracer, sigmoid};

/// L2 penalty on every weight (1/variance of its normal prior around 0), as scikit-learn's default has it, which the
/// paper used. The intercept's is as good as none.
const PRECISION: f64 = 1.0;
const INTERCEPT_PRECISION: f64 = 1e-3;
/// Weights on all answers at once; beside them one of each skill and item.
const SHARED: usize = 5;
/// The fit ends when no weight moves further than this in a sweep, or after this many.
const SETTLED: f64 = 1e-4;
const MAX_SWEEPS: usize = 100;
/// Furthest that a weight moves in a sweep, logits: Newton's step may go too far from far away.
const FURTHEST: f64 = 2.0;

/// The fitted weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestLr {
    /// Intercept; then on ln(1 + n) of successes and failures over all and to the skill.
    shared: [f64; SHARED],
    skills: Vec<Weight>,
    items: Vec<Weight>,
}

/// Mean and variance of a weight, logits and logits².
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Weight(f64, f32);

impl Weight {
    /// Of what was not fitted.
    const NEW: Self = Self(0.0, (1.0 / PRECISION) as f32);
}

/// Why stored weights cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a weight is not finite or a variance is negative")]
pub struct NotFinite;

/// A learner's counts; failures by their weight.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LearnerCounts {
    all: [f64; 2],
    skills: BySkill<[f64; 2]>,
}

impl LearnerCounts {
    fn inputs(&self, skill: u32) -> [f64; SHARED] {
        let [right, wrong] = self.all;
        let [skill_right, skill_wrong] = self.skills.get(skill).copied().unwrap_or_default();
        [
            1.0,
            right.ln_1p(),
            wrong.ln_1p(),
            skill_right.ln_1p(),
            skill_wrong.ln_1p(),
        ]
    }

    fn add(&mut self, skill: u32, correct: bool, weight: f64) {
        let (place, count) = if correct { (0, 1.0) } else { (1, weight) };
        self.all[place] += count;
        self.skills.entry(skill, || [0.0; 2])[place] += count;
    }
}

impl BestLr {
    /// How many skills and items have a weight.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.skills.len(), self.items.len())
    }

    /// The same tracer, if every number is in range.
    ///
    /// # Errors
    /// [`NotFinite`].
    pub fn validated(self) -> Result<Self, NotFinite> {
        let mut weights = self.skills.iter().chain(&self.items);
        let usable = |w: &Weight| w.0.is_finite() && w.1.is_finite() && w.1 >= 0.0;
        if self.shared.iter().all(|w| w.is_finite()) && weights.all(usable) {
            Ok(self)
        } else {
            Err(NotFinite)
        }
    }

    fn skill(&self, question: Question) -> Weight {
        let known = self.skills.get(question.skill as usize);
        known.copied().unwrap_or(Weight::NEW)
    }

    fn item(&self, question: Question) -> Weight {
        match question.item {
            // Fitted without items, it knows nothing about how they differ, not even how much.
            Some(item) if !self.items.is_empty() => {
                let known = self.items.get(item as usize);
                known.copied().unwrap_or(Weight::NEW)
            }
            _ => Weight(0.0, 0.0),
        }
    }
}

impl Tracer for BestLr {
    type Learner = LearnerCounts;

    /// The interval holds the doubt about the skill's and the item's weight. The model has no term for how learners differ
    /// beyond their counts, so it holds none about that.
    fn predict(&self, learner: &LearnerCounts, question: Question) -> Prediction {
        let (skill, item) = (self.skill(question), self.item(question));
        let logit = dot(&self.shared, &learner.inputs(question.skill)) + skill.0 + item.0;
        Prediction::of_logit(logit, f64::from(skill.1 + item.1).sqrt())
    }

    fn observe(&self, learner: &mut LearnerCounts, question: Question, correct: bool, weight: f64) {
        learner.add(question.skill, correct, super::weight(weight));
    }
}

/// An answer with its inputs.
struct Example {
    inputs: [f64; SHARED],
    skill: usize,
    item: Option<usize>,
    correct: bool,
}

/// Fits the weights by Newton's method, block after block (shared ones, skills, items), until none moves any more. The
/// log-posterior is concave, so this is its one maximum. `progress` hears (sweeps done, of at most).
#[must_use]
pub fn fit(answers: &Answers, progress: &(dyn Fn(usize, usize) + Sync)) -> BestLr {
    let examples = examples(answers);
    let mut shared = [0.0; SHARED];
    let mut skills = vec![Block::default(); answers.skill_count()];
    let mut items = vec![Block::default(); answers.item_count()];
    let mut precision = [PRECISION; SHARED];
    precision[0] = INTERCEPT_PRECISION;
    for sweep in 0..MAX_SWEEPS {
        progress(sweep, MAX_SWEEPS);
        let mut slope = Slope::of_prior(&shared, &[0.0; SHARED], &precision);
        each(
            &examples,
            &shared,
            &skills,
            &items,
            |example, surprise, information| {
                slope.add(&example.inputs, surprise, information);
            },
        );
        let mut furthest = 0.0;
        for (weight, step) in shared.iter_mut().zip(slope.step(&[false; SHARED])) {
            let step = step.clamp(-FURTHEST, FURTHEST);
            *weight += step;
            furthest = f64::max(furthest, step.abs());
        }
        let before = skills.clone();
        each(
            &examples,
            &shared,
            &before,
            &items,
            |example, surprise, information| {
                if let Some(block) = skills.get_mut(example.skill) {
                    block.add(surprise, information);
                }
            },
        );
        let before = items.clone();
        for block in &mut skills {
            furthest = f64::max(furthest, block.step());
        }
        each(
            &examples,
            &shared,
            &skills,
            &before,
            |example, surprise, information| {
                if let Some(block) = example.item.and_then(|item| items.get_mut(item)) {
                    block.add(surprise, information);
                }
            },
        );
        for block in &mut items {
            furthest = f64::max(furthest, block.step());
        }
        if furthest < SETTLED {
            break;
        }
    }
    progress(MAX_SWEEPS, MAX_SWEEPS);
    let weight = |block: &Block| Weight(block.value, block.variance as f32);
    BestLr {
        shared,
        skills: skills.iter().map(weight).collect(),
        items: items.iter().map(weight).collect(),
    }
}

/// A one-hot weight on its way uphill.
#[derive(Debug, Clone, Copy)]
struct Block {
    value: f64,
    variance: f64,
    slope: f64,
    information: f64,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            value: 0.0,
            variance: 1.0 / PRECISION,
            slope: 0.0,
            information: 0.0,
        }
    }
}

impl Block {
    fn add(&mut self, surprise: f64, information: f64) {
        self.slope += surprise;
        self.information += information;
    }

    /// Newton's step; returns how far it went.
    fn step(&mut self) -> f64 {
        self.variance = 1.0 / (PRECISION + self.information);
        let step = (self.slope - PRECISION * self.value) * self.variance;
        let step = step.clamp(-FURTHEST, FURTHEST);
        self.value += step;
        (self.slope, self.information) = (0.0, 0.0);
        step.abs()
    }
}

fn examples(answers: &Answers) -> Vec<Example> {
    let mut all = Vec::with_capacity(answers.len());
    for learner in answers.learners() {
        let mut counts = LearnerCounts::default();
        for answer in learner {
            let question = answer.question;
            all.push(Example {
                inputs: counts.inputs(question.skill),
                skill: question.skill as usize,
                item: question.item.map(|item| item as usize),
                correct: answer.correct,
            });
            counts.add(question.skill, answer.correct, 1.0);
        }
    }
    all
}

/// Calls `then` with every example, its surprise and its information under these weights.
fn each(
    examples: &[Example],
    shared: &[f64; SHARED],
    skills: &[Block],
    items: &[Block],
    mut then: impl FnMut(&Example, f64, f64),
) {
    for example in examples {
        let skill = skills.get(example.skill).map_or(0.0, |block| block.value);
        let item = example.item.and_then(|item| items.get(item));
        let item = item.map_or(0.0, |block| block.value);
        let expected = sigmoid(dot(shared, &example.inputs) + skill + item);
        let surprise = f64::from(example.correct) - expected;
        then(example, surprise, expected * (1.0 - expected));
    }
}

#[cfg(test)]
mod tests;
