//! OpenXR: instance, session lifecycle, frame wait, actions, tracked rig, hands, haptics.
//! In: the runtime. Out: [`rig`] components, [`XrPhase`], [`FrameStats`]. Never: what an interaction means.
//!
//! The graphics set-up and the handle types are `bevy_mod_openxr`'s; the instance, the session and the
//! frame loop are our own, because a headset may end a session at any moment and the application must not
//! end with it.

use bevy::app::PluginGroupBuilder;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy_mod_xr::camera::XrCameraPlugin;
use bevy_mod_xr::session::XrSessionPlugin;

pub use clock::{FrameClock, FrameStats, Phases};
pub use device::{DeviceHeat, DeviceOffer, DeviceWish, Power};
pub use eyes::dress_eye;
pub use loader::{ProbeError, RuntimeInfo, probe};
pub use mask::HiddenArea;
pub use metrics::{RuntimeCounter, RuntimeCounters};
pub use quads::QuadLayer;
pub use scale::{DrawnCorner, EyeScale};
pub use session::XrRestartAdvised;
pub use told::RecommendedScale;

mod actions;
mod bindings;
mod body;
mod clock;
mod comeback;
mod device;
mod eyes;
mod frame;
mod handover;
mod joints;
mod loader;
mod mask;
mod metrics;
mod phases;
pub mod pointer;
mod quads;
pub mod rig;
mod scale;
mod session;
mod space;
mod start;
mod told;

/// Where the OpenXR session stands. One enum, no booleans beside it.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum XrPhase {
    /// No runtime asked for or none answered; desktop or headless.
    #[default]
    Absent,
    /// The runtime is there, the headset not yet, or put down (IDLE, READY, SYNCHRONIZED, STOPPING).
    Waiting,
    /// Frames are shown, input belongs to somebody else (VISIBLE).
    Visible,
    /// Frames are shown and input is ours (FOCUSED).
    Focused,
    /// The session or the whole runtime is gone; it is being looked for.
    Lost,
}

/// Reading the tracked poses and inputs, in `PreUpdate`: whoever reads the rig in `PreUpdate` runs after it.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub struct XrSystems;

/// Adds OpenXR to Bevy's plugins: use it in place of the bare group where a headset is wanted.
/// Where no runtime answers, the renderer starts as it would without, and [`XrPhase`] stays `Absent`.
/// [`rig::RigPlugin`] comes apart from it, because the rig is there without a headset, too.
pub fn xr_plugins<G: PluginGroup>(plugins: G) -> PluginGroupBuilder {
    plugins
        .build()
        .disable::<RenderPlugin>()
        .add_before::<RenderPlugin>(XrSessionPlugin { auto_handle: false })
        .add_before::<RenderPlugin>(start::XrStartPlugin)
        .add(XrCameraPlugin)
        .add(XrPlugin)
}

/// Session, frame loop, views and input; waits idly where [`start::XrStartPlugin`] found no runtime.
struct XrPlugin;

impl Plugin for XrPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<XrPhase>();
        if !app.world().contains_resource::<session::Link>() {
            return;
        }
        app.add_plugins((
            (
                session::SessionPlugin,
                device::DevicePlugin,
                metrics::MetricsPlugin,
                mask::MaskPlugin,
            ),
            (
                frame::FramePlugin,
                told::ToldPlugin,
                phases::PhasesPlugin,
                scale::ScalePlugin,
                quads::QuadsPlugin,
            ),
            eyes::EyesPlugin,
            space::SpacePlugin,
            actions::ActionsPlugin,
            joints::JointsPlugin,
        ))
        .add_systems(
            PreUpdate,
            (
                space::move_stage,
                space::place_head,
                actions::name_hands,
                actions::read_hands,
                joints::read_joints,
            )
                .chain()
                .in_set(XrSystems),
        );
    }
}
