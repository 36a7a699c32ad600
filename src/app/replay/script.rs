//! A learner's log as a script: what has to be done again in which frame, and what should come of it.
//!
//! In: events. Out: one [`Stretch`] for each run of the program, its frames as they were. What a person, the headset, the
//! scene or an instructor did is an input; what the program made of it (attempts, steps, decisions, help) is left out and
//! has to come out again.

use std::time::Duration;

use crate::lesson::format::{Action, Lesson, PanelContent};
use crate::protocol::command::{Command, Principal};
use crate::protocol::event::{
    Attempt, EndReason, Event, EventBody, Evidence, FrameTime, PauseCause,
};
use crate::protocol::ids::{LessonId, SessionId, StepId};
use crate::task::judge::{Deed, Fit};

/// From a beginning or a resumption to the next: one run of the program.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    /// Everything in the log before.
    pub before: &'a [Event],
    pub session: SessionId,
    /// Of the session, also where this stretch resumes it.
    pub lesson: &'a LessonId,
    pub digest: &'a str,
    /// The step that ran when it began, where it resumes a session.
    pub running: Running,
    /// In which something happened, in order.
    pub frames: Vec<Frame<'a>>,
    /// Events that no frame is known of: of an earlier edition of this program, or of the moment in which it was killed.
    pub untimed: Vec<u64>,
}

/// A frame in which something happened.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub time: &'a FrameTime,
    /// In order, without the one that times them.
    pub events: &'a [Event],
    pub timed: &'a Event,
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From outside: it is given to the replay.
    Given,
    /// From the program: it has to come out.
    Made,
}

/// The log, cut where the program began.
pub(super) fn cut(events: &[Event]) -> Vec<Stretch<'_>> {
    let begins = |event: &Event| {
        matches!(
            event.body,
            EventBody::SessionStarted { .. } | EventBody::SessionResumed
        )
    };
    let places: Vec<usize> = (0..)
        .zip(events)
        .filter_map(|(place, event)| begins(event).then_some(place))
        .collect();
    let mut stretches = Vec::new();
    let mut started = None;
    for (n, &from) in places.iter().enumerate() {
        let to = places.get(n + 1).copied().unwrap_or(events.len());
        let (Some(before), Some(own)) = (events.get(..from), events.get(from..to)) else {
            continue;
        };
        let Some(first) = own.first() else { continue };
        if let EventBody::SessionStarted {
            lesson,
            lesson_digest,
            ..
        } = &first.body
        {
            started = Some((lesson, lesson_digest.as_str()));
        }
        let Some((lesson, digest)) = started else {
            continue;
        };
        let mut running = Running(None);
        before.iter().for_each(|event| running.follow(&event.body));
        let (frames, untimed) = frames(own);
        stretches.push(Stretch {
            before,
            session: first.session,
            lesson,
            digest,
            running,
            frames,
            untimed,
        });
    }
    stretches
}

fn frames(own: &[Event]) -> (Vec<Frame<'_>>, Vec<u64>) {
    let (mut frames, mut untimed) = (Vec::new(), Vec::new());
    let mut begun = 0;
    for (place, timed) in own.iter().enumerate() {
        let EventBody::Timed(time) = &timed.body else {
            continue;
        };
        // What is not counted to the frame came before it from elsewhere: it is given in the frame.
        let counted = usize::try_from(time.events).unwrap_or(usize::MAX);
        if let Some(events) = own.get(begun..place)
            && events.len() >= counted
        {
            frames.push(Frame {
                time,
                events,
                timed,
            });
        } else {
            untimed.extend(
                own.get(begun..=place)
                    .unwrap_or_default()
                    .iter()
                    .map(|it| it.seq),
            );
        }
        begun = place + 1;
    }
    let rest = own.get(begun..).unwrap_or_default();
    // A consent given at a desk, a note: nothing of the lesson.
    let of_lesson = rest
        .iter()
        .filter(|event| event.session == own_session(own));
    untimed.extend(of_lesson.map(|event| event.seq));
    (frames, untimed)
}

fn own_session(own: &[Event]) -> SessionId {
    own.first()
        .map_or(SessionId(uuid::Uuid::nil()), |event| event.session)
}

/// The step that runs, as events pass.
#[derive(Debug, Default, Clone)]
pub(super) struct Running(pub Option<StepId>);

impl Running {
    pub fn follow(&mut self, body: &EventBody) {
        match body {
            EventBody::StepEntered { step, .. } => self.0 = Some(step.clone()),
            EventBody::SessionStarted { .. } | EventBody::SessionEnded { .. } => self.0 = None,
            _ => {}
        }
    }
}

/// Whether an event is given or made. `running`: the step that ran when it happened.
pub(super) fn origin(body: &EventBody, lesson: &Lesson, running: &Running) -> Origin {
    let made = match body {
        EventBody::StepEntered { .. }
        | EventBody::StepCompleted { .. }
        | EventBody::Attempted(_)
        | EventBody::Decided(_)
        | EventBody::CommandApplied { .. }
        | EventBody::CommandRefused { .. }
        | EventBody::Timed(_)
        | EventBody::SessionEnded {
            reason: EndReason::LessonCompleted,
        } => true,
        // They follow a command; what the headset does follows none.
        EventBody::Paused { by } | EventBody::Resumed { by } => *by != PauseCause::Runtime,
        EventBody::Told { .. } => rating(body, lesson, running).is_some(),
        EventBody::SessionStarted { .. }
        | EventBody::SessionResumed
        | EventBody::Observed { .. }
        | EventBody::SessionEnded { .. }
        | EventBody::LifeChanged { .. }
        | EventBody::ConsentGiven(_)
        | EventBody::ConsentWithdrawn(_)
        | EventBody::AmendmentNoted(_)
        | EventBody::ProcessingRestricted { .. }
        | EventBody::RestrictionLifted { .. }
        | EventBody::Disclosed(_) => false,
    };
    if made { Origin::Made } else { Origin::Given }
}

/// The command behind an event, where somebody gave it: the rules give theirs again.
pub(super) fn asked(body: &EventBody) -> Option<&Command> {
    match body {
        EventBody::CommandApplied { command, .. } | EventBody::CommandRefused { command, .. } => {
            let by_rules = matches!(command.principal, Principal::Automatic | Principal::Safety);
            (!by_rules).then_some(command)
        }
        _ => None,
    }
}

/// What was done, as far as the log tells it; `None`: the event is of nothing done.
pub(super) fn deed(body: &EventBody, lesson: &Lesson, running: &Running) -> Option<Deed> {
    match body {
        EventBody::Attempted(attempt) => tried(attempt, lesson),
        EventBody::Told { .. } => rating(body, lesson, running),
        _ => None,
    }
}

fn tried(attempt: &Attempt, lesson: &Lesson) -> Option<Deed> {
    Some(match &attempt.evidence {
        // The step says for how long; it was long enough.
        Evidence::Looked { object } => Deed::Looked {
            object: object.clone(),
            held: f32::MAX,
        },
        Evidence::Touched { object } => Deed::Touched {
            object: object.clone(),
        },
        Evidence::Grabbed { object } => Deed::Grabbed {
            object: object.clone(),
        },
        Evidence::Placed { object, socket } => Deed::Released {
            object: object.clone(),
            fit: socket.clone().map(|socket| Fit {
                socket,
                accepted: attempt.correct,
                // Told where they were asked for; elsewhere they count for nothing.
                position_error: attempt.position_error.unwrap_or(0.0),
                rotation_error: attempt.rotation_error.unwrap_or(0.0),
            }),
        },
        Evidence::Thrown { object, speed, hit } => {
            let step = lesson.steps.iter().find(|step| step.id == attempt.step);
            let anywhere = matches!(
                step.map(|step| &step.action),
                Some(Action::Throw { at: None, .. })
            );
            let (object, speed) = (object.clone(), *speed);
            if anywhere {
                Deed::Thrown { object, speed }
            } else {
                Deed::Landed {
                    object,
                    speed,
                    hit: hit.clone(),
                }
            }
        }
        Evidence::Pressed { object } => Deed::Pressed {
            object: object.clone(),
        },
        Evidence::Teleported { object } => Deed::Teleported {
            spot: object.clone(),
        },
        Evidence::Answered { panel, choice } => Deed::Answered {
            panel: panel.clone(),
            choice: *choice,
        },
        // Time passes again.
        Evidence::TimedOut => return None,
        // Nobody did anything.
        Evidence::Simulated => return None,
    })
}

/// What the learner chose on the panel of a step that asks how they are.
fn rating(body: &EventBody, lesson: &Lesson, running: &Running) -> Option<Deed> {
    let EventBody::Told {
        by: Principal::Learner,
        value,
        ..
    } = body
    else {
        return None;
    };
    let step = lesson
        .steps
        .iter()
        .find(|step| Some(&step.id) == running.0.as_ref())?;
    let Action::Rate { panel } = &step.action else {
        return None;
    };
    let content = lesson.panels.iter().find(|it| it.id == *panel)?;
    let PanelContent::Rating { choices, .. } = &content.content else {
        return None;
    };
    let last = choices.len().saturating_sub(1) as f64;
    Some(Deed::Answered {
        panel: panel.clone(),
        // In 0..=last.
        choice: (value * last).round().max(0.0) as u32,
    })
}

/// A time of the log.
pub(super) fn ns(at: u64) -> Duration {
    Duration::from_nanos(at)
}
