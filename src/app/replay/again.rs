//! A stretch of a log gone through again, in an app without a renderer: the same systems judge and decide, in the same
//! frames to the nanosecond, on what the log says was done.

use std::time::Duration;

use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;

use super::script::{Frame, Origin, Running, Stretch, asked, deed, ns, origin};
use crate::adaptation::{AdaptationPlugin, Strategies};
use crate::app::frame::order_the_frame;
use crate::interaction::Circumstances;
use crate::lesson::{ActiveLesson, Loaded};
use crate::protocol::command::Command;
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::LearnerId;
use crate::session::clock::LONGEST_FRAME;
use crate::session::state::{FoldError, LearnerState};
use crate::session::times::{FrameTimesPlugin, Redoing};
use crate::session::{
    AcknowledgedSeq, CommandRequested, Folded, Happened, Learner, SessionLog, SessionPlugin,
    SessionSystems, Stirred, rebuilds,
};
use crate::task::judge::Deed;
use crate::task::{Redone, TaskPlugin, TaskSystems};

/// One update of the app.
#[derive(Debug, Default)]
struct Step {
    at: Duration,
    /// In which of the stretch's frames with events this is.
    frame: Option<usize>,
    stirred: bool,
    asked: Vec<Command>,
}

/// What came out again.
#[derive(Debug)]
pub(super) struct Again {
    /// For each frame of the stretch what happened in it now, the event that times it included.
    pub frames: Vec<Vec<EventBody>>,
    /// What happened in frames in which nothing had happened: the time of the run, and what.
    pub elsewhere: Vec<(Duration, EventBody)>,
    /// The state in the end.
    pub state: LearnerState,
}

/// What the log gives between judging and folding, in this frame.
#[derive(Resource, Default)]
struct Feed(Vec<EventBody>);

/// Goes through a stretch again.
///
/// # Errors
/// The log before it cannot be followed.
pub(super) fn again(
    stretch: &Stretch,
    learner: LearnerId,
    lesson: &Loaded,
    strategies: &Strategies,
) -> Result<Again, FoldError> {
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins,
        TaskPlugin,
        SessionPlugin,
        FrameTimesPlugin,
        AdaptationPlugin,
    ))
    .insert_resource(strategies.clone())
    .insert_resource(ActiveLesson(lesson.clone()))
    .init_resource::<Redoing>()
    .init_resource::<Feed>()
    .init_resource::<Circumstances>()
    .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::ZERO))
    .add_systems(Update, feed.after(TaskSystems).before(SessionSystems));
    order_the_frame(&mut app);
    // The clock's first frame has no length.
    app.update();
    let entity = enter(app.world_mut(), stretch, learner)?;
    let mut again = Again {
        frames: vec![Vec::new(); stretch.frames.len()],
        elsewhere: Vec::new(),
        state: LearnerState::default(),
    };
    let mut read = MessageCursor::<Folded>::default();
    let mut now = Duration::ZERO;
    let mut running = stretch.running.clone();
    for step in steps(stretch) {
        let passed = step.at.saturating_sub(now);
        now = step.at;
        app.insert_resource(TimeUpdateStrategy::ManualDuration(passed));
        let world = app.world_mut();
        if step.stirred {
            world.write_message(Stirred { learner: entity });
        }
        for command in step.asked {
            world.write_message(CommandRequested(command));
        }
        let frame = step.frame.and_then(|frame| stretch.frames.get(frame));
        if let Some(frame) = frame {
            prepare(world, entity, frame, lesson, &mut running);
        }
        app.update();
        let folded = app.world().resource::<Messages<Folded>>();
        let bodies = read.read(folded).map(|it| it.event.body.clone());
        match step.frame.and_then(|frame| again.frames.get_mut(frame)) {
            Some(came) => came.extend(bodies),
            None => again.elsewhere.extend(bodies.map(|body| (now, body))),
        }
    }
    if let Some(state) = app.world().get::<LearnerState>(entity) {
        again.state = state.clone();
    }
    Ok(again)
}

/// Puts the learner into the world as they were at the beginning of a stretch; the event that begins it is still to come.
pub(super) fn enter(
    world: &mut World,
    stretch: &Stretch,
    learner: LearnerId,
) -> Result<Entity, FoldError> {
    let resumed = stretch
        .frames
        .first()
        .and_then(|frame| frame.events.first())
        .is_some_and(|event| event.body == EventBody::SessionResumed);
    let before = if resumed {
        since_start(stretch.before)
    } else {
        &[]
    };
    let bodies = before.iter().map(|event| &event.body);
    let log = SessionLog(bodies.filter(|body| rebuilds(body)).cloned().collect());
    let state = LearnerState::of(stretch.before)?;
    let acknowledged = AcknowledgedSeq(state.seq);
    let who = Learner {
        id: learner,
        session: stretch.session,
    };
    Ok(world.spawn((who, state, log, acknowledged)).id())
}

/// The events of the session that is under way at the end of a log.
fn since_start(log: &[Event]) -> &[Event] {
    let start = log
        .iter()
        .rposition(|event| matches!(event.body, EventBody::SessionStarted { .. }));
    start.and_then(|start| log.get(start..)).unwrap_or_default()
}

/// Gives a frame what the log says was done in it.
fn prepare(
    world: &mut World,
    learner: Entity,
    frame: &Frame,
    lesson: &Loaded,
    running: &mut Running,
) {
    let mut made = false;
    let mut wall = None;
    for event in frame.events {
        let body = &event.body;
        wall = wall.or(Some(event.at_unix_ms));
        if let EventBody::Attempted(attempt) = body {
            let mut now = world.resource_mut::<Circumstances>();
            now.frame_health = attempt.quality.frame_health;
            now.tracking = attempt.quality.tracking;
        }
        match origin(body, &lesson.lesson, running) {
            Origin::Made => made = true,
            // What came before anything was judged in this frame comes before it again.
            Origin::Given if !made => {
                let body = body.clone();
                world.write_message(Happened { learner, body });
            }
            Origin::Given => world.resource_mut::<Feed>().0.push(body.clone()),
        }
        if let Some(deed) = deed(body, &lesson.lesson, running) {
            redo(world, deed);
        }
        running.follow(body);
    }
    world.resource_mut::<Redoing>().at_unix_ms = wall.unwrap_or_default();
}

fn redo(world: &mut World, deed: Deed) {
    world.write_message(Redone(deed));
}

fn feed(
    mut feed: ResMut<Feed>,
    learners: Query<Entity, With<Learner>>,
    mut happened: MessageWriter<Happened>,
) {
    if feed.0.is_empty() {
        return;
    }
    let bodies = std::mem::take(&mut feed.0);
    for learner in &learners {
        let bodies = bodies.iter().cloned();
        happened.write_batch(bodies.map(|body| Happened { learner, body }));
    }
}

/// The updates that lead through all frames of a stretch, none of them longer than a second.
fn steps(stretch: &Stretch) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, frame) in (0..).zip(&stretch.frames) {
        // A stirring in the frame itself comes with its deed.
        let earlier = |[at, _]: &&[u64; 2]| *at < frame.time.at_ns;
        for [at, before] in frame.time.stirred_ns.iter().filter(earlier) {
            pass_to(&mut steps, ns(*before));
            pass_to(&mut steps, ns(*at));
            if let Some(step) = steps.last_mut() {
                step.stirred = true;
            }
        }
        let [last, before_last] = frame.time.before_ns.map(ns);
        let at = ns(frame.time.at_ns);
        // Before the very first frame there was none: who came back would live through a moment that was not.
        for before in [before_last, last].into_iter().filter(|it| *it < at) {
            pass_to(&mut steps, before);
        }
        let asked: Vec<Command> = frame
            .events
            .iter()
            .filter_map(|event| asked(&event.body).cloned())
            .collect();
        // A command is carried out in the frame before the one in which it is in the log.
        if !asked.is_empty()
            && let Some(step) = steps.last_mut()
        {
            step.asked = asked;
        }
        let stirred = frame
            .time
            .stirred_ns
            .iter()
            .any(|[when, _]| ns(*when) == at);
        leap(&mut steps, at);
        steps.push(Step {
            at,
            frame: Some(number),
            stirred,
            asked: Vec::new(),
        });
    }
    steps
}

/// Updates up to `at`, unless it is passed.
fn pass_to(steps: &mut Vec<Step>, at: Duration) {
    leap(steps, at);
    if steps.last().is_none_or(|step| step.at < at) {
        steps.push(Step {
            at,
            ..Step::default()
        });
    }
}

/// Updates so that `at` is no more than the longest frame away.
fn leap(steps: &mut Vec<Step>, at: Duration) {
    loop {
        let now = steps.last().map_or(Duration::ZERO, |step| step.at);
        if at.saturating_sub(now) <= LONGEST_FRAME {
            return;
        }
        steps.push(Step {
            at: now + LONGEST_FRAME,
            ..Step::default()
        });
    }
}
