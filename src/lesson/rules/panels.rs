//! Panels: within sight, facing the reader, and with no more words than fit at a readable size.

use super::reach::{COMFORT_ANGLE, EYE_HEIGHT, places_to_stand};
use super::{Findings, finite, position};
use crate::lesson::choices::{HEAD, columns_and_rows};
use crate::lesson::format::{Action, Lesson, Panel, PanelContent};
use crate::lesson::source::Key;

/// Height of a line of body text, metres: letters of 1.5 degrees at 1.5 m, and the space between lines.
const LINE_HEIGHT: f32 = 0.05;
/// Width of a letter of that size, on average.
const LETTER_WIDTH: f32 = 0.02;
/// Share of a panel's width that text fills.
const TEXT_SHARE: f32 = 0.88;
/// How many choices there may be at most, and what to say of fewer or more.
const OF_A_QUESTION: (usize, &str) = (6, "a question has two to six choices");
const OF_A_RATING: (usize, &str) = (9, "a rating has two to nine choices");
/// Farther away, letters of that size can't be read, metres.
const READABLE: f32 = 3.0;
/// A panel seen more aslant than this (cosine; 65 degrees) cannot be read.
const ASLANT: f32 = 0.42;

pub(super) fn check(lesson: &Lesson, out: &mut Findings) {
    for (index, panel) in lesson.panels.iter().enumerate() {
        let at = |field| [Key::Field("panels"), Key::Item(index), Key::Field(field)];
        position(&panel.position, &at("position"), out);
        finite(&panel.rotation, &at("rotation"), out);
        if panel.size.iter().all(|edge| *edge >= 0.1 && *edge <= 4.0) {
            words(index, panel, out);
        } else {
            out.error(
                &at("size"),
                "a panel is 0.1 to 4 m wide and high",
                "choose another size",
            );
        }
        sight(lesson, index, panel, out);
        content(lesson, index, panel, out);
    }
    let guide = lesson
        .panels
        .iter()
        .any(|panel| matches!(panel.content, PanelContent::Guide));
    if !guide {
        out.warning(
            &[Key::Field("panels")],
            "no panel shows the goals",
            "add a panel with `content: Guide`",
        );
    }
}

/// Somebody at the start or a marked spot can read it without straining the neck.
fn sight(lesson: &Lesson, index: usize, panel: &Panel, out: &mut Findings) {
    let at = |field| [Key::Field("panels"), Key::Item(index), Key::Field(field)];
    let [x, y, z] = panel.position;
    let from = places_to_stand(lesson)
        .map(|[px, pz]| [px - x, EYE_HEIGHT - y, pz - z])
        .min_by(|a, b| a[0].hypot(a[2]).total_cmp(&b[0].hypot(b[2])));
    let Some([dx, dy, dz]) = from else {
        return;
    };
    let flat = dx.hypot(dz);
    let distance = flat.hypot(dy);
    if (dy / flat.max(0.1)).atan().abs() > COMFORT_ANGLE {
        out.warning(
            &at("position"),
            "the panel is more than 30 degrees above or below the eyes",
            format!("move it towards y = {EYE_HEIGHT}"),
        );
    }
    if distance > READABLE {
        out.warning(
            &at("position"),
            format!(
                "the panel is {distance:.1} m from the nearest place to stand and cannot be read"
            ),
            "bring it to about 1.5 m from the start or a teleport spot",
        );
    }
    // The way that the panel's face looks: +z turned about y and x.
    let [yaw, pitch, _] = panel.rotation;
    let facing = [
        yaw.sin() * pitch.cos(),
        -pitch.sin(),
        yaw.cos() * pitch.cos(),
    ];
    let cosine = (facing[0] * dx + facing[1] * dy + facing[2] * dz) / distance.max(0.01);
    if cosine < ASLANT {
        out.warning(
            &at("rotation"),
            "the panel faces away from the nearest place to stand",
            format!("turn it about y to {:.2}", dx.atan2(dz)),
        );
    }
}

fn content(lesson: &Lesson, index: usize, panel: &Panel, out: &mut Findings) {
    let inside = |field| {
        [
            Key::Field("panels"),
            Key::Item(index),
            Key::Field("content"),
            Key::Field(field),
        ]
    };
    match &panel.content {
        PanelContent::Guide => {}
        PanelContent::Text { title, body } => {
            if title.trim().is_empty() {
                out.error(&inside("title"), "the panel has no heading", "write one");
            }
            if body.trim().is_empty() {
                out.error(&inside("body"), "the panel says nothing", "write its text");
            }
        }
        PanelContent::Question {
            prompt,
            choices,
            correct,
        } => {
            choices_of(index, prompt, choices, OF_A_QUESTION, out);
            if usize::try_from(*correct).is_ok_and(|correct| correct >= choices.len()) {
                out.error(
                    &inside("correct"),
                    format!("the right answer is number {correct}, but choices count from 0"),
                    "name the index of the right choice",
                );
            }
            let asked = lesson.steps.iter().any(
                |step| matches!(&step.action, Action::Answer { panel: id } if *id == panel.id),
            );
            if !asked {
                out.warning(
                    &[Key::Field("panels"), Key::Item(index), Key::Field("id")],
                    "no step asks for an answer to this question",
                    format!("add a step with `action: Answer(panel: \"{}\")`", panel.id),
                );
            }
        }
        PanelContent::Rating {
            prompt, choices, ..
        } => {
            choices_of(index, prompt, choices, OF_A_RATING, out);
            let asked = lesson
                .steps
                .iter()
                .any(|step| matches!(&step.action, Action::Rate { panel: id } if *id == panel.id));
            if !asked {
                out.warning(
                    &[Key::Field("panels"), Key::Item(index), Key::Field("id")],
                    "no step asks for this rating",
                    format!("add a step with `action: Rate(panel: \"{}\")`", panel.id),
                );
            }
        }
    }
}

/// A question, and what can be chosen.
fn choices_of(
    index: usize,
    prompt: &str,
    choices: &[String],
    (most, rule): (usize, &str),
    out: &mut Findings,
) {
    let inside = |field| {
        [
            Key::Field("panels"),
            Key::Item(index),
            Key::Field("content"),
            Key::Field(field),
        ]
    };
    if prompt.trim().is_empty() {
        out.error(&inside("prompt"), "the question is empty", "write it");
    }
    if !(2..=most).contains(&choices.len()) {
        out.error(
            &inside("choices"),
            format!("{rule}, not {}", choices.len()),
            "add or take away choices",
        );
    }
    for (place, choice) in choices.iter().enumerate() {
        let [a, b, c, d] = inside("choices");
        let path = [a, b, c, d, Key::Item(place)];
        if choice.trim().is_empty() {
            out.error(&path, "the choice is empty", "write it, or take it away");
        } else if choices
            .iter()
            .take(place.min(most))
            .any(|before| before == choice)
        {
            out.error(
                &path,
                format!("the choice `{choice}` stands twice"),
                "change one of them",
            );
        }
    }
}

/// The words fit on the panel at a size that can be read.
fn words(index: usize, panel: &Panel, out: &mut Findings) {
    let [width, height] = panel.size;
    let at = |field| {
        [
            Key::Field("panels"),
            Key::Item(index),
            Key::Field("content"),
            Key::Field(field),
        ]
    };
    let too_long = "shorten it, or make the panel larger";
    match &panel.content {
        PanelContent::Guide => {}
        // The heading takes two lines.
        PanelContent::Text { body, .. } => {
            if body.chars().count() > room(width, height - 2.0 * LINE_HEIGHT) {
                out.warning(&at("body"), "the text is too long for its panel", too_long);
            }
        }
        PanelContent::Question {
            prompt, choices, ..
        }
        | PanelContent::Rating {
            prompt, choices, ..
        } => {
            if prompt.chars().count() > room(width, height * HEAD) {
                out.warning(
                    &at("prompt"),
                    "the question is too long for its panel",
                    too_long,
                );
            }
            let (columns, rows) = columns_and_rows(choices.len());
            let each = height * (1.0 - HEAD) / rows as f32;
            let width = width / columns as f32;
            for (place, choice) in choices.iter().enumerate() {
                if choice.chars().count() > room(width, each) {
                    let [a, b, c, d] = at("choices");
                    out.warning(
                        &[a, b, c, d, Key::Item(place)],
                        "the choice is too long for its panel",
                        too_long,
                    );
                }
            }
        }
    }
}

/// Letters that fit into a box of this width and height, metres.
fn room(width: f32, height: f32) -> usize {
    let lines = (height / LINE_HEIGHT).floor().max(0.0);
    let letters = (width * TEXT_SHARE / LETTER_WIDTH).floor().max(0.0);
    // Lines break between words, so all but a single one end early.
    let full = if lines > 1.0 { 0.85 } else { 1.0 };
    // Both are small whole numbers, so nothing is lost.
    (lines * letters * full) as usize
}
