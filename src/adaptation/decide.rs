//! Whether a command is carried out, and what then changes: a pure function of the command and the learner's state.

use std::time::Duration;

use super::adapted::{Able, adapt, end_break};
use super::on_site;
use crate::learning::event_criteria::Criterion;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::patch::PolicyPatch;
use crate::lesson::format::{Lesson, Step};
use crate::protocol::command::{Command, CommandBody, MAX_MESSAGE_CHARS, Principal, Refusal};
use crate::protocol::event::{EventBody, PauseCause};
use crate::protocol::ids::{LessonId, ObjectId};
use crate::session::adapted::Adapted;

/// After the instructor gave or took a hint, the automatic rules leave hints alone for this long: who stands
/// beside the learner sees more than a count of failures.
pub const INSTRUCTOR_HOLD: Duration = Duration::from_secs(20);

/// What a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The lesson as it is played; `None`: there is none.
    pub lesson: Option<&'a Lesson>,
    /// Whether the session is over.
    pub ended: bool,
    /// The running step; `None`: the lesson has not begun or is over.
    pub step: Option<&'a Step>,
    /// Rung shown now; 0 = none.
    pub hint_level: u8,
    /// Why the lesson stands still, if it does.
    pub paused_by: &'a [PauseCause],
    /// Time since the instructor last gave or took a hint on this step, pauses left out.
    pub since_instructor: Option<Duration>,
    /// How the lesson is adapted now.
    pub adapted: &'a Adapted,
    /// What of it can be changed.
    pub able: Able,
    /// Who set what this command would move, while that holds
    /// ([`crate::learning::strategy::memory::Memory::holder`]).
    pub holder: Option<Principal>,
    /// Somebody restricted the record: the rules may not go by it (GDPR Art. 18(2)), but for the learner's safety.
    pub restricted: bool,
}

/// What changes in the learner's world.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// This rung of the running step is shown; 0: none.
    Hint(u8),
    /// The lesson stands still for one cause more.
    Pause(PauseCause),
    /// One cause to stand still is gone.
    Resume(PauseCause),
    /// These words are shown for a while.
    Message(String),
    /// The lesson is adapted.
    Adapt(Action),
    /// The break is over.
    EndBreak,
    /// The instructor scored something.
    Score(Criterion, f64),
    /// Something stands out for a while.
    PointAt(ObjectId, Duration),
    /// The scene has a thing more or less; the event alone changes it.
    Scene,
    /// The session is over.
    End,
    /// The event alone changes what follows from it.
    Noted,
    /// The adaptation rules are changed so. Boxed, as everything larger than the rest.
    Policy(Box<PolicyPatch>),
    /// A fresh session of this lesson begins.
    Begin(LessonId),
    /// Nothing: it was only tried.
    Nothing,
    /// A word about consent or rights stands in the log. Boxed: it is many times larger than the rest.
    Agreed(Box<EventBody>),
}

/// Decides about one command; the answer's second part says what the learner now sees, in words.
///
/// # Errors
/// The reason why the command is not carried out.
pub fn decide(command: &Command, standing: &Standing) -> Result<(Effect, String), Refusal> {
    if command.principal == Principal::Governor {
        return Err(Refusal::NotForYou {
            who: "the frame governor".to_owned(),
            instead: "it decides about presentation only".to_owned(),
        });
    }
    if let Some(holder) = standing.holder
        && holder < command.principal
        && command.body.lever().is_some()
    {
        return Err(Refusal::Outranked {
            by: who(holder).to_owned(),
        });
    }
    if standing.restricted && command.principal == Principal::Automatic {
        return Err(Refusal::NotAgreed {
            why: "the record is restricted; nothing is adapted by it until whoever asked for that lifts it"
                .to_owned(),
        });
    }
    match &command.body {
        CommandBody::GiveHint { level } => {
            hold_for_instructor(command.principal, standing)?;
            give_hint(*level, standing)
        }
        CommandBody::FadeHint => {
            hold_for_instructor(command.principal, standing)?;
            fade_hint(standing)
        }
        CommandBody::Pause => pause(command.principal, standing),
        CommandBody::Resume => resume(command.principal, standing),
        CommandBody::Message { text } => message(text),
        CommandBody::EndBreak => end_break(command.principal, standing),
        CommandBody::Score { criterion, value } => {
            on_site::score(*criterion, *value, command.principal, standing)
        }
        CommandBody::PointAt { object, seconds } => on_site::point_at(object, *seconds, standing),
        CommandBody::Spawn { object } => on_site::spawn(object, standing),
        CommandBody::Remove { object } => on_site::remove(object, standing),
        CommandBody::EndSession => on_site::end(command.principal, standing),
        CommandBody::Try { body } => {
            let tried = Command {
                body: (**body).clone(),
                ..command.clone()
            };
            // One layer is enough for everybody.
            if matches!(tried.body, CommandBody::Try { .. }) {
                return Err(Refusal::AlreadySo {
                    state: "it is only tried already".to_owned(),
                });
            }
            let (_, words) = decide(&tried, standing)?;
            Ok((Effect::Nothing, format!("would be done: {words}")))
        }
        body => adapt(body, command.principal, standing),
    }
}

pub(super) fn who(principal: Principal) -> &'static str {
    match principal {
        Principal::Safety => "the learner's safety",
        Principal::Learner => "the learner",
        Principal::Instructor => "the instructor",
        Principal::Governor => "the frame governor",
        Principal::Automatic => "the adaptation rules",
    }
}

fn hold_for_instructor(principal: Principal, standing: &Standing) -> Result<(), Refusal> {
    let held = standing
        .since_instructor
        .is_some_and(|since| since < INSTRUCTOR_HOLD);
    if principal == Principal::Automatic && held {
        return Err(Refusal::Outranked {
            by: "the instructor's hint".to_owned(),
        });
    }
    Ok(())
}

fn give_hint(level: Option<u8>, standing: &Standing) -> Result<(Effect, String), Refusal> {
    let step = standing.step.ok_or(Refusal::NoStep)?;
    let available = u8::try_from(step.hints.len()).unwrap_or(u8::MAX);
    let level = level.unwrap_or_else(|| standing.hint_level.saturating_add(1));
    if level == 0 {
        return Err(Refusal::AlreadySo {
            state: "hint levels begin at 1; fade_hint takes a hint away".to_owned(),
        });
    }
    if level == standing.hint_level {
        return Err(Refusal::AlreadySo {
            state: format!("hint {level} of step `{}` is shown already", step.id),
        });
    }
    let Some(hint) = step.hints.get(usize::from(level) - 1) else {
        return Err(Refusal::NoMoreHints {
            step: step.id.to_string(),
            available,
        });
    };
    let effect = format!("hint {level} of {available} is shown: {}", hint.text);
    Ok((Effect::Hint(level), effect))
}

fn fade_hint(standing: &Standing) -> Result<(Effect, String), Refusal> {
    if standing.step.is_none() {
        return Err(Refusal::NoStep);
    }
    if standing.hint_level == 0 {
        return Err(Refusal::AlreadySo {
            state: "no hint is shown".to_owned(),
        });
    }
    Ok((Effect::Hint(0), "the hint is gone".to_owned()))
}

/// Each cause is lifted only by whom it came from. What the runtime notices (headset off) asks as `Automatic`.
fn own_cause(principal: Principal) -> PauseCause {
    match principal {
        Principal::Learner => PauseCause::Learner,
        Principal::Instructor => PauseCause::Instructor,
        Principal::Safety | Principal::Governor | Principal::Automatic => PauseCause::Runtime,
    }
}

fn in_words(cause: PauseCause) -> &'static str {
    match cause {
        PauseCause::Learner => "the learner's menu",
        PauseCause::Instructor => "the instructor's pause",
        PauseCause::Break => "the learner's break",
        PauseCause::Runtime => "the headset (off, out of focus or its runtime gone)",
    }
}

fn list(causes: &[PauseCause]) -> String {
    let words: Vec<&str> = causes.iter().map(|cause| in_words(*cause)).collect();
    words.join(" and ")
}

fn pause(principal: Principal, standing: &Standing) -> Result<(Effect, String), Refusal> {
    if standing.step.is_none() {
        return Err(Refusal::NoStep);
    }
    let cause = own_cause(principal);
    if standing.paused_by.contains(&cause) {
        return Err(Refusal::AlreadySo {
            state: format!("the lesson stands still by {}", in_words(cause)),
        });
    }
    Ok((Effect::Pause(cause), "the lesson stands still".to_owned()))
}

fn resume(principal: Principal, standing: &Standing) -> Result<(Effect, String), Refusal> {
    if standing.ended {
        return Err(Refusal::AlreadySo {
            state: "the session is over, for good; session.start begins another".to_owned(),
        });
    }
    if standing.paused_by.is_empty() {
        return Err(match standing.step {
            Some(_) => Refusal::AlreadySo {
                state: "the lesson is running".to_owned(),
            },
            None => Refusal::NoStep,
        });
    }
    let cause = own_cause(principal);
    if !standing.paused_by.contains(&cause) {
        return Err(Refusal::Outranked {
            by: list(standing.paused_by),
        });
    }
    let others: Vec<PauseCause> = standing
        .paused_by
        .iter()
        .copied()
        .filter(|other| *other != cause)
        .collect();
    let effect = if others.is_empty() {
        "the lesson goes on".to_owned()
    } else {
        format!(
            "this pause is lifted; the lesson still stands still by {}",
            list(&others)
        )
    };
    Ok((Effect::Resume(cause), effect))
}

fn message(text: &str) -> Result<(Effect, String), Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > MAX_MESSAGE_CHARS {
        return Err(Refusal::BadMessage {
            length,
            max: MAX_MESSAGE_CHARS,
        });
    }
    let effect = format!(
        "the learner reads it for {} s",
        reading_time(text).as_secs()
    );
    Ok((Effect::Message(text.to_owned()), effect))
}

/// How long a message stays: time to notice it (4 s) and to read it at a slow reader's 10 characters per second.
#[must_use]
pub fn reading_time(text: &str) -> Duration {
    let characters = u64::try_from(text.chars().count().min(MAX_MESSAGE_CHARS)).unwrap_or(0);
    Duration::from_secs(4) + Duration::from_millis(100 * characters)
}
