//! The lesson's scene: every object, socket and panel as an entity that hands can use.
//!
//! It is built when a lesson begins and built anew when its file has changed; what the learner has done stays.

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::glow::Shine;
use super::look::{self, Look};
use super::models::model;
use super::restore::Away;
use super::room::{self, RoomSize};
use super::solid;
use crate::interaction::things;
use crate::interaction::things::{Gazeable, Grabbable, Pressable, TeleportSpot, Touchable, Weight};
use crate::lesson::Loaded;
use crate::lesson::format::{Action, Lesson, Object, Panel, Role, Shape, Socket};
use crate::lesson::placed::{LessonObject, LessonPanel, LessonSocket};
use crate::protocol::ids::{ObjectId, SocketId};

/// Came with the scene and goes with it.
#[derive(Component, Debug, Default, Clone, Copy)]
#[component(storage = "SparseSet")]
pub struct PartOfScene;

/// Where an object of the lesson begins, and where it is put back to.
#[derive(Component, Debug, Clone, Copy)]
pub(super) struct Home(pub Transform);

/// The scene as it stands: which entity is what, and how large the room is.
#[derive(Resource, Debug)]
pub(super) struct Stage {
    pub objects: BTreeMap<ObjectId, Entity>,
    pub sockets: BTreeMap<SocketId, Entity>,
    /// Things that the instructor added.
    pub added: BTreeMap<ObjectId, Entity>,
    pub room: RoomSize,
}

/// A rotation as lessons write it: about y, x, z in radians, applied in that order.
pub(super) fn rotation([y, x, z]: [f32; 3]) -> Quat {
    Quat::from_euler(EulerRot::YXZ, y, x, z)
}

fn pose(position: [f32; 3], turned: [f32; 3]) -> Transform {
    Transform::from_translation(Vec3::from_array(position)).with_rotation(rotation(turned))
}

/// Builds everything.
pub(super) fn build(
    commands: &mut Commands,
    look: &mut Look,
    assets: Option<&AssetServer>,
    loaded: &Loaded,
) -> Stage {
    let lesson: &Lesson = &loaded.lesson;
    let room = RoomSize::for_lesson(lesson);
    room::furnish(commands, look, &room);
    let objects: BTreeMap<ObjectId, Entity> = lesson
        .objects
        .iter()
        .map(|object| {
            let entity = place_object(commands, look, lesson, object);
            if let (Shape::Gltf { path, .. }, Some(assets)) = (&object.shape, assets) {
                commands.entity(entity).insert(model(assets, loaded, path));
            }
            (object.id.clone(), entity)
        })
        .collect();
    let sockets = lesson
        .sockets
        .iter()
        .map(|socket| {
            let entity = place_socket(commands, look, lesson, socket, &objects);
            (socket.id.clone(), entity)
        })
        .collect();
    for panel in &lesson.panels {
        place_panel(commands, panel);
    }
    Stage {
        objects,
        sockets,
        added: BTreeMap::new(),
        room,
    }
}

pub(super) fn place_object(
    commands: &mut Commands,
    look: &mut Look,
    lesson: &Lesson,
    object: &Object,
) -> Entity {
    let at = pose(object.position, object.rotation);
    let mut entity = commands.spawn((
        PartOfScene,
        Name::new(object.label.clone()),
        LessonObject(object.id.clone()),
        Home(at),
        at,
        Visibility::default(),
    ));
    let color = look::color(&object.color);
    let own = match object.role {
        Role::TeleportSpot => 0.5,
        _ => 0.0,
    };
    if let Some(mesh) = look::mesh_of(&object.shape)
        && let Some(skin) = look.skin(|| mesh, look::glowing(color, own))
    {
        entity.insert((skin, Shine { own, now: 0.0 }));
    }
    match object.role {
        Role::Decor => {}
        Role::Fixed => {
            entity.insert(solid::body(&object.shape, Weight::Fixed));
        }
        Role::Grabbable { mass } => {
            entity.insert((
                Grabbable,
                Touchable,
                Away::default(),
                solid::body(&object.shape, Weight::Kilograms(mass)),
            ));
        }
        Role::Button => {
            entity.insert((
                Pressable,
                Touchable,
                solid::body(&object.shape, Weight::Driven),
            ));
        }
        Role::TeleportSpot => {
            entity.insert(TeleportSpot {
                radius: spot_radius(&object.shape),
            });
        }
    }
    for step in &lesson.steps {
        match &step.action {
            Action::LookAt { object: asked, .. } if *asked == object.id => {
                entity.insert(Gazeable);
            }
            Action::Touch { object: asked } if *asked == object.id => {
                entity.insert(Touchable);
            }
            _ => {}
        }
    }
    entity.id()
}

/// A spot is as wide as it looks.
fn spot_radius(shape: &Shape) -> f32 {
    match shape {
        Shape::Sphere { radius } | Shape::Cylinder { radius, .. } | Shape::Cone { radius, .. } => {
            *radius
        }
        Shape::Box([x, _, z])
        | Shape::Gltf {
            bounds: [x, _, z], ..
        } => x.min(*z) / 2.0,
    }
}

fn place_socket(
    commands: &mut Commands,
    look: &mut Look,
    lesson: &Lesson,
    socket: &Socket,
    objects: &BTreeMap<ObjectId, Entity>,
) -> Entity {
    let (position_tolerance, rotation_tolerance) = tolerances(lesson, socket);
    let entity = commands
        .spawn((
            PartOfScene,
            Name::new(socket.label.clone()),
            LessonSocket(socket.id.clone()),
            pose(socket.position, socket.rotation),
            Visibility::default(),
            things::Socket {
                accepts: socket
                    .accepts
                    .iter()
                    .filter_map(|id| objects.get(id).copied())
                    .collect(),
                reach: socket.reach,
                position_tolerance,
                rotation_tolerance,
            },
        ))
        .id();
    let form = socket
        .accepts
        .first()
        .and_then(|accepted| lesson.objects.iter().find(|object| object.id == *accepted));
    if let Some(object) = form {
        frame_socket(commands, look, entity, object);
    }
    entity
}

/// The tolerances of the first step that asks for the socket; they follow the running step later on.
fn tolerances(lesson: &Lesson, socket: &Socket) -> (f32, Option<f32>) {
    lesson
        .steps
        .iter()
        .find_map(|step| match &step.action {
            Action::Place {
                socket: asked,
                position_tolerance,
                rotation_tolerance,
                ..
            } if *asked == socket.id => Some((*position_tolerance, *rotation_tolerance)),
            _ => None,
        })
        .unwrap_or((socket.reach, None))
}

/// A socket shows the form that it takes: a rim around a dark recess, at the foot of where the object will stand.
fn frame_socket(commands: &mut Commands, look: &mut Look, socket: Entity, object: &Object) {
    /// Width and height of the rim, and the play between rim and object; metres.
    const RIM: f32 = 0.012;
    const RISE: f32 = 0.014;
    const PLAY: f32 = 0.004;
    let recess = look::matt(Color::srgb(0.16, 0.17, 0.20));
    let rim = StandardMaterial {
        perceptual_roughness: 0.45,
        ..look::matt(look::color(&object.color).mix(&Color::WHITE, 0.25))
    };
    let mut part = |mesh: Mesh, material: StandardMaterial, at: Vec3| {
        if let Some(skin) = look.skin(|| mesh, material) {
            commands.spawn((skin, Transform::from_translation(at), ChildOf(socket)));
        }
    };
    let (foot, round) = match &object.shape {
        Shape::Box([x, y, z])
        | Shape::Gltf {
            bounds: [x, y, z], ..
        } => (-y / 2.0, Err(Vec2::new(*x, *z) / 2.0)),
        // A ball touches the ground in one point; its ring is as wide as the ball a little above it.
        Shape::Sphere { radius } => (-*radius, Ok(radius * 0.72)),
        Shape::Cylinder { radius, height } | Shape::Cone { radius, height } => {
            (-height / 2.0, Ok(*radius))
        }
    };
    let floor = foot + 0.001;
    let middle = foot + RISE / 2.0;
    match round {
        Ok(radius) => {
            let inner = radius + PLAY;
            part(look::ring(inner + RIM, inner, RISE), rim, Vec3::Y * middle);
            let disc = Cylinder::new(inner, 0.002).mesh().resolution(48).build();
            part(disc, recess, Vec3::Y * floor);
        }
        Err(half) => {
            let inner = half + Vec2::splat(PLAY);
            let long = 2.0 * (inner.x + RIM);
            for side in [-1.0, 1.0] {
                let level = Vec3::new(0.0, middle, side * (inner.y + RIM / 2.0));
                part(
                    look::rounded_box(Vec3::new(long, RISE, RIM)),
                    rim.clone(),
                    level,
                );
                let across = Vec3::new(side * (inner.x + RIM / 2.0), middle, 0.0);
                part(
                    look::rounded_box(Vec3::new(RIM, RISE, 2.0 * inner.y)),
                    rim.clone(),
                    across,
                );
            }
            let plate = Cuboid::new(2.0 * inner.x, 0.002, 2.0 * inner.y)
                .mesh()
                .build();
            part(plate, recess, Vec3::Y * floor);
        }
    }
}

fn place_panel(commands: &mut Commands, panel: &Panel) {
    commands.spawn((
        PartOfScene,
        LessonPanel(panel.id.clone()),
        pose(panel.position, panel.rotation),
        things::PointerSurface {
            size: Vec2::from_array(panel.size),
        },
    ));
}
