//! A learner's state: the fold of their events, and nothing else.

use bevy::prelude::*;
use crate::protocol::event::PauseCause;
use crate::protocol::ids::StepId;

/// What the log says about a learner.
#[derive(Component, Debug, Clone, Default, PartialEq)]
pub struct LearnerState {
    pub step: Option<StepId>,
    pub completed: Vec<StepId>,
    pub hint_level: u8,
    pub failures_on_step: u32,
    pub paused_by: Vec<PauseCause>,
    pub ended: bool,
    pub seq: u64,
}
