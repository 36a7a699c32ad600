//! What `play` says when it begins: what runs, who may come in, what leaves, what is due for review.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::app::view::View;
use crate::bridge::{Bridge, gate};
use crate::lesson::Loaded;
use crate::protocol::ids::LessonId;
use crate::record::ages::AgeBand;
use crate::session::join::Joining;
use crate::session::pairing::PairingCode;
use crate::session::standing::{Age, Agreements};
use crate::session::unix_ms;

/// Tells the person at the keyboard what runs and who may come in.
pub(super) fn introduce(
    lesson: &Loaded,
    view: View,
    joining: &Joining,
    bridge: &Bridge,
    code: &PairingCode,
    fresh: bool,
) {
    let mut text = String::new();
    let resumed = !fresh && joining.interrupted_in(&lesson.lesson.id);
    let _ = writeln!(
        text,
        "lesson: {} ({})",
        lesson.lesson.title, lesson.lesson.id
    );
    let _ = writeln!(text, "view: {view}");
    let _ = writeln!(
        text,
        "learner: {}{}",
        joining.learner,
        if resumed {
            ", taking up where they left off"
        } else {
            ""
        }
    );
    // A headset's output is its log, which people send on; there the token goes into a file (see `android`).
    #[cfg(not(target_os = "android"))]
    let _ = writeln!(
        text,
        "instructor: {} (token {})",
        bridge.url(),
        bridge.token()
    );
    #[cfg(target_os = "android")]
    crate::app::android::tell_instructor(bridge);
    #[cfg(not(target_os = "android"))]
    text.push_str(&in_words(code));
    #[cfg(target_os = "android")]
    let _ = code;
    text.push_str(&reviews(joining));
    print!("{text}");
    // A pipe would otherwise keep this back until it is full.
    let _ = std::io::Write::flush(&mut std::io::stdout());
}

/// A pairing code for whoever reads the terminal.
pub(in crate::app) fn in_words(code: &PairingCode) -> String {
    let fingerprint = code.fingerprint.as_ref();
    let certificate =
        fingerprint.map_or_else(String::new, |it| format!("  certificate (SHA-256): {it}\n"));
    format!(
        "pairing: {} at {}, for five minutes\n{certificate}",
        code.code, code.address
    )
}

/// Whether an instructor will see this learner, and what to do where not.
pub(super) fn say_what_leaves(agreements: &Agreements, joining: &Joining, age: Age) {
    let standing = agreements.standing(joining.learner, age, &joining.state, unix_ms());
    match gate::opens(&standing) {
        Ok(_) => println!("records: an instructor may see this learner"),
        Err(why) => println!(
            "records: nothing leaves this device, and the lesson goes on all the same ({why}){}",
            if age.0 == AgeBand::Unknown {
                "\n         how old the learner is nobody said: a grown-up who plays starts with --age-band adult"
            } else {
                ""
            }
        ),
    }
}

/// What the learner would do well to go over today, by lesson; empty where nothing is due.
fn reviews(joining: &Joining) -> String {
    let away = unix_ms().saturating_sub(joining.state.at_unix_ms);
    let mut due: BTreeMap<&LessonId, Vec<&str>> = BTreeMap::new();
    for (lesson, skill) in joining.state.models.due_after(away) {
        due.entry(lesson).or_default().push(skill.as_str());
    }
    due.iter()
        .map(|(lesson, skills)| {
            format!("due for review: {} (lesson {lesson})\n", skills.join(", "))
        })
        .collect()
}
