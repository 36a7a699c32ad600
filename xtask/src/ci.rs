//! `cargo xtask ci`: what `.ci/run` calls.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::apk;
use crate::cargo::{cargo, succeed};
use crate::measure::{Figure, Suite};
use crate::test;

/// Format, lints, docs, the headset's library, tests; the time of each is printed.
///
/// # Errors
/// At the first stage that fails.
pub fn run() -> Result<()> {
    let start = Instant::now();
    let mut stages = Vec::new();
    let mut stage = |name: &'static str, work: &mut dyn FnMut() -> Result<()>| {
        println!("\n=== {name}");
        let begun = Instant::now();
        let done = work();
        stages.push((name, begun.elapsed()));
        done
    };
    stage("format", &mut || {
        succeed(&mut cargo(&["fmt", "--all", "--check"]))
    })?;
    stage("lints", &mut || {
        succeed(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    stage("docs", &mut || {
        succeed(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    stage("headset", &mut headset)?;
    let mut tally = test::Tally::default();
    stage("tests", &mut || {
        tally = test::all(true, None)?;
        Ok(())
    })?;
    // Only where npm is at hand; otherwise it says what is missing.
    stage("conformance", &mut || {
        crate::measure::conformance::measure()?.write()
    })?;
    // Only where npm and a Chromium are at hand, too.
    stage("page", &mut crate::page::where_possible)?;
    println!();
    for (name, time) in &stages {
        println!("{name:<11} {:>6.1} min", time.as_secs_f64() / 60.0);
    }
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    println!("total       {minutes:>6.1} min");
    Suite::new("ci", "dev")
        .with(Figure {
            name: "ci_minutes".into(),
            value: minutes,
            unit: "minutes",
            goal: Some(60.0),
            better: "lower",
            baseline: "none",
            n: 1,
            spread: [minutes, minutes],
        })
        .write()?;
    println!("\n{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed > 0 {
        bail!("{} test(s) failed", tally.failed);
    }
    if tally.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// The library for the headset compiles, links and can be packaged.
///
/// All of it in every run, not only where `Cargo.lock` or `android/` changed: our own code calls what an old Android
/// lacks as easily as a new dependency does, and a build that links is a type-check, too. From nothing it takes 10
/// minutes on 2 cores; with the engine compiled in the user's cache, which a changed `Cargo.lock` renews crate by
/// crate, 2.
fn headset() -> Result<()> {
    apk::c_compilers::none()?;
    if let Err(why) = apk::can_link_check() {
        println!("LEFT OUT: the headset's library is not checked: {why}");
        return Ok(());
    }
    println!("{}", apk::link_check(false)?);
    Ok(())
}
