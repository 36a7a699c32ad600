//! What a learner or their family has asked of the record: notes, restrictions; and what was disclosed of it.
//! The fold of the log's events of that kind.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::protocol::consent::ConsentActor;
use crate::protocol::event::{Event, EventBody};
use crate::protocol::privacy::{Amendment, Disclosure, RestrictionGround};

/// An entry with its place and time in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted<T> {
    /// Place in the log.
    pub seq: u64,
    /// Milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// What was noted.
    pub what: T,
}

/// The standing of one learner's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    restricted: BTreeMap<ConsentActor, RestrictionGround>,
    /// Notes, oldest first.
    pub amendments: Vec<Noted<Amendment>>,
    /// Disclosures, oldest first (34 CFR §99.32(a)(2): kept as long as the record).
    pub disclosures: Vec<Noted<Disclosure>>,
}

impl Rights {
    /// The fold of a log.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let mut rights = Self::default();
        for event in events {
            rights.take_in(event);
        }
        rights
    }

    /// One event more. Other events change nothing.
    pub fn take_in(&mut self, event: &Event) {
        match &event.body {
            EventBody::ProcessingRestricted { actor, ground } => {
                self.restricted.insert(*actor, *ground);
            }
            EventBody::RestrictionLifted { actor } => {
                self.restricted.remove(actor);
            }
            EventBody::AmendmentNoted(amendment) => {
                self.amendments.push(noted(event, amendment.clone()));
            }
            EventBody::Disclosed(disclosure) => {
                self.disclosures.push(noted(event, disclosure.clone()));
            }
            _ => {}
        }
    }

    /// Whose restriction holds, if one does: kept, and not used but for what the law leaves open (GDPR Art. 18(2)).
    /// Where the school lifts its own, it tells the family first (Art. 18(3)); nobody lifts another's.
    #[must_use]
    pub fn restricted_by(&self) -> Option<(ConsentActor, RestrictionGround)> {
        self.restricted
            .iter()
            .next()
            .map(|(actor, ground)| (*actor, *ground))
    }

    /// Whether this actor's own restriction holds.
    #[must_use]
    pub fn is_restricted_by(&self, actor: ConsentActor) -> bool {
        self.restricted.contains_key(&actor)
    }

    /// Notes to this event.
    pub fn notes_to(&self, seq: u64) -> impl Iterator<Item = &Noted<Amendment>> {
        self.amendments
            .iter()
            .filter(move |note| note.what.about_seq == seq)
    }

    /// Events that somebody disputes.
    #[must_use]
    pub fn disputed(&self) -> BTreeSet<u64> {
        self.amendments
            .iter()
            .map(|note| note.what.about_seq)
            .collect()
    }
}

fn noted<T>(event: &Event, what: T) -> Noted<T> {
    Noted {
        seq: event.seq,
        at_unix_ms: event.at_unix_ms,
        what,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::protocol::consent::OUTSIDE_SESSIONS;
    use crate::protocol::ids::LearnerId;

    fn log(bodies: Vec<EventBody>) -> Vec<Event> {
        (1..)
            .zip(bodies)
            .map(|(seq, body)| Event {
                seq,
                at_unix_ms: seq,
                learner: LearnerId(Uuid::nil()),
                session: OUTSIDE_SESSIONS,
                body,
            })
            .collect()
    }

    #[test]
    fn a_restriction_holds_until_whoever_asked_for_it_lifts_it() {
        let mut bodies = vec![
            EventBody::ProcessingRestricted {
                actor: ConsentActor::Guardian,
                ground: RestrictionGround::AccuracyDisputed,
            },
            EventBody::RestrictionLifted {
                actor: ConsentActor::School,
            },
        ];
        assert_eq!(
            Rights::of(&log(bodies.clone())).restricted_by(),
            Some((ConsentActor::Guardian, RestrictionGround::AccuracyDisputed))
        );
        bodies.push(EventBody::RestrictionLifted {
            actor: ConsentActor::Guardian,
        });
        assert_eq!(Rights::of(&log(bodies)).restricted_by(), None);
    }

    #[test]
    fn a_note_stays_with_the_event_it_is_about() {
        let note = Amendment {
            about_seq: 1,
            note: "the controller had lost tracking".to_owned(),
            actor: ConsentActor::Learner,
        };
        let rights = Rights::of(&log(vec![
            EventBody::SessionResumed,
            EventBody::AmendmentNoted(note.clone()),
        ]));
        assert_eq!(
            rights.notes_to(1).next().map(|noted| &noted.what),
            Some(&note)
        );
        assert_eq!(rights.notes_to(2).count(), 0);
        assert!(rights.disputed().contains(&1));
    }
}
