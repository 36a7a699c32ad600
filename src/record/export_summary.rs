//! A learner's record in words: Markdown that a parent can read.

use std::fmt::Write as _;

use super::rights::Rights;
use super::time::rfc3339;
use crate::learning::strategy::explain::Decision;
use crate::protocol::command::{Command, CommandBody};
use crate::protocol::event::{Attempt, EndReason, Event, EventBody, Evidence};

/// The events in words, oldest first, with the notes beside what they are about; then, if asked for, restrictions and
/// disclosures by themselves.
pub(super) fn summary(events: &[Event], with_standing: bool) -> String {
    let rights = Rights::of(events);
    let mut text = String::from("# What happened\n");
    let mut session = None;
    for event in events {
        if session != Some(event.session) {
            session = Some(event.session);
            let heading = if event.session.0.is_nil() {
                "Outside of lessons".to_owned()
            } else {
                format!("Session of {}", moment(event))
            };
            let _ = write!(text, "\n## {heading}\n\n");
        }
        let _ = writeln!(
            text,
            "- {} (#{}) {}",
            moment(event),
            event.seq,
            told(&event.body)
        );
        for note in rights.notes_to(event.seq) {
            let _ = writeln!(
                text,
                "  - **Disputed** by the {:?}: {}",
                note.what.actor,
                plain(&note.what.note)
            );
        }
    }
    if with_standing {
        text.push_str(&standing(&rights));
    }
    text
}

fn standing(rights: &Rights) -> String {
    let mut text = String::from("\n# Where the record stands\n\n");
    match rights.restricted_by() {
        Some((actor, ground)) => {
            let _ = writeln!(
                text,
                "- Restricted by the {actor:?} ({ground:?}): it is kept and not used."
            );
        }
        None => text.push_str("- Not restricted.\n"),
    }
    if rights.disclosures.is_empty() {
        text.push_str("- Never disclosed outside family and school.\n");
    }
    for disclosure in &rights.disclosures {
        let what = &disclosure.what;
        let _ = writeln!(
            text,
            "- {}: {:?} given to {:?} ({}) for {:?}.",
            rfc3339(disclosure.at_unix_ms),
            what.data,
            what.to,
            plain(&what.party),
            what.purpose
        );
    }
    text
}

fn moment(event: &Event) -> String {
    let text = rfc3339(event.at_unix_ms);
    // To the second, without the T.
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// One line, and nothing that Markdown would take for a sign.
fn plain(words: &str) -> String {
    words
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .flat_map(|c| {
            let sign = matches!(
                c,
                '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|'
            );
            sign.then_some('\\').into_iter().chain([c])
        })
        .collect()
}

fn told(body: &EventBody) -> String {
    match body {
        EventBody::SessionStarted { lesson, .. } => {
            format!("began the lesson \"{}\"", plain(lesson.as_str()))
        }
        EventBody::SessionResumed => "went on after an interruption".to_owned(),
        EventBody::StepEntered { step, .. } => format!("came to step \"{}\"", plain(step.as_str())),
        EventBody::StepCompleted { step, skipped } => format!(
            "{} step \"{}\"",
            if *skipped { "passed over" } else { "finished" },
            plain(step.as_str())
        ),
        EventBody::Attempted(attempt) => attempted(attempt),
        EventBody::Observed { moment } => {
            format!("was seen at the task for {:.0} s", moment.dt.as_secs_f64())
        }
        EventBody::Told { by, about, value } => format!("the {by:?} said of {about:?}: {value:.2}"),
        EventBody::Decided(decision) => format!(
            "the program weighed what to do: {}",
            plain(&decided(decision))
        ),
        EventBody::LifeChanged { from, to, .. } => {
            format!("the session went from {from:?} to {to:?}")
        }
        EventBody::CommandApplied { command, .. } => format!("{}: done", asked(command)),
        EventBody::CommandRefused { command, refusal } => {
            format!(
                "{}: not done, {}",
                asked(command),
                plain(&refusal.to_string())
            )
        }
        EventBody::Paused { by } => format!("paused ({by:?})"),
        EventBody::Resumed { by } => format!("went on ({by:?})"),
        EventBody::SessionEnded { reason } => match reason {
            EndReason::LessonCompleted => "finished the lesson".to_owned(),
            EndReason::LearnerLeft => "left".to_owned(),
            EndReason::Shutdown => "the program was ended".to_owned(),
            EndReason::Idle => "nobody was there for a long time".to_owned(),
            EndReason::LinkLost => "the link was lost for too long".to_owned(),
            EndReason::Instructor => "the instructor ended it".to_owned(),
        },
        EventBody::ConsentGiven(consent) => format!(
            "consent by the {:?} to {:?}, text {}, given by {:?}{}",
            consent.actor,
            consent.scopes,
            plain(&consent.text_version),
            consent.evidence.method,
            consent
                .until_unix_ms
                .map_or_else(String::new, |end| format!(", until {}", rfc3339(end)))
        ),
        EventBody::ConsentWithdrawn(withdrawal) => format!(
            "no consent by the {:?} to {:?}",
            withdrawal.actor, withdrawal.scopes
        ),
        EventBody::AmendmentNoted(note) => {
            format!(
                "note by the {:?} to #{}: {}",
                note.actor,
                note.about_seq,
                plain(&note.note)
            )
        }
        EventBody::ProcessingRestricted { actor, ground } => {
            format!("the {actor:?} restricted the record ({ground:?})")
        }
        EventBody::RestrictionLifted { actor } => {
            format!("the {actor:?} lifted their restriction")
        }
        EventBody::Disclosed(disclosure) => format!(
            "records given to {:?} ({}) for {:?}",
            disclosure.to,
            plain(&disclosure.party),
            disclosure.purpose
        ),
        EventBody::Timed(_) => "the frame of the events before was noted".to_owned(),
    }
}

fn attempted(attempt: &Attempt) -> String {
    let what = match &attempt.evidence {
        Evidence::Looked { object } => format!("looked at \"{}\"", plain(object.as_str())),
        Evidence::Touched { object } => format!("touched \"{}\"", plain(object.as_str())),
        Evidence::Grabbed { object } => format!("grasped \"{}\"", plain(object.as_str())),
        Evidence::Placed { object, socket } => match socket {
            Some(socket) => format!(
                "put \"{}\" into \"{}\"",
                plain(object.as_str()),
                plain(socket.as_str())
            ),
            None => format!("let \"{}\" go", plain(object.as_str())),
        },
        Evidence::Thrown { object, .. } => format!("threw \"{}\"", plain(object.as_str())),
        Evidence::Pressed { object } => format!("pressed \"{}\"", plain(object.as_str())),
        Evidence::Teleported { .. } => "moved by teleport".to_owned(),
        Evidence::Answered { choice, .. } => format!("chose answer {}", u64::from(*choice) + 1),
        Evidence::TimedOut => "let the time run out".to_owned(),
        Evidence::Simulated => "did nothing (SIMULATED at the desk panel)".to_owned(),
    };
    format!(
        "tried step \"{}\": {what}; {} after {:.1} s{}",
        plain(attempt.step.as_str()),
        if attempt.correct {
            "right"
        } else {
            "not right"
        },
        attempt.latency.as_secs_f64(),
        match attempt.hints_used {
            0 => String::new(),
            hints => format!(", with hint {hints}"),
        }
    )
}

fn asked(command: &Command) -> String {
    let what = match &command.body {
        CommandBody::GiveHint { .. } => "a hint".to_owned(),
        CommandBody::FadeHint => "to take the hint away".to_owned(),
        CommandBody::Pause => "a pause".to_owned(),
        CommandBody::Resume => "to go on".to_owned(),
        CommandBody::Message { text } => format!("the message \"{}\"", plain(text)),
        CommandBody::SetDifficulty { multiplier } => format!("a difficulty of {multiplier:.2}"),
        CommandBody::SetPace { multiplier } => format!("a pace of {multiplier:.2}"),
        CommandBody::AddSupport { kind, .. } => format!("support ({kind:?})"),
        CommandBody::FadeSupport => "to take support away".to_owned(),
        CommandBody::OfferBreak => "a break to be offered".to_owned(),
        CommandBody::Rest => "a break".to_owned(),
        CommandBody::EndBreak => "the break to end".to_owned(),
        CommandBody::Vary { by, .. } => format!("variety ({by:?})"),
        CommandBody::ChangeApproach => "another way".to_owned(),
        CommandBody::MoveOn => "to move on".to_owned(),
        CommandBody::Review => "a review".to_owned(),
        CommandBody::TellInstructor => "the instructor to be told".to_owned(),
        CommandBody::Score { criterion, value } => format!("a score of {value:.2} ({criterion:?})"),
        CommandBody::PointAt { object, .. } => format!("to point at {object}"),
        CommandBody::Spawn { object } => format!("{} to be put into the scene", object.id),
        CommandBody::Remove { object } => format!("{object} to be taken away"),
        CommandBody::EndSession => "the session to end".to_owned(),
        CommandBody::StartSession { lesson } => match lesson {
            Some(lesson) => format!("lesson {lesson} to begin"),
            None => "the lesson to begin anew".to_owned(),
        },
        CommandBody::SetPreferences { .. } => "how the learner likes it to be set".to_owned(),
        CommandBody::OverrideStage { event, .. } => match event {
            Some(event) => format!("the stage {event:?}"),
            None => "the models to say the stage again".to_owned(),
        },
        CommandBody::SetCheckpoint { checkpoint } => format!("the checkpoint {}", checkpoint.id),
        CommandBody::RemoveCheckpoint { checkpoint } => {
            format!("the checkpoint {checkpoint} to go")
        }
        CommandBody::SetPolicy { .. } => "other adaptation rules".to_owned(),
        CommandBody::SetTelemetry { level } => format!("that {}", level.words()),
        CommandBody::Try { .. } => "to try something".to_owned(),
        CommandBody::GiveConsent(consent) => {
            format!("a consent of {:?} to be recorded", consent.actor)
        }
        CommandBody::WithdrawConsent(withdrawal) => {
            format!("a refusal of {:?} to be recorded", withdrawal.actor)
        }
        CommandBody::Restrict { actor, .. } => format!("a restriction by {actor:?}"),
        CommandBody::LiftRestriction { actor } => {
            format!("the restriction by {actor:?} to end")
        }
        CommandBody::NoteAmendment(amendment) => {
            format!("a note to #{}", amendment.about_seq)
        }
    };
    format!(
        "{:?} asked for {what} (\"{}\")",
        command.principal,
        plain(&command.purpose)
    )
}

fn decided(decision: &Decision) -> String {
    if decision.chosen.is_empty() {
        return "nothing".to_owned();
    }
    let because: Vec<&str> = decision
        .chosen
        .iter()
        .map(|chosen| chosen.because.as_str())
        .collect();
    because.join("; ")
}
