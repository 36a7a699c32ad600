//! Whether the program does what the laws ask of software: exercises a real store through the program's own doors, asks
//! every rule, and prints one JSON object for `cargo xtask measure compliance`.
//!
//! With arguments it is `malloc-vr` itself: it starts itself that way, so that what is counted is what the program does.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use malloc_vr::app::cli::Cli;
use malloc_vr::record::aggregate::AggregatePolicy;
use malloc_vr::record::compliance::{Subject, check};
use malloc_vr::record::consent::ConsentPolicy;
use malloc_vr::record::purpose::RetentionPolicy;
use serde_json::json;

mod doors;
mod exercise;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if std::env::args_os().len() > 1 {
        return malloc_vr::app::run(Cli::parse().command);
    }
    let folder = tempfile::tempdir()?;
    let facts = exercise::facts(folder.path())?;
    // As delivered: the most protective country, which all three laws bind, with children among the learners.
    let consent = ConsentPolicy::default();
    let retention = RetentionPolicy::default();
    let aggregate = AggregatePolicy::default();
    let subject = Subject::of(true, &consent, &retention, &aggregate, Some(&facts));
    let report = check(&subject);
    let failures: Vec<_> = report
        .failures()
        .map(|(id, why)| json!({ "rule": id, "why": why }))
        .collect();
    let figures = json!({
        "rules_applicable": report.applicable(),
        "rules_passed": report.passed(),
        "failures": failures,
        "store": facts,
    });
    println!("{figures}");
    Ok(ExitCode::SUCCESS)
}
