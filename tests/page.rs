//! The instructor's page in a real browser, before a real classroom with learners' runtimes in it. The browser's part is
//! `xtask/page/check.mjs`, which asks here, line by line, for what it needs done: `cargo xtask page` runs both.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[path = "support/beside.rs"]
mod beside;
#[path = "support/host.rs"]
mod host;
#[path = "support/pupil.rs"]
mod pupil;
mod support;

use beside::Beside;
use host::{Host, TOKEN};
use pupil::{Pupil, Script};

/// The longest frame of any learner's runtime since somebody asked, microseconds.
static LONGEST: AtomicU64 = AtomicU64::new(0);

/// Threads that run learners' frames.
const ROOMS: u64 = 4;

/// Learners at work, until they are dropped.
struct Class {
    stop: Arc<AtomicBool>,
    rooms: Vec<JoinHandle<()>>,
}

impl Class {
    /// Some act right, some are often wrong, and one in eight never succeeds. `every`: frames between two acts.
    fn begin(home: &Path, address: &str, first: u64, count: u64, every: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let rooms = (0..ROOMS.min(count)).map(|room| {
            let (home, address, stop) = (home.to_owned(), address.to_owned(), stop.clone());
            std::thread::spawn(move || {
                let mine = (first..first + count).filter(|n| n % ROOMS == room);
                let mut pupils: Vec<Pupil> = mine
                    .map(|n| {
                        let wrong = if n % 8 == 7 { 10_000 } else { (n % 4) as u32 };
                        let script = Script::new(every + 6 * (n % 7) as u32, wrong);
                        let folder = home.join(format!("pupil-{n}"));
                        Pupil::at(&folder, &address, TOKEN, script)
                    })
                    .collect();
                while !stop.load(Ordering::Relaxed) {
                    let frame = Instant::now();
                    for pupil in &mut pupils {
                        let begun = Instant::now();
                        pupil.frame();
                        let took = u64::try_from(begun.elapsed().as_micros()).unwrap();
                        LONGEST.fetch_max(took, Ordering::Relaxed);
                    }
                    std::thread::sleep(Duration::from_millis(100).saturating_sub(frame.elapsed()));
                }
            })
        });
        let rooms = rooms.collect();
        Self { stop, rooms }
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for room in self.rooms.drain(..) {
            let _ = room.join();
        }
    }
}

/// A path that whoever runs this test has to give.
fn given(name: &str) -> PathBuf {
    let value = std::env::var_os(name);
    value
        .unwrap_or_else(|| panic!("{name} is not set; run `cargo xtask page`"))
        .into()
}

#[test]
#[ignore = "needs Node.js and Chromium: cargo xtask page"]
fn the_instructors_page_works_in_a_real_browser() {
    let home = tempfile::tempdir().unwrap();
    let mut host = Some(Host::start(home.path(), "127.0.0.1:0"));
    let address = host.as_ref().unwrap().address.clone();
    let mut browser = Command::new(given("MALLOC_VR_PAGE_NODE"))
        .arg(given("MALLOC_VR_PAGE_CHECK"))
        .env("MALLOC_VR_PAGE_ADDRESS", &address)
        .env("MALLOC_VR_PAGE_TOKEN", TOKEN)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = browser.stdin.take().unwrap();
    let asked = BufReader::new(browser.stdout.take().unwrap());
    let mut classes = Vec::new();
    let mut beside = None;
    for line in asked.lines().map_while(Result::ok) {
        let Ok(asked) = serde_json::from_str::<Value>(&line) else {
            println!("{line}");
            continue;
        };
        let number = |name: &str| asked[name].as_u64().unwrap();
        let mut done = json!({ "done": asked["do"] });
        match asked["do"].as_str().unwrap() {
            "learners" => {
                let every = u32::try_from(number("every")).unwrap();
                let (first, count) = (number("first"), number("count"));
                classes.push(Class::begin(home.path(), &address, first, count, every));
            }
            "leave" => classes.clear(),
            "listen" => {
                LONGEST.store(0, Ordering::Relaxed);
                beside = Some(Beside::listen(&address));
            }
            "heard" => {
                done["ms"] = json!(beside.take().unwrap().heard());
                done["frame_ms"] = json!(LONGEST.load(Ordering::Relaxed) / 1000);
            }
            "kill" => host.take().unwrap().kill(),
            "start" => host = Some(Host::start(home.path(), &address)),
            other => panic!("nobody knows how to {other}"),
        }
        writeln!(answers, "{done}").unwrap();
    }
    drop(classes);
    let status = browser.wait().unwrap();
    assert!(status.success(), "the browser's part says what is wrong");
}
