//! Mouse and keyboard in place of a headset: they move the same head and hands, so that everything else stays the same.

use bevy::camera::Camera3d;
use bevy::ecs::system::SystemParam;
use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll};
use bevy::prelude::*;
use bevy::window::PrimaryWindow;

use super::hands::Grasp;
use super::locomotion::Move;
use super::things::{Grabbable, Pressable, Solid, TeleportFloor, Touchable};
use super::{point, press};
use crate::physics::Physics;
use crate::xr::pointer::PointerSurface;
use crate::xr::rig::{AimPose, Hand, HandInput, Head, Rig, Side};

/// What does what, for panels and for the README.
pub const CONTROLS: &[(&str, &str)] = &[
    ("left mouse button (hold)", "touch, grasp, press, choose"),
    ("mouse wheel", "push or pull what is held"),
    ("shift + mouse wheel", "turn what is held"),
    ("right mouse button (hold)", "look around"),
    ("W A S D", "walk"),
    ("Q, E", "turn"),
    ("T", "teleport to where the mouse points"),
    ("Esc", "menu"),
];

/// Height of the picture's field of view, radians: the table within reach and the panel behind it at one look.
const FIELD_OF_VIEW: f32 = 1.2;
/// Eye height of the person at the desk, metres.
const EYES: f32 = 1.6;
/// Radians of looking for each pixel that the mouse moves.
const LOOK: f32 = 0.003;
/// How far a click reaches, metres.
const REACH: f32 = 3.0;
/// A click on a button begins this far above it, metres …
const ABOVE: f32 = 0.02;
/// … and goes down this fast, metres per second.
const PUSH: f32 = 0.5;
/// … until here, however short the click is, metres.
const DOWN: f32 = ABOVE + 0.02;
/// Where the hand rests beside the head, metres.
const REST: Vec3 = Vec3::new(0.22, -0.35, -0.35);

/// What the mouse holds on to.
#[derive(Resource, Debug)]
pub(super) struct Mouse {
    /// Distance of the hand along the mouse's ray, while the button is down.
    distance: Option<f32>,
    /// Top of the button that is being pressed, and which way is out of it, in room space.
    button: Option<(Vec3, Dir3)>,
    /// How far the press has gone down, metres.
    pressed: f32,
    turned: f32,
    yaw: f32,
    pitch: f32,
}

impl Default for Mouse {
    fn default() -> Self {
        Self {
            distance: None,
            button: None,
            pressed: 0.0,
            turned: 0.0,
            yaw: 0.0,
            // The table as well as the panel behind it.
            pitch: -0.25,
        }
    }
}

/// What mouse and keyboard say.
#[derive(SystemParam)]
pub(super) struct Desk<'w, 's> {
    keys: Option<Res<'w, ButtonInput<KeyCode>>>,
    buttons: Option<Res<'w, ButtonInput<MouseButton>>>,
    motion: Option<Res<'w, AccumulatedMouseMotion>>,
    scroll: Option<Res<'w, AccumulatedMouseScroll>>,
    windows: Query<'w, 's, &'static Window, With<PrimaryWindow>>,
    cameras: Query<'w, 's, (&'static Camera, &'static GlobalTransform), With<DesktopEye>>,
}

impl Desk<'_, '_> {
    /// The line from the eye through the mouse's point, in room space.
    fn ray(&self) -> Option<Ray3d> {
        let cursor = self.windows.single().ok()?.cursor_position()?;
        let (camera, at) = self.cameras.single().ok()?;
        camera.viewport_to_world(at, cursor).ok()
    }
}

/// What a click can mean.
#[derive(SystemParam)]
pub(super) struct Targets<'w, 's> {
    physics: Option<Res<'w, Physics>>,
    handy: Query<'w, 's, (), Or<(With<Grabbable>, With<Touchable>, With<Pressable>)>>,
    buttons: Query<'w, 's, (&'static GlobalTransform, &'static Solid), With<Pressable>>,
    floors: Query<'w, 's, &'static GlobalTransform, With<TeleportFloor>>,
    surfaces: Query<'w, 's, (&'static PointerSurface, &'static GlobalTransform)>,
}

impl Targets<'_, '_> {
    /// What a hand can do something with, with its distance along the ray; nothing behind a panel.
    fn met(&self, ray: &Ray3d) -> Option<(Entity, f32)> {
        let physics = self.physics.as_ref()?;
        let (thing, distance) = physics.cast_ray(ray.origin, ray.direction, REACH, |entity| {
            self.handy.contains(entity)
        })?;
        let panel = self
            .surfaces
            .iter()
            .filter_map(|(surface, at)| point::meet(ray, surface, &at.compute_transform()))
            .any(|met| met.distance < distance);
        (!panel).then_some((thing, distance))
    }

    /// The middle of a button's top, and which way is out of it.
    fn top(&self, button: Entity) -> Option<(Vec3, Dir3)> {
        let (at, solid) = self.buttons.get(button).ok()?;
        let (_, high) = press::extents(solid.form);
        Some((at.translation() + at.up() * high, at.up()))
    }
}

pub(super) fn drive(
    mut commands: Commands,
    time: Res<Time>,
    desk: Desk,
    targets: Targets,
    mouse: Option<ResMut<Mouse>>,
    rig: Query<&Transform, (With<Rig>, Without<Head>, Without<Hand>)>,
    mut head: Query<(Entity, &mut Transform), (With<Head>, Without<Hand>)>,
    mut hands: Query<(
        &Hand,
        &mut HandInput,
        &mut AimPose,
        &mut Transform,
        Option<&Grasp>,
    )>,
    mut moves: MessageWriter<Move>,
) {
    let (Some(keys), Some(buttons)) = (&desk.keys, &desk.buttons) else {
        return;
    };
    let Some(mut mouse) = mouse else {
        commands.init_resource::<Mouse>();
        if let Some((head, _)) = head.iter().next() {
            commands.entity(head).with_child((
                Camera3d::default(),
                Projection::Perspective(PerspectiveProjection {
                    fov: FIELD_OF_VIEW,
                    ..default()
                }),
                DesktopEye,
                bevy::core_pipeline::tonemapping::Tonemapping::SomewhatBoringDisplayTransform,
            ));
        }
        return;
    };
    let (Ok(rig), Ok((_, mut head))) = (rig.single(), head.single_mut()) else {
        return;
    };
    look(&mut mouse, buttons, desk.motion.as_deref(), &mut head);
    walk(keys, &time, &mut moves);
    let ray = desk.ray();
    let Some((_, mut input, mut aim, mut hand, grasp)) =
        hands.iter_mut().find(|(hand, ..)| hand.0 == Side::Right)
    else {
        return;
    };
    let to_rig = rig.to_matrix().inverse();
    let at_rest = head.transform_point(REST);
    let mut next = HandInput {
        tracked: true,
        menu: keys.pressed(KeyCode::Escape),
        ..HandInput::default()
    };
    if let Some(ray) = ray {
        let origin = to_rig.transform_point3(ray.origin);
        let direction = to_rig.transform_vector3(*ray.direction);
        aim.0 = Transform::from_translation(origin).looking_to(direction, Vec3::Y);
        if keys.just_pressed(KeyCode::KeyT)
            && let Some(floor) = targets.floors.iter().next()
            && ray.direction.y < -1e-3
        {
            let down = (ray.origin.y - floor.translation().y) / -ray.direction.y;
            moves.write(Move::Teleport(ray.get_point(down)));
        }
        if buttons.just_pressed(MouseButton::Left) {
            let met = targets.met(&ray);
            mouse.distance = met.map(|(_, distance)| distance + 0.02);
            mouse.button = met.and_then(|(entity, _)| targets.top(entity));
            mouse.pressed = 0.0;
            mouse.turned = 0.0;
        }
        let down = buttons.pressed(MouseButton::Left);
        if !down && mouse.pressed >= if mouse.button.is_some() { DOWN } else { 0.0 } {
            mouse.distance = None;
            mouse.button = None;
        }
        if down && mouse.distance.is_none() && !targets.surfaces.is_empty() {
            next.trigger = 1.0;
        }
        if let Some((top, out)) = mouse.button {
            // A click comes from above and goes down slowly enough to be seen.
            mouse.pressed = (mouse.pressed + PUSH * time.delta_secs()).min(DOWN);
            let above = press::HAND + ABOVE - mouse.pressed;
            hand.translation = to_rig.transform_point3(top + out * above);
        } else if let Some(distance) = mouse.distance {
            let holds = grasp.is_some_and(|grasp| grasp.held.is_some());
            let notches = desk.scroll.as_ref().map_or(0.0, |scroll| scroll.delta.y);
            if holds && keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]) {
                mouse.turned += notches * 0.2;
            } else if holds {
                mouse.distance = Some((distance + notches * 0.04).clamp(0.25, REACH));
            }
            hand.rotation = Quat::from_rotation_y(mouse.turned);
            hand.translation = origin + direction * mouse.distance.unwrap_or(distance);
            next.squeeze = 1.0;
        }
    }
    if mouse.distance.is_none() {
        hand.translation = at_rest;
        hand.rotation = Quat::IDENTITY;
    }
    input.set_if_neq(next);
}

/// The camera of the person at the desk.
#[derive(Component)]
pub(super) struct DesktopEye;

fn look(
    mouse: &mut Mouse,
    buttons: &ButtonInput<MouseButton>,
    motion: Option<&AccumulatedMouseMotion>,
    head: &mut Transform,
) {
    if buttons.pressed(MouseButton::Right)
        && let Some(motion) = motion
    {
        mouse.yaw -= motion.delta.x * LOOK;
        mouse.pitch = (mouse.pitch - motion.delta.y * LOOK).clamp(-1.4, 1.4);
    }
    let wanted = Transform::from_xyz(0.0, EYES, 0.0).with_rotation(Quat::from_euler(
        EulerRot::YXZ,
        mouse.yaw,
        mouse.pitch,
        0.0,
    ));
    if *head != wanted {
        *head = wanted;
    }
}

fn walk(keys: &ButtonInput<KeyCode>, time: &Time, moves: &mut MessageWriter<Move>) {
    /// Radians per second.
    const TURN: f32 = 1.6;
    let axis = |minus, plus| {
        f32::from(u8::from(keys.pressed(plus))) - f32::from(u8::from(keys.pressed(minus)))
    };
    let way = Vec2::new(
        axis(KeyCode::KeyA, KeyCode::KeyD),
        axis(KeyCode::KeyS, KeyCode::KeyW),
    );
    if way != Vec2::ZERO {
        moves.write(Move::Walk(way));
    }
    let turn = axis(KeyCode::KeyE, KeyCode::KeyQ);
    if turn != 0.0 {
        moves.write(Move::Turn(turn * TURN * time.delta_secs()));
    }
}
