//! What is taught: the lesson's text, its loader and validator, its step graph.
//! In: a RON file by an author. Out: a checked [`format::Lesson`], or every mistake at once with its line.
//! Never: what a learner did, or anything drawn.

mod check;
pub mod choices;
pub mod format;
pub mod graph;
mod load;
mod mend;
pub mod placed;
mod read;
mod rules;
mod shelf;
mod source;
mod starter;
#[cfg(test)]
mod tests;
mod watch;

pub use check::{CheckReport, Mistake, Severity, check_file, check_text};
pub use load::{LessonError, Loaded, bundled, load, load_file, load_text};
pub use shelf::{NotKept, Shelf};
pub use source::Place;
pub use starter::{BadName, starter};
pub use watch::{ActiveLesson, LessonFault, LessonPlugin, LessonReloaded};

/// The JSON Schema of the format, for editors.
#[must_use]
pub fn schema_json() -> String {
    let schema = schemars::schema_for!(format::Lesson);
    // A schema is plain data; writing it as text cannot fail.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}
