//! Steps: what is asked, how it is judged, and the help that is there.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Findings, Known, POSITION_NOISE, ROTATION_NOISE, beside, dangling};
use crate::lesson::format::{Action, Hint, OnFailure, PanelContent, Role, Step};
use crate::lesson::source::Key;
use crate::protocol::ids::ObjectId;

/// Longest goal that the guide panel shows readably.
const GOAL_CHARS: usize = 90;
/// Longest hint or caption that does.
const LINE_CHARS: usize = 160;

pub(super) fn check(known: &Known, folder: Option<&Path>, out: &mut Findings) {
    for (index, step) in known.lesson.steps.iter().enumerate() {
        check_words(index, step, folder, out);
        check_judging(index, step, known, out);
        check_hints(index, &step.hints, known, out);
        check_action(index, step, known, out);
    }
    if known.lesson.steps.is_empty() && !out.any_lost() {
        out.error(
            &[Key::Field("steps")],
            "the lesson has no steps",
            "add what the learner shall do",
        );
    }
}

fn check_words(index: usize, step: &Step, folder: Option<&Path>, out: &mut Findings) {
    let at = |field| [Key::Field("steps"), Key::Item(index), Key::Field(field)];
    if step.goal.trim().is_empty() {
        out.error(
            &at("goal"),
            "the goal is empty",
            "say what the learner shall do",
        );
    }
    too_long(&step.goal, GOAL_CHARS, "goal", &at("goal"), out);
    if let Some(line) = &step.say {
        let [a, b, c] = at("say");
        let caption = [a, b, c, Key::Field("caption")];
        if line.caption.trim().is_empty() {
            out.error(
                &caption,
                "the spoken line has no caption",
                "write out what is said",
            );
        }
        too_long(&line.caption, LINE_CHARS, "caption", &caption, out);
        if let Some(audio) = &line.audio {
            beside(audio, folder, "sound", &[a, b, c, Key::Field("audio")], out);
        }
    }
}

fn too_long(text: &str, most: usize, kind: &str, path: &[Key], out: &mut Findings) {
    let length = text.chars().count();
    if length > most {
        out.warning(
            path,
            format!("the {kind} has {length} characters; a panel shows {most} readably"),
            "say it shorter, or put the rest into a hint",
        );
    }
}

fn check_judging(index: usize, step: &Step, known: &Known, out: &mut Findings) {
    let at = |field| [Key::Field("steps"), Key::Item(index), Key::Field(field)];
    if step
        .time_limit
        .is_some_and(|limit| !(limit >= 1.0 && limit.is_finite()))
    {
        out.error(
            &at("time_limit"),
            "a time limit is at least 1 s",
            "leave it out for no limit",
        );
    }
    let says = matches!(step.action, Action::Rate { .. });
    if says && !step.evidence_for.is_empty() {
        out.error(
            &at("evidence_for"),
            "how learners feel is no evidence for a skill",
            "leave `evidence_for` out",
        );
    }
    if step.evidence_for.is_empty() && !says {
        out.warning(
            &at("id"),
            "the step is evidence for no skill",
            "name skills in `evidence_for`",
        );
    }
    let mut seen = BTreeSet::new();
    for (place, skill) in step.evidence_for.iter().enumerate() {
        let [a, b, c] = at("evidence_for");
        let path = [a, b, c, Key::Item(place)];
        if !known.lesson.skills.iter().any(|it| it.id == *skill) {
            let names = known.lesson.skills.iter().map(|it| it.id.as_str());
            dangling("skill", skill.as_str(), names, &path, out);
        } else if !seen.insert(skill) {
            out.error(
                &path,
                format!("`{skill}` is named twice, so one attempt would count twice"),
                "take one of them away",
            );
        }
    }
    if let OnFailure::GoOnAfter { failures: 0 } = step.on_failure {
        out.error(
            &at("on_failure"),
            "going on after 0 failures skips the step",
            "choose 1 or more",
        );
    }
}

fn check_hints(index: usize, hints: &[Hint], known: &Known, out: &mut Findings) {
    let at = |field| [Key::Field("steps"), Key::Item(index), Key::Field(field)];
    if hints.is_empty() {
        out.warning(
            &at("id"),
            "the step has no hints",
            "a learner who is stuck stays stuck: add `hints`",
        );
    }
    if hints.len() > usize::from(u8::MAX) {
        out.error(
            &at("hints"),
            "a ladder has at most 255 hints",
            "keep the best three",
        );
    }
    for (place, hint) in hints.iter().enumerate() {
        let [a, b, c] = at("hints");
        let path = [a, b, c, Key::Item(place), Key::Field("text")];
        if hint.text.trim().is_empty() {
            out.error(&path, "the hint is empty", "write it");
        }
        too_long(&hint.text, LINE_CHARS, "hint", &path, out);
        for (item, object) in hint.highlight.iter().enumerate() {
            let path = [
                a,
                b,
                c,
                Key::Item(place),
                Key::Field("highlight"),
                Key::Item(item),
            ];
            known.object(object, &path, out);
        }
    }
}

fn check_action(index: usize, step: &Step, known: &Known, out: &mut Findings) {
    let at = |field| {
        [
            Key::Field("steps"),
            Key::Item(index),
            Key::Field("action"),
            Key::Field(field),
        ]
    };
    let needs = |id: &ObjectId, field, fits: fn(&Role) -> bool, role: &str, out: &mut Findings| {
        if let Some(object) = known.object(id, &at(field), out)
            && !fits(&object.role)
        {
            out.error(
                &at(field),
                format!(
                    "`{id}` is {}, and this asks for something else",
                    kind(&object.role)
                ),
                format!("name another object, or give it `role: {role}`"),
            );
        }
    };
    let grabbable: fn(&Role) -> bool = |role| matches!(role, Role::Grabbable { .. });
    match &step.action {
        Action::LookAt { object, hold } => {
            known.object(object, &at("object"), out);
            if !(*hold > 0.0 && *hold <= 10.0) {
                out.error(
                    &at("hold"),
                    "looking lasts more than 0 and at most 10 s",
                    "choose about 1",
                );
            }
        }
        Action::Touch { object } => {
            known.object(object, &at("object"), out);
        }
        Action::Grab { object } => needs(object, "object", grabbable, "Grabbable(mass: …)", out),
        Action::Press { object } => {
            needs(
                object,
                "object",
                |role| matches!(role, Role::Button),
                "Button",
                out,
            );
        }
        Action::Teleport { to } => {
            needs(
                to,
                "to",
                |role| matches!(role, Role::TeleportSpot),
                "TeleportSpot",
                out,
            );
        }
        Action::Throw {
            object,
            at: target,
            min_speed,
        } => {
            needs(object, "object", grabbable, "Grabbable(mass: …)", out);
            if let Some(target) = target {
                let solid: fn(&Role) -> bool =
                    |role| !matches!(role, Role::Decor | Role::TeleportSpot);
                needs(target, "at", solid, "Fixed", out);
                if target == object {
                    out.error(&at("at"), "nothing can strike itself", "name a target");
                }
            }
            if !(*min_speed >= 0.5 && *min_speed <= 10.0) {
                out.error(
                    &at("min_speed"),
                    format!("{min_speed} m/s is no throw"),
                    "choose 0.5 to 10; a gentle throw has 2",
                );
            }
        }
        Action::Place {
            object,
            socket,
            position_tolerance,
            rotation_tolerance,
        } => {
            needs(object, "object", grabbable, "Grabbable(mass: …)", out);
            match known.lesson.sockets.iter().find(|it| it.id == *socket) {
                None => {
                    let names = known.lesson.sockets.iter().map(|it| it.id.as_str());
                    dangling("socket", socket.as_str(), names, &at("socket"), out);
                }
                Some(found) => {
                    if !found.accepts.contains(object) {
                        out.error(
                            &at("socket"),
                            format!("socket `{socket}` does not accept `{object}`"),
                            "add it to the socket's `accepts`",
                        );
                    }
                    if *position_tolerance > found.reach {
                        out.error(
                            &at("position_tolerance"),
                            format!(
                                "the tolerance of {position_tolerance} m is wider than the socket's reach of {} m",
                                found.reach
                            ),
                            "widen the reach or narrow the tolerance",
                        );
                    }
                }
            }
            if *position_tolerance < POSITION_NOISE || position_tolerance.is_nan() {
                out.error(
                    &at("position_tolerance"),
                    format!("{position_tolerance} m is below the noise of tracking"),
                    format!("choose at least {POSITION_NOISE}; 0.02 is demanding, 0.06 friendly"),
                );
            }
            if rotation_tolerance.is_some_and(|angle| angle >= std::f32::consts::PI) {
                out.warning(
                    &at("rotation_tolerance"),
                    "no angle is ever larger than this",
                    "leave it out where any rotation will do",
                );
            }
            if rotation_tolerance.is_some_and(|angle| angle < ROTATION_NOISE || angle.is_nan()) {
                out.error(
                    &at("rotation_tolerance"),
                    "the angle is below the noise of tracking",
                    format!("choose at least {ROTATION_NOISE} radians; 0.35 (20 degrees) is usual"),
                );
            }
        }
        Action::Answer { panel } => match known.lesson.panels.iter().find(|it| it.id == *panel) {
            None => {
                let names = known.lesson.panels.iter().map(|it| it.id.as_str());
                dangling("panel", panel.as_str(), names, &at("panel"), out);
            }
            Some(found) if !matches!(found.content, PanelContent::Question { .. }) => out.error(
                &at("panel"),
                format!("panel `{panel}` asks nothing"),
                "give it `content: Question(…)`",
            ),
            Some(_) => {}
        },
        Action::Rate { panel } => match known.lesson.panels.iter().find(|it| it.id == *panel) {
            None => {
                let names = known.lesson.panels.iter().map(|it| it.id.as_str());
                dangling("panel", panel.as_str(), names, &at("panel"), out);
            }
            Some(found) if !matches!(found.content, PanelContent::Rating { .. }) => out.error(
                &at("panel"),
                format!("panel `{panel}` does not ask how it is"),
                "give it `content: Rating(…)`",
            ),
            Some(_) => {}
        },
    }
}

/// A role in words.
fn kind(role: &Role) -> &'static str {
    match role {
        Role::Decor => "only to be seen",
        Role::Fixed => "fixed",
        Role::Grabbable { .. } => "there to be grasped",
        Role::Button => "a button",
        Role::TeleportSpot => "a spot to teleport to",
    }
}
