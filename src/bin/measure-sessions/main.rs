//! What sessions cost: prints one JSON object for `cargo xtask measure sessions`.
//!
//! Every figure is the median over repetitions, with their 5th and 95th percentile, but for quantiles of single times,
//! which come with median and longest, and the stream's, which is what a class of 64 sees in real time.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;
use malloc_vr::learning::quality::Quality;
use malloc_vr::learning::skill::SkillId;
use malloc_vr::protocol::event::{Attempt, Event, EventBody, Evidence};
use malloc_vr::protocol::ids::{AttemptId, LearnerId, LessonId, ObjectId, SessionId, StepId};
use malloc_vr::protocol::parcel::Position;
use malloc_vr::record::{Keys, Store};
use malloc_vr::session::join::Joining;
use malloc_vr::session::state::LearnerState;
use malloc_vr::session::stream::buffer::{BufferRules, Outgoing};
use malloc_vr::session::stream::systems::{Link, Stream, StreamTiming};
use malloc_vr::session::{Happened, Learner, Outbox, SessionPlugin};
use serde_json::{Value, json};

#[path = "../../../benches/support/counting.rs"]
mod counting;
mod deciding;
mod disk;

use counting::{ALLOCATIONS, BYTES};

/// A large course.
const CLASS: usize = 64;
/// The frame of a 72 Hz display.
const FRAME: Duration = Duration::from_micros(13_889);
/// What a long lesson has.
const SKILLS: u64 = 10;
const LONG_LOG: u64 = 10_000;
const ROUNDS: usize = 15;
/// What somebody does in a lesson.
const ATTEMPTS: u64 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let log = log(LONG_LOG);
    let folder = tempfile::tempdir()?;
    let [idle, active, lost] = memory();
    let [error, frame, allocations] = stream(seconds()?);
    let [append_p50, append_p99] = disk::appended(&log, folder.path())?;
    let [decision, applied] = deciding::decisions()?;
    let figures = json!({
        "events_folded_per_s": folded(&log)?,
        "append_p50_us": append_p50,
        "append_p99_us": append_p99,
        "pii_us_per_text": disk::looked_through(),
        "privacy_us_per_event": disk::privacy(&log)?,
        "decision_p99_us": decision,
        "detection_to_applied_p99_ms": applied,
        "learning_ms_per_frame": deciding::frames()?,
        "resume_10k_events_ms": resumed(&log, folder.path())?,
        "memory_per_idle_learner_kib": idle,
        "memory_per_learner_kib": active,
        "memory_per_learner_link_lost_kib": lost,
        "stream_interval_p99_error_ms": error,
        "session_us_per_frame_64": frame,
        "steady_state_allocations": allocations,
    });
    println!("{figures}");
    Ok(())
}

/// How long the stream runs: the first argument, or 21 s.
fn seconds() -> Result<u64, std::num::ParseIntError> {
    std::env::args().nth(1).map_or(Ok(21), |it| it.parse())
}

/// Median and 5th and 95th percentile of repetitions, which did it `n` times in all.
fn figure(mut values: Vec<f64>, n: usize) -> Value {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = |share: usize| values.get(last * share / 100).copied();
    json!({ "value": at(50), "n": n, "spread": [at(5), at(95)] })
}

/// One quantile (percent) of what was timed, with the median and the longest.
fn quantiles(mut values: Vec<f64>, percent: usize) -> Value {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = |share: usize| values.get(last * share / 100).copied();
    json!({ "value": at(percent), "n": values.len(), "spread": [at(50), at(100)] })
}

fn skill(n: u64) -> SkillId {
    SkillId::new(format!("match-shape-{n}"))
}

fn attempt(n: u64) -> EventBody {
    EventBody::Attempted(Attempt {
        id: AttemptId::fresh(),
        step: StepId::new("place-cube"),
        skills: vec![skill(n % SKILLS)],
        correct: !n.is_multiple_of(3),
        credit: 0.5,
        latency: Duration::from_millis(1500 + n % 1000),
        hints_used: 0,
        position_error: Some(0.013),
        rotation_error: None,
        quality: Quality {
            frame_health: 0.99,
            tracking: 0.98,
        },
        blurred: Default::default(),
        evidence: Evidence::Grabbed {
            object: ObjectId::new("cube"),
        },
    })
}

/// An attempt on a step of a real lesson.
fn attempt_at(step: &StepId, correct: bool) -> EventBody {
    let mut body = attempt(1);
    if let EventBody::Attempted(attempt) = &mut body {
        attempt.step = step.clone();
        attempt.correct = correct;
    }
    body
}

fn start() -> EventBody {
    EventBody::SessionStarted {
        lesson: LessonId::new("first-steps"),
        lesson_digest: "0123456789abcdef".to_owned(),
        seed: 7,
        skills: (0..SKILLS)
            .map(|n| (skill(n), Default::default()))
            .collect(),
        protocol: 1,
    }
}

/// A learner's log of so many events.
fn log(events: u64) -> Vec<Event> {
    let (learner, session) = (LearnerId::fresh(), SessionId::fresh());
    (1..=events)
        .map(|seq| Event {
            seq,
            at_unix_ms: 1_793_500_000_000 + 700 * seq,
            learner,
            session,
            body: match seq {
                1 => start(),
                _ => attempt(seq),
            },
        })
        .collect()
}

/// Events folded in a second.
fn folded(log: &[Event]) -> Result<Value, Box<dyn Error>> {
    let mut rates = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(LearnerState::of(black_box(log))?);
        rates.push(log.len() as f64 / start.elapsed().as_secs_f64());
    }
    Ok(figure(rates, ROUNDS * log.len()))
}

/// From a closed store to a learner who can go on: opened, read, checked and folded; milliseconds.
fn resumed(log: &[Event], folder: &Path) -> Result<Value, Box<dyn Error>> {
    let file = folder.join("records.redb");
    let keys = Keys::beside(&file)?;
    // It makes the key; the others read it.
    Store::open(&file, &keys)?.append(log)?;
    let keys = Keys::beside(&file)?;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let joining = Joining::latest(&Store::open(&file, &keys)?)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if joining.state.seq != log.len() as u64 {
            return Err("the store gave back another log".into());
        }
    }
    Ok(figure(times, ROUNDS))
}

fn class() -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, SessionPlugin));
    app
}

fn join(app: &mut App, with: impl Bundle) -> Entity {
    let (id, session) = (LearnerId::fresh(), SessionId::fresh());
    let learner = app.world_mut().spawn((Learner { id, session }, with)).id();
    let body = start();
    app.world_mut().write_message(Happened { learner, body });
    learner
}

fn attempt_by(app: &mut App, learner: Entity, n: u64) {
    let body = attempt(n);
    app.world_mut().write_message(Happened { learner, body });
    app.update();
}

/// What nobody records stays in memory; here a record thread takes it.
fn take_records(app: &mut App) {
    let mut outboxes = app.world_mut().query::<&mut Outbox>();
    for mut outbox in outboxes.iter_mut(app.world_mut()) {
        *outbox = Outbox::default();
    }
}

/// KiB of a learner who has just joined; of one with models and the attempts of a long lesson, whom somebody follows;
/// and of the same after the link was gone for two minutes.
fn memory() -> [Value; 3] {
    let [mut idle, mut active, mut lost] = [(); 3].map(|()| Vec::new());
    for _ in 0..3 {
        let mut app = class();
        app.update();
        let empty = BYTES.load(Ordering::Relaxed);
        let kib = || (BYTES.load(Ordering::Relaxed) - empty) as f64 / 1024.0 / CLASS as f64;
        for _ in 0..CLASS {
            join(&mut app, ());
        }
        (0..3).for_each(|_| app.update());
        take_records(&mut app);
        idle.push(kib());
        drop(app);

        let mut app = class();
        app.update();
        let empty = BYTES.load(Ordering::Relaxed);
        let kib = || (BYTES.load(Ordering::Relaxed) - empty) as f64 / 1024.0 / CLASS as f64;
        let mut learners = Vec::with_capacity(CLASS);
        for _ in 0..CLASS {
            let link = Link(Outgoing::new(0, BufferRules::default()));
            learners.push(join(&mut app, link));
        }
        for n in 0..ATTEMPTS {
            for &learner in &learners {
                attempt_by(&mut app, learner, n);
            }
            acknowledge(&mut app);
        }
        take_records(&mut app);
        active.push(kib());
        // Two minutes: everybody tries once in 5 s.
        for n in 0..24 {
            let stood = TimeUpdateStrategy::ManualDuration(Duration::ZERO);
            app.insert_resource(stood);
            for &learner in &learners {
                attempt_by(&mut app, learner, n);
            }
            let passed = TimeUpdateStrategy::ManualDuration(Duration::from_secs(5));
            app.insert_resource(passed);
            app.update();
        }
        take_records(&mut app);
        lost.push(kib());
    }
    [idle, active, lost].map(|kib| figure(kib, 3 * CLASS))
}

/// Whoever follows has everything.
fn acknowledge(app: &mut App) {
    let mut links = app.world_mut().query::<(&mut Link, &Stream)>();
    for (mut link, stream) in links.iter_mut(app.world_mut()) {
        let has = Position {
            events: link.0.logged(),
            samples: stream.latest().map_or(0, |sample| sample.number),
        };
        // The log here is as long as it says itself.
        let _ = link.0.acknowledge(has, Duration::ZERO);
    }
}

/// A class in real time: how far intervals are off at p99 (ms), what a frame of the session's systems costs (µs), and
/// how often memory is asked for in all of them.
fn stream(seconds: u64) -> [Value; 3] {
    let mut app = class();
    for _ in 0..CLASS {
        join(&mut app, ());
    }
    let start = Instant::now();
    let end = Duration::from_secs(seconds);
    // Everybody has had a sample by then.
    let warm = Duration::from_secs(6).min(end);
    // Room for all that is to come, so that only the sessions' own allocations are counted.
    let mut frames = Vec::with_capacity((end.as_micros() / FRAME.as_micros()) as usize + 1);
    let mut before = None;
    let mut next = FRAME;
    while start.elapsed() < end {
        std::thread::sleep(next.saturating_sub(start.elapsed()));
        next = start.elapsed() + FRAME;
        if start.elapsed() > warm && before.is_none() {
            before = Some(ALLOCATIONS.load(Ordering::Relaxed));
        }
        let frame = Instant::now();
        app.update();
        if before.is_some() {
            frames.push(frame.elapsed().as_secs_f64() * 1e6);
        }
    }
    let asked = before.map_or(0, |before| ALLOCATIONS.load(Ordering::Relaxed) - before);
    let timing = &app.world().resource::<StreamTiming>().0;
    let ms = |share| timing.quantile(share).map(|it| it.as_secs_f64() * 1e3);
    let error = json!({
        "value": ms(0.99),
        "n": timing.n(),
        "spread": [ms(0.5), timing.longest().as_secs_f64() * 1e3],
    });
    let n = frames.len();
    [error, figure(frames, n), figure(vec![asked as f64], n)]
}
