//! A scene with a dial: sheets of glass, of as many layers as the GPU needs to notice; things in the light of lamps and of a
//! sun that throws shadows; and work of the main thread that is slept through, because a software renderer is made of the
//! same cores. What stands there always is unlit: with nothing on the dial a frame is to be a small part of the period.

use std::time::Duration;

use bevy::asset::RenderAssetUsages;
use bevy::light::{CascadeShadowConfigBuilder, DirectionalLightShadowMap};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use malloc_vr::governor::acting::Scenery;
use malloc_vr::governor::plugin::CurrentQuality;

/// Sheets of glass that there are; each fills a part of both eyes.
pub(crate) const SHEETS: u32 = 160;
/// Shares of the main thread's time by kind of the CPU's work (physics, animation, telemetry, panels, detail); the rest is
/// fixed. They stand for work that the scene doesn't have, and shrink with what the governor leaves of each.
const SHARES: [f64; 5] = [0.2, 0.15, 0.2, 0.1, 0.05];

/// Things in the light of the sun and the lamps.
const LIT_THINGS: u16 = 12;
const LAMPS: u8 = 4;
/// Side of the sun's shadow maps, pixels, and how many there are.
const SHADOW_MAP: usize = 2048;
const CASCADES: usize = 1;

/// How hard it is. `layers`: panes in a sheet, one behind the other; `lit`: whether there is light, and what stands in it;
/// `cpu`: seconds of the main thread at full quality.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Dial {
    pub(crate) sheets: u32,
    pub(crate) layers: u32,
    pub(crate) lit: bool,
    pub(crate) cpu: f64,
}

/// What all sheets are made of.
#[derive(Resource)]
struct Pane {
    mesh: Handle<Mesh>,
    layers: u32,
}

#[derive(Component)]
struct Sheet(u32);

/// Parent of all that is in the light, and of the light.
#[derive(Component)]
struct Lit;

pub(crate) struct StressPlugin {
    /// Small things on the floor.
    pub(crate) things: u16,
}

impl Plugin for StressPlugin {
    fn build(&self, app: &mut App) {
        let things = self.things;
        app.init_resource::<Dial>()
            .insert_resource(DirectionalLightShadowMap { size: SHADOW_MAP })
            .add_systems(
                Startup,
                move |commands: Commands,
                      meshes: ResMut<Assets<Mesh>>,
                      materials: ResMut<Assets<StandardMaterial>>| {
                    furnish(things, commands, meshes, materials);
                },
            )
            .add_systems(
                Update,
                ((glaze, hang, light).run_if(resource_changed::<Dial>), work),
            );
    }
}

fn furnish(
    things: u16,
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let sheet = meshes.add(panes(1));
    commands.insert_resource(Pane {
        mesh: sheet.clone(),
        layers: 1,
    });
    let glass = materials.add(StandardMaterial {
        base_color: Color::srgba(0.4, 0.6, 0.9, 0.01),
        alpha_mode: AlphaMode::Blend,
        unlit: true,
        ..default()
    });
    for number in 0..SHEETS {
        commands.spawn((
            Sheet(number),
            Mesh3d(sheet.clone()),
            MeshMaterial3d(glass.clone()),
            Transform::from_xyz(0.0, 1.6, -1.5 - 0.01 * number as f32),
            Visibility::Hidden,
        ));
    }
    let thing = meshes.add(Cuboid::new(0.1, 0.3, 0.1));
    let wood = materials.add(StandardMaterial {
        base_color: Color::srgb(0.7, 0.5, 0.35),
        unlit: true,
        ..default()
    });
    for number in 0..things {
        let turned = f32::from(number) * 0.7;
        let away = 1.5 + 0.15 * f32::from(number);
        commands.spawn((
            Scenery,
            Mesh3d(thing.clone()),
            MeshMaterial3d(wood.clone()),
            Transform::from_xyz(away * turned.sin(), 0.15, -away * turned.cos().abs()),
        ));
    }
    let floor = meshes.add(Plane3d::new(Vec3::Y, Vec2::splat(6.0)));
    commands.spawn((Mesh3d(floor.clone()), MeshMaterial3d(wood)));
    let matt = materials.add(StandardMaterial {
        base_color: Color::srgb(0.7, 0.5, 0.35),
        perceptual_roughness: 0.8,
        ..default()
    });
    commands
        .spawn((Lit, Transform::default(), Visibility::Hidden))
        .with_children(|lit| {
            let on_the_floor = Transform::from_xyz(0.0, 0.005, -1.6).with_scale(Vec3::splat(0.15));
            lit.spawn((Mesh3d(floor), MeshMaterial3d(matt.clone()), on_the_floor));
            for number in 0..LIT_THINGS {
                let at = Vec3::new(0.12 * f32::from(number) - 0.7, 0.15, -1.6);
                lit.spawn((
                    Scenery,
                    Mesh3d(thing.clone()),
                    MeshMaterial3d(matt.clone()),
                    Transform::from_translation(at).with_scale(Vec3::splat(0.6)),
                ));
            }
            lit.spawn((
                DirectionalLight {
                    illuminance: 6_000.0,
                    shadow_maps_enabled: true,
                    ..default()
                },
                CascadeShadowConfigBuilder {
                    num_cascades: CASCADES,
                    maximum_distance: 8.0,
                    ..default()
                }
                .build(),
                Transform::from_xyz(2.0, 4.0, 1.0).looking_at(Vec3::ZERO, Vec3::Y),
            ));
            for number in 0..LAMPS {
                lit.spawn((
                    PointLight {
                        intensity: 20_000.0 + 5_000.0 * f32::from(number),
                        range: 6.0,
                        ..default()
                    },
                    Transform::from_xyz(f32::from(number) - 1.5, 2.0, -2.0),
                ));
            }
        });
}

/// So many squares behind each other, a tenth of a millimetre apart.
fn panes(layers: u32) -> Mesh {
    const CORNERS: [[f32; 2]; 4] = [[-0.75, -0.75], [0.75, -0.75], [0.75, 0.75], [-0.75, 0.75]];
    let corners = (0..layers).flat_map(|layer| {
        let back = -1e-4 * layer as f32;
        CORNERS.map(|[x, y]| [x, y, back])
    });
    let corners: Vec<[f32; 3]> = corners.collect();
    let indices = (0..layers).flat_map(|layer| [0, 1, 2, 0, 2, 3].map(|it| 4 * layer + it));
    let normals = vec![[0.0_f32, 0.0, 1.0]; corners.len()];
    let spots = vec![[0.0_f32; 2]; corners.len()];
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::RENDER_WORLD,
    )
    .with_inserted_indices(Indices::U32(indices.collect()))
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, corners)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
    .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, spots)
}

/// Panes of as many layers as the dial says.
fn glaze(dial: Res<Dial>, mut pane: ResMut<Pane>, mut meshes: ResMut<Assets<Mesh>>) {
    let layers = dial.layers.max(1);
    if pane.layers == layers {
        return;
    }
    pane.layers = layers;
    if let Err(error) = meshes.insert(pane.mesh.id(), panes(layers)) {
        error!(%error, "the glass cannot be made anew");
    }
}

fn hang(dial: Res<Dial>, mut sheets: Query<(&Sheet, &mut Visibility)>) {
    for (Sheet(number), mut seen) in &mut sheets {
        show(&mut seen, *number < dial.sheets);
    }
}

fn light(dial: Res<Dial>, mut lit: Query<&mut Visibility, With<Lit>>) {
    for mut seen in &mut lit {
        show(&mut seen, dial.lit);
    }
}

fn show(seen: &mut Mut<Visibility>, shown: bool) {
    seen.set_if_neq(if shown {
        Visibility::Inherited
    } else {
        Visibility::Hidden
    });
}

/// Keeps the main thread and no core.
fn work(dial: Res<Dial>, quality: Res<CurrentQuality>) {
    let saved: f64 = (SHARES.iter().zip(quality.0.cpu_work()))
        .map(|(share, left)| share * (1.0 - left))
        .sum();
    let time = Duration::try_from_secs_f64(dial.cpu * (1.0 - saved)).unwrap_or_default();
    std::thread::sleep(time);
}
