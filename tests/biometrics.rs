//! Motion has one way to bytes, `record/motion/log.rs`: nobody else may make a pose serialisable.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "support/sources.rs"]
mod sources;

use sources::rust_files;

/// Rooms that hold poses for the frame: nothing in them goes to bytes.
const ROOMS_WITH_POSES: [&str; 4] = ["xr", "interaction", "physics", "task"];
/// Files that may hold places as data: where an author, an instructor or the lesson put a thing, which is nobody's motion.
const AUTHORED: [&str; 5] = [
    "lesson/format.rs",
    "protocol/command.rs",
    "protocol/scene.rs",
    // Volumes that a checkpoint looks into.
    "protocol/teaching.rs",
    "bridge/mcp/offers/scene.rs",
];
/// The room whose arrays are weights of models: it can name no type of ours or the engine's (`tests/rooms.rs`).
const NO_SPACE: &str = "learning";
/// The files of `record/motion` that hold motion. `private.rs` holds what was noised and is kept with the records.
const RAW: [&str; 7] = [
    "pose.rs",
    "steps.rs",
    "codec.rs",
    "log.rs",
    "token.rs",
    "derived.rs",
    "own.rs",
];
/// Types of poses and their parts, ours and the engine's.
const POSES: [&str; 14] = [
    "RawPose",
    "HandMotion",
    "MotionFrame",
    "MotionChunk",
    "Transform",
    "GlobalTransform",
    "Isometry3d",
    "Posef",
    "Quat",
    "Vec3",
    "Vec3A",
    "[f32; 3]",
    "[f32; 4]",
    "HandJoints",
];

#[test]
fn rooms_that_hold_poses_serialise_nothing() {
    let mut wrong = Vec::new();
    for room in ROOMS_WITH_POSES {
        for file in rust_files(&src().join(room)) {
            if makes_serialisable(&fs::read_to_string(&file).unwrap()) {
                wrong.push(file);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these make a type serialisable: {wrong:?}"
    );
}

#[test]
fn no_serialisable_type_has_a_pose_in_it() {
    let mut wrong = Vec::new();
    for file in rust_files(&src()) {
        let authored = AUTHORED.iter().any(|authored| file.ends_with(authored));
        if authored || file.starts_with(src().join(NO_SPACE)) {
            continue;
        }
        for (line, held) in poses_in_serialisable(&fs::read_to_string(&file).unwrap()) {
            wrong.push(format!("{}:{line}: {held}", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "a pose could leave here:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn raw_motion_knows_no_serde_and_no_reflection() {
    for file in RAW {
        let text = fs::read_to_string(src().join("record/motion").join(file)).unwrap();
        assert!(
            !makes_serialisable(&text),
            "{file} makes a type serialisable"
        );
        for line in code_lines(&text) {
            assert!(!line.contains("Reflect"), "{file}: {line}");
            assert!(
                !line.contains("impl Hash") && !line.contains("Hash,"),
                "{file}: {line}"
            );
        }
    }
}

#[test]
fn a_grant_is_made_in_the_records_room_only() {
    for file in rust_files(&src()) {
        if file.starts_with(src().join("record")) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("Grant::recorded"), "{}", file.display());
    }
}

#[test]
fn the_check_sees_what_it_looks_for() {
    let derived =
        "#[derive(Debug, Clone,\n    Serialize)]\npub struct Wire {\n    pub head: Transform,\n}";
    assert!(makes_serialisable(derived));
    assert_eq!(
        poses_in_serialisable(derived),
        [(4, "Transform".to_owned())]
    );
    let nested =
        "#[derive(Serialize)]\nenum E {\n    A {\n        at: Option<[f32; 3]>,\n    },\n}";
    assert_eq!(poses_in_serialisable(nested), [(4, "[f32; 3]".to_owned())]);
    let tuple = "#[derive(Deserialize)]\nstruct T(Vec<RawPose>);";
    assert_eq!(poses_in_serialisable(tuple), [(2, "RawPose".to_owned())]);
    assert!(makes_serialisable("impl Serialize for Head {}"));
    let harmless = "#[derive(Debug)]\nstruct S {\n    at: Vec3,\n}\n#[derive(Serialize)]\nstruct T {\n    n: u8,\n}";
    assert!(poses_in_serialisable(harmless).is_empty());
    assert!(!makes_serialisable("// no `Serialize` here"));
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Without comments; documentation counts as such.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
}

fn makes_serialisable(text: &str) -> bool {
    code_lines(text).any(|line| line.contains("Serialize") || line.contains("Deserialize"))
}

/// Line and type of each pose inside an item that derives, or has by hand, a serialisation.
fn poses_in_serialisable(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (mut derives, mut in_attribute, mut in_item, mut depth) = (false, false, false, 0_i32);
    for (index, line) in code_lines(text).enumerate() {
        let starts_item = ["struct ", "enum "].iter().any(|word| {
            let line = line.trim_start();
            line.starts_with(word)
                || line.contains(&format!("pub {word}"))
                || line.contains(&format!(") {word}"))
        });
        if line.trim_start().starts_with("#[") {
            in_attribute = true;
        }
        if in_attribute {
            derives |= line.contains("Serialize") || line.contains("Deserialize");
            in_attribute = !line.contains(']');
            continue;
        }
        if starts_item {
            in_item = derives;
            derives = false;
            depth = 0;
        }
        if in_item {
            depth += line.matches('{').count() as i32 - line.matches('}').count() as i32;
            for pose in POSES {
                if holds(line, pose) {
                    found.push((index + 1, pose.to_owned()));
                }
            }
            in_item = depth > 0;
        }
    }
    found
}

/// Whether the type is named, as a word of its own.
fn holds(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}
