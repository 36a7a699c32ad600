//! The network's inputs, from a learner's traces and the question's difficulty.

use super::super::Question;
use super::super::population::Population;
use super::state::{LearnerTrace, SkillTrace, logistic};

/// Inputs that never fall when a past answer turns from wrong to right. They come first.
pub(super) const RISING: usize = 39;
/// All inputs.
pub(super) const COUNT: usize = RISING + 19;
/// Rising inputs that each skill weighs in its own way: successes, failures, last outcome, streak.
pub(super) const PER_SKILL: [usize; 4] = [0, 1, 24, 30];

pub(super) type Features = [f32; COUNT];

/// Writes the inputs in a fixed order.
pub(super) fn features(
    learner: &LearnerTrace,
    question: Question,
    population: &Population,
    inputs: &mut Features,
) {
    let unseen = SkillTrace::default();
    let met = learner.skills.get(question.skill);
    let skill = met.unwrap_or(&unseen);
    let since = met.map_or(0.0, |trace| {
        log_count(learner.answers.saturating_sub(trace.at) as f32)
    });
    let item = question.item.and_then(|item| learner.recent(item));
    let easiness = population.easiness(question) as f32;

    let mut writer = Writer { inputs, at: 0 };
    writer.put(log_count(skill.counts.right));
    writer.put(-log_count(skill.counts.wrong));
    writer.put(log_count(learner.counts.right));
    writer.put(-log_count(learner.counts.wrong));
    for scale in 0..4 {
        writer.put(skill.counts.right_decayed[scale]);
        writer.put(-skill.counts.wrong_decayed[scale]);
        writer.put(skill.counts.surprise[scale]);
    }
    for scale in 0..4 {
        let (right, wrong) = (
            learner.counts.right_decayed[scale],
            learner.counts.wrong_decayed[scale],
        );
        writer.put(right / (right + wrong + 1.0));
        writer.put(learner.counts.surprise[scale]);
    }
    for outcome in skill.counts.last.into_iter().chain(learner.counts.last) {
        writer.put(outcome);
    }
    writer.put(skill.streak);
    writer.put(skill.rating.mean / (1.0 + since));
    writer.put(learner.rating.mean);
    writer.put(skill.rating.mean);
    // The two ratings, each by what it is sure of.
    let sure = 1.0 / (1.0 + skill.rating.variance * 4.0);
    writer.put(sure * skill.rating.mean + (1.0 - sure) * learner.rating.mean);
    writer.put(learner.rating.mean / (0.1 + learner.rating.variance));
    writer.put(skill.first);
    writer.put(item.map_or(0.0, |item| log_count(item.right)));
    writer.put(item.map_or(0.0, |item| -log_count(item.wrong)));
    debug_assert_eq!(writer.at, RISING, "the rising inputs come first");

    let place = population.place(question);
    let answered = log_count(skill.answers as f32);
    let clock = log_count(learner.answers as f32);
    let same = learner.last_skill == Some(question.skill);
    writer.put(easiness);
    writer.put(logistic(easiness));
    writer.put(since);
    writer.put(f32::from(u8::from(met.is_none())));
    writer.put(skill.rating.variance.sqrt());
    writer.put(learner.rating.variance.sqrt());
    writer.put(answered);
    writer.put(f32::from(u8::from(same)));
    writer.put(if same {
        log_count(learner.run as f32)
    } else {
        0.0
    });
    writer.put(clock);
    writer.put(log_count(learner.skills.len() as f32));
    writer.put(population.variance(question).sqrt() as f32);
    writer.put(f32::from(u8::from(item.is_some())));
    writer.put(item.map_or(0.0, |item| {
        log_count(learner.answers.saturating_sub(item.at) as f32 + 1.0)
    }));
    writer.put(place.answered);
    writer.put(place.same_skill);
    writer.put(place.clock);
    writer.put(answered - place.answered);
    writer.put(clock - place.clock);
    debug_assert_eq!(writer.at, COUNT, "every input is written");
}

fn log_count(count: f32) -> f32 {
    count.ln_1p()
}

struct Writer<'a> {
    inputs: &'a mut Features,
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, value: f32) {
        if let Some(input) = self.inputs.get_mut(self.at) {
            *input = value;
        }
        self.at += 1;
    }
}
