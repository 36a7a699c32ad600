//! A picture of what a learner sees: the bridge asks for it, `ui` takes it, and whoever asked gets it. Never kept.

use std::sync::Arc;

use bevy::prelude::*;

use crate::protocol::ids::LearnerId;
use crate::protocol::picture::NoPicture;

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
    /// A PNG file, at most [`MOST_BYTES`](crate::protocol::picture::MOST_BYTES).
    pub png: Arc<[u8]>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}
