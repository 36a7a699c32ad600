//! What a learner has shown of what the learning events ask for.
//!
//! From every attempt: guided tasks (right), independence (right without a hint), fluency (right and in good time),
//! recovery (right after an error), efficiency (the hand's path), integration (right where several skills are needed),
//! quality (credit of what was right). The lesson names the rest ([`Observation::shows`]). Transfer and concepts come
//! from the skills. Comfort, strain and what an instructor scores are taken as told, the latest word counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::observation::Observation;
use crate::learning::estimate::{Rate, RateParams};
use crate::learning::event_criteria::{Bounded, Criterion};
use crate::learning::quality::Quality;

/// How many criteria there are.
const CRITERIA: usize = 24;

/// One criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shown {
    rate: Rate,
    /// The latest word of somebody who can tell, and how many there were.
    told: Option<(f64, u32)>,
}

/// What was shown of each criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllShown {
    by_criterion: [Shown; CRITERIA],
}

impl AllShown {
    /// Nothing yet.
    #[must_use]
    pub fn new(p: &RateParams) -> Self {
        Self {
            by_criterion: [Shown {
                rate: Rate::new(p),
                told: None,
            }; CRITERIA],
        }
    }

    /// Takes in an attempt.
    pub(super) fn attempt(&mut self, seen: &Observation, p: &RateParams) {
        let right = f64::from(u8::from(seen.correct));
        let when = |condition: bool, score: f64| condition.then_some(score);
        let also = |condition: bool| if condition { right } else { 0.0 };
        for (criterion, score) in [
            (Criterion::GuidedTasks, Some(right)),
            (Criterion::Independence, Some(also(seen.hints == 0))),
            (Criterion::Fluency, seen.in_good_time.map(also)),
            (Criterion::Recovery, when(seen.errors > 0, right)),
            (Criterion::Efficiency, seen.efficiency),
            (Criterion::Integration, when(seen.skills.len() > 1, right)),
            (
                Criterion::Quality,
                seen.credit.total.filter(|_| seen.correct),
            ),
        ] {
            let named = seen.shows.iter().any(|shown| *shown == criterion);
            if let Some(score) = score.filter(|score| score.is_finite() && !named) {
                self.score(criterion, score, seen.quality, p);
            }
        }
        for &criterion in seen.shows.iter() {
            self.score(criterion, right, seen.quality, p);
        }
    }

    /// Somebody who can tell says how it is, in [0, 1]: the learner of comfort and strain, the instructor of what only
    /// they can score. Of any other criterion it is one more observation. What is no number was not said.
    pub(super) fn told(&mut self, criterion: Criterion, value: f64, p: &RateParams) {
        if !value.is_finite() {
            return;
        }
        let value = value.clamp(0.0, 1.0);
        if criterion.is_performance() && !criterion.by_rubric() {
            self.score(criterion, value, Quality::PERFECT, p);
        } else if let Some(shown) = self.by_criterion.get_mut(criterion as usize) {
            let n = shown.told.map_or(0, |(_, n)| n);
            shown.told = Some((value, n.saturating_add(1)));
        }
    }

    fn score(&mut self, criterion: Criterion, score: f64, quality: Quality, p: &RateParams) {
        if let Some(shown) = self.by_criterion.get_mut(criterion as usize) {
            shown.rate.observe(score, 1.0, quality, p);
        }
    }

    /// What is known of a criterion. A word of somebody who can tell has no interval: it is what was said.
    #[must_use]
    pub fn get(&self, criterion: Criterion) -> Option<Bounded> {
        let shown = self.by_criterion.get(criterion as usize)?;
        match shown.told {
            Some((value, n)) => Some(Bounded {
                mean: value,
                lower: value,
                upper: value,
                n,
            }),
            None => Bounded::of_rate(&shown.rate),
        }
    }
}
