//! What a thing lets people do with it: components that `task` puts on the lesson's objects.

use bevy::prelude::*;

use crate::physics::Velocity;
pub use crate::xr::pointer::PointerSurface;

/// What a thing is to hands and gravity: the order for its body of `physics`.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Solid {
    /// Its form around the entity's origin.
    pub form: Form,
    /// What moves it.
    pub weight: Weight,
}

/// A simple form, upright along y. Metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// A box with these full edge lengths.
    Box(Vec3),
    /// A ball.
    Ball { radius: f32 },
    /// A cylinder.
    Cylinder { radius: f32, height: f32 },
    /// A cone, tip up.
    Cone { radius: f32, height: f32 },
}

/// What moves a thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weight {
    /// Nothing: walls, tables.
    Fixed,
    /// Its own mechanism: buttons.
    Driven,
    /// Hands and gravity; kilograms.
    Kilograms(f32),
}

/// Can be grasped, moved, thrown. Needs a dynamic body of `physics`.
#[derive(Component, Debug, Default)]
pub struct Grabbable;

/// In this hand now.
#[derive(Component, Debug, Clone, Copy)]
pub struct HeldBy(pub Entity);

/// Notices hands that touch it.
#[derive(Component, Debug, Default)]
pub struct Touchable;

/// Notices the head turned to it.
#[derive(Component, Debug, Default)]
pub struct Gazeable;

/// A hand is near enough to take or touch it: drawn brighter.
#[derive(Component, Debug, Clone, Copy)]
pub struct Near;

/// A button that goes in along its local -y.
#[derive(Component, Debug, Default)]
pub struct Pressable;

/// A marked spot to teleport to.
#[derive(Component, Debug, Clone, Copy)]
pub struct TeleportSpot {
    /// Metres.
    pub radius: f32,
}

/// Floor that a teleport arc may land on (an upright box around the entity, metres).
#[derive(Component, Debug, Clone, Copy)]
pub struct TeleportFloor {
    /// Half extents in x and z.
    pub half: Vec2,
}

/// A place that objects fit into.
#[derive(Component, Debug, Clone)]
#[require(Transform)]
pub struct Socket {
    /// Entities that it takes.
    pub accepts: Vec<Entity>,
    /// Metres.
    pub reach: f32,
    /// An accepted object snaps in when let go within this distance, metres …
    pub position_tolerance: f32,
    /// … and this angle (radians); `None`: however it lies.
    pub rotation_tolerance: Option<f32>,
}

/// Rests in this socket.
#[derive(Component, Debug, Clone, Copy)]
pub struct InSocket(pub Entity);

/// Puts a grabbable thing somewhere, at rest: what rolled away does not roll on from there.
pub fn put_at_rest(commands: &mut Commands, thing: Entity, at: Transform) {
    commands.entity(thing).insert((at, Velocity::default()));
}
