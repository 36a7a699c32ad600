//! kill -9 at 500 random moments, after every third the file's last page gone, too: no acknowledged attempt lost, no event
//! doubled, the state equal to the fold of the log.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use bevy::prelude::*;
use malloc_vr::lesson;
use malloc_vr::protocol::event::{Attempt, EventBody, Evidence};
use malloc_vr::protocol::ids::{AttemptId, ObjectId};
use malloc_vr::record::{Keys, Recorder, Store};
use malloc_vr::session::join::Joining;
use malloc_vr::session::state::LearnerState;
use malloc_vr::session::{AcknowledgedSeq, Happened, SessionPlugin};

const STORE: &str = "MALLOC_VR_CRASH_STORE";
/// Stores, each opened by processes that are killed one after the other: a log that grows all the time would make the
/// checks after each kill longer and longer.
const STORES: u32 = 5;
const KILLS: u32 = 100;

fn open(file: &Path) -> Store {
    Store::open(file, &Keys::beside(file).unwrap()).unwrap()
}

/// Makes attempts as fast as frames go and says what is acknowledged. Started by the test below, and killed by it.
#[test]
#[ignore = "the process that is killed"]
fn child_that_makes_attempts() {
    let Some(file) = std::env::var_os(STORE) else {
        return;
    };
    let store = open(Path::new(&file));
    let joining = Joining::latest(&store).unwrap();
    let loaded = lesson::load("first-steps").unwrap();
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, SessionPlugin))
        .insert_resource(Recorder::start(store).unwrap());
    let learner = joining.enter(app.world_mut(), &loaded.lesson, &loaded.digest, false);
    let step = &loaded.lesson.steps[0];
    let mut said = 0;
    for round in 0_u64.. {
        app.world_mut().write_message(Happened {
            learner,
            body: EventBody::Attempted(Attempt {
                id: AttemptId::fresh(),
                step: step.id.clone(),
                skills: step.evidence_for.clone(),
                correct: round % 3 != 0,
                credit: 0.5,
                latency: Duration::from_millis(round),
                hints_used: 0,
                position_error: Some(0.001),
                rotation_error: None,
                quality: malloc_vr::learning::quality::Quality::PERFECT,
                blurred: Default::default(),
                evidence: Evidence::Touched {
                    object: ObjectId::new("lamp"),
                },
            }),
        });
        app.update();
        let acknowledged = app.world().get::<AcknowledgedSeq>(learner).unwrap().0;
        if acknowledged > said {
            said = acknowledged;
            println!("\nacknowledged {said}");
            std::io::stdout().flush().unwrap();
        }
    }
}

#[test]
fn five_hundred_kills_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    // A linear congruential generator (Knuth): the moments are the same in each run.
    let mut seed: u64 = 20_261_121;
    let mut lost = 0;
    for store in 0..STORES {
        lost += kill_again_and_again(&folder.path().join(format!("{store}.redb")), &mut seed);
    }
    // For `cargo xtask measure sessions`.
    println!("kill9_runs {}", STORES * KILLS);
    println!("kill9_acknowledged_lost {lost}");
    assert_eq!(lost, 0, "acknowledged events that the log does not have");
}

/// How many acknowledged events were lost.
fn kill_again_and_again(file: &Path, seed: &mut u64) -> u64 {
    let (mut total, mut lost) = (0, 0);
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_makes_attempts",
                "--ignored",
                "--nocapture",
            ])
            .env(STORE, file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(seq) = line.strip_prefix("acknowledged ") {
                    let _ = sender.send(seq.parse::<u64>().unwrap());
                }
            }
        });
        // Every tenth is killed while it still opens the store, the others some time after their first commit.
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let moment = Duration::from_micros(*seed >> 49);
        let mut acknowledged = 0;
        if kill % 10 != 0 {
            acknowledged = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        match lines.recv_timeout(moment) {
            Ok(seq) => acknowledged = seq,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged = lines.iter().last().unwrap_or(acknowledged);

        if kill % 3 == 0 && file.exists() {
            let store = std::fs::OpenOptions::new().write(true).open(file).unwrap();
            let length = store.metadata().unwrap().len();
            store.set_len(length - 4096).unwrap();
        }
        let store = open(file);
        let check = store.check().unwrap();
        assert!(
            check.problems.is_empty(),
            "kill {kill}: {:?}",
            check.problems
        );
        let Some(entry) = store.learners().unwrap().first().copied() else {
            lost += acknowledged;
            continue;
        };
        lost += acknowledged.saturating_sub(entry.events);
        assert_eq!(check.events, entry.events, "one learner, nothing doubled");
        assert!(entry.events >= total, "kill {kill}: the log became shorter");
        total = entry.events;
        let log = store.events(entry.learner).unwrap();
        let joining = Joining::of(&store, entry.learner).unwrap();
        assert_eq!(joining.state, LearnerState::of(&log).unwrap());
    }
    assert!(total > u64::from(KILLS), "only {total} events were made");
    lost
}
