//! The order of the rooms: who may import whom (the table is in `ARCHITECTURE.md`).

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

#[path = "support/sources.rs"]
mod sources;

use sources::rust_files;

/// Room, and the rooms that it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("learning", &[]),
    ("protocol", &["learning"]),
    ("lesson", &["protocol", "learning"]),
    ("record", &["protocol", "learning"]),
    ("session", &["learning", "protocol", "lesson", "record"]),
    ("adaptation", &["learning", "protocol", "lesson", "session"]),
    ("physics", &[]),
    ("xr", &[]),
    ("governor", &["xr", "protocol"]),
    ("interaction", &["physics", "xr"]),
    (
        "task",
        &["lesson", "interaction", "session", "learning", "protocol"],
    ),
    (
        "ui",
        &[
            "lesson",
            "session",
            "adaptation",
            "xr",
            "governor",
            "protocol",
            "learning",
        ],
    ),
    (
        "bridge",
        &[
            "protocol",
            "session",
            "adaptation",
            "record",
            "lesson",
            "learning",
        ],
    ),
    (
        "app",
        &[
            "learning",
            "protocol",
            "lesson",
            "record",
            "session",
            "adaptation",
            "physics",
            "xr",
            "governor",
            "interaction",
            "task",
            "ui",
            "bridge",
        ],
    ),
];

#[test]
fn no_room_imports_one_above_or_beside_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (room, allowed) in ROOMS {
        for file in rust_files(&src.join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                for imported in rooms_named_in(line) {
                    if imported != *room && !allowed.contains(&imported.as_str()) {
                        wrong.push(format!(
                            "{}:{}: `{room}` may not import `{imported}`",
                            file.display(),
                            number + 1
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_is_in_the_table_and_lib_declares_them_from_the_ground_up() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    for room in &declared {
        assert!(
            ROOMS.iter().any(|(name, _)| name == room),
            "`{room}` is not in the table of tests/rooms.rs"
        );
    }
    for (room, allowed) in ROOMS {
        let at = declared
            .iter()
            .position(|name| name == room)
            .unwrap_or_else(|| panic!("`{room}` is not declared in src/lib.rs"));
        for below in *allowed {
            // `adaptation` stands before `session` in rustfmt's order; they share a floor.
            let below_at = declared.iter().position(|name| name == below).unwrap();
            assert!(
                below_at < at || (*room == "adaptation" && *below == "session"),
                "`{below}` is below `{room}` and must be declared before it"
            );
        }
    }
}

/// Rooms named after `crate::` in a line that is no comment.
fn rooms_named_in(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::")
        .filter(|(at, _)| {
            !code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
        })
        .map(|(at, found)| {
            code[at + found.len()..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect::<String>()
        })
        .filter(|name| ROOMS.iter().any(|(room, _)| room == name))
        .collect()
}

#[test]
fn the_check_sees_what_it_looks_for() {
    assert_eq!(rooms_named_in("use crate::bridge::Bridge;"), ["bridge"]);
    assert_eq!(
        rooms_named_in("    let x = crate::ui::f(); // crate::task"),
        ["ui"]
    );
    assert!(rooms_named_in("// crate::bridge").is_empty());
    assert!(rooms_named_in("pub(crate) fn f() {}").is_empty());
}
