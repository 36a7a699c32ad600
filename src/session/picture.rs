//! A picture of what a learner sees: the bridge asks for it, `ui` takes it, and whoever asked gets it. Never kept.

use std::sync::Arc;

use bevy::prelude::*;

use crate::protocol::ids::LearnerId;

/// Somebody who may asks for a picture of what a learner sees: written by the bridge, answered by `ui` some frames later.
#[derive(Message, Debug, Clone, Copy)]
pub struct PictureAsked {
    /// Whose.
    pub learner: LearnerId,
    /// Tells questions apart.
    pub ticket: u64,
}

/// It is there, or cannot be had.
#[derive(Message, Debug, Clone)]
pub struct PictureTaken {
    /// The question's.
    pub ticket: u64,
    /// The picture, or why there is none.
    pub picture: Result<Picture, NoPicture>,
}

/// What the learner's left eye, or the window on a desktop, showed at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// A PNG file, at most [`MOST_BYTES`].
    pub png: Arc<[u8]>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Largest file, bytes: clients of language models take no larger ones gladly.
pub const MOST_BYTES: usize = 300_000;

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// The learner wears another headset.
    #[error(
        "this learner's headset is elsewhere and sends no pictures over its link; ask that headset's own bridge"
    )]
    Elsewhere,
    /// No renderer.
    #[error(
        "this lesson runs headless: nothing is drawn, so there is nothing to show; view.scene says in words what is there"
    )]
    NothingDrawn,
    /// Nobody looks.
    #[error(
        "the learner sees nothing now: the headset is off the head, or asleep; try again later"
    )]
    Asleep,
    /// The frame rate comes first.
    #[error(
        "the headset can hardly keep its frame rate (governor at emergency), and the learner comes first; try again in {} s",
        AFTER_EMERGENCY
    )]
    Emergency,
    /// It did not work.
    #[error("no picture could be taken: {0}; try again in a second")]
    Failed(String),
}

/// How long to wait before asking again where the governor is at emergency, seconds.
pub const AFTER_EMERGENCY: u64 = 10;

impl NoPicture {
    /// After how many seconds it is worth asking again; `None`: not worth it.
    #[must_use]
    pub fn again_after(&self) -> Option<u64> {
        match self {
            Self::Elsewhere | Self::NothingDrawn => None,
            Self::Asleep | Self::Emergency => Some(AFTER_EMERGENCY),
            Self::Failed(_) => Some(1),
        }
    }
}
