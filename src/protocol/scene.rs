//! A learner's scene in words and coordinates, for an instructor who stands elsewhere: what is there, where it is from
//! the learner, and what is done with it. Made when somebody asks, never kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{LearnerId, LessonId, StepId};

/// The scene of one learner at one moment: things only, never head or hands, whose movements tell who somebody is.
/// Directions are told from where the learner was put down, facing as the room faces them. Metres; x right, y up, z towards where the learner began; floor at y = 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SceneView {
    /// Whose scene.
    pub learner: LearnerId,
    /// The lesson.
    pub lesson: LessonId,
    /// The running step, if one runs.
    pub step: Option<StepId>,
    /// What it asks, in the lesson's words.
    pub goal: Option<String>,
    /// Objects, sockets and panels, the nearest first.
    pub things: Vec<ThingView>,
}

/// What kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThingKind {
    /// An object of the lesson.
    Object,
    /// An object that the instructor added.
    Added,
    /// A place that objects fit into.
    Socket,
    /// A panel with text or a question.
    Panel,
}

/// One thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThingView {
    /// Its name, for scene.point_at and scene.remove.
    pub id: String,
    /// What it is, in words.
    pub label: String,
    /// What kind.
    pub kind: ThingKind,
    /// What can be done with it: decor, fixed, grabbable, button, teleport spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its centre.
    pub position: [f32; 3],
    /// Where it is from the learner.
    pub bearing: Bearing,
    /// The running step is about it.
    pub asked_for: bool,
    /// It shines now, by a hint or because somebody points at it.
    pub shines: bool,
    /// The hand that holds it: `left` or `right`. Only where movements may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<String>,
    /// The socket it rests in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_in: Option<String>,
    /// All of it as a sentence.
    pub words: String,
}

/// Where something is, as seen from somebody.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bearing {
    /// Metres.
    pub distance: f32,
    /// Angle to the right of straight ahead, degrees, -180 to 180.
    pub right_degrees: f32,
    /// Angle above the level of the eyes, degrees, -90 to 90.
    pub up_degrees: f32,
}

impl Bearing {
    /// Of a thing that lies `ahead`, `right` and `up` of the eyes, metres.
    #[must_use]
    pub fn of(ahead: f32, right: f32, up: f32) -> Self {
        let level = ahead.hypot(right);
        Self {
            distance: level.hypot(up),
            right_degrees: right.atan2(ahead).to_degrees(),
            up_degrees: up.atan2(level).to_degrees(),
        }
    }

    /// As people say it: "0.8 m away, to the right, below the eyes".
    #[must_use]
    pub fn in_words(&self) -> String {
        let side = match self.right_degrees {
            at if at.abs() <= 15.0 => "straight ahead",
            at if at.abs() >= 150.0 => "behind",
            at if at > 75.0 => "far to the right",
            at if at < -75.0 => "far to the left",
            at if at > 0.0 => "to the right",
            _ => "to the left",
        };
        let height = match self.up_degrees {
            at if at > 15.0 => ", above the eyes",
            at if at < -15.0 => ", below the eyes",
            _ => ", at the height of the eyes",
        };
        format!("{:.1} m away, {side}{height}", self.distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearing_is_said_as_people_say_it() {
        let words = |ahead, right, up| Bearing::of(ahead, right, up).in_words();
        assert_eq!(
            words(1.0, 0.0, 0.0),
            "1.0 m away, straight ahead, at the height of the eyes"
        );
        assert_eq!(
            words(1.0, 1.0, -1.0),
            "1.7 m away, to the right, below the eyes"
        );
        assert_eq!(
            words(0.1, -2.0, 2.0),
            "2.8 m away, far to the left, above the eyes"
        );
        assert_eq!(
            words(-1.0, 0.1, 0.0),
            "1.0 m away, behind, at the height of the eyes"
        );
    }

    proptest::proptest! {
        #[test]
        fn every_place_has_a_bearing(ahead in -20.0_f32..20.0, right in -20.0_f32..20.0, up in -5.0_f32..5.0) {
            let bearing = Bearing::of(ahead, right, up);
            proptest::prop_assert!(bearing.distance.is_finite());
            proptest::prop_assert!((-180.0..=180.0).contains(&bearing.right_degrees));
            proptest::prop_assert!((-90.0..=90.0).contains(&bearing.up_degrees));
        }
    }
}
