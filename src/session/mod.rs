//! Sessions: a learner entity from join to end.
//! In: [`Happened`], [`ChangeAsked`]. Out: [`state::LearnerState`] (the fold of the log), [`Folded`], samples
//! ([`Streamed`]). Never waits, never touches the disk.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bevy::prelude::*;
use tracing::error;

use crate::lesson::{ActiveLesson, Loaded};
use crate::protocol::command::{Command, Outcome, Variety};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{LearnerId, ObjectId, PanelId, SessionId};
use crate::protocol::life::LifeCause;
use crate::protocol::scene::SceneView;
use crate::record::boundary::screen_words;
use crate::record::pii::Screen;
use crate::record::{Health, Recorder, Tombstone};
use alike::Alike;
use answers::{Unanswered, follow_answers};
use clock::{SessionClock, SessionRules, close_idle, notice_signs, start_clocks};
use device::{MemoryHealth, MemoryIsLow, mind_memory};
use life::{LifeRefused, cause_of, event_of};
use pairing::{DoorAlert, Pairing, PairingAsked};
use picture::{PictureAsked, PictureTaken};
use standing::{Age, Agreements};
use state::{FoldError, LearnerState};
use stream::mirror::{Arrived, Mirror, take_arrivals};
use stream::systems::{
    Stream, StreamInput, StreamRules, StreamTiming, Streamed, note_moments, pass_on_events,
    stream_samples,
};
use times::{Redoing, wall_clock};

pub mod adapted;
pub mod alike;
pub mod answers;
pub mod clock;
pub mod device;
pub mod frames;
pub mod join;
pub mod life;
pub mod models;
pub mod pairing;
pub mod picture;
pub mod resume;
pub mod snapshot;
pub mod standing;
pub mod state;
pub mod stream;
pub mod times;

/// Folding, recording and acknowledging events.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionSystems;

/// Sessions of however many learners there are. Records them if there is a [`Recorder`].
pub struct SessionPlugin;

impl Plugin for SessionPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Happened>()
            .add_message::<Folded>()
            .add_message::<Stirred>()
            .add_message::<WayChanged>()
            .add_message::<CommandRequested>()
            .add_message::<CommandAnswered>()
            .add_message::<PanelAnswered>()
            .add_message::<ChangeAsked>()
            .add_message::<ChangeRefused>()
            .add_message::<SceneAsked>()
            .add_message::<SceneDescribed>()
            .add_message::<PictureAsked>()
            .add_message::<PictureTaken>()
            .add_message::<Streamed>()
            .add_message::<Arrived>()
            .add_message::<PairingAsked>()
            .add_message::<MemoryIsLow>()
            .init_resource::<MemoryHealth>()
            .add_message::<DoorAlert>()
            .add_message::<LearnerErased>()
            .init_resource::<Pairing>()
            .init_resource::<Alike>()
            .init_resource::<Unanswered>()
            .init_resource::<RecordHealth>()
            .init_resource::<SessionRules>()
            .init_resource::<WordScreen>()
            .init_resource::<Agreements>()
            .init_resource::<StreamRules>()
            .init_resource::<StreamTiming>()
            .add_systems(
                Update,
                (
                    start_clocks,
                    fold_events,
                    take_arrivals,
                    alike::keep_together,
                    notice_signs,
                    close_idle.run_if(not(resource_exists::<Redoing>)),
                    note_moments,
                    pass_on_events,
                    stream_samples,
                    hand_over.run_if(resource_exists::<Recorder>),
                    collect_acknowledgements.run_if(resource_exists::<Recorder>),
                    follow_answers,
                    mind_memory,
                )
                    .chain()
                    .in_set(SessionSystems),
            );
    }
}

/// A learner: one on a headset, many on a host.
#[derive(Component, Debug, Clone, Copy)]
#[require(
    LearnerState,
    SessionLog,
    Outbox,
    AcknowledgedSeq,
    OtherWay,
    SessionClock,
    StreamInput,
    Stream,
    Age
)]
pub struct Learner {
    /// Pseudonym.
    pub id: LearnerId,
    /// The running session.
    pub session: SessionId,
}

/// The session that begins with the learner's next [`EventBody::SessionStarted`], and the lesson it is of. On the learner.
#[derive(Component, Debug, Clone)]
pub struct NextSession {
    /// Its id.
    pub session: SessionId,
    /// What is played from then on.
    pub lesson: Loaded,
}

/// What happened in the running session, oldest first: from it everything that is not the state itself can be
/// rebuilt, for example the way through the lesson.
#[derive(Component, Debug, Default, Clone, PartialEq)]
pub struct SessionLog(pub Vec<EventBody>);

/// Whether an event says anything about the way through the lesson or an answer given: only such are kept at hand.
pub(crate) fn rebuilds(body: &EventBody) -> bool {
    !matches!(
        body,
        EventBody::Observed { .. } | EventBody::Told { .. } | EventBody::Timed(_)
    )
}

/// Events folded that the record thread has not taken yet. Grows only while the disk fails.
#[derive(Component, Debug, Default)]
pub struct Outbox(VecDeque<Event>);

impl Outbox {
    /// Events that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.len()
    }
}

/// Last event that is safely on the disk; 0: none.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct AcknowledgedSeq(pub u64);

/// What is masked in words that somebody typed before they are written: mail addresses, telephone numbers and the like,
/// and the roster's names where there is one.
#[derive(Resource, Default)]
pub struct WordScreen(pub Screen);

/// How the log fares, for panels, health and instructors.
#[derive(Resource, Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordHealth(pub Health);

impl RecordHealth {
    /// A log that is kept in memory only, for this reason.
    #[must_use]
    pub fn failing_because(why: impl Into<String>) -> Self {
        Self(Health::Failing { why: why.into() })
    }

    /// Why the log is not written at the moment, and what to do; `None`: it is.
    #[must_use]
    pub fn failing(&self) -> Option<&str> {
        match &self.0 {
            Health::Good => None,
            Health::Failing { why } => Some(why),
        }
    }
}

/// Something happened to a learner: the session gives it its place in the log, folds it and has it stored.
#[derive(Message, Debug, Clone)]
pub struct Happened {
    /// The learner entity.
    pub learner: Entity,
    /// What.
    pub body: EventBody,
}

/// A turn of the session's life is asked for: a break, a review, an intervention that began, a link that is gone. The
/// session says whether it is admitted, and logs it.
#[derive(Message, Debug, Clone, Copy)]
pub struct ChangeAsked {
    /// The learner entity.
    pub learner: Entity,
    /// What is to change.
    pub cause: LifeCause,
}

/// It was not admitted, and nothing changed.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeRefused {
    /// The learner entity.
    pub learner: Entity,
    /// What was to change.
    pub cause: LifeCause,
    /// Why it didn't.
    pub why: LifeRefused,
}

/// A learner's record is destroyed, and what is left of it is this. Names that stand elsewhere go with it.
#[derive(Message, Debug, Clone)]
pub struct LearnerErased(pub Tombstone);

/// The learner took up what the running step is about, short of an attempt: they do not hesitate. Not logged; written
/// by `task`, read by `adaptation`.
#[derive(Message, Debug, Clone, Copy)]
pub struct Stirred {
    /// The learner entity.
    pub learner: Entity,
}

/// An event now is part of the learner's state (and on its way to the disk).
#[derive(Message, Debug, Clone)]
pub struct Folded {
    /// The learner entity.
    pub learner: Entity,
    /// The event, with its place in the log.
    pub event: Event,
}

/// There is another way to go on than by the running step, and another form of it: written by `task`, read by
/// `adaptation`. On the learner.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct OtherWay {
    /// Another step can be done now.
    pub step: bool,
    /// The same task has another form, as hard as this one.
    pub form: bool,
    /// One of them has more to do.
    pub fuller: bool,
}

/// What takes the running step's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Another step.
    Step,
    /// Another form of the same task; by interaction: one with more to do.
    Form(Variety),
}

/// The learner takes the other way now: written by `adaptation`, done by `task`.
#[derive(Message, Debug, Clone, Copy)]
pub struct WayChanged {
    /// The learner entity.
    pub learner: Entity,
    /// Which.
    pub way: Way,
}

/// Something in the scene stands out for a while: asked for by the instructor, shown by `task`. On the learner.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct PointedOut {
    /// What.
    pub object: ObjectId,
    /// Until this moment of `Time<Real>` (time since start).
    pub until: Duration,
}

/// Somebody asks what is in a learner's scene: written by the bridge, answered by `task` within the frame.
#[derive(Message, Debug, Clone, Copy)]
pub struct SceneAsked {
    /// Whose.
    pub learner: LearnerId,
    /// Tells questions apart.
    pub ticket: u64,
}

/// What is in it; `None`: the learner wears another headset, or there is no lesson.
#[derive(Message, Debug, Clone)]
pub struct SceneDescribed {
    /// The question's.
    pub ticket: u64,
    /// The scene.
    pub view: Option<Box<SceneView>>,
}

/// Somebody asks for something: bridge, desk, learner's menu or the adaptation rules.
#[derive(Message, Debug, Clone)]
pub struct CommandRequested(pub Command);

/// What became of it: written by `adaptation`, read by whoever asked.
#[derive(Message, Debug, Clone)]
pub struct CommandAnswered {
    /// The command.
    pub command: Command,
    /// What happened in the world.
    pub outcome: Outcome,
}

/// The learner chose an answer on a panel: written by `ui`, judged by `task`.
#[derive(Message, Debug, Clone)]
pub struct PanelAnswered {
    /// Which panel.
    pub panel: PanelId,
    /// Which choice, from 0.
    pub choice: u32,
}

/// Milliseconds since the Unix epoch; 0 for a clock before it.
#[must_use]
pub(crate) fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

fn fold_events(
    mut commands: Commands,
    (time, redoing, screen): (Res<Time<Real>>, Option<Res<Redoing>>, Res<WordScreen>),
    mut happened: MessageReader<Happened>,
    mut asked: MessageReader<ChangeAsked>,
    mut learners: Query<
        (
            &mut Learner,
            &mut LearnerState,
            &mut SessionLog,
            &mut Outbox,
            &SessionClock,
            Option<&NextSession>,
        ),
        Without<Mirror>,
    >,
    mut folded: MessageWriter<Folded>,
    mut refused: MessageWriter<ChangeRefused>,
) {
    let now = wall_clock(redoing.as_deref());
    for Happened { learner, body } in happened.read() {
        let Ok((mut who, mut state, mut log, mut outbox, _, next)) = learners.get_mut(*learner)
        else {
            error!("something happened to an entity that is no learner here; it is not recorded");
            continue;
        };
        // A joining is always a new life, whatever became of the one before.
        if let Some(cause) = cause_of(body).filter(|cause| *cause != LifeCause::Joined)
            && let Err(why) = state.life.admits(cause)
        {
            let learner = *learner;
            refused.write(ChangeRefused {
                learner,
                cause,
                why,
            });
            continue;
        }
        if let (EventBody::SessionStarted { .. }, Some(next)) = (body, next) {
            who.session = next.session;
            commands.insert_resource(ActiveLesson(next.lesson.clone()));
            commands.entity(*learner).remove::<NextSession>();
        }
        let mut body = body.clone();
        screen_words(&mut body, &screen.0);
        if let Some(event) = take_in(&who, &mut state, &mut log, &mut outbox, now, body) {
            let learner = *learner;
            folded.write(Folded { learner, event });
        }
    }
    for &ChangeAsked { learner, cause } in asked.read() {
        let Ok((who, mut state, mut log, mut outbox, clock, _)) = learners.get_mut(learner) else {
            error!("{cause:?} is asked for of an entity that is no learner here");
            continue;
        };
        match event_of(&state.life, cause, clock.at(time.elapsed())) {
            Ok(Some(body)) => {
                if let Some(event) = take_in(&who, &mut state, &mut log, &mut outbox, now, body) {
                    folded.write(Folded { learner, event });
                }
            }
            Ok(None) => error!("{cause:?} is told by an event of its own, not asked for"),
            Err(why) => {
                refused.write(ChangeRefused {
                    learner,
                    cause,
                    why,
                });
            }
        }
    }
}

/// Gives an event its place in the log, folds it, and has it stored.
fn take_in(
    who: &Learner,
    state: &mut LearnerState,
    log: &mut SessionLog,
    outbox: &mut Outbox,
    at_unix_ms: u64,
    body: EventBody,
) -> Option<Event> {
    let event = Event {
        seq: state.seq + 1,
        at_unix_ms,
        learner: who.id,
        session: who.session,
        body,
    };
    // Seq and learner are the state's own, so this fails only on a bug; the event is kept out of the log then.
    match admit(&event, state, log, outbox) {
        Ok(()) => Some(event),
        Err(error) => {
            error!(learner = %who.id, "an event does not fit its log: {error}");
            None
        }
    }
}

/// Folds an event that has its place in the log, and has it stored.
fn admit(
    event: &Event,
    state: &mut LearnerState,
    log: &mut SessionLog,
    outbox: &mut Outbox,
) -> Result<(), FoldError> {
    state.fold(event)?;
    if matches!(event.body, EventBody::SessionStarted { .. }) {
        log.0.clear();
    }
    if rebuilds(&event.body) {
        // By a quarter, not by the same again: a host keeps thousands of these lists.
        if log.0.len() == log.0.capacity() {
            log.0.reserve_exact(1 + log.0.len() / 4);
        }
        log.0.push(event.body.clone());
    }
    outbox.0.push_back(event.clone());
    Ok(())
}

fn hand_over(recorder: Res<Recorder>, mut outboxes: Query<&mut Outbox>) {
    for mut outbox in &mut outboxes {
        while let Some(event) = outbox.0.pop_front() {
            if let Err(event) = recorder.append(event) {
                outbox.0.push_front(event);
                break;
            }
        }
        // A host has thousands, and all but some of them are empty at any time.
        if outbox.0.is_empty() && outbox.0.capacity() > 0 {
            outbox.0 = VecDeque::new();
        }
    }
}

fn collect_acknowledgements(
    recorder: Res<Recorder>,
    mut learners: Query<(&Learner, &mut AcknowledgedSeq)>,
    mut health: ResMut<RecordHealth>,
    mut safe: Local<HashMap<LearnerId, u64>>,
) {
    safe.extend(recorder.acknowledgements().map(|it| (it.learner, it.seq)));
    if !safe.is_empty() {
        for (learner, mut seq) in &mut learners {
            if let Some(safe) = safe.remove(&learner.id).filter(|safe| *safe > seq.0) {
                seq.0 = safe;
            }
        }
        // Somebody who left meanwhile.
        safe.clear();
    }
    if let Some(change) = recorder.health_change() {
        health.0 = change;
    }
}

#[cfg(test)]
mod tests;
