//! How much of the eyes' pictures is drawn: a corner of the same images, in the same field of view, so that it can change
//! with every frame. In: [`EyeScale`]. Out: both cameras' viewports, and the projection layer that shows just these.
//! The images stay as large as they were made; nothing is allocated.

use bevy::camera::{CameraUpdateSystems, Viewport};
use bevy::prelude::*;
use bevy::render::extract_resource::{ExtractResource, ExtractResourcePlugin};
use bevy_mod_openxr::layer_builder::{
    CompositionLayer, CompositionLayerProjection, CompositionLayerProjectionView, LayerProvider,
    SwapchainSubImage,
};
use bevy_mod_openxr::resources::{OxrCurrentSessionConfig, OxrSwapchain, OxrViews};
use bevy_mod_xr::camera::XrCamera;
use bevy_mod_xr::spaces::XrPrimaryReferenceSpace;
use openxr::{CompositionLayerFlags, Extent2Di, Offset2Di, Rect2Di};

/// Smallest part that can be asked for.
const SMALLEST: f64 = 0.25;

/// Part of the eyes' width and height that is drawn, 0.25..1; what lies outside counts as the nearer end, NaN as 1.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct EyeScale(pub f64);

impl Default for EyeScale {
    fn default() -> Self {
        Self(1.0)
    }
}

/// The corner of each eye's picture that this frame draws, pixels from the top left. Goes to the render world with the
/// frame, so that what is drawn and what is shown are the same.
#[derive(Resource, ExtractResource, Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawnCorner(pub UVec2);

/// The corner of pictures of this size. Even, so that one step of the scale is one of the picture; never empty, never
/// larger than the picture.
fn corner(full: UVec2, scale: f64) -> UVec2 {
    let scale = if scale.is_nan() { 1.0 } else { scale };
    let part = full.as_dvec2() * scale.clamp(SMALLEST, 1.0);
    let even = (part / 2.0).round().as_uvec2() * 2;
    even.max(UVec2::splat(2)).min(full)
}

pub(super) struct ScalePlugin;

impl Plugin for ScalePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<EyeScale>()
            .add_plugins(ExtractResourcePlugin::<DrawnCorner>::default())
            .add_systems(PostUpdate, draw_a_corner.before(CameraUpdateSystems));
    }
}

fn draw_a_corner(
    mut commands: Commands,
    scale: Res<EyeScale>,
    config: Option<Res<OxrCurrentSessionConfig>>,
    drawn: Option<Res<DrawnCorner>>,
    mut eyes: Query<&mut Camera, With<XrCamera>>,
) {
    let Some(config) = config else { return };
    let full = config.resolution;
    let size = corner(full, scale.0);
    if drawn.is_none_or(|drawn| drawn.0 != size) {
        commands.insert_resource(DrawnCorner(size));
    }
    for mut eye in &mut eyes {
        let now = eye.viewport.as_ref().map(|it| it.physical_size);
        let wanted = (size != full).then_some(size);
        if now != wanted {
            eye.viewport = wanted.map(|physical_size| Viewport {
                physical_size,
                ..default()
            });
        }
    }
}

/// Shows both eyes: what was drawn of each, over its whole field of view.
pub(super) struct EyesLayer;

impl LayerProvider for EyesLayer {
    fn get<'a>(&'a self, world: &'a World) -> Option<Box<dyn CompositionLayer<'a> + 'a>> {
        let space = world.get_resource::<XrPrimaryReferenceSpace>()?;
        let views = world.get_resource::<OxrViews>()?;
        let swapchain = world.get_resource::<OxrSwapchain>()?;
        let full = world.get_resource::<OxrCurrentSessionConfig>()?.resolution;
        let drawn = (world.get_resource::<DrawnCorner>()).map_or(full, |drawn| drawn.0.min(full));
        let [left, right] = views.0.as_slice() else {
            return None;
        };
        let eye = |index, view: &openxr::View| {
            CompositionLayerProjectionView::new()
                .pose(view.pose)
                .fov(view.fov)
                .sub_image(
                    SwapchainSubImage::new()
                        .swapchain(swapchain)
                        .image_array_index(index)
                        .image_rect(Rect2Di {
                            offset: Offset2Di { x: 0, y: 0 },
                            extent: Extent2Di {
                                width: i32::try_from(drawn.x).unwrap_or(i32::MAX),
                                height: i32::try_from(drawn.y).unwrap_or(i32::MAX),
                            },
                        }),
                )
        };
        Some(Box::new(
            CompositionLayerProjection::new()
                // What lets a layer through (see `quads`) has the layer's own colours, whose alpha is 0.
                .layer_flags(
                    CompositionLayerFlags::BLEND_TEXTURE_SOURCE_ALPHA
                        | CompositionLayerFlags::UNPREMULTIPLIED_ALPHA,
                )
                .space(space)
                .views(&[eye(0, left), eye(1, right)]),
        ))
    }
}

#[cfg(test)]
mod tests {
    use bevy::render::render_resource::TextureFormat;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn less_scale_draws_fewer_pixels_of_both_eyes_and_full_scale_all_of_them() {
        let full = UVec2::new(2064, 2208);
        let mut app = App::new();
        app.init_resource::<EyeScale>()
            .insert_resource(OxrCurrentSessionConfig {
                resolution: full,
                format: TextureFormat::Rgba8UnormSrgb,
            })
            .add_systems(PostUpdate, draw_a_corner);
        for eye in 0..2 {
            app.world_mut().spawn((Camera::default(), XrCamera(eye)));
        }
        let mut last = u64::MAX;
        for scale in [1.0, 0.9, 0.8, 0.6, 0.5] {
            app.insert_resource(EyeScale(scale));
            app.update();
            let drawn = app.world().resource::<DrawnCorner>().0;
            let mut eyes = app.world_mut().query::<&Camera>();
            let pixels: Vec<u64> = eyes
                .iter(app.world())
                .map(|eye| {
                    let size = eye.viewport.as_ref().map_or(full, |it| it.physical_size);
                    assert_eq!(size, drawn, "what is drawn is what is shown");
                    u64::from(size.x) * u64::from(size.y)
                })
                .collect();
            assert_eq!(pixels.len(), 2);
            assert_eq!(pixels[0], pixels[1]);
            assert!(pixels[0] < last, "{scale}: {pixels:?}");
            let share = pixels[0] as f64 / (2064.0 * 2208.0);
            assert!((share - scale * scale).abs() < 0.003, "{scale}: {share}");
            last = pixels[0];
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_the_corner_lies_in_the_picture(
            x in 1_u32..8192, y in 1_u32..8192, scale in prop::num::f64::ANY,
        ) {
            let drawn = corner(UVec2::new(x, y), scale);
            prop_assert!((1..=x).contains(&drawn.x) && (1..=y).contains(&drawn.y));
        }
    }
}
