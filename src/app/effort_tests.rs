//! Somebody carries a cube to and fro, calmly or with hesitation and detours, in an app without a renderer: what the log
//! says of it, and what is made of that.

use std::sync::Arc;
use std::time::Duration;

use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;
use bevy::transform::TransformPlugin;

use super::play;
use super::view::View;
use crate::learning::load::window::LoadWindow;
use crate::learning::load::{Load, LoadClass, Sign};
use crate::lesson::format::{Flow, Lesson};
use crate::lesson::{self, Loaded};
use crate::protocol::command::Principal;
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, Withdrawal,
};
use crate::protocol::event::{Event, EventBody, Told};
use crate::protocol::ids::StepId;
use crate::record::consent::ConsentPolicy;
use crate::session::join::Joining;
use crate::session::snapshot::snapshot;
use crate::session::standing::Agreements;
use crate::session::state::LearnerState;
use crate::session::stream::systems::Streamed;
use crate::session::{AcknowledgedSeq, Folded, Happened, Learner};
use crate::xr::rig::{Hand, HandInput, HandKind, Head, Side};

const FRAME: Duration = Duration::from_nanos(22_222_222);
const REST: Vec3 = Vec3::new(0.3, 1.1, -0.15);
const HERE: Vec3 = Vec3::new(-0.3, 0.776, -0.5);
const BELL: Vec3 = Vec3::new(0.44, 0.757, -0.56);
const THERE: Vec3 = Vec3::new(0.15, 0.776, -0.33);

/// One step that is never done, so that nothing but hands tells how it goes.
fn lesson() -> Loaded {
    let loaded = lesson::load("first-steps").unwrap();
    let mut lesson: Lesson = (*loaded.lesson).clone();
    let step = StepId::new("press-bell");
    lesson.steps.retain(|it| it.id == step);
    lesson.steps[0].hints.clear();
    lesson.steps[0].time_limit = None;
    lesson.flow = Flow::Step(step);
    Loaded {
        lesson: Arc::new(lesson),
        ..loaded
    }
}

struct Room {
    app: App,
    learner: Entity,
    read: MessageCursor<Folded>,
    log: Vec<Event>,
    /// Where the cube lies.
    cube: Vec3,
    yaw: f32,
}

impl Room {
    fn new(policy: ConsentPolicy) -> Self {
        let lesson = lesson();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TransformPlugin));
        play::add_rooms(&mut app, &lesson, View::Headless);
        app.insert_resource(TimeUpdateStrategy::ManualDuration(FRAME))
            .insert_resource(Agreements(policy));
        let joining = Joining::newcomer();
        let learner = joining.enter(app.world_mut(), &lesson.lesson, &lesson.digest, false);
        let mut room = Self {
            app,
            learner,
            read: MessageCursor::default(),
            log: Vec::new(),
            cube: HERE,
            yaw: 0.0,
        };
        room.frames(5);
        room.hand(|input, at| {
            input.tracked = true;
            at.translation = REST;
        });
        room.frames(5);
        room
    }

    fn frames(&mut self, frames: u32) {
        for _ in 0..frames {
            self.app.update();
            let folded = self.app.world().resource::<Messages<Folded>>();
            self.log
                .extend(self.read.read(folded).map(|it| it.event.clone()));
        }
    }

    fn hand(&mut self, change: impl FnOnce(&mut HandInput, &mut Transform)) {
        let world = self.app.world_mut();
        let mut hands = world.query::<(&Hand, &mut HandInput, &mut Transform, &mut HandKind)>();
        let found = hands
            .iter_mut(world)
            .find(|(hand, ..)| hand.0 == Side::Right);
        let (_, mut input, mut at, mut kind) = found.unwrap();
        *kind = HandKind::None;
        change(&mut input, &mut at);
    }

    /// As smoothly as can be, in so many frames.
    fn reach(&mut self, to: Vec3, frames: u32) {
        let mut from = Vec3::ZERO;
        self.hand(|_, at| from = at.translation);
        for frame in 1..=frames {
            let t = frame as f32 / frames as f32;
            let share = t.powi(3) * (10.0 - 15.0 * t + 6.0 * t * t);
            self.hand(|_, at| at.translation = from.lerp(to, share));
            self.frames(1);
        }
    }

    fn squeeze(&mut self, how: f32) {
        self.hand(|input, _| input.squeeze = how);
        self.frames(2);
    }

    /// So far aside from what the step is about, radians.
    fn turn_head(&mut self, to: f32) {
        let from = std::mem::replace(&mut self.yaw, to);
        for share in [0.25, 0.5, 0.75, 1.0] {
            let world = self.app.world_mut();
            let mut heads = world.query_filtered::<&mut Transform, With<Head>>();
            let mut head = heads.single_mut(world).unwrap();
            let at_it = Transform::from_xyz(0.0, 1.6, 0.0).looking_at(BELL, Vec3::Y);
            let aside = Quat::from_rotation_y(from + share * (to - from));
            *head = at_it.with_rotation(aside * at_it.rotation);
            self.frames(3);
        }
    }

    /// Takes the cube to its other place and the hand back to rest: some four seconds.
    fn carry(&mut self, strained: bool) {
        let (from, to) = match self.cube == HERE {
            true => (HERE, THERE),
            false => (THERE, HERE),
        };
        let [above, over] = [from, to].map(|it| it + Vec3::Y * 0.02);
        if strained {
            self.reach(above + Vec3::new(0.1, 0.35, 0.1), 20);
            self.reach(above + Vec3::new(-0.2, 0.15, 0.1), 20);
        }
        self.reach(above, 36);
        if strained {
            // Lingers at it.
            self.frames(100);
        }
        self.squeeze(1.0);
        if strained {
            self.reach(from.midpoint(to) + Vec3::new(0.3, 0.45, 0.1), 30);
        }
        self.reach(from.midpoint(to) + Vec3::Y * 0.1, 20);
        self.turn_head(0.0);
        self.reach(over, 20);
        self.squeeze(0.0);
        self.reach(over + Vec3::Y * 0.15, 10);
        self.turn_head(0.8);
        self.reach(REST, 36);
        self.frames(30);
        self.cube = to;
    }

    fn says(&mut self, body: EventBody) {
        let learner = self.learner;
        self.app
            .world_mut()
            .write_message(Happened { learner, body });
        self.frames(2);
    }

    fn state(&self) -> &LearnerState {
        self.app.world().get::<LearnerState>(self.learner).unwrap()
    }

    fn load(&self) -> Load {
        self.state().models.latest().unwrap().load
    }

    fn windows(&self) -> Vec<LoadWindow> {
        let windows = self.log.iter().filter_map(|event| match &event.body {
            EventBody::Observed { moment } => Some(moment.window.unwrap_or_default()),
            _ => None,
        });
        windows.collect()
    }
}

fn says(load: &Load, sign: Sign) -> Option<f64> {
    let found = load.contributions.iter().find(|it| it.sign == sign);
    found.and_then(|it| it.says)
}

const SEEN: [Sign; 4] = [
    Sign::Hesitation,
    Sign::Path,
    Sign::Interval,
    Sign::IntervalSpread,
];
const MOTION: [Sign; 4] = [
    Sign::Jerk,
    Sign::HeadMotion,
    Sign::HeadEntropy,
    Sign::HeadReturns,
];

#[test]
fn who_hesitates_and_detours_is_more_loaded_than_before_and_who_goes_on_calmly_is_not() {
    let mut room = Room::new(ConsentPolicy::default());
    (0..3).for_each(|_| room.carry(false));
    // There is no baseline yet: nothing is said, and nothing is guessed.
    assert_eq!(room.load().level, None, "{:?}", room.load());
    (0..11).for_each(|_| room.carry(false));
    let calm = room.load();
    for sign in SEEN {
        assert!(says(&calm, sign).is_some_and(|it| it < 0.2), "{calm:#?}");
    }
    // Half a minute of hands that go as before, then as long of hands that do not.
    (0..6).for_each(|_| room.carry(false));
    let still = room.load();
    assert!(
        still.level.unwrap() < calm.level.unwrap() + 0.1,
        "{still:?}"
    );
    assert_ne!(still.class, LoadClass::High);
    (0..4).for_each(|_| room.carry(true));
    let strained = room.load();
    for sign in [Sign::Hesitation, Sign::Path] {
        assert!(
            says(&strained, sign).is_some_and(|it| it > 0.5),
            "{strained:#?}"
        );
    }
    assert!(strained.level.unwrap() > still.level.unwrap() + 0.3);
    // In the log are figures, and nothing of how hands and head moved.
    let windows = room.windows();
    assert!(
        windows
            .iter()
            .any(|window| window.hesitation.is_some_and(|it| it > 2.0))
    );
    assert!(windows.iter().all(|window| window.motion.is_none()));
    for sign in MOTION {
        assert_eq!(says(&strained, sign), None);
    }
    // The log says it all: folded again it is the same to the bit, and so is any part of it folded after a stored state.
    let again = LearnerState::of(&room.log).unwrap();
    assert_eq!(again.models, room.state().models);
    let (head, tail) = room.log.split_at(room.log.len() / 2);
    let stored = serde_json::to_string(&LearnerState::of(head).unwrap()).unwrap();
    let mut resumed: LearnerState = serde_json::from_str(&stored).unwrap();
    tail.iter().for_each(|event| resumed.fold(event).unwrap());
    assert_eq!(resumed.models, again.models);
    // What the learner says of it counts, and moves what the signs mean for them.
    room.says(EventBody::Told {
        by: Principal::Learner,
        about: Told::Effort,
        value: 0.0,
    });
    room.frames(240);
    assert!(room.load().level.unwrap() < strained.level.unwrap() - 0.1);
    // What leaves is what the learner said, and nothing of their hands.
    let learner = room.app.world().get::<Learner>(room.learner).unwrap();
    let shown = snapshot(learner, room.state(), AcknowledgedSeq(0), None, None);
    let told = shown.latest.unwrap().load;
    assert_eq!(told.level, Some(0.0), "{told:?}");
    assert!(SEEN.iter().all(|sign| says(&told, *sign).is_none()));
}

#[test]
fn where_no_hand_was_seen_nothing_is_said_of_it() {
    let mut room = Room::new(ConsentPolicy::default());
    room.hand(|input, _| input.tracked = false);
    room.frames(1000);
    let windows = room.windows();
    assert!(windows.len() >= 4);
    assert!(windows.iter().all(LoadWindow::is_empty), "{windows:?}");
    assert_eq!(room.load().level, None);
}

fn consent() -> EventBody {
    EventBody::ConsentGiven(Consent {
        scopes: [ConsentScope::KinematicLoad].into(),
        text_version: "1".to_owned(),
        actor: ConsentActor::Guardian,
        evidence: ConsentEvidence {
            method: ConsentMethod::InPerson,
            reference: None,
        },
        until_unix_ms: None,
    })
}

fn moves(room: &Room) -> bool {
    let windows = room.windows();
    windows.iter().any(|window| window.motion.is_some())
}

#[test]
fn how_hands_and_head_move_is_looked_at_only_where_the_region_and_a_consent_allow_it() {
    let allowing = || ConsentPolicy {
        kinematic_load: true,
        ..ConsentPolicy::default()
    };
    // A consent where the region does not allow it, and the other way round.
    let mut room = Room::new(ConsentPolicy::default());
    room.says(consent());
    (0..3).for_each(|_| room.carry(false));
    assert!(!moves(&room) && room.windows().iter().any(|it| it.path.is_some()));
    let mut room = Room::new(allowing());
    (0..3).for_each(|_| room.carry(false));
    assert!(!moves(&room));
    // Both.
    room.says(consent());
    (0..9).for_each(|_| room.carry(false));
    let motion = |window: &LoadWindow| window.motion.unwrap_or_default();
    let seen: Vec<_> = room.windows().iter().map(motion).collect();
    assert!(
        seen.iter()
            .any(|it| it.jerk.is_some_and(|jerk| jerk < -3.0)),
        "{seen:?}"
    );
    assert!(
        seen.iter()
            .any(|it| it.head_turning.is_some_and(|it| it > 0.0))
    );
    assert!(
        seen.iter()
            .any(|it| it.head_entropy.is_some_and(|it| it > 0.0))
    );
    assert!(
        seen.iter()
            .any(|it| it.head_returns.is_some_and(|it| it > 0.0)),
        "{seen:?}"
    );
    for sign in MOTION {
        assert!(says(&room.load(), sign).is_some(), "{sign:?}");
    }
    // And taken back: from the stretch on in which that was said.
    let before = room.windows().len();
    room.says(EventBody::ConsentWithdrawn(Withdrawal {
        scopes: [ConsentScope::KinematicLoad].into(),
        actor: ConsentActor::Guardian,
    }));
    (0..3).for_each(|_| room.carry(false));
    assert!(
        room.windows()[before..]
            .iter()
            .all(|it| it.motion.is_none())
    );
    for sign in MOTION {
        assert_eq!(says(&room.load(), sign), None);
    }
    // Nothing of either is in a sample.
    let sent = room.app.world().resource::<Messages<Streamed>>();
    assert!(MessageCursor::<Streamed>::default().read(sent).all(|it| {
        let text = serde_json::to_string(&it.sample.fields).unwrap();
        !text.contains("hesitation") && !text.contains("detour")
    }));
}
