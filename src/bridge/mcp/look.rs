//! Looks at the world, asked for by calls and answered within a frame: what is in a learner's scene, how the class gets
//! on, which lesson runs. Nothing of it costs anything while nobody asks, but for the time that a step has taken.

use std::collections::VecDeque;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use tokio::sync::oneshot;

use super::class_time::{ClassTime, OnStep};
use super::figures::{Answered, Figures, FrameFigures, Frames, Spread};
use super::path::{self, Suggested};
use super::person::{self, Agreed, Risk};
use crate::adaptation::{Foresight, Outlook, Strategies};
use crate::bridge::Bridge;
use crate::bridge::gate::Gate;
use crate::bridge::machine::{Ask, Asked, Groups};
use crate::bridge::pictures::{PictureWish, Pictures};
use crate::learning::skill::SkillId;
use crate::lesson::{ActiveLesson, Loaded, Shelf};
use crate::protocol::ids::{LearnerId, LessonId};
use crate::protocol::scene::SceneView;
use crate::protocol::teaching::Preferences;
use crate::session::standing::{Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::stream::histogram::Histogram;
use crate::session::stream::systems::StreamTiming;
use crate::session::{Learner, Outbox, SceneAsked, SceneDescribed};

/// Looks answered in a frame; the rest waits for the next.
const PER_FRAME: usize = 16;
/// A scene, or why it is not shown.
pub(in crate::bridge) type SceneAnswer = Result<Box<SceneView>, String>;

/// A question to the world.
pub(in crate::bridge) enum Look {
    Scene(LearnerId, oneshot::Sender<SceneAnswer>),
    Class(oneshot::Sender<Vec<OnStep>>),
    Lesson(oneshot::Sender<Option<Loaded>>),
    Policy(oneshot::Sender<Strategies>),
    /// What was agreed to for a learner, who may be one of whom nothing else leaves.
    Agreed(LearnerId, oneshot::Sender<Result<Agreed, String>>),
    /// How likely a learner is to stall, to leave, to feel sick.
    Risk(LearnerId, oneshot::Sender<Result<Risk, String>>),
    /// Which skill a learner could take next, and the way to this one.
    Path(
        LearnerId,
        Option<SkillId>,
        oneshot::Sender<Result<Suggested, String>>,
    ),
    /// How a learner likes it.
    Preferences(LearnerId, oneshot::Sender<Result<Preferences, String>>),
    Groups(oneshot::Sender<Groups>),
    Lessons(oneshot::Sender<Vec<LessonId>>),
    Figures(oneshot::Sender<Figures>),
    /// Something is asked of the machine itself.
    Machine(Box<Ask>),
    Picture(PictureWish),
}

/// Scenes asked for, until `task` has described them.
#[derive(Resource, Default)]
pub(in crate::bridge) struct ScenesAsked {
    last: u64,
    waiting: VecDeque<(u64, oneshot::Sender<SceneAnswer>)>,
}

/// What is looked at.
#[derive(SystemParam)]
pub(in crate::bridge) struct World<'w, 's> {
    bridge: Res<'w, Bridge>,
    class: Res<'w, ClassTime>,
    lesson: Option<Res<'w, ActiveLesson>>,
    shelf: Option<Res<'w, Shelf>>,
    strategies: Option<Res<'w, Strategies>>,
    foresight: Option<Res<'w, Foresight>>,
    agreements: Res<'w, Agreements>,
    groups: Res<'w, Groups>,
    frames: Res<'w, Frames>,
    answered: Res<'w, Answered>,
    timing: Option<Res<'w, StreamTiming>>,
    learners: Query<
        'w,
        's,
        (
            &'static Learner,
            &'static Gate,
            &'static LearnerState,
            &'static Age,
            Option<&'static Outlook>,
            &'static Outbox,
        ),
    >,
}

type Person<'a> = (
    &'a Learner,
    &'a Gate,
    &'a LearnerState,
    &'a Age,
    Option<&'a Outlook>,
    &'a Outbox,
);

impl World<'_, '_> {
    fn person(&self, id: LearnerId) -> Result<Person<'_>, String> {
        let found = self.learners.iter().find(|it| it.0.id == id);
        found.ok_or_else(|| {
            format!("no learner {id} is here; class.list_learners names those who are")
        })
    }

    /// The same, where what is told of them may leave.
    fn shown(&self, id: LearnerId) -> Result<Person<'_>, String> {
        let person = self.person(id)?;
        match &person.1.shut {
            None => Ok(person),
            Some(why) => Err(why.clone()),
        }
    }

    fn path(&self, id: LearnerId, goal: Option<&SkillId>) -> Result<Suggested, String> {
        let state = self.shown(id)?.2;
        let lesson = state
            .lesson
            .as_ref()
            .ok_or("this learner is in no lesson")?;
        let running = self.lesson.as_deref().filter(|it| it.lesson.id == *lesson);
        let kept = || self.shelf.as_ref()?.get(lesson);
        let loaded = running.map(|it| &it.0).or_else(kept);
        let loaded = loaded.ok_or_else(|| {
            format!("lesson {lesson} is not on this machine; lesson.load brings it, or ask the headset's own bridge")
        })?;
        path::suggest(id, state, &loaded.lesson, goal)
    }

    fn figures(&self) -> Figures {
        let states = || self.learners.iter().map(|it| it.2);
        let (applied, refused) = Figures::commands(&self.answered);
        Figures {
            learners: states().count(),
            running: states().filter(|it| !it.ended && !it.is_paused()).count(),
            paused: states().filter(|it| !it.ended && it.is_paused()).count(),
            ended: states().filter(|it| it.ended).count(),
            records_waiting: self.learners.iter().map(|it| it.5.waiting()).sum(),
            commands_applied: applied,
            commands_refused: refused,
            commands_waiting: self.bridge.requests.len(),
            looks_waiting: self.bridge.looks.len(),
            stream_waiting: self.bridge.coming.len(),
            draining: self.bridge.counters.is_draining(),
            frames: FrameFigures::of(&self.frames),
            stream_off: Spread::of(
                self.timing
                    .as_ref()
                    .map_or(&Histogram::default(), |timing| &timing.0),
            ),
        }
    }
}

pub(in crate::bridge) fn answer_looks(
    world: World,
    mut machine: ResMut<Asked>,
    mut scenes: ResMut<ScenesAsked>,
    mut pictures: ResMut<Pictures>,
    mut asked: MessageWriter<SceneAsked>,
) {
    // Whoever stopped waiting makes room.
    scenes.waiting.retain(|(_, answer)| !answer.is_closed());
    for look in world.bridge.looks.try_iter().take(PER_FRAME) {
        // Whoever stopped waiting needs no answer.
        match look {
            Look::Scene(id, answer) => {
                let gate = match world.shown(id) {
                    Ok(person) => person.1,
                    Err(why) => {
                        drop(answer.send(Err(why)));
                        continue;
                    }
                };
                if gate.aggregate {
                    let why =
                        "the telemetry level of this learner is aggregate; their scene is not told";
                    drop(answer.send(Err(why.to_owned())));
                    continue;
                }
                scenes.last += 1;
                let ticket = scenes.last;
                scenes.waiting.push_back((ticket, answer));
                asked.write(SceneAsked {
                    learner: id,
                    ticket,
                });
            }
            Look::Class(answer) => {
                let shown = |id| world.shown(id).is_ok();
                let mut all = world.class.all();
                all.retain(|it| shown(it.learner));
                drop(answer.send(all));
            }
            Look::Lesson(answer) => {
                let lesson = world.lesson.as_deref();
                drop(answer.send(lesson.map(|lesson| lesson.0.clone())));
            }
            Look::Policy(answer) => {
                drop(answer.send(world.strategies.as_deref().cloned().unwrap_or_default()));
            }
            Look::Agreed(id, answer) => {
                let seen = world.person(id);
                drop(answer.send(seen.map(|(who, gate, state, age, ..)| {
                    person::agreed(who, state, *age, gate, &world.agreements)
                })));
            }
            Look::Risk(id, answer) => {
                let usual = Foresight::default();
                let foresight = world.foresight.as_deref().unwrap_or(&usual);
                drop(
                    answer.send(world.shown(id).map(|(_, _, state, _, outlook, _)| {
                        person::risk(id, state, outlook, foresight)
                    })),
                );
            }
            Look::Path(id, goal, answer) => {
                drop(answer.send(world.path(id, goal.as_ref())));
            }
            Look::Preferences(id, answer) => {
                drop(answer.send(world.shown(id).map(|it| it.2.preferences)));
            }
            Look::Groups(answer) => drop(answer.send(world.groups.clone())),
            Look::Lessons(answer) => {
                let mut names: Vec<LessonId> = world
                    .shelf
                    .iter()
                    .flat_map(|shelf| shelf.names().cloned())
                    .chain(world.lesson.iter().map(|it| it.lesson.id.clone()))
                    .collect();
                names.sort();
                names.dedup();
                drop(answer.send(names));
            }
            Look::Figures(answer) => drop(answer.send(world.figures())),
            Look::Machine(ask) => machine.waiting.push_back(*ask),
            Look::Picture(wish) => pictures.wishes.push_back(wish),
        }
    }
}

pub(in crate::bridge) fn answer_scenes(
    mut scenes: ResMut<ScenesAsked>,
    mut described: MessageReader<SceneDescribed>,
) {
    for SceneDescribed { ticket, view } in described.read() {
        let at = scenes.waiting.iter().position(|(other, _)| other == ticket);
        if let Some((_, answer)) = at.and_then(|at| scenes.waiting.remove(at)) {
            let elsewhere = || {
                "this learner's scene is in another headset; ask that headset's own bridge"
                    .to_owned()
            };
            drop(answer.send(view.clone().ok_or_else(elsewhere)));
        }
    }
}
