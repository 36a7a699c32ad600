//! A classroom host: learners whose session runs on their own headset are entities here.
//! In: what their runtimes send. Out: the same events folded to the same state, acknowledgements, commands to them.
//! Never: an event of our own in their log, or an answer to a command before the headset gave it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;
use tokio::sync::mpsc;

use super::coming::{Connection, Safe, ToRuntime};
use super::desk::FromWorld;
use super::{Bridge, BridgeSystems};
use crate::protocol::ids::{LearnerId, LessonId};
use crate::protocol::parcel::Position;
use crate::session::resume::TokenKey;
use crate::session::stream::mirror::Mirror;
use crate::session::{AcknowledgedSeq, Learner, Outbox};

mod admit;
mod commands;

pub(super) use admit::{Waiting, refuse};
pub(super) use commands::{UnderWay, done};

/// What a host is, beside its door. A resource; without one nobody can join.
#[derive(Resource, Debug)]
pub struct Classroom {
    /// What resume tokens are made with.
    pub key: TokenKey,
    /// How long a resume token is good: over a holiday. It is renewed at every coming.
    pub token_good_for: Duration,
    /// What the class plays, told to those who join.
    pub lesson: Option<LessonId>,
    /// How long a learner whose link is gone stays in sight.
    pub link_window: Duration,
}

impl Classroom {
    /// With this key, and everything else as usual.
    #[must_use]
    pub fn new(key: TokenKey, lesson: Option<LessonId>) -> Self {
        Self {
            key,
            token_good_for: Duration::from_secs(30 * 24 * 3600),
            lesson,
            link_window: Duration::from_mins(15),
        }
    }
}

/// Learners who join a [`Classroom`].
pub struct HostPlugin;

impl Plugin for HostPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Connected>()
            .init_resource::<Waiting>()
            .add_systems(
                Update,
                (admit::answer_those_who_wait, commands::pass_on_commands)
                    .chain()
                    .in_set(BridgeSystems::Receive)
                    .after(super::world::receive),
            )
            .add_systems(
                Update,
                (acknowledge, commands::send_again, forget_the_long_gone)
                    .chain()
                    .in_set(BridgeSystems::Publish),
            );
    }
}

/// Which connection is whose.
#[derive(Resource, Debug, Default)]
pub(super) struct Connected {
    by_connection: HashMap<Connection, Entity>,
    pub(super) by_learner: HashMap<LearnerId, Entity>,
}

impl Connected {
    pub(super) fn of(&self, connection: Connection) -> Option<Entity> {
        self.by_connection.get(&connection).copied()
    }
}

/// The way to a learner's headset. On the learner.
#[derive(Component, Debug)]
pub(super) struct Headset {
    /// The link, and what was last acknowledged over it; else since when it is gone (`Time<Real>`).
    link: Result<Link, Duration>,
}

#[derive(Debug)]
struct Link {
    connection: Connection,
    line: mpsc::Sender<ToRuntime>,
    safe: Arc<Safe>,
    acknowledged: Position,
}

impl Headset {
    /// Since when it is not reached, in `Time<Real>`; `None`: it is.
    pub(super) fn gone_since(&self) -> Option<Duration> {
        self.link.as_ref().err().copied()
    }

    fn connection(&self) -> Option<Connection> {
        self.link.as_ref().ok().map(|link| link.connection)
    }

    /// Sends, and says over which connection; `None`: there is no room just now, or no link.
    pub(super) fn send(&self, message: ToRuntime) -> Option<Connection> {
        let link = self.link.as_ref().ok()?;
        link.line.try_send(message).ok()?;
        Some(link.connection)
    }
}

/// The connection ended. The learner stays, and may come back.
pub(super) fn left(
    connection: Connection,
    now: Duration,
    connected: &mut Connected,
    headsets: &mut Query<&mut Headset>,
) {
    let entity = connected.by_connection.remove(&connection);
    if let Some(mut headset) = entity.and_then(|entity| headsets.get_mut(entity).ok())
        && headset
            .link
            .as_ref()
            .is_ok_and(|link| link.connection == connection)
    {
        headset.link = Err(now);
    }
}

/// Says what is here for good: events on the disk, samples taken in. All of a frame together.
fn acknowledge(
    bridge: Option<Res<Bridge>>,
    mut news: Local<Vec<Arc<Safe>>>,
    mut learners: Query<
        (&Mirror, &AcknowledgedSeq, &mut Headset),
        Or<(Changed<Mirror>, Changed<AcknowledgedSeq>, Changed<Headset>)>,
    >,
) {
    for (mirror, stored, mut headset) in &mut learners {
        let has = mirror.acknowledgement(*stored);
        let Ok(link) = &mut headset.bypass_change_detection().link else {
            continue;
        };
        if link.acknowledged == has {
            continue;
        }
        link.acknowledged = has;
        link.safe.set(has);
        news.push(link.safe.clone());
    }
    let Some(bridge) = bridge.filter(|_| !news.is_empty()) else {
        return;
    };
    // What finds no room waits for the next frame.
    if let Err(full) = bridge
        .to_desk
        .try_send(FromWorld::Safe(std::mem::take(&mut *news)))
        && let FromWorld::Safe(back) = full.into_inner()
    {
        *news = back;
    }
}

/// Who has been gone for so long is out of sight; their log is in the store, and they may come back any time.
fn forget_the_long_gone(
    mut commands: Commands,
    time: Res<Time<Real>>,
    classroom: Option<Res<Classroom>>,
    mut connected: ResMut<Connected>,
    learners: Query<(
        Entity,
        &Learner,
        &Headset,
        &Mirror,
        &AcknowledgedSeq,
        &Outbox,
    )>,
    mut next: Local<Duration>,
) {
    let (Some(classroom), now) = (classroom, time.elapsed()) else {
        return;
    };
    if now < *next {
        return;
    }
    *next = now + Duration::from_secs(1).min(classroom.link_window);
    for (entity, learner, headset, mirror, stored, outbox) in &learners {
        let Some(since) = headset.gone_since() else {
            continue;
        };
        let safe = outbox.waiting() == 0 && mirror.has().events <= stored.0;
        if safe && now.saturating_sub(since) >= classroom.link_window {
            connected.by_learner.remove(&learner.id);
            commands.entity(entity).despawn();
        }
    }
}

impl Bridge {
    /// Rings when something came for the world: what a host without frames of a display waits for.
    #[must_use]
    pub fn bell(&self) -> crossbeam_channel::Receiver<()> {
        self.bell.clone()
    }
}
