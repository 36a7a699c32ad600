//! Shared libraries with the names of Android's and nothing behind them, made from `android/ndk-symbols/*.syms`.
//!
//! A list names each symbol that our library may use, with the API level at which Android got it. Only those that the
//! oldest Android we serve has go into a stub: calling another one fails the link.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::tools::Toolchain;
use super::{MIN_SDK, TARGET, android_dir, quietly};
use crate::cargo::target_dir;

/// A line of a list.
#[derive(Debug, PartialEq, Eq)]
struct Symbol<'a> {
    name: &'a str,
    /// API level at which it came.
    since: u32,
    /// A variable, not a function.
    data: bool,
}

/// Makes all stubs with clang and lld of `folder`; the folder where they lie.
///
/// # Errors
/// Where a list is wrong, with its line, or a tool fails.
pub fn make(toolchain: &Toolchain, folder: &Path) -> Result<PathBuf> {
    let out = target_dir().join("apk/stubs");
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let lists = android_dir().join("ndk-symbols");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&lists)
        .with_context(|| format!("cannot read {}", lists.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|it| it == "syms"))
        .collect();
    files.sort();
    let run = |program: &str, arguments: &[String]| {
        let mut command = std::process::Command::new(folder.join("usr/bin").join(program));
        toolchain.find_libraries(&mut command);
        quietly(command.args(arguments)).map(drop)
    };
    for list in files {
        let text = std::fs::read_to_string(&list)
            .with_context(|| format!("cannot read {}", list.display()))?;
        let symbols = parse(&text).with_context(|| format!("in {}", list.display()))?;
        let name = list
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let source = out.join(format!("{name}.s"));
        let object = out.join(format!("{name}.o"));
        std::fs::write(&source, assembly(&symbols))?;
        run(
            "clang-14",
            &[
                format!("--target={TARGET}{MIN_SDK}"),
                "-c".into(),
                source.display().to_string(),
                "-o".into(),
                object.display().to_string(),
            ],
        )?;
        if name == "libunwind" {
            // The NDK has it as an archive, too.
            let archive = out.join("libunwind.a");
            let _ = std::fs::remove_file(&archive);
            run(
                "llvm-ar-14",
                &[
                    "rcs".into(),
                    archive.display().to_string(),
                    object.display().to_string(),
                ],
            )?;
        } else {
            run(
                "ld.lld-14",
                &[
                    "-shared".into(),
                    "-z".into(),
                    "max-page-size=16384".into(),
                    format!("-soname={name}.so"),
                    "-o".into(),
                    out.join(format!("{name}.so")).display().to_string(),
                    object.display().to_string(),
                ],
            )?;
        }
    }
    Ok(out)
}

/// `NAME API [data]`, `#` begins a comment; sorted, so that a new name is one line in a review.
fn parse(text: &str) -> Result<Vec<Symbol<'_>>> {
    let mut symbols: Vec<Symbol<'_>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let content = line.split('#').next().unwrap_or_default().trim();
        if content.is_empty() {
            continue;
        }
        let words: Vec<&str> = content.split_whitespace().collect();
        let (name, since, data) = match words.as_slice() {
            [name, since] => (*name, *since, false),
            [name, since, "data"] => (*name, *since, true),
            _ => bail!("line {number}: `{content}` is not NAME API [data]"),
        };
        let Ok(since) = since.parse() else {
            bail!("line {number}: `{since}` is no API level");
        };
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            bail!("line {number}: `{name}` is no symbol");
        }
        if let Some(last) = symbols.last()
            && last.name >= name
        {
            bail!(
                "line {number}: `{name}` comes after `{}`; keep the list sorted, each name once",
                last.name
            );
        }
        symbols.push(Symbol { name, since, data });
    }
    Ok(symbols)
}

fn assembly(symbols: &[Symbol<'_>]) -> String {
    let mut text = String::new();
    for symbol in symbols.iter().filter(|symbol| symbol.since <= MIN_SDK) {
        let name = symbol.name;
        let _ = if symbol.data {
            write!(
                text,
                ".data\n.globl {name}\n.type {name},%object\n.size {name},8\n{name}: .quad 0\n"
            )
        } else {
            write!(
                text,
                ".text\n.globl {name}\n.type {name},%function\n{name}: ret\n"
            )
        };
    }
    text.push_str(".section .note.GNU-stack,\"\",%progbits\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_after_the_oldest_android_is_left_out() {
        let list = "# comment\nclose 21\nenviron 21 data # a variable\nmemfd_create 30\n";
        let symbols = parse(list).unwrap();
        assert_eq!(symbols.len(), 3);
        let text = assembly(&symbols);
        assert!(text.contains("close: ret") && text.contains("environ: .quad 0"));
        assert!(!text.contains("memfd_create"), "{text}");
    }

    #[test]
    fn a_list_that_is_not_sorted_is_refused_with_its_line() {
        let error = parse("close 21\naccept 21\n").unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("accept"),
            "{error}"
        );
        assert!(parse("close 21\nclose 21\n").is_err());
        assert!(parse("close\n").unwrap_err().to_string().contains("line 1"));
        assert!(
            parse("close soon\n")
                .unwrap_err()
                .to_string()
                .contains("`soon`")
        );
    }

    #[test]
    fn the_lists_in_the_repository_are_well_formed() {
        let folder = android_dir().join("ndk-symbols");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            count += parse(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
                .len();
        }
        assert!(count > 100, "{count}");
    }
}
