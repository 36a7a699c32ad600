//! Variants of a task: which one is given, by difficulty or by what the log says, and which other form it has.

use super::node::Node;
use crate::protocol::command::Variety;
use crate::protocol::ids::StepId;

impl Node {
    pub(super) fn suit(&mut self, wanted: f64) {
        if let Self::Variants {
            items,
            given,
            begun: false,
        } = self
        {
            let off = |difficulty: f64| (difficulty - wanted).abs();
            let nearest = items.iter().enumerate();
            let nearest = nearest.min_by(|(_, (a, _)), (_, (b, _))| off(*a).total_cmp(&off(*b)));
            *given = nearest.map_or(0, |(index, _)| index);
        }
        for inner in self.inside_mut() {
            inner.suit(wanted);
        }
    }

    /// Gives the variants that `step` belongs to, where none was begun.
    pub(super) fn give(&mut self, step: &StepId) {
        if let Self::Variants {
            items,
            given,
            begun: false,
        } = self
            && let Some(index) = items.iter().position(|(_, item)| item.offers(step))
        {
            *given = index;
        }
        for inner in self.inside_mut() {
            inner.give(step);
        }
    }

    pub(super) fn other_form(&self, step: &StepId, by: Variety) -> Option<StepId> {
        match self {
            Self::Step { .. } => None,
            Self::Sequence { items } | Self::Choice { items, .. } => {
                items.iter().find_map(|item| item.other_form(step, by))
            }
            Self::Variants {
                items,
                given,
                begun,
            } => {
                let (difficulty, item) = items.get(*given)?;
                if let Some(inner) = item.other_form(step, by) {
                    return Some(inner);
                }
                if *begun || !item.offers(step) {
                    return None;
                }
                // The next of the same difficulty, after the last one the first.
                let places = (given + 1..items.len()).chain(0..*given);
                let mut alike = places
                    .filter_map(|at| items.get(at))
                    .filter(|(other, _)| (other - difficulty).abs() < 1e-6)
                    .map(|(_, form)| form);
                let form = match by {
                    Variety::Form => alike.next()?,
                    Variety::Interaction => alike
                        .filter(|form| form.to_do() > item.to_do())
                        .min_by_key(|form| form.to_do())?,
                };
                let mut firsts = Vec::new();
                form.candidates(&mut firsts);
                firsts.into_iter().next()
            }
            Self::Optional { inner, .. } | Self::Repeat { inner, .. } => inner.other_form(step, by),
        }
    }

    /// How many steps its whole way takes at least, what is optional left out.
    fn to_do(&self) -> u64 {
        match self {
            Self::Step { .. } => 1,
            Self::Sequence { items } => items
                .iter()
                .fold(0, |sum, item| sum.saturating_add(item.to_do())),
            Self::Choice { items, .. } => items.iter().map(Self::to_do).min().unwrap_or(0),
            Self::Variants { items, given, .. } => {
                items.get(*given).map_or(0, |(_, item)| item.to_do())
            }
            Self::Optional { .. } => 0,
            Self::Repeat {
                inner,
                successes,
                at_most,
                ..
            } => inner
                .to_do()
                .saturating_mul(u64::from(*successes.min(at_most))),
        }
    }
}

/// The variant that a step in the log belongs to: the one that is begun, else whichever offers it.
pub(super) fn due_variant(
    items: &[(f64, Node)],
    given: usize,
    begun: bool,
    step: &StepId,
) -> usize {
    let offers = |at: &usize| items.get(*at).is_some_and(|(_, item)| item.offers(step));
    if begun || offers(&given) {
        return given;
    }
    (0..items.len()).find(offers).unwrap_or(given)
}
