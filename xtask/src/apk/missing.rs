//! What a machine lacks for the headset's package, told all at once.

use std::fmt;

/// All that is missing, each with the command that mends it.
#[derive(Debug)]
pub struct Missing(pub Vec<Lack>);

/// One thing.
#[derive(Debug)]
pub struct Lack {
    pub what: String,
    pub mend: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} thing(s) missing for the headset's package:",
            self.0.len()
        )?;
        for lack in &self.0 {
            write!(f, "\n  {}\n      {}", lack.what, lack.mend)?;
        }
        write!(
            f,
            "\n`cargo xtask apk --linkcheck` needs none of them, and docs/quest.md begins at an empty laptop."
        )
    }
}

impl std::error::Error for Missing {}
