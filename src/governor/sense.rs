//! What frames cost: samples in a bounded ring, and two cheap statistics, quantile and trend, exactly specified.
//! In: one [`FrameSample`] for each frame. Out: [`History`]. Never: allocation, a clock, an engine.

use serde::{Deserialize, Serialize};

use super::actuators::Setting;

/// Frames that a [`History`] looks back on.
pub const REMEMBERED: usize = 128;

/// CPU time of a frame by phase, seconds. The wait for the frame belongs to none of them. Where main and render world run
/// beside each other (`overlap` isn't 0), what the render world did is of the frame before.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CpuPhases {
    /// Input, physics, lesson, adaptation, panels.
    pub simulation: f64,
    /// What the renderer takes over and prepares.
    pub prepare: f64,
    /// Recording commands.
    pub record: f64,
    /// What driver and runtime kept us when the frame was handed over, in submitting and in `xrEndFrame`: work of their own,
    /// or a wait for the GPU.
    #[serde(default)]
    pub end: f64,
    /// Time in which two phases ran beside each other: the renderer works on a frame while the next is simulated. Without
    /// `end`.
    #[serde(default)]
    pub overlap: f64,
}

impl CpuPhases {
    /// Seconds that our own work takes of the CPU's time line: all phases, what ran beside each other once.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.simulation + self.prepare + self.record - self.overlap
    }

    /// The same with handing over, which is part of the render world's.
    #[must_use]
    pub fn total_with_end(&self) -> f64 {
        let beside = if self.overlap > 0.0 {
            self.simulation - self.overlap
        } else {
            0.0
        };
        self.total() + (self.end - beside).max(0.0)
    }

    /// Our work on the line of time that handing over ends: the render world's, or all of it where nothing runs beside.
    #[must_use]
    pub fn before_end(&self) -> f64 {
        if self.overlap > 0.0 {
            self.prepare + self.record
        } else {
            self.total()
        }
    }

    /// How many frames the render world's times are older than the sample.
    #[must_use]
    pub fn rendered_age(&self) -> u8 {
        u8::from(self.overlap > 0.0)
    }
}

/// GPU time by timestamps, which come later than the frame that they are about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuTime {
    /// Seconds between the first and the last command.
    pub seconds: f64,
    /// How many frames before this one it was measured; 0 is this very frame.
    pub age: u8,
}

/// What one frame cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameSample {
    /// The runtime's predicted display period, seconds.
    pub period: f64,
    /// CPU time by phase.
    pub cpu: CpuPhases,
    /// GPU time, where the device has timestamps and one has come back.
    pub gpu: Option<GpuTime>,
    /// Time blocked in the frame wait, seconds.
    pub wait: f64,
    /// Display periods that passed without a new picture.
    pub skipped: u8,
    /// Whether the compositor showed an older picture in this frame's place.
    pub stale: bool,
    /// What was in force while it was made.
    pub setting: Setting,
}

impl FrameSample {
    /// Whether every number is one that a frame can have. A clock that jumped must not steer anything.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let time = |s: f64| (0.0..10.0).contains(&s);
        self.period > 1e-3
            && self.period < 1.0
            && time(self.cpu.simulation)
            && time(self.cpu.prepare)
            && time(self.cpu.record)
            && time(self.cpu.end)
            && time(self.cpu.overlap)
            && time(self.cpu.total())
            && time(self.wait)
            && self.gpu.is_none_or(|gpu| time(gpu.seconds))
            && self.setting.is_sound()
    }

    /// Whether a display period passed without a new picture.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.skipped > 0 || self.stale
    }
}

const EMPTY: FrameSample = FrameSample {
    period: 0.0,
    cpu: CpuPhases {
        simulation: 0.0,
        prepare: 0.0,
        record: 0.0,
        end: 0.0,
        overlap: 0.0,
    },
    gpu: None,
    wait: 0.0,
    skipped: 0,
    stale: false,
    setting: Setting::FULL,
};

/// The last [`REMEMBERED`] samples.
#[derive(Debug, Clone)]
pub struct History {
    ring: [FrameSample; REMEMBERED],
    frames: u64,
    since: u64,
    refused: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            ring: [EMPTY; REMEMBERED],
            frames: 0,
            since: 0,
            refused: 0,
        }
    }
}

impl History {
    /// Remembers a frame. `false`, and nothing is remembered, where a number is none that a frame can have.
    pub fn push(&mut self, sample: FrameSample) -> bool {
        if !sample.is_sound() {
            self.refused += 1;
            return false;
        }
        let at = (self.frames % REMEMBERED as u64) as usize;
        if let Some(place) = self.ring.get_mut(at) {
            *place = sample;
        }
        self.frames += 1;
        true
    }

    /// The sample so many frames back; 0 is the newest.
    #[must_use]
    pub fn back(&self, frames: usize) -> Option<&FrameSample> {
        if frames >= self.len() {
            return None;
        }
        let at = (self.frames - 1 - frames as u64) % REMEMBERED as u64;
        self.ring.get(at as usize)
    }

    /// Frames remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.frames - self.since).min(REMEMBERED as u64) as usize
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Frames ever remembered.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Samples that were none.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Display periods missed in the last `frames` frames.
    #[must_use]
    pub fn missed_in(&self, frames: usize) -> u32 {
        (0..frames)
            .map_while(|back| self.back(back))
            .map(|it| u32::from(it.skipped.max(u8::from(it.stale))))
            .sum()
    }

    /// Forgets: another scene, another refresh rate, focus lost.
    pub fn forget(&mut self) {
        self.since = self.frames;
    }
}

/// Values that a [`Window`] holds: 1.3 s at 72 Hz, so that a p95 stands on five values.
pub const WINDOW: usize = 96;

/// The last [`WINDOW`] values, kept in order of size beside the order of time: a push costs two searches and one move, a
/// quantile nothing.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    ring: [f32; WINDOW],
    sorted: [f32; WINDOW],
    len: u8,
    next: u8,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            ring: [0.0; WINDOW],
            sorted: [0.0; WINDOW],
            len: 0,
            next: 0,
        }
    }
}

impl Window {
    /// Takes a value in, and the oldest out where the window is full. What isn't finite is left out.
    pub fn push(&mut self, value: f32) {
        if !value.is_finite() {
            return;
        }
        let len = usize::from(self.len);
        let Some(oldest) = self.ring.get_mut(usize::from(self.next)) else {
            return;
        };
        let leaves = std::mem::replace(oldest, value);
        self.next = (self.next + 1) % WINDOW as u8;
        let (from, to) = if len == WINDOW {
            let sorted = &self.sorted;
            let from = sorted.partition_point(|it| it.total_cmp(&leaves).is_lt());
            let to = sorted.partition_point(|it| it.total_cmp(&value).is_lt());
            (from.min(WINDOW - 1), to)
        } else {
            self.len += 1;
            let held = self.sorted.get(..len).unwrap_or_default();
            (len, held.partition_point(|it| it.total_cmp(&value).is_lt()))
        };
        // The place that became free wanders to where the value belongs.
        let to = if to > from {
            let to = to - 1;
            if let Some(part) = self.sorted.get_mut(from..=to) {
                part.rotate_left(1);
            }
            to
        } else {
            if let Some(part) = self.sorted.get_mut(to..=from) {
                part.rotate_right(1);
            }
            to
        };
        if let Some(place) = self.sorted.get_mut(to) {
            *place = value;
        }
    }

    /// The smallest value with at least the share `q` (0..1) of all values at or below it (nearest rank, Hyndman & Fan
    /// 1996, definition 1). `None` while empty.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let len = f64::from(self.len);
        let rank = (q.clamp(0.0, 1.0) * len).ceil().max(1.0) as usize;
        let held = self.sorted.get(..usize::from(self.len))?;
        held.get(rank - 1).map(|it| f64::from(*it))
    }

    /// How many values it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A straight line through equally spaced values.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Line {
    /// Its value at the last one.
    pub end: f64,
    /// Change from one value to the next; 0 where it is less than twice its standard error.
    pub slope: f64,
}

/// Fits a line by least squares to `n` values, the oldest first. A slope that isn't twice its standard error counts as
/// none, and the end is the mean then. `None` where there are fewer than three values.
#[must_use]
pub fn line(values: impl Iterator<Item = f64> + Clone) -> Option<Line> {
    let n = values.clone().count();
    if n < 3 {
        return None;
    }
    let n = n as f64;
    let mean = values.clone().sum::<f64>() / n;
    let middle = (n - 1.0) / 2.0;
    let (mut along, mut spread, mut x) = (0.0, 0.0, -middle);
    for value in values {
        along += x * (value - mean);
        spread += (value - mean) * (value - mean);
        x += 1.0;
    }
    // The sum of squares of n numbers one apart around their middle.
    let squares = n * (n * n - 1.0) / 12.0;
    let slope = along / squares;
    let rest = (spread - slope * along).max(0.0);
    let error = (rest / (n - 2.0) / squares).sqrt();
    let slope = if slope.abs() > 2.0 * error {
        slope
    } else {
        0.0
    };
    Some(Line {
        end: mean + slope * middle,
        slope,
    })
}

#[cfg(test)]
#[path = "sense_tests.rs"]
mod tests;
