//! Watching over a learner: what the hint ladder needs to know, from the folded events and the time that passes.

use std::time::Duration;

use bevy::prelude::*;

use super::Strategies;
use crate::learning::hints::{HintAction, HintReason, HintRules, HintView, hint};
use crate::lesson::ActiveLesson;
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::event::EventBody;
use crate::protocol::ids::CommandId;
use crate::session::clock::LONGEST_FRAME;
use crate::session::state::LearnerState;
use crate::session::{CommandRequested, Folded, Learner, Stirred};

/// What has been seen of a learner on the running step. Times leave pauses out.
#[derive(Component, Debug, Default)]
pub(super) struct Watch {
    pub failures: u32,
    pub successes: u32,
    pub hesitated: Duration,
    since_hint: Option<Duration>,
    /// Time since the instructor last gave or took a hint on this step.
    pub since_instructor: Option<Duration>,
}

/// Learns from the events; a step begins with a clean slate, a hint with a new count.
pub(super) fn remember_events(mut events: MessageReader<Folded>, mut learners: Query<&mut Watch>) {
    for folded in events.read() {
        let Ok(mut watch) = learners.get_mut(folded.learner) else {
            continue;
        };
        match &folded.event.body {
            EventBody::StepEntered { .. } | EventBody::SessionStarted { .. } => {
                *watch = Watch::default();
            }
            EventBody::Attempted(attempt) => {
                watch.hesitated = Duration::ZERO;
                if attempt.correct {
                    watch.failures = 0;
                    watch.successes += 1;
                } else {
                    watch.failures += 1;
                    watch.successes = 0;
                }
            }
            EventBody::CommandApplied {
                command,
                hint_level: Some(_),
            } => {
                let since_instructor = match command.principal {
                    Principal::Instructor => Some(Duration::ZERO),
                    _ => watch.since_instructor,
                };
                *watch = Watch {
                    since_hint: Some(Duration::ZERO),
                    since_instructor,
                    ..Watch::default()
                };
            }
            _ => {}
        }
    }
}

/// Who takes the right thing in hand does not hesitate, even before it is an attempt.
pub(super) fn notice_stirring(
    mut stirred: MessageReader<Stirred>,
    mut learners: Query<&mut Watch>,
) {
    for Stirred { learner } in stirred.read() {
        if let Ok(mut watch) = learners.get_mut(*learner) {
            watch.hesitated = Duration::ZERO;
        }
    }
}

/// Time counts only while a step runs.
pub(super) fn let_time_pass(
    time: Res<Time<Real>>,
    mut learners: Query<(&LearnerState, &mut Watch)>,
) {
    let passed = time.delta().min(LONGEST_FRAME);
    for (state, mut watch) in &mut learners {
        if !running(state) {
            continue;
        }
        watch.hesitated += passed;
        watch.since_hint = watch.since_hint.map(|since| since + passed);
        watch.since_instructor = watch.since_instructor.map(|since| since + passed);
    }
}

pub(super) fn running(state: &LearnerState) -> bool {
    state.step.is_some() && !state.ended && state.paused_by.is_empty()
}

/// The rule speaks; what it advises goes the way of every command.
pub(super) fn climb_the_ladder(
    strategies: Res<Strategies>,
    lesson: Option<Res<ActiveLesson>>,
    mut learners: Query<(&Learner, &LearnerState, &mut Watch)>,
    mut requests: MessageWriter<CommandRequested>,
) {
    let Some(lesson) = lesson else { return };
    for (learner, state, mut watch) in &mut learners {
        let climbs = running(state) && !state.is_restricted();
        let Some(step) = state.step.as_ref().filter(|_| climbs) else {
            continue;
        };
        let Some(step) = lesson.step(step) else {
            continue;
        };
        let view = HintView {
            failures: watch.failures,
            successes: watch.successes,
            hesitated: watch.hesitated.as_secs_f64(),
            rung: state.hint_level,
            rungs: u8::try_from(step.hints.len()).unwrap_or(u8::MAX),
            since_hint: watch.since_hint.map(|since| since.as_secs_f64()),
            wanted: false,
        };
        let rules = HintRules {
            // Who is given more time is given more time to think, too.
            hesitation: strategies.table().hints().hesitation / state.adapted.pace.max(0.1),
            ..*strategies.table().hints()
        };
        // Guidance in place shows its hint from the start of a step, unless the instructor took it away.
        let guided = state.adapted.guidance().min(view.rungs);
        let fresh = watch.since_hint.is_none() && watch.since_instructor.is_none();
        let (body, purpose) = if fresh && guided > state.hint_level {
            watch.since_hint = Some(Duration::ZERO);
            let level = Some(guided);
            (
                CommandBody::GiveHint { level },
                "guidance is in place".to_owned(),
            )
        } else if let Some(advice) =
            hint(&rules, &view).filter(|_| state.preferences.hints_by_themselves)
        {
            let body = match advice.action {
                HintAction::Offer(level) => {
                    // Also where it is refused: ask again only after the cool-down.
                    watch.since_hint = Some(Duration::ZERO);
                    CommandBody::GiveHint { level: Some(level) }
                }
                HintAction::Fade => {
                    watch.successes = 0;
                    CommandBody::FadeHint
                }
            };
            (body, in_words(advice.because))
        } else {
            continue;
        };
        requests.write(CommandRequested(Command {
            id: CommandId::fresh(),
            learner: learner.id,
            principal: Principal::Automatic,
            asker: None,
            purpose: format!("hint ladder, step `{}`: {purpose}", step.id),
            body,
            trace: None,
        }));
    }
}

fn in_words(reason: HintReason) -> String {
    match reason {
        HintReason::Asked => "asked for".to_owned(),
        HintReason::Failures(n) => format!("{n} wrong attempts"),
        HintReason::Hesitation(seconds) => format!("{:.0} s without progress", seconds.floor()),
        HintReason::Successes(_) => "it went right".to_owned(),
    }
}
