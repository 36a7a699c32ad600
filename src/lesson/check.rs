//! `lesson check`: every mistake of a lesson at once, each with its place, what is wrong, and how to mend it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::format::{FORMAT_VERSION, Lesson};
use super::rules;
use super::source::{Key, Place, Spot, places};

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
    pub(super) mistakes: Vec<Mistake>,
}

impl Findings<'_> {
    pub(super) fn error(&mut self, path: &[Key], what: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Error, path, what.into(), mend.into());
    }

    pub(super) fn warning(&mut self, path: &[Key], what: impl Into<String>, mend: impl Into<String>) {
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

/// Checks a lesson file.
#[must_use]
pub fn check_file(file: &Path) -> CheckReport {
    match std::fs::read(file) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => check_text(file, &text, file.parent()).1,
            Err(error) => one_mistake(
                file,
                format!("the file is not UTF-8 text: {error}"),
                "save it as UTF-8",
            ),
        },
        Err(error) => one_mistake(file, format!("the file cannot be read: {error}"), "check its name"),
    }
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
/// Gives the lesson too where it could be read.
#[must_use]
pub fn check_text(file: &Path, text: &str, folder: Option<&Path>) -> (Option<Lesson>, CheckReport) {
    let root = places(text);
    let mut findings = Findings {
        root: &root,
        mistakes: Vec::new(),
    };
    unknown_fields(&root, &mut findings.mistakes);
    let options = ron::Options::default()
        .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
        .with_recursion_limit(64);
    let lesson = match options.from_str::<Lesson>(text) {
        Ok(lesson) => {
            if lesson.version == FORMAT_VERSION {
                rules::check(&lesson, folder, &mut findings);
            } else {
                findings.error(
                    &[Key::Field("version")],
                    format!("version {} is not known", lesson.version),
                    format!("this program reads version {FORMAT_VERSION}"),
                );
            }
            Some(lesson)
        }
        Err(error) => {
            let found_already =
                matches!(error.code, ron::Error::NoSuchStructField { .. }) && !findings.mistakes.is_empty();
            if !found_already {
                let place = Place {
                    line: u32::try_from(error.span.start.line).unwrap_or(u32::MAX),
                    column: u32::try_from(error.span.start.col).unwrap_or(u32::MAX),
                };
                findings.mistakes.push(Mistake {
                    severity: Severity::Error,
                    place,
                    what: error.code.to_string(),
                    mend: "`malloc-vr lesson schema` describes the format".to_owned(),
                });
            }
            None
        }
    };
    let mut mistakes = findings.mistakes;
    mistakes.sort_by_key(|mistake| mistake.place);
    let report = CheckReport {
        file: file.to_owned(),
        mistakes,
    };
    (lesson, report)
}

const LESSON: &[&str] = &[
    "version", "id", "title", "summary", "language", "skills", "objects", "sockets", "panels",
    "steps", "flow",
];
/// Fields of the structs in each list of a lesson.
const LISTS: &[(&str, &[&str])] = &[
    ("skills", &["id", "title", "requires", "bkt"]),
    (
        "objects",
        &["id", "label", "shape", "position", "rotation", "color", "role"],
    ),
    (
        "sockets",
        &["id", "label", "position", "rotation", "accepts", "reach"],
    ),
    ("panels", &["id", "position", "rotation", "size", "content"]),
    (
        "steps",
        &[
            "id",
            "event",
            "goal",
            "say",
            "action",
            "time_limit",
            "evidence_for",
            "hints",
            "on_failure",
        ],
    ),
];
const HINT: &[&str] = &["text", "highlight"];
const LINE: &[&str] = &["caption", "audio"];

/// RON's reader stops at the first unknown field; an author wants to see all.
fn unknown_fields(root: &Spot, mistakes: &mut Vec<Mistake>) {
    unknown_in(root, LESSON, "a lesson", mistakes);
    for (list, known) in LISTS {
        for item in &root.at(&[Key::Field(list)]).items {
            unknown_in(item, known, list, mistakes);
        }
    }
    for step in &root.at(&[Key::Field("steps")]).items {
        for (field, _, inner) in &step.fields {
            match field.as_str() {
                "hints" => {
                    for hint in &inner.items {
                        unknown_in(hint, HINT, "hints", mistakes);
                    }
                }
                "say" => unknown_in(inner, LINE, "a line", mistakes),
                _ => {}
            }
        }
    }
}

fn unknown_in(spot: &Spot, known: &[&str], of: &str, mistakes: &mut Vec<Mistake>) {
    for (field, place, _) in &spot.fields {
        if !known.contains(&field.as_str()) {
            let mend = match nearest(field, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known fields: {}", known.join(", ")),
            };
            mistakes.push(Mistake {
                severity: Severity::Error,
                place: *place,
                what: format!("unknown field `{field}` in {of}"),
                mend,
            });
        }
    }
}

/// The candidate that is most like `wrong`, if one is alike at all (edit distance up to a third of its length).
pub(super) fn nearest<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = wrong.chars().count().div_ceil(3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(wrong, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
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
