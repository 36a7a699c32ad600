//! On a desktop: what is said, and which keys do what, along the lower edge of the window.

use bevy::camera::{NormalizedRenderTarget, RenderTarget};
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::egui::{Align2, Area, Color32, CornerRadius, Frame, Id, Margin, RichText, vec2};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, PrimaryEguiContext};

use super::view::PanelView;

const GROUND: Color32 = Color32::from_rgba_premultiplied(20, 23, 28, 205);
const CAPTION: Color32 = Color32::from_rgb(246, 243, 236);
const KEYS: Color32 = Color32::from_rgb(186, 192, 200);
/// What the keys do, in the order in which a newcomer needs them.
const CONTROLS: &str =
    "right mouse: look   W A S D: walk   hold left mouse: grab   wheel: push, turn   Esc: menu";

/// Whether a line about frames is shown: period, CPU, GPU, misses, level and why.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShowFrames(pub bool);

pub(super) struct OverlayPlugin;

impl Plugin for OverlayPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Update, choose_camera.in_set(super::UiSystems))
            .add_systems(EguiPrimaryContextPass, show_captions_and_keys);
    }
}

/// The overlay is drawn by the camera that looks into the window. In a headset there is no window.
fn choose_camera(
    mut commands: Commands,
    window: Query<Entity, With<PrimaryWindow>>,
    chosen: Query<(), With<PrimaryEguiContext>>,
    cameras: Query<(Entity, &Camera, &RenderTarget), With<Camera3d>>,
) {
    let Ok(window) = window.single() else { return };
    if !chosen.is_empty() {
        return;
    }
    let into_window = |target: &RenderTarget| {
        matches!(
            target.normalize(Some(window)),
            Some(NormalizedRenderTarget::Window(into)) if into.entity() == window
        )
    };
    let last = cameras
        .iter()
        .filter(|(_, camera, target)| camera.is_active && into_window(target))
        .max_by_key(|(_, camera, _)| camera.order);
    if let Some((camera, ..)) = last {
        commands.entity(camera).insert(PrimaryEguiContext);
    }
}

fn show_captions_and_keys(mut contexts: EguiContexts, views: Query<&PanelView>) {
    let Ok(context) = contexts.ctx_mut() else {
        return;
    };
    let caption = views.iter().find_map(|view| view.caption.as_deref());
    Area::new(Id::new("captions and keys"))
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -16.0))
        .interactable(false)
        .show(context, |ui| {
            Frame::new()
                .fill(GROUND)
                .corner_radius(CornerRadius::same(12))
                .inner_margin(Margin::symmetric(18, 10))
                .show(ui, |ui| {
                    ui.vertical_centered(|ui| {
                        if let Some(caption) = caption {
                            ui.label(RichText::new(caption).size(20.0).color(CAPTION));
                        }
                        if let Some(frames) = views.iter().find_map(|view| view.frames.as_deref()) {
                            ui.label(RichText::new(frames).size(14.0).color(KEYS));
                        }
                        ui.label(RichText::new(CONTROLS).size(14.0).color(KEYS));
                    });
                });
        });
}
