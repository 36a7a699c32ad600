//! A real conversation, written down as `docs/protocol.md` shows it: what differs from run to run is put in order.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

const BEGIN: &str =
    "<!-- conversation: UPDATE_DOCS=1 cargo test --workspace --test wire conversation -->";
const END: &str = "<!-- end of the conversation -->";

#[derive(Default)]
pub struct Conversation {
    text: String,
    ids: BTreeMap<String, usize>,
}

impl Conversation {
    pub fn note(&mut self, who: &str, message: &Value) {
        let mut message = message.clone();
        self.tidy(&mut message);
        writeln!(self.text, "{who:<22} {message}").unwrap();
    }

    /// Checks that the page shows this, or writes it there.
    pub fn is_on_the_page(&self) {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.md");
        let page = std::fs::read_to_string(file).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("the page has its marks");
        let (shown, after) = rest.split_once(END).expect("the page has its marks");
        let now = format!("\n\n```text\n{}```\n\n", self.text);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(file, format!("{before}{BEGIN}{now}{END}{after}")).unwrap();
        } else {
            assert_eq!(shown, now, "docs/protocol.md shows another conversation");
        }
    }

    fn tidy(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    match key.as_str() {
                        "at_unix_ms" => *value = 1_793_500_000_000_u64.into(),
                        "version" => *value = "0.1.0".into(),
                        // Long, and described elsewhere.
                        "resume_token" => *value = "01…".into(),
                        "skills" | "index" | "latest" | "place" => *value = "…".into(),
                        "last_tick" => {}
                        _ => self.tidy(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|it| self.tidy(it)),
            Value::String(text) if is_id(text) => {
                let next = self.ids.len() + 1;
                let n = *self.ids.entry(text.clone()).or_insert(next);
                *text = format!("0197…{n:02}");
            }
            Value::String(text) => {
                for (id, n) in &self.ids {
                    *text = text.replace(id, &format!("0197…{n:02}"));
                }
            }
            _ => {}
        }
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.matches('-').count() == 4
}
