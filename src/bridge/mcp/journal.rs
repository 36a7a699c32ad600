//! The latest events of every learner, as they were published: what a timeline and an explanation are told from. The
//! log on the disk has everything; this has what happened lately, in this process.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::LearnerId;

/// Events kept of a learner.
const KEPT: usize = 200;
/// Learners kept; one more takes the place of the one who was silent longest.
const LEARNERS: usize = 8192;

/// The latest events.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<BTreeMap<LearnerId, VecDeque<Arc<Event>>>>>);

impl Journal {
    /// Follows what is published; ends with the world.
    pub(super) fn follow(mut events: broadcast::Receiver<Arc<Event>>) -> Self {
        let journal = Self::default();
        let kept = journal.clone();
        tokio::spawn(async move {
            loop {
                match events.recv().await {
                    Ok(event) => kept.note(event),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        journal
    }

    fn note(&self, event: Arc<Event>) {
        // What is measured every few seconds is in the state; here it would push out what happened.
        if matches!(event.body, EventBody::Observed { .. }) {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= LEARNERS && !all.contains_key(&event.learner) {
            let last = |events: &VecDeque<Arc<Event>>| events.back().map(|it| it.at_unix_ms);
            let silent = all.iter().min_by_key(|(_, events)| last(events));
            if let Some(id) = silent.map(|(id, _)| *id) {
                all.remove(&id);
            }
        }
        let events = all.entry(event.learner).or_default();
        if events.len() >= KEPT {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Of one learner, oldest first.
    pub(super) fn of(&self, learner: LearnerId) -> Vec<Arc<Event>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&learner)
            .map(|events| events.iter().cloned().collect())
            .unwrap_or_default()
    }
}
