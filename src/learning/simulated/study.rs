//! Many simulated learners under several policies: figures with intervals.
//!
//! Learners are paired: each meets every policy with the same traits and the same luck.

use super::act::{Act, Advice};
use super::draws::{Draws, Purpose};
use super::lesson::Lesson;
use super::oracle::Oracle;
use super::run::{DWELL, Happened, Outcome, Run};
use super::scene::Policy;
use super::truth::Learner;
use super::world::World;
use crate::learning::five::params::Params;

/// A mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Of how many learners.
    pub n: usize,
}

/// Times that learners are drawn again for an interval.
const RESAMPLES: u64 = 1000;

impl Mean {
    /// Mean of one value per learner; its interval from drawing learners again, with replacement (percentile bootstrap:
    /// Efron & Tibshirani 1993, chapter 13). `None` of nobody.
    #[must_use]
    pub fn of(values: &[f64], draws: Draws) -> Option<Self> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n as f64;
        let again = |k: u64| {
            let draws = draws.of(k);
            mean(&mut (0..n as u64).filter_map(|i| {
                let which = draws.uniform(Purpose::Resample, i) * n as f64;
                values.get(which as usize).copied()
            }))
        };
        let mut means: Vec<f64> = (0..RESAMPLES).map(again).collect();
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means.get((RESAMPLES as f64 * share) as usize).copied();
        let middle = mean(&mut values.iter().copied());
        Some(Self {
            mean: middle,
            lower: at(0.025).unwrap_or(middle),
            upper: at(0.975).unwrap_or(middle),
            n,
        })
    }
}

/// One policy over all learners.
#[must_use]
pub fn outcomes(
    learners: &[(Learner, Draws)],
    lesson: &Lesson,
    params: &Params,
    policy: Policy,
) -> Vec<Outcome> {
    learners
        .iter()
        .map(|(learner, draws)| {
            Run::new(learner, lesson, params, *draws).finish(policy, &mut |_| {})
        })
        .collect()
}

/// How decisions of one learner's lesson compare with the oracle's.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Judged {
    /// Moments at which something could be decided.
    pub decisions: u32,
    /// Those within the margin of the best.
    pub appropriate: u32,
    /// Of them, those at which something was done.
    pub acts: u32,
    /// And within the margin.
    pub appropriate_acts: u32,
    /// Mean regret, as a share of what the dwell is worth.
    pub regret: f64,
}

/// A decision beside the best.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// What was decided.
    pub advice: &'a Advice,
    /// What would have been best; `None`: nothing.
    pub best: Option<Act>,
    /// How much worse, as a share of what the dwell is worth; at least 0.
    pub regret: f64,
    /// The truth.
    pub world: &'a World,
}

/// Compares every decision of a lesson with the oracle's.
///
/// The regret of a decision is what it is worth less than the best one, divided by what the dwell is worth: the
/// difference between the best and wasting it. A decision is appropriate if its regret is at most `margin`. Counted are the
/// moments at which a change of the task was allowed: every one at which one was made or a break was offered, and of those
/// at which none was, one per dwell. So every policy has about as many decisions, however often it speaks. Hints count with
/// what they do at these moments. Moments in which hardly anything is at stake (less than 1e-5 of the test) are left out.
pub fn judge(
    learner: &Learner,
    lesson: &Lesson,
    params: &Params,
    draws: Draws,
    policy: Policy,
    margin: f64,
    each: &mut dyn FnMut(&Compared),
) -> (Outcome, Judged) {
    let oracle = Oracle {
        learner,
        lesson,
        dwell: DWELL,
    };
    let mut judged = Judged::default();
    let mut silent = None;
    let mut watch = |happened: &Happened| {
        let Happened::Decided {
            world,
            advice,
            free,
            ..
        } = happened
        else {
            return;
        };
        // Hints alone leave the task as it is, and so does what changes nothing: silence, where the task is concerned.
        let acts = advice.iter().any(|act| {
            let mut then = **world;
            then.apply(*act, learner, lesson);
            let hint = matches!(act, Act::OfferHint(_) | Act::FadeHint);
            *act == Act::OfferBreak || !hint && then != **world
        });
        if !free {
            return;
        }
        if acts {
            silent = None;
        } else {
            // Silence is one decision per dwell, however often it is repeated.
            if silent.is_some_and(|since: f64| since - world.left < DWELL) {
                return;
            }
            silent = Some(world.left);
        }
        let value = oracle.value(world, advice);
        let options = oracle.options(world, true);
        let best = options.iter().copied().reduce(|best, other| {
            if other.value > best.value {
                other
            } else {
                best
            }
        });
        let Some(best) = best else {
            return;
        };
        let stake = best.value - oracle.wasted(world);
        if stake < 1e-5 {
            return;
        }
        let regret = ((best.value - value) / stake).max(0.0);
        let fits = regret <= margin;
        judged.decisions += 1;
        judged.appropriate += u32::from(fits);
        if acts {
            judged.acts += 1;
            judged.appropriate_acts += u32::from(fits);
        }
        judged.regret += regret;
        each(&Compared {
            advice,
            best: best.action,
            regret,
            world,
        });
    };
    let outcome = Run::new(learner, lesson, params, draws).finish(policy, &mut watch);
    judged.regret /= f64::from(judged.decisions.max(1));
    (outcome, judged)
}
