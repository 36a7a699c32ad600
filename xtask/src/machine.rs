//! What this machine has and lacks: system packages, installed where we may, else named with what to type.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::succeed;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only say what is missing.
    #[arg(long)]
    check: bool,
}

/// A file that shows that a package is there, and the package. The file is asked for because other systems and
/// hand-made installations have it too.
type Need = (&'static str, &'static str);

/// What a desktop window needs at run time (all opened by name, nothing is linked).
const WINDOW: &[Need] = &[
    ("libX11.so.6", "libx11-6"),
    ("libX11-xcb.so.1", "libx11-xcb1"),
    ("libXcursor.so.1", "libxcursor1"),
    ("libXi.so.6", "libxi6"),
    ("libXrandr.so.2", "libxrandr2"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ("libvulkan.so.1", "libvulkan1"),
    ("/usr/share/vulkan/icd.d", "mesa-vulkan-drivers"),
];

/// `cargo xtask setup`.
///
/// # Errors
/// Where something is missing and cannot be installed.
pub fn setup(args: &Args) -> Result<()> {
    let missing = missing(WINDOW);
    if missing.is_empty() {
        println!("nothing is missing for playing in a window or a headset");
    } else if args.check {
        bail!("missing: {}; type: {}", missing.join(" "), advice(&missing));
    } else {
        install(&missing)?;
    }
    Ok(())
}

/// Installs what a window needs; only warns where it cannot, since a headset or a simulation may do.
pub fn prepare_window() {
    let missing = missing(WINDOW);
    if !missing.is_empty()
        && let Err(error) = install(&missing)
    {
        eprintln!("warning: {error:#}");
    }
}

/// Packages whose files are not there.
pub fn missing(needs: &[Need]) -> Vec<&'static str> {
    needs
        .iter()
        .filter(|(file, _)| !is_there(file))
        .map(|(_, package)| *package)
        .collect()
}

/// Whether a path, program or shared library is on this machine.
pub fn is_there(file: &str) -> bool {
    if file.starts_with('/') {
        return Path::new(file).exists();
    }
    if file.contains(".so") {
        return [
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64",
            "/usr/lib",
            "/usr/local/lib",
        ]
        .iter()
        .any(|folder| Path::new(folder).join(file).exists());
    }
    program(file).is_some()
}

/// A program's path; `sbin` too, which an ordinary user's PATH leaves out.
pub fn program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The distribution, from `/etc/os-release`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    /// `debian`, `ubuntu`, …
    pub id: String,
    /// What it derives from.
    pub like: String,
    /// Major version; 0 where it has none (testing, rolling).
    pub version: u32,
}

impl Distribution {
    /// This machine's.
    pub fn here() -> Self {
        Self::parse(&std::fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .map(|value| value.trim_matches('"').to_owned())
                .unwrap_or_default()
        };
        Self {
            id: value("ID"),
            like: value("ID_LIKE"),
            version: value("VERSION_ID")
                .split('.')
                .next()
                .and_then(|major| major.parse().ok())
                .unwrap_or(0),
        }
    }

    /// Whether packages come by apt.
    pub fn has_apt(&self) -> bool {
        self.id == "debian" || self.like.split(' ').any(|like| like == "debian")
    }

    /// Whether it has packages of Monado 25 or newer.
    pub fn has_monado(&self) -> bool {
        // Debian testing has no version number.
        (self.id == "debian" && (self.version == 0 || self.version >= 13))
            || (self.id == "ubuntu" && self.version >= 25)
    }
}

/// Whether we are root.
pub fn is_root() -> bool {
    // SAFETY: geteuid only reads the process's own id and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Installs Debian packages, as root or by a sudo that asks nothing.
///
/// # Errors
/// Where that is not possible: with what to type.
pub fn install(packages: &[&str]) -> Result<()> {
    if !Distribution::here().has_apt() {
        bail!(
            "this is no Debian-like system; install by its own means what these Debian packages hold: {}",
            packages.join(" ")
        );
    }
    println!("installing {} …", packages.join(" "));
    apt(&["update"])
        .with_context(|| format!("packages are missing; type: {}", advice(packages)))?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments).with_context(|| format!("type it yourself to see why: {}", advice(packages)))
}

/// Renews apt's lists, as root or by a sudo that asks nothing.
///
/// # Errors
/// Where that is not possible: with what to type.
pub fn renew_lists() -> Result<()> {
    apt(&["update"]).context("apt's lists cannot be renewed; type: sudo apt-get update")
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut words = if is_root() {
        Vec::new()
    } else if sudo_asks_nothing() {
        vec!["sudo", "-n"]
    } else {
        bail!("this user is not root, and sudo is missing or asks for a password");
    };
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
    words.extend(arguments);
    succeed(
        Command::new(words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null()),
    )
}

fn sudo_asks_nothing() -> bool {
    program("sudo").is_some()
        && Command::new("sudo")
            .args(["-n", "true"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
}

/// What a person types to install packages.
pub fn advice(packages: &[&str]) -> String {
    format!(
        "sudo apt-get update && sudo apt-get install --no-install-recommends {}",
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_told_apart() {
        let bookworm = Distribution::parse("ID=debian\nVERSION_ID=\"12\"\n");
        assert!(bookworm.has_apt() && !bookworm.has_monado());
        let trixie = Distribution::parse("VERSION_ID=\"13\"\nID=debian\n");
        assert!(trixie.has_monado());
        let mint =
            Distribution::parse("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22.1\"");
        assert!(mint.has_apt() && !mint.has_monado());
        let arch = Distribution::parse("ID=arch\n");
        assert!(!arch.has_apt());
    }

    #[test]
    fn what_is_not_there_is_named_by_its_package() {
        let needs = [("/", "root"), ("libsurely-not-there.so.9", "libsurely")];
        assert_eq!(missing(&needs), ["libsurely"]);
    }
}
