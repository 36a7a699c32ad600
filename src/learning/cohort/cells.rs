//! The numbers of learners × skills, and what time does to them.

use super::LANES;
use crate::learning::ability::AbilityParams;
use crate::learning::estimate::Estimate;
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

    /// Lets `days` pass for a block, of which a `share` of the evidence is left, and adds up its learners' skills.
    pub fn pass(&mut self, block: usize, days: f64, share: f64, p: &AbilityParams) -> BlockSums {
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
        pass(
            known, ability, variance, competency, evidence, days, share, p,
        )
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
    days: f64,
    share: f64,
    p: &AbilityParams,
) -> BlockSums {
    let mut sums = BlockSums::default();
    let rows = known.iter().zip(ability).zip(variance);
    let rows = rows.zip(competency).zip(evidence);
    for ((((known, ability), variance), competency), evidence) in rows {
        for lane in 0..LANES {
            let before = Estimate {
                mean: ability[lane],
                variance: variance[lane],
            };
            variance[lane] = p.after_days(before, days).variance;
            evidence[lane] *= share;
            // Adding 0 is exact: these are the sums over the practised skills alone.
            let practised = evidence[lane] > 0.0;
            let if_practised = |x: f64| if practised { x } else { 0.0 };
            sums.practised[lane] += if_practised(1.0);
            sums.ability[lane] += if_practised(ability[lane]);
            sums.known[lane] += if_practised(known[lane]);
            sums.competency[lane] += if_practised(competency[lane]);
        }
    }
    sums
}
