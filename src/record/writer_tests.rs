use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::disk_for_tests::{Disk, FILE, keys, log};
use super::*;

/// What the session would see of a log written through a disk that takes nothing from this step on until somebody mends
/// it; `words` stand in what is said of it. Returns whether it came to that.
fn a_lesson_on(disk: &Disk, step: usize, words: [&str; 2]) -> bool {
    let log = log(11);
    let learner = log[0].learner;
    let store = match disk.open() {
        Ok(store) => store,
        Err(error) => {
            says(step, &error.to_string(), words);
            disk.make_room();
            disk.begin_anew();
            disk.open().unwrap()
        }
    };
    let again = disk.clone();
    let recorder = Recorder::start_reopening(store, move || again.open()).unwrap();
    let (mut safe, mut failing) = (0, None);
    for three in log.chunks(3) {
        for event in three {
            recorder.append(event.clone()).unwrap();
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut tries = 0;
        while safe < three[2].seq {
            assert!(Instant::now() < deadline, "step {step}: stuck at {safe}");
            if let Some(acknowledged) = recorder.acknowledgements().last() {
                assert_eq!(acknowledged.learner, learner);
                assert!(acknowledged.seq > safe, "step {step}: acknowledged twice");
                safe = acknowledged.seq;
            }
            match recorder.health_change() {
                Some(Health::Failing { why }) => {
                    says(step, &why, words);
                    failing = Some(why);
                }
                Some(Health::Good) => failing = None,
                None => {}
            }
            if failing.is_some() {
                // A crash now leaves what was acknowledged, and no more than was handed over.
                let left = Disk::holding(disk.bytes()).open().unwrap();
                let found = left.events(learner).unwrap();
                assert!(found.len() as u64 >= safe, "step {step}: {safe} is lost");
                assert!(log.starts_with(&found), "step {step}");
                tries += 1;
                if tries > 2 {
                    disk.make_room();
                }
            }
            std::thread::yield_now();
        }
    }
    drop(recorder);
    let ran_full = disk.ran_full();
    disk.make_room();
    let store = disk.open().unwrap();
    assert_eq!(store.events(learner).unwrap(), log, "step {step}");
    assert!(store.check().unwrap().problems.is_empty(), "step {step}");
    ran_full
}

#[track_caller]
fn says(step: usize, why: &str, [what, cure]: [&str; 2]) {
    for part in [FILE, what, cure] {
        assert!(
            why.contains(part),
            "step {step}: `{part}` is missing in: {why}"
        );
    }
}

#[test]
fn a_disk_full_at_any_write_loses_nothing_and_goes_on_when_there_is_room() {
    let mut step = 0;
    while a_lesson_on(&Disk::full_at(step), step, ["full", "make room"]) {
        step += 1;
    }
    assert!(step > 20, "only {step} writes");
}

#[test]
fn a_disk_that_is_shut_at_any_write_loses_nothing_and_goes_on_when_it_is_open_again() {
    let mut step = 0;
    let words = ["read-only", "be written to again"];
    while a_lesson_on(&Disk::shut_at(step), step, words) {
        step += 1;
    }
    assert!(step > 20, "only {step} writes");
}

#[test]
fn what_does_not_fit_the_queue_of_a_full_disk_stays_with_the_session() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    disk.fill();
    let again = disk.clone();
    let recorder = Recorder::start_reopening(store, move || again.open()).unwrap();
    let log = log(UNDER_WAY as u64 + 2 * BATCH as u64);
    let mut waiting = log.iter().cloned().collect::<VecDeque<_>>();
    let (mut safe, mut given_back, mut health) = (0, 0, None);
    let deadline = Instant::now() + Duration::from_secs(60);
    while safe < log.len() as u64 {
        assert!(Instant::now() < deadline, "stuck at {safe}");
        while let Some(event) = waiting.pop_front() {
            if let Err(event) = recorder.append(event) {
                given_back += 1;
                waiting.push_front(event);
                break;
            }
        }
        health = recorder.health_change().or(health);
        if matches!(&health, Some(Health::Failing { .. })) && given_back > 0 {
            assert_eq!(safe, 0, "acknowledged on a full disk");
            assert!(log.len() - waiting.len() <= UNDER_WAY + BATCH);
            disk.make_room();
        }
        if let Some(acknowledged) = recorder.acknowledgements().last() {
            safe = acknowledged.seq;
        }
        std::thread::yield_now();
    }
    assert_eq!(recorder.health_change().or(health), Some(Health::Good));
    drop(recorder);
    assert_eq!(disk.open().unwrap().events(log[0].learner).unwrap(), log);
}

#[test]
fn a_program_that_ends_on_a_full_disk_ends_and_keeps_what_it_acknowledged() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let log = log(5);
    store.append(&log[..2]).unwrap();
    disk.fill();
    let again = disk.clone();
    let recorder = Recorder::start_reopening(store, move || again.open()).unwrap();
    for event in &log[2..] {
        recorder.append(event.clone()).unwrap();
    }
    drop(recorder);
    disk.make_room();
    assert_eq!(
        disk.open().unwrap().events(log[0].learner).unwrap(),
        log[..2]
    );
}

#[test]
fn records_that_are_taken_away_are_named_and_go_on_when_they_are_back() {
    let folder = tempfile::tempdir().unwrap();
    let (file, away) = (folder.path().join("r.redb"), folder.path().join("away"));
    let log = log(5);
    Store::open(&file, &keys())
        .unwrap()
        .append(&log[..3])
        .unwrap();
    std::fs::rename(&file, &away).unwrap();
    let error = Store::open_existing(&file, &keys())
        .unwrap_err()
        .to_string();
    for part in [file.to_str().unwrap(), "gone", "put the file back"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!file.exists(), "a new one is not made in its place");
    std::fs::rename(&away, &file).unwrap();
    let store = Store::open_existing(&file, &keys()).unwrap();
    store.append(&log).unwrap();
    assert_eq!(store.events(log[0].learner).unwrap(), log);
}

#[test]
fn what_is_asked_of_the_store_is_answered_between_writes_and_after_errors() {
    let disk = Disk::default();
    let again = disk.clone();
    let recorder = Recorder::start_reopening(disk.open().unwrap(), move || again.open()).unwrap();
    let log = log(40);
    let learner = log[0].learner;
    for event in &log[..20] {
        recorder.append(event.clone()).unwrap();
    }
    while recorder.acknowledgements().all(|it| it.seq < 20) {
        std::thread::yield_now();
    }
    let count = |recorder: &Recorder| {
        let answer = recorder.ask(move |store| store.events(learner)).unwrap();
        let answer = answer.recv_timeout(Duration::from_secs(60)).unwrap();
        answer.map(|events| events.len())
    };
    assert_eq!(count(&recorder).unwrap(), 20);
    let refused = log[30..].to_vec();
    let answer = recorder.ask(move |store| store.append(&refused)).unwrap();
    assert!(answer.recv().unwrap().is_err());
    let answer = recorder.ask(|_| -> Result<(), RecordError> { panic!("a mistake") });
    assert!(answer.unwrap().recv().is_err());
    drop(recorder.ask(|store| store.check()));
    for event in &log[20..] {
        recorder.append(event.clone()).unwrap();
    }
    assert!(count(&recorder).unwrap() >= 20);
    drop(recorder);
    assert_eq!(disk.open().unwrap().events(learner).unwrap(), log);
}
