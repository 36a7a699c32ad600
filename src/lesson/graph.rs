//! Where a learner stands in the flow of a lesson: pure, and rebuilt from the log at any time.

use super::format::Flow;
use crate::protocol::command::Variety;
use crate::protocol::event::EventBody;
use crate::protocol::ids::StepId;
use node::{Done, Node};

mod node;
mod variants;

/// Progress through a [`Flow`].
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    root: Node,
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

#[cfg(test)]
mod tests;
