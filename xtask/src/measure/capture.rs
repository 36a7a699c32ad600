//! What somebody beside the headset costs the learner: frames while somebody looks through their eyes as often as they may,
//! or while many subscribe to what happens, against frames of the same session while nobody does, in turns.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::subscribers::Subscribers;
use super::{Args, Figure, Suite, figure, loader_folder};
use crate::cargo::{cargo, succeed, target_dir};
use crate::runtime::Runtime;

const TOKEN: &str = "a-token-to-measure-by";
/// Somebody made up, who has agreed.
const LEARNER: &str = "00000000-0000-4000-8000-00000000ca97";
/// Instructors' programs that listen at once.
const SUBSCRIBERS: usize = 64;
/// The first frames load and compile.
const SETTLE: Duration = Duration::from_secs(8);

/// All frames so far.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Sums {
    frames: u64,
    missed: u64,
    cpu_total_s: f64,
    at_s: f64,
}

/// What a stretch of frames cost.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    frames: f64,
    work: f64,
    time: f64,
    missed: f64,
}

impl Stretch {
    fn add(&mut self, from: Sums, to: Sums) {
        self.frames += (to.frames - from.frames) as f64;
        self.work += to.cpu_total_s - from.cpu_total_s;
        self.time += to.at_s - from.at_s;
        self.missed += (to.missed - from.missed) as f64;
    }
}

/// Who is there in every other stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// One who fetches a picture a second.
    Looking,
    /// [`SUBSCRIBERS`] on the bridge's WebSocket.
    Subscribers,
}

/// These figures alone, without those of a class.
///
/// # Errors
/// As [`figures`].
pub(super) fn measure(args: &Args) -> Result<Suite> {
    let mut suite = Suite::new("capture", if args.release { "release" } else { "dev" });
    suite.figures = figures(args)?;
    Ok(suite)
}

/// `capture_frame_ratio`, `subscribers_frame_ratio` and what belongs to them.
///
/// # Errors
/// Where no simulated headset can be had, no picture comes, or no subscriber is taken in.
pub(super) fn figures(args: &Args) -> Result<Vec<Figure>> {
    let runtime = Runtime::ready()?;
    let mut build = cargo(&["build", "--workspace", "--bins"]);
    if args.release {
        build.arg("--release");
    }
    succeed(&mut build)?;
    let bin = target_dir().join(if args.release { "release" } else { "debug" });
    let mut all = compared(args, &runtime, &bin, Beside::Looking)?;
    all.extend(compared(args, &runtime, &bin, Beside::Subscribers)?);
    Ok(all)
}

/// Rounds with one kind beside.
fn compared(args: &Args, runtime: &Runtime, bin: &Path, beside: Beside) -> Result<Vec<Figure>> {
    let (mut work, mut interval, mut missed, mut taken, mut frames) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0.0);
    for round in 1..=args.rounds.max(1) {
        println!("{beside:?}, round {round} of {}", args.rounds.max(1));
        let (with, without, came) = run(runtime, bin, args.seconds, beside)?;
        let each = |of: &Stretch, sum: f64| sum / of.frames.max(1.0);
        work.push(each(&with, with.work) / each(&without, without.work));
        interval.push(each(&with, with.time) / each(&without, without.time));
        missed.push(each(&with, with.missed) - each(&without, without.missed));
        taken.push(came / with.time.max(1e-9));
        frames += with.frames + without.frames;
    }
    let n = frames as u64;
    let against = "the same session while nobody is there, in turns";
    let [ratio, longer, more, came] = match beside {
        Beside::Looking => [
            "capture_frame_ratio",
            "capture_frame_interval_ratio",
            "capture_missed_more_ratio",
            "capture_pictures_per_s",
        ],
        Beside::Subscribers => [
            "subscribers_frame_ratio",
            "subscribers_frame_interval_ratio",
            "subscribers_missed_more_ratio",
            "subscribers_kib_per_s",
        ],
    };
    let goal = (beside == Beside::Looking).then_some(1.0);
    let unit = if goal.is_some() { "1/s" } else { "KiB/s" };
    let mut came = figure(came, unit, goal, "none", n, &taken);
    came.better = "higher";
    Ok(vec![
        figure(ratio, "ratio", Some(1.01), against, n, &work),
        figure(longer, "ratio", Some(1.01), against, n, &interval),
        figure(more, "ratio", Some(0.0), against, n, &missed),
        came,
    ])
}

/// With, without, and how many pictures or KiB came.
fn run(
    runtime: &Runtime,
    bin: &Path,
    seconds: u32,
    beside: Beside,
) -> Result<(Stretch, Stretch, f64)> {
    let scratch = target_dir().join("measure/capture");
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch)?;
    let data = scratch.display().to_string();
    // A consent is written down for somebody who has been here.
    let mut first = Command::new(bin.join("malloc-vr"));
    first
        .args([
            "play",
            "--headless",
            "--learner",
            LEARNER,
            "--age-band",
            "adult",
        ])
        .args(["--listen", "127.0.0.1:0", "--data-dir", &data])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let first = Ended(first.spawn().context("cannot start malloc-vr")?);
    let records = scratch.join("records.redb");
    let begun = Instant::now();
    while !records.exists() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_secs(2));
    drop(first);
    succeed(
        Command::new(bin.join("malloc-vr"))
            .args(["records", "consent", LEARNER, "--scope", "view-picture"])
            .args([
                "--by",
                "learner",
                "--method",
                "in-person",
                "--age-band",
                "adult",
            ])
            .args(["--data-dir", &data])
            .stdout(Stdio::null()),
    )?;
    let file = scratch.join("frames.json");
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    // Two stretches of each kind, and time to start and to settle.
    let stretch = Duration::from_secs(u64::from(seconds.max(4)));
    let lasts = SETTLE.as_secs() + 4 * stretch.as_secs() + 60;
    let mut arguments = vec!["--for".to_owned(), lasts.to_string(), "--run".to_owned()];
    arguments.push(bin.join("malloc-vr").display().to_string());
    let play = [
        "play",
        "--learner",
        LEARNER,
        "--age-band",
        "adult",
        "--listen",
        &address,
        "--token",
        TOKEN,
        "--data-dir",
        &data,
        "--frame-stats",
    ];
    arguments.extend(play.map(str::to_owned));
    arguments.push(file.display().to_string());
    let child = runtime
        .command(&bin.join("simulate"), &arguments)?
        .env("LD_LIBRARY_PATH", loader_folder()?)
        .env("RUST_LOG", "error")
        .stdout(Stdio::null())
        .spawn()
        .context("the simulated headset does not start")?;
    let _ended = Ended(child);
    let begun = Instant::now();
    while view(&address).is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            bail!("no picture comes from {address} within a minute");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    std::thread::sleep(SETTLE);
    let (mut with, mut without, mut came) = (Stretch::default(), Stretch::default(), 0.0);
    for there in [false, true, true, false] {
        let subscribers = (there && beside == Beside::Subscribers)
            .then(|| Subscribers::connect(&address, TOKEN, SUBSCRIBERS))
            .transpose()?;
        let looks = there && beside == Beside::Looking;
        let from = sums(&file)?;
        let until = Instant::now() + stretch;
        while Instant::now() < until {
            let next = Instant::now() + Duration::from_secs(1);
            if looks && view(&address).is_some() {
                came += 1.0;
            }
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        let of = if there { &mut with } else { &mut without };
        of.add(from, sums(&file)?);
        if let Some(all) = subscribers {
            let left = all.connected();
            if left < SUBSCRIBERS {
                bail!("only {left} of {SUBSCRIBERS} subscribers were still connected in the end");
            }
            came += all.bytes() as f64 / 1024.0;
        }
    }
    Ok((with, without, came))
}

fn sums(file: &Path) -> Result<Sums> {
    let text = std::fs::read_to_string(file).context("no frame statistics were written")?;
    serde_json::from_str(&text).context("the frame statistics cannot be read")
}

/// Fetches a picture: its size in bytes.
fn view(address: &str) -> Option<usize> {
    let mut socket = TcpStream::connect(address).ok()?;
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let head = format!(
        "GET /learners/{LEARNER}/view.png HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Connection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).ok()?;
    answer.starts_with(b"HTTP/1.1 200").then_some(answer.len())
}

/// A child that is ended when dropped; what it started ends with it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = Command::new("sh")
            .args(["-c", "kill -TERM $0", &self.0.id().to_string()])
            .status();
        let until = Instant::now() + Duration::from_secs(15);
        while Instant::now() < until {
            if let Ok(Some(_)) = self.0.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
