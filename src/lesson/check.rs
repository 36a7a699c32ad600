//! `lesson check`: every mistake of a lesson at once, each with its place, what is wrong, and how to mend it.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::format::{FORMAT_VERSION, Lesson};
use super::read::read;
use super::rules;
use super::source::{Key, Place, Spot};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The lesson cannot be played.
    Error,
    /// It can, but a learner would suffer.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// All that is wrong with a lesson. Displays like a compiler's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// The file, as it was named.
    pub file: PathBuf,
    /// In the order of the text.
    pub mistakes: Vec<Mistake>,
}

impl CheckReport {
    /// Whether the lesson cannot be played.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    fn count(&self, severity: Severity) -> usize {
        self.mistakes
            .iter()
            .filter(|mistake| mistake.severity == severity)
            .count()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.mistakes {
            let kind = match mistake.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let Place { line, column } = mistake.place;
            writeln!(
                f,
                "{}:{line}:{column}: {kind}: {}",
                self.file.display(),
                mistake.what
            )?;
            if !mistake.mend.is_empty() {
                writeln!(f, "    mend: {}", mistake.mend)?;
            }
        }
        writeln!(
            f,
            "{}: {} error(s), {} warning(s)",
            self.file.display(),
            self.count(Severity::Error),
            self.count(Severity::Warning)
        )
    }
}

/// Collects mistakes against the places of a text.
pub(super) struct Findings<'a> {
    root: &'a Spot,
    /// Names of parts that could not be read: see [`super::read`].
    lost: &'a BTreeSet<String>,
    /// Whether the flow could not be read.
    pub(super) flow_lost: bool,
    mistakes: Vec<Mistake>,
}

impl Findings<'_> {
    /// Whether something of that name stands in the text but could not be read.
    pub(super) fn is_lost(&self, name: &str) -> bool {
        self.lost.contains(name)
    }

    /// Whether anything stands in the text that could not be read.
    pub(super) fn any_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    pub(super) fn error(&mut self, path: &[Key], what: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Error, path, what.into(), mend.into());
    }

    pub(super) fn warning(
        &mut self,
        path: &[Key],
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(Severity::Warning, path, what.into(), mend.into());
    }

    fn add(&mut self, severity: Severity, path: &[Key], what: String, mend: String) {
        self.mistakes.push(Mistake {
            severity,
            place: self.root.at(path).place,
            what,
            mend,
        });
    }
}

/// Longest lesson text, in bytes: far more than any author writes, far less than would hurt.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Checks a lesson file.
#[must_use]
pub fn check_file(file: &Path) -> CheckReport {
    match read_text(file) {
        Ok(text) => check_text(file, &text, file.parent()).1,
        Err(report) => report,
    }
}

/// The text of a lesson file, or a report that says why there is none.
pub(super) fn read_text(file: &Path) -> Result<String, CheckReport> {
    let mut bytes = Vec::new();
    // A device or a pipe would never end.
    let read = std::fs::metadata(file).and_then(|about| {
        if about.is_file() {
            std::fs::File::open(file)?
                .take(MAX_BYTES + 1)
                .read_to_end(&mut bytes)
        } else {
            Err(std::io::Error::other("it is not a file"))
        }
    });
    if let Err(error) = read {
        return Err(one_mistake(
            file,
            format!("the file cannot be read: {error}"),
            "check its name and your rights",
        ));
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(one_mistake(
            file,
            format!("the file is larger than {} MiB", MAX_BYTES / 1024 / 1024),
            "a lesson is text; keep models and sounds in files of their own",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..good]);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count())
            + 1;
        let mut report = one_mistake(
            file,
            "the file is not UTF-8 text".to_owned(),
            "save it as UTF-8",
        );
        for mistake in &mut report.mistakes {
            mistake.place = Place {
                line: u32::try_from(line).unwrap_or(u32::MAX),
                column: u32::try_from(column).unwrap_or(u32::MAX),
            };
        }
        report
    })
}

fn one_mistake(file: &Path, what: String, mend: &str) -> CheckReport {
    CheckReport {
        file: file.to_owned(),
        mistakes: vec![Mistake {
            severity: Severity::Error,
            place: Place { line: 1, column: 1 },
            what,
            mend: mend.to_owned(),
        }],
    }
}

/// Checks a lesson's text; `folder`: where its assets lie, if they can be looked for.
/// Gives the lesson too where it could be read whole.
#[must_use]
pub fn check_text(file: &Path, text: &str, folder: Option<&Path>) -> (Option<Lesson>, CheckReport) {
    // Some editors put a byte-order mark before everything.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let outcome = read(text);
    let whole = outcome.mistakes.is_empty();
    let mut findings = Findings {
        root: &outcome.root,
        lost: &outcome.lost,
        flow_lost: outcome.flow_lost,
        mistakes: Vec::new(),
    };
    let mut mistakes = outcome.mistakes;
    if let Some(lesson) = &outcome.lesson {
        if lesson.version == FORMAT_VERSION {
            rules::check(lesson, folder, &mut findings);
        } else {
            // All else may be right in that version.
            mistakes.clear();
            findings.error(
                &[Key::Field("version")],
                format!("version {} is not known", lesson.version),
                format!("this program reads version {FORMAT_VERSION}"),
            );
        }
    }
    // What a part that could not be read would say is not known, so warnings wait until it can.
    mistakes.extend(
        findings
            .mistakes
            .into_iter()
            .filter(|mistake| whole || mistake.severity == Severity::Error),
    );
    mistakes.sort_by_key(|mistake| mistake.place);
    let report = CheckReport {
        file: file.to_owned(),
        mistakes,
    };
    (outcome.lesson.filter(|_| whole), report)
}

/// Longest name that a better one is looked for, in characters.
const MAX_WORD: usize = 64;

/// The candidate that is most like `wrong`, if one is alike at all (edit distance up to a third of its length).
pub(super) fn nearest<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = wrong.chars().count();
    let limit = length.div_ceil(3).max(1);
    candidates
        .into_iter()
        // Longer words are no slips of the pen, and comparing them would take long.
        .filter(|candidate| length <= MAX_WORD && candidate.chars().count() <= MAX_WORD)
        .map(|candidate| (distance(wrong, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit && *distance < length)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Damerau–Levenshtein distance in its optimal-string-alignment form (swapped neighbours count once).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut best = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + usize::from(!same));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
