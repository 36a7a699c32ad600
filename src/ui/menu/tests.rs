//! The menu as somebody with a pointer meets it: what it offers, and what each choice asks for.

use super::*;
use crate::lesson::placed::LessonPanel;
use crate::lesson::{ActiveLesson, load};
use crate::protocol::consent::{ConsentActor, ConsentScope};
use crate::protocol::event::EventBody;
use crate::protocol::ids::{LearnerId, PanelId, SessionId};
use crate::session::Happened;
use crate::session::SessionPlugin;
use crate::session::pairing::Pairing;
use crate::ui::UiPlugin;
use crate::xr::pointer::PointerAt;
use crate::xr::rig::Side;

struct Room {
    app: App,
    hand: Entity,
    guide: Entity,
}

impl Room {
    fn new() -> Self {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SessionPlugin, UiPlugin))
            .insert_resource(ActiveLesson(load("first-steps").unwrap()));
        app.world_mut().spawn(Learner {
            id: LearnerId::fresh(),
            session: SessionId::fresh(),
        });
        let hand = app.world_mut().spawn(Hand(Side::Left)).id();
        let guide = app
            .world_mut()
            .spawn(LessonPanel(PanelId::new("guide")))
            .id();
        app.update();
        Self { app, hand, guide }
    }

    /// Presses and releases the menu button; gives what was asked of the lesson.
    fn press_menu(&mut self) -> Vec<CommandBody> {
        let mut asked = Vec::new();
        for down in [true, true, false] {
            self.app
                .world_mut()
                .get_mut::<HandInput>(self.hand)
                .unwrap()
                .menu = down;
            asked.extend(self.frame());
        }
        asked
    }

    fn frame(&mut self) -> Vec<CommandBody> {
        self.app.update();
        let mut requested = self
            .app
            .world_mut()
            .resource_mut::<Messages<CommandRequested>>();
        requested.drain().map(|request| request.0.body).collect()
    }

    fn choose(&mut self, choice: Choice) -> Vec<CommandBody> {
        let words = [false, true].map(|on| choice.words(on, on));
        let PanelView { choices, room, .. } = self.view();
        let found = |it: &String| words.contains(&it.as_str());
        let index = choices.iter().position(found).unwrap();
        let (index, of) = (index + room, choices.len() + room);
        self.press(index, of)
    }

    fn press(&mut self, index: usize, of: usize) -> Vec<CommandBody> {
        let mut asked = Vec::new();
        for pressed in [false, true, false] {
            self.app.world_mut().write_message(PointerAt {
                surface: self.guide,
                uv: choice_rect(index, of).center(),
                pressed,
            });
            asked.extend(self.frame());
        }
        asked.extend(self.frame());
        asked
    }

    fn view(&self) -> &PanelView {
        self.app.world().get(self.guide).unwrap()
    }

    fn learner(&mut self) -> Entity {
        let mut learners = self
            .app
            .world_mut()
            .query_filtered::<Entity, With<Learner>>();
        learners.single(self.app.world()).unwrap()
    }

    /// Whether a pairing code was asked for since the last time.
    fn asked_for_a_code(&mut self) -> bool {
        let mut asked = self
            .app
            .world_mut()
            .resource_mut::<Messages<PairingAsked>>();
        asked.drain().count() > 0
    }
}

#[test]
fn the_lesson_stands_still_while_the_menu_is_open() {
    let mut room = Room::new();
    assert_eq!(
        room.press_menu(),
        [CommandBody::Pause],
        "a held button is one press"
    );
    assert_eq!(room.view().heading, "Menu");
    assert_eq!(room.press_menu(), [CommandBody::Resume]);
    assert_ne!(room.view().heading, "Menu");
    room.press_menu();
    assert_eq!(room.choose(Choice::GoOn), [CommandBody::Resume]);
    assert_ne!(room.view().heading, "Menu");
}

#[test]
fn a_code_that_is_good_stands_in_the_menu_and_nowhere_else() {
    let mut room = Room::new();
    let show = |room: &mut Room, code: Option<&str>| {
        let code = code.map(|code| PairingCode {
            code: code.to_owned(),
            address: "https://192.168.1.7:7878/".to_owned(),
            fingerprint: None,
            until: std::time::Instant::now() + std::time::Duration::from_secs(300),
        });
        room.app.world_mut().insert_resource(Pairing(code));
        room.frame();
        room.view().body.clone()
    };
    assert!(!show(&mut room, Some("204816")).contains("204"));
    room.press_menu();
    let body = show(&mut room, Some("204816"));
    assert!(
        body.contains("204 816") && body.contains("192.168.1.7"),
        "{body}"
    );
    assert_eq!(show(&mut room, None), WAITS, "a code that is over is gone");
}

#[test]
fn whoever_wears_the_headset_lets_an_instructor_in_with_nothing_but_the_menu() {
    let mut room = Room::new();
    room.press_menu();
    room.choose(Choice::LetIn);
    assert!(room.asked_for_a_code(), "there was none to show");
    let print = vec!["A7"; 32].join(":");
    let code = PairingCode {
        code: "204816".to_owned(),
        address: "https://192.168.1.7:7878/".to_owned(),
        fingerprint: Some(print.clone()),
        until: Instant::now() + std::time::Duration::from_secs(299),
    };
    // As the bridge does.
    room.app.insert_resource(Pairing(Some(code)));
    room.frame();
    let body = room.view().body.clone();
    for part in ["204 816", "https://192.168.1.7:7878/", "5 minutes"] {
        assert!(body.contains(part), "{part} in {body}");
    }
    let shown: String = body.split_whitespace().collect();
    assert!(shown.contains(&print), "{body}");
    // What is shown already is not taken away from whoever types it; another one is made when it is asked for.
    room.choose(Choice::Back);
    room.choose(Choice::LetIn);
    assert!(!room.asked_for_a_code());
    let asked = room.choose(Choice::AnotherCode);
    assert!(room.asked_for_a_code() && asked.is_empty());
    room.choose(Choice::Back);
    assert_eq!(room.view().heading, "Menu");
}

#[test]
fn what_the_learner_sets_in_the_menu_is_remembered_in_the_log() {
    let mut room = Room::new();
    room.press_menu();
    room.choose(Choice::More);
    let asked = room.choose(Choice::SitOrStand);
    let patch = PreferencesPatch {
        seated: Some(true),
        ..PreferencesPatch::default()
    };
    assert_eq!(asked, [CommandBody::SetPreferences { patch }]);
}

#[test]
fn a_learner_may_ask_for_a_hint_and_sees_it_at_once() {
    let mut room = Room::new();
    room.press_menu();
    let asked = room.choose(Choice::AskForHint);
    assert_eq!(
        asked,
        [CommandBody::GiveHint { level: None }, CommandBody::Resume]
    );
}

#[test]
fn sitting_and_larger_letters_are_turned_on_and_off() {
    let mut room = Room::new();
    room.press_menu();
    let learner = room.learner();
    // A child, who decides little: all of it is on one page.
    let child = Age(serde_json::from_str(r#""under13""#).unwrap());
    room.app.world_mut().entity_mut(learner).insert(child);
    room.choose(Choice::More);
    for on in [true, false] {
        room.choose(Choice::SitOrStand);
        room.choose(Choice::LettersSize);
        assert_eq!(room.app.world().resource::<SeatedOffset>().0 > 0.0, on);
        assert_eq!(
            room.app.world().resource::<ReadingSettings>().large_text,
            on
        );
        let expected = if on { "I am standing" } else { "I am sitting" };
        assert!(room.view().choices.iter().any(|choice| choice == expected));
    }
}

#[test]
fn a_grown_up_decides_who_sees_them_and_a_child_can_only_say_no() {
    let mut room = Room::new();
    let learner = room.learner();
    let offered = |room: &mut Room, band: &str| {
        let age = Age(serde_json::from_str(band).unwrap());
        room.app.world_mut().entity_mut(learner).insert(age);
        room.frame();
        room.view().choices.clone()
    };
    room.press_menu();
    room.choose(Choice::More);
    let child = offered(&mut room, r#""under13""#);
    assert!(
        !child.iter().any(|it| it.contains("instructor")),
        "{child:?}"
    );
    assert!(child.iter().any(|it| it.contains("Keep my record")));
    let adult = offered(&mut room, r#""adult""#);
    assert_eq!(adult[0], "Show nobody how I do");
    assert!(adult.len() <= MOST, "more than a panel shows: {adult:?}");
    room.choose(Choice::Further);
    let rest = room.view().choices.clone();
    assert!(
        rest.len() <= MOST && rest.iter().any(|it| it.contains("Keep my record")),
        "{rest:?}"
    );
    assert!(
        !rest.iter().any(|it| adult[..MOST - 1].contains(it)),
        "{rest:?}"
    );
    let what_i_see = |it: &String| it == "Let my instructor see what I see";
    assert!(
        adult.iter().chain(&rest).any(what_i_see),
        "{adult:?} {rest:?}"
    );
    room.choose(Choice::Back);
    room.choose(Choice::More);
    let asked = room.press(0, adult.len());
    let [CommandBody::WithdrawConsent(withdrawal)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(withdrawal.actor, ConsentActor::Learner);
    assert!(withdrawal.scopes.contains(&ConsentScope::InstructorView));
    // As the session would write it.
    let body = EventBody::ConsentWithdrawn(withdrawal.clone());
    room.app
        .world_mut()
        .write_message(Happened { learner, body });
    room.frame();
    room.frame();
    assert_eq!(room.view().choices[0], "Let my instructor see how I do");
}
