//! What a package is made of.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use super::{elf, package, zipped};

/// Packages must stay below this.
pub const GOAL_MIB: f64 = 40.0;

/// A table: every file of the package, and the parts of our library.
///
/// # Errors
/// Where it is no package.
pub fn table(apk: &Path) -> Result<String> {
    let mut entries = zipped::entries(apk)?;
    entries.sort_by_key(|(_, _, stored)| std::cmp::Reverse(*stored));
    let whole = std::fs::metadata(apk)?.len();
    let mut text = format!(
        "{}: {:.2} MiB (goal: at most {GOAL_MIB:.0})\n  {:>10} {:>10}  file\n",
        apk.display(),
        mib(whole),
        "stored MiB",
        "MiB"
    );
    let mut stored_in_all = 0;
    for (name, size, stored) in &entries {
        stored_in_all += stored;
        let _ = writeln!(
            text,
            "  {:>10.3} {:>10.3}  {name}",
            mib(*stored),
            mib(*size)
        );
    }
    let _ = writeln!(
        text,
        "  {:>10.3} {:>10}  directory, signature, alignment",
        mib(whole.saturating_sub(stored_in_all)),
        ""
    );
    let library = zipped::read(apk, package::LIBRARY)?;
    let _ = writeln!(
        text,
        "{}: {:.2} MiB",
        package::LIBRARY,
        mib(library.len() as u64)
    );
    for (name, size) in elf::sections(&library)?
        .iter()
        .filter(|(_, size)| *size >= 10_240)
    {
        let _ = writeln!(
            text,
            "  {:>10} {:>10.3}  {name:<18} {}",
            "",
            mib(*size),
            meaning(name)
        );
    }
    Ok(text)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn meaning(section: &str) -> &'static str {
    match section {
        ".text" => "code",
        ".rodata" => "constants: shaders, fonts, tables, words",
        ".eh_frame" | ".eh_frame_hdr" | ".gcc_except_table" => {
            "how to unwind, for the story of a crash"
        }
        ".data.rel.ro" => "tables of functions",
        ".rela.dyn" => "what Android adjusts when loading",
        ".data" => "variables",
        _ => "",
    }
}
