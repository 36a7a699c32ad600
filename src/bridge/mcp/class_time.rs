//! How long everybody has been on their step, and how long others took for it: the class as a query.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use bevy::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use crate::protocol::ids::{LearnerId, StepId};
use crate::session::Learner;
use crate::session::state::LearnerState;

/// Times kept of a step: enough for any class, and the oldest say least of how it is now.
const KEPT: usize = 512;
/// A gap longer than this between two frames is a process that slept, not a learner who thought.
const LONGEST_FRAME: Duration = Duration::from_secs(1);

/// How long a learner has been on the running step, and how long others took for it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::bridge) struct OnStep {
    /// Who.
    pub learner: LearnerId,
    /// The step.
    pub step: StepId,
    /// Seconds on it so far, pauses left out.
    pub seconds: f64,
    /// How many others have been or are on it.
    pub others: usize,
    /// Their mean, seconds; left out with fewer than three others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Their standard deviation, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
    /// By how many standard deviations this learner has been on it longer than the mean; left out where that cannot be
    /// told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
}

/// Time on steps: of those at them, and of those who are through.
#[derive(Resource, Debug, Default)]
pub(in crate::bridge) struct ClassTime {
    now: HashMap<LearnerId, (StepId, Duration)>,
    done: BTreeMap<StepId, VecDeque<(LearnerId, f64)>>,
}

impl ClassTime {
    fn pass(&mut self, learner: LearnerId, step: Option<&StepId>, counts: bool, dt: Duration) {
        let same = |(running, _): &(StepId, Duration)| step == Some(running);
        if self.now.get(&learner).is_none_or(|now| !same(now)) {
            if let Some((left, time)) = self.now.remove(&learner) {
                let times = self.done.entry(left).or_default();
                times.push_back((learner, time.as_secs_f64()));
                if times.len() > KEPT {
                    times.pop_front();
                }
            }
            if let Some(step) = step {
                self.now.insert(learner, (step.clone(), Duration::ZERO));
            }
        }
        if let Some((_, time)) = self.now.get_mut(&learner)
            && counts
        {
            *time += dt.min(LONGEST_FRAME);
        }
    }

    /// Everybody at a step, with how the others did. The learner's own time is not among those it is compared with:
    /// in a small class one straggler would move mean and deviation so far that nobody ever stood out.
    pub(in crate::bridge) fn all(&self) -> Vec<OnStep> {
        let mut all: Vec<OnStep> = self
            .now
            .iter()
            .map(|(learner, (step, time))| {
                let done = self.done.get(step).into_iter().flatten();
                let through = done
                    .filter(|(who, _)| who != learner)
                    .map(|(_, time)| *time);
                let beside = self
                    .now
                    .iter()
                    .filter(|(who, (other, _))| *who != learner && other == step)
                    .map(|(_, (_, time))| time.as_secs_f64());
                on_step(
                    *learner,
                    step,
                    time.as_secs_f64(),
                    &through.chain(beside).collect::<Vec<_>>(),
                )
            })
            .collect();
        all.sort_by_key(|it| it.learner);
        all
    }
}

fn on_step(learner: LearnerId, step: &StepId, seconds: f64, others: &[f64]) -> OnStep {
    /// Below three values a deviation says nothing.
    const LEAST: usize = 3;
    /// A deviation below this is no measure of people: half a second.
    const FINEST: f64 = 0.5;
    let n = others.len();
    let known = n >= LEAST;
    let count = f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let mean = others.iter().sum::<f64>() / count.max(1.0);
    let squares: f64 = others.iter().map(|time| (time - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
    OnStep {
        learner,
        step: step.clone(),
        seconds,
        others: n,
        mean: known.then_some(mean),
        deviation: known.then_some(deviation),
        above: known.then(|| (seconds - mean) / deviation.max(FINEST)),
    }
}

pub(in crate::bridge) fn keep_time(
    time: Res<Time<Real>>,
    mut class: ResMut<ClassTime>,
    learners: Query<(&Learner, &LearnerState)>,
    mut gone: RemovedComponents<Learner>,
) {
    if gone.read().count() > 0 {
        class
            .now
            .retain(|id, _| learners.iter().any(|(learner, _)| learner.id == *id));
    }
    for (learner, state) in &learners {
        let step = state.step.as_ref().filter(|_| !state.ended);
        class.pass(learner.id, step, state.paused_by.is_empty(), time.delta());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_straggler_stands_out_even_in_a_small_class() {
        let mut class = ClassTime::default();
        let step = StepId::new("place-cube");
        let learners: Vec<LearnerId> = (0..5).map(|_| LearnerId::fresh()).collect();
        for second in 0..60 {
            for (at, learner) in learners.iter().enumerate() {
                // The others are through after 10 to 13 s; the last one stays.
                let stays = at == 4 || second < 10 + at;
                class.pass(
                    *learner,
                    stays.then_some(&step),
                    true,
                    Duration::from_secs(1),
                );
            }
        }
        let all = class.all();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].learner, learners[4]);
        assert_eq!(all[0].others, 4);
        assert!(all[0].above.unwrap() > 2.0, "{all:?}");
    }

    #[test]
    fn a_paused_lesson_takes_no_time_and_two_others_say_nothing() {
        let mut class = ClassTime::default();
        let step = StepId::new("a");
        let learners: Vec<LearnerId> = (0..3).map(|_| LearnerId::fresh()).collect();
        for (at, learner) in learners.iter().enumerate() {
            class.pass(*learner, Some(&step), true, Duration::from_secs(1));
            class.pass(*learner, Some(&step), at != 0, Duration::from_secs(1));
        }
        let all = class.all();
        let of = |id: LearnerId| all.iter().find(|it| it.learner == id).unwrap();
        assert!((of(learners[0]).seconds - 1.0).abs() < 1e-9);
        assert!((of(learners[1]).seconds - 2.0).abs() < 1e-9);
        assert!(all.iter().all(|it| it.above.is_none() && it.others == 2));
    }
}
