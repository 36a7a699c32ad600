//! What is sent of a learner every few seconds: figures, each with where it comes from. Absent is absent.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod reading;

use super::ids::{LearnerId, SessionId};

/// A figure, and where it comes from. Seven digits are more than any of them has, and of many learners many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, JsonSchema)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Field {
    /// Counted or measured.
    Measured {
        /// The figure.
        value: f32,
    },
    /// Concluded by a model, with a 95 % interval.
    Inferred {
        /// The figure.
        value: f32,
        /// Lower end.
        low: f32,
        /// Upper end.
        high: f32,
    },
    /// Nobody measured or concluded it.
    #[default]
    Absent,
}

impl Field {
    /// A measured figure, or none.
    #[must_use]
    pub fn measured(value: Option<f64>) -> Self {
        value.map_or(Self::Absent, |value| Self::Measured {
            value: value as f32,
        })
    }

    /// A concluded figure with the ends of its interval.
    #[must_use]
    pub fn inferred(value: f64, low: f64, high: f64) -> Self {
        let [value, low, high] = [value, low, high].map(|it| it as f32);
        Self::Inferred { value, low, high }
    }

    /// The figure, wherever it comes from.
    #[must_use]
    pub fn value(self) -> Option<f32> {
        match self {
            Self::Measured { value } | Self::Inferred { value, .. } => Some(value),
            Self::Absent => None,
        }
    }
}

/// What a sample can hold.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Attempts in this session; a count.
    Attempts,
    /// Right ones among them, in [0, 1].
    SuccessRate,
    /// Right ones among the last ten at most, in [0, 1].
    RecentSuccess,
    /// With hints among the last ten at most, in [0, 1].
    RecentHints,
    /// Longest run of wrong ones among the last ten at most; a count.
    ErrorRun,
    /// Wrong attempts on the running step; a count.
    FailuresOnStep,
    /// Steps done in this session; a count.
    StepsDone,
    /// Hint level shown; 0: none.
    HintLevel,
    /// Share of the interval spent on the task, in [0, 1].
    OnTask,
    /// Share of the interval in which the head pointed at the task, in [0, 1].
    HeadOnTask,
    /// Straight line through path of the hand, in [0, 1].
    PathEfficiency,
    /// Seconds between the last two actions.
    BetweenActions,
    /// Time to respond, divided by the learner's own usual one.
    ResponseTime,
    /// Pause before grasping, divided by the learner's own usual one.
    Hesitation,
    /// Path of the hand through the straight line; at least 1.
    Detour,
    /// Speed of head turning, divided by the learner's own usual one.
    HeadMotion,
    /// The learner's own rating of mental effort, 1 to 9.
    OwnRating,
    /// Share of frames shown in time, in [0, 1].
    FrameHealth,
    /// Share of the time in which the hands in use were tracked, in [0, 1].
    Tracking,
    /// Probability that the running step's weakest skill is mastered, in [0, 1].
    Mastery,
    /// Probability that the next attempt succeeds, in [0, 1].
    NextSuccess,
    /// Load of the task as it shows in behaviour, in [0, 1].
    Load,
    /// Comfort in the headset, in [0, 1].
    Comfort,
    /// Index of engagement, in [0, 1].
    Engagement,
}

impl Signal {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All, in order.
    pub const ALL: [Self; 24] = [
        Self::Attempts,
        Self::SuccessRate,
        Self::RecentSuccess,
        Self::RecentHints,
        Self::ErrorRun,
        Self::FailuresOnStep,
        Self::StepsDone,
        Self::HintLevel,
        Self::OnTask,
        Self::HeadOnTask,
        Self::PathEfficiency,
        Self::BetweenActions,
        Self::ResponseTime,
        Self::Hesitation,
        Self::Detour,
        Self::HeadMotion,
        Self::OwnRating,
        Self::FrameHealth,
        Self::Tracking,
        Self::Mastery,
        Self::NextSuccess,
        Self::Load,
        Self::Comfort,
        Self::Engagement,
    ];

    /// Place in [`Signal::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Some of the signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(with = "Vec<Signal>")]
pub struct SignalSet(u32);

impl SignalSet {
    /// These.
    #[must_use]
    pub const fn of(signals: &[Signal]) -> Self {
        let mut bits = 0;
        let mut rest = signals;
        while let [first, others @ ..] = rest {
            bits |= 1 << *first as u32;
            rest = others;
        }
        Self(bits)
    }

    /// Whether it is among them.
    #[must_use]
    pub fn has(self, signal: Signal) -> bool {
        self.0 >> signal.index() & 1 == 1
    }

    /// How many they are.
    #[must_use]
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A field for every signal. On the wire: those that are not absent, by name.
#[derive(Debug, Clone, Copy, PartialEq, Default, JsonSchema)]
#[schemars(with = "BTreeMap<Signal, Field>")]
pub struct Fields([Field; Signal::COUNT]);

impl Fields {
    /// The field of a signal.
    #[must_use]
    pub fn get(&self, signal: Signal) -> Field {
        self.0.get(signal.index()).copied().unwrap_or_default()
    }

    /// Puts a field in its place.
    pub fn set(&mut self, signal: Signal, field: Field) {
        if let Some(place) = self.0.get_mut(signal.index()) {
            *place = field;
        }
    }

    /// All, the absent ones too.
    pub fn iter(&self) -> impl Iterator<Item = (Signal, Field)> + '_ {
        Signal::ALL.into_iter().zip(self.0)
    }

    /// Measured ÷ expected, in [0, 1]; `None` where nothing is expected. What is inferred doesn't count: a model that
    /// fills a gap must not hide it.
    #[must_use]
    pub fn completeness(&self, expected: SignalSet) -> Option<f64> {
        let measured = self
            .iter()
            .filter(|(signal, field)| {
                expected.has(*signal) && matches!(field, Field::Measured { .. })
            })
            .count();
        (!expected.is_empty()).then(|| measured as f64 / f64::from(expected.len()))
    }
}

/// Why a sample was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Its time had come.
    Tick,
    /// The learner is not well, or well again: at once.
    Safety,
    /// The learner is under strain, or no longer: at once.
    Stress,
}

/// Bits of a sample's number that count samples: a year of them, one every two seconds.
const N_BITS: u32 = 24;

/// What is known of a learner at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Whose.
    pub learner: LearnerId,
    /// In which session.
    pub session: SessionId,
    /// Grows from sample to sample, over crashes and restarts too; with gaps.
    pub number: u64,
    /// The event of the learner's log after which it was taken.
    pub after: u64,
    /// When, in time since the session began.
    pub at: Duration,
    /// When by the wall clock, milliseconds since the Unix epoch; `None`: that clock can't be trusted.
    pub at_unix_ms: Option<u64>,
    /// Time to the next one that isn't urgent.
    pub interval: Duration,
    /// Why now.
    pub occasion: Occasion,
    /// What the device should have measured.
    pub expected: SignalSet,
    /// The figures.
    pub fields: Fields,
}

impl Sample {
    /// The number of the nth sample since the learner joined; `joined`: place in the log of that joining. Every joining
    /// has a later place than the ones before, so numbers grow although nobody writes them down.
    #[must_use]
    pub fn number_of(joined: u64, n: u32) -> u64 {
        joined << N_BITS | u64::from(n) & ((1 << N_BITS) - 1)
    }

    /// Which joining its number belongs to.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.number >> N_BITS
    }

    /// Measured ÷ expected, see [`Fields::completeness`].
    #[must_use]
    pub fn completeness(&self) -> Option<f64> {
        self.fields.completeness(self.expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_stands_in_its_place() {
        for (place, signal) in Signal::ALL.into_iter().enumerate() {
            assert_eq!(signal.index(), place);
        }
    }

    #[test]
    fn what_is_absent_stays_absent_over_the_wire() {
        let mut fields = Fields::default();
        fields.set(Signal::Tracking, Field::Measured { value: 0.25 });
        let low = 0.1;
        let inferred = Field::Inferred {
            value: 0.3,
            low,
            high: 0.4,
        };
        fields.set(Signal::Load, inferred);
        let text = serde_json::to_string(&fields).unwrap();
        assert!(!text.contains("comfort"), "{text}");
        let read: Fields = serde_json::from_str(&text).unwrap();
        assert_eq!(read, fields);
        assert_eq!(read.get(Signal::Comfort), Field::Absent);
    }

    #[test]
    fn only_what_was_measured_makes_a_sample_complete() {
        let expected = SignalSet::of(&[Signal::Tracking, Signal::FrameHealth]);
        let mut fields = Fields::default();
        assert_eq!(fields.completeness(expected), Some(0.0));
        fields.set(Signal::Tracking, Field::Measured { value: 0.0 });
        let (low, value, high) = (0.0, 0.5, 1.0);
        fields.set(Signal::FrameHealth, Field::Inferred { value, low, high });
        fields.set(Signal::Attempts, Field::Measured { value: 3.0 });
        assert_eq!(fields.completeness(expected), Some(0.5));
        assert_eq!(fields.completeness(SignalSet::default()), None);
    }
}
