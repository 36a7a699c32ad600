//! A learner without a headset: the whole lesson runs as in `malloc-vr play --join`, and a script does what hands would
//! have done. What it writes is what the desktop's mouse and the headset's hands write: interactions, no attempts.

// Helpers of tests may panic as tests do. Each test program uses what it needs of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use bevy::app::ScheduleRunnerPlugin;
use bevy::prelude::*;
use bevy::transform::TransformPlugin;
use malloc_vr::adaptation::AdaptationPlugin;
use malloc_vr::app::frame::order_the_frame;
use malloc_vr::bridge::join::{JoinConfig, JoinPlugin, LinkState, ToJoin};
use malloc_vr::bridge::{Bridge, BridgePlugin};
use malloc_vr::interaction::{Interacted, Interaction, InteractionSystems, SocketFit};
use malloc_vr::lesson::format::{Action, PanelContent};
use malloc_vr::lesson::placed::{LessonObject, LessonSocket};
use malloc_vr::lesson::{self, ActiveLesson, LessonPlugin};
use malloc_vr::protocol::ids::{LearnerId, ObjectId, SocketId};
use malloc_vr::protocol::privacy::AgeBand;
use malloc_vr::protocol::wire::Learning;
use malloc_vr::record::{Keys, Recorder, Store};
use malloc_vr::session::clock::SessionRules;
use malloc_vr::session::join::Joining;
use malloc_vr::session::life::LifeRules;
use malloc_vr::session::standing::Age;
use malloc_vr::session::state::LearnerState;
use malloc_vr::session::stream::systems::Link;
use malloc_vr::session::{AcknowledgedSeq, Learner, Outbox, PanelAnswered, SessionPlugin};
use malloc_vr::task::TaskPlugin;

/// A learner's runtime.
pub struct Pupil {
    pub app: App,
    pub learner: Entity,
    pub id: LearnerId,
    pub folder: PathBuf,
}

/// How the script behaves: when it acts, and how often it is wrong.
#[derive(Resource)]
pub struct Script {
    /// Frames between two acts; 0: it does nothing.
    pub every: u32,
    /// Wrong tries before the right one, at a step where one can be wrong.
    pub wrong: u32,
    frame: u32,
    tries: u32,
    step: String,
}

impl Script {
    pub fn new(every: u32, wrong: u32) -> Self {
        Self {
            every,
            wrong,
            frame: 0,
            tries: 0,
            step: String::new(),
        }
    }
}

/// The store of a pupil or of a host.
pub fn store(folder: &Path) -> Store {
    let file = folder.join("records.redb");
    Store::open(&file, &Keys::beside(&file).unwrap()).unwrap()
}

impl Pupil {
    /// Whoever was here last in this folder, or somebody new, dialling `host`.
    pub fn at(folder: &Path, host: &str, token: &str, script: Script) -> Self {
        Self::with_door(folder, host, token, script, None)
    }

    /// The same with a door of its own.
    pub fn with_door(
        folder: &Path,
        host: &str,
        token: &str,
        script: Script,
        door: Option<Bridge>,
    ) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let store = store(folder);
        let joining = Joining::latest(&store).unwrap();
        let id = joining.learner;
        let loaded = lesson::load("first-steps").unwrap();
        let mut app = App::new();
        app.add_plugins((
            MinimalPlugins.build().disable::<ScheduleRunnerPlugin>(),
            TransformPlugin,
            LessonPlugin {
                lesson: loaded.clone(),
            },
            TaskPlugin,
            SessionPlugin,
            AdaptationPlugin,
            JoinPlugin,
        ))
        .insert_resource(Recorder::start(store).unwrap())
        .insert_resource(SessionRules(LifeRules::on_the_headset()))
        .insert_resource(script)
        .add_systems(Update, act.in_set(InteractionSystems));
        order_the_frame(&mut app);
        // Before anybody is there: what belongs to a learner is put on those who come.
        if let Some(door) = door {
            app.insert_resource(door).add_plugins(BridgePlugin);
        }
        let learner = joining.enter(app.world_mut(), &loaded.lesson, &loaded.digest, false);
        let who = *app.world().get::<Learner>(learner).unwrap();
        let learning = Learning {
            learner: who.id,
            session: who.session,
            lesson: loaded.lesson.id.clone(),
            age: AgeBand::Adult,
        };
        let mut config = JoinConfig::new(
            host.parse().unwrap(),
            token.to_owned(),
            learning,
            folder.join("hosts.json"),
        );
        config.first_pause = Duration::from_millis(50);
        config.longest_pause = Duration::from_millis(400);
        app.world_mut()
            .entity_mut(learner)
            .insert(Age(AgeBand::Adult));
        app.insert_resource(ToJoin(config));
        app.finish();
        app.cleanup();
        Self {
            app,
            learner,
            id,
            folder: folder.to_owned(),
        }
    }

    pub fn frame(&mut self) {
        self.app.update();
    }

    pub fn state(&self) -> &LearnerState {
        self.app.world().get(self.learner).unwrap()
    }

    pub fn link(&self) -> &LinkState {
        self.app.world().resource()
    }

    /// From now on it acts so often: frames between two acts.
    pub fn act_every(&mut self, frames: u32) {
        self.app.world_mut().resource_mut::<Script>().every = frames;
    }

    /// The lesson is over, it is safely recorded here, and the host has every event.
    pub fn is_through(&self) -> bool {
        let world = self.app.world();
        let state = self.state();
        let acknowledged = world.get::<AcknowledgedSeq>(self.learner).unwrap();
        state.ended
            && acknowledged.0 == state.seq
            && world.get::<Outbox>(self.learner).unwrap().waiting() == 0
            && self.host_has() == state.seq
    }

    /// Events that the host has for good.
    pub fn host_has(&self) -> u64 {
        let link = self.app.world().get::<Link>(self.learner);
        link.map_or(0, |link| link.0.acknowledged().events)
    }
}

/// Does what the running step asks for, now and then wrongly.
fn act(
    lesson: Res<ActiveLesson>,
    mut script: ResMut<Script>,
    learners: Query<&LearnerState>,
    objects: Query<(Entity, &LessonObject)>,
    sockets: Query<(Entity, &LessonSocket)>,
    mut interacted: MessageWriter<Interacted>,
    mut answered: MessageWriter<PanelAnswered>,
) {
    script.frame += 1;
    if !script.frame.is_multiple_of(script.every) {
        return;
    }
    let Some(id) = learners.single().ok().and_then(|state| state.step.clone()) else {
        return;
    };
    let Some(step) = lesson.step(&id) else {
        return;
    };
    if script.step != id.as_str() {
        script.step = id.as_str().to_owned();
        script.tries = 0;
    }
    script.tries += 1;
    let right = script.tries > script.wrong;
    let object = |id: &ObjectId| objects.iter().find(|(_, it)| it.0 == *id).map(|it| it.0);
    let socket = |right: bool, id: &SocketId| {
        let mut all = sockets.iter();
        all.find(|(_, it)| (it.0 == *id) == right).map(|it| it.0)
    };
    let mut did = |what| {
        interacted.write(Interacted { side: None, what });
    };
    match &step.action {
        Action::LookAt { object: it, .. } => {
            // Longer each time: what was seen before the step began does not count.
            let held = script.tries as f32;
            did(Interaction::LookedAt {
                target: object(it).unwrap(),
                held,
            });
        }
        Action::Touch { object: it } => did(Interaction::Touched {
            target: object(it).unwrap(),
        }),
        Action::Grab { object: it } => did(Interaction::Grabbed {
            target: object(it).unwrap(),
        }),
        Action::Place {
            object: it,
            socket: at,
            ..
        } => {
            let target = object(it).unwrap();
            did(Interaction::Grabbed { target });
            let fit = Some(SocketFit {
                socket: socket(right, at).unwrap(),
                accepted: right,
                position_error: 0.004,
                rotation_error: 0.05,
            });
            did(Interaction::Released { target, fit });
        }
        Action::Throw {
            object: it,
            at,
            min_speed,
        } => {
            let target = object(it).unwrap();
            did(Interaction::Grabbed { target });
            did(Interaction::Thrown {
                target,
                speed: min_speed + 1.0,
            });
            let wrong = object(&ObjectId::new("table"));
            let hit = match at {
                Some(at) if right => object(at),
                _ => wrong,
            };
            did(Interaction::Struck {
                target,
                hit: hit.unwrap(),
            });
        }
        Action::Press { object: it } => did(Interaction::Pressed {
            target: object(it).unwrap(),
        }),
        Action::Teleport { to } => did(Interaction::Teleported {
            to: Vec3::ZERO,
            spot: right.then(|| object(to).unwrap()),
        }),
        Action::Answer { panel } => {
            let found = lesson
                .lesson
                .panels
                .iter()
                .find(|it| it.id == *panel)
                .unwrap();
            let PanelContent::Question { correct, .. } = &found.content else {
                panic!("a step asks for an answer on a panel without a question");
            };
            let choice = if right { *correct } else { correct + 1 };
            let panel = panel.clone();
            answered.write(PanelAnswered { panel, choice });
        }
        Action::Rate { panel } => {
            let panel = panel.clone();
            answered.write(PanelAnswered { panel, choice: 3 });
        }
    }
}
