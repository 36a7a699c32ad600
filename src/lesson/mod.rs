//! What is taught: the lesson's text, its loader and validator, its step graph.
//! In: a RON file by an author. Out: a checked [`format::Lesson`], or every mistake at once with its line.
//! Never: what a learner did, or anything drawn.

mod check;
pub mod format;
pub mod graph;
mod load;
pub mod placed;
mod rules;
mod source;
mod starter;
mod watch;

pub use check::{CheckReport, Mistake, Severity, check_file, check_text};
pub use load::{LessonError, Loaded, load, load_file};
pub use source::Place;
pub use starter::{BadName, starter};
pub use watch::{ActiveLesson, LessonFault, LessonPlugin, LessonReloaded};

/// The JSON Schema of the format, for editors.
#[must_use]
pub fn schema_json() -> String {
    let schema = schemars::schema_for!(format::Lesson);
    // A schema is plain data; writing it as text cannot fail.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    const FIRST_STEPS: &str = include_str!("../../assets/lessons/first-steps.ron");

    fn report(text: &str) -> CheckReport {
        check_text(Path::new("lesson.ron"), text, None).1
    }

    #[track_caller]
    fn finds(text: &str, line_with: &str, message: &str) {
        let line = text
            .lines()
            .position(|line| line.contains(line_with))
            .expect("the line is in the text")
            + 1;
        let report = report(text);
        let found = report.mistakes.iter().any(|mistake| {
            mistake.place.line as usize == line
                && (mistake.what.contains(message) || mistake.mend.contains(message))
        });
        assert!(found, "line {line} `{message}` not found in:\n{report}");
    }

    #[test]
    fn the_schema_in_assets_is_this_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/lessons/lesson.schema.json");
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            there.trim(),
            schema_json().trim(),
            "renew it: cargo run -- lesson schema > assets/lessons/lesson.schema.json"
        );
    }

    #[test]
    fn the_bundled_lesson_is_without_a_warning() {
        let report = report(FIRST_STEPS);
        assert!(report.mistakes.is_empty(), "{report}");
    }

    #[test]
    fn each_mistake_is_found_in_its_line() {
        let changed = |from: &str, to: &str| {
            assert!(FIRST_STEPS.contains(from), "`{from}` is not in first-steps");
            FIRST_STEPS.replacen(from, to, 1)
        };
        let text = changed("object: \"red-cube\"", "object: \"red-cubo\"");
        finds(&text, "red-cubo", "did you mean `red-cube`");
        let text = changed("position_tolerance: 0.05", "position_tolerance: 0.001");
        finds(&text, "position_tolerance: 0.001", "noise of tracking");
        let text = changed("color: \"#", "color: \"%");
        finds(&text, "color: \"%", "no colour");
        let text = changed("correct: 1", "correct: 9");
        finds(&text, "content: Question", "choices count from 0");
        let text = changed("Step(\"press-bell\"),", "");
        finds(&text, "id: \"press-bell\"", "cannot be reached");
        let text = changed("version: 1", "version: 2");
        finds(&text, "version: 2", "version 1");
    }

    #[test]
    fn all_mistakes_come_at_once() {
        let text = FIRST_STEPS
            .replacen("summary:", "sumary:", 1)
            .replacen("label:", "labl:", 1);
        let report = report(&text);
        finds(&text, "sumary:", "did you mean `summary`");
        finds(&text, "labl:", "did you mean `label`");
        assert!(report.has_errors());
    }

    #[test]
    fn skills_in_a_circle_are_found() {
        let text = "(version: 1, id: \"x\", title: \"x\", summary: \"x\", language: \"en\",\nskills: [\n(id: \"a\", title: \"a\", requires: [\"b\"]),\n(id: \"b\", title: \"b\", requires: [\"a\"])],\nsteps: [], flow: Sequence([]))";
        finds(text, "id: \"a\"", "circle: a, b");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = report(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn no_edit_of_a_lesson_makes_it_panic(
            cut in any::<prop::sample::Index>(),
            len in 0usize..40,
            insert in "[\\[(\\])}{:,\"#0-9a-z.\\-]{0,6}",
        ) {
            let mut text: Vec<char> = FIRST_STEPS.chars().collect();
            let start = cut.index(text.len());
            let end = (start + len).min(text.len());
            text.splice(start..end, insert.chars());
            let _ = report(&text.into_iter().collect::<String>());
        }
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        let deep = format!("(flow: {}", "Optional(".repeat(100_000));
        assert!(report(&deep).has_errors());
        assert!(report(&"[".repeat(100_000)).has_errors());
    }
}
