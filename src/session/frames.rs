//! How the headset's frames fare, as numbers and one line: for whoever shows them, here or elsewhere.

use bevy::prelude::{Message, Resource};
use schemars::JsonSchema;
use serde::Serialize;

/// How frames fare on this device; `None` where no headset shows any. Brought up to date once a second by `app`.
#[derive(Resource, Debug, Clone, Default, PartialEq)]
pub struct FrameStanding(pub Option<Frames>);

/// One of the runtime's own counters.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Counter {
    /// As the runtime names it.
    pub name: String,
    /// What it said last.
    pub value: f64,
    /// What it counts in; may be empty.
    pub unit: String,
}

/// A headset can no longer keep its frame rate whatever it gives up, or can again: for whoever teaches.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameAlarm {
    /// All that may be given up is.
    Emergency,
    /// It is over.
    Over,
}

impl FrameAlarm {
    /// What it means and what to do, for whoever isn't in the headset.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Emergency => {
                "this headset gives up all it may and is still short of time: what the learner sees is coarse, and attempts \
                 are marked. Let it cool, close what else runs on it, or go on with a simpler scene."
            }
            Self::Over => "this headset keeps its frame rate again, at a better picture",
        }
    }
}

/// The last second of frames.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Frames {
    /// The display's period, milliseconds.
    pub period_ms: f64,
    /// The CPU's part of a frame, milliseconds: the last one's.
    pub cpu_ms: f64,
    /// The same for the GPU; absent where nobody measures it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_ms: Option<f64>,
    /// Display periods without a new picture since the session began.
    pub missed: u64,
    /// Part of all frames that came too late, 0..1.
    pub missed_ratio: f64,
    /// How far quality has gone down: conservative, balanced, aggressive, emergency.
    pub level: String,
    /// Part of the eyes' width and height that is drawn, 0..1.
    pub render_scale: f64,
    /// Frames that were handed over after the moment at which they should have been seen.
    pub stale: u64,
    /// The runtime's own counters: shown, never steered by. Empty where it has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runtime: Vec<Counter>,
    /// What is done about it and why.
    pub why: String,
}

impl Frames {
    /// All of it in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let gpu = self
            .gpu_ms
            .map_or_else(|| "unmeasured".to_owned(), |ms| format!("{ms:.1}"));
        format!(
            "period {:.1} ms, CPU {:.1}, GPU {gpu}, missed {} ({:.1} %), scale {:.2}; {}",
            self.period_ms,
            self.cpu_ms,
            self.missed,
            100.0 * self.missed_ratio,
            self.render_scale,
            self.why
        )
    }
}
