//! What the instructor changes in the scene while the lesson runs: things added and taken away, things pointed at. It
//! follows the learner's state, so that a resumed session has them again.

use bevy::prelude::*;

use super::look::Look;
use super::scene::{self, Stage};
use crate::interaction::MovedGently;
use crate::lesson::ActiveLesson;
use crate::lesson::format::{Object, Role, Shape};
use crate::protocol::command::{AddedForm, AddedObject};
use crate::session::PointedOut;
use crate::session::state::LearnerState;

/// The added thing as the lesson would write it.
pub(super) fn object(added: &AddedObject) -> Object {
    let size = added.size;
    let radius = size / 2.0;
    Object {
        id: added.id.clone(),
        label: added.label.trim().to_owned(),
        shape: match added.form {
            AddedForm::Box => Shape::Box([size; 3]),
            AddedForm::Ball => Shape::Sphere { radius },
            AddedForm::Cylinder => Shape::Cylinder {
                radius,
                height: size,
            },
            AddedForm::Cone => Shape::Cone {
                radius,
                height: size,
            },
        },
        position: added.position,
        rotation: [0.0; 3],
        color: added.color.clone(),
        role: match added.mass {
            Some(mass) => Role::Grabbable { mass },
            None => Role::Fixed,
        },
    }
}

/// Puts what was added into the scene, and takes away what was removed. A scene that was built anew gets all of it.
pub(super) fn follow_additions(
    mut commands: Commands,
    mut look: Look,
    lesson: Option<Res<ActiveLesson>>,
    stage: Option<ResMut<Stage>>,
    learners: Query<Ref<LearnerState>>,
) {
    let (Some(lesson), Some(mut stage), Some(state)) = (lesson, stage, learners.iter().next())
    else {
        return;
    };
    if !state.is_changed() && !stage.is_changed() {
        return;
    }
    let wanted = &state.adapted.added;
    let as_wanted = wanted.len() == stage.added.len()
        && wanted.iter().all(|it| stage.added.contains_key(&it.id));
    if as_wanted {
        return;
    }
    stage.added.retain(|id, entity| {
        let stays = wanted.iter().any(|it| it.id == *id);
        if !stays {
            commands.entity(*entity).try_despawn();
        }
        stays
    });
    for added in wanted {
        if !stage.added.contains_key(&added.id) {
            let object = object(added);
            let entity = scene::place_object(&mut commands, &mut look, &lesson.lesson, &object);
            stage.added.insert(added.id.clone(), entity);
        }
    }
}

/// How the learner likes to be moved, wherever they are.
pub(super) fn move_gently(
    learners: Query<&LearnerState, Changed<LearnerState>>,
    gently: Option<ResMut<MovedGently>>,
) {
    let (Some(state), Some(mut gently)) = (learners.iter().next(), gently) else {
        return;
    };
    gently.set_if_neq(MovedGently {
        turn: state.preferences.turn_degrees.to_radians(),
        vignette: state.preferences.vignette,
    });
}

/// Pointing ends by itself.
pub(super) fn end_pointing(
    mut commands: Commands,
    time: Res<Time<Real>>,
    pointed: Query<(Entity, &PointedOut)>,
) {
    for (learner, pointed) in &pointed {
        if time.elapsed() >= pointed.until {
            commands.entity(learner).remove::<PointedOut>();
        }
    }
}
