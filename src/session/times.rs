//! When the frames were in which something happened: without it the rules of a replay would be asked a frame too early
//! or too late, and their clocks would differ by nanoseconds, which is enough for another decision.
//! In: what was folded, [`Stirred`]. Out: [`EventBody::Timed`] after the events of each frame. Never: an event of its own
//! account; in frames in which nothing happens nothing is written.

use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;

use super::clock::LONGEST_FRAME;
use super::state::LearnerState;
use super::stream::mirror::Mirror;
use super::{
    Folded, Learner, Outbox, SessionLog, SessionSystems, Stirred, collect_acknowledgements,
    fold_events, hand_over, take_in, unix_ms,
};
use crate::protocol::event::{EventBody, FrameTime};

/// Most stirrings kept between two events: what is measured comes every five seconds, and no headset shows more frames
/// in that time.
const MOST_STIRRINGS: usize = 1024;

/// Present while a lesson is gone through again from its log: what nobody does, and the wall clock, come from there.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redoing {
    /// What the wall clock showed, milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// Hands move as they did: what is observed of them is gathered anew.
    pub moves: bool,
}

/// What the wall clock shows: the system's time, or for a replay the recorded one.
pub(super) fn wall_clock(redoing: Option<&Redoing>) -> u64 {
    redoing.map_or_else(unix_ms, |redoing| redoing.at_unix_ms)
}

/// Notes the frames of whoever learns here. Part of the program that plays, not of one that follows.
pub struct FrameTimesPlugin;

impl Plugin for FrameTimesPlugin {
    fn build(&self, app: &mut App) {
        app.register_required_components::<Learner, Frames>()
            .add_systems(
                Update,
                note_frames
                    .after(fold_events)
                    .before(hand_over)
                    .before(collect_acknowledgements)
                    .in_set(SessionSystems),
            );
    }
}

/// A learner's latest frames.
#[derive(Component, Debug, Default, Clone, PartialEq, Eq)]
struct Frames {
    at_ns: u64,
    before_ns: [u64; 2],
    stirred_ns: Vec<[u64; 2]>,
}

fn note_frames(
    time: Res<Time<Real>>,
    mut folded: ResMut<Messages<Folded>>,
    mut read: Local<MessageCursor<Folded>>,
    mut stirred: MessageReader<Stirred>,
    mut learners: Query<
        (
            Entity,
            &Learner,
            &mut LearnerState,
            &mut SessionLog,
            &mut Outbox,
            &mut Frames,
        ),
        Without<Mirror>,
    >,
) {
    let passed = time.delta().min(LONGEST_FRAME).as_nanos();
    let passed = u64::try_from(passed).unwrap_or(u64::MAX);
    for (.., mut frames) in &mut learners {
        let [before, _] = frames.before_ns;
        frames.before_ns = [frames.at_ns, before];
        frames.at_ns = frames.at_ns.saturating_add(passed);
    }
    for Stirred { learner } in stirred.read() {
        if let Ok((.., mut frames)) = learners.get_mut(*learner) {
            let [before, _] = frames.before_ns;
            let this = [frames.at_ns, before];
            if frames.stirred_ns.last() != Some(&this) && frames.stirred_ns.len() < MOST_STIRRINGS {
                frames.stirred_ns.push(this);
            }
        }
    }
    if folded.is_empty() {
        return;
    }
    let of_frame: Vec<(Entity, bool)> = read
        .read(&folded)
        .filter(|it| !matches!(it.event.body, EventBody::Timed(_)))
        .map(|it| (it.learner, matches!(it.event.body, EventBody::Attempted(_))))
        .collect();
    if of_frame.is_empty() {
        return;
    }
    let mut noted = Vec::new();
    for (learner, who, mut state, mut log, mut outbox, mut frames) in &mut learners {
        let own = of_frame.iter().filter(|(whose, _)| *whose == learner);
        let (events, attempts) = own.fold((0_u32, 0), |(events, attempts), (_, attempt)| {
            (events.saturating_add(1), attempts + u32::from(*attempt))
        });
        if events == 0 {
            continue;
        }
        if attempts > 0 {
            // Who tries does not hesitate: nothing else needs to be said.
            let this = frames.at_ns;
            frames.stirred_ns.retain(|[at, _]| *at != this);
        }
        let body = EventBody::Timed(FrameTime {
            events,
            at_ns: frames.at_ns,
            before_ns: frames.before_ns,
            stirred_ns: std::mem::take(&mut frames.stirred_ns),
        });
        // The same as its events': a replay knows no other.
        let at = state.at_unix_ms;
        if let Some(event) = take_in(who, &mut state, &mut log, &mut outbox, at, body) {
            noted.push(Folded { learner, event });
        }
    }
    folded.write_batch(noted);
}

#[cfg(test)]
#[path = "times_tests.rs"]
mod tests;
