//! The session that is measured: a learner in the simulated headset, who is looked at and listened to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::super::loader_folder;
use super::super::subscribers::Subscribers;
use super::{Beside, ROUND, Round, Stretch};
use crate::cargo::{succeed, target_dir};
use crate::runtime::Runtime;

const TOKEN: &str = "a-token-to-measure-by";
/// Somebody made up, who has agreed.
const LEARNER: &str = "00000000-0000-4000-8000-00000000ca97";
/// Instructors' programs that listen at once.
const SUBSCRIBERS: usize = 64;
/// The first frames load and compile.
const SETTLE: Duration = Duration::from_secs(8);
/// A development build on a busy machine takes so long to show the first picture, and no longer.
const STARTS_WITHIN: Duration = Duration::from_secs(150);
/// Frame statistics are written each second; after this long without any the session has ended.
const SILENT: Duration = Duration::from_secs(20);
/// All frames so far.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Sums {
    pub(super) frames: u64,
    pub(super) missed: u64,
    pub(super) cpu_total_s: f64,
    pub(super) at_s: f64,
}

/// A learner's session in the simulated headset, until it is dropped.
pub(super) struct Session {
    address: String,
    /// Where its frame statistics stand.
    file: PathBuf,
    _child: Ended,
}

impl Session {
    /// Begins one that outlasts `measured` of stretches.
    pub(super) fn begin(runtime: &Runtime, bin: &Path, measured: Duration) -> Result<Self> {
        let scratch = target_dir().join("measure/capture");
        let _ = std::fs::remove_dir_all(&scratch);
        std::fs::create_dir_all(&scratch)?;
        let data = scratch.display().to_string();
        println!("somebody comes, and agrees to be looked at");
        agree(bin, &data, &scratch.join("records.redb"))?;
        let file = scratch.join("frames.json");
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        // Changing from one kind to the next takes some seconds, and many while other programs are at work.
        let lasts = STARTS_WITHIN + SETTLE + measured * 3;
        let mut arguments = vec!["--for".to_owned(), lasts.as_secs().to_string()];
        arguments.push("--run".to_owned());
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
            // At one quality throughout: what is compared must not be what the governor answered. At emergency nobody
            // is looked at, and a simulated headset on two cores would be there.
            "--governor",
            "aggressive",
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
        let session = Self {
            address,
            file,
            _child: Ended(child),
        };
        println!("the simulated headset starts");
        let begun = Instant::now();
        while view(&session.address).is_none() {
            if begun.elapsed() > STARTS_WITHIN {
                bail!(
                    "no picture comes from {} within {STARTS_WITHIN:?}",
                    session.address
                );
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        println!("the first picture came after {:.0?}", begun.elapsed());
        std::thread::sleep(SETTLE);
        Ok(session)
    }

    /// One round, of stretches that last so long.
    pub(super) fn round(&self, stretch: Duration) -> Result<Round> {
        let mut round = Round::default();
        for beside in ROUND {
            self.stretch(stretch, beside, round.of(beside))?;
        }
        Ok(round)
    }

    /// Has somebody be there, and counts frames from the first report of then to the first after the time is over.
    fn stretch(&self, lasts: Duration, beside: Beside, of: &mut Stretch) -> Result<()> {
        let subscribers = (beside == Beside::Subscribers)
            .then(|| Subscribers::connect(&self.address, TOKEN, SUBSCRIBERS))
            .transpose()?;
        let bytes = || subscribers.as_ref().map_or(0, Subscribers::bytes);
        let mut look = Instant::now();
        // The report at hand is of before; the first of now is where counting begins.
        let from = self.next_report()?;
        let (mut came, before) = (0.0, bytes());
        let until = Instant::now() + lasts;
        while Instant::now() < until {
            if beside == Beside::Looking && look <= Instant::now() {
                look = Instant::now() + Duration::from_secs(1);
                came += f64::from(u8::from(view(&self.address).is_some()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let to = self.next_report()?;
        if let Some(all) = &subscribers {
            let left = all.connected();
            if left < SUBSCRIBERS {
                bail!("only {left} of {SUBSCRIBERS} subscribers were still connected in the end");
            }
            came = (bytes() - before) as f64 / 1024.0;
        }
        of.add(from, to, came);
        Ok(())
    }

    /// The next frame statistics that are written from now on.
    fn next_report(&self) -> Result<Sums> {
        let begun = Instant::now();
        let last = sums(&self.file)?.at_s;
        loop {
            let now = sums(&self.file)?;
            if now.at_s > last {
                return Ok(now);
            }
            if begun.elapsed() > SILENT {
                bail!("the simulated headset has shown no frame for {SILENT:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Has the learner come once, since a consent is written down for somebody who has been here, and agree.
fn agree(bin: &Path, data: &str, records: &Path) -> Result<()> {
    let mut first = Command::new(bin.join("malloc-vr"));
    first
        .args(["play", "--headless", "--learner", LEARNER])
        .args(["--age-band", "adult"])
        .args(["--listen", "127.0.0.1:0", "--data-dir", data])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let first = Ended(first.spawn().context("cannot start malloc-vr")?);
    let begun = Instant::now();
    while !records.exists() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_secs(2));
    drop(first);
    let mut consent = Command::new(bin.join("malloc-vr"));
    consent
        .args(["records", "consent", LEARNER, "--scope", "view-picture"])
        .args(["--by", "learner", "--method", "in-person"])
        .args(["--age-band", "adult", "--data-dir", data])
        .stdout(Stdio::null());
    succeed(&mut consent)
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
