//! The five models of one learner, put together as plain data: learner, knowledge, engagement, assessment, and the
//! transition that follows from them.
//!
//! In: attempts ([`Five::observe`]), what people say ([`Five::told`]), passing time ([`Five::tick`], [`Five::away`]).
//! Out: what each model says, the transition index, and where the learner stands, with reasons; what the adaptation rules
//! look at ([`Five::view`]). What was never observed is absent, not average. Nothing here allocates but [`Five::new`] and
//! [`Five::meet_skills`].
//! Never: anything of another learner. Equal logs give equal states, to the last bit.

pub mod observation;
pub mod params;
pub mod recent;
pub mod shown;
pub mod skill;
mod tick;

pub(super) use tick::event_at;
pub use tick::{Sums, Tick, signals_of};

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ability::success_probability;
use super::baseline::Change;
use super::engagement::Engagement;
use super::equation::Index;
use super::estimate::{Estimate, bounded};
use super::event::LearningEvent;
use super::event_chart::Chart;
use super::event_criteria::{Bounded, Criterion};
use super::few::Few;
use super::habits::Learner;
use super::load::Load;
use super::load::own::Own;
use super::load::rating::Ratings;
use super::strategy::feature::{Feature, View};
use super::weights::Weights;
use observation::Observation;
use params::Params;
use recent::Recent;
use shown::AllShown;
use skill::Skill;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// One learner. Its size depends on the number of skills alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Five {
    skills: Vec<Skill>,
    habits: Learner,
    engagement: Engagement,
    shown: AllShown,
    recent: Recent,
    /// The last attempt: its skills and whether it was right.
    last: Option<(Few<u32, 8>, bool)>,
    /// How slow the last attempt was, as a multiple of the usual time.
    response_time: Option<f64>,
    attempts: u32,
    /// Time since engagement was seen to drop, if it counts still.
    dropped: Option<Duration>,
    index: Index,
    weights: Weights,
    load: Option<Load>,
    #[serde(default)]
    ratings: Ratings,
    /// The learner's usual way of doing things.
    #[serde(default)]
    own: Own,
    chart: Chart,
    /// The learner's own calendar: days since the first session began.
    day: f64,
}

impl Five {
    /// A learner nothing is known about, in a lesson with so many skills.
    #[must_use]
    pub fn new(skills: usize, p: &Params) -> Self {
        let skill = |skill| Skill::new(&p.skill(u32::try_from(skill).unwrap_or(u32::MAX)), p);
        let chart = Chart::default();
        Self {
            skills: (0..skills).map(skill).collect(),
            habits: Learner::new(&p.habits),
            engagement: Engagement::new(&p.engagement),
            shown: AllShown::new(&p.criteria),
            recent: Recent::default(),
            last: None,
            response_time: None,
            attempts: 0,
            dropped: None,
            index: Index::default(),
            weights: Weights::base(event_at(chart.place())),
            load: None,
            ratings: Ratings::default(),
            own: Own::default(),
            chart,
            day: 0.0,
        }
    }

    /// A further lesson begins, whose skills come behind those already known: there are as many now as in the parameters.
    pub fn meet_skills(&mut self, p: &Params) {
        let known = self.skills.len();
        let new = p.skills.iter().skip(known);
        self.skills.extend(new.map(|skill| Skill::new(skill, p)));
    }

    /// The same learner with the skills in another order: these first, then the others. Numbers that name no skill, or one
    /// again, are passed over. [`Params::with_first`] orders the parameters alike.
    #[must_use]
    pub fn with_first(&self, numbers: &[u32]) -> Self {
        let order = order(numbers, self.skills.len());
        let mut other = self.clone();
        other.skills = order
            .iter()
            .filter_map(|&number| self.skills.get(number).copied())
            .collect();
        if let Some((skills, right)) = self.last {
            let mut renamed = Few::default();
            for skill in skills.iter() {
                let place = order.iter().position(|&number| number == *skill as usize);
                if let Some(place) = place.and_then(|place| u32::try_from(place).ok()) {
                    renamed.push(place);
                }
            }
            other.last = Some((renamed, right));
        }
        other
    }

    /// Takes in an attempt. Skills that the lesson doesn't have are passed over.
    pub fn observe(&mut self, seen: &Observation, p: &Params) {
        let pace = |seconds| self.habits.relative_pace(seconds, &p.habits);
        let latency_z = seen.seconds.and_then(pace);
        for &number in seen.skills.iter() {
            let Some(skill) = self.skills.get_mut(number as usize) else {
                continue;
            };
            skill.attempt(seen, &p.skill(number), latency_z, self.day, p);
        }
        if let Some((before, false)) = &self.last {
            let went_on = before.iter().any(|a| seen.skills.iter().any(|b| a == b));
            self.habits.after_failure(went_on, &p.habits);
        }
        self.last = Some((seen.skills, seen.correct));
        if seen.help_on_offer {
            self.habits.could_ask_for_help(seen.hints > 0, &p.habits);
        }
        if let Some(seconds) = seen.seconds {
            let usual = self.habits.pace().estimate();
            self.response_time = usual.map(|usual| seconds / usual.mean.exp());
            self.habits.responded(seconds, seen.quality, &p.habits);
        }
        let slow = latency_z.is_some_and(|z| z > p.retention.slow);
        let clean = seen.correct && seen.hints == 0 && seen.errors == 0 && !slow;
        // Failures that the hardware may be to blame for are no news of the learner.
        if seen.correct || seen.quality.trust() >= bounded(p.habits.least_trust, 0.0, 1.0, 1.0) {
            self.recent.push(seen.correct, seen.hints > 0, clean);
            self.attempts = self.attempts.saturating_add(1);
        }
        self.shown.attempt(seen, &p.criteria);
    }

    /// Somebody who can tell says how it is, in [0, 1]: the learner of comfort and strain (where less is better), the
    /// instructor of what only they can score; of other criteria it is one more observation.
    pub fn told(&mut self, criterion: Criterion, value: f64, p: &Params) {
        self.shown.told(criterion, value, &p.criteria);
        if criterion == Criterion::Comfort {
            self.habits.told_comfort(value, &p.habits);
        }
    }

    /// The learner rates their mental effort, 1 (very, very low) to 9 (very, very high) (Paas 1992). It counts as a sign
    /// of load for a while, and teaches what the other signs mean in this learner. What is no number was not said.
    pub fn rated(&mut self, rating: f64) {
        self.ratings.rated(rating, self.load.as_ref());
    }

    /// The learner was away for so many `days`: intervals widen, reviews come due, engagement begins anew.
    pub fn away(&mut self, days: f64, p: &Params) {
        let days = bounded(days, 0.0, 1e5, 0.0);
        self.pass(days, p);
        self.dropped = None;
        self.response_time = None;
        self.own.away();
        self.load = None;
    }

    fn pass(&mut self, days: f64, p: &Params) {
        let share = p.share_after(days);
        for skill in &mut self.skills {
            skill.pass(days, share, p);
        }
        self.day += days;
    }

    /// What the adaptation rules look at: `scene` with mastery, success, load, comfort, engagement, wheel-spinning,
    /// reviews and recent attempts as the models have them. What they don't know is absent, whatever `scene` says.
    ///
    /// `skills` and `difficulty` (logit) are the next step's. Of several skills the weakest speaks for mastery, and the
    /// chance of success is that of the least able.
    #[must_use]
    pub fn view(&self, skills: &[u32], difficulty: Estimate, scene: &View, p: &Params) -> View {
        let of_step = || {
            let known = |number: &u32| self.skills.get(*number as usize);
            skills.iter().filter_map(known)
        };
        let weakest = |a: Bounded, b: Bounded| if b.mean < a.mean { b } else { a };
        let tried = || of_step().filter(|skill| skill.mastery().is_some());
        let next_success = skills
            .iter()
            .filter_map(|&number| self.success(number, difficulty, p))
            .reduce(weakest);
        let spinning = of_step().filter_map(Skill::spinning).reduce(f64::max);
        let trials = tried().map(|skill| skill.wheel_spinning.attempts()).min();
        let lately = self.recent.success(p.least_recent);
        let n = self.recent.len();
        let due = self.review_due().then_some(1.0);
        let load = self.load.as_ref().and_then(Load::as_estimate);
        scene
            .inferred(
                Feature::Mastery,
                of_step().filter_map(Skill::mastery).reduce(weakest),
            )
            .inferred(Feature::NextSuccess, next_success)
            .inferred(Feature::Load, load)
            .inferred(Feature::Comfort, self.shown.get(Criterion::Comfort))
            .concluded(Feature::EngagementDropped, self.engagement_dropped(p), 1)
            .concluded(Feature::WheelSpinning, spinning, trials.unwrap_or(0))
            .concluded(Feature::RecentSuccess, lately, n)
            .concluded(Feature::ErrorRate, lately.map(|right| 1.0 - right), n)
            .concluded(Feature::HelpSeeking, self.recent.hinted(p.least_recent), n)
            .concluded(Feature::Flow, self.recent.clean(p.least_recent), n)
            .measured(Feature::Attempts, trials.map(f64::from))
            .measured(Feature::ReviewDue, due)
            .with_outcomes(u64::from(self.attempts), self.recent.outcomes())
    }

    /// Ability in a skill, with what the learner's other skills say of it; `None`: nothing was tried, or there is no such
    /// skill.
    ///
    /// A learner's abilities go together: each is taken as one part that all share and one of its own, both normal
    /// (random effects of learner and of learner in skill: De Boeck & Wilson, "Explanatory Item Response Models", 2004).
    /// What the others say of the shared part takes the place of the prior under the skill's own belief; exact for normal
    /// beliefs. The skill's own part of the log is not touched.
    #[must_use]
    pub fn ability(&self, skill: u32, p: &Params) -> Option<Estimate> {
        let own = self.skills.get(skill as usize)?;
        let prior = p.ability.prior(0.0).variance;
        let shared = bounded(p.shared_ability, 0.0, 0.99, 0.0) * prior;
        let apart = prior - shared;
        let tried = |skill: &Skill| skill.wheel_spinning.attempts() > 0;
        let (mut precision, mut sum, mut any) = (1.0 / shared.max(1e-6), 0.0, tried(own));
        for (_, other) in (0..).zip(&self.skills).filter(|(n, _)| *n != skill) {
            if tried(other) {
                let weight = 1.0 / (apart + other.ability.variance.max(0.0));
                precision += weight;
                sum += weight * other.ability.mean;
                any = true;
            }
        }
        // The same belief, begun from another prior: precisions and what they weigh add up.
        let before = Estimate {
            mean: sum / precision,
            variance: apart + 1.0 / precision,
        };
        let evidence = (1.0 / own.ability.variance.max(1e-6) - 1.0 / prior).max(0.0);
        let all = evidence + 1.0 / before.variance;
        let said = own.ability.mean / own.ability.variance.max(1e-6);
        any.then(|| Estimate {
            mean: (said + before.mean / before.variance) / all,
            variance: 1.0 / all,
        })
    }

    /// Chance of success in a task of this `difficulty`: in the middle by both uncertainties averaged over, at the ends by
    /// the ends of the ability's interval. It rests on the skill's own attempts, and where there were none on all.
    fn success(&self, skill: u32, difficulty: Estimate, p: &Params) -> Option<Bounded> {
        let ability = self.ability(skill, p)?;
        let surely = |mean| Estimate {
            mean,
            variance: 0.0,
        };
        let own = self.skills.get(skill as usize)?.wheel_spinning.attempts();
        let interval = ability.interval(super::estimate::Z_95);
        let mean = success_probability(ability, difficulty);
        Some(Bounded {
            mean,
            lower: success_probability(surely(interval.low), difficulty).min(mean),
            upper: success_probability(surely(interval.high), difficulty).max(mean),
            n: if own > 0 { own } else { self.attempts },
        })
    }

    /// 1 while a noticed drop counts, 0 where the learner's habit is known and no drop was noticed.
    fn engagement_dropped(&self, p: &Params) -> Option<f64> {
        if self.dropped.is_some() {
            return Some(1.0);
        }
        let habit = self.engagement.on_task_deviation(&p.engagement);
        habit.map(|_| 0.0)
    }

    fn noticed(&mut self, change: Option<Change>) {
        match change {
            Some(Change::Fell) => self.dropped = Some(Duration::ZERO),
            Some(Change::Rose) => self.dropped = None,
            None => {}
        }
    }

    /// Whether a skill is due for review today.
    #[must_use]
    pub fn review_due(&self) -> bool {
        self.skills.iter().any(|skill| skill.is_due(self.day))
    }

    /// The skills, by number.
    #[must_use]
    pub fn skills(&self) -> &[Skill] {
        &self.skills
    }

    /// Habits over all skills.
    #[must_use]
    pub fn habits(&self) -> &Learner {
        &self.habits
    }

    /// Engagement.
    #[must_use]
    pub fn engagement(&self) -> &Engagement {
        &self.engagement
    }

    /// What was shown of the learning events' criteria by attempts and people.
    #[must_use]
    pub fn shown(&self) -> &AllShown {
        &self.shown
    }

    /// The last attempts.
    #[must_use]
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// The transition index.
    #[must_use]
    pub fn index(&self) -> Index {
        self.index
    }

    /// The weights in force.
    #[must_use]
    pub fn weights(&self) -> Weights {
        self.weights
    }

    /// Where the learner stands.
    #[must_use]
    pub fn chart(&self) -> &Chart {
        &self.chart
    }

    /// Somebody who can tell says at which stage the learner is, and for how long the chart leaves it at that; `None`:
    /// the chart decides again at once.
    pub fn stand_at(&mut self, event: Option<LearningEvent>, hold: Duration) {
        self.chart.stand_at(event, self.attempts, hold);
    }

    /// Scored attempts so far: all but failures that the hardware may be to blame for.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Days since the first session began.
    #[must_use]
    pub fn day(&self) -> f64 {
        self.day
    }
}

/// Numbers below `n`: these first, then the others, each once.
fn order(first: &[u32], n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(n);
    for number in first.iter().map(|&number| number as usize).chain(0..n) {
        if number < n && !order.contains(&number) {
            order.push(number);
        }
    }
    order
}

#[cfg(test)]
mod tests;
