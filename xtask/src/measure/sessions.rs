//! The sessions suite: what a session costs, and how punctual its stream is.

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

/// What is taken over from `measure-sessions`: name, unit, goal, which is better.
const FIGURES: [(&str, &str, Option<f64>, &str); 8] = [
    ("events_folded_per_s", "1/s", None, "higher"),
    ("resume_10k_events_ms", "ms", Some(2000.0), "lower"),
    ("memory_per_idle_learner_kib", "KiB", Some(64.0), "lower"),
    ("memory_per_learner_kib", "KiB", Some(64.0), "lower"),
    ("memory_per_learner_link_lost_kib", "KiB", None, "lower"),
    ("stream_interval_p99_error_ms", "ms", Some(50.0), "lower"),
    ("session_us_per_frame_64", "us", None, "lower"),
    ("steady_state_allocations", "count", Some(0.0), "lower"),
];

/// Costs of sessions.
///
/// # Errors
/// Where our own program doesn't build or run.
pub(super) fn measure(args: &Args) -> Result<Suite> {
    let mut build = cargo(&["build", "--release", "--package", "malloc-vr"]);
    succeed(build.args(["--bin", "measure-sessions"]))?;
    let program = target_dir().join("release/measure-sessions");
    let mut suite = Suite::new("sessions", "release");
    let mut runs: Vec<BTreeMap<String, Measured>> = Vec::new();
    for round in 1..=args.rounds.max(1) {
        println!("round {round} of {}", args.rounds.max(1));
        let mut program = Command::new(&program);
        runs.push(super::learning::run(program.arg(args.seconds.to_string()))?);
    }
    for (name, unit, goal, better) in FIGURES {
        let measured: Vec<&Measured> = runs.iter().filter_map(|run| run.get(name)).collect();
        if measured.is_empty() {
            suite.missing.push(Missing {
                name: name.into(),
                why: "measure-sessions did not tell it".to_owned(),
            });
            continue;
        }
        let values: Vec<f64> = measured.iter().map(|it| it.value).collect();
        let n = measured.iter().map(|it| it.n).sum();
        let mut figure = figure(name, unit, goal, "none", n, &values);
        figure.better = better;
        suite.figures.push(figure);
    }
    Ok(suite)
}
