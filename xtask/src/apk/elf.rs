//! What a library must be like so that Android loads it: read from its bytes, not from what the linker was told.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use object::elf;
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Endianness, Object as _, ObjectSymbol as _};

/// What is asked of a library.
pub struct Rules {
    /// The only libraries that it may need.
    pub needs_only: &'static [&'static str],
    /// What it must export.
    pub exports: &'static [&'static str],
    /// Whether it may export more.
    pub exports_more: bool,
    /// Whether a fault keeps the package from being made: the loader may be somebody else's.
    pub strict: bool,
}

/// Our own library.
pub const OURS: Rules = Rules {
    needs_only: &[
        "libandroid.so",
        "libc.so",
        "libdl.so",
        "liblog.so",
        "libm.so",
    ],
    exports: &["ANativeActivity_onCreate", "android_main"],
    exports_more: false,
    strict: true,
};

/// The OpenXR loader.
pub const LOADER: Rules = Rules {
    needs_only: &[
        "libandroid.so",
        "libc.so",
        "libdl.so",
        "liblog.so",
        "libm.so",
        "libc++_shared.so",
    ],
    exports: &["xrGetInstanceProcAddr", "xrInitializeLoaderKHR"],
    exports_more: true,
    strict: false,
};

/// Pages that a library must be laid out for.
const PAGE: u64 = 16 * 1024;

/// Everything about a library that is not as it must be.
///
/// # Errors
/// Where it is no ELF library of 64 bits at all.
pub fn check(bytes: &[u8], rules: &Rules) -> Result<Vec<String>> {
    let file = ElfFile64::<Endianness>::parse(bytes).context("it is no ELF file of 64 bits")?;
    let endian = file.endian();
    let header = file.elf_header();
    let mut faults = Vec::new();
    if header.e_machine(endian) != elf::EM_AARCH64 || header.e_type(endian) != elf::ET_DYN {
        faults.push("it is no shared library for arm64".to_owned());
    }
    let mut needed = BTreeSet::new();
    let sections = header.sections(endian, bytes)?;
    let dynamic = sections.dynamic(endian, bytes)?;
    match dynamic {
        None => faults.push("it has no dynamic section".to_owned()),
        Some((entries, strings)) => {
            let strings = sections.strings(endian, bytes, strings)?;
            for entry in entries {
                let tag = entry.tag(endian);
                let text_relocations = tag == elf::DT_TEXTREL
                    || (tag == elf::DT_FLAGS
                        && elf::DynamicFlags(entry.d_val(endian)).contains(elf::DF_TEXTREL));
                if text_relocations {
                    faults.push("it has text relocations, which Android refuses".to_owned());
                }
                if tag == elf::DT_NEEDED {
                    let name = entry.string(endian, strings)?;
                    needed.insert(String::from_utf8_lossy(name).into_owned());
                }
            }
        }
    }
    for name in needed
        .iter()
        .filter(|name| !rules.needs_only.contains(&name.as_str()))
    {
        faults.push(format!(
            "it needs {name}, which no application may count on"
        ));
    }
    for segment in file.elf_program_headers() {
        let flags = segment.p_flags(endian);
        let (write, execute) = (flags.contains(elf::PF_W), flags.contains(elf::PF_X));
        match segment.p_type(endian) {
            elf::PT_LOAD => {
                let align = segment.p_align(endian);
                let (offset, address) = (segment.p_offset(endian), segment.p_vaddr(endian));
                if align < PAGE || offset % PAGE != address % PAGE {
                    faults.push(format!(
                        "its segment at {address:#x} is aligned to {align:#x}, not to pages of 16 KiB"
                    ));
                }
                if write && execute {
                    faults.push(format!(
                        "its segment at {address:#x} can be written and run"
                    ));
                }
            }
            elf::PT_GNU_STACK if execute => faults.push("its stack can be run".to_owned()),
            _ => {}
        }
    }
    let exports: BTreeSet<String> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition() && symbol.is_global())
        .filter_map(|symbol| symbol.name().ok().map(ToOwned::to_owned))
        .collect();
    for name in rules
        .exports
        .iter()
        .filter(|name| !exports.contains(**name))
    {
        faults.push(format!("it does not export {name}"));
    }
    if !rules.exports_more {
        for name in exports
            .iter()
            .filter(|name| !rules.exports.contains(&name.as_str()))
        {
            faults.push(format!("it exports {name}, which is nobody's business"));
        }
    }
    Ok(faults)
}

/// Sections by size, largest first.
///
/// # Errors
/// Where it is no ELF library of 64 bits.
pub fn sections(bytes: &[u8]) -> Result<Vec<(String, u64)>> {
    use object::ObjectSection as _;
    let file = ElfFile64::<Endianness>::parse(bytes).context("it is no ELF file of 64 bits")?;
    let mut sections: Vec<(String, u64)> = file
        .sections()
        .filter(|section| section.kind() != object::SectionKind::UninitializedData)
        .filter_map(|section| Some((section.name().ok()?.to_owned(), section.size())))
        .collect();
    sections.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This test program itself: a real ELF file, of another machine.
    fn ourselves() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_library_that_is_none_for_the_headset_is_told_every_fault() {
        let faults = check(&ourselves(), &OURS).unwrap().join("\n");
        for part in [
            "ANativeActivity_onCreate",
            "android_main",
            "16 KiB",
            "needs libc.so.6",
        ] {
            assert!(faults.contains(part), "{part} in {faults}");
        }
        assert_eq!(
            faults.contains("arm64"),
            cfg!(not(target_arch = "aarch64")),
            "{faults}"
        );
        assert!(sections(&ourselves()).unwrap().len() > 3);
    }

    #[test]
    fn what_is_no_library_is_an_error_and_not_a_pass() {
        assert!(check(b"not a library", &OURS).is_err());
    }
}
