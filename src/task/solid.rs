//! What a lesson's shapes are to the hands and to gravity.

use bevy::prelude::*;

use crate::lesson::format::Shape;

pub(super) fn fixed_box(_edges: Vec3) -> impl Bundle {}
pub(super) fn fixed(_shape: &Shape) -> impl Bundle {}
pub(super) fn grabbable(_shape: &Shape, _mass: f32) -> impl Bundle {}
pub(super) fn button(_shape: &Shape) -> impl Bundle {}

/// Puts a thing somewhere, at rest.
pub(super) fn put(commands: &mut Commands, entity: Entity, at: Transform) {
    commands.entity(entity).insert(at);
}
