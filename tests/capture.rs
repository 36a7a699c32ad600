//! Looking through a learner's eyes where nothing is drawn, and by whom: a lesson that runs, real clients beside it.
//! A picture of the real scene is taken in `tests/xr.rs`.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use bevy::prelude::*;
use malloc_vr::bridge::{Bridge, BridgeConfig};
use malloc_vr::record::ages::AgeBand;
use malloc_vr::record::{Action, AuditEntry, Recorder};
use malloc_vr::session::join::Joining;
use malloc_vr::session::picture::{Picture, PictureAsked, PictureTaken};
use malloc_vr::ui::UiPlugin;
use serde_json::json;

#[path = "support/looking.rs"]
mod looking;
#[path = "support/room.rs"]
mod room;

use room::{RunningLesson, store};

const TOKEN: &str = "a-token-for-these-tests";
const PATIENCE: Duration = Duration::from_secs(60);

/// A lesson with its door open, on a thread of its own.
struct Room {
    folder: tempfile::TempDir,
    address: String,
    learner: String,
    lesson: RunningLesson,
}

/// Stands for a headset: gives a picture of two pixels.
fn paint(mut asked: MessageReader<PictureAsked>, mut taken: MessageWriter<PictureTaken>) {
    for PictureAsked { ticket, .. } in asked.read() {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, 2, 1);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer
            .write_image_data(&[200, 10, 10, 10, 10, 200])
            .unwrap();
        writer.finish().unwrap();
        let picture = Picture {
            png: png.into(),
            width: 2,
            height: 1,
        };
        taken.write(PictureTaken {
            ticket: *ticket,
            picture: Ok(picture),
        });
    }
}

impl Room {
    /// Of a grown-up; `draws`: with somebody who paints, else as `malloc-vr play --headless`.
    fn open(draws: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bridge = Bridge::start(BridgeConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            token: Some(TOKEN.to_owned()),
            ..BridgeConfig::default()
        })
        .unwrap();
        let address = bridge.address().to_string();
        let joining = Joining::newcomer();
        let learner = joining.learner.to_string();
        let recorder = Recorder::start(store(folder.path())).unwrap();
        let lesson = RunningLesson::start(bridge, vec![joining], AgeBand::Adult, move |app| {
            app.insert_resource(recorder);
            if draws {
                app.add_systems(Update, paint);
            } else {
                app.add_plugins(UiPlugin);
            }
        });
        let room = Self {
            folder,
            address,
            learner,
            lesson,
        };
        room.until(|| room.state().is_ok());
        room
    }

    fn state(&self) -> Result<(), String> {
        let state = looking::tool(&self.address, TOKEN, "learner.get_state", &json!({}));
        match state.is_error {
            Some(true) => Err(format!("{:?}", state.content)),
            _ => Ok(()),
        }
    }

    fn until(&self, wanted: impl Fn() -> bool) {
        let begun = Instant::now();
        while !wanted() {
            assert!(begun.elapsed() < PATIENCE, "not in time");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn view(&self, token: &str) -> (u16, String, Vec<u8>) {
        let path = format!("/learners/{}/view.png", self.learner);
        looking::fetch(&self.address, &path, token)
    }

    fn command(&self, body: &serde_json::Value) {
        // What the program printed says nothing of who attests.
        let office = looking::token_of(&self.address, TOKEN, "operator");
        let done = looking::command(&self.address, &office, &self.learner, body);
        assert_eq!(done["outcome"], "applied", "{done}");
    }

    fn audit(self) -> Vec<AuditEntry> {
        self.lesson.audit(self.folder.path())
    }
}

#[test]
fn where_nothing_is_drawn_nothing_is_shown_and_it_says_why() {
    let room = Room::open(false);
    room.command(&looking::agrees());
    let refused = looking::capture(&room.address, TOKEN).unwrap_err();
    assert!(
        refused.contains("headless") && refused.contains("view.scene"),
        "{refused}"
    );
    let (status, head, body) = room.view(TOKEN);
    assert_eq!(status, 409, "{head}");
    assert!(String::from_utf8(body).unwrap().contains("\"headless\""));
}

#[test]
fn nobody_is_looked_at_who_has_not_agreed_to_just_that() {
    let room = Room::open(true);
    let refused = looking::capture(&room.address, TOKEN).unwrap_err();
    assert!(refused.contains("no consent to ViewPicture"), "{refused}");
    let (status, _, body) = room.view(TOKEN);
    assert_eq!(status, 403);
    assert!(String::from_utf8(body).unwrap().contains("\"consent\""));
    room.command(&looking::agrees());
    let (png, said) = looking::capture(&room.address, TOKEN).unwrap();
    assert_eq!(said["learner"], room.learner.as_str());
    assert_eq!((&said["width"], &said["height"]), (&json!(2), &json!(1)));
    assert_eq!(looking::Image::read(&png).at(0, 0), [200, 10, 10]);
    room.command(&looking::agrees_no_more());
    let refused = looking::capture(&room.address, TOKEN).unwrap_err();
    assert!(refused.contains("refused ViewPicture"), "{refused}");
}

#[test]
fn only_an_instructor_or_operator_looks_and_both_looks_and_tries_stand_in_the_audit() {
    let room = Room::open(true);
    room.command(&looking::agrees());
    let instructor = looking::token_of(&room.address, TOKEN, "instructor");
    let (status, head, png) = room.view(&instructor);
    assert_eq!(status, 200, "{head}");
    assert_eq!(looking::Image::read(&png).width, 2);
    let observer = looking::token_of(&room.address, TOKEN, "observer");
    let (status, _, body) = room.view(&observer);
    assert_eq!(status, 403);
    assert!(
        String::from_utf8(body)
            .unwrap()
            .contains("may not look through a learner's eyes")
    );
    let refused = looking::capture(&room.address, &observer).unwrap_err();
    assert!(refused.contains("may not look"), "{refused}");
    assert_eq!(room.view("a-token-of-nobody-at-all").0, 401);
    let strange = looking::fetch(&room.address, "/learners/nobody/view.png", TOKEN);
    assert_eq!(strange.0, 404);

    let log = room.audit();
    let looked = |it: &&AuditEntry| {
        it.action == Action::Accessed && it.by.purpose == "to see what the learner sees"
    };
    let looks: Vec<&AuditEntry> = log.iter().filter(looked).collect();
    assert_eq!(looks.len(), 1, "{log:?}");
    assert!(looks[0].by.actor.contains("instructor"), "{looks:?}");
    let tried = log.iter().any(|it| {
        matches!(&it.action, Action::Commanded { act, .. } if act == "view")
            && it.by.actor.contains("observer")
    });
    assert!(tried, "{log:?}");
}

#[test]
fn a_page_that_asks_too_often_is_told_when_to_come_again() {
    let room = Room::open(true);
    room.command(&looking::agrees());
    // Two asked within a second is one too many; a busy machine may need several tries for that.
    room.until(|| {
        let (status, head, _) = room.view(TOKEN);
        assert!([200, 429].contains(&status), "{head}");
        assert!(status == 200 || head.contains("retry-after: 1"), "{head}");
        status == 429
    });
}
