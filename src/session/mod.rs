//! Sessions: a learner entity from join to end.
//! In: [`Happened`], [`ChangeAsked`]. Out: [`state::LearnerState`] (the fold of the log), [`Folded`], samples
//! ([`Streamed`]). Never waits, never touches the disk.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bevy::prelude::*;

use crate::lesson::Loaded;
use crate::protocol::command::{Command, Outcome, Variety};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{LearnerId, ObjectId, PanelId, SessionId};
use crate::protocol::life::LifeCause;
use crate::protocol::scene::SceneView;
use crate::record::{Recorder, Tombstone};
use alike::Alike;
use answers::{Unanswered, follow_answers};
use clock::{SessionClock, SessionRules, close_idle, notice_signs, start_clocks};
use device::{MemoryHealth, MemoryIsLow, mind_memory};
use life::LifeRefused;
use pairing::{DoorAlert, Pairing, PairingAsked};
use picture::{PictureAsked, PictureTaken};
use standing::{Age, Agreements};
use state::LearnerState;
use stream::mirror::{Arrived, take_arrivals};
use stream::systems::{
    Stream, StreamInput, StreamRules, StreamTiming, Streamed, note_moments, pass_on_events,
    stream_samples,
};
use times::Redoing;

pub(crate) use folding::rebuilds;
pub use folding::{AcknowledgedSeq, Outbox, RecordHealth, SessionLog, WordScreen};
use folding::{admit, collect_acknowledgements, fold_events, hand_over, take_in};

pub mod adapted;
pub mod alike;
pub mod answers;
pub mod clock;
pub mod device;
mod folding;
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

#[cfg(test)]
mod tests;
