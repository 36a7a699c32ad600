//! What the scene costs without its dial, and what a turn of the dial adds, at full and at the lowest quality: measured in
//! the session, so that the same scripts cross the budget of a slow machine and of a fast one alike, by as much as the
//! levers can take away there.

use malloc_vr::governor::plant::Demand;

use malloc_vr::governor::sense::FrameSample;

use super::processors::{DISTURBED, Processors};
use super::stress::{Dial, SHEETS};

/// Frames of each stretch, and those left out at its begin.
const STRETCH: u32 = 60;
const SETTLE: u32 = 20;
/// A disturbed stretch is looked at again, so many times at most.
const AGAIN: u32 = 4;
/// Sheets in the stretches after the first.
const SOME: u32 = 16;
/// Periods that all sheets together are to be worth, at least; scripts go up to 2.2.
const ENOUGH: f64 = 2.5;
/// Layers of glass in a sheet, at most: beyond them it isn't the GPU that a sheet costs.
const MOST_LAYERS: u32 = 4096;
/// The period that scripts are written in, seconds.
const WRITTEN_IN: f64 = 1.0 / 72.0;
/// Where handing over takes more than this part of the GPU's time, it waits for it.
const WAITED: f64 = 0.5;
/// A sheet is worth at least this part of a period, or timestamps don't show it.
const LEAST: f64 = 1e-3;
/// The largest load of the scripts, in periods.
const PEAK: f64 = 2.2;
/// Part of the period that the largest load leaves at the lowest quality, at most: in a quiet machine's frames, and others
/// take a quarter more.
const ABSORBED: f64 = 0.75;

/// What the dial does here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Seconds of a frame with nothing on the dial: of the main world, and of the line of time that the GPU is on.
    pub(crate) base: Demand,
    /// Whether the runtime waits for the GPU, so that rendering is on that line as well.
    pub(crate) waits: bool,
    /// GPU seconds of a sheet.
    pub(crate) sheet: f64,
    /// The same of the light and what stands in it: on the dial from a load of 1 up.
    pub(crate) lit: f64,
    /// The load that the levers can absorb, in periods: above 1, the scripts' loads are pressed together to end here.
    pub(crate) most: f64,
    /// Layers of glass in a sheet.
    pub(crate) layers: u32,
}

impl Scale {
    /// The dial for what a script asks, where the display's period is this long.
    pub(crate) fn dial(&self, demand: &Demand, period: f64) -> Dial {
        let load = demand.gpu / WRITTEN_IN;
        let over = (self.most.min(PEAK) - 1.0) / (PEAK - 1.0);
        let lit = load > 1.0;
        let load = load.min(1.0) + over * (load - 1.0).max(0.0);
        let rest = load * period - self.base.gpu - if lit { self.lit } else { 0.0 };
        let sheets = rest.max(0.0) / self.sheet;
        Dial {
            sheets: (sheets.round() as u32).min(SHEETS),
            layers: self.layers,
            lit,
            cpu: (demand.cpu / WRITTEN_IN * period - self.base.cpu).max(0.0),
        }
    }
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    /// Not there yet: the dial for the next frame, and whether at the lowest quality.
    Going { dial: Dial, lowest: bool },
    /// There.
    Scale(Scale),
    /// Why there is none.
    Nothing(&'static str),
}

/// Seconds of a stretch's frames: the GPU's; the main world's; rendering and handing over; handing over. Of each the lower
/// quartile: what else runs on a machine only ever adds.
type Seen = [f64; 4];

/// Under way. A stretch with nothing on the dial; with some sheets, of more layers each until all of them are enough; with
/// the light instead; at the lowest quality with both; and there without sheets.
#[derive(Debug, Clone)]
pub(crate) struct Calibration {
    /// Of the stretches that are over.
    over: Vec<Seen>,
    frames: u32,
    /// How often the stretch was looked at already.
    again: u32,
    /// The processors now, and when the stretch began.
    processors: fn() -> Processors,
    begun: Processors,
    seen: [Vec<f64>; 4],
    layers: u32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self::by(Processors::now)
    }
}

impl Calibration {
    fn by(processors: fn() -> Processors) -> Self {
        Self {
            over: Vec::new(),
            frames: 0,
            again: 0,
            processors,
            begun: processors(),
            seen: [const { Vec::new() }; 4],
            layers: 1,
        }
    }

    /// A frame with the dial as it was asked.
    pub(crate) fn frame(&mut self, sample: &FrameSample) -> Found {
        let (cpu, period) = (&sample.cpu, sample.period);
        self.frames += 1;
        if self.frames == SETTLE {
            self.begun = (self.processors)();
        }
        if self.frames > SETTLE {
            let [gpu, main, rendering, end] = &mut self.seen;
            gpu.extend(sample.gpu.map(|it| it.seconds));
            main.push(cpu.simulation);
            rendering.push(cpu.before_end() + cpu.end);
            end.push(cpu.end);
        }
        if self.frames < STRETCH {
            return self.going();
        }
        self.frames = 0;
        let seen = self
            .seen
            .each_mut()
            .map(|it| lower_quartile(&mut std::mem::take(it)));
        let stolen = (self.processors)().stolen_since(self.begun);
        if stolen > DISTURBED && self.again < AGAIN {
            self.again += 1;
            return self.going();
        }
        self.again = 0;
        if let [base] = self.over[..] {
            let worth = sheet(base, seen, waits(seen)) * f64::from(SHEETS) / period;
            let enough = worth >= ENOUGH;
            if !enough && self.layers < MOST_LAYERS {
                // What was hardly seen says little of how much more is needed. (A NaN becomes the most.)
                let more = (1.2 * ENOUGH / worth.max(0.05)).clamp(2.0, 16.0);
                let layers = f64::from(self.layers) * more;
                self.layers = layers.min(f64::from(MOST_LAYERS)) as u32;
                return self.going();
            }
        }
        self.over.push(seen);
        if let Ok(over) = self.over[..].try_into() {
            return found(over, self.layers, period);
        }
        self.going()
    }

    fn going(&self) -> Found {
        let (sheets, lit, lowest) = match self.over.len() {
            0 => (0, false, false),
            1 => (SOME, false, false),
            2 => (0, true, false),
            3 => (SOME, true, true),
            _ => (0, true, true),
        };
        let dial = Dial {
            sheets,
            layers: self.layers,
            lit,
            cpu: 0.0,
        };
        Found::Going { dial, lowest }
    }
}

/// Whether the runtime or the driver waits for the GPU, by a stretch that keeps it busy.
fn waits([gpu, _, _, end]: Seen) -> bool {
    end > WAITED * gpu
}

/// Seconds of the line of time that the GPU is on.
fn line([gpu, _, rendering, _]: Seen, waits: bool) -> f64 {
    if waits { rendering } else { gpu }
}

/// Seconds of a sheet, by a stretch without and one with some: of the GPU's time, or of the wait for it.
fn sheet(base: Seen, sheets: Seen, waits: bool) -> f64 {
    let part = |[gpu, _, _, end]: Seen| if waits { end } else { gpu };
    (part(sheets) - part(base)) / f64::from(SOME)
}

/// What the stretches say, in their order.
fn found(
    [base, sheets, bright, low_sheets, low_bright]: [Seen; 5],
    layers: u32,
    period: f64,
) -> Found {
    let waits = waits(sheets);
    let cost = sheet(base, sheets, waits);
    // (A NaN is none of both.)
    if cost.is_nan() || cost <= LEAST * period {
        return Found::Nothing("a sheet of glass costs nothing that timestamps would show");
    }
    // What noise makes cheaper than free costs little.
    let low_cost = sheet(low_bright, low_sheets, waits).max(0.1 * cost);
    let room = (ABSORBED * period - line(low_bright, waits)) / low_cost;
    let lit = (line(bright, waits) - line(base, waits)).max(0.0);
    let [_, cpu, ..] = base;
    let base = Demand {
        cpu,
        gpu: line(base, waits),
    };
    let most = (base.gpu + lit + room * cost) / period;
    if most.is_nan() || most <= 1.0 {
        return Found::Nothing("the levers can't absorb more than a period");
    }
    Found::Scale(Scale {
        base,
        waits,
        sheet: cost,
        lit,
        most,
        layers,
    })
}

/// NaN of none.
fn lower_quartile(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 4).copied().unwrap_or(f64::NAN)
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
                record: 1e-3,
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

    /// Seconds of the GPU at full quality, where the light adds 0.4 of the base.
    fn full(dial: &Dial, base: f64, layer: f64) -> f64 {
        let lit = if dial.lit { 0.4 * base } else { 0.0 };
        base + lit + layer * f64::from(dial.sheets * dial.layers)
    }

    /// A machine: seconds of a frame without glass and of a layer of it, and what is left of both at the lowest quality.
    fn calibrate(base: f64, layer: f64, left: f64, waits: bool, period: f64) -> Found {
        let mut calibration = Calibration::by(Processors::default);
        let mut now = calibration.going();
        for _ in 1..2000 {
            let Found::Going { dial, lowest } = now else {
                return now;
            };
            let left = if lowest { left } else { 1.0 };
            let gpu = left * full(&dial, base, layer);
            now = calibration.frame(&sample(Some(gpu), waits, period));
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
            let Found::Scale(scale) = calibrate(base, layer, 0.3, waits, period) else {
                panic!("no scale for {base} {layer}");
            };
            assert_eq!(scale.waits, waits);
            for wanted in [0.65, 1.0, 1.6, PEAK] {
                let demand = Demand {
                    cpu: 0.5 * WRITTEN_IN,
                    gpu: wanted * WRITTEN_IN,
                };
                let dial = scale.dial(&demand, period);
                assert_eq!(dial.lit, wanted > 1.0);
                let gpu = full(&dial, base, layer);
                // Where the runtime waits, rendering is on the same line of time.
                let before = if waits { 4e-3 } else { 0.0 };
                let line = (before + gpu) / period;
                let low = (before + 0.3 * gpu) / period;
                assert!(low < ABSORBED + 0.02, "{wanted}: {low}");
                if wanted <= 1.0 {
                    assert!((line - wanted).abs() < 0.05, "{wanted}: {line}");
                } else {
                    assert!(line > 1.0 && line < wanted + 0.05, "{wanted}: {line}");
                }
                assert!((dial.cpu + 2e-3 - 0.5 * period).abs() < 1e-9);
            }
            // What levers can take away at most is what the largest load asks of them, unless that is less.
            let low = scale.most.min(PEAK) * period;
            assert!(low > 1.5 * period, "{}", scale.most);
        }
    }

    #[test]
    fn a_machine_without_timestamps_glass_or_levers_has_no_dial_and_says_why() {
        let why = |found| match found {
            Found::Nothing(why) => why,
            found => panic!("{found:?}"),
        };
        assert!(why(calibrate(1e-3, 0.0, 0.3, false, 0.05)).contains("timestamps"));
        assert!(why(calibrate(60e-3, 1e-3, 1.0, false, 0.05)).contains("levers"));
        let mut calibration = Calibration::by(Processors::default);
        let frame = sample(None, false, 0.05);
        let ends = (0..2000).find_map(|_| match calibration.frame(&frame) {
            Found::Going { .. } => None,
            found => Some(found),
        });
        assert!(why(ends.expect("it ends")).contains("timestamps"));
    }
}
