//! A session's birth and end: what it consists of, and how both worlds come to it and let go of it.
//!
//! Whatever ends or replaces a session happens in the extract step, when the render thread is idle and both
//! worlds are in our hands.

use std::time::Duration;

use bevy::prelude::*;
use bevy::render::MainWorld;
use bevy::render::render_resource::{PollType, TextureFormat};
use bevy::render::renderer::RenderDevice;
use bevy::render::texture::ManualTextureViews;
use bevy_mod_openxr::resources::{
    OxrCurrentSessionConfig, OxrFrameState, OxrFrameStream, OxrFrameWaiter, OxrInstance,
    OxrSwapchain, OxrSwapchainImages, OxrSystemId, OxrViews,
};
use bevy_mod_openxr::session::{OxrSession, OxrSessionCreateNextChain};
use bevy_mod_openxr::types::{SwapchainCreateFlags, SwapchainCreateInfo, SwapchainUsageFlags};
use bevy_mod_xr::session::XrPreDestroySession;
use bevy_mod_xr::spaces::XrPrimaryReferenceSpace;
use openxr::{EnvironmentBlendMode, ViewConfigurationType};
use tracing::{error, info, warn};

use super::XrPhase;
use super::clock::FrameClock;
use super::comeback::Comeback;
use super::eyes::forget_texture_views;
use super::frame::{FrameDue, Waited};
use super::loader::explain;
use super::quads::Slots;
use super::session::{Fall, LastState, Link, RenderTrouble};
use super::start::Vulkan;

/// How long the GPU may take to finish with a lost session's images.
const GPU_PATIENCE: Duration = Duration::from_secs(2);

/// What the render world needs of a new session; moved there in the extract step.
#[derive(Resource)]
pub(super) struct Handover {
    session: OxrSession,
    stream: OxrFrameStream,
    swapchain: OxrSwapchain,
    blend: Blend,
}

/// How the eyes' pictures are laid over the world outside.
#[derive(Resource, Debug, Clone, Copy)]
pub(super) struct Blend(pub EnvironmentBlendMode);

/// A session with its images. What only the main world needs is put there at once.
pub(super) fn create(world: &mut World) -> Result<Handover, String> {
    let (Some(instance), Some(system), Some(vulkan), Some(device)) = (
        world.get_resource::<OxrInstance>().cloned(),
        world.get_resource::<OxrSystemId>().copied(),
        world.get_resource::<Vulkan>().copied(),
        world.get_resource::<RenderDevice>().cloned(),
    ) else {
        return Err("there is no renderer to show in the headset".to_owned());
    };
    let mut chain = OxrSessionCreateNextChain::default();
    // SAFETY: the Vulkan objects were created by `init_graphics` and live as long as the process.
    let (session, waiter, stream) =
        unsafe { instance.create_session(*system, vulkan.binding(), &mut chain) }
            .map_err(|error| format!("creating the session: {error}"))?;

    let stereo = ViewConfigurationType::PRIMARY_STEREO;
    let view = instance
        .enumerate_view_configuration_views(*system, stereo)
        .map_err(|code| format!("asking for the views: {}", explain(code)))?
        .first()
        .copied()
        .ok_or("the headset has no stereo view")?;
    let blend = instance
        .enumerate_environment_blend_modes(*system, stereo)
        .map_err(|code| format!("asking for the blend modes: {}", explain(code)))?;
    let blend = if blend.contains(&EnvironmentBlendMode::OPAQUE) {
        EnvironmentBlendMode::OPAQUE
    } else {
        *blend.first().ok_or("the headset has no blend mode")?
    };
    let offered = session
        .enumerate_swapchain_formats()
        .map_err(|error| format!("asking for the image formats: {error}"))?;
    let format = [TextureFormat::Rgba8UnormSrgb, TextureFormat::Bgra8UnormSrgb]
        .into_iter()
        .find(|format| offered.contains(format))
        .ok_or("the runtime offers no sRGB image format")?;

    let resolution = UVec2::new(
        view.recommended_image_rect_width,
        view.recommended_image_rect_height,
    );
    let swapchain = session
        .create_swapchain(SwapchainCreateInfo {
            create_flags: SwapchainCreateFlags::EMPTY,
            usage_flags: SwapchainUsageFlags::COLOR_ATTACHMENT | SwapchainUsageFlags::SAMPLED,
            format,
            sample_count: 1,
            width: resolution.x,
            height: resolution.y,
            face_count: 1,
            array_size: 2,
            mip_count: 1,
        })
        .map_err(|error| format!("creating the eyes' images: {error}"))?;
    let images = swapchain
        .enumerate_images(device.wgpu_device(), format, resolution)
        .map_err(|error| format!("taking the eyes' images: {error}"))?;
    info!(
        "session created, {} x {} per eye",
        resolution.x, resolution.y
    );

    world.insert_resource(session.clone());
    world.insert_resource(waiter);
    world.insert_resource(images);
    world.insert_resource(OxrCurrentSessionConfig { resolution, format });
    Ok(Handover {
        session,
        stream,
        swapchain,
        blend: Blend(blend),
    })
}

/// In the extract step no frame is in flight: sessions end, go and come here, and the frame that the main
/// world waited for is handed to the render world.
pub(super) fn settle(render: &mut World) {
    render.resource_scope(|render, mut main: Mut<MainWorld>| {
        let main: &mut World = &mut main;
        let trouble = render.resource_mut::<RenderTrouble>().0.take();
        let session = main.get_resource::<OxrSession>().cloned();
        let mut link = main.resource_mut::<Link>();
        if let Some((what, code)) = trouble {
            link.fall(what, code);
        }
        if let Link::Open { running, ending } = &mut *link
            && *ending
            && let Some(session) = &session
        {
            (*running, *ending) = (false, false);
            if let Err(code) = session.end() {
                link.fall("ending the session", code);
            }
        }
        drop(session);
        if let Link::Falling(fall) = &*link {
            let fall = fall.clone();
            give_up(render, main, fall);
        }
        if let Some(handover) = main.remove_resource::<Handover>() {
            render.insert_resource(handover.session);
            render.insert_resource(handover.stream);
            render.insert_resource(handover.swapchain);
            render.insert_resource(handover.blend);
        }
        let due = main.resource_mut::<Waited>().0.take();
        render.insert_resource(FrameDue(due.is_some()));
        if let Some(frame) = due {
            render.insert_resource(OxrFrameState(frame));
        }
    });
}

/// Lets go of everything that belongs to the session and the instance, children first.
fn give_up(render: &mut World, main: &mut World, fall: Fall) {
    if let Some(device) = render.get_resource::<RenderDevice>() {
        let wait = PollType::Wait {
            submission_index: None,
            timeout: Some(GPU_PATIENCE),
        };
        if let Err(error) = device.poll(wait) {
            warn!("the GPU did not finish with the lost session's images: {error}");
        }
    }
    if let Some(mut views) = render.get_resource_mut::<ManualTextureViews>() {
        forget_texture_views(&mut views);
    }
    if let Some(mut quads) = render.get_resource_mut::<Slots>() {
        quads.clear();
    }
    render.remove_resource::<OxrFrameStream>();
    render.remove_resource::<OxrSwapchain>();
    render.remove_resource::<OxrSwapchainImages>();
    if let Some(mut views) = render.get_resource_mut::<OxrViews>() {
        views.clear();
    }
    render.remove_resource::<XrPrimaryReferenceSpace>();
    render.remove_resource::<OxrSession>();

    main.run_schedule(XrPreDestroySession);
    main.remove_resource::<Handover>();
    main.remove_resource::<OxrSwapchainImages>();
    main.remove_resource::<OxrFrameWaiter>();
    main.remove_resource::<OxrSession>();
    main.remove_resource::<OxrInstance>();
    main.resource_mut::<OxrViews>().clear();
    main.resource_mut::<Waited>().0 = None;
    main.resource_mut::<FrameClock>().pause();
    main.insert_resource(LastState::default());
    match fall {
        Fall::Lost(why) => {
            error!("the headset is lost ({why}); looking for it");
            main.insert_resource(Link::Down(Comeback::new()));
            main.insert_resource(XrPhase::Lost);
        }
        Fall::Exit => {
            info!("closed from the headset");
            main.insert_resource(Link::Over);
            main.insert_resource(XrPhase::Absent);
            main.write_message(AppExit::Success);
        }
    }
}
