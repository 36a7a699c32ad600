//! How the authored tolerances and times of a step are fitted to the learner: plain numbers from [`Adapted`].

use std::f32::consts::PI;

use crate::session::adapted::Adapted;

/// Narrower than this, tracking noise would decide: metres and radians (as `lesson check` has it).
const POSITION_NOISE: f32 = 0.005;
const ROTATION_NOISE: f32 = 0.03;

/// Factors on what the author wrote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leeway {
    tolerance: f32,
    time: f32,
    difficulty: f64,
}

impl Default for Leeway {
    /// As authored.
    fn default() -> Self {
        Self {
            tolerance: 1.0,
            time: 1.0,
            difficulty: 1.0,
        }
    }
}

impl Leeway {
    /// Harder is narrower, faster is shorter, and support of that kind widens.
    #[must_use]
    pub fn of(adapted: &Adapted) -> Self {
        // Commands are held within 0.4 to 1.6; a log that says otherwise must not make a lesson impossible.
        let factor = |x: f64| {
            if x.is_finite() {
                x.clamp(0.25, 4.0)
            } else {
                1.0
            }
        };
        Self {
            tolerance: (factor(adapted.widening()) / factor(adapted.difficulty)) as f32,
            time: (1.0 / factor(adapted.pace)) as f32,
            difficulty: factor(adapted.difficulty),
        }
    }

    /// The same with more time for somebody who needs it: no less than before, and at most four times as much.
    #[must_use]
    pub fn with_more_time(self, multiple: f32) -> Self {
        let multiple = if multiple.is_finite() {
            multiple.clamp(1.0, 4.0)
        } else {
            1.0
        };
        Self {
            time: self.time * multiple,
            ..self
        }
    }

    /// Multiple of the authored difficulty, by which variants are chosen.
    #[must_use]
    pub fn difficulty(self) -> f64 {
        self.difficulty
    }

    /// Allowed distance in metres; never beyond the socket's own `reach`.
    #[must_use]
    pub fn position(self, authored: f32, reach: f32) -> f32 {
        let fitted = (authored * self.tolerance).max(POSITION_NOISE.min(authored));
        fitted.min(reach.max(authored))
    }

    /// Allowed angle in radians.
    #[must_use]
    pub fn rotation(self, authored: f32) -> f32 {
        (authored * self.tolerance)
            .max(ROTATION_NOISE.min(authored))
            .min(PI)
    }

    /// A time limit in seconds.
    #[must_use]
    pub fn time(self, authored: f32) -> f32 {
        authored * self.time
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::learning::strategy::action::{Modality, SupportKind};

    fn adapted(difficulty: f64, pace: f64) -> Adapted {
        Adapted {
            difficulty,
            pace,
            ..Adapted::default()
        }
    }

    #[test]
    fn harder_is_narrower_and_slower_is_longer() {
        let leeway = Leeway::of(&adapted(1.25, 0.8));
        assert!((leeway.position(0.05, 0.09) - 0.04).abs() < 1e-6);
        assert!((leeway.rotation(0.5) - 0.4).abs() < 1e-6);
        assert!((leeway.time(20.0) - 25.0).abs() < 1e-5);
    }

    #[test]
    fn wider_tolerance_as_support_stays_within_the_sockets_reach() {
        let support = Some((SupportKind::WiderTolerance, 3, Modality::Text));
        let leeway = Leeway::of(&Adapted {
            support,
            ..Adapted::default()
        });
        assert!((leeway.position(0.04, 0.09) - 0.07).abs() < 1e-6);
        assert!((leeway.position(0.06, 0.09) - 0.09).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn whatever_is_asked_a_step_can_be_done(
            difficulty in prop::num::f64::ANY, pace in prop::num::f64::ANY, authored in 0.005_f32..0.2
        ) {
            let leeway = Leeway::of(&adapted(difficulty, pace));
            prop_assert!(leeway.position(authored, 0.2) >= POSITION_NOISE);
            prop_assert!(leeway.position(authored, 0.2) <= 0.2);
            prop_assert!(leeway.rotation(authored + 0.03) >= ROTATION_NOISE);
            prop_assert!(leeway.time(10.0) >= 2.5 && leeway.time(10.0) <= 40.0);
        }
    }
}
