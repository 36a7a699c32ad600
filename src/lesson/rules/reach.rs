//! Comfort: everything that hands or eyes need is within reach and sight of somebody seated, from the start or a
//! marked spot.

use super::{Findings, Known};
use crate::lesson::format::{Action, Lesson, Object, Role, Shape};
use crate::lesson::source::Key;

/// What seated people reach with a stretched arm from where they sit, metres on the floor.
const ARM: f32 = 0.75;
/// Heights that seated and standing people both reach, metres.
const REACHABLE_HEIGHT: std::ops::RangeInclusive<f32> = 0.5..=1.6;
/// Farther than this nobody throws gently, metres.
const THROW: f32 = 5.0;
/// Eye height used for judging panels: between a seated (1.2 m) and a standing (1.6 m) adult.
pub(super) const EYE_HEIGHT: f32 = 1.4;
/// What lies further up or down than this from the eyes strains the neck (30 degrees).
pub(super) const COMFORT_ANGLE: f32 = 0.53;

/// Where a learner can stand: the start and every marked spot.
pub(super) fn places_to_stand(lesson: &Lesson) -> impl Iterator<Item = [f32; 2]> + '_ {
    let spots = lesson
        .objects
        .iter()
        .filter(|object| matches!(object.role, Role::TeleportSpot))
        .map(|object| [object.position[0], object.position[2]]);
    std::iter::once([0.0, 0.0]).chain(spots)
}

/// Distance on the floor to the nearest place to stand, metres.
fn nearest_place(lesson: &Lesson, [x, _, z]: [f32; 3]) -> f32 {
    places_to_stand(lesson)
        .map(|[px, pz]| (x - px).hypot(z - pz))
        .fold(f32::INFINITY, f32::min)
}

pub(super) fn check(lesson: &Lesson, known: &Known, out: &mut Findings) {
    for (index, object) in lesson.objects.iter().enumerate() {
        let path = [
            Key::Field("objects"),
            Key::Item(index),
            Key::Field("position"),
        ];
        let mut handled = false;
        let mut looked_at = false;
        let mut struck = false;
        for step in &lesson.steps {
            match &step.action {
                Action::Touch { object: id }
                | Action::Grab { object: id }
                | Action::Place { object: id, .. }
                | Action::Press { object: id } => handled |= *id == object.id,
                Action::Throw { object: id, at, .. } => {
                    handled |= *id == object.id;
                    struck |= at.as_ref() == Some(&object.id);
                }
                Action::LookAt { object: id, .. } => looked_at |= *id == object.id,
                Action::Teleport { .. } | Action::Answer { .. } | Action::Rate { .. } => {}
            }
        }
        if handled {
            in_reach(lesson, object.position, &path, out);
        }
        if looked_at {
            in_sight(lesson, object.position, &path, out);
        }
        if struck && nearest_place(lesson, object.position) > THROW {
            out.warning(
                &path,
                format!("the target is more than {THROW} m from every place to stand"),
                "bring it nearer: 1.5 to 2.5 m are friendly",
            );
        }
        if handled && matches!(object.role, Role::Grabbable { .. }) {
            rests(object, known, &path, out);
        }
    }
    for (index, socket) in lesson.sockets.iter().enumerate() {
        let path = [
            Key::Field("sockets"),
            Key::Item(index),
            Key::Field("position"),
        ];
        in_reach(lesson, socket.position, &path, out);
    }
}

fn in_reach(lesson: &Lesson, position: [f32; 3], path: &[Key], out: &mut Findings) {
    if nearest_place(lesson, position) > ARM || !REACHABLE_HEIGHT.contains(&position[1]) {
        out.warning(
            path,
            "somebody seated cannot reach this",
            format!("keep it within {ARM} m of the start or a teleport spot, 0.5 to 1.6 m high"),
        );
    }
}

fn in_sight(lesson: &Lesson, position: [f32; 3], path: &[Key], out: &mut Findings) {
    let flat = nearest_place(lesson, position).max(0.1);
    if ((position[1] - EYE_HEIGHT) / flat).atan().abs() > COMFORT_ANGLE {
        out.warning(
            path,
            "looking there means more than 30 degrees up or down",
            format!("move it towards y = {EYE_HEIGHT}, or farther away"),
        );
    }
}

/// An object that starts inside something solid is thrown out of it; one with nothing below it falls.
fn rests(object: &Object, known: &Known, path: &[Key], out: &mut Findings) {
    let (Some(own), [x, y, z]) = (half_extents(object), object.position) else {
        return;
    };
    let mut below = f32::NEG_INFINITY;
    for other in &known.lesson.objects {
        let solid = other.id != object.id
            && matches!(
                other.role,
                Role::Fixed | Role::Button | Role::Grabbable { .. }
            );
        let Some(half) = half_extents(other).filter(|_| solid) else {
            // Turned or odd: what it holds can't be told simply, so nothing is said.
            if solid && nearby(object, other) {
                return;
            }
            continue;
        };
        let [ox, oy, oz] = other.position;
        let overlap = [
            own[0] + half[0] - (x - ox).abs(),
            own[1] + half[1] - (y - oy).abs(),
            own[2] + half[2] - (z - oz).abs(),
        ];
        if overlap.iter().all(|depth| *depth > TOUCHING) {
            out.warning(
                path,
                format!("it starts inside `{}` and will jump out of it", other.id),
                format!("start it at y = {:.3} or higher", oy + half[1] + own[1]),
            );
            return;
        }
        if overlap[0] > 0.0 && overlap[2] > 0.0 && oy < y {
            below = below.max(oy + half[1]);
        }
    }
    let gap = y - own[1] - below.max(0.0);
    if gap > MAX_DROP {
        out.warning(
            path,
            format!("it starts {gap:.2} m above what is below it and will fall"),
            format!("start it at y = {:.3}", below.max(0.0) + own[1]),
        );
    }
}

/// Things may start this deep in each other without harm, metres.
const TOUCHING: f32 = 0.01;
/// Falling this far is not noticed, metres.
const MAX_DROP: f32 = 0.1;

/// Half of its size along x, y, z, where it is not turned.
fn half_extents(object: &Object) -> Option<[f32; 3]> {
    if object.rotation.iter().any(|angle| angle.abs() > 0.001) {
        return None;
    }
    Some(match object.shape {
        Shape::Box([x, y, z])
        | Shape::Gltf {
            bounds: [x, y, z], ..
        } => [x / 2.0, y / 2.0, z / 2.0],
        Shape::Sphere { radius } => [radius; 3],
        Shape::Cylinder { radius, height } | Shape::Cone { radius, height } => {
            [radius, height / 2.0, radius]
        }
    })
}

fn nearby(a: &Object, b: &Object) -> bool {
    let [ax, _, az] = a.position;
    let [bx, _, bz] = b.position;
    (ax - bx).hypot(az - bz) < 2.0
}
