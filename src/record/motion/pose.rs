//! Raw poses: where head and hands were. Types that hold them and give nothing out.
//!
//! No `Serialize`, `Deserialize`, `Display`, `Hash` (a hasher sees the bytes) or `Reflect`, no public field, and a
//! `Debug` that says nothing: motion cannot slip into a message, a log line or a file by accident.

use std::fmt;
use std::time::Duration;

use super::token::ConsentToken;

/// Farthest a coordinate may lie from the lesson's anchor, in metres: twice the ten metres that lessons use at most.
pub const FARTHEST: f32 = 20.0;

/// Why a pose is none. Says nothing of the pose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoseError {
    /// A coordinate is NaN or infinite.
    #[error("a pose has a coordinate that is no number; record it as not tracked")]
    NotFinite,
    /// A coordinate lies beyond [`FARTHEST`].
    #[error(
        "a pose lies more than {FARTHEST} m from the anchor; give it relative to the lesson's anchor"
    )]
    TooFar,
    /// The quaternion has no length.
    #[error("a pose has a quaternion of length 0 for a rotation; record it as not tracked")]
    NoRotation,
}

/// Position and orientation of the head or a hand.
#[derive(Clone, Copy)]
pub struct RawPose {
    pub(super) position: [f32; 3],
    /// x, y, z, w; of length 1.
    pub(super) rotation: [f32; 4],
}

impl RawPose {
    /// `position` in metres from the lesson's anchor, y up, within ±[`FARTHEST`]; `rotation` a quaternion x, y, z, w of
    /// any length but 0.
    ///
    /// # Errors
    /// What no tracked head or hand can be.
    pub fn new(position: [f32; 3], rotation: [f32; 4]) -> Result<Self, PoseError> {
        if !position.iter().chain(&rotation).all(|x| x.is_finite()) {
            return Err(PoseError::NotFinite);
        }
        if position.iter().any(|x| x.abs() > FARTHEST) {
            return Err(PoseError::TooFar);
        }
        // In f64 the squares of the largest f32 stay finite.
        let length = rotation
            .iter()
            .map(|&x| f64::from(x).powi(2))
            .sum::<f64>()
            .sqrt();
        if length < 1e-12 {
            return Err(PoseError::NoRotation);
        }
        Ok(Self {
            position,
            rotation: rotation.map(|x| (f64::from(x) / length) as f32),
        })
    }

    /// Position (metres) and rotation (x, y, z, w), for who replays a recording and shows that they may.
    #[must_use]
    pub fn reveal(&self, _token: &ConsentToken) -> ([f32; 3], [f32; 4]) {
        (self.position, self.rotation)
    }
}

/// How a hand's controls stood: what a replay needs besides the poses.
#[derive(Clone, Copy, Default)]
pub struct Controls {
    /// 0..1.
    pub trigger: f32,
    /// 0..1.
    pub squeeze: f32,
    /// Each -1..1.
    pub stick: [f32; 2],
    /// The menu button.
    pub menu: bool,
}

/// A tracked hand.
#[derive(Clone, Copy)]
pub struct HandMotion {
    pub(super) grip: RawPose,
    pub(super) aim: Option<RawPose>,
    pub(super) controls: Controls,
}

impl HandMotion {
    /// Where it holds, where it points (where the runtime says), and what it presses.
    #[must_use]
    pub fn new(grip: RawPose, aim: Option<RawPose>, controls: Controls) -> Self {
        Self {
            grip,
            aim,
            controls,
        }
    }

    /// Grip, aim and controls, for who replays a recording and shows that they may.
    #[must_use]
    pub fn reveal(&self, _token: &ConsentToken) -> (RawPose, Option<RawPose>, Controls) {
        (self.grip, self.aim, self.controls)
    }
}

/// Head and hands in one frame.
#[derive(Clone, Copy)]
pub struct MotionFrame {
    pub(super) at: Duration,
    pub(super) head: RawPose,
    /// Left, right; `None`: not tracked.
    pub(super) hands: [Option<HandMotion>; 2],
}

impl MotionFrame {
    /// `at`: since the session began, pauses included.
    #[must_use]
    pub fn new(
        at: Duration,
        head: RawPose,
        left: Option<HandMotion>,
        right: Option<HandMotion>,
    ) -> Self {
        Self {
            at,
            head,
            hands: [left, right],
        }
    }

    /// Time since the session began, head, left and right hand, for who replays a recording and shows that they may.
    #[must_use]
    pub fn reveal(&self, _token: &ConsentToken) -> (Duration, RawPose, [Option<HandMotion>; 2]) {
        (self.at, self.head, self.hands)
    }
}

/// A `Debug` that names the type and nothing in it.
macro_rules! says_nothing {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(withheld)"))
            }
        }
    )*};
}
says_nothing!(RawPose, Controls, HandMotion, MotionFrame);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing_of_the_motion() {
        let pose = RawPose::new([1.2345, 1.6, -0.3], [0.1, 0.2, 0.3, 0.9]).unwrap();
        let controls = Controls {
            trigger: 0.777,
            ..Controls::default()
        };
        let hand = HandMotion::new(pose, Some(pose), controls);
        let frame = MotionFrame::new(Duration::from_millis(4242), pose, Some(hand), None);
        for text in [
            format!("{pose:?} {pose:#?}"),
            format!("{hand:?} {controls:?} {frame:?} {frame:#?}"),
        ] {
            assert!(!text.contains(|c: char| c.is_ascii_digit()), "{text}");
        }
    }

    #[test]
    fn what_no_head_can_be_is_refused() {
        let upright = [0.0, 0.0, 0.0, 1.0];
        let wrong = |position, rotation| RawPose::new(position, rotation).unwrap_err();
        assert_eq!(wrong([f32::NAN, 0.0, 0.0], upright), PoseError::NotFinite);
        assert_eq!(wrong([0.0, 20.1, 0.0], upright), PoseError::TooFar);
        assert_eq!(wrong([0.0; 3], [0.0; 4]), PoseError::NoRotation);
        assert_eq!(
            wrong([0.0; 3], [f32::INFINITY, 0.0, 0.0, 0.0]),
            PoseError::NotFinite
        );
        assert!(RawPose::new([0.0; 3], [f32::MAX; 4]).is_ok());
    }
}
