//! What a simulated learner shows and says: measured with noise, told when asked.

use std::time::Duration;

use super::Run;
use crate::learning::engagement::Stretch;
use crate::learning::estimate::sigmoid;
use crate::learning::event_criteria::Criterion;
use crate::learning::few::Few;
use crate::learning::five::observation::{Moment, Observation};
use crate::learning::load::Observed;
use crate::learning::simulated::draws::Purpose;
use crate::learning::simulated::mind::{MOST_SICKNESS, RUNGS};
use crate::learning::simulated::scene::assumed_difficulty;

/// Seconds between two questions how the learner feels.
const ASKED_EVERY: f64 = 180.0;
/// Onboarding before the lesson: interactions of two seconds each, and how often one succeeds.
const ONBOARDING: u64 = 60;
const ONBOARDING_SUCCESS: f64 = 0.97;
/// Share of the time on task with no engagement, and what full engagement adds (ours).
const ON_TASK: [f64; 2] = [0.1, 0.85];

/// Engagement in [0.05, 1] that shows as this share of the time on task.
pub(in crate::learning::simulated) fn engagement_of(on_task: f64) -> f64 {
    ((on_task - ON_TASK[0]) / ON_TASK[1]).clamp(0.05, 1.0)
}

impl Run<'_> {
    /// First interactions, which go on until most people have them.
    pub(super) fn onboard(&mut self) {
        let mut shows = Few::default();
        for criterion in [
            Criterion::Interactions,
            Criterion::Orientation,
            Criterion::Interface,
        ] {
            shows.push(criterion);
        }
        self.tell_comfort();
        let able = self.learner.chance(0.0) > 0.0;
        for n in 0..ONBOARDING {
            let luck = self.draws.uniform(Purpose::Measured, 1_000_000 + n);
            let seen = Observation {
                correct: able && luck < ONBOARDING_SUCCESS,
                shows,
                ..Observation::default()
            };
            self.five.observe(&seen, self.params);
            let moment = Moment {
                dt: Duration::from_secs(2),
                ready: true,
                ..Moment::default()
            };
            let tick = self.five.tick(&moment, self.params);
            self.noted(
                tick.verdict.decision,
                2.0 * n as f64 - 2.0 * ONBOARDING as f64,
            );
        }
    }

    /// What is measured and told in a moment.
    pub(super) fn report(&mut self, seconds: f64) {
        let due = self
            .asked
            .is_none_or(|asked| self.scene.now - asked >= ASKED_EVERY);
        if due {
            self.asked = Some(self.scene.now);
            self.tell_comfort();
        }
        let mind = &self.world.mind;
        let noise = |n: u64| self.draws.normal(Purpose::Measured, 8 * self.tick + n);
        let on_task = ON_TASK[0] + ON_TASK[1] * mind.engagement;
        let strain = sigmoid(-mind.logit(&self.world.task(self.lesson), &self.world.setting));
        let stuck = f64::from(u8::from(self.world.stuck > 0.0));
        let moment = Moment {
            dt: Duration::from_secs_f64(seconds),
            stretch: Some(Stretch {
                seconds,
                on_task: Some((on_task + 0.12 * noise(0)).clamp(0.0, 1.0)),
                head_on_task: Some((on_task - 0.1 * stuck + 0.15 * noise(1)).clamp(0.0, 1.0)),
                ..Stretch::default()
            }),
            load: Observed {
                hesitation: Some((0.8 + strain + stuck + 0.3 * noise(2)).max(0.1)),
                path: Some((1.2 + strain + 0.3 * noise(3)).max(1.0) / 1.2),
                ..Observed::default()
            },
            ready: true,
            ..Moment::default()
        };
        let tick = self.five.tick(&moment, self.params);
        self.noted(tick.verdict.decision, self.scene.now);
    }

    pub(super) fn tell_comfort(&mut self) {
        let noise = 0.04 * self.draws.normal(Purpose::Told, self.tick);
        let comfort = 1.0 - self.world.mind.sickness / MOST_SICKNESS + noise;
        let comfort = comfort.clamp(0.0, 1.0);
        self.five.told(Criterion::Comfort, comfort, self.params);
    }

    pub(super) fn observation(&self, correct: bool) -> Observation {
        let mut skills = Few::default();
        skills.push(self.skill());
        let step = self.world.step(self.lesson);
        let variants = step.map_or(1, |step| step.variants.max(1));
        let mut shows = Few::default();
        shows.push(Criterion::Exploration);
        Observation {
            id: self.attempt,
            skills,
            difficulty: Some(assumed_difficulty(&self.world.setting).mean),
            variant: Some((self.attempt % u64::from(variants)) as u32),
            correct,
            seconds: Some(self.elapsed),
            in_good_time: step.map(|step| self.elapsed <= step.reference),
            help_on_offer: true,
            hints: u32::from(self.world.setting.rung),
            help: f64::from(self.world.setting.rung) / f64::from(RUNGS),
            shows,
            ..Observation::default()
        }
    }
}
