//! How the headset's frames fare, as numbers and one line: for whoever shows them, here or elsewhere.

use bevy::prelude::Resource;
use schemars::JsonSchema;
use serde::Serialize;

/// How frames fare on this device; `None` where no headset shows any. Brought up to date once a second by `app`.
#[derive(Resource, Debug, Clone, Default, PartialEq)]
pub struct FrameStanding(pub Option<Frames>);

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
