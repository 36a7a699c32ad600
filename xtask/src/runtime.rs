//! A real OpenXR runtime without a headset: Monado, its loader and a software Vulkan driver.
//!
//! Debian 13 and newer have the packages. Debian 12 has not, so they live in a folder with a Debian 13 of its own
//! (a chroot), made once and kept in the user's cache. What runs there runs in a mount and process namespace of its
//! own: when it ends, or xtask is killed, nothing stays mounted or running.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cargo::target_dir;
use crate::machine::{self, Distribution};
use crate::root;

/// Changes whenever what is installed in the folder changes, so that an old one is not taken for a new one.
const RECIPE: u32 = 1;

const PACKAGES: &[(&str, &str)] = &[
    ("monado-service", "monado-service"),
    ("libopenxr_monado.so", "libopenxr1-monado"),
    ("libopenxr_loader.so.1", "libopenxr-loader1"),
    (
        "/usr/share/openxr/1/api_layers/explicit.d/XrApiLayer_core_validation.json",
        "openxr-layer-corevalidation",
    ),
    ("hello_xr", "libopenxr-utils"),
    ("/usr/share/vulkan/icd.d", "mesa-vulkan-drivers"),
    ("libvulkan.so.1", "libvulkan1"),
    ("libX11.so.6", "libx11-6"),
    ("libX11-xcb.so.1", "libx11-xcb1"),
    ("libXcursor.so.1", "libxcursor1"),
    ("libXi.so.6", "libxi6"),
    ("libXrandr.so.2", "libxrandr2"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ("Xvfb", "xvfb"),
    ("import", "imagemagick"),
];

/// Where programs that need the runtime are started.
#[derive(Debug)]
pub enum Runtime {
    /// On this system.
    Here,
    /// In a folder with a Debian 13.
    Folder(PathBuf),
}

impl Runtime {
    /// Finds the runtime, or sets it up with progress shown.
    ///
    /// # Errors
    /// Where neither is possible: with what to type.
    pub fn ready() -> Result<Self> {
        let distribution = Distribution::here();
        let missing = missing_here();
        if missing.is_empty() {
            return Ok(Self::Here);
        }
        if distribution.has_monado() {
            machine::install(&missing)?;
            return Ok(Self::Here);
        }
        if !distribution.has_apt() {
            bail!(
                "the OpenXR tests need Monado 25 or newer with its loader, a Vulkan driver, the core validation layer, \
                 Xvfb and imagemagick; install them by your system's own means (missing as Debian names them: {}), or leave \
                 these tests out knowingly with --no-xr",
                missing.join(" ")
            );
        }
        let folder = cache_dir()?.join(format!("trixie-{RECIPE}"));
        if !folder.join("etc/malloc-vr-complete").exists() {
            make_folder(&folder)?;
        }
        if !machine::is_root() {
            bail!(
                "entering the folder with the OpenXR runtime ({}) needs root on Debian 12; type: sudo -E env \"PATH=$PATH\" cargo xtask …",
                folder.display()
            );
        }
        Ok(Self::Folder(folder))
    }

    /// A command that runs `program` where the runtime is. The workspace and the target folder have the same paths there.
    pub fn command(&self, program: &Path, args: &[impl AsRef<OsStr>]) -> Result<Command> {
        let mut command = match self {
            Self::Here => {
                let mut command = Command::new(program);
                command.args(args);
                command
            }
            Self::Folder(folder) => {
                let mut command = Command::new("unshare");
                command
                    .args(NAMESPACE)
                    .args(["--propagation", propagation()?])
                    .args(["sh", "-c", ENTER, "enter"])
                    .arg(folder)
                    .arg(root())
                    .arg(target_dir())
                    .arg(program)
                    .args(args);
                command
            }
        };
        // Whoever names a driver of this system means it: a graphics card's, say.
        let named = std::env::var("VK_DRIVER_FILES").ok();
        let named = named.filter(|_| matches!(self, Self::Here));
        command
            .env(
                "VK_DRIVER_FILES",
                named.unwrap_or_else(|| software_driver(self)),
            )
            .current_dir(root());
        // xtask may be killed; what it started must not outlive it.
        // SAFETY: prctl with these arguments only sets a flag of the new process; it is async-signal-safe.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
                Ok(())
            });
        }
        Ok(command)
    }

    /// In words, for progress.
    pub fn describe(&self) -> String {
        match self {
            Self::Here => "this system's Monado".to_owned(),
            Self::Folder(folder) => format!("Monado in {}", folder.display()),
        }
    }
}

/// A process namespace dies with its first process, and takes everything in it along.
const NAMESPACE: &[&str] = &["--mount", "--pid", "--fork", "--kill-child"];

/// How far mounts may spread. Nowhere, except where the root is no mount point (itself a chroot): there that cannot be
/// asked for, and they end with the namespace all the same.
fn propagation() -> Result<&'static str> {
    let mut said = String::new();
    for propagation in ["private", "unchanged"] {
        let output = Command::new("unshare")
            .args(NAMESPACE)
            .args(["--propagation", propagation, "true"])
            .stdin(Stdio::null())
            .output()
            .context("cannot start unshare (Debian package util-linux)")?;
        if output.status.success() {
            return Ok(propagation);
        }
        said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    }
    bail!(
        "a mount namespace for the OpenXR runtime cannot be made here ({said}); in a container, allow it \
         (docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined), or leave the OpenXR tests out knowingly with --no-xr"
    )
}

/// Mounts what programs need inside the folder ($1) and runs the rest there; `$2` and `$3` keep their paths.
const ENTER: &str = r#"
set -e
folder=$1; workspace=$2; target=$3; shift 3
mount --rbind /dev "$folder/dev"
mount --rbind /sys "$folder/sys"
mount -t proc proc "$folder/proc"
mount -t tmpfs tmpfs "$folder/tmp"
for place in "$workspace" "$target"; do
  mkdir -p "$folder$place"
  mount --bind "$place" "$folder$place"
done
here=$PWD
exec chroot "$folder" /bin/sh -c 'cd "$0"; exec "$@"' "$here" "$@"
"#;

fn missing_here() -> Vec<&'static str> {
    machine::missing(PACKAGES)
}

fn software_driver(runtime: &Runtime) -> String {
    let base = match runtime {
        Runtime::Here => Path::new("/"),
        Runtime::Folder(folder) => folder.as_path(),
    };
    // Debian 13 names it without, others with the processor's name.
    let folder = Path::new("usr/share/vulkan/icd.d");
    std::fs::read_dir(base.join(folder))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.starts_with("lvp_icd"))
        .map_or_else(String::new, |name| {
            format!("/{}", folder.join(name).display())
        })
}

pub fn cache_dir() -> Result<PathBuf> {
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .map(|cache| cache.join("malloc-vr"))
        .context("there is no home folder to keep the OpenXR runtime in; set XDG_CACHE_HOME")
}

fn make_folder(folder: &Path) -> Result<()> {
    if !machine::is_root() {
        bail!(
            "the OpenXR runtime for the tests is not set up, and on Debian 12 that needs root; type: \
             sudo -E env \"PATH=$PATH\" cargo xtask test   (or leave these tests out knowingly with --no-xr)"
        );
    }
    if machine::program("debootstrap").is_none() {
        machine::install(&["debootstrap"])?;
    }
    // Made under another name and renamed when complete: what was interrupted is never taken for good.
    let part = folder.with_extension("part");
    if part.exists() {
        std::fs::remove_dir_all(&part)
            .with_context(|| format!("cannot clear {}", part.display()))?;
    }
    if let Some(parent) = part.parent() {
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot make {}", parent.display()))?;
    }
    let mirror = mirror();
    println!(
        "setting up the OpenXR runtime in {} (once; about 2 minutes, 800 MB)",
        folder.display()
    );
    step(
        "a small Debian 13",
        Command::new("debootstrap")
            .args(["--variant=minbase", "trixie"])
            .arg(&part)
            .arg(&mirror),
    )?;
    let packages = PACKAGES.iter().map(|(_, package)| *package);
    step(
        "Monado, Vulkan driver, validation layer",
        Command::new("chroot")
            .arg(&part)
            .args([
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "-qq",
                "install",
                "-y",
                "--no-install-recommends",
            ])
            .args(packages),
    )?;
    std::fs::write(part.join("etc/malloc-vr-complete"), format!("{RECIPE}\n"))?;
    std::fs::rename(&part, folder).with_context(|| format!("cannot rename {}", part.display()))
}

/// Runs one step with a turning sign and the elapsed time; its output is shown only where it fails.
fn step(what: &str, command: &mut Command) -> Result<()> {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} … {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    bar.finish_and_clear();
    if !output.status.success() {
        bail!(
            "{what}: {command:?} failed: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    println!("  {what}: {} s", bar.elapsed().as_secs());
    Ok(())
}

/// The mirror that this machine's own apt uses.
fn mirror() -> String {
    let mut texts = vec![std::fs::read_to_string("/etc/apt/sources.list").unwrap_or_default()];
    if let Ok(entries) = std::fs::read_dir("/etc/apt/sources.list.d") {
        texts.extend(
            entries
                .flatten()
                .filter_map(|entry| std::fs::read_to_string(entry.path()).ok()),
        );
    }
    texts
        .iter()
        .find_map(|text| mirror_in(text))
        .unwrap_or_else(|| "http://deb.debian.org/debian".to_owned())
}

/// The first Debian archive, in either of apt's two formats.
fn mirror_in(sources: &str) -> Option<String> {
    sources
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"))
        .flat_map(str::split_whitespace)
        .filter(|word| word.starts_with("http"))
        .map(|mirror| mirror.trim_end_matches('/').to_owned())
        // Other vendors' archives and the security one hold no whole Debian.
        .find(|mirror| mirror.ends_with("/debian"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_one_apt_uses() {
        let deb822 = "Types: deb\n# http://snapshot.example/\nURIs: http://mirror.example/debian/\nSuites: bookworm\n";
        assert_eq!(
            mirror_in(deb822).as_deref(),
            Some("http://mirror.example/debian")
        );
        let lines = "deb http://security.example/debian-security x main\ndeb [signed-by=/k] https://m.example/debian bookworm main\n";
        assert_eq!(
            mirror_in(lines).as_deref(),
            Some("https://m.example/debian")
        );
        let foreign = "deb https://packages.example/node_20.x nodistro main\ndeb http://deb.example/debian bookworm main\n";
        assert_eq!(
            mirror_in(foreign).as_deref(),
            Some("http://deb.example/debian")
        );
        assert_eq!(mirror_in("# nothing"), None);
    }
}
