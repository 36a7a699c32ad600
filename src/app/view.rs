//! What a learner could look through on this machine: headset, window, nothing. Asked before the engine starts,
//! because the engine would panic where we want to explain.

use std::fmt;

/// What this machine can show a lesson with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// An OpenXR runtime.
    Headset,
    /// A window on a desktop.
    Desktop,
    /// Nothing is drawn.
    Headless,
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Headset => "headset",
            Self::Desktop => "desktop window",
            Self::Headless => "headless",
        })
    }
}

/// Why no window can be opened.
#[derive(Debug, thiserror::Error)]
pub enum DisplayError {
    /// No X server is named.
    #[error(
        "no display: DISPLAY is not set (log in to a desktop, or use `cargo xtask run --sim` for a simulated headset)"
    )]
    NoDisplay,
    /// The X server named does not answer.
    #[error(
        "no display: nothing answers at DISPLAY={display} ({socket}); is the desktop still running?"
    )]
    NoAnswer {
        /// Value of `DISPLAY`.
        display: String,
        /// Where its socket should be.
        socket: String,
    },
}

/// Why nothing can be drawn.
#[derive(Debug, thiserror::Error)]
#[error(
    "no graphics adapter: no Vulkan driver answered (on Debian: `apt-get install libvulkan1 mesa-vulkan-drivers`; \
     without a graphics card that gives a software one)"
)]
pub struct NoAdapter;

/// Whether a window could be opened.
///
/// # Errors
/// [`DisplayError`] with what is missing.
pub fn display() -> Result<(), DisplayError> {
    let display = std::env::var("DISPLAY")
        .ok()
        .filter(|display| !display.is_empty())
        .ok_or(DisplayError::NoDisplay)?;
    #[cfg(unix)]
    if let Some(socket) = local_x_socket(&display)
        && std::os::unix::net::UnixStream::connect(&socket).is_err()
        && !abstract_x_socket_answers(&socket)
    {
        return Err(DisplayError::NoAnswer { display, socket });
    }
    Ok(())
}

/// Path of the socket behind a local display such as `:9.0`; `None` for a display on another host.
#[cfg(unix)]
fn local_x_socket(display: &str) -> Option<String> {
    let (host, number) = display.rsplit_once(':')?;
    let number = number.split('.').next()?;
    (host.is_empty() || host == "unix").then(|| format!("/tmp/.X11-unix/X{number}"))
}

/// X servers on Linux also listen on a socket of the same name without a file.
#[cfg(target_os = "linux")]
fn abstract_x_socket_answers(path: &str) -> bool {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixStream};
    SocketAddr::from_abstract_name(path)
        .and_then(|address| UnixStream::connect_addr(&address))
        .is_ok()
}

#[cfg(all(unix, not(target_os = "linux")))]
fn abstract_x_socket_answers(_path: &str) -> bool {
    false
}

/// The graphics adapters, best first, in words.
///
/// # Errors
/// [`NoAdapter`] where there is none.
pub fn adapters() -> Result<Vec<String>, NoAdapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let found: Vec<String> =
        bevy::tasks::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN))
            .iter()
            .map(|adapter| {
                let info = adapter.get_info();
                format!(
                    "{} ({:?}, {})",
                    info.name, info.device_type, info.driver_info
                )
            })
            .collect();
    if found.is_empty() {
        Err(NoAdapter)
    } else {
        Ok(found)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_local_display_has_a_socket_and_a_remote_one_has_none() {
        assert_eq!(local_x_socket(":9.0").as_deref(), Some("/tmp/.X11-unix/X9"));
        assert_eq!(
            local_x_socket("unix:1").as_deref(),
            Some("/tmp/.X11-unix/X1")
        );
        assert_eq!(local_x_socket("otherhost:0"), None);
        assert_eq!(local_x_socket("nonsense"), None);
    }
}
