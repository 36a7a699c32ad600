//! Pointing at panels: by ray from afar, by fingertip from near.

use bevy::light::NotShadowCaster;
use bevy::prelude::*;

use super::hands::{Grasp, Person};
use crate::xr::pointer::{PointerAt, PointerSurface};
use crate::xr::rig::Side;

/// How far a ray reaches, metres.
const REACH: f32 = 6.0;
/// A trigger pulled this far presses …
const PRESS: f32 = 0.6;
/// … and let go this far presses no more.
const RELEASE: f32 = 0.4;
/// A fingertip this near to a panel is seen on it, metres …
const HOVER: f32 = 0.06;
/// … this near presses it …
const POKE: f32 = 0.004;
/// … and this far through it still does.
const THROUGH: f32 = 0.08;

/// Where each hand's beam ends in this frame, in room space; for drawing.
#[derive(Resource, Debug, Default)]
pub(super) struct Beams {
    ends: [Option<(Vec3, Vec3)>; 2],
    drawn: [Option<Entity>; 2],
}

pub(super) fn point(
    person: Person,
    mut grasps: Query<&mut Grasp>,
    surfaces: Query<(Entity, &PointerSurface, &GlobalTransform)>,
    mut pointed: MessageWriter<PointerAt>,
    beams: Option<ResMut<Beams>>,
) {
    let mut ends = [None; 2];
    for hand in person.hands() {
        let Ok(mut grasp) = grasps.get_mut(hand.entity) else {
            continue;
        };
        grasp.clicking = hand.input.trigger > if grasp.clicking { RELEASE } else { PRESS };
        grasp.pointing = false;
        if grasp.held.is_some() {
            continue;
        }
        let nearest = |meet: &dyn Fn(&PointerSurface, &Transform) -> Option<Met>| {
            surfaces
                .iter()
                .filter_map(|(entity, surface, at)| {
                    Some((entity, meet(surface, &at.compute_transform())?))
                })
                .min_by(|(_, a), (_, b)| a.distance.total_cmp(&b.distance))
        };
        // A finger on a panel means the panel, wherever the hand points.
        if let Some(tip) = hand.tip
            && let Some((surface, met)) = nearest(&|surface, at| touch(tip, surface, at))
        {
            grasp.pointing = true;
            pointed.write(PointerAt {
                surface,
                uv: met.uv,
                pressed: met.distance <= POKE,
            });
            continue;
        }
        // A hand that is about to take something does not point.
        if grasp.near.is_some() {
            continue;
        }
        let ray = Ray3d::new(hand.aim.translation, hand.aim.forward());
        if let Some((surface, met)) = nearest(&|surface, at| meet(&ray, surface, at)) {
            grasp.pointing = true;
            pointed.write(PointerAt {
                surface,
                uv: met.uv,
                pressed: grasp.clicking,
            });
            ends[hand.side as usize] = Some((ray.origin, ray.get_point(met.distance)));
        }
    }
    if let Some(mut beams) = beams {
        beams.ends = ends;
    }
}

pub(super) struct Met {
    uv: Vec2,
    pub distance: f32,
}

/// Where a ray meets the front of a surface.
pub(super) fn meet(ray: &Ray3d, surface: &PointerSurface, at: &Transform) -> Option<Met> {
    let origin = ray.origin;
    let direction = *ray.direction;
    let normal = *at.back();
    let against = direction.dot(normal);
    // Edge on, or from behind.
    if against > -1e-3 {
        return None;
    }
    let distance = (at.translation - origin).dot(normal) / against;
    if !(0.0..=REACH).contains(&distance) {
        return None;
    }
    let uv = uv(origin + direction * distance, surface, at)?;
    Some(Met { uv, distance })
}

/// Where a fingertip is on a surface, or just before it, or a little through it (then the distance is below 0).
fn touch(tip: Vec3, surface: &PointerSurface, at: &Transform) -> Option<Met> {
    let distance = (tip - at.translation).dot(*at.back());
    if !(-THROUGH..=HOVER).contains(&distance) {
        return None;
    }
    let uv = uv(tip, surface, at)?;
    Some(Met { uv, distance })
}

fn uv(point: Vec3, surface: &PointerSurface, at: &Transform) -> Option<Vec2> {
    let local = at.rotation.inverse() * (point - at.translation);
    let uv = Vec2::new(
        local.x / surface.size.x + 0.5,
        0.5 - local.y / surface.size.y,
    );
    (uv.cmpge(Vec2::ZERO).all() && uv.cmple(Vec2::ONE).all()).then_some(uv)
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

pub(super) fn show_beams(
    beams: Option<Res<Beams>>,
    mut drawn: Query<(&mut Transform, &mut Visibility)>,
) {
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
