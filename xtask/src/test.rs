//! `cargo xtask test`: everything. The OpenXR tests are never left out silently.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::cargo::{build_test, cargo};
use crate::runtime::Runtime;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Leave the tests out that need an OpenXR runtime.
    #[arg(long)]
    no_xr: bool,
    /// Only tests whose name contains this.
    filter: Option<String>,
}

/// Tests that ran, over several runs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub ignored: u64,
}

/// `cargo xtask test`.
///
/// # Errors
/// Where a test fails or something that tests need is missing.
pub fn run(args: &Args) -> Result<()> {
    let tally = all(!args.no_xr, args.filter.as_deref())?;
    println!("\n{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed > 0 {
        bail!("{} test(s) failed", tally.failed);
    }
    if tally.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// Runs them all. A failing test is counted; what keeps tests from running is an error.
///
/// # Errors
/// Where something does not build or is missing.
pub fn all(with_xr: bool, filter: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    // Set up first: what is missing should not turn up after a quarter of an hour.
    let runtime = with_xr.then(Runtime::ready).transpose()?;
    println!("== unit, property, plugin, bridge and command-line tests");
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.args(filter);
    tally.add(count(&mut tests)?);
    if let Some(runtime) = runtime {
        tally.add(xr(&runtime, filter)?);
    } else {
        println!("== OpenXR tests left out (--no-xr)");
    }
    Ok(tally)
}

/// The tests against a real OpenXR runtime.
///
/// # Errors
/// Where they do not build or start.
pub fn xr(runtime: &Runtime, filter: Option<&str>) -> Result<Tally> {
    println!("== OpenXR tests, in {}", runtime.describe());
    let binary = build_test("xr")?;
    let mut arguments = vec!["--include-ignored", "--test-threads=1", "--nocapture"];
    arguments.extend(filter);
    count(&mut runtime.command(&binary, &arguments)?)
}

/// Runs a test program, shows its output and adds up its closing lines.
fn count(command: &mut Command) -> Result<Tally> {
    let shown = crate::cargo::shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            tally.add(Tally::of_line(&line).unwrap_or_default());
        }
    }
    let status = child.wait()?;
    if !status.success() && tally.failed == 0 {
        bail!("{shown} ended with {status} and no failed test: something did not build or start");
    }
    Ok(tally)
}

impl Tally {
    /// Reads `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn of_line(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("test result: ")?;
        let number = |word: &str| {
            rest.split([';', '.'])
                .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
        };
        Some(Self {
            passed: number("passed")?,
            failed: number("failed")?,
            ignored: number("ignored").unwrap_or(0),
        })
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_read() {
        let line = "test result: FAILED. 28 passed; 2 failed; 3 ignored; 0 measured; 0 filtered out; finished in 1.41s";
        let tally = Tally {
            passed: 28,
            failed: 2,
            ignored: 3,
        };
        assert_eq!(Tally::of_line(line), Some(tally));
        assert_eq!(Tally::of_line("test a ... ok"), None);
    }
}
