//! A pose in whole steps, and what the next one is expected to be.

use super::pose::{Controls, FARTHEST, RawPose};

/// Steps of position in a metre.
const STEPS_PER_METRE: f64 = 10_000.0;
/// Farthest step.
pub(super) const FARTHEST_STEP: i32 = (FARTHEST as i32) * 10_000;
/// Steps of a quaternion's smaller number over 0..1/√2: the angle comes back within 2e-4 rad.
pub(super) const ROTATION_STEPS: i32 = 16_383;
/// Squares of the three smaller numbers sum to 3/4 at most; a little more by rounding.
const MOST_OF_SMALLER: f64 = 0.7505;
/// One pose in steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) position: [i32; 3],
    pub(super) smaller: [i32; 3],
    pub(super) largest: u8,
}

impl Steps {
    pub(super) fn of(pose: &RawPose) -> Self {
        let position = pose.position.map(|x| {
            let step = (f64::from(x) * STEPS_PER_METRE).round() as i32;
            step.clamp(-FARTHEST_STEP, FARTHEST_STEP)
        });
        let mut largest = 0;
        for (index, x) in pose.rotation.iter().enumerate() {
            if x.abs() > pose.rotation.get(largest).map_or(0.0, |y| y.abs()) {
                largest = index;
            }
        }
        // A quaternion and its negative turn alike; the largest number is taken as positive.
        let sign = match pose.rotation.get(largest) {
            Some(x) if *x < 0.0 => -1.0,
            _ => 1.0,
        };
        let mut smaller = [0; 3];
        let others = (0..4).filter(|index| *index != largest);
        for (to, from) in smaller.iter_mut().zip(others) {
            let x = pose.rotation.get(from).copied().unwrap_or(0.0);
            let step = sign * f64::from(x) * std::f64::consts::SQRT_2 * f64::from(ROTATION_STEPS);
            *to = (step.round() as i32).clamp(-ROTATION_STEPS, ROTATION_STEPS);
        }
        Self {
            position,
            smaller,
            largest: largest as u8,
        }
    }

    pub(super) fn pose(&self) -> Option<RawPose> {
        let position = self
            .position
            .map(|step| (f64::from(step) / STEPS_PER_METRE) as f32);
        let smaller = self.smaller.map(|step| {
            f64::from(step) / f64::from(ROTATION_STEPS) * std::f64::consts::FRAC_1_SQRT_2
        });
        let squares: f64 = smaller.iter().map(|x| x * x).sum();
        if squares > MOST_OF_SMALLER {
            return None;
        }
        let mut rotation = [(1.0 - squares).sqrt() as f32; 4];
        let others = (0..4).filter(|index| *index != usize::from(self.largest));
        for (index, x) in others.zip(smaller) {
            *rotation.get_mut(index)? = x as f32;
        }
        RawPose::new(position, rotation).ok()
    }

    pub(super) fn numbers(&self) -> [i32; 6] {
        let ([a, b, c], [d, e, f]) = (self.position, self.smaller);
        [a, b, c, d, e, f]
    }
}

/// What a slot's next pose is predicted from.
#[derive(Clone, Copy, Default)]
pub(super) struct Track {
    last: Option<Steps>,
    before: Option<Steps>,
}

impl Track {
    /// Numbers expected next: as if the velocity stayed. A rotation that is written in other axes begins anew.
    pub(super) fn expect(&self, largest: u8) -> [i64; 6] {
        let Some(last) = self.last else {
            return [0; 6];
        };
        let before = self.before.unwrap_or(last);
        let mut expected = [0; 6];
        for (index, (to, (a, b))) in expected
            .iter_mut()
            .zip(last.numbers().into_iter().zip(before.numbers()))
            .enumerate()
        {
            let rotation = index >= 3;
            *to = if rotation && last.largest != largest {
                0
            } else if rotation && before.largest != largest {
                i64::from(a)
            } else {
                2 * i64::from(a) - i64::from(b)
            };
        }
        expected
    }

    pub(super) fn push(&mut self, steps: Steps) {
        self.before = self.last;
        self.last = Some(steps);
    }
}

/// Controls in steps: trigger, squeeze, stick, menu.
pub(super) type Presses = [u8; 5];

pub(super) fn presses(controls: &Controls) -> Presses {
    // A NaN becomes 0.
    let share = |x: f32| (x.clamp(0.0, 1.0) * 255.0).round() as u8;
    let lean = |x: f32| (x.clamp(-1.0, 1.0) * 127.0).round() as i8 as u8;
    [
        share(controls.trigger),
        share(controls.squeeze),
        lean(controls.stick[0]),
        lean(controls.stick[1]),
        u8::from(controls.menu),
    ]
}

pub(super) fn controls([trigger, squeeze, x, y, menu]: Presses) -> Controls {
    let lean = |x: u8| f32::from((x as i8).max(-127)) / 127.0;
    Controls {
        trigger: f32::from(trigger) / 255.0,
        squeeze: f32::from(squeeze) / 255.0,
        stick: [lean(x), lean(y)],
        menu: menu != 0,
    }
}
