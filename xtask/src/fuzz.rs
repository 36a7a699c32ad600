//! `cargo xtask fuzz`: broken input for everything that comes from outside.

use anyhow::Result;

use crate::cargo::{cargo, succeed, target_dir};

/// All targets, in the order in which they run.
const TARGETS: [&str; 6] = ["http", "tls", "mcp", "pairing", "websocket", "lesson"];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these: http, tls, mcp, pairing, websocket, lesson.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS))]
    targets: Vec<String>,
    /// How long each is thrown at.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Another seed gives other mutations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// `cargo xtask fuzz`.
///
/// # Errors
/// Where something does not build, or an input broke something.
pub fn run(args: &Args) -> Result<()> {
    succeed(&mut cargo(&["build", "--workspace", "--bins"]))?;
    let chosen: Vec<&str> = if args.targets.is_empty() {
        TARGETS.to_vec()
    } else {
        args.targets.iter().map(String::as_str).collect()
    };
    for target in chosen {
        let mut fuzz = std::process::Command::new(target_dir().join("debug/fuzz"));
        fuzz.args([target, "--minutes", &args.minutes.to_string()])
            .args(["--seed", &args.seed.to_string()])
            .current_dir(crate::root());
        succeed(&mut fuzz)?;
    }
    Ok(())
}
