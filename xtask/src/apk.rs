//! `cargo xtask apk`: the package for the headset, from source to a signed, checked APK.
//!
//! Two toolchains go the same way: a person's Android SDK and NDK, whose package runs, and Debian's own compilers with
//! stubs in place of Android's libraries (`--linkcheck`), whose package proves everything but running.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::{succeed, target_dir};
use crate::root;

pub mod c_compilers;
mod debian;
mod elf;
mod find;
mod headset;
mod key;
mod library;
mod loader;
mod missing;
mod negative;
mod package;
pub mod sizes;
mod stubs;
mod tools;
mod zipped;

use key::Key;
use library::Build;
pub use missing::Missing;
use package::Package;

/// Android 10, what a Quest 3 was delivered with at the least.
pub const MIN_SDK: u32 = 29;
/// What Horizon OS asks of sideloaded and store applications.
const TARGET_SDK: u32 = 32;
/// Rust's name for the headset.
pub const TARGET: &str = "aarch64-linux-android";
/// What a link check's package is called, so that nobody takes it for a real one.
const LINKCHECK_SUFFIX: &str = "-linkcheck.apk";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Build for people: optimised and small, which takes long. Left out: a development build.
    #[arg(long)]
    release: bool,
    /// Put it on the headset that is connected and follow its log.
    #[arg(long)]
    install: bool,
    /// The OpenXR loader: libopenxr_loader.so for arm64, or Khronos' .aar. Left out: built from source with cmake.
    #[arg(long, value_name = "PATH", env = "MALLOC_VR_OPENXR_LOADER")]
    loader: Option<PathBuf>,
    /// Prove everything up to the device with Debian's compilers; the package is not to be run.
    #[arg(long)]
    linkcheck: bool,
    /// Only check that the library compiles for the headset, with Debian's compiler.
    #[arg(long, conflicts_with_all = ["linkcheck", "release", "install", "sizes", "apk"])]
    check: bool,
    /// Say what the package is made of.
    #[arg(long)]
    sizes: bool,
    /// With --install or --sizes: this package, nothing is built.
    #[arg(long, value_name = "FILE")]
    apk: Option<PathBuf>,
    /// Key store for signing, its password in MALLOC_VR_KEYSTORE_PASSWORD. Left out: a debug key, made once.
    #[arg(long, value_name = "FILE", env = "MALLOC_VR_KEYSTORE")]
    keystore: Option<PathBuf>,
    /// Name of the key in it.
    #[arg(
        long,
        value_name = "NAME",
        env = "MALLOC_VR_KEY_ALIAS",
        default_value = "malloc-vr"
    )]
    key_alias: String,
}

/// `cargo xtask apk`.
///
/// # Errors
/// [`Missing`] where something is not installed; else whatever fails, with what to do.
pub fn run(args: &Args) -> Result<()> {
    if let Some(apk) = &args.apk {
        return with_package(args, apk);
    }
    if args.linkcheck && args.install {
        bail!(
            "a link check is linked against stubs and cannot run; leave --linkcheck out to build a package for the headset"
        );
    }
    if args.check {
        let took = type_check()?;
        println!(
            "the library compiles for {TARGET} ({:.0} s)",
            took.as_secs_f64()
        );
        return Ok(());
    }
    if args.linkcheck {
        let checked = link_check(args.release)?;
        println!("{checked}");
        return sizes(args, &checked.apk);
    }
    // Everything is looked for before anything is built.
    let ((toolchain, adb), key) = missing::both(
        find::on_this_machine(args.loader.as_deref(), args.install),
        Key::choose(args.keystore.as_deref(), &args.key_alias),
    )?;
    let folder = out_dir()?;
    let build = if args.release {
        Build::Release
    } else {
        Build::Development
    };
    let (library, _) = library::build(&toolchain, build)?;
    let loader = loader::obtain(&toolchain, &folder)?;
    let package = Package {
        library: &library,
        loader: &loader,
        apk: folder.join(build.apk_name()),
        debuggable: !args.release,
        linkcheck: false,
    };
    for note in check_libraries(&library, &loader)? {
        println!("note: {note}");
    }
    package.make(&toolchain, &key)?;
    package.verify(&toolchain)?;
    println!("{} ({:.1} MiB)", package.apk.display(), mib(&package.apk)?);
    sizes(args, &package.apk)?;
    match adb {
        Some(adb) => headset::install(&adb, &package.apk),
        None => {
            println!(
                "on the headset: cargo xtask apk --install, or adb install -r {}",
                package.apk.display()
            );
            Ok(())
        }
    }
}

/// `--apk FILE`: nothing is built.
fn with_package(args: &Args, apk: &Path) -> Result<()> {
    if !args.install && !args.sizes {
        bail!("--apk names a finished package: add --install or --sizes");
    }
    sizes(args, apk)?;
    if args.install {
        refuse_linkcheck(apk)?;
        let adb = find::adb()?;
        headset::install(&adb, apk)?;
    }
    Ok(())
}

fn sizes(args: &Args, apk: &Path) -> Result<()> {
    if args.sizes {
        print!("{}", sizes::table(apk)?);
    }
    Ok(())
}

/// By its name and by the mark inside, which survives renaming.
///
/// # Errors
/// Where it is one.
fn refuse_linkcheck(apk: &Path) -> Result<()> {
    let by_name = apk
        .file_name()
        .is_some_and(|name| name.to_string_lossy().ends_with(LINKCHECK_SUFFIX));
    if by_name || zipped::has(apk, package::LINKCHECK_MARK)? {
        bail!(
            "{} is a link check: its libraries are linked against stubs and it would crash; build a real one with `cargo xtask apk`",
            apk.display()
        );
    }
    Ok(())
}

/// What a passed link check tells.
#[derive(Debug)]
pub struct LinkCheck {
    pub apk: PathBuf,
    pub library: PathBuf,
    /// Building the library.
    pub build: Duration,
    /// Everything after it.
    pub packaging: Duration,
}

impl std::fmt::Display for LinkCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: library compiled, linked and checked in {:.0} s, package made, signed and verified in {:.1} s",
            self.apk.display(),
            self.build.as_secs_f64(),
            self.packaging.as_secs_f64()
        )
    }
}

/// The library for the headset compiles; how long that took.
///
/// # Errors
/// Where it does not, or Debian's compiler cannot be had.
fn type_check() -> Result<Duration> {
    library::check(&debian::toolchain(None)?)
}

/// Whether a link check can be made on this system.
///
/// # Errors
/// In words, where it cannot.
pub fn can_link_check() -> Result<(), String> {
    debian::is_possible()
}

/// Seconds of the type-check, and of compiling and linking, each from nothing.
///
/// # Errors
/// Where either fails.
pub fn cold_times() -> Result<(Duration, Duration)> {
    let scratch = target_dir().join("measure/android");
    let toolchain = debian::toolchain(Some(scratch.clone()))?;
    let _ = std::fs::remove_dir_all(&scratch);
    let check = library::check(&toolchain)?;
    std::fs::remove_dir_all(&scratch)?;
    let (_, link) = library::build(&toolchain, Build::LinkCheck)?;
    std::fs::remove_dir_all(&scratch)?;
    Ok((check, link))
}

/// Compiles, links, packages and signs with Debian's tools, then tries what must fail.
///
/// # Errors
/// At the first thing that is not as it must be.
pub fn link_check(release: bool) -> Result<LinkCheck> {
    c_compilers::none()?;
    let toolchain = debian::toolchain(None)?;
    let folder = out_dir()?;
    // Before a quarter of an hour is spent: the linker must refuse what the headset would.
    negative::too_new_calls(&toolchain, &folder)?;
    let build = if release {
        Build::Release
    } else {
        Build::LinkCheck
    };
    let (library, took) = library::build(&toolchain, build)?;
    let begun = Instant::now();
    let loader = loader::obtain(&toolchain, &folder)?;
    for note in check_libraries(&library, &loader)? {
        println!("note: {note}");
    }
    let package = Package {
        library: &library,
        loader: &loader,
        apk: folder.join(format!("malloc-vr{LINKCHECK_SUFFIX}")),
        debuggable: false,
        linkcheck: true,
    };
    let key = Key::debug_in(&folder);
    package.make(&toolchain, &key)?;
    package.verify(&toolchain)?;
    negative::flipped_byte(&toolchain, &package.apk)?;
    if refuse_linkcheck(&package.apk).is_ok() {
        bail!("--install would put a link check on a headset");
    }
    Ok(LinkCheck {
        apk: package.apk,
        library,
        build: took,
        packaging: begun.elapsed(),
    })
}

/// What both libraries must be like. Notes are for people.
fn check_libraries(library: &Path, loader: &Path) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for (file, rules) in [(library, &elf::OURS), (loader, &elf::LOADER)] {
        let bytes =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let faults = elf::check(&bytes, rules)
            .with_context(|| format!("{} cannot be read as a library", file.display()))?;
        if !faults.is_empty() {
            let list = faults.join("\n  ");
            if rules.strict {
                bail!("{} is not fit for the headset:\n  {list}", file.display());
            }
            notes.push(format!("{}:\n  {list}", file.display()));
        }
    }
    Ok(notes)
}

/// Where packages go.
fn out_dir() -> Result<PathBuf> {
    let folder = target_dir().join("apk");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The folder with manifest, resources and lists of symbols.
fn android_dir() -> PathBuf {
    root().join("android")
}

/// Size of a file.
///
/// # Errors
/// Where it is not there.
pub fn mib(file: &Path) -> Result<f64> {
    let bytes = std::fs::metadata(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .len();
    Ok(bytes as f64 / f64::from(1 << 20))
}

/// Runs a tool whose output matters only where it fails.
fn quietly(command: &mut std::process::Command) -> Result<String> {
    let shown = crate::cargo::shown(command);
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if !output.status.success() {
        bail!("{shown} failed: {}\n{said}", output.status);
    }
    Ok(said)
}

/// As [`quietly`], output shown.
fn loudly(command: &mut std::process::Command) -> Result<()> {
    succeed(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_check_is_not_installed_whatever_it_is_called() {
        let real = zipped::made_up("real.apk", &[("assets/lessons/a.ron", b"()")]);
        let renamed = zipped::made_up("renamed.apk", &[(package::LINKCHECK_MARK, b"stubs")]);
        assert!(refuse_linkcheck(&real).is_ok());
        let error = refuse_linkcheck(&renamed).unwrap_err().to_string();
        assert!(
            error.contains("stubs") && error.contains("cargo xtask apk"),
            "{error}"
        );
        let named = real.with_file_name("x-linkcheck.apk");
        std::fs::copy(&real, &named).unwrap();
        assert!(refuse_linkcheck(&named).is_err());
        for archive in [real, renamed] {
            std::fs::remove_dir_all(archive.parent().unwrap()).unwrap();
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_table_of_sizes_names_every_file_and_the_parts_of_the_library() {
        let library = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let apk = zipped::made_up(
            "sizes.apk",
            &[
                (package::LIBRARY, &library),
                ("assets/lessons/a.ron", b"()"),
            ],
        );
        let table = sizes::table(&apk).unwrap();
        for part in [
            "assets/lessons/a.ron",
            package::LIBRARY,
            ".text",
            "goal: at most 40",
        ] {
            assert!(table.contains(part), "{part} in\n{table}");
        }
        std::fs::remove_dir_all(apk.parent().unwrap()).unwrap();
    }
}
