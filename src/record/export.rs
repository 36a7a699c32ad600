//! A learner's record to take along: to read, to process, and for other learning systems, in one folder.
//! In: a [`Grant`], the learner's log. Out: files with their checksums. Never: more kinds of data than were granted.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::access::{Grant, Question, Relation};
use super::export_summary::summary;
use super::purpose::class_of;
use super::xapi::{Home, statements};
use crate::protocol::command::CommandBody;
use crate::protocol::event::{Event, EventBody};
use crate::protocol::privacy::{DataClass, Purpose, Role};

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log is not the granted learner's.
    #[error("event {seq} belongs to another learner; nothing was exported")]
    Foreign {
        /// Which.
        seq: u64,
    },
    /// The disclosure is not in the log yet.
    #[error("this is a disclosure; write it into the learner's record first, then export")]
    NotRecorded,
    /// The text cannot be made.
    #[error("the record cannot be written as text: {0}")]
    Text(#[from] serde_json::Error),
    /// The folder is there already.
    #[error(
        "{folder} is not empty; name a new folder, so that nothing old is taken for the export"
    )]
    NotEmpty {
        /// Where.
        folder: PathBuf,
    },
    /// The disk refuses.
    #[error(
        "the export cannot be written to {file}: {cause}; what is there is incomplete, remove it"
    )]
    Write {
        /// Where.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// What a learner or their family ask for: everything of the log. What lies beside it (roster, movements) is not in it.
#[must_use]
pub fn for_the_family() -> Question {
    Question {
        role: Role::Learner,
        relation: Relation::Self_,
        purpose: Purpose::Rights,
        data: [
            DataClass::Keeping,
            DataClass::Progress,
            DataClass::Attempts,
            DataClass::Knowledge,
            DataClass::Support,
            DataClass::Messages,
            DataClass::Rights,
            DataClass::Comfort,
        ]
        .into(),
        party: String::new(),
    }
}

/// What stands in place of words that were not granted.
const WITHHELD: &str = "[withheld]";

/// An export: names of files and what is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Name, content; the checksums last.
    pub files: Vec<(&'static str, String)>,
}

impl Export {
    /// Everything of the log that the grant covers. A note to an event goes wherever the event goes, whatever else
    /// was granted (34 CFR §99.21(c)(2)).
    ///
    /// # Errors
    /// [`ExportError`]; a disclosure has to be in the log before it is made.
    pub fn of(grant: &Grant, log: &[Event], home: &Home) -> Result<Self, ExportError> {
        if let Some(event) = log.iter().find(|event| event.learner != grant.learner()) {
            return Err(ExportError::Foreign { seq: event.seq });
        }
        if let Some(disclosed) = grant.to_record() {
            let last = log
                .iter()
                .rev()
                .find(|event| matches!(event.body, EventBody::Disclosed(_)));
            if last.map(|event| &event.body) != Some(&disclosed) {
                return Err(ExportError::NotRecorded);
            }
        }
        let events = granted(log, grant.data());
        let mut lines = String::new();
        for event in &events {
            lines.push_str(&serde_json::to_string(event)?);
            lines.push('\n');
        }
        let xapi = serde_json::to_string_pretty(&statements(&events, home))?;
        let mut files = vec![
            ("README.md", readme(grant)),
            (
                "record.md",
                summary(&events, grant.data().contains(&DataClass::Rights)),
            ),
            ("events.jsonl", lines),
            ("xapi.json", xapi),
        ];
        let sums = files
            .iter()
            .fold(String::new(), |mut sums, (name, content)| {
                for byte in Sha256::digest(content.as_bytes()) {
                    let _ = write!(sums, "{byte:02x}");
                }
                let _ = writeln!(sums, "  {name}");
                sums
            });
        files.push(("SHA256SUMS", sums));
        Ok(Self { files })
    }

    /// Writes the files into a folder, which is made if it is not there and must be empty. On Unix only its owner may
    /// look into it.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn write(&self, folder: &Path) -> Result<(), ExportError> {
        let failed = |file: &Path, cause| ExportError::Write {
            file: file.to_owned(),
            cause,
        };
        make_private(folder).map_err(|cause| failed(folder, cause))?;
        let mut there = fs::read_dir(folder).map_err(|cause| failed(folder, cause))?;
        if there.next().is_some() {
            return Err(ExportError::NotEmpty {
                folder: folder.to_owned(),
            });
        }
        for (name, content) in &self.files {
            let file = folder.join(name);
            fs::write(&file, content).map_err(|cause| failed(&file, cause))?;
        }
        Ok(())
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// The events of these kinds, and the notes to them, with words masked where words were not granted.
fn granted(log: &[Event], data: &BTreeSet<DataClass>) -> Vec<Event> {
    let kept: BTreeSet<u64> = log
        .iter()
        .filter(|event| data.contains(&class_of(&event.body)))
        .map(|event| event.seq)
        .collect();
    log.iter()
        .filter(|event| {
            kept.contains(&event.seq)
                || matches!(&event.body, EventBody::AmendmentNoted(note) if kept.contains(&note.about_seq))
        })
        .cloned()
        .map(|mut event| {
            if !data.contains(&DataClass::Messages) {
                withhold_words(&mut event.body);
            }
            event
        })
        .collect()
}

fn withhold_words(body: &mut EventBody) {
    if let EventBody::CommandApplied { command, .. } | EventBody::CommandRefused { command, .. } =
        body
    {
        WITHHELD.clone_into(&mut command.purpose);
        if let CommandBody::Message { text } = &mut command.body {
            WITHHELD.clone_into(text);
        }
    }
}

/// Whoever gets a disclosure is told that it must not go further (34 CFR §99.33(a)(1), (d)).
fn readme(grant: &Grant) -> String {
    let mut text = README.to_owned();
    if grant.to_record().is_some() {
        text.push_str(
            "
This is a disclosure of education records. Use it only for the purpose it was given for, and give it to nobody else
without the consent of the learner or their guardian. The disclosure stands in the learner's record.
",
        );
    }
    text
}

const README: &str = "\
# A learner's record

This folder is one learner's record as Malloc VR keeps it, or the part of it that whoever asked may see.

| file | for whom | what |
|---|---|---|
| `record.md` | for reading | what happened, session by session; notes, consents and disclosures |
| `events.jsonl` | for programs | every event as it is stored, one JSON object a line, oldest first; complete, nothing is left out of what was granted |
| `xapi.json` | for other learning systems | the learning in it as xAPI 1.0.3 statements |
| `SHA256SUMS` | for checking | `sha256sum -c SHA256SUMS` says whether a file was changed since |

The learner appears under a pseudonym; the name stands only in the school's roster, which is kept apart.
What an estimate says ('how probable it is that a skill is known') is computed from the events and is no mark.

What you can ask for besides: that a note be added to anything you think is wrong, that the record not be used for a
while, or that it be erased. `malloc-vr records --help` shows how; the school does it for you if you ask.
";

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
