//! Watches hands and head for some five seconds at a time and says how the task was done: [`LoadWindow`].
//!
//! In: where hands are in each frame, what they take and let go. Out: figures, never places. Fixed memory, nothing is
//! allocated; what tracking did not see is as if it had not been. How hand and head *move* is looked at only where that
//! is asked for frame by frame.

use super::motion::{HeadMeter, log_dimensionless_jerk};
use super::window::{LoadMotion, LoadWindow};

/// A hand that moved less than this since it was last noted has not moved, metres: what tracking makes of a still hand.
const STEP: f64 = 0.01;
/// Faster than this nobody reaches, metres per second: tracking jumped, or the learner stands elsewhere.
const FASTEST: f64 = 8.0;
/// A hand that lies still for so long away from things has ended its way, seconds. Arbitrary.
const REST: f64 = 0.5;
/// Shortest way that can have a detour, metres, straight. Arbitrary: less is a fidget.
const SHORTEST: f64 = 0.1;
/// Lingering counts for no longer than this, seconds: whoever rests there for a minute is not hesitating. Arbitrary.
const LONGEST: f64 = 15.0;
/// Two deeds nearer than this are one, seconds.
const ONE_DEED: f64 = 0.1;
/// Times between deeds that are kept, and how many of them make a spread.
const DEEDS: usize = 8;
const FEWEST_DEEDS: usize = 5;
/// Places of a way that are kept, and the time from one to the next, seconds: people reach with hardly anything above
/// 10 Hz. Of a longer way the jerk is not told.
const PLACES: usize = 160;
const EVERY: f64 = 0.05;
/// Speed of a hand that counts as moving, metres per second: 5 % of a reach's peak is usual in movement science.
const MOVING: f64 = 0.05;

/// A hand in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandSeen {
    /// Where, metres.
    pub at: [f64; 3],
    /// So near to a thing that it could be about to take it.
    pub near: bool,
    /// Something is in it.
    pub holds: bool,
}

/// The head in one frame, radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadSeen {
    /// Direction around the vertical.
    pub yaw: f64,
    /// Angle to what the step is about; `None`: it is about nothing that can be seen.
    pub off: Option<f64>,
}

/// What a frame shows. `None`: not seen.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FrameSeen {
    /// Since the frame before, seconds.
    pub dt: f64,
    /// Left and right.
    pub hands: [Option<HandSeen>; 2],
    /// The head.
    pub head: Option<HeadSeen>,
    /// Whether it may be looked at how hands and head move.
    pub motion: bool,
}

/// Sum and number.
#[derive(Debug, Clone, Copy, Default)]
struct Mean(f64, f64);

impl Mean {
    fn add(&mut self, x: f64) {
        self.0 += x;
        self.1 += 1.0;
    }

    fn get(self) -> Option<f64> {
        (self.1 > 0.0).then(|| self.0 / self.1)
    }
}

/// Places of the way that a hand is on, evenly spaced in time.
#[derive(Debug, Clone)]
struct Places {
    places: [[f64; 3]; PLACES],
    len: usize,
    /// Since the last one, seconds.
    since: f64,
    full: bool,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            places: [[0.0; 3]; PLACES],
            len: 0,
            since: 0.0,
            full: false,
        }
    }
}

impl Places {
    /// The hand came from one place to the next in `dt`: notes where it was at each due time.
    fn pass(&mut self, from: [f64; 3], to: [f64; 3], dt: f64) {
        let mut passed = 0.0;
        while self.since + (dt - passed) >= EVERY {
            passed += EVERY - self.since;
            self.since = 0.0;
            let share = (passed / dt).clamp(0.0, 1.0);
            let at = std::array::from_fn(|axis| match (from.get(axis), to.get(axis)) {
                (Some(from), Some(to)) => from + share * (to - from),
                _ => 0.0,
            });
            match self.places.get_mut(self.len) {
                Some(place) => {
                    *place = at;
                    self.len += 1;
                }
                None => {
                    self.full = true;
                    return;
                }
            }
        }
        self.since += dt - passed;
    }

    /// Begins anew.
    fn forget(&mut self) {
        (self.len, self.since, self.full) = (0, 0.0, false);
    }

    /// Jerk between the first and the last moment at which the hand moved.
    fn jerk(&self) -> Option<f64> {
        let places = self.places.get(..self.len).filter(|_| !self.full)?;
        let moving = |pair: &[[f64; 3]]| match pair {
            [a, b] => distance(*a, *b) >= MOVING * EVERY,
            _ => false,
        };
        let first = places.windows(2).position(moving)?;
        let last = places.windows(2).rposition(moving)?;
        log_dimensionless_jerk(places.get(first..=last + 1)?)
    }
}

/// A hand over time.
#[derive(Debug, Clone, Default)]
struct HandMeter {
    at: Option<[f64; 3]>,
    /// Where the way began, where the hand was last noted on it, and its length up to there.
    from: [f64; 3],
    noted: [f64; 3],
    path: f64,
    still: f64,
    near: f64,
    places: Places,
}

impl HandMeter {
    fn seen(&mut self, dt: f64, hand: &HandSeen, motion: bool) {
        let before = self.at.replace(hand.at);
        let Some(before) = before.filter(|it| distance(*it, hand.at) <= FASTEST * dt) else {
            self.begin(hand.at);
            self.near = 0.0;
            return;
        };
        let step = distance(self.noted, hand.at);
        if step >= STEP {
            self.path += step;
            self.noted = hand.at;
            self.still = 0.0;
        } else {
            self.still += dt;
        }
        self.near = if hand.near && !hand.holds {
            (self.near + dt).min(LONGEST)
        } else {
            0.0
        };
        if motion {
            self.places.pass(before, hand.at, dt);
        } else {
            self.places.forget();
        }
        if self.still >= REST && !hand.near && !hand.holds {
            self.begin(hand.at);
        }
    }

    /// A way begins here.
    fn begin(&mut self, at: [f64; 3]) {
        (self.from, self.noted, self.path, self.still) = (at, at, 0.0, 0.0);
        self.places.forget();
    }

    fn lost(&mut self) {
        self.at = None;
        self.near = 0.0;
        self.places.forget();
    }

    /// Ends the way: its length and that of the straight one, where it is long enough.
    fn arrive(&mut self) -> Option<(f64, f64)> {
        let at = self.at?;
        let straight = distance(self.from, at);
        let path = (self.path + distance(self.noted, at)).max(straight);
        self.begin(at);
        (straight >= SHORTEST).then_some((path, straight))
    }
}

/// The times between deeds.
#[derive(Debug, Clone, Default)]
struct Rhythm {
    /// Since the last deed, seconds.
    since: Option<f64>,
    /// Logarithms of the last times; the oldest is overwritten.
    last: [f64; DEEDS],
    seen: usize,
    ended: Mean,
}

impl Rhythm {
    fn acted(&mut self) {
        match self.since {
            Some(since) if since < ONE_DEED => return,
            Some(since) => {
                if let Some(place) = self.last.get_mut(self.seen % DEEDS) {
                    *place = since.ln();
                }
                self.seen += 1;
                self.ended.add(since.ln());
            }
            None => {}
        }
        self.since = Some(0.0);
    }

    /// Mean and spread, where a time ended since this was asked last.
    fn take(&mut self) -> [Option<f64>; 2] {
        let mean = std::mem::take(&mut self.ended).get().map(f64::exp);
        let mut last = self.last;
        let kept = last.get_mut(..self.seen.min(DEEDS));
        let spread = kept.filter(|kept| kept.len() >= FEWEST_DEEDS && mean.is_some());
        [mean, spread.map(|kept| 1.4826 * deviation(kept))]
    }
}

/// Median absolute deviation from the median (Hampel 1974); 1.4826 of it are a standard deviation of what is normal.
fn deviation(values: &mut [f64]) -> f64 {
    let median = |values: &mut [f64]| {
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or_default();
        f64::midpoint(at(values.len() / 2), at((values.len().max(1) - 1) / 2))
    };
    let middle = median(values);
    values.iter_mut().for_each(|x| *x = (*x - middle).abs());
    median(values)
}

/// Watches one learner. About 8 kB.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    hands: [HandMeter; 2],
    head: HeadMeter,
    rhythm: Rhythm,
    hesitation: Mean,
    path: f64,
    straight: f64,
    jerk: Mean,
    seconds: f64,
    /// Motion was looked at in all frames so far.
    motion: Option<bool>,
}

impl Meter {
    /// A frame of the running lesson. Frames without a time, or without end, are none.
    pub fn frame(&mut self, seen: &FrameSeen) {
        let dt = seen.dt;
        if !(dt.is_finite() && dt > 0.0) {
            return;
        }
        self.seconds += dt;
        self.motion = Some(seen.motion && self.motion.unwrap_or(true));
        self.rhythm.since = self.rhythm.since.map(|since| since + dt);
        for (meter, hand) in self.hands.iter_mut().zip(&seen.hands) {
            match hand {
                Some(hand) if hand.at.iter().all(|x| x.abs() < 1e6) => {
                    meter.seen(dt, hand, seen.motion);
                }
                _ => meter.lost(),
            }
        }
        match seen.head.filter(|_| seen.motion) {
            Some(head) => self.head.seen(dt, head.yaw, head.off),
            None => self.head.lost(),
        }
    }

    /// Something was done on purpose.
    pub fn acted(&mut self) {
        self.rhythm.acted();
    }

    /// A hand (0: left, 1: right) took something.
    pub fn took(&mut self, hand: usize) {
        self.rhythm.acted();
        let Some(meter) = self.hands.get_mut(hand) else {
            return;
        };
        if meter.at.is_some() {
            self.hesitation.add(meter.near);
            if let Some(jerk) = meter.places.jerk() {
                self.jerk.add(jerk);
            }
        }
        meter.near = 0.0;
        self.arrived(hand);
    }

    /// A hand let something go.
    pub fn let_go(&mut self, hand: usize) {
        self.rhythm.acted();
        self.arrived(hand);
    }

    fn arrived(&mut self, hand: usize) {
        if let Some((path, straight)) = self.hands.get_mut(hand).and_then(HandMeter::arrive) {
            self.path += path;
            self.straight += straight;
        }
    }

    /// The lesson stood still: what was under way is not gone on with.
    pub fn interrupted(&mut self) {
        self.hands.iter_mut().for_each(HandMeter::lost);
        self.head.lost();
        self.rhythm.since = None;
    }

    /// What was seen; the next window begins.
    pub fn take(&mut self) -> LoadWindow {
        let [interval, interval_spread] = self.rhythm.take();
        let [head_turning, head_entropy, head_returns] = self.head.take(self.seconds);
        let allowed = self.motion == Some(true);
        let jerk = std::mem::take(&mut self.jerk).get();
        let window = LoadWindow {
            interval,
            interval_spread,
            hesitation: std::mem::take(&mut self.hesitation).get(),
            path: (self.straight > 0.0).then(|| self.path / self.straight),
            motion: allowed.then_some(LoadMotion {
                jerk,
                head_turning,
                head_entropy,
                head_returns,
            }),
        };
        (self.path, self.straight, self.seconds, self.motion) = (0.0, 0.0, 0.0, None);
        window
    }
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;
