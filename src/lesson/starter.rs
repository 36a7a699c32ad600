//! `lesson new`: a small lesson that passes the check, with comments to learn the format from.

/// A name that cannot be a lesson's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a lesson: use lower-case letters, digits and hyphens, for example `tie-a-knot`"
)]
pub struct BadName(String);

/// The text of a starter lesson.
///
/// # Errors
/// [`BadName`].
pub fn starter(name: &str) -> Result<String, BadName> {
    let good = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if good {
        Ok(STARTER.replace("@NAME@", name))
    } else {
        Err(BadName(name.to_owned()))
    }
}

const STARTER: &str = r##"// A lesson for Malloc VR. Check it:  malloc-vr lesson check @NAME@.ron
//                         Play it:   malloc-vr play @NAME@.ron   (edits appear while it plays)
//
// Metres; x to the right, y up, z towards the learner, who starts at (0, 0, 0) and looks along -z.
(
    version: 1,
    id: "@NAME@",
    title: "My first lesson",
    summary: "Afterwards the learner can put a block where it belongs.",
    language: "en",
    skills: [
        (id: "grasp", title: "Grasp things"),
        // `requires`: what has to be known first.
        (id: "place", title: "Place things", requires: ["grasp"]),
    ],
    objects: [
        (id: "table", label: "table", shape: Box((0.9, 0.05, 0.5)), position: (0.0, 0.72, -0.5),
            color: "#b98b5e", role: Fixed),
        (id: "block", label: "blue block", shape: Box((0.08, 0.08, 0.08)), position: (-0.2, 0.79, -0.45),
            color: "#3f7fd1", role: Grabbable(mass: 0.2)),
    ],
    sockets: [
        // An object let go within `reach` counts as put here.
        (id: "tray", label: "tray", position: (0.2, 0.79, -0.45), accepts: ["block"], reach: 0.12),
    ],
    panels: [
        // The guide shows goals, hints and captions.
        (id: "guide", position: (0.0, 1.35, -1.5), size: (1.2, 0.75), content: Guide),
    ],
    steps: [
        (
            id: "take-block",
            event: Introduction, // Onboarding, Introduction, Practice, Application or Mastery
            goal: "Take the blue block.",
            say: (caption: "Here is a blue block. Take it."),
            action: Grab(object: "block"),
            evidence_for: ["grasp"],
            // Gentlest first. The next one comes after failures or a long pause.
            hints: [
                (text: "It lies on the table, on the left."),
                (text: "Reach out until it glows, then squeeze.", highlight: ["block"]),
            ],
        ),
        (
            id: "place-block",
            event: Practice,
            goal: "Put it into the tray.",
            action: Place(object: "block", socket: "tray", position_tolerance: 0.06),
            evidence_for: ["place"],
            hints: [(text: "The tray is on the right side of the table.", highlight: ["block"])],
        ),
    ],
    // Sequence, Choice, Optional, Repeat and Variants can stand inside each other. Variants are the same task in several
    // forms: Variants([(flow: Step("place-block")), (difficulty: 0.7, flow: Step("drop-block"))]).
    flow: Sequence([Step("take-block"), Step("place-block")]),
)
"##;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::lesson::check_text;

    #[test]
    fn the_starter_passes_the_check() {
        let text = starter("tie-a-knot").unwrap();
        let (_, report) = check_text(Path::new("tie-a-knot.ron"), &text, None);
        assert!(report.mistakes.is_empty(), "{report}");
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        assert!(starter("../../etc/passwd").is_err());
        assert!(starter("").is_err());
    }
}
