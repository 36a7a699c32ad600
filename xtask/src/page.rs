//! `cargo xtask page`: the instructor's page in a real Chromium, before a real classroom with 64 learners' runtimes.
//!
//! The browser is driven by npm's `playwright-core`, of the version that `xtask/page/package-lock.json` names; it is put
//! into `target/npm/page`. The browser itself is the system's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, succeed, target_dir};
use crate::measure::{Figure, Missing, Suite};

/// What the browser is called on various systems.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The browser, where it is none that is found by name.
    #[arg(long, env = "MALLOC_VR_CHROMIUM")]
    chromium: Option<PathBuf>,
    /// Where npm or a browser is missing, say so and fail, instead of leaving it out.
    #[arg(long)]
    required: bool,
    /// The page as it lies in `src/bridge/page`, not as it was built in: to work on it.
    #[arg(long)]
    sources: bool,
    /// Only the steps with one of these words in their name, `|` between them; no figures are written then.
    #[arg(long)]
    only: Option<String>,
    /// The optimised program, for honest figures.
    #[arg(long)]
    release: bool,
}

/// `cargo xtask page`.
///
/// # Errors
/// Where the page does not do what it should, or, if `--required`, where something is missing.
pub fn run(args: &Args) -> Result<()> {
    let suite = checked(args)?;
    if args.only.is_some() {
        return Ok(());
    }
    suite.write()
}

/// In CI, where npm and a browser are at hand; otherwise it says what is missing.
///
/// # Errors
/// Where the page does not do what it should.
pub fn where_possible() -> Result<()> {
    run(&Args {
        chromium: None,
        required: false,
        sources: false,
        only: None,
        release: false,
    })
}

fn checked(args: &Args) -> Result<Suite> {
    let mut suite = Suite::new("page", if args.release { "release" } else { "dev" });
    let (node, browser) = match tools(args) {
        Ok(found) => found,
        Err(why) if args.required => return Err(why),
        Err(why) => {
            println!("page: skipped: {why:#}");
            suite.missing.push(Missing {
                name: "delay_64_max_ms".into(),
                why: format!("{why:#}"),
            });
            return Ok(suite);
        }
    };
    let out = target_dir().join("page");
    std::fs::create_dir_all(&out)?;
    let check = crate::root().join("xtask/page/check.mjs");
    let mut test = cargo(&["test", "--workspace", "--test", "page"]);
    if args.release {
        test.arg("--release");
    }
    if args.sources {
        let sources = crate::root().join("src/bridge/page");
        test.env("MALLOC_VR_PAGE_SOURCES", sources);
    }
    if let Some(only) = &args.only {
        test.env("MALLOC_VR_PAGE_ONLY", only);
    }
    succeed(
        test.args(["--", "--ignored", "--nocapture"])
            .env("MALLOC_VR_PAGE_NODE", node)
            .env("MALLOC_VR_PAGE_CHECK", check)
            .env("MALLOC_VR_PAGE_CHROMIUM", browser)
            .env("MALLOC_VR_PAGE_NPM", folder())
            .env("MALLOC_VR_PAGE_OUT", &out),
    )?;
    println!("pictures: {}", out.display());
    if args.only.is_some() {
        return Ok(suite);
    }
    let file = out.join("figures.json");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{} is not there", file.display()))?;
    let figures: BTreeMap<String, f64> = serde_json::from_str(&text)?;
    let events = figures.get("delay_64_events").copied().unwrap_or(0.0);
    for (name, value) in figures {
        let unit = if name.ends_with("_ms") { "ms" } else { "count" };
        suite.figures.push(Figure {
            // From what happened in a learner's runtime to the screen, at most.
            goal: (name == "delay_64_max_ms").then_some(1000.0),
            better: if unit == "ms" { "lower" } else { "higher" },
            baseline: "none",
            n: events as u64,
            spread: [value, value],
            name: name.into(),
            value,
            unit,
        });
    }
    Ok(suite)
}

fn folder() -> PathBuf {
    target_dir().join("npm").join("page")
}

/// Node and the browser; puts the driver where it belongs.
fn tools(args: &Args) -> Result<(PathBuf, PathBuf)> {
    let answers = |program: &str| {
        let known = Command::new(program)
            .arg("--version")
            .stderr(Stdio::null())
            .output();
        known.is_ok_and(|output| output.status.success())
    };
    if !answers("npm") || !answers("node") {
        bail!("node and npm are not here; install Node.js 20 or later (https://nodejs.org)");
    }
    let browser = match &args.chromium {
        Some(browser) => browser.clone(),
        None => BROWSERS
            .into_iter()
            .find(|name| answers(name))
            .and_then(on_the_path)
            .context(
                "no Chromium is here; `apt-get install chromium`, or name one with --chromium",
            )?,
    };
    let folder = folder();
    std::fs::create_dir_all(&folder)?;
    let from = crate::root().join("xtask/page");
    let lock = std::fs::read(from.join("package-lock.json"))?;
    let there = folder.join("node_modules/playwright-core/index.mjs");
    let old = std::fs::read(folder.join("package-lock.json")).unwrap_or_default();
    if !there.exists() || old != lock {
        std::fs::copy(from.join("package.json"), folder.join("package.json"))?;
        std::fs::write(folder.join("package-lock.json"), &lock)?;
        let installed = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .stdout(Stdio::null())
            .output()?;
        if !installed.status.success() {
            let words = String::from_utf8_lossy(&installed.stderr);
            let last = words.lines().last().unwrap_or("npm says nothing");
            bail!("npm could not install playwright-core (is there a network?): {last}");
        }
    }
    Ok(("node".into(), browser))
}

/// The driver wants the whole path.
fn on_the_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
