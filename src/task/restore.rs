//! Nothing that is lost or laid wrong blocks the lesson: what a step needs comes back to its place.

use std::collections::BTreeMap;
use std::time::Duration;

use bevy::prelude::*;

use super::course::Course;
use super::deeds::Deeds;
use super::scene::{Home, Stage};
use crate::interaction::things::{Grabbable, HeldBy, InSocket, Socket, put_at_rest};
use crate::lesson::ActiveLesson;
use crate::lesson::format::{Action, Lesson, Step};
use crate::lesson::placed::{LessonObject, LessonSocket};
use crate::protocol::ids::{ObjectId, SocketId};
use crate::session::Learner;
use crate::session::state::LearnerState;

/// A thing this far from its place, level or below, may be out of a seated learner's reach; metres.
const REACH: f32 = 0.6;
const BELOW: f32 = 0.25;
/// A needed thing comes back after it has been out of reach for so long: the learner sees where it went.
const PATIENCE: Duration = Duration::from_secs(2);

/// For how long a thing has been out of reach while a step needs it.
#[derive(Component, Debug, Clone, Copy, Default)]
pub(super) struct Away(Duration);

/// Things that the log says were placed lie in their sockets again after a resume.
pub(super) fn put_in_place(
    commands: &mut Commands,
    lesson: &Lesson,
    stage: &Stage,
    state: &LearnerState,
) {
    for (object, socket) in resting_places(lesson, state) {
        let place = lesson.sockets.iter().find(|known| known.id == *socket);
        if let (Some(place), Some(object), Some(socket)) =
            (place, stage.objects.get(object), stage.sockets.get(socket))
        {
            let at = Transform::from_translation(Vec3::from_array(place.position))
                .with_rotation(super::scene::rotation(place.rotation));
            commands.entity(*object).insert((at, InSocket(*socket)));
        }
    }
}

/// Which object the completed steps left in which socket.
fn resting_places<'a>(
    lesson: &'a Lesson,
    state: &LearnerState,
) -> BTreeMap<&'a ObjectId, &'a SocketId> {
    let mut places = BTreeMap::new();
    let completed = state.completed.iter().filter(|done| !done.skipped);
    for step in completed.filter_map(|done| lesson.steps.iter().find(|step| step.id == done.step)) {
        match &step.action {
            Action::Place { object, socket, .. } => {
                places.insert(object, socket);
            }
            Action::Grab { object } | Action::Throw { object, .. } => {
                places.remove(object);
            }
            _ => {}
        }
    }
    places
}

/// A socket snaps within the tolerance of the step that runs.
pub(super) fn set_tolerances(
    lesson: Option<Res<ActiveLesson>>,
    courses: Query<Ref<Course>, With<Learner>>,
    mut sockets: Query<(&LessonSocket, &mut Socket)>,
) {
    let (Some(lesson), Some(course)) = (lesson, courses.iter().next()) else {
        return;
    };
    let Some(Action::Place {
        socket: asked,
        position_tolerance,
        rotation_tolerance,
        ..
    }) = course.step(&lesson.lesson).map(|step| &step.action)
    else {
        return;
    };
    for (socket, mut snap) in &mut sockets {
        let asked = socket.0 == *asked;
        let new = (
            course.leeway.position(*position_tolerance, snap.reach),
            rotation_tolerance.map(|angle| course.leeway.rotation(angle)),
        );
        if asked && (snap.position_tolerance, snap.rotation_tolerance) != new {
            (snap.position_tolerance, snap.rotation_tolerance) = new;
        }
    }
}

/// What has left the room comes back at once; what the running step needs comes back when it lies out of reach.
pub(super) fn bring_back(
    mut commands: Commands,
    time: Res<Time>,
    lesson: Option<Res<ActiveLesson>>,
    stage: Option<Res<Stage>>,
    deeds: Res<Deeds>,
    learners: Query<(&LearnerState, &Course), With<Learner>>,
    mut things: Query<
        (
            Entity,
            &LessonObject,
            &Transform,
            &Home,
            &mut Away,
            Option<&InSocket>,
        ),
        (With<Grabbable>, Without<HeldBy>),
    >,
    sockets: Query<&LessonSocket>,
) {
    let (Some(lesson), Some(stage)) = (lesson, stage) else {
        return;
    };
    let step = learners
        .iter()
        .next()
        .filter(|(state, _)| state.paused_by.is_empty() && !state.ended)
        .and_then(|(_, course)| course.step(&lesson.lesson));
    for (entity, object, at, home, mut away, resting) in &mut things {
        let resting = resting.and_then(|socket| sockets.get(socket.0).ok());
        let lost = !stage.room.contains(at.translation);
        let missed = step.is_some_and(|step| needs(step, &object.0))
            && !deeds.flying(&object.0)
            && match resting {
                Some(socket) => asked_again(step, &object.0, &socket.0, &deeds),
                None => out_of_reach(at.translation, home.0.translation),
            };
        if lost || (missed && away.0 >= PATIENCE) {
            away.0 = Duration::ZERO;
            commands.entity(entity).remove::<InSocket>();
            put_at_rest(&mut commands, entity, home.0);
        } else if missed {
            away.0 += time.delta();
        } else if !away.0.is_zero() {
            away.0 = Duration::ZERO;
        }
    }
}

fn needs(step: &Step, thing: &ObjectId) -> bool {
    match &step.action {
        Action::Touch { object }
        | Action::Grab { object }
        | Action::Place { object, .. }
        | Action::Throw { object, .. } => object == thing,
        _ => false,
    }
}

/// A placement that was done and judged before is asked for once more: the thing has to be free for it.
fn asked_again(step: Option<&Step>, thing: &ObjectId, rests: &SocketId, deeds: &Deeds) -> bool {
    matches!(
        step.map(|step| &step.action),
        Some(Action::Place { object, socket, .. }) if object == thing && socket == rests
    ) && deeds.done_ahead(thing, false).is_none()
}

fn out_of_reach(at: Vec3, home: Vec3) -> bool {
    let level = Vec2::new(at.x - home.x, at.z - home.z).length();
    level > REACH || at.y < home.y - BELOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_its_place_stays_and_what_fell_to_the_floor_comes_back() {
        let home = Vec3::new(0.0, 0.9, -0.5);
        assert!(!out_of_reach(home + Vec3::new(0.3, 0.0, 0.1), home));
        assert!(out_of_reach(Vec3::new(0.0, 0.05, -0.5), home));
        assert!(out_of_reach(home + Vec3::X, home));
    }
}
