//! Which skills a learner could take next, and why.
//!
//! In: the skill graph and where a learner stands. Out: every skill as a next step, with the reason for or against it.
//! Never: a step whose prerequisites only probably hold; each has to be met by the lower end of its interval.

use petgraph::Direction::Incoming;
use petgraph::graph::NodeIndex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KnowledgeGraph, MAX_SKILLS, SkillSet, contains, insert};
use crate::learning::estimate::{Estimate, MAX_LOGIT, bounded, sigmoid};
use crate::learning::skill::SkillId;

/// Where a learner stands with one skill. `None` in its place means never assessed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Lower end of the interval of mastery, in [0, 1]; NaN counts as 0.
    pub mastery_low: f64,
    /// Ability in logit.
    pub ability: Estimate,
}

/// When a step is on offer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PathParams {
    /// Lower end of mastery a prerequisite has to reach. 0.7 is the sources' gate, arbitrary.
    pub gate: f64,
    /// Lower end of mastery at which a skill is known and no longer a step. 0.95 is Corbett & Anderson's (1995) bound
    /// for P(known); where mastery is a share of successes, the lower end of its interval takes long to get there.
    pub mastered: f64,
    /// Least expected success of a task worth taking on.
    pub band_low: f64,
    /// Most expected success of a task that still teaches.
    pub band_high: f64,
}

impl Default for PathParams {
    /// Success between 0.6 and 0.85: the sources' band, widened to the 0.85 of Wilson, Shenhav, Straccia & Cohen 2019
    /// ("The eighty five percent rule for optimal learning"). In logits, θ − d between 0.41 and 1.73.
    fn default() -> Self {
        Self {
            gate: 0.7,
            mastered: 0.95,
            band_low: 0.6,
            band_high: 0.85,
        }
    }
}

/// What speaks for or against a step. In the order in which steps are offered.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Prerequisites hold and expected success lies in the band: the zone of proximal development (Vygotsky 1978).
    InZone,
    /// Prerequisites hold; it would succeed too often to teach much.
    TooEasy,
    /// Prerequisites hold; it would fail too often. With help it can still be taken.
    TooHard,
    /// A prerequisite doesn't hold for sure, or was never assessed.
    Blocked,
    /// Known already.
    Mastered,
}

impl Verdict {
    /// Whether the learner may take the step now.
    #[must_use]
    pub fn is_admissible(self) -> bool {
        self <= Self::TooHard
    }
}

/// A skill as a next step. Skills are numbered in the order of [`KnowledgeGraph::order`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Which skill.
    pub skill: usize,
    /// Whether to take it.
    pub verdict: Verdict,
    /// Lower end of mastery of the weakest prerequisite, in [0, 1]; 1 if there is none.
    pub readiness: f64,
    /// The prerequisite that is weakest, if there is one.
    pub weakest: Option<usize>,
    /// Expected success σ(θ − d), in (0, 1); nothing for a skill never assessed.
    pub expected: Option<f64>,
    /// How many skills not yet mastered need this one, directly or through others.
    pub unlocks: u32,
}

impl KnowledgeGraph {
    /// Judges every skill as the next step and writes them to `steps`, best first; the admissible ones are all
    /// pathways open now. `standings` is in [`KnowledgeGraph::order`]; what it lacks was never assessed.
    ///
    /// Among steps in the zone (then: too easy, then: too hard) the one that more unmastered skills wait for comes
    /// first, then the earlier in the order. Allocates nothing once `steps` has room for every skill.
    pub fn next_steps(
        &self,
        standings: &[Option<Standing>],
        p: &PathParams,
        steps: &mut Vec<Step>,
    ) {
        let mut open: SkillSet = [0; MAX_SKILLS / 64];
        for node in self.graph.node_indices() {
            if !is_mastered(node.index(), standings, p) {
                insert(&mut open, node.index());
            }
        }
        steps.clear();
        steps.extend(
            self.graph
                .node_indices()
                .map(|node| self.step(node, standings, &open, p)),
        );
        steps.sort_unstable_by_key(|step| {
            (step.verdict, std::cmp::Reverse(step.unlocks), step.skill)
        });
    }

    /// The skills still to master on the way to `goal`, in an order in which that can be done, with `goal` the last.
    #[must_use]
    pub fn way_to(
        &self,
        goal: usize,
        standings: &[Option<Standing>],
        p: &PathParams,
    ) -> Vec<usize> {
        (0..self.needed_by.len())
            .filter(|&skill| {
                let needed_by = self.needed_by.get(skill);
                let leads = skill == goal || needed_by.is_some_and(|needed| contains(needed, goal));
                leads && !is_mastered(skill, standings, p)
            })
            .collect()
    }

    /// Why a step stands where it stands, as a sentence.
    #[must_use]
    pub fn explain(&self, step: &Step, p: &PathParams) -> String {
        let name = |skill: usize| self.name(skill).map_or("?", SkillId::as_str);
        let skill = name(step.skill);
        let expected = match step.expected {
            Some(expected) => format!("expected success {expected:.2}"),
            None => "never tried".to_owned(),
        };
        let (low, high) = (p.band_low, p.band_high);
        match step.verdict {
            Verdict::InZone if step.unlocks > 0 => format!(
                "`{skill}` is within reach ({expected}, band {low:.2} to {high:.2}); skills waiting for it: {}",
                step.unlocks
            ),
            Verdict::InZone => {
                format!("`{skill}` is within reach ({expected}, band {low:.2} to {high:.2})")
            }
            Verdict::TooEasy => format!("`{skill}` is easy by now ({expected}, above {high:.2})"),
            Verdict::TooHard => format!("`{skill}` is hard as yet ({expected}, below {low:.2})"),
            Verdict::Blocked => format!(
                "`{skill}` waits for `{}`: mastery is at least {:.2}, {:.2} is needed",
                step.weakest.map_or("?", name),
                step.readiness,
                p.gate
            ),
            Verdict::Mastered => format!("`{skill}` is mastered"),
        }
    }

    fn step(
        &self,
        node: NodeIndex,
        standings: &[Option<Standing>],
        open: &SkillSet,
        p: &PathParams,
    ) -> Step {
        let skill = node.index();
        let (mut readiness, mut weakest) = (1.0, None);
        for before in self.graph.neighbors_directed(node, Incoming) {
            let low = mastery_low(before.index(), standings);
            let lower = low < readiness || (weakest.is_none() && low <= readiness);
            if lower {
                (readiness, weakest) = (low, Some(before.index()));
            }
        }
        let difficulty = self.graph.node_weight(node).map_or(0.0, |(_, d)| *d);
        let expected = standing(skill, standings).map(|standing| {
            let ability = bounded(standing.ability.mean, -MAX_LOGIT, MAX_LOGIT, 0.0);
            sigmoid(ability - difficulty)
        });
        let verdict = if is_mastered(skill, standings, p) {
            Verdict::Mastered
        } else if readiness < bounded(p.gate, 0.0, 1.0, 1.0) {
            Verdict::Blocked
        } else {
            let high = bounded(p.band_high, 0.0, 1.0, 0.85);
            let low = bounded(p.band_low, 0.0, high, 0.6);
            match expected {
                Some(expected) if expected > high => Verdict::TooEasy,
                Some(expected) if expected < low => Verdict::TooHard,
                // Never assessed, but everything it needs is known: trying is how to find out.
                _ => Verdict::InZone,
            }
        };
        let waiting = self.needed_by.get(skill).map_or(0, |needed| {
            // Only as many words as there are skills; the others are 0.
            let words = needed.iter().zip(open);
            let words = words.take(self.needed_by.len().div_ceil(64));
            words
                .map(|(needed, open)| (needed & open).count_ones())
                .sum()
        });
        Step {
            skill,
            verdict,
            readiness,
            weakest,
            expected,
            unlocks: waiting,
        }
    }
}

fn standing(skill: usize, standings: &[Option<Standing>]) -> Option<&Standing> {
    standings.get(skill).and_then(Option::as_ref)
}

fn mastery_low(skill: usize, standings: &[Option<Standing>]) -> f64 {
    standing(skill, standings).map_or(0.0, |s| bounded(s.mastery_low, 0.0, 1.0, 0.0))
}

fn is_mastered(skill: usize, standings: &[Option<Standing>], p: &PathParams) -> bool {
    standing(skill, standings).is_some()
        && mastery_low(skill, standings) >= bounded(p.mastered, 0.0, 1.0, 1.0)
}
