//! The adaptation table a school plays with: read and checked before anything starts.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::adaptation::Strategies;
use crate::learning::strategy::check::Mistake;

/// Why a table cannot be used, with every mistake in it.
#[derive(Debug)]
pub(super) enum BadPolicy {
    /// The file cannot be read.
    Unreadable { file: PathBuf, why: String },
    /// It is read, and wrong.
    Wrong {
        file: PathBuf,
        mistakes: Vec<Mistake>,
    },
}

impl fmt::Display for BadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, why } => write!(
                f,
                "the adaptation table {} cannot be read ({why}); leave --policy out for the one delivered",
                file.display()
            ),
            Self::Wrong { file, mistakes } => {
                write!(
                    f,
                    "the adaptation table {} has {} mistake(s); nothing was started",
                    file.display(),
                    mistakes.len()
                )?;
                for mistake in mistakes {
                    write!(f, "\n  {mistake}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for BadPolicy {}

/// The table in a file, or the one delivered.
///
/// # Errors
/// [`BadPolicy`] names the file and every mistake.
pub(super) fn read(file: Option<&Path>) -> Result<Strategies, BadPolicy> {
    let Some(file) = file else {
        return Ok(Strategies::default());
    };
    let text = std::fs::read_to_string(file).map_err(|error| BadPolicy::Unreadable {
        file: file.to_owned(),
        why: error.to_string(),
    })?;
    Strategies::read(&text).map_err(|mistakes| BadPolicy::Wrong {
        file: file.to_owned(),
        mistakes,
    })
}
