//! Looks at the world, asked for by calls and answered within a frame: what is in a learner's scene, how the class gets
//! on, which lesson runs. Nothing of it costs anything while nobody asks, but for the time that a step has taken.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::oneshot;

use super::figures::{Answered, Figures, FrameFigures, Frames, Spread};
use super::person::{self, Agreed, Risk};
use crate::adaptation::{Foresight, Outlook, Strategies};
use crate::bridge::Bridge;
use crate::bridge::gate::Gate;
use crate::bridge::machine::{Ask, Asked, Groups};
use crate::bridge::pictures::{PictureWish, Pictures};
use crate::lesson::{ActiveLesson, Loaded, Shelf};
use crate::protocol::ids::{LearnerId, LessonId, StepId};
use crate::protocol::scene::SceneView;
use crate::protocol::teaching::Preferences;
use crate::session::standing::{Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::stream::histogram::Histogram;
use crate::session::stream::systems::StreamTiming;
use crate::session::{Learner, Outbox, SceneAsked, SceneDescribed};

/// Looks answered in a frame; the rest waits for the next.
const PER_FRAME: usize = 16;
/// Times kept of a step: enough for any class, and the oldest say least of how it is now.
const KEPT: usize = 512;
/// A gap longer than this between two frames is a process that slept, not a learner who thought.
const LONGEST_FRAME: Duration = Duration::from_secs(1);

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
    /// How a learner likes it.
    Preferences(LearnerId, oneshot::Sender<Result<Preferences, String>>),
    Groups(oneshot::Sender<Groups>),
    Lessons(oneshot::Sender<Vec<LessonId>>),
    Figures(oneshot::Sender<Figures>),
    /// Something is asked of the machine itself.
    Machine(Box<Ask>),
    Picture(PictureWish),
}

/// How long a learner has been on the running step, and how long others took for it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::bridge) struct OnStep {
    /// Who.
    pub learner: LearnerId,
    /// The step.
    pub step: StepId,
    /// Seconds on it so far, pauses left out.
    pub seconds: f64,
    /// How many others have been or are on it.
    pub others: usize,
    /// Their mean, seconds; left out with fewer than three others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Their standard deviation, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
    /// By how many standard deviations this learner has been on it longer than the mean; left out where that cannot be
    /// told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
}

/// Time on steps: of those at them, and of those who are through.
#[derive(Resource, Debug, Default)]
pub(in crate::bridge) struct ClassTime {
    now: HashMap<LearnerId, (StepId, Duration)>,
    done: BTreeMap<StepId, VecDeque<(LearnerId, f64)>>,
}

impl ClassTime {
    fn pass(&mut self, learner: LearnerId, step: Option<&StepId>, counts: bool, dt: Duration) {
        let same = |(running, _): &(StepId, Duration)| step == Some(running);
        if self.now.get(&learner).is_none_or(|now| !same(now)) {
            if let Some((left, time)) = self.now.remove(&learner) {
                let times = self.done.entry(left).or_default();
                times.push_back((learner, time.as_secs_f64()));
                if times.len() > KEPT {
                    times.pop_front();
                }
            }
            if let Some(step) = step {
                self.now.insert(learner, (step.clone(), Duration::ZERO));
            }
        }
        if let Some((_, time)) = self.now.get_mut(&learner)
            && counts
        {
            *time += dt.min(LONGEST_FRAME);
        }
    }

    /// Everybody at a step, with how the others did. The learner's own time is not among those it is compared with:
    /// in a small class one straggler would move mean and deviation so far that nobody ever stood out.
    fn all(&self) -> Vec<OnStep> {
        let mut all: Vec<OnStep> = self
            .now
            .iter()
            .map(|(learner, (step, time))| {
                let done = self.done.get(step).into_iter().flatten();
                let through = done
                    .filter(|(who, _)| who != learner)
                    .map(|(_, time)| *time);
                let beside = self
                    .now
                    .iter()
                    .filter(|(who, (other, _))| *who != learner && other == step)
                    .map(|(_, (_, time))| time.as_secs_f64());
                on_step(
                    *learner,
                    step,
                    time.as_secs_f64(),
                    &through.chain(beside).collect::<Vec<_>>(),
                )
            })
            .collect();
        all.sort_by_key(|it| it.learner);
        all
    }
}

fn on_step(learner: LearnerId, step: &StepId, seconds: f64, others: &[f64]) -> OnStep {
    /// Below three values a deviation says nothing.
    const LEAST: usize = 3;
    /// A deviation below this is no measure of people: half a second.
    const FINEST: f64 = 0.5;
    let n = others.len();
    let known = n >= LEAST;
    let count = f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let mean = others.iter().sum::<f64>() / count.max(1.0);
    let squares: f64 = others.iter().map(|time| (time - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
    OnStep {
        learner,
        step: step.clone(),
        seconds,
        others: n,
        mean: known.then_some(mean),
        deviation: known.then_some(deviation),
        above: known.then(|| (seconds - mean) / deviation.max(FINEST)),
    }
}

pub(in crate::bridge) fn keep_time(
    time: Res<Time<Real>>,
    mut class: ResMut<ClassTime>,
    learners: Query<(&Learner, &LearnerState)>,
    mut gone: RemovedComponents<Learner>,
) {
    if gone.read().count() > 0 {
        class
            .now
            .retain(|id, _| learners.iter().any(|(learner, _)| learner.id == *id));
    }
    for (learner, state) in &learners {
        let step = state.step.as_ref().filter(|_| !state.ended);
        class.pass(learner.id, step, state.paused_by.is_empty(), time.delta());
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_straggler_stands_out_even_in_a_small_class() {
        let mut class = ClassTime::default();
        let step = StepId::new("place-cube");
        let learners: Vec<LearnerId> = (0..5).map(|_| LearnerId::fresh()).collect();
        for second in 0..60 {
            for (at, learner) in learners.iter().enumerate() {
                // The others are through after 10 to 13 s; the last one stays.
                let stays = at == 4 || second < 10 + at;
                class.pass(
                    *learner,
                    stays.then_some(&step),
                    true,
                    Duration::from_secs(1),
                );
            }
        }
        let all = class.all();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].learner, learners[4]);
        assert_eq!(all[0].others, 4);
        assert!(all[0].above.unwrap() > 2.0, "{all:?}");
    }

    #[test]
    fn a_paused_lesson_takes_no_time_and_two_others_say_nothing() {
        let mut class = ClassTime::default();
        let step = StepId::new("a");
        let learners: Vec<LearnerId> = (0..3).map(|_| LearnerId::fresh()).collect();
        for (at, learner) in learners.iter().enumerate() {
            class.pass(*learner, Some(&step), true, Duration::from_secs(1));
            class.pass(*learner, Some(&step), at != 0, Duration::from_secs(1));
        }
        let all = class.all();
        let of = |id: LearnerId| all.iter().find(|it| it.learner == id).unwrap();
        assert!((of(learners[0]).seconds - 1.0).abs() < 1e-9);
        assert!((of(learners[1]).seconds - 2.0).abs() < 1e-9);
        assert!(all.iter().all(|it| it.above.is_none() && it.others == 2));
    }
}
