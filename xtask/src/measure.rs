//! `cargo xtask measure`: figures for people (a table) and for programs (target/measure/SUITE.json).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::cargo::{cargo, succeed, target_dir};
use crate::runtime::Runtime;

mod adaptation;
mod apk;
mod bridge;
mod capture;
mod compliance;
pub mod conformance;
mod governor;
mod learning;
mod sessions;
mod subscribers;

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
        "frame" => vec![frame(args)?],
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
            frame(args)?,
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

/// What `--frame-stats` writes.
#[derive(Debug, Deserialize)]
struct FrameReport {
    frames: u64,
    missed: u64,
    stale: u64,
    cpu_s: Quantiles,
    start_to_focused_s: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Quantiles {
    median: f64,
    deviation: f64,
}

/// Frame time, missed frames and start-up in the simulated headset; start-up beside Khronos' own sample.
fn frame(args: &Args) -> Result<Suite> {
    let runtime = Runtime::ready()?;
    let profile = if args.release { "release" } else { "dev" };
    let mut build = cargo(&["build", "--workspace", "--bins"]);
    if args.release {
        build.arg("--release");
    }
    succeed(&mut build)?;
    let bin = target_dir().join(if args.release { "release" } else { "debug" });
    let mut suite = Suite::new("frame", profile);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 1..=args.rounds {
        println!("round {round} of {}", args.rounds);
        let scratch = target_dir().join("measure/scratch");
        let _ = std::fs::remove_dir_all(&scratch);
        let data = scratch.display().to_string();
        ours.push(frame_report(
            &runtime,
            &bin,
            "malloc-vr",
            &[
                "play",
                "--fresh",
                "--listen",
                "127.0.0.1:0",
                "--data-dir",
                &data,
            ],
            args.seconds,
        )?);
        bare.push(frame_report(
            &runtime,
            &bin,
            "frame-baseline",
            &[],
            args.seconds,
        )?);
    }
    let frames = ours.iter().map(|report| report.frames).sum();
    let missed: Vec<f64> = ours
        .iter()
        .map(|it| it.missed as f64 / it.frames.max(1) as f64)
        .collect();
    suite.figures.push(figure(
        "missed_frames_ratio",
        "ratio",
        None,
        "none",
        frames,
        &missed,
    ));
    let stale: Vec<f64> = ours
        .iter()
        .map(|it| it.stale as f64 / it.frames.max(1) as f64)
        .collect();
    suite.figures.push(figure(
        "stale_frames_ratio",
        "ratio",
        Some(0.1),
        "what Meta calls serious",
        frames,
        &stale,
    ));
    let deviation: Vec<f64> = ours.iter().map(|it| it.cpu_s.deviation * 1000.0).collect();
    suite.figures.push(figure(
        "frame_cpu_deviation_ms",
        "ms",
        Some(1.0),
        "what Meta calls excellent",
        frames,
        &deviation,
    ));
    let cpu: Vec<f64> = ours.iter().map(|it| it.cpu_s.median * 1000.0).collect();
    suite
        .figures
        .push(figure("frame_cpu_ms", "ms", None, "none", frames, &cpu));
    let ratios: Vec<f64> = ours
        .iter()
        .zip(&bare)
        .map(|(ours, bare)| ours.cpu_s.median / bare.cpu_s.median)
        .collect();
    suite.figures.push(figure(
        "frame_cpu_ratio",
        "ratio",
        Some(1.02),
        "bare bevy_mod_openxr, same scene, interleaved",
        frames,
        &ratios,
    ));
    let starts: Vec<f64> = ours
        .iter()
        .filter_map(|report| report.start_to_focused_s)
        .collect();
    if starts.is_empty() {
        suite.missing.push(Missing {
            name: "start_to_focused_s".into(),
            why: "no run reached FOCUSED".to_owned(),
        });
    } else {
        suite.figures.push(figure(
            "start_to_focused_s",
            "s",
            Some(4.0),
            "hello_xr, next line",
            starts.len() as u64,
            &starts,
        ));
    }
    let mut hello = Vec::new();
    for _ in 0..args.rounds {
        match hello_xr(&runtime, &bin) {
            Ok(seconds) => hello.push(seconds),
            Err(error) => {
                suite.missing.push(Missing {
                    name: "start_to_focused_s_hello_xr".into(),
                    why: format!("{error:#}"),
                });
                break;
            }
        }
    }
    if !hello.is_empty() {
        suite.figures.push(figure(
            "start_to_focused_s_hello_xr",
            "s",
            None,
            "none",
            hello.len() as u64,
            &hello,
        ));
    }
    match last_ci_minutes() {
        Some(minutes) => suite.figures.push(figure(
            "ci_minutes",
            "minutes",
            Some(40.0),
            "none",
            1,
            &[minutes],
        )),
        None => suite.missing.push(Missing {
            name: "ci_minutes".into(),
            why: "no `cargo xtask ci` has ended in this target folder".to_owned(),
        }),
    }
    Ok(suite)
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

/// Runs a program of ours in a simulated headset for a while and reads its frame statistics.
fn frame_report(
    runtime: &Runtime,
    bin: &Path,
    program: &str,
    args: &[&str],
    seconds: u32,
) -> Result<FrameReport> {
    let file = target_dir().join("measure/frame-stats.json");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let _ = std::fs::remove_file(&file);
    let mut arguments = vec!["--for".to_owned(), seconds.to_string(), "--run".to_owned()];
    arguments.push(bin.join(program).display().to_string());
    arguments.extend(args.iter().map(ToString::to_string));
    arguments.extend(["--frame-stats".to_owned(), file.display().to_string()]);
    succeed(
        runtime
            .command(&bin.join("simulate"), &arguments)?
            .env("LD_LIBRARY_PATH", loader_folder()?)
            .env("RUST_LOG", "error")
            .stdout(Stdio::null()),
    )?;
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{program} wrote no frame statistics"))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{program} wrote frame statistics that cannot be read"))
}

/// A folder where the OpenXR loader has the name that bevy_mod_openxr asks for, which Debian has only for developers.
fn loader_folder() -> Result<PathBuf> {
    let folder = target_dir().join("measure/loader");
    std::fs::create_dir_all(&folder)?;
    let link = folder.join("libopenxr_loader.so");
    let _ = std::fs::remove_file(&link);
    let loader = format!(
        "/usr/lib/{}-linux-gnu/libopenxr_loader.so.1",
        std::env::consts::ARCH
    );
    std::os::unix::fs::symlink(loader, &link)
        .with_context(|| format!("cannot make {}", link.display()))?;
    Ok(folder)
}

/// Seconds from starting Khronos' hello_xr to its FOCUSED state, in the same runtime.
fn hello_xr(runtime: &Runtime, bin: &Path) -> Result<f64> {
    let mut child = runtime
        .command(
            &bin.join("simulate"),
            &["--for", "12", "--run", "hello_xr", "-g", "Vulkan2"],
        )?
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut started = None;
    let mut focused = None;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            if line.starts_with("started ") {
                started = Some(Instant::now());
            } else if line.contains("XR_SESSION_STATE_FOCUSED") && focused.is_none() {
                focused = started.map(|started| started.elapsed().as_secs_f64());
            }
        }
    }
    child.wait()?;
    focused.context("hello_xr did not reach XR_SESSION_STATE_FOCUSED within 12 s")
}

fn last_ci_minutes() -> Option<f64> {
    let text = std::fs::read_to_string(target_dir().join("measure/ci.json")).ok()?;
    let suite: serde_json::Value = serde_json::from_str(&text).ok()?;
    suite["figures"][0]["value"].as_f64()
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
