//! A recording played again: head and hands as they moved drive the room, and the lesson judges and decides anew.
//!
//! In: frames of movements, and the log of the same run of the program for what hands do not tell: commands of an
//! instructor, a headset that was put down, answers on panels. Out: what came of it, to be compared with the log. One
//! frame of the app for each recorded one, of the same length, whatever the machine's speed.
//!
//! Positions come back in steps of 0.1 mm and without the velocities the runtime told, so distances and latencies differ
//! in their last digits: compared is what was tried, whether it was right, and what was decided.

use std::collections::VecDeque;
use std::time::Duration;

use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;
use serde::Serialize;

use super::script::{Origin, Stretch, asked, deed, ns, origin};
use crate::interaction::InteractionSystems;
use crate::lesson::Loaded;
use crate::protocol::command::Command;
use crate::protocol::event::EventBody;
use crate::protocol::ids::{PanelId, StepId};
use crate::record::motion::{ConsentToken, Controls, MotionFrame, RawPose};
use crate::session::clock::LONGEST_FRAME;
use crate::session::times::Redoing;
use crate::session::{CommandRequested, Folded, Happened, Learner, PanelAnswered};
use crate::task::judge::Deed;
use crate::xr::rig::{AimPose, Hand, HandInput, HandKind, Head, Side};

/// Plays a [`Reel`] in whatever app it is added to.
pub struct ReelPlugin;

impl Plugin for ReelPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Came>()
            .insert_resource(Redoing {
                moves: true,
                ..Redoing::default()
            })
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::ZERO))
            // After the headset's own poses, before anything is done with them.
            .add_systems(Update, play.before(InteractionSystems))
            .add_systems(Last, (gather, turn).chain());
    }
}

/// Where a hand was and what it pressed. Not to be printed: it is somebody's.
#[derive(Clone, Copy)]
struct HandSeen {
    grip: Transform,
    aim: Option<Transform>,
    controls: Controls,
}

/// What happens at a time beside the movements.
#[derive(Debug, Clone)]
enum Beside {
    Given(Box<EventBody>),
    Asked(Box<Command>),
    Answered { panel: PanelId, choice: u32 },
}

/// One frame to be shown. Not to be printed.
#[derive(Clone)]
struct Shown {
    at: Duration,
    head: Option<Transform>,
    hands: [Option<HandSeen>; 2],
}

/// A recording with what belongs to it, on its way.
#[derive(Resource)]
pub struct Reel {
    frames: VecDeque<Shown>,
    beside: VecDeque<(Duration, Beside)>,
    now: Duration,
    wall: u64,
}

/// What came of it so far.
#[derive(Resource, Default)]
pub struct Came(Vec<EventBody>, MessageCursor<Folded>);

/// An attempt, as far as it can be the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tried {
    step: StepId,
    correct: bool,
    hints: u8,
    evidence: serde_json::Value,
}

/// What is compared of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Deeds {
    /// An attempt.
    Tried(Tried),
    /// A decision: rules and actions.
    Decided {
        /// Rule and action, in order.
        chosen: Vec<(String, serde_json::Value)>,
    },
}

impl Reel {
    /// Of one run: its frames, revealed to who may see them, and its stretch of the log.
    #[must_use]
    pub fn of(
        stretch: &Stretch,
        lesson: &Loaded,
        frames: &[MotionFrame],
        token: &ConsentToken,
    ) -> Self {
        let mut shown = VecDeque::new();
        let mut push = |next: Shown| {
            let mut at = shown.back().map_or(Duration::ZERO, |last: &Shown| last.at);
            while next.at.saturating_sub(at) > LONGEST_FRAME {
                at += LONGEST_FRAME;
                let last = shown.back().cloned();
                let (head, hands) = last.map_or((None, [None; 2]), |it| (it.head, it.hands));
                shown.push_back(Shown { at, head, hands });
            }
            shown.push_back(next);
        };
        // The first frames pass before the consent is read.
        let began = frames
            .first()
            .map_or(Duration::ZERO, |it| it.reveal(token).0);
        let before = stretch.frames.iter().map(|frame| ns(frame.time.at_ns));
        for at in before.take_while(|at| *at + Duration::from_micros(1) < began) {
            push(Shown {
                at,
                head: None,
                hands: [None; 2],
            });
        }
        for frame in frames {
            let (at, head, hands) = frame.reveal(token);
            let hand = |hand: &crate::record::motion::HandMotion| {
                let (grip, aim, controls) = hand.reveal(token);
                HandSeen {
                    grip: placed(&grip, token),
                    aim: aim.map(|aim| placed(&aim, token)),
                    controls,
                }
            };
            push(Shown {
                at,
                head: Some(placed(&head, token)),
                hands: hands.each_ref().map(|it| it.as_ref().map(hand)),
            });
        }
        let wall = stretch
            .frames
            .first()
            .and_then(|frame| frame.events.first());
        Self {
            frames: shown,
            beside: beside(stretch, lesson),
            now: Duration::ZERO,
            wall: wall.map_or(0, |event| event.at_unix_ms),
        }
    }

    /// Frames still to be shown.
    #[must_use]
    pub fn left(&self) -> usize {
        self.frames.len()
    }
}

fn placed(pose: &RawPose, token: &ConsentToken) -> Transform {
    let (position, rotation) = pose.reveal(token);
    Transform {
        translation: Vec3::from_array(position),
        rotation: Quat::from_array(rotation),
        ..Transform::IDENTITY
    }
}

/// What hands do not tell, with its times.
fn beside(stretch: &Stretch, lesson: &Loaded) -> VecDeque<(Duration, Beside)> {
    let mut all = VecDeque::new();
    let mut running = stretch.running.clone();
    for frame in &stretch.frames {
        let [before, _] = frame.time.before_ns;
        for event in frame.events {
            let body = &event.body;
            let at = ns(frame.time.at_ns);
            if let Some(command) = asked(body) {
                all.push_back((ns(before), Beside::Asked(Box::new(command.clone()))));
            }
            // What was observed is gathered anew.
            let given = origin(body, &lesson.lesson, &running) == Origin::Given
                && !matches!(body, EventBody::Observed { .. });
            if given {
                all.push_back((at, Beside::Given(Box::new(body.clone()))));
            }
            if let Some(Deed::Answered { panel, choice }) = deed(body, &lesson.lesson, &running) {
                all.push_back((at, Beside::Answered { panel, choice }));
            }
            running.follow(body);
        }
    }
    all.make_contiguous().sort_by_key(|(at, _)| *at);
    all
}

/// Shows the next frame.
fn play(
    mut reel: ResMut<Reel>,
    mut redoing: ResMut<Redoing>,
    learners: Query<(Entity, &Learner)>,
    mut head: Query<&mut Transform, (With<Head>, Without<Hand>)>,
    mut hands: Query<(
        &Hand,
        &mut Transform,
        &mut HandInput,
        &mut AimPose,
        &mut HandKind,
    )>,
    mut happened: MessageWriter<Happened>,
    mut requested: MessageWriter<CommandRequested>,
    mut answered: MessageWriter<PanelAnswered>,
) {
    let Some(shown) = reel.frames.pop_front() else {
        return;
    };
    reel.now = shown.at;
    let passed = u64::try_from(shown.at.as_millis()).unwrap_or(u64::MAX);
    redoing.at_unix_ms = reel.wall.saturating_add(passed);
    if let (Some(now), Ok(mut head)) = (shown.head, head.single_mut()) {
        *head = now;
    }
    for (hand, mut grip, mut input, mut aim, mut kind) in &mut hands {
        let side = match hand.0 {
            Side::Left => 0,
            Side::Right => 1,
        };
        let Some(seen) = shown.hands.get(side).copied().flatten() else {
            *input = HandInput::default();
            continue;
        };
        *grip = seen.grip;
        aim.0 = seen.aim.unwrap_or_default();
        kind.set_if_neq(if seen.aim.is_some() {
            HandKind::Controller
        } else {
            HandKind::None
        });
        *input = HandInput {
            tracked: true,
            trigger: seen.controls.trigger,
            squeeze: seen.controls.squeeze,
            stick: Vec2::from_array(seen.controls.stick),
            menu: false,
            ..HandInput::default()
        };
    }
    // Times of movements are kept to the microsecond.
    let until = shown.at + Duration::from_micros(1);
    while reel.beside.front().is_some_and(|(at, _)| *at <= until) {
        let Some((_, beside)) = reel.beside.pop_front() else {
            break;
        };
        match beside {
            Beside::Given(body) => {
                for (learner, _) in &learners {
                    let body = (*body).clone();
                    happened.write(Happened { learner, body });
                }
            }
            Beside::Asked(command) => {
                requested.write(CommandRequested(*command));
            }
            Beside::Answered { panel, choice } => {
                answered.write(PanelAnswered { panel, choice });
            }
        }
    }
}

/// The next frame is as long as it was.
pub(super) fn turn(reel: Res<Reel>, mut time: ResMut<TimeUpdateStrategy>) {
    let next = reel.frames.front().map_or(reel.now, |next| next.at);
    *time = TimeUpdateStrategy::ManualDuration(next.saturating_sub(reel.now));
}

fn gather(folded: Res<Messages<Folded>>, mut came: ResMut<Came>) {
    let came = &mut *came;
    let new = came.1.read(&folded).map(|it| it.event.body.clone());
    came.0.extend(new);
}

impl Came {
    /// Attempts and decisions, in order.
    #[must_use]
    pub fn deeds(&self) -> Vec<Deeds> {
        deeds(self.0.iter())
    }
}

/// Attempts and decisions, in order.
pub fn deeds<'a>(bodies: impl Iterator<Item = &'a EventBody>) -> Vec<Deeds> {
    bodies.filter_map(of_body).collect()
}

fn of_body(body: &EventBody) -> Option<Deeds> {
    match body {
        EventBody::Attempted(attempt) => {
            let mut evidence = serde_json::to_value(&attempt.evidence).ok()?;
            if let Some(evidence) = evidence.as_object_mut() {
                // Measured, so never quite the same.
                evidence.remove("speed");
            }
            Some(Deeds::Tried(Tried {
                step: attempt.step.clone(),
                correct: attempt.correct,
                hints: attempt.hints_used,
                evidence,
            }))
        }
        EventBody::Decided(decision) => {
            let chosen = decision.chosen.iter();
            let chosen = chosen.filter_map(|chosen| {
                let action = serde_json::to_value(chosen.action).ok()?;
                // An action worked out from beliefs has its last digits from the latencies.
                let name = match &action {
                    serde_json::Value::Object(fields) => {
                        fields.keys().next().cloned().unwrap_or_default().into()
                    }
                    other => other.clone(),
                };
                Some((chosen.rule.clone(), name))
            });
            Some(Deeds::Decided {
                chosen: chosen.collect(),
            })
        }
        _ => None,
    }
}
