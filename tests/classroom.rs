//! A class as it is: a host process, learners' runtimes that join it, links that break, instructors at the door.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bevy::time::{Real, Time, TimeUpdateStrategy};
use malloc_vr::bridge::join::{Fingerprint, ToJoin, Trust};
use malloc_vr::bridge::{Bridge, BridgeConfig};
use malloc_vr::lesson;
use malloc_vr::protocol::event::{Event, EventBody, PauseCause};
use malloc_vr::protocol::ids::{AttemptId, LearnerId, SessionId};
use malloc_vr::session::device::MemoryIsLow;
use malloc_vr::session::join::Joining;
use malloc_vr::session::snapshot::snapshot;
use malloc_vr::session::state::LearnerState;
use malloc_vr::session::{AcknowledgedSeq, Happened, Learner};
use serde_json::{Value, json};

#[path = "support/host.rs"]
mod host;
#[path = "support/looking.rs"]
mod looking;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/pupil.rs"]
mod pupil;
mod support;

use host::{Client, Host, PATIENCE, TOKEN};
use proxy::{Proxy, Wifi};
use pupil::{Pupil, Script, store};

/// Runs frames until it is so.
fn until(pupil: &mut Pupil, mut is_so: impl FnMut(&Pupil) -> bool) {
    let begun = Instant::now();
    while !is_so(pupil) {
        assert!(
            begun.elapsed() < PATIENCE,
            "it does not come: {:?}",
            pupil.link()
        );
        pupil.frame();
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_runtime_joins_a_host_and_its_attempts_arrive_whether_the_host_is_there_or_not() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let address = host.address.clone();
    let folder = home.path().join("pupil");
    let mut pupil = Pupil::at(&folder, &address, TOKEN, Script::new(0, 1));
    until(&mut pupil, |pupil| pupil.link().up && pupil.host_has() > 1);
    pupil.act_every(4);
    host.kill();
    until(&mut pupil, |pupil| !pupil.link().up);
    // The lesson goes on.
    until(&mut pupil, |pupil| pupil.state().ended);
    assert!(pupil.host_has() < pupil.state().seq);
    let host = Host::start(home.path(), &address);
    until(&mut pupil, Pupil::is_through);
    let state = pupil.state().clone();
    assert_eq!(pupil.link().times, 2);
    drop(pupil);
    host.end();
    let (theirs, ours) = (store(&folder), store(&home.path().join("data")));
    let learner = state.learner.unwrap();
    let events = ours.events(learner).unwrap();
    assert_eq!(events, theirs.events(learner).unwrap());
    assert_eq!(Joining::of(&ours, learner).unwrap().state, state);
    let attempts = events
        .iter()
        .filter(|it| matches!(it.body, EventBody::Attempted(_)));
    assert!(attempts.count() > 11);
}

/// Every attempt in a log, by its id.
fn attempts(events: &[Event]) -> Vec<AttemptId> {
    let attempt = |event: &Event| match &event.body {
        EventBody::Attempted(attempt) => Some(attempt.id),
        _ => None,
    };
    events.iter().filter_map(attempt).collect()
}

/// How long the headset lies on the table.
const ASLEEP: Duration = Duration::from_mins(2);

#[test]
fn a_headset_that_sleeps_for_two_minutes_without_a_network_brings_every_attempt_once() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let wifi = Wifi::to(&host.address);
    let folder = home.path().join("pupil");
    let address = wifi.address.to_string();
    let mut pupil = Pupil::at(&folder, &address, TOKEN, Script::new(0, 1));
    until(&mut pupil, |pupil| pupil.host_has() > 1);
    // The network goes first, without a word; the learner goes on.
    wifi.is_there(false);
    let before = pupil.state().attempts;
    pupil.act_every(4);
    until(&mut pupil, |pupil| pupil.state().attempts > before + 3);
    let unseen = pupil.state().seq - pupil.host_has();
    assert!(unseen > 3, "{unseen} events wait");
    // Then the headset is taken off: the runtime says so, frames end, and the next one comes two minutes later.
    let learner = pupil.learner;
    let tell = |pupil: &mut Pupil, body| {
        let world = pupil.app.world_mut();
        world.write_message(Happened { learner, body });
        pupil.frame();
    };
    let by = PauseCause::Runtime;
    pupil.act_every(0);
    tell(&mut pupil, EventBody::Paused { by });
    let slept_from = pupil.app.world().resource::<Time<Real>>().elapsed();
    let world = pupil.app.world_mut();
    world.insert_resource(TimeUpdateStrategy::ManualDuration(ASLEEP));
    pupil.frame();
    let world = pupil.app.world_mut();
    world.insert_resource(TimeUpdateStrategy::Automatic);
    let woke_at = world.resource::<Time<Real>>().elapsed();
    assert!(woke_at - slept_from >= ASLEEP);
    tell(&mut pupil, EventBody::Resumed { by });
    assert!(!pupil.state().ended && pupil.state().paused_by.is_empty());
    // The learner is quicker at it again than the network.
    pupil.act_every(4);
    let before = pupil.state().attempts;
    until(&mut pupil, |pupil| pupil.state().attempts > before + 1);
    assert!(pupil.state().seq - pupil.host_has() > unseen);
    wifi.is_there(true);
    until(&mut pupil, Pupil::is_through);
    assert_eq!(pupil.link().times, 2);
    let state = pupil.state().clone();
    drop(pupil);
    host.end();
    let (theirs, ours) = (store(&folder), store(&home.path().join("data")));
    let id = state.learner.unwrap();
    let events = ours.events(id).unwrap();
    assert_eq!(events, theirs.events(id).unwrap());
    let made = attempts(&events);
    let once: BTreeSet<_> = made.iter().collect();
    assert_eq!(once.len(), made.len());
    assert_eq!(made.len() as u64, u64::from(state.attempts));
    // Nobody thought about a step for two minutes.
    for event in &events {
        if let EventBody::Attempted(attempt) = &event.body {
            assert!(attempt.latency < ASLEEP, "{:?}", attempt.latency);
        }
    }
    assert_eq!(Joining::of(&ours, id).unwrap().state, state);
}

#[test]
fn whoever_is_erased_through_the_door_of_a_host_leaves_its_roster_too() {
    let home = tempfile::tempdir().unwrap();
    let of = |arguments: &[&str]| {
        let (code, text) = support::run(support::malloc_vr(home.path()).args(arguments));
        assert_eq!(code, Some(0), "{text}");
        text
    };
    let named = [
        "records",
        "roster",
        "add",
        "7b-12",
        "--name",
        "Mirabel Quince",
    ];
    let learner: LearnerId = of(&named)
        .split_whitespace()
        .find_map(|word| word.trim_matches(['.', ',', ':']).parse().ok())
        .unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let event = Event {
        seq: 1,
        at_unix_ms: u64::try_from(now.as_millis()).unwrap(),
        learner,
        session: SessionId::fresh(),
        body: EventBody::SessionResumed,
    };
    store(&home.path().join("data")).append(&[event]).unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let operator = looking::token_of(&host.address, TOKEN, "operator");
    let mut wish = json!({ "learner": learner, "purpose": "the family asked" });
    let erase = |wish: &Value| {
        let answer = looking::tool(&host.address, &operator, "session.erase", wish);
        serde_json::to_value(&answer).unwrap()
    };
    let asked = erase(&wish)["content"][0]["text"].to_string();
    let token = asked.split("confirm: \\\"").nth(1).unwrap();
    wish["confirm"] = json!(token.split("\\\"").next().unwrap());
    let done = erase(&wish);
    assert_ne!(done["isError"], json!(true), "{done}");
    // The name goes on the record thread, which is through before the store is closed.
    host.end();
    let left = of(&["records", "roster", "list"]);
    assert!(!left.contains("Mirabel"), "{left}");
}

#[test]
fn a_headset_short_of_memory_says_so_at_its_door_and_the_lesson_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let door = Bridge::start(BridgeConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        ..BridgeConfig::default()
    })
    .unwrap();
    let address = door.address().to_string();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let memory = || {
        let (status, health) = runtime.block_on(host::health(&address));
        (status, health["memory"].clone())
    };
    // Nobody is at the host; the lesson goes on without it.
    let nowhere = "127.0.0.1:9";
    let mut pupil = Pupil::with_door(home.path(), nowhere, TOKEN, Script::new(4, 0), Some(door));
    until(&mut pupil, |pupil| {
        pupil.state().attempts > 0 && memory() == (200, json!({"low": false, "times": 0}))
    });
    let low = MemoryIsLow {
        held_mib: Some(900),
    };
    pupil.app.world_mut().write_message(low);
    until(&mut pupil, |_| {
        memory() == (200, json!({"low": true, "times": 1}))
    });
    until(&mut pupil, |pupil| pupil.state().ended);
}

#[test]
fn an_encrypted_host_is_joined_by_its_fingerprint_or_by_who_vouches_for_it_and_no_other_is() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start_with(home.path(), "127.0.0.1:0", &["--tls"]);
    let printed = host.headsets.split("--join-fingerprint ").nth(1).unwrap();
    let fingerprint: Fingerprint = printed.split(' ').next().unwrap().parse().unwrap();
    let pem = home.path().join("host.pem");
    std::fs::write(&pem, own_certificate(&home.path().join("data"))).unwrap();
    let other = home.path().join("other.pem");
    let elsewhere = home.path().join("elsewhere");
    drop(Host::start_with(&elsewhere, "127.0.0.1:0", &["--tls"]));
    std::fs::write(&other, own_certificate(&elsewhere.join("data"))).unwrap();
    let joins = |name: &str, scheme: &str, trust: Option<Trust>| {
        let address = format!("{scheme}{}", host.address);
        let folder = home.path().join(name);
        let mut pupil = Pupil::at(&folder, &address, TOKEN, Script::new(0, 0));
        pupil.app.world_mut().resource_mut::<ToJoin>().0.trust = trust;
        until(&mut pupil, |pupil| {
            pupil.link().up && pupil.host_has() > 0 || pupil.link().refused.is_some()
        });
        pupil.link().refused.clone()
    };
    let pinned = Some(Trust::Fingerprint(fingerprint));
    assert_eq!(joins("pinned", "wss://", pinned), None);
    assert_eq!(
        joins("vouched", "wss://", Some(Trust::Authorities(pem))),
        None
    );
    let wrong = Some(Trust::Fingerprint("00".repeat(32).parse().unwrap()));
    let why = joins("wrong", "wss://", wrong).unwrap();
    // It says what was shown, for whoever compares.
    assert!(why.contains(&fingerprint.to_string()), "{why}");
    let stranger = joins("stranger", "wss://", Some(Trust::Authorities(other)));
    assert!(stranger.unwrap().contains("is not known"));
    assert!(
        joins("trustless", "wss://", None)
            .unwrap()
            .contains("not trusted")
    );
}

/// The certificate that a host made for itself, as PEM.
fn own_certificate(data: &Path) -> String {
    let kept = std::fs::read_to_string(data.join("certificate.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let digits = kept["certificate"].as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let der: Vec<u8> = digits.chunks(2).map(byte).collect();
    let text = base64(&der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let number = (0..3).fold(0, |sum, at| {
            sum << 8 | u32::from(three.get(at).copied().unwrap_or(0))
        });
        let digit = |at: usize| match at <= three.len() {
            true => DIGITS[(number >> (18 - 6 * at) & 63) as usize] as char,
            false => '=',
        };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// A class.
const CLASS: u64 = 64;
/// Threads that run their frames.
const ROOMS: u64 = 4;

/// What is left of a pupil.
struct Through {
    state: LearnerState,
    /// As an instructor should see it, in the end.
    seen: Value,
    folder: std::path::PathBuf,
}

/// Runs some pupils until all are through.
fn work_through(pupils: Vec<Pupil>) -> Vec<Through> {
    let mut at_work = pupils;
    let mut through = Vec::new();
    let (mut done, mut since) = (0, Instant::now());
    while !at_work.is_empty() {
        let now: u64 = at_work
            .iter()
            .map(|it| it.state().seq + it.host_has())
            .sum();
        if now != done {
            (done, since) = (now, Instant::now());
        }
        assert!(
            since.elapsed() < 2 * PATIENCE,
            "{} do not get through",
            at_work.len()
        );
        let frame = Instant::now();
        for pupil in &mut at_work {
            pupil.frame();
        }
        for pupil in at_work.extract_if(.., |pupil| pupil.is_through()) {
            through.push(leave(pupil));
        }
        std::thread::sleep(Duration::from_millis(33).saturating_sub(frame.elapsed()));
    }
    through
}

fn leave(pupil: Pupil) -> Through {
    let world = pupil.app.world();
    let learner = world.get::<Learner>(pupil.learner).unwrap();
    let lesson = lesson::load("first-steps").unwrap().lesson;
    let state = pupil.state().clone();
    let safe = AcknowledgedSeq(state.seq);
    let seen = snapshot(learner, &state, safe, Some(&lesson), None);
    let seen: Value = serde_json::from_str(&serde_json::to_string(&seen).unwrap()).unwrap();
    let folder = pupil.folder.clone();
    Through {
        state,
        seen,
        folder,
    }
}

/// Somewhere between 100 and 1,100 ms, the same in every run.
fn life(n: u64) -> Duration {
    Duration::from_millis(100 + n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1000)
}

#[test]
fn sixty_four_runtimes_work_through_a_lesson_over_links_that_break_and_every_attempt_arrives_once()
{
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    // Each link breaks some times, and then the network is mended.
    let proxy = Proxy::to(&host.address, |n| (n < 4 * CLASS).then(|| life(n)));
    let through: Vec<Through> = std::thread::scope(|scope| {
        let rooms: Vec<_> = (0..ROOMS)
            .map(|room| {
                let (proxy, home) = (proxy.address.to_string(), home.path());
                scope.spawn(move || {
                    let pupils = (0..CLASS / ROOMS).map(|place| {
                        let n = room * (CLASS / ROOMS) + place;
                        let script = Script::new(4 + n as u32 % 3, n as u32 % 3);
                        Pupil::at(&home.join(format!("pupil-{n}")), &proxy, TOKEN, script)
                    });
                    work_through(pupils.collect())
                })
            })
            .collect();
        rooms
            .into_iter()
            .flat_map(|room| room.join().unwrap())
            .collect()
    });
    assert_eq!(through.len() as u64, CLASS);
    let cuts = proxy.cuts.load(std::sync::atomic::Ordering::Relaxed);
    assert!(cuts > CLASS, "{cuts} cuts are no broken network");

    // What instructors see of them is what each headset has, to the bit.
    let seen = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(seen_when_all_is_told(&host, &through));
    for pupil in &through {
        let id = pupil.state.learner.unwrap();
        let mut seen = seen[&id].clone();
        seen["link"] = json!("here");
        assert_eq!(seen, pupil.seen);
    }

    // So is what lies in the stores: every event, every attempt, once, in order.
    host.end();
    let ours = store(&home.path().join("data"));
    let mut attempts: BTreeSet<AttemptId> = BTreeSet::new();
    let mut count = 0;
    for pupil in &through {
        let id = pupil.state.learner.unwrap();
        let events = ours.events(id).unwrap();
        assert!(events.iter().map(|event| event.seq).eq(1..=pupil.state.seq));
        assert_eq!(events, store(&pupil.folder).events(id).unwrap());
        let state = Joining::of(&ours, id).unwrap().state;
        assert_eq!(bits(&state), bits(&pupil.state));
        for event in events {
            if let EventBody::Attempted(attempt) = event.body {
                attempts.insert(attempt.id);
                count += 1;
            }
        }
    }
    assert_eq!(ours.learners().unwrap().len() as u64, CLASS);
    assert_eq!(attempts.len(), count);
    assert!(count as u64 > 11 * CLASS, "{count} attempts");
}

/// All of a state, every bit of every figure.
fn bits(state: &LearnerState) -> Vec<u8> {
    rmp_serde::to_vec(state).unwrap()
}

/// What an instructor sees of each once everything has come.
async fn seen_when_all_is_told(host: &Host, through: &[Through]) -> BTreeMap<LearnerId, Value> {
    let mut instructor = Client::instructor(&host.address).await;
    let mut seen = BTreeMap::new();
    let complete = |seen: &BTreeMap<LearnerId, Value>| {
        through.iter().all(|pupil| {
            let id = pupil.state.learner.unwrap();
            let seen = seen.get(&id);
            seen.is_some_and(|seen| seen["acknowledged_seq"] == json!(pupil.state.seq))
        })
    };
    while !complete(&seen) {
        let snapshot = instructor.kind("snapshot").await;
        let learner = serde_json::from_value(snapshot["learner"].clone()).unwrap();
        seen.insert(learner, snapshot);
    }
    seen
}
