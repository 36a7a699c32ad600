//! Power cuts: of all that was written since the last sync a disk keeps what it likes, sector by sector, and may have
//! forgotten that the file grew. What was acknowledged before stays.

use super::chance_for_tests::bits;
use super::disk_for_tests::{Disk, Done, log};
use crate::protocol::event::Event;

/// What a disk keeps whole or not at all.
const SECTOR: usize = 512;
/// Cuts tried; each opens the store twice. 600 were, once, at any moment, in ten minutes.
const CUTS: usize = 60;
/// Some are within so many steps from where the file grows.
const NEAR: usize = 40;

/// A store at work: made, written to in groups of several sizes, closed, opened and written to again.
fn at_work(log: &[Event]) -> Vec<Done> {
    let disk = Disk::that_remembers();
    let (mut kept, mut group) = (0, 1);
    disk.acknowledged(0);
    while kept < log.len() {
        let store = disk.open().unwrap();
        disk.acknowledged(kept);
        for _ in 0..20 {
            let to = (kept + group).min(log.len());
            store.append(&log[kept..to]).unwrap();
            kept = to;
            disk.acknowledged(kept);
            group = group % 7 + 1;
        }
    }
    disk.done()
}

/// A number below this one.
fn below(end: usize, draw: &mut impl FnMut() -> u64) -> usize {
    usize::try_from(draw() % u64::try_from(end).unwrap()).unwrap()
}

/// What lies on the disk when the power goes after this was done, and how many events were acknowledged by then.
fn cut(done: &[Done], draw: &mut impl FnMut() -> u64) -> (Vec<u8>, usize) {
    let synced = done.iter().rposition(|it| matches!(it, Done::Synced));
    // None of it, nearly all of it, or anything between.
    let lost_one_in = [1, 2, 10][below(3, draw)];
    let (mut bytes, mut acknowledged) = (Vec::new(), 0);
    for (place, what) in done.iter().enumerate() {
        let synced = synced.is_some_and(|synced| place < synced);
        let mut stays = || synced || below(lost_one_in, draw) != 0;
        match what {
            Done::Length(len) => {
                if stays() {
                    bytes.resize(usize::try_from(*len).unwrap(), 0);
                }
            }
            Done::Written(offset, data) => {
                let from = usize::try_from(*offset).unwrap();
                for (sector, part) in data.chunks(SECTOR).enumerate() {
                    let at = from + sector * SECTOR;
                    if stays() {
                        // A write beyond the end is what makes a file longer, too.
                        bytes.resize(bytes.len().max(at + part.len()), 0);
                        bytes[at..at + part.len()].copy_from_slice(part);
                    }
                }
            }
            Done::Synced => {}
            Done::Acknowledged(events) => acknowledged = *events,
        }
    }
    (bytes, acknowledged)
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_acknowledged() {
    let log = log(600);
    let done = at_work(&log);
    let begun = done
        .iter()
        .position(|it| matches!(it, Done::Acknowledged(events) if *events > 0))
        .unwrap();
    let (mut grows, mut length) = (Vec::new(), 0);
    for (place, it) in done.iter().enumerate() {
        if let Done::Length(len) = it {
            if *len > length && place > begun {
                grows.push(place);
            }
            length = *len;
        }
    }
    assert!(!grows.is_empty(), "the file never grew");
    let (mut draw, mut shorter, mut behind) = (bits(1), 0, 0);
    for number in 0..CUTS {
        let grown = grows[number % grows.len()];
        let (from, within) = match number % 3 {
            0 => (begun, done.len() - begun),
            1 => (grown, NEAR),
            // While it grows.
            _ => (grown, 2),
        };
        let place = from + 1 + below(within, &mut draw);
        let done = &done[..place.min(done.len())];
        let (bytes, acknowledged) = cut(done, &mut draw);
        let whole = done.iter().rev().find_map(|it| match it {
            Done::Length(len) => Some(*len),
            _ => None,
        });
        shorter += u32::from(whole.is_some_and(|whole| (bytes.len() as u64) < whole));
        let disk = Disk::holding(bytes);
        let how = format!("cut {number} after {place}");
        let store = disk.open().unwrap_or_else(|error| panic!("{how}: {error}"));
        let kept = store.events(log[0].learner).unwrap();
        assert!(
            kept.len() >= acknowledged && kept == log[..kept.len()],
            "{how}: {} events, {acknowledged} were acknowledged",
            kept.len()
        );
        behind += u32::from(kept.len() == acknowledged);
        assert!(store.check().unwrap().problems.is_empty());
        // And it goes on.
        store.append(&log[kept.len()..]).unwrap();
        drop(store);
        let again = disk.open().unwrap();
        assert_eq!(again.events(log[0].learner).unwrap(), log);
    }
    assert!(shorter > 0, "no file was cut short");
    assert!(behind > 0, "no write was lost");
    println!("{CUTS} cuts: {shorter} left a shorter file, {behind} lost what was under way");
}

#[test]
fn a_file_that_lost_its_last_page_has_lost_nothing() {
    let log = log(300);
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let mut images = Vec::new();
    for group in log.chunks(7) {
        store.append(group).unwrap();
        images.push(disk.bytes());
    }
    drop(store);
    let ended = disk.bytes();
    let killed = images.into_iter().enumerate().step_by(6);
    let all = killed
        .map(|(place, bytes)| (bytes, log.len().min(7 * (place + 1))))
        .chain([(ended, log.len())]);
    for (bytes, acknowledged) in all {
        for lost in [1, 511, 4095, 4096, 8000] {
            let disk = Disk::holding(bytes[..bytes.len() - lost].to_vec());
            let how = format!("{acknowledged} acknowledged, {lost} bytes lost");
            let store = disk.open().unwrap_or_else(|error| panic!("{how}: {error}"));
            let kept = store.events(log[0].learner).unwrap();
            assert_eq!(kept, log[..acknowledged], "{how}");
            store.append(&log[kept.len()..]).unwrap();
            drop(store);
            // The end is there again, and can be lost again.
            let whole = disk.bytes();
            let again = Disk::holding(whole[..whole.len() - lost].to_vec());
            assert_eq!(again.open().unwrap().events(log[0].learner).unwrap(), log);
        }
    }
}
