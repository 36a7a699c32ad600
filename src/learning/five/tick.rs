//! The stream: what the models say now, what follows from it, and why.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::observation::Moment;
use super::params::Params;
use super::skill::Skill;
use super::{DAY, Five};
use crate::learning::engagement::Changes;
use crate::learning::equation::{self, Signals, Step};
use crate::learning::estimate::{bounded, sigmoid};
use crate::learning::event::{LearningEvent, Place};
use crate::learning::event_chart::{Situation, Verdict};
use crate::learning::event_criteria::{Bounded, Criteria, Criterion, normal_cdf};
use crate::learning::load::{self, Load, LoadParams, Observed};
use crate::learning::weights::{self, Adjusted, Conditions};

/// What a moment came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tick {
    /// What the four models say; `None` where nothing was observed.
    pub signals: Signals,
    /// What the weights' rules looked at.
    pub conditions: Conditions,
    /// The weights, and the rules that fired.
    pub weights: Adjusted,
    /// The step of the transition index.
    pub step: Step,
    /// Load.
    pub load: Load,
    /// What changed in engagement.
    pub changes: Changes,
    /// Where the learner stands now, and why.
    pub verdict: Verdict,
}

/// Sums over the skills that were practised, which is all that learner, knowledge and assessment model add up to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sums {
    /// How many skills.
    pub practised: f64,
    /// Of ability, logit.
    pub ability: f64,
    /// Of P(known).
    pub known: f64,
    /// Of competency.
    pub competency: f64,
}

/// What learner, knowledge and assessment model say, NaN where no skill was practised: the chance of success in a task
/// of middling difficulty at the mean ability, σ(mean θ); the mean P(known), which is the share of the skills that are
/// known; the mean competency. One function for one learner and for many.
#[must_use]
pub fn signals_of(sums: &Sums) -> [f64; 3] {
    if sums.practised > 0.0 {
        [
            sigmoid(sums.ability / sums.practised),
            sums.known / sums.practised,
            sums.competency / sums.practised,
        ]
    } else {
        [f64::NAN; 3]
    }
}

/// The event a learner is in; who is through stays in the last.
pub(in crate::learning) fn event_at(place: Place) -> LearningEvent {
    match place {
        Place::In(event, _) => event,
        Place::Completed(_) => LearningEvent::Mastery,
    }
}

impl Five {
    /// Lets a moment pass: engagement, load, signals, weights, one step of the equation, one of the chart. May be
    /// called at any rate; the sources' is every 5 s.
    pub fn tick(&mut self, moment: &Moment, p: &Params) -> Tick {
        self.pass(moment.dt.as_secs_f64() / DAY, p);
        let changes = self.watch(moment, p);
        self.ratings.pass(moment.dt);
        let load = self.estimate_load(moment, p);
        self.load = Some(load);
        let signals = self.signals(p);
        let conditions = self.conditions(moment, p);
        let event = event_at(self.chart.place());
        let weights = weights::adjust(event, &p.weights, &conditions);
        self.weights = weights.weights;
        let rate = equation::Rate::over(moment.dt, &p.equation);
        let step = equation::step(&rate, &self.weights, self.index, &signals, moment.epsilon);
        self.index = step.index;
        let situation = self.situation(moment, p);
        let verdict = self.chart.step(&p.chart, &situation, moment.dt);
        Tick {
            signals,
            conditions,
            weights,
            step,
            load,
            changes,
            verdict,
        }
    }

    fn watch(&mut self, moment: &Moment, p: &Params) -> Changes {
        let lasts = Duration::try_from_secs_f64(p.drop_lasts).unwrap_or(Duration::from_secs(60));
        let since = self.dropped.map(|since| since.saturating_add(moment.dt));
        self.dropped = since.filter(|since| *since < lasts);
        let Some(stretch) = &moment.stretch else {
            return Changes::default();
        };
        let changes = self.engagement.observe(stretch, &p.engagement);
        // The later word counts: who is on task again has not dropped.
        self.noticed(changes.head_on_task);
        self.noticed(changes.on_task);
        changes
    }

    fn estimate_load(&mut self, moment: &Moment, p: &Params) -> Load {
        // Slow frames and lost hands make slow deeds.
        let trust = moment.stretch.map_or(1.0, |it| it.quality.trust());
        let trusted = trust >= bounded(p.habits.least_trust, 0.0, 1.0, 1.0);
        let window = moment.window.filter(|_| trusted).unwrap_or_default();
        self.own.see(moment.dt, &window, self.is_calm());
        // What may be looked at stands in the log, window by window.
        let motion = moment.window.is_some_and(|window| window.motion.is_some());
        let kinematics = p.load.kinematics || motion;
        let params = LoadParams {
            kinematics,
            ..p.load
        };
        let seen = self.observed(&moment.load, kinematics, p);
        self.ratings
            .calibrated(load::estimate(&params, &seen), &params)
    }

    /// No attempt says that the learner struggles: no errors in a row, hardly a hint. Such windows make the learner's own
    /// baseline.
    fn is_calm(&self) -> bool {
        self.recent.longest_error_run(1).is_none_or(|run| run < 2.0)
            && self.recent.hinted(1).is_none_or(|hints| hints < 0.25)
    }

    fn observed(&self, told: &Observed, motion: bool, p: &Params) -> Observed {
        let own = self.own.signs(motion);
        let response_time = told.response_time.or(self.response_time);
        // Counts are at least 0 and at most the memory.
        let pace = self.habits.pace().count() as u32;
        let usual = match (own.baseline, response_time) {
            (0, _) => pace,
            (windows, None) => windows,
            (windows, Some(_)) => windows.min(pace),
        };
        Observed {
            response_time,
            hesitation: told.hesitation.or(own.hesitation),
            path: told.path.or(own.path),
            head_motion: told.head_motion.or(own.head_motion),
            interval: told.interval.or(own.interval),
            interval_spread: told.interval_spread.or(own.interval_spread),
            jerk: told.jerk.or(own.jerk),
            head_entropy: told.head_entropy.or(own.head_entropy),
            head_returns: told.head_returns.or(own.head_returns),
            error_burst: told
                .error_burst
                .or(self.recent.longest_error_run(p.least_recent)),
            hints: told.hints.or(self.recent.hinted(p.least_recent)),
            own_rating: told.own_rating.or(self.ratings.fresh()),
            baseline: told.baseline.max(usual),
        }
    }

    /// What the four models say now; `None` where nothing was observed.
    #[must_use]
    pub fn signals(&self, p: &Params) -> Signals {
        let mut sums = Sums::default();
        for skill in &self.skills {
            if let Some(competency) = skill.competency() {
                sums.practised += 1.0;
                sums.ability += skill.ability.mean;
                sums.known += skill.known.mean;
                sums.competency += competency;
            }
        }
        let [learner, knowledge, assessment] =
            signals_of(&sums).map(|x| (!x.is_nan()).then_some(x));
        let engagement = self
            .engagement
            .index(self.habits.persistence(), &p.engagement);
        Signals {
            learner,
            knowledge,
            engagement: engagement.map(|engagement| engagement.mean),
            assessment,
        }
    }

    fn conditions(&self, moment: &Moment, p: &Params) -> Conditions {
        Conditions {
            success: self.recent.success(p.least_recent),
            engagement_trend: self.engagement_trend(p),
            prerequisite_gaps: moment.prerequisite_gaps,
            stress: self.shown.get(Criterion::Strain).map(|strain| strain.mean),
            flow: self.recent.clean(p.least_recent),
            confusion: moment.confusion,
        }
    }

    /// Where the on-task ratio stands in the learner's own distribution, in [0, 1]; within the noise it is as usual, 0.5.
    fn engagement_trend(&self, p: &Params) -> Option<f64> {
        let deviation = self.engagement.on_task_deviation(&p.engagement)?;
        let noise = crate::learning::estimate::Z_95 * deviation.variance.sqrt();
        let beyond = (deviation.mean.abs() - noise).max(0.0);
        // Φ(0) by the series misses 0.5 by 1e-9, which is enough to fire a rule.
        Some(if beyond > 0.0 {
            normal_cdf(beyond.copysign(deviation.mean))
        } else {
            0.5
        })
    }

    fn situation(&self, moment: &Moment, p: &Params) -> Situation {
        Situation {
            criteria: self.criteria(p),
            attempts: self.attempts,
            ready: moment.ready,
            break_wanted: moment.break_wanted,
            comfort_put_aside: moment.comfort_put_aside,
            review_due: self.review_due(),
        }
    }

    /// What is known of the criteria of the present learning event and the one before.
    #[must_use]
    pub fn criteria(&self, p: &Params) -> Criteria {
        let mut criteria = Criteria::default();
        let Place::In(event, _) = self.chart.place() else {
            return criteria;
        };
        let mut asked = [false; 24];
        for event in [Some(event), event.previous()].into_iter().flatten() {
            for requirement in p.chart.stage(event).requirements.iter() {
                let criterion = requirement.criterion;
                let again = asked.get_mut(criterion as usize);
                let again = again.is_some_and(|asked| std::mem::replace(asked, true));
                if again {
                    continue;
                }
                if let Some(estimate) = self.criterion(criterion) {
                    criteria = criteria.with(criterion, estimate);
                }
            }
        }
        criteria
    }

    fn criterion(&self, criterion: Criterion) -> Option<Bounded> {
        match criterion {
            Criterion::Concept => self.concepts(),
            Criterion::Transfer => self.transfer().or(self.shown.get(criterion)),
            _ => self.shown.get(criterion),
        }
    }

    /// The weakest of the skills that were practised: nobody leaves an introduction with one concept missing.
    fn concepts(&self) -> Option<Bounded> {
        let weakest = |a: Bounded, b: Bounded| if b.mean < a.mean { b } else { a };
        self.skills
            .iter()
            .filter_map(Skill::mastery)
            .reduce(weakest)
    }

    /// Success on unseen variants over all skills: the mean of the skills', each weighing as much as its evidence.
    fn transfer(&self) -> Option<Bounded> {
        let (mut n, mut sum) = (0.0, 0.0);
        for skill in &self.skills {
            let (mean, evidence) = skill.transfer.rate().parts();
            n += evidence;
            sum += evidence * mean;
        }
        if n <= 0.0 {
            return None;
        }
        let pooled = crate::learning::estimate::Rate::of_parts(sum / n, n, &pooled());
        Bounded::of_rate(&pooled)
    }
}

/// Each skill's rate has its own beginning already: the pool adds as little of one as can be.
fn pooled() -> crate::learning::estimate::RateParams {
    crate::learning::estimate::RateParams {
        prior_mean: 0.5,
        prior_weight: 0.5,
        memory: 1e9,
    }
}
