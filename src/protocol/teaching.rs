//! What an instructor sets for a learner beside the lesson's own words: how the learner likes it, what is checked on the
//! way, how much of them is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{ObjectId, SocketId, StepId};
use crate::learning::skill::SkillId;

/// How a learner likes it. Each of these has an effect in the headset, and outlives the session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    /// Letters on panels a quarter larger than they must be.
    pub large_text: bool,
    /// What is said also stands on the guide panel.
    pub captions: bool,
    /// The learner sits: the room comes down to them.
    pub seated: bool,
    /// How far one flick of a stick turns, degrees, within [`TURN`].
    pub turn_degrees: f32,
    /// How much the view is narrowed while the learner is moved, 0 (not at all) to 1.
    pub vignette: f32,
    /// Whether hints come by themselves when somebody is stuck. The instructor's and those asked for come in any case.
    pub hints_by_themselves: bool,
    /// Multiple of every time limit, within [`MORE_TIME`].
    pub more_time: f32,
}

/// Least and greatest turn of one flick, degrees.
pub const TURN: [f32; 2] = [15.0, 45.0];

/// Least and greatest multiple of time limits. Nobody gets less time than the author gave (WCAG 2.2, 2.2.1).
pub const MORE_TIME: [f32; 2] = [1.0, 4.0];

impl Default for Preferences {
    /// As the program is without anybody's word.
    fn default() -> Self {
        Self {
            large_text: false,
            captions: true,
            seated: false,
            turn_degrees: 30.0,
            vignette: 1.0,
            hints_by_themselves: true,
            more_time: 1.0,
        }
    }
}

/// Which of the preferences are to be others; what is left out stays.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreferencesPatch {
    /// Letters on panels a quarter larger than they must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_text: Option<bool>,
    /// What is said also stands on the guide panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captions: Option<bool>,
    /// The learner sits: the room comes down to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seated: Option<bool>,
    /// How far one flick of a stick turns: 15 to 45 degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_degrees: Option<f32>,
    /// How much the view is narrowed while the learner is moved, 0 (not at all) to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vignette: Option<f32>,
    /// Whether hints come by themselves when the learner is stuck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hints_by_themselves: Option<bool>,
    /// Multiple of every time limit, 1 to 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_time: Option<f32>,
}

impl PreferencesPatch {
    /// The preferences with this patch upon them.
    #[must_use]
    pub fn upon(&self, before: &Preferences) -> Preferences {
        Preferences {
            large_text: self.large_text.unwrap_or(before.large_text),
            captions: self.captions.unwrap_or(before.captions),
            seated: self.seated.unwrap_or(before.seated),
            turn_degrees: self.turn_degrees.unwrap_or(before.turn_degrees),
            vignette: self.vignette.unwrap_or(before.vignette),
            hints_by_themselves: self
                .hints_by_themselves
                .unwrap_or(before.hints_by_themselves),
            more_time: self.more_time.unwrap_or(before.more_time),
        }
    }
}

/// Something that is checked beside the lesson's steps: once the learner has done it, it counts as an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Its name, as the attempt's step: 1 to 64 letters, digits, `-` and `_`; no step of the lesson has it.
    pub id: StepId,
    /// What has to be done.
    pub asks: CheckpointAsks,
    /// The lesson's skills that it is evidence for.
    pub skills: Vec<SkillId>,
    /// Seconds of the running lesson after which it is missed, within [`CHECKPOINT_TIME`]; left out: it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f32>,
}

/// Shortest and longest time for a checkpoint, seconds.
pub const CHECKPOINT_TIME: [f32; 2] = [5.0, 1800.0];

/// Checkpoints that wait at once, of one learner.
pub const MOST_CHECKPOINTS: usize = 8;

/// What a checkpoint asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum CheckpointAsks {
    /// A hand touches it.
    Touch {
        /// Which thing.
        object: ObjectId,
    },
    /// A hand takes it.
    Grab {
        /// Which thing.
        object: ObjectId,
    },
    /// A button is pressed.
    Press {
        /// Which thing.
        object: ObjectId,
    },
    /// A socket takes it.
    Place {
        /// Which thing.
        object: ObjectId,
        /// Which socket.
        socket: SocketId,
    },
    /// Its centre comes into a volume.
    Bring {
        /// Which thing.
        object: ObjectId,
        /// Where to.
        into: Volume,
    },
    /// The learner's head comes into a volume.
    Reach {
        /// Where to.
        into: Volume,
    },
}

/// A part of the room, in metres: x right, y up, z towards where the learner began; floor at y = 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
pub enum Volume {
    /// A ball.
    Sphere {
        /// Its centre.
        center: [f32; 3],
        /// Its radius, 0.05 to 10.
        radius: f32,
    },
    /// A box along the room's walls.
    Box {
        /// Its centre.
        center: [f32; 3],
        /// Its full size, each 0.05 to 20.
        size: [f32; 3],
    },
    /// A standing cylinder.
    Cylinder {
        /// The middle of its foot.
        foot: [f32; 3],
        /// Its radius, 0.05 to 10.
        radius: f32,
        /// Its height, 0.05 to 20.
        height: f32,
    },
}

impl Volume {
    /// Whether a point lies in it, its edge included.
    #[must_use]
    pub fn holds(&self, [x, y, z]: [f32; 3]) -> bool {
        match *self {
            Self::Sphere { center, radius } => {
                let [a, b, c] = center;
                (x - a).powi(2) + (y - b).powi(2) + (z - c).powi(2) <= radius * radius
            }
            Self::Box { center, size } => {
                let [a, b, c] = center;
                let [w, h, d] = size;
                (x - a).abs() <= w / 2.0 && (y - b).abs() <= h / 2.0 && (z - c).abs() <= d / 2.0
            }
            Self::Cylinder {
                foot,
                radius,
                height,
            } => {
                let [a, b, c] = foot;
                (x - a).powi(2) + (z - c).powi(2) <= radius * radius
                    && (b..=b + height).contains(&y)
            }
        }
    }

    /// What is wrong with it, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let near = |at: [f32; 3]| at.iter().all(|axis| (-10.0..=10.0).contains(axis));
        let (at, lengths, most) = match *self {
            Self::Sphere { center, radius } => (center, [radius; 3], 10.0),
            Self::Box { center, size } => (center, size, 20.0),
            Self::Cylinder {
                foot,
                radius,
                height,
            } => (foot, [radius, radius, height], 20.0),
        };
        if !near(at) {
            return Some("the volume lies within 10 m of the room's origin");
        }
        let good = lengths.iter().all(|it| (0.05..=most).contains(it));
        (!good).then_some("the volume's lengths lie between 0.05 and 20 m")
    }
}

/// How much of a learner is told outside, as far as was agreed to.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TelemetryLevel {
    /// Nothing; no instructor sees this learner.
    Off,
    /// Where they stand; no single events, no samples, nothing of their scene.
    Aggregate,
    /// Everything that was agreed to.
    #[default]
    Detailed,
}

impl TelemetryLevel {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Off => "nothing is told of this learner",
            Self::Aggregate => {
                "where this learner stands is told; single events, samples and the scene are not"
            }
            Self::Detailed => "everything that was agreed to is told",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let patch: PreferencesPatch =
            serde_json::from_str(r#"{"large_text": true, "more_time": 2.0}"#).unwrap();
        let after = patch.upon(&Preferences::default());
        assert!(after.large_text && after.captions && after.hints_by_themselves);
        assert!((after.more_time - 2.0).abs() < 1e-6);
        assert!(serde_json::from_str::<PreferencesPatch>(r#"{"larg_text": true}"#).is_err());
        assert_eq!(PreferencesPatch::default().upon(&after), after);
    }

    proptest! {
        #[test]
        fn a_sound_volume_holds_its_middle_and_nothing_far_away(
            at in prop::array::uniform3(-10.0_f32..10.0), length in 0.05_f32..10.0
        ) {
            let [x, y, z] = at;
            let all = [
                Volume::Sphere { center: at, radius: length },
                Volume::Box { center: at, size: [length; 3] },
                Volume::Cylinder { foot: at, radius: length, height: length },
            ];
            for volume in all {
                prop_assert_eq!(volume.fault(), None);
                prop_assert!(volume.holds([x, y, z]), "{:?}", volume);
                prop_assert!(!volume.holds([x + 10.1, y, z]));
            }
        }

        #[test]
        fn a_volume_of_no_size_or_nowhere_has_a_fault(odd in prop::num::f32::ANY) {
            if !(0.05..=10.0).contains(&odd) {
                let sphere = Volume::Sphere { center: [0.0; 3], radius: odd };
                prop_assert!(sphere.fault().is_some());
            }
            if !(-10.0..=10.0).contains(&odd) {
                let cylinder = Volume::Cylinder { foot: [0.0, odd, 0.0], radius: 1.0, height: 1.0 };
                prop_assert!(cylinder.fault().is_some());
            }
        }
    }
}
