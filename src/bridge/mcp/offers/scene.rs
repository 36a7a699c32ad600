//! The scene: looking at it, pointing at things in it, putting things there. And lessons: checking them.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::call::{Call, Fault};
use super::super::catalogue::{Act, Catalogue, Effects, ToolRow};
use super::super::look::Look;
use super::write::offer as act;
use crate::lesson::{Severity, check_text};
use crate::protocol::command::{AddedForm, AddedObject, CommandBody};
use crate::protocol::ids::ObjectId;
use crate::protocol::scene::SceneView;

/// Which learner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    /// The learner's id from class.list_learners; may be left out where only one is here.
    #[serde(default)]
    learner: Option<String>,
}

/// What to point at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Point {
    /// The thing's `id` from view.scene.
    object: String,
    /// For how long, 1 to 60 seconds.
    #[serde(default = "ten")]
    seconds: f32,
}

fn ten() -> f32 {
    10.0
}

/// What to put into the scene. Metres; x right, y up, z towards where the learner began; floor at y = 0.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spawn {
    /// Its name, to speak of it later: 1 to 64 letters, digits, `-` and `_`, not yet in the scene.
    id: String,
    /// What it is, in words, as the learner would call it.
    label: String,
    /// Its form.
    form: AddedForm,
    /// Edge length, diameter or height, 0.02 to 2 m.
    size: f32,
    /// Colour as `#rrggbb`.
    #[serde(default = "grey")]
    color: String,
    /// Its centre [x, y, z].
    position: [f32; 3],
    /// Kilograms, 0.01 to 20, if the learner shall be able to take it; left out: it stands fixed.
    #[serde(default)]
    mass: Option<f32>,
}

fn grey() -> String {
    "#c8ccd4".to_owned()
}

/// What to take away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Remove {
    /// The `id` given to scene.spawn.
    object: String,
}

/// A lesson to check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Validate {
    /// The lesson's whole text (RON, as `malloc-vr lesson schema` describes it).
    text: String,
}

/// What is wrong with a lesson.
#[derive(Debug, Serialize, JsonSchema)]
struct Validated {
    /// Whether it can be played.
    playable: bool,
    /// Its id, where it could be read whole.
    lesson: Option<String>,
    /// How many steps it has.
    steps: Option<usize>,
    /// All mistakes, in the order of the text.
    mistakes: Vec<Wrong>,
}

/// One mistake.
#[derive(Debug, Serialize, JsonSchema)]
struct Wrong {
    /// Whether it keeps the lesson from being played.
    error: bool,
    /// Line, from 1.
    line: u32,
    /// Column, from 1.
    column: u32,
    /// What is wrong.
    what: String,
    /// How to mend it.
    mend: String,
}

pub(super) fn offer(catalogue: &mut Catalogue) {
    catalogue.tool(ToolRow::typed(
        (
            "view.scene",
            "View scene",
            "What the learner has before them, in words and coordinates: every object, socket and panel with where it is \
             from the learner, what is in hands or sockets, what shines, what the step asks for. Never head or \
             hands themselves. The ids are what scene.point_at takes.",
        ),
        (Act::View, Effects::Reads),
        view,
    ));
    act(
        catalogue,
        (
            "scene.point_at",
            "Point at",
            "Makes a thing shine in the learner's scene, with a marker hovering over it, for some seconds.",
        ),
        (Act::Message, Effects::Sets),
        |it: Point| {
            Ok(CommandBody::PointAt {
                object: ObjectId::new(it.object),
                seconds: it.seconds,
            })
        },
    );
    act(
        catalogue,
        (
            "scene.spawn",
            "Add thing",
            "Puts a further thing into the learner's scene: seen, solid, and to be taken if it has a mass. A resumed \
             session has it again; scene.remove takes it away.",
        ),
        (Act::Scene, Effects::Adds),
        |it: Spawn| {
            Ok(CommandBody::Spawn {
                object: AddedObject {
                    id: ObjectId::new(it.id),
                    label: it.label,
                    form: it.form,
                    size: it.size,
                    color: it.color,
                    position: it.position,
                    mass: it.mass,
                },
            })
        },
    );
    act(
        catalogue,
        (
            "scene.remove",
            "Remove thing",
            "Takes a thing away that scene.spawn put there. What belongs to the lesson stays.",
        ),
        (Act::Scene, Effects::Sets),
        |it: Remove| {
            Ok(CommandBody::Remove {
                object: ObjectId::new(it.object),
            })
        },
    );
    catalogue.tool(ToolRow::typed(
        (
            "lesson.validate",
            "Check lesson",
            "Checks a lesson's text as `malloc-vr lesson check` does: every mistake with line and cure. Files beside the \
             lesson are not looked for.",
        ),
        (Act::LessonValidate, Effects::Reads),
        |_: Call, it: Validate| async move {
            // A body is limited to a megabyte; so is this.
            let (lesson, report) = check_text(Path::new("lesson.ron"), &it.text, None);
            Ok(Validated {
                playable: lesson.is_some() && !report.has_errors(),
                lesson: lesson.as_ref().map(|it| it.id.to_string()),
                steps: lesson.as_ref().map(|it| it.steps.len()),
                mistakes: report
                    .mistakes
                    .into_iter()
                    .map(|it| Wrong {
                        error: it.severity == Severity::Error,
                        line: it.place.line,
                        column: it.place.column,
                        what: it.what,
                        mend: it.mend,
                    })
                    .collect(),
            })
        },
    ));
}

async fn view(call: Call, who: Who) -> Result<SceneView, Fault> {
    let learner = call.find(who.learner.as_deref())?.learner;
    call.may_with(Act::View, learner)?;
    let seen = call.look(|answer| Look::Scene(learner, answer)).await?;
    Ok(*seen?)
}
