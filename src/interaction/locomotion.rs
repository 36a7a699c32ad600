//! Moving through the room. One mediator owns the rig's `Transform`: nothing else writes it, and it never moves without
//! somebody's wish. Teleport by an arc, turning in steps, walking on a desktop; each with the eyes' comfort in mind.

use std::f32::consts::{FRAC_PI_6, TAU};

use bevy::light::NotShadowCaster;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use super::hands::Person;
use super::things::{TeleportFloor, TeleportSpot};
use super::{Interacted, InputMode, Interaction};
use crate::xr::rig::{Hand, Head, Rig, Side};

/// A turn of one flick: 30 degrees, large enough that nobody feels motion.
pub(super) const SNAP: f32 = FRAC_PI_6;
/// The stick is out from here …
const OUT: f32 = 0.7;
/// … and back from here.
const BACK: f32 = 0.35;
/// Speed at which the arc leaves the hand, m/s, and what pulls it down, m/s²: about 5 m at most.
const ARC_SPEED: f32 = 7.0;
const ARC_GRAVITY: f32 = 9.81;
/// Points of the arc that are tried and drawn.
const ARC_POINTS: usize = 28;
/// Time between two of them, seconds.
const ARC_STEP: f32 = 0.05;
/// How fast the vignette opens again, per second.
const VIGNETTE_OPENS: f32 = 2.5;
/// Walking speed on a desktop, metres per second.
const WALK: f32 = 1.6;

/// How far the view is narrowed while the person is moved: 0 open, 1 narrowest.
#[derive(Resource, Debug, Default, Clone, Copy, PartialEq)]
pub struct Vignette(pub f32);

/// A wish to be moved. Whoever wants the rig elsewhere writes this; the mediator decides.
#[derive(Message, Debug, Clone, Copy, PartialEq)]
pub(super) enum Move {
    /// Walk this way for this frame: x to the right, y forward, each -1..1, as the head looks.
    Walk(Vec2),
    /// Turn about the head, radians, left is positive.
    Turn(f32),
    /// Stand with the head over this point of the floor.
    Teleport(Vec3),
}

/// Which hand aims where.
#[derive(Resource, Debug, Default)]
pub(super) struct Aiming {
    side: Option<Side>,
    turned: [bool; 2],
    /// Points of the arc, and where it lands.
    points: Vec<Vec3>,
    landing: Option<Landing>,
}

/// Where a teleport would lead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Landing {
    at: Vec3,
    spot: Option<Entity>,
}

/// Spots and floors to stand on.
type Ground<'w, 's> = (
    Query<'w, 's, (&'static TeleportFloor, &'static GlobalTransform)>,
    Query<'w, 's, (Entity, &'static TeleportSpot, &'static GlobalTransform)>,
);

/// The direction in which a hand at `from` must point for its arc to land on `to`; `None`: too far.
#[must_use]
pub fn teleport_aim(from: Vec3, to: Vec3) -> Option<Vec3> {
    let level = (to - from).with_y(0.0);
    let (x, y) = (level.length(), to.y - from.y);
    let v2 = ARC_SPEED * ARC_SPEED;
    // The flatter of the two angles of a ballistic arc through a point.
    let root = v2 * v2 - ARC_GRAVITY * (ARC_GRAVITY * x * x + 2.0 * y * v2);
    if root < 0.0 {
        return None;
    }
    if x < 1e-4 {
        return Some(Vec3::NEG_Y);
    }
    let slope = (v2 - root.sqrt()) / (ARC_GRAVITY * x);
    Some((level / x + Vec3::Y * slope).normalize())
}

pub(super) fn mediate(
    mut commands: Commands,
    time: Res<Time>,
    mode: Res<InputMode>,
    aiming: Option<ResMut<Aiming>>,
    mut vignette: ResMut<Vignette>,
    (floors, spots): Ground,
    mut wishes: MessageReader<Move>,
    mut movers: ParamSet<(Person, Query<&mut Transform, (With<Rig>, Without<Head>, Without<Hand>)>)>,
    mut interacted: MessageWriter<Interacted>,
) {
    let Some(mut aiming) = aiming else {
        commands.init_resource::<Aiming>();
        return;
    };
    let (mut rig, head, asked) = {
        let person = movers.p0();
        let Some(head) = person.head() else { return };
        let asked = aim(&person, &mut aiming, &floors, &spots);
        (person.rig(), head, asked)
    };
    let before = rig;
    let mut moved = asked.turn.is_some();
    if let Some(angle) = asked.turn {
        turn(&mut rig, head.translation, angle);
    }
    let mut landing = asked.landing;
    for wish in wishes.read() {
        match *wish {
            Move::Turn(angle) => turn(&mut rig, head.translation, angle),
            Move::Walk(way) if *mode == InputMode::Desktop => {
                let flat = Quat::from_rotation_y(head.rotation.to_euler(EulerRot::YXZ).0);
                let step = flat * Vec3::new(way.x, 0.0, -way.y).clamp_length_max(1.0) * WALK * time.delta_secs();
                let there = head.translation + step;
                // Walls are where the floor ends.
                if floors.is_empty() || on_floor(&floors, there) {
                    rig.translation += step;
                }
            }
            Move::Walk(_) => {}
            Move::Teleport(to) => landing = land(&floors, &spots, to),
        }
    }
    if let Some(landing) = landing {
        // Turning moved the head's place only about itself, so its point on the floor is still right.
        rig.translation += (landing.at - head.translation).with_y(landing.at.y - rig.translation.y);
        moved = true;
        interacted.write(Interacted {
            side: None,
            what: Interaction::Teleported {
                to: landing.at,
                spot: landing.spot,
            },
        });
    }
    let opened = (vignette.0 - VIGNETTE_OPENS * time.delta_secs()).max(0.0);
    vignette.set_if_neq(Vignette(if moved { 1.0 } else { opened }));
    if rig != before && rig.is_finite()
        && let Ok(mut transform) = movers.p1().single_mut()
    {
        *transform = rig;
    }
}

/// What the sticks ask for in this frame.
#[derive(Default)]
struct Asked {
    turn: Option<f32>,
    landing: Option<Landing>,
}

fn aim(
    person: &Person,
    aiming: &mut Aiming,
    floors: &Query<(&TeleportFloor, &GlobalTransform)>,
    spots: &Query<(Entity, &TeleportSpot, &GlobalTransform)>,
) -> Asked {
    let mut asked = Asked::default();
    let mut seen = None;
    for hand in person.hands() {
        let stick = hand.input.stick;
        let turned = &mut aiming.turned[hand.side as usize];
        if aiming.side != Some(hand.side) {
            let sideways = stick.x.abs() > OUT && stick.x.abs() > stick.y.abs();
            if sideways && !*turned {
                asked.turn = Some(-SNAP * stick.x.signum());
            }
            *turned = if *turned { stick.x.abs() > BACK } else { sideways };
        }
        if aiming.side.is_none() && stick.y > OUT && stick.y > stick.x.abs() {
            aiming.side = Some(hand.side);
        }
        if aiming.side == Some(hand.side) {
            seen = Some(hand);
        }
    }
    let Some(hand) = seen else {
        // The hand is gone from sight: no arc, no move.
        aiming.side = None;
        aiming.points.clear();
        aiming.landing = None;
        return asked;
    };
    if hand.input.stick.y < BACK {
        aiming.side = None;
        aiming.points.clear();
        asked.landing = aiming.landing.take();
    } else {
        trace(&hand.aim, aiming, floors, spots);
    }
    asked
}

/// Follows the arc to the floor.
fn trace(
    aim: &Transform,
    aiming: &mut Aiming,
    floors: &Query<(&TeleportFloor, &GlobalTransform)>,
    spots: &Query<(Entity, &TeleportSpot, &GlobalTransform)>,
) {
    aiming.points.clear();
    aiming.landing = None;
    let mut at = aim.translation;
    let mut velocity = *aim.forward() * ARC_SPEED;
    for _ in 0..ARC_POINTS {
        aiming.points.push(at);
        // Exact for a constant pull, so the arc lands where `teleport_aim` says.
        let next = at + velocity * ARC_STEP - Vec3::Y * (0.5 * ARC_GRAVITY * ARC_STEP * ARC_STEP);
        velocity.y -= ARC_GRAVITY * ARC_STEP;
        if next.y <= 0.0 && at.y > 0.0 {
            let met = at.lerp(next, at.y / (at.y - next.y)).with_y(0.0);
            aiming.points.push(met);
            aiming.landing = land(floors, spots, met);
            return;
        }
        at = next;
    }
}

/// Where one stands who goes to `at`: in the middle of a marked spot, or on the floor; `None`: nowhere.
fn land(
    floors: &Query<(&TeleportFloor, &GlobalTransform)>,
    spots: &Query<(Entity, &TeleportSpot, &GlobalTransform)>,
    at: Vec3,
) -> Option<Landing> {
    for (entity, spot, place) in spots {
        let middle = place.translation().with_y(0.0);
        if middle.distance(at.with_y(0.0)) <= spot.radius {
            return Some(Landing {
                at: middle,
                spot: Some(entity),
            });
        }
    }
    on_floor(floors, at).then_some(Landing {
        at: at.with_y(0.0),
        spot: None,
    })
}

fn on_floor(floors: &Query<(&TeleportFloor, &GlobalTransform)>, at: Vec3) -> bool {
    floors.iter().any(|(floor, place)| {
        let local = at - place.translation();
        local.x.abs() <= floor.half.x && local.z.abs() <= floor.half.y
    })
}

fn turn(rig: &mut Transform, about: Vec3, angle: f32) {
    rig.rotate_around(about, Quat::from_rotation_y(angle));
}

/// The arc's dots and ring, and the vignette.
#[derive(Resource, Debug)]
pub(super) struct Signs {
    dots: Vec<Entity>,
    ring: Entity,
    vignette: Entity,
}

pub(super) fn make_signs(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let glow = materials.add(StandardMaterial {
        base_color: Color::srgb(0.45, 0.85, 0.8),
        unlit: true,
        ..default()
    });
    let dark = materials.add(StandardMaterial {
        base_color: Color::BLACK,
        unlit: true,
        cull_mode: None,
        ..default()
    });
    let sign = |mesh: Handle<Mesh>, material: &Handle<StandardMaterial>| {
        (
            Mesh3d(mesh),
            MeshMaterial3d(material.clone()),
            Visibility::Hidden,
            NotShadowCaster,
        )
    };
    let dot = meshes.add(Sphere::new(0.012).mesh().ico(1).unwrap_or_else(|_| Sphere::new(0.012).into()));
    let dots = (0..ARC_POINTS).map(|_| commands.spawn(sign(dot.clone(), &glow)).id()).collect();
    let ring = commands
        .spawn(sign(meshes.add(Torus::new(0.22, 0.26)), &glow))
        .id();
    let vignette = commands.spawn(sign(meshes.add(ring_before_the_eyes()), &dark)).id();
    commands.insert_resource(Signs {
        dots,
        ring,
        vignette,
    });
}

/// A flat ring facing the eyes, from radius 1 outwards; scaled to narrow the view.
fn ring_before_the_eyes() -> Mesh {
    const CORNERS: u32 = 48;
    let mut positions = Vec::new();
    let mut indices = Vec::new();
    for corner in 0..CORNERS {
        let angle = TAU * corner as f32 / CORNERS as f32;
        let (y, x) = angle.sin_cos();
        positions.push([x, y, 0.0]);
        positions.push([x * 6.0, y * 6.0, 0.0]);
        let (a, b) = (corner * 2, (corner + 1) % CORNERS * 2);
        indices.extend([a, a + 1, b, b, a + 1, b + 1]);
    }
    let normals = vec![[0.0, 0.0, 1.0]; positions.len()];
    let uvs = vec![[0.0, 0.0]; positions.len()];
    Mesh::new(PrimitiveTopology::TriangleList, default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, uvs)
        .with_inserted_indices(Indices::U32(indices))
}

pub(super) fn show_arc(
    aiming: Option<Res<Aiming>>,
    signs: Option<Res<Signs>>,
    mut shown: Query<(&mut Transform, &mut Visibility)>,
) {
    let (Some(aiming), Some(signs)) = (aiming, signs) else {
        return;
    };
    for (index, dot) in signs.dots.iter().enumerate() {
        if let Ok((mut at, mut visibility)) = shown.get_mut(*dot) {
            match aiming.points.get(index) {
                Some(point) => {
                    at.translation = *point;
                    visibility.set_if_neq(Visibility::Visible);
                }
                None => {
                    visibility.set_if_neq(Visibility::Hidden);
                }
            }
        }
    }
    if let Ok((mut at, mut visibility)) = shown.get_mut(signs.ring) {
        match aiming.landing {
            Some(landing) => {
                at.translation = landing.at + Vec3::Y * 0.02;
                visibility.set_if_neq(Visibility::Visible);
            }
            None => {
                visibility.set_if_neq(Visibility::Hidden);
            }
        }
    }
}

/// Narrowest view while moving: a cone of 35 degrees to each side.
pub(super) fn show_vignette(
    vignette: Res<Vignette>,
    signs: Option<Res<Signs>>,
    person: Query<&Transform, (With<Head>, Without<Rig>)>,
    rig: Query<&Transform, (With<Rig>, Without<Head>)>,
    mut shown: Query<(&mut Transform, &mut Visibility), (Without<Head>, Without<Rig>)>,
) {
    const BEFORE: f32 = 0.3;
    let Some(signs) = signs else { return };
    let Ok((mut at, mut visibility)) = shown.get_mut(signs.vignette) else {
        return;
    };
    let (Some(head), Some(rig)) = (person.iter().next(), rig.iter().next()) else {
        return;
    };
    if vignette.0 <= 0.0 {
        visibility.set_if_neq(Visibility::Hidden);
        return;
    }
    let head = rig.mul_transform(*head);
    // From 80 degrees, which is outside of the view, to 35.
    let angle = 80.0_f32.lerp(35.0, vignette.0).to_radians();
    *at = Transform::from_translation(head.translation + head.forward() * BEFORE)
        .with_rotation(head.rotation)
        .with_scale(Vec3::splat(BEFORE * angle.tan()));
    visibility.set_if_neq(Visibility::Visible);
}
