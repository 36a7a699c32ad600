//! What identifies a person, found in free text before the text is kept: mail addresses, telephone numbers, network
//! addresses, links with ids, ids, and the names on the roster.
//! In: text and the roster's names. Out: the finds, or the text with them masked. Never: keeps or logs what it found.
//!
//! It errs on the side of masking. It does not find names that no roster has, nor addresses written out in words.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A mail address.
    Email,
    /// A telephone number, or another number long enough to be somebody's.
    Number,
    /// A network address.
    Ip,
    /// A link that carries more than a page's address.
    Link,
    /// A UUID, or another such id.
    Id,
    /// A name on the roster.
    Name,
}

impl Kind {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Email,
        Self::Number,
        Self::Ip,
        Self::Link,
        Self::Id,
        Self::Name,
    ];

    fn mask(self) -> &'static str {
        match self {
            Self::Email => "[mail]",
            Self::Number => "[number]",
            Self::Ip => "[address]",
            Self::Link => "[link]",
            Self::Id => "[id]",
            Self::Name => "[name]",
        }
    }
}

/// A find: bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub bytes: Range<usize>,
}

/// Why a text is not taken. It names kinds only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text holds what identifies somebody ({kinds:?}); leave it out and try again")]
pub struct Identifying {
    /// What was found.
    pub kinds: Vec<Kind>,
}

/// Fewest digits of a number that is taken for a telephone number. National subscriber numbers have seven or more
/// with their area code; ITU-T E.164 allows fifteen at most, and longer ones are cards or accounts.
const FEWEST_DIGITS: usize = 7;

/// Shortest part of a name that is looked for by itself; shorter ones are found only in the full name.
const SHORTEST_NAME: usize = 3;

/// Looks through texts.
#[derive(Clone, Default)]
pub struct Screen {
    /// Full names, each part in lower case and joined by one space.
    full: HashSet<String>,
    /// Their parts, at least [`SHORTEST_NAME`] characters.
    parts: HashSet<String>,
    /// The first parts of names that have several.
    firsts: HashSet<String>,
    /// Words of the longest full name.
    longest: usize,
    /// What is not looked for.
    ignored: HashSet<Kind>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Names must not reach a log this way either.
        f.debug_struct("Screen")
            .field("names", &self.full.len())
            .finish_non_exhaustive()
    }
}

impl Screen {
    /// A screen that knows these names besides what everybody's looks like.
    #[must_use]
    pub fn with_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut screen = Self::default();
        for name in names {
            let parts: Vec<String> = words(name).map(|range| lower(&name[range])).collect();
            if parts.is_empty() {
                continue;
            }
            screen.longest = screen.longest.max(parts.len());
            screen.parts.extend(
                parts
                    .iter()
                    .filter(|part| part.chars().count() >= SHORTEST_NAME)
                    .cloned(),
            );
            if let [first, _, ..] = parts.as_slice() {
                screen.firsts.insert(first.clone());
            }
            screen.full.insert(parts.join(" "));
        }
        screen
    }

    /// The same, without looking for this kind.
    #[must_use]
    pub fn ignoring(mut self, kind: Kind) -> Self {
        self.ignored.insert(kind);
        self
    }

    /// What identifies somebody in `text`, in order, without overlaps: finds that overlap are one, of the first's kind.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Find> {
        self.find_but(None, text)
    }

    fn find_but(&self, skipped: Option<Kind>, text: &str) -> Vec<Find> {
        let mut finds = Vec::new();
        for token in tokens(text) {
            if let Some((kind, bytes)) = token_kind(text, token) {
                finds.push(Find { kind, bytes });
            }
        }
        numbers(text, &mut finds);
        self.names(text, &mut finds);
        finds.retain(|find| Some(find.kind) != skipped && !self.ignored.contains(&find.kind));
        finds.sort_by_key(|find| (find.bytes.start, std::cmp::Reverse(find.bytes.end)));
        finds.dedup_by(|next, before| {
            let overlaps = next.bytes.start < before.bytes.end;
            if overlaps {
                before.bytes.end = before.bytes.end.max(next.bytes.end);
            }
            overlaps
        });
        finds
    }

    /// The text with every find masked; the same text where there is none.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        masked(text, self.find(text))
    }

    /// The text with every find masked that is not of this kind.
    #[must_use]
    pub fn mask_but<'a>(&self, kept: Kind, text: &'a str) -> Cow<'a, str> {
        masked(text, self.find_but(Some(kept), text))
    }

    /// Takes a text only if it identifies nobody.
    ///
    /// # Errors
    /// [`Identifying`], with what was found and not where or whose.
    pub fn check(&self, text: &str) -> Result<(), Identifying> {
        let mut kinds: Vec<Kind> = self.find(text).into_iter().map(|find| find.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.is_empty() {
            Ok(())
        } else {
            Err(Identifying { kinds })
        }
    }

    fn names(&self, text: &str, finds: &mut Vec<Find>) {
        if self.full.is_empty() {
            return;
        }
        let mut name = String::new();
        for word in words(text) {
            name.clear();
            lower_into(&mut name, &text[word.clone()]);
            // A part by itself counts only where it is written as a name: 'Mark' but not 'mark the cube'.
            let capital = text[word.clone()].starts_with(char::is_uppercase);
            if capital && (self.parts.contains(&name) || self.full.contains(&name)) {
                finds.push(Find {
                    kind: Kind::Name,
                    bytes: word.clone(),
                });
            }
            if !self.firsts.contains(&name) {
                continue;
            }
            for next in words(&text[word.end..]).take(self.longest.saturating_sub(1)) {
                name.push(' ');
                lower_into(&mut name, &text[word.end..][next.clone()]);
                if self.full.contains(&name) {
                    finds.push(Find {
                        kind: Kind::Name,
                        bytes: word.start..word.end + next.end,
                    });
                }
            }
        }
    }
}

fn masked(text: &str, finds: Vec<Find>) -> Cow<'_, str> {
    if finds.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for find in finds {
        masked.push_str(text.get(at..find.bytes.start).unwrap_or_default());
        masked.push_str(find.kind.mask());
        at = find.bytes.end;
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Lower case, with the apostrophe that keyboards differ in made one.
fn lower_into(into: &mut String, word: &str) {
    if word.is_ascii() {
        into.extend(
            word.bytes()
                .map(|byte| char::from(byte.to_ascii_lowercase())),
        );
    } else {
        let lowered = word.chars().flat_map(char::to_lowercase);
        into.extend(lowered.map(|c| if c == '\u{2019}' { '\'' } else { c }));
    }
}

fn lower(word: &str) -> String {
    let mut lowered = String::with_capacity(word.len());
    lower_into(&mut lowered, word);
    lowered
}

/// Runs of letters, with apostrophes inside.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    runs(text, |c| {
        c.is_alphabetic() || matches!(c, '\'' | '\u{2019}')
    })
}

/// Runs between white space and brackets.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    runs(text, |c| {
        !c.is_whitespace()
            && !matches!(c, '<' | '>' | '(' | ')' | '"' | ',' | ';' | '{' | '}' | '|')
    })
}

fn runs(text: &str, inside: impl Fn(char) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        while chars.next_if(|(_, c)| !inside(*c)).is_some() {}
        let (start, first) = chars.next()?;
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = chars.next_if(|(_, c)| inside(*c)) {
            end = at + c.len_utf8();
        }
        Some(start..end)
    })
}

/// What a token without white space is, and which of its bytes.
fn token_kind(text: &str, range: Range<usize>) -> Option<(Kind, Range<usize>)> {
    let token = &text[range.clone()];
    let trimmed =
        token.trim_matches(|c: char| matches!(c, '.' | ':' | '!' | '?' | '\'' | '[' | ']'));
    let start = range.start + token.find(trimmed).unwrap_or(0);
    let bytes = start..start + trimmed.len();
    if is_link(trimmed) {
        Some((Kind::Link, bytes))
    } else if is_mail(trimmed) {
        Some((Kind::Email, bytes))
    } else if is_address(trimmed) {
        Some((Kind::Ip, bytes))
    } else if trimmed.len() >= 32 && uuid::Uuid::try_parse(trimmed).is_ok() {
        Some((Kind::Id, bytes))
    } else {
        None
    }
}

/// Something, an at sign, something with a dot inside; or an at sign before a name, as networks have it.
fn is_mail(token: &str) -> bool {
    let Some((local, domain)) = token.split_once(['@', '\u{ff20}']) else {
        return false;
    };
    let handle = local.is_empty() && domain.chars().filter(|c| c.is_alphanumeric()).count() >= 3;
    let dot = domain
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .find(['.', '\u{ff0e}'])
        .is_some_and(|at| at > 0);
    let host = !local.is_empty() && (dot || domain.eq_ignore_ascii_case("localhost"));
    handle || host
}

/// A link with a query, a fragment, a user, or a path segment with a digit in it.
fn is_link(token: &str) -> bool {
    let rest = ["https://", "http://", "www."].iter().find_map(|scheme| {
        let (start, rest) = token.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    rest.is_some_and(|rest| {
        let path = rest
            .find('/')
            .and_then(|at| rest.get(at..))
            .unwrap_or_default();
        rest.contains(['?', '#', '@']) || path.contains(|c: char| c.is_ascii_digit())
    })
}

fn is_address(token: &str) -> bool {
    if !token.bytes().any(|b| matches!(b, b'.' | b':')) {
        return false;
    }
    let host = token.rsplit_once(':').map_or(token, |(host, port)| {
        let port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        if port && !host.contains(':') {
            host
        } else {
            token
        }
    });
    let plain = host.split_once('/').map_or(host, |(address, _)| address);
    plain.parse::<Ipv4Addr>().is_ok()
        || (plain.matches(':').count() >= 2
            && plain.bytes().any(|b| b.is_ascii_hexdigit())
            && plain.parse::<Ipv6Addr>().is_ok())
}

/// Runs of digits with the separators that people put between them.
fn numbers(text: &str, finds: &mut Vec<Find>) {
    if !text.bytes().any(|b| b.is_ascii_digit() || !b.is_ascii()) {
        return;
    }
    let separates =
        |c: char| matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' | '\u{2011}');
    for run in runs(text, |c| c.is_numeric() || c == '+' || separates(c)) {
        let inside = &text[run.clone()];
        let trimmed = inside.trim_matches(|c: char| !c.is_numeric() && c != '+');
        let digits = trimmed.chars().filter(|c| c.is_numeric()).count();
        if digits >= FEWEST_DIGITS && !is_date(trimmed) {
            let start = run.start + inside.find(trimmed).unwrap_or(0);
            finds.push(Find {
                kind: Kind::Number,
                bytes: start..start + trimmed.len(),
            });
        }
    }
}

/// `2026-11-21`: a day is nobody's number.
fn is_date(text: &str) -> bool {
    let shape = |at: usize| matches!(at, 4 | 7);
    text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| {
            if shape(at) {
                b == b'-'
            } else {
                b.is_ascii_digit()
            }
        })
}

#[cfg(test)]
#[path = "pii_tests.rs"]
mod tests;
