//! Skills: named, required in an order that exists, and shown by some step.

use std::collections::BTreeMap;

use super::{Findings, dangling};
use crate::lesson::format::Lesson;
use crate::lesson::source::Key;

pub(super) fn check(lesson: &Lesson, out: &mut Findings) {
    let index: BTreeMap<&str, usize> = lesson
        .skills
        .iter()
        .enumerate()
        .map(|(at, skill)| (skill.id.as_str(), at))
        .collect();
    for (at, skill) in lesson.skills.iter().enumerate() {
        let path = |field| [Key::Field("skills"), Key::Item(at), Key::Field(field)];
        if skill.title.trim().is_empty() {
            out.error(
                &path("title"),
                "the title is empty",
                "say what can be done, for people",
            );
        }
        if let Some(error) = skill.bkt.and_then(|params| params.validated().err()) {
            out.error(
                &path("bkt"),
                error.to_string(),
                "leave `bkt` out for sensible values",
            );
        }
        for (place, required) in skill.requires.iter().enumerate() {
            if !index.contains_key(required.as_str()) {
                let [a, b, c] = path("requires");
                let path = [a, b, c, Key::Item(place)];
                dangling(
                    "skill",
                    required.as_str(),
                    index.keys().copied(),
                    &path,
                    out,
                );
            }
        }
        if !lesson
            .steps
            .iter()
            .any(|step| step.evidence_for.contains(&skill.id))
        {
            out.warning(
                &path("id"),
                format!("no step is evidence for the skill `{}`", skill.id),
                "name it in a step's `evidence_for`, or take it away",
            );
        }
    }
    circles(lesson, &index, out);
}

/// Skills that require each other. Each circle is told once, at its first skill in the text.
fn circles(lesson: &Lesson, index: &BTreeMap<&str, usize>, out: &mut Findings) {
    let mut settled = vec![false; lesson.skills.len()];
    for start in 0..lesson.skills.len() {
        // A walk along `requires`, without recursion: the way so far, and which requirement comes next in each.
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((at, next)) = way.last_mut() {
            let skill = &lesson.skills[*at];
            let required = skill.requires.get(*next);
            *next += 1;
            let Some(required) = required else {
                settled[*at] = true;
                way.pop();
                continue;
            };
            let Some(&to) = index.get(required.as_str()).filter(|to| !settled[**to]) else {
                continue;
            };
            let Some(begins) = way.iter().position(|(at, _)| *at == to) else {
                way.push((to, 0));
                continue;
            };
            let mut names: Vec<&str> = way[begins..]
                .iter()
                .map(|(at, _)| lesson.skills[*at].id.as_str())
                .collect();
            names.push(required.as_str());
            out.error(
                &[Key::Field("skills"), Key::Item(to), Key::Field("requires")],
                format!(
                    "skills require each other in a circle: {}",
                    names.join(" → ")
                ),
                "take one of the `requires` away",
            );
        }
    }
}
