//! Commands one after the other: decided on the state that the one before it left, done once, answered always.

use std::collections::{HashMap, VecDeque};

use bevy::prelude::*;

use super::adapted::Able;
use super::advise::Advisor;
use super::by_hand::{self, Ground};
use super::decide::{Effect, Standing, decide, reading_time};
use super::watch::Watch;
use super::{MessageShown, Strategies};
use crate::learning::skill::SkillId;
use crate::learning::strategy::action::Action;
use crate::lesson::{ActiveLesson, Loaded, Shelf};
use crate::protocol::command::{Command, CommandBody, MAX_MESSAGE_CHARS, Outcome, Refusal};
use crate::protocol::event::{EndReason, EventBody, PauseCause, Told};
use crate::protocol::ids::{CommandId, SessionId};
use crate::session::join::started;
use crate::session::standing::{self, Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::{
    CommandAnswered, CommandRequested, Happened, Learner, NextSession, OtherWay, PointedOut,
    SessionLog, Way, WayChanged, unix_ms,
};

/// Commands not decided yet. The doors that write them are bounded; nothing piles up here.
#[derive(Resource, Debug, Default)]
pub(super) struct Waiting(VecDeque<Command>);

/// What became of the latest commands, so that one sent twice is carried out once and answered twice.
#[derive(Resource, Debug, Default)]
pub(super) struct Answers {
    outcomes: HashMap<CommandId, Outcome>,
    order: VecDeque<CommandId>,
}

impl Answers {
    /// A client repeats a command within seconds; a thousand others in between do not happen.
    const KEPT: usize = 1024;

    pub(super) fn note(&mut self, id: CommandId, outcome: Outcome) {
        if self.outcomes.insert(id, outcome).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > Self::KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.outcomes.remove(&oldest);
        }
    }

    fn of(&self, id: CommandId) -> Option<&Outcome> {
        self.outcomes.get(&id)
    }
}

/// A command carried out before the process was restarted is not carried out again.
pub(super) fn recall_answers(
    newcomers: Query<&SessionLog, Added<Learner>>,
    mut answers: ResMut<Answers>,
) {
    for body in newcomers.iter().flat_map(|log| &log.0) {
        match body {
            EventBody::CommandApplied { command, .. } => {
                let effect = "this was done before the program was restarted".to_owned();
                answers.note(command.id, Outcome::Applied { effect });
            }
            EventBody::CommandRefused { command, refusal } => {
                answers.note(command.id, Outcome::Refused(refusal.clone()));
            }
            _ => {}
        }
    }
}

pub(super) fn queue_commands(
    mut requests: MessageReader<CommandRequested>,
    mut waiting: ResMut<Waiting>,
) {
    waiting
        .0
        .extend(requests.read().map(|request| request.0.clone()));
}

/// At most one change per learner and frame, so that each command meets the state that the last one left.
pub(super) fn carry_out(
    mut commands: Commands,
    time: Res<Time<Real>>,
    (lesson, shelf, mut strategies): (
        Option<Res<ActiveLesson>>,
        Option<Res<Shelf>>,
        ResMut<Strategies>,
    ),
    agreements: Res<Agreements>,
    learners: Query<(
        Entity,
        &Learner,
        &LearnerState,
        &Watch,
        &Advisor,
        &OtherWay,
        &Age,
    )>,
    mut waiting: ResMut<Waiting>,
    mut answers: ResMut<Answers>,
    mut answered: MessageWriter<CommandAnswered>,
    mut happened: MessageWriter<Happened>,
    mut turned: MessageWriter<WayChanged>,
    mut changed: Local<Vec<Entity>>,
) {
    changed.clear();
    for _ in 0..waiting.0.len() {
        let Some(command) = waiting.0.pop_front() else {
            break;
        };
        if let Some(outcome) = answers.of(command.id) {
            let outcome = outcome.clone();
            answered.write(CommandAnswered { command, outcome });
            continue;
        }
        let found = learners
            .iter()
            .find(|(_, learner, ..)| learner.id == command.learner);
        let span = command.trace.map(|trace| {
            info_span!("command", trace_id = trace.trace_id(), parent = trace.parent_id(), id = %command.id)
        });
        let _within = span.as_ref().map(tracing::Span::enter);
        let Some((learner, who, state, watch, advisor, other_way, age)) = found else {
            let refusal = Refusal::NoSuchLearner {
                learner: command.learner,
            };
            let outcome = Outcome::Refused(refusal);
            answered.write(CommandAnswered { command, outcome });
            continue;
        };
        if changed.contains(&learner) {
            waiting.0.push_back(command);
            continue;
        }
        let step = match (&lesson, &state.step) {
            (Some(lesson), Some(step)) if !state.ended => lesson.step(step),
            _ => None,
        };
        let standing = Standing {
            lesson: lesson.as_deref().map(|lesson| lesson.lesson.as_ref()),
            ended: state.ended,
            step,
            hint_level: state.hint_level,
            paused_by: &state.paused_by,
            since_instructor: watch.since_instructor,
            adapted: &state.adapted,
            able: able(*other_way, state),
            holder: advisor.holder(&command.body),
            restricted: state.is_restricted(),
        };
        let agreed = agreements.standing(who.id, *age, state, unix_ms());
        let ground = Ground {
            state,
            strategies: &strategies,
            lesson: lesson.as_deref(),
            shelf: shelf.as_deref(),
        };
        let tried = match &command.body {
            CommandBody::Try { body } => Some(Command {
                body: (**body).clone(),
                ..command.clone()
            }),
            _ => None,
        };
        let meant = tried.as_ref().unwrap_or(&command);
        let decided = standing::decide(meant, &agreed, state.seq)
            .map(|about_rights| {
                about_rights.map(|(body, words)| (Effect::Agreed(Box::new(body)), words))
            })
            .or_else(|| by_hand::decide(meant, &standing, &ground));
        let decided = match (decided, &tried) {
            (None, _) => decide(&command, &standing),
            (Some(decided), None) => decided,
            (Some(decided), Some(_)) => {
                decided.map(|(_, words)| (Effect::Nothing, format!("would be done: {words}")))
            }
        };
        // What a span is of is only told with what happens in it; and here no words of anybody's.
        debug!(carried_out = decided.is_ok(), "answered");
        let beginning = match &decided {
            Ok((Effect::Begin(id), _)) => ground.lesson_named(id).cloned(),
            _ => None,
        };
        let outcome = match decided {
            Ok((Effect::Nothing, words)) => {
                // Not noted either: tried and then done are two answers to one question.
                let outcome = Outcome::Applied { effect: words };
                answered.write(CommandAnswered { command, outcome });
                continue;
            }
            Err(refusal) if matches!(command.body, CommandBody::Try { .. }) => {
                let outcome = Outcome::Refused(refusal);
                answered.write(CommandAnswered { command, outcome });
                continue;
            }
            Ok((effect, words)) => {
                changed.push(learner);
                let hint_level = match effect {
                    Effect::Hint(level) => Some(level),
                    _ => None,
                };
                happened.write(Happened {
                    learner,
                    body: EventBody::CommandApplied {
                        command: Box::new(command.clone()),
                        hint_level,
                    },
                });
                match effect {
                    Effect::Adapt(Action::Rest) => {
                        happened.write(Happened {
                            learner,
                            body: EventBody::Paused {
                                by: PauseCause::Break,
                            },
                        });
                    }
                    Effect::EndBreak => {
                        happened.write(Happened {
                            learner,
                            body: EventBody::Resumed {
                                by: PauseCause::Break,
                            },
                        });
                    }
                    Effect::Adapt(Action::Review) => {
                        let text = reviews(state, lesson.as_deref());
                        let until = time.elapsed() + reading_time(&text);
                        commands
                            .entity(learner)
                            .insert(MessageShown { text, until });
                    }
                    Effect::Adapt(Action::Vary { by, .. }) => {
                        let way = Way::Form(by);
                        turned.write(WayChanged { learner, way });
                    }
                    Effect::Adapt(Action::ChangeApproach | Action::MoveOn) => {
                        let way = Way::Step;
                        turned.write(WayChanged { learner, way });
                    }
                    // The event alone changes the state, and everything else follows the state.
                    Effect::Hint(_)
                    | Effect::Adapt(_)
                    | Effect::Scene
                    | Effect::Noted
                    | Effect::Nothing => {}
                    Effect::Policy(patch) => {
                        // It was tried when it was decided.
                        if let Ok(next) = strategies.patched(&patch) {
                            *strategies = next;
                        }
                    }
                    Effect::Begin(_) => {
                        if let Some(lesson) = beginning {
                            begin(&mut commands, learner, state.ended, lesson, &mut happened);
                        }
                    }
                    Effect::Score(criterion, value) => {
                        happened.write(Happened {
                            learner,
                            body: EventBody::Told {
                                by: command.principal,
                                about: Told::Criterion(criterion),
                                value,
                            },
                        });
                    }
                    Effect::PointAt(object, lasts) => {
                        let until = time.elapsed() + lasts;
                        commands
                            .entity(learner)
                            .insert(PointedOut { object, until });
                    }
                    Effect::End => {
                        happened.write(Happened {
                            learner,
                            body: EventBody::SessionEnded {
                                reason: EndReason::Instructor,
                            },
                        });
                    }
                    Effect::Pause(by) => {
                        happened.write(Happened {
                            learner,
                            body: EventBody::Paused { by },
                        });
                    }
                    Effect::Resume(by) => {
                        happened.write(Happened {
                            learner,
                            body: EventBody::Resumed { by },
                        });
                    }
                    Effect::Agreed(body) => {
                        happened.write(Happened {
                            learner,
                            body: *body,
                        });
                    }
                    Effect::Message(text) => {
                        let until = time.elapsed() + reading_time(&text);
                        commands
                            .entity(learner)
                            .insert(MessageShown { text, until });
                    }
                }
                Outcome::Applied { effect: words }
            }
            Err(refusal) => {
                happened.write(Happened {
                    learner,
                    body: EventBody::CommandRefused {
                        command: Box::new(command.clone()),
                        refusal: refusal.clone(),
                    },
                });
                Outcome::Refused(refusal)
            }
        };
        debug!(
            done = matches!(outcome, Outcome::Applied { .. }),
            "command answered"
        );
        answers.note(command.id, outcome.clone());
        answered.write(CommandAnswered { command, outcome });
    }
}

/// Ends the session that runs, and begins one of this lesson.
fn begin(
    commands: &mut Commands,
    learner: Entity,
    ended: bool,
    lesson: Loaded,
    happened: &mut MessageWriter<Happened>,
) {
    if !ended {
        let reason = EndReason::Instructor;
        let body = EventBody::SessionEnded { reason };
        happened.write(Happened { learner, body });
    }
    let session = SessionId::fresh();
    let body = started(session, &lesson.lesson, &lesson.digest);
    commands
        .entity(learner)
        .insert(NextSession { session, lesson });
    happened.write(Happened { learner, body });
}

/// What the learner would do well to go over again, as they read it.
fn reviews(state: &LearnerState, lesson: Option<&ActiveLesson>) -> String {
    let title = |id: &SkillId| {
        let skills = lesson.map(|lesson| lesson.lesson.skills.iter());
        let skill = skills.and_then(|mut skills| skills.find(|skill| skill.id == *id));
        skill.map_or_else(|| id.to_string(), |skill| skill.title.clone())
    };
    let due: Vec<String> = state
        .models
        .due_after(0)
        .iter()
        .map(|(_, id)| title(id))
        .collect();
    let text = format!("Worth going over again today: {}.", due.join("; "));
    text.chars().take(MAX_MESSAGE_CHARS).collect()
}

/// What the lesson has means for: tolerances, times and hints belong to every lesson, other ways and forms to some.
fn able(other: OtherWay, state: &LearnerState) -> Able {
    Able {
        difficulty: true,
        pace: true,
        support: true,
        breaks: true,
        variety: other.form,
        more_to_do: other.fuller,
        approach: other.step,
        move_on: other.step,
        review: state.models.five().review_due(),
        instructor: true,
    }
}
