//! Provisional on this branch; the lesson room's own `graph` replaces it at the merge.

use super::format::{Flow, Lesson};
use crate::protocol::ids::StepId;

#[derive(Debug, Clone, Default)]
pub struct Progress {
    order: Vec<StepId>,
    at: usize,
}

fn walk(flow: &Flow, order: &mut Vec<StepId>) {
    match flow {
        Flow::Step(step) => order.push(step.clone()),
        Flow::Sequence(flows) | Flow::Choice(flows) => flows.iter().for_each(|f| walk(f, order)),
        Flow::Optional(flow) | Flow::Repeat { flow, .. } => walk(flow, order),
    }
}

impl Progress {
    pub fn new(lesson: &Lesson) -> Self {
        let mut order = Vec::new();
        walk(&lesson.flow, &mut order);
        Self { order, at: 0 }
    }
    pub fn candidates(&self) -> Vec<StepId> {
        self.order.get(self.at).cloned().into_iter().collect()
    }
    pub fn complete(&mut self, step: &StepId, _clean: bool) -> Vec<StepId> {
        if self.order.get(self.at) == Some(step) {
            self.at += 1;
        }
        Vec::new()
    }
    pub fn is_over(&self) -> bool {
        self.at >= self.order.len()
    }
}
