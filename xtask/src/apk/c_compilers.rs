//! Whether anything in the headset's tree of crates wants a C compiler. None may: then the library compiles wherever
//! Rust does, without an NDK.

use anyhow::{Context, Result, bail};

use super::TARGET;
use crate::cargo::cargo;

/// Crates through which others compile C, C++ or assembler, or need such a compiler's library.
const COMPILERS: [&str; 7] = [
    "cc",
    "cmake",
    "nasm-rs",
    "bindgen",
    "autotools",
    "cxx-build",
    "cpp_build",
];

/// Depend on a compiler and do not use it: as long as one feature is on, or another is off.
const EXCUSED: [(&str, Excuse); 2] = [
    // Without `pure`, bevy_asset's blake3 compiles C for NEON.
    ("blake3", Excuse::With("pure")),
    // Only its GameActivity is C++; we use NativeActivity.
    ("android-activity", Excuse::Without("game-activity")),
];

#[derive(Debug, Clone, Copy)]
enum Excuse {
    With(&'static str),
    Without(&'static str),
}

/// A crate that would start a C compiler.
#[derive(Debug, PartialEq, Eq)]
pub struct Culprit {
    /// Name and version.
    pub name: String,
    /// Through which crate it does.
    pub through: String,
}

/// Everything in the library's tree for the headset that would start a C compiler.
///
/// # Errors
/// Where cargo cannot tell the tree.
pub fn culprits() -> Result<Vec<Culprit>> {
    let mut found = Vec::new();
    for compiler in COMPILERS {
        let output = cargo(&[
            "tree",
            "--locked",
            "--package",
            "malloc-vr",
            "--target",
            TARGET,
        ])
        .args([
            "--edges",
            "normal,build",
            "--prefix",
            "depth",
            "--depth",
            "1",
        ])
        .args(["--format", " {p} {f}", "--invert", compiler])
        .output()
        .context("cannot start cargo tree")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() && !said.contains("did not match any packages") {
            bail!("cargo tree cannot tell who uses `{compiler}`:\n{said}");
        }
        found.extend(guilty(&String::from_utf8_lossy(&output.stdout), compiler));
    }
    Ok(found)
}

/// Fails where there is one, and says what to do.
///
/// # Errors
/// Names every culprit.
pub fn none() -> Result<()> {
    let culprits = culprits()?;
    if culprits.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = culprits
        .iter()
        .map(|it| format!("{} (through `{}`)", it.name, it.through))
        .collect();
    bail!(
        "the headset's library would need a C compiler for {}; choose a crate in pure Rust, or leave it out on Android \
         ([target.'cfg(not(target_os = \"android\"))'.dependencies]); `cargo tree --target {TARGET} -i CRATE` says who brings it",
        list.join(", ")
    )
}

/// Who depends on a compiler in what `cargo tree` prints, without those that are excused.
fn guilty(tree: &str, through: &str) -> Vec<Culprit> {
    tree.lines()
        .filter_map(|line| line.strip_prefix("1 "))
        .filter_map(|line| {
            // `blake3 v1.8.7 default,pure,std`, or `name v1 (path) features`, or `(*)` at the end.
            let mut words = line.split_whitespace();
            let (name, version) = (words.next()?, words.next()?);
            let features: Vec<&str> = words.flat_map(|word| word.split(',')).collect();
            let excused = EXCUSED.iter().any(|(excused, excuse)| {
                name == *excused
                    && match excuse {
                        Excuse::With(feature) => features.contains(feature),
                        Excuse::Without(feature) => !features.contains(feature),
                    }
            });
            (!excused).then(|| Culprit {
                name: format!("{name} {version}"),
                through: through.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_compiles_c_is_named_and_who_only_could_is_not() {
        let tree = "0 cc v1.11.1 \n1 android-activity v0.6.0 default,native-activity\n1 blake3 v1.8.7 pure,std\n\
                    1 zstd-sys v2.0.1 std (*)\n";
        let found = guilty(tree, "cc");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].name, "zstd-sys v2.0.1");
    }

    #[test]
    fn an_excuse_ends_with_its_feature() {
        let tree = "1 android-activity v0.6.0 game-activity\n1 blake3 v1.8.7 default,std\n";
        assert_eq!(guilty(tree, "cc").len(), 2);
    }

    #[test]
    fn nothing_for_the_headset_needs_a_c_compiler() {
        let found = culprits().unwrap();
        assert!(found.is_empty(), "{found:?}");
    }
}
