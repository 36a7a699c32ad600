//! The bridge suite: a class over WebSocket, against a bare echo server in the same run.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::Result;
use serde::Deserialize;

use super::{Args, Missing, Suite, figure};
use crate::cargo::{cargo, succeed, target_dir};

/// One figure of one run.
#[derive(Debug, Clone, Deserialize)]
struct Measured {
    value: f64,
    n: u64,
}

const ECHO: &str = "bare tokio-tungstenite echo server, same messages, same run, in turns";

/// What a class costs.
///
/// # Errors
/// Where our own program doesn't build or run.
pub(super) fn measure(args: &Args) -> Result<Suite> {
    let mut build = cargo(&["build", "--release", "--workspace"]);
    succeed(build.args(["--bin", "measure-bridge"]))?;
    let program = target_dir().join("release/measure-bridge");
    let mut suite = Suite::new("bridge", "release");
    let mut runs: Vec<BTreeMap<String, Measured>> = Vec::new();
    for round in 1..=args.rounds.max(1) {
        println!("round {round} of {}", args.rounds.max(1));
        let mut program = Command::new(&program);
        runs.push(super::learning::run(program.arg(args.seconds.to_string()))?);
    }
    let mut names: Vec<&String> = runs.iter().flat_map(BTreeMap::keys).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let measured: Vec<&Measured> = runs.iter().filter_map(|run| run.get(name)).collect();
        let values: Vec<f64> = measured.iter().map(|it| it.value).collect();
        let n = measured.iter().map(|it| it.n).sum();
        let (unit, goal, better) = about(name);
        let against = match name.starts_with("throughput_vs_echo") {
            true => ECHO,
            false => "none",
        };
        let mut figure = figure("", unit, goal, against, n, &values);
        figure.name = name.clone().into();
        figure.better = better;
        suite.figures.push(figure);
    }
    match super::capture::figures(args) {
        Ok((figures, missing)) => {
            suite.figures.extend(figures);
            suite.missing.extend(missing);
        }
        Err(error) => suite.missing.push(Missing {
            name: "capture_frame_ratio, subscribers_frame_ratio".into(),
            why: format!("{error:#}"),
        }),
    }
    Ok(suite)
}

/// Unit, goal, and which is better.
fn about(name: &str) -> (&'static str, Option<f64>, &'static str) {
    let goal = match name {
        "snapshot_to_adaptation_p99_ms_256" => Some(5.0),
        "snapshot_to_adaptation_p99_ms_8192" => Some(25.0),
        "throughput_vs_echo" => Some(0.6),
        // Ten times what the original's server did on one of these cores.
        "saturated_messages_per_s_64" => Some(24_500.0),
        "memory_per_connection_kib" => Some(32.0),
        "connect_p99_ms" => Some(50.0),
        "connect_tls_p99_ms" => Some(150.0),
        "mcp_call_p99_ms" => Some(10.0),
        _ => None,
    };
    let (unit, better) = if name.starts_with("throughput_vs_echo") {
        ("ratio", "higher")
    } else if name.contains("messages_per_s") {
        ("1/s", "higher")
    } else if name.contains("_ms") {
        ("ms", "lower")
    } else if name.ends_with("_us") {
        ("us", "lower")
    } else if name.ends_with("_kib") {
        ("KiB", "lower")
    } else if name.starts_with("attempts") {
        ("attempts", "higher")
    } else {
        ("bytes", "lower")
    };
    (unit, goal, better)
}
