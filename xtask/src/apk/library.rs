//! The library for the headset: compiled and linked by an NDK, or by Debian's compilers against stubs.
//!
//! `cargo rustc --crate-type cdylib` instead of a second crate type in Cargo.toml: there it would be linked in every
//! build for the desk, too.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::debian;
use super::find::executable;
use super::tools::{Compiler, Toolchain};
use super::{MIN_SDK, TARGET, loudly};
use crate::cargo::cargo;

/// How it is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// Cargo's development profile: for a developer with a headset.
    Development,
    /// For people: profile `device`.
    Release,
    /// Quick to build and never run.
    LinkCheck,
}

impl Build {
    const fn profile(self) -> &'static str {
        match self {
            Self::Development => "dev",
            Self::Release => "device",
            Self::LinkCheck => "linkcheck",
        }
    }

    /// Name of the package.
    pub const fn apk_name(self) -> &'static str {
        match self {
            Self::Release => "malloc-vr.apk",
            Self::Development | Self::LinkCheck => "malloc-vr-debug.apk",
        }
    }
}

/// What the linker is told beside what Rust tells it; the same for both toolchains.
const LINK: [&str; 4] = [
    // Devices with pages of 16 KiB come; Android refuses libraries that are laid out for smaller ones.
    "-Wl,-z,max-page-size=16384",
    // Whatever is used must be there when linking, not when a learner reaches it.
    "-Wl,-z,defs",
    // Bevy has some 100 000 relocations, which packed take a tenth of the room.
    "-Wl,--pack-dyn-relocs=android",
    // Code that came out the same is kept once; Rust promises no function an address of its own.
    "-Wl,--icf=all",
];

/// The C compiler of an NDK that links for the oldest Android that we serve.
pub fn ndk_clang(bin: &Path) -> Option<PathBuf> {
    executable(&bin.join(format!("{TARGET}{MIN_SDK}-clang")))
}

/// Builds the library; its file and how long that took.
///
/// # Errors
/// Where it does not compile or link.
pub fn build(toolchain: &Toolchain, build: Build) -> Result<(PathBuf, Duration)> {
    println!(
        "building the library for the headset (profile {}; the first time takes from 10 minutes to an hour on 2 cores) …",
        build.profile()
    );
    let mut command = command(toolchain, &["rustc"])?;
    command.args([
        "--lib",
        "--crate-type",
        "cdylib",
        "--profile",
        build.profile(),
    ]);
    command.arg("--message-format=json-render-diagnostics");
    // For our library alone, not in RUSTFLAGS: a change there would compile the engine anew.
    command.arg("--").args(link_flags(toolchain));
    let begun = Instant::now();
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!(
            "the library does not build for {TARGET}; a symbol that is undefined belongs into android/ndk-symbols \
             (android/README.md says when)"
        );
    }
    let library = library_in(&String::from_utf8_lossy(&output.stdout))
        .context("cargo built no libmalloc_vr.so")?;
    Ok((library, begun.elapsed()))
}

/// The type-check alone.
///
/// # Errors
/// Where the library does not compile.
pub fn check(toolchain: &Toolchain) -> Result<Duration> {
    println!(
        "type-checking the library for the headset (the first time takes about 6 minutes on 2 cores) …"
    );
    let mut command = command(toolchain, &["check"])?;
    command.args(["--lib", "--profile", Build::LinkCheck.profile()]);
    let begun = Instant::now();
    loudly(&mut command)?;
    Ok(begun.elapsed())
}

fn command(toolchain: &Toolchain, words: &[&str]) -> Result<Command> {
    let mut command = match &toolchain.compiler {
        Compiler::Ndk { .. } => cargo(words),
        Compiler::Debian { folder, .. } => debian::cargo(folder, words),
    };
    command.args(["--locked", "--package", "malloc-vr", "--target", TARGET]);
    let variable = |key: &str| format!("{key}_{}", TARGET.replace('-', "_"));
    match &toolchain.compiler {
        Compiler::Ndk { bin, .. } => {
            let clang = ndk_clang(bin).context("the NDK's clang is gone")?;
            let ar = executable(&bin.join("llvm-ar")).context("the NDK has no llvm-ar")?;
            command.env(linker_variable(), &clang);
            command.env(variable("CC"), &clang);
            command.env(
                variable("CXX"),
                bin.join(format!("{TARGET}{MIN_SDK}-clang++")),
            );
            command.env(variable("AR"), ar);
        }
        Compiler::Debian { folder, target, .. } => {
            toolchain.find_libraries(&mut command);
            command.arg("-Zbuild-std=std,panic_abort");
            command.env(linker_variable(), folder.join("usr/bin/clang-14"));
            // What needs a C compiler after all should fail, here and at once.
            for key in ["CC", "CXX", "AR"] {
                command.env(variable(key), "/bin/false");
            }
            command.env("CARGO_TARGET_DIR", target);
        }
    }
    Ok(command)
}

/// What the linker is told, as rustc wants it.
fn link_flags(toolchain: &Toolchain) -> Vec<String> {
    let mut flags = match &toolchain.compiler {
        Compiler::Ndk { .. } => Vec::new(),
        Compiler::Debian { folder, stubs, .. } => debian::link_flags(folder, stubs),
    };
    flags.extend(LINK.map(str::to_owned));
    flags
        .iter()
        .map(|flag| format!("-Clink-arg={flag}"))
        .collect()
}

fn linker_variable() -> String {
    format!(
        "CARGO_TARGET_{}_LINKER",
        TARGET.replace('-', "_").to_uppercase()
    )
}

/// Our library in cargo's JSON messages.
fn library_in(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == "malloc_vr"
        })
        .filter_map(|message| {
            let files = message["filenames"].as_array()?.clone();
            files
                .iter()
                .filter_map(|file| file.as_str())
                .find(|file| file.ends_with(".so"))
                .map(PathBuf::from)
        })
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_among_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"bevy"},"filenames":["/t/libbevy.so"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"malloc_vr"},"filenames":["/t/libmalloc_vr.rlib","/t/libmalloc_vr.so"]}"#,
            "\nwords\n",
        );
        assert_eq!(
            library_in(messages),
            Some(PathBuf::from("/t/libmalloc_vr.so"))
        );
        assert_eq!(library_in("{}"), None);
    }

    /// The toolchain that `find` gives on a machine with an NDK.
    fn with_ndk(folder: &Path) -> Toolchain {
        let bin = folder.join("toolchains/llvm/prebuilt/linux-x86_64/bin");
        std::fs::create_dir_all(&bin).unwrap();
        for tool in [
            "aarch64-linux-android29-clang",
            "aarch64-linux-android29-clang++",
            "llvm-ar",
        ] {
            std::fs::write(bin.join(tool), "").unwrap();
        }
        let tool = super::super::tools::Tool::at("unused");
        Toolchain {
            compiler: Compiler::Ndk {
                bin,
                ndk: folder.to_owned(),
            },
            aapt2: tool.clone(),
            old_aapt2: false,
            zipalign: tool.clone(),
            apksigner: tool.clone(),
            keytool: tool,
            framework: PathBuf::new(),
            loader: super::super::tools::LoaderSource::File(PathBuf::new()),
            libraries: Vec::new(),
        }
    }

    #[test]
    fn an_ndk_compiles_and_links_for_the_oldest_headset_with_its_own_tools() {
        let folder = std::env::temp_dir().join(format!("malloc-vr-ndk-{}", std::process::id()));
        let toolchain = with_ndk(&folder);
        let command = command(&toolchain, &["rustc"]).unwrap();
        let variable = |name: &str| {
            let found = command.get_envs().find(|(it, _)| *it == name);
            let value = found.and_then(|(_, value)| value).unwrap_or_default();
            value.to_string_lossy().into_owned()
        };
        let clang = "linux-x86_64/bin/aarch64-linux-android29-clang";
        for name in [
            "CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER",
            "CC_aarch64_linux_android",
        ] {
            assert!(variable(name).ends_with(clang), "{name}={}", variable(name));
        }
        assert!(variable("CXX_aarch64_linux_android").ends_with("android29-clang++"));
        assert!(variable("AR_aarch64_linux_android").ends_with("llvm-ar"));
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        let words = words.join(" ");
        assert!(
            words.contains("--locked") && words.contains("--target aarch64-linux-android"),
            "{words}"
        );
        // An NDK brings its own standard libraries, and clang knows its target by its name.
        assert!(!words.contains("build-std"), "{words}");
        let flags = link_flags(&toolchain).join(" ");
        assert!(
            flags.contains("max-page-size=16384") && flags.contains("-z,defs"),
            "{flags}"
        );
        assert!(
            !flags.contains("nostdlib") && !flags.contains("--target"),
            "{flags}"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}
