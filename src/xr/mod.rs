//! OpenXR: instance, session lifecycle, frame wait, actions, tracked rig, hands, haptics.
//! In: the runtime. Out: [`rig`] components, [`XrPhase`], [`FrameStats`]. Never: what an interaction means.

use bevy::prelude::*;

pub mod pointer;
pub mod rig;

/// Where the OpenXR session stands. One enum, no booleans beside it.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum XrPhase {
    /// No runtime asked for or none answered; desktop or headless.
    #[default]
    Absent,
    /// The runtime is there, the headset not yet, or put down (IDLE, READY, SYNCHRONIZED, STOPPING).
    Waiting,
    /// Frames are shown, input belongs to somebody else (VISIBLE).
    Visible,
    /// Frames are shown and input is ours (FOCUSED).
    Focused,
    /// The session or the whole runtime is gone; it is being looked for.
    Lost,
}

/// What a frame cost, from our own frame loop. Bounded ring, no allocation per frame.
#[derive(Resource, Debug, Clone, Default)]
pub struct FrameStats {
    /// Frames begun since the session first ran.
    pub frames: u64,
    /// Frames whose predicted display time skipped at least one period.
    pub missed: u64,
    /// The runtime's predicted display period of the last frame, seconds; 0 before the first.
    pub period: f64,
    /// CPU time of the application in the last frame (wait left out), seconds.
    pub cpu: f64,
    /// From process start to the first FOCUSED frame, seconds.
    pub start_to_focused: Option<f64>,
}
