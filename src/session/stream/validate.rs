//! Whether a sample can be believed: field by field, and what can't is put aside with a reason, never mended.
//!
//! Used on both ends: a headset checks its own sensors, a host everything that comes in.

use std::time::Duration;

use super::quarantine::{Kept, Quarantine};
use crate::protocol::sample::{Field, Sample, Signal};

/// Why something can't be believed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Fault {
    /// NaN or infinite.
    #[error("it is no number")]
    NotFinite,
    /// Beyond what the signal can be.
    #[error("it lies outside of {low}..{high}")]
    OutOfRange {
        /// Lowest possible.
        low: f32,
        /// Highest possible.
        high: f32,
    },
    /// The interval's ends or the figure are in the wrong order.
    #[error("it lies outside of its own interval")]
    Disordered,
    /// A signal that never stands still did: the sensor is stuck.
    #[error("it was the same {times} times running, so the sensor is stuck")]
    FlatLine {
        /// How often.
        times: u32,
    },
    /// Measured too long ago.
    #[error("it was measured {age:?} ago")]
    Stale {
        /// How long.
        age: Duration,
    },
    /// The wall clock jumped, or is ahead of ours.
    #[error("the sender's clock is off by {by:?}; its time is left out, the order stays")]
    ClockSkew {
        /// By how much.
        by: Duration,
    },
    /// An older or the same sample again.
    #[error("sample {found} came after {last}")]
    OutOfOrder {
        /// Number of the last one.
        last: u64,
        /// Number of this one.
        found: u64,
    },
    /// The session's own time went backwards.
    #[error("it is earlier than the sample before it")]
    TimeRanBack,
}

impl Fault {
    /// How many kinds there are.
    pub const KINDS: usize = 8;

    /// Which kind it is, below [`Fault::KINDS`].
    #[must_use]
    pub fn kind(&self) -> usize {
        match self {
            Self::NotFinite => 0,
            Self::OutOfRange { .. } => 1,
            Self::Disordered => 2,
            Self::FlatLine { .. } => 3,
            Self::Stale { .. } => 4,
            Self::ClockSkew { .. } => 5,
            Self::OutOfOrder { .. } => 6,
            Self::TimeRanBack => 7,
        }
    }
}

/// What a signal can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalRule {
    /// Lowest possible figure.
    pub low: f32,
    /// Highest possible figure.
    pub high: f32,
    /// How often running it can be measured the same to the last bit, where it can't for ever.
    pub same_at_most: Option<u32>,
}

impl SignalRule {
    /// By the signal's meaning. Upper ends of what has none by nature are arbitrary, far beyond what occurs.
    #[must_use]
    pub fn of(signal: Signal) -> Self {
        let (low, high) = match signal {
            Signal::Attempts | Signal::FailuresOnStep | Signal::StepsDone => (0.0, 1e6),
            Signal::ErrorRun => (0.0, 10.0),
            Signal::HintLevel => (0.0, 255.0),
            Signal::BetweenActions => (0.0, 3600.0),
            Signal::ResponseTime | Signal::Hesitation | Signal::HeadMotion => (0.0, 1e3),
            Signal::Detour => (1.0, 1e4),
            Signal::OwnRating => (1.0, 9.0),
            _ => (0.0, 1.0),
        };
        // Head and hands are never that still. Arbitrary: half a minute.
        let trembles = matches!(signal, Signal::HeadMotion | Signal::BetweenActions);
        Self {
            low,
            high,
            same_at_most: trembles.then_some(6),
        }
    }
}

/// What is believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValidationRules {
    /// By [`Signal::index`].
    pub signals: [SignalRule; Signal::COUNT],
    /// How far clocks may be apart: 2 s.
    pub skew: Duration,
    /// How many intervals old a sample or measurement may be to speak of now: 2.
    pub fresh_intervals: u32,
}

impl Default for ValidationRules {
    fn default() -> Self {
        Self {
            signals: Signal::ALL.map(SignalRule::of),
            skew: Duration::from_secs(2),
            fresh_intervals: 2,
        }
    }
}

impl ValidationRules {
    /// Whether something measured `age` ago speaks of now, where samples are `interval` apart.
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn fresh(&self, age: Duration, interval: Duration) -> Result<(), Fault> {
        if age > interval.saturating_mul(self.fresh_intervals) {
            return Err(Fault::Stale { age });
        }
        Ok(())
    }
}

/// A sample after it was checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// What can be believed of it: what can't is absent.
    pub sample: Sample,
    /// How old it is, if that is too old to be shown as now. It is part of the record nevertheless: after a lost link
    /// all samples come late.
    pub late: Option<Duration>,
}

/// Checks one stream of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Validator {
    last: Option<(u64, Duration)>,
    /// A moment by the session's time and by the sender's wall clock, of the same run of the sender's program.
    anchor: Option<(u64, Duration, u64)>,
    /// Last measured figure's bits, and how often it came.
    streaks: [(u32, u32); Signal::COUNT],
}

impl Default for Validator {
    fn default() -> Self {
        Self {
            last: None,
            anchor: None,
            streaks: [(0, 0); Signal::COUNT],
        }
    }
}

impl Validator {
    /// Checks the next sample at `now_unix_ms` by the clock of here. What isn't believed goes to `quarantine`.
    ///
    /// # Errors
    /// [`Fault::OutOfOrder`] or [`Fault::TimeRanBack`] where none of it can be: it isn't the next one.
    pub fn check(
        &mut self,
        sample: &Sample,
        now_unix_ms: u64,
        rules: &ValidationRules,
        quarantine: &mut Quarantine,
    ) -> Result<Checked, Fault> {
        let mut aside = |signal, field, fault| {
            let number = sample.number;
            quarantine.keep(Kept {
                number,
                signal,
                field,
                fault,
            });
        };
        if let Err(fault) = self.follows(sample) {
            aside(None, Field::Absent, fault);
            return Err(fault);
        }
        let mut sample = *sample;
        if let Some(by) = self.skew(&sample, now_unix_ms, rules) {
            aside(None, Field::Absent, Fault::ClockSkew { by });
            sample.at_unix_ms = None;
        }
        let streaks = self.streaks.iter_mut().zip(&rules.signals);
        for (signal, (streak, rule)) in Signal::ALL.into_iter().zip(streaks) {
            let field = sample.fields.get(signal);
            if let Err(fault) = believable(field, rule).and_then(|()| alive(field, streak, rule)) {
                aside(Some(signal), field, fault);
                sample.fields.set(signal, Field::Absent);
            }
        }
        let age = sample
            .at_unix_ms
            .map(|at| Duration::from_millis(now_unix_ms.saturating_sub(at)));
        let late = age.filter(|age| rules.fresh(*age, sample.interval).is_err());
        Ok(Checked { sample, late })
    }

    fn follows(&mut self, sample: &Sample) -> Result<(), Fault> {
        if let Some((last, at)) = self.last {
            let found = sample.number;
            if found <= last {
                return Err(Fault::OutOfOrder { last, found });
            }
            if sample.at < at {
                return Err(Fault::TimeRanBack);
            }
        }
        self.last = Some((sample.number, sample.at));
        Ok(())
    }

    /// How far the sender's wall clock is off: ahead of ours, or against its own monotone one. A jump is told once.
    fn skew(
        &mut self,
        sample: &Sample,
        now_unix_ms: u64,
        rules: &ValidationRules,
    ) -> Option<Duration> {
        let unix = sample.at_unix_ms?;
        let ahead = Duration::from_millis(unix.saturating_sub(now_unix_ms));
        let run = sample.run();
        let jumped = match self.anchor {
            Some((same, at, then)) if same == run => {
                let by_monotone = millis(sample.at.saturating_sub(at));
                Duration::from_millis(unix.abs_diff(then.saturating_add(by_monotone)))
            }
            _ => Duration::ZERO,
        };
        if self.anchor.is_none_or(|(same, ..)| same != run) || jumped > rules.skew {
            self.anchor = Some((run, sample.at, unix));
        }
        let by = ahead.max(jumped);
        (by > rules.skew).then_some(by)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn believable(field: Field, rule: &SignalRule) -> Result<(), Fault> {
    let (low, value, high) = match field {
        Field::Absent => return Ok(()),
        Field::Measured { value } => (value, value, value),
        Field::Inferred { value, low, high } => (low, value, high),
    };
    if ![low, value, high].into_iter().all(f32::is_finite) {
        return Err(Fault::NotFinite);
    }
    if low < rule.low || value < rule.low || high > rule.high || value > rule.high {
        let (low, high) = (rule.low, rule.high);
        return Err(Fault::OutOfRange { low, high });
    }
    if low > value || value > high {
        return Err(Fault::Disordered);
    }
    Ok(())
}

fn alive(field: Field, streak: &mut (u32, u32), rule: &SignalRule) -> Result<(), Fault> {
    let (Field::Measured { value }, Some(at_most)) = (field, rule.same_at_most) else {
        return Ok(());
    };
    let bits = value.to_bits();
    let times = match *streak {
        (before, times) if before == bits => times.saturating_add(1),
        _ => 1,
    };
    *streak = (bits, times);
    if times > at_most {
        return Err(Fault::FlatLine { times });
    }
    Ok(())
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
