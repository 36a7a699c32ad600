//! The frame: waited for in the main world, where it is measured; begun, drawn and ended in the render world.
//! Any error here gives the session up instead of the application.

use std::time::Instant;

use bevy::prelude::*;
use bevy::render::texture::ManualTextureViews;
use bevy::render::{Render, RenderApp};
use bevy_mod_openxr::error::OxrError;
use bevy_mod_openxr::layer_builder::CompositionLayer;
use bevy_mod_openxr::render::{add_texture_view, update_views_render_world};
use bevy_mod_openxr::resources::{
    OxrCurrentSessionConfig, OxrFrameState, OxrFrameStream, OxrFrameWaiter, OxrRenderLayers,
    OxrSwapchain, OxrSwapchainImages,
};
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{XrFirst, XrHandleEvents, XrRenderSystems};

use super::clock::{FrameClock, FrameStats};
use super::eyes::locate_eyes;
use super::handover::Blend;
use super::phases::{Lap, MainLap};
use super::quads;
use super::scale::EyesLayer;
use super::session::{Link, RenderTrouble};
use super::told::Told;

/// How long the compositor may keep an image from us before we call it dead, nanoseconds.
pub(super) const IMAGE_PATIENCE: i64 = 2_000_000_000;

/// The frame that the main world waited for and the render world has not been handed yet.
#[derive(Resource, Default)]
pub(super) struct Waited(pub Option<openxr::FrameState>);

/// The wait for the frame, in `XrFirst`.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FrameWait;

/// Render world: whether there is a frame to begin.
#[derive(Resource, Default)]
pub(super) struct FrameDue(pub bool);

/// Render world: how far the frame is.
#[derive(Resource, Default, PartialEq, Eq, Clone, Copy)]
enum Stage {
    #[default]
    None,
    Begun,
    /// With an image to draw on.
    Drawing,
}

pub(super) struct FramePlugin;

impl Plugin for FramePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Waited>().add_systems(
            XrFirst,
            wait_for_frame
                .in_set(FrameWait)
                .in_set(XrHandleEvents::FrameLoop),
        );
        let Some(render) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render
            .init_resource::<FrameDue>()
            .init_resource::<Stage>()
            .insert_resource(OxrRenderLayers(vec![Box::new(EyesLayer)]))
            .add_systems(
                Render,
                (
                    begin_frame.run_if(|due: Res<FrameDue>| due.0),
                    (take_image, locate_eyes, update_views_render_world)
                        .chain()
                        .run_if(|stage: Res<Stage>| *stage != Stage::None),
                )
                    .chain()
                    .in_set(XrRenderSystems::PreRender),
            )
            .add_systems(
                Render,
                (give_image_back, quads::bring_up_to_date, end_frame)
                    .chain()
                    .run_if(|stage: Res<Stage>| *stage != Stage::None)
                    .in_set(XrRenderSystems::PostRender),
            );
    }
}

fn wait_for_frame(
    mut commands: Commands,
    waiter: Option<ResMut<OxrFrameWaiter>>,
    mut link: ResMut<Link>,
    mut waited: ResMut<Waited>,
    mut clock: ResMut<FrameClock>,
    mut stats: ResMut<FrameStats>,
    mut lap: ResMut<MainLap>,
) {
    let (Some(mut waiter), true) = (waiter, link.runs()) else {
        return;
    };
    let done = Instant::now();
    clock.wait_begins(done, &mut stats);
    stats.phases = lap.take(done);
    match waiter.wait() {
        Ok(frame) => {
            let now = Instant::now();
            lap.begin(now);
            clock.wait_ended(
                now,
                frame.predicted_display_time.as_nanos(),
                frame.predicted_display_period.as_nanos(),
                &mut stats,
            );
            waited.0 = Some(frame);
            commands.insert_resource(OxrFrameState(frame));
        }
        Err(code) => link.fall("waiting for the frame", code),
    }
}

fn begin_frame(
    stream: Option<ResMut<OxrFrameStream>>,
    mut due: ResMut<FrameDue>,
    mut stage: ResMut<Stage>,
    mut lap: ResMut<Lap>,
    mut trouble: ResMut<RenderTrouble>,
) {
    due.0 = false;
    *stage = Stage::None;
    let Some(mut stream) = stream else { return };
    match lap.blocked(|| stream.begin()) {
        Ok(()) => *stage = Stage::Begun,
        Err(code) => trouble.0 = Some(("beginning the frame", code)),
    }
}

fn take_image(
    swapchain: Option<ResMut<OxrSwapchain>>,
    images: Option<Res<OxrSwapchainImages>>,
    config: Option<Res<OxrCurrentSessionConfig>>,
    frame: Res<OxrFrameState>,
    mut views: ResMut<ManualTextureViews>,
    mut stage: ResMut<Stage>,
    mut lap: ResMut<Lap>,
    mut trouble: ResMut<RenderTrouble>,
) {
    let (Some(mut swapchain), Some(images), Some(config)) = (swapchain, images, config) else {
        return;
    };
    if !frame.should_render {
        return;
    }
    let taken = lap.blocked(|| {
        swapchain.acquire_image().and_then(|index| {
            swapchain.wait_image(openxr::Duration::from_nanos(IMAGE_PATIENCE))?;
            Ok(index)
        })
    });
    match taken {
        Ok(index) => {
            let Some(image) = images.get(index as usize) else {
                return;
            };
            for eye in 0..2 {
                add_texture_view(&mut views, image, &config, eye);
            }
            *stage = Stage::Drawing;
        }
        Err(error) => trouble.0 = Some(("taking an image", code_of(&error))),
    }
}

fn give_image_back(
    swapchain: Option<ResMut<OxrSwapchain>>,
    stage: Res<Stage>,
    mut trouble: ResMut<RenderTrouble>,
) {
    let (Some(mut swapchain), Stage::Drawing) = (swapchain, *stage) else {
        return;
    };
    if let Err(error) = swapchain.release_image() {
        trouble.0 = Some(("giving the image back", code_of(&error)));
    }
}

pub(super) fn end_frame(world: &mut World) {
    let drawn = world.resource::<Stage>() == &Stage::Drawing;
    world.insert_resource(Stage::None);
    let Some(mut stream) = world.remove_resource::<OxrFrameStream>() else {
        return;
    };
    let (Some(frame), Some(blend)) = (
        world.get_resource::<OxrFrameState>(),
        world.get_resource::<Blend>(),
    ) else {
        return;
    };
    let ended = {
        let mut layers = Vec::new();
        let mut under = Vec::new();
        if drawn && let Some(providers) = world.get_resource::<OxrRenderLayers>() {
            under.extend(quads::layers(world));
            layers.extend(providers.iter().filter_map(|layer| layer.get(world)));
        }
        let under = under.iter().map(|quad| quad as &dyn CompositionLayer);
        let layers: Vec<_> = under.chain(layers.iter().map(Box::as_ref)).collect();
        let ended = stream.end(frame.predicted_display_time, blend.0, &layers);
        if drawn
            && ended.is_ok()
            && let (Some(told), Some(session)) = (
                world.get_resource::<Told>(),
                world.get_resource::<OxrSession>(),
            )
        {
            told.note(
                session,
                frame.predicted_display_time,
                layers.last().copied(),
            );
        }
        ended
    };
    world.insert_resource(stream);
    if let Err(error) = ended {
        world.resource_mut::<RenderTrouble>().0 = Some(("ending the frame", code_of(&error)));
    }
}

/// The runtime's code, if the error has one.
fn code_of(error: &OxrError) -> openxr::sys::Result {
    match error {
        OxrError::OpenXrError(code) => *code,
        _ => openxr::sys::Result::ERROR_RUNTIME_FAILURE,
    }
}
