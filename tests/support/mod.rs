//! The binary as a user starts it, for the tests of the command line.

// Helpers of tests may panic as tests do.
// Each test program uses what it needs of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary.
pub const MALLOC_VR: &str = env!("CARGO_BIN_EXE_malloc-vr");

/// `malloc-vr` in a world of its own: no display, no OpenXR runtime, its own data.
pub fn malloc_vr(home: &Path) -> Command {
    let mut command = Command::new(MALLOC_VR);
    in_a_world_of_its_own(&mut command, home);
    command
}

/// The same for a command that starts the binary in turn.
pub fn in_a_world_of_its_own(command: &mut Command, home: &Path) {
    command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("MALLOC_VR_MASTER_KEY")
        .env_remove("MALLOC_VR_PASSPHRASE")
        .env("XR_RUNTIME_JSON", "/nowhere/openxr.json")
        .env("MALLOC_VR_DATA_DIR", home.join("data"))
        .env("MALLOC_VR_LISTEN", "127.0.0.1:0")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
}

/// Where a program says that its door is.
pub fn door_in(line: &str) -> Option<String> {
    let rest = line.strip_prefix("instructor: http")?;
    let rest = rest.trim_start_matches('s').trim_start_matches("://");
    rest.split('/').next().map(str::to_owned)
}

/// A running `play --headless`, killed when dropped.
pub struct Playing {
    child: Child,
    pub address: String,
}

impl Playing {
    pub fn start(home: &Path) -> Self {
        let mut child = malloc_vr(home)
            .args(["play", "--headless", "--token", "a-token-for-this-test"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it ended before it was ready").unwrap();
            if let Some(address) = door_in(&line) {
                break address;
            }
        };
        // Keep reading, or the child would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Asks it to stop as soon as it has begun to tick, and waits until it has.
    pub fn stop_once_ticking(mut self) -> std::process::ExitStatus {
        until_it_runs(&self.address);
        Command::new("sh")
            .args(["-c", "kill -TERM $0", &self.child.id().to_string()])
            .status()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it did not stop on SIGTERM");
            std::thread::yield_now();
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a door answers to somebody without a token.
pub fn get(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Waits until the world behind a door runs: it is open a little before.
pub fn until_it_runs(address: &str) {
    // Healthy from the first tick on.
    let deadline = Instant::now() + Duration::from_secs(20);
    while !get(address, "/healthz").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < deadline, "it did not begin to tick");
        std::thread::yield_now();
    }
}

pub fn run(command: &mut Command) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code(), text)
}

#[track_caller]
pub fn says(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}
