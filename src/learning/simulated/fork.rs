//! What if: from any point of a learner's log, the rest under one policy and under another.
//!
//! In: what the models believed at that point ([`Five`], the fold of the log so far), where the lesson stood, two
//! policies. Out: how the rest would have gone under each, and the difference with an interval. The learner of the
//! future is simulated: who they truly are is drawn from what the models believe about ability and pace, and from the
//! population where they say nothing (posterior predictive simulation: Gelman et al., "Bayesian Data Analysis",
//! chapter 6). Both policies meet the same draws (common random numbers), so the interval is of the difference and not of
//! two sums. Never: a statement about a person. It is about simulated people of whom the models would say the same.

use super::draws::{Draws, Purpose};
use super::lesson::Lesson;
use super::mind::{MOST_SICKNESS, Setting};
use super::run::{Outcome, Run};
use super::scene::Policy;
use super::study::Mean;
use super::truth::{Kind, Learner, Population};
use crate::learning::event_criteria::Criterion;
use crate::learning::five::Five;
use crate::learning::five::params::Params;

/// A point of a lesson.
#[derive(Debug, Clone, Copy)]
pub struct Fork<'a> {
    /// What the models believe there.
    pub five: &'a Five,
    /// Their parameters.
    pub params: &'a Params,
    /// The lesson.
    pub lesson: &'a Lesson,
    /// Place in the lesson's list of steps.
    pub step: usize,
    /// Attempts on this step so far.
    pub rounds: u32,
    /// How things are set.
    pub setting: Setting,
    /// Seconds of the lesson that are left.
    pub left: f64,
    /// From whom is drawn what the models say nothing about.
    pub population: &'a Population,
}

/// How the rest would go.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WhatIf {
    /// Score in a test on the next day under the first policy.
    pub first: Mean,
    /// Under the second.
    pub second: Mean,
    /// Second minus first, pair by pair.
    pub difference: Mean,
    /// Share of the pairs in which the second is better by more than a thousandth.
    pub better: f64,
    /// Every pair's difference, from low to high.
    pub differences: Vec<f64>,
}

impl Fork<'_> {
    /// Continues `n` times under both policies. `None` where `n` is 0.
    #[must_use]
    pub fn compare<'p>(
        &self,
        first: Policy<'p>,
        second: Policy<'p>,
        n: u64,
        draws: Draws,
    ) -> Option<WhatIf> {
        let pairs: Vec<[Outcome; 2]> = (0..n)
            .map(|i| {
                let draws = draws.of(i);
                let learner = self.learner(draws);
                [first, second].map(|policy| self.rest(&learner, policy, draws))
            })
            .collect();
        let after = |which: usize| -> Vec<f64> {
            let of = pairs.iter().filter_map(|pair| pair.get(which));
            of.map(|outcome| outcome.after).collect()
        };
        let (a, b) = (after(0), after(1));
        let mut differences: Vec<f64> = b.iter().zip(&a).map(|(b, a)| b - a).collect();
        let difference = Mean::of(&differences, draws)?;
        let better = differences.iter().filter(|d| **d > 1e-3).count() as f64 / n as f64;
        differences.sort_by(f64::total_cmp);
        Some(WhatIf {
            first: Mean::of(&a, draws)?,
            second: Mean::of(&b, draws)?,
            difference,
            better,
            differences,
        })
    }

    /// Somebody of whom the models would believe the same.
    #[must_use]
    pub fn learner(&self, draws: Draws) -> Learner {
        let mut learner = self.population.learner(draws);
        let drawn = |n: u64| draws.normal(Purpose::Trait, 10_000 + n);
        for (n, skill) in (0..).zip(&mut learner.skills) {
            // Nothing was tried: as the population has it.
            let Some(ability) = self.five.ability(n, self.params) else {
                continue;
            };
            skill.ability = ability.mean + ability.variance.max(0.0).sqrt() * drawn(u64::from(n));
            // Ten attempts without getting anywhere are what a blocked skill looks like.
            let believed = self.five.skills().get(n as usize);
            skill.blocked = believed.is_some_and(|it| it.wheel_spinning.is_spinning());
        }
        if learner.skills.iter().any(|skill| skill.blocked) {
            learner.kind = Kind::WheelSpinner;
        }
        if let Some(pace) = self.five.habits().pace().estimate() {
            let usual = pace.mean + pace.variance.max(0.0).sqrt() * drawn(100);
            learner.seconds = (usual.exp() * self.setting.pace).clamp(1.0, 120.0);
        }
        if let Some(on_task) = self.five.engagement().on_task() {
            learner.engagement = super::run::engagement_of(on_task.estimate.mean);
        }
        learner
    }

    fn rest(&self, learner: &Learner, policy: Policy, draws: Draws) -> Outcome {
        let five = self.five.clone();
        let mut run = Run::from(learner, self.lesson, self.params, draws, five);
        let steps = self.lesson.steps.len().max(1);
        run.world.step = self.step.min(steps - 1);
        run.world.rounds = self.rounds;
        run.world.left = self.left.clamp(0.0, 86_400.0);
        run.set(self.setting);
        let comfort = self.five.shown().get(Criterion::Comfort);
        let comfort = comfort.map_or(1.0, |comfort| comfort.mean);
        run.world.mind.sickness = MOST_SICKNESS * (1.0 - comfort);
        run.finish(policy, &mut |_| {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::simulated::act::Act;
    use crate::learning::simulated::act::Advice;
    use crate::learning::simulated::ours::ours;
    use crate::learning::simulated::run::Happened;
    use crate::learning::simulated::scene::{Decider, Seen};
    use crate::learning::strategy::check::read;
    use crate::learning::strategy::table::Table;

    /// What the models believe of a learner after ten minutes of the lesson.
    fn after_ten_minutes(lesson: &Lesson, p: &Params) -> (Five, usize) {
        let population = Population::default();
        let learner = population.learner(Draws::new(5));
        let run = Run::new(&learner, lesson, p, Draws::new(5));
        let mut state = None;
        let mut clock = 0.0;
        run.finish(Policy::Nothing, &mut |happened| {
            if let Happened::Passed { seen, seconds, .. } = happened {
                clock += seconds;
                if clock >= 600.0 && state.is_none() {
                    state = Some((seen.five.clone(), seen.skill as usize));
                }
            }
        });
        state.unwrap()
    }

    fn fork<'a>(
        five: &'a Five,
        step: usize,
        p: &'a Params,
        lesson: &'a Lesson,
        population: &'a Population,
    ) -> Fork<'a> {
        Fork {
            five,
            params: p,
            lesson,
            step,
            rounds: 0,
            setting: Setting::default(),
            left: 600.0,
            population,
        }
    }

    #[test]
    fn the_same_policy_twice_makes_no_difference_at_all() {
        let (p, lesson, population) = (Params::default(), Lesson::default(), Population::default());
        let (five, step) = after_ten_minutes(&lesson, &p);
        let fork = fork(&five, step, &p, &lesson, &population);
        let table = read(Table::DEFAULT).unwrap();
        let begin = || -> Decider { ours(&table) };
        let policy = Policy::Models(&begin);
        let what_if = fork.compare(policy, policy, 8, Draws::new(1)).unwrap();
        assert!(
            what_if
                .differences
                .iter()
                .all(|d| d.to_bits() == 0.0_f64.to_bits())
        );
        assert_eq!(what_if.first, what_if.second);
        assert!(fork.compare(policy, policy, 0, Draws::new(1)).is_none());
    }

    #[test]
    fn a_policy_that_only_rests_is_worse_than_the_lesson_as_authored() {
        let (p, lesson, population) = (Params::default(), Lesson::default(), Population::default());
        let (five, step) = after_ten_minutes(&lesson, &p);
        let fork = fork(&five, step, &p, &lesson, &population);
        let rest = || -> Decider {
            Box::new(|_: &Seen| {
                let mut advice = Advice::default();
                advice.push(Act::Rest);
                advice
            })
        };
        let what_if = fork
            .compare(Policy::Nothing, Policy::Models(&rest), 20, Draws::new(2))
            .unwrap();
        assert!(what_if.difference.upper < 0.0, "{what_if:?}");
    }

    #[test]
    fn who_is_drawn_is_who_was_believed_in() {
        let (p, lesson, population) = (Params::default(), Lesson::default(), Population::default());
        let (five, step) = after_ten_minutes(&lesson, &p);
        let fork = fork(&five, step, &p, &lesson, &population);
        let believed = five.ability(0, &p).unwrap();
        let n = 400;
        let drawn: Vec<f64> = (0..n)
            .map(|i| fork.learner(Draws::new(3).of(i)).skills[0].ability)
            .collect();
        let mean = drawn.iter().sum::<f64>() / n as f64;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
        let error = 4.0 * (believed.variance / n as f64).sqrt();
        assert!((mean - believed.mean).abs() < error, "{mean} {believed:?}");
        assert!(
            (variance / believed.variance - 1.0).abs() < 0.3,
            "{variance}"
        );
    }
}
