//! Pointing at panels: by ray from afar, by fingertip from near.

use bevy::light::NotShadowCaster;
use bevy::prelude::*;

use super::hands::{Grasp, HandNow, Person};
use crate::xr::pointer::{PointerAt, PointerSurface};
use crate::xr::rig::Side;

/// How far a ray reaches, metres.
const REACH: f32 = 6.0;
/// A trigger pulled this far presses.
const PRESS: f32 = 0.6;
/// A fingertip lies this far before the aim's origin, metres.
const FINGER: f32 = 0.05;
/// A fingertip this near to a panel presses it, metres.
const POKE: f32 = 0.02;

/// Where each hand's beam ends in this frame, in room space; for drawing.
#[derive(Resource, Debug, Default)]
pub(super) struct Beams {
    ends: [Option<(Vec3, Vec3)>; 2],
    drawn: [Option<Entity>; 2],
}

pub(super) fn point(
    person: Person,
    grasps: Query<&Grasp>,
    surfaces: Query<(Entity, &PointerSurface, &GlobalTransform)>,
    mut pointed: MessageWriter<PointerAt>,
    beams: Option<ResMut<Beams>>,
) {
    let mut ends = [None; 2];
    for hand in person.hands() {
        if grasps.get(hand.entity).is_ok_and(|grasp| grasp.held.is_some()) {
            continue;
        }
        let met = surfaces
            .iter()
            .filter_map(|(entity, surface, at)| Some((entity, meet(&hand, surface, &at.compute_transform())?)))
            .min_by(|(_, a), (_, b)| a.distance.total_cmp(&b.distance));
        if let Some((surface, met)) = met {
            let poked = met.distance <= FINGER + POKE;
            pointed.write(PointerAt {
                surface,
                uv: met.uv,
                pressed: poked || hand.input.trigger > PRESS,
            });
            let from = hand.aim.translation;
            ends[hand.side as usize] = (!poked).then(|| (from, from + hand.aim.forward() * met.distance));
        }
    }
    if let Some(mut beams) = beams {
        beams.ends = ends;
    }
}

struct Met {
    uv: Vec2,
    distance: f32,
}

/// Where a hand's ray meets the front of a surface.
fn meet(hand: &HandNow, surface: &PointerSurface, at: &Transform) -> Option<Met> {
    let origin = hand.aim.translation;
    let direction = *hand.aim.forward();
    let normal = *at.back();
    let against = direction.dot(normal);
    // Edge on, or from behind.
    if against > -1e-3 {
        return None;
    }
    let distance = (at.translation - origin).dot(normal) / against;
    // A finger that went a little through still touches.
    if !(-POKE..=REACH).contains(&distance) {
        return None;
    }
    let local = at.rotation.inverse() * (origin + direction * distance - at.translation);
    let uv = Vec2::new(local.x / surface.size.x + 0.5, 0.5 - local.y / surface.size.y);
    (uv.cmpge(Vec2::ZERO).all() && uv.cmple(Vec2::ONE).all()).then_some(Met { uv, distance })
}

/// Thin beams, hidden until they meet something.
pub(super) fn make_beams(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let mesh = meshes.add(Cylinder::new(0.0015, 1.0));
    let material = materials.add(StandardMaterial {
        base_color: Color::srgb(0.55, 0.85, 0.9),
        unlit: true,
        ..default()
    });
    let mut beams = Beams::default();
    for side in [Side::Left, Side::Right] {
        let beam = commands.spawn((
            Mesh3d(mesh.clone()),
            MeshMaterial3d(material.clone()),
            Visibility::Hidden,
            NotShadowCaster,
        ));
        beams.drawn[side as usize] = Some(beam.id());
    }
    commands.insert_resource(beams);
}

pub(super) fn show_beams(beams: Option<Res<Beams>>, mut drawn: Query<(&mut Transform, &mut Visibility)>) {
    let Some(beams) = beams else { return };
    for (end, beam) in beams.ends.iter().zip(beams.drawn) {
        let Some((mut at, mut visibility)) = beam.and_then(|beam| drawn.get_mut(beam).ok()) else {
            continue;
        };
        match end {
            Some((from, to)) => {
                let way = to - from;
                at.translation = (from + to) / 2.0;
                at.rotation = Quat::from_rotation_arc(Vec3::Y, way.normalize_or(Vec3::Y));
                at.scale = Vec3::new(1.0, way.length(), 1.0);
                visibility.set_if_neq(Visibility::Visible);
            }
            None => {
                visibility.set_if_neq(Visibility::Hidden);
            }
        }
    }
}
