//! Which entity stands for which part of the lesson. Put there by `task`, read by whoever draws or judges.

use bevy::prelude::*;

use crate::protocol::ids::{ObjectId, PanelId, SocketId};

/// Stands for this object of the lesson.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub struct LessonObject(pub ObjectId);

/// Stands for this socket of the lesson.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub struct LessonSocket(pub SocketId);

/// Stands for this panel of the lesson; what it shows is drawn by `ui`.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub struct LessonPanel(pub PanelId);
