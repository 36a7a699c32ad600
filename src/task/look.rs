//! How the lesson's things look: meshes and materials from the lesson's words.
//!
//! Primitive shapes get rounded edges and matt surfaces, so that light and shadow say what is near and solid.

use bevy::asset::RenderAssetUsages;
use bevy::ecs::system::SystemParam;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use crate::lesson::format::Shape;

/// Where meshes and materials live; absent where nothing is drawn.
#[derive(SystemParam)]
pub(super) struct Look<'w> {
    meshes: Option<ResMut<'w, Assets<Mesh>>>,
    materials: Option<ResMut<'w, Assets<StandardMaterial>>>,
}

impl Look<'_> {
    /// What makes an entity visible; `None`: nothing is drawn here.
    pub fn skin(
        &mut self,
        mesh: impl FnOnce() -> Mesh,
        material: StandardMaterial,
    ) -> Option<(Mesh3d, MeshMaterial3d<StandardMaterial>)> {
        let meshes = self.meshes.as_mut()?;
        let materials = self.materials.as_mut()?;
        Some((
            Mesh3d(meshes.add(mesh())),
            MeshMaterial3d(materials.add(material)),
        ))
    }
}

/// A lesson's colour (`#rrggbb`); what cannot be read is a neutral grey (the checker has said so before).
pub(super) fn color(text: &str) -> Color {
    Srgba::hex(text).map_or(Color::srgb(0.78, 0.80, 0.83), Color::from)
}

/// A matt, slightly soft surface: painted wood rather than plastic.
pub(super) fn matt(color: impl Into<Color>) -> StandardMaterial {
    StandardMaterial {
        base_color: color.into(),
        perceptual_roughness: 0.72,
        reflectance: 0.35,
        ..default()
    }
}

/// A surface that shines by itself, whatever light falls on it (`strength`: share of its colour, 0: none).
pub(super) fn glowing(color: Color, strength: f32) -> StandardMaterial {
    StandardMaterial {
        emissive: color.to_linear() * strength,
        ..matt(color)
    }
}

/// The mesh of a primitive shape; a glTF scene brings its own.
pub(super) fn mesh_of(shape: &Shape) -> Option<Mesh> {
    Some(match shape {
        Shape::Box(edges) => rounded_box(Vec3::from_array(*edges)),
        Shape::Sphere { radius } => Sphere::new(*radius).mesh().uv(48, 24),
        Shape::Cylinder { radius, height } => Cylinder::new(*radius, *height)
            .mesh()
            .resolution(48)
            .build(),
        Shape::Cone { radius, height } => Cone::new(*radius, *height).mesh().resolution(48).build(),
        Shape::Gltf { .. } => return None,
    })
}

/// Edges are rounded by this much, metres, or a tenth of the thinnest side.
const BEVEL: f32 = 0.006;
/// Steps from a face to the middle of an edge.
const BEVEL_STEPS: u8 = 3;

/// A box with rounded edges. `edges`: full lengths, metres.
///
/// Each face is a small grid. A grid point on the plain box is pulled to the rounded one: the nearest point of the
/// inner box (shrunk by the radius) plus the radius in the direction of the grid point.
pub(super) fn rounded_box(edges: Vec3) -> Mesh {
    let half = (edges / 2.0).max(Vec3::splat(0.0005));
    let radius = BEVEL.min(half.min_element() * 0.2);
    let inner = half - Vec3::splat(radius);
    let steps = u32::from(BEVEL_STEPS);
    let side = 2 * steps + 2;
    let mut positions = Vec::new();
    let mut normals = Vec::new();
    let mut uvs = Vec::new();
    let mut indices = Vec::new();
    for (normal, right, up) in FACES {
        let first = u32::try_from(positions.len()).unwrap_or(0);
        let across = |axis: Vec3| grid(axis.abs().dot(half), radius);
        for y in across(up) {
            for x in across(right) {
                let on_box = normal * normal.abs().dot(half) + right * x + up * y;
                let anchor = on_box.clamp(-inner, inner);
                let outward = (on_box - anchor).normalize_or(normal);
                positions.push((anchor + outward * radius).to_array());
                normals.push(outward.to_array());
                uvs.push([x, y]);
            }
        }
        for row in 0..side - 1 {
            for column in 0..side - 1 {
                let at = first + row * side + column;
                indices.extend([at, at + 1, at + side, at + 1, at + side + 1, at + side]);
            }
        }
    }
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
    .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, uvs)
    .with_inserted_indices(Indices::U32(indices))
}

/// Normal, right and up of the six faces; right × up = normal, so that triangles wind outwards.
const FACES: [(Vec3, Vec3, Vec3); 6] = [
    (Vec3::X, Vec3::NEG_Z, Vec3::Y),
    (Vec3::NEG_X, Vec3::Z, Vec3::Y),
    (Vec3::Y, Vec3::X, Vec3::NEG_Z),
    (Vec3::NEG_Y, Vec3::X, Vec3::Z),
    (Vec3::Z, Vec3::X, Vec3::Y),
    (Vec3::NEG_Z, Vec3::NEG_X, Vec3::Y),
];

/// Grid lines across a face from -half to half: the two bevels in even angles, the flat part in one piece.
fn grid(half: f32, radius: f32) -> impl Iterator<Item = f32> {
    let bevel = move |step: u8| {
        let angle = f32::from(step) / f32::from(BEVEL_STEPS) * std::f32::consts::FRAC_PI_4;
        half - radius + radius * angle.tan()
    };
    let lower = (0..=BEVEL_STEPS).rev().map(move |step| -bevel(step));
    let upper = (0..=BEVEL_STEPS).map(bevel);
    lower.chain(upper)
}

/// A flat ring lying on its own ground: outer and inner radius and height in metres.
pub(super) fn ring(outer: f32, inner: f32, height: f32) -> Mesh {
    let ring = Extrusion::new(Annulus::new(inner, outer), height);
    ring.mesh()
        .build()
        .rotated_by(Quat::from_rotation_x(-std::f32::consts::FRAC_PI_2))
}

/// A floor of planks, colours slightly uneven, in the xz plane at y = 0. `half`: half extents, metres.
///
/// Geometry rather than a texture: sharp near the eyes, no shimmer far away, nothing to load.
pub(super) fn planks(half: Vec2) -> Mesh {
    const WIDTH: f32 = 0.16;
    const LENGTH: f32 = 1.4;
    const GAP: f32 = 0.0015;
    let mut positions = Vec::new();
    let mut colors = Vec::new();
    let mut indices = Vec::new();
    let mut row = 0_u32;
    let mut z = -half.y;
    while z < half.y {
        let far = (z + WIDTH).min(half.y);
        let mut x = -half.x - LENGTH * uneven(row, 0);
        let mut column = 1_u32;
        while x < half.x {
            let (left, right) = (x.max(-half.x), (x + LENGTH).min(half.x));
            if right - left > 4.0 * GAP && far - z > 4.0 * GAP {
                let shade = 0.90 + 0.10 * uneven(row, column);
                let warm = 0.97 + 0.03 * uneven(column, row + 7);
                let first = u32::try_from(positions.len()).unwrap_or(0);
                positions.extend([
                    [left + GAP, 0.0, z + GAP],
                    [left + GAP, 0.0, far - GAP],
                    [right - GAP, 0.0, far - GAP],
                    [right - GAP, 0.0, z + GAP],
                ]);
                colors.extend([[shade, shade * warm, shade * warm * warm, 1.0]; 4]);
                indices.extend([0, 1, 2, 0, 2, 3].map(|corner| first + corner));
            }
            x += LENGTH;
            column += 1;
        }
        z += WIDTH;
        row += 1;
    }
    let normals = vec![[0.0, 1.0, 0.0]; positions.len()];
    let uvs: Vec<[f32; 2]> = positions.iter().map(|p: &[f32; 3]| [p[0], p[2]]).collect();
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
    .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, uvs)
    .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colors)
    .with_inserted_indices(Indices::U32(indices))
}

/// A number in 0..1 that looks random and is the same every time (so that the room never changes).
fn uneven(a: u32, b: u32) -> f32 {
    let mut n = a.wrapping_mul(0x9E37_79B9) ^ b.wrapping_mul(0x85EB_CA6B);
    n = (n ^ (n >> 15)).wrapping_mul(0x2C1B_3C6D);
    n = (n ^ (n >> 12)).wrapping_mul(0x297A_2D39);
    #[allow(clippy::cast_precision_loss)] // 24 bits fit an f32 exactly.
    let fraction = (n >> 8) as f32 / 16_777_216.0;
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy::mesh::VertexAttributeValues;

    fn points(mesh: &Mesh, attribute: bevy::mesh::MeshVertexAttribute) -> Vec<Vec3> {
        let Some(VertexAttributeValues::Float32x3(values)) = mesh.attribute(attribute) else {
            return Vec::new();
        };
        values.iter().map(|p| Vec3::from_array(*p)).collect()
    }

    #[test]
    fn a_rounded_box_fills_its_box_and_no_more() {
        let edges = Vec3::new(0.1, 0.02, 0.3);
        let mesh = rounded_box(edges);
        let positions = points(&mesh, Mesh::ATTRIBUTE_POSITION);
        let furthest = positions
            .iter()
            .fold(Vec3::ZERO, |most, p| most.max(p.abs()));
        assert!(
            (furthest - edges / 2.0).abs().max_element() < 1e-5,
            "{furthest}"
        );
    }

    #[test]
    fn the_triangles_of_a_rounded_box_wind_outwards() {
        let mesh = rounded_box(Vec3::splat(0.1));
        let positions = points(&mesh, Mesh::ATTRIBUTE_POSITION);
        let normals = points(&mesh, Mesh::ATTRIBUTE_NORMAL);
        let indices: Vec<usize> = mesh
            .indices()
            .map(|i| i.iter().collect())
            .unwrap_or_default();
        assert!(!indices.is_empty());
        for triangle in indices.chunks_exact(3) {
            let [a, b, c] = [0, 1, 2].map(|corner| positions[triangle[corner]]);
            let area = (b - a).cross(c - a);
            assert!(area.dot(normals[triangle[0]]) >= -1e-9, "{a} {b} {c}");
        }
    }

    #[test]
    fn planks_lie_inside_the_room_and_look_up() {
        let half = Vec2::new(2.0, 3.1);
        let positions = points(&planks(half), Mesh::ATTRIBUTE_POSITION);
        assert!(
            positions
                .iter()
                .all(|p| p.x.abs() <= half.x && p.z.abs() <= half.y)
        );
        let up = (positions[1] - positions[0]).cross(positions[2] - positions[0]);
        assert!(up.y > 0.0);
    }

    #[test]
    fn a_colour_that_cannot_be_read_is_grey() {
        assert_eq!(color("#ff0000"), Color::srgb(1.0, 0.0, 0.0));
        assert_eq!(color("red?"), Color::srgb(0.78, 0.80, 0.83));
    }
}
