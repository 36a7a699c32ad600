//! Valve's adaptive quality, as The Lab Renderer has it (ValveSoftware/the_lab_renderer,
//! Assets/TheLabRenderer/Scripts/ValveCamera.cs, `UpdateAdaptiveQuality`; numbers in `notes/field.md` C), after its
//! source's behaviour: fill rate in steps of 15 %, high 0.90, extrapolation 0.85, low 0.70 of the period; down two levels,
//! from the second only one; up one after three cheap frames; two frames of latency after a change, and one more before a
//! critical, two before a predictive and three before a raising change; at the bottom half the rate above 0.925, off below
//! 0.85.
//!
//! Its levels go from 0.8 to 1.4 of the eye texture. Those above the runtime's recommended size are left out here, since
//! nobody may draw larger (and `mean_scale` would otherwise reward it); 1.0 itself is kept as the highest level.

use crate::governor::sense::History;

/// Most levels there can be, with the one for half the rate.
const LEVELS: usize = 24;

/// Valve's adaptive quality, with what it remembers.
#[derive(Debug, Clone)]
pub struct Valve {
    scales: [f64; LEVELS],
    levels: usize,
    level: usize,
    frame: u64,
    changed: u64,
    gpu: [f64; 3],
    interleaved: bool,
}

impl Default for Valve {
    /// From 0.8, as it is delivered.
    fn default() -> Self {
        Self::from_scale(0.8)
    }
}

impl Valve {
    /// With levels from this scale up to 1.0: the law over another range. At least 0.3.
    #[must_use]
    pub fn from_scale(least: f64) -> Self {
        let least = least.clamp(0.3, 1.0);
        let mut scales = [1.0; LEVELS];
        // The lowest twice: once with half the rate.
        scales[0] = least;
        let mut levels = 1;
        let mut scale = least;
        for place in scales.iter_mut().skip(1) {
            *place = scale.min(1.0);
            levels += 1;
            if scale >= 1.0 {
                break;
            }
            scale = (1.15 * scale * scale).sqrt();
        }
        Self {
            scales,
            levels,
            level: levels - 1,
            frame: 0,
            changed: 0,
            gpu: [0.0; 3],
            interleaved: false,
        }
    }

    /// Whether each picture is shown twice.
    #[must_use]
    pub fn interleaved(&self) -> bool {
        self.interleaved
    }

    /// The scale from the next frame on.
    pub fn decide(&mut self, history: &History, ceiling: f64) -> f64 {
        let Some((period, gpu)) = history
            .back(0)
            .and_then(|sample| Some((sample.period, sample.gpu?.seconds)))
        else {
            return self.scale(ceiling);
        };
        self.frame += 1;
        self.gpu.rotate_right(1);
        self.gpu[0] = gpu;
        self.level = self.level_after(period);
        let [newest, ..] = self.gpu;
        self.interleaved = self.level == 0
            && if self.interleaved {
                newest >= 0.85 * period
            } else {
                newest > 0.925 * period
            };
        self.scale(ceiling)
    }

    fn scale(&self, ceiling: f64) -> f64 {
        let scale = self.scales.get(self.level).copied().unwrap_or(1.0);
        scale.min(ceiling)
    }

    fn level_after(&mut self, period: f64) -> usize {
        let old = self.level;
        let (low, middle, high) = (0.7 * period, 0.85 * period, 0.9 * period);
        let [f0, f1, f2] = self.gpu;
        let waited = |frames: u64| self.frame >= self.changed + 2 + frames;
        let dropped = if old == 2 { 1 } else { old.saturating_sub(2) };
        let mut level = old;
        if waited(1) && f0 > high {
            if dropped != old {
                self.changed = self.frame;
            }
            return dropped;
        }
        if waited(2) && f0 > middle {
            let mut delta = f0 - f1;
            if waited(3) {
                delta = delta.max((f0 - f2) * 0.5);
            }
            if f0 + delta > high {
                level = dropped;
            }
        }
        if waited(3) && [f0, f1, f2].iter().all(|it| *it < low) {
            level = (old + 1).min(self.levels - 1);
        }
        if level != old {
            self.changed = self.frame;
        }
        level
    }
}
