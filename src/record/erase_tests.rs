use super::super::disk_for_tests::{Disk, keys, log};
use super::super::key::Keys;
use super::super::seal::WRAPPED;
use super::super::sealed::key_place;
use super::*;

fn by() -> By {
    By {
        actor: "administrator".to_owned(),
        purpose: "a parent asked for it".to_owned(),
        at_unix_ms: 1_793_500_000_000,
    }
}

fn wrapped(store: &Store, learner: LearnerId) -> Vec<u8> {
    let keys = store
        .database
        .begin_read()
        .unwrap()
        .open_table(KEYS)
        .unwrap();
    let key = keys.get(store.secrets.row(learner)).unwrap().unwrap();
    key.value().to_vec()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Any place of the file at which the master key still opens a data key of this learner.
fn a_key_is_left(bytes: &[u8], store: &Store, learner: LearnerId) -> bool {
    let wrapping = store.master.wrapping();
    let place = key_place(learner);
    bytes
        .windows(WRAPPED)
        .filter(|window| window[..4] != [0; 4])
        .any(|window| wrapping.open_secret(&place, window).is_some())
}

#[test]
fn nothing_of_an_erased_learner_can_be_opened_with_the_master_key_and_every_byte_of_the_file() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let logs = [log(30), log(30), log(30)];
    for round in 0..31 {
        for log in &logs {
            store.append(&log[round..=round]).unwrap();
        }
    }
    let [gone, stays, _] = &logs;
    let learner = gone[0].learner;
    let key = wrapped(&store, learner);
    assert!(holds(&disk.bytes(), &key) && a_key_is_left(&disk.bytes(), &store, learner));
    let proof = store.erase(learner, &by()).unwrap().unwrap();
    assert!(proof.key_copies_overwritten > 0);
    assert_eq!((proof.key_copies_left, proof.events_left), (0, 0));
    assert_eq!(proof.tombstone.events, 31);
    for moment in ["erased", "closed"] {
        let bytes = disk.bytes();
        for part in key.windows(16) {
            assert!(!holds(&bytes, part), "{moment}");
        }
        assert!(!a_key_is_left(&bytes, &store, learner), "{moment}");
    }
    assert!(
        a_key_is_left(&disk.bytes(), &store, stays[0].learner),
        "the search finds keys"
    );
    assert!(store.events(learner).unwrap().is_empty());
    drop(store);
    let store = disk.open().unwrap();
    assert!(store.check().unwrap().problems.is_empty());
    assert_eq!(store.events(stays[0].learner).unwrap(), *stays);
    assert_eq!(store.learners().unwrap().len(), 2);
    let story = store.disclosures(learner).unwrap();
    assert_eq!(story[0].1.action, Action::Erased(proof.tombstone));
    assert_eq!(story[0].1.by, by());
}

#[test]
fn who_is_unknown_is_not_erased_and_who_comes_back_begins_anew() {
    let store = Disk::default().open().unwrap();
    let log = log(4);
    let learner = log[0].learner;
    assert_eq!(store.erase(learner, &by()).unwrap(), None);
    assert!(store.audit_log().unwrap().is_empty());
    store.append(&log).unwrap();
    store.erase(learner, &by()).unwrap().unwrap();
    // Events that were under way go the way of the others, and hold nobody else's up.
    let others = super::super::disk_for_tests::log(2);
    store.append(&[&log[2..], &others].concat()).unwrap();
    assert!(store.events(learner).unwrap().is_empty());
    assert_eq!(store.events(others[0].learner).unwrap(), others);
    store.append(&log[..2]).unwrap();
    assert_eq!(store.events(learner).unwrap(), log[..2]);
    let error = store.append(&log[3..]).unwrap_err().to_string();
    assert!(error.contains("the one before it is missing"), "{error}");
    assert!(store.check().unwrap().problems.is_empty());
}

/// Runs this on a disk that fails at each write in turn, as a crash there would; then opens what is left.
fn broken_off_at_every_write(
    begin: impl Fn(&Store),
    work: impl Fn(&mut Store) -> Result<(), RecordError>,
    after: impl Fn(&Disk, Store, bool, &str),
) {
    for step in 0.. {
        let disk = Disk::default();
        let mut store = disk.open().unwrap();
        begin(&store);
        disk.fill_after(step);
        let done = work(&mut store).is_ok();
        let crashed = Disk::holding(disk.bytes());
        drop(store);
        let store = crashed.open_with(&both()).unwrap();
        after(&crashed, store, done, &format!("step {step}"));
        if !disk.ran_full() {
            assert!(done && step > 8);
            return;
        }
    }
}

fn other() -> Keys {
    Keys::from_text("f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f").unwrap()
}

fn both() -> Keys {
    keys().followed_by(&other())
}

#[test]
fn an_erasure_broken_off_anywhere_is_none_or_whole() {
    let logs = [log(6), log(6)];
    let learner = logs[0][0].learner;
    broken_off_at_every_write(
        |store| logs.iter().for_each(|log| store.append(log).unwrap()),
        |store| store.erase(learner, &by()).map(|_| ()),
        |disk, store, done, step| {
            let found = store.events(learner).unwrap();
            if found.is_empty() {
                assert!(!a_key_is_left(&disk.bytes(), &store, learner), "{step}");
                assert_eq!(store.disclosures(learner).unwrap().len(), 1, "{step}");
            } else {
                assert!(found == logs[0] && !done, "{step}");
            }
            assert_eq!(store.events(logs[1][0].learner).unwrap(), logs[1], "{step}");
            assert!(store.check().unwrap().problems.is_empty(), "{step}");
        },
    );
}

#[test]
fn a_rotation_broken_off_anywhere_leaves_one_key_that_opens_everything() {
    let logs = [log(6), log(6)];
    broken_off_at_every_write(
        |store| logs.iter().for_each(|log| store.append(log).unwrap()),
        |store| store.rotate(&both(), &by()).map(|_| ()),
        |disk, store, done, step| {
            for log in &logs {
                assert_eq!(store.events(log[0].learner).unwrap(), *log, "{step}");
            }
            assert!(store.check().unwrap().problems.is_empty(), "{step}");
            drop(store);
            let [old, new] = [keys(), other()].map(|keys| disk.open_with(&keys));
            assert!(old.is_ok() != new.is_ok(), "{step}");
            assert!(!done || new.is_ok(), "{step}");
        },
    );
}

#[test]
fn a_rotation_rewrites_no_event_and_leaves_nothing_that_the_old_key_opens() {
    let disk = Disk::default();
    let mut store = disk.open().unwrap();
    let log = log(20);
    store.append(&log).unwrap();
    let rows = |store: &Store| -> Vec<Vec<u8>> {
        let read = store.database.begin_read().unwrap();
        let events = read.open_table(EVENTS).unwrap();
        let rows = events.iter().unwrap();
        rows.map(|row| row.unwrap().1.value().to_vec()).collect()
    };
    let (before, old) = (rows(&store), store.master.clone());
    let key = wrapped(&store, log[0].learner);
    assert_eq!(store.rotate(&both(), &by()).unwrap(), 1);
    assert_eq!(rows(&store), before);
    assert!(!holds(&disk.bytes(), &key[..24]));
    for bytes in disk.bytes().windows(WRAPPED).filter(|it| it[..4] != [0; 4]) {
        let opens = old
            .wrapping()
            .open_secret(&key_place(log[0].learner), bytes);
        assert!(opens.is_none());
        assert!(Secrets::unwrap(&old, bytes).is_none());
    }
    assert_eq!(store.events(log[0].learner).unwrap(), log);
    store.append(&super::super::disk_for_tests::log(2)).unwrap();
    drop(store);
    let error = disk.open().unwrap_err().to_string();
    assert!(error.contains("another master key"), "{error}");
    assert_eq!(
        disk.open_with(&other()).unwrap().learners().unwrap().len(),
        2
    );
}
