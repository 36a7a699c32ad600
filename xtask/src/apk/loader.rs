//! The OpenXR loader for the headset: given as a library or in Khronos' archive, or built from the source that
//! `openxr-sys` brings.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::tools::{Compiler, LoaderSource, Toolchain};
use super::{MIN_SDK, loudly, zipped};
use crate::cargo::cargo;

/// Where a loader can be had.
pub const WHERE_TO_GET: &str = "--loader with Khronos' archive, \
    https://repo1.maven.org/maven2/org/khronos/openxr/openxr_loader_for_android/1.1.54/openxr_loader_for_android-1.1.54.aar";

/// What it is called in the package: the name that `openxr` opens.
pub const NAME: &str = "libopenxr_loader.so";

/// Where Khronos' archive has it.
const IN_ARCHIVE: [&str; 2] = [
    "prefab/modules/openxr_loader/libs/android.arm64-v8a/libopenxr_loader.so",
    "jni/arm64-v8a/libopenxr_loader.so",
];

/// The loader's file.
///
/// # Errors
/// Where it is in no file given, or cannot be built.
pub fn obtain(toolchain: &Toolchain, folder: &Path) -> Result<PathBuf> {
    match &toolchain.loader {
        LoaderSource::Stub(file) => Ok(file.clone()),
        LoaderSource::File(file) if file.extension().is_some_and(|it| it == "aar") => {
            let to = folder.join(NAME);
            std::fs::write(&to, out_of_archive(file)?)
                .with_context(|| format!("cannot write {}", to.display()))?;
            Ok(to)
        }
        LoaderSource::File(file) => Ok(file.clone()),
        LoaderSource::Source {
            source,
            cmake,
            ninja,
        } => {
            let Compiler::Ndk { ndk, .. } = &toolchain.compiler else {
                bail!("the loader is built with an NDK; there is none");
            };
            build(source, cmake, ninja, ndk, &folder.join("loader"))
        }
    }
}

fn out_of_archive(archive: &Path) -> Result<Vec<u8>> {
    for name in IN_ARCHIVE {
        if zipped::has(archive, name)? {
            return zipped::read(archive, name);
        }
    }
    bail!(
        "{} has no loader for arm64 ({}); it should be {WHERE_TO_GET}",
        archive.display(),
        IN_ARCHIVE.join(" or ")
    )
}

/// How cmake is told to build it for a headset.
fn configure(source: &Path, cmake: &Path, ninja: &Path, ndk: &Path, folder: &Path) -> Command {
    let mut command = Command::new(cmake);
    command
        .args(["-G", "Ninja", "-Wno-dev", "-S"])
        .arg(source)
        .arg("-B")
        .arg(folder)
        .arg(format!("-DCMAKE_MAKE_PROGRAM={}", ninja.display()))
        .arg(format!(
            "-DCMAKE_TOOLCHAIN_FILE={}",
            ndk.join("build/cmake/android.toolchain.cmake").display()
        ))
        .arg(format!("-DCMAKE_ANDROID_NDK={}", ndk.display()))
        .arg(format!("-DANDROID_PLATFORM=android-{MIN_SDK}"))
        .args([
            "-DANDROID_ABI=arm64-v8a",
            // Not a second library of the C++ runtime beside it.
            "-DANDROID_STL=c++_static",
            "-DCMAKE_BUILD_TYPE=Release",
            "-DDYNAMIC_LOADER=ON",
            "-DBUILD_API_LAYERS=OFF",
            "-DBUILD_TESTS=OFF",
            "-DBUILD_CONFORMANCE_TESTS=OFF",
            "-DBUILD_WITH_SYSTEM_JSONCPP=OFF",
        ]);
    command
}

fn build(source: &Path, cmake: &Path, ninja: &Path, ndk: &Path, folder: &Path) -> Result<PathBuf> {
    println!("building the OpenXR loader …");
    loudly(&mut configure(source, cmake, ninja, ndk, folder))?;
    loudly(
        Command::new(cmake)
            .arg("--build")
            .arg(folder)
            .args(["--target", "openxr_loader"]),
    )?;
    let built = folder.join("src/loader").join(NAME);
    if !built.is_file() {
        bail!(
            "cmake built no {}; give a loader instead: {WHERE_TO_GET}",
            built.display()
        );
    }
    Ok(built)
}

/// Khronos' source in the package `openxr-sys`, wherever cargo keeps it.
pub fn vendored_source() -> Option<PathBuf> {
    let output = cargo(&["metadata", "--format-version=1", "--locked"])
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let manifest = metadata["packages"]
        .as_array()?
        .iter()
        .find(|package| package["name"] == "openxr-sys")?["manifest_path"]
        .as_str()?;
    let source = Path::new(manifest).with_file_name("OpenXR-SDK");
    source.join("CMakeLists.txt").is_file().then_some(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_the_loader_comes_with_the_crates() {
        let source = vendored_source().expect("openxr-sys brings no source of the loader");
        assert!(source.join("src/loader/CMakeLists.txt").is_file());
    }

    #[test]
    fn cmake_is_told_of_the_ndk_and_of_nothing_that_the_source_does_not_know() {
        let source = vendored_source().unwrap();
        let at = |name: &str| PathBuf::from("/sdk").join(name);
        let command = configure(
            &source,
            &at("cmake"),
            &at("ninja"),
            &at("ndk"),
            &at("build"),
        );
        let words: Vec<String> = command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        for word in [
            "-DCMAKE_TOOLCHAIN_FILE=/sdk/ndk/build/cmake/android.toolchain.cmake",
            "-DCMAKE_MAKE_PROGRAM=/sdk/ninja",
            "-DANDROID_PLATFORM=android-29",
            "-DANDROID_ABI=arm64-v8a",
        ] {
            assert!(words.iter().any(|it| it == word), "{word} in {words:?}");
        }
        // A switch that Khronos renamed would be ignored without a word.
        let theirs = ["CMakeLists.txt", "src/CMakeLists.txt"]
            .map(|file| std::fs::read_to_string(source.join(file)).unwrap_or_default())
            .join("");
        for name in words.iter().filter_map(|word| {
            let name = word.strip_prefix("-D")?.split('=').next()?;
            (name.starts_with("BUILD_") || name == "DYNAMIC_LOADER").then_some(name)
        }) {
            assert!(theirs.contains(name), "the loader's source knows no {name}");
        }
    }

    #[test]
    fn the_loader_is_taken_out_of_khronos_archive() {
        let archive = zipped::made_up("loader.aar", &[(IN_ARCHIVE[0], b"a library")]);
        assert_eq!(out_of_archive(&archive).unwrap(), b"a library");
        let other = zipped::made_up("other.aar", &[("jni/x86/libopenxr_loader.so", b"another")]);
        let error = out_of_archive(&other).unwrap_err().to_string();
        assert!(error.contains("arm64"), "{error}");
        for archive in [archive, other] {
            std::fs::remove_dir_all(archive.parent().unwrap()).unwrap();
        }
    }
}
