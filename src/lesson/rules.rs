//! What a lesson must keep to beyond its form: references, graphs, tolerances, reach and reading.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::check::{Findings, nearest};
use super::format::{Action, Flow, Lesson, Object, PanelContent, Role, Shape, Step};
use super::source::Key;
use crate::protocol::ids::{ObjectId, StepId};

/// Below this a position cannot be told from tracking noise (controllers: about a millimetre; hands: several).
const POSITION_NOISE: f32 = 0.005;
/// As much for angles, radians (about 1.7 degrees).
const ROTATION_NOISE: f32 = 0.03;
/// What seated people reach with a stretched arm from where they sit, metres on the floor.
const ARM: f32 = 0.75;
/// Heights that seated and standing people both reach, metres.
const REACHABLE_HEIGHT: std::ops::RangeInclusive<f32> = 0.5..=1.6;
/// Eye height used for judging panels: between a seated (1.2 m) and a standing (1.6 m) adult.
const EYE_HEIGHT: f32 = 1.4;
/// Panels further up or down than this from the eyes strain the neck (30 degrees).
const COMFORT_ANGLE: f32 = 0.53;
/// Longest goal that the guide panel shows readably.
const GOAL_CHARS: usize = 90;
/// Rooms larger than this lose the 0.1 mm that f32 positions owe.
const ROOM: f32 = 10.0;

pub(super) fn check(lesson: &Lesson, folder: Option<&Path>, out: &mut Findings) {
    names(lesson, out);
    texts(lesson, out);
    skills(lesson, out);
    for (index, object) in lesson.objects.iter().enumerate() {
        check_object(index, object, folder, out);
    }
    sockets(lesson, out);
    panels(lesson, out);
    let known = Known::new(lesson);
    for (index, step) in lesson.steps.iter().enumerate() {
        check_step(index, step, &known, folder, out);
    }
    flow(lesson, out);
    reach(lesson, &known, out);
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
            dangling("object", id.as_str(), self.objects.keys().copied(), path, out);
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
    let mend = nearest(name, known).map_or_else(
        || format!("define it under `{kind}s`, or name one that is there"),
        |near| format!("did you mean `{near}`?"),
    );
    out.error(path, format!("there is no {kind} `{name}`"), mend);
}

fn names(lesson: &Lesson, out: &mut Findings) {
    unique("skills", lesson.skills.iter().map(|it| it.id.as_str()), out);
    unique("objects", lesson.objects.iter().map(|it| it.id.as_str()), out);
    unique("sockets", lesson.sockets.iter().map(|it| it.id.as_str()), out);
    unique("panels", lesson.panels.iter().map(|it| it.id.as_str()), out);
    unique("steps", lesson.steps.iter().map(|it| it.id.as_str()), out);
    let id = lesson.id.as_str();
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
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
    for (field, text) in [
        ("title", &lesson.title),
        ("summary", &lesson.summary),
        ("language", &lesson.language),
    ] {
        if text.trim().is_empty() {
            out.error(&[Key::Field(field)], format!("`{field}` is empty"), "fill it in");
        }
    }
}

fn skills(lesson: &Lesson, out: &mut Findings) {
    let index: BTreeMap<&str, usize> = lesson
        .skills
        .iter()
        .enumerate()
        .map(|(at, skill)| (skill.id.as_str(), at))
        .collect();
    for (at, skill) in lesson.skills.iter().enumerate() {
        if let Some(error) = skill.bkt.and_then(|params| params.validated().err()) {
            out.error(
                &[Key::Field("skills"), Key::Item(at), Key::Field("bkt")],
                error.to_string(),
                "leave `bkt` out for sensible values",
            );
        }
        for (place, required) in skill.requires.iter().enumerate() {
            if !index.contains_key(required.as_str()) {
                let path = [
                    Key::Field("skills"),
                    Key::Item(at),
                    Key::Field("requires"),
                    Key::Item(place),
                ];
                dangling("skill", required.as_str(), index.keys().copied(), &path, out);
            }
        }
    }
    // Skills that can be put in order are taken away; what stays requires itself in a circle.
    let mut left: BTreeSet<usize> = (0..lesson.skills.len()).collect();
    loop {
        let ready: Vec<usize> = left
            .iter()
            .copied()
            .filter(|at| {
                lesson.skills[*at]
                    .requires
                    .iter()
                    .all(|id| index.get(id.as_str()).is_none_or(|needed| !left.contains(needed)))
            })
            .collect();
        if ready.is_empty() {
            break;
        }
        for at in ready {
            left.remove(&at);
        }
    }
    if let Some(first) = left.first() {
        let circle: Vec<&str> = left.iter().map(|at| lesson.skills[*at].id.as_str()).collect();
        out.error(
            &[Key::Field("skills"), Key::Item(*first), Key::Field("requires")],
            format!("skills require each other in a circle: {}", circle.join(", ")),
            "take one of the `requires` away",
        );
    }
}

fn check_object(index: usize, object: &Object, folder: Option<&Path>, out: &mut Findings) {
    let at = |field| [Key::Field("objects"), Key::Item(index), Key::Field(field)];
    if object.label.trim().is_empty() {
        out.error(&at("label"), "the label is empty", "say what it is, for captions: \"red cube\"");
    }
    position(&object.position, &at("position"), out);
    finite(&object.rotation, &at("rotation"), out);
    if !is_color(&object.color) {
        out.error(&at("color"), format!("`{}` is no colour", object.color), "write it as #rrggbb");
    }
    let lengths: Vec<f32> = match &object.shape {
        Shape::Box(edges) => edges.to_vec(),
        Shape::Sphere { radius } => vec![*radius],
        Shape::Cylinder { radius, height } | Shape::Cone { radius, height } => vec![*radius, *height],
        Shape::Gltf { path, bounds } => {
            if let Some(folder) = folder
                && !folder.join(path).is_file()
            {
                out.error(
                    &at("shape"),
                    format!("the scene `{path}` is missing"),
                    "put it beside the lesson file",
                );
            }
            bounds.to_vec()
        }
    };
    if !lengths.iter().all(|length| *length > 0.0 && length.is_finite()) {
        out.error(&at("shape"), "a length is not positive", "give all lengths in metres, above 0");
    }
    if let Role::Grabbable { mass } = object.role
        && !(mass > 0.0 && mass <= 20.0)
    {
        out.error(
            &at("role"),
            format!("a mass of {mass} kg cannot be handled"),
            "choose more than 0 and at most 20 kg",
        );
    }
}

fn sockets(lesson: &Lesson, out: &mut Findings) {
    for (index, socket) in lesson.sockets.iter().enumerate() {
        let at = |field| [Key::Field("sockets"), Key::Item(index), Key::Field(field)];
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
            out.error(&at("accepts"), "it accepts nothing", "name the objects that fit");
        }
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
                Some(_) => {}
            }
        }
    }
}

fn panels(lesson: &Lesson, out: &mut Findings) {
    for (index, panel) in lesson.panels.iter().enumerate() {
        let at = |field| [Key::Field("panels"), Key::Item(index), Key::Field(field)];
        position(&panel.position, &at("position"), out);
        finite(&panel.rotation, &at("rotation"), out);
        if !panel.size.iter().all(|edge| *edge >= 0.1 && *edge <= 4.0) {
            out.error(&at("size"), "a panel is 0.1 to 4 m wide and high", "choose another size");
        }
        let [x, y, z] = panel.position;
        let nearest_place = places_to_stand(lesson)
            .map(|[px, pz]| (x - px).hypot(z - pz))
            .fold(f32::INFINITY, f32::min);
        if ((y - EYE_HEIGHT) / nearest_place.max(0.1)).atan().abs() > COMFORT_ANGLE {
            out.warning(
                &at("position"),
                "the panel is more than 30 degrees above or below the eyes",
                format!("move it towards y = {EYE_HEIGHT}"),
            );
        }
        if let PanelContent::Question {
            prompt,
            choices,
            correct,
        } = &panel.content
        {
            if prompt.trim().is_empty() || choices.iter().any(|choice| choice.trim().is_empty()) {
                out.error(&at("content"), "a question or choice is empty", "fill it in");
            }
            if !(2..=6).contains(&choices.len()) {
                out.error(
                    &at("content"),
                    format!("a question has two to six choices, not {}", choices.len()),
                    "add or take away choices",
                );
            }
            if usize::try_from(*correct).is_ok_and(|correct| correct >= choices.len()) {
                out.error(
                    &at("content"),
                    format!("the right answer is number {correct}, but choices count from 0"),
                    "name the index of the right choice",
                );
            }
        }
    }
    let guides = lesson
        .panels
        .iter()
        .filter(|panel| matches!(panel.content, PanelContent::Guide))
        .count();
    if guides == 0 {
        out.warning(
            &[Key::Field("panels")],
            "no panel shows the goals",
            "add a panel with `content: Guide`",
        );
    }
}

fn check_step(index: usize, step: &Step, known: &Known, folder: Option<&Path>, out: &mut Findings) {
    let at = |field| [Key::Field("steps"), Key::Item(index), Key::Field(field)];
    let goal = step.goal.chars().count();
    if step.goal.trim().is_empty() {
        out.error(&at("goal"), "the goal is empty", "say what the learner shall do");
    } else if goal > GOAL_CHARS {
        out.warning(
            &at("goal"),
            format!("the goal has {goal} characters; a panel shows {GOAL_CHARS} readably"),
            "put the rest into a hint",
        );
    }
    if let Some(line) = &step.say {
        if line.caption.trim().is_empty() {
            out.error(&at("say"), "the spoken line has no caption", "write out what is said");
        }
        if let (Some(audio), Some(folder)) = (&line.audio, folder)
            && !folder.join(audio).is_file()
        {
            out.error(&at("say"), format!("the sound `{audio}` is missing"), "put it beside the lesson file");
        }
    }
    if step.time_limit.is_some_and(|limit| !(limit >= 1.0 && limit.is_finite())) {
        out.error(&at("time_limit"), "a time limit is at least 1 s", "leave it out for no limit");
    }
    if step.evidence_for.is_empty() {
        out.warning(&at("id"), "the step is evidence for no skill", "name skills in `evidence_for`");
    }
    for (place, skill) in step.evidence_for.iter().enumerate() {
        if !known.lesson.skills.iter().any(|it| it.id == *skill) {
            let path = [
                Key::Field("steps"),
                Key::Item(index),
                Key::Field("evidence_for"),
                Key::Item(place),
            ];
            let names = known.lesson.skills.iter().map(|it| it.id.as_str());
            dangling("skill", skill.as_str(), names, &path, out);
        }
    }
    if step.hints.is_empty() {
        out.warning(&at("id"), "the step has no hints", "a learner who is stuck stays stuck: add `hints`");
    }
    for (place, hint) in step.hints.iter().enumerate() {
        let path = [
            Key::Field("steps"),
            Key::Item(index),
            Key::Field("hints"),
            Key::Item(place),
        ];
        if hint.text.trim().is_empty() {
            out.error(&path, "the hint is empty", "write it");
        }
        for (item, object) in hint.highlight.iter().enumerate() {
            let [a, b, c, d] = path;
            known.object(object, &[a, b, c, d, Key::Field("highlight"), Key::Item(item)], out);
        }
    }
    if let super::format::OnFailure::GoOnAfter { failures: 0 } = step.on_failure {
        out.error(&at("on_failure"), "going on after 0 failures skips the step", "choose 1 or more");
    }
    check_action(index, step, known, out);
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
                format!("`{id}` is not made for that"),
                format!("give it `role: {role}`"),
            );
        }
    };
    let grabbable: fn(&Role) -> bool = |role| matches!(role, Role::Grabbable { .. });
    match &step.action {
        Action::LookAt { object, hold } => {
            known.object(object, &at("object"), out);
            if !(*hold > 0.0 && *hold <= 10.0) {
                out.error(&at("hold"), "looking lasts more than 0 and at most 10 s", "choose about 1");
            }
        }
        Action::Touch { object } => {
            known.object(object, &at("object"), out);
        }
        Action::Grab { object } => needs(object, "object", grabbable, "Grabbable(mass: …)", out),
        Action::Press { object } => {
            needs(object, "object", |role| matches!(role, Role::Button), "Button", out);
        }
        Action::Teleport { to } => {
            needs(to, "to", |role| matches!(role, Role::TeleportSpot), "TeleportSpot", out);
        }
        Action::Throw {
            object,
            at: target,
            min_speed,
        } => {
            needs(object, "object", grabbable, "Grabbable(mass: …)", out);
            if let Some(target) = target {
                known.object(target, &at("at"), out);
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
            if !(*position_tolerance >= POSITION_NOISE) {
                out.error(
                    &at("position_tolerance"),
                    format!("{position_tolerance} m is below the noise of tracking"),
                    format!("choose at least {POSITION_NOISE}; 0.02 is demanding, 0.06 friendly"),
                );
            }
            if rotation_tolerance.is_some_and(|angle| !(angle >= ROTATION_NOISE)) {
                out.error(
                    &at("rotation_tolerance"),
                    "the angle is below the noise of tracking",
                    format!("choose at least {ROTATION_NOISE} radians; 0.35 (20 degrees) is usual"),
                );
            }
        }
        Action::Answer { panel } => {
            match known.lesson.panels.iter().find(|it| it.id == *panel) {
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
            }
        }
    }
}

fn flow(lesson: &Lesson, out: &mut Findings) {
    let mut seen: BTreeMap<&StepId, u32> = BTreeMap::new();
    walk(&lesson.flow, &mut |flow| match flow {
        Flow::Step(id) => {
            *seen.entry(id).or_default() += 1;
            if !lesson.steps.iter().any(|step| step.id == *id) {
                let names = lesson.steps.iter().map(|step| step.id.as_str());
                dangling("step", id.as_str(), names, &[Key::Field("flow")], out);
            }
        }
        Flow::Sequence(items) | Flow::Choice(items) if items.is_empty() => out.error(
            &[Key::Field("flow")],
            "the flow has an empty sequence or choice",
            "put steps into it, or take it away",
        ),
        Flow::Repeat {
            successes, at_most, ..
        } if *successes == 0 || at_most < successes => out.error(
            &[Key::Field("flow")],
            format!("a repetition until {successes} successes in at most {at_most} rounds cannot be met"),
            "ask for at least 1 success and allow as many rounds",
        ),
        _ => {}
    });
    for (id, times) in &seen {
        if *times > 1 {
            out.error(
                &[Key::Field("flow")],
                format!("step `{id}` stands {times} times in the flow"),
                "use `Repeat`, or a second step",
            );
        }
    }
    for (index, step) in lesson.steps.iter().enumerate() {
        if !seen.contains_key(&step.id) {
            out.error(
                &[Key::Field("steps"), Key::Item(index), Key::Field("id")],
                format!("step `{}` cannot be reached: the flow does not name it", step.id),
                "put it into the flow, or take it away",
            );
        }
    }
}

fn walk<'a>(flow: &'a Flow, visit: &mut impl FnMut(&'a Flow)) {
    visit(flow);
    match flow {
        Flow::Step(_) => {}
        Flow::Sequence(items) | Flow::Choice(items) => items.iter().for_each(|item| walk(item, visit)),
        Flow::Optional(inner) | Flow::Repeat { flow: inner, .. } => walk(inner, visit),
    }
}

/// Where a learner can stand: the start and every marked spot.
fn places_to_stand(lesson: &Lesson) -> impl Iterator<Item = [f32; 2]> + '_ {
    let spots = lesson
        .objects
        .iter()
        .filter(|object| matches!(object.role, Role::TeleportSpot))
        .map(|object| [object.position[0], object.position[2]]);
    std::iter::once([0.0, 0.0]).chain(spots)
}

/// Everything that hands need is in reach of somebody seated, from the start or a marked spot.
fn reach(lesson: &Lesson, known: &Known, out: &mut Findings) {
    for (index, object) in lesson.objects.iter().enumerate() {
        let needed = lesson.steps.iter().any(|step| match &step.action {
            Action::Touch { object: id }
            | Action::Grab { object: id }
            | Action::Place { object: id, .. }
            | Action::Throw { object: id, .. }
            | Action::Press { object: id } => *id == object.id,
            _ => false,
        });
        if needed {
            in_reach(&object.position, known, &[Key::Field("objects"), Key::Item(index), Key::Field("position")], out);
        }
    }
    for (index, socket) in lesson.sockets.iter().enumerate() {
        in_reach(
            &socket.position,
            known,
            &[Key::Field("sockets"), Key::Item(index), Key::Field("position")],
            out,
        );
    }
}

fn in_reach([x, y, z]: &[f32; 3], known: &Known, path: &[Key], out: &mut Findings) {
    let near = places_to_stand(known.lesson).any(|[px, pz]| (x - px).hypot(z - pz) <= ARM);
    if !near || !REACHABLE_HEIGHT.contains(y) {
        out.warning(
            path,
            "somebody seated cannot reach this",
            format!("keep it within {ARM} m of the start or a teleport spot, 0.5 to 1.6 m high"),
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

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()))
}
