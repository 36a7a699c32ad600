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

impl Mean {
    /// Sum of the first over sum of the second, each learner's pair drawn again as one (ratio estimator). `None` of nobody, or
    /// where the second is nothing.
    #[must_use]
    pub fn of_ratio(pairs: &[(f64, f64)], draws: Draws) -> Option<Self> {
        let n = pairs.len();
        let ratio = |pairs: &mut dyn Iterator<Item = (f64, f64)>| {
            let (of, all) = pairs.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
            (all > 0.0).then(|| of / all)
        };
        let middle = ratio(&mut pairs.iter().copied())?;
        let again = |k: u64| {
            let draws = draws.of(k);
            ratio(&mut (0..n as u64).filter_map(|i| {
                let which = draws.uniform(Purpose::Resample, i) * n as f64;
                pairs.get(which as usize).copied()
            }))
        };
        let mut ratios: Vec<f64> = (0..RESAMPLES).filter_map(again).collect();
        ratios.sort_by(f64::total_cmp);
        let at = |share: f64| ratios.get((ratios.len() as f64 * share) as usize).copied();
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
    /// Sum of what the decisions secured of what was at stake: value less that of the worst option.
    pub secured: f64,
    /// Sum of what was at stake: value of the best option less that of the worst.
    pub at_stake: f64,
    /// Decisions that are the oracle's own: the same action, its number within 0.05, and nothing else.
    pub agreed: u32,
    /// Decisions within the margin of the best.
    pub within: u32,
    /// Decisions at which something was done.
    pub acts: u32,
    /// Of them, those within the margin.
    pub within_acts: u32,
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
    /// How much worse, in score; at least 0.
    pub lost: f64,
    /// The truth.
    pub world: &'a World,
}

/// Compares every decision of a lesson with the oracle's.
///
/// **Appropriateness** is the share of what was at stake that the decisions secured: Σ (value − worst) ÷ Σ (best − worst),
/// over the options that the moment admits, doing nothing among them, each valued with the learner's true parameters
/// ([`Oracle`]). Best less worst is what has been called the importance of a state, for deciding when a tutor's word matters
/// (Clouse 1996; Torrey & Taylor 2013, "Teaching on a budget"; of pedagogical decisions: Ju, Zhou, Barnes & Chi 2020), and one
/// less this share is the regret of decision theory, normalised by it. It has no threshold to tune; where two options are
/// nearly equal, taking either loses nearly nothing, and so does doing nothing where nothing helps. What chance gets of it has
/// to stand beside it.
///
/// Beside it stand stricter ones: how often the decision is the oracle's own; and how often its regret, now divided by what the
/// dwell is worth (the difference between the best and wasting it), is at most `margin`. Counted are the
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
        let worst = options.iter().fold(best.value, |a, it| a.min(it.value));
        // Several things done at once may be better or worse than any one.
        let lost = (best.value - value).max(0.0);
        judged.at_stake += best.value - worst;
        judged.secured += (value.min(best.value) - worst).max(0.0);
        judged.agreed += u32::from(agrees(advice, best.action));
        let regret = lost / stake;
        let fits = regret <= margin;
        judged.decisions += 1;
        judged.within += u32::from(fits);
        if acts {
            judged.acts += 1;
            judged.within_acts += u32::from(fits);
        }
        judged.regret += regret;
        each(&Compared {
            advice,
            best: best.action,
            regret,
            lost,
            world,
        });
    };
    let outcome = Run::new(learner, lesson, params, draws).finish(policy, &mut watch);
    judged.regret /= f64::from(judged.decisions.max(1));
    (outcome, judged)
}

/// Whether just this was decided.
fn agrees(advice: &Advice, best: Option<Act>) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 0.05;
    let Some(best) = best else {
        return advice.is_empty();
    };
    let same = advice.iter().all(|act| match (*act, best) {
        (Act::Difficulty(a), Act::Difficulty(b)) | (Act::Pace(a), Act::Pace(b)) => near(a, b),
        (act, best) => act == best,
    });
    same && advice.len() == 1
}
