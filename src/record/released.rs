//! What leaves in the place of recorded movements: outcomes and noised words about stretches of attempts, made from the
//! recording where it lies.
//!
//! The noise of a word is drawn from the store's secret and the word's place: asked for again, it is the same, for fresh
//! noise would average out. Never: a pose, a time, a length.

use super::motion::derived::{Derived, Released};
use super::motion::words::WordNoise;
use super::motion::{ConsentToken, MotionFrame};
use super::movements::MovementsError;
use super::store::Store;
use crate::protocol::event::{Attempt, Event, EventBody};
use crate::protocol::ids::{LearnerId, SessionId};

impl Store {
    /// What may leave of a session's movements, by attempt, for who shows the consent that they were recorded under.
    ///
    /// # Errors
    /// As [`Store::movements`].
    pub fn released(
        &self,
        token: &ConsentToken,
        learner: LearnerId,
        session: SessionId,
        now_unix_ms: u64,
        noise: &WordNoise,
    ) -> Result<Vec<Released>, MovementsError> {
        let log: Vec<Event> = self.events(learner)?;
        let own: Vec<&Event> = log
            .iter()
            .filter(|event| event.session == session)
            .collect();
        let runs = self.movements(token, learner, session, now_unix_ms)?;
        let mut derived = Derived::new();
        let mut released = Vec::new();
        for (number, attempts) in (0..).zip(tried(&own)) {
            let frames = runs.iter().find(|run| run.number == number);
            let mut frames = frames.map_or(&[][..], |run| &run.frames).iter().peekable();
            for (at_ns, seq, attempt) in attempts {
                let until = |frame: &&MotionFrame| {
                    frame.reveal(token).0.as_nanos() <= u128::from(at_ns).saturating_add(1000)
                };
                while let Some(frame) = frames.next_if(until) {
                    derived.observe(frame);
                }
                let mut drawn = 0;
                released.push(derived.release(seq, attempt, noise, || {
                    drawn += 1;
                    self.uniform(learner, session, seq, drawn)
                }));
            }
        }
        Ok(released)
    }

    /// From [0, 1), the same for the same place and nothing that anybody without the store's secret could know.
    fn uniform(&self, learner: LearnerId, session: SessionId, seq: u64, drawn: u64) -> f64 {
        let row = self.secrets.row(learner);
        let hash = self.secrets.words(row, session.0.as_u128(), seq, drawn);
        let [a, b, c, d, e, f, g, h, ..] = hash;
        // 53 bits: every one of them representable.
        (u64::from_le_bytes([a, b, c, d, e, f, g, h]) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// By run of the program: attempts with the time of their frame, place and content.
fn tried<'a>(own: &[&'a Event]) -> Vec<Vec<(u64, u64, &'a Attempt)>> {
    let mut runs = Vec::new();
    let mut waiting = Vec::new();
    for event in own {
        match &event.body {
            EventBody::SessionStarted { .. } | EventBody::SessionResumed => {
                runs.push(Vec::new());
                waiting.clear();
            }
            EventBody::Attempted(attempt) => waiting.push((event.seq, attempt)),
            EventBody::Timed(time) => {
                if let Some(run) = runs.last_mut() {
                    let timed = waiting.drain(..);
                    run.extend(timed.map(|(seq, attempt)| (time.at_ns, seq, attempt)));
                }
            }
            _ => {}
        }
    }
    runs
}
