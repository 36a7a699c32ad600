//! From the order in [`Solid`] to a body of `physics`.

use bevy::prelude::*;

use super::things::{Form, Solid, Weight};
use crate::physics::{Body, Collider};

pub(super) fn build_bodies(
    mut commands: Commands,
    ordered: Query<(Entity, &Solid), Changed<Solid>>,
) {
    for (entity, solid) in &ordered {
        let body = match solid.weight {
            Weight::Fixed => Body::Fixed,
            Weight::Driven => Body::Kinematic,
            Weight::Kilograms(mass) => Body::Dynamic { mass },
        };
        let collider = match solid.form {
            Form::Box(edges) => Collider::Box(edges),
            Form::Ball { radius } => Collider::Sphere { radius },
            Form::Cylinder { radius, height } => Collider::Cylinder { radius, height },
            Form::Cone { radius, height } => Collider::Cone { radius, height },
        };
        commands.entity(entity).insert((body, collider));
    }
}
