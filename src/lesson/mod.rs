//! What is taught: the lesson's text, its loader and validator, its step graph.
//! In: a RON file by an author. Out: a checked [`format::Lesson`], or every mistake at once with its line.
//! Never: what a learner did, or anything drawn.

pub mod format;
