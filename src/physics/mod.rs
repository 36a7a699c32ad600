//! rapier3d as a Bevy plugin: bodies, contacts, and queries that hands and rays ask.
//! In: [`body`] components and `Transform`s. Out: moved `Transform`s, [`Velocity`], [`Contact`], [`Fell`].
//! Never: what a contact means. Never waits, and never takes more than [`MAX_STEPS`] steps in a frame.
//!
//! Lengths are metres, the floor of the room is y = 0. A body's `Transform` is in world space: it has no parent, or
//! one that lies unmoved at the origin. rapier brings its own version of glam, so vectors cross this room's border
//! as plain arrays and no type of rapier leaves it.

use bevy::prelude::*;

pub mod body;
mod carry;
mod step;
mod sync;
mod world;

pub use body::{Body, Collider, Driven, Home, Sensor, Surface, Velocity};
pub use world::{Physics, PlacementError};

/// Length of a step, seconds. Short enough that a thrown ball is at most 8 cm further at 10 m/s.
pub const STEP: f32 = 1.0 / 120.0;

/// Steps in one frame. A frame longer than this (0.1 s) slows the simulation instead of the next frame.
pub const MAX_STEPS: u32 = 12;

/// Share of the steps that loose things get, 0.25..1: with less, each step is longer. While a hand or a place moves
/// something, all steps are taken: what is held is never slower.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct LoosePace(pub f32);

impl Default for LoosePace {
    fn default() -> Self {
        Self(1.0)
    }
}

impl LoosePace {
    /// Length of a step, seconds. Outside of the range the nearer end, NaN counts as 1.
    fn step(self) -> f32 {
        let share = if self.0.is_nan() { 1.0 } else { self.0 };
        STEP / share.clamp(0.25, 1.0)
    }
}

/// A body whose centre is below this height fell out of the room, metres.
pub const LOWEST: f32 = -1.0;

/// A body further than this from the origin left the room, metres.
pub const FURTHEST: f32 = 50.0;

/// Stepping and writing back, in `PostUpdate` before transforms are propagated: so that what hands did and what
/// was spawned in this frame's `Update` counts in this frame's picture.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhysicsSystems;

/// Two bodies came to touch each other.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// One.
    pub a: Entity,
    /// The other.
    pub b: Entity,
}

impl Contact {
    /// What touches `entity`, if it takes part.
    #[must_use]
    pub fn other(&self, entity: Entity) -> Option<Entity> {
        if self.a == entity {
            Some(self.b)
        } else if self.b == entity {
            Some(self.a)
        } else {
            None
        }
    }
}

/// A body left the room and lies where it started again.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fell(pub Entity);

/// Rigid bodies for the whole app.
pub struct PhysicsPlugin;

impl Plugin for PhysicsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Physics>()
            .init_resource::<LoosePace>()
            .add_message::<Contact>()
            .add_message::<Fell>()
            .add_systems(
                PostUpdate,
                (
                    sync::take_out_bodies,
                    sync::put_in_bodies,
                    sync::follow_drivers,
                    sync::follow_changes,
                    step::step_and_report,
                    sync::bring_back_fallen,
                    sync::show_bodies,
                )
                    .chain()
                    .in_set(PhysicsSystems)
                    .before(TransformSystems::Propagate),
            );
    }
}

#[cfg(test)]
mod tests;
