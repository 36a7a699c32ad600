//! The pictures on the panels: each panel has a texture and a camera of its own that draws only when the view changed.

use std::time::Duration;

use bevy::camera::visibility::RenderLayers;
use bevy::camera::{ClearColorConfig, RenderTarget};
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::light::NotShadowCaster;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat, TextureUsages};
use bevy_egui::egui::{CentralPanel, Frame, FullOutput, RawInput, Rect, pos2, vec2};
use bevy_egui::{EguiContext, EguiContextSettings, EguiFullOutput, EguiGlobalSettings, EguiPlugin};

use super::UiSystems;
use super::layout::PIXELS_PER_METRE;
use super::paint::paint;
use super::surface::PanelSurface;
use super::view::PanelView;
use crate::xr::QuadLayer;
use crate::xr::pointer::PointerSurface;

/// Least time between two drawings of a panel. What changes meanwhile is drawn when it is over; nothing is lost.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PanelPace(pub Duration);

impl PanelPace {
    /// Whether a panel that was drawn then may be drawn now.
    fn lets(self, now: Duration, drawn: Duration) -> bool {
        now.saturating_sub(drawn) >= self.0
    }
}

/// Draws [`PanelView`]s.
pub(super) struct ScreensPlugin;

impl Plugin for ScreensPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default());
        app.world_mut()
            .resource_mut::<EguiGlobalSettings>()
            .auto_create_primary_context = false;
        app.add_systems(
            Update,
            (hang_screens, redraw)
                .chain()
                .after(super::choose::choose)
                .in_set(UiSystems),
        );
    }
}

/// The camera that draws this panel's picture.
#[derive(Component)]
struct Screen {
    camera: Entity,
    /// Frames in which the camera still draws: letters reach the texture a frame or two after they are first used.
    drawing: u8,
    /// What changed and wasn't drawn yet, because the panel was drawn just before.
    due: bool,
    /// When it began to be drawn last.
    drawn: Duration,
}

/// How long a change is drawn: one frame to lay out, two for new letters to arrive.
const DRAW_FOR: u8 = 4;
/// Largest edge of a picture, pixels.
const LARGEST: f32 = 2048.0;

/// Gives each new panel its picture.
fn hang_screens(
    mut commands: Commands,
    panels: Query<(Entity, &PointerSurface), (With<PanelView>, Without<Screen>)>,
    mut images: ResMut<Assets<Image>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<PanelSurface>>,
) {
    for (panel, surface) in &panels {
        let pixels = pixels(surface);
        let mut image = Image::new_fill(
            Extent3d {
                width: pixels.x as u32,
                height: pixels.y as u32,
                depth_or_array_layers: 1,
            },
            TextureDimension::D2,
            &[0, 0, 0, 0],
            TextureFormat::Rgba8UnormSrgb,
            bevy::asset::RenderAssetUsages::RENDER_WORLD,
        );
        image.texture_descriptor.usage |=
            TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
        let image = images.add(image);
        let camera = commands
            .spawn((
                Camera3d::default(),
                Camera {
                    order: -10,
                    clear_color: ClearColorConfig::Custom(Color::NONE),
                    is_active: false,
                    ..default()
                },
                RenderTarget::Image(image.clone().into()),
                RenderLayers::none(),
                Msaa::Off,
                Tonemapping::None,
                EguiContext::default(),
                EguiContextSettings {
                    run_manually: true,
                    ..default()
                },
            ))
            .id();
        commands.entity(panel).insert((
            Screen {
                camera,
                drawing: 0,
                due: true,
                drawn: Duration::ZERO,
            },
            Mesh3d(meshes.add(Rectangle::from_size(surface.size))),
            MeshMaterial3d(materials.add(PanelSurface::new(image.clone()))),
            QuadLayer::new(image, surface.size),
            NotShadowCaster,
        ));
    }
}

fn pixels(surface: &PointerSurface) -> Vec2 {
    (surface.size * PIXELS_PER_METRE)
        .clamp(Vec2::splat(16.0), Vec2::splat(LARGEST))
        .round()
}

/// Draws the panels that changed, and lets the others be.
fn redraw(
    time: Res<Time<Real>>,
    pace: Res<PanelPace>,
    mut panels: Query<(Ref<PanelView>, &PointerSurface, &mut Screen, &mut QuadLayer)>,
    mut cameras: Query<(&mut Camera, &mut EguiContext, &mut EguiFullOutput)>,
) {
    for (view, surface, mut screen, mut layer) in &mut panels {
        let added = screen.is_added();
        screen.due |= view.is_changed();
        if screen.due && (added || pace.lets(time.elapsed(), screen.drawn)) {
            (screen.due, screen.drawn) = (false, time.elapsed());
            screen.drawing = DRAW_FOR;
        }
        let Ok((mut camera, mut context, mut output)) = cameras.get_mut(screen.camera) else {
            continue;
        };
        if screen.drawing == 0 {
            // Its camera is off; bevy_egui wants an answer in each frame all the same.
            **output = Some(FullOutput::default());
            continue;
        }
        screen.drawing -= 1;
        let draws = screen.drawing > 0;
        if camera.is_active != draws {
            camera.is_active = draws;
        }
        if draws {
            layer.drawn = layer.drawn.wrapping_add(1).max(1);
        }
        let size = pixels(surface);
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(size.x, size.y))),
            ..RawInput::default()
        };
        **output = Some(context.get_mut().run_ui(input, |ui| {
            CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
                paint(ui.painter(), vec2(size.x, size.y), &view);
            });
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drawings of a panel whose view changes in each of 120 frames.
    fn drawings(pace: PanelPace) -> usize {
        let frame = Duration::from_secs(1) / 72;
        let mut drawn = Duration::ZERO;
        (1..=120)
            .filter(|number| {
                let now = frame * *number;
                let draws = pace.lets(now, drawn);
                if draws {
                    drawn = now;
                }
                draws
            })
            .count()
    }

    #[test]
    fn a_slower_pace_draws_a_panel_less_often() {
        let [fast, slow, slowest] =
            [0, 50, 150].map(|ms| drawings(PanelPace(Duration::from_millis(ms))));
        assert_eq!(fast, 120);
        assert!(
            slow < fast && slowest < slow && slowest > 0,
            "{slow} {slowest}"
        );
    }
}
