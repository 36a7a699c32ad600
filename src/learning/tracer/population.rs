//! What all learners together say about questions: how easy each skill and item is, and where it comes in a lesson.
//!
//! Fitted as the maximum a posteriori of a Rasch model with random effects: logit P(right) = overall + skill + item +
//! learner + learner-in-skill, each effect normal around 0 (hierarchical shrinkage: De Boeck & Wilson, "Explanatory Item
//! Response Models", 2004), then learnt on by one Kalman step for each answer. What was never met stays at its prior.

use serde::{Deserialize, Serialize};

use super::answers::{Answer, Answers};
use super::{Question, sigmoid};

/// Prior precisions (1/variance, logits⁻²) of the effects. From a coarse search on ASSISTments 2009; the figures of merit
/// change in the fourth digit when any of them is halved or doubled.
const SKILL_PRECISION: f64 = 1.0;
const ITEM_PRECISION: f64 = 1.2;
const LEARNER_PRECISION: f64 = 1.5;
const LEARNER_SKILL_PRECISION: f64 = 2.0;
/// Sweeps of damped Newton steps; the largest change is then below 0.01 logits on the data above.
const SWEEPS: usize = 12;
const DAMPING: f64 = 0.7;
/// Information of one answer while learning on, p(1 − p) of a typical one.
const INFORMATION: f64 = 0.2;
/// Variance, logits², below which a difficulty does not settle, so that it can still follow a change. Not larger: one
/// learner's answers surprise together, and difficulties that follow them are worse for the next learner (at 0.01, AUC on
/// ASSISTments 2015 falls by 0.004).
const LEAST_VARIANCE: f32 = 0.0005;
/// Answers that the overall mean place counts for.
const PLACE_PRIOR: f32 = 3.0;

/// Mean and variance of an easiness, logits and logits². In a file [mean, variance], for there are many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
struct Effect {
    mean: f32,
    variance: f32,
}

impl From<[f32; 2]> for Effect {
    fn from([mean, variance]: [f32; 2]) -> Self {
        Self { mean, variance }
    }
}

impl From<Effect> for [f32; 2] {
    fn from(effect: Effect) -> Self {
        [effect.mean, effect.variance]
    }
}

/// Where an item usually comes. Says something about what kind of exercise it belongs to, and nothing about answers.
/// In a file [`answered`, `same_skill`, `clock`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 3]", into = "[f32; 3]")]
pub struct Place {
    /// Mean log(1 + answers to its skill before it).
    pub answered: f32,
    /// Share of answers whose predecessor exercised the same skill.
    pub same_skill: f32,
    /// Mean log(1 + answers before it).
    pub clock: f32,
}

impl From<[f32; 3]> for Place {
    fn from([answered, same_skill, clock]: [f32; 3]) -> Self {
        Self {
            answered,
            same_skill,
            clock,
        }
    }
}

impl From<Place> for [f32; 3] {
    fn from(place: Place) -> Self {
        [place.answered, place.same_skill, place.clock]
    }
}

/// Easiness of skills and items, and places of items.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    overall: f64,
    skills: Vec<Effect>,
    items: Vec<Effect>,
    places: Vec<Place>,
    usual_place: Place,
}

const NEW_SKILL: Effect = Effect {
    mean: 0.0,
    variance: (1.0 / SKILL_PRECISION) as f32,
};
const NEW_ITEM: Effect = Effect {
    mean: 0.0,
    variance: (1.0 / ITEM_PRECISION) as f32,
};

impl Population {
    /// How many skills and items have an easiness.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.skills.len(), self.items.len())
    }

    /// Whether every number is finite and every variance positive.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let mut effects = self.skills.iter().chain(&self.items);
        let mut places = self.places.iter().chain([&self.usual_place]);
        self.overall.is_finite()
            && effects.all(|e| e.mean.is_finite() && e.variance.is_finite() && e.variance > 0.0)
            && places.all(|place| <[f32; 3]>::from(*place).iter().all(|x| x.is_finite()))
    }

    /// Logit of a right answer by a middling learner.
    #[must_use]
    pub fn easiness(&self, question: Question) -> f64 {
        self.overall + f64::from(self.skill(question).mean + self.item(question).mean)
    }

    /// Variance of [`Population::easiness`], logits².
    #[must_use]
    pub fn variance(&self, question: Question) -> f64 {
        f64::from(self.skill(question).variance + self.item(question).variance)
    }

    /// Where the item usually comes.
    #[must_use]
    pub fn place(&self, question: Question) -> Place {
        let known = question
            .item
            .and_then(|item| self.places.get(item as usize));
        known.copied().unwrap_or(self.usual_place)
    }

    fn skill(&self, question: Question) -> Effect {
        let known = self.skills.get(question.skill as usize);
        known.copied().unwrap_or(NEW_SKILL)
    }

    fn item(&self, question: Question) -> Effect {
        match question.item {
            Some(item) => self.items.get(item as usize).copied().unwrap_or(NEW_ITEM),
            None => Effect {
                mean: 0.0,
                variance: 0.0,
            },
        }
    }

    /// Learns from one answer; `surprise` is outcome minus prediction. Indices are dense, so a new one costs one entry.
    pub fn learn(&mut self, question: Question, surprise: f64) {
        let information = INFORMATION / (1.0 + INFORMATION * self.variance(question));
        correct(
            &mut self.skills,
            question.skill,
            NEW_SKILL,
            information,
            surprise,
        );
        if let Some(item) = question.item {
            correct(&mut self.items, item, NEW_ITEM, information, surprise);
        }
    }

    /// Fits the effects. Without answers everything stays at its prior.
    #[must_use]
    pub fn fit(answers: &Answers) -> Self {
        let mut questions = Questions {
            // As good as flat: one answer's worth of doubt.
            overall: Ascent::new(INFORMATION),
            skills: vec![Ascent::new(SKILL_PRECISION); answers.skill_count()],
            items: vec![Ascent::new(ITEM_PRECISION); answers.item_count()],
        };
        let mut learners: Vec<Ability> = answers.learners().map(Ability::new).collect();
        for _ in 0..SWEEPS {
            questions.each(Ascent::begin);
            for (learner, answers) in learners.iter_mut().zip(answers.learners()) {
                learner.climb(answers, &questions);
                for (answer, slot) in answers.iter().zip(&learner.slots) {
                    let logit = questions.easiness(answer.question) + learner.value(*slot);
                    let (surprise, information) = evidence(logit, answer.correct);
                    questions.add(answer.question, surprise, information);
                }
            }
            questions.each(Ascent::step);
        }
        let (places, usual_place) = places(answers);
        let effect = |effect: &Ascent| Effect {
            mean: effect.value as f32,
            variance: (1.0 / effect.curvature) as f32,
        };
        Self {
            overall: questions.overall.value,
            skills: questions.skills.iter().map(effect).collect(),
            items: questions.items.iter().map(effect).collect(),
            places,
            usual_place,
        }
    }
}

fn correct(effects: &mut Vec<Effect>, index: u32, new: Effect, information: f64, surprise: f64) {
    let index = index as usize;
    if effects.len() <= index {
        effects.resize(index + 1, new);
    }
    if let Some(effect) = effects.get_mut(index) {
        let variance = f64::from(effect.variance);
        let gain = variance * information / INFORMATION;
        effect.mean += (gain * surprise) as f32;
        effect.variance = ((variance * (1.0 - variance * information)) as f32).max(LEAST_VARIANCE);
    }
}

/// One effect on its way uphill.
#[derive(Debug, Clone, Copy)]
struct Ascent {
    value: f64,
    precision: f64,
    slope: f64,
    curvature: f64,
}

impl Ascent {
    fn new(precision: f64) -> Self {
        Self {
            value: 0.0,
            precision,
            slope: 0.0,
            curvature: precision,
        }
    }

    fn add(&mut self, surprise: f64, information: f64) {
        self.slope += surprise;
        self.curvature += information;
    }

    fn begin(&mut self) {
        self.slope = -self.precision * self.value;
        self.curvature = self.precision;
    }

    fn step(&mut self) {
        self.value += DAMPING * self.slope / self.curvature;
    }
}

/// Effects of the questions on their way uphill.
struct Questions {
    overall: Ascent,
    skills: Vec<Ascent>,
    items: Vec<Ascent>,
}

impl Questions {
    fn easiness(&self, question: Question) -> f64 {
        let skill = self.skills.get(question.skill as usize);
        let item = question.item.and_then(|item| self.items.get(item as usize));
        let value = |effect: Option<&Ascent>| effect.map_or(0.0, |effect| effect.value);
        self.overall.value + value(skill) + value(item)
    }

    fn add(&mut self, question: Question, surprise: f64, information: f64) {
        self.overall.add(surprise, information);
        if let Some(effect) = self.skills.get_mut(question.skill as usize) {
            effect.add(surprise, information);
        }
        if let Some(effect) = question
            .item
            .and_then(|item| self.items.get_mut(item as usize))
        {
            effect.add(surprise, information);
        }
    }

    fn each(&mut self, then: impl Fn(&mut Ascent)) {
        then(&mut self.overall);
        self.skills.iter_mut().for_each(&then);
        self.items.iter_mut().for_each(&then);
    }
}

/// Effects of one learner on their way uphill.
struct Ability {
    overall: Ascent,
    /// By local slot.
    in_skill: Vec<Ascent>,
    /// Of each answer, the local slot of its skill.
    slots: Vec<usize>,
}

impl Ability {
    fn new(answers: &[Answer]) -> Self {
        let mut skills: Vec<u32> = answers.iter().map(|answer| answer.question.skill).collect();
        skills.sort_unstable();
        skills.dedup();
        let slot = |skill| skills.partition_point(|known| *known < skill);
        Self {
            overall: Ascent::new(LEARNER_PRECISION),
            in_skill: vec![Ascent::new(LEARNER_SKILL_PRECISION); skills.len()],
            slots: answers
                .iter()
                .map(|answer| slot(answer.question.skill))
                .collect(),
        }
    }

    fn value(&self, slot: usize) -> f64 {
        self.overall.value + self.in_skill.get(slot).map_or(0.0, |effect| effect.value)
    }

    /// Moves the learner's effects to fit their answers.
    fn climb(&mut self, answers: &[Answer], questions: &Questions) {
        self.overall.begin();
        self.in_skill.iter_mut().for_each(Ascent::begin);
        for (answer, slot) in answers.iter().zip(&self.slots) {
            let logit = questions.easiness(answer.question) + self.value(*slot);
            let (surprise, information) = evidence(logit, answer.correct);
            self.overall.add(surprise, information);
            if let Some(effect) = self.in_skill.get_mut(*slot) {
                effect.add(surprise, information);
            }
        }
        self.overall.step();
        self.in_skill.iter_mut().for_each(Ascent::step);
    }
}

/// Surprise and information of an answer, where its logit was expected.
fn evidence(logit: f64, correct: bool) -> (f64, f64) {
    let expected = sigmoid(logit);
    (
        f64::from(correct) - expected,
        (expected * (1.0 - expected)).max(0.01),
    )
}

/// Mean place of every item, drawn towards the mean of all.
fn places(answers: &Answers) -> (Vec<Place>, Place) {
    let mut sums = vec![(Place::default(), 0.0f32); answers.item_count()];
    let (mut all, mut n) = ([0.0f64; 3], 0.0f64);
    let mut met = std::collections::HashMap::new();
    for learner in answers.learners() {
        met.clear();
        let mut last = None;
        for (clock, answer) in learner.iter().enumerate() {
            let question = answer.question;
            let before = met.entry(question.skill).or_insert(0u32);
            let seen = [
                (*before as f32).ln_1p(),
                f32::from(u8::from(last == Some(question.skill))),
                (clock as f32).ln_1p(),
            ];
            *before += 1;
            last = Some(question.skill);
            for (sum, value) in all.iter_mut().zip(seen) {
                *sum += f64::from(value);
            }
            n += 1.0;
            let sum = question.item.and_then(|item| sums.get_mut(item as usize));
            if let Some((place, n)) = sum {
                place.answered += seen[0];
                place.same_skill += seen[1];
                place.clock += seen[2];
                *n += 1.0;
            }
        }
    }
    let [answered, same_skill, clock] = all.map(|sum| (sum / n.max(1.0)) as f32);
    let usual = Place {
        answered,
        same_skill,
        clock,
    };
    let mean = |(sum, n): &(Place, f32)| {
        let mean = |sum: f32, usual: f32| (sum + PLACE_PRIOR * usual) / (n + PLACE_PRIOR);
        Place {
            answered: mean(sum.answered, usual.answered),
            same_skill: mean(sum.same_skill, usual.same_skill),
            clock: mean(sum.clock, usual.clock),
        }
    };
    (sums.iter().map(mean).collect(), usual)
}

#[cfg(test)]
mod tests;
