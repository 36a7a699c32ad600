//! The room around a lesson: floor, walls, ceiling, window and light. The same calm place for every lesson, as
//! large as the lesson needs.

use std::f32::consts::{FRAC_PI_2, PI};

use bevy::light::{CascadeShadowConfigBuilder, NotShadowCaster};
use bevy::prelude::*;

use super::look::{Look, glowing, matt, planks, rounded_box};
use super::scene::PartOfScene;
use super::solid::fixed_box;
use crate::interaction::things::TeleportFloor;
use crate::lesson::format::{Lesson, Role, Shape};

/// Metres from floor to ceiling.
const HEIGHT: f32 = 2.8;
/// Free space around what learners use, metres. What is only seen may stand at the wall.
const MARGIN: f32 = 0.6;
/// Space beside and behind the learner's start, metres.
const BESIDE: f32 = 1.8;
const BEHIND: f32 = 1.4;

/// Where the walls stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RoomSize {
    /// Middle of the floor in x and z, metres.
    pub middle: Vec2,
    /// Half extents in x and z, metres.
    pub half: Vec2,
}

impl RoomSize {
    /// Room enough for everything in the lesson and for the learner at the origin.
    pub fn for_lesson(lesson: &Lesson) -> Self {
        let objects = lesson.objects.iter().map(|object| {
            let space = match object.role {
                Role::Decor => footprint(&object.shape),
                _ => MARGIN,
            };
            (object.position, space)
        });
        let panels = lesson.panels.iter().map(|panel| (panel.position, MARGIN));
        let sockets = lesson
            .sockets
            .iter()
            .map(|socket| (socket.position, MARGIN));
        let start = (Vec2::new(-BESIDE, 0.0), Vec2::new(BESIDE, BEHIND));
        let (low, high) = objects
            .chain(panels)
            .chain(sockets)
            .map(|([x, _, z], space)| (Vec2::new(x, z), Vec2::splat(space)))
            .filter(|(at, space)| at.is_finite() && space.is_finite())
            .fold(start, |(low, high), (at, space)| {
                (low.min(at - space), high.max(at + space))
            });
        Self {
            middle: (low + high) / 2.0,
            half: (high - low) / 2.0,
        }
    }

    /// Whether a thing there is still in the room.
    pub fn contains(&self, at: Vec3) -> bool {
        let across = (Vec2::new(at.x, at.z) - self.middle).abs();
        across.x < self.half.x && across.y < self.half.y && at.y > -0.1 && at.y < HEIGHT
    }
}

/// Half of what a thing takes up on the floor, metres.
fn footprint(shape: &Shape) -> f32 {
    match shape {
        Shape::Box([x, _, z])
        | Shape::Gltf {
            bounds: [x, _, z], ..
        } => x.min(*z) / 2.0,
        Shape::Sphere { radius } | Shape::Cylinder { radius, .. } | Shape::Cone { radius, .. } => {
            *radius
        }
    }
}

const FLOOR: Color = Color::srgb(0.70, 0.55, 0.40);
const JOINT: Color = Color::srgb(0.47, 0.35, 0.25);
const WALL: Color = Color::srgb(0.93, 0.88, 0.80);
const FEATURE_WALL: Color = Color::srgb(0.62, 0.70, 0.68);
const CEILING: Color = Color::srgb(0.97, 0.95, 0.92);
const WOODWORK: Color = Color::srgb(0.98, 0.96, 0.93);
/// Light that floor and walls throw back, as a share of the surface's own colour: the ceiling gets most of it.
const BOUNCE: f32 = 0.22;

/// Builds the room. Solid parts are solid, also where nothing is drawn.
pub(super) fn furnish(commands: &mut Commands, look: &mut Look, size: &RoomSize) {
    lay_floor(commands, look, size);
    raise_walls(commands, look, size);
    open_window(commands, look, size);
    light(commands, size);
}

fn lay_floor(commands: &mut Commands, look: &mut Look, size: &RoomSize) {
    const THICKNESS: f32 = 0.2;
    let at = Vec3::new(size.middle.x, 0.0, size.middle.y);
    let slab = Vec3::new(2.0 * size.half.x, THICKNESS, 2.0 * size.half.y);
    commands.spawn((
        PartOfScene,
        Name::new("floor slab"),
        Transform::from_translation(at - Vec3::Y * (THICKNESS / 2.0)),
        fixed_box(slab),
    ));
    let mut floor = commands.spawn((
        PartOfScene,
        Name::new("floor"),
        Transform::from_translation(at),
        Visibility::default(),
        TeleportFloor {
            half: size.half - Vec2::splat(0.3),
        },
    ));
    // Planks let the darker ground between them show.
    if let Some(skin) = look.skin(
        || planks(size.half),
        StandardMaterial {
            perceptual_roughness: 0.55,
            ..matt(FLOOR)
        },
    ) {
        floor.insert((skin, NotShadowCaster));
    }
    if let Some(skin) = look.skin(
        || Plane3d::new(Vec3::Y, size.half).mesh().build(),
        matt(JOINT),
    ) {
        commands.spawn((
            PartOfScene,
            Name::new("floor joints"),
            skin,
            NotShadowCaster,
            Transform::from_translation(at - Vec3::Y * 0.002),
        ));
    }
}

fn raise_walls(commands: &mut Commands, look: &mut Look, size: &RoomSize) {
    const THICKNESS: f32 = 0.1;
    let middle = Vec3::new(size.middle.x, HEIGHT / 2.0, size.middle.y);
    let half = size.half;
    // Direction to the wall, its length, its colour. The wall before the learner has a colour of its own:
    // light panels and objects stand out from it.
    let walls = [
        (Vec3::NEG_Z, 2.0 * half.x, FEATURE_WALL),
        (Vec3::Z, 2.0 * half.x, WALL),
        (Vec3::NEG_X, 2.0 * half.y, WALL),
        (Vec3::X, 2.0 * half.y, WALL),
    ];
    for (towards, length, color) in walls {
        let distance = if towards.z == 0.0 { half.x } else { half.y };
        let facing_in = Quat::from_rotation_arc(Vec3::Z, -towards);
        let facing_in = if towards.z > 0.0 {
            Quat::from_rotation_y(PI)
        } else {
            facing_in
        };
        let face = middle + towards * distance;
        commands.spawn((
            PartOfScene,
            Name::new("wall"),
            Transform::from_translation(face + towards * (THICKNESS / 2.0))
                .with_rotation(facing_in),
            fixed_box(Vec3::new(length, HEIGHT, THICKNESS)),
        ));
        draw(
            commands,
            look,
            Transform::from_translation(face).with_rotation(facing_in),
            || {
                Plane3d::new(Vec3::Z, Vec2::new(length, HEIGHT) / 2.0)
                    .mesh()
                    .build()
            },
            glowing(color, 0.3 * BOUNCE),
        );
        let skirting = face.with_y(0.05) - towards * 0.008;
        draw(
            commands,
            look,
            Transform::from_translation(skirting).with_rotation(facing_in),
            || rounded_box(Vec3::new(length, 0.10, 0.016)),
            matt(WOODWORK),
        );
    }
    let ceiling = Transform::from_translation(middle.with_y(HEIGHT));
    draw(
        commands,
        look,
        ceiling,
        || Plane3d::new(Vec3::NEG_Y, half).mesh().build(),
        glowing(CEILING, BOUNCE),
    );
}

/// A window in the left wall: the light comes from there.
fn open_window(commands: &mut Commands, look: &mut Look, size: &RoomSize) {
    const WIDTH: f32 = 1.5;
    const TALL: f32 = 1.25;
    const BAR: f32 = 0.06;
    let middle = Vec3::new(
        size.middle.x - size.half.x,
        1.55,
        size.middle.y - 0.2 * size.half.y,
    );
    let facing_in = Quat::from_rotation_y(FRAC_PI_2);
    let place = |right: f32, up: f32, out: f32| {
        Transform::from_translation(middle + facing_in * Vec3::new(right, up, out))
            .with_rotation(facing_in)
    };
    draw(
        commands,
        look,
        place(0.0, 0.0, 0.004),
        || {
            Plane3d::new(Vec3::Z, Vec2::new(WIDTH, TALL) / 2.0)
                .mesh()
                .build()
        },
        StandardMaterial {
            unlit: true,
            ..matt(Color::srgb(0.80, 0.90, 0.97))
        },
    );
    let upright = Vec3::new(BAR, TALL + BAR, 0.05);
    let level = Vec3::new(WIDTH + BAR, BAR, 0.05);
    let bars = [
        (-WIDTH / 2.0, 0.0, upright),
        (0.0, 0.0, upright * Vec3::new(0.7, 1.0, 0.8)),
        (WIDTH / 2.0, 0.0, upright),
        (0.0, TALL / 2.0, level),
        (0.0, TALL * 0.12, level * Vec3::new(1.0, 0.7, 0.8)),
        (0.0, -TALL / 2.0, level + Vec3::new(0.1, 0.0, 0.08)),
    ];
    for (right, up, edges) in bars {
        draw(
            commands,
            look,
            place(right, up, edges.z / 2.0),
            || rounded_box(edges),
            matt(WOODWORK),
        );
    }
}

/// A piece that is only seen. Room parts throw no shadows: they would shut out the light that falls through them.
fn draw(
    commands: &mut Commands,
    look: &mut Look,
    at: Transform,
    mesh: impl FnOnce() -> Mesh,
    material: StandardMaterial,
) {
    if let Some(skin) = look.skin(mesh, material) {
        commands.spawn((PartOfScene, skin, NotShadowCaster, at));
    }
}

/// One light with soft shadows from the window's side, one without from the ceiling to fill them.
fn light(commands: &mut Commands, size: &RoomSize) {
    commands.spawn((
        PartOfScene,
        Name::new("daylight"),
        DirectionalLight {
            color: Color::srgb(1.0, 0.95, 0.87),
            illuminance: 3_800.0,
            shadow_maps_enabled: true,
            shadow_depth_bias: 0.015,
            shadow_normal_bias: 1.2,
            ..default()
        },
        // One cascade: a room is small, and each further one is drawn again for both eyes.
        CascadeShadowConfigBuilder {
            num_cascades: 1,
            minimum_distance: 0.05,
            maximum_distance: 5.0,
            ..default()
        }
        .build(),
        Transform::from_xyz(-1.6, 3.0, 1.0).looking_at(Vec3::ZERO, Vec3::Y),
    ));
    commands.spawn((
        PartOfScene,
        Name::new("ceiling light"),
        PointLight {
            color: Color::srgb(1.0, 0.93, 0.84),
            intensity: 90_000.0,
            range: 12.0,
            radius: 0.2,
            ..default()
        },
        Transform::from_xyz(size.middle.x, HEIGHT - 0.7, size.middle.y),
    ));
    commands.insert_resource(GlobalAmbientLight {
        color: Color::srgb(1.0, 0.97, 0.93),
        brightness: 620.0,
        ..default()
    });
    commands.insert_resource(ClearColor(Color::srgb(0.80, 0.82, 0.84)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_in_the_bundled_lesson_is_inside_the_room() {
        let lesson = crate::lesson::load("first-steps")
            .expect("the bundled lesson")
            .lesson;
        let size = RoomSize::for_lesson(&lesson);
        for object in &lesson.objects {
            assert!(
                size.contains(Vec3::from_array(object.position)),
                "{}",
                object.id
            );
        }
        assert!(
            size.contains(Vec3::new(0.0, 1.6, 1.0)),
            "somebody who steps back"
        );
    }

    #[test]
    fn what_is_below_the_floor_beyond_a_wall_or_nowhere_is_not_in_the_room() {
        let size = RoomSize {
            middle: Vec2::ZERO,
            half: Vec2::splat(2.5),
        };
        assert!(size.contains(Vec3::new(0.0, 1.0, -1.0)));
        assert!(!size.contains(Vec3::new(0.0, -0.5, 0.0)));
        assert!(!size.contains(Vec3::new(9.0, 1.0, 0.0)));
        assert!(!size.contains(Vec3::splat(f32::NAN)));
    }
}
