//! The conformance suite: the official MCP suite against the bridge, in both eras of the protocol.
//!
//! The suite is npm's `@modelcontextprotocol/conformance`, which wants Node 22; both are put into `target/npm`. It
//! speaks to `mcp-fixtures`, which is the product's bridge with the fixture tools that the suite calls by name.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Missing, Suite, figure};
use crate::cargo::{cargo, succeed, target_dir};

/// A version of the suite, and a revision that it is run at; the older one knows no revisions to choose from.
struct Era {
    version: &'static str,
    revision: Option<&'static str>,
    name: &'static str,
}

const NEW: &str = "0.2.0-alpha.12";
const OLD: &str = "0.1.16";
const ERAS: [Era; 4] = [
    Era {
        version: NEW,
        revision: Some("2026-07-28"),
        name: "2026_07_28",
    },
    Era {
        version: NEW,
        revision: Some("2025-11-25"),
        name: "2025_11_25",
    },
    Era {
        version: NEW,
        revision: Some("2025-06-18"),
        name: "2025_06_18",
    },
    Era {
        version: OLD,
        revision: None,
        name: "suite_0_1_16",
    },
];

/// How many scenarios there are, and how many fail, era by era. Without npm that is said, and nothing measured.
///
/// # Errors
/// Where our own program does not build or answer, or a scenario fails.
pub fn measure() -> Result<Suite> {
    let mut suite = Suite::new("conformance", "dev");
    if let Err(why) = tools() {
        println!("conformance: skipped: {why:#}");
        suite.missing.push(Missing {
            name: "scenarios".into(),
            why: format!("{why:#}"),
        });
        return Ok(suite);
    }
    // The whole workspace, so that the engine is not compiled again with other features.
    succeed(&mut cargo(&[
        "build",
        "--workspace",
        "--bin",
        "mcp-fixtures",
    ]))?;
    let fixtures = Fixtures::start()?;
    let mut failures = Vec::new();
    for era in &ERAS {
        let (scenarios, failed, lines) = run(era, &fixtures.url)?;
        failures.extend(lines);
        for (what, value, goal) in [
            ("scenarios", scenarios, None),
            ("failed", failed, Some(0.0)),
        ] {
            let value = f64::from(value);
            let mut figure = figure(
                format!("{what}_{}", era.name),
                "count",
                goal,
                "no expected failures",
                u64::from(scenarios),
                &[value],
            );
            figure.better = if what == "failed" { "lower" } else { "higher" };
            suite.figures.push(figure);
        }
    }
    if !failures.is_empty() {
        suite.write()?;
        bail!("the conformance suite fails:\n{}", failures.join("\n"));
    }
    Ok(suite)
}

/// Puts the suite and its Node into `target/npm`.
fn tools() -> Result<()> {
    let known = Command::new("npm").arg("--version").output();
    if !known.is_ok_and(|output| output.status.success()) {
        bail!("npm is not here; install Node.js (https://nodejs.org), which brings it");
    }
    for version in [NEW, OLD] {
        let folder = folder(version);
        if program(version).exists() && node().exists() {
            continue;
        }
        std::fs::create_dir_all(&folder)?;
        let package = format!("@modelcontextprotocol/conformance@{version}");
        let installed = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .args([package.as_str(), "node@22"])
            .stdout(Stdio::null())
            .output()?;
        if !installed.status.success() {
            let words = String::from_utf8_lossy(&installed.stderr);
            let last = words
                .lines()
                .last()
                .unwrap_or("npm says nothing")
                .to_owned();
            bail!("npm could not install {package} and node@22 (is there a network?): {last}");
        }
    }
    Ok(())
}

fn folder(version: &str) -> PathBuf {
    target_dir()
        .join("npm")
        .join(format!("conformance-{version}"))
}

fn program(version: &str) -> PathBuf {
    folder(version).join("node_modules/@modelcontextprotocol/conformance/dist/index.js")
}

fn node() -> PathBuf {
    folder(NEW).join("node_modules/.bin/node")
}

/// The bridge with the fixtures; killed when dropped.
struct Fixtures {
    child: Child,
    url: String,
}

impl Fixtures {
    fn start() -> Result<Self> {
        let program = target_dir().join("debug/mcp-fixtures");
        let mut child = Command::new(&program)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        let url = url.trim().to_owned();
        if url.is_empty() {
            let _ = child.kill();
            bail!("{} ended without an address", program.display());
        }
        Ok(Self { child, url })
    }
}

impl Drop for Fixtures {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Scenarios, failed scenarios, and a line for each of these.
fn run(era: &Era, url: &str) -> Result<(u32, u32, Vec<String>)> {
    println!("conformance: {} …", era.name);
    let expected: &Path = &crate::root().join("xtask/conformance/expected-failures.yml");
    let mut command = Command::new(node());
    command.arg(program(era.version));
    command
        .args(["server", "--url", url, "--expected-failures"])
        .arg(expected);
    if let Some(revision) = era.revision {
        command.args(["--suite", "all", "--spec-version", revision]);
    }
    let output = command
        .output()
        .context("cannot start the conformance suite")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.split("=== SUMMARY ===").nth(1).unwrap_or_default();
    let passed = summary.lines().filter(|line| line.starts_with('✓')).count();
    let failed: Vec<String> = summary
        .lines()
        .filter(|line| line.starts_with('✗'))
        .map(|line| format!("  {}: {line}", era.name))
        .collect();
    if passed + failed.len() == 0 {
        bail!(
            "the conformance suite {} ran no scenario: {}",
            era.version,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok((count(passed + failed.len()), count(failed.len()), failed))
}
