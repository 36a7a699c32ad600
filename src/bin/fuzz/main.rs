//! Throws broken input at everything that comes from outside: a real door with a lesson behind it, and the lesson reader.
//! `fuzz TARGET --minutes N`; `cargo xtask fuzz` runs them all. Fails on a panic, on a door that answers no more, and on
//! memory that grows without end.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

mod mutate;
mod room;
mod throw;

use mutate::Corpus;
use throw::Thrower;

/// Inputs kept, so that the one that did it is among them.
const REMEMBERED: usize = 64;
/// Inputs between two looks at health and memory.
const LOOK: u64 = 2000;
/// Most that memory may grow after the first tenth of the run, MiB.
const GROWTH: f64 = 256.0;

/// What is thrown at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Bytes where HTTP is expected.
    Http,
    /// Bytes where TLS is expected.
    Tls,
    /// Bodies of MCP requests.
    Mcp,
    /// Bodies of pairing requests.
    Pairing,
    /// Frames of a WebSocket.
    Websocket,
    /// Lesson files.
    Lesson,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Mcp => "mcp",
            Self::Pairing => "pairing",
            Self::Websocket => "websocket",
            Self::Lesson => "lesson",
        }
    }
}

#[derive(Debug, Parser)]
struct Args {
    /// What to throw at.
    target: Target,
    /// How long.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// The same seed gives the same mutations, as far as answers come in the same order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder with a folder of inputs for each target.
    #[arg(long, default_value = "fuzz/corpus")]
    corpus: PathBuf,
    /// Where inputs go that broke something.
    #[arg(long, default_value = "target/fuzz")]
    failures: PathBuf,
}

static PANICKED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICKED.store(true, Ordering::SeqCst);
        usual(panic);
    }));
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let name = args.target.name();
    let mut corpus = Corpus::read(&args.corpus.join(name), args.seed)?;
    let mut thrower = Thrower::new(args.target)?;
    let mut last: VecDeque<Vec<u8>> = VecDeque::new();
    let begun = Instant::now();
    let whole = Duration::try_from_secs_f64(args.minutes * 60.0).context("--minutes")?;
    let (mut thrown, mut at_first) = (0_u64, None);
    // What is checked in comes first, as it is.
    let mut as_they_are = corpus.inputs().to_vec().into_iter();
    while begun.elapsed() < whole {
        let input = as_they_are.next().unwrap_or_else(|| corpus.next());
        if last.len() == REMEMBERED {
            last.pop_front();
        }
        last.push_back(input.clone());
        let answer = thrower.throw(&input);
        thrown += 1;
        if PANICKED.load(Ordering::SeqCst) {
            let folder = keep(&args.failures.join(name), &last)?;
            bail!(
                "{name}: a panic after {thrown} inputs; the last of them are in {}",
                folder.display()
            );
        }
        match answer {
            Ok(answer) => corpus.learn(&input, &answer),
            Err(error) => {
                let folder = keep(&args.failures.join(name), &last)?;
                return Err(error.context(format!(
                    "{name}: after {thrown} inputs, the last in {}",
                    folder.display()
                )));
            }
        }
        if thrown.is_multiple_of(LOOK) {
            thrower
                .is_well()
                .with_context(|| format!("{name}: after {thrown} inputs"))?;
            let used = resident_mib();
            let early = begun.elapsed() < whole / 10;
            match at_first {
                None => at_first = used,
                Some(_) if early => at_first = used,
                Some(first) if used.is_some_and(|used| used > first + GROWTH) => {
                    bail!(
                        "{name}: memory grew from {first:.0} to {:.0} MiB",
                        used.unwrap_or(0.0)
                    );
                }
                Some(_) => {}
            }
        }
    }
    thrower
        .is_well()
        .with_context(|| format!("{name}: at the end"))?;
    let rate = thrown as f64 / begun.elapsed().as_secs_f64();
    let memory = match (at_first, resident_mib()) {
        (Some(first), Some(now)) => format!(", memory {first:.0} → {now:.0} MiB"),
        _ => String::new(),
    };
    println!(
        "{name}: {thrown} inputs ({rate:.0}/s), {} kinds of answers{memory}, nothing broke",
        corpus.kinds()
    );
    Ok(())
}

fn keep(folder: &Path, inputs: &VecDeque<Vec<u8>>) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for (at, input) in inputs.iter().rev().enumerate() {
        fs::write(folder.join(format!("{at:02}")), input)?;
    }
    Ok(folder.to_owned())
}

/// Memory of this process, MiB; `None` where the system does not say.
fn resident_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
