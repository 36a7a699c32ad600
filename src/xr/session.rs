//! The session's life: created, begun, put down, taken up, lost, found again.
//!
//! One rule keeps the two worlds apart: whatever ends or replaces a session happens in the extract step,
//! when the render thread is idle and both worlds are in our hands.

use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::render::render_resource::{PollType, TextureFormat};
use bevy::render::renderer::RenderDevice;
use bevy::render::texture::ManualTextureViews;
use bevy::render::{ExtractSchedule, MainWorld, RenderApp};
use bevy_mod_openxr::resources::{
    OxrCurrentSessionConfig, OxrFrameState, OxrFrameStream, OxrFrameWaiter, OxrInstance,
    OxrSwapchain, OxrSwapchainImages, OxrSystemId, OxrViews,
};
use bevy_mod_openxr::session::{OxrSession, OxrSessionCreateNextChain};
use bevy_mod_openxr::types::{SwapchainCreateFlags, SwapchainCreateInfo, SwapchainUsageFlags};
use bevy_mod_xr::session::{
    XrFirst, XrHandleEvents, XrPreDestroySession, XrRequestExitMessage, XrSessionCreated, XrState,
};
use bevy_mod_xr::spaces::XrPrimaryReferenceSpace;
use openxr::{EnvironmentBlendMode, Event, SessionState, ViewConfigurationType};
use tracing::{debug, error, info, warn};

use super::XrPhase;
use super::clock::{FrameClock, FrameStats};
use super::comeback::{self, Comeback};
use super::eyes::forget_texture_views;
use super::frame::{FrameDue, Waited};
use super::loader::explain;
use super::start::{Enabled, Started, Vulkan};

/// How long the GPU may take to finish with a lost session's images.
const GPU_PATIENCE: Duration = Duration::from_secs(2);
/// Pace of the application while no runtime paces it, and none has told a period.
const IDLE_PERIOD: f64 = 1.0 / 72.0;

/// The connection to the runtime.
#[derive(Resource, Debug)]
pub(super) enum Link {
    /// There is an instance; a session will be created.
    Connected,
    /// There is a session.
    Open {
        /// Between begin and end: frames are due.
        running: bool,
        /// The runtime wants the session ended; done as soon as no frame is in flight.
        ending: bool,
    },
    /// Session and instance have to be given up when the render thread is idle.
    Falling(Fall),
    /// There is neither instance nor session; looking for a runtime.
    Down(Comeback),
    /// The learner closed the application through the runtime.
    Over,
}

/// Why a session is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fall {
    /// Something broke; come back.
    Lost(String),
    /// The runtime wants us gone.
    Exit,
}

impl Link {
    /// Gives the session up because of an error; the first reason is kept.
    pub fn fall(&mut self, what: &str, code: openxr::sys::Result) {
        if let Link::Connected | Link::Open { .. } = self {
            *self = Link::Falling(Fall::Lost(format!("{what}: {}", explain(code))));
        }
    }

    /// Whether frames are due.
    pub fn runs(&self) -> bool {
        matches!(
            self,
            Link::Open {
                running: true,
                ending: false
            }
        )
    }
}

/// The runtime came back, but this process cannot use it (another graphics device): `app` should start
/// the process anew in its place. Says why.
#[derive(Resource, Debug, Clone, PartialEq, Eq)]
pub struct XrRestartAdvised(pub String);

/// What the render world needs of a new session; moved there in the extract step.
#[derive(Resource)]
struct Handover {
    session: OxrSession,
    stream: OxrFrameStream,
    swapchain: OxrSwapchain,
    blend: Blend,
}

/// How the eyes' pictures are laid over the world outside.
#[derive(Resource, Debug, Clone, Copy)]
pub(super) struct Blend(pub EnvironmentBlendMode);

/// An error that the render world met.
#[derive(Resource, Debug, Default)]
pub(super) struct RenderTrouble(pub Option<(&'static str, openxr::sys::Result)>);

/// When the application was last let go while nothing else paced it.
#[derive(Resource, Debug)]
struct Pace(Instant);

pub(super) struct SessionPlugin;

impl Plugin for SessionPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<FrameStats>()
            .init_resource::<FrameClock>()
            .init_resource::<LastState>()
            .init_resource::<ProfileChanged>()
            .insert_resource(Pace(Instant::now()))
            .add_systems(
                XrFirst,
                (
                    poll_events.in_set(XrHandleEvents::Poll),
                    (ask_to_exit, look_for_runtime, open_session, show_phase)
                        .chain()
                        .in_set(XrHandleEvents::SessionStateUpdateEvents),
                    keep_pace.in_set(XrHandleEvents::FrameLoop),
                ),
            );
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render
                .init_resource::<RenderTrouble>()
                .add_systems(ExtractSchedule, settle);
        }
    }
}

fn poll_events(
    instance: Option<Res<OxrInstance>>,
    session: Option<Res<OxrSession>>,
    mut link: ResMut<Link>,
    mut clock: ResMut<FrameClock>,
    mut state: ResMut<LastState>,
    mut profile: ResMut<ProfileChanged>,
) {
    let Some(instance) = instance else { return };
    let mut buffer = openxr::EventDataBuffer::default();
    loop {
        match instance.poll_event(&mut buffer) {
            Ok(None) => break,
            Ok(Some(Event::SessionStateChanged(change))) => {
                state.0 = change.state();
                debug!("session: {:?}", state.0);
                follow(state.0, session.as_deref(), &mut link, &mut clock);
            }
            Ok(Some(Event::InstanceLossPending(_))) => {
                link.fall(
                    "the runtime is going away",
                    openxr::sys::Result::ERROR_INSTANCE_LOST,
                );
            }
            Ok(Some(Event::InteractionProfileChanged(_))) => profile.0 = true,
            Ok(Some(Event::EventsLost(lost))) => {
                warn!(
                    "{} events of the runtime were lost",
                    lost.lost_event_count()
                );
            }
            Ok(Some(_)) => {}
            Err(code) => {
                link.fall("asking for events", code);
                break;
            }
        }
    }
}

/// The state that the runtime told last.
#[derive(Resource, Debug, Clone, Copy)]
pub(super) struct LastState(pub SessionState);

impl Default for LastState {
    fn default() -> Self {
        Self(SessionState::UNKNOWN)
    }
}

/// Whether the runtime told that the hands hold something else now.
#[derive(Resource, Debug, Default)]
pub(super) struct ProfileChanged(pub bool);

fn follow(
    state: SessionState,
    session: Option<&OxrSession>,
    link: &mut Link,
    clock: &mut FrameClock,
) {
    let Link::Open { running, ending } = link else {
        return;
    };
    match state {
        SessionState::READY => {
            let Some(session) = session else { return };
            match session.begin(ViewConfigurationType::PRIMARY_STEREO) {
                Ok(_) => *running = true,
                Err(code) => link.fall("beginning the session", code),
            }
        }
        SessionState::STOPPING => {
            *ending = true;
            clock.pause();
        }
        SessionState::EXITING => *link = Link::Falling(Fall::Exit),
        SessionState::LOSS_PENDING => {
            link.fall("the session", openxr::sys::Result::ERROR_SESSION_LOST);
        }
        _ => {}
    }
}

fn ask_to_exit(
    mut asked: MessageReader<XrRequestExitMessage>,
    session: Option<Res<OxrSession>>,
    link: Res<Link>,
) {
    if asked.read().count() == 0 || !link.runs() {
        return;
    }
    if let Some(session) = session
        && let Err(code) = session.request_exit()
    {
        debug!("asking the runtime for the exit: {}", explain(code));
    }
}

fn look_for_runtime(mut commands: Commands, mut link: ResMut<Link>, vulkan: Res<Vulkan>) {
    let Link::Down(comeback) = &mut *link else {
        return;
    };
    match comeback.look(*vulkan) {
        comeback::Look::Nothing => {}
        comeback::Look::Found {
            instance,
            system,
            enabled,
        } => {
            info!("an OpenXR runtime answers again");
            commands.insert_resource(super::start::wrap(instance));
            commands.insert_resource(OxrSystemId(system));
            commands.insert_resource(Enabled(enabled));
            commands.remove_resource::<XrRestartAdvised>();
            *link = Link::Connected;
        }
        comeback::Look::Unusable(why) => {
            commands.insert_resource(XrRestartAdvised(why));
        }
    }
}

/// Creates the session as soon as there is an instance without one.
fn open_session(world: &mut World) {
    if !matches!(world.resource::<Link>(), Link::Connected) {
        return;
    }
    match create(world) {
        Ok(handover) => {
            world.insert_resource(handover);
            world.insert_resource(Link::Open {
                running: false,
                ending: false,
            });
            world.insert_resource(XrState::Idle);
            world.run_schedule(XrSessionCreated);
        }
        Err(why) => world.insert_resource(Link::Falling(Fall::Lost(why))),
    }
}

fn create(world: &mut World) -> Result<Handover, String> {
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

/// [`XrPhase`] follows the link and the runtime's last word.
fn show_phase(
    link: Res<Link>,
    last: Res<LastState>,
    started: Res<Started>,
    mut stats: ResMut<FrameStats>,
    mut phase: ResMut<XrPhase>,
    mut state: ResMut<XrState>,
) {
    let (now, xr_state) = match &*link {
        Link::Connected => (XrPhase::Waiting, XrState::Available),
        Link::Open { running: true, .. } => (
            match last.0 {
                SessionState::FOCUSED => XrPhase::Focused,
                SessionState::VISIBLE => XrPhase::Visible,
                _ => XrPhase::Waiting,
            },
            XrState::Running,
        ),
        Link::Open { running: false, .. } => (XrPhase::Waiting, XrState::Idle),
        Link::Falling(_) | Link::Down(_) => (XrPhase::Lost, XrState::Available),
        Link::Over => (XrPhase::Absent, XrState::Available),
    };
    if phase.set_if_neq(now) {
        info!("headset: {now:?}");
    }
    state.set_if_neq(xr_state);
    if now == XrPhase::Focused && stats.start_to_focused.is_none() {
        stats.start_to_focused = Some(started.age + started.at.elapsed().as_secs_f64());
    }
}

/// While the runtime doesn't pace the frames, we do: the application goes on at the headset's rate.
fn keep_pace(link: Res<Link>, stats: Res<FrameStats>, mut pace: ResMut<Pace>) {
    if !link.runs() {
        let period = if stats.period > 0.0 {
            stats.period
        } else {
            IDLE_PERIOD
        };
        let due = pace.0 + Duration::from_secs_f64(period.min(0.1));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    pace.0 = Instant::now();
}

/// In the extract step no frame is in flight: sessions end, go and come here, and the frame that the main
/// world waited for is handed to the render world.
fn settle(render: &mut World) {
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
    render.remove_resource::<OxrFrameStream>();
    render.remove_resource::<OxrSwapchain>();
    render.remove_resource::<OxrSwapchainImages>();
    render.remove_resource::<OxrViews>();
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
