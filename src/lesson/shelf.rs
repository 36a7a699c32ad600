//! The lessons that can be begun while the program runs: the bundled ones, the one that runs, and those brought by somebody.

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::load::{Loaded, bundled, load};
use crate::protocol::ids::LessonId;

/// Lessons that somebody may bring to one program.
pub const MOST_BROUGHT: usize = 32;

/// Lessons by name, read and checked: beginning one waits for no disk.
#[derive(Resource, Debug, Clone)]
pub struct Shelf {
    bundled: BTreeMap<LessonId, Loaded>,
    brought: BTreeMap<LessonId, Loaded>,
}

/// Why a lesson is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// It would hide one of the program's own.
    #[error("`{0}` is the name of a lesson that comes with the program; give yours another id")]
    Bundled(LessonId),
    /// There is no room.
    #[error(
        "{MOST_BROUGHT} lessons were brought already; the program keeps no more until it is started again"
    )]
    Full,
}

impl Default for Shelf {
    /// What comes with the program.
    fn default() -> Self {
        let read = bundled().filter_map(|name| load(name).ok());
        Self {
            bundled: read.map(|it| (it.lesson.id.clone(), it)).collect(),
            brought: BTreeMap::new(),
        }
    }
}

impl Shelf {
    /// The lesson of this name.
    #[must_use]
    pub fn get(&self, id: &LessonId) -> Option<&Loaded> {
        self.brought.get(id).or_else(|| self.bundled.get(id))
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &LessonId> {
        self.bundled.keys().chain(self.brought.keys())
    }

    /// Keeps a lesson that was brought; one of the same name that was brought before gives way.
    ///
    /// # Errors
    /// [`NotKept`].
    pub fn keep(&mut self, lesson: Loaded) -> Result<(), NotKept> {
        self.may_keep(&lesson)?;
        self.brought.insert(lesson.lesson.id.clone(), lesson);
        Ok(())
    }

    /// Whether [`Shelf::keep`] would.
    ///
    /// # Errors
    /// [`NotKept`].
    pub fn may_keep(&self, lesson: &Loaded) -> Result<(), NotKept> {
        let id = &lesson.lesson.id;
        if self.bundled.contains_key(id) {
            return Err(NotKept::Bundled(id.clone()));
        }
        if self.brought.len() >= MOST_BROUGHT && !self.brought.contains_key(id) {
            return Err(NotKept::Full);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::load_text;

    #[test]
    fn a_lesson_that_was_brought_is_kept_beside_the_bundled_ones_and_hides_none() {
        let mut shelf = Shelf::default();
        let first = load("first-steps").unwrap();
        let before = shelf.names().count();
        assert!(shelf.get(&first.lesson.id).is_some());
        assert_eq!(
            shelf.keep(first.clone()),
            Err(NotKept::Bundled(first.lesson.id.clone()))
        );
        let text = std::fs::read_to_string("assets/lessons/first-steps.ron").unwrap();
        let mine = text.replacen("\"first-steps\"", "\"my-steps\"", 1);
        shelf.keep(load_text(&mine).unwrap()).unwrap();
        assert_eq!(shelf.names().count(), before + 1);
        assert!(shelf.get(&LessonId::new("my-steps")).is_some());
    }
}
