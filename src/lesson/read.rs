//! From a text to a lesson. RON's reader stops at the first mistake; here what can be mended in the copy is mended,
//! and what can't is left out, so that the author sees every mistake at once.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::check::{Mistake, Severity, nearest};
use super::format::{FORMAT_VERSION, Flow, Lesson};
use super::mend::Copy;
use super::source::{Place, Spot, Unclosed, places};
use crate::protocol::ids::LessonId;

/// Deeper nesting than any lesson has.
const RECURSION: usize = 64;
/// Mistakes mended in one part of a lesson before its rest is given up.
const MENDS: usize = 32;
/// What every lesson says, and what it may say besides.
const REQUIRED: &[&str] = &[
    "version", "id", "title", "summary", "language", "skills", "steps", "flow",
];
const OPTIONAL: &[&str] = &["objects", "sockets", "panels"];

/// What could be read.
pub(super) struct Outcome {
    /// The lesson; where `mistakes` is not empty, without the parts that could not be read.
    pub(super) lesson: Option<Lesson>,
    /// Where its values stand.
    pub(super) root: Spot,
    /// Why it, or a part of it, could not be read.
    pub(super) mistakes: Vec<Mistake>,
    /// Names of the parts that are missing in `lesson`: references to them do not dangle.
    pub(super) lost: BTreeSet<String>,
    /// Whether the flow is among them.
    pub(super) flow_lost: bool,
}

/// Reads a lesson's text.
pub(super) fn read(text: &str) -> Outcome {
    let (root, unclosed) = places(text);
    let mut outcome = Outcome {
        lesson: None,
        root,
        mistakes: Vec::new(),
        lost: BTreeSet::new(),
        flow_lost: false,
    };
    let error = match options().from_str::<Lesson>(text) {
        Ok(lesson) => {
            outcome.lesson = Some(lesson);
            return outcome;
        }
        Err(error) => error,
    };
    if unclosed.is_none() && !outcome.root.fields.is_empty() {
        outcome.lesson = Parts::new(text).lesson(&mut outcome);
    }
    let told = outcome
        .mistakes
        .iter()
        .any(|mistake| mistake.place == place_of(&error.span.start));
    if outcome.mistakes.is_empty() || (!told && is_syntax(&error.code)) {
        // Between the parts: a missing comma, a bracket too many.
        outcome.mistakes.push(unreadable(&error, unclosed));
    }
    outcome
}

/// Whether the text has no form, rather than the wrong words in it.
fn is_syntax(error: &ron::Error) -> bool {
    !matches!(
        error,
        ron::Error::NoSuchStructField { .. }
            | ron::Error::NoSuchEnumVariant { .. }
            | ron::Error::MissingStructField { .. }
            | ron::Error::DuplicateStructField { .. }
    )
}

fn options() -> ron::Options {
    ron::Options::default()
        .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
        .with_recursion_limit(RECURSION)
}

fn unreadable(error: &ron::error::SpannedError, unclosed: Unclosed) -> Mistake {
    match unclosed {
        Some((opened, place)) => Mistake {
            severity: Severity::Error,
            place,
            what: format!("this `{opened}` is never closed"),
            mend: match opened {
                '[' => "close it with `]`",
                '{' => "close it with `}`",
                '"' => "end the text with `\"`",
                _ => "close it with `)`",
            }
            .to_owned(),
        },
        None => Mistake {
            severity: Severity::Error,
            place: place_of(&error.span.start),
            what: lower(&error.code),
            mend: cure(&error.code).to_owned(),
        },
    }
}

pub(super) fn place_of(position: &ron::error::Position) -> Place {
    Place {
        line: u32::try_from(position.line).unwrap_or(u32::MAX),
        column: u32::try_from(position.col).unwrap_or(u32::MAX),
    }
}

/// RON's words, in the middle of a sentence.
pub(super) fn lower(error: &ron::Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

pub(super) fn cure(error: &ron::Error) -> &'static str {
    match error {
        ron::Error::ExpectedComma => "put a comma before it",
        ron::Error::ExpectedFloat | ron::Error::ExpectedInteger => {
            "write a number here, without quotes"
        }
        ron::Error::ExpectedString => "write a text here, in double quotes",
        ron::Error::ExpectedArray => "write a list here: `[…]`",
        ron::Error::IntegerOutOfBounds => "write a whole number from 0",
        ron::Error::ExceededRecursionLimit => "nest less deeply; no lesson needs this",
        ron::Error::MissingStructField { .. } => "add it",
        ron::Error::DuplicateStructField { .. } => "take one of them away",
        _ => "`malloc-vr lesson schema` describes the format",
    }
}

/// The parts of a lesson's text, read one by one.
struct Parts {
    text: Vec<char>,
    mistakes: Vec<Mistake>,
    lost: BTreeSet<String>,
}

impl Parts {
    fn new(text: &str) -> Self {
        Self {
            text: text.chars().collect(),
            mistakes: Vec::new(),
            lost: BTreeSet::new(),
        }
    }

    fn lesson(mut self, outcome: &mut Outcome) -> Option<Lesson> {
        let mut lesson = Lesson {
            version: FORMAT_VERSION,
            id: LessonId::new("unread"),
            title: "unread".to_owned(),
            summary: "unread".to_owned(),
            language: "en".to_owned(),
            skills: Vec::new(),
            objects: Vec::new(),
            sockets: Vec::new(),
            panels: Vec::new(),
            steps: Vec::new(),
            flow: Flow::Sequence(Vec::new()),
        };
        let mut flow = None;
        self.name_fields(&mut outcome.root);
        let at = outcome.root.place;
        for (field, _, spot) in &mut outcome.root.fields {
            match field.as_str() {
                "version" => lesson.version = self.part(spot).unwrap_or(FORMAT_VERSION),
                "id" => lesson.id = self.part(spot).unwrap_or(lesson.id),
                "title" => lesson.title = self.part(spot).unwrap_or(lesson.title),
                "summary" => lesson.summary = self.part(spot).unwrap_or(lesson.summary),
                "language" => lesson.language = self.part(spot).unwrap_or(lesson.language),
                "skills" => lesson.skills = self.list(spot),
                "objects" => lesson.objects = self.list(spot),
                "sockets" => lesson.sockets = self.list(spot),
                "panels" => lesson.panels = self.list(spot),
                "steps" => lesson.steps = self.list(spot),
                "flow" => flow = self.part(spot),
                _ => {}
            }
        }
        for field in REQUIRED {
            if !outcome.root.fields.iter().any(|(name, ..)| name == field) {
                self.mistake(
                    at,
                    format!("the lesson has no `{field}`"),
                    "add it".to_owned(),
                );
            }
        }
        outcome.flow_lost = flow.is_none();
        lesson.flow = flow.unwrap_or(lesson.flow);
        outcome.mistakes = self.mistakes;
        outcome.lost = self.lost;
        Some(lesson)
    }

    fn mistake(&mut self, place: Place, what: String, mend: String) {
        self.mistakes.push(Mistake {
            severity: Severity::Error,
            place,
            what,
            mend,
        });
    }

    /// Finds unknown and doubled fields of the lesson itself; one that is nearly right is read as what was meant.
    fn name_fields(&mut self, root: &mut Spot) {
        let known: Vec<&str> = REQUIRED.iter().chain(OPTIONAL).copied().collect();
        let mut seen: BTreeSet<String> =
            root.fields.iter().map(|(name, ..)| name.clone()).collect();
        let mut doubled = BTreeSet::new();
        for (name, place, _) in &mut root.fields {
            if !known.contains(&name.as_str()) {
                let near = nearest(name, known.iter().copied());
                self.mistake(
                    *place,
                    format!("unknown field `{name}` in `Lesson`"),
                    meant(near, &known),
                );
                if let Some(near) = near.filter(|near| seen.insert((*near).to_owned())) {
                    near.clone_into(name);
                }
            } else if !doubled.insert(name.clone()) {
                self.mistake(
                    *place,
                    format!("`{name}` stands twice in `Lesson`"),
                    "take one of them away".to_owned(),
                );
            }
        }
    }

    /// Reads each item of a list; those that cannot be read are taken out of `spot` too, so that indices agree.
    fn list<T: DeserializeOwned>(&mut self, spot: &mut Spot) -> Vec<T> {
        if self.text.get(spot.start) != Some(&'[') {
            return self.part(spot).unwrap_or_default();
        }
        let mut good = Vec::new();
        spot.items.retain(|item| match self.part(item) {
            Some(value) => {
                good.push(value);
                true
            }
            None => {
                if let Some((.., id)) = item.fields.iter().find(|(name, ..)| name == "id") {
                    let written = self.written(id);
                    self.lost.insert(written.trim_matches('"').to_owned());
                }
                false
            }
        });
        good
    }

    fn written(&self, spot: &Spot) -> String {
        self.text
            .get(spot.start..spot.end)
            .map(|chars| chars.iter().collect())
            .unwrap_or_default()
    }

    /// Reads one part. Each mistake is noted; while it can be mended in the copy, the reading goes on.
    fn part<T: DeserializeOwned>(&mut self, spot: &Spot) -> Option<T> {
        let mut copy = Copy::new(self.written(spot), spot.place);
        for _ in 0..MENDS {
            match options().from_str::<T>(&copy.text) {
                Ok(value) => return Some(value),
                Err(error) => {
                    let (mistake, mended) = copy.mend(&error);
                    self.mistakes.push(mistake);
                    if !mended {
                        return None;
                    }
                }
            }
        }
        None
    }
}

pub(super) fn meant(near: Option<&str>, known: &[&str]) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "take it away".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}
