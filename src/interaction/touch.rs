//! What hands are near to, and what they touch.

use bevy::prelude::*;

use super::hands::{Grasp, Person};
use super::things::{Grabbable, HeldBy, Near, Touchable};
use super::{Interacted, Interaction};
use crate::physics::Physics;

/// A hand this near to a surface may take the thing, metres …
const NEAR: f32 = 0.06;
/// … and the one it is near to already stays it up to here, so that two things side by side do not take turns.
const STILL_NEAR: f32 = 0.09;
/// The flesh of a hand around its grip, metres: nearer than this it touches …
const TOUCH: f32 = 0.035;
/// … and further than this it touches no more.
const LET_GO: f32 = 0.06;

/// Marks the thing that each empty hand would take.
pub(super) fn notice_near(
    mut commands: Commands,
    physics: Option<Res<Physics>>,
    person: Person,
    mut grasps: Query<&mut Grasp>,
    free: Query<(), (With<Grabbable>, Without<HeldBy>)>,
    marked: Query<Entity, With<Near>>,
    mut wanted: Local<Vec<Entity>>,
) {
    let Some(physics) = physics else { return };
    wanted.clear();
    for hand in person.hands() {
        let Ok(mut grasp) = grasps.get_mut(hand.entity) else {
            continue;
        };
        let point = hand.grip.translation;
        let kept = grasp.near.filter(|thing| {
            free.contains(*thing)
                && physics.distance(*thing, point).is_some_and(|distance| distance <= STILL_NEAR)
        });
        let best = physics.nearest(point, NEAR, |entity| free.contains(entity));
        grasp.near = match (kept, best) {
            _ if grasp.held.is_some() => None,
            // Something clearly nearer wins over what was near before.
            (Some(kept), Some((best, distance))) if best != kept => {
                let before = physics.distance(kept, point).unwrap_or(f32::INFINITY);
                Some(if distance + 0.015 < before { best } else { kept })
            }
            (Some(kept), _) => Some(kept),
            (None, best) => best.map(|(entity, _)| entity),
        };
        wanted.extend(grasp.near);
    }
    for entity in &marked {
        if !wanted.contains(&entity) {
            commands.entity(entity).remove::<Near>();
        }
    }
    for entity in &wanted {
        if !marked.contains(*entity) {
            commands.entity(*entity).insert(Near);
        }
    }
}

/// Says when a hand comes to touch something.
pub(super) fn notice_touch(
    physics: Option<Res<Physics>>,
    person: Person,
    mut grasps: Query<&mut Grasp>,
    touchable: Query<Entity, With<Touchable>>,
    mut interacted: MessageWriter<Interacted>,
) {
    let Some(physics) = physics else { return };
    for hand in person.hands() {
        let Ok(mut grasp) = grasps.get_mut(hand.entity) else {
            continue;
        };
        for target in &touchable {
            let distance = physics.distance(target, hand.grip.translation).unwrap_or(f32::INFINITY);
            let before = grasp.touching.contains(&target);
            if !before && distance <= TOUCH {
                grasp.touching.push(target);
                interacted.write(Interacted {
                    side: Some(hand.side),
                    what: Interaction::Touched { target },
                });
            } else if before && distance > LET_GO {
                grasp.touching.retain(|other| *other != target);
            }
        }
    }
}
