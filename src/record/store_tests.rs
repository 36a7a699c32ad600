use std::ops::Range;

use proptest::prelude::*;

use super::super::disk_for_tests::{Disk, FILE, keys, log};
use super::*;

/// Two learners' logs as they lie after the program ended, and as they lie after it was killed.
struct Laid {
    logs: [Vec<Event>; 2],
    ended: Vec<u8>,
    killed: Vec<u8>,
}

impl Laid {
    fn down() -> Self {
        let logs = [log(41), log(41)];
        let disk = Disk::default();
        let store = disk.open().unwrap();
        for place in (0..42).step_by(7) {
            for log in &logs {
                store.append(&log[place..place + 7]).unwrap();
            }
        }
        let killed = disk.bytes();
        drop(store);
        Self {
            logs,
            ended: disk.bytes(),
            killed,
        }
    }

    fn images(&self) -> [(&'static str, &Vec<u8>); 2] {
        [("ended", &self.ended), ("killed", &self.killed)]
    }

    /// Opens this twice: the error, or the whole log. A log that is shorter, or a panic, fails the test.
    fn whole_or_refused(&self, bytes: Vec<u8>, how: impl Fn() -> String) -> bool {
        let disk = Disk::holding(bytes);
        let first = self.read(&disk, &how);
        let second = self.read(&disk, &how);
        assert!(first || !second, "{}: refused once, then opened", how());
        first
    }

    fn read(&self, disk: &Disk, how: impl Fn() -> String) -> bool {
        let store = match disk.open() {
            Ok(store) => store,
            Err(error) => {
                refused(&error, FILE, how);
                return false;
            }
        };
        for log in &self.logs {
            let found = store.events(log[0].learner).unwrap_or_default();
            assert!(found == *log, "{}: {} of {}", how(), found.len(), log.len());
        }
        assert!(store.check().unwrap().problems.is_empty(), "{}", how());
        true
    }
}

#[track_caller]
fn refused(error: &RecordError, file: &str, how: impl Fn() -> String) {
    let text = error.to_string();
    for part in [file, "cannot be read as a store", "backup", "--data-dir"] {
        assert!(
            text.contains(part),
            "{}: `{part}` is missing in: {text}",
            how()
        );
    }
}

/// Every byte of redb's header and, of the pages, every so many bytes that hold something.
fn places(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    const HEADER: Range<usize> = 0..320;
    const EVERY: usize = 499;
    let held = (HEADER.end..bytes.len()).filter(|place| bytes[*place] != 0);
    HEADER.chain(held.step_by(EVERY))
}

#[test]
fn a_flipped_bit_is_refused_or_does_no_harm() {
    let laid = Laid::down();
    for (which, image) in laid.images() {
        let mut refused = 0;
        for place in places(image) {
            // What everything hangs on: redb's magic number, its recovery byte and its layout.
            let bits = if place < 64 {
                0..8
            } else {
                place % 8..place % 8 + 1
            };
            for bit in bits {
                let mut bytes = image.clone();
                bytes[place] ^= 1 << bit;
                let whole = laid.whole_or_refused(bytes, || format!("{which}, {place}.{bit}"));
                refused += u32::from(!whole);
            }
        }
        assert!(refused > 100, "{which}: only {refused} were refused");
    }
}

#[test]
fn a_lost_sector_is_refused_or_does_no_harm() {
    let laid = Laid::down();
    for (which, image) in laid.images() {
        // Every third, so that all kinds of pages lose some, in the middle as well as at their ends.
        for sector in (0..image.len() / 512).step_by(3) {
            for filling in [0, 0xff] {
                let mut bytes = image.clone();
                bytes[sector * 512..][..512].fill(filling);
                laid.whole_or_refused(bytes, || format!("{which}, sector {sector}"));
            }
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_is_refused_or_whole() {
    let laid = Laid::down();
    for (which, image) in laid.images() {
        let lengths = (1..image.len()).step_by(509);
        let pages = (4096..image.len()).step_by(4096);
        for length in lengths.chain(pages).chain([320, image.len() - 1]) {
            let mut bytes = image.clone();
            bytes.truncate(length);
            laid.whole_or_refused(bytes, || format!("{which}, {length} bytes"));
        }
    }
}

#[test]
fn a_file_that_grew_is_refused_or_whole() {
    let laid = Laid::down();
    for (which, image) in laid.images() {
        for more in [1, 511, 4096, 4097, 1 << 20] {
            let mut bytes = image.clone();
            bytes.extend(std::iter::repeat_n(0x5a, more));
            laid.whole_or_refused(bytes, || format!("{which}, {more} more"));
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_opening_panic(bytes in prop::collection::vec(any::<u8>(), 1..2000)) {
        let error = Disk::holding(bytes).open().unwrap_err();
        refused(&error, FILE, String::new);
    }

    #[test]
    fn damage_in_many_places_is_refused_or_does_no_harm(
        seeds in prop::collection::vec((any::<u32>(), any::<u8>()), 1..40),
        killed in any::<bool>(),
    ) {
        let laid = Laid::down();
        let mut bytes = if killed { laid.killed.clone() } else { laid.ended.clone() };
        for (place, byte) in &seeds {
            // The two slots are one sector: losing half of both by chance is not what a disk does.
            let place = 320 + *place as usize % (bytes.len() - 320);
            bytes[place] = *byte;
        }
        laid.whole_or_refused(bytes, || format!("{seeds:?}"));
    }
}

#[test]
fn a_store_that_is_open_is_not_opened_again_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.redb");
    let store = Store::open(&file, &keys()).unwrap();
    let log = log(4);
    store.append(&log[..2]).unwrap();
    let error = Store::open(&file, &keys()).unwrap_err().to_string();
    for part in [file.to_str().unwrap(), "another process", "--data-dir"] {
        assert!(error.contains(part), "`{part}` is missing in: {error}");
    }
    store.append(&log[2..]).unwrap();
    drop(store);
    let store = Store::open(&file, &keys()).unwrap();
    assert_eq!(store.events(log[0].learner).unwrap(), log);
}

#[test]
fn a_clock_that_is_set_back_or_ahead_changes_no_order() {
    const DAY: u64 = 86_400_000;
    let (mut first, mut second) = (log(6), log(6));
    for (event, days) in first.iter_mut().zip([3, 4, 2, 3, 400, 1, 3]) {
        event.at_unix_ms = days * DAY;
    }
    for event in &mut second {
        event.at_unix_ms = 1;
    }
    let store = Disk::default().open().unwrap();
    store.append(&first).unwrap();
    store.append(&second).unwrap();
    assert_eq!(store.events(first[0].learner).unwrap(), first);
    let latest = store.learners().unwrap()[0];
    assert_eq!(latest.learner, second[0].learner, "the last to be written");
    assert!(store.check().unwrap().problems.is_empty());
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.redb");
    let long = "a letter to a friend\n".repeat(10_000);
    for text in ["", "x", "a letter to a friend", &long] {
        std::fs::write(&file, text).unwrap();
        for _ in 0..2 {
            let error = Store::open(&file, &keys()).unwrap_err();
            refused(&error, file.to_str().unwrap(), || {
                text.chars().take(30).collect()
            });
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn a_place_that_cannot_hold_a_store_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("directory.redb");
    std::fs::create_dir(&directory).unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for place in [
        directory,
        file.join("records.redb"),
        file.join("a/records.redb"),
    ] {
        let error = Store::open(&place, &keys()).unwrap_err().to_string();
        for part in [place.to_str().unwrap(), "cannot be kept", "--data-dir"] {
            assert!(error.contains(part), "`{part}` is missing in: {error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_place_that_is_forbidden_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    let (file, new) = (
        folder.path().join("records.redb"),
        closed.join("records.redb"),
    );
    drop(Store::open(&file, &keys()).unwrap());
    let forbid = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    forbid(&file, 0o400);
    forbid(&closed, 0o500);
    let root = std::fs::write(closed.join("probe"), "").is_ok();
    let errors = [Store::open(&file, &keys()), Store::open(&new, &keys())].map(Result::err);
    forbid(&closed, 0o700);
    for (error, place) in errors.into_iter().zip([&file, &new]) {
        // Nothing is forbidden to root.
        let Some(error) = error else {
            assert!(root, "{} was opened", place.display());
            continue;
        };
        let text = error.to_string();
        for part in [place.to_str().unwrap(), "may write", "--data-dir"] {
            assert!(text.contains(part), "`{part}` is missing in: {text}");
        }
    }
}
