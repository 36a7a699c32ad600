//! The beginning: a runtime, its graphics device, and Bevy's renderer on that device.

use std::borrow::Cow;
use std::sync::Arc;

use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::renderer::{
    RenderAdapter, RenderAdapterInfo, RenderInstance, RenderQueue, WgpuWrapper,
};
use bevy::render::settings::RenderCreation;
use bevy_mod_openxr::graphics::{GraphicsBackend, GraphicsWrap};
use bevy_mod_openxr::resources::{OxrInstance, OxrSystemId, SessionGraphicsCreateInfo};
use bevy_mod_openxr::types::{AppInfo, Version, WgpuGraphics};
use bevy_mod_xr::session::XrState;
use tracing::{info, warn};

use super::XrPhase;
use super::clock::process_age;
use super::loader::{self, APP_NAME, explain};
use super::session::Link;

/// Extensions that are on in the running instance.
#[derive(Resource, Debug, Clone)]
pub(super) struct Enabled(pub openxr::ExtensionSet);

/// When the process began, as seen from now: for `start_to_focused`.
#[derive(Resource, Debug, Clone, Copy)]
pub(super) struct Started {
    pub at: std::time::Instant,
    /// Seconds that the process had lived at `at`.
    pub age: f64,
}

/// The Vulkan objects that Bevy draws with, as plain numbers: a later session on another instance takes
/// them up again. They live as long as the process.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vulkan {
    pub instance: usize,
    pub physical_device: usize,
    pub device: usize,
    pub queue_family_index: u32,
    pub queue_index: u32,
}

impl Vulkan {
    fn of(info: &openxr::vulkan::SessionCreateInfo) -> Self {
        Self {
            instance: info.instance as usize,
            physical_device: info.physical_device as usize,
            device: info.device as usize,
            queue_family_index: info.queue_family_index,
            queue_index: info.queue_index,
        }
    }

    /// What a session is created with.
    pub fn binding(self) -> SessionGraphicsCreateInfo {
        SessionGraphicsCreateInfo(GraphicsWrap::Vulkan(openxr::vulkan::SessionCreateInfo {
            instance: self.instance as _,
            physical_device: self.physical_device as _,
            device: self.device as _,
            queue_family_index: self.queue_family_index,
            queue_index: self.queue_index,
        }))
    }
}

/// Stands in `RenderPlugin`'s place: finds the runtime, and has Bevy draw on the device that it names.
pub(super) struct XrStartPlugin;

impl Plugin for XrStartPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<XrPhase>().insert_resource(Started {
            at: std::time::Instant::now(),
            age: process_age().unwrap_or(0.0),
        });
        match begin() {
            Ok(Beginning {
                instance,
                system,
                enabled,
                vulkan,
                renderer,
            }) => {
                app.add_plugins(renderer)
                    .insert_resource(Link::Connected)
                    .insert_resource(XrPhase::Waiting)
                    .insert_resource(XrState::Available)
                    .insert_resource(instance)
                    .insert_resource(OxrSystemId(system))
                    .insert_resource(Enabled(enabled))
                    .insert_resource(vulkan);
            }
            Err(why) => {
                warn!("no headset: {why}");
                app.add_plugins(RenderPlugin::default())
                    .insert_resource(XrState::Unavailable);
            }
        }
    }
}

struct Beginning {
    instance: OxrInstance,
    system: openxr::SystemId,
    enabled: openxr::ExtensionSet,
    vulkan: Vulkan,
    renderer: RenderPlugin,
}

fn begin() -> Result<Beginning, String> {
    let (instance, system, enabled) = loader::connect().map_err(|error| error.to_string())?;
    if let Ok(runtime) = instance.properties() {
        info!(
            "OpenXR runtime: {} {}",
            runtime.runtime_name, runtime.runtime_version
        );
    }
    if let Ok(headset) = instance.system_properties(system) {
        info!("headset: {}", headset.system_name);
    }
    let instance = wrap(instance);
    let (graphics, handles) = instance.init_graphics(system, None).map_err(|error| {
        format!("the runtime's Vulkan device cannot be used ({error}); update the graphics driver")
    })?;
    let GraphicsWrap::Vulkan(handles) = handles.0;
    let WgpuGraphics(device, queue, adapter_info, adapter, wgpu) = graphics;
    Ok(Beginning {
        instance,
        system,
        enabled,
        vulkan: Vulkan::of(&handles),
        renderer: RenderPlugin {
            render_creation: RenderCreation::manual(
                device.into(),
                RenderQueue(Arc::new(WgpuWrapper::new(queue))),
                RenderAdapterInfo(WgpuWrapper::new(adapter_info)),
                RenderAdapter(Arc::new(WgpuWrapper::new(adapter))),
                RenderInstance(Arc::new(WgpuWrapper::new(wgpu))),
            ),
            ..default()
        },
    })
}

/// Dresses an instance for `bevy_mod_openxr`.
pub(super) fn wrap(instance: openxr::Instance) -> OxrInstance {
    let info = AppInfo {
        name: Cow::Borrowed(APP_NAME),
        version: Version(0, 1, 0),
    };
    // SAFETY: `loader::connect` creates instances with XR_KHR_vulkan_enable2 only.
    unsafe { OxrInstance::from_inner(instance, GraphicsBackend::Vulkan(()), info) }
}

/// Whether `instance` would have us draw on the device that we draw on already, so that a session on it can
/// take up our textures.
///
/// # Errors
/// With the reason where it would not.
pub(super) fn same_device(
    instance: &openxr::Instance,
    system: openxr::SystemId,
    vulkan: Vulkan,
) -> Result<(), String> {
    // The runtime refuses a session whose application did not ask both questions.
    instance
        .graphics_requirements::<openxr::Vulkan>(system)
        .map_err(explain)?;
    // SAFETY: the Vulkan instance was created through `init_graphics` and lives as long as the process.
    let device = unsafe { instance.vulkan_graphics_device(system, vulkan.instance as _) }
        .map_err(explain)?;
    if device as usize == vulkan.physical_device {
        Ok(())
    } else {
        Err("the runtime now wants another graphics device".to_owned())
    }
}
