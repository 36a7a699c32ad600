//! What is taught: the lesson's text, its loader and validator, its step graph.
//! In: a RON file by an author. Out: a checked [`format::Lesson`], or every mistake at once with its line.
//! Never: what a learner did, or anything drawn.

use bevy::prelude::*;

pub mod format;
pub mod graph;
pub mod placed;

#[derive(Resource, Debug, Clone)]
pub struct ActiveLesson {
    pub lesson: format::Lesson,
}
impl std::ops::Deref for ActiveLesson {
    type Target = format::Lesson;
    fn deref(&self) -> &format::Lesson {
        &self.lesson
    }
}
impl ActiveLesson {
    pub fn step(&self, id: &crate::protocol::ids::StepId) -> Option<&format::Step> {
        self.lesson.steps.iter().find(|s| s.id == *id)
    }
}

#[derive(Message, Debug, Clone)]
pub struct LessonReloaded;
