//! The adaptation rules at work: what is known of a learner goes in, decisions with their reasons and commands come out.
//!
//! The rules are asked when something new is known (an attempt, a moment, a word of the learner's), not every frame.
//! What they decide goes the way of every command, and is refused where somebody outranks them.

use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;

use super::watch::{Watch, running};
use crate::learning::estimate::Estimate;
use crate::learning::predict::{Prediction, Predictor};
use crate::learning::strategy::check::{Checked, Mistake, read};
use crate::learning::strategy::choose::{Draw, Pick, choose};
use crate::learning::strategy::explain::{Decision, explain};
use crate::learning::strategy::feature::{Feature, View};
use crate::learning::strategy::memory::Memory;
use crate::learning::strategy::patch::PolicyPatch;
use crate::learning::strategy::precedence::Lever;
use crate::learning::strategy::table::Table;
use crate::lesson::ActiveLesson;
use crate::lesson::format::{Lesson, Step};
use crate::protocol::command::{Command, CommandBody, Outcome, Principal};
use crate::protocol::consent::ConsentScope;
use crate::protocol::event::EventBody;
use crate::protocol::ids::CommandId;
use crate::session::clock::LONGEST_FRAME;
use crate::session::standing::{Age, Agreements, allows};
use crate::session::state::LearnerState;
use crate::session::{
    CommandAnswered, CommandRequested, Folded, Happened, Learner, SessionLog, unix_ms,
};

/// Decisions under way whose commands are not answered yet; each has at most five.
const UNDER_WAY: usize = 8;

/// The adaptation table in force.
#[derive(Resource, Debug, Clone)]
pub struct Strategies {
    now: Arc<Checked>,
    /// As the program began, and what somebody changed since.
    begun: Arc<Checked>,
    patch: PolicyPatch,
}

impl Default for Strategies {
    /// The table as delivered.
    #[allow(clippy::expect_used)] // It is part of the program, and the tests of `learning::strategy` read it.
    fn default() -> Self {
        Self::read(Table::DEFAULT).expect("the delivered table is sound")
    }
}

impl Strategies {
    /// A table from its text.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn read(text: &str) -> Result<Self, Vec<Mistake>> {
        let checked = Arc::new(read(text)?);
        Ok(Self {
            now: checked.clone(),
            begun: checked,
            patch: PolicyPatch::default(),
        })
    }

    /// The same with a patch upon what was changed before.
    ///
    /// # Errors
    /// Everything that is wrong with what would come of it.
    pub fn patched(&self, patch: &PolicyPatch) -> Result<Self, Vec<String>> {
        let patch = self.patch.then(patch);
        let now = if patch.is_empty() {
            self.begun.clone()
        } else {
            Arc::new(patch.upon(self.begun.table())?)
        };
        Ok(Self {
            now,
            begun: self.begun.clone(),
            patch,
        })
    }

    /// What was changed since the program began.
    #[must_use]
    pub fn patch(&self) -> &PolicyPatch {
        &self.patch
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Checked {
        &self.now
    }
}

/// What is likely to happen next to a learner, as last predicted; `None`: nothing can be said.
///
/// Calibrated on simulated learners only ([`crate::learning::predict`]).
#[derive(Component, Debug, Default, Clone, Copy, PartialEq)]
pub struct Outlook(pub Option<Prediction>);

/// The predictor in force.
#[derive(Resource, Debug, Default, Clone)]
pub struct Foresight(pub Predictor);

/// What the rules remember of a learner.
#[derive(Component, Debug, Default)]
pub(super) struct Advisor {
    memory: Option<Memory>,
    /// Time of the running lesson, pauses left out.
    clock: Duration,
    since_break: Duration,
    /// Something new is known.
    due: bool,
    /// Commands that are not answered yet, and the rules that gave them.
    under_way: Vec<(CommandId, usize)>,
}

impl Advisor {
    /// Who set what this command would move, while that holds. An instructor's hint holds for its own step only, and
    /// shorter (see [`super::decide::INSTRUCTOR_HOLD`]).
    pub(super) fn holder(&self, body: &CommandBody) -> Option<Principal> {
        let lever = body.lever().filter(|lever| *lever != Lever::Hint)?;
        self.memory.as_ref()?.holder(lever)
    }
}

pub(super) fn let_time_pass(
    time: Res<Time<Real>>,
    mut learners: Query<(&LearnerState, &mut Advisor)>,
) {
    let passed = time.delta().min(LONGEST_FRAME);
    for (state, mut advisor) in &mut learners {
        if running(state) {
            advisor.clock += passed;
            advisor.since_break += passed;
        }
    }
}

/// Who comes back is remembered as the log says.
pub(super) fn recall(
    strategies: Res<Strategies>,
    mut newcomers: Query<(&SessionLog, &mut Advisor), Added<Learner>>,
) {
    let table = strategies.table();
    for (log, mut advisor) in &mut newcomers {
        for body in &log.0 {
            match body {
                EventBody::Decided(decision) => {
                    let at = Duration::try_from_secs_f64(decision.at).unwrap_or_default();
                    advisor.clock = advisor.clock.max(at);
                    let memory = advisor.memory.get_or_insert_with(|| Memory::new(table));
                    memory.recall(decision, table);
                }
                EventBody::CommandApplied { command, .. }
                    if command.principal <= Principal::Instructor =>
                {
                    note(&mut advisor, command, table);
                }
                _ => {}
            }
        }
    }
}

/// What is new, and what somebody else set.
pub(super) fn hear(
    strategies: Res<Strategies>,
    mut folded: MessageReader<Folded>,
    mut answered: MessageReader<CommandAnswered>,
    mut learners: Query<(&Learner, &mut Advisor)>,
) {
    for Folded { learner, event } in folded.read() {
        let Ok((_, mut advisor)) = learners.get_mut(*learner) else {
            continue;
        };
        match &event.body {
            EventBody::Attempted(_) | EventBody::Observed { .. } | EventBody::Told { .. } => {
                advisor.due = true;
            }
            EventBody::CommandApplied { command, .. } => {
                if command.body == CommandBody::EndBreak {
                    advisor.since_break = Duration::ZERO;
                }
                note(&mut advisor, command, strategies.table());
            }
            _ => {}
        }
    }
    for CommandAnswered { command, outcome } in answered.read() {
        let found = learners
            .iter_mut()
            .find(|(learner, _)| learner.id == command.learner);
        let Some((_, mut advisor)) = found else {
            continue;
        };
        let place = advisor
            .under_way
            .iter()
            .position(|(id, _)| *id == command.id);
        if let Some(place) = place {
            let (_, rule) = advisor.under_way.swap_remove(place);
            if let (Outcome::Refused(_), Some(memory)) = (outcome, &mut advisor.memory) {
                memory.refused(rule, strategies.table());
            }
        }
    }
}

/// What no rule gave is remembered as somebody's word.
fn note(advisor: &mut Advisor, command: &Command, table: &Checked) {
    let given_by_a_rule = advisor.under_way.iter().any(|(id, _)| *id == command.id);
    let (Some(lever), false) = (command.body.lever(), given_by_a_rule) else {
        return;
    };
    let now = advisor.clock.as_secs_f64();
    let memory = advisor.memory.get_or_insert_with(|| Memory::new(table));
    memory.note(lever, command.principal, now, table);
}

/// Asks the rules, and passes on what they want.
pub(super) fn advise(
    strategies: Res<Strategies>,
    foresight: Res<Foresight>,
    lesson: Option<Res<ActiveLesson>>,
    agreements: Res<Agreements>,
    mut learners: Query<(
        Entity,
        &Learner,
        &LearnerState,
        &Watch,
        &mut Advisor,
        &mut Outlook,
        &Age,
    )>,
    mut happened: MessageWriter<Happened>,
    mut requests: MessageWriter<CommandRequested>,
) {
    let Some(lesson) = lesson else { return };
    let table = strategies.table();
    for (entity, learner, state, watch, mut advisor, mut outlook, age) in &mut learners {
        let step = state.step.as_ref().and_then(|step| lesson.step(step));
        let Some(step) = step.filter(|_| advisor.due && running(state)) else {
            continue;
        };
        let advisor = &mut *advisor;
        advisor.due = false;
        let (view, soon) = view(&lesson.lesson, step, state, watch, advisor, &foresight.0);
        // Whose data may not be used is not foreseen either.
        let (view, soon) = if state.is_restricted() {
            (view.for_safety_only(), None)
        } else {
            (view, soon)
        };
        outlook.set_if_neq(Outlook(soon));
        let now = advisor.clock.as_secs_f64();
        let memory = advisor
            .memory
            .get_or_insert_with(|| Memory::going_on(table, state.decisions));
        // Drawing among equals is an experiment, which has to be agreed to.
        let agreed = agreements.standing(learner.id, *age, state, unix_ms());
        let draw = allows(ConsentScope::HoldOut, &agreed)
            .then(|| Draw::of(state.seed, memory.decisions()));
        let choice = choose(table, memory, &view, now, draw);
        let Some(decision) = explain(table, &choice, &view, &models()) else {
            continue;
        };
        for (pick, chosen) in choice.picks.iter().zip(&decision.chosen) {
            let command = command_of(learner, pick, &decision, &chosen.because);
            advisor.under_way.push((command.id, pick.rule));
            requests.write(CommandRequested(command));
        }
        let too_many = advisor.under_way.len().saturating_sub(UNDER_WAY);
        advisor.under_way.drain(..too_many);
        happened.write(Happened {
            learner: entity,
            body: EventBody::Decided(decision),
        });
    }
}

fn command_of(learner: &Learner, pick: &Pick, decision: &Decision, because: &str) -> Command {
    let taken_back = if pick.fading {
        "no longer needed: "
    } else {
        ""
    };
    Command {
        id: CommandId::fresh(),
        learner: learner.id,
        principal: pick.principal,
        asker: None,
        purpose: format!("decision {}: {taken_back}{because}", decision.number),
        body: CommandBody::from(pick.action),
        trace: None,
    }
}

/// What a decision rests on, for the log: names and versions.
#[must_use]
pub fn models() -> [String; 1] {
    [format!("five {}", env!("CARGO_PKG_VERSION"))]
}

/// What is known now: what the models say, and the facts of the scene.
fn view(
    lesson: &Lesson,
    step: &Step,
    state: &LearnerState,
    watch: &Watch,
    advisor: &Advisor,
    predictor: &Predictor,
) -> (View, Option<Prediction>) {
    let adapted = &state.adapted;
    let flag = |yes: bool| f64::from(u8::from(yes));
    let support = adapted.support.map_or(0, |(_, level, _)| level);
    let done = lesson
        .steps
        .iter()
        .filter(|step| state.completed.iter().any(|done| done.step == step.id))
        .count();
    let hints = step
        .hints
        .len()
        .saturating_sub(usize::from(state.hint_level));
    let scene = View::default()
        .measured(Feature::ComfortPutAside, flag(adapted.comfort_put_aside))
        .measured(Feature::SinceBreak, advisor.since_break.as_secs_f64())
        .measured(
            Feature::Completion,
            done as f64 / lesson.steps.len().max(1) as f64,
        )
        .measured(Feature::Failures, f64::from(watch.failures))
        .measured(Feature::Successes, f64::from(watch.successes))
        .measured(Feature::Hesitation, watch.hesitated.as_secs_f64())
        .measured(Feature::HintsLeft, hints as f64)
        .measured(Feature::SupportLevel, f64::from(support))
        .measured(Feature::Difficulty, adapted.difficulty)
        .measured(Feature::Pace, adapted.pace);
    let numbers = state.models.numbers(&lesson.id, &step.evidence_for);
    let difficulty = Estimate {
        mean: adapted.logits(),
        variance: 0.0,
    };
    state.models.view(&numbers, difficulty, &scene, predictor)
}
