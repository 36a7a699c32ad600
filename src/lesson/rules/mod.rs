//! What a lesson must keep to beyond its form: references, graphs, tolerances, reach and reading.

mod flow;
mod panels;
mod reach;
mod skills;
mod steps;
mod things;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::check::{Findings, nearest};
use super::format::{Lesson, Object};
use super::source::Key;
use crate::protocol::ids::ObjectId;

/// Below this a position cannot be told from tracking noise (controllers: about a millimetre; hands: several).
const POSITION_NOISE: f32 = 0.005;
/// As much for angles, radians (about 1.7 degrees).
const ROTATION_NOISE: f32 = 0.03;
/// Rooms larger than this lose the 0.1 mm that f32 positions owe.
const ROOM: f32 = 10.0;

/// Things of one kind that a lesson may have: far more than a room holds.
const MOST: usize = 1000;

pub(super) fn check(lesson: &Lesson, folder: Option<&Path>, out: &mut Findings) {
    if too_many(lesson, out) {
        return;
    }
    let known = Known::new(lesson);
    names(lesson, out);
    texts(lesson, out);
    skills::check(lesson, out);
    things::check(lesson, folder, out);
    panels::check(lesson, out);
    steps::check(&known, folder, out);
    flow::check(lesson, out);
    reach::check(lesson, &known, out);
}

fn too_many(lesson: &Lesson, out: &mut Findings) -> bool {
    let mut found = false;
    for (list, length) in [
        ("skills", lesson.skills.len()),
        ("objects", lesson.objects.len()),
        ("sockets", lesson.sockets.len()),
        ("panels", lesson.panels.len()),
        ("steps", lesson.steps.len()),
        ("flow", flow::size(&lesson.flow)),
    ] {
        if length > MOST {
            found = true;
            out.error(
                &[Key::Field(list)],
                format!("`{list}` has {length} entries; a lesson has at most {MOST}"),
                "make several lessons of it",
            );
        }
    }
    found
}

/// Names that a reference may point to.
struct Known<'a> {
    lesson: &'a Lesson,
    objects: BTreeMap<&'a str, &'a Object>,
}

impl<'a> Known<'a> {
    fn new(lesson: &'a Lesson) -> Self {
        Self {
            lesson,
            objects: lesson
                .objects
                .iter()
                .map(|object| (object.id.as_str(), object))
                .collect(),
        }
    }

    /// The object of that name; else says that it is missing.
    fn object(&self, id: &ObjectId, path: &[Key], out: &mut Findings) -> Option<&'a Object> {
        let found = self.objects.get(id.as_str()).copied();
        if found.is_none() {
            dangling(
                "object",
                id.as_str(),
                self.objects.keys().copied(),
                path,
                out,
            );
        }
        found
    }
}

fn dangling<'a>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    path: &[Key],
    out: &mut Findings,
) {
    if out.is_lost(name) {
        return;
    }
    let mend = nearest(name, known).map_or_else(
        || format!("define it under `{kind}s`, or name one that is there"),
        |near| format!("did you mean `{near}`?"),
    );
    out.error(path, format!("there is no {kind} `{name}`"), mend);
}

fn names(lesson: &Lesson, out: &mut Findings) {
    unique("skills", lesson.skills.iter().map(|it| it.id.as_str()), out);
    unique(
        "objects",
        lesson.objects.iter().map(|it| it.id.as_str()),
        out,
    );
    unique(
        "sockets",
        lesson.sockets.iter().map(|it| it.id.as_str()),
        out,
    );
    unique("panels", lesson.panels.iter().map(|it| it.id.as_str()), out);
    unique("steps", lesson.steps.iter().map(|it| it.id.as_str()), out);
    let id = lesson.id.as_str();
    if id.is_empty()
        || !id
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    {
        out.error(
            &[Key::Field("id")],
            format!("`{id}` cannot name a lesson"),
            "use lower-case letters, digits and hyphens",
        );
    }
}

fn unique<'a>(list: &'static str, ids: impl Iterator<Item = &'a str>, out: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (index, id) in ids.enumerate() {
        let path = [Key::Field(list), Key::Item(index), Key::Field("id")];
        if id.trim().is_empty() {
            out.error(&path, "the name is empty", "give it a name");
        } else if !seen.insert(id) {
            out.error(
                &path,
                format!("`{id}` is named twice in `{list}`"),
                "give one of them another name",
            );
        }
    }
}

fn texts(lesson: &Lesson, out: &mut Findings) {
    for (field, text) in [("title", &lesson.title), ("summary", &lesson.summary)] {
        if text.trim().is_empty() {
            out.error(
                &[Key::Field(field)],
                format!("`{field}` is empty"),
                "fill it in",
            );
        }
    }
    let mut subtags = lesson.language.split('-');
    let first = subtags.next().unwrap_or_default();
    let tag = (2..=3).contains(&first.len())
        && first.chars().all(|c| c.is_ascii_alphabetic())
        && subtags.all(|part| {
            (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
        });
    if !tag {
        out.error(
            &[Key::Field("language")],
            format!("`{}` is no language tag", lesson.language),
            "write a BCP 47 tag, for example `en`, `de` or `pt-BR`",
        );
    }
}

fn position(position: &[f32; 3], path: &[Key], out: &mut Findings) {
    if !position.iter().all(|metre| metre.abs() <= ROOM) {
        out.error(
            path,
            format!("the position is not within {ROOM} m of the room's middle"),
            "give finite metres nearer to the middle",
        );
    }
}

fn finite(angles: &[f32; 3], path: &[Key], out: &mut Findings) {
    if !angles.iter().all(|angle| angle.is_finite()) {
        out.error(path, "an angle is not finite", "give radians");
    }
}

/// A file beside the lesson: named without leaving its folder, and there. `folder`: where to look, if that is known.
fn beside(name: &str, folder: Option<&Path>, kind: &str, path: &[Key], out: &mut Findings) {
    let inside = !name.is_empty()
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        out.error(
            path,
            format!("the {kind} `{name}` does not lie in the lesson's folder"),
            "put it beside the lesson file and name it from there",
        );
    } else if folder.is_some_and(|folder| !folder.join(name).is_file()) {
        out.error(
            path,
            format!("the {kind} `{name}` is missing"),
            "put it beside the lesson file",
        );
    }
}
