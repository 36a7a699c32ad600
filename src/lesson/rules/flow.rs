//! The way through the steps: each is named once, each can be come to, and every choice can be made.

use std::collections::BTreeSet;

use super::{Findings, dangling};
use crate::lesson::format::{Action, Flow, Lesson, Step, Variant};
use crate::lesson::source::Key;
use crate::protocol::command::DIFFICULTY;
use crate::protocol::ids::StepId;

pub(super) fn check(lesson: &Lesson, out: &mut Findings) {
    if out.flow_lost {
        return;
    }
    let mut walk = Walk {
        lesson,
        named: BTreeSet::new(),
        path: vec![Key::Field("flow")],
    };
    walk.visit(&lesson.flow, false, out);
    let named = walk.named;
    for (index, step) in lesson.steps.iter().enumerate() {
        if !named.contains(&step.id) {
            out.error(
                &[Key::Field("steps"), Key::Item(index), Key::Field("id")],
                format!(
                    "step `{}` cannot be reached: the flow does not name it",
                    step.id
                ),
                "put it into the flow, or take it away",
            );
        }
    }
}

/// How many flows stand inside this one, itself included.
pub(super) fn size(flow: &Flow) -> usize {
    1 + match flow {
        Flow::Step(_) => 0,
        Flow::Sequence(items) | Flow::Choice(items) => items.iter().map(size).sum(),
        Flow::Variants(variants) => variants.iter().map(|it| size(&it.flow)).sum(),
        Flow::Optional(inner) | Flow::Repeat { flow: inner, .. } => size(inner),
    }
}

struct Walk<'a> {
    lesson: &'a Lesson,
    /// Steps met so far.
    named: BTreeSet<&'a StepId>,
    /// Where the walk is.
    path: Vec<Key>,
}

impl<'a> Walk<'a> {
    fn step(&self, id: &StepId) -> Option<&'a Step> {
        self.lesson.steps.iter().find(|step| step.id == *id)
    }

    /// `followed`: something comes after this that can be done instead of it.
    fn visit(&mut self, flow: &'a Flow, followed: bool, out: &mut Findings) {
        match flow {
            Flow::Step(id) => self.visit_step(id, out),
            Flow::Sequence(items) => {
                self.no_void(items, out);
                for (index, item) in items.iter().enumerate() {
                    self.inside(&[Key::Item(0), Key::Item(index)], |walk| {
                        walk.visit(item, followed || index + 1 < items.len(), out);
                    });
                }
            }
            Flow::Choice(items) => {
                self.no_void(items, out);
                if items.len() == 1 {
                    out.warning(
                        &self.path,
                        "a choice of one is none",
                        "add another way, or take `Choice` away",
                    );
                }
                self.can_be_told_apart(items, out);
                for (index, item) in items.iter().enumerate() {
                    self.inside(&[Key::Item(0), Key::Item(index)], |walk| {
                        walk.visit(item, false, out);
                    });
                }
            }
            Flow::Variants(variants) => self.visit_variants(variants, out),
            Flow::Optional(inner) => {
                if !followed {
                    out.warning(
                        &self.path,
                        "nothing follows this optional step, so it can never be left out",
                        "let a step follow, or take `Optional` away",
                    );
                }
                self.inside(&[Key::Item(0)], |walk| walk.visit(inner, followed, out));
            }
            Flow::Repeat {
                flow,
                successes,
                at_most,
            } => {
                if *successes == 0 || at_most < successes {
                    out.error(
                        &[&self.path[..], &[Key::Field("successes")]].concat(),
                        format!(
                            "a repetition until {successes} successes in at most {at_most} rounds cannot be met"
                        ),
                        "ask for at least 1 success and allow as many rounds",
                    );
                }
                self.inside(&[Key::Field("flow")], |walk| walk.visit(flow, false, out));
            }
        }
    }

    fn visit_variants(&mut self, variants: &'a [Variant], out: &mut Findings) {
        if variants.is_empty() {
            out.error(
                &self.path,
                "there are no variants",
                "put some into it, or take it away",
            );
        }
        if variants.len() == 1 {
            out.warning(
                &self.path,
                "one variant is none to choose from",
                "add another one, or take `Variants` away",
            );
        }
        let [least, most] = DIFFICULTY;
        for (index, variant) in variants.iter().enumerate() {
            let at = [Key::Item(0), Key::Item(index)];
            if !(least..=most).contains(&variant.difficulty) {
                out.error(
                    &[&self.path[..], &at[..], &[Key::Field("difficulty")]].concat(),
                    format!(
                        "a difficulty of {} is never asked for: it is a multiple of the authored one, {least} to {most}",
                        variant.difficulty
                    ),
                    "give 1 for what is meant for most learners, less for an easier form, more for a harder one",
                );
            }
            self.inside(&[at[0], at[1], Key::Field("flow")], |walk| {
                walk.visit(&variant.flow, false, out);
            });
        }
    }

    fn inside(&mut self, keys: &[Key], visit: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        self.path.extend_from_slice(keys);
        visit(self);
        self.path.truncate(before);
    }

    fn visit_step(&mut self, id: &'a StepId, out: &mut Findings) {
        if self.step(id).is_none() {
            let names = self.lesson.steps.iter().map(|step| step.id.as_str());
            dangling("step", id.as_str(), names, &self.path, out);
        }
        if !self.named.insert(id) {
            out.error(
                &self.path,
                format!("step `{id}` stands in the flow a second time"),
                "use `Repeat`, or a second step",
            );
        }
    }

    fn no_void(&self, items: &[Flow], out: &mut Findings) {
        if items.is_empty() {
            out.error(
                &self.path,
                "the flow has an empty sequence or choice",
                "put steps into it, or take it away",
            );
        }
    }

    /// The first deed chooses a way: a way that begins like one before it can never be chosen.
    fn can_be_told_apart(&self, items: &[Flow], out: &mut Findings) {
        let mut taken: Vec<&Step> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut ids = Vec::new();
            beginnings(item, &mut ids);
            let firsts: Vec<&Step> = ids.iter().filter_map(|id| self.step(id)).collect();
            let like = |step: &&Step| {
                taken
                    .iter()
                    .copied()
                    .find(|other| same_deed(&step.action, &other.action))
            };
            let hidden: Vec<(&Step, &Step)> = firsts
                .iter()
                .filter_map(|step| Some((*step, like(step)?)))
                .collect();
            if let Some((step, other)) = hidden.first().filter(|_| hidden.len() == firsts.len()) {
                out.error(
                    &[&self.path[..], &[Key::Item(0), Key::Item(index)]].concat(),
                    format!(
                        "step `{}` cannot be reached: `{}` waits for the same deed and is chosen first",
                        step.id, other.id
                    ),
                    "let the ways of a choice begin with different deeds",
                );
            }
            taken.extend(firsts);
        }
    }
}

/// Steps that can come first. True where the flow can be passed over.
fn beginnings<'a>(flow: &'a Flow, found: &mut Vec<&'a StepId>) -> bool {
    match flow {
        Flow::Step(id) => {
            found.push(id);
            false
        }
        Flow::Sequence(items) => items.iter().all(|item| beginnings(item, found)),
        Flow::Choice(items) => {
            for item in items {
                beginnings(item, found);
            }
            false
        }
        Flow::Variants(variants) => {
            for variant in variants {
                beginnings(&variant.flow, found);
            }
            false
        }
        Flow::Optional(inner) => {
            beginnings(inner, found);
            true
        }
        Flow::Repeat { flow, .. } => beginnings(flow, found),
    }
}

/// Whether what is done for the one is also done for the other, whatever their tolerances.
fn same_deed(a: &Action, b: &Action) -> bool {
    match (a, b) {
        (Action::LookAt { object: a, .. }, Action::LookAt { object: b, .. })
        | (Action::Touch { object: a }, Action::Touch { object: b })
        | (Action::Grab { object: a }, Action::Grab { object: b })
        | (Action::Press { object: a }, Action::Press { object: b })
        | (Action::Teleport { to: a }, Action::Teleport { to: b }) => a == b,
        (
            Action::Place {
                object: a,
                socket: at,
                ..
            },
            Action::Place {
                object: b,
                socket: bt,
                ..
            },
        ) => a == b && at == bt,
        (
            Action::Throw { object: a, at, .. },
            Action::Throw {
                object: b, at: bt, ..
            },
        ) => a == b && at == bt,
        (Action::Answer { panel: a }, Action::Answer { panel: b })
        | (Action::Rate { panel: a }, Action::Rate { panel: b }) => a == b,
        _ => false,
    }
}
