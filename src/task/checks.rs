//! Checkpoints beside the steps: what the instructor set while the lesson runs is watched, and counts as an attempt once
//! it was done, or once its time is over.

use std::collections::BTreeMap;
use std::time::Duration;

use bevy::prelude::*;

use super::Blurred;
use super::deeds::Deeds;
use super::judge::Deed;
use crate::interaction::{Circumstances, Head};
use crate::learning::quality::Quality;
use crate::lesson::placed::LessonObject;
use crate::protocol::blur::Blurs;
use crate::protocol::event::{Attempt, EventBody, Evidence};
use crate::protocol::ids::{AttemptId, ObjectId, StepId};
use crate::protocol::teaching::{Checkpoint, CheckpointAsks};
use crate::session::clock::LONGEST_FRAME;
use crate::session::state::LearnerState;
use crate::session::{Happened, Learner};

/// How long each checkpoint has waited while the lesson ran. On the learner.
#[derive(Component, Debug, Default)]
pub(super) struct Waited(BTreeMap<StepId, Duration>);

/// Looks whether what was done, or where things and learner are, is what a checkpoint asks for.
pub(super) fn mind_checkpoints(
    time: Res<Time>,
    deeds: Res<Deeds>,
    (circumstances, blurred): (Option<Res<Circumstances>>, Option<Res<Blurred>>),
    objects: Query<(&LessonObject, &GlobalTransform)>,
    heads: Query<&GlobalTransform, With<Head>>,
    mut learners: Query<(Entity, &LearnerState, &mut Waited), With<Learner>>,
    mut happened: MessageWriter<Happened>,
) {
    // Hands belong to the one learner who wears this headset.
    let Some((learner, state, mut waited)) = learners.iter_mut().next() else {
        return;
    };
    let waiting = &state.adapted.checkpoints;
    if waiting.is_empty() {
        if !waited.0.is_empty() {
            waited.0.clear();
        }
        return;
    }
    waited
        .0
        .retain(|id, _| waiting.iter().any(|it| it.id == *id));
    if state.ended || !state.paused_by.is_empty() {
        return;
    }
    let place = |of: &ObjectId| {
        let mut all = objects.iter();
        let found = all.find(|(object, _)| object.0 == *of);
        found.map(|(_, place)| place.translation().to_array())
    };
    let head = heads.iter().next().map(|it| it.translation().to_array());
    let quality = circumstances.map_or(Quality::PERFECT, |now| Quality {
        frame_health: now.frame_health,
        tracking: now.tracking,
    });
    for checkpoint in waiting {
        let before = waited.0.get(&checkpoint.id).copied();
        // Told already; the state follows in a moment.
        if before == Some(Duration::MAX) {
            continue;
        }
        let latency = before
            .unwrap_or_default()
            .saturating_add(time.delta().min(LONGEST_FRAME));
        waited.0.insert(checkpoint.id.clone(), latency);
        let done = deeds
            .now
            .iter()
            .find_map(|deed| done_by(&checkpoint.asks, deed))
            .or_else(|| there(&checkpoint.asks, place, head));
        let over = checkpoint
            .within
            .is_some_and(|within| latency.as_secs_f32() >= within);
        let (correct, evidence) = match (done, over) {
            (Some(evidence), _) => (true, evidence),
            (None, true) => (false, Evidence::TimedOut),
            (None, false) => continue,
        };
        waited.0.insert(checkpoint.id.clone(), Duration::MAX);
        let mut attempt = attempt(checkpoint, correct, evidence, latency, quality);
        attempt.blurred = blurred.as_ref().map_or_else(Blurs::default, |it| it.0);
        let body = EventBody::Attempted(attempt);
        happened.write(Happened { learner, body });
    }
}

fn attempt(
    checkpoint: &Checkpoint,
    correct: bool,
    evidence: Evidence,
    latency: Duration,
    quality: Quality,
) -> Attempt {
    Attempt {
        id: AttemptId::fresh(),
        step: checkpoint.id.clone(),
        skills: checkpoint.skills.clone(),
        correct,
        credit: f32::from(u8::from(correct)),
        latency,
        hints_used: 0,
        position_error: None,
        rotation_error: None,
        quality,
        blurred: Blurs::default(),
        evidence,
    }
}

/// What a deed is to a checkpoint that asks for it.
fn done_by(asks: &CheckpointAsks, deed: &Deed) -> Option<Evidence> {
    match (asks, deed) {
        (
            CheckpointAsks::Touch { object: asked },
            Deed::Touched { object } | Deed::Grabbed { object },
        ) if asked == object => Some(Evidence::Touched {
            object: object.clone(),
        }),
        (CheckpointAsks::Grab { object: asked }, Deed::Grabbed { object }) if asked == object => {
            Some(Evidence::Grabbed {
                object: object.clone(),
            })
        }
        (CheckpointAsks::Press { object: asked }, Deed::Pressed { object }) if asked == object => {
            Some(Evidence::Pressed {
                object: object.clone(),
            })
        }
        (
            CheckpointAsks::Place {
                object: asked,
                socket,
            },
            Deed::Released {
                object,
                fit: Some(fit),
            },
        ) if asked == object && fit.accepted && fit.socket == *socket => Some(Evidence::Placed {
            object: object.clone(),
            socket: Some(socket.clone()),
        }),
        _ => None,
    }
}

/// Where things and learner are, to a checkpoint that asks for it.
fn there(
    asks: &CheckpointAsks,
    place: impl Fn(&ObjectId) -> Option<[f32; 3]>,
    head: Option<[f32; 3]>,
) -> Option<Evidence> {
    match asks {
        CheckpointAsks::Bring { object, into } => place(object)
            .is_some_and(|at| into.holds(at))
            .then(|| Evidence::Placed {
                object: object.clone(),
                socket: None,
            }),
        CheckpointAsks::Reach { into } => head
            .is_some_and(|at| into.holds(at))
            .then_some(Evidence::Teleported { object: None }),
        _ => None,
    }
}
