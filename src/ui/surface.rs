//! What a panel's picture is shown with: its own colours, and a hole in the eyes' pictures where the runtime shows the
//! same picture as a layer (see `xr::QuadLayer`).

use bevy::asset::uuid_handle;
use bevy::prelude::*;
use bevy::render::render_resource::AsBindGroup;
use bevy::shader::{Shader, ShaderRef};

use crate::xr::QuadLayer;

const SHADER: Handle<Shader> = uuid_handle!("b6c1d0f4-93a7-4e35-8f0e-6a0c7be2c955");

/// A panel's surface.
#[derive(Asset, AsBindGroup, TypePath, Debug, Clone)]
pub(super) struct PanelSurface {
    /// x is 1 where a layer is to be seen through it, else 0.
    #[uniform(0)]
    layer: Vec4,
    #[texture(1)]
    #[sampler(2)]
    picture: Handle<Image>,
}

impl PanelSurface {
    /// Shows this picture.
    pub(super) fn new(picture: Handle<Image>) -> Self {
        Self {
            layer: Vec4::ZERO,
            picture,
        }
    }
}

impl Material for PanelSurface {
    fn fragment_shader() -> ShaderRef {
        SHADER.into()
    }

    fn alpha_mode(&self) -> AlphaMode {
        // Corners are cut out.
        AlphaMode::Mask(0.5)
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }
}

pub(super) struct SurfacePlugin;

impl Plugin for SurfacePlugin {
    fn build(&self, app: &mut App) {
        if let Some(mut shaders) = app.world_mut().get_resource_mut::<Assets<Shader>>() {
            let shader = Shader::from_wgsl(include_str!("panel.wgsl"), "ui/panel.wgsl");
            if let Err(error) = shaders.insert(&SHADER, shader) {
                error!("panels cannot be shown: {error}");
            }
        }
        app.add_plugins(MaterialPlugin::<PanelSurface>::default())
            .add_systems(PostUpdate, let_layers_through);
    }
}

/// Follows whether the runtime has the picture; an untouched material costs nothing.
fn let_layers_through(
    mut materials: ResMut<Assets<PanelSurface>>,
    panels: Query<(&QuadLayer, &MeshMaterial3d<PanelSurface>)>,
) {
    for (layer, material) in &panels {
        let wanted = Vec4::X * f32::from(u8::from(layer.is_shown()));
        let is_so = |it: &PanelSurface| it.layer == wanted;
        if materials.get(&material.0).is_none_or(is_so) {
            continue;
        }
        if let Some(mut material) = materials.get_mut(&material.0) {
            material.layer = wanted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_let_through_while_the_runtime_has_it_and_only_changes_touch_the_material() {
        #[derive(Resource, Default)]
        struct Touched(usize);
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default()))
            .init_asset::<PanelSurface>()
            .init_resource::<Touched>()
            .add_systems(PostUpdate, let_layers_through)
            .add_systems(
                Last,
                |mut events: MessageReader<AssetEvent<PanelSurface>>,
                 mut touched: ResMut<Touched>| {
                    let changed = |it: &&AssetEvent<_>| matches!(it, AssetEvent::Modified { .. });
                    touched.0 += events.read().filter(changed).count();
                },
            );
        let layer = QuadLayer::new(Handle::default(), Vec2::ONE);
        let mut materials = app.world_mut().resource_mut::<Assets<PanelSurface>>();
        let material = materials.add(PanelSurface::new(Handle::default()));
        app.world_mut()
            .spawn((layer.clone(), MeshMaterial3d(material.clone())));
        let mut see = |shown| {
            layer.pretend_shown(shown);
            app.update();
            app.update();
            let materials = app.world().resource::<Assets<PanelSurface>>();
            let through = materials.get(&material).unwrap().layer.x > 0.5;
            (through, app.world().resource::<Touched>().0)
        };
        assert_eq!(see(false), (false, 0));
        assert_eq!(see(true), (true, 1));
        assert_eq!(see(true), (true, 1));
        assert_eq!(see(false), (false, 2));
    }
}
