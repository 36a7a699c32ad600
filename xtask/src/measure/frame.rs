//! The frame suite: what a frame costs, how many are missed, and how long a start takes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Args, Missing, Suite, figure};
use crate::cargo::{cargo, succeed, target_dir};
use crate::runtime::Runtime;

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
///
/// # Errors
/// Where there is no simulated headset, or a program of ours does not build or run.
pub(super) fn measure(args: &Args) -> Result<Suite> {
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
pub(super) fn loader_folder() -> Result<PathBuf> {
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
