//! From a name or a file to a checked lesson.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::{CheckReport, check_text, read_text};
use super::format::{Lesson, Step};
use crate::protocol::ids::StepId;

/// Lessons inside the program: name and text.
const BUNDLED: &[(&str, &str)] = &[(
    "first-steps",
    include_str!("../../assets/lessons/first-steps.ron"),
)];

/// A lesson that passed the check.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The lesson.
    pub lesson: Arc<Lesson>,
    /// Its file; `None`: bundled.
    pub path: Option<PathBuf>,
    /// CRC-32 and length of its text, in hexadecimal: tells editions apart.
    pub digest: String,
}

impl Loaded {
    /// The step of that name.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.lesson.steps.iter().find(|step| step.id == *id)
    }

    /// Folder that glTF and sound paths are relative to. A bundled lesson's on Android is inside the package, where
    /// paths begin at its assets.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        const BUNDLED: &str = if cfg!(target_os = "android") {
            "lessons"
        } else {
            "assets/lessons"
        };
        self.path
            .as_deref()
            .and_then(Path::parent)
            .map_or_else(|| PathBuf::from(BUNDLED), Path::to_owned)
    }
}

/// Why a lesson can't be loaded. Every variant names the place and the cure.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// Neither a bundled lesson nor a file.
    #[error(
        "there is no lesson `{name}`: it is neither a file nor one of the bundled lessons ({known}){did_you_mean}"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// Bundled names.
        known: String,
        /// A near name, as a sentence, or nothing.
        did_you_mean: String,
    },
    /// It has mistakes.
    #[error("the lesson has mistakes:\n{0}")]
    Mistakes(CheckReport),
}

/// Names of the lessons inside the program.
pub fn bundled() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, _)| *name)
}

/// Loads a bundled lesson by name, or a file.
///
/// # Errors
/// [`LessonError`]; mistakes come all at once, each with its line.
pub fn load(name_or_path: &str) -> Result<Loaded, LessonError> {
    if let Some((name, text)) = BUNDLED.iter().find(|(name, _)| *name == name_or_path) {
        return from_text(&PathBuf::from(format!("{name}.ron")), text, None);
    }
    let path = Path::new(name_or_path);
    if !path.exists() {
        let names: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
        let did_you_mean = super::check::nearest(name_or_path, names.iter().copied())
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        return Err(LessonError::Unknown {
            name: name_or_path.to_owned(),
            known: names.join(", "),
            did_you_mean,
        });
    }
    load_file(path)
}

/// Loads a lesson file.
///
/// # Errors
/// [`LessonError`].
pub fn load_file(path: &Path) -> Result<Loaded, LessonError> {
    let text = read_text(path).map_err(LessonError::Mistakes)?;
    from_text(path, &text, Some(path))
}

/// Loads a lesson from its text. What it names beside itself lies where a bundled lesson's would.
///
/// # Errors
/// [`LessonError::Mistakes`].
pub fn load_text(text: &str) -> Result<Loaded, LessonError> {
    from_text(Path::new("lesson.ron"), text, None)
}

fn from_text(file: &Path, text: &str, path: Option<&Path>) -> Result<Loaded, LessonError> {
    let folder = path.and_then(Path::parent);
    let (lesson, report) = check_text(file, text, folder);
    match lesson {
        Some(lesson) if !report.has_errors() => Ok(Loaded {
            lesson: Arc::new(lesson),
            path: path.map(Path::to_owned),
            digest: format!("{:08x}-{:x}", crc32fast::hash(text.as_bytes()), text.len()),
        }),
        _ => Err(LessonError::Mistakes(report)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_lesson_loads() {
        for (name, _) in BUNDLED {
            let loaded = load(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(loaded.lesson.id.as_str(), *name);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let text = load("frist-steps").unwrap_err().to_string();
        assert!(text.contains("did you mean `first-steps`"), "{text}");
    }
}
