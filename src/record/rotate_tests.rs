use std::fs;
use std::path::Path;

use super::super::disk_for_tests::{keys, log};
use super::*;

fn by() -> By {
    By {
        actor: "administrator".to_owned(),
        purpose: "the yearly change".to_owned(),
        at_unix_ms: 1_793_500_000_000,
    }
}

fn open(folder: &Path) -> Result<Store, RecordError> {
    let file = folder.join("records.redb");
    Store::open(&file, &Keys::from_file(&folder.join("master.key")).unwrap())
}

#[test]
fn a_new_key_file_follows_the_old_one_wherever_it_is_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let [key, next] = ["master.key", "master.key.new"].map(|name| folder.path().join(name));
    let log = log(5);
    let store = open(folder.path()).unwrap();
    store.append(&log).unwrap();
    let old = fs::read(&key).unwrap();

    // Ended before the store was rotated: the old key stays.
    let renewed = store.keys().renewed().unwrap();
    assert!(next.exists());
    drop(store);
    let mut again = open(folder.path()).unwrap();
    assert!(!next.exists() && fs::read(&key).unwrap() == old);
    drop(renewed);

    // Whole.
    let renewed = again.keys().renewed().unwrap();
    let new = fs::read(&next).unwrap();
    assert_eq!(again.rotate(&renewed, &by()).unwrap(), 1);
    assert!(!next.exists() && fs::read(&key).unwrap() == new && new != old);
    assert_eq!(again.events(log[0].learner).unwrap(), log);
    assert!(matches!(
        again.audit_log().unwrap()[0].1.action,
        Action::KeysRotated { keys: 1 }
    ));
    drop(again);

    // Ended after the store was rotated, before the key got its name.
    fs::rename(&key, &next).unwrap();
    fs::copy(&next, &key).unwrap();
    fs::write(&key, &old).unwrap();
    let store = open(folder.path()).unwrap();
    assert!(!next.exists() && fs::read(&key).unwrap() == new);
    assert_eq!(store.events(log[0].learner).unwrap(), log);
}

#[test]
fn a_wrong_key_and_a_missing_one_are_told_apart_and_none_is_made_for_records_that_are_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (
        folder.path().join("records.redb"),
        folder.path().join("master.key"),
    );
    let log = log(3);
    open(folder.path()).unwrap().append(&log).unwrap();
    let error = Store::open(&file, &keys()).unwrap_err();
    assert!(matches!(error, RecordError::WrongKey { .. }));
    let text = error.to_string();
    for part in [
        file.to_str().unwrap(),
        "another master key",
        "none of them is damaged",
    ] {
        assert!(text.contains(part), "{text}");
    }
    fs::rename(&key, folder.path().join("away")).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(
        error,
        RecordError::Key {
            cause: KeyError::Missing { .. },
            ..
        }
    ));
    assert!(error.to_string().contains("put it back"), "{error}");
    assert!(!key.exists());
    fs::rename(folder.path().join("away"), &key).unwrap();
    assert_eq!(
        open(folder.path()).unwrap().events(log[0].learner).unwrap(),
        log
    );
}
