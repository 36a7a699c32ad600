//! The world's side of the desk: systems that never wait.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bevy::prelude::*;

use super::coming::{COMING, ReadLog, ToWorld};
use super::desk::{CommandsState, Fares, FromWorld, MemoryState, RecordsState, StreamState};
use super::gate::{self, Gate};
use super::pictures::PictureShown;
use super::{Bridge, host};
use crate::adaptation::MessageShown;
use crate::lesson::ActiveLesson;
use crate::protocol::command::{Outcome, Refusal};
use crate::protocol::ids::LearnerId;
use crate::protocol::snapshot::Reached;
use crate::protocol::wire::ErrorCode;
use crate::record::{Health, Recorder};
use crate::session::answers::Unanswered;
use crate::session::device::MemoryHealth;
use crate::session::frames::{FrameAlarm, FrameStanding};
use crate::session::pairing::{DoorAlert, DoorAlertKind};
use crate::session::snapshot::snapshot;
use crate::session::state::LearnerState;
use crate::session::stream::mirror::Arrived;
use crate::session::stream::systems::{StreamTiming, Streamed};
use crate::session::{
    AcknowledgedSeq, CommandAnswered, CommandRequested, Folded, Learner, RecordHealth, unix_ms,
};

/// Commands taken in a frame; the rest waits for the next.
const PER_FRAME: usize = 64;
/// How often the punctuality of samples is told.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// What is asked for a learner of whom nothing leaves is refused here, for every answer would tell of them; but for
/// consent and rights, which are how that changes.
pub(super) fn receive(
    bridge: Res<Bridge>,
    learners: Query<(&Learner, &Gate)>,
    mut requested: MessageWriter<CommandRequested>,
    mut answered: MessageWriter<CommandAnswered>,
) {
    let now = u64::try_from(bridge.heartbeat.start.elapsed().as_millis()).unwrap_or(u64::MAX);
    bridge
        .heartbeat
        .last_ms
        .store(now.max(1), Ordering::Relaxed);
    for command in bridge.requests.try_iter().take(PER_FRAME) {
        let of = learners.iter().find(|(it, _)| it.id == command.learner);
        let shut = of.and_then(|(_, gate)| gate.shut.clone());
        match shut.filter(|_| !command.body.is_open_to_all()) {
            None => {
                requested.write(CommandRequested(command));
            }
            Some(why) => {
                let outcome = Outcome::Refused(Refusal::NotAgreed { why });
                answered.write(CommandAnswered { command, outcome });
            }
        }
    }
}

/// Takes in what learners' runtimes sent. Where this is no host, it says so to those who come.
pub(super) fn receive_from_runtimes(
    mut bridge: ResMut<Bridge>,
    time: Res<Time<Real>>,
    recorder: Option<Res<Recorder>>,
    mut waiting: Option<ResMut<host::Waiting>>,
    mut connected: Option<ResMut<host::Connected>>,
    mut headsets: Query<&mut host::Headset>,
    mut under_way: Query<&mut host::UnderWay>,
    mut arrived: MessageWriter<Arrived>,
    mut shown_there: MessageWriter<PictureShown>,
    mut answered: MessageWriter<CommandAnswered>,
) {
    for _ in 0..COMING {
        let Ok(message) = bridge.coming.try_recv() else {
            return;
        };
        match (message, &mut connected, &mut waiting) {
            (ToWorld::Read(read), ..) => read_log(read, recorder.as_deref()),
            (ToWorld::Join(asking), Some(_), Some(waiting)) => waiting.push(*asking),
            (ToWorld::Join(asking), ..) => host::refuse(
                *asking,
                ErrorCode::NotAHost,
                "this is a headset, and learners join a host: start one with `malloc-vr classroom` and join that".to_owned(),
            ),
            (ToWorld::Parcel { connection, parcel, .. }, Some(connected), _) => {
                if let Some(learner) = connected.of(connection) {
                    let parcel = *parcel;
                    arrived.write(Arrived { learner, parcel });
                }
            }
            (ToWorld::Done { connection, done }, Some(connected), _) => {
                if let Some(learner) = connected.of(connection) {
                    host::done(learner, done, &mut under_way, &mut answered);
                }
            }
            (ToWorld::Shown { connection, shown }, Some(connected), _) => {
                if let Some(learner) = connected.of(connection) {
                    shown_there.write(PictureShown { learner, shown: *shown });
                }
            }
            (ToWorld::Left { connection }, Some(connected), _) => {
                host::left(connection, time.elapsed(), connected, &mut headsets);
            }
            (
                ToWorld::Parcel { .. }
                | ToWorld::Done { .. }
                | ToWorld::Shown { .. }
                | ToWorld::Left { .. },
                ..,
            ) => {}
        }
    }
}

/// Has the record thread read and answer.
fn read_log(read: ReadLog, recorder: Option<&Recorder>) {
    let ReadLog {
        learner,
        after,
        most,
        answer,
    } = read;
    let Some(recorder) = recorder else {
        let _ = answer.send(Err("nothing is recorded here".to_owned()));
        return;
    };
    // Dropped where too much is asked already; whoever waits is told that no answer came.
    let _ = recorder.ask(move |store| {
        let events = store.events(learner)?;
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let told = events.into_iter().skip(skipped).take(most);
        let told = told.map(|mut event| {
            gate::withhold(&mut event.body);
            event
        });
        let _ = answer.send(Ok(told.collect()));
        Ok(())
    });
}

/// How the process fares, where that changed, and how punctual samples are, as often as [`TOLD_EVERY`].
pub(super) fn publish_health(
    bridge: Res<Bridge>,
    time: Res<Time<Real>>,
    records: Res<RecordHealth>,
    unanswered: Res<Unanswered>,
    timing: Res<StreamTiming>,
    memory: Res<MemoryHealth>,
    mut told: Local<Option<(Duration, u64)>>,
) {
    let (now, intervals) = (time.elapsed(), timing.0.n());
    let news = records.is_changed() || unanswered.is_changed() || memory.is_changed();
    let due =
        told.is_none_or(|(at, so_far)| so_far != intervals && now.saturating_sub(at) >= TOLD_EVERY);
    if !news && !due {
        return;
    }
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let health = Fares {
        records: match &records.0 {
            Health::Good => RecordsState {
                good: true,
                why: None,
            },
            Health::Failing { why } => RecordsState {
                good: false,
                why: Some(why.clone()),
            },
        },
        commands: CommandsState {
            unanswered: unanswered.now,
            unanswered_ever: unanswered.ever,
        },
        stream: StreamState {
            intervals,
            off_p50_ms: timing.0.quantile(0.5).map(ms),
            off_p99_ms: timing.0.quantile(0.99).map(ms),
            off_at_most_ms: ms(timing.0.longest()),
        },
        memory: MemoryState {
            low: memory.is_low(),
            times: memory.times,
        },
    };
    let sent = bridge.to_desk.try_send(FromWorld::Health(health)).is_ok();
    *told = sent.then_some((now, intervals));
}

/// Tells how frames fare, once for each time that it was looked at; one that found no room waits for the next.
pub(super) fn publish_frames(bridge: Res<Bridge>, standing: Res<FrameStanding>) {
    if let Some(frames) = &standing.0 {
        let _ = bridge
            .to_desk
            .try_send(FromWorld::Frames(Box::new(frames.clone())));
    }
}

/// A headset's frames at emergency, and the end of it, are alerts like any other.
pub(super) fn publish_frame_alarms(
    bridge: Res<Bridge>,
    mut alarms: MessageReader<FrameAlarm>,
    mut alerts: MessageWriter<DoorAlert>,
) {
    for alarm in alarms.read() {
        let alert = DoorAlert {
            at_unix_ms: unix_ms(),
            kind: match alarm {
                FrameAlarm::Emergency => DoorAlertKind::FramesAtEmergency,
                FrameAlarm::Over => DoorAlertKind::FramesRecovered,
            },
            words: alarm.words().to_owned(),
        };
        let _ = bridge.to_desk.try_send(FromWorld::Alert(alert.clone()));
        alerts.write(alert);
    }
}

/// Sends the state of every learner that changed. One that found no room is sent again in the next frame.
pub(super) fn publish_learners(
    bridge: Res<Bridge>,
    lesson: Option<Res<ActiveLesson>>,
    learners: Query<(
        Entity,
        &Learner,
        Ref<LearnerState>,
        Ref<AcknowledgedSeq>,
        Option<Ref<MessageShown>>,
        Ref<Gate>,
        Option<Ref<host::Headset>>,
    )>,
    mut ended_messages: RemovedComponents<MessageShown>,
    mut again: Local<Vec<Entity>>,
) {
    again.extend(ended_messages.read());
    again.retain(|entity| learners.contains(*entity));
    let edited = lesson.as_ref().is_some_and(|lesson| lesson.is_changed());
    for (entity, learner, state, acknowledged, message, gate, headset) in &learners {
        if !gate.is_open() {
            continue;
        }
        let changed = edited
            || gate.is_changed()
            || state.is_changed()
            || acknowledged.is_changed()
            || message.as_ref().is_some_and(|message| message.is_changed())
            || headset.as_ref().is_some_and(|headset| headset.is_changed())
            || again.contains(&entity);
        if !changed {
            continue;
        }
        again.retain(|other| *other != entity);
        // A host's learners may be in other lessons than its own.
        let theirs = lesson
            .as_ref()
            .map(|lesson| lesson.lesson.as_ref())
            .filter(|lesson| state.lesson.as_ref() == Some(&lesson.id));
        let mut snapshot = snapshot(
            learner,
            &state,
            *acknowledged,
            theirs,
            message.as_ref().map(|message| message.text.as_str()),
        );
        if let Some(headset) = headset {
            snapshot.link = match headset.gone_since() {
                None => Reached::Linked,
                Some(_) => Reached::Gone,
            };
        }
        if bridge
            .to_desk
            .try_send(FromWorld::Snapshot(Box::new(snapshot)))
            .is_err()
        {
            again.push(entity);
        }
    }
}

/// Says who left, so that nobody speaks to an empty chair.
pub(super) fn publish_departures(
    bridge: Res<Bridge>,
    learners: Query<(Entity, &Learner)>,
    arrived: Query<(), Added<Learner>>,
    mut left: RemovedComponents<Learner>,
    mut known: Local<HashMap<Entity, LearnerId>>,
    mut gone: Local<Vec<LearnerId>>,
) {
    if !arrived.is_empty() {
        known.extend(
            learners
                .iter()
                .map(|(entity, learner)| (entity, learner.id)),
        );
    }
    gone.extend(left.read().filter_map(|entity| known.remove(&entity)));
    // Somebody who came back under another entity is not gone.
    gone.retain(|id| {
        learners.iter().all(|(_, learner)| learner.id != *id)
            && bridge.to_desk.try_send(FromWorld::Gone(*id)).is_err()
    });
}

pub(super) fn publish_events(
    bridge: Res<Bridge>,
    gates: Query<&Gate>,
    mut folded: MessageReader<Folded>,
) {
    for folded in folded.read() {
        let open = gates.get(folded.learner).is_ok_and(Gate::is_wide_open);
        if !open || !gate::shows(&folded.event.body) {
            continue;
        }
        let mut event = folded.event.clone();
        gate::withhold(&mut event.body);
        // A live stream may skip; the log has everything.
        let _ = bridge.to_desk.try_send(FromWorld::Event(Box::new(event)));
    }
}

/// The newest sample of everybody. One that finds no room is followed by a newer one.
pub(super) fn publish_samples(
    bridge: Res<Bridge>,
    gates: Query<&Gate>,
    mut streamed: MessageReader<Streamed>,
) {
    for streamed in streamed.read() {
        if !gates.get(streamed.learner).is_ok_and(Gate::is_wide_open) {
            continue;
        }
        let _ = bridge
            .to_desk
            .try_send(FromWorld::Sample(Arc::new(streamed.sample)));
    }
}

/// Answers are never skipped: as many wait as commands were under way. What opens or closes the door on somebody's data is
/// folded in the frame after it was carried out, and answered then: whoever reads the answer finds that it holds.
pub(super) fn publish_answers(
    bridge: Res<Bridge>,
    mut answered: MessageReader<CommandAnswered>,
    mut waiting: Local<VecDeque<CommandAnswered>>,
    mut folded_next: Local<Vec<CommandAnswered>>,
) {
    waiting.extend(folded_next.drain(..));
    for answer in answered.read() {
        if answer.command.body.is_open_to_all() {
            folded_next.push(answer.clone());
        } else {
            waiting.push_back(answer.clone());
        }
    }
    while let Some(CommandAnswered { command, outcome }) = waiting.pop_front() {
        let answer = FromWorld::Answer(Box::new(command.clone()), outcome.clone());
        if bridge.to_desk.try_send(answer).is_err() {
            waiting.push_front(CommandAnswered { command, outcome });
            return;
        }
    }
}
