//! `cargo xtask run`: a lesson, through whatever this machine can show it with.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cargo::{cargo, succeed, target_dir};
use crate::machine;
use crate::runtime::Runtime;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of a bundled lesson, or a lesson file.
    #[arg(long, default_value = "first-steps")]
    lesson: String,
    /// A simulated headset with a scripted learner, whatever else there is.
    #[arg(long)]
    sim: bool,
    /// Further arguments for `malloc-vr play`.
    #[arg(last = true)]
    play: Vec<String>,
}

/// `cargo xtask run`.
///
/// # Errors
/// Where building, setting up or playing fails.
pub fn run(args: &Args) -> Result<()> {
    let simulate = args.sim || !can_show();
    if simulate && !args.sim {
        println!(
            "No headset (no OpenXR runtime is installed) and no display (DISPLAY is not set):\n\
             playing in a simulated headset, with a scripted learner."
        );
    }
    if !simulate {
        machine::prepare_window();
    }
    println!("building (the first time takes about 15 minutes on 2 cores) …");
    succeed(&mut cargo(&["build", "--workspace", "--bins"]))?;
    let bin = target_dir().join("debug");
    if simulate {
        let runtime = Runtime::ready()?;
        println!("simulated headset: {}", runtime.describe());
        let mut arguments = vec!["--lesson".to_owned(), args.lesson.clone()];
        if !args.play.is_empty() {
            arguments.push("--".to_owned());
            arguments.extend(args.play.iter().cloned());
        }
        succeed(&mut runtime.command(&bin.join("simulate"), &arguments)?)
    } else {
        let mut command = std::process::Command::new(bin.join("malloc-vr"));
        command.arg("play").arg(&args.lesson).args(&args.play);
        succeed(&mut command)
    }
}

/// Whether a runtime is installed or a display is there. Which of them serves, `malloc-vr play` finds out.
fn can_show() -> bool {
    let display = std::env::var_os("DISPLAY").is_some_and(|display| !display.is_empty());
    display
        || std::env::var_os("XR_RUNTIME_JSON").is_some()
        || runtime_manifests().iter().any(|file| file.exists())
}

/// Where an active OpenXR runtime is named (OpenXR loader specification, "Runtime discovery").
fn runtime_manifests() -> Vec<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    config
        .into_iter()
        .chain(
            ["/etc/xdg", "/usr/local/share", "/usr/share", "/etc"]
                .map(|folder| Path::new(folder).to_owned()),
        )
        .map(|folder| folder.join("openxr/1/active_runtime.json"))
        .collect()
}
