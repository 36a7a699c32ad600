//! What hands are near to, and what they touch.

use bevy::prelude::*;

use super::hands::{Grasp, HandNow, Person};
use super::things::{Grabbable, HeldBy, Near, Pressable, Touchable};
use super::{Interacted, Interaction};
use crate::physics::Physics;

/// A hand this near to a surface may take the thing, metres …
const NEAR: f32 = 0.06;
/// … and the one it is near to already stays it up to here, so that two things side by side do not take turns.
const STILL_NEAR: f32 = 0.09;
/// A thing has to be this much nearer to take its neighbour's turn, metres.
const CLEARLY: f32 = 0.015;
/// What two fingers can pinch is nearer to them than this, metres.
const PINCHED: f32 = 0.025;
/// A fingertip's own thickness, metres.
const TIP: f32 = 0.01;
/// The flesh of a hand around its grip, metres: nearer than this it touches …
const TOUCH: f32 = 0.035;
/// … and further than this it touches no more.
const LET_GO: f32 = 0.06;

/// The thing nearest to a hand among those that count, with a distance that weighs palm and pinching fingers alike.
fn nearest(
    physics: &Physics,
    hand: &HandNow,
    counts: impl Fn(Entity) -> bool,
) -> Option<(Entity, f32)> {
    let palm = physics.nearest(hand.grip.translation, NEAR, &counts);
    let pinched = hand
        .pinch
        .and_then(|at| physics.nearest(at, PINCHED, &counts))
        .map(|(thing, distance)| (thing, distance * NEAR / PINCHED));
    match (palm, pinched) {
        (Some(a), Some(b)) => Some(if b.1 < a.1 { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn distance(physics: &Physics, hand: &HandNow, thing: Entity) -> f32 {
    let palm = physics.distance(thing, hand.grip.translation);
    let pinched = hand
        .pinch
        .and_then(|at| physics.distance(thing, at))
        .map(|distance| distance * NEAR / PINCHED);
    palm.unwrap_or(f32::INFINITY)
        .min(pinched.unwrap_or(f32::INFINITY))
}

/// Chooses the thing that each empty hand would take, and marks what hands could take, touch or press.
pub(super) fn notice_near(
    mut commands: Commands,
    physics: Option<Res<Physics>>,
    person: Person,
    mut grasps: Query<&mut Grasp>,
    takeable: Query<Option<&HeldBy>, With<Grabbable>>,
    handy: Query<(), (Or<(With<Touchable>, With<Pressable>)>, Without<Grabbable>)>,
    marked: Query<Entity, With<Near>>,
    mut wanted: Local<Vec<Entity>>,
) {
    let Some(physics) = physics else { return };
    wanted.clear();
    for hand in person.hands() {
        let Ok(mut grasp) = grasps.get_mut(hand.entity) else {
            continue;
        };
        if grasp.held.is_some() {
            grasp.near = None;
            continue;
        }
        // What the other hand holds can be taken over.
        let counts = |thing| {
            takeable
                .get(thing)
                .is_ok_and(|held| held.is_none_or(|by| by.0 != hand.entity))
        };
        let kept = grasp
            .near
            .filter(|thing| counts(*thing))
            .map(|thing| (thing, distance(&physics, &hand, thing)))
            .filter(|(_, distance)| *distance <= STILL_NEAR);
        grasp.near = match (kept, nearest(&physics, &hand, counts)) {
            // Something clearly nearer wins over what was near before.
            (Some((kept, before)), Some((best, now))) => {
                Some(if now + CLEARLY < before { best } else { kept })
            }
            (kept, best) => kept.or(best).map(|(thing, _)| thing),
        };
        match grasp.near {
            Some(thing) => wanted.push(thing),
            None => wanted.extend(
                nearest(&physics, &hand, |thing| handy.contains(thing)).map(|(thing, _)| thing),
            ),
        }
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
        grasp.touching.retain(|thing| touchable.contains(*thing));
        // What is in the hand has been touched, however fast the hand moves.
        let held = grasp.held.map(|held| held.thing);
        if let Some(held) = held
            && !grasp.touching.contains(&held)
        {
            grasp.touching.push(held);
        }
        for target in touchable.iter().filter(|target| Some(*target) != held) {
            let palm = physics
                .distance(target, hand.grip.translation)
                .unwrap_or(f32::INFINITY);
            // A tip that touches is as near as a palm that touches.
            let tip = hand
                .tip
                .and_then(|at| physics.distance(target, at))
                .unwrap_or(f32::INFINITY);
            let distance = palm.min(tip + TOUCH - TIP);
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
