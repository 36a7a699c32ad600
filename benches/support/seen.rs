//! What the learning maths is measured on, the same for the bench and for `measure-learning`, which include it.

use std::time::Duration;

use malloc_vr::learning::few::Few;
use malloc_vr::learning::five::observation::{Moment, Observation};
use malloc_vr::learning::load::window::{LoadMotion, LoadWindow};

pub const SKILLS: usize = 50;
pub const TICK: Duration = Duration::from_secs(5);

/// Numbers that look random enough, the same in every run (xorshift64; Marsaglia 2003).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    pub fn share(&mut self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1_u32 << 20)
    }
}

/// An attempt at one of [`SKILLS`] skills.
pub fn attempt(id: u64, numbers: &mut Numbers) -> Observation {
    let mut skills = Few::default();
    skills.push(numbers.below(SKILLS as u64) as u32);
    Observation {
        id,
        skills,
        variant: Some(numbers.below(8) as u32),
        correct: numbers.below(10) < 7,
        seconds: Some(2.0 + 10.0 * numbers.share()),
        in_good_time: Some(numbers.below(2) == 0),
        help_on_offer: true,
        hints: u32::from(numbers.below(5) == 0),
        efficiency: Some(numbers.share()),
        ..Observation::default()
    }
}

/// A moment at which the most is seen that can be, so that the load costs what it can.
pub fn full_moment() -> Moment {
    Moment {
        dt: TICK,
        ready: true,
        window: Some(LoadWindow {
            interval: Some(2.0),
            interval_spread: Some(0.4),
            hesitation: Some(0.6),
            path: Some(1.2),
            motion: Some(LoadMotion {
                jerk: Some(-6.0),
                head_turning: Some(0.4),
                head_entropy: Some(1.2),
                head_returns: Some(12.0),
            }),
        }),
        ..Moment::default()
    }
}
