//! What can be seen of a learner between attempts: gathered over some five seconds of the running lesson, then one event.
//!
//! In: hands and things in the room, the running step, what was done. Out: [`EventBody::Observed`]. Never: a pose in the
//! log, or where the head points unless [`HeadSigns`] allows it; while the lesson pauses nothing is gathered.

use std::collections::BTreeMap;
use std::time::Duration;

use bevy::prelude::*;

use super::effort::Effort;
use super::scene::Stage;
use crate::interaction::things::HeldBy;
use crate::interaction::{Circumstances, InputMode, Interacted, Interaction, Person};
use crate::learning::comfort::Exposure;
use crate::learning::engagement::{Stretch, head_on_task, path_efficiency};
use crate::learning::five::observation::Moment;
use crate::learning::quality::Quality;
use crate::lesson::ActiveLesson;
use crate::lesson::format::{Action, Lesson, Step};
use crate::protocol::event::EventBody;
use crate::protocol::ids::ObjectId;
use crate::session::clock::LONGEST_FRAME;
use crate::session::state::LearnerState;
use crate::session::{Happened, Learner};

/// How long a stretch is: the sources' interval.
const STRETCH: Duration = Duration::from_secs(5);
/// A hand this near a thing that the step is about is on the task, metres: within arm's bend. Arbitrary.
const NEAR: f32 = 0.35;
/// A hand that comes nearer faster than this is on its way, metres per second: more than a resting hand sways. Arbitrary.
const APPROACH: f32 = 0.1;
/// The head points at the task within this angle, radians (see [`head_on_task`]).
const CONE: f64 = 0.26;
/// A path shorter than this says nothing about the hand, metres: what tracking makes of a hand that is kept still.
const NOISE: f64 = 0.02;
/// Mastery of a prerequisite below which it counts as a gap: the sources' gate.
const GATE: f64 = 0.7;

/// Whether the direction of the head may be used as a sign of engagement. Off unless the law and the school allow it.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeadSigns(pub bool);

/// What was gathered since the last event.
#[derive(Component, Debug, Default)]
pub(super) struct Gathering {
    passed: Duration,
    known: f64,
    on_task: f64,
    head_known: f64,
    head_on_task: f64,
    trust: f64,
    straight: f64,
    path: f64,
    carried: Option<Carried>,
    since_action: Option<f64>,
    between_actions: Option<f64>,
    nearest: Option<f32>,
    /// Angle turned in steps, radians.
    snapped: f64,
    /// Seconds' worth of frames that were missed.
    missed: f64,
}

#[derive(Debug)]
struct Carried {
    thing: Entity,
    from: Vec3,
    last: Vec3,
    path: f64,
}

/// One frame of it.
#[derive(Debug, Default, Clone, Copy)]
struct Frame {
    dt: f64,
    /// Distance of the nearer hand to what the step is about; `None`: the step is not about hands, or none is seen.
    distance: Option<f32>,
    /// Something that the step is about is in a hand.
    holds: bool,
    /// Angle between head and what the step is about, where it may be used.
    angle: Option<f64>,
    quality: Quality,
}

impl Gathering {
    fn frame(&mut self, now: &Frame) {
        if let Some(distance) = now.distance {
            let nearer = self
                .nearest
                .is_some_and(|before| f64::from(before - distance) > f64::from(APPROACH) * now.dt);
            self.known += now.dt;
            if now.holds || distance <= NEAR || nearer {
                self.on_task += now.dt;
            }
        }
        self.nearest = now.distance;
        if let Some(angle) = now.angle {
            self.head_known += now.dt;
            if head_on_task(angle, CONE) {
                self.head_on_task += now.dt;
            }
        }
        self.trust += now.dt * now.quality.trust();
        self.missed += now.dt * (1.0 - now.quality.frame_health);
        self.since_action = self.since_action.map(|since| since + now.dt);
    }

    fn acted(&mut self) {
        if let Some(since) = self.since_action {
            self.between_actions = Some(since);
        }
        self.since_action = Some(0.0);
    }

    fn carry(&mut self, held: Option<(Entity, Vec3)>) {
        match (&mut self.carried, held) {
            (Some(carried), Some((thing, at))) if carried.thing == thing => {
                carried.path += f64::from(at.distance(carried.last));
                carried.last = at;
            }
            (carried, held) => {
                if let Some(done) = carried.take() {
                    self.straight += f64::from(done.from.distance(done.last));
                    self.path += done.path;
                }
                *carried = held.map(|(thing, at)| Carried {
                    thing,
                    from: at,
                    last: at,
                    path: 0.0,
                });
            }
        }
    }

    /// What the headset did to the wearer's balance. Nothing moves the picture but steps: nobody is walked, and who
    /// teleports feels no speed.
    fn exposure(&self) -> Exposure {
        let seconds = self.passed.as_secs_f64();
        Exposure {
            dt: self.passed,
            snapped: self.snapped,
            missed: if seconds > 0.0 {
                (self.missed / seconds).clamp(0.0, 1.0)
            } else {
                0.0
            },
            ..Exposure::default()
        }
    }

    /// What was gathered; the next stretch begins.
    fn take(&mut self) -> (Duration, Stretch) {
        let seconds = self.passed.as_secs_f64();
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0));
        let stretch = Stretch {
            seconds,
            // Half of it seen is enough to speak of all of it.
            on_task: share(self.on_task, self.known).filter(|_| 2.0 * self.known >= seconds),
            head_on_task: share(self.head_on_task, self.head_known)
                .filter(|_| 2.0 * self.head_known >= seconds),
            path_efficiency: path_efficiency(self.straight, self.path, NOISE),
            between_actions: self.between_actions,
            quality: Quality {
                frame_health: share(self.trust, seconds).unwrap_or(1.0),
                tracking: 1.0,
            },
        };
        let passed = self.passed;
        *self = Self {
            carried: self.carried.take(),
            since_action: self.since_action,
            nearest: self.nearest,
            ..Self::default()
        };
        (passed, stretch)
    }
}

/// What a step is about, as far as hands can be near it.
pub(super) fn objects(step: &Step) -> impl Iterator<Item = &ObjectId> {
    let (first, second) = match &step.action {
        Action::Touch { object } | Action::Grab { object } | Action::Press { object } => {
            (Some(object), None)
        }
        Action::Place { object, .. } => (Some(object), None),
        Action::Throw { object, at, .. } => (Some(object), at.as_ref()),
        Action::LookAt { .. }
        | Action::Teleport { .. }
        | Action::Answer { .. }
        | Action::Rate { .. } => (None, None),
    };
    first.into_iter().chain(second)
}

/// The step that runs; `None`: none, or the lesson pauses.
pub(super) fn running<'a>(lesson: &'a ActiveLesson, state: &LearnerState) -> Option<&'a Step> {
    let step = state.step.as_ref().and_then(|step| lesson.step(step));
    step.filter(|_| !state.ended && state.paused_by.is_empty())
}

pub(super) fn gather(
    time: Res<Time<Real>>,
    lesson: Option<Res<ActiveLesson>>,
    stage: Option<Res<Stage>>,
    head_signs: Res<HeadSigns>,
    mode: Option<Res<InputMode>>,
    circumstances: Option<Res<Circumstances>>,
    person: Person,
    held: Query<(Entity, &GlobalTransform), With<HeldBy>>,
    things: Query<&GlobalTransform>,
    mut interacted: MessageReader<Interacted>,
    mut learners: Query<(Entity, &LearnerState, &mut Gathering, &mut Effort), With<Learner>>,
    mut happened: MessageWriter<Happened>,
) {
    let (mut acted, mut snapped) = (false, 0.0);
    for it in interacted.read() {
        match it.what {
            Interaction::LookedAt { .. } => {}
            Interaction::Turned { angle } => snapped += f64::from(angle.abs()),
            _ => acted = true,
        }
    }
    let (Some(lesson), Some(stage)) = (lesson, stage) else {
        return;
    };
    // Hands belong to the one learner who wears this headset.
    let Some((learner, state, mut gathering, mut effort)) = learners.iter_mut().next() else {
        return;
    };
    let Some(step) = running(&lesson, state) else {
        return;
    };
    let dt = time.delta().min(LONGEST_FRAME);
    gathering.passed += dt;
    if acted {
        gathering.acted();
    }
    gathering.snapped += snapped;
    gathering.carry(
        held.iter()
            .next()
            .map(|(thing, at)| (thing, at.translation())),
    );
    let targets = || objects(step).filter_map(|object| stage.objects.get(object).copied());
    let places = || targets().filter_map(|target| things.get(target).ok());
    let nearest = |from: Vec3| {
        places()
            .map(|at| at.translation().distance(from))
            .min_by(f32::total_cmp)
    };
    let head = person.head().filter(|_| head_signs.0);
    let angle = |head: Transform| {
        let towards = |at: &GlobalTransform| {
            let way = at.translation() - head.translation;
            f64::from(head.forward().angle_between(way))
        };
        places().map(towards).min_by(f64::total_cmp)
    };
    gathering.frame(&Frame {
        dt: dt.as_secs_f64(),
        distance: person
            .hands()
            .filter_map(|hand| nearest(hand.grip.translation))
            .min_by(f32::total_cmp),
        holds: targets().any(|target| held.contains(target)),
        angle: head.and_then(angle),
        quality: circumstances.map_or(Quality::PERFECT, |now| Quality {
            frame_health: now.frame_health,
            tracking: now.tracking,
        }),
    });
    if gathering.passed < STRETCH {
        return;
    }
    let ready = person.head().is_some() && person.hands().next().is_some();
    let exposure = mode
        .is_some_and(|mode| *mode == InputMode::Xr)
        .then(|| gathering.exposure());
    let (dt, stretch) = gathering.take();
    let moment = Moment {
        exposure,
        dt,
        stretch: Some(stretch),
        window: effort.take(),
        prerequisite_gaps: gaps(&lesson.lesson, step, state),
        ready,
        break_wanted: state.adapted.resting,
        comfort_put_aside: state.adapted.comfort_put_aside,
        ..Moment::default()
    };
    happened.write(Happened {
        learner,
        body: EventBody::Observed {
            moment: Box::new(moment),
        },
    });
}

/// Share of the step's prerequisites that are not surely mastered; `None`: it has none.
fn gaps(lesson: &Lesson, step: &Step, state: &LearnerState) -> Option<f64> {
    let needed: BTreeMap<_, _> = lesson
        .skills
        .iter()
        .filter(|skill| step.evidence_for.contains(&skill.id))
        .flat_map(|skill| &skill.requires)
        .map(|id| {
            let known = state.models.skill(&lesson.id, id);
            (id, known.map_or(0.0, |skill| skill.known.lower))
        })
        .collect();
    let missing = needed.values().filter(|known| **known < GATE).count();
    (!needed.is_empty()).then(|| missing as f64 / needed.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(gathering: &mut Gathering, frames: u32, now: Frame) {
        for _ in 0..frames {
            gathering.passed += Duration::from_secs_f64(now.dt);
            gathering.frame(&now);
        }
    }

    fn near(distance: f32) -> Frame {
        Frame {
            dt: 0.1,
            distance: Some(distance),
            ..Frame::default()
        }
    }

    #[test]
    fn hands_near_the_task_are_on_it_and_hands_elsewhere_are_not() {
        let mut gathering = Gathering::default();
        pass(&mut gathering, 30, near(0.2));
        pass(&mut gathering, 20, near(1.0));
        let (dt, stretch) = gathering.take();
        assert_eq!(dt.as_millis(), 5000);
        assert!((stretch.on_task.unwrap() - 0.6).abs() < 1e-9);
        assert_eq!(stretch.head_on_task, None);
    }

    #[test]
    fn who_reaches_for_it_is_on_the_task() {
        let mut gathering = Gathering::default();
        for step in 0..10_u8 {
            pass(&mut gathering, 1, near(2.0 - 0.1 * f32::from(step)));
        }
        let (_, stretch) = gathering.take();
        assert!((stretch.on_task.unwrap() - 0.9).abs() < 1e-9, "{stretch:?}");
    }

    #[test]
    fn hands_out_of_sight_say_nothing() {
        let mut gathering = Gathering::default();
        pass(&mut gathering, 10, near(0.2));
        let unseen = Frame {
            dt: 0.1,
            ..Frame::default()
        };
        pass(&mut gathering, 40, unseen);
        assert_eq!(gathering.take().1.on_task, None);
    }

    #[test]
    fn the_way_of_a_carried_thing_is_compared_with_the_straight_one() {
        let mut gathering = Gathering::default();
        let thing = Entity::PLACEHOLDER;
        for at in [Vec3::ZERO, Vec3::X, Vec3::new(1.0, 1.0, 0.0)] {
            gathering.carry(Some((thing, at)));
        }
        gathering.carry(None);
        pass(&mut gathering, 50, near(0.1));
        let efficiency = gathering.take().1.path_efficiency.unwrap();
        assert!((efficiency - 2.0_f64.sqrt() / 2.0).abs() < 1e-6);
        pass(&mut gathering, 50, near(0.1));
        assert_eq!(gathering.take().1.path_efficiency, None);
    }

    #[test]
    fn time_between_actions_runs_across_stretches() {
        let mut gathering = Gathering::default();
        gathering.acted();
        pass(&mut gathering, 50, near(0.1));
        assert_eq!(gathering.take().1.between_actions, None);
        pass(&mut gathering, 20, near(0.1));
        gathering.acted();
        let between = gathering.take().1.between_actions.unwrap();
        assert!((between - 7.0).abs() < 1e-9, "{between}");
    }
}
