//! `cargo xtask measure`: figures for people (a table) and for programs (target/measure/SUITE.json).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::cargo::target_dir;

mod adaptation;
mod apk;
mod bridge;
mod capture;
mod compliance;
pub mod conformance;
mod frame;
mod governor;
mod learning;
mod sessions;
mod subscribers;

use frame::loader_folder;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which: `frame`, `learning`, `sessions`, `adaptation`, `compliance`, `conformance`, `bridge`, `capture`, `governor`, `apk`, or `all`.
    suite: String,
    /// Folder of students' answers, for the learning suite: also AUC and log-loss of every model, which takes long.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder for the results instead of target/measure.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Seconds of each run.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Repetitions.
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// Measure the release build (built first, which takes long).
    #[arg(long)]
    release: bool,
    /// For the governor suite: only the part in an OpenXR session, with the development build unless `--release` is given.
    #[arg(long)]
    session: bool,
    /// For the apk suite: also how long type-check and link check take from nothing, which is half an hour on 2 idle cores.
    #[arg(long)]
    cold: bool,
}

/// One measured value.
#[derive(Debug, Serialize)]
pub struct Figure {
    pub name: Cow<'static, str>,
    pub value: f64,
    pub unit: &'static str,
    pub goal: Option<f64>,
    pub better: &'static str,
    pub baseline: &'static str,
    pub n: u64,
    /// Minimum and maximum over the repetitions.
    pub spread: [f64; 2],
}

/// A figure that could not be measured.
#[derive(Debug, Serialize)]
pub struct Missing {
    pub name: Cow<'static, str>,
    pub why: String,
}

#[derive(Debug, Serialize)]
struct Machine {
    cpu: String,
    cores: usize,
    os: String,
}

/// A set of figures from one run.
#[derive(Debug, Serialize)]
pub struct Suite {
    suite: &'static str,
    commit: String,
    machine: Machine,
    profile: &'static str,
    pub figures: Vec<Figure>,
    pub missing: Vec<Missing>,
    #[serde(skip)]
    folder: PathBuf,
}

impl Suite {
    pub fn new(suite: &'static str, profile: &'static str) -> Self {
        let commit = Command::new("git")
            .args(["rev-parse", "--short", "HEAD"])
            .current_dir(crate::root())
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default();
        Self {
            suite,
            commit,
            machine: Machine {
                cpu: first_value("/proc/cpuinfo", "model name"),
                cores: std::thread::available_parallelism().map_or(0, usize::from),
                os: first_value("/etc/os-release", "PRETTY_NAME"),
            },
            profile,
            figures: Vec::new(),
            missing: Vec::new(),
            folder: target_dir().join("measure"),
        }
    }

    #[must_use]
    pub fn with(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    /// Writes `SUITE.json`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self) -> Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let file = self.folder.join(format!("{}.json", self.suite));
        std::fs::write(&file, serde_json::to_string_pretty(self)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }

    fn table(&self) -> String {
        let mut table = format!(
            "{} at {} ({}, {} cores, {})\n",
            self.suite, self.commit, self.profile, self.machine.cores, self.machine.cpu
        );
        for figure in &self.figures {
            let goal = figure
                .goal
                .map_or_else(String::new, |goal| format!("  goal {goal}"));
            let _ = writeln!(
                table,
                "  {:<28} {:>9.4} {:<8} [{:.4} … {:.4}] n={}{goal}  against {}",
                figure.name,
                figure.value,
                figure.unit,
                figure.spread[0],
                figure.spread[1],
                figure.n,
                figure.baseline
            );
        }
        for missing in &self.missing {
            let _ = writeln!(table, "  {:<28}   missing: {}", missing.name, missing.why);
        }
        table
    }
}

/// Value of the first `key : value` or `key="value"` line.
fn first_value(file: &str, key: &str) -> String {
    std::fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .find_map(|line| {
            let rest = line.strip_prefix(key)?.trim_start();
            Some(
                rest.strip_prefix([':', '='])?
                    .trim()
                    .trim_matches('"')
                    .to_owned(),
            )
        })
        .unwrap_or_default()
}

/// `cargo xtask measure`.
///
/// # Errors
/// Where nothing can be measured at all.
pub fn run(args: &Args) -> Result<()> {
    let suites = match args.suite.as_str() {
        "frame" => vec![frame::measure(args)?],
        "learning" => vec![learning::measure(args)?],
        "sessions" => vec![sessions::measure(args)?],
        "adaptation" => vec![adaptation::measure(args)?],
        "compliance" => vec![compliance::measure(args)?],
        "conformance" => vec![conformance::measure()?],
        "bridge" => vec![bridge::measure(args)?],
        "capture" => vec![capture::measure(args)?],
        "governor" => vec![governor::measure(args)?],
        "apk" => vec![apk::measure(args)?],
        "all" => vec![
            frame::measure(args)?,
            learning::measure(args)?,
            sessions::measure(args)?,
            adaptation::measure(args)?,
            compliance::measure(args)?,
            conformance::measure()?,
            bridge::measure(args)?,
            governor::measure(args)?,
            apk::measure(args)?,
        ],
        other => bail!(
            "there is no suite `{other}`; there are: frame, learning, sessions, adaptation, compliance, conformance, bridge, capture, governor, apk, all"
        ),
    };
    let mut tables = String::new();
    for mut suite in suites {
        if let Some(out) = &args.out {
            suite.folder.clone_from(out);
        }
        suite.write()?;
        let _ = writeln!(tables, "{}", suite.table());
    }
    println!("\n{tables}");
    if args.suite == "all" {
        let folder = args.out.clone();
        let folder = folder.unwrap_or_else(|| target_dir().join("measure"));
        let readme = folder.join("README.md");
        std::fs::write(&readme, format!("# Measured\n\n```\n{tables}```\n"))?;
        println!("{}", readme.display());
    }
    Ok(())
}

fn figure(
    name: impl Into<Cow<'static, str>>,
    unit: &'static str,
    goal: Option<f64>,
    baseline: &'static str,
    n: u64,
    values: &[f64],
) -> Figure {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Figure {
        name: name.into(),
        value: median(&sorted),
        unit,
        goal,
        better: "lower",
        baseline,
        n,
        spread: [
            sorted.first().copied().unwrap_or(f64::NAN),
            sorted.last().copied().unwrap_or(f64::NAN),
        ],
    }
}

/// Of sorted values.
fn median(sorted: &[f64]) -> f64 {
    match (sorted.len(), sorted.get(sorted.len() / 2)) {
        (len, Some(upper)) if len % 2 == 0 => (sorted[len / 2 - 1] + upper) / 2.0,
        (_, Some(middle)) => *middle,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_medians() {
        assert!((median(&[1.0, 2.0, 10.0]) - 2.0).abs() < 1e-12);
        assert!((median(&[1.0, 2.0]) - 1.5).abs() < 1e-12);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_suite_has_the_agreed_form() {
        let suite = Suite::new("frame", "dev").with(figure(
            "x",
            "ratio",
            Some(1.0),
            "y",
            3,
            &[1.0, 2.0, 3.0],
        ));
        let json = serde_json::to_value(&suite).unwrap();
        for key in [
            "suite", "commit", "machine", "profile", "figures", "missing",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
        assert_eq!(json["figures"][0]["spread"], serde_json::json!([1.0, 3.0]));
    }
}
