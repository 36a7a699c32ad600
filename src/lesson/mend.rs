//! Mending a copy of a part of a lesson's text, mistake by mistake, so that reading can go on behind each.

use super::check::{Mistake, Severity, nearest};
use super::read::{cure, lower, meant, place_of};
use super::source::{Place, Spot, places};

/// A copy of a part, mended as its mistakes are found.
pub(super) struct Copy {
    pub(super) text: String,
    /// Where the part begins in the lesson's text.
    origin: Place,
    /// Mends that made a line longer or shorter: line and column in the copy, and by how much.
    shifts: Vec<(u32, u32, i64)>,
}

impl Copy {
    pub(super) fn new(text: String, origin: Place) -> Self {
        Self {
            text,
            origin,
            shifts: Vec::new(),
        }
    }

    /// The place in the lesson's text of one in the copy.
    fn original(&self, mut place: Place) -> Place {
        for (line, column, longer) in self.shifts.iter().rev() {
            if place.line == *line && place.column > *column {
                place.column =
                    u32::try_from((i64::from(place.column) - longer).max(1)).unwrap_or(1);
            }
        }
        if place.line == 1 {
            // A part whose place is not known begins at 0, which is no column.
            place.column += self.origin.column.saturating_sub(1);
        }
        place.line += self.origin.line.saturating_sub(1);
        place
    }

    /// Says what the error is, and mends the copy where that is possible.
    pub(super) fn mend(&mut self, error: &ron::error::SpannedError) -> (Mistake, bool) {
        let here = place_of(&error.span.start);
        let (spot, _) = places(&self.text);
        let mut place = self.original(here);
        let (what, cure, mended) = match &error.code {
            ron::Error::NoSuchStructField {
                expected,
                found,
                outer,
            } => {
                let near = nearest(found, expected.iter().copied());
                let field = field_at(&spot, here);
                let free = near.filter(|near| {
                    field.is_some_and(|(parent, _)| {
                        !parent.fields.iter().any(|(name, ..)| name == near)
                    })
                });
                let mended = match (free, field) {
                    (Some(near), _) => self.rename(here, found, near),
                    (None, Some((_, value))) => self.blank(here, value.end),
                    (None, None) => false,
                };
                let of = outer
                    .as_deref()
                    .map_or_else(String::new, |outer| format!(" in `{outer}`"));
                (
                    format!("unknown field `{found}`{of}"),
                    meant(near, expected),
                    mended,
                )
            }
            ron::Error::DuplicateStructField { field, .. } => {
                let mended =
                    field_at(&spot, here).is_some_and(|(_, value)| self.blank(here, value.end));
                (
                    format!("`{field}` stands twice"),
                    cure(&error.code).to_owned(),
                    mended,
                )
            }
            ron::Error::NoSuchEnumVariant {
                expected,
                found,
                outer,
            } => {
                let near = nearest(found, expected.iter().copied());
                let mended = near.is_some_and(|near| self.rename(here, found, near));
                let kind = outer.as_deref().unwrap_or("value");
                (
                    format!("there is no {kind} `{found}`"),
                    meant(near, expected),
                    mended,
                )
            }
            ron::Error::MissingStructField { field, outer } => {
                // The reader notices at the closing bracket; the author looks at the opening one.
                if let Some(at) = self.index(here) {
                    place = self.original(innermost(&spot, at).place);
                }
                let of = outer
                    .as_deref()
                    .map_or_else(String::new, |outer| format!(" in `{outer}`"));
                (
                    format!("`{field}` is missing{of}"),
                    cure(&error.code).to_owned(),
                    false,
                )
            }
            code => (lower(code), cure(code).to_owned(), false),
        };
        let mistake = Mistake {
            severity: Severity::Error,
            place,
            what,
            mend: cure,
        };
        (mistake, mended)
    }

    /// Which character of the copy stands there.
    fn index(&self, place: Place) -> Option<usize> {
        let mut at = Place { line: 1, column: 1 };
        for (index, c) in self.text.chars().enumerate() {
            if at == place {
                return Some(index);
            }
            if c == '\n' {
                at = Place {
                    line: at.line + 1,
                    column: 1,
                };
            } else {
                at.column += 1;
            }
        }
        None
    }

    fn rename(&mut self, place: Place, from: &str, to: &str) -> bool {
        let Some(start) = self.index(place) else {
            return false;
        };
        let length = from.chars().count();
        let mut chars: Vec<char> = self.text.chars().collect();
        let found = chars
            .get(start..start + length)
            .is_some_and(|found| found.iter().copied().eq(from.chars()));
        if found {
            chars.splice(start..start + length, to.chars());
            self.text = chars.into_iter().collect();
            let longer = to.chars().count() as i64 - length as i64;
            self.shifts.push((place.line, place.column, longer));
        }
        found
    }

    /// Overwrites a field and the comma behind it.
    fn blank(&mut self, place: Place, end: usize) -> bool {
        let Some(start) = self.index(place).filter(|start| *start < end) else {
            return false;
        };
        let mut chars: Vec<char> = self.text.chars().collect();
        let comma = chars
            .iter()
            .skip(end)
            .position(|c| !c.is_whitespace())
            .filter(|at| chars.get(end + at) == Some(&','))
            .map_or(end, |at| end + at + 1);
        for c in chars
            .iter_mut()
            .take(comma)
            .skip(start)
            .filter(|c| **c != '\n')
        {
            *c = ' ';
        }
        self.text = chars.into_iter().collect();
        true
    }
}

/// The struct that has a field named at this place, and the field's value.
fn field_at(spot: &Spot, place: Place) -> Option<(&Spot, &Spot)> {
    if let Some((.., value)) = spot.fields.iter().find(|(_, at, _)| *at == place) {
        return Some((spot, value));
    }
    let fields = spot.fields.iter().map(|(.., value)| value);
    fields
        .chain(&spot.items)
        .find_map(|inner| field_at(inner, place))
}

/// The smallest value around this character.
fn innermost(spot: &Spot, at: usize) -> &Spot {
    let fields = spot.fields.iter().map(|(.., value)| value);
    fields
        .chain(&spot.items)
        .find(|inner| inner.start <= at && at < inner.end)
        .map_or(spot, |inner| innermost(inner, at))
}
