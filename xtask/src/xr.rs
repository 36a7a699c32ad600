//! `cargo xtask xr`: the OpenXR tests alone, or pictures of what the learner sees.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, succeed, target_dir};
use crate::runtime::Runtime;
use crate::{root, test};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Take a picture of both eyes and write it here (PNG) instead of testing; several with several `--at`.
    #[arg(long, value_name = "OUT.png")]
    picture: Option<PathBuf>,
    /// At which step the picture is taken; may be given several times. Left out: at the first.
    #[arg(long, value_name = "STEP", requires = "picture")]
    at: Vec<String>,
    /// Lesson for the picture.
    #[arg(long, default_value = "first-steps", requires = "picture")]
    lesson: String,
    /// Open the menu for the picture and take this choice of it, by its words; an empty one leaves it at its first page.
    #[arg(
        long,
        value_name = "CHOICE",
        requires = "picture",
        conflicts_with = "at"
    )]
    menu: Option<String>,
    /// Only the tests whose name contains this.
    #[arg(conflicts_with = "picture")]
    filter: Option<String>,
    /// Further arguments for `malloc-vr play` when a picture is taken.
    #[arg(last = true, requires = "picture")]
    play: Vec<String>,
}

/// `cargo xtask xr`.
///
/// # Errors
/// Where a test fails or no picture can be taken.
pub fn run(args: &Args) -> Result<()> {
    let runtime = Runtime::ready()?;
    succeed(&mut cargo(&["build", "--workspace", "--bins"]))?;
    let Some(picture) = &args.picture else {
        let tally = test::xr(&runtime, args.filter.as_deref())?;
        println!("\n{} passed, {} failed", tally.passed, tally.failed);
        if tally.failed > 0 || tally.passed == 0 {
            bail!("{} failed, {} passed", tally.failed, tally.passed);
        }
        return Ok(());
    };
    // The runtime may live in a folder of its own that sees only workspace and target: the picture is taken there.
    let taken = target_dir().join("picture.png");
    let mut arguments = vec!["--lesson".to_owned(), args.lesson.clone()];
    arguments.extend(["--picture".to_owned(), taken.display().to_string()]);
    for step in &args.at {
        arguments.extend(["--at".to_owned(), step.clone()]);
    }
    if let Some(choice) = &args.menu {
        arguments.extend(["--menu".to_owned(), choice.clone()]);
    }
    if !args.play.is_empty() {
        arguments.push("--".to_owned());
        arguments.extend(args.play.iter().cloned());
    }
    succeed(&mut runtime.command(&target_dir().join("debug/simulate"), &arguments)?)?;
    let steps: Vec<Option<&str>> = match args.at.as_slice() {
        [] | [_] => vec![None],
        several => several.iter().map(|step| Some(step.as_str())).collect(),
    };
    for step in steps {
        let (from, to) = (named(&taken, step), named(&root().join(picture), step));
        std::fs::copy(&from, &to)
            .with_context(|| format!("no picture came out at {}", from.display()))?;
        println!("{}", to.display());
    }
    Ok(())
}

/// `out.png`, or `out-STEP.png` where several are taken.
fn named(picture: &std::path::Path, step: Option<&str>) -> PathBuf {
    match step {
        None => picture.to_owned(),
        Some(step) => {
            let stem = picture.file_stem().unwrap_or_default().to_string_lossy();
            picture.with_file_name(format!("{stem}-{step}.png"))
        }
    }
}
