//! What the scene costs without its dial, and what a turn of the dial adds: measured in the session, so that the same
//! scripts cross the budget of a slow machine and of a fast one alike.

use malloc_vr::governor::plant::Demand;

use malloc_vr::governor::sense::FrameSample;

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
/// Where `xrEndFrame` takes more than this part of the GPU's time, it waits for it.
const WAITED: f64 = 0.5;
/// A sheet is worth at least this part of a period, or timestamps don't show it.
const LEAST: f64 = 1e-3;

/// What the dial does here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Seconds of a frame with nothing on the dial: of the main world, and of the line of time that the GPU is on.
    pub(crate) base: Demand,
    /// Whether the runtime waits for the GPU, so that rendering is on that line as well.
    pub(crate) waits: bool,
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

/// Seconds that are looked at in each frame: the GPU's; the main world's; rendering and what ends it; what ends it.
const KINDS: usize = 4;

/// Under way. A stretch without sheets, then with some, with more layers each until all of them are enough.
#[derive(Debug, Clone)]
pub(crate) struct Calibration {
    frames: u32,
    seen: [Vec<f64>; KINDS],
    base: Option<[f64; KINDS]>,
    layers: u32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            frames: 0,
            seen: [const { Vec::new() }; KINDS],
            base: None,
            layers: 1,
        }
    }
}

impl Calibration {
    /// A frame with the dial as it was asked.
    pub(crate) fn frame(&mut self, sample: &FrameSample) -> Found {
        let (cpu, period) = (&sample.cpu, sample.period);
        self.frames += 1;
        if self.frames > SETTLE {
            let [gpu, main, rendering, end] = &mut self.seen;
            gpu.extend(sample.gpu.map(|it| it.seconds));
            main.push(cpu.simulation);
            rendering.push(cpu.before_end() + cpu.end);
            end.push(cpu.end);
        }
        if self.frames < STRETCH {
            return Found::Going(self.dial());
        }
        self.frames = 0;
        let seen = self
            .seen
            .each_mut()
            .map(|it| median(&mut std::mem::take(it)));
        let Some(base) = self.base else {
            self.base = Some(seen);
            return Found::Going(self.dial());
        };
        let [gpu, _, rendering, end] = seen;
        let [gpu_base, cpu, rendering_base, _] = base;
        let waits = end > WAITED * gpu;
        let (line, line_base) = if waits {
            (rendering, rendering_base)
        } else {
            (gpu, gpu_base)
        };
        let base = Demand {
            cpu,
            gpu: line_base,
        };
        let sheet = (line - line_base) / f64::from(SOME);
        let worth = sheet * f64::from(SHEETS) / period;
        if worth >= ENOUGH {
            return Found::Scale(Scale {
                base,
                waits,
                sheet,
                layers: self.layers,
            });
        }
        if self.layers >= MOST_LAYERS {
            let layers = self.layers;
            let scale = Scale {
                base,
                waits,
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
    use malloc_vr::governor::actuators::Setting;
    use malloc_vr::governor::sense::{CpuPhases, GpuTime};

    use super::*;

    /// A frame of 2 ms of the main world and 4 ms of rendering beside it, whose end may wait for the GPU.
    fn sample(gpu: Option<f64>, waits: bool, period: f64) -> FrameSample {
        FrameSample {
            period,
            cpu: CpuPhases {
                simulation: 2e-3,
                prepare: 3e-3,
                submit: 1e-3,
                end: gpu.filter(|_| waits).unwrap_or(1e-4),
                overlap: 2e-3,
            },
            gpu: gpu.map(|seconds| GpuTime { seconds, age: 2 }),
            wait: 0.0,
            skipped: 0,
            stale: false,
            setting: Setting::FULL,
        }
    }

    /// A machine: seconds of a frame without glass, and of a layer of it.
    fn calibrate(base: f64, layer: f64, waits: bool, period: f64) -> Found {
        let mut calibration = Calibration::default();
        let mut dial = calibration.dial();
        for _ in 1..2000 {
            let gpu = base + layer * f64::from(dial.sheets * dial.layers);
            match calibration.frame(&sample(Some(gpu), waits, period)) {
                Found::Going(next) => dial = next,
                found => return found,
            }
        }
        panic!("it never ends");
    }

    #[test]
    fn scripts_cross_the_budget_of_slow_and_of_fast_machines_alike() {
        for (base, layer, waits, period) in [
            // A software renderer at 20 Hz, a headset at 90 Hz, the fastest there is at 20 Hz.
            (20e-3, 2e-3, true, 0.05),
            (4e-3, 60e-6, false, 1.0 / 90.0),
            (0.2e-3, 2e-6, false, 0.05),
        ] {
            let Found::Scale(scale) = calibrate(base, layer, waits, period) else {
                panic!("no scale for {base} {layer}");
            };
            assert_eq!(scale.waits, waits);
            for wanted in [0.65, 1.6, 2.1] {
                let demand = Demand {
                    cpu: 0.5 * WRITTEN_IN,
                    gpu: wanted * WRITTEN_IN,
                };
                let dial = scale.dial(&demand, period);
                let gpu = base + layer * f64::from(dial.sheets * dial.layers);
                // Where the runtime waits, rendering is on the same line of time.
                let line = if waits { gpu + 4e-3 } else { gpu };
                assert!((line / period - wanted).abs() < 0.05, "{wanted}: {line}");
                assert!((dial.cpu + 2e-3 - 0.5 * period).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_machine_without_timestamps_or_without_glass_has_no_dial() {
        assert_eq!(calibrate(1e-3, 0.0, false, 0.05), Found::Nothing);
        let mut calibration = Calibration::default();
        let frame = sample(None, false, 0.05);
        let ends = (0..2000).find_map(|_| match calibration.frame(&frame) {
            Found::Going(_) => None,
            found => Some(found),
        });
        assert_eq!(ends, Some(Found::Nothing));
    }
}
