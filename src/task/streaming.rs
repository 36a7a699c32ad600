//! What the stream of samples is told beside the log: frames and tracking, how active the learner is, what the models say
//! of the running step, and what this device should be able to measure. Once a second, and when something happened.

use std::time::Duration;

use bevy::prelude::*;

use super::HeadSigns;
use crate::interaction::{Circumstances, InputMode};
use crate::learning::estimate::Estimate;
use crate::learning::event_criteria::Bounded;
use crate::learning::quality::Quality;
use crate::learning::strategy::feature::{Feature, View};
use crate::lesson::ActiveLesson;
use crate::protocol::sample::{Signal, SignalSet};
use crate::session::Learner;
use crate::session::state::LearnerState;
use crate::session::stream::mirror::Mirror;
use crate::session::stream::sample::OfStep;
use crate::session::stream::schedule::FramePace;
use crate::session::stream::systems::{Stamped, StreamInput};

/// How often the stream is told what the models say and how frames fare, besides whenever something happened.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq)]
pub struct TellEvery(pub Duration);

impl Default for TellEvery {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

/// What any body in front of a lesson shows.
const HANDS: SignalSet = SignalSet::of(&[Signal::OnTask]);
/// What a headset measures besides.
const HEADSET: SignalSet = SignalSet::of(&[Signal::OnTask, Signal::FrameHealth, Signal::Tracking]);
/// And where the direction of the head may be looked at.
const HEADSET_AND_HEAD: SignalSet = SignalSet::of(&[
    Signal::OnTask,
    Signal::FrameHealth,
    Signal::Tracking,
    Signal::HeadOnTask,
]);

pub(super) fn tell_the_stream(
    time: Res<Time<Real>>,
    mode: Option<Res<InputMode>>,
    circumstances: Option<Res<Circumstances>>,
    head_signs: Res<HeadSigns>,
    lesson: Option<Res<ActiveLesson>>,
    every: Res<TellEvery>,
    mut told: Local<Duration>,
    mut learners: Query<(Ref<LearnerState>, &mut StreamInput), (With<Learner>, Without<Mirror>)>,
) {
    let at = time.elapsed();
    let due = at.saturating_sub(*told) >= every.0;
    if due {
        *told = at;
    }
    let mode = mode.map_or(InputMode::Headless, |mode| *mode);
    let worn = mode == InputMode::Xr;
    for (state, mut input) in &mut learners {
        if !due && !state.is_changed() {
            continue;
        }
        input.expected = match (mode, head_signs.0) {
            (InputMode::Headless, _) => SignalSet::default(),
            (InputMode::Desktop, _) => HANDS,
            (InputMode::Xr, false) => HEADSET,
            (InputMode::Xr, true) => HEADSET_AND_HEAD,
        };
        let now = circumstances.as_deref().filter(|_| worn);
        input.quality = now.map(|now| Stamped {
            value: Quality {
                frame_health: now.frame_health,
                tracking: now.tracking,
            },
            at,
        });
        input.frames = now.map(|now| FramePace {
            shown: now.frame_health,
            busy: None,
        });
        let stretch = input.moment.as_ref().and_then(|it| it.value.stretch);
        input.activity = stretch.and_then(|stretch| stretch.on_task);
        input.of_step = lesson.as_deref().and_then(|lesson| {
            let value = of_step(lesson, &state)?;
            Some(Stamped { value, at })
        });
    }
}

/// What the models say of the running step; `None`: there is none.
fn of_step(lesson: &ActiveLesson, state: &LearnerState) -> Option<OfStep> {
    let step = lesson.step(state.step.as_ref()?)?;
    let difficulty = Estimate {
        mean: state.adapted.logits(),
        variance: 0.0,
    };
    let numbers = state.models.numbers(&lesson.lesson.id, &step.evidence_for);
    let view = (state.models.five()).view(
        &numbers,
        difficulty,
        &View::default(),
        state.models.params(),
    );
    let known = |feature| {
        view.get(feature).map(|seen| Bounded {
            mean: seen.mean,
            lower: seen.lower,
            upper: seen.upper,
            n: seen.n,
        })
    };
    Some(OfStep {
        mastery: known(Feature::Mastery),
        next_success: known(Feature::NextSuccess),
    })
}
