//! The protocol on `/ws` as clients meet it: introductions, refusals, commands, clients that are slow or mean.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use malloc_vr::protocol::command::CommandBody;
use malloc_vr::protocol::ids::{CommandId, LearnerId};
use malloc_vr::protocol::parcel::Position;
use malloc_vr::protocol::wire::{ErrorCode, FromClient, JSON};
use malloc_vr::session::state::LearnerState;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

#[path = "support/conversation.rs"]
mod conversation;
#[path = "support/host.rs"]
mod host;
#[path = "support/pupil.rs"]
mod pupil;
#[path = "support/runtime.rs"]
mod runtime;
mod support;

use conversation::Conversation;
use host::{Client, Host, PATIENCE, TOKEN, hello};
use pupil::{Pupil, Script, store};
use runtime::Runtime;

/// A pupil whose frames run on a thread until the test is over.
struct AtWork(
    std::sync::Arc<std::sync::atomic::AtomicBool>,
    Option<std::thread::JoinHandle<LearnerState>>,
);

impl AtWork {
    fn start(make: impl FnOnce() -> Pupil + Send + 'static) -> (Self, LearnerId) {
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = stop.clone();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut pupil = make();
            tell.send(pupil.id).unwrap();
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                pupil.frame();
                std::thread::sleep(Duration::from_millis(10));
            }
            pupil.state().clone()
        });
        let id = told.recv_timeout(PATIENCE).unwrap();
        (Self(stop, Some(thread)), id)
    }

    fn stop(mut self) -> LearnerState {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        self.1.take().unwrap().join().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_reaches_the_headset_and_is_answered_by_what_happened_there() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let mut instructor = Client::instructor(&host.address).await;
    let (folder, address) = (home.path().join("pupil"), host.address.clone());
    let (pupil, id) = AtWork::start(move || Pupil::at(&folder, &address, TOKEN, Script::new(0, 0)));
    instructor
        .until(|it| (it["snapshot"]["step"] == "look-at-lamp").then_some(()))
        .await;
    let given = instructor
        .command(id, &CommandBody::GiveHint { level: None })
        .await;
    assert_eq!(given["answer"]["outcome"]["outcome"], "applied", "{given}");
    instructor
        .until(|it| {
            (it["snapshot"]["hint_level"] == 1 && it["snapshot"]["link"] == "linked").then_some(())
        })
        .await;
    let none = instructor
        .command(LearnerId::fresh(), &CommandBody::Pause)
        .await;
    assert_eq!(none["answer"]["outcome"]["reason"], "no_such_learner");
    let again = instructor.command(id, &CommandBody::Resume).await;
    assert_eq!(
        again["answer"]["outcome"]["reason"], "already_so",
        "{again}"
    );
    // Every five seconds there is a sample of them.
    let sample = instructor.kind("sample").await;
    assert_eq!(sample["learner"], json!(id));
    assert_eq!(pupil.stop().hint_level, 1);
    instructor
        .until(|it| (it["snapshot"]["link"] == "gone").then_some(()))
        .await;
    let late = instructor.command(id, &CommandBody::Pause).await;
    assert_eq!(late["answer"]["outcome"]["reason"], "not_reached", "{late}");
}

#[tokio::test]
async fn who_speaks_another_version_is_told_which_one_is_spoken() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    // Another subprotocol is refused before there is a connection.
    let url = format!("ws://{}/ws?token={TOKEN}", host.address);
    let mut request =
        tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(url)
            .unwrap();
    let unknown = "malloc-vr.v9.json".parse().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", unknown);
    let refused = tokio_tungstenite::connect_async(request).await.unwrap_err();
    let tokio_tungstenite::tungstenite::Error::Http(answer) = refused else {
        panic!("not refused: {refused}");
    };
    assert_eq!(answer.status(), 400);
    let body = String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default()).into_owned();
    assert!(body.contains(JSON), "{body}");
    // A later version within the subprotocol's name.
    let mut client = Client::connect(&host.address, JSON).await;
    let mut later = hello("instructor");
    later["hello"]["protocol"] = json!(9);
    client.send(&later).await;
    let error = client.kind("error").await;
    assert_eq!(error["code"], "version");
    assert!(
        error["message"].as_str().unwrap().contains("version 1"),
        "{error}"
    );
    assert_eq!(client.next().await, None);
    // No introduction.
    let mut client = Client::connect(&host.address, JSON).await;
    client.send(&json!({ "ping": { "at": 1 } })).await;
    assert_eq!(client.kind("error").await["code"], "hello_first");
    assert_eq!(client.next().await, None);
    // Fields that a later version adds are passed over.
    let mut client = Client::connect(&host.address, JSON).await;
    let mut newer = hello("instructor");
    newer["hello"]["mood"] = json!("good");
    client.send(&newer).await;
    assert_eq!(client.kind("welcome").await["role"], "instructor");
    client.send(&json!({ "ping": { "at": 17 } })).await;
    let pong = client.kind("pong").await;
    assert_eq!(pong["at"], 17);
    assert!(pong["at_unix_ms"].as_u64().unwrap() > 1_700_000_000_000);
}

#[tokio::test]
async fn a_learner_who_is_known_comes_back_only_with_the_token_that_was_given() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let mut first = Runtime::connect(&host.address).await;
    let learner = LearnerId::fresh();
    let welcome = first.join(learner, None).await.unwrap();
    assert_eq!(welcome.has, Position::default());
    let token = welcome.resume_token.unwrap();
    let session = first.session;
    first.send_event(learner, 1).await;
    assert_eq!(first.acknowledged().await.events, 1);

    let refused = |resume: Option<String>| {
        let address = host.address.clone();
        async move {
            let mut thief = Runtime::connect(&address).await;
            thief.session = session;
            thief.join(learner, resume).await.unwrap_err().code
        }
    };
    assert_eq!(refused(None).await, ErrorCode::ResumeRefused);
    assert_eq!(
        refused(Some("made up".to_owned())).await,
        ErrorCode::ResumeRefused
    );
    let mut changed = token.clone();
    changed.replace_range(10..12, if &token[10..12] == "00" { "11" } else { "00" });
    assert_eq!(refused(Some(changed)).await, ErrorCode::ResumeRefused);
    let other = {
        let mut other = Runtime::connect(&host.address).await;
        other
            .join(LearnerId::fresh(), None)
            .await
            .unwrap()
            .resume_token
    };
    assert_eq!(refused(other).await, ErrorCode::ResumeRefused);

    // With it, they take up where the host is, and the older link is over.
    let mut second = Runtime::connect(&host.address).await;
    second.session = session;
    let welcome = second.join(learner, Some(token.clone())).await.unwrap();
    assert_eq!(welcome.has.events, 1);
    assert_eq!(first.error().await, ErrorCode::Superseded);
    // Also after the host was killed: the token is good for its records.
    second.send_event(learner, 2).await;
    assert_eq!(second.acknowledged().await.events, 2);
    host.kill();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let mut third = Runtime::connect(&host.address).await;
    third.session = session;
    assert_eq!(
        third.join(learner, Some(token)).await.unwrap().has.events,
        2
    );
}

#[tokio::test]
async fn a_parcel_that_comes_twice_or_too_early_or_is_anothers_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let learner = LearnerId::fresh();
    let mut runtime = Runtime::connect(&host.address).await;
    runtime.join(learner, None).await.unwrap();
    let other = LearnerId::fresh();
    for (whose, seq) in [
        (learner, 2),
        (learner, 1),
        (learner, 1),
        (other, 2),
        (learner, 2),
        (learner, 1),
        (learner, 9),
        (learner, 3),
    ] {
        runtime.send_event(whose, seq).await;
    }
    while runtime.acknowledged().await.events < 3 {}
    runtime.send_raw(Message::binary(vec![0xc1, 0xff])).await;
    assert_eq!(runtime.error().await, ErrorCode::BadMessage);
    runtime
        .send(&FromClient::Command(
            malloc_vr::protocol::wire::CommandRequest {
                id: Some(CommandId::fresh()),
                learner,
                purpose: String::new(),
                body: CommandBody::Pause,
                trace: None,
            },
        ))
        .await;
    assert_eq!(
        runtime.error().await,
        ErrorCode::BadMessage,
        "a learner's runtime commands nobody"
    );
    drop(runtime);
    host.end();
    let store = store(&home.path().join("data"));
    let seqs: Vec<u64> = store
        .events(learner)
        .unwrap()
        .iter()
        .map(|it| it.seq)
        .collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert!(store.events(other).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_reads_too_slowly_is_told_where_to_take_up_again_and_nobody_else_notices() {
    const EVENTS: u64 = 4000;
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let mut slow = Client::slow_instructor(&host.address).await;
    let mut quick = Client::instructor(&host.address).await;
    // Some learners, each within the burst that a stream may have.
    for _ in 0..4 {
        let mut runtime = Runtime::connect(&host.address).await;
        let learner = LearnerId::fresh();
        // More than the network takes on the way.
        runtime.bulk = 2000;
        runtime.join(learner, None).await.unwrap();
        tokio::spawn(async move {
            for seq in 1..=EVENTS / 4 {
                runtime.send_event(learner, seq).await;
            }
            while runtime.acknowledged().await.events < EVENTS / 4 {}
            std::future::pending::<()>().await;
        });
    }
    // Whoever reads has every event; what found no room on its way is asked for again. The slow one does not read at all
    // until more of it is out than anything on the way holds, and well before it would be let go; then it reads what
    // there is, and asks for what was left out.
    let enough = AtomicBool::new(false);
    let (_, resumed) = tokio::join!(
        read_all(&mut quick, EVENTS, Pace::Quick, &enough),
        read_all(&mut slow, EVENTS, Pace::Slow, &enough)
    );
    assert!(resumed > 0, "it was never told that it missed something");
}

/// More events than the network and the host's queue hold for a client, by not much.
const ENOUGH: u64 = 1750;

#[derive(Clone, Copy, PartialEq)]
enum Pace {
    /// Tells when enough is there.
    Quick,
    /// Does not read until it is told.
    Slow,
}

/// Of whom, and after which event.
type ToAsk = std::collections::BTreeMap<String, u64>;

/// One question for each learner holds all that is to be asked of them.
fn ask(to_ask: &mut ToAsk, learner: &Value, after: &Value) {
    let after = after.as_u64().unwrap();
    let learner = learner.as_str().unwrap().to_owned();
    let asked = to_ask.entry(learner).or_insert(after);
    *asked = after.min(*asked);
}

/// Reads until every event was seen; how often it was told to ask for some again.
async fn read_all(client: &mut Client, events: u64, pace: Pace, enough: &AtomicBool) -> u32 {
    while pace == Pace::Slow && !enough.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut met = std::collections::BTreeSet::new();
    let mut resumed = 0;
    // One replay after the other.
    let mut asked = false;
    let mut to_ask = ToAsk::new();
    loop {
        if !asked && let Some((learner, after)) = to_ask.pop_first() {
            let replay = json!({ "learner": learner, "after": after });
            client.send(&json!({ "replay": replay })).await;
            asked = true;
        }
        let message = client.next().await.expect("the connection is open");
        if let Some(state) = message.get("snapshot") {
            // What was before the first state is asked for.
            if met.insert(state["learner"].to_string()) {
                ask(&mut to_ask, &state["learner"], &json!(0));
            }
        } else if message.get("resume").is_some() {
            resumed += 1;
            let resume = &message["resume"];
            ask(&mut to_ask, &resume["learner"], &resume["after"]);
        } else if message.get("replayed").is_some() {
            asked = false;
            let replayed = &message["replayed"];
            if replayed["more"] == json!(true) {
                ask(&mut to_ask, &replayed["learner"], &replayed["to"]);
            }
        } else if message.get("error").is_some() {
            panic!("{message}");
        } else if let Some(event) = message.get("event") {
            let seq = event["seq"].as_u64().unwrap();
            seen.insert((event["learner"].to_string(), seq));
            if pace == Pace::Quick && seen.len() as u64 >= ENOUGH {
                enough.store(true, Ordering::Relaxed);
            }
            if seen.len() as u64 == events {
                return resumed;
            }
        }
    }
}

#[tokio::test]
async fn a_replay_gives_what_was_told_though_it_was_not_on_the_disk_yet() {
    const EVENTS: u64 = 300;
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let mut instructor = Client::instructor(&host.address).await;
    let mut runtime = Runtime::connect(&host.address).await;
    let learner = LearnerId::fresh();
    runtime.bulk = 2000;
    runtime.join(learner, None).await.unwrap();
    for seq in 1..=EVENTS {
        runtime.send_event(learner, seq).await;
    }
    let told = instructor
        .until(|it| it["event"]["seq"].as_u64().filter(|seq| *seq >= EVENTS / 2))
        .await;
    let (begun, mut after) = (Instant::now(), 0);
    loop {
        assert!(begun.elapsed() < PATIENCE, "there is always more");
        let replay = json!({ "learner": learner, "after": after });
        instructor.send(&json!({ "replay": replay })).await;
        let replayed = instructor.kind("replayed").await;
        after = replayed["to"].as_u64().unwrap();
        if replayed["more"] == json!(false) {
            break;
        }
    }
    assert!(after >= told, "{after} of {told} that were told");
}

#[tokio::test]
async fn whose_first_welcome_was_lost_on_its_way_is_let_in_again_until_something_came_of_them() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let learner = LearnerId::fresh();
    // The link ended before the token was read.
    let mut runtime = Runtime::connect(&host.address).await;
    runtime.join(learner, None).await.unwrap();
    drop(runtime);
    let mut runtime = Runtime::connect(&host.address).await;
    let welcome = runtime.join(learner, None).await.unwrap();
    runtime.send_event(learner, 1).await;
    while runtime.acknowledged().await.events < 1 {}
    drop(runtime);
    let mut runtime = Runtime::connect(&host.address).await;
    let refused = runtime.join(learner, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ResumeRefused);
    let mut runtime = Runtime::connect(&host.address).await;
    runtime.join(learner, welcome.resume_token).await.unwrap();
}

#[tokio::test]
async fn a_headsets_own_door_is_for_instructors() {
    let home = tempfile::tempdir().unwrap();
    let bridge = malloc_vr::bridge::Bridge::start(malloc_vr::bridge::BridgeConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        token: Some(TOKEN.to_owned()),
        ..malloc_vr::bridge::BridgeConfig::default()
    })
    .unwrap();
    let address = bridge.address().to_string();
    let folder = home.path().join("pupil");
    let script = Script::new(0, 0);
    let (_pupil, _) = AtWork::start(move || {
        Pupil::with_door(&folder, "127.0.0.1:1", TOKEN, script, Some(bridge))
    });
    let mut runtime = Runtime::connect(&address).await;
    let refused = runtime.join(LearnerId::fresh(), None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotAHost);
    assert!(
        refused.message.contains("malloc-vr classroom"),
        "{}",
        refused.message
    );
}

#[tokio::test]
async fn a_command_that_no_headset_answers_shows_in_health_until_it_is_answered() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let mut teacher = Client::connect(&host.address, JSON).await;
    let mut runtime = Client::connect(&host.address, JSON).await;
    let learner = LearnerId::fresh();
    teacher.send(&hello("instructor")).await;
    let mut say = hello("learner");
    say["hello"]["learner"] = json!({
        "learner": learner, "session": CommandId::fresh(), "lesson": "first-steps", "age": "adult",
    });
    runtime.send(&say).await;
    runtime
        .until(|it| it.get("welcome").map(|_| it.clone()))
        .await;
    teacher
        .send(&json!({ "command": { "learner": learner, "body": { "do": "pause" } } }))
        .await;
    let heard = runtime.until(|it| it.get("do").map(|_| it.clone())).await;
    let is = |status: u16, unanswered: u64| {
        let address = host.address.clone();
        async move {
            let begun = Instant::now();
            loop {
                assert!(begun.elapsed() < PATIENCE, "health never says so");
                let (now, health) = host::health(&address).await;
                let commands = &health["commands"];
                if now == status && commands["unanswered"] == unanswered {
                    return commands["unanswered_ever"].clone();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    assert_eq!(is(503, 1).await, 1);
    let done = json!({ "outcome": "applied", "effect": "it is paused" });
    runtime
        .send(&json!({ "done": { "id": heard["do"]["id"], "outcome": done } }))
        .await;
    assert_eq!(is(200, 0).await, 1);
}

#[tokio::test]
async fn the_conversation_on_the_page_is_a_real_one() {
    const RUNTIME: (&str, &str) = ("runtime → host", "runtime ← host");
    const TEACHER: (&str, &str) = ("instructor → host", "instructor ← host");
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let mut page = Conversation::default();
    let mut teacher = Client::connect(&host.address, JSON).await;
    let mut runtime = Client::connect(&host.address, JSON).await;
    let (learner, session) = (LearnerId::fresh(), CommandId::fresh());

    let mut say = hello("instructor");
    page.note(TEACHER.0, &say);
    teacher.send(&say).await;
    let heard = teacher.next().await.unwrap();
    page.note(TEACHER.1, &heard);

    say = hello("learner");
    say["hello"]["learner"] =
        json!({ "learner": learner, "session": session, "lesson": "first-steps", "age": "adult" });
    page.note(RUNTIME.0, &say);
    runtime.send(&say).await;
    let heard = runtime.next().await.unwrap();
    let resume = heard["welcome"]["resume_token"].clone();
    page.note(RUNTIME.1, &heard);

    let event = |seq: u64, body: Value| {
        let event = json!({ "seq": seq, "at_unix_ms": 0, "learner": learner, "session": session, "body": body });
        json!({ "parcel": { "before": { "events": seq - 1, "samples": 0 }, "content": { "event": event } } })
    };
    let started = json!({
        "type": "session_started", "lesson": "first-steps", "lesson_digest": "5f1d", "seed": 7, "skills": {}, "protocol": 1,
    });
    say = event(1, started);
    page.note(RUNTIME.0, &say);
    runtime.send(&say).await;
    let ack = runtime.until(|it| it.get("ack").map(|_| it.clone())).await;
    page.note(RUNTIME.1, &ack);
    // The two come in either order.
    let (mut event_heard, mut settled) = (None, None);
    let both = |it: &Value| {
        if it.get("event").is_some() {
            event_heard = Some(it.clone());
        } else if it["snapshot"]["acknowledged_seq"] == 1 {
            settled = Some(it.clone());
        }
        event_heard.clone().zip(settled.clone())
    };
    let (heard, settled) = teacher.until(both).await;
    page.note(TEACHER.1, &heard);
    page.note(TEACHER.1, &settled);

    let command = json!({
        "id": CommandId::fresh(), "learner": learner, "purpose": "to help", "body": { "do": "give_hint", "level": null },
    });
    say = json!({ "command": command });
    page.note(TEACHER.0, &say);
    teacher.send(&say).await;
    let heard = runtime.until(|it| it.get("do").map(|_| it.clone())).await;
    page.note(RUNTIME.1, &heard);
    let done = json!({ "outcome": "applied", "effect": "hint 1 is shown" });
    say = json!({ "done": { "id": heard["do"]["id"], "outcome": done } });
    page.note(RUNTIME.0, &say);
    runtime.send(&say).await;
    let heard = teacher
        .until(|it| it.get("answer").map(|_| it.clone()))
        .await;
    page.note(TEACHER.1, &heard);

    say = json!({ "command": { "learner": learner, "body": { "do": "dance" } } });
    page.note(TEACHER.0, &say);
    teacher.send(&say).await;
    let heard = teacher
        .until(|it| it.get("error").map(|_| it.clone()))
        .await;
    page.note(TEACHER.1, &heard);

    // The link breaks, and the runtime comes back.
    drop(runtime);
    let gone = |it: &Value| (it["snapshot"]["link"] == "gone").then_some(());
    teacher.until(gone).await;
    let mut runtime = Client::connect(&host.address, JSON).await;
    say = hello("learner");
    say["hello"]["learner"] =
        json!({ "learner": learner, "session": session, "lesson": "first-steps", "age": "adult" });
    say["hello"]["resume"] = resume;
    runtime.send(&say).await;
    say["hello"]["resume"] = json!("01…");
    page.note(RUNTIME.0, &say);
    let heard = runtime.next().await.unwrap();
    page.note(RUNTIME.1, &heard);

    say = json!({ "replay": { "learner": learner, "after": 0 } });
    page.note(TEACHER.0, &say);
    teacher.send(&say).await;
    let heard = teacher
        .until(|it| it.get("event").map(|_| it.clone()))
        .await;
    page.note(TEACHER.1, &heard);
    let heard = teacher
        .until(|it| it.get("replayed").map(|_| it.clone()))
        .await;
    page.note(TEACHER.1, &heard);
    page.is_on_the_page();
}

/// `UPDATE_DOCS=1 cargo test --workspace --test wire protocol_json` writes it anew.
#[test]
fn docs_protocol_json_says_what_the_types_say() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.json");
    let page = malloc_vr::protocol::wire_page::asyncapi();
    let now = serde_json::to_string_pretty(&page).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, &now).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == now,
        "docs/protocol.json is out of date: UPDATE_DOCS=1 cargo test --workspace --test wire protocol_json"
    );
}
