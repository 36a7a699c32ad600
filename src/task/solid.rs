//! What a lesson's shapes are to hands and gravity.

use bevy::prelude::*;

use crate::interaction::things::{Form, Solid, Weight};
use crate::lesson::format::Shape;

/// A box that nothing moves; full edge lengths in metres.
pub(super) fn fixed_box(edges: Vec3) -> Solid {
    Solid {
        form: Form::Box(edges),
        weight: Weight::Fixed,
    }
}

/// The body of a lesson's shape.
pub(super) fn body(shape: &Shape, weight: Weight) -> Solid {
    Solid {
        form: form(shape),
        weight,
    }
}

fn form(shape: &Shape) -> Form {
    match *shape {
        Shape::Box(edges) | Shape::Gltf { bounds: edges, .. } => Form::Box(Vec3::from_array(edges)),
        Shape::Sphere { radius } => Form::Ball { radius },
        Shape::Cylinder { radius, height } => Form::Cylinder { radius, height },
        Shape::Cone { radius, height } => Form::Cone { radius, height },
    }
}
