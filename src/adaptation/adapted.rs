//! Commands that adapt the lesson: whether they are carried out, as a pure function of how it is adapted now.

use super::decide::{Effect, Standing, who};
use crate::learning::strategy::action::{Action, Modality, SupportKind};
use crate::protocol::command::{
    CommandBody, DIFFICULTY, PACE, Principal, Refusal, SUPPORT_LEVEL, Variety,
};

/// What the running lesson has means for. Nothing, unless somebody says so: a command without effect is never `Applied`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Able {
    /// Variants or tolerances of another difficulty.
    pub difficulty: bool,
    /// Times that can be changed.
    pub pace: bool,
    /// Support beyond hints: guidance through a step's hints, wider tolerances.
    pub support: bool,
    /// Breaks.
    pub breaks: bool,
    /// The same in other forms.
    pub variety: bool,
    /// The same with more to do.
    pub more_to_do: bool,
    /// Another way to the same skill.
    pub approach: bool,
    /// A next skill to go to.
    pub move_on: bool,
    /// Something due for review.
    pub review: bool,
    /// An instructor who can be told.
    pub instructor: bool,
}

/// Commands that adapt the lesson.
pub(super) fn adapt(
    body: &CommandBody,
    principal: Principal,
    standing: &Standing,
) -> Result<(Effect, String), Refusal> {
    if standing.step.is_none() {
        return Err(Refusal::NoStep);
    }
    let (now, able) = (standing.adapted, standing.able);
    if now.resting && principal > Principal::Learner {
        return Err(Refusal::Outranked {
            by: "the break".to_owned(),
        });
    }
    let already = |state: &str| Refusal::AlreadySo {
        state: state.to_owned(),
    };
    let here = |able: bool, what: &str| {
        able.then_some(()).ok_or_else(|| Refusal::NotHere {
            what: what.to_owned(),
        })
    };
    let (action, words) = match body {
        CommandBody::SetDifficulty { multiplier } => {
            within("multiplier", *multiplier, DIFFICULTY)?;
            here(able.difficulty, "the difficulty")?;
            if (multiplier - now.difficulty).abs() < LEAST_CHANGE {
                return Err(already("the difficulty is that already"));
            }
            let multiplier = *multiplier;
            let words = format!("the difficulty is {multiplier:.2} of the authored one");
            (Action::Difficulty { multiplier }, words)
        }
        CommandBody::SetPace { multiplier } => {
            within("multiplier", *multiplier, PACE)?;
            here(able.pace, "the pace")?;
            if (multiplier - now.pace).abs() < LEAST_CHANGE {
                return Err(already("the pace is that already"));
            }
            let multiplier = *multiplier;
            let words = format!("the pace is {multiplier:.2} of the authored one");
            (Action::Pace { multiplier }, words)
        }
        CommandBody::AddSupport {
            kind,
            level,
            modality,
        } => {
            within("level", f64::from(*level), SUPPORT_LEVEL.map(f64::from))?;
            here(
                able.support && can_be_given(*kind, *modality),
                "this support",
            )?;
            if now.support == Some((*kind, *level, *modality)) {
                return Err(already("this support is in place"));
            }
            let action = Action::AddSupport {
                kind: *kind,
                level: *level,
                modality: *modality,
            };
            (action, format!("support of level {level} is in place"))
        }
        CommandBody::FadeSupport => {
            if now.support.is_none() {
                return Err(already("no support is in place"));
            }
            (Action::FadeSupport, "the support is gone".to_owned())
        }
        CommandBody::Vary { by, level } => {
            within("level", *level, [0.0, 1.0])?;
            let (there, what) = match by {
                Variety::Form => (able.variety, "the form"),
                Variety::Interaction => (able.more_to_do, "more to do in the same task"),
            };
            here(there, what)?;
            let (by, level) = (*by, *level);
            (Action::Vary { by, level }, "the task is varied".to_owned())
        }
        CommandBody::OfferBreak | CommandBody::Rest => {
            here(able.breaks, "a break")?;
            if now.resting {
                return Err(already("the learner rests"));
            }
            if *body == CommandBody::Rest {
                (Action::Rest, "the learner rests".to_owned())
            } else {
                (Action::OfferBreak, "a break is offered".to_owned())
            }
        }
        CommandBody::ChangeApproach => {
            here(able.approach, "the way")?;
            (Action::ChangeApproach, "another way is taken".to_owned())
        }
        CommandBody::MoveOn => {
            here(able.move_on, "the skill")?;
            (Action::MoveOn, "the next skill follows".to_owned())
        }
        CommandBody::Review => {
            here(able.review, "the order")?;
            (
                Action::Review,
                "the learner reads what is due for review".to_owned(),
            )
        }
        CommandBody::TellInstructor => {
            here(able.instructor, "what an instructor knows")?;
            (Action::TellInstructor, "the instructor is told".to_owned())
        }
        CommandBody::GiveHint { .. }
        | CommandBody::FadeHint
        | CommandBody::Pause
        | CommandBody::Resume
        | CommandBody::Message { .. }
        | CommandBody::EndBreak
        | CommandBody::Score { .. }
        | CommandBody::PointAt { .. }
        | CommandBody::Spawn { .. }
        | CommandBody::Remove { .. }
        | CommandBody::EndSession
        | CommandBody::StartSession { .. }
        | CommandBody::SetPreferences { .. }
        | CommandBody::OverrideStage { .. }
        | CommandBody::SetCheckpoint { .. }
        | CommandBody::RemoveCheckpoint { .. }
        | CommandBody::SetPolicy { .. }
        | CommandBody::SetTelemetry { .. }
        | CommandBody::Try { .. }
        | CommandBody::GiveConsent(_)
        | CommandBody::WithdrawConsent(_)
        | CommandBody::Restrict { .. }
        | CommandBody::LiftRestriction { .. }
        | CommandBody::NoteAmendment(_) => return Err(already("it is decided elsewhere")),
    };
    Ok((Effect::Adapt(action), words))
}

/// What every lesson has means for: its hints and highlights, and its tolerances.
fn can_be_given(kind: SupportKind, modality: Modality) -> bool {
    match kind {
        SupportKind::Guidance => matches!(modality, Modality::Text | Modality::Highlight),
        SupportKind::WiderTolerance => true,
        SupportKind::WorkedExample | SupportKind::FewerParts => false,
    }
}

/// A difference of difficulty or pace that nobody notices.
const LEAST_CHANGE: f64 = 0.005;

/// What is no number lies in no range.
pub(super) fn within<T: Copy + PartialOrd + ToString>(
    what: &str,
    value: T,
    [low, high]: [T; 2],
) -> Result<(), Refusal> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Refusal::OutOfRange {
        what: what.to_owned(),
        value: value.to_string(),
        low: low.to_string(),
        high: high.to_string(),
    })
}

/// Who rests has the last word on it: nobody is sent back into a headset.
pub(super) fn end_break(
    principal: Principal,
    standing: &Standing,
) -> Result<(Effect, String), Refusal> {
    if !standing.adapted.resting {
        return Err(Refusal::AlreadySo {
            state: "nobody rests".to_owned(),
        });
    }
    if principal != Principal::Learner {
        return Err(Refusal::NotForYou {
            who: who(principal).to_owned(),
            instead: "only the learner ends a break".to_owned(),
        });
    }
    Ok((Effect::EndBreak, "the break is over".to_owned()))
}

#[cfg(test)]
#[path = "adapted_tests.rs"]
mod tests;
