//! What must fail: a check that lets everything through is worse than none.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::tools::{Compiler, Toolchain};
use super::{debian, package, quietly};

/// Came with API 30, and stands in the list with that number.
const TOO_NEW: &str = "memfd_create";
/// Every Android has it.
const OLD: &str = "getpid";

/// A call of a function that the oldest Android lacks must not link; one that it has must.
///
/// # Errors
/// Where the stubs let the wrong one through.
pub fn too_new_calls(toolchain: &Toolchain, scratch: &Path) -> Result<()> {
    link(toolchain, scratch, OLD).with_context(|| format!("even a call of {OLD} does not link"))?;
    match link(toolchain, scratch, TOO_NEW) {
        Ok(()) => bail!(
            "a call of {TOO_NEW}, which Android has only since API 30, links: the stubs are worth nothing"
        ),
        Err(error) if format!("{error:#}").contains(TOO_NEW) => Ok(()),
        Err(error) => Err(error.context(format!(
            "a call of {TOO_NEW} fails for another reason than it should"
        ))),
    }
}

/// Links a library that calls one function.
fn link(toolchain: &Toolchain, scratch: &Path, function: &str) -> Result<()> {
    let Compiler::Debian { folder, stubs, .. } = &toolchain.compiler else {
        bail!("only the link check's own stubs are tried");
    };
    let source = scratch.join(format!("calls-{function}.s"));
    std::fs::write(
        &source,
        format!(".text\n.globl caller\n.type caller,%function\ncaller: b {function}\n"),
    )?;
    let mut clang = Command::new(folder.join("usr/bin/clang-14"));
    toolchain.find_libraries(&mut clang);
    clang
        .args(debian::link_flags(folder, stubs))
        .args(["-shared", "-Wl,-z,defs", "-lc", "-o"])
        .arg(source.with_extension("so"))
        .arg(&source);
    quietly(&mut clang).map(drop)
}

/// A package in which one bit of what is signed was turned must not verify: neither in the first half of the entries,
/// nor in the second, nor in the directory.
///
/// # Errors
/// Where it does.
pub fn flipped_byte(toolchain: &Toolchain, apk: &Path) -> Result<()> {
    let bytes = std::fs::read(apk)?;
    let Signed { entries, directory } =
        signed(&bytes).context("the package has no signing block where APK v2 wants one")?;
    let damaged = apk.with_extension("damaged.apk");
    for at in [
        entries / 4,
        entries / 4 * 3,
        directory.start.midpoint(directory.end),
    ] {
        let mut changed = bytes.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1;
        }
        std::fs::write(&damaged, changed)?;
        if package::signature(toolchain, &damaged).is_ok() {
            bail!(
                "a package with the byte at {at} changed passes for ours: the signature proves nothing"
            );
        }
    }
    std::fs::remove_file(&damaged)?;
    Ok(())
}

/// Which bytes of a package its signature covers.
struct Signed {
    /// Length of the entries: they stand first, up to the signing block.
    entries: usize,
    directory: std::ops::Range<usize>,
}

/// The signing block between the two is left out: it is filled up with bytes that sign nothing
/// (<https://source.android.com/docs/security/features/apksigning/v2>).
fn signed(apk: &[u8]) -> Option<Signed> {
    // Our packages have no comment, so the end record is the last 22 bytes.
    let end = apk.len().checked_sub(22)?;
    let record = apk.get(end..)?;
    if !record.starts_with(b"PK\x05\x06") {
        return None;
    }
    let directory = u32::from_le_bytes(record.get(16..20)?.try_into().ok()?) as usize;
    let length = u64::from_le_bytes(
        apk.get(directory.checked_sub(24)?..directory.checked_sub(16)?)?
            .try_into()
            .ok()?,
    );
    let block = usize::try_from(length).ok()?.checked_add(8)?;
    Some(Signed {
        entries: directory.checked_sub(block)?,
        directory: directory..end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apk::key::Key;
    use crate::apk::package::Package;

    #[test]
    fn a_call_that_the_oldest_android_lacks_does_not_link() {
        let Some(toolchain) = debian::at_hand() else {
            return;
        };
        let scratch = scratch_folder();
        too_new_calls(toolchain, &scratch).unwrap();
        std::fs::remove_dir_all(scratch).unwrap();
    }

    #[test]
    fn a_package_with_one_byte_changed_does_not_verify() {
        let Some(toolchain) = debian::at_hand() else {
            return;
        };
        let scratch = scratch_folder();
        let library = scratch.join("any.so");
        std::fs::write(&library, vec![7; 65_536]).unwrap();
        let package = Package {
            library: &library,
            loader: &library,
            apk: scratch.join("made.apk"),
            debuggable: false,
            linkcheck: true,
        };
        package.make(toolchain, &Key::debug_in(&scratch)).unwrap();
        package.verify(toolchain).unwrap();
        // Each key fills its signing block to another length: one key alone would not show a byte that signs nothing.
        for number in 0..3 {
            let key = scratch.join(format!("key-{number}"));
            std::fs::create_dir_all(&key).unwrap();
            package.make(toolchain, &Key::debug_in(&key)).unwrap();
            flipped_byte(toolchain, &package.apk).unwrap();
        }
        std::fs::remove_dir_all(scratch).unwrap();
    }

    fn scratch_folder() -> std::path::PathBuf {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!(
            "malloc-vr-negative-{}-{number}",
            std::process::id()
        ));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }
}
