//! Sessions: a learner entity from join to end.
//! In: [`Happened`]. Out: [`LearnerState`] (the fold of the log), [`Folded`]. Never waits, never touches the disk.

use bevy::prelude::*;

use crate::protocol::command::{Command, Outcome};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{LearnerId, PanelId, SessionId};

pub mod state;

/// A learner: one on a headset, many on a host.
#[derive(Component, Debug, Clone, Copy)]
#[require(state::LearnerState)]
pub struct Learner {
    /// Pseudonym.
    pub id: LearnerId,
    /// The running session.
    pub session: SessionId,
}

/// Something happened to a learner: the session gives it its place in the log, folds it and has it stored.
#[derive(Message, Debug, Clone)]
pub struct Happened {
    /// The learner entity.
    pub learner: Entity,
    /// What.
    pub body: EventBody,
}

/// An event now is part of the learner's state (and on its way to the disk).
#[derive(Message, Debug, Clone)]
pub struct Folded {
    /// The learner entity.
    pub learner: Entity,
    /// The event, with its place in the log.
    pub event: Event,
}

/// Somebody asks for something: bridge, desk, learner's menu or the adaptation rules.
#[derive(Message, Debug, Clone)]
pub struct CommandRequested(pub Command);

/// What became of it: written by `adaptation`, read by whoever asked.
#[derive(Message, Debug, Clone)]
pub struct CommandAnswered {
    /// The command.
    pub command: Command,
    /// What happened in the world.
    pub outcome: Outcome,
}

/// The learner chose an answer on a panel: written by `ui`, judged by `task`.
#[derive(Message, Debug, Clone)]
pub struct PanelAnswered {
    /// Which panel.
    pub panel: PanelId,
    /// Which choice, from 0.
    pub choice: u32,
}
