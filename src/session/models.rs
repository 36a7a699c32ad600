//! The five models in the fold: what each event of the log tells them.
//!
//! In: events, in order. Out: what is known of the learner over all sessions and lessons, as data. Never: a clock, or
//! anything that is not in the log; so the same log gives the same models to the bit.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alike::{self, Alike};
use crate::learning::ability::HINT_EASES;
use crate::learning::assessment::Credit;
use crate::learning::bkt::BktParams;
use crate::learning::comfort::{Comfort, ComfortParams, MOST, fms_of};
use crate::learning::estimate::Estimate;
use crate::learning::event::LearningEvent;
use crate::learning::event_criteria::{Bounded, Criterion};
use crate::learning::few::Few;
use crate::learning::five::observation::{Moment, Observation};
use crate::learning::five::params::{Params, SkillParams};
use crate::learning::five::skill::Skill;
use crate::learning::five::{Five, Tick};
use crate::learning::predict::{Inputs, Prediction, Predictor};
use crate::learning::skill::SkillId;
use crate::learning::strategy::feature::{Feature, View};
use crate::protocol::event::{Attempt, Evidence, Told};
use crate::protocol::ids::{LessonId, StepId};

/// Milliseconds of a day.
const DAY: f64 = 86_400_000.0;

/// What is believed of one learner, and with which parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Models {
    five: Five,
    /// The same in all who began the same lessons: see [`Alike`].
    #[serde(serialize_with = "alike::write", deserialize_with = "alike::read")]
    params: Arc<Params>,
    /// The skills by number: those of a later lesson come behind those known before.
    skills: Vec<(LessonId, SkillId)>,
    /// Steps that were tried, by the number of the variant they are.
    tried: Vec<(LessonId, StepId)>,
    /// What the latest moment came to; `None` before the first.
    latest: Option<Box<Tick>>,
    /// What exposure in the headset adds up to; `None`: none was worn yet.
    #[serde(default)]
    comfort: Option<Comfort>,
}

/// How exposure adds up.
const COMFORT: ComfortParams = ComfortParams::USUAL;

impl Default for Models {
    fn default() -> Self {
        let params = Params::default();
        Self {
            five: Five::new(0, &params),
            params: Arc::new(params),
            skills: Vec::new(),
            tried: Vec::new(),
            latest: None,
            comfort: None,
        }
    }
}

/// Where an attempt was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Where<'a> {
    pub lesson: &'a LessonId,
    /// Phase of learning of its step, where the log says so.
    pub event: Option<LearningEvent>,
    /// Rungs of the step's hint ladder.
    pub hints: u8,
    /// Wrong attempts on the step before this one.
    pub failures: u32,
    /// How much harder than authored the task is, in logit.
    pub harder: f64,
}

impl Models {
    /// The models.
    #[must_use]
    pub fn five(&self) -> &Five {
        &self.five
    }

    /// The parameters in force.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Has the parameters where others who have the same ones have them.
    pub(super) fn share(&mut self, alike: &mut Alike) {
        self.params = alike.of(&self.params);
    }

    /// What the latest moment came to: signals, weights, index, load, where the learner stands and why.
    #[must_use]
    pub fn latest(&self) -> Option<&Tick> {
        self.latest.as_deref()
    }

    /// What the adaptation rules look at before a step of these skills (see [`Five::view`]), with the sickness to be
    /// expected and the risks of stalling and leaving; and the prediction they are from (`None`: the step has no skill
    /// that is known).
    #[must_use]
    pub fn view(
        &self,
        skills: &[u32],
        difficulty: Estimate,
        scene: &View,
        predictor: &Predictor,
    ) -> (View, Option<Prediction>) {
        let sickness = self.comfort().map(|comfort| {
            let (fms, interval) = comfort.sickness();
            Bounded {
                mean: fms / MOST,
                lower: interval.low / MOST,
                upper: interval.high / MOST,
                n: 1,
            }
        });
        let scene = scene.inferred(Feature::Sickness, sickness);
        let view = self.five.view(skills, difficulty, &scene, &self.params);
        let weakest = skills.iter().filter_map(|number| {
            let skill = self.five.skills().get(*number as usize)?;
            Some((*number, skill.known.mean))
        });
        let Some((skill, _)) = weakest.min_by(|(_, a), (_, b)| a.total_cmp(b)) else {
            return (view, None);
        };
        let soon = predictor.predict(&Inputs::of(&self.five, skill, &view, &self.params));
        (soon.seen_in(view), Some(soon))
    }

    /// What exposure in the headset adds up to; `None`: none was worn yet, and nobody said how they are.
    #[must_use]
    pub fn comfort(&self) -> Option<&Comfort> {
        self.comfort.as_ref()
    }

    /// The number of a lesson's skill in the models.
    #[must_use]
    pub fn number(&self, lesson: &LessonId, skill: &SkillId) -> Option<u32> {
        let place = self
            .skills
            .iter()
            .position(|(of, id)| of == lesson && id == skill)?;
        u32::try_from(place).ok()
    }

    /// The numbers of those of a lesson's skills that the models know.
    #[must_use]
    pub fn numbers(&self, lesson: &LessonId, skills: &[SkillId]) -> Vec<u32> {
        let known = skills.iter().map(|skill| self.number(lesson, skill));
        known.flatten().collect()
    }

    /// What is believed of a lesson's skill; `None`: the log does not know it.
    #[must_use]
    pub fn skill(&self, lesson: &LessonId, skill: &SkillId) -> Option<&Skill> {
        let number = self.number(lesson, skill)?;
        self.five.skills().get(number as usize)
    }

    /// Skills and their names, in the order in which they were met.
    pub fn skills(&self) -> impl Iterator<Item = (&LessonId, &SkillId, &Skill)> {
        let named = self.skills.iter().zip(self.five.skills());
        named.map(|((lesson, id), skill)| (lesson, id, skill))
    }

    /// Skills that are due for review so many milliseconds of wall-clock time after the last event, in the order in which
    /// they were met.
    #[must_use]
    pub fn due_after(&self, milliseconds: u64) -> Vec<(&LessonId, &SkillId)> {
        let day = self.five.day() + milliseconds as f64 / DAY;
        self.skills()
            .filter(|(.., skill)| skill.is_due(day))
            .map(|(lesson, id, _)| (lesson, id))
            .collect()
    }

    /// A session of this lesson begins. What is known of its skills stays; the parameters are the session's.
    pub(super) fn begin<'a>(
        &mut self,
        lesson: &LessonId,
        skills: impl Iterator<Item = (&'a SkillId, &'a BktParams)>,
    ) {
        for (id, bkt) in skills {
            match self.number(lesson, id) {
                Some(number) => {
                    let skill = self.params.skills.get(number as usize);
                    // Parameters that stay as they are stay shared.
                    if skill.is_some_and(|skill| skill.bkt != *bkt)
                        && let Some(skill) = Arc::make_mut(&mut self.params)
                            .skills
                            .get_mut(number as usize)
                    {
                        skill.bkt = *bkt;
                    }
                }
                None => {
                    self.skills.push((lesson.clone(), id.clone()));
                    Arc::make_mut(&mut self.params).skills.push(SkillParams {
                        bkt: *bkt,
                        ..SkillParams::default()
                    });
                }
            }
        }
        self.five.meet_skills(&self.params);
    }

    /// So many milliseconds of wall-clock time lie between the last event and this one. A clock that was set back has
    /// passed no time; one that was set forward widens intervals, and no mean moves for it.
    pub(super) fn away(&mut self, milliseconds: u64) {
        self.five.away(milliseconds as f64 / DAY, &self.params);
    }

    /// Takes in an attempt, `seq`: its place in the log.
    pub(super) fn attempted(&mut self, seq: u64, attempt: &Attempt, at: &Where) {
        let mut skills = Few::default();
        for skill in &attempt.skills {
            if let Some(number) = self.number(at.lesson, skill) {
                skills.push(number);
            }
        }
        let hints = attempt.hints_used;
        let eased = at.harder - HINT_EASES * f64::from(hints);
        let seen = Observation {
            id: seq,
            help: if at.hints > 0 {
                f64::from(hints) / f64::from(at.hints)
            } else {
                0.0
            },
            skills,
            // The tasks of a lesson are as hard as their skills, which begin at 0, but for what was adapted and shown.
            difficulty: (eased != 0.0).then_some(eased),
            variant: self.variant(at.lesson, &attempt.step),
            correct: attempt.correct,
            credit: Credit {
                total: Some(f64::from(attempt.credit)),
                ..Credit::default()
            },
            seconds: Some(attempt.latency.as_secs_f64()),
            help_on_offer: at.hints > 0,
            hints: u32::from(hints),
            errors: at.failures,
            shows: shown_by(&attempt.evidence, at.event),
            quality: attempt.quality,
            ..Observation::default()
        };
        self.five.observe(&seen, &self.params);
    }

    fn variant(&mut self, lesson: &LessonId, step: &StepId) -> Option<u32> {
        let known = self
            .tried
            .iter()
            .position(|(of, id)| of == lesson && id == step);
        let place = known.unwrap_or_else(|| {
            self.tried.push((lesson.clone(), step.clone()));
            self.tried.len() - 1
        });
        u32::try_from(place).ok()
    }

    /// Lets a moment pass.
    pub(super) fn observed(&mut self, moment: &Moment) {
        if let Some(exposure) = &moment.exposure {
            self.comfort
                .get_or_insert_with(|| Comfort::new(&COMFORT))
                .exposed(exposure, &COMFORT);
        }
        let tick = self.five.tick(moment, &self.params);
        match &mut self.latest {
            Some(latest) => **latest = tick,
            None => self.latest = Some(Box::new(tick)),
        }
    }

    /// Somebody who can tell says at which stage the learner is; `None`: the models say it again.
    pub(super) fn stand_at(&mut self, event: Option<LearningEvent>, hold: Duration) {
        self.five.stand_at(event, hold);
    }

    /// So many milliseconds passed in which nothing of the lesson was shown.
    pub(super) fn rested(&mut self, milliseconds: u64) {
        if let Some(comfort) = &mut self.comfort {
            comfort.rested(Duration::from_millis(milliseconds), &COMFORT);
        }
    }

    /// Takes in what somebody said.
    pub(super) fn told(&mut self, about: Told, value: f64) {
        match about {
            Told::Criterion(criterion) => {
                if criterion == Criterion::Comfort {
                    self.comfort
                        .get_or_insert_with(|| Comfort::new(&COMFORT))
                        .answered(fms_of(value), &COMFORT);
                }
                self.five.told(criterion, value, &self.params);
            }
            Told::Effort => self.five.rated(1.0 + 8.0 * value),
        }
    }
}

/// What an attempt shows beyond the skills it exercises. The phase of its step says what it is about: the same grasp
/// is a matter of handling at first and of purpose later.
fn shown_by(evidence: &Evidence, event: Option<LearningEvent>) -> Few<Criterion, 4> {
    let mut shown = Few::default();
    match evidence {
        Evidence::Looked { .. } | Evidence::Teleported { .. } => {
            shown.push(Criterion::Orientation);
        }
        Evidence::Touched { .. }
        | Evidence::Grabbed { .. }
        | Evidence::Placed { .. }
        | Evidence::Thrown { .. }
        | Evidence::Pressed { .. } => {
            shown.push(Criterion::Interactions);
        }
        Evidence::Answered { .. } => {
            shown.push(Criterion::Interface);
        }
        Evidence::TimedOut | Evidence::Simulated => {}
    }
    match event {
        Some(LearningEvent::Introduction) => {
            if matches!(evidence, Evidence::Answered { .. }) {
                shown.push(Criterion::Comprehension);
            }
        }
        Some(LearningEvent::Application) => {
            shown.push(Criterion::Purpose);
        }
        Some(LearningEvent::Mastery) => {
            shown.push(Criterion::Expertise);
        }
        Some(LearningEvent::Onboarding | LearningEvent::Practice) | None => {}
    }
    shown
}

#[cfg(test)]
#[path = "models_tests.rs"]
mod tests;
