//! The last events of the session, a line each, the newest first.

use bevy_egui::egui::{RichText, Ui};

use super::panel::{BAD, GOOD, INK, MIDDLING, QUIET};
use crate::protocol::event::{EventBody, Evidence};

/// Lines shown.
const LINES: usize = 14;

pub(super) fn show(ui: &mut Ui, events: &[EventBody]) {
    for event in events.iter().rev().take(LINES) {
        let colour = match event {
            EventBody::Attempted(attempt) if attempt.evidence == Evidence::Simulated => MIDDLING,
            EventBody::Attempted(attempt) if attempt.correct => GOOD,
            EventBody::Attempted(_) | EventBody::CommandRefused { .. } => BAD,
            EventBody::StepEntered { .. } | EventBody::StepCompleted { .. } => INK,
            _ => QUIET,
        };
        ui.label(RichText::new(line(event)).size(11.5).color(colour));
    }
}

/// An event in a line.
pub(super) fn line(event: &EventBody) -> String {
    match event {
        EventBody::StepEntered { step, .. } => format!("step {step}"),
        EventBody::StepCompleted { step, skipped } => {
            format!("{step} {}", if *skipped { "left out" } else { "done" })
        }
        EventBody::Attempted(attempt) => format!(
            "{}{} at {}, credit {:.2}, {:.1} s",
            match attempt.evidence {
                Evidence::Simulated => "SIMULATED ",
                _ => "",
            },
            if attempt.correct { "right" } else { "wrong" },
            attempt.step,
            attempt.credit,
            attempt.latency.as_secs_f32()
        ),
        EventBody::CommandApplied { command, .. } => {
            format!("{:?} did: {}", command.principal, kind(&command.body))
        }
        EventBody::CommandRefused { command, refusal } => {
            format!(
                "{:?} may not {}: {refusal}",
                command.principal,
                kind(&command.body)
            )
        }
        EventBody::Paused { by } => format!("paused: {by:?}"),
        EventBody::Resumed { by } => format!("goes on: {by:?}"),
        EventBody::LifeChanged { to, .. } => format!("now {to:?}"),
        other => kind(other).replace('_', " "),
    }
}

/// The name that an event or command has in the log.
fn kind(it: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(it).unwrap_or_default();
    let name = value.get("type").or_else(|| value.get("do"));
    name.and_then(|name| name.as_str())
        .unwrap_or("?")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::{EndReason, PauseCause};
    use crate::protocol::ids::StepId;

    #[test]
    fn events_are_said_in_a_few_words() {
        let step = StepId::new("grab-cube");
        let skipped = true;
        assert_eq!(
            line(&EventBody::StepCompleted { step, skipped }),
            "grab-cube left out"
        );
        let by = PauseCause::Break;
        assert_eq!(line(&EventBody::Paused { by }), "paused: Break");
        let reason = EndReason::Idle;
        assert_eq!(line(&EventBody::SessionEnded { reason }), "session ended");
    }
}
