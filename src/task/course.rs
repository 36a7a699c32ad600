//! A learner's way through the lesson as far as judging needs it: the running step, its clock, its mistakes.
//!
//! Plain data and plain functions: a deed goes in, events for the log come out.

use std::collections::BTreeSet;
use std::time::Duration;

use bevy::prelude::*;

use super::deeds::Deeds;
use super::judge::{Deed, Verdict, judge, judge_among, rating};
use super::leeway::Leeway;
use crate::learning::quality::Quality;
use crate::lesson::format::{Action, Lesson, OnFailure, Step};
use crate::lesson::graph::Progress;
use crate::protocol::blur::Blurs;
use crate::protocol::command::{Principal, Variety};
use crate::protocol::event::{Attempt, EndReason, EventBody, Evidence, Told};
use crate::protocol::ids::{AttemptId, ObjectId, StepId};
use crate::session::clock::LONGEST_FRAME;
use crate::session::state::LearnerState;

/// Where a learner stands.
#[derive(Component, Debug)]
pub(super) struct Course {
    progress: Progress,
    /// The step last entered in the log.
    entered: Option<StepId>,
    /// Objects taken wrongly on this step.
    mistaken: BTreeSet<ObjectId>,
    /// Wrong attempts on this step.
    failures: u32,
    /// Time on this step, pauses left out.
    on_step: Duration,
    /// Time since the step began or the last attempt on it, pauses left out.
    since_attempt: Duration,
    /// How far the hardware can be trusted now.
    pub quality: Quality,
    /// What is seen less well now.
    pub blurred: Blurs,
    /// How the lesson is adapted now.
    pub leeway: Leeway,
}

impl Course {
    /// The course as the log left it.
    pub fn from_log(lesson: &Lesson, state: &LearnerState, log: &[EventBody]) -> Self {
        Self {
            progress: Progress::replay(&lesson.flow, log),
            entered: state.step.clone(),
            mistaken: BTreeSet::new(),
            failures: state.failures_on_step,
            on_step: Duration::ZERO,
            since_attempt: Duration::ZERO,
            quality: Quality::PERFECT,
            blurred: Blurs::default(),
            leeway: Leeway::of(&state.adapted),
        }
    }

    /// Goes on from where the log ends: a first step is entered, a step that was done but not yet completed when
    /// the process ended is completed, a step that an edited lesson no longer has is left.
    pub fn go_on(&mut self, lesson: &Lesson, log: &[EventBody], events: &mut Vec<EventBody>) {
        let candidates = self.progress.candidates();
        match self
            .entered
            .clone()
            .filter(|step| candidates.contains(step))
        {
            None => self.enter_next(lesson, events),
            Some(step) if done_without_completion(log, &step) => {
                self.complete(lesson, &step, true, events);
            }
            Some(_) => {}
        }
    }

    /// The step that the learner stands before.
    pub fn step<'a>(&self, lesson: &'a Lesson) -> Option<&'a Step> {
        find(lesson, self.entered.as_ref()?)
    }

    /// Whether the deed takes up what the running step asks for.
    pub fn is_about(&self, lesson: &Lesson, deed: &Deed) -> bool {
        let Some(
            Action::Touch { object: asked }
            | Action::Grab { object: asked }
            | Action::Place { object: asked, .. }
            | Action::Throw { object: asked, .. }
            | Action::Press { object: asked },
        ) = self.step(lesson).map(|step| &step.action)
        else {
            return false;
        };
        match deed {
            Deed::Touched { object } | Deed::Grabbed { object } | Deed::Released { object, .. } => {
                object == asked
            }
            _ => false,
        }
    }

    /// Whether the learner could go on otherwise than by the running step.
    pub fn has_other_way(&self) -> bool {
        self.other_way().is_some()
    }

    /// Stands before another step that can be done now.
    pub fn take_other_way(&mut self, lesson: &Lesson, events: &mut Vec<EventBody>) {
        if let Some(step) = self.other_way() {
            self.enter(lesson, step, events);
        }
    }

    /// Whether the running task has another form, as hard as this one; by interaction: one with more to do.
    pub fn has_other_form(&self, by: Variety) -> bool {
        self.other_form(by).is_some()
    }

    /// Stands before that form.
    pub fn take_other_form(&mut self, by: Variety, lesson: &Lesson, events: &mut Vec<EventBody>) {
        if let Some(step) = self.other_form(by) {
            self.enter(lesson, step, events);
        }
    }

    fn other_form(&self, by: Variety) -> Option<StepId> {
        self.progress.other_form(self.entered.as_ref()?, by)
    }

    /// The candidate after the running one; after the last one the first.
    fn other_way(&self) -> Option<StepId> {
        let entered = self.entered.as_ref()?;
        let candidates = self.progress.candidates();
        let place = candidates.iter().position(|step| step == entered)?;
        let next = candidates.iter().cycle().nth(place + 1)?;
        (next != entered).then(|| next.clone())
    }

    /// Time on the running step passes.
    pub fn pass(&mut self, time: Duration) {
        let time = time.min(LONGEST_FRAME);
        self.on_step += time;
        self.since_attempt += time;
    }

    /// A running step that has had its time is a failed attempt; the next try has the whole time again.
    pub fn mind_the_time(&mut self, lesson: &Lesson, hint_level: u8, events: &mut Vec<EventBody>) {
        let Some(step) = self.step(lesson) else {
            return;
        };
        let over = step
            .time_limit
            .map(|limit| self.leeway.time(limit))
            .and_then(|limit| Duration::try_from_secs_f32(limit).ok())
            .is_some_and(|limit| self.since_attempt >= limit);
        if over
            && let Some(verdict) = judge(lesson, step, &Deed::TimedOut, &self.mistaken, self.leeway)
        {
            self.attempt(lesson, step, verdict, hint_level, events);
        }
    }

    /// Stands before the next step, or at the end.
    pub fn enter_next(&mut self, lesson: &Lesson, events: &mut Vec<EventBody>) {
        self.progress.suit(self.leeway.difficulty());
        match self.progress.candidates().first() {
            Some(step) => self.enter(lesson, step.clone(), events),
            None => {
                self.entered = None;
                events.push(EventBody::SessionEnded {
                    reason: EndReason::LessonCompleted,
                });
            }
        }
    }

    fn enter(&mut self, lesson: &Lesson, step: StepId, events: &mut Vec<EventBody>) {
        self.progress.give(&step);
        self.entered = Some(step.clone());
        self.mistaken.clear();
        self.failures = 0;
        self.on_step = Duration::ZERO;
        self.since_attempt = Duration::ZERO;
        let known = find(lesson, &step);
        events.push(EventBody::StepEntered {
            event: known.map(|known| known.event),
            hints: known.map_or(0, |known| {
                u8::try_from(known.hints.len()).unwrap_or(u8::MAX)
            }),
            step,
        });
    }

    /// Takes in a deed. What it counts for is written to `events`; what it does not count for is kept in `deeds`.
    ///
    /// Who is ahead of the lesson is not held back: a thing already in hand, or already in its socket when a step
    /// asks for it, counts as done.
    pub fn meet(
        &mut self,
        lesson: &Lesson,
        deed: Deed,
        hint_level: u8,
        deeds: &mut Deeds,
        events: &mut Vec<EventBody>,
    ) {
        let mut deed = self.clip(deed);
        // Each round completes a step, so there are never more rounds than steps.
        for _ in 0..=lesson.steps.len() {
            match self.count(lesson, &deed, hint_level, events) {
                None => {
                    deeds.keep(deed, false);
                    return;
                }
                Some(Evidence::Touched { .. }) => deeds.keep(deed, true),
                Some(_) => deeds.spend(&deed),
            }
            match self.done_ahead(lesson, deeds) {
                Some(earlier) => deed = earlier,
                None => return,
            }
        }
    }

    /// Looking began, for a step, no earlier than the step.
    fn clip(&self, deed: Deed) -> Deed {
        match deed {
            Deed::Looked { object, held } => Deed::Looked {
                object,
                held: held.min(self.on_step.as_secs_f32()),
            },
            deed => deed,
        }
    }

    /// Judges the deed; returns what it counted as.
    fn count(
        &mut self,
        lesson: &Lesson,
        deed: &Deed,
        hint_level: u8,
        events: &mut Vec<EventBody>,
    ) -> Option<Evidence> {
        let candidates = self.progress.candidates();
        let steps = || candidates.iter().filter_map(|id| find(lesson, id));
        if let Some((step, (about, value))) =
            steps().find_map(|step| Some((step, rating(lesson, step, deed)?)))
        {
            return self.say(lesson, step, deed, about, value, events);
        }
        let steps = steps();
        let (step, verdict) = judge_among(lesson, steps, deed, &self.mistaken, self.leeway)?;
        let evidence = verdict.evidence.clone();
        self.attempt(lesson, step, verdict, hint_level, events);
        Some(evidence)
    }

    /// Takes down what the learner says of themselves. It is no attempt.
    fn say(
        &mut self,
        lesson: &Lesson,
        step: &Step,
        deed: &Deed,
        about: Told,
        value: f64,
        events: &mut Vec<EventBody>,
    ) -> Option<Evidence> {
        let Deed::Answered { panel, choice } = deed else {
            return None;
        };
        if self.entered.as_ref() != Some(&step.id) {
            self.enter(lesson, step.id.clone(), events);
        }
        self.progress.attempted(&step.id, true);
        events.push(EventBody::Told {
            by: Principal::Learner,
            about,
            value,
        });
        self.complete(lesson, &step.id, true, events);
        Some(Evidence::Answered {
            panel: panel.clone(),
            choice: *choice,
        })
    }

    /// A right deed, done before one of the steps asked for it, that still holds.
    fn done_ahead(&self, lesson: &Lesson, deeds: &Deeds) -> Option<Deed> {
        let candidates = self.progress.candidates();
        candidates
            .iter()
            .filter_map(|id| find(lesson, id))
            .find_map(|step| {
                let (object, as_touch) = match &step.action {
                    Action::Touch { object } => (object, true),
                    Action::Grab { object } | Action::Place { object, .. } => (object, false),
                    _ => return None,
                };
                let deed = deeds.done_ahead(object, as_touch)?;
                let one = std::iter::once(step);
                let (_, verdict) = judge_among(lesson, one, deed, &self.mistaken, self.leeway)?;
                verdict.correct.then(|| deed.clone())
            })
    }

    fn attempt(
        &mut self,
        lesson: &Lesson,
        step: &Step,
        verdict: Verdict,
        hint_level: u8,
        events: &mut Vec<EventBody>,
    ) {
        let latency = self.since_attempt;
        let here = self.entered.as_ref() == Some(&step.id);
        if !here {
            self.enter(lesson, step.id.clone(), events);
        }
        let correct = verdict.correct;
        self.progress.attempted(&step.id, correct);
        if let (false, Evidence::Grabbed { object }) = (correct, &verdict.evidence) {
            self.mistaken.insert(object.clone());
        }
        events.push(EventBody::Attempted(Attempt {
            id: AttemptId::fresh(),
            step: step.id.clone(),
            skills: step.evidence_for.clone(),
            correct,
            credit: verdict.credit,
            latency,
            hints_used: if here { hint_level } else { 0 },
            position_error: verdict.position_error,
            rotation_error: verdict.rotation_error,
            quality: self.quality,
            blurred: self.blurred,
            evidence: verdict.evidence,
        }));
        self.since_attempt = Duration::ZERO;
        if correct {
            self.complete(lesson, &step.id, true, events);
            return;
        }
        self.failures += 1;
        match step.on_failure {
            OnFailure::GoOnAfter { failures } if self.failures >= failures => {
                self.complete(lesson, &step.id, false, events);
            }
            _ => {}
        }
    }

    fn complete(
        &mut self,
        lesson: &Lesson,
        step: &StepId,
        achieved: bool,
        events: &mut Vec<EventBody>,
    ) {
        for passed in self.progress.completed(step) {
            events.push(EventBody::StepCompleted {
                step: passed,
                skipped: true,
            });
        }
        events.push(EventBody::StepCompleted {
            step: step.clone(),
            skipped: !achieved,
        });
        self.enter_next(lesson, events);
    }
}

/// Whether the last word on the step is a right attempt.
fn done_without_completion(log: &[EventBody], asked: &StepId) -> bool {
    let last = log.iter().rev().find(|body| match body {
        EventBody::StepEntered { step, .. } | EventBody::StepCompleted { step, .. } => {
            step == asked
        }
        EventBody::Attempted(attempt) => attempt.step == *asked,
        _ => false,
    });
    matches!(last, Some(EventBody::Attempted(attempt)) if attempt.correct)
}

fn find<'a>(lesson: &'a Lesson, id: &StepId) -> Option<&'a Step> {
    lesson.steps.iter().find(|step| step.id == *id)
}
