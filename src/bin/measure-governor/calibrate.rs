//! What the scene costs without its dial, and what a turn of the dial adds: measured in the session, so that the same
//! scripts cross the budget of a slow machine and of a fast one alike.

use malloc_vr::governor::plant::Demand;

use super::stress::{Dial, SHEETS};

/// Frames of each stretch, and those left out at its begin.
const STRETCH: u32 = 40;
const SETTLE: u32 = 20;
/// Sheets in the stretches after the first.
const SOME: u32 = 16;
/// Periods that all sheets together are to be worth, at least; scripts go up to 2.2.
const ENOUGH: f64 = 2.5;
/// Layers of glass in a sheet, at most: beyond them it isn't the GPU that a sheet costs.
const MOST_LAYERS: u32 = 4096;
/// The period that scripts are written in, seconds.
const WRITTEN_IN: f64 = 1.0 / 72.0;
/// A sheet is worth at least this part of a period, or timestamps don't show it.
const LEAST: f64 = 1e-3;

/// What the dial does here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// CPU and GPU seconds of a frame with nothing on the dial.
    pub(crate) base: Demand,
    /// GPU seconds of a sheet.
    pub(crate) sheet: f64,
    /// Layers of glass in a sheet.
    pub(crate) layers: u32,
}

impl Scale {
    /// The dial for what a script asks, where the display's period is this long.
    pub(crate) fn dial(&self, demand: &Demand, period: f64) -> Dial {
        let here = |seconds: f64| seconds / WRITTEN_IN * period;
        let sheets = (here(demand.gpu) - self.base.gpu).max(0.0) / self.sheet;
        Dial {
            sheets: (sheets.round() as u32).min(SHEETS),
            layers: self.layers,
            cpu: (here(demand.cpu) - self.base.cpu).max(0.0),
        }
    }
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    /// Not there yet: the dial for the next frame.
    Going(Dial),
    /// There.
    Scale(Scale),
    /// A sheet costs nothing that timestamps would show.
    Nothing,
}

/// Under way. A stretch without sheets, then with some, with more layers each until all of them are enough.
#[derive(Debug, Clone)]
pub(crate) struct Calibration {
    frames: u32,
    gpu: Vec<f64>,
    cpu: Vec<f64>,
    base: Option<Demand>,
    layers: u32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            frames: 0,
            gpu: Vec::new(),
            cpu: Vec::new(),
            base: None,
            layers: 1,
        }
    }
}

impl Calibration {
    /// A frame with the dial as it was asked: its GPU time, where one came back, its CPU time and its period, seconds.
    pub(crate) fn frame(&mut self, gpu: Option<f64>, cpu: f64, period: f64) -> Found {
        self.frames += 1;
        if self.frames > SETTLE {
            self.gpu.extend(gpu);
            self.cpu.push(cpu);
        }
        if self.frames < STRETCH {
            return Found::Going(self.dial());
        }
        self.frames = 0;
        let seen = Demand {
            cpu: median(&mut std::mem::take(&mut self.cpu)),
            gpu: median(&mut std::mem::take(&mut self.gpu)),
        };
        let Some(base) = self.base else {
            self.base = Some(seen);
            return Found::Going(self.dial());
        };
        let sheet = (seen.gpu - base.gpu) / f64::from(SOME);
        let worth = sheet * f64::from(SHEETS) / period;
        if worth >= ENOUGH {
            return Found::Scale(Scale {
                base,
                sheet,
                layers: self.layers,
            });
        }
        if self.layers >= MOST_LAYERS {
            let layers = self.layers;
            let scale = Scale {
                base,
                sheet,
                layers,
            };
            return if sheet > LEAST * period {
                Found::Scale(scale)
            } else {
                Found::Nothing
            };
        }
        // What was hardly seen says little of how much more is needed. (A NaN becomes the most.)
        let more = (1.2 * ENOUGH / worth.max(0.05)).clamp(2.0, 16.0);
        self.layers = (f64::from(self.layers) * more).min(f64::from(MOST_LAYERS)) as u32;
        Found::Going(self.dial())
    }

    fn dial(&self) -> Dial {
        Dial {
            sheets: if self.base.is_some() { SOME } else { 0 },
            layers: self.layers,
            cpu: 0.0,
        }
    }
}

/// NaN of none.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine: seconds of a frame without glass, and of a layer of it.
    fn calibrate(base: f64, layer: f64, period: f64) -> (Found, u32) {
        let mut calibration = Calibration::default();
        let mut dial = calibration.dial();
        for frame in 1..2000 {
            let gpu = base + layer * f64::from(dial.sheets * dial.layers);
            match calibration.frame(Some(gpu), 2e-3, period) {
                Found::Going(next) => dial = next,
                found => return (found, frame),
            }
        }
        panic!("it never ends");
    }

    #[test]
    fn scripts_cross_the_budget_of_slow_and_of_fast_machines_alike() {
        for (base, layer, period) in [
            // A software renderer at 20 Hz, a headset at 90 Hz, the fastest there is at 20 Hz.
            (20e-3, 2e-3, 0.05),
            (4e-3, 60e-6, 1.0 / 90.0),
            (0.2e-3, 2e-6, 0.05),
        ] {
            let (Found::Scale(scale), _) = calibrate(base, layer, period) else {
                panic!("no scale for {base} {layer}");
            };
            for wanted in [0.65, 1.6, 2.1] {
                let demand = Demand {
                    cpu: 0.5 * WRITTEN_IN,
                    gpu: wanted * WRITTEN_IN,
                };
                let dial = scale.dial(&demand, period);
                let gpu = base + layer * f64::from(dial.sheets * dial.layers);
                assert!((gpu / period - wanted).abs() < 0.05, "{wanted}: {gpu}");
                assert!((dial.cpu + 2e-3 - 0.5 * period).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_machine_without_timestamps_or_without_glass_has_no_dial() {
        assert_eq!(calibrate(1e-3, 0.0, 0.05).0, Found::Nothing);
        let mut calibration = Calibration::default();
        let ends = (0..2000).find_map(|_| match calibration.frame(None, 1e-3, 0.05) {
            Found::Going(_) => None,
            found => Some(found),
        });
        assert_eq!(ends, Some(Found::Nothing));
    }
}
