//! `cargo xtask …`: everything a developer does with Malloc VR, one file a command.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod apk;
mod cargo;
mod ci;
mod clients;
mod fuzz;
mod machine;
mod measure;
mod page;
mod run;
mod runtime;
mod test;
mod xr;

/// Builds, runs, tests and measures Malloc VR.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what this machine lacks, or say what to type.
    Setup(machine::Args),
    /// Play a lesson: headset, else desktop window, else a simulated headset with a scripted learner.
    Run(run::Args),
    /// Run every test, the OpenXR ones too.
    Test(test::Args),
    /// What CI runs: format, lints, docs, the headset's library, tests.
    Ci,
    /// The whole product against a real OpenXR runtime; or a picture of what the learner sees.
    Xr(xr::Args),
    /// The instructor's page in a real Chromium, before a classroom of 64 learners.
    Page(page::Args),
    /// Real MCP clients (the Python SDK, the Inspector) against a running lesson.
    Clients(clients::Args),
    /// Throw broken input at everything that comes from outside.
    Fuzz(fuzz::Args),
    /// The package for the headset: built, signed, checked, installed.
    Apk(apk::Args),
    /// Measure, print a table, write target/measure/SUITE.json.
    Measure(measure::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Setup(args) => machine::setup(&args),
        Task::Run(args) => run::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Ci => ci::run(),
        Task::Xr(args) => xr::run(&args),
        Task::Page(args) => page::run(&args),
        Task::Clients(args) => clients::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Apk(args) => apk::run(&args),
        Task::Measure(args) => measure::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::from(status(&error))
        }
    }
}

/// 1 for a failure. 2 where nothing is wrong with the project: this machine lacks something, and the message says what.
fn status(error: &anyhow::Error) -> u8 {
    if error.is::<apk::Missing>() { 2 } else { 1 }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    // The manifest of xtask lies one folder below it.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_broken_have_statuses_of_their_own() {
        let missing = anyhow::Error::from(apk::Missing(Vec::new()));
        assert_eq!(status(&missing), 2);
        assert_eq!(status(&missing.context("on the way")), 2);
        assert_eq!(status(&anyhow::anyhow!("it does not compile")), 1);
    }
}
