//! What a body is: components that other rooms put on their entities.

use bevy::prelude::*;
use rapier3d::prelude::{ColliderBuilder, SharedShape};

use super::world::vector;

/// How a body moves.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[require(Transform)]
pub enum Body {
    /// Stays where its `Transform` puts it.
    Fixed,
    /// Falls, rolls, is pushed and thrown.
    Dynamic {
        /// Kilograms.
        mass: f32,
    },
    /// Moves as its `Transform` is moved, and pushes what is in its way.
    Kinematic,
}

/// Form of a body. Full lengths in metres, centred on the entity.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[require(Transform, Surface)]
pub enum Collider {
    /// Edge lengths along x, y, z.
    Box(Vec3),
    /// A ball.
    Sphere {
        /// Radius.
        radius: f32,
    },
    /// Standing along y.
    Cylinder {
        /// Radius.
        radius: f32,
        /// Full height.
        height: f32,
    },
    /// Standing along y, tip up.
    Cone {
        /// Radius of its foot.
        radius: f32,
        /// Full height.
        height: f32,
    },
}

/// Shorter lengths than this make no body, metres.
const SMALLEST: f32 = 1.0e-4;

impl Collider {
    /// Half the extent along each local axis, metres.
    #[must_use]
    pub fn half_extents(&self) -> Vec3 {
        match *self {
            Self::Box(size) => size * 0.5,
            Self::Sphere { radius } => Vec3::splat(radius),
            Self::Cylinder { radius, height } | Self::Cone { radius, height } => {
                Vec3::new(radius, height * 0.5, radius)
            }
        }
    }

    pub(super) fn builder(&self) -> ColliderBuilder {
        ColliderBuilder::new(self.shape())
    }

    pub(super) fn shape(&self) -> SharedShape {
        // Lengths of zero, below it or not numbers would upset the solver for every other body.
        let half = self.half_extents();
        let half = Vec3::from_array(half.to_array().map(|length| {
            if length.is_finite() {
                length.max(SMALLEST)
            } else {
                SMALLEST
            }
        }));
        match self {
            Self::Box(_) => {
                let half = vector(half);
                SharedShape::cuboid(half.x, half.y, half.z)
            }
            Self::Sphere { .. } => SharedShape::ball(half.x),
            Self::Cylinder { .. } => SharedShape::cylinder(half.y, half.x),
            Self::Cone { .. } => SharedShape::cone(half.y, half.x),
        }
    }
}

/// How a body's surface rubs and bounces.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Surface {
    /// 0: ice, 1: rubber.
    pub friction: f32,
    /// 0: a bean bag, 1: a super ball.
    pub restitution: f32,
}

impl Default for Surface {
    /// Painted wood.
    fn default() -> Self {
        Self {
            friction: 0.6,
            restitution: 0.2,
        }
    }
}

/// Is felt by queries and contacts, but nothing bounces off it.
#[derive(Component, Debug, Default, Clone, Copy)]
pub struct Sensor;

/// For now the `Transform` of this dynamic body is somebody else's to write (a hand's, a socket's); it pushes what is
/// in its way. Taken away, the body falls again, with its [`Velocity`].
#[derive(Component, Debug, Default, Clone, Copy)]
pub struct Driven;

/// How fast a dynamic body moves. Written by physics each step; writing it gives the body this velocity.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq)]
pub struct Velocity {
    /// Metres per second, world space.
    pub linear: Vec3,
    /// Radians per second about the world's axes.
    pub angular: Vec3,
}

/// Where a dynamic body started, and comes back to when it falls out of the room.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Home(pub Transform);
