//! A flow as a tree that remembers how far it is done: what can be done in it now, and what an attempt and a step done change.

use crate::lesson::format::Flow;
use crate::protocol::ids::StepId;

use super::variants::due_variant;

/// A flow and how far it is done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Step {
        id: StepId,
        done: bool,
    },
    Sequence {
        items: Vec<Node>,
    },
    Choice {
        items: Vec<Node>,
        chosen: Option<usize>,
    },
    Variants {
        items: Vec<(f64, Node)>,
        /// The one that is given.
        given: usize,
        /// It was tried or done: it stays the one.
        begun: bool,
    },
    Optional {
        inner: Box<Node>,
        begun: bool,
    },
    Repeat {
        flow: Flow,
        inner: Box<Node>,
        successes: u32,
        at_most: u32,
        /// Rounds without a mistake in a row so far.
        streak: u32,
        rounds: u32,
        /// No mistake yet in this round.
        clean: bool,
        done: bool,
    },
}

/// How a step came to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// By doing it.
    Achieved,
    /// As the log says of a step that was given up after failures, or passed over.
    Skipped,
    /// With all of an optional flow that was not begun: a repetition in there is over at once.
    PassedOver,
}

impl Node {
    pub(super) fn new(flow: &Flow) -> Self {
        let all = |items: &[Flow]| items.iter().map(Self::new).collect();
        match flow {
            Flow::Step(id) => Self::Step {
                id: id.clone(),
                done: false,
            },
            Flow::Sequence(items) => Self::Sequence { items: all(items) },
            Flow::Choice(items) => Self::Choice {
                items: all(items),
                chosen: None,
            },
            Flow::Variants(variants) => Self::Variants {
                items: variants
                    .iter()
                    .map(|variant| (variant.difficulty, Self::new(&variant.flow)))
                    .collect(),
                given: 0,
                begun: false,
            },
            Flow::Optional(inner) => Self::Optional {
                inner: Box::new(Self::new(inner)),
                begun: false,
            },
            Flow::Repeat {
                flow,
                successes,
                at_most,
            } => Self::Repeat {
                flow: (**flow).clone(),
                inner: Box::new(Self::new(flow)),
                successes: *successes,
                at_most: *at_most,
                streak: 0,
                rounds: 0,
                clean: true,
                done: *successes == 0 || *at_most == 0,
            },
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Step { done, .. } | Self::Repeat { done, .. } => *done,
            Self::Sequence { items } => items.iter().all(Self::is_done),
            Self::Choice { items, chosen } => match chosen {
                Some(chosen) => items.get(*chosen).is_none_or(Self::is_done),
                None => items.is_empty(),
            },
            Self::Variants { items, given, .. } => {
                items.get(*given).is_none_or(|(_, item)| item.is_done())
            }
            Self::Optional { inner, .. } => inner.is_done(),
        }
    }

    /// What stands directly inside.
    pub(super) fn inside_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Step { .. } => Vec::new(),
            Self::Sequence { items } | Self::Choice { items, .. } => items.iter_mut().collect(),
            Self::Variants { items, .. } => items.iter_mut().map(|(_, item)| item).collect(),
            Self::Optional { inner, .. } | Self::Repeat { inner, .. } => vec![inner],
        }
    }

    /// True where what stands behind this can be done as well.
    pub(super) fn candidates(&self, found: &mut Vec<StepId>) -> bool {
        if self.is_done() {
            return true;
        }
        match self {
            Self::Step { id, .. } => {
                found.push(id.clone());
                false
            }
            Self::Sequence { items } => items.iter().all(|item| item.candidates(found)),
            Self::Choice { items, chosen } => match chosen {
                Some(chosen) => {
                    if let Some(item) = items.get(*chosen) {
                        item.candidates(found);
                    }
                    false
                }
                None => {
                    for item in items {
                        item.candidates(found);
                    }
                    false
                }
            },
            Self::Variants { items, given, .. } => {
                if let Some((_, item)) = items.get(*given) {
                    item.candidates(found);
                }
                false
            }
            Self::Optional { inner, begun } => {
                inner.candidates(found);
                !begun
            }
            Self::Repeat { inner, .. } => {
                inner.candidates(found);
                false
            }
        }
    }

    /// Place of the item of a sequence in which `step` is a candidate.
    fn due(items: &[Self], step: &StepId) -> Option<usize> {
        for (index, item) in items.iter().enumerate() {
            let mut found = Vec::new();
            let goes_on = item.candidates(&mut found);
            if found.contains(step) {
                return Some(index);
            }
            if !goes_on {
                return None;
            }
        }
        None
    }

    /// Whether `step` is a candidate here.
    pub(super) fn offers(&self, step: &StepId) -> bool {
        let mut found = Vec::new();
        self.candidates(&mut found);
        found.contains(step)
    }

    pub(super) fn attempted(&mut self, step: &StepId, correct: bool) {
        match self {
            Self::Step { .. } => {}
            Self::Sequence { items } => {
                if let Some(index) = Self::due(items, step) {
                    items[index].attempted(step, correct);
                }
            }
            Self::Choice { items, chosen } => {
                if let Some(index) =
                    chosen.or_else(|| items.iter().position(|item| item.offers(step)))
                    && let Some(item) = items.get_mut(index)
                {
                    *chosen = Some(index);
                    item.attempted(step, correct);
                }
            }
            Self::Variants {
                items,
                given,
                begun,
            } => {
                *given = due_variant(items, *given, *begun, step);
                if let Some((_, item)) = items.get_mut(*given) {
                    *begun |= item.offers(step);
                    item.attempted(step, correct);
                }
            }
            Self::Optional { inner, begun } => {
                *begun |= inner.offers(step);
                inner.attempted(step, correct);
            }
            Self::Repeat { inner, clean, .. } => {
                *clean &= correct || !inner.offers(step);
                inner.attempted(step, correct);
            }
        }
    }

    /// Collects what is passed over when `step` is done: true once `step` is found.
    pub(super) fn skip_optional_before(&self, step: &StepId, skipped: &mut Vec<StepId>) -> bool {
        if self.is_done() || !self.offers(step) {
            return false;
        }
        match self {
            Self::Step { id, .. } => id == step,
            Self::Sequence { items } => {
                for item in items {
                    if item.offers(step) {
                        return item.skip_optional_before(step, skipped);
                    }
                    if !item.is_done() {
                        item.open_steps(skipped);
                    }
                }
                false
            }
            Self::Choice { items, chosen } => items
                .iter()
                .enumerate()
                .filter(|(index, _)| chosen.is_none_or(|chosen| chosen == *index))
                .any(|(_, item)| item.skip_optional_before(step, skipped)),
            Self::Variants { items, given, .. } => items
                .get(*given)
                .is_some_and(|(_, item)| item.skip_optional_before(step, skipped)),
            Self::Optional { inner, .. } | Self::Repeat { inner, .. } => {
                inner.skip_optional_before(step, skipped)
            }
        }
    }

    /// Every step that is not done, once; of a choice not made, the first branch.
    fn open_steps(&self, open: &mut Vec<StepId>) {
        if self.is_done() {
            return;
        }
        match self {
            Self::Step { id, .. } => open.push(id.clone()),
            Self::Sequence { items } => items.iter().for_each(|item| item.open_steps(open)),
            Self::Choice { items, chosen } => {
                if let Some(item) = items.get(chosen.unwrap_or(0)) {
                    item.open_steps(open);
                }
            }
            Self::Variants { items, given, .. } => {
                if let Some((_, item)) = items.get(*given) {
                    item.open_steps(open);
                }
            }
            Self::Optional { inner, .. } | Self::Repeat { inner, .. } => inner.open_steps(open),
        }
    }

    /// Marks `step` done.
    pub(super) fn complete(&mut self, step: &StepId, how: Done) {
        if self.is_done() {
            return;
        }
        match self {
            Self::Step { id, done } => *done |= id == step,
            Self::Sequence { items } => {
                if let Some(index) = Self::due(items, step) {
                    items[index].complete(step, how);
                }
            }
            Self::Choice { items, chosen } => {
                if let Some(index) =
                    chosen.or_else(|| items.iter().position(|item| item.offers(step)))
                    && let Some(item) = items.get_mut(index)
                {
                    *chosen = Some(index);
                    item.complete(step, how);
                }
            }
            Self::Variants {
                items,
                given,
                begun,
            } => {
                *given = due_variant(items, *given, *begun, step);
                if let Some((_, item)) = items.get_mut(*given) {
                    *begun |= item.offers(step);
                    item.complete(step, how);
                }
            }
            Self::Optional { inner, begun } => {
                // What was never tried is passed over, and stays so until its last step is.
                let how = if *begun || how == Done::Achieved {
                    how
                } else {
                    Done::PassedOver
                };
                *begun |= how != Done::PassedOver && inner.offers(step);
                inner.complete(step, how);
            }
            Self::Repeat {
                flow,
                inner,
                successes,
                at_most,
                streak,
                rounds,
                clean,
                done,
            } => {
                inner.complete(step, how);
                if !inner.is_done() {
                    return;
                }
                *rounds += 1;
                *streak = if *clean { *streak + 1 } else { 0 };
                *done = how == Done::PassedOver || *streak >= *successes || *rounds >= *at_most;
                if !*done {
                    **inner = Self::new(flow);
                    *clean = true;
                }
            }
        }
    }
}
