//! What the next frames will cost: the load at full quality, its trend, and how far a frame surprises (its tail).
//!
//! Loads are costs divided by what the setting in force leaves of them, so a change of ours is no change of the load and
//! nothing has to be waited for before looking ahead (a Smith predictor, Smith 1957).

use super::rules::Rules;
use super::sense::{Line, Window, line};

/// Loads that the trend is fitted to.
const RECENT: usize = 16;
/// Surprise (relative) that is provided for until the first ones are known.
const UNKNOWN: f64 = 0.04;

/// What is expected. Loads in seconds at full quality.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Forecast {
    /// The load a few frames ahead.
    pub load: f64,
    /// The same where the rise goes on for as long as a cut provides for.
    pub later: f64,
    /// Change of the load in a frame; 0 where it isn't sure.
    pub slope: f64,
    /// How far the tail quantile of surprises lies above, as a share of the load.
    pub tail: f64,
}

impl Forecast {
    /// The tail of the load a few frames ahead.
    #[must_use]
    pub fn tail_load(&self) -> f64 {
        self.load * (1.0 + self.tail)
    }

    /// The tail of the load that a cut provides for.
    #[must_use]
    pub fn tail_later(&self) -> f64 {
        self.load.max(self.later) * (1.0 + self.tail)
    }
}

/// Follows the load of one side.
#[derive(Debug, Clone, Copy, Default)]
pub struct Track {
    loads: [f64; RECENT],
    len: u8,
    next: u8,
    surprises: Window,
    /// A load that is either a hiccup or the first of a step: the next one tells.
    odd: Option<f64>,
    /// What the next load should be.
    expected: f64,
}

impl Track {
    /// Follows a load, seconds at full quality. `true` where it turned out to be a step.
    pub fn feed(&mut self, load: f64, rules: &Rules) -> bool {
        if !load.is_finite() || load < 0.0 {
            return false;
        }
        if self.len == 0 {
            self.take(load);
            self.expected = load;
            return false;
        }
        let expected = self.expected.max(1e-6);
        let surprise = load / expected - 1.0;
        let tail = self.tail(rules);
        let step = rules.step.max(rules.step_tails * tail);
        if surprise.abs() > step {
            let first = self.odd.replace(load);
            if let Some(first) = first.filter(|it| (it > &expected) == (load > expected)) {
                self.len = 0;
                self.next = 0;
                self.take(first);
                self.take(load);
                self.odd = None;
                self.expected = f64::midpoint(first, load);
                return true;
            }
            return false;
        }
        if let Some(odd) = self.odd.take() {
            // It was a hiccup, and those belong to the tail.
            self.surprises.push((odd / expected - 1.0) as f32);
        }
        self.surprises.push(surprise as f32);
        self.take(load);
        let line = self.line();
        self.expected = (line.end + line.slope).max(0.0);
        false
    }

    /// What is expected a few frames ahead; `None` before the first load.
    #[must_use]
    pub fn forecast(&self, rules: &Rules) -> Option<Forecast> {
        if self.len == 0 {
            return None;
        }
        let line = self.line();
        Some(Forecast {
            load: (line.end + line.slope * rules.ahead).max(0.0),
            later: (line.end + line.slope * rules.provide).max(0.0),
            slope: line.slope,
            tail: self.tail(rules).max(0.0),
        })
    }

    /// Whether the last load was either a hiccup or the first of a step.
    #[must_use]
    pub fn is_odd(&self) -> bool {
        self.odd.is_some()
    }

    /// The last load, where it was either a hiccup upwards or the first of a step up.
    #[must_use]
    pub fn odd_rise(&self) -> Option<f64> {
        self.odd.filter(|load| *load > self.expected)
    }

    /// Starts again from a load that is known, with the surprises as they were.
    pub fn restart(&mut self, load: f64) {
        self.len = 0;
        self.next = 0;
        self.odd = None;
        self.take(load);
        self.expected = load;
    }

    /// Forgets all of it.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn tail(&self, rules: &Rules) -> f64 {
        if self.surprises.len() < RECENT {
            UNKNOWN
        } else {
            self.surprises.quantile(rules.tail).unwrap_or(UNKNOWN)
        }
    }

    fn take(&mut self, load: f64) {
        if let Some(place) = self.loads.get_mut(usize::from(self.next)) {
            *place = load;
        }
        self.next = (self.next + 1) % RECENT as u8;
        self.len = (self.len + 1).min(RECENT as u8);
    }

    fn line(&self) -> Line {
        let len = usize::from(self.len);
        let first = (usize::from(self.next) + RECENT - len) % RECENT;
        let loads = || {
            (0..len).map(move |n| {
                let load = self.loads.get((first + n) % RECENT);
                load.copied().unwrap_or_default()
            })
        };
        // Two or three after a step are no trend yet.
        if len < 6 {
            let mean = loads().sum::<f64>() / len.max(1) as f64;
            return Line {
                end: mean,
                slope: 0.0,
            };
        }
        line(loads()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(loads: impl IntoIterator<Item = f64>) -> Track {
        let rules = Rules::default();
        let mut track = Track::default();
        for load in loads {
            track.feed(load, &rules);
        }
        track
    }

    /// Noise that sums to nothing.
    fn noise(n: usize) -> f64 {
        [0.02, -0.03, 0.01, 0.0, -0.02, 0.03, -0.01][n % 7]
    }

    #[test]
    fn a_hiccup_is_none_of_the_load_and_a_step_is_known_at_its_second_frame() {
        let rules = Rules::default();
        let mut track = track((0..60).map(|n| 0.01 * (1.0 + noise(n))));
        let before = track.forecast(&rules).unwrap();
        assert!((before.load - 0.01).abs() < 3e-4, "{before:?}");
        assert!(!track.feed(0.02, &rules));
        let after = track.forecast(&rules).unwrap();
        assert!((after.load - before.load).abs() < 1e-9, "{after:?}");
        assert!(!track.feed(0.01, &rules));
        assert!(!track.feed(0.016, &rules));
        assert!(track.feed(0.0162, &rules));
        let after = track.forecast(&rules).unwrap();
        assert!((after.load - 0.0161).abs() < 1e-9, "{after:?}");
        // A step doesn't make the tail longer.
        assert!(after.tail < 0.05, "{after:?}");
    }

    #[test]
    fn a_rise_is_seen_before_it_arrives() {
        let rules = Rules::default();
        let track = track((0..60).map(|n| 0.01 * (1.0 + 0.005 * n as f64 + noise(n) * 0.3)));
        let forecast = track.forecast(&rules).unwrap();
        let now = 0.01 * (1.0 + 0.005 * 59.0);
        assert!(forecast.slope > 0.0 && forecast.load > now, "{forecast:?}");
        assert!(forecast.later > forecast.load);
    }

    #[test]
    fn a_noisy_load_has_a_longer_tail_than_a_calm_one() {
        let rules = Rules::default();
        let tail = |by: f64| {
            let track = track((0..200).map(|n| 0.01 * (1.0 + by * noise(n))));
            track.forecast(&rules).unwrap().tail
        };
        assert!(tail(2.0) > tail(0.5));
    }

    #[test]
    fn what_is_no_load_is_left_out() {
        let track = track([0.01, f64::NAN, -1.0, f64::INFINITY, 0.01]);
        assert_eq!(track.len, 2);
    }
}
