//! A learner's state: the fold of their events, and nothing else.

use bevy::prelude::*;

/// What the log says about a learner.
#[derive(Component, Debug, Clone, Default, PartialEq)]
pub struct LearnerState {}
