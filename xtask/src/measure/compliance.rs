//! The compliance suite: how many of the laws' rules apply, and how many hold.

use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Args, Figure, Suite};
use crate::cargo::{cargo, succeed, target_dir};

/// What `measure-compliance` tells.
#[derive(Debug, Deserialize)]
struct Told {
    rules_applicable: u32,
    rules_passed: u32,
    failures: Vec<Failure>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    rule: String,
    why: String,
}

/// Rules that apply and hold, over a store that was really exercised.
///
/// # Errors
/// Where our own program doesn't build or run.
pub(super) fn measure(args: &Args) -> Result<Suite> {
    let profile = if args.release { "release" } else { "dev" };
    let mut build = cargo(&["build", "--package", "malloc-vr"]);
    build.args(["--bin", "measure-compliance"]);
    if args.release {
        build.arg("--release");
    }
    succeed(&mut build)?;
    let folder = if args.release { "release" } else { "debug" };
    let program = target_dir().join(folder).join("measure-compliance");
    let output = Command::new(&program)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    anyhow::ensure!(
        output.status.success(),
        "{}: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let told: Told = serde_json::from_slice(&output.stdout)
        .context("measure-compliance printed something else than its figures")?;
    for failure in &told.failures {
        println!("{}: {}", failure.rule, failure.why);
    }
    let count = |name: &'static str, value: u32, goal: Option<f64>| Figure {
        name: name.into(),
        value: f64::from(value),
        unit: "rules",
        goal,
        better: "higher",
        baseline: "none",
        n: u64::from(told.rules_applicable),
        spread: [f64::from(value); 2],
    };
    Ok(Suite::new("compliance", profile)
        .with(count("rules_applicable", told.rules_applicable, Some(20.0)))
        .with(count(
            "rules_passed",
            told.rules_passed,
            Some(f64::from(told.rules_applicable)),
        )))
}
