//! Debian's Rust (with its source), clang, lld and Android tools, unpacked into a folder of the user's cache without
//! being installed: enough to compile and link for the headset where there is no NDK.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::tools::{Compiler, LoaderSource, Tool, Toolchain};
use super::{MIN_SDK, TARGET, quietly, stubs};
use crate::machine::{self, Distribution};
use crate::root;
use crate::runtime::cache_dir;

/// What is unpacked, with what it depends on. Compiler and source of the standard library must be of one version, which
/// `rustc-web` and `rust-web-src` are.
const PACKAGES: &[&str] = &[
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "clang-14",
    "lld-14",
    "llvm-14",
    "aapt",
    "apksigner",
    "zipalign",
    "android-framework-res",
];

/// What must be there when all is unpacked.
const PROOFS: &[&str] = &[
    "usr/bin/rustc",
    "usr/bin/cargo",
    "usr/lib/rustlib/src/rust/library/std",
    "usr/bin/clang-14",
    "usr/bin/ld.lld-14",
    "usr/bin/llvm-ar-14",
    "usr/bin/aapt2",
    "usr/bin/zipalign",
    "usr/share/java/apksigner.jar",
    "usr/share/java/apksig.jar",
    "usr/share/android-framework-res/framework-res.apk",
];

/// Whether this system has the packages, in a version that compiles this project.
///
/// # Errors
/// In words, where it has not: why, and what to do.
pub fn is_possible() -> Result<(), String> {
    let distribution = Distribution::here();
    if distribution.id != "debian" || distribution.version != 12 {
        return Err(format!(
            "the link check uses Debian 12's packages ({}), and this is another system; run it in a container \
             (docker run --rm -it -v \"$PWD\":/src -w /src rust:1.95-bookworm cargo xtask apk --linkcheck), or build a real \
             package with an NDK (cargo xtask apk)",
            PACKAGES.join(" ")
        ));
    }
    learn_of_packages().map_err(|error| format!("{error:#}"))?;
    let needed = env!("CARGO_PKG_RUST_VERSION");
    if too_old(needed).is_some() {
        // Lists from before the security archive's last release, or without that archive; the second look says which.
        let _ = machine::renew_lists();
    }
    match too_old(needed) {
        Some((major, minor)) => Err(format!(
            "apt offers rustc-web {major}.{minor}, and this project needs {needed}: Debian 12's security archive has it; type: \
             echo 'deb http://deb.debian.org/debian-security bookworm-security main' | \
             sudo tee /etc/apt/sources.list.d/security.list && sudo apt-get update"
        )),
        None => Ok(()),
    }
}

/// The `rustc-web` that apt offers, where that is older than `needed`. What cannot be read will fail, and say so itself.
fn too_old(needed: &str) -> Option<(u32, u32)> {
    let said = quietly(Command::new("apt-cache").args(["policy", "rustc-web"])).unwrap_or_default();
    let (offered, wanted) = (candidate(&said)?, version(needed)?);
    (offered < wanted).then_some(offered)
}

/// The version that `apt-cache policy` would install.
fn candidate(said: &str) -> Option<(u32, u32)> {
    let line = said
        .lines()
        .find_map(|it| it.trim().strip_prefix("Candidate:"))?;
    version(line.trim())
}

/// Major and minor of `1.96.0+dfsg1-1`.
fn version(written: &str) -> Option<(u32, u32)> {
    let mut numbers = written.split(['.', '+', '-', '~']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The toolchain, unpacked first where it is not yet. It builds into `target`; `None`: into the user's cache, where the
/// engine stays compiled from one checkout to the next, as far as `Cargo.lock` stays the same.
///
/// # Errors
/// Where this is no Debian 12, or the packages cannot be had.
pub fn toolchain(target: Option<PathBuf>) -> Result<Toolchain> {
    let (java, keytool) = (program_of_java("java")?, program_of_java("keytool")?);
    let folder = unpacked()?;
    let target = match target {
        Some(target) => target,
        None => cache_dir()?.join("android-build"),
    };
    let jars = ["apksigner.jar", "apksig.jar"].map(|jar| folder.join("usr/share/java").join(jar));
    let class_path = std::env::join_paths(jars)?;
    let mut toolchain = Toolchain {
        compiler: Compiler::Debian {
            stubs: PathBuf::new(),
            folder: folder.clone(),
            target: target.clone(),
        },
        aapt2: Tool::at(folder.join("usr/bin/aapt2")),
        old_aapt2: true,
        zipalign: Tool::at(folder.join("usr/bin/zipalign")),
        apksigner: Tool::java(java, &class_path, "com.android.apksigner.ApkSignerTool"),
        keytool: Tool::at(keytool),
        framework: folder.join("usr/share/android-framework-res/framework-res.apk"),
        loader: LoaderSource::Stub(PathBuf::new()),
        libraries: libraries(&folder),
    };
    let made = stubs::make(&toolchain, &folder)?;
    toolchain.loader = LoaderSource::Stub(made.join("libopenxr_loader.so"));
    toolchain.compiler = Compiler::Debian {
        folder,
        stubs: made,
        target,
    };
    Ok(toolchain)
}

/// A program of Java's, installed where it is missing: unpacked only, Java does not find itself.
fn program_of_java(name: &str) -> Result<PathBuf> {
    if let Some(found) = machine::program(name) {
        return Ok(found);
    }
    machine::install(&["default-jre-headless"])?;
    machine::program(name).with_context(|| format!("Debian's default-jre-headless has no {name}"))
}

/// Where the unpacked programs' shared libraries lie.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let multiarch = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    [
        multiarch.clone(),
        // Some of Debian 12's still lie outside of /usr: cargo's libpcre does.
        format!("lib/{}-linux-gnu", std::env::consts::ARCH),
        format!("{multiarch}/android"),
        "usr/lib".into(),
        "usr/lib/p7zip".into(),
        "usr/lib/llvm-14/lib".into(),
    ]
    .iter()
    .map(|path| folder.join(path))
    .collect()
}

/// The tests' toolchain, made once; `None` where Debian's packages were never unpacked here: a test does not load a
/// gigabyte. In CI the link check comes before the tests.
#[cfg(test)]
pub fn at_hand() -> Option<&'static Toolchain> {
    static MADE: std::sync::OnceLock<Option<Toolchain>> = std::sync::OnceLock::new();
    let made = || {
        let there = place().is_ok_and(|folder| folder.join("complete").is_file());
        there.then(|| toolchain(None).unwrap())
    };
    MADE.get_or_init(made).as_ref()
}

/// Where they are unpacked: another list of packages, another folder.
fn place() -> Result<PathBuf> {
    let mut hash = Sha256::new();
    for package in PACKAGES {
        hash.update(package);
        hash.update([0]);
    }
    let digest = hash.finalize();
    let recipe: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(cache_dir()?.join(format!("android-{recipe}")))
}

fn unpacked() -> Result<PathBuf> {
    let folder = place()?;
    if folder.join("complete").is_file() {
        return Ok(folder);
    }
    is_possible().map_err(anyhow::Error::msg)?;
    println!(
        "unpacking Debian's Rust, clang and Android tools into {} (once; 184 MB to load, 1.1 GB) …",
        folder.display()
    );
    let begun = Instant::now();
    let part = folder.with_extension("part");
    let _ = std::fs::remove_dir_all(&part);
    let debs = part.join("debs");
    std::fs::create_dir_all(&debs).with_context(|| format!("cannot make {}", debs.display()))?;
    let names = with_dependencies()?;
    quietly(
        Command::new("apt-get")
            .args(["-qq", "download"])
            .args(&names)
            .current_dir(&debs),
    )?;
    let mut loaded: Vec<PathBuf> = std::fs::read_dir(&debs)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    loaded.sort();
    for deb in loaded {
        quietly(Command::new("dpkg").arg("-x").arg(&deb).arg(&part))?;
    }
    for proof in PROOFS {
        if !part.join(proof).exists() {
            bail!(
                "Debian's packages were unpacked into {}, but {proof} is not among them",
                part.display()
            );
        }
    }
    std::fs::remove_dir_all(&debs)?;
    std::fs::write(part.join("complete"), names.join("\n"))?;
    std::fs::rename(&part, &folder).with_context(|| format!("cannot rename {}", part.display()))?;
    println!("  {:.0} s", begun.elapsed().as_secs_f64());
    Ok(folder)
}

/// Renews apt's lists where it does not know the packages.
fn learn_of_packages() -> Result<()> {
    let known = |package: &str| {
        Command::new("apt-cache")
            .args(["show", "--no-all-versions", package])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !PACKAGES.iter().all(|package| known(package)) {
        // A fresh container has no lists yet.
        machine::renew_lists()
            .with_context(|| format!("apt knows not all of {}", PACKAGES.join(" ")))?;
    }
    Ok(())
}

/// The packages and whatever of their dependencies this system lacks.
fn with_dependencies() -> Result<Vec<String>> {
    learn_of_packages()?;
    let said = quietly(
        Command::new("apt-get")
            .args(["install", "--print-uris", "--no-install-recommends", "-qq", "-y"])
            .args(PACKAGES),
    )
    .context(
        "Debian's packages cannot be found; is the security archive (bookworm-security) among apt's sources?",
    )?;
    let mut names: Vec<String> = PACKAGES.iter().map(|&name| name.to_owned()).collect();
    names.extend(package_names(&said));
    names.sort();
    names.dedup();
    Ok(names)
}

/// The packages in what `apt-get --print-uris` says: `'URI' NAME_VERSION_ARCH.deb SIZE HASH`.
fn package_names(said: &str) -> impl Iterator<Item = String> {
    said.lines()
        .filter(|line| line.starts_with('\''))
        .filter_map(|line| line.split_whitespace().nth(1)?.split('_').next())
        .map(str::to_owned)
}

/// Debian's cargo with Debian's compiler, whatever rustup has put in front of them.
pub fn cargo(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(folder.join("usr/bin/cargo"));
    command.args(words).current_dir(root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("RUSTUP_") || text.starts_with("CARGO_PKG_") || text == "CARGO" {
            command.env_remove(&name);
        }
    }
    command
        .env("RUSTC", folder.join("usr/bin/rustc"))
        .env_remove("RUSTDOC")
        .env_remove("RUSTC_WRAPPER")
        // Building the standard library is asked of nightly compilers, and of those that are told this.
        .env("RUSTC_BOOTSTRAP", "1");
    command
}

/// What clang is told so that it links for Android with lld and our stubs.
pub fn link_flags(folder: &Path, stubs: &Path) -> Vec<String> {
    vec![
        format!("--target={TARGET}{MIN_SDK}"),
        "-nostdlib".into(),
        format!("-fuse-ld={}", folder.join("usr/bin/ld.lld-14").display()),
        format!("-L{}", stubs.display()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_out_of_what_apt_would_load() {
        let said = "NOTE: nothing\n'http://x/rustc-web_1.96_amd64.deb' rustc-web_1.96.0+dfsg1-1~deb12u2_amd64.deb 4450500 SHA256:00\n\
                    'http://x/y' libllvm22_1%3a22.1.8_amd64.deb 29378692 \n";
        let names: Vec<String> = package_names(said).collect();
        assert_eq!(names, ["rustc-web", "libllvm22"]);
    }

    #[test]
    fn the_compiler_that_apt_offers_is_read_out_of_its_policy() {
        let said = "rustc-web:\n  Installed: (none)\n  Candidate: 1.85.0+dfsg3-1~deb12u3\n  Version table:\n";
        assert_eq!(candidate(said), Some((1, 85)));
        assert_eq!(candidate("rustc-web:\n  Candidate: (none)\n"), None);
        assert_eq!(version("1.95"), Some((1, 95)));
        assert!(version("1.100.0") > version("1.95"));
    }
}
