//! The checker over whole texts: each mistake in its line, all at once, and never a panic.

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
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    // As values: which order the keys come in is of no account, and depends on other crates' features.
    assert!(
        read(&there) == read(&schema_json()),
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
    let text = changed("object: \"red-cube\"", "object: \"red-cubo\"");
    finds(&text, "red-cubo", "did you mean `red-cube`");
    let text = changed("position_tolerance: 0.05", "position_tolerance: 0.001");
    finds(&text, "position_tolerance: 0.001", "noise of tracking");
    let text = changed("color: \"#", "color: \"%");
    finds(&text, "color: \"%", "no colour");
    let text = changed("correct: 1", "correct: 9");
    finds(&text, "correct: 9", "choices count from 0");
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
    finds(text, "id: \"a\"", "circle: a → b → a");
}

/// `first-steps` with the first `from` made `to`.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    assert!(FIRST_STEPS.contains(from), "`{from}` is not in first-steps");
    FIRST_STEPS.replacen(from, to, 1)
}

/// A change of `first-steps`, what its line then holds, and what the checker says about that line.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    // References.
    (
        "accepts: [\"blue-drum\"]",
        "accepts: [\"blue-drm\"]",
        "blue-drm",
        "did you mean `blue-drum`",
    ),
    (
        "socket: \"round-tray\"",
        "socket: \"rnd-tray\"",
        "rnd-tray",
        "did you mean `round-tray`",
    ),
    (
        "Answer(panel: \"question\")",
        "Answer(panel: \"qestion\")",
        "qestion",
        "did you mean `question`",
    ),
    (
        "Answer(panel: \"question\")",
        "Answer(panel: \"guide\")",
        "Answer(panel",
        "asks nothing",
    ),
    (
        "evidence_for: [\"throw\"]",
        "evidence_for: [\"thorw\"]",
        "thorw",
        "did you mean `throw`",
    ),
    (
        "requires: [\"orient\"]",
        "requires: [\"orent\"]",
        "orent",
        "did you mean `orient`",
    ),
    (
        "highlight: [\"lamp\"]",
        "highlight: [\"lmap\"]",
        "lmap",
        "did you mean `lamp`",
    ),
    (
        "Step(\"place-drum\")",
        "Step(\"place-drun\")",
        "place-drun",
        "did you mean `place-drum`",
    ),
    ("Step(\"place-drum\")", "Step(\"place-cube\")", "", ""),
    // Names and words.
    (
        "id: \"blue-drum\", label",
        "id: \"red-cube\", label",
        "label: \"blue drum\"",
        "named twice",
    ),
    (
        "language: \"en\"",
        "language: \"english!\"",
        "english!",
        "no language tag",
    ),
    (
        "goal: \"Touch the red cube.\"",
        "goal: \" \"",
        "goal: \" \"",
        "goal is empty",
    ),
    (
        "label: \"red cube\"",
        "label: \"\"",
        "label: \"\"",
        "label is empty",
    ),
    (
        "say: (caption: \"Now something",
        "say: (audio: \"x.ogg\", caption: \"\"), // (\"",
        "x.ogg",
        "no caption",
    ),
    (
        "\"The green cone\"]",
        "\"The blue drum\"]",
        "choices:",
        "stands twice",
    ),
    (
        "choices: [\"The red cube\", \"The blue drum\", \"The green cone\"]",
        "choices: [\"One\"]",
        "choices:",
        "two to six",
    ),
    // Numbers.
    ("mass: 0.2", "mass: -1.0", "mass: -1.0", "cannot be handled"),
    (
        "radius: 0.04)",
        "radius: NaN)",
        "radius: NaN",
        "a length is not",
    ),
    (
        "position: (0.42,",
        "position: (inf,",
        "position: (inf",
        "not within",
    ),
    ("hold: 1.0", "hold: -1.0", "hold: -1.0", "looking lasts"),
    (
        "min_speed: 1.5",
        "min_speed: 0.0",
        "min_speed: 0.0",
        "is no throw",
    ),
    (
        "rotation_tolerance: 0.6",
        "rotation_tolerance: 0.01",
        "rotation_tolerance: 0.01",
        "noise of tracking",
    ),
    (
        "reach: 0.09",
        "reach: 0.02",
        "position_tolerance: 0.05",
        "wider than the socket",
    ),
    (
        "failures: 4",
        "failures: 0",
        "failures: 0",
        "skips the step",
    ),
    // Deeds that cannot be done.
    (
        "Grab(object: \"red-cube\")",
        "Grab(object: \"table\")",
        "Grab(object",
        "Grabbable",
    ),
    (
        "Press(object: \"bell\")",
        "Press(object: \"table\")",
        "Press(object",
        "Button",
    ),
    (
        "Teleport(to: \"window-spot\")",
        "Teleport(to: \"rug\")",
        "Teleport(to",
        "TeleportSpot",
    ),
    (
        "at: \"target\"",
        "at: \"target-eye\"",
        "at: \"target-eye\"",
        "Fixed",
    ),
    (
        "at: \"target\"",
        "at: \"ball\"",
        "at: \"ball\"",
        "strike itself",
    ),
    (
        "socket: \"square-tray\"",
        "socket: \"round-tray\"",
        "socket: \"round-tray\"",
        "does not accept",
    ),
    // Comfort.
    (
        "position: (0.42, 0.782, -0.36)",
        "position: (0.42, 0.782, -3.0)",
        "position: (0.42, 0.782, -3.0)",
        "cannot reach",
    ),
    (
        "position: (-0.3, 0.776, -0.5)",
        "position: (-0.3, 0.74, -0.5)",
        "position: (-0.3, 0.74",
        "starts inside",
    ),
    (
        "position: (-0.3, 0.776, -0.5)",
        "position: (-0.3, 1.2, -0.5)",
        "position: (-0.3, 1.2",
        "will fall",
    ),
    (
        "position: (0.0, 1.42, -1.5)",
        "position: (0.0, 3.2, -1.5)",
        "position: (0.0, 3.2",
        "30 degrees",
    ),
    (
        "position: (0.0, 1.42, -1.5)",
        "position: (0.0, 1.42, -8.0)",
        "position: (0.0, 1.42, -8.0)",
        "cannot be read",
    ),
    (
        "rotation: (0.5, 0.0, 0.0), size",
        "rotation: (2.8, 0.0, 0.0), size",
        "rotation: (2.8",
        "faces away",
    ),
    (
        "prompt: \"Which one",
        "prompt: \"Which one, you may ask yourself, which one of all the many things that lay before you on the work table in the middle of this room, red and blue and green, round and square and pointed, heavy and light, was the very one that, a while ago, by your own hand,",
        "prompt:",
        "too long",
    ),
    // The flow.
    (
        "Optional(Step(\"throw-ball\"))",
        "Choice([Step(\"throw-ball\")])",
        "Choice(",
        "a choice of one",
    ),
    (
        "Optional(Step(\"throw-ball\"))",
        "Variants([(flow: Step(\"throw-ball\"))])",
        "Variants(",
        "one variant",
    ),
    (
        "Optional(Step(\"throw-ball\"))",
        "Variants([(difficulty: 7.0, flow: Step(\"throw-ball\"))])",
        "difficulty:",
        "never asked for",
    ),
    (
        "Step(\"press-bell\"),",
        "Step(\"press-bell\"), Sequence([]),",
        "Sequence([]),",
        "empty sequence",
    ),
    (
        "Optional(Step(\"throw-ball\"))",
        "Repeat(flow: Step(\"throw-ball\"), successes: 3, at_most: 2)",
        "Repeat(",
        "cannot be met",
    ),
    (
        "Step(\"answer-question\"),",
        "Optional(Step(\"answer-question\")),",
        "Optional(Step(\"answer",
        "never be left out",
    ),
    // Form.
    (
        "event: Introduction",
        "event: Intoduction",
        "Intoduction",
        "did you mean `Introduction`",
    ),
    (
        "correct: 1",
        "corect: 1",
        "corect",
        "did you mean `correct`",
    ),
    (
        "min_speed: 1.5",
        "min_speed: fast",
        "min_speed: fast",
        "number",
    ),
];

#[test]
fn every_kind_of_mistake_is_told_in_its_line() {
    for (from, to, line_with, message) in CHANGES {
        let text = changed(from, to);
        if line_with.is_empty() {
            assert!(report(&text).has_errors(), "{to}");
        } else {
            finds(&text, line_with, message);
        }
    }
}

#[test]
fn a_part_that_cannot_be_read_hides_nothing_else_and_blames_nobody() {
    let text = changed("(id: \"ball\", label: \"yellow ball\",", "(id: \"ball\",").replacen(
        "correct: 1",
        "correct: 9",
        1,
    );
    finds(&text, "id: \"ball\"", "`label` is missing");
    finds(&text, "correct: 9", "count from 0");
    let report = report(&text);
    assert_eq!(
        report.mistakes.len(),
        2,
        "the ball is there, though it can't be read:\n{report}"
    );
}

#[test]
fn a_bracket_that_is_never_closed_is_told_where_it_opens() {
    let text = changed(
        "say: (caption: \"Squeeze the grip, or pinch, to take it.\")",
        "say: (caption: \"Squeeze.\"",
    );
    finds(&text, "say: (caption: \"Squeeze.\"", "closed");
}

#[test]
fn a_missing_comma_is_told_beside_the_other_mistakes() {
    let text = changed("version: 1,", "version: 1").replacen("correct: 1", "corect: 1", 1);
    assert!(
        report(&text).to_string().contains("expected comma"),
        "{}",
        report(&text)
    );
    finds(&text, "corect", "did you mean `correct`");
}

#[test]
fn the_ways_of_a_choice_must_begin_differently() {
    let text = changed(
        "Step(\"touch-cube\"),",
        "Choice([Step(\"touch-cube\"), Step(\"again\")]),",
    )
    .replacen(
        "    steps: [\n",
        "    steps: [\n(id: \"again\", event: Practice, goal: \"Again\", action: Touch(object: \"red-cube\")),\n",
        1,
    );
    finds(&text, "Choice([", "`again` cannot be reached");
}

#[test]
fn assets_are_looked_for_beside_the_lesson_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lamp.glb"), b"").unwrap();
    let check = |path: &str| {
        let shape = format!(
            "shape: Gltf(path: \"{path}\", bounds: (0.2, 0.2, 0.2)), position: (-1.1, 1.5, -1.7)"
        );
        let text = changed(
            "shape: Sphere(radius: 0.12), position: (-1.1, 1.5, -1.7)",
            &shape,
        );
        let file = folder.path().join("lesson.ron");
        std::fs::write(&file, text).unwrap();
        check_file(&file)
    };
    assert!(
        check("lamp.glb").mistakes.is_empty(),
        "{}",
        check("lamp.glb")
    );
    assert!(
        check("lamb.glb")
            .to_string()
            .contains("`lamb.glb` is missing")
    );
    assert!(
        check("../lamp.glb")
            .to_string()
            .contains("does not lie in the lesson's folder")
    );
    assert!(
        check("/etc/passwd")
            .to_string()
            .contains("does not lie in the lesson's folder")
    );
}

#[test]
fn a_file_that_is_no_lesson_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let says = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        check_file(&file).to_string()
    };
    assert!(
        says("latin1.ron", b"(version: 1,\n title: \"\xe9\")")
            .contains("latin1.ron:2:10: error: the file is not UTF-8")
    );
    assert!(says("huge.ron", &vec![b' '; 5 << 20]).contains("larger than"));
    assert!(says("empty.ron", b"").contains("1 error(s)"));
    assert!(says("next.ron", b"(version: 2, news: 1)").contains("version 2 is not known"));
    assert!(
        check_file(folder.path())
            .to_string()
            .contains("it is not a file")
    );
    assert!(check_file(&folder.path().join("none.ron")).has_errors());
    let with_mark = [b"\xef\xbb\xbf", FIRST_STEPS.as_bytes()].concat();
    assert!(says("mark.ron", &with_mark).ends_with(" 0 error(s), 0 warning(s)\n"));
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
