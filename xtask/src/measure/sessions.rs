//! The sessions suite: what a session costs, and how punctual its stream is.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::Result;
use serde::Deserialize;

use super::{Args, Missing, Suite, figure};
use crate::cargo::{build_test, cargo, succeed, target_dir};

/// One figure of one run.
#[derive(Debug, Clone, Deserialize)]
struct Measured {
    value: f64,
    n: u64,
}

/// What is taken over from `measure-sessions`: name, unit, goal, which is better.
const FIGURES: [(&str, &str, Option<f64>, &str); 15] = [
    ("events_folded_per_s", "1/s", None, "higher"),
    ("append_p50_us", "us", None, "lower"),
    ("append_p99_us", "us", None, "lower"),
    ("pii_us_per_text", "us", Some(10.0), "lower"),
    ("privacy_us_per_event", "us", Some(10.0), "lower"),
    ("decision_p99_us", "us", None, "lower"),
    ("detection_to_applied_p99_ms", "ms", Some(150.0), "lower"),
    ("learning_ms_per_frame", "ms", Some(0.3), "lower"),
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
    let mut build = cargo(&["build", "--release", "--workspace"]);
    succeed(build.args(["--bin", "measure-sessions"]))?;
    let program = target_dir().join("release/measure-sessions");
    let mut suite = Suite::new("sessions", "release");
    let mut runs: Vec<BTreeMap<String, Measured>> = Vec::new();
    for round in 1..=args.rounds.max(1) {
        println!("round {round} of {}", args.rounds.max(1));
        let mut program = Command::new(&program);
        runs.push(super::learning::run(program.arg(args.seconds.to_string()))?);
    }
    kills(&mut suite)?;
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

/// Processes killed while they record, by the test that checks each store afterwards.
fn kills(suite: &mut Suite) -> Result<()> {
    let test = build_test("crash")?;
    let output = Command::new(test)
        .args(["five_hundred_kills", "--nocapture"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let told = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.split_once(name)?.1.trim().parse::<f64>().ok())
    };
    let runs = told("kill9_runs ");
    for (name, goal, better) in [
        ("kill9_runs", 500.0, "higher"),
        ("kill9_acknowledged_lost", 0.0, "lower"),
    ] {
        let Some(value) = told(&format!("{name} ")) else {
            suite.missing.push(Missing {
                name: name.into(),
                why: format!("the test told nothing: {text}"),
            });
            continue;
        };
        let n = runs.unwrap_or(0.0) as u64;
        let mut figure = figure(name, "count", Some(goal), "none", n, &[value]);
        figure.better = better;
        suite.figures.push(figure);
    }
    Ok(())
}
