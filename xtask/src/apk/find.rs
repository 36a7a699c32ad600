//! What a package for the headset is made with, looked for on this machine before anything is built: all that is
//! missing is told at once, each with what mends it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::missing::{Lack, Mend, Missing};
use super::tools::{Compiler, LoaderSource, Tool, Toolchain};
use super::{MIN_SDK, TARGET, TARGET_SDK, loader};

/// The oldest NDK whose compilers lay libraries out as we need it.
const OLDEST_NDK: u32 = 23;
/// What we suggest to install: any newer ones do.
const NDK: &str = "ndk;27.2.12479018";
const BUILD_TOOLS: &str = "build-tools;35.0.0";
const CMAKE: &str = "cmake;3.22.1";
const PLATFORM_TOOLS: &str = "platform-tools";
const PLATFORM: &str = "platforms;android-34";
/// Where sdkmanager looks for itself.
const TOOLS: &str = "~/Android/Sdk/cmdline-tools";

/// What can be asked of a machine; a test asks a made-up one.
struct Place<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    home: Option<PathBuf>,
    /// `rustc --print sysroot`.
    sysroot: Option<PathBuf>,
}

/// SDK, NDK, Java, Rust target and loader; with `install`, adb too.
///
/// # Errors
/// [`Missing`].
pub fn on_this_machine(
    loader: Option<&Path>,
    install: bool,
) -> Result<(Toolchain, Option<PathBuf>), Missing> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let place = Place {
        variable: &variable,
        home: std::env::home_dir(),
        sysroot: sysroot(),
    };
    place.look(loader, install)
}

/// Only adb, for a package that is finished.
///
/// # Errors
/// [`Missing`].
pub fn adb() -> Result<PathBuf, Missing> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let place = Place {
        variable: &variable,
        home: std::env::home_dir(),
        sysroot: None,
    };
    let mut lacks = Vec::new();
    place
        .adb(place.sdk().as_deref(), &mut lacks)
        .ok_or(Missing(lacks))
}

fn sysroot() -> Option<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim())).filter(|path| path.is_dir())
}

impl Place<'_> {
    fn look(
        &self,
        loader: Option<&Path>,
        install: bool,
    ) -> Result<(Toolchain, Option<PathBuf>), Missing> {
        let mut lacks = Vec::new();
        // In the order in which it is mended: sdkmanager is a Java program.
        let java = self.java(&mut lacks);
        let sdk = self.sdk();
        if sdk.is_none() {
            lacks.push(Lack::new(
                "the Android SDK (looked in ANDROID_HOME, ANDROID_SDK_ROOT, ~/Android/Sdk, ~/Library/Android/sdk)",
                Mend::words(format!(
                    "load \"Command line tools only\" from https://developer.android.com/studio#command-line-tools-only, then:\n      \
                     mkdir -p {TOOLS} && unzip ~/Downloads/commandlinetools-*.zip -d {TOOLS} && mv {TOOLS}/cmdline-tools {TOOLS}/latest"
                )),
            ));
        }
        let sdk = sdk.as_deref();
        let ndk = self.ndk(sdk, &mut lacks);
        let build_tools = newest(sdk, "build-tools", |folder| {
            ["aapt2", "zipalign"]
                .iter()
                .all(|tool| executable(&folder.join(tool)).is_some())
                && folder.join("lib/apksigner.jar").is_file()
        });
        if build_tools.is_none() {
            lacks.push(Lack::new(
                "the SDK's build-tools (aapt2, zipalign, apksigner)",
                self.sdkmanager(sdk, BUILD_TOOLS),
            ));
        }
        let framework = newest(sdk, "platforms", |folder| {
            folder.join("android.jar").is_file() && version(folder)[0] >= TARGET_SDK
        })
        .map(|folder| folder.join("android.jar"));
        if framework.is_none() {
            lacks.push(Lack::new(
                format!("an Android platform of API {TARGET_SDK} or newer"),
                self.sdkmanager(sdk, PLATFORM),
            ));
        }
        let loader = self.loader(loader, sdk, &mut lacks);
        let adb = install.then(|| self.adb(sdk, &mut lacks)).flatten();
        self.rust_target(&mut lacks);
        match (ndk, build_tools, framework, java, loader) {
            (
                Some((ndk, bin)),
                Some(tools),
                Some(framework),
                Some((java, keytool)),
                Some(loader),
            ) if lacks.is_empty() => {
                let jar = tools.join("lib/apksigner.jar").into_os_string();
                let toolchain = Toolchain {
                    compiler: Compiler::Ndk { bin, ndk },
                    aapt2: Tool::at(executable(&tools.join("aapt2")).unwrap_or_default()),
                    old_aapt2: false,
                    zipalign: Tool::at(executable(&tools.join("zipalign")).unwrap_or_default()),
                    apksigner: Tool::java(java, &jar, "com.android.apksigner.ApkSignerTool"),
                    keytool: Tool::at(keytool),
                    framework,
                    loader,
                    libraries: Vec::new(),
                };
                Ok((toolchain, adb))
            }
            _ => Err(Missing(lacks)),
        }
    }

    fn sdk(&self) -> Option<PathBuf> {
        ["ANDROID_HOME", "ANDROID_SDK_ROOT"]
            .iter()
            .filter_map(|name| (self.variable)(name).map(PathBuf::from))
            .chain(
                self.home.iter().flat_map(|home| {
                    ["Android/Sdk", "Library/Android/sdk"].map(|it| home.join(it))
                }),
            )
            .find(|folder| folder.is_dir())
    }

    /// The NDK and the folder of its compilers.
    fn ndk(&self, sdk: Option<&Path>, lacks: &mut Vec<Lack>) -> Option<(PathBuf, PathBuf)> {
        let named = ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT", "NDK_HOME"]
            .iter()
            .find_map(|name| Some((*name, PathBuf::from((self.variable)(name)?))));
        let (ndk, origin) = match named {
            Some((name, folder)) => (Some(folder), format!(" (named by {name})")),
            None => (
                newest(sdk, "ndk", |folder| revision(folder).is_some()),
                String::new(),
            ),
        };
        let Some(ndk) = ndk else {
            lacks.push(Lack::new(
                "the Android NDK (looked in ANDROID_NDK_HOME, ANDROID_NDK_ROOT, NDK_HOME and the SDK's ndk folder)",
                self.sdkmanager(sdk, NDK),
            ));
            return None;
        };
        let shown = ndk.display();
        let Some(major) = revision(&ndk) else {
            lacks.push(Lack::new(
                format!(
                    "an NDK at {shown}{origin}: there is no source.properties with a Pkg.Revision"
                ),
                self.sdkmanager(sdk, NDK)
                    .or("name its folder in ANDROID_NDK_HOME"),
            ));
            return None;
        };
        if major < OLDEST_NDK {
            lacks.push(Lack::new(
                format!("a newer NDK: {shown}{origin} is r{major}, r{OLDEST_NDK} is the oldest that serves"),
                self.sdkmanager(sdk, NDK),
            ));
            return None;
        }
        let prebuilt = ndk.join("toolchains/llvm/prebuilt");
        let bin = entries(&prebuilt)
            .map(|host| host.join("bin"))
            .find(|bin| super::library::ndk_clang(bin).is_some());
        if bin.is_none() {
            lacks.push(Lack::new(
                format!(
                    "compilers in the NDK at {shown}{origin}: no {TARGET}{MIN_SDK}-clang below {}; it is not whole",
                    prebuilt.display()
                ),
                self.sdkmanager(sdk, NDK),
            ));
        }
        Some((ndk, bin?))
    }

    fn rust_target(&self, lacks: &mut Vec<Lack>) {
        let installed = self
            .sysroot
            .as_ref()
            .is_some_and(|root| root.join("lib/rustlib").join(TARGET).is_dir());
        if !installed {
            lacks.push(Lack::new(
                format!("Rust's standard library for {TARGET}"),
                Mend::words(format!("rustup target add {TARGET}")),
            ));
        }
    }

    /// `java` and `keytool`.
    fn java(&self, lacks: &mut Vec<Lack>) -> Option<(PathBuf, PathBuf)> {
        let find = |name: &str| {
            (self.variable)("JAVA_HOME")
                .and_then(|home| executable(&PathBuf::from(home).join("bin").join(name)))
                .or_else(|| self.on_path(name))
        };
        let found = (find("java"), find("keytool"));
        if let (Some(java), Some(keytool)) = found {
            return Some((java, keytool));
        }
        let lacking: Vec<&str> = [("`java`", &found.0), ("`keytool`", &found.1)]
            .iter()
            .filter(|(_, found)| found.is_none())
            .map(|(name, _)| *name)
            .collect();
        lacks.push(Lack::new(
            format!(
                "Java 17 or newer (looked in JAVA_HOME and PATH for {})",
                lacking.join(" and ")
            ),
            Mend::words(
                "sudo apt-get install default-jdk-headless (Debian, Ubuntu), brew install openjdk (macOS), \
                 winget install EclipseAdoptium.Temurin.21.JDK (Windows)",
            ),
        ));
        None
    }

    fn loader(
        &self,
        given: Option<&Path>,
        sdk: Option<&Path>,
        lacks: &mut Vec<Lack>,
    ) -> Option<LoaderSource> {
        if let Some(file) = given {
            if !file.is_file() {
                lacks.push(Lack::new(
                    format!(
                        "the OpenXR loader at {}: there is no such file",
                        file.display()
                    ),
                    Mend::words(loader::WHERE_TO_GET),
                ));
                return None;
            }
            return Some(LoaderSource::File(file.to_owned()));
        }
        let in_sdk = |name: &str| {
            newest(sdk, "cmake", |folder| {
                executable(&folder.join("bin").join(name)).is_some()
            })
            .and_then(|folder| executable(&folder.join("bin").join(name)))
        };
        let cmake = in_sdk("cmake").or_else(|| self.on_path("cmake"));
        let ninja = in_sdk("ninja").or_else(|| self.on_path("ninja"));
        match (cmake, ninja, loader::vendored_source()) {
            (Some(cmake), Some(ninja), Some(source)) => Some(LoaderSource::Source {
                source,
                cmake,
                ninja,
            }),
            _ => {
                lacks.push(Lack::new(
                    "cmake and ninja, to build the OpenXR loader for the headset (or a loader that is built)",
                    self.sdkmanager(sdk, CMAKE).or(loader::WHERE_TO_GET),
                ));
                None
            }
        }
    }

    fn adb(&self, sdk: Option<&Path>, lacks: &mut Vec<Lack>) -> Option<PathBuf> {
        let found = sdk
            .and_then(|sdk| executable(&sdk.join("platform-tools/adb")))
            .or_else(|| self.on_path("adb"));
        if found.is_none() {
            lacks.push(Lack::new(
                "adb, which talks to the headset",
                self.sdkmanager(sdk, PLATFORM_TOOLS)
                    .or("sudo apt-get install adb (Debian, Ubuntu)"),
            ));
        }
        found
    }

    fn on_path(&self, name: &str) -> Option<PathBuf> {
        let path = (self.variable)("PATH")?;
        std::env::split_paths(&path).find_map(|folder| executable(&folder.join(name)))
    }

    /// What installs a package of the SDK; with the path of sdkmanager where it is not in PATH.
    fn sdkmanager(&self, sdk: Option<&Path>, package: &'static str) -> Mend {
        let inside = sdk.and_then(|sdk| {
            executable(&sdk.join("cmdline-tools/latest/bin/sdkmanager"))
                .or_else(|| executable(&sdk.join("tools/bin/sdkmanager")))
        });
        let manager = match (self.on_path("sdkmanager"), inside) {
            (Some(_), _) => "sdkmanager".to_owned(),
            (None, Some(inside)) => inside.display().to_string(),
            // Where it will be when the SDK is there.
            (None, None) => format!("{TOOLS}/latest/bin/sdkmanager"),
        };
        Mend::Sdk {
            manager,
            package,
            or: None,
        }
    }
}

/// A program under its name here: Windows gives endings.
pub fn executable(path: &Path) -> Option<PathBuf> {
    ["", ".exe", ".cmd", ".bat"]
        .iter()
        .map(|ending| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        })
        .find(|file| file.is_file())
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

/// The numbers in a folder's name: `android-34` is 34, `27.2.12479018` is 27, 2, 12479018.
fn version(folder: &Path) -> [u32; 3] {
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut numbers = name
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok());
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// The newest folder of the SDK's `kind` that serves.
fn newest(sdk: Option<&Path>, kind: &str, serves: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    entries(&sdk?.join(kind))
        .filter(|folder| serves(folder))
        .max_by_key(|folder| version(folder))
}

/// The major number of an NDK.
fn revision(ndk: &Path) -> Option<u32> {
    std::fs::read_to_string(ndk.join("source.properties"))
        .ok()?
        .lines()
        .find_map(|line| {
            line.strip_prefix("Pkg.Revision")?
                .trim_start()
                .strip_prefix('=')
        })?
        .trim()
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
