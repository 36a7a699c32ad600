use std::time::Duration;

use super::super::disk_for_tests::{Disk, log};
use super::super::motion::{Controls, Grant, HandMotion, MotionLog, RawPose};
use super::*;
use crate::protocol::ids::{LearnerId, SessionId};

const NOW: u64 = 1_795_000_000_000;
const DAY: Duration = Duration::from_secs(86_400);

fn by() -> By {
    By {
        actor: "administrator".to_owned(),
        purpose: "a test".to_owned(),
        at_unix_ms: NOW,
    }
}

fn token(learner: LearnerId) -> ConsentToken {
    let grant = Grant::recorded(learner, NOW, u64::MAX, 7 * DAY);
    ConsentToken::from_grant(&grant, NOW, 7 * DAY).unwrap()
}

fn frame(at_ms: u64) -> MotionFrame {
    let pose = RawPose::new([0.1, 1.6, at_ms as f32 * 1e-4], [0.0, 0.0, 0.0, 1.0]).unwrap();
    let hand = HandMotion::new(pose, Some(pose), Controls::default());
    MotionFrame::new(Duration::from_millis(at_ms), pose, None, Some(hand))
}

/// Blocks of so many seconds, as the recorder makes them.
fn blocks(learner: LearnerId, session: SessionId, run: u32, seconds: u64) -> Vec<MotionChunk> {
    let (out, made) = std::sync::mpsc::channel();
    let keep = move |block: &MotionChunk| out.send(block.clone());
    let mut log = MotionLog::start(learner, session, keep)
        .unwrap()
        .numbered_from(first_of_run(run));
    let token = token(learner);
    for at in (0..seconds * 1000).step_by(20) {
        log.append(&token, NOW, &frame(at)).unwrap();
    }
    drop(log);
    made.iter().collect()
}

/// A learner with a log and ten seconds of movements in two runs of one session.
fn recorded(store: &Store) -> (LearnerId, SessionId) {
    let events = log(3);
    store.append(&events).unwrap();
    let (learner, session) = (events[0].learner, events[0].session);
    for run in 0..2 {
        for block in blocks(learner, session, run, 5) {
            store.append_motion(&block).unwrap();
        }
    }
    (learner, session)
}

#[test]
fn movements_are_read_back_by_run_with_a_consent_and_not_without_one() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let (learner, session) = recorded(&store);
    let runs = store
        .movements(&token(learner), learner, session, NOW)
        .unwrap();
    let counts: Vec<(u32, usize)> = runs
        .iter()
        .map(|run| (run.number, run.frames.len()))
        .collect();
    assert_eq!(counts, [(0, 250), (1, 250)]);
    let kept = store.recordings(learner).unwrap();
    assert_eq!((kept.len(), kept[0].blocks), (1, 10));
    // Somebody else's consent, and a time after which nothing may be kept.
    let other = token(LearnerId::fresh());
    assert!(matches!(
        store.movements(&other, learner, session, NOW),
        Err(MovementsError::Motion(_))
    ));
    let late = kept[0].delete_at_unix_ms;
    assert!(matches!(
        store.movements(&token(learner), learner, session, late),
        Err(MovementsError::Over)
    ));
    assert!(store.check().unwrap().problems.is_empty());
    assert_eq!(store.check().unwrap().motion, 10);
    drop(store);
    let store = disk.open().unwrap();
    assert!(
        store
            .movements(&token(learner), learner, session, NOW)
            .is_ok()
    );
}

#[test]
fn a_block_that_is_kept_twice_is_kept_once() {
    let store = Disk::default().open().unwrap();
    let (learner, session) = recorded(&store);
    for block in blocks(learner, session, 1, 5) {
        store.append_motion(&block).unwrap();
    }
    assert_eq!(store.recordings(learner).unwrap()[0].blocks, 10);
    assert!(store.check().unwrap().problems.is_empty());
}

/// Any place of the file at which this key still opens something under this place.
fn opens(bytes: &[u8], sealer: &Sealer, place: &[u8], length: usize) -> bool {
    bytes
        .windows(length)
        .filter(|window| window[..4] != [0; 4])
        .any(|window| sealer.open(place, window).is_some())
}

#[test]
fn of_an_erased_learner_no_movement_can_be_opened_and_none_is_taken_in_any_more() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let (learner, session) = recorded(&store);
    let (stays, their) = recorded(&store);
    let row = store.secrets.row(learner);
    let read = store.database.begin_read().unwrap();
    let wrapped = read.open_table(MOTION_KEYS).unwrap();
    let wrapped = wrapped
        .get((row, session.0.as_u128()))
        .unwrap()
        .unwrap()
        .value()
        .to_vec();
    drop(read);
    let proof = store.erase(learner, &by()).unwrap().unwrap();
    assert_eq!((proof.key_copies_left, proof.events_left), (0, 0));
    // Data key and recording's key.
    assert!(proof.key_copies_overwritten >= 2);
    let bytes = disk.bytes();
    for part in wrapped.windows(16) {
        assert!(!bytes.windows(16).any(|window| window == part));
    }
    assert_eq!(store.recordings(learner).unwrap(), []);
    // What was still under way goes the way of the rest.
    for block in blocks(learner, session, 2, 2) {
        store.append_motion(&block).unwrap();
    }
    assert_eq!(store.recordings(learner).unwrap(), []);
    assert!(matches!(
        store.movements(&token(learner), learner, session, NOW),
        Err(MovementsError::None)
    ));
    assert!(store.movements(&token(stays), stays, their, NOW).is_ok());
    assert!(
        store.check().unwrap().problems.is_empty(),
        "{:?}",
        store.check()
    );
}

#[test]
fn forgotten_movements_cannot_be_opened_with_the_learners_own_key_and_the_log_stays() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let (learner, session) = recorded(&store);
    let read = store.database.begin_read().unwrap();
    let data_key = store.data_key(&read, learner).unwrap().unwrap();
    drop(read);
    let place = motion_place(KEY, store.secrets.row(learner), session.0.as_u128(), 0);
    let length = super::super::seal::WRAPPED;
    assert!(
        opens(&disk.bytes(), &data_key, &place, length),
        "the search finds keys"
    );
    assert_eq!(store.forget_motion(learner, None, &by()).unwrap(), 1);
    assert!(!opens(&disk.bytes(), &data_key, &place, length));
    assert_eq!(store.events(learner).unwrap().len(), 4);
    assert!(store.check().unwrap().problems.is_empty());
    let story = store.disclosures(learner).unwrap();
    assert_eq!(story[0].1.action, Action::MotionForgotten { recordings: 1 });
}

#[test]
fn rotation_leaves_movements_readable_and_a_sweep_forgets_those_whose_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let keys = super::super::Keys::from_file(&folder.path().join("master.key")).unwrap();
    let mut store = Store::open(&folder.path().join("records.redb"), &keys).unwrap();
    let (learner, session) = recorded(&store);
    let next = store.keys().renewed().unwrap();
    store.rotate(&next, &by()).unwrap();
    assert!(
        store
            .movements(&token(learner), learner, session, NOW)
            .is_ok()
    );
    let retention = super::super::Retention::default();
    let report = store.sweep(&retention, &by(), false).unwrap();
    assert_eq!(report.motion_forgotten, 0);
    let later = By {
        at_unix_ms: NOW + 8 * 86_400_000,
        ..by()
    };
    let report = store.sweep(&retention, &later, false).unwrap();
    assert_eq!((report.motion_forgotten, report.erased.len()), (1, 0));
    assert_eq!(store.recordings(learner).unwrap(), []);
    assert!(store.check().unwrap().problems.is_empty());
}

#[test]
fn a_recording_cut_off_changed_or_taken_away_is_found() {
    let damage = |work: &dyn Fn(&mut Writing<'_>, u128, u128)| {
        let store = Disk::default().open().unwrap();
        let (learner, session) = recorded(&store);
        let row = store.secrets.row(learner);
        store
            .guarded(|| {
                store.write(|writing| {
                    work(writing, row, session.0.as_u128());
                    Ok(())
                })
            })
            .unwrap();
        store.check().unwrap().problems
    };
    assert_eq!(damage(&|_, _, _| {}), [""; 0]);
    let last = first_of_run(1) + 4;
    let cut = damage(&|writing, row, session| {
        writing.motion.remove((row, session, last)).unwrap();
    });
    assert!(!cut.is_empty());
    let changed = damage(&|writing, row, session| {
        let block = writing
            .motion
            .get((row, session, 1))
            .unwrap()
            .unwrap()
            .value()
            .to_vec();
        writing
            .motion
            .insert((row, session, 2), block.as_slice())
            .unwrap();
    });
    assert!(!changed.is_empty());
    let gone = damage(&|writing, row, session| {
        writing.motion_heads.remove((row, session)).unwrap();
        writing.motion_keys.remove((row, session)).unwrap();
        let all = (row, session, 0)..=(row, session, u32::MAX);
        writing.motion.retain_in(all, |_, _| false).unwrap();
    });
    assert!(
        gone.iter().any(|problem| problem.contains("removed")),
        "{gone:?}"
    );
}
