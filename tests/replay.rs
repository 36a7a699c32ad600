//! `records replay` on what the binary itself has written, in real frames of a real machine.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::Duration;

mod support;

use support::{Playing, malloc_vr, run, says, until_it_runs};

/// Plays without a view until the lesson stands at its first step and for so long after, then is killed.
fn play_and_be_killed(home: &Path, after: Duration) {
    let playing = Playing::start(home);
    until_it_runs(&playing.address);
    // Nothing but time passes in the lesson: there is no condition to wait for.
    std::thread::sleep(after);
}

#[test]
fn what_the_binary_played_it_replays_to_the_bit_though_it_was_killed_twice() {
    let home = tempfile::tempdir().unwrap();
    // Past the first five seconds something was observed.
    play_and_be_killed(home.path(), Duration::from_secs(8));
    play_and_be_killed(home.path(), Duration::from_secs(3));
    let (code, text) = run(malloc_vr(home.path()).args(["records", "replay"]));
    says(&text, &["the same to the bit"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(malloc_vr(home.path()).args(["records", "replay", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &report["same"]), (Some(0), &serde_json::json!(true)));
    assert_eq!(report["stretches"].as_array().unwrap().len(), 2);
    assert!(
        report["stretches"][0]["frames"].as_u64().unwrap() >= 3,
        "{text}"
    );
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_to_ask_instead() {
    let home = tempfile::tempdir().unwrap();
    play_and_be_killed(home.path(), Duration::from_secs(1));
    let refused = |words: &[&str], expected: &[&str]| {
        let (code, text) = run(malloc_vr(home.path())
            .args(["records", "replay"])
            .args(words));
        assert_ne!(code, Some(0), "{text}");
        says(&text, expected);
    };
    refused(&["--shift-hint", "20"], &["no hint was given"]);
    refused(&["--at", "3"], &["add --policy or --shift-hint"]);
    let session = "00000000-0000-7000-8000-000000000000";
    refused(
        &["--session", session],
        &["the learner has no session", "records show"],
    );
    refused(&["--policy", "/nowhere.ron"], &["/nowhere.ron"]);
    let (code, text) =
        run(malloc_vr(home.path()).args(["play", "--headless", "--replay", session]));
    assert_ne!(code, Some(0), "{text}");
    says(&text, &["no consent to MotionRecording"]);
}
