//! Runtimes that wait for the GPU in `xrEndFrame` (Monado where it has no fence to hand on), and drivers that do so where
//! commands are submitted (software renderers): the render world's work and the GPU's follow each other there, and share one
//! period. Found out from our own frames, never by a name.

use super::forecast::{Forecast, Track};
use super::rules::Rules;
use super::sense::{FrameSample, GpuTime, History};

/// Frames that must have said so, more than have said otherwise, until it is believed; kept at most; left when believed.
const BELIEVED: u8 = 24;
const MOST: u8 = 32;
const DOUBTED: u8 = 8;
/// Least share of the period that the GPU's work must be for a frame to say anything.
const TELLING: f64 = 0.1;
/// How far a wait may be from the GPU's work: parts of it, and of the period.
const NEAR: [f64; 2] = [0.75, 1.15];
const SLACK: f64 = 0.02;

/// What is known of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chain {
    said: u8,
    waits: bool,
    /// Our work before the wait, on the same line of time.
    before: Track,
}

impl Chain {
    /// Whether the runtime waits for the GPU.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// A GPU time came back with the sample so many frames back: did runtime or driver wait for it? `true`
    /// where what is believed changed.
    pub(super) fn witness(&mut self, history: &History, back: usize, gpu: GpuTime) -> bool {
        let Some(waited) = waited(history, back, gpu) else {
            return false;
        };
        // Two that speak for it outweigh one against: hiccups are seen by one clock and not the other.
        self.said = if waited {
            (self.said + 1).min(MOST)
        } else {
            self.said.saturating_sub(2)
        };
        let limit = if self.waits { DOUBTED } else { BELIEVED };
        let waits = self.said >= limit;
        if waits && !self.waits {
            self.before.forget();
        }
        std::mem::replace(&mut self.waits, waits) != waits
    }

    /// Follows our work before the wait.
    pub(super) fn feed(&mut self, sample: &FrameSample, rules: &Rules) {
        self.before.feed(sample.cpu.before_end(), rules);
    }

    /// Seconds of the period that are gone before the GPU's work, and how far they surprise; 0 where nothing waits.
    pub(super) fn before(&self, rules: &Rules) -> Forecast {
        let before = self.before.forecast(rules).filter(|_| self.waits);
        before.unwrap_or_default()
    }

    /// Other frames come.
    pub(super) fn forget_frames(&mut self) {
        self.before.forget();
    }
}

/// Whether handing over took as long as the GPU had to do; `None` where the frame can't tell.
fn waited(history: &History, back: usize, gpu: GpuTime) -> Option<bool> {
    let newest = history.back(back)?;
    // The render world's times come a frame late themselves.
    let age = gpu.age.checked_sub(newest.cpu.rendered_age())?;
    let sample = history.back(back + usize::from(age))?;
    let slack = SLACK * sample.period;
    if gpu.seconds < TELLING * sample.period {
        return None;
    }
    let [least, most] = NEAR.map(|part| part * gpu.seconds);
    let end = sample.cpu.end;
    Some(end >= least - slack && end <= most + slack)
}

/// Alarms: cuts at the first frame of what may be a step. One that was a hiccup costs trust.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Alarms {
    raised: bool,
    until: f64,
    rest: f64,
}

impl Alarms {
    /// Whether an alarm would be believed at the time `now`.
    pub(super) fn trusted(&self, now: f64) -> bool {
        !self.raised && now >= self.until
    }

    /// Quality goes down on one.
    pub(super) fn raise(&mut self) {
        self.raised = true;
    }

    /// The next load came at the time `now`: was it a step, or is it still open, or was it nothing?
    pub(super) fn hear(&mut self, step: bool, open: bool, now: f64, rules: &Rules) {
        if !self.raised || open && !step {
            return;
        }
        self.raised = false;
        if step {
            self.rest = 0.0;
        } else {
            self.rest = (2.0 * self.rest).clamp(rules.alarm_rest, rules.alarm_rest_longest);
            self.until = now + self.rest;
        }
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
