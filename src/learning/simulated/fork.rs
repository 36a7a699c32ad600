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
use super::mind::MOST_SICKNESS;
use super::run::{Outcome, Run, Start};
use super::scene::Policy;
use super::study::Mean;
use super::truth::{Kind, Learner, Population};
use crate::learning::estimate::Estimate;
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
    /// How things stand there.
    pub start: Start,
    /// Seconds of the lesson that are left.
    pub left: f64,
    /// From whom is drawn what the models say nothing about.
    pub population: &'a Population,
}

/// One figure under both policies.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Pair {
    /// Under the first policy.
    pub first: Mean,
    /// Under the second.
    pub second: Mean,
    /// Second minus first, pair by pair.
    pub difference: Mean,
}

/// How the rest would go.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WhatIf {
    /// Score in a test on the next day, in [0, 1].
    pub score: Pair,
    /// Attempts from here on.
    pub attempts: Pair,
    /// Seconds from here on.
    pub seconds: Pair,
    /// Further rungs of the hint ladder shown.
    pub hints: Pair,
    /// Share of those who leave before the end.
    pub left: Pair,
    /// Share of the pairs in which the second scores better by more than a thousandth.
    pub better: f64,
    /// Every pair's difference in score, from low to high.
    pub differences: Vec<f64>,
    /// Learners drawn until there were enough of whom the same would have been seen.
    pub drawn: u64,
}

/// Learners drawn at most for each that is wanted: what was seen may be rare.
const DRAWN_FOR_ONE: u64 = 200;

impl Fork<'_> {
    /// Continues `n` times under both policies. `None` where nobody could be drawn of whom the same would have been seen,
    /// or `n` is 0; fewer than `n` where such are rare.
    #[must_use]
    pub fn compare<'p>(
        &self,
        first: Policy<'p>,
        second: Policy<'p>,
        n: u64,
        draws: Draws,
    ) -> Option<WhatIf> {
        let (mut pairs, mut drawn) = (Vec::new(), 0);
        while (pairs.len() as u64) < n && drawn < n.saturating_mul(DRAWN_FOR_ONE) {
            let luck = draws.of(drawn);
            drawn += 1;
            let learner = self.learner(luck);
            if let Some(a) = self.rest(&learner, first, luck)
                && let Some(b) = self.rest(&learner, second, luck)
            {
                pairs.push([a, b]);
            }
        }
        let pair = |of: &dyn Fn(&Outcome) -> f64| {
            let side = |which: usize| -> Vec<f64> {
                pairs
                    .iter()
                    .filter_map(|pair| pair.get(which))
                    .map(of)
                    .collect()
            };
            let (a, b) = (side(0), side(1));
            let differences: Vec<f64> = b.iter().zip(&a).map(|(b, a)| b - a).collect();
            Some(Pair {
                first: Mean::of(&a, draws)?,
                second: Mean::of(&b, draws)?,
                difference: Mean::of(&differences, draws)?,
            })
        };
        let mut differences: Vec<f64> = pairs.iter().map(|[a, b]| b.after - a.after).collect();
        differences.sort_by(f64::total_cmp);
        let better = differences.iter().filter(|d| **d > 1e-3).count() as f64;
        Some(WhatIf {
            score: pair(&|it| it.after)?,
            attempts: pair(&|it| f64::from(it.attempts))?,
            seconds: pair(&|it| it.seconds)?,
            hints: pair(&|it| f64::from(it.hints))?,
            left: pair(&|it| f64::from(u8::from(it.left)))?,
            better: better / pairs.len() as f64,
            differences,
            drawn,
        })
    }

    /// Somebody of whom the models would believe the same: what they believe is drawn with its uncertainty.
    #[must_use]
    pub fn learner(&self, draws: Draws) -> Learner {
        let mut learner = self.population.learner(draws);
        let drawn = |n: u64, of: Estimate| {
            of.mean + of.variance.max(0.0).sqrt() * draws.normal(Purpose::Trait, 10_000 + n)
        };
        for (n, skill) in (0..).zip(&mut learner.skills) {
            // Nothing was tried: as the population has it.
            let Some(ability) = self.five.ability(n, self.params) else {
                continue;
            };
            skill.ability = drawn(u64::from(n), ability);
            // Ten attempts without getting anywhere are what a blocked skill looks like.
            let believed = self.five.skills().get(n as usize);
            skill.blocked = believed.is_some_and(|it| it.wheel_spinning.is_spinning());
        }
        if learner.skills.iter().any(|skill| skill.blocked) {
            learner.kind = Kind::WheelSpinner;
        }
        let habits = self.five.habits();
        if let Some(pace) = habits.pace().estimate() {
            let pace_set = self.start.setting.pace;
            learner.seconds = (drawn(100, pace).exp() * pace_set).clamp(1.0, 120.0);
        }
        if let Some(asks) = habits.help_seeking().estimate() {
            learner.help_seeking = drawn(101, asks).clamp(0.0, 1.0);
        }
        if let Some(on_task) = self.five.engagement().on_task() {
            learner.engagement = super::run::engagement_of(drawn(102, on_task.estimate));
        }
        learner
    }

    /// `None`: of this learner something else would have been seen until now.
    fn rest(&self, learner: &Learner, policy: Policy, draws: Draws) -> Option<Outcome> {
        let five = self.five.clone();
        let mut run = Run::from(learner, self.lesson, self.params, draws, five);
        let steps = self.lesson.steps.len().max(1);
        run.world.step = self.step.min(steps - 1);
        run.world.begun = u32::try_from(run.world.step + 1).unwrap_or(u32::MAX);
        run.world.left = self.left.clamp(0.0, 86_400.0);
        if let Some(comfort) = self.five.shown().get(Criterion::Comfort) {
            // From the interval of what was told: 1.96 standard deviations either way.
            let deviation = (comfort.upper - comfort.lower) / 3.92;
            let comfort = comfort.mean + deviation * draws.normal(Purpose::Trait, 10_103);
            run.world.mind.sickness = MOST_SICKNESS * (1.0 - comfort.clamp(0.0, 1.0));
        }
        run.take_up(&self.start)
            .then(|| run.finish(policy, &mut |_| {}))
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
            start: Start::default(),
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
        assert_eq!(what_if.score.first, what_if.score.second);
        assert_eq!(what_if.hints.difference.mean.to_bits(), 0.0_f64.to_bits());
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
        assert!(what_if.score.difference.upper < 0.0, "{what_if:?}");
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

    /// Two skills left, once each.
    fn rest() -> Lesson {
        let whole = Lesson::default();
        Lesson {
            steps: whole.steps.iter().take(2).copied().collect(),
            successes: 1,
            at_most: u32::MAX,
            once: true,
            ..whole
        }
    }

    fn hint_after(seconds: f64) -> Decider<'static> {
        let mut given = false;
        Box::new(move |seen: &Seen| {
            let mut advice = Advice::default();
            if !given && seen.scene.now >= seconds {
                given = true;
                advice.push(Act::OfferHint(1));
            }
            advice
        })
    }

    #[test]
    fn a_hint_twenty_seconds_earlier_saves_time_to_those_who_waited_for_it() {
        let (p, population) = (Params::default(), Population::default());
        let (five, _) = after_ten_minutes(&Lesson::default(), &p);
        let lesson = rest();
        let mut fork = fork(&five, 0, &p, &lesson, &population);
        fork.start.lasted = 15.0;
        fork.start.waits = 20.0;
        let (first, second) = (|| hint_after(20.0), || hint_after(0.0));
        let (first, second) = (Policy::Models(&first), Policy::Models(&second));
        let what_if = fork.compare(first, second, 100, Draws::new(4)).unwrap();
        assert_eq!(what_if.seconds.first.n, 100);
        assert!(
            what_if.drawn > 150,
            "few are stuck for so long: {}",
            what_if.drawn
        );
        assert!(what_if.seconds.difference.upper < -3.0, "{what_if:?}");
        assert!(what_if.seconds.first.mean >= 20.0);
        // The lesson is taken once.
        assert!(what_if.attempts.first.mean < 30.0, "{what_if:?}");
    }

    #[test]
    fn of_whom_nobody_could_have_been_seen_nothing_is_said() {
        let (p, population, lesson) = (Params::default(), Population::default(), rest());
        let five = Five::new(2, &p);
        let mut fork = fork(&five, 0, &p, &lesson, &population);
        fork.start.waits = 1e6;
        let nothing = Policy::Nothing;
        assert_eq!(fork.compare(nothing, nothing, 3, Draws::new(4)), None);
    }
}
