//! Parameters of Bayesian knowledge tracing from the answers of many learners.
//! In: an [`AnswerTree`] per skill. Out: [`Fit`]. Equal answers, options and seed give equal parameters to the last
//! bit, in whichever order the learners came and on however many threads.
//!
//! Source: expectation maximisation (Baum et al. 1970, see [`super::bkt_tree`]) from several starts, as for example
//! in K. Chang, J. E. Beck, J. Mostow, A. Corbett, "A Bayes net toolkit for student modeling in intelligent tutoring
//! systems", ITS 2006. Pseudo-answers make it a maximum a posteriori estimate under Beta priors (A. P. Dempster,
//! N. M. Laird, D. B. Rubin 1977, section 2): J. E. Beck, K. Chang, "Identifiability: A fundamental problem of
//! student modeling", UM 2007, say why skills with few answers need them. To draw them to what the skills have in
//! common, fit one tree of all skills' sequences first and pass its parameters as [`FitOptions::towards`]: they also
//! serve skills that nobody has answered yet.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bkt::{BktParams, MAX_SLIP_OR_GUESS, probability};
use super::bkt_tree::{AnswerTree, Count, Counts, LEAST_PROBABILITY, Passed};

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FitOptions {
    /// Whether `forget` is fitted; if not, it is 0.
    pub forgetting: bool,
    /// Highest slip, in (0, 1). Above [`MAX_SLIP_OR_GUESS`] the result is for comparison with others only:
    /// [`BktParams::validated`] will not let it pass.
    pub max_slip: f64,
    /// Highest guess; as `max_slip`.
    pub max_guess: f64,
    /// What the parameters are drawn to, and what they are where the answers say nothing.
    pub towards: BktParams,
    /// How strongly: each parameter's event counts as seen this many times more, at the rate of `towards`.
    /// 0 is plain maximum likelihood. The default is ours: in five-fold cross-validation over ASSISTments 2009
    /// anything from 2 to 20 towards all skills' common parameters predicted new learners better than 0 or 50.
    pub strength: f64,
    /// How many starts: `towards` first, then drawn at random; at least 1 is taken.
    pub starts: usize,
    /// Of the random starts.
    pub seed: u64,
    /// A start ends when an iteration improves the objective by less than this share of it.
    pub tolerance: f64,
    /// A start ends after this many iterations anyway.
    pub max_iterations: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            forgetting: false,
            max_slip: MAX_SLIP_OR_GUESS,
            max_guess: MAX_SLIP_OR_GUESS,
            towards: BktParams::default(),
            strength: 5.0,
            starts: 5,
            seed: 0,
            tolerance: 1e-7,
            max_iterations: 500,
        }
    }
}

/// A skill's parameters and where they come from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// The parameters.
    pub params: BktParams,
    /// Natural logarithm of the probability of the answers under them; pseudo-answers not counted.
    pub log_likelihood: f64,
    /// Learners with at least one answer.
    pub learners: usize,
    /// Their answers.
    pub answers: usize,
    /// Iterations of the start that came out best.
    pub iterations: usize,
    /// Whether it ended because nothing improved any more.
    pub converged: bool,
}

/// Parameters of one skill: the best end of several starts of expectation maximisation.
///
/// A maximum found this way is the highest of those the starts led to, not provably the highest of all.
/// Without answers the parameters are `options.towards`, kept inside the bounds.
#[must_use]
pub fn fit(answers: &AnswerTree, options: &FitOptions) -> Fit {
    let goal = Goal::new(options);
    let mut room = answers.room();
    let mut best = climb(answers, &goal, goal.first_start(), &mut room);
    let mut random = SplitMix64(options.seed);
    // Where nothing was answered, every start ends at `towards`.
    let more = if answers.answers() == 0 {
        1
    } else {
        options.starts
    };
    for _ in 1..more {
        let start = goal.random_start(&mut random);
        let end = climb(answers, &goal, start, &mut room);
        if end.objective > best.objective {
            best = end;
        }
    }
    Fit {
        params: best.params,
        log_likelihood: answers.log_likelihood(&best.params),
        learners: answers.learners(),
        answers: answers.answers(),
        iterations: best.iterations,
        converged: best.converged,
    }
}

/// Parameters of many skills, in the order given, on up to `threads` threads, this one among them.
///
/// The largest skills come first. `progress` is called from any of the threads after each skill with how many are
/// done and how many there are. Where no thread can be started (in a browser), this one does it all.
#[must_use]
pub fn fit_all(
    skills: &[AnswerTree],
    options: &FitOptions,
    threads: NonZeroUsize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Fit> {
    let queue: Vec<(&AnswerTree, OnceLock<Fit>)> = skills
        .iter()
        .map(|skill| (skill, OnceLock::new()))
        .collect();
    let mut order: Vec<usize> = (0..skills.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(queue.get(at).map_or(0, |(s, _)| s.distinct())));
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some((skill, result)) = queue.get(at) {
                result.get_or_init(|| fit(skill, options));
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, skills.len());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.get().min(skills.len()) {
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    queue
        .into_iter()
        .map(|(skill, result)| result.into_inner().unwrap_or_else(|| fit(skill, options)))
        .collect()
}

/// The options with every number in range, as the iterations use them.
struct Goal {
    forgetting: bool,
    max_slip: f64,
    max_guess: f64,
    towards: BktParams,
    strength: f64,
    tolerance: f64,
    max_iterations: usize,
}

impl Goal {
    fn new(options: &FitOptions) -> Self {
        let inner = |value: f64, otherwise: f64| {
            probability(value, otherwise).clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
        };
        let max_slip = inner(options.max_slip, MAX_SLIP_OR_GUESS);
        let max_guess = inner(options.max_guess, MAX_SLIP_OR_GUESS);
        let (default, p) = (BktParams::default(), options.towards);
        let learn = inner(p.learn, default.learn);
        let forget = if options.forgetting {
            probability(p.forget, 0.0).min(1.0 - learn)
        } else {
            0.0
        };
        Self {
            forgetting: options.forgetting,
            max_slip,
            max_guess,
            towards: BktParams {
                prior: inner(p.prior, default.prior),
                learn,
                slip: inner(p.slip, default.slip).min(max_slip),
                guess: inner(p.guess, default.guess).min(max_guess),
                forget,
            },
            strength: if options.strength.is_finite() {
                options.strength.max(0.0)
            } else {
                0.0
            },
            tolerance: if options.tolerance.is_finite() {
                options.tolerance.max(0.0)
            } else {
                0.0
            },
            max_iterations: options.max_iterations,
        }
    }

    /// `towards`; with forgetting, some of it, for what is exactly 0 stays there for ever.
    fn first_start(&self) -> BktParams {
        let mut start = self.towards;
        if self.forgetting && start.forget < LEAST_PROBABILITY {
            start.forget = 0.05_f64.min(1.0 - start.learn);
        }
        start
    }

    /// Where learners plausibly are, widely: the prior anywhere, learning and forgetting rather slow.
    fn random_start(&self, random: &mut SplitMix64) -> BktParams {
        let mut between = |low: f64, high: f64| low + (high - low) * random.unit();
        BktParams {
            prior: between(0.05, 0.95),
            learn: between(0.01, 0.5),
            slip: between(LEAST_PROBABILITY, self.max_slip),
            guess: between(LEAST_PROBABILITY, self.max_guess),
            // Drawn in any case, so that the other parameters' starts are the same with and without forgetting.
            forget: between(0.005, 0.3) * f64::from(u8::from(self.forgetting)),
        }
    }

    /// One iteration's parameters from its expected counts: for each the maximum inside its bounds. A binomial
    /// likelihood has one maximum, so the bounded one is the nearest value inside the bounds.
    fn maximise(&self, counts: &Counts) -> BktParams {
        let most = 1.0 - LEAST_PROBABILITY;
        let t = &self.towards;
        let mut learn = self
            .rate(counts.learn, t.learn)
            .clamp(LEAST_PROBABILITY, most);
        let mut forget = 0.0;
        if self.forgetting {
            forget = self.rate(counts.forget, t.forget).clamp(0.0, most);
            if learn + forget > 1.0 {
                // Along the edge learn + forget = 1 what comes next does not depend on what is: one binomial
                // of 'known next' from both.
                let known_next = Count {
                    yes: counts.learn.yes + counts.forget.no,
                    no: counts.learn.no + counts.forget.yes,
                };
                learn = self
                    .rate_of_two(known_next, t.learn + (1.0 - t.forget))
                    .clamp(LEAST_PROBABILITY, most);
                forget = 1.0 - learn;
            }
        }
        BktParams {
            prior: self
                .rate(counts.prior, t.prior)
                .clamp(LEAST_PROBABILITY, most),
            learn,
            slip: self
                .rate(counts.slip, t.slip)
                .clamp(LEAST_PROBABILITY, self.max_slip),
            guess: self
                .rate(counts.guess, t.guess)
                .clamp(LEAST_PROBABILITY, self.max_guess),
            forget,
        }
    }

    fn rate(&self, count: Count, towards: f64) -> f64 {
        share(count, self.strength * towards, self.strength, towards)
    }

    fn rate_of_two(&self, count: Count, towards: f64) -> f64 {
        share(
            count,
            self.strength * towards,
            2.0 * self.strength,
            towards / 2.0,
        )
    }

    /// Logarithm of the pseudo-answers' probability: what `maximise` maximises beside the answers'.
    fn log_prior(&self, p: &BktParams) -> f64 {
        if self.strength <= 0.0 {
            return 0.0;
        }
        let t = &self.towards;
        // A share of none at all adds nothing, whatever the logarithm; so with a `forget` of 0 in both.
        let term = |share: f64, p: f64| if share > 0.0 { share * p.ln() } else { 0.0 };
        self.strength
            * [
                (p.prior, t.prior),
                (p.learn, t.learn),
                (p.slip, t.slip),
                (p.guess, t.guess),
                (p.forget, t.forget),
            ]
            .into_iter()
            .map(|(p, t)| term(t, p) + term(1.0 - t, 1.0 - p))
            .sum::<f64>()
    }

    /// The next parameters, and the objective (to be maximised) of the ones given.
    fn step(&self, answers: &AnswerTree, p: &BktParams, room: &mut [Passed]) -> (BktParams, f64) {
        let (counts, log_likelihood) = answers.expect(p, room);
        (self.maximise(&counts), log_likelihood + self.log_prior(p))
    }
}

/// Rate of what happened, `pseudo_yes` of `pseudo_times` counted too; `otherwise` where nothing was counted at all.
fn share(count: Count, pseudo_yes: f64, pseudo_times: f64, otherwise: f64) -> f64 {
    let times = count.yes + count.no + pseudo_times;
    if times > 0.0 {
        (count.yes + pseudo_yes) / times
    } else {
        otherwise
    }
}

/// Where a start ended.
struct End {
    params: BktParams,
    objective: f64,
    iterations: usize,
    converged: bool,
}

/// Iterates from a start until nothing improves any more.
fn climb(answers: &AnswerTree, goal: &Goal, start: BktParams, room: &mut [Passed]) -> End {
    let mut end = End {
        params: start,
        objective: f64::NEG_INFINITY,
        iterations: 0,
        converged: false,
    };
    let mut params = start;
    loop {
        let (next, objective) = goal.step(answers, &params, room);
        let gain = objective - end.objective;
        (end.params, end.objective) = (params, objective);
        end.converged = gain <= goal.tolerance * objective.abs();
        if end.converged || end.iterations >= goal.max_iterations {
            return end;
        }
        params = next;
        end.iterations += 1;
    }
}

/// Random numbers from a seed (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1), from the upper 53 bits.
    #[allow(clippy::cast_precision_loss)]
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (-53_f64).exp2()
    }
}

#[cfg(test)]
mod tests;
