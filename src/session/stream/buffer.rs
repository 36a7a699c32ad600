//! What waits to be sent or acknowledged: every event, and the samples of the last minutes.
//!
//! Parcels leave in the order in which things happened, each with what has to be there before it. What isn't
//! acknowledged in time goes out again from there on (go-back-n; Tanenbaum & Wetherall 2011, 3.4.2). Samples that
//! become too many are dropped, oldest first, and counted; events never: what doesn't fit in memory is read again from
//! the learner's log, where every event is. Pure: neither socket nor clock.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::event::Event;
use crate::protocol::parcel::{Content, Parcel, Position};
use crate::protocol::sample::Sample;

/// How much is kept, and how it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BufferRules {
    /// How far back samples are kept: 2 min. What is a little older goes when a newer one comes.
    pub horizon: Duration,
    /// Samples kept at most: 96, two minutes of them at the shortest interval of 2 s, and some urgent ones. At least 1.
    pub samples: usize,
    /// Events kept in memory, at least 1. Arbitrary: 32, some minutes of them; the log has the rest.
    pub events: usize,
    /// Events under way without acknowledgement. Arbitrary: 256. At least 1.
    pub under_way: u64,
    /// What isn't acknowledged after this long goes out again: 2 s. A link that is congested is not helped by less.
    pub retry_after: Duration,
}

impl Default for BufferRules {
    fn default() -> Self {
        Self {
            horizon: Duration::from_mins(2),
            samples: 96,
            events: 32,
            under_way: 256,
            retry_after: Duration::from_secs(2),
        }
    }
}

/// Why something can't be taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BufferError {
    /// Not the next event of the log.
    #[error("after event {last} comes {found}; hand over every event of the log in order")]
    Gap {
        /// The last one.
        last: u64,
        /// This one.
        found: u64,
    },
    /// Whoever receives has what was never sent.
    #[error(
        "the receiver has event {events}, and the log here ends at {logged}: it is another log or this one lost its end; fetch the missing events from the receiver before going on"
    )]
    BeyondLog {
        /// What the receiver has.
        events: u64,
        /// What there is.
        logged: u64,
    },
}

/// What one learner's stream holds for one receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    rules: BufferRules,
    /// The log's last ones, without gaps.
    events: VecDeque<Event>,
    /// What was read again from the log: the next ones to be sent, without gaps.
    reread: VecDeque<Event>,
    /// Last event of the log.
    logged: u64,
    samples: VecDeque<Sample>,
    /// What the receiver has for good.
    acknowledged: Position,
    /// What went out since the last going back.
    sent: Position,
    /// Since when nothing was acknowledged although something is under way.
    waiting_since: Option<Duration>,
    dropped: u64,
}

impl Outgoing {
    /// For a log whose last event is `logged` (0: none yet). Nothing is sent before [`Outgoing::connect`] says what the
    /// receiver has, unless it has nothing.
    #[must_use]
    pub fn new(logged: u64, rules: BufferRules) -> Self {
        Self {
            rules,
            events: VecDeque::new(),
            reread: VecDeque::new(),
            logged,
            samples: VecDeque::new(),
            acknowledged: Position::default(),
            sent: Position::default(),
            waiting_since: None,
            dropped: 0,
        }
    }

    /// Takes in the next event of the log.
    ///
    /// # Errors
    /// [`BufferError::Gap`] if it isn't.
    pub fn event(&mut self, event: Event) -> Result<(), BufferError> {
        if event.seq != self.logged + 1 {
            return Err(BufferError::Gap {
                last: self.logged,
                found: event.seq,
            });
        }
        self.logged = event.seq;
        // The log has it still.
        while self.events.len() >= self.rules.events.max(1) {
            self.events.pop_front();
        }
        self.events.push_back(event);
        Ok(())
    }

    /// Takes in a sample. The oldest give way.
    pub fn sample(&mut self, sample: Sample) {
        let too_old = |oldest: &Sample| sample.at.saturating_sub(oldest.at) > self.rules.horizon;
        while self.samples.len() >= self.rules.samples.max(1)
            || self.samples.front().is_some_and(too_old)
        {
            self.samples.pop_front();
            self.dropped += 1;
        }
        self.samples.push_back(sample);
    }

    /// The link is there (again), and this is what the receiver has.
    ///
    /// # Errors
    /// [`BufferError::BeyondLog`]; nothing may be sent then.
    pub fn connect(&mut self, has: Position) -> Result<(), BufferError> {
        if has.events > self.logged {
            return Err(BufferError::BeyondLog {
                events: has.events,
                logged: self.logged,
            });
        }
        self.acknowledged = has;
        self.forget();
        self.go_back();
        Ok(())
    }

    /// The receiver has this for good, and all before it. An old acknowledgement changes nothing.
    ///
    /// # Errors
    /// [`BufferError::BeyondLog`]; nothing has changed then.
    pub fn acknowledge(&mut self, has: Position, now: Duration) -> Result<(), BufferError> {
        if has.events > self.logged {
            return Err(BufferError::BeyondLog {
                events: has.events,
                logged: self.logged,
            });
        }
        let before = self.acknowledged;
        self.acknowledged = furthest(before, has);
        if self.acknowledged != before {
            self.sent = furthest(self.sent, self.acknowledged);
            let next = self.sent.events + 1;
            while self.reread.front().is_some_and(|event| event.seq < next) {
                self.reread.pop_front();
            }
            self.forget();
            self.waiting_since = (self.sent != self.acknowledged).then_some(now);
        }
        Ok(())
    }

    /// The next thing to be sent at `now` (a monotone time), if there is one and there is room under way. `None` also
    /// where it has to be read from the log first: see [`Outgoing::missing`].
    pub fn next(&mut self, now: Duration) -> Option<Parcel> {
        let waited = self.waiting_since.map(|since| now.saturating_sub(since));
        if waited.is_some_and(|waited| waited >= self.rules.retry_after) {
            self.go_back();
        }
        let before = self.sent;
        let content = if let Some(sample) = self.next_sample() {
            self.sent.samples = sample.number;
            Content::Sample(sample)
        } else {
            let event = self.next_event()?;
            self.sent.events = event.seq;
            Content::Event(event)
        };
        self.waiting_since.get_or_insert(now);
        Some(Parcel { before, content })
    }

    /// The oldest that was not sent, if all events before it were.
    fn next_sample(&self) -> Option<Sample> {
        let place = self
            .samples
            .partition_point(|sample| sample.number <= self.sent.samples);
        let sample = self.samples.get(place)?;
        (sample.after <= self.sent.events).then_some(*sample)
    }

    fn next_event(&mut self) -> Option<Event> {
        let under_way = self.sent.events.saturating_sub(self.acknowledged.events);
        if self.sent.events >= self.logged || under_way >= self.rules.under_way.max(1) {
            return None;
        }
        let next = self.sent.events + 1;
        if self.reread.front().is_some_and(|event| event.seq == next) {
            return self.reread.pop_front();
        }
        let first = self.events.front()?.seq;
        let place = usize::try_from(next.checked_sub(first)?).ok()?;
        self.events.get(place).cloned()
    }

    /// Events that have to be read from the log and given to [`Outgoing::refill`] before anything else can be sent; at
    /// most as many as may be under way.
    #[must_use]
    pub fn missing(&self) -> Option<RangeInclusive<u64>> {
        let next = self.sent.events + 1;
        let first = self.events.front().map_or(self.logged + 1, |it| it.seq);
        if next >= first || !self.reread.is_empty() {
            return None;
        }
        let last = self.sent.events + self.rules.under_way.max(1);
        Some(next..=last.min(first - 1))
    }

    /// Takes in what [`Outgoing::missing`] asked for, in order.
    ///
    /// # Errors
    /// [`BufferError::Gap`] at the first event that isn't the next one. Those before it are taken in.
    pub fn refill(&mut self, events: impl IntoIterator<Item = Event>) -> Result<(), BufferError> {
        for event in events {
            let last = self.reread.back().map_or(self.sent.events, |it| it.seq);
            if event.seq != last + 1 {
                let found = event.seq;
                return Err(BufferError::Gap { last, found });
            }
            self.reread.push_back(event);
        }
        Ok(())
    }

    /// Last event of the log that was handed over.
    #[must_use]
    pub fn logged(&self) -> u64 {
        self.logged
    }

    /// What the receiver has for good.
    #[must_use]
    pub fn acknowledged(&self) -> Position {
        self.acknowledged
    }

    /// Whether the receiver has everything.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.acknowledged.events >= self.logged && self.samples.is_empty()
    }

    /// Samples that had to give way.
    #[must_use]
    pub fn dropped_samples(&self) -> u64 {
        self.dropped
    }

    /// Samples that wait, oldest first.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// Sends again whatever isn't acknowledged.
    fn go_back(&mut self) {
        self.sent = self.acknowledged;
        self.reread.clear();
        self.waiting_since = None;
    }

    fn forget(&mut self) {
        let has = self.acknowledged;
        while self.events.front().is_some_and(|it| it.seq <= has.events) {
            self.events.pop_front();
        }
        while self
            .samples
            .front()
            .is_some_and(|it| it.number <= has.samples)
        {
            self.samples.pop_front();
        }
    }
}

fn furthest(one: Position, other: Position) -> Position {
    Position {
        events: one.events.max(other.events),
        samples: one.samples.max(other.samples),
    }
}

#[cfg(test)]
#[path = "buffer_tests.rs"]
mod tests;
