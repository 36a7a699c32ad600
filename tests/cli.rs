//! The binary as its users meet it: what it says when something is missing, broken or taken.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

mod support;

use support::{MALLOC_VR, Playing, in_a_world_of_its_own, malloc_vr, run, says};

#[test]
fn without_headset_and_display_it_says_what_is_missing_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let (code, text) = run(malloc_vr(home.path()).arg("play"));
    assert_eq!(code, Some(1), "{text}");
    says(
        &text,
        &["headset", "DISPLAY", "--headless", "xtask run --sim"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_graphics_driver_it_says_which_packages_bring_one() {
    let home = tempfile::tempdir().unwrap();
    // A display that accepts connections, so that the driver is what is missing.
    std::fs::create_dir_all("/tmp/.X11-unix").unwrap();
    let number = 700 + std::process::id() % 200;
    let socket = format!("/tmp/.X11-unix/X{number}");
    let _ = std::fs::remove_file(&socket);
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let (code, text) = run(malloc_vr(home.path())
        .args(["play", "--no-xr"])
        .env("DISPLAY", format!(":{number}"))
        .env("VK_DRIVER_FILES", "/nowhere/icd.json")
        .env("VK_ICD_FILENAMES", "/nowhere/icd.json"));
    drop(listener);
    let _ = std::fs::remove_file(&socket);
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["no graphics adapter", "mesa-vulkan-drivers"]);
}

#[test]
fn a_taken_port_is_named_with_the_way_to_another() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, text) =
        run(malloc_vr(home.path()).args(["play", "--headless", "--listen", &address]));
    assert_eq!(code, Some(1), "{text}");
    says(&text, &[&address, "--listen"]);
}

#[test]
fn a_store_in_use_is_named_and_nothing_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let _first = Playing::start(home.path());
    let (code, text) = run(malloc_vr(home.path()).args(["play", "--headless"]));
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["records", "another", "--data-dir"]);
}

#[test]
fn records_that_are_none_are_named_and_left_as_they_are() {
    for text in ["", "a letter to a friend"] {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("data/records.redb");
        std::fs::create_dir(home.path().join("data")).unwrap();
        std::fs::write(&file, text).unwrap();
        for arguments in [["records", "list"], ["play", "--headless"]] {
            let (code, said) = run(malloc_vr(home.path()).args(arguments));
            assert_eq!(code, Some(1), "{said}");
            let file = file.to_str().unwrap();
            says(&said, &[file, "cannot be read", "backup", "--data-dir"]);
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn records_without_their_key_are_said_to_be_sealed_and_not_damaged() {
    let home = tempfile::tempdir().unwrap();
    drop(Playing::start(home.path()));
    let verify = || {
        let mut command = malloc_vr(home.path());
        command.args(["records", "verify"]);
        command
    };
    let other = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let (code, text) = run(verify().env("MALLOC_VR_MASTER_KEY", other));
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["another master key", "MALLOC_VR_MASTER_KEY"]);
    assert!(!text.contains(other), "{text}");
    let key = home.path().join("data/master.key");
    let away = home.path().join("away");
    std::fs::rename(&key, &away).unwrap();
    let (code, text) = run(&mut verify());
    assert_eq!(code, Some(1), "{text}");
    says(&text, &[key.to_str().unwrap(), "put it back"]);
    assert!(!key.exists(), "no new key is made for sealed records");
    std::fs::rename(&away, &key).unwrap();
    let (code, text) = run(&mut verify());
    assert_eq!(code, Some(0), "{text}");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_named_and_leaves_no_half_of_a_store() {
    let home = tempfile::tempdir().unwrap();
    // The system answers a file that may not grow as it answers a disk without room, once its signal is ignored.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]);
    in_a_world_of_its_own(&mut command, home.path());
    let (code, text) = run(command.args([MALLOC_VR, "play", "--headless"]));
    assert_eq!(code, Some(1), "{text}");
    let file = home.path().join("data/records.redb");
    says(&text, &[file.to_str().unwrap(), "full", "make room"]);
    assert!(!file.exists());
    // Once there is room, nothing is in the way.
    drop(Playing::start(home.path()));
    let (code, text) = run(malloc_vr(home.path()).args(["records", "verify"]));
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn an_unknown_lesson_is_answered_with_the_known_ones() {
    let home = tempfile::tempdir().unwrap();
    let (code, text) = run(malloc_vr(home.path()).args(["play", "--headless", "frist-steps"]));
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["frist-steps", "first-steps"]);
}

#[test]
fn a_broken_lesson_is_refused_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("broken.ron");
    std::fs::write(
        &file,
        "(\n  version: 1,\n  id: \"broken\",\n  titel: \"x\",\n)",
    )
    .unwrap();
    let path = file.to_str().unwrap();
    for arguments in [
        vec!["play", "--headless", path],
        vec!["lesson", "check", path],
    ] {
        let (code, text) = run(malloc_vr(home.path()).args(arguments));
        assert_eq!(code, Some(1), "{text}");
        says(&text, &["broken.ron:4", "titel", "title"]);
    }
}

#[test]
fn the_bundled_lesson_passes_its_own_check() {
    let home = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/lessons/first-steps.ron");
    let (code, text) = run(malloc_vr(home.path()).args(["lesson", "check"]).arg(file));
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn whoever_reads_only_the_first_lines_is_no_fault_and_a_full_disk_is_named() {
    let home = tempfile::tempdir().unwrap();
    let schema = |out: Stdio| {
        let mut command = malloc_vr(home.path());
        command.args(["lesson", "schema"]).stdout(out);
        command.stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(schema(writer.into()), (Some(0), String::new()));
    let full = std::fs::File::options().write(true).open("/dev/full");
    let (code, said) = schema(full.unwrap().into());
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["error:", "can't be written", "No space"]);
}

#[test]
fn a_starter_lesson_passes_the_check() {
    let home = tempfile::tempdir().unwrap();
    let (code, text) = run(malloc_vr(home.path())
        .args(["lesson", "new", "knots"])
        .current_dir(home.path()));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(malloc_vr(home.path())
        .args(["lesson", "check", "knots.ron"])
        .current_dir(home.path()));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(malloc_vr(home.path())
        .args(["lesson", "new", "knots"])
        .current_dir(home.path()));
    assert_eq!(code, Some(1), "it must not overwrite: {text}");
}

#[test]
fn a_wrong_adaptation_table_is_refused_with_every_mistake() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("policy.ron");
    let delivered = malloc_vr::learning::strategy::table::Table::DEFAULT;
    // Two mistakes: a cool-down that would let it flicker, and a feature that nobody measures.
    let wrong = delivered
        .replacen("cool_down: 300", "cool_down: 3", 1)
        .replacen("load", "mood", 1);
    std::fs::write(&file, wrong).unwrap();
    let (code, text) = run(malloc_vr(home.path())
        .args(["play", "--headless", "--policy"])
        .arg(&file));
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["policy.ron"]);
    let (code, text) = run(malloc_vr(home.path())
        .arg("doctor")
        .arg("--policy")
        .arg(&file));
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["FAIL  adaptation", "policy.ron"]);
    std::fs::write(&file, delivered).unwrap();
    let (_, text) = run(malloc_vr(home.path())
        .arg("doctor")
        .arg("--policy")
        .arg(&file));
    says(&text, &["ok    adaptation", "rules"]);
}

#[test]
fn an_unknown_flag_is_a_usage_error() {
    let home = tempfile::tempdir().unwrap();
    let (code, text) = run(malloc_vr(home.path()).args(["play", "--faster"]));
    assert_eq!(code, Some(2), "{text}");
    says(&text, &["--faster"]);
}

#[test]
fn listening_beyond_this_machine_in_plain_text_must_be_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let (code, text) =
        run(malloc_vr(home.path()).args(["play", "--headless", "--listen", "0.0.0.0:0"]));
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["--allow-plaintext"]);
}

#[test]
fn tokens_are_issued_listed_rotated_and_revoked() {
    let home = tempfile::tempdir().unwrap();
    let tokens = |args: &[&str]| run(malloc_vr(home.path()).arg("tokens").args(args));
    let (code, text) = tokens(&["list"]);
    assert_eq!(code, Some(0), "{text}");
    says(&text, &["tokens issue"]);
    let (code, text) = tokens(&["issue", "tablet 3", "--role", "observer"]);
    assert_eq!(code, Some(0), "{text}");
    let id = |text: &str| {
        let (_, rest) = text.split_once("mvr1_").unwrap();
        rest.split('_').next().unwrap().to_owned()
    };
    let first = id(&text);
    let (_, text) = tokens(&["list"]);
    says(&text, &[&first, "observer", "tablet 3", "29 days"]);
    let (code, text) = tokens(&["rotate", &first]);
    assert_eq!(code, Some(0), "{text}");
    let second = id(&text);
    assert_eq!(tokens(&["revoke", &second]).0, Some(0));
    let (_, text) = tokens(&["list", "--all"]);
    says(&text, &[&format!("replaced by {second}"), "revoked"]);
    assert_eq!(tokens(&["revoke", "0000000000000001"]).0, Some(1));
    assert_eq!(tokens(&["issue", "x", "--role", "learner"]).0, Some(1));
}

#[test]
fn doctor_names_what_is_there_and_what_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let (_, text) = run(malloc_vr(home.path()).arg("doctor"));
    says(
        &text,
        &["OpenXR runtime", "display", "graphics", "records", "clock"],
    );
}

#[cfg(unix)]
#[test]
fn a_stopped_session_is_taken_up_again() {
    let home = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let status = Playing::start(home.path()).stop_once_ticking();
        assert!(status.success(), "round {round}: {status}");
    }
    let (code, text) = run(malloc_vr(home.path()).args(["records", "show"]));
    assert_eq!(code, Some(0), "{text}");
    says(
        &text,
        &["session_started", "session_resumed", "step_entered"],
    );
    assert_eq!(text.matches("session_started").count(), 1, "{text}");
    let (code, text) = run(malloc_vr(home.path()).args(["records", "verify"]));
    assert_eq!(code, Some(0), "{text}");
}

/// The learner's pseudonym, from the list.
fn only_learner(home: &Path) -> String {
    let (code, text) = run(malloc_vr(home).args(["records", "list"]));
    assert_eq!(code, Some(0), "{text}");
    text.split_whitespace().next().unwrap().to_owned()
}

/// Every regular file under a folder, as one heap of bytes.
fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(all_bytes(&path));
        } else {
            bytes.extend(std::fs::read(&path).unwrap());
        }
    }
    bytes
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|it| it == words.as_bytes())
}

#[test]
fn a_learner_gets_a_copy_is_erased_and_both_are_accounted_for() {
    let home = tempfile::tempdir().unwrap();
    assert!(Playing::start(home.path()).stop_once_ticking().success());
    let learner = only_learner(home.path());
    // Nothing of them can be read from the files alone.
    let clear = all_bytes(home.path());
    assert!(!holds(&clear, &learner) && !holds(&clear, "first-steps"));

    let copy = home.path().join("copy");
    let (code, text) = run(malloc_vr(home.path())
        .args(["records", "export", "--output"])
        .arg(&copy));
    assert_eq!(code, Some(0), "{text}");
    let copied = all_bytes(&copy);
    assert!(holds(&copied, &learner) && holds(&copied, "first-steps"));
    assert!(holds(&copied, "http://adlnet.gov/expapi/verbs/initialized"));

    let (code, text) = run(malloc_vr(home.path()).args(["records", "rotate-key"]));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(malloc_vr(home.path()).args(["records", "erase", &learner]));
    assert_eq!(code, Some(1));
    says(&text, &["--yes", "records export"]);
    assert_eq!(only_learner(home.path()), learner);
    let (code, text) = run(malloc_vr(home.path()).args(["records", "erase", &learner, "--yes"]));
    assert_eq!(code, Some(0), "{text}");
    says(&text, &["erased", "0 left", "0 events left"]);
    let (code, text) = run(malloc_vr(home.path()).args(["records", "list"]));
    assert_eq!((code, text.trim()), (Some(0), ""));

    let (code, text) = run(malloc_vr(home.path()).args(["records", "audit"]));
    assert_eq!(code, Some(0), "{text}");
    says(&text, &["exported", "keys_rotated", "erased", "purpose"]);
    // The audit knows the learner by a keyed hash only.
    assert!(!text.contains(&learner), "{text}");
    let (code, text) = run(malloc_vr(home.path()).args(["records", "verify"]));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(malloc_vr(home.path()).args(["records", "sweep", "--dry-run"]));
    assert_eq!(code, Some(0), "{text}");
    says(&text, &["would erase 0"]);
}

#[test]
fn the_purposes_are_printed_as_the_page_that_is_checked_in() {
    let home = tempfile::tempdir().unwrap();
    let (code, text) = run(malloc_vr(home.path()).args(["records", "purposes"]));
    assert_eq!(code, Some(0), "{text}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/privacy.md");
    assert_eq!(text.trim(), std::fs::read_to_string(page).unwrap().trim());
}
