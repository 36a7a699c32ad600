//! The answers of many learners to one skill, as a tree in which learners share what they have in common.
//! In: sequences of right and wrong. Out: the likelihood of parameters, and what expectation maximisation counts.
//!
//! Source: L. E. Baum et al., "A maximization technique occurring in the statistical analysis of probabilistic
//! functions of Markov chains", Annals of Mathematical Statistics 41 (1970); scaled as in L. R. Rabiner, "A tutorial
//! on hidden Markov models", Proceedings of the IEEE 77 (1989), section V.A. With two states and two answers most
//! learners begin alike: what is believed after the same answers is computed once for all of them, and since the
//! backward pass is linear in what comes later, one pass over the tree equals one pass over every learner.

use super::bkt::{BktParams, probability};

/// Nearest that a fitted probability comes to 0 or 1: what was never seen in the data may still happen.
pub const LEAST_PROBABILITY: f64 = 1e-6;

/// One answer after the same answers before it, by one or more learners.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    /// Place of the answer before, always smaller than its own; unused among the first [`AnswerTree::first`] nodes.
    before: usize,
    correct: bool,
    /// Learners who came through here, and those among them for whom it was the last answer.
    through: f64,
    ended: f64,
}

/// Answer sequences of many learners to one skill. Equal sequences in any order give an equal tree.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerTree {
    /// In order of length, so that a node comes after the one before it.
    nodes: Vec<Node>,
    /// How many nodes (at most 2) are first answers.
    first: usize,
    learners: usize,
    answers: usize,
}

impl AnswerTree {
    /// A tree of the answers to one skill: for each learner, right (`true`) and wrong in the order given.
    /// Learners without answers are left out.
    #[must_use]
    pub fn new<'a>(sequences: impl IntoIterator<Item = &'a [bool]>) -> Self {
        let mut sequences: Vec<&[bool]> = sequences.into_iter().filter(|s| !s.is_empty()).collect();
        // Among those that begin alike, the shortest comes first and then wrong before right.
        sequences.sort_unstable();
        let mut tree = Self {
            learners: sequences.len(),
            answers: sequences.iter().map(|s| s.len()).sum(),
            ..Self::default()
        };
        // What each node's learners did, all equal up to and including that node's answer.
        let mut groups: Vec<&[&[bool]]> = Vec::new();
        tree.grow(&mut groups, 0, 0, &sequences);
        tree.first = tree.nodes.len();
        let (mut length, mut end_of_length, mut at) = (1, tree.first, 0);
        while let Some(&group) = groups.get(at) {
            if at == end_of_length {
                length += 1;
                end_of_length = groups.len();
            }
            let ended = group.partition_point(|s| s.len() == length);
            if let Some(node) = tree.nodes.get_mut(at) {
                node.ended = count(ended);
            }
            tree.grow(
                &mut groups,
                at,
                length,
                group.get(ended..).unwrap_or_default(),
            );
            at += 1;
        }
        tree
    }

    /// Adds the answers at place `length` of sequences that are equal before it and longer than that.
    fn grow<'s, 'a>(
        &mut self,
        groups: &mut Vec<&'s [&'a [bool]]>,
        before: usize,
        length: usize,
        sequences: &'s [&'a [bool]],
    ) {
        let right = sequences.partition_point(|s| s.get(length) == Some(&false));
        let (wrong, right) = sequences.split_at(right);
        for (group, correct) in [(wrong, false), (right, true)] {
            if !group.is_empty() {
                groups.push(group);
                self.nodes.push(Node {
                    before,
                    correct,
                    through: count(group.len()),
                    ended: 0.0,
                });
            }
        }
    }

    /// How many learners answered at all.
    #[must_use]
    pub fn learners(&self) -> usize {
        self.learners
    }

    /// How many answers they gave.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// How many different beginnings the sequences have: what a pass over the tree costs.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.nodes.len()
    }

    /// Natural logarithm of the probability of all answers, at most 0; 0 where there are none.
    /// Parameters count as at least [`LEAST_PROBABILITY`] away from 0 and 1.
    #[must_use]
    pub fn log_likelihood(&self, p: &BktParams) -> f64 {
        self.forward(&Chain::new(p), &mut self.room())
    }

    /// Room for the passes over this tree, to be used again for every pass.
    pub(super) fn room(&self) -> Vec<Passed> {
        vec![Passed::default(); self.nodes.len()]
    }

    /// What happened how often in these answers, as expected under the parameters, and the answers' log-likelihood.
    /// `room` is what [`Self::room`] gave.
    pub(super) fn expect(&self, p: &BktParams, room: &mut [Passed]) -> (Counts, f64) {
        let chain = Chain::new(p);
        let log_likelihood = self.forward(&chain, room);
        (self.backward(&chain, room), log_likelihood)
    }

    /// What is believed after every node, and the log-likelihood.
    fn forward(&self, chain: &Chain, room: &mut [Passed]) -> f64 {
        let mut log_likelihood = 0.0;
        for (at, node) in self.nodes.iter().enumerate() {
            let expected = if at < self.first {
                chain.start
            } else {
                // Nodes only ever follow nodes with a smaller place.
                chain.next(room[node.before].belief)
            };
            let answer = chain.answer(node.correct);
            let joint = [expected[0] * answer[0], expected[1] * answer[1]];
            let evidence = joint[0] + joint[1];
            room[at] = Passed {
                belief: [joint[0] / evidence, joint[1] / evidence],
                later: [0.0; 2],
            };
            log_likelihood += node.through * evidence.ln();
        }
        log_likelihood
    }

    /// The expected counts. For one learner, with `f` the belief after an answer, `A` the transition and `s'` the
    /// belief about the next moment in hindsight, P(state i now, j next | all answers) = f_i·A_ij·s'_j / Σ_k f_k·A_kj.
    /// The fraction is the same for all who came through a node, so their `s'` are summed first.
    fn backward(&self, chain: &Chain, room: &mut [Passed]) -> Counts {
        let mut counts = Counts::default();
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let Passed { belief, later } = room[at];
            let mut hindsight = [node.ended * belief[0], node.ended * belief[1]];
            if node.through > node.ended {
                let next = chain.next(belief);
                let ratio = [divide(later[0], next[0]), divide(later[1], next[1])];
                let learnt = belief[0] * chain.learn * ratio[1];
                let stayed_unknown = belief[0] * (1.0 - chain.learn) * ratio[0];
                let forgot = belief[1] * chain.forget * ratio[0];
                let stayed_known = belief[1] * (1.0 - chain.forget) * ratio[1];
                counts.learn.add(learnt, stayed_unknown);
                counts.forget.add(forgot, stayed_known);
                hindsight[0] += learnt + stayed_unknown;
                hindsight[1] += forgot + stayed_known;
            }
            if node.correct {
                counts.guess.add(hindsight[0], 0.0);
                counts.slip.add(0.0, hindsight[1]);
            } else {
                counts.guess.add(0.0, hindsight[0]);
                counts.slip.add(hindsight[1], 0.0);
            }
            if at < self.first {
                counts.prior.add(hindsight[1], hindsight[0]);
            } else {
                let before = &mut room[node.before].later;
                before[0] += hindsight[0];
                before[1] += hindsight[1];
            }
        }
        counts
    }
}

/// Expected number of times that each parameter's event happened, and did not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) prior: Count,
    pub(super) learn: Count,
    pub(super) forget: Count,
    pub(super) slip: Count,
    pub(super) guess: Count,
}

/// How often something happened of the times it could have.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) yes: f64,
    pub(super) no: f64,
}

impl Count {
    fn add(&mut self, yes: f64, no: f64) {
        self.yes += yes;
        self.no += no;
    }
}

/// What the passes leave at a node. Of a pair, the first is for 'not known', the second for 'known'.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passed {
    /// After this answer, given the answers up to it.
    belief: [f64; 2],
    /// About the moment of the next answer, in hindsight, summed over the learners who gave one.
    later: [f64; 2],
}

/// The parameters as the passes need them.
struct Chain {
    start: [f64; 2],
    learn: f64,
    forget: f64,
    wrong: [f64; 2],
    right: [f64; 2],
}

impl Chain {
    fn new(p: &BktParams) -> Self {
        let default = BktParams::default();
        let inner = |value, otherwise| {
            probability(value, otherwise).clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
        };
        let prior = inner(p.prior, default.prior);
        let slip = inner(p.slip, default.slip);
        let guess = inner(p.guess, default.guess);
        Self {
            start: [1.0 - prior, prior],
            learn: inner(p.learn, default.learn),
            // Nothing forgotten ever is a model of its own, not a limit to stay away from.
            forget: probability(p.forget, 0.0).min(1.0 - LEAST_PROBABILITY),
            wrong: [1.0 - guess, slip],
            right: [guess, 1.0 - slip],
        }
    }

    fn answer(&self, correct: bool) -> [f64; 2] {
        if correct { self.right } else { self.wrong }
    }

    fn next(&self, belief: [f64; 2]) -> [f64; 2] {
        [
            belief[0] * (1.0 - self.learn) + belief[1] * self.forget,
            belief[0] * self.learn + belief[1] * (1.0 - self.forget),
        ]
    }
}

/// Counts of learners are far below 2^53.
#[allow(clippy::cast_precision_loss)]
fn count(learners: usize) -> f64 {
    learners as f64
}

/// A state that cannot be any more (its probability underflowed after hundreds of answers) has no share in what
/// comes later.
fn divide(share: f64, of: f64) -> f64 {
    if of >= f64::MIN_POSITIVE {
        share / of
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
