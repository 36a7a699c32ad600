//! Many learners at once, in columns: a classroom's or a district's host asks this instead of one learner after another.
//!
//! In: batches of answers, passing time. Out: per learner and skill P(known), ability and competency; per learner the
//! three models' signals, weights, the transition index, and for whom the full decision of the chart is needed.
//! Equal to [`super::five::Five`] of each learner to the last bit, because the formulas are the same functions.
//!
//! Learners stand in blocks of [`LANES`]; a block's column holds, skill after skill, one number for each of its learners.
//! So time passes over memory in one direction, [`LANES`] learners to an instruction or two, and each learner's sums
//! still add up in the order of the skills. No learner depends on another: give each thread a cohort of its own.
//! Steady state allocates nothing.

mod cells;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bkt;
use super::equation::{Index, Rate as Pace, Signals};
use super::equation_batch::{Columns, step_batch};
use super::estimate::{Estimate, Rate, bounded};
use super::event::LearningEvent;
use super::event_chart::Chart;
use super::event_rules::ChartRules;
use super::five::params::Params;
use super::five::recent::Recent;
use super::five::{event_at, signals_of};
use super::quality::Quality;
use super::weights::{Conditions, Weights, adjust};
use cells::Cells;

/// Learners to a block: one AVX-512 register, two of AVX2, four of SSE2.
pub const LANES: usize = 8;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// One answer of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The learner's number.
    pub learner: u32,
    /// The skill's number.
    pub skill: u32,
    /// Whether it was right.
    pub correct: bool,
    /// How far the hardware could be trusted, in [0, 1] ([`Quality::trust`]): how much a failure counts.
    pub weight: f64,
}

/// What is believed of one learner in one skill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// P(known), in [0, 1].
    pub known: f64,
    /// Ability in logit.
    pub ability: Estimate,
    /// Competency in [0, 1]; `None`: never tried.
    pub competency: Option<f64>,
}

/// What a learner's chart waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    /// Nanoseconds of the cohort's time at which time alone may change something.
    until: u64,
    /// Scored attempts that the present event needs in all, counted from the learner's beginning.
    attempts: u32,
    /// The event has lasted its dwell time.
    dwelt: bool,
    /// There were answers since the last decision.
    answered: bool,
    /// Somebody wants a decision.
    called: bool,
}

/// Columns of numbers for each learner, padded to whole blocks.
#[derive(Debug, Clone)]
struct Index3 {
    value: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

/// Learners × skills.
#[derive(Debug, Clone)]
pub struct Cohort {
    learners: usize,
    skills: usize,
    cells: Cells,
    index: Index3,
    /// Learner, knowledge, engagement, assessment; NaN is missing.
    signals: [Vec<f64>; 4],
    weights: [Vec<f64>; 4],
    epsilon: Vec<f64>,
    conditions: Vec<Conditions>,
    /// Whose weights have to be made anew.
    stale: Vec<bool>,
    recent: Vec<Recent>,
    attempts: Vec<u32>,
    events: Vec<LearningEvent>,
    waiting: Vec<Waiting>,
    /// Nanoseconds since the cohort began.
    now: u64,
    due: Vec<u32>,
}

impl Cohort {
    /// So many learners nothing is known about, in so many skills.
    #[must_use]
    pub fn new(learners: usize, skills: usize, p: &Params) -> Self {
        let padded = learners.next_multiple_of(LANES);
        let column = |value: f64| vec![value; padded];
        let start = Index::default();
        let chart = Chart::default();
        let event = event_at(chart.place());
        let mut cohort = Self {
            learners,
            skills,
            cells: Cells::new(padded / LANES, skills, p),
            index: Index3 {
                value: column(start.value),
                lower: column(start.lower),
                upper: column(start.upper),
            },
            signals: [(); 4].map(|()| column(f64::NAN)),
            weights: <[f64; 4]>::from(Weights::base(event)).map(column),
            epsilon: column(0.0),
            conditions: vec![Conditions::default(); padded],
            stale: vec![true; padded],
            recent: vec![Recent::default(); padded],
            attempts: vec![0; padded],
            events: vec![event; padded],
            waiting: vec![
                Waiting {
                    until: 0,
                    attempts: 0,
                    dwelt: false,
                    answered: false,
                    called: false,
                };
                padded
            ],
            now: 0,
            due: Vec::with_capacity(learners),
        };
        for learner in 0..learners {
            cohort.decided(learner, &chart, &p.chart);
        }
        cohort
    }

    /// How many learners.
    #[must_use]
    pub fn len(&self) -> usize {
        self.learners
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.learners == 0
    }

    /// Takes in answers, each learner's in the order in which they were given. Learners and skills that there are none
    /// of are passed over.
    pub fn observe_batch(&mut self, answers: &[Answer], p: &Params) {
        let least_trust = bounded(p.habits.least_trust, 0.0, 1.0, 1.0);
        for answer in answers {
            let learner = answer.learner as usize;
            if learner >= self.learners || answer.skill as usize >= self.skills {
                continue;
            }
            let quality = Quality {
                frame_health: answer.weight,
                tracking: 1.0,
            };
            let place = self.cells.place(learner, answer.skill as usize);
            let skill = p.skill(answer.skill);
            let score = f64::from(u8::from(answer.correct));
            let Some(mut cell) = self.cells.at(place) else {
                continue;
            };
            let ability = Estimate {
                mean: cell.ability,
                variance: cell.variance,
            };
            let after = p
                .ability
                .after_answer(ability, skill.difficulty, score, quality);
            cell.ability = after.mean;
            cell.variance = after.variance;
            let weighed = quality.weigh(&skill.bkt, answer.correct);
            cell.known = bkt::update(cell.known, answer.correct, &weighed);
            let mut rate = Rate::of_parts(cell.competency, cell.evidence, &p.rates);
            rate.observe(score, 1.0, quality, &p.rates);
            (cell.competency, cell.evidence) = rate.parts();
            self.cells.put(place, &cell);
            if answer.correct || quality.trust() >= least_trust {
                self.recent[learner].push(answer.correct, false, answer.correct);
                self.stale[learner] = true;
                self.attempts[learner] = self.attempts[learner].saturating_add(1);
            }
            self.waiting[learner].answered = true;
        }
    }

    /// Lets `dt` pass for everybody: what time does to the estimates, signals, weights, one step of the equation.
    ///
    /// Returns the learners for whom the chart has to be asked ([`Chart::step`], with all the time since it was asked
    /// last), by rising number; tell the cohort by [`Cohort::decided`], or they stay on the list. For all others the
    /// chart would move nobody and notice nothing, provided that [`Cohort::call`] is used for what the cohort doesn't
    /// see: what somebody told, a wanted break, a review come due.
    pub fn tick(&mut self, dt: Duration, p: &Params) -> &[u32] {
        let days = dt.as_secs_f64() / DAY;
        let (drift, share) = (p.ability.drift(days), p.share_after(days));
        let [learner, knowledge, _, assessment] = &mut self.signals;
        let says = learner
            .chunks_exact_mut(LANES)
            .zip(knowledge.chunks_exact_mut(LANES))
            .zip(assessment.chunks_exact_mut(LANES));
        for (block, ((learner, knowledge), assessment)) in says.enumerate() {
            let sums = self.cells.pass(block, drift, share);
            for lane in 0..LANES {
                [learner[lane], knowledge[lane], assessment[lane]] = signals_of(&sums.of(lane));
            }
        }
        self.weigh(p);
        let stepped = step_batch(
            &Pace::over(dt, &p.equation),
            Columns {
                value: &mut self.index.value,
                lower: &mut self.index.lower,
                upper: &mut self.index.upper,
                signals: self.signals.each_ref().map(Vec::as_slice),
                weights: self.weights.each_ref().map(Vec::as_slice),
                epsilon: &self.epsilon,
            },
        );
        debug_assert!(stepped.is_ok(), "all columns are padded alike");
        let nanoseconds = u64::try_from(dt.as_nanos()).unwrap_or(u64::MAX);
        self.now = self.now.saturating_add(nanoseconds);
        self.ask_whom();
        &self.due
    }

    fn weigh(&mut self, p: &Params) {
        let [w0, w1, w2, w3] = &mut self.weights;
        for (learner, stale) in self.stale.iter_mut().enumerate() {
            if !std::mem::replace(stale, false) {
                continue;
            }
            let conditions = Conditions {
                success: self.recent[learner].success(p.least_recent),
                ..self.conditions[learner]
            };
            let adjusted = adjust(self.events[learner], &p.weights, &conditions).weights;
            [w0[learner], w1[learner], w2[learner], w3[learner]] = adjusted.into();
        }
    }

    fn ask_whom(&mut self) {
        self.due.clear();
        let everybody = self.waiting.iter().zip(&self.attempts).take(self.learners);
        for (learner, (waiting, attempts)) in everybody.enumerate() {
            let evidence = waiting.answered & waiting.dwelt & (*attempts >= waiting.attempts);
            if evidence | waiting.called | (waiting.until <= self.now) {
                // Numbers of learners in answers are u32, too.
                self.due.push(learner as u32);
            }
        }
    }

    /// The learner's chart was asked, and now stands so.
    pub fn decided(&mut self, learner: usize, chart: &Chart, rules: &ChartRules) {
        if learner >= self.learners {
            return;
        }
        let event = event_at(chart.place());
        self.stale[learner] |= event != self.events[learner];
        self.events[learner] = event;
        let rest = u64::try_from(chart.at_rest_for(rules).as_nanos()).unwrap_or(u64::MAX);
        self.waiting[learner] = Waiting {
            until: self.now.saturating_add(rest),
            attempts: chart
                .attempts_at_entry()
                .saturating_add(rules.least_attempts),
            dwelt: chart.has_dwelt(rules),
            answered: false,
            called: false,
        };
    }

    /// Something that the cohort doesn't see has changed for a learner: the chart has to be asked.
    pub fn call(&mut self, learner: usize) {
        if let Some(waiting) = self.waiting.get_mut(learner) {
            waiting.called = true;
        }
    }

    /// What the engagement model says of a learner, in [0, 1]; `None`: nothing was observed.
    pub fn set_engagement(&mut self, learner: usize, index: Option<f64>) {
        if let Some(engagement) = self.signals[2].get_mut(learner) {
            *engagement = index.unwrap_or(f64::NAN);
        }
    }

    /// What the weights look at beside recent success, which the cohort counts itself.
    pub fn set_conditions(&mut self, learner: usize, conditions: Conditions) {
        if let (Some(place), Some(stale)) = (
            self.conditions.get_mut(learner),
            self.stale.get_mut(learner),
        ) {
            *place = conditions;
            *stale = true;
        }
    }

    /// What is believed of a learner in a skill; `None`: there is no such.
    #[must_use]
    pub fn cell(&self, learner: usize, skill: usize) -> Option<Cell> {
        if learner >= self.learners || skill >= self.skills {
            return None;
        }
        let cell = self.cells.at(self.cells.place(learner, skill))?;
        Some(Cell {
            known: cell.known,
            ability: Estimate {
                mean: cell.ability,
                variance: cell.variance,
            },
            competency: (cell.evidence > 0.0).then_some(cell.competency),
        })
    }

    /// The learner's transition index.
    #[must_use]
    pub fn index(&self, learner: usize) -> Option<Index> {
        Some(Index {
            value: *self.index.value.get(..self.learners)?.get(learner)?,
            lower: *self.index.lower.get(learner)?,
            upper: *self.index.upper.get(learner)?,
        })
    }

    /// What the models said of a learner at the last tick.
    #[must_use]
    pub fn signals(&self, learner: usize) -> Option<Signals> {
        let said = |column: &Vec<f64>| {
            let said = column.get(learner).copied();
            said.filter(|said| said.is_finite())
        };
        (learner < self.learners).then(|| Signals {
            learner: said(&self.signals[0]),
            knowledge: said(&self.signals[1]),
            engagement: said(&self.signals[2]),
            assessment: said(&self.signals[3]),
        })
    }

    /// The learner's weights at the last tick.
    #[must_use]
    pub fn weights(&self, learner: usize) -> Option<Weights> {
        let [a, b, c, d] = &self.weights;
        let row = [a, b, c, d].map(|column| column.get(learner).copied().unwrap_or(f64::NAN));
        Weights::try_from(row).ok()
    }

    /// Scored answers of a learner so far: all but failures that the hardware may be to blame for.
    #[must_use]
    pub fn attempts(&self, learner: usize) -> Option<u32> {
        self.attempts.get(..self.learners)?.get(learner).copied()
    }
}

#[cfg(test)]
mod tests;
