//! When the next sample is due: by deadlines, so that work and late frames never add up to a drift.
//!
//! The interval follows the sources' table (base 5 s; slow frames ×1.5 up to 10 s; frames to spare ×0.8 down to 2 s;
//! much activity ×0.9 down to 3 s; little ×1.2 up to 8 s), with its faults mended: frame rates are compared with what
//! the display in use shows, not with 72 and 90 Hz, what is not measured changes nothing, and no rule's limit turns a
//! lengthening into a shortening.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::histogram::Histogram;

/// How frames fare, by the display in use. Both are shares of its own rate and period, whatever these are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FramePace {
    /// Frames shown ÷ frames that the display could have shown; 1 is all.
    pub shown: f64,
    /// Time of work in a frame ÷ the display's period, if it is measured.
    pub busy: Option<f64>,
}

/// What the interval depends on. `None`: not measured, and nothing follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Circumstances {
    /// Frames.
    pub frames: Option<FramePace>,
    /// How active the learner is, in [0, 1].
    pub activity: Option<f64>,
}

/// When samples are due.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleRules {
    /// Where nothing speaks for another: 5 s.
    pub base: Duration,
    /// Never shorter: 2 s.
    pub shortest: Duration,
    /// Never longer: 10 s.
    pub longest: Duration,
    /// Frames suffer where less than this share of what the display can show is shown: 0.8, the source's 72 of 90 Hz.
    pub frames_suffer: f64,
    /// There is time to spare where work takes at most this share of the period, and at least `frames_whole` is shown.
    /// Arbitrary: 0.8, as much below a full frame as suffering is below a full rate.
    pub frames_spare: f64,
    /// Arbitrary: 0.99.
    pub frames_whole: f64,
    /// The learner is active above this: 0.8.
    pub active: f64,
    /// The learner is calm below this: 0.3.
    pub calm: f64,
}

impl Default for ScheduleRules {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(5),
            shortest: Duration::from_secs(2),
            longest: Duration::from_secs(10),
            frames_suffer: 0.8,
            frames_spare: 0.8,
            frames_whole: 0.99,
            active: 0.8,
            calm: 0.3,
        }
    }
}

impl ScheduleRules {
    /// Time to the next sample, between `shortest` and `longest`. Comparisons with NaN hold nothing, so it changes
    /// nothing.
    #[must_use]
    pub fn interval(&self, now: &Circumstances) -> Duration {
        let secs = Duration::from_secs;
        let mut interval = self.base;
        if let Some(frames) = now.frames {
            let spare = frames.busy.is_some_and(|busy| busy <= self.frames_spare);
            if frames.shown < self.frames_suffer {
                interval = longer(interval, 1.5, self.longest);
            } else if spare && frames.shown >= self.frames_whole {
                interval = shorter(interval, 0.8, self.shortest);
            }
        }
        if let Some(activity) = now.activity {
            if activity > self.active {
                interval = shorter(interval, 0.9, secs(3));
            } else if activity < self.calm {
                interval = longer(interval, 1.2, secs(8));
            }
        }
        interval.min(self.longest).max(self.shortest)
    }
}

fn longer(interval: Duration, factor: f64, at_most: Duration) -> Duration {
    times(interval, factor).min(at_most).max(interval)
}

fn shorter(interval: Duration, factor: f64, at_least: Duration) -> Duration {
    times(interval, factor).max(at_least).min(interval)
}

fn times(interval: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(interval.as_secs_f64() * factor).unwrap_or(interval)
}

/// A sample is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// How late it is.
    pub late: Duration,
    /// How many were due before it in vain, because nobody asked. They are not made up for.
    pub missed: u32,
}

/// When one learner's next sample is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    next: Duration,
    interval: Duration,
    /// When the last one was taken, once there was one.
    last: Option<Duration>,
    missed: u64,
}

impl Schedule {
    /// The first sample is due within one interval after `now`, at a moment of its own for each of many learners:
    /// the golden ratio spreads any number of them nearly evenly (three-distance theorem; Sós 1958).
    #[must_use]
    pub fn new(now: Duration, ordinal: u32, rules: &ScheduleRules) -> Self {
        /// 1/φ.
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        let share = (f64::from(ordinal) * GOLDEN).fract();
        let interval = rules.base;
        Self {
            next: now.saturating_add(times(interval, share)),
            interval,
            last: None,
            missed: 0,
        }
    }

    /// Whether a sample is due at `now`. Then the next deadline is one `interval` after this one's, however late `now`
    /// is; after a stall, the first such moment that is not past. How far the time since the last sample is from what
    /// it should have been goes into `errors`.
    pub fn poll(
        &mut self,
        now: Duration,
        interval: Duration,
        errors: &mut Histogram,
    ) -> Option<Due> {
        let late = now.checked_sub(self.next)?;
        if let Some(last) = self.last {
            errors.record(now.saturating_sub(last).abs_diff(self.interval));
        }
        // An interval of nothing would be due for ever.
        let interval = interval.max(Duration::from_millis(1));
        let missed = u32::try_from(late.as_nanos() / interval.as_nanos()).unwrap_or(u32::MAX);
        let step = interval.saturating_mul(missed.saturating_add(1));
        self.next = self.next.saturating_add(step);
        self.interval = interval;
        self.last = Some(now);
        self.missed += u64::from(missed);
        Some(Due { late, missed })
    }

    /// The interval that runs.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// The next deadline.
    #[must_use]
    pub fn next(&self) -> Duration {
        self.next
    }

    /// Samples that were due in vain, so far.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
