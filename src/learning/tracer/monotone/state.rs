//! What the monotone tracer keeps of a learner.
//!
//! Every figure is either a count or time (the same whatever the answers were) or rises when an answer turns from wrong to
//! right. That is what makes the network's promise hold; keep it when adding one. A rating shared between skills and
//! corrected for them (as in a joint Kalman filter) would break it: what one skill explains, the other loses.

use serde::{Deserialize, Serialize};

use super::super::{BySkill, Question};

/// Items remembered for each learner, the latest.
pub const RECENT_ITEMS: usize = 16;

/// Share of the past that is kept at each answer, for four time scales: about 2, 5, 14 and 50 answers.
pub(super) const KEEP: [f32; 4] = [0.5, 0.8, 0.93, 0.98];
/// Prior variance of the two ratings, logits².
const RATING_VARIANCE: f32 = 0.9;
/// What is added to the variance at each answer, because people learn.
const RATING_DRIFT: f32 = 0.02;
const GENERAL_DRIFT: f32 = 0.004;
/// Information of one answer about a logit. Constant (and not p(1 − p)), so that gains depend on counts alone.
const INFORMATION: f32 = 0.2;
/// Longest streak that is told apart.
const STREAK: f32 = 5.0;

/// Successes and failures with forgetting, and how far they surprised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub right: f32,
    pub wrong: f32,
    pub right_decayed: [f32; 4],
    pub wrong_decayed: [f32; 4],
    /// Decayed mean of outcome minus what the question's difficulty alone made expect.
    pub surprise: [f32; 4],
    /// The last three outcomes, latest first: 1 right, −1 wrong, 0 none.
    pub last: [f32; 3],
}

impl Counts {
    fn observe(&mut self, correct: bool, weight: f32, expected: f32) {
        let (right, wrong) = if correct { (1.0, 0.0) } else { (0.0, weight) };
        let surprise = if correct {
            1.0 - expected
        } else {
            -weight * expected
        };
        self.right += right;
        self.wrong += wrong;
        for (scale, keep) in KEEP.iter().enumerate() {
            self.right_decayed[scale] = self.right_decayed[scale] * keep + right;
            self.wrong_decayed[scale] = self.wrong_decayed[scale] * keep + wrong;
            self.surprise[scale] = self.surprise[scale] * keep + (1.0 - keep) * surprise;
        }
        self.last = [right - wrong, self.last[0], self.last[1]];
    }
}

/// A rating on the logit scale with its variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Rating {
    pub mean: f32,
    pub variance: f32,
}

impl Default for Rating {
    fn default() -> Self {
        Self {
            mean: 0.0,
            variance: RATING_VARIANCE,
        }
    }
}

impl Rating {
    /// One Kalman step with constant information: the gain falls with the number of answers, as in Pelánek (2016).
    fn observe(&mut self, correct: bool, weight: f32, easiness: f32, drift: f32) {
        let expected = logistic(easiness + self.mean);
        let surprise = if correct {
            1.0 - expected
        } else {
            -weight * expected
        };
        let prior = self.variance + drift;
        let gain = prior / (1.0 + INFORMATION * prior);
        self.mean += gain * surprise;
        self.variance = gain;
    }
}

/// What is kept of one skill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SkillTrace {
    pub counts: Counts,
    pub rating: Rating,
    /// Answers, whatever they weighed.
    pub answers: u32,
    /// Rights in a row; wrongs in a row are negative.
    pub streak: f32,
    /// The first answer: 1 right, −1 wrong.
    pub first: f32,
    /// The learner's clock at the latest answer.
    pub at: u32,
}

/// An item met lately. `at` is 0 where the place is free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RecentItem {
    pub item: u32,
    pub at: u32,
    pub right: f32,
    pub wrong: f32,
}

/// What is kept of a learner: about 200 bytes, 280 for the recent items, and 120 for each skill met.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LearnerTrace {
    pub(super) counts: Counts,
    pub(super) rating: Rating,
    pub(super) skills: BySkill<SkillTrace>,
    pub(super) recent: [RecentItem; RECENT_ITEMS],
    /// Answers so far: the learner's clock.
    pub(super) answers: u32,
    pub(super) last_skill: Option<u32>,
    /// Answers in a row on the last skill.
    pub(super) run: u32,
}

impl LearnerTrace {
    /// Variance of what is believed about this learner's ability in a skill, logits².
    #[must_use]
    pub fn variance(&self, skill: u32) -> f64 {
        let met = self.skills.get(skill);
        f64::from(met.map_or(RATING_VARIANCE, |trace| trace.rating.variance))
    }

    /// Answers given so far.
    #[must_use]
    pub fn answers(&self) -> u32 {
        self.answers
    }

    /// Takes an answer in. `weight`: in 0..=1; `easiness`: the question's, in logits. A failure of weight 0 moves no rating
    /// and no count; it passes as time.
    pub(super) fn observe(
        &mut self,
        question: Question,
        correct: bool,
        weight: f32,
        easiness: f32,
    ) {
        let expected = logistic(easiness);
        self.answers = self.answers.saturating_add(1);
        self.counts.observe(correct, weight, expected);
        self.rating
            .observe(correct, weight, easiness, GENERAL_DRIFT);
        let skill = self.skills.entry(question.skill, SkillTrace::default);
        skill.counts.observe(correct, weight, expected);
        skill
            .rating
            .observe(correct, weight, easiness, RATING_DRIFT);
        let outcome = if correct { 1.0 } else { -weight };
        if skill.answers == 0 {
            skill.first = outcome;
        }
        skill.answers = skill.answers.saturating_add(1);
        skill.streak = if correct {
            (skill.streak.max(0.0) + 1.0).min(STREAK)
        } else {
            // A failure ends a run of rights by as much as it weighs.
            let rights = skill.streak.max(0.0) * (1.0 - weight);
            (skill.streak.min(0.0) + rights - weight).max(-STREAK)
        };
        skill.at = self.answers;
        self.run = if self.last_skill == Some(question.skill) {
            self.run.saturating_add(1)
        } else {
            1
        };
        self.last_skill = Some(question.skill);
        if let Some(item) = question.item {
            let recent = self.remember(item);
            recent.right += f32::from(u8::from(correct));
            recent.wrong += if correct { 0.0 } else { weight };
        }
    }

    /// The place of an item, which drives out the one not met for longest.
    fn remember(&mut self, item: u32) -> &mut RecentItem {
        let place = self
            .recent
            .iter()
            .position(|recent| recent.at > 0 && recent.item == item)
            .unwrap_or_else(|| {
                let oldest = (0..RECENT_ITEMS).min_by_key(|place| self.recent[*place].at);
                // There is at least one place.
                let place = oldest.unwrap_or(0);
                self.recent[place] = RecentItem {
                    item,
                    ..RecentItem::default()
                };
                place
            });
        let recent = &mut self.recent[place];
        recent.at = self.answers;
        recent
    }

    /// What is remembered of an item.
    pub(super) fn recent(&self, item: u32) -> Option<&RecentItem> {
        self.recent
            .iter()
            .find(|recent| recent.at > 0 && recent.item == item)
    }
}

pub(super) fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
