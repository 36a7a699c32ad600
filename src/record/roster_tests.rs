use std::fs;

use super::*;

fn key(folder: &Path, name: &str) -> Keys {
    let keys = Keys::from_file(&folder.join(name)).unwrap();
    keys.made().unwrap().0
}

fn ada() -> (RosterId, Person) {
    let person = Person {
        name: "Ada Canary-Lovelace".to_owned(),
        birth_year: Some(2015),
        guardian: Some("byron.canary@example.org".to_owned()),
        waits_since_unix_ms: None,
    };
    (RosterId::new("  canary-4711 "), person)
}

#[test]
fn a_roster_comes_back_and_shows_nothing_in_the_file_nor_in_debug_output() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("roster"), key(folder.path(), "a.key"));
    let mut roster = Roster::open(&file, &keys).unwrap();
    let (id, person) = ada();
    roster.insert(id.clone(), person.clone());
    roster.save(&keys).unwrap();
    let bytes = fs::read(&file).unwrap();
    let said = format!("{roster:?} {id:?} {person:?}");
    for canary in ["Ada", "canary", "Lovelace", "byron", "example.org", "2015"] {
        let found = bytes
            .windows(canary.len())
            .any(|it| it == canary.as_bytes());
        assert!(!found && !said.contains(canary), "{canary}");
    }
    let again = Roster::open(&file, &keys).unwrap();
    assert_eq!(again.people().collect::<Vec<_>>(), [(&id, &person)]);
    let learner = roster.pseudonym(&id);
    assert_eq!(again.pseudonym(&RosterId::new("canary-4711")), learner);
    assert_eq!(again.whose(learner), Some((&id, &person)));
    assert_eq!(learner.0.get_version_num(), 8);
}

#[test]
fn pseudonyms_of_two_rosters_or_two_people_differ() {
    let folder = tempfile::tempdir().unwrap();
    let keys = key(folder.path(), "a.key");
    let [a, b] = ["a", "b"].map(|name| Roster::open(&folder.path().join(name), &keys).unwrap());
    let id = RosterId::new("1");
    assert_ne!(a.pseudonym(&id), b.pseudonym(&id));
    assert_ne!(a.pseudonym(&id), a.pseudonym(&RosterId::new("2")));
}

#[test]
fn a_wrong_key_is_said_to_be_wrong_and_a_changed_file_to_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("roster"), key(folder.path(), "a.key"));
    let mut roster = Roster::open(&file, &keys).unwrap();
    let (id, person) = ada();
    roster.insert(id, person);
    roster.save(&keys).unwrap();
    let other = key(folder.path(), "b.key");
    assert!(matches!(
        Roster::open(&file, &other),
        Err(SealedFileError::WrongKey { .. })
    ));
    let bytes = fs::read(&file).unwrap();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        fs::write(&file, &changed).unwrap();
        assert!(Roster::open(&file, &keys).is_err(), "byte {place}");
        fs::write(&file, &bytes[..place]).unwrap();
        assert!(Roster::open(&file, &keys).is_err(), "{place} bytes");
    }
}

#[test]
fn while_keys_are_rotated_either_key_opens_it_and_after_only_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let (file, old) = (folder.path().join("roster"), key(folder.path(), "a.key"));
    let new = key(folder.path(), "b.key");
    let roster = Roster::open(&file, &old).unwrap();
    roster.save(&old.followed_by(&new)).unwrap();
    assert!(Roster::open(&file, &old).is_ok() && Roster::open(&file, &new).is_ok());
    roster.save(&new).unwrap();
    assert!(Roster::open(&file, &old).is_err() && Roster::open(&file, &new).is_ok());
}

#[test]
fn who_is_taken_out_leaves_no_trace_in_the_blocks_of_the_file_before() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("roster"), key(folder.path(), "a.key"));
    let mut roster = Roster::open(&file, &keys).unwrap();
    let (id, person) = ada();
    roster.insert(id.clone(), person.clone());
    roster.save(&keys).unwrap();
    // Another name for the same blocks.
    let kept = folder.path().join("kept");
    fs::hard_link(&file, &kept).unwrap();
    assert_eq!(roster.remove(&id), Some(person));
    roster.save(&keys).unwrap();
    assert!(fs::read(&kept).unwrap().iter().all(|byte| *byte == 0));
    assert_eq!(Roster::open(&file, &keys).unwrap().people().count(), 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
