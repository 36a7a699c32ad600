//! Objects and sockets, each by itself: sizes, colours, files, masses, and what fits where.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Findings, POSITION_NOISE, beside, dangling, finite, position};
use crate::lesson::format::{Lesson, Object, Role, Shape};
use crate::lesson::source::Key;

/// No edge is longer, metres: twice the room.
const LONGEST: f32 = 20.0;
/// Nobody lifts more in here, kilograms.
const HEAVIEST: f32 = 20.0;

pub(super) fn check(lesson: &Lesson, folder: Option<&Path>, out: &mut Findings) {
    for (index, object) in lesson.objects.iter().enumerate() {
        check_object(index, object, folder, out);
    }
    check_sockets(lesson, out);
}

fn check_object(index: usize, object: &Object, folder: Option<&Path>, out: &mut Findings) {
    let at = |field| [Key::Field("objects"), Key::Item(index), Key::Field(field)];
    if object.label.trim().is_empty() {
        out.error(
            &at("label"),
            "the label is empty",
            "say what it is, for captions: \"red cube\"",
        );
    }
    position(&object.position, &at("position"), out);
    finite(&object.rotation, &at("rotation"), out);
    if !is_color(&object.color) {
        out.error(
            &at("color"),
            format!("`{}` is no colour", object.color),
            "write it as #rrggbb, six hexadecimal digits",
        );
    }
    let lengths: Vec<f32> = match &object.shape {
        Shape::Box(edges) => edges.to_vec(),
        Shape::Sphere { radius } => vec![*radius],
        Shape::Cylinder { radius, height } | Shape::Cone { radius, height } => {
            vec![*radius, *height]
        }
        Shape::Gltf { path, bounds } => {
            let [a, b, c] = at("shape");
            let place = [a, b, c, Key::Field("path")];
            beside(path, folder, "scene", &place, out);
            let gltf = Path::new(path).extension().is_some_and(|end| {
                end.eq_ignore_ascii_case("glb") || end.eq_ignore_ascii_case("gltf")
            });
            if !gltf {
                out.error(
                    &place,
                    format!("`{path}` is no glTF file"),
                    "export it as .glb or .gltf",
                );
            }
            bounds.to_vec()
        }
    };
    if !lengths
        .iter()
        .all(|length| *length > 0.0 && *length <= LONGEST)
    {
        out.error(
            &at("shape"),
            format!("a length is not between 0 and {LONGEST} m"),
            "give all lengths in metres, above 0",
        );
    }
    if let Role::Grabbable { mass } = object.role
        && !(mass > 0.0 && mass <= HEAVIEST)
    {
        out.error(
            &at("role"),
            format!("a mass of {mass} kg cannot be handled"),
            format!("choose more than 0 and at most {HEAVIEST} kg"),
        );
    }
}

fn check_sockets(lesson: &Lesson, out: &mut Findings) {
    for (index, socket) in lesson.sockets.iter().enumerate() {
        let at = |field| [Key::Field("sockets"), Key::Item(index), Key::Field(field)];
        if socket.label.trim().is_empty() {
            out.error(
                &at("label"),
                "the label is empty",
                "say what it is, for captions: \"round hole\"",
            );
        }
        position(&socket.position, &at("position"), out);
        finite(&socket.rotation, &at("rotation"), out);
        if !(socket.reach >= 2.0 * POSITION_NOISE && socket.reach <= 1.0) {
            out.error(
                &at("reach"),
                format!("a reach of {} m makes no sense", socket.reach),
                "choose 0.01 to 1 m; about the object's size is usual",
            );
        }
        if socket.accepts.is_empty() {
            out.error(
                &at("accepts"),
                "it accepts nothing",
                "name the objects that fit",
            );
        }
        let mut seen = BTreeSet::new();
        for (place, id) in socket.accepts.iter().enumerate() {
            let path = [
                Key::Field("sockets"),
                Key::Item(index),
                Key::Field("accepts"),
                Key::Item(place),
            ];
            match lesson.objects.iter().find(|object| object.id == *id) {
                None => dangling(
                    "object",
                    id.as_str(),
                    lesson.objects.iter().map(|object| object.id.as_str()),
                    &path,
                    out,
                ),
                Some(object) if !matches!(object.role, Role::Grabbable { .. }) => out.error(
                    &path,
                    format!("`{id}` cannot be carried here"),
                    "give it `role: Grabbable(mass: …)`",
                ),
                Some(_) if !seen.insert(id) => {
                    out.warning(&path, format!("`{id}` is named twice"), "once is enough");
                }
                Some(_) => {}
            }
        }
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()))
}
