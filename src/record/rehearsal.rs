//! What is done to each event for its learner's sake, without a store: for whoever measures what that costs.

use super::boundary::screen_words;
use super::pii::Screen;
use super::seal::{NoRandomness, Sealer, Secret};
use super::sealed::event_place;
use crate::protocol::event::Event;

/// The way of an event to the disk and back, under a key of its own that is never kept.
pub struct Rehearsal {
    sealer: Sealer,
    screen: Screen,
}

impl Rehearsal {
    /// With a fresh key, and no roster whose names are masked.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn new() -> Result<Self, NoRandomness> {
        Ok(Self {
            sealer: Secret::fresh()?.sealer(),
            screen: Screen::default(),
        })
    }

    /// Masks what identifies somebody in the words of an event.
    pub fn screen(&self, event: &mut Event) {
        screen_words(&mut event.body, &self.screen);
    }

    /// The row of an event, `text` its encoding, as it would lie on the disk in its place.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn seal(&self, seq: u64, text: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        self.sealer.seal(&event_place(1, seq), text)
    }

    /// The encoding in a row; `None`: it was not sealed here in this place.
    #[must_use]
    pub fn open(&self, seq: u64, row: &[u8]) -> Option<Vec<u8>> {
        let text = self.sealer.open(&event_place(1, seq), row)?;
        Some(text.to_vec())
    }
}
