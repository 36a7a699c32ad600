//! Leading: sessions, lessons, copies of records and their end, draining the machine.

use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::call::Call;
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::super::look::Look;
use super::asking::offer as ask;
use super::class::NoArguments;
use super::write::{offer as act, offer_for_all};
use crate::bridge::machine::What;
use crate::lesson::{check_text, load_text};
use crate::protocol::command::CommandBody;
use crate::protocol::ids::LessonId;

/// Nothing but whom it is for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Plain {}

/// Which lesson.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Switch {
    /// A lesson that is there: lesson.list names them.
    lesson: String,
}

/// A lesson to bring.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bring {
    /// The lesson's whole text (RON, as `malloc-vr lesson schema` describes it).
    text: String,
}

/// Lessons that can be begun.
#[derive(Debug, Serialize, JsonSchema)]
struct Lessons {
    /// Their ids, in order.
    lessons: Vec<LessonId>,
    /// The one that runs on this machine, if one does.
    running: Option<LessonId>,
}

/// How long draining takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Drain {
    /// True: begin; false: let everybody in again.
    #[serde(default = "yes")]
    on: bool,
    /// The program ends after so many seconds in any case, 1 to 14400.
    #[serde(default = "an_hour")]
    within: u64,
}

fn yes() -> bool {
    true
}

fn an_hour() -> u64 {
    3600
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    use Effects::{Adds, Ends, Reads, Sets};
    act(
        catalogue,
        (
            "session.start",
            "Start session",
            "Begins the running lesson anew for the learner, at its first step. A session that still runs is over then; the \
             record, and what is known of the learner, stay.",
        ),
        (Act::SessionStart, Ends),
        |_: Plain| Ok(CommandBody::StartSession { lesson: None }),
    );
    act(
        catalogue,
        (
            "session.resume",
            "Resume session",
            "Takes a learner's session up again that an instructor's pause keeps standing still, and says what else does: a \
             break, the menu or the headset end only there. A session that is over begins anew by session.start.",
        ),
        (Act::SessionStart, Sets),
        |_: Plain| Ok(CommandBody::Resume),
    );
    offer_for_all(
        catalogue,
        (
            "lesson.switch",
            "Switch lesson",
            "Begins another lesson for everybody, or for a group, at its first step. The sessions that run are over then; \
             records stay.",
        ),
        (Act::LessonSwitch, Ends),
        |it: Switch| {
            Ok(CommandBody::StartSession {
                lesson: Some(LessonId::new(it.lesson)),
            })
        },
    );
    ask(
        catalogue,
        (
            "lesson.load",
            "Load lesson",
            "Brings a lesson onto this machine, where it can be begun by lesson.switch until the program is started again. It \
             is checked first; lesson.validate tells every mistake with its line.",
        ),
        (Act::LessonLoad, Adds),
        |it: Bring, _| lesson(&it.text),
    );
    catalogue.tool(ToolRow::typed(
        (
            "lesson.list",
            "List lessons",
            "The lessons that can be begun on this machine, and the one that runs.",
        ),
        (Act::ReadLesson, Reads),
        |call: Call, _: NoArguments| async move {
            Ok(Lessons {
                lessons: call.look(Look::Lessons).await?,
                running: call
                    .look(Look::Lesson)
                    .await?
                    .map(|it| it.lesson.id.clone()),
            })
        },
    ));
    ask(
        catalogue,
        (
            "session.export",
            "Export record",
            "A copy of the learner's record for them or their family: the files that `malloc-vr records export` writes, \
             without movements. That it was made stands in the audit.",
        ),
        (Act::Export, Adds),
        |_: Plain, learner| {
            let learner = learner.ok_or("say whose record")?;
            Ok(What::Export { learner })
        },
    );
    ask(
        catalogue,
        (
            "session.erase",
            "Erase record",
            "Destroys a learner's record for good: the key to it, its events, the roster's entry. A tombstone stays in the \
             audit. Make a copy with session.export before.",
        ),
        (Act::Erase, Ends),
        |_: Plain, learner| {
            let learner = learner.ok_or("say whose record")?;
            Ok(What::Erase { learner })
        },
    );
    ask(
        catalogue,
        (
            "ops.drain",
            "Drain",
            "Lets nobody new in, and ends the program when every session here has ended or gone. Those who are in go on; \
             /healthz answers 503 meanwhile.",
        ),
        (Act::Operate, Sets),
        |it: Drain, _| {
            if !(1..=14_400).contains(&it.within) {
                return Err("`within` lies between 1 and 14400 seconds".to_owned());
            }
            Ok(What::Drain {
                on: it.on,
                within: Duration::from_secs(it.within),
            })
        },
    );
}

fn lesson(text: &str) -> Result<What, String> {
    let loaded = load_text(text).map_err(|error| error.to_string())?;
    // Once more with what lies beside the lessons here: a model or a sound that is missing would be missed in the scene.
    let (_, report) = check_text(Path::new("lesson.ron"), text, Some(&loaded.folder()));
    if report.has_errors() {
        return Err(format!("the lesson has mistakes:\n{report}"));
    }
    Ok(What::Keep(Box::new(loaded)))
}
