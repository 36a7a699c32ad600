//! What is seen of moving: the arc of a teleport with the ring where it lands, and the vignette.

use std::f32::consts::TAU;

use bevy::light::NotShadowCaster;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use super::locomotion::{ARC_POINTS, Aiming, Vignette};
use crate::xr::rig::{Head, Rig};

/// The arc's dots and ring, and the vignette.
#[derive(Resource, Debug)]
pub(super) struct Signs {
    dots: Vec<Entity>,
    ring: Entity,
    vignette: Entity,
}

pub(super) fn make_signs(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let glow = materials.add(StandardMaterial {
        base_color: Color::srgb(0.45, 0.85, 0.8),
        unlit: true,
        ..default()
    });
    let dark = materials.add(StandardMaterial {
        base_color: Color::BLACK,
        unlit: true,
        cull_mode: None,
        ..default()
    });
    let sign = |mesh: Handle<Mesh>, material: &Handle<StandardMaterial>| {
        (
            Mesh3d(mesh),
            MeshMaterial3d(material.clone()),
            Visibility::Hidden,
            NotShadowCaster,
        )
    };
    let dot = meshes.add(
        Sphere::new(0.012)
            .mesh()
            .ico(1)
            .unwrap_or_else(|_| Sphere::new(0.012).into()),
    );
    let dots = (0..ARC_POINTS)
        .map(|_| commands.spawn(sign(dot.clone(), &glow)).id())
        .collect();
    let ring = commands
        .spawn(sign(meshes.add(Torus::new(0.22, 0.26)), &glow))
        .id();
    let vignette = commands
        .spawn(sign(meshes.add(ring_before_the_eyes()), &dark))
        .id();
    commands.insert_resource(Signs {
        dots,
        ring,
        vignette,
    });
}

/// A flat ring facing the eyes, from radius 1 outwards; scaled to narrow the view.
fn ring_before_the_eyes() -> Mesh {
    const CORNERS: u32 = 48;
    let mut positions = Vec::new();
    let mut indices = Vec::new();
    for corner in 0..CORNERS {
        let angle = TAU * corner as f32 / CORNERS as f32;
        let (y, x) = angle.sin_cos();
        positions.push([x, y, 0.0]);
        positions.push([x * 6.0, y * 6.0, 0.0]);
        let (a, b) = (corner * 2, (corner + 1) % CORNERS * 2);
        indices.extend([a, a + 1, b, b, a + 1, b + 1]);
    }
    let normals = vec![[0.0, 0.0, 1.0]; positions.len()];
    let uvs = vec![[0.0, 0.0]; positions.len()];
    Mesh::new(PrimitiveTopology::TriangleList, default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, uvs)
        .with_inserted_indices(Indices::U32(indices))
}

pub(super) fn show_arc(
    aiming: Option<Res<Aiming>>,
    signs: Option<Res<Signs>>,
    mut shown: Query<(&mut Transform, &mut Visibility)>,
) {
    let (Some(aiming), Some(signs)) = (aiming, signs) else {
        return;
    };
    for (index, dot) in signs.dots.iter().enumerate() {
        if let Ok((mut at, mut visibility)) = shown.get_mut(*dot) {
            match aiming.points.get(index) {
                Some(point) => {
                    at.translation = *point;
                    visibility.set_if_neq(Visibility::Visible);
                }
                None => {
                    visibility.set_if_neq(Visibility::Hidden);
                }
            }
        }
    }
    if let Ok((mut at, mut visibility)) = shown.get_mut(signs.ring) {
        match aiming.landing {
            Some(landing) => {
                at.translation = landing.at + Vec3::Y * 0.02;
                visibility.set_if_neq(Visibility::Visible);
            }
            None => {
                visibility.set_if_neq(Visibility::Hidden);
            }
        }
    }
}

/// Narrowest view while moving: a cone of 35 degrees to each side.
pub(super) fn show_vignette(
    vignette: Res<Vignette>,
    signs: Option<Res<Signs>>,
    person: Query<&Transform, (With<Head>, Without<Rig>)>,
    rig: Query<&Transform, (With<Rig>, Without<Head>)>,
    mut shown: Query<(&mut Transform, &mut Visibility), (Without<Head>, Without<Rig>)>,
) {
    const BEFORE: f32 = 0.3;
    let Some(signs) = signs else { return };
    let Ok((mut at, mut visibility)) = shown.get_mut(signs.vignette) else {
        return;
    };
    let (Some(head), Some(rig)) = (person.iter().next(), rig.iter().next()) else {
        return;
    };
    if vignette.0 <= 0.0 {
        visibility.set_if_neq(Visibility::Hidden);
        return;
    }
    let head = rig.mul_transform(*head);
    // From 80 degrees, which is outside of the view, to 35.
    let angle = 80.0_f32.lerp(35.0, vignette.0).to_radians();
    *at = Transform::from_translation(head.translation + head.forward() * BEFORE)
        .with_rotation(head.rotation)
        .with_scale(Vec3::splat(BEFORE * angle.tan()));
    visibility.set_if_neq(Visibility::Visible);
}
