//! What an instructor's client was told, and what it missed: where to ask from, learner by learner.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::line::{Broken, Line};
use crate::bridge::access::Caller;
use crate::bridge::desk::{Published, Samples};
use crate::protocol::event::Event;
use crate::protocol::ids::LearnerId;
use crate::protocol::snapshot::LearnerSnapshot;
use crate::protocol::wire::{FromHost, Replay};

/// Looks, 50 ms apart, for which events may come later than the state they led to.
const PATIENCE: u8 = 6;

/// What a client was told.
#[derive(Default)]
pub(super) struct Seen {
    states: BTreeMap<LearnerId, Arc<LearnerSnapshot>>,
    samples: Arc<Samples>,
    /// The last event of each learner.
    events: HashMap<LearnerId, u64>,
    /// Whose state is ahead of their events: the last of these, and for how many looks.
    behind: HashMap<LearnerId, (u64, u8)>,
}

impl Seen {
    pub(super) fn begin(&mut self, now: &Published) {
        let states = now.learners.values();
        self.events = states.map(|state| (state.learner, state.seq)).collect();
    }

    /// What is missing before an event, if something is.
    pub(super) fn event(&mut self, event: &Event) -> Option<Replay> {
        let learner = event.learner;
        let last = self.events.insert(learner, event.seq);
        let after = last.filter(|last| event.seq > last + 1)?;
        Some(Replay { learner, after })
    }

    /// Where to take up again with each learner of whom something was left out.
    pub(super) fn fell_behind(&mut self, now: &Published) -> Vec<Replay> {
        let mut gaps = Vec::new();
        for (&learner, state) in &now.learners {
            let last = self.events.entry(learner).or_default();
            if state.seq > *last {
                let after = std::mem::replace(last, state.seq);
                gaps.push(Replay { learner, after });
            }
        }
        gaps
    }

    /// Where to take up again with each learner whose state is ahead of their events and stays so: what found no room on
    /// its way here leaves no gap between two events if it was the last.
    pub(super) fn left_out(&mut self, now: &Published) -> Vec<Replay> {
        let mut gaps = Vec::new();
        for (&learner, state) in &now.learners {
            let last = self.events.entry(learner).or_insert(state.seq);
            if state.seq <= *last {
                self.behind.remove(&learner);
                continue;
            }
            let (at, looks) = self.behind.entry(learner).or_insert((*last, 0));
            if at != last {
                (*at, *looks) = (*last, 0);
            }
            *looks += 1;
            if *looks > PATIENCE {
                let after = std::mem::replace(last, state.seq);
                self.behind.remove(&learner);
                gaps.push(Replay { learner, after });
            }
        }
        gaps
    }

    pub(super) async fn tell_states(
        &mut self,
        line: &mut Line,
        caller: &Caller,
        now: &Published,
    ) -> Result<(), Broken> {
        for (id, state) in &now.learners {
            let known = self.states.get(id);
            if caller.sees(*id) && !known.is_some_and(|before| Arc::ptr_eq(before, state)) {
                // Whoever wants the events before the first state of a learner asks for them.
                self.events.entry(*id).or_insert(state.seq);
                line.send(FromHost::Snapshot(Cow::Borrowed(state))).await?;
            }
        }
        for &learner in self.states.keys() {
            if !now.learners.contains_key(&learner) {
                self.events.remove(&learner);
                self.behind.remove(&learner);
                if caller.sees(learner) {
                    line.send(FromHost::Gone { learner }).await?;
                }
            }
        }
        self.states.clone_from(&now.learners);
        Ok(())
    }

    pub(super) async fn tell_samples(
        &mut self,
        line: &mut Line,
        caller: &Caller,
        now: Arc<Samples>,
    ) -> Result<(), Broken> {
        for (id, sample) in now.iter() {
            let known = self.samples.get(id);
            if caller.sees(*id) && !known.is_some_and(|before| Arc::ptr_eq(before, sample)) {
                line.send(FromHost::Sample(Cow::Borrowed(sample))).await?;
            }
        }
        self.samples = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(learner: LearnerId, seq: u64) -> Event {
        Event {
            seq,
            at_unix_ms: 0,
            learner,
            session: crate::protocol::ids::SessionId::fresh(),
            body: crate::protocol::event::EventBody::SessionResumed,
        }
    }

    #[test]
    fn who_missed_an_event_is_told_from_where_to_ask() {
        let learner = LearnerId::fresh();
        let mut seen = Seen::default();
        assert_eq!(seen.event(&event(learner, 5)), None);
        assert_eq!(seen.event(&event(learner, 6)), None);
        let gap = seen.event(&event(learner, 9));
        assert_eq!(gap, Some(Replay { learner, after: 6 }));
        assert_eq!(seen.event(&event(learner, 10)), None);
    }
}
