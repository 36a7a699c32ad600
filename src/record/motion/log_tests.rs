//! Tests of the recording, through its door.

use std::sync::mpsc;

use super::super::pose::{Controls, HandMotion, RawPose};
use super::super::token::Grant;
use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const NOW: u64 = 1_793_500_000_000;

fn grant(learner: LearnerId) -> Grant {
    Grant::recorded(learner, NOW, NOW + 1_000_000, 30 * DAY)
}

fn frame(at_ms: u64) -> MotionFrame {
    let pose = RawPose::new([0.1, 1.6, at_ms as f32 * 1e-4], [0.0, 0.0, 0.0, 1.0]).unwrap();
    let hand = HandMotion::new(pose, Some(pose), Controls::default());
    MotionFrame::new(Duration::from_millis(at_ms), pose, None, Some(hand))
}

/// What was kept: number, time of deletion, bytes.
type Kept = (u32, u64, Vec<u8>);

fn log(learner: LearnerId) -> (MotionLog, mpsc::Receiver<Kept>) {
    let (out, kept) = mpsc::channel();
    let keep = move |block: &MotionChunk| {
        out.send((
            block.number(),
            block.delete_at_unix_ms(),
            block.bytes().to_vec(),
        ))
    };
    let log = MotionLog::start(learner, SessionId::fresh(), keep).unwrap();
    (log, kept)
}

#[test]
fn what_is_recorded_under_consent_is_read_back_in_order() {
    let learner = LearnerId::fresh();
    let grant = grant(learner);
    let token = ConsentToken::from_grant(&grant, NOW, DAY).unwrap();
    let (mut log, kept) = log(learner);
    let times: Vec<u64> = (0..300).map(|i| i * 14).collect();
    for at in &times {
        log.append(&token, NOW + at, &frame(*at)).unwrap();
    }
    drop(log);
    let blocks: Vec<Kept> = kept.iter().collect();
    let numbers: Vec<u32> = blocks.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    assert_eq!(blocks[0].1, NOW + 86_400_000);
    let read: Vec<u64> = blocks
        .iter()
        .flat_map(|(.., bytes)| decode(&token, learner, NOW, bytes).unwrap())
        .map(|frame| frame.reveal(&token).0.as_millis() as u64)
        .collect();
    assert_eq!(read, times);
    // Without the consent there is no replay either.
    grant.withdraw();
    let refused = decode(&token, learner, NOW, &blocks[0].2).map(|_| ());
    assert_eq!(refused, Err(MotionError::Consent(ConsentError::Withdrawn)));
}

#[test]
fn a_block_is_bounded_whatever_the_clock_says() {
    let learner = LearnerId::fresh();
    let grant = grant(learner);
    let token = ConsentToken::from_grant(&grant, NOW, DAY).unwrap();
    let (mut log, kept) = log(learner);
    for _ in 0..1000 {
        log.append(&token, NOW, &frame(7)).unwrap();
    }
    drop(log);
    let lengths: Vec<usize> = kept
        .iter()
        .map(|(.., bytes)| decode(&token, learner, NOW, &bytes).unwrap().len())
        .collect();
    assert_eq!(lengths, [256, 256, 256, 232]);
}

#[test]
fn without_a_token_that_serves_nothing_is_recorded() {
    let (ada, ben) = (LearnerId::fresh(), LearnerId::fresh());
    let grant = grant(ada);
    let token = ConsentToken::from_grant(&grant, NOW, DAY).unwrap();
    let (mut bens, kept) = log(ben);
    assert_eq!(
        bens.append(&token, NOW, &frame(0)),
        Err(MotionError::Consent(ConsentError::AnotherLearner))
    );
    drop(bens);
    assert_eq!(kept.iter().count(), 0);

    let (mut adas, kept) = log(ada);
    adas.append(&token, NOW, &frame(0)).unwrap();
    // Run out in the middle of a second: that second goes too.
    assert_eq!(
        adas.append(&token, NOW + 1_000_000, &frame(14)),
        Err(MotionError::Consent(ConsentError::RunOut))
    );
    assert_eq!(adas.health().thrown_away, 1);
    drop(adas);
    assert_eq!(kept.iter().count(), 0);
}

#[test]
fn what_waits_for_the_disk_is_thrown_away_when_the_consent_is_taken_back() {
    let learner = LearnerId::fresh();
    let grant = grant(learner);
    let token = ConsentToken::from_grant(&grant, NOW, DAY).unwrap();
    let (asked, asks) = mpsc::channel();
    let mut log = MotionLog::start(learner, SessionId::fresh(), move |block: &MotionChunk| {
        asked.send(block.number()).unwrap();
        Err::<(), _>("the disk is full")
    })
    .unwrap();
    for second in 0..5 {
        log.append(&token, NOW, &frame(second * 1000)).unwrap();
    }
    // It is being tried; now it must not be tried any more.
    assert_eq!(asks.recv(), Ok(0));
    grant.withdraw();
    let counts = Arc::clone(&log.counts);
    drop(log);
    assert_eq!(counts.thrown_away.load(Ordering::Relaxed), 5);
    assert_eq!(counts.kept.load(Ordering::Relaxed), 0);
    assert!(asks.iter().all(|number| number == 0));
}

#[test]
fn a_disk_that_fails_costs_memory_to_a_bound_and_then_seconds_that_are_counted() {
    let learner = LearnerId::fresh();
    let grant = grant(learner);
    let token = ConsentToken::from_grant(&grant, NOW, DAY).unwrap();
    let mut log = MotionLog::start(learner, SessionId::fresh(), |_: &MotionChunk| {
        Err::<(), _>("the disk is full")
    })
    .unwrap();
    for second in 0..200 {
        log.append(&token, NOW, &frame(second * 1000)).unwrap();
    }
    // 199 were handed over: one in the thread's hands at most, 64 under way.
    assert!(log.health().lost >= 199 - 65, "{:?}", log.health());
    let counts = Arc::clone(&log.counts);
    drop(log);
    assert_eq!(counts.lost.load(Ordering::Relaxed), 200);
}

#[test]
fn a_disk_that_works_again_gets_what_waited() {
    let learner = LearnerId::fresh();
    let grant = grant(learner);
    let token = ConsentToken::from_grant(&grant, NOW, DAY).unwrap();
    let (out, kept) = mpsc::channel();
    let mut tries = 0;
    let mut log = MotionLog::start(learner, SessionId::fresh(), move |block: &MotionChunk| {
        tries += 1;
        if tries < 4 {
            return Err("the disk is full");
        }
        out.send(block.number()).map_err(|_| "nobody asks")
    })
    .unwrap();
    for second in 0..4 {
        log.append(&token, NOW, &frame(second * 1000)).unwrap();
    }
    let counts = Arc::clone(&log.counts);
    // Before it ends: what still fails then is not tried for long.
    assert_eq!(kept.recv(), Ok(0));
    drop(log);
    assert_eq!(kept.iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(counts.kept.load(Ordering::Relaxed), 4);
    assert_eq!(*counts.failing.lock().unwrap(), None);
}

#[test]
fn time_that_runs_backwards_is_refused() {
    let learner = LearnerId::fresh();
    let grant = grant(learner);
    let token = ConsentToken::from_grant(&grant, NOW, DAY).unwrap();
    let (mut log, _kept) = log(learner);
    log.append(&token, NOW, &frame(500)).unwrap();
    assert_eq!(
        log.append(&token, NOW, &frame(499)),
        Err(MotionError::OutOfOrder)
    );
}

#[test]
fn debug_of_the_recording_says_nothing_of_the_motion() {
    let learner = LearnerId::fresh();
    let block = MotionChunk {
        learner,
        session: SessionId::fresh(),
        number: 7,
        began: Duration::ZERO,
        delete_at_unix_ms: 7,
        bytes: vec![7; 7],
        consent_holds: Arc::default(),
    };
    assert!(!format!("{block:?}").contains('7'));
}
