//! Manifest, resources, libraries and lessons made into a package, aligned, signed and looked through.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::key::Key;
use super::tools::Toolchain;
use super::{MIN_SDK, TARGET_SDK, android_dir, loader, quietly, zipped};
use crate::cargo::target_dir;
use crate::root;

/// An entry that only a link check has.
pub const LINKCHECK_MARK: &str = "assets/linkcheck";
/// Where a package has our library.
pub const LIBRARY: &str = "lib/arm64-v8a/libmalloc_vr.so";
/// The application's name towards Android; also in `android/AndroidManifest.xml`.
pub const APPLICATION: &str = "org.mallocvr.app";

/// A package to be made.
pub struct Package<'a> {
    pub library: &'a Path,
    pub loader: &'a Path,
    pub apk: PathBuf,
    pub debuggable: bool,
    pub linkcheck: bool,
}

impl Package<'_> {
    /// Makes the package.
    ///
    /// # Errors
    /// Where a tool refuses something; with what it said.
    pub fn make(&self, toolchain: &Toolchain, key: &Key) -> Result<()> {
        let stage = target_dir().join("apk/stage");
        let _ = std::fs::remove_dir_all(&stage);
        let assets = stage.join("assets");
        self.collect_assets(&assets)?;
        let resources = stage.join("resources.zip");
        quietly(
            toolchain
                .command(&toolchain.aapt2)
                .args(["compile", "--dir"])
                .arg(android_dir().join("res"))
                .arg("-o")
                .arg(&resources),
        )?;
        let linked = stage.join("linked.apk");
        let mut link = toolchain.command(&toolchain.aapt2);
        link.args(["link", "-o"])
            .arg(&linked)
            .arg("--manifest")
            .arg(android_dir().join("AndroidManifest.xml"));
        link.arg("-I")
            .arg(&toolchain.framework)
            .arg("-A")
            .arg(&assets);
        link.args(["--min-sdk-version", &MIN_SDK.to_string()]);
        link.args(["--target-sdk-version", &TARGET_SDK.to_string()]);
        link.args(["--version-name", env!("CARGO_PKG_VERSION")]);
        link.args([
            "--version-code",
            &version_code(env!("CARGO_PKG_VERSION"))?.to_string(),
        ]);
        if self.debuggable {
            link.arg("--debug-mode");
        }
        if toolchain.old_aapt2 {
            link.arg("--warn-manifest-validation");
        }
        quietly(link.arg(&resources))?;
        let loader_name = format!("lib/arm64-v8a/{}", loader::NAME);
        let filled = stage.join("filled.apk");
        zipped::add(
            &linked,
            &filled,
            &[(LIBRARY, self.library), (&loader_name, self.loader)],
        )?;
        let aligned = stage.join("aligned.apk");
        quietly(
            toolchain
                .command(&toolchain.zipalign)
                .args(["-f", "-p", "4"])
                .args([&filled, &aligned]),
        )?;
        key.ready(toolchain)?;
        let _ = std::fs::remove_file(&self.apk);
        quietly(
            toolchain
                .command(&toolchain.apksigner)
                .args(["sign", "--min-sdk-version", &MIN_SDK.to_string(), "--ks"])
                .arg(&key.keystore)
                // The scheme before Android 7, which nobody here reads.
                .args(["--v1-signing-enabled", "false"])
                .args(["--ks-key-alias", &key.alias, "--ks-pass", &key.password()])
                .arg("--out")
                .arg(&self.apk)
                .arg(&aligned),
        )?;
        Ok(())
    }

    /// The lessons, and the mark of a link check.
    fn collect_assets(&self, assets: &Path) -> Result<()> {
        copy_lessons(&root().join("assets/lessons"), &assets.join("lessons"))?;
        if self.linkcheck {
            let mark = assets.with_file_name(LINKCHECK_MARK);
            std::fs::write(mark, "Linked against stubs: not to be run.\n")?;
        }
        Ok(())
    }

    /// Alignment, signature, and what Android will make of the manifest.
    ///
    /// # Errors
    /// Names what is not as it must be.
    pub fn verify(&self, toolchain: &Toolchain) -> Result<()> {
        quietly(
            toolchain
                .command(&toolchain.zipalign)
                .args(["-c", "-p", "4"])
                .arg(&self.apk),
        )
        .context("the package is not aligned")?;
        signature(toolchain, &self.apk).context("the package's signature does not hold")?;
        let badging = quietly(
            toolchain
                .command(&toolchain.aapt2)
                .args(["dump", "badging"])
                .arg(&self.apk),
        )?;
        let wanted = [
            format!("package: name='{APPLICATION}'"),
            format!("sdkVersion:'{MIN_SDK}'"),
            format!("targetSdkVersion:'{TARGET_SDK}'"),
            "application-label:'Malloc VR'".into(),
            "launchable-activity: name='android.app.NativeActivity'".into(),
            "native-code: 'arm64-v8a'".into(),
            "uses-feature: name='android.hardware.vr.headtracking'".into(),
        ];
        let lacking: Vec<&String> = wanted
            .iter()
            .filter(|part| !badging.contains(part.as_str()))
            .collect();
        if !lacking.is_empty() {
            bail!("the package does not say {lacking:?} of itself; it says:\n{badging}");
        }
        let asked = permissions(&badging);
        let justified = justified(&std::fs::read_to_string(android_dir().join("README.md"))?);
        if asked != justified {
            bail!(
                "the package asks for {asked:?}, and android/README.md justifies {justified:?}; ask for no more than is justified"
            );
        }
        if badging.contains("application-debuggable") != self.debuggable {
            bail!(
                "the package is{} debuggable",
                if self.debuggable { " not" } else { "" }
            );
        }
        Ok(())
    }
}

/// Copies lessons with their models and pictures, folders too; what editors need is left out.
fn copy_lessons(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let entries =
        std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let path = entry?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_lessons(&path, &copy)?;
        } else if path.extension().is_none_or(|it| it != "json") {
            std::fs::copy(&path, &copy)
                .with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

/// Whether the signature holds on every Android that we serve.
///
/// # Errors
/// Where it does not.
pub fn signature(toolchain: &Toolchain, apk: &Path) -> Result<()> {
    quietly(
        toolchain
            .command(&toolchain.apksigner)
            .args(["verify", "--min-sdk-version", &MIN_SDK.to_string()])
            .arg(apk),
    )
    .map(drop)
}

/// What the package asks for, sorted.
fn permissions(badging: &str) -> Vec<String> {
    let mut names: Vec<String> = badging
        .lines()
        .filter_map(|line| {
            line.strip_prefix("uses-permission: name='")?
                .split('\'')
                .next()
        })
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The permissions in the README's table, sorted.
fn justified(readme: &str) -> Vec<String> {
    let mut names: Vec<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.contains(".permission."))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// Android compares these to tell what is newer: 1.2.3 is 10203.
fn version_code(version: &str) -> Result<u32> {
    let numbers: Vec<u32> = version
        .split(['.', '-', '+'])
        .take(3)
        .map(|part| {
            part.parse()
                .with_context(|| format!("`{version}` is no version"))
        })
        .collect::<Result<_>>()?;
    match numbers.as_slice() {
        [major, minor @ 0..=99, patch @ 0..=99] => {
            Ok((major * 10_000 + minor * 100 + patch).max(1))
        }
        _ => {
            bail!("`{version}` has no code: it should be MAJOR.MINOR.PATCH, the last two below 100")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions_have_greater_codes() {
        let codes: Vec<u32> = ["0.1.0", "0.1.1", "0.2.0", "1.0.0", "1.0.10"]
            .iter()
            .map(|it| version_code(it).unwrap())
            .collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        assert!(version_code("1.100.0").is_err());
        assert!(version_code("soon").is_err());
    }

    #[test]
    fn every_permission_of_the_manifest_is_justified_and_none_is_justified_in_vain() {
        let manifest = std::fs::read_to_string(android_dir().join("AndroidManifest.xml")).unwrap();
        let mut asked: Vec<String> = manifest
            .split("<uses-permission")
            .skip(1)
            .filter_map(|rest| rest.split("android:name=\"").nth(1)?.split('"').next())
            .map(str::to_owned)
            .collect();
        asked.sort();
        let readme = std::fs::read_to_string(android_dir().join("README.md")).unwrap();
        assert!(!asked.is_empty());
        assert_eq!(asked, justified(&readme));
    }

    #[test]
    fn a_lesson_is_packed_with_the_models_in_its_folders_and_without_what_editors_need() {
        let folder = std::env::temp_dir().join(format!("malloc-vr-lessons-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let (from, to) = (folder.join("from"), folder.join("to"));
        std::fs::create_dir_all(from.join("models")).unwrap();
        for file in [
            "knots.ron",
            "lesson.schema.json",
            "models/rope.gltf",
            "models/rope.bin",
        ] {
            std::fs::write(from.join(file), file).unwrap();
        }
        copy_lessons(&from, &to).unwrap();
        for file in ["knots.ron", "models/rope.gltf", "models/rope.bin"] {
            assert_eq!(std::fs::read_to_string(to.join(file)).unwrap(), file);
        }
        assert!(!to.join("lesson.schema.json").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_manifest_names_the_application_as_we_do() {
        let manifest = std::fs::read_to_string(android_dir().join("AndroidManifest.xml")).unwrap();
        assert!(manifest.contains(&format!("package=\"{APPLICATION}\"")));
    }
}
