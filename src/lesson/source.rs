//! Where in a lesson's text a value stands. RON's own reader forgets places once a value is read; this one keeps
//! nothing but places. It is lenient: what it cannot follow, RON's reader reports.

/// A place in the text, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

/// A value and where it begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Spot {
    pub(super) place: Place,
    /// Its characters in the text: from here …
    pub(super) start: usize,
    /// … to before here.
    pub(super) end: usize,
    /// Struct or enum variant name, if one is written.
    pub(super) name: Option<String>,
    /// Named fields, with the places of their names.
    pub(super) fields: Vec<(String, Place, Spot)>,
    /// Items of a list or tuple.
    pub(super) items: Vec<Spot>,
}

impl Spot {
    /// The spot at this path, as far down as the path can be followed.
    pub(super) fn at(&self, path: &[Key]) -> &Self {
        let mut spot = self;
        for key in path {
            let next = match key {
                Key::Field(name) => spot
                    .fields
                    .iter()
                    .find(|(field, ..)| field == name)
                    .map(|(.., spot)| spot),
                Key::Item(index) => spot.items.get(*index),
            };
            match next {
                Some(next) => spot = next,
                // `Some(x)` and `Role(x)` are one item deep.
                None => break,
            }
        }
        spot
    }
}

/// One step down.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Field(&'static str),
    Item(usize),
}

/// Deeper nesting than any lesson has; RON's reader stops there too.
const MAX_DEPTH: u32 = 100;

/// A bracket or quote without its other half, and where it stands.
pub(super) type Unclosed = Option<(char, Place)>;

/// Reads the places of a text.
pub(super) fn places(text: &str) -> (Spot, Unclosed) {
    let mut reader = Reader {
        rest: text.chars().collect::<Vec<_>>(),
        at: 0,
        place: Place { line: 1, column: 1 },
        line_start: 0,
        indent: 0,
        unclosed: None,
        suspect: None,
    };
    reader.begin_line();
    reader.skip_attributes();
    let spot = reader.value(0).unwrap_or_default();
    (
        spot,
        reader
            .unclosed
            .map(|unclosed| reader.suspect.unwrap_or(unclosed)),
    )
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    place: Place,
    /// Where its line begins.
    line_start: usize,
    /// Blanks at the beginning of that line.
    indent: usize,
    /// The first one found, which is the innermost.
    unclosed: Unclosed,
    /// The first bracket whose other half stands further left than its line begins: where one is missing, the
    /// brackets inside it have taken each other's, and only the indentation still tells which.
    suspect: Unclosed,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn peek_second(&self) -> Option<char> {
        self.rest.get(self.at + 1).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        if c == '\n' {
            self.place.line += 1;
            self.place.column = 1;
            self.begin_line();
        } else {
            self.place.column += 1;
        }
        Some(c)
    }

    fn skip_blank(&mut self) {
        loop {
            match (self.peek(), self.peek_second()) {
                (Some(c), _) if c.is_whitespace() => {
                    self.next();
                }
                (Some('/'), Some('/')) => while self.next().is_some_and(|c| c != '\n') {},
                (Some('/'), Some('*')) => self.skip_block_comment(),
                _ => return,
            }
        }
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_u32;
        loop {
            match (self.peek(), self.peek_second()) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.next();
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.next();
                }
                (None, _) => return,
                _ => {}
            }
            self.next();
            if depth == 0 {
                return;
            }
        }
    }

    /// `#![enable(...)]` at the top.
    fn skip_attributes(&mut self) {
        self.skip_blank();
        while self.peek() == Some('#') {
            while self.next().is_some_and(|c| c != ']') {}
            self.skip_blank();
        }
    }

    fn value(&mut self, depth: u32) -> Option<Spot> {
        self.skip_blank();
        let mut spot = Spot {
            place: self.place,
            start: self.at,
            ..Spot::default()
        };
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            '(' | '[' | '{' => self.inside(&mut spot, depth),
            '"' => self.string(),
            'r' if matches!(self.peek_second(), Some('"' | '#')) => self.raw_string(),
            c if c.is_alphabetic() || c == '_' => {
                let word = self.word();
                let word_end = self.at;
                self.skip_blank();
                if self.peek() == Some('(') {
                    self.inside(&mut spot, depth);
                    // An option is no level of its own.
                    if word == "Some" && spot.items.len() == 1 {
                        return spot.items.pop();
                    }
                    spot.end = self.at;
                } else {
                    spot.end = word_end;
                }
                spot.name = Some(word);
                return Some(spot);
            }
            c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | '\'') => {
                while self
                    .peek()
                    .is_some_and(|c| !c.is_whitespace() && !matches!(c, ',' | ')' | ']' | '}'))
                {
                    self.next();
                }
            }
            _ => return None,
        }
        spot.end = self.at;
        Some(spot)
    }

    fn inside(&mut self, spot: &mut Spot, depth: u32) {
        let opened_at = self.place;
        let opened_indent = self.indent;
        let opened = self.next().unwrap_or('(');
        let closes = match opened {
            '[' => ']',
            '{' => '}',
            _ => ')',
        };
        loop {
            self.skip_blank();
            match self.peek() {
                None => {
                    self.unclosed.get_or_insert((opened, opened_at));
                    return;
                }
                Some(c @ (')' | ']' | '}')) => {
                    if c != closes {
                        self.unclosed.get_or_insert((opened, opened_at));
                    }
                    let leads_its_line = self.line_start + self.indent == self.at;
                    if leads_its_line && self.indent < opened_indent {
                        self.suspect.get_or_insert((opened, opened_at));
                    }
                    self.next();
                    return;
                }
                Some(',') => {
                    self.next();
                    continue;
                }
                Some(_) => {}
            }
            let before = self.at;
            let Some(value) = self.value(depth + 1) else {
                // Go on behind what cannot be followed.
                self.next();
                continue;
            };
            self.skip_blank();
            if self.peek() == Some(':') {
                self.next();
                let name = value.name.unwrap_or_default();
                let inner = self.value(depth + 1).unwrap_or_default();
                spot.fields.push((name, value.place, inner));
            } else {
                spot.items.push(value);
            }
            if self.at == before {
                self.next();
            }
        }
    }

    fn begin_line(&mut self) {
        self.line_start = self.at;
        let line = self.rest.iter().skip(self.at);
        self.indent = line.take_while(|c| matches!(c, ' ' | '\t')).count();
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.next();
        }
        word
    }

    fn string(&mut self) {
        let opened_at = self.place;
        self.next();
        while let Some(c) = self.next() {
            match c {
                '\\' => {
                    self.next();
                }
                '"' => return,
                _ => {}
            }
        }
        self.unclosed.get_or_insert(('"', opened_at));
    }

    fn raw_string(&mut self) {
        self.next();
        let mut hashes = 0;
        while self.peek() == Some('#') {
            hashes += 1;
            self.next();
        }
        self.next();
        while let Some(c) = self.next() {
            if c == '"' && (0..hashes).all(|ahead| self.rest.get(self.at + ahead) == Some(&'#')) {
                for _ in 0..hashes {
                    self.next();
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_found_where_it_stands() {
        let text = "#![enable(implicit_some)]\n// a comment\n(\n  a: 1, /* b: */\n  list: [\n    Some((x: \"y)\")),\n    Step(r#\"z\"\"#),\n  ],\n)";
        let (spot, unclosed) = places(text);
        assert_eq!(unclosed, None);
        assert_eq!(
            spot.at(&[Key::Field("a")]).place,
            Place { line: 4, column: 6 }
        );
        let x = spot.at(&[Key::Field("list"), Key::Item(0), Key::Field("x")]);
        assert_eq!(
            x.place,
            Place {
                line: 6,
                column: 14
            }
        );
        let step = spot.at(&[Key::Field("list"), Key::Item(1)]);
        assert_eq!(step.place, Place { line: 7, column: 5 });
        assert_eq!(step.name.as_deref(), Some("Step"));
        let written: String = text
            .chars()
            .skip(step.start)
            .take(step.end - step.start)
            .collect();
        assert_eq!(written, "Step(r#\"z\"\"#)");
    }

    #[test]
    fn the_bracket_that_is_never_closed_is_named() {
        let (_, unclosed) = places("(a: [\n  (b: 1,\n  (b: 2),\n])");
        assert_eq!(unclosed, Some(('(', Place { line: 2, column: 3 })));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_hang(text in "[(\\[{}\\]),:\"r#/*a-z \n\\\\]{0,300}") {
            let _ = places(&text);
        }
    }
}
