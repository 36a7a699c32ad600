//! Rays and fingertips on flat surfaces: written by `interaction`, read by `ui`.

use bevy::prelude::*;

/// A flat surface that rays and fingertips can point at: local xy plane, centre at the origin, facing +z.
#[derive(Component, Debug, Clone, Copy)]
#[require(Transform, Visibility)]
pub struct PointerSurface {
    /// Width and height, metres.
    pub size: Vec2,
}

/// Where somebody points on a surface in this frame. Nothing is written when nobody does.
#[derive(Message, Debug, Clone, Copy)]
pub struct PointerAt {
    /// Entity with the [`PointerSurface`].
    pub surface: Entity,
    /// 0..1 from the upper left corner.
    pub uv: Vec2,
    /// Trigger, pinch, mouse button or fingertip contact is down.
    pub pressed: bool,
}
