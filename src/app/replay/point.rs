//! A point of a log, from which simulated learners go on: what was known there, and how things stood.

use std::error::Error;
use std::time::Duration;

use crate::app::cli::ReplayArgs;
use crate::learning::hints::HintView;
use crate::learning::simulated::mind::{RUNGS, Setting};
use crate::learning::simulated::run::Start;
use crate::learning::simulated::scene::Scene;
use crate::learning::strategy::check::Checked;
use crate::learning::strategy::memory::Memory;
use crate::protocol::command::{CommandBody, Principal};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::SessionId;
use crate::session::state::LearnerState;

/// A point of the log.
pub(super) struct Point<'a> {
    pub events: &'a [Event],
    /// Seconds since the session began.
    pub at: f64,
    /// Seconds until the next attempt or the next help, whichever came first; until then the learner was at it.
    pub next: Option<f64>,
}

/// The events of the session asked for, or of the last one.
pub(super) fn session(log: &[Event], wanted: Option<SessionId>) -> Result<Own<'_>, Box<dyn Error>> {
    let starts = |event: &Event| {
        matches!(event.body, EventBody::SessionStarted { .. })
            && wanted.is_none_or(|wanted| event.session == wanted)
    };
    let from = log
        .iter()
        .rposition(starts)
        .ok_or("there is no such session in the log; `malloc-vr records show` lists them")?;
    let next = log
        .iter()
        .skip(from + 1)
        .position(|event| matches!(event.body, EventBody::SessionStarted { .. }));
    let to = next.map_or(log.len(), |next| from + 1 + next);
    let events = log.get(from..to).unwrap_or_default();
    Ok(Own {
        events,
        at: times(events),
    })
}

/// When a session's events happened, in seconds since it began: time in which it was interrupted left out. By the frames'
/// times, which no clock that is set can change; by the wall clock in logs of before they were noted.
fn times(events: &[Event]) -> Vec<f64> {
    let wall = |event: &Event| {
        let began = events.first().map_or(0, |first| first.at_unix_ms);
        Duration::from_millis(event.at_unix_ms.saturating_sub(began)).as_secs_f64()
    };
    if !events
        .iter()
        .any(|it| matches!(it.body, EventBody::Timed(_)))
    {
        return events.iter().map(wall).collect();
    }
    let mut at = vec![0.0; events.len()];
    let (mut run, mut latest) = (0.0, 0.0);
    // From the last to the first, an event is of the frame that is noted next.
    let mut runs = vec![0.0; events.len()];
    for ((event, began), now) in events.iter().zip(&mut runs).zip(&mut at) {
        if event.body == EventBody::SessionResumed {
            run = latest;
        }
        if let EventBody::Timed(time) = &event.body {
            latest = run + Duration::from_nanos(time.at_ns).as_secs_f64();
        }
        (*began, *now) = (run, latest);
    }
    let mut next: Option<f64> = None;
    for ((event, began), now) in events.iter().zip(&runs).zip(&mut at).rev() {
        if let EventBody::Timed(time) = &event.body {
            next = Some(began + Duration::from_nanos(time.at_ns).as_secs_f64());
        }
        *now = next.unwrap_or(*now);
        if event.body == EventBody::SessionResumed {
            next = None;
        }
    }
    at
}

/// One session.
pub(super) struct Own<'a> {
    pub events: &'a [Event],
    at: Vec<f64>,
}

impl Own<'_> {
    /// Seconds of an event since the session began.
    fn seconds(&self, event: &Event) -> f64 {
        let first = self.events.first().map_or(0, |first| first.seq);
        let place = usize::try_from(event.seq.saturating_sub(first)).unwrap_or(usize::MAX);
        self.at.get(place).copied().unwrap_or(0.0)
    }
}

/// From which moment on, seconds.
pub(super) fn begin(args: &ReplayArgs, own: &Own) -> Result<f64, Box<dyn Error>> {
    if let Some(at) = args.at_time {
        return if at.is_finite() && at >= 0.0 {
            Ok(at)
        } else {
            Err("--at-time is in seconds since the session began: 0 or more".into())
        };
    }
    let Some(seq) = args.at else {
        // The first step is entered a frame after the beginning.
        let entered = |event: &&Event| matches!(event.body, EventBody::StepEntered { .. });
        return Ok(own
            .events
            .iter()
            .find(entered)
            .map_or(0.0, |event| own.seconds(event)));
    };
    let event = own.events.iter().find(|event| event.seq == seq);
    event.map(|event| own.seconds(event)).ok_or_else(|| {
        let [first, last] =
            [own.events.first(), own.events.last()].map(|it| it.map_or(0, |event| event.seq));
        format!("event {seq} is not of this session, which has {first} to {last}").into()
    })
}

pub(super) fn point_at<'a>(log: &'a [Event], own: &'a Own, at: f64) -> Point<'a> {
    let after = own.events.iter().find(|event| own.seconds(event) > at);
    let until = after.map_or_else(
        || own.events.last().map_or(0, |event| event.seq),
        |event| event.seq.saturating_sub(1),
    );
    let known = log.partition_point(|event| event.seq <= until);
    let tried = own
        .events
        .iter()
        .filter(|event| event.seq > until)
        .find(|event| {
            matches!(
                event.body,
                EventBody::Attempted(_) | EventBody::CommandApplied { .. }
            )
        });
    Point {
        events: log.get(..known).unwrap_or_default(),
        at,
        next: tried.map(|event| own.seconds(event) - at),
    }
}

/// The point so many seconds before the first hint from `from` on (or of the hint itself, to give it later), and the
/// rung it showed.
pub(super) fn before_hint<'a>(
    log: &'a [Event],
    own: &'a Own,
    from: f64,
    shift: f64,
) -> Result<(Point<'a>, u8), Box<dyn Error>> {
    let hint = own.events.iter().find_map(|event| match &event.body {
        EventBody::CommandApplied {
            command,
            hint_level: Some(level),
        } if matches!(command.body, CommandBody::GiveHint { .. })
            && *level > 0
            && own.seconds(event) >= from =>
        {
            Some((own.seconds(event), *level, event.seq))
        }
        _ => None,
    });
    let (given, rung, seq) =
        hint.ok_or("no hint was given in this session from that point on; choose another session or an earlier point")?;
    let entered = own
        .events
        .iter()
        .rfind(|event| event.seq < seq && matches!(event.body, EventBody::StepEntered { .. }));
    let entered = entered.map_or(0.0, |event| own.seconds(event));
    let at = if shift > 0.0 {
        given - shift
    } else {
        given - 1e-3
    };
    if at < entered {
        return Err(format!(
            "the step began {:.1} s before its hint; it cannot come {shift:.1} s earlier: give --shift-hint at most {:.0}",
            given - entered,
            (given - entered).floor()
        )
        .into());
    }
    Ok((point_at(log, own, at), rung))
}

/// How things stand for the simulated ones.
pub(super) fn start(own: &Own, point: &Point, state: &LearnerState) -> Start {
    let until = point.events.last().map_or(0, |event| event.seq);
    let past = || own.events.iter().rev().filter(|event| event.seq <= until);
    let since = |wanted: &dyn Fn(&EventBody) -> bool| {
        let event = past().find(|event| wanted(&event.body));
        event.map(|event| (point.at - own.seconds(event)).max(0.0))
    };
    let lasted = since(&|body| {
        matches!(
            body,
            EventBody::Attempted(_) | EventBody::StepEntered { .. }
        )
    });
    let since_hint = since(&|body| {
        matches!(
            body,
            EventBody::CommandApplied {
                hint_level: Some(_),
                ..
            }
        )
    });
    let since_break = since(
        &|body| matches!(body, EventBody::CommandApplied { command, .. } if command.body == CommandBody::EndBreak),
    );
    let lasted = lasted.unwrap_or(0.0);
    let on_step = |body: &EventBody| matches!(body, EventBody::StepEntered { .. });
    let rounds = past()
        .take_while(|event| !on_step(&event.body))
        .filter(|event| matches!(event.body, EventBody::Attempted(_)))
        .count();
    Start {
        setting: Setting {
            difficulty: state.adapted.difficulty,
            pace: state.adapted.pace,
            supported: state.adapted.support.is_some(),
            rung: state.hint_level.min(RUNGS),
            approach: 0,
        },
        scene: Scene {
            hints: HintView {
                failures: state.failures_on_step,
                hesitated: lasted,
                rung: state.hint_level.min(RUNGS),
                rungs: RUNGS,
                since_hint,
                ..HintView::default()
            },
            since_break: since_break.unwrap_or(point.at),
            ..Scene::default()
        },
        rounds: u32::try_from(rounds).unwrap_or(u32::MAX),
        lasted,
        waits: point.next.unwrap_or(0.0),
    }
}

/// Seconds on the rules' clock: the last decision tells it, and it ran on since.
pub(super) fn clock(own: &Own, at: f64) -> f64 {
    let decided = own.events.iter().rev().find_map(|event| match &event.body {
        EventBody::Decided(decision) if own.seconds(event) <= at => {
            Some(decision.at + at - own.seconds(event))
        }
        _ => None,
    });
    decided.unwrap_or(at)
}

/// What the rules remember there.
pub(super) fn remembered(own: &Own, point: &Point, table: &Checked) -> Memory {
    let mut memory = Memory::new(table);
    let until = point.events.last().map_or(0, |event| event.seq);
    for event in own.events.iter().take_while(|event| event.seq <= until) {
        match &event.body {
            EventBody::Decided(decision) => memory.recall(decision, table),
            EventBody::CommandApplied { command, .. }
                if command.principal <= Principal::Instructor =>
            {
                if let Some(lever) = command.body.lever() {
                    memory.note(lever, command.principal, own.seconds(event), table);
                }
            }
            _ => {}
        }
    }
    memory
}
