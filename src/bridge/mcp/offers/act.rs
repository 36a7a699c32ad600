//! Help, words, pauses and breaks.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::catalogue::{Act, Catalogue, Effects};
use super::write::{offer as act, offer_for_all};
use crate::protocol::command::{CommandBody, Criterion};

/// Nothing but the learner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Plain {}

/// A hint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hint {
    /// Which rung of the step's ladder, from 1 (gentlest); 0 takes the hint away; left out: the next one.
    #[serde(default)]
    level: Option<u8>,
}

/// Words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Say {
    /// What the learner shall read: 1 to 280 characters.
    text: String,
}

/// A break.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Break {
    /// Offer it (the learner may pass it over), or begin it now. Only the learner ends it.
    #[serde(default)]
    now: bool,
}

/// A score.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rubric {
    /// What is scored: connections, creativity, context, creation, teaching or innovation. All others are measured.
    criterion: Criterion,
    /// How far it is met, 0 (not at all) to 1 (fully).
    score: f64,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    use Effects::{Adds, Sets};
    act(
        catalogue,
        (
            "intervene.hint",
            "Give hint",
            "Shows the learner a hint for the running step: the next rung of its ladder, or a given one; level 0 takes it away.",
        ),
        (Act::Hint, Adds),
        |it: Hint| {
            Ok(match it.level {
                Some(0) => CommandBody::FadeHint,
                level => CommandBody::GiveHint { level },
            })
        },
    );
    act(
        catalogue,
        (
            "intervene.message",
            "Message",
            "Shows the learner a few words of yours on the guide panel.",
        ),
        (Act::Message, Adds),
        |it: Say| Ok(CommandBody::Message { text: it.text }),
    );
    act(
        catalogue,
        (
            "intervene.pause",
            "Pause",
            "Stops the lesson where it is; the learner sees why. Time does not count while it stands still.",
        ),
        (Act::Pause, Sets),
        |_: Plain| Ok(CommandBody::Pause),
    );
    act(
        catalogue,
        (
            "intervene.resume",
            "Resume",
            "Lifts the instructor's pause. A pause by the learner or by the headset stays.",
        ),
        (Act::Pause, Sets),
        |_: Plain| Ok(CommandBody::Resume),
    );
    act(
        catalogue,
        (
            "intervene.break",
            "Break",
            "Offers the learner a break, or begins one now. Only the learner ends it.",
        ),
        (Act::Break, Sets),
        |it: Break| {
            Ok(if it.now {
                CommandBody::Rest
            } else {
                CommandBody::OfferBreak
            })
        },
    );
    offer_for_all(
        catalogue,
        (
            "intervene.pause_all",
            "Pause all",
            "Stops every learner's lesson at once, for safety. The answer says for each whether it stands still.",
        ),
        (Act::PauseAll, Sets),
        |_: Plain| Ok(CommandBody::Pause),
    );
    offer_for_all(
        catalogue,
        (
            "intervene.resume_all",
            "Resume all",
            "Lifts the instructor's pause of every learner.",
        ),
        (Act::PauseAll, Sets),
        |_: Plain| Ok(CommandBody::Resume),
    );
    act(
        catalogue,
        (
            "assess.submit_rubric",
            "Submit rubric score",
            "Writes down a score that only a person can give; the models take it in as evidence.",
        ),
        (Act::Rubric, Sets),
        |it: Rubric| {
            Ok(CommandBody::Score {
                criterion: it.criterion,
                value: it.score,
            })
        },
    );
    act(
        catalogue,
        (
            "session.stop",
            "End session",
            "Ends the learner's session for good: what follows is another session. The record stays.",
        ),
        (Act::SessionEnd, Effects::Ends),
        |_: Plain| Ok(CommandBody::EndSession),
    );
}
