//! What a host says when it goes, and what headsets see for it: a real host process, real headsets' runtimes, real clients.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bevy::prelude::*;
use malloc_vr::bridge::join::ToJoin;
use malloc_vr::bridge::{Bridge, BridgeConfig};
use malloc_vr::protocol::picture::NoPicture;
use malloc_vr::protocol::privacy::AgeBand;
use malloc_vr::protocol::wire::NoticeCode;
use malloc_vr::record::Action;
use malloc_vr::session::picture::{Picture, PictureAsked, PictureTaken};
use malloc_vr::session::standing::Age;
use serde_json::{Value, json};

#[path = "support/host.rs"]
mod host;
#[path = "support/looking.rs"]
mod looking;
#[path = "support/pupil.rs"]
mod pupil;
mod support;

use host::{Client, Host, PATIENCE, TOKEN};
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

/// Runs frames while somebody does something elsewhere.
fn meanwhile<T: Send>(pupil: &mut Pupil, what: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let done = scope.spawn(what);
        while !done.is_finished() {
            pupil.frame();
            std::thread::sleep(Duration::from_millis(5));
        }
        done.join().unwrap()
    })
}

fn waiting<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(what)
}

fn drain(address: &str, on: bool) {
    let arguments = json!({ "on": on, "within": 3600, "purpose": "an update" });
    let done = looking::tool(address, TOKEN, "ops.drain", &arguments);
    assert_ne!(done.is_error, Some(true), "{done:?}");
}

#[cfg(unix)]
#[test]
fn whoever_is_connected_is_told_when_a_host_goes_and_comes_again_when_it_said() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let address = host.address.clone();
    let mut pupil = Pupil::at(
        &home.path().join("pupil"),
        &address,
        TOKEN,
        Script::new(0, 0),
    );
    until(&mut pupil, |pupil| pupil.link().up && pupil.host_has() > 0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut named, mut plain) = runtime.block_on(async {
        let named = Client::instructor(&address).await;
        let url = format!("ws://{address}/ws?token={TOKEN}");
        let (plain, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        (named, Client(plain))
    });
    let mut hears = |code: &str| {
        let mut again = 0;
        for client in [&mut named, &mut plain] {
            let notice = runtime.block_on(client.kind("notice"));
            assert_eq!(notice["code"], code, "{notice}");
            let message = notice["message"].as_str().unwrap();
            assert!(!message.is_empty());
            let after = |field: &str| notice[field].as_u64().unwrap();
            match code {
                "draining" => assert!(after("within_ms") > 3_000_000 && after("again_ms") > 0),
                "stopping" => assert!(after("within_ms") == 0 && after("again_ms") > 0),
                _ => assert_eq!(after("again_ms"), 0),
            }
            again = after("again_ms");
        }
        again
    };
    meanwhile(&mut pupil, || drain(&address, true));
    hears("draining");
    let noticed = |pupil: &Pupil| pupil.link().notice.as_ref().map(|it| it.code);
    until(&mut pupil, |pupil| {
        noticed(pupil) == Some(NoticeCode::Draining)
    });
    // Whoever is in goes on; whoever comes is sent away.
    assert!(pupil.link().up);
    let health = runtime.block_on(host::health(&address));
    assert_eq!(health.0, 503);
    // Somebody who comes by MCP is told, too.
    let said = meanwhile(&mut pupil, || {
        looking::tool(&address, TOKEN, "ops.health", &json!({}))
    });
    let said = said.structured_content.unwrap();
    assert_eq!(said["going"]["code"], "draining", "{said}");
    meanwhile(&mut pupil, || drain(&address, false));
    hears("staying");
    until(&mut pupil, |pupil| noticed(pupil).is_none());
    assert_eq!(pupil.link().times, 1);

    // As with Ctrl-C.
    let left = Instant::now();
    meanwhile(&mut pupil, || host.end());
    let again = hears("stopping");
    for client in [&mut named, &mut plain] {
        assert_eq!(runtime.block_on(client.next()), Some(json!({ "bye": {} })));
        assert_eq!(runtime.block_on(client.next()), None);
    }
    until(&mut pupil, |pupil| !pupil.link().up);
    assert_eq!(noticed(&pupil), Some(NoticeCode::Stopping));
    let _host = Host::start(home.path(), &address);
    until(&mut pupil, |pupil| pupil.link().up);
    // Not before the host wished; the pauses of this pupil are shorter by themselves.
    assert!(left.elapsed() > Duration::from_millis(again));
    assert_eq!(noticed(&pupil), None);
}

#[test]
fn a_headset_with_another_host_goes_there_with_all_it_has_when_the_first_is_drained() {
    let home = tempfile::tempdir().unwrap();
    let first = Host::start(&home.path().join("first"), "127.0.0.1:0");
    let second = Host::start(&home.path().join("second"), "127.0.0.1:0");
    let folder = home.path().join("pupil");
    let mut pupil = Pupil::at(&folder, &first.address, TOKEN, Script::new(4, 1));
    let mut joining = pupil.app.world_mut().resource_mut::<ToJoin>();
    joining.0.others = vec![second.address.parse().unwrap()];
    until(&mut pupil, |pupil| pupil.link().up && pupil.host_has() > 5);
    let address = first.address.clone();
    meanwhile(&mut pupil, || drain(&address, true));
    until(&mut pupil, |pupil| {
        pupil.link().times == 2 && pupil.link().up
    });
    until(&mut pupil, Pupil::is_through);
    let who = pupil.id;
    until(&mut pupil, |pupil| pupil.host_has() == pupil.state().seq);
    let events = pupil.state().seq;
    let address = second.address.clone();
    let seen = meanwhile(&mut pupil, || {
        let all = json!({ "ended": true });
        let state = looking::tool(&address, TOKEN, "class.list_learners", &all);
        state.structured_content.unwrap()
    });
    assert_eq!(seen["learners"][0]["learner"], json!(who), "{seen}");
    drop(pupil);
    drop(second);
    let theirs = store(&home.path().join("second/data"));
    assert_eq!(theirs.events(who).unwrap().len() as u64, events);
}

/// Stands for a headset's eyes: gives a picture of two pixels.
fn paint(mut asked: MessageReader<PictureAsked>, mut taken: MessageWriter<PictureTaken>) {
    for PictureAsked { ticket, .. } in asked.read() {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, 2, 1);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        let pixels = [200, 10, 10, 10, 10, 200];
        writer.write_image_data(&pixels).unwrap();
        writer.finish().unwrap();
        taken.write(PictureTaken {
            ticket: *ticket,
            picture: Ok(Picture {
                png: png.into(),
                width: 2,
                height: 1,
            }),
        });
    }
}

/// Stands for a headset that draws nothing: answers as `ui` does there.
fn draw_nothing(mut asked: MessageReader<PictureAsked>, mut taken: MessageWriter<PictureTaken>) {
    for PictureAsked { ticket, .. } in asked.read() {
        let (ticket, picture) = (*ticket, Err(NoPicture::NothingDrawn));
        taken.write(PictureTaken { ticket, picture });
    }
}

/// Whether the headset was asked.
#[derive(Resource, Clone, Default)]
struct Asked(Arc<AtomicBool>);

fn note(mut asked: MessageReader<PictureAsked>, noted: Res<Asked>) {
    if asked.read().count() > 0 {
        noted.0.store(true, Ordering::Relaxed);
    }
}

/// A pupil with a door of their own, as every headset has one.
fn with_eyes(folder: &Path, host: &Host, draws: bool) -> (Pupil, Asked) {
    let door = Bridge::start(BridgeConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        ..BridgeConfig::default()
    })
    .unwrap();
    let mut pupil = Pupil::with_door(folder, &host.address, TOKEN, Script::new(0, 0), Some(door));
    let noted = Asked::default();
    pupil.app.insert_resource(noted.clone());
    pupil.app.add_systems(Update, note);
    if draws {
        pupil.app.add_systems(Update, paint);
    } else {
        pupil.app.add_systems(Update, draw_nothing);
    }
    until(&mut pupil, |pupil| pupil.link().up && pupil.host_has() > 0);
    (pupil, noted)
}

fn says(pupil: &mut Pupil, host: &Host, body: &Value) {
    let who = pupil.id.to_string();
    let done = meanwhile(pupil, || {
        let office = looking::token_of(&host.address, TOKEN, "operator");
        looking::command(&host.address, &office, &who, body)
    });
    assert_eq!(done["outcome"], "applied", "{done}");
}

fn looks(pupil: &mut Pupil, host: &Host, token: &str) -> Result<(Vec<u8>, Value), String> {
    meanwhile(pupil, || looking::capture(&host.address, token))
}

#[test]
fn an_instructor_at_the_host_sees_what_a_joined_learner_sees_if_the_learner_agreed() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let folder = home.path().join("pupil");
    let (mut pupil, noted) = with_eyes(&folder, &host, true);
    let refused = looks(&mut pupil, &host, TOKEN).unwrap_err();
    assert!(refused.contains("no consent to ViewPicture"), "{refused}");
    assert!(!noted.0.load(Ordering::Relaxed));
    says(&mut pupil, &host, &looking::agrees());
    let who = pupil.id;
    let instructor = looking::token_of(&host.address, TOKEN, "instructor");
    // The consent comes back to the host with the log.
    let begun = Instant::now();
    let (png, said) = loop {
        match looks(&mut pupil, &host, &instructor) {
            Ok(seen) => break seen,
            Err(why) => assert!(begun.elapsed() < PATIENCE, "{why}"),
        }
    };
    assert_eq!(said["learner"], json!(who));
    assert_eq!((&said["width"], &said["height"]), (&json!(2), &json!(1)));
    assert_eq!(looking::Image::read(&png).at(0, 0), [200, 10, 10]);
    // The newest one is had already; both ends hold to one a second.
    let path = format!("/learners/{who}/view.png");
    let begun = Instant::now();
    loop {
        let (status, head, _) = meanwhile(&mut pupil, || {
            looking::fetch(&host.address, &path, &instructor)
        });
        assert!([200, 429].contains(&status), "{head}");
        if status == 429 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
    }
    let observer = looking::token_of(&host.address, TOKEN, "observer");
    let refused = looks(&mut pupil, &host, &observer).unwrap_err();
    assert!(refused.contains("may not look"), "{refused}");

    // The headset knows better who its learner is: what the host believes does not open its eyes.
    let learner = pupil.learner;
    let mut entity = pupil.app.world_mut().entity_mut(learner);
    entity.insert(Age(AgeBand::Under13));
    std::thread::sleep(Duration::from_millis(1100));
    noted.0.store(false, Ordering::Relaxed);
    let refused = looks(&mut pupil, &host, &instructor).unwrap_err();
    assert!(!noted.0.load(Ordering::Relaxed), "{refused}");

    // It stands in the audit of both, and no picture is in either's folder.
    drop(pupil);
    host.end();
    for (folder, purpose) in [
        (
            folder,
            "to see what the learner sees, asked at the classroom host",
        ),
        (home.path().join("data"), "to see what the learner sees"),
    ] {
        let log = store(&folder).audit_log().unwrap();
        let looked = log.iter().any(|(_, it)| {
            it.action == Action::Accessed
                && it.by.purpose == purpose
                && it.by.actor.contains("instructor")
        });
        assert!(looked, "{purpose}: {log:?}");
    }
}

#[test]
fn where_nothing_is_drawn_or_nobody_is_reached_an_instructor_at_the_host_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    let (mut pupil, _) = with_eyes(&home.path().join("pupil"), &host, false);
    says(&mut pupil, &host, &looking::agrees());
    let begun = Instant::now();
    loop {
        let refused = looks(&mut pupil, &host, TOKEN).unwrap_err();
        if refused.contains("headless: nothing is drawn") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{refused}");
    }
    drop(pupil);
    let begun = Instant::now();
    loop {
        let refused = looking::capture(&host.address, TOKEN).unwrap_err();
        if refused.contains("not reached") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{refused}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_runtime_that_shows_what_nobody_asked_for_is_told_so_and_nothing_is_relayed() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), "127.0.0.1:0");
    waiting(async {
        let mut client = Client::connect(&host.address, malloc_vr::protocol::wire::JSON).await;
        let learner = malloc_vr::protocol::ids::LearnerId::fresh();
        let session = malloc_vr::protocol::ids::SessionId::fresh();
        let mut hello = host::hello("learner");
        hello["hello"]["learner"] = json!({
            "learner": learner, "session": session, "lesson": "first-steps", "age": "adult"
        });
        client.send(&hello).await;
        client.kind("welcome").await;
        let shown = json!({ "shown": { "ticket": 1, "what": { "png": "iVBORw0KGgo=" } } });
        client.send(&shown).await;
        let error = client.kind("error").await;
        assert_eq!(error["code"], "bad_message");
        assert!(error["message"].as_str().unwrap().contains("nobody asked"));
    });
}
