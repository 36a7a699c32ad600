//! What deciding costs: from an attempt to the rules' decision, from a decision to what the learner notices, and what all
//! learning systems cost a headset in each frame.

use std::error::Error;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;
use malloc_vr::adaptation::AdaptationPlugin;
use malloc_vr::app::frame::order_the_frame;
use malloc_vr::learning::engagement::Stretch;
use malloc_vr::learning::five::observation::Moment;
use malloc_vr::lesson::{self, ActiveLesson};
use malloc_vr::protocol::event::EventBody;
use malloc_vr::protocol::ids::StepId;
use malloc_vr::session::join::Joining;
use malloc_vr::session::{Folded, Happened, SessionPlugin};
use serde_json::Value;

use super::{FRAME, attempt_at, figure, quantiles, take_records};

/// Attempts at which is looked.
const ATTEMPTS: u64 = 2_000;
/// Frames between two attempts: 1 s of a 72 Hz display.
const BETWEEN: u64 = 72;
/// A moment is observed every 5 s.
const MOMENT: u64 = 360;

/// Events that the frames' time is compared over: enough for many rounds of everything that happens.
const FRAMES: usize = 7_200;

/// One learner on a headset, in an app without view: session, models and rules, driven by hand.
struct Headset {
    app: App,
    learner: Entity,
    step: StepId,
}

impl Headset {
    fn new() -> Result<Self, Box<dyn Error>> {
        let loaded = lesson::load("first-steps")?;
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SessionPlugin, AdaptationPlugin));
        order_the_frame(&mut app);
        app.insert_resource(TimeUpdateStrategy::ManualDuration(FRAME));
        let learner =
            Joining::newcomer().enter(app.world_mut(), &loaded.lesson, &loaded.digest, false);
        let hinted = loaded.lesson.steps.iter().max_by_key(|it| it.hints.len());
        let step = hinted.ok_or("the lesson has no step")?;
        let entered = EventBody::StepEntered {
            step: step.id.clone(),
            event: None,
            hints: u8::try_from(step.hints.len())?,
        };
        let step = step.id.clone();
        app.insert_resource(ActiveLesson(loaded));
        app.update();
        let mut headset = Self { app, learner, step };
        headset.happen(entered);
        headset.app.update();
        Ok(headset)
    }

    fn happen(&mut self, body: EventBody) {
        let learner = self.learner;
        self.app
            .world_mut()
            .write_message(Happened { learner, body });
    }

    /// One frame, in microseconds, with what was folded in it.
    fn frame(&mut self) -> (f64, Vec<EventBody>) {
        let start = Instant::now();
        self.app.update();
        let took = start.elapsed().as_secs_f64() * 1e6;
        let mut folded = self.app.world_mut().resource_mut::<Messages<Folded>>();
        let bodies = folded.drain().map(|it| it.event.body).collect();
        take_records(&mut self.app);
        (took, bodies)
    }
}

/// `decision_p99_us`: the frame of session and rules in which an attempt is folded and decided upon, and
/// `detection_to_applied_p99_ms`: from there to the intervention's being carried out, at 72 frames a second.
pub(super) fn decisions() -> Result<[Value; 2], Box<dyn Error>> {
    let mut headset = Headset::new()?;
    let (mut deciding, mut applied) = (Vec::new(), Vec::new());
    for n in 0..ATTEMPTS {
        // Three of four are wrong: there is much to decide.
        let attempt = attempt_at(&headset.step, n.is_multiple_of(4));
        headset.happen(attempt);
        let mut since = None;
        for frame in 0..BETWEEN {
            let (took, bodies) = headset.frame();
            for body in &bodies {
                match body {
                    EventBody::Attempted(_) => {
                        deciding.push(took);
                        since = Some(frame);
                    }
                    // In a test nobody but rules and ladder commands.
                    EventBody::CommandApplied { .. } => {
                        if let Some(since) = since.take() {
                            let frames = u32::try_from(frame - since + 1)?;
                            applied.push((FRAME * frames).as_secs_f64() * 1e3);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    if applied.is_empty() {
        return Err("in 2,000 attempts nothing was decided: the rules are not at work".into());
    }
    Ok([quantiles(deciding, 99), quantiles(applied, 99)])
}

/// `learning_ms_per_frame`: mean of a headset's frames with session, models and rules at work, less that of an app with
/// nothing in it, frame by frame in turns.
pub(super) fn frames() -> Result<Value, Box<dyn Error>> {
    let mut rounds = Vec::new();
    for _ in 0..5 {
        let mut headset = Headset::new()?;
        let mut bare = App::new();
        bare.add_plugins(MinimalPlugins);
        order_the_frame(&mut bare);
        bare.update();
        let (mut with, mut without) = (0.0, 0.0);
        for frame in 0..FRAMES as u64 {
            if frame.is_multiple_of(MOMENT) {
                headset.happen(moment());
            }
            if frame.is_multiple_of(5 * BETWEEN) {
                let attempt = attempt_at(&headset.step, frame.is_multiple_of(10 * BETWEEN));
                headset.happen(attempt);
            }
            with += headset.frame().0;
            let start = Instant::now();
            bare.update();
            without += start.elapsed().as_secs_f64() * 1e6;
        }
        rounds.push((with - without) / FRAMES as f64 / 1e3);
    }
    Ok(figure(rounds, 5 * FRAMES))
}

fn moment() -> EventBody {
    EventBody::Observed {
        moment: Box::new(Moment {
            dt: Duration::from_secs(5),
            stretch: Some(Stretch {
                seconds: 5.0,
                on_task: Some(0.8),
                ..Stretch::default()
            }),
            ready: true,
            ..Moment::default()
        }),
    }
}
