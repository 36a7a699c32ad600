//! Elo ratings: learners and questions rate each other with every answer.
//!
//! Source: R. Pelánek, "Applications of the Elo rating system in adaptive educational systems", Computers & Education 98
//! (2016): logit P(right) = rating of the learner + rating of the learner in the skill − difficulties of skill and item,
//! each moved by K(n)·(outcome − expectation), with the uncertainty function K(n) = a/(1 + b·n) of its own n answers.
//!
//! Monotone within a skill, not across skills: while all answers are to one skill and the difficulties are held, turning an
//! earlier answer from wrong to right never lowers a prediction, as long as the two K add up to at most 4. With several
//! skills it can: a lucky answer in A raises the general rating, so a later success in B surprises less and raises the
//! rating in B less, and that lasts longer than the general rating's gain, which further answers in A take back.

use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::{BySkill, Prediction, Question, Tracer, bounded, logit, parallel, sigmoid};

/// Answers that the search for gains looks at; more only take longer.
const SEARCHED: usize = 100_000;
/// Factors by which the search changes a number, one after the other.
const FACTORS: [f64; 3] = [2.0, 1.4, 1.15];
const MAX_ROUNDS: usize = 12;
/// Highest `a` and `b`. Two ratings with an `a` of at most 2 keep the promise above.
const MOST_A: f64 = 2.0;
const MOST_B: f64 = 10.0;
const LEAST: f64 = 1e-3;

/// K(n) = a/(1 + b·n).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gain {
    /// Gain of the first answer, logits, in (0, 2].
    pub a: f64,
    /// How fast it falls, per answer, in [0, 10].
    pub b: f64,
}

impl Gain {
    fn of(self, answers: u32) -> f64 {
        self.a / (1.0 + self.b * f64::from(answers))
    }

    fn in_range(self) -> bool {
        self.a > 0.0 && self.a <= MOST_A && (0.0..=MOST_B).contains(&self.b)
    }
}

/// A rating in logits, and the answers it rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rating(f64, u32);

impl Rating {
    fn learn(&mut self, gain: Gain, surprise: f64) {
        self.0 += gain.of(self.1) * surprise;
        self.1 = self.1.saturating_add(1);
    }
}

/// Difficulties, and how fast everything moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elo {
    /// Of a learner's general rating.
    pub general: Gain,
    /// Of a learner's rating in a skill.
    pub in_skill: Gain,
    /// Of the difficulties of skills and items.
    pub difficulty: Gain,
    /// Difficulty of a skill that nobody has answered yet.
    usual: f64,
    skills: Vec<Rating>,
    items: Vec<Rating>,
}

/// Why stored ratings cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRatings {
    /// A gain is out of range.
    #[error("a gain is out of range: a must be in (0, 2] and b in [0, 10]")]
    Gain,
    /// A difficulty is infinite or no number.
    #[error("a difficulty is not finite")]
    NotFinite,
}

/// A learner's ratings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LearnerRatings {
    general: Rating,
    skills: BySkill<Rating>,
}

impl Elo {
    fn new([general, in_skill, difficulty]: [Gain; 3], usual: f64) -> Self {
        Self {
            general,
            in_skill,
            difficulty,
            usual,
            skills: Vec::new(),
            items: Vec::new(),
        }
    }

    /// How many skills and items have a difficulty.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.skills.len(), self.items.len())
    }

    /// The same tracer, if every number is in range.
    ///
    /// # Errors
    /// [`BadRatings`].
    pub fn validated(self) -> Result<Self, BadRatings> {
        let gains = [self.general, self.in_skill, self.difficulty];
        if !gains.into_iter().all(Gain::in_range) {
            return Err(BadRatings::Gain);
        }
        let mut ratings = self.skills.iter().chain(&self.items);
        if self.usual.is_finite() && ratings.all(|rating| rating.0.is_finite()) {
            Ok(self)
        } else {
            Err(BadRatings::NotFinite)
        }
    }

    fn skill(&self, question: Question) -> Rating {
        let known = self.skills.get(question.skill as usize);
        known.copied().unwrap_or(Rating(self.usual, 0))
    }

    fn item(&self, question: Question) -> Option<Rating> {
        let item = question.item?;
        Some(self.items.get(item as usize).copied().unwrap_or_default())
    }

    fn logit(&self, learner: &LearnerRatings, question: Question) -> f64 {
        let in_skill = learner.skills.get(question.skill).map_or(0.0, |r| r.0);
        let item = self.item(question).map_or(0.0, |rating| rating.0);
        learner.general.0 + in_skill - self.skill(question).0 - item
    }
}

impl Tracer for Elo {
    type Learner = LearnerRatings;

    /// Elo has no variances. But it moves a rating as a Kalman filter for a logistic outcome does, whose gain is the
    /// variance that is left: so K(n) is read as the variance of each rating, and the interval is as wide as these say.
    fn predict(&self, learner: &LearnerRatings, question: Question) -> Prediction {
        let in_skill = learner.skills.get(question.skill).map_or(0, |r| r.1);
        let item = self.item(question);
        let variance = self.general.of(learner.general.1)
            + self.in_skill.of(in_skill)
            + self.difficulty.of(self.skill(question).1)
            + item.map_or(0.0, |rating| self.difficulty.of(rating.1));
        Prediction::of_logit(self.logit(learner, question), variance.sqrt())
    }

    fn observe(
        &self,
        learner: &mut LearnerRatings,
        question: Question,
        correct: bool,
        weight: f64,
    ) {
        let expected = sigmoid(self.logit(learner, question));
        let surprise = if correct {
            1.0 - expected
        } else {
            -super::weight(weight) * expected
        };
        learner.general.learn(self.general, surprise);
        learner
            .skills
            .entry(question.skill, Rating::default)
            .learn(self.in_skill, surprise);
    }

    fn learn_question(&mut self, learner: &LearnerRatings, question: Question, correct: bool) {
        let surprise = sigmoid(self.logit(learner, question)) - f64::from(correct);
        let usual = Rating(self.usual, 0);
        let lists = [
            (Some(question.skill), &mut self.skills, usual),
            (question.item, &mut self.items, Rating::default()),
        ];
        for (index, ratings, new) in lists {
            let Some(index) = index.map(|index| index as usize) else {
                continue;
            };
            if ratings.len() <= index {
                ratings.resize(index + 1, new);
            }
            if let Some(rating) = ratings.get_mut(index) {
                rating.learn(self.difficulty, surprise);
            }
        }
    }
}

/// Fits the gains to one-step-ahead log-loss by a pattern search (Hooke & Jeeves, "'Direct search' solution of numerical
/// and statistical problems", Journal of the ACM 8, 1961), then learns the difficulties in one pass over the answers.
/// `progress` hears (rounds done, of). Equal answers give equal ratings on any number of threads.
#[must_use]
pub fn fit(answers: &Answers, threads: usize, progress: &(dyn Fn(usize, usize) + Sync)) -> Elo {
    let right = answers.iter().filter(|answer| answer.correct).count();
    // One right and one wrong answer more, so that the logit is finite.
    let usual = -logit((right as f64 + 1.0) / (answers.len() as f64 + 2.0));
    let every = answers.len().div_ceil(SEARCHED).max(1);
    let searched = answers.only(|learner| learner % every == 0);
    let mut best = [0.4, 0.05, 0.4, 0.1, 0.4, 0.1];
    let mut least = loss(&searched, best, usual);
    let all = FACTORS.len() * MAX_ROUNDS;
    for (scale, factor) in FACTORS.into_iter().enumerate() {
        for round in 0..MAX_ROUNDS {
            progress(scale * MAX_ROUNDS + round, all);
            let losses = parallel::map(12, threads, |at| {
                let tried = moved(best, at, factor);
                (loss(&searched, tried, usual), tried)
            });
            let better = losses.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
            match better {
                Some((found, tried)) if found < least => (least, best) = (found, tried),
                _ => break,
            }
        }
    }
    let mut elo = Elo::new(gains(best), usual);
    for_each(&mut elo, answers, |_, _| ());
    progress(all, all);
    elo
}

/// One of the 12 neighbours of six numbers: number `at / 2` multiplied or divided.
fn moved(mut numbers: [f64; 6], at: usize, factor: f64) -> [f64; 6] {
    let most = if (at / 2).is_multiple_of(2) {
        MOST_A
    } else {
        MOST_B
    };
    if let Some(number) = numbers.get_mut(at / 2) {
        let factor = if at.is_multiple_of(2) {
            factor
        } else {
            1.0 / factor
        };
        *number = (*number * factor).clamp(LEAST, most);
    }
    numbers
}

fn gains([a, b, c, d, e, f]: [f64; 6]) -> [Gain; 3] {
    [(a, b), (c, d), (e, f)].map(|(a, b)| Gain { a, b })
}

/// Mean log-loss over all learners after another, each new, the difficulties learnt on the way.
fn loss(answers: &Answers, numbers: [f64; 6], usual: f64) -> f64 {
    let mut elo = Elo::new(gains(numbers), usual);
    let mut sum = 0.0;
    for_each(&mut elo, answers, |expected, correct| {
        let p = bounded(expected);
        sum -= if correct { p.ln() } else { (1.0 - p).ln() };
    });
    sum / answers.len().max(1) as f64
}

fn for_each(elo: &mut Elo, answers: &Answers, mut then: impl FnMut(f64, bool)) {
    for learner in answers.learners() {
        let mut ratings = LearnerRatings::default();
        for answer in learner {
            then(
                sigmoid(elo.logit(&ratings, answer.question)),
                answer.correct,
            );
            elo.learn_question(&ratings, answer.question, answer.correct);
            elo.observe(&mut ratings, answer.question, answer.correct, 1.0);
        }
    }
}

#[cfg(test)]
mod tests;
