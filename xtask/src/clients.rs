//! `cargo xtask clients`: MCP as those who use it speak it. The official Python SDK's client, in both eras, and the
//! Inspector's command line, against a running lesson.
//!
//! Both are put into `target/`: the SDK into a virtual environment, the Inspector with the Node that it wants.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, succeed, target_dir};

/// The official Python SDK.
const SDK: &str = "mcp==2.3.0";
/// The Inspector, and a Node that is new enough for it.
const INSPECTOR: &str = "@modelcontextprotocol/inspector@2.12.0";
const NODE: &str = "node@22";
/// How the SDK connects: with `initialize`; as it finds out by itself; without.
const ERAS: [&str; 3] = ["legacy", "auto", "2026-07-28"];
/// What opens everything while the lesson runs.
const TOKEN: &str = "a-token-for-real-clients";
/// What the Inspector is told to do, and what has to stand in its answer.
const INSPECTED: [(&[&str], &str); 9] = [
    (&["tools/list"], "class.list_learners"),
    (
        &["tools/call", "--tool-name", "class.list_learners"],
        "first-steps",
    ),
    (
        &[
            "tools/call",
            "--tool-name",
            "intervene.message",
            "--tool-arg",
            "text=hello",
        ],
        "\"done\": true",
    ),
    (
        &["tools/call", "--tool-name", "session.stop"],
        "cannot be undone",
    ),
    (&["resources/list"], "class://roster"),
    (
        &["resources/read", "--uri", "class://roster"],
        "first-steps",
    ),
    (&["resources/templates/list"], "lesson://{lesson}/graph"),
    (&["prompts/list"], "class-debrief"),
    (
        &["prompts/get", "--prompt-name", "class-debrief"],
        "messages",
    ),
];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where npm, Python or a network is missing, fail, instead of saying so and leaving it out.
    #[arg(long)]
    required: bool,
}

/// `cargo xtask clients`.
///
/// # Errors
/// Where a client does not get what it should, or, if `--required`, where something is missing.
pub fn run(args: &Args) -> Result<()> {
    let missing = |why: anyhow::Error| -> Result<()> {
        if args.required {
            return Err(why);
        }
        println!("clients: skipped: {why:#}");
        Ok(())
    };
    let (python, inspector) = (python(), inspector());
    if python.is_err() && inspector.is_err() {
        return missing(python.err().context("no client is at hand")?);
    }
    // The whole workspace, so that the engine is not compiled again with other features.
    succeed(&mut cargo(&["build", "--workspace", "--bin", "malloc-vr"]))?;
    let lesson = Lesson::start()?;
    match python {
        Ok(python) => {
            for era in ERAS {
                let mut client = Command::new(&python);
                client
                    .arg(crate::root().join("xtask/clients/clients.py"))
                    .arg(era)
                    .env("MALLOC_VR_URL", &lesson.url)
                    .env("MALLOC_VR_TOKEN", TOKEN);
                succeed(&mut client)?;
            }
        }
        Err(why) => missing(why)?,
    }
    match inspector {
        Ok((node, inspector)) => inspect(&node, &inspector, &lesson.url)?,
        Err(why) => missing(why)?,
    }
    Ok(())
}

/// The Inspector's command line, once for each thing that it is told to do, in both eras.
fn inspect(node: &Path, inspector: &Path, url: &str) -> Result<()> {
    for era in ["legacy", "modern"] {
        for (does, wanted) in INSPECTED {
            let output = Command::new(node)
                .arg(inspector)
                .args(["--cli", url, "--transport", "http", "--protocol-era", era])
                .arg("--method")
                .args(does)
                .arg("--header")
                .arg(format!("Authorization: Bearer {TOKEN}"))
                .output()
                .context("cannot start the Inspector")?;
            let words = String::from_utf8_lossy(&output.stdout);
            let complaint = String::from_utf8_lossy(&output.stderr);
            if !words.contains(wanted) && !complaint.contains(wanted) {
                let does = does.join(" ");
                bail!("the Inspector ({era}), {does}: no `{wanted}` in\n{words}\n{complaint}");
            }
            println!("ok   inspector, {era}: {}", does.join(" "));
        }
    }
    Ok(())
}

/// A lesson that runs without a view, with a learner who may be seen; ended when dropped.
struct Lesson {
    child: Child,
    url: String,
}

impl Lesson {
    fn start() -> Result<Self> {
        let home = target_dir().join("clients");
        // Whoever was here last has a lesson that was changed.
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home)?;
        let program = target_dir().join("debug").join("malloc-vr");
        let mut child = Command::new(&program)
            .args(["play", "--headless", "--age-band", "adult"])
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&home)
            .env("MALLOC_VR_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("it has no output")?;
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let url = lines.find_map(|line| {
            let rest = line.strip_prefix("instructor: ")?;
            rest.split(' ').next().map(|url| format!("{url}mcp"))
        });
        // Whatever else it says goes on being read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        match url {
            Some(url) => Ok(Self { child, url }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("the lesson does not say where it listens")
            }
        }
    }
}

impl Drop for Lesson {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Python that has the SDK.
fn python() -> Result<PathBuf> {
    let folder = target_dir().join("python").join("mcp");
    let (python, mark) = (folder.join("bin/python"), folder.join(SDK));
    if !mark.exists() {
        std::fs::create_dir_all(&folder)?;
        quiet(
            Command::new("python3").args(["-m", "venv"]).arg(&folder),
            "python3 is not here or has no venv; install Python 3.10 or later",
        )?;
        quiet(
            Command::new(&python).args(["-m", "pip", "install", "-q", SDK]),
            "pip could not install the MCP SDK (is there a network?)",
        )?;
        std::fs::write(&mark, "")?;
    }
    Ok(python)
}

/// A Node, and the Inspector's program.
fn inspector() -> Result<(PathBuf, PathBuf)> {
    let folder = target_dir().join("npm").join("inspector");
    let node = folder.join("node_modules/node/bin/node");
    let program = folder.join("node_modules/.bin/mcp-inspector");
    let mark = folder.join(INSPECTOR.replace('/', "-"));
    if !mark.exists() || !node.exists() || !program.exists() {
        std::fs::create_dir_all(&folder)?;
        quiet(
            Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--prefix"])
                .arg(&folder)
                .args([INSPECTOR, NODE]),
            "npm is not here or could not install the Inspector (is there a network?)",
        )?;
        std::fs::write(&mark, "")?;
    }
    Ok((node, program))
}

/// Runs something whose output matters only where it fails.
fn quiet(command: &mut Command, cure: &str) -> Result<()> {
    let output = command.output().with_context(|| cure.to_owned())?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{cure}: {}",
            words.lines().last().unwrap_or("it says nothing")
        );
    }
    Ok(())
}
