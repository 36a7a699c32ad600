//! What is believed of one learner in one skill.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::observation::Observation;
use super::params::{Params, SkillParams};
use crate::learning::assessment::{Competency, Dimension, Growth, Transfer};
use crate::learning::bkt::{self, BktParams};
use crate::learning::engagement::WheelSpinning;
use crate::learning::estimate::{Estimate, bounded};
use crate::learning::event_criteria::Bounded;
use crate::learning::explain::Movers;
use crate::learning::retention::{self, Memory, Rating};

/// P(known) with an interval.
///
/// `lower` and `upper` are what the same answers make of the lowest and the highest belief anybody might have begun
/// with ([`Params::prior_ends`]): a range of priors in place of one (robust Bayesian analysis: Berger 1985, section 4.7).
/// They meet as answers come in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// P(known), in [`lower`, `upper`].
    pub mean: f64,
    /// From the lowest beginning.
    pub lower: f64,
    /// From the highest beginning.
    pub upper: f64,
}

impl Known {
    fn new(p: &BktParams, [low, high]: [f64; 2]) -> Self {
        let mean = bounded(p.prior, 0.0, 1.0, BktParams::default().prior);
        Self {
            mean,
            lower: bounded(low, 0.0, mean, mean.min(0.05)),
            upper: bounded(high, mean, 1.0, mean.max(0.95)),
        }
    }

    fn answered(self, correct: bool, p: &BktParams) -> Self {
        let mean = bkt::update(self.mean, correct, p);
        // The update keeps the order of beliefs; rounding may miss by the last bit.
        Self {
            mean,
            lower: bkt::update(self.lower, correct, p).min(mean),
            upper: bkt::update(self.upper, correct, p).max(mean),
        }
    }
}

/// What is remembered, and when it is due again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// The memory at its last review.
    pub memory: Memory,
    /// Day of the last review, on the learner's own calendar.
    pub reviewed: f64,
    /// Day of the next.
    pub due: f64,
}

/// One skill of one learner: constant size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// Ability in logit.
    pub ability: Estimate,
    /// P(known).
    pub known: Known,
    /// Competency per dimension.
    pub competency: Competency,
    /// Change of the score since the first attempts.
    pub growth: Growth,
    /// Success on unseen variants.
    pub transfer: Transfer,
    /// Attempts without mastery.
    pub wheel_spinning: WheelSpinning,
    /// What is remembered; `None`: never practised.
    pub remembered: Option<Remembered>,
    /// What moved the ability.
    pub ability_movers: Movers,
    /// What moved P(known).
    pub known_movers: Movers,
}

impl Skill {
    /// Of a skill the learner never tried.
    #[must_use]
    pub fn new(skill: &SkillParams, p: &Params) -> Self {
        Self {
            ability: p.ability.prior(0.0),
            known: Known::new(&skill.bkt, p.prior_ends),
            competency: Competency::new(&p.rates),
            growth: Growth::new(&p.rates),
            transfer: Transfer::new(&p.rates),
            wheel_spinning: WheelSpinning::default(),
            remembered: None,
            ability_movers: Movers::default(),
            known_movers: Movers::default(),
        }
    }

    /// Takes in an attempt. `latency_z`: how slow it was for this learner; `day`: on the learner's own calendar.
    pub(super) fn attempt(
        &mut self,
        seen: &Observation,
        skill: &SkillParams,
        latency_z: Option<f64>,
        day: f64,
        p: &Params,
    ) {
        let quality = seen.quality;
        let score = seen.score();
        let difficulty = seen.difficulty.unwrap_or(skill.difficulty);
        let before = self.ability.mean;
        self.ability = p
            .ability
            .after_answer(self.ability, difficulty, score, quality);
        self.ability_movers
            .observe(seen.id, self.ability.mean - before);
        let before = self.known.mean;
        let weighed = quality
            .weigh(&skill.bkt, seen.correct)
            .helped(seen.help, seen.correct);
        self.known = self.known.answered(seen.correct, &weighed);
        self.known_movers
            .observe_probability(seen.id, before, self.known.mean);
        self.competency
            .observe(Some(seen.correct), &seen.credit, quality, &p.rates);
        self.growth.observe(score, quality, &p.rates);
        if let Some(variant) = seen.variant {
            self.transfer
                .observe(variant, seen.correct, quality, &p.rates);
        }
        self.wheel_spinning
            .attempt(seen.correct, quality, p.habits.least_trust);
        let rating = Rating::of_attempt(seen.correct, seen.hints, latency_z, quality, &p.retention);
        if let Some(rating) = rating {
            self.review(rating, day, p);
        }
    }

    fn review(&mut self, rating: Rating, day: f64, p: &Params) {
        let memory = match &self.remembered {
            None => retention::first_review(rating, &p.retention),
            Some(last) => {
                retention::review(&last.memory, day - last.reviewed, rating, &p.retention)
            }
        };
        self.remembered = Some(Remembered {
            memory,
            reviewed: day,
            due: day + retention::interval(&memory, &p.retention),
        });
    }

    /// Lets `days` pass, of which a `share` of the evidence is left.
    pub(super) fn pass(&mut self, days: f64, share: f64, p: &Params) {
        self.ability = p.ability.after_days(self.ability, days);
        self.competency.fade(share);
    }

    /// Mean competency over the dimensions that were seen, in [0, 1]; `None`: none was.
    #[must_use]
    pub fn competency(&self) -> Option<f64> {
        let dimensions = [
            Dimension::Choice,
            Dimension::Position,
            Dimension::Rotation,
            Dimension::Time,
        ];
        let (mut sum, mut n) = (0.0, 0.0);
        for dimension in dimensions {
            let (mean, evidence) = self.competency.rate(dimension).parts();
            if evidence > 0.0 {
                sum += mean;
                n += 1.0;
            }
        }
        (n > 0.0).then(|| sum / n)
    }

    /// P(known) as the chart and the adaptation rules take it; `None`: never tried.
    #[must_use]
    pub fn mastery(&self) -> Option<Bounded> {
        let n = self.wheel_spinning.attempts();
        (n > 0).then_some(Bounded {
            mean: self.known.mean,
            lower: self.known.lower,
            upper: self.known.upper,
            n,
        })
    }

    /// Whether more of the same won't help (1), will (0), or it is too early to say.
    #[must_use]
    pub fn spinning(&self) -> Option<f64> {
        let spinning = self.wheel_spinning.is_spinning();
        let known = self.wheel_spinning.attempts() >= WheelSpinning::ATTEMPTS;
        known.then_some(f64::from(u8::from(spinning)))
    }

    /// Whether a review is due on this `day`.
    #[must_use]
    pub fn is_due(&self, day: f64) -> bool {
        self.remembered.is_some_and(|last| day >= last.due)
    }
}
