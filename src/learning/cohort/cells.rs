//! The numbers of learners × skills, and what time does to them.

use super::LANES;
use crate::learning::ability::Drift;
use crate::learning::five::Sums;
use crate::learning::five::params::Params;
use crate::learning::five::skill::Skill;

/// One number for each learner of a block.
type Lane = [f64; LANES];

/// Columns; entry `block · skills + skill` of each belongs to a block's skill.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    skills: usize,
    known: Vec<Lane>,
    ability: Vec<Lane>,
    variance: Vec<Lane>,
    competency: Vec<Lane>,
    evidence: Vec<Lane>,
}

/// One learner's numbers in one skill.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub known: f64,
    pub ability: f64,
    pub variance: f64,
    pub competency: f64,
    /// Effective number of answers behind `competency`.
    pub evidence: f64,
}

/// Entry and lane.
pub(super) type Place = (usize, usize);

/// [`Sums`] of a block's learners.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BlockSums {
    practised: Lane,
    ability: Lane,
    known: Lane,
    competency: Lane,
}

impl BlockSums {
    /// Of one learner.
    pub fn of(&self, lane: usize) -> Sums {
        Sums {
            practised: self.practised[lane],
            ability: self.ability[lane],
            known: self.known[lane],
            competency: self.competency[lane],
        }
    }
}

impl Cells {
    pub fn new(blocks: usize, skills: usize, p: &Params) -> Self {
        // What a learner begins with is said in one place.
        let fresh = |skill| Skill::new(&p.skill(u32::try_from(skill).unwrap_or(u32::MAX)), p);
        let fresh: Vec<Skill> = (0..skills).map(fresh).collect();
        let column = |of: &dyn Fn(&Skill) -> f64| {
            let block: Vec<Lane> = fresh.iter().map(|skill| [of(skill); LANES]).collect();
            block.repeat(blocks)
        };
        let competency = crate::learning::estimate::Rate::new(&p.rates).parts();
        Self {
            skills,
            known: column(&|skill| skill.known.mean),
            ability: column(&|skill| skill.ability.mean),
            variance: column(&|skill| skill.ability.variance),
            competency: column(&|_| competency.0),
            evidence: column(&|_| competency.1),
        }
    }

    pub fn place(&self, learner: usize, skill: usize) -> Place {
        (learner / LANES * self.skills + skill, learner % LANES)
    }

    pub fn at(&self, (entry, lane): Place) -> Option<Numbers> {
        Some(Numbers {
            known: *self.known.get(entry)?.get(lane)?,
            ability: *self.ability.get(entry)?.get(lane)?,
            variance: *self.variance.get(entry)?.get(lane)?,
            competency: *self.competency.get(entry)?.get(lane)?,
            evidence: *self.evidence.get(entry)?.get(lane)?,
        })
    }

    pub fn put(&mut self, (entry, lane): Place, numbers: &Numbers) {
        for (column, number) in [
            (&mut self.known, numbers.known),
            (&mut self.ability, numbers.ability),
            (&mut self.variance, numbers.variance),
            (&mut self.competency, numbers.competency),
            (&mut self.evidence, numbers.evidence),
        ] {
            if let Some(place) = column.get_mut(entry).and_then(|lanes| lanes.get_mut(lane)) {
                *place = number;
            }
        }
    }

    /// Lets time pass for a block, which widens by `drift` and leaves a `share` of the evidence, and adds up its learners' skills.
    pub fn pass(&mut self, block: usize, drift: Drift, share: f64) -> BlockSums {
        let range = block * self.skills..(block + 1) * self.skills;
        let (Some(known), Some(ability), Some(variance), Some(competency), Some(evidence)) = (
            self.known.get(range.clone()),
            self.ability.get(range.clone()),
            self.variance.get_mut(range.clone()),
            self.competency.get(range.clone()),
            self.evidence.get_mut(range),
        ) else {
            return BlockSums::default();
        };
        pass(known, ability, variance, competency, evidence, drift, share)
    }
}

/// The loop over a block's skills. A function of its own, so that its machine code can be looked at.
#[inline(never)]
fn pass(
    known: &[Lane],
    ability: &[Lane],
    variance: &mut [Lane],
    competency: &[Lane],
    evidence: &mut [Lane],
    drift: Drift,
    share: f64,
) -> BlockSums {
    let mut sums = BlockSums::default();
    let rows = known.iter().zip(ability).zip(variance);
    let rows = rows.zip(competency).zip(evidence);
    for ((((known, ability), variance), competency), evidence) in rows {
        for variance in variance {
            *variance = drift.widen(*variance);
        }
        // 1 where the skill was practised, else 0. Times 1 and plus 0 are exact: these are the sums over the practised
        // skills alone, without a branch.
        let mut practised = [0.0; LANES];
        for (practised, evidence) in practised.iter_mut().zip(evidence) {
            *evidence *= share;
            *practised = if *evidence > 0.0 { 1.0 } else { 0.0 };
        }
        for lane in 0..LANES {
            sums.practised[lane] += practised[lane];
            sums.ability[lane] += practised[lane] * ability[lane];
            sums.known[lane] += practised[lane] * known[lane];
            sums.competency[lane] += practised[lane] * competency[lane];
        }
    }
    sums
}
