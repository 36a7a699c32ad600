//! Where a learner stands in the flow of a lesson: pure, and rebuilt from the log at any time.

use super::format::Flow;
use crate::protocol::command::Variety;
use crate::protocol::event::EventBody;
use crate::protocol::ids::StepId;

/// Progress through a [`Flow`].
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    root: Node,
}

/// A flow and how far it is done.
#[derive(Debug, Clone, PartialEq)]
enum Node {
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
enum Done {
    /// By doing it.
    Achieved,
    /// As the log says of a step that was given up after failures, or passed over.
    Skipped,
    /// With all of an optional flow that was not begun: a repetition in there is over at once.
    PassedOver,
}

impl Progress {
    /// The start of a flow.
    #[must_use]
    pub fn new(flow: &Flow) -> Self {
        Self {
            root: Node::new(flow),
        }
    }

    /// The progress after a session's events, oldest first.
    #[must_use]
    pub fn replay<'a>(flow: &Flow, events: impl IntoIterator<Item = &'a EventBody>) -> Self {
        let mut progress = Self::new(flow);
        for event in events {
            match event {
                EventBody::StepEntered { step, .. } => progress.root.give(step),
                EventBody::Attempted(attempt) => progress.attempted(&attempt.step, attempt.correct),
                EventBody::StepCompleted { step, skipped } => {
                    let how = if *skipped {
                        Done::Skipped
                    } else {
                        Done::Achieved
                    };
                    progress.root.complete(step, how);
                }
                _ => {}
            }
        }
        progress
    }

    /// Steps of which one can be done now, in the author's order: the first is the one to show. Empty at the end.
    #[must_use]
    pub fn candidates(&self) -> Vec<StepId> {
        let mut found = Vec::new();
        self.root.candidates(&mut found);
        found
    }

    /// Of variants that nobody has begun, gives those whose difficulty is nearest to `difficulty` (a multiple of the
    /// authored one); of equals the first.
    pub fn suit(&mut self, difficulty: f64) {
        self.root.suit(difficulty);
    }

    /// Another form, as hard as this one, of the task that `step` begins: its first step. By interaction: the one with
    /// the next greater number of steps to do. `None`: there is none, or the task has been begun.
    #[must_use]
    pub fn other_form(&self, step: &StepId, by: Variety) -> Option<StepId> {
        self.root.other_form(step, by)
    }

    /// This step's variant is the one that is given.
    pub fn give(&mut self, step: &StepId) {
        self.root.give(step);
    }

    /// Takes note of an attempt at a candidate: it chooses a branch, and a wrong one spoils a round of a repetition.
    pub fn attempted(&mut self, step: &StepId, correct: bool) {
        self.root.attempted(step, correct);
    }

    /// A candidate is done (or given up). Returns the optional steps before it that are thereby skipped; each of them,
    /// and then the step itself, is due a `StepCompleted` event.
    pub fn completed(&mut self, step: &StepId) -> Vec<StepId> {
        let mut skipped = Vec::new();
        self.root.skip_optional_before(step, &mut skipped);
        for optional in &skipped {
            self.root.complete(optional, Done::Skipped);
        }
        self.root.complete(step, Done::Achieved);
        skipped
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.root.is_done()
    }
}

impl Node {
    fn new(flow: &Flow) -> Self {
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

    fn is_done(&self) -> bool {
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
    fn inside_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Step { .. } => Vec::new(),
            Self::Sequence { items } | Self::Choice { items, .. } => items.iter_mut().collect(),
            Self::Variants { items, .. } => items.iter_mut().map(|(_, item)| item).collect(),
            Self::Optional { inner, .. } | Self::Repeat { inner, .. } => vec![inner],
        }
    }

    fn suit(&mut self, wanted: f64) {
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
    fn give(&mut self, step: &StepId) {
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

    fn other_form(&self, step: &StepId, by: Variety) -> Option<StepId> {
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

    /// True where what stands behind this can be done as well.
    fn candidates(&self, found: &mut Vec<StepId>) -> bool {
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
    fn offers(&self, step: &StepId) -> bool {
        let mut found = Vec::new();
        self.candidates(&mut found);
        found.contains(step)
    }

    fn attempted(&mut self, step: &StepId, correct: bool) {
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
    fn skip_optional_before(&self, step: &StepId, skipped: &mut Vec<StepId>) -> bool {
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
    fn complete(&mut self, step: &StepId, how: Done) {
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

/// The variant that a step in the log belongs to: the one that is begun, else whichever offers it.
fn due_variant(items: &[(f64, Node)], given: usize, begun: bool, step: &StepId) -> usize {
    let offers = |at: &usize| items.get(*at).is_some_and(|(_, item)| item.offers(step));
    if begun || offers(&given) {
        return given;
    }
    (0..items.len()).find(offers).unwrap_or(given)
}

#[cfg(test)]
mod tests;
