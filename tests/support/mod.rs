//! The binary as a user starts it, for the tests of the command line.

// Helpers of tests may panic as tests do.
// Each test program uses what it needs of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
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
    let begun = Instant::now();
    while !get(address, "/healthz").starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not run");
        std::thread::sleep(Duration::from_millis(20));
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
