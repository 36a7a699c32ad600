//! The `malloc-vr` command.

use std::process::ExitCode;

use clap::Parser;
use malloc_vr::app;
use malloc_vr::app::cli::Cli;

fn main() -> ExitCode {
    match app::run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", app::with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
