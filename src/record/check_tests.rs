use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::super::audit::{Action, By};
use super::super::disk_for_tests::{Disk, log};
use super::super::writing::{META, WIPE, begin};
use super::*;

fn small() -> Disk {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    for log in [log(2), log(1)] {
        store.append(&log).unwrap();
    }
    let by = By {
        actor: "instructor".to_owned(),
        purpose: "a talk with the parents".to_owned(),
        at_unix_ms: 1_793_500_000_000,
    };
    for action in [Action::Accessed, Action::Exported] {
        store.audit(&by, None, action).unwrap();
    }
    assert!(store.check().unwrap().problems.is_empty());
    drop(store);
    disk
}

/// Whether somebody who changes the tables like this, checksums and all, is found out.
fn found(disk: &Disk, change: impl FnOnce(&Database)) -> bool {
    let changed = Disk::holding(disk.bytes());
    change(
        &Database::builder()
            .create_with_backend(changed.clone())
            .unwrap(),
    );
    match changed.open() {
        Ok(store) => store
            .check()
            .map_or(true, |check| !check.problems.is_empty()),
        Err(_) => true,
    }
}

fn put<K: redb::Key + 'static>(
    database: &Database,
    table: TableDefinition<K, &[u8]>,
    key: K::SelfType<'_>,
    value: Option<&[u8]>,
) {
    let write = begin(database).unwrap();
    {
        let mut table = write.open_table(table).unwrap();
        match value {
            Some(value) => table.insert(key, value).map(|_| ()).unwrap(),
            None => table.remove(key).map(|_| ()).unwrap(),
        }
    }
    write.commit().unwrap();
}

/// Keys and values of a table.
fn rows<K: redb::Key + 'static, T: Clone>(
    disk: &Disk,
    table: TableDefinition<K, &[u8]>,
    own: impl Fn(K::SelfType<'_>) -> T,
) -> Vec<(T, Vec<u8>)> {
    let disk = Disk::holding(disk.bytes());
    let database = Database::builder().create_with_backend(disk).unwrap();
    let read = database.begin_read().unwrap();
    let table = read.open_table(table).unwrap();
    let rows = table.iter().unwrap().map(Result::unwrap);
    rows.map(|(key, value)| (own(key.value()), value.value().to_vec()))
        .collect()
}

/// Changes, cuts, removes and exchanges the rows of a table, one at a time, and puts each back.
macro_rules! every_byte_of {
    ($disk:expr, $table:expr, $own:expr) => {{
        let rows = rows(&$disk, $table, $own);
        let store = Disk::holding($disk.bytes()).open().unwrap();
        let found = |key, value: Option<&[u8]>, original: &[u8]| {
            put(&store.database, $table, key, value);
            let found = store
                .check()
                .map_or(true, |check| !check.problems.is_empty());
            put(&store.database, $table, key, Some(original));
            found
        };
        for (key, value) in &rows {
            for place in 0..value.len() {
                let mut changed = value.clone();
                changed[place] ^= 1 << (place % 8);
                let found = found(*key, Some(&changed), value);
                assert!(found, "{} {key:?}, byte {place}", $table);
            }
            assert!(
                found(*key, Some(&value[..value.len() - 1]), value),
                "cut {key:?}"
            );
            assert!(found(*key, None, value), "removed {key:?}");
            for (_, other) in rows.iter().filter(|(_, other)| other != value) {
                assert!(found(*key, Some(other), value), "exchanged {key:?}");
            }
        }
        assert!(store.check().unwrap().problems.is_empty());
        rows.len()
    }};
}

#[test]
fn every_changed_byte_every_removal_and_every_exchange_is_found() {
    let disk = small();
    assert_eq!(every_byte_of!(disk, EVENTS, |key| key), 5);
    assert_eq!(every_byte_of!(disk, HEADS, |key| key), 2);
    assert_eq!(every_byte_of!(disk, KEYS, |key| key), 2);
    assert_eq!(every_byte_of!(disk, AUDIT, |key| key), 2);
}

#[test]
fn every_changed_byte_of_the_store_s_own_rows_is_found() {
    let disk = small();
    for (key, value) in rows(&disk, META, str::to_owned) {
        for place in 0..value.len() {
            let mut changed = value.clone();
            changed[place] ^= 1 << (place % 8);
            let found = found(&disk, |it| put(it, META, &key, Some(&changed)));
            assert!(found, "{key}, byte {place}");
        }
        assert!(found(&disk, |it| put(it, META, &key, None)), "{key}");
    }
}

#[test]
fn a_log_taken_away_whole_or_put_back_whole_is_found() {
    let disk = small();
    let store = disk.open().unwrap();
    let learner = store.learners().unwrap()[0].learner;
    let row = store.secrets.row(learner);
    let before = store.events(learner).unwrap();
    drop(store);
    let earlier = Disk::holding(disk.bytes());
    let taken = found(&disk, |it| {
        put(it, HEADS, row, None);
        put(it, KEYS, row, None);
        for seq in 1..=before.len() as u64 {
            put(it, EVENTS, (row, seq), None);
        }
    });
    assert!(taken);
    let store = disk.open().unwrap();
    let mut next = before[1].clone();
    next.seq = before.len() as u64 + 1;
    store.append(&[next.clone()]).unwrap();
    drop(store);
    let heads = rows(&earlier, HEADS, |key| key);
    let old = heads.iter().find(|(key, _)| *key == row).unwrap();
    let put_back = found(&disk, |it| {
        put(it, HEADS, row, Some(&old.1));
        put(it, EVENTS, (row, next.seq), None);
    });
    assert!(
        put_back,
        "the end was cut off, and the head of that time put back"
    );
}

#[test]
fn an_event_written_anew_by_somebody_with_the_data_key_is_found() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let log = log(3);
    store.append(&log).unwrap();
    let row = store.secrets.row(log[0].learner);
    let keys = store
        .database
        .begin_read()
        .unwrap()
        .open_table(KEYS)
        .unwrap();
    let key = store
        .master
        .wrapping()
        .open_secret(
            &key_place(log[0].learner),
            keys.get(row).unwrap().unwrap().value(),
        )
        .unwrap();
    let mut other = log[2].clone();
    other.at_unix_ms += 1;
    let text = codec::encode(&other).unwrap();
    let sealed = key
        .sealer()
        .seal(&event_place(row, other.seq), &text)
        .unwrap();
    put(&store.database, EVENTS, (row, other.seq), Some(&sealed));
    assert_eq!(
        store.events(log[0].learner).unwrap()[2],
        other,
        "each seal is right"
    );
    let problems = store.check().unwrap().problems;
    assert!(
        problems.len() == 1 && problems[0].contains("the chain"),
        "{problems:?}"
    );
}

#[test]
fn a_log_with_exchanged_or_missing_events_is_not_read() {
    let disk = small();
    let store = disk.open().unwrap();
    let learner = store.learners().unwrap()[1].learner;
    let row = store.secrets.row(learner);
    let events = rows(&disk, EVENTS, |key| key);
    let sealed = |seq| {
        let found = events.iter().find(|(key, _)| *key == (row, seq));
        found.unwrap().1.clone()
    };
    put(&store.database, EVENTS, (row, 3), None);
    let error = store.events(learner).unwrap_err().to_string();
    assert!(error.contains("2 events, and 3 were written"), "{error}");
    put(&store.database, EVENTS, (row, 3), Some(&sealed(2)));
    let error = store.events(learner).unwrap_err().to_string();
    assert!(
        error.contains("event 3") && error.contains("moved"),
        "{error}"
    );
    put(&store.database, EVENTS, (row, 3), Some(&sealed(3)));
    assert_eq!(store.events(learner).unwrap().len(), 3);
}

#[test]
fn the_fingerprint_tells_states_of_a_store_apart() {
    let disk = small();
    let store = disk.open().unwrap();
    let first = store.check().unwrap().fingerprint;
    assert_eq!(store.check().unwrap().fingerprint, first);
    store.append(&log(1)).unwrap();
    assert_ne!(store.check().unwrap().fingerprint, first);
}

#[test]
fn nothing_but_sealed_bytes_counts_and_fixed_names_is_in_the_tables() {
    let disk = small();
    for (_, row) in rows(&disk, EVENTS, |key| key) {
        assert!(!row.windows(3).any(|it| it == b"seq" || it == b"cub"));
    }
    let database = Database::builder()
        .create_with_backend(Disk::holding(disk.bytes()))
        .unwrap();
    let read = database.begin_read().unwrap();
    assert_eq!(read.list_tables().unwrap().count(), 10);
    assert!(
        read.open_table(WIPE)
            .unwrap()
            .iter()
            .unwrap()
            .next()
            .is_none()
    );
}
