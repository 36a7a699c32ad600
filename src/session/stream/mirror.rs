//! Learners whose session runs elsewhere: what comes of their stream is checked, folded and stored as if it ran here.
//! In: [`Arrived`]. Out: [`Folded`], [`Streamed`], as for everybody. Never: an event of our own in their log, which has
//! one writer.

use bevy::prelude::*;
use tracing::warn;

use super::receive::{Arrival, Incoming};
use super::systems::{Stream, StreamRules, Streamed};
use crate::protocol::ids::LearnerId;
use crate::protocol::parcel::{Content, Parcel, Position};
use crate::session::state::LearnerState;
use crate::session::{AcknowledgedSeq, Folded, Learner, Outbox, SessionLog, admit, unix_ms};

/// This learner's session runs elsewhere. On the learner, put there by the bridge with what is here of their log.
#[derive(Component, Debug, Clone, Copy)]
pub struct Mirror(Incoming);

impl Mirror {
    /// Of a learner whose log is here up to `stored`; no samples are.
    #[must_use]
    pub fn new(learner: LearnerId, stored: u64) -> Self {
        let samples = 0;
        let events = stored;
        Self(Incoming::new(learner, Position { events, samples }))
    }

    /// What was taken in, safely stored or not.
    #[must_use]
    pub fn has(&self) -> Position {
        self.0.has()
    }

    /// What to acknowledge, which is also what to ask for after the link was lost: events that are safely on the disk
    /// here, and samples.
    #[must_use]
    pub fn acknowledgement(&self, stored: AcknowledgedSeq) -> Position {
        self.0.acknowledgement(stored.0)
    }
}

/// Something came of a learner's stream.
#[derive(Message, Debug, Clone)]
pub struct Arrived {
    /// The learner entity, which has a [`Mirror`].
    pub learner: Entity,
    /// What.
    pub parcel: Parcel,
}

/// Takes in what is the next of each stream; the rest is known already or will come again.
pub(crate) fn take_arrivals(
    rules: Res<StreamRules>,
    mut arrived: MessageReader<Arrived>,
    mut mirrors: Query<(
        &mut Mirror,
        &mut Learner,
        &mut LearnerState,
        &mut SessionLog,
        &mut Outbox,
        &mut Stream,
    )>,
    mut folded: MessageWriter<Folded>,
    mut streamed: MessageWriter<Streamed>,
) {
    for Arrived { learner, parcel } in arrived.read() {
        let learner = *learner;
        let Ok((mut mirror, mut who, mut state, mut log, mut outbox, mut stream)) =
            mirrors.get_mut(learner)
        else {
            warn!("something came for an entity that mirrors no learner; it is left out");
            continue;
        };
        match mirror.0.receive(parcel) {
            Arrival::Next => {}
            // After a lost link or parcel this is how it should be.
            Arrival::Known | Arrival::Early => continue,
            Arrival::Foreign => {
                warn!(learner = %who.id, "something of another learner came with their stream; it is left out");
                continue;
            }
        }
        match &parcel.content {
            Content::Event(event) => {
                if let Err(error) = admit(event, &mut state, &mut log, &mut outbox) {
                    warn!(learner = %who.id, "an event from elsewhere does not fit its log: {error}");
                    continue;
                }
                who.session = event.session;
                let event = event.clone();
                folded.write(Folded { learner, event });
            }
            Content::Sample(sample) => {
                // What can't be believed is in the quarantine, with its reason.
                if let Ok(sample) = stream.check(sample, unix_ms(), &rules.validation) {
                    streamed.write(Streamed { learner, sample });
                }
                stream.tell_what_is_put_aside(who.id);
            }
        }
    }
}
