//! A Monado of our own: its service with the remote driver, in a private folder, gone when dropped.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::packet::{Packet, SIZE};

/// How long the service may take to come up on a loaded machine.
const UP_WITHIN: Duration = Duration::from_secs(30);

/// How the compositor shows its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Not at all (20 Hz).
    Nothing,
    /// In a window on a virtual display, for pictures.
    Window,
}

/// A running service.
pub struct Monado {
    folder: tempfile::TempDir,
    show: Show,
    display: Option<Child>,
    service: Option<Child>,
}

/// Port of the remote driver.
const PORT: u16 = 4242;
/// Number of the virtual display.
const DISPLAY: &str = ":97";

impl Monado {
    /// Starts the service and waits until clients can connect.
    ///
    /// # Errors
    /// Where something is missing or it does not come up.
    pub fn start(show: Show) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("malloc-vr-")
            .tempdir()
            .context("no private folder for the runtime")?;
        // Monado 25.0 opens this port whatever its configuration says.
        drop(TcpListener::bind(("127.0.0.1", PORT)).with_context(|| {
            format!("port {PORT}, which Monado's remote driver needs, is taken; end the other simulated headset")
        })?);
        let mut monado = Self {
            folder,
            show,
            display: None,
            service: None,
        };
        let config = monado.folder.path().join("config/monado");
        std::fs::create_dir_all(&config)?;
        std::fs::write(
            config.join("config_v0.json"),
            format!(r#"{{"active":"remote","remote":{{"version":0,"port":{PORT}}}}}"#),
        )?;
        std::fs::create_dir_all(monado.run_dir())?;
        private(&monado.run_dir())?;
        if show == Show::Window {
            monado.start_display()?;
        }
        monado.start_service()?;
        Ok(monado)
    }

    /// Starts the service (again).
    ///
    /// # Errors
    /// Where it does not come up.
    pub fn start_service(&mut self) -> Result<()> {
        let program = find("monado-service")?;
        let log = std::fs::File::create(self.folder.path().join("monado.log"))?;
        let mut command = Command::new(program);
        self.dress(&mut command);
        command
            .env("XRT_NO_STDIN", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        match self.show {
            Show::Nothing => command.env("XRT_COMPOSITOR_NULL", "1"),
            Show::Window => command.env("XRT_COMPOSITOR_FORCE_XCB", "1"),
        };
        let socket = self.run_dir().join("monado_comp_ipc");
        let _ = std::fs::remove_file(&socket);
        let mut service = command.spawn().context("cannot start monado-service")?;
        let deadline = Instant::now() + UP_WITHIN;
        while !socket.exists() {
            let ended = service.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.path().join("monado.log"))
                    .unwrap_or_default();
                let _ = service.kill();
                let _ = service.wait();
                bail!("monado-service did not come up ({ended:?}); it said:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.service = Some(service);
        Ok(())
    }

    fn start_display(&mut self) -> Result<()> {
        let number = DISPLAY.trim_start_matches(':');
        let display = Command::new(find("Xvfb")?)
            .args([DISPLAY, "-screen", "0", "960x540x24", "-nolisten", "tcp"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start Xvfb")?;
        self.display = Some(display);
        let socket = PathBuf::from(format!("/tmp/.X11-unix/X{number}"));
        let deadline = Instant::now() + UP_WITHIN;
        while !socket.exists() {
            if Instant::now() > deadline {
                bail!("Xvfb did not come up on display {DISPLAY}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Kills the service as a crash would.
    pub fn kill_service(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }

    /// Sets what a client needs to find this service.
    pub fn dress(&self, command: &mut Command) {
        command
            .env("XDG_RUNTIME_DIR", self.run_dir())
            .env("XDG_CONFIG_HOME", self.folder.path().join("config"))
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DISPLAY");
        if self.show == Show::Window {
            command.env("DISPLAY", DISPLAY);
        }
        if std::env::var_os("XR_RUNTIME_JSON").is_none()
            && let Some(manifest) = manifest()
        {
            command.env("XR_RUNTIME_JSON", manifest);
        }
    }

    /// Connects to the remote driver; gives the connection and the state that the service begins with.
    ///
    /// # Errors
    /// Where nobody answers in time, or another version.
    pub fn remote(&self) -> Result<(TcpStream, Packet)> {
        let deadline = Instant::now() + UP_WITHIN;
        loop {
            match self.try_remote() {
                Ok(connected) => return Ok(connected),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn try_remote(&self) -> Result<(TcpStream, Packet)> {
        let mut stream = TcpStream::connect(("127.0.0.1", PORT))
            .with_context(|| format!("the remote driver does not answer on port {PORT}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        // The reset state, then the latest.
        let mut bytes = [0; SIZE];
        stream
            .read_exact(&mut bytes)
            .context("the remote driver sent no state")?;
        stream
            .read_exact(&mut bytes)
            .context("the remote driver sent only one state")?;
        Ok((stream, Packet::from_service(bytes)?))
    }

    /// Takes a picture of the compositor's window.
    ///
    /// # Errors
    /// Where there is no window, or no picture comes out.
    pub fn picture(&self, out: &Path) -> Result<()> {
        let status = Command::new(find("import")?)
            .args(["-display", DISPLAY, "-window", "root"])
            .arg(out)
            .status()
            .context("cannot start import")?;
        if !status.success() {
            bail!("import took no picture: {status}");
        }
        Ok(())
    }

    fn run_dir(&self) -> PathBuf {
        self.folder.path().join("run")
    }
}

impl Drop for Monado {
    fn drop(&mut self) {
        self.kill_service();
        if let Some(mut display) = self.display.take() {
            let _ = display.kill();
            let _ = display.wait();
        }
    }
}

/// The runtime directory must be the user's alone.
fn private(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    Ok(())
}

/// A program's path, or what to install.
fn find(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([
            "/usr/bin".into(),
            "/usr/sbin".into(),
            "/usr/local/bin".into(),
        ])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .with_context(|| {
            format!(
                "`{name}` is not on this machine; `cargo xtask xr` brings what the simulation needs"
            )
        })
}

/// Monado's manifest for the OpenXR loader.
fn manifest() -> Option<PathBuf> {
    [
        "/usr/share/openxr/1/openxr_monado.json",
        "/usr/local/share/openxr/1/openxr_monado.json",
    ]
    .map(PathBuf::from)
    .into_iter()
    .find(|file| file.exists())
}
