//! Somebody takes the first lesson with hands that are moved by hand, and is recorded or not.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use bevy::time::TimeUpdateStrategy;
use bevy::transform::TransformPlugin;

use super::*;
use crate::app::replay::play::ReplayOf;
use crate::app::{play, records};
use crate::lesson::{self, Loaded};
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, OUTSIDE_SESSIONS,
    Withdrawal,
};
use crate::protocol::event::Attempt;
use crate::session::Happened;
use crate::session::join::Joining;

const FRAME: Duration = Duration::from_nanos(13_888_889);

fn scopes() -> BTreeSet<ConsentScope> {
    BTreeSet::from([ConsentScope::MotionRecording, ConsentScope::MotionRetention])
}

fn consent() -> EventBody {
    EventBody::ConsentGiven(Consent {
        scopes: scopes(),
        text_version: "1".to_owned(),
        actor: ConsentActor::Guardian,
        evidence: ConsentEvidence {
            method: ConsentMethod::InPerson,
            reference: None,
        },
        until_unix_ms: None,
    })
}

fn withdrawal() -> EventBody {
    EventBody::ConsentWithdrawn(Withdrawal {
        scopes: scopes(),
        actor: ConsentActor::Guardian,
    })
}

/// A person with a headset.
struct Person {
    app: App,
    learner: Entity,
    id: LearnerId,
}

impl Person {
    /// Joins with the log that the store has, after these words about the record.
    fn joins(folder: &Path, id: LearnerId, words: &[EventBody]) -> Self {
        let store = open(folder);
        let seq = store.events(id).unwrap().len() as u64;
        let events: Vec<Event> = (seq + 1..)
            .zip(words)
            .map(|(seq, body)| Event {
                seq,
                at_unix_ms: unix_ms(),
                learner: id,
                session: OUTSIDE_SESSIONS,
                body: body.clone(),
            })
            .collect();
        store.append(&events).unwrap();
        let joining = Joining::of(&store, id).unwrap();
        let lesson = lesson::load("first-steps").unwrap();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TransformPlugin));
        play::add_rooms(&mut app, &lesson, crate::app::view::View::Headless);
        app.add_plugins(FlightPlugin)
            .insert_resource(TimeUpdateStrategy::ManualDuration(FRAME))
            .insert_resource(Recorder::start(store).unwrap());
        let resumed = joining.interrupted_in(&lesson.lesson.id);
        let flight = Flight::of(&joining.log, resumed);
        let learner = joining.enter(app.world_mut(), &lesson.lesson, &lesson.digest, false);
        app.world_mut().entity_mut(learner).insert(flight);
        let mut person = Self { app, learner, id };
        person.frames(5);
        for side in [Side::Left, Side::Right] {
            let x = if side == Side::Left { -0.3 } else { 0.3 };
            person.with_hand(side, |input, at| {
                input.tracked = true;
                at.translation = Vec3::new(x, 1.1, -0.2);
            });
        }
        person
    }

    fn frames(&mut self, frames: u32) {
        for _ in 0..frames {
            self.app.update();
        }
    }

    fn with_hand(&mut self, side: Side, change: impl FnOnce(&mut HandInput, &mut Transform)) {
        let world = self.app.world_mut();
        let mut hands = world.query::<(&Hand, &mut HandInput, &mut Transform, &mut HandKind)>();
        let found = hands.iter_mut(world).find(|(hand, ..)| hand.0 == side);
        let (_, mut input, mut at, mut kind) = found.unwrap();
        *kind = HandKind::None;
        change(&mut input, &mut at);
    }

    fn hand(&mut self) -> Vec3 {
        let mut place = Vec3::ZERO;
        self.with_hand(Side::Right, |_, at| place = at.translation);
        place
    }

    fn look_at(&mut self, target: Vec3, frames: u32) {
        let world = self.app.world_mut();
        let mut heads = world.query_filtered::<&mut Transform, With<Head>>();
        let mut head = heads.single_mut(world).unwrap();
        head.look_at(target, Vec3::Y);
        self.frames(frames);
    }

    fn reach(&mut self, to: Vec3, frames: u32) {
        let from = self.hand();
        for frame in 1..=frames {
            let at = from.lerp(to, frame as f32 / frames as f32);
            self.with_hand(Side::Right, |_, hand| hand.translation = at);
            self.frames(1);
        }
    }

    fn squeeze(&mut self, how: f32) {
        self.with_hand(Side::Right, |input, _| input.squeeze = how);
        self.frames(10);
    }

    /// Takes a thing and lets it go somewhere.
    fn carry(&mut self, from: Vec3, to: Vec3) {
        self.reach(from + Vec3::Y * 0.15, 30);
        self.reach(from + Vec3::Y * 0.02, 20);
        self.squeeze(1.0);
        self.reach(from + Vec3::Y * 0.2, 20);
        self.reach(to + Vec3::Y * 0.2, 40);
        self.reach(to + Vec3::Y * 0.02, 30);
        self.frames(20);
        self.squeeze(0.0);
        self.reach(to + Vec3::Y * 0.25, 20);
    }

    /// The first five steps, one of them wrong at first.
    fn takes_the_lesson(&mut self) {
        self.look_at(Vec3::new(-1.1, 1.5, -1.7), 120);
        self.look_at(Vec3::new(0.0, 0.8, -0.6), 10);
        let (cube, drum) = (Vec3::new(-0.3, 0.776, -0.5), Vec3::new(-0.18, 0.776, -0.6));
        // Nothing for a while: the hint ladder speaks.
        self.frames(30 * 72);
        self.carry(cube, Vec3::new(0.03, 0.787, -0.62));
        // Into the wrong tray, then into the right one.
        self.carry(drum, Vec3::new(0.31, 0.787, -0.62));
        self.frames(200);
        let drum = self.place_of("blue-drum");
        self.carry(drum, Vec3::new(0.17, 0.787, -0.62));
        self.frames(400);
    }

    fn place_of(&mut self, name: &str) -> Vec3 {
        let world = self.app.world_mut();
        let mut things = world.query::<(&crate::lesson::placed::LessonObject, &Transform)>();
        let found = things
            .iter(world)
            .find(|(thing, _)| thing.0.as_str() == name);
        found.unwrap().1.translation
    }

    fn says(&mut self, body: EventBody) {
        let learner = self.learner;
        self.app
            .world_mut()
            .write_message(Happened { learner, body });
        self.frames(3);
    }

    fn records(&self) -> bool {
        self.app
            .world()
            .get::<Flight>(self.learner)
            .unwrap()
            .is_recording()
    }

    /// Ends the program as Ctrl-C does.
    fn leaves(mut self) -> LearnerId {
        self.app.world_mut().write_message(AppExit::Success);
        self.frames(1);
        drop(self.app);
        self.id
    }
}

fn open(folder: &Path) -> Store {
    records::open_file(&records::file(folder)).unwrap()
}

#[test]
fn without_a_recorded_consent_no_movement_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let id = LearnerId::fresh();
    let mut person = Person::joins(folder.path(), id, &[]);
    person.look_at(Vec3::new(-1.1, 1.5, -1.7), 200);
    assert!(!person.records());
    let id = person.leaves();
    let store = open(folder.path());
    assert_eq!(store.recordings(id).unwrap(), []);
    assert_eq!(store.check().unwrap().motion, 0);
}

#[test]
fn a_consent_on_the_screen_alone_records_nobody_of_unknown_age() {
    let folder = tempfile::tempdir().unwrap();
    let EventBody::ConsentGiven(mut weak) = consent() else {
        unreachable!()
    };
    weak.evidence.method = ConsentMethod::OnScreen;
    let words = [EventBody::ConsentGiven(weak)];
    let mut person = Person::joins(folder.path(), LearnerId::fresh(), &words);
    person.frames(150);
    let id = person.leaves();
    assert_eq!(open(folder.path()).recordings(id).unwrap(), []);
}

#[test]
fn a_consent_taken_back_ends_the_recording_and_forgets_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut person = Person::joins(folder.path(), LearnerId::fresh(), &[consent()]);
    person.frames(400);
    assert!(person.records());
    person.says(withdrawal());
    assert!(!person.records());
    let until = Instant::now() + Duration::from_secs(30);
    while person
        .app
        .world()
        .get::<Flight>(person.learner)
        .unwrap()
        .forget
    {
        assert!(Instant::now() < until, "not forgotten");
        person.frames(1);
        std::thread::sleep(Duration::from_millis(5));
    }
    person.frames(300);
    let id = person.leaves();
    let store = open(folder.path());
    assert_eq!(store.recordings(id).unwrap(), []);
    assert!(store.check().unwrap().problems.is_empty());
    let forgotten = store.disclosures(id).unwrap();
    assert!(!forgotten.is_empty());
}

#[test]
fn a_consent_taken_back_while_nobody_plays_is_heard_by_the_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let mut person = Person::joins(folder.path(), LearnerId::fresh(), &[consent()]);
    person.frames(200);
    let id = person.leaves();
    let store = open(folder.path());
    let roster = crate::record::Roster::open(&folder.path().join("roster"), store.keys()).unwrap();
    assert_eq!(forget_without_consent(&store, &roster).unwrap(), 0);
    let seq = store.events(id).unwrap().len() as u64 + 1;
    let withdrawn = Event {
        seq,
        at_unix_ms: unix_ms(),
        learner: id,
        session: OUTSIDE_SESSIONS,
        body: withdrawal(),
    };
    store.append(&[withdrawn]).unwrap();
    assert_eq!(forget_without_consent(&store, &roster).unwrap(), 1);
    assert_eq!(store.recordings(id).unwrap(), []);
}

#[test]
fn a_restricted_record_takes_no_movements() {
    let folder = tempfile::tempdir().unwrap();
    let words = [
        consent(),
        EventBody::ProcessingRestricted {
            actor: ConsentActor::Guardian,
            ground: crate::protocol::privacy::RestrictionGround::Objection,
        },
    ];
    let mut person = Person::joins(folder.path(), LearnerId::fresh(), &words);
    person.frames(150);
    assert!(!person.records());
}

fn lesson_of() -> Loaded {
    lesson::load("first-steps").unwrap()
}

#[test]
fn a_recorded_session_is_played_again_to_the_same_attempts_and_decisions() {
    use crate::app::replay::play::tests::{played_again, recorded};
    let folder = tempfile::tempdir().unwrap();
    let mut person = Person::joins(folder.path(), LearnerId::fresh(), &[consent()]);
    person.takes_the_lesson();
    assert!(person.records());
    let id = person.leaves();
    // Killed, and taken up again: a second run.
    let mut person = Person::joins(folder.path(), id, &[]);
    person.frames(200);
    let id = person.leaves();
    let store = open(folder.path());
    let log = store.events(id).unwrap();
    let attempts: Vec<&Attempt> = log
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Attempted(attempt) => Some(attempt),
            _ => None,
        })
        .collect();
    let right = attempts.iter().filter(|attempt| attempt.correct).count();
    assert!(right >= 5 && right < attempts.len(), "{attempts:#?}");
    let hinted = |body: &EventBody| {
        matches!(
            body,
            EventBody::CommandApplied {
                hint_level: Some(1),
                ..
            }
        )
    };
    assert!(
        log.iter().any(|event| hinted(&event.body)),
        "a hint was given"
    );
    let runs = recorded(&store, &log);
    let numbers: Vec<u32> = runs.iter().map(|run| run.number).collect();
    assert_eq!(numbers, [0, 1]);
    assert!(played_again(&log, &runs, &lesson_of(), |frames| frames));
    // What leaves in their place: an outcome for each attempt, the same however often it is asked for.
    let instead = instead_of_movements(&store, id, &log, &FlightRules::default()).unwrap();
    assert!(instead.len() >= attempts.len(), "{instead:?}");
    assert_eq!(
        instead,
        instead_of_movements(&store, id, &log, &FlightRules::default()).unwrap()
    );
    assert!(!instead.concat().contains("latency"));
    // Who moved otherwise did not do the same: the hand stays where it was.
    assert!(!played_again(&log, &runs, &lesson_of(), |frames| {
        let half = frames.len() / 2;
        &frames[..half]
    }));
    // And from the log alone to the bit.
    let replayed =
        crate::app::replay::tests::compared(&log, &crate::adaptation::Strategies::default());
    assert!(
        replayed
            .iter()
            .all(crate::app::replay::differ::Compared::same),
        "{replayed:#?}"
    );
}

#[test]
fn who_is_to_be_played_again_is_read_from_the_command_line() {
    let (learner, session) = (LearnerId::fresh(), crate::protocol::ids::SessionId::fresh());
    let both: ReplayOf = format!("{learner}/{session}").parse().unwrap();
    assert_eq!((both.learner, both.session), (learner, Some(session)));
    assert_eq!(
        learner.to_string().parse::<ReplayOf>().unwrap().session,
        None
    );
    assert!(
        "ada"
            .parse::<ReplayOf>()
            .unwrap_err()
            .contains("LEARNER/SESSION")
    );
}

/// `MALLOC_VR_DOCS_STORE=DIR cargo test --lib -- --ignored a_store_for_the_documentation`: what `docs/replay.md` shows.
#[test]
#[ignore = "makes a store to look at"]
fn a_store_for_the_documentation() {
    let Some(folder) = std::env::var_os("MALLOC_VR_DOCS_STORE") else {
        return;
    };
    let mut person = Person::joins(Path::new(&folder), LearnerId::fresh(), &[consent()]);
    person.frames(5);
    person.takes_the_lesson();
    person.leaves();
}
