//! The way to a runtime: the OpenXR loader, what we ask for, and a look at what answers.

use std::fmt;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use openxr::sys::Result as Code;

/// Names under which the loader may lie. Debian's `libopenxr-loader1` has only the versioned one.
#[cfg(target_os = "macos")]
const LOADER_NAMES: &[&str] = &["libopenxr_loader.dylib", "libopenxr_loader.1.dylib"];
#[cfg(not(any(windows, target_os = "macos")))]
const LOADER_NAMES: &[&str] = &["libopenxr_loader.so", "libopenxr_loader.so.1"];

/// What the application calls itself towards the runtime.
pub(super) const APP_NAME: &str = "Malloc VR";

/// How long a runtime may think about the probe's questions.
const PROBE_PATIENCE: Duration = Duration::from_secs(10);

/// What this machine's OpenXR runtime is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// The runtime's name for itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The headset's name for itself; may be empty.
    pub system: String,
    /// Extensions it offers, sorted.
    pub extensions: Vec<String>,
}

impl fmt::Display for RuntimeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = if self.system.is_empty() {
            "a headset without a name"
        } else {
            &self.system
        };
        write!(f, "{} {}, {system}", self.name, self.version)
    }
}

/// Why no headset can be used. Every variant names the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The loader library is not installed.
    #[error(
        "the OpenXR loader is not installed ({why}); install it (Debian, Ubuntu: apt install libopenxr-loader1; Fedora: dnf install openxr)"
    )]
    LoaderMissing {
        /// What the system said.
        why: String,
    },
    /// The loader found no runtime, or its runtime does not answer.
    #[error(
        "no OpenXR runtime answers ({why}); start SteamVR, Monado (monado-service) or your headset's runtime, and set it as the active one (XR_RUNTIME_JSON or ~/.config/openxr/1/active_runtime.json)"
    )]
    NoRuntime {
        /// What the loader said.
        why: String,
    },
    /// The runtime cannot work with Vulkan.
    #[error(
        "the OpenXR runtime does not offer XR_KHR_vulkan_enable2, which drawing needs; update the runtime or choose another one (XR_RUNTIME_JSON)"
    )]
    NoVulkan,
    /// A runtime, but no headset at it.
    #[error(
        "the OpenXR runtime {runtime} has no headset ({why}); connect it and switch it on, then try again"
    )]
    NoHeadset {
        /// The runtime's name.
        runtime: String,
        /// What it said.
        why: String,
    },
    /// The runtime did not answer in time.
    #[error("the OpenXR runtime did not answer within {0:?}; restart it")]
    Silent(Duration),
}

/// Loads the OpenXR loader under whichever name it has here.
pub(super) fn load() -> Result<openxr::Entry, ProbeError> {
    #[cfg(windows)]
    let entry = openxr::Entry::linked();
    #[cfg(not(windows))]
    let entry = {
        let mut why = String::new();
        let mut found = None;
        for name in LOADER_NAMES {
            // SAFETY: a library of this name is an OpenXR loader by the specification's loader document.
            match unsafe { openxr::Entry::load_from(Path::new(name)) } {
                Ok(entry) => {
                    found = Some(entry);
                    break;
                }
                Err(error) => why = error.to_string(),
            }
        }
        found.ok_or(ProbeError::LoaderMissing { why })?
    };
    #[cfg(target_os = "android")]
    entry.initialize_android_loader().map_err(no_runtime)?;
    Ok(entry)
}

/// The extensions of `available` that we use. Vulkan is the only one that must be there.
pub(super) fn wanted(available: &openxr::ExtensionSet) -> Result<openxr::ExtensionSet, ProbeError> {
    if !available.khr_vulkan_enable2 {
        return Err(ProbeError::NoVulkan);
    }
    let mut wanted = openxr::ExtensionSet::default();
    wanted.khr_vulkan_enable2 = true;
    #[cfg(target_os = "android")]
    {
        wanted.khr_android_create_instance = true;
    }
    wanted.ext_hand_tracking = available.ext_hand_tracking;
    wanted.ext_hand_interaction = available.ext_hand_interaction;
    wanted.fb_display_refresh_rate = available.fb_display_refresh_rate;
    wanted.ext_performance_settings = available.ext_performance_settings;
    #[cfg(not(windows))]
    {
        wanted.khr_convert_timespec_time = available.khr_convert_timespec_time;
    }
    wanted.khr_visibility_mask = available.khr_visibility_mask;
    wanted.meta_performance_metrics = available.meta_performance_metrics;
    wanted.meta_recommended_layer_resolution = available.meta_recommended_layer_resolution;
    wanted.ext_local_floor = available.ext_local_floor;
    wanted.meta_touch_controller_plus = available.meta_touch_controller_plus;
    Ok(wanted)
}

/// An instance with the extensions we want, and its headset.
pub(super) fn connect()
-> Result<(openxr::Instance, openxr::SystemId, openxr::ExtensionSet), ProbeError> {
    let entry = load()?;
    let available = entry.enumerate_extensions().map_err(no_runtime)?;
    let extensions = wanted(&available)?;
    let instance = entry
        .create_instance(
            &openxr::ApplicationInfo {
                application_name: APP_NAME,
                application_version: 1,
                engine_name: APP_NAME,
                engine_version: 1,
                api_version: openxr::Version::new(1, 0, 34),
            },
            &extensions,
            &[],
        )
        .map_err(no_runtime)?;
    let system = instance
        .system(openxr::FormFactor::HEAD_MOUNTED_DISPLAY)
        .map_err(|code| ProbeError::NoHeadset {
            runtime: instance
                .properties()
                .map_or_else(|_| "(unnamed)".to_owned(), |it| it.runtime_name),
            why: explain(code),
        })?;
    Ok((instance, system, extensions))
}

/// Asks the runtime who it is, and leaves nothing behind. Call it while no session runs:
/// the loader allows a process one instance at a time. Takes at most 10 s.
///
/// # Errors
/// Says what is missing and how to mend it.
pub fn probe() -> Result<RuntimeInfo, ProbeError> {
    let (answer, answers) = mpsc::channel();
    std::thread::Builder::new()
        .name("openxr-probe".to_owned())
        .spawn(move || answer.send(ask()))
        .map_err(|error| ProbeError::NoRuntime {
            why: format!("no thread for the question: {error}"),
        })?;
    answers
        .recv_timeout(PROBE_PATIENCE)
        .unwrap_or(Err(ProbeError::Silent(PROBE_PATIENCE)))
}

fn ask() -> Result<RuntimeInfo, ProbeError> {
    let (instance, system, _) = connect()?;
    let runtime = instance.properties().map_err(no_runtime)?;
    let mut extensions: Vec<String> = instance
        .entry()
        .enumerate_extensions()
        .map_err(no_runtime)?
        .names()
        .iter()
        .map(|name| {
            String::from_utf8_lossy(name)
                .trim_end_matches('\0')
                .to_owned()
        })
        .collect();
    extensions.sort_unstable();
    let headset = instance
        .system_properties(system)
        .map_err(|code| ProbeError::NoHeadset {
            runtime: runtime.runtime_name.clone(),
            why: explain(code),
        })?;
    Ok(RuntimeInfo {
        name: runtime.runtime_name,
        version: runtime.runtime_version.to_string(),
        system: headset.system_name,
        extensions,
    })
}

fn no_runtime(code: Code) -> ProbeError {
    ProbeError::NoRuntime { why: explain(code) }
}

/// A result code in words, with its name for the search engine.
pub(super) fn explain(code: Code) -> String {
    format!("{code}; {code:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_runtime_offers_is_asked_for() {
        let mut available = openxr::ExtensionSet::default();
        available.khr_vulkan_enable2 = true;
        available.ext_hand_tracking = true;
        let wanted = wanted(&available).unwrap();
        assert!(wanted.ext_hand_tracking);
        assert!(!wanted.ext_hand_interaction);
    }

    #[test]
    fn a_runtime_without_vulkan_is_refused_with_a_cure() {
        let error = wanted(&openxr::ExtensionSet::default()).unwrap_err();
        assert_eq!(error, ProbeError::NoVulkan);
        assert!(error.to_string().contains("XR_RUNTIME_JSON"));
    }
}
