//! A model of a standalone headset of the Quest 3 class, to prove a governor on: what frames cost by quality, heat, and a
//! compositor with its phases. A model, no measurement of a Quest 3: its parameters and their sources are written down in
//! [`Parameters`], its limits here.
//!
//! Limits: costs are multiplicative in the work left, with one exponent for pixels; CPU and GPU don't share a memory bus;
//! clocks change only by heat (the real system picks the lowest that keeps the rate); noise is white with rare hiccups;
//! the display's phase is fixed. Nothing here says how a Quest 3 will do; it says how policies do beside each other.

use super::actuators::Quality;
use super::sense::{CpuPhases, FrameSample, GpuTime};

pub mod compositor;
pub mod heat;
pub mod run;
pub mod script;

use compositor::Compositor;
use heat::Body;

/// Parameters of the model. `[E]`: estimated, for want of a source; the tests vary those that matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Display rate, Hz: 72 is Quest 3's default (Meta; `notes/field.md` C).
    pub rate: f64,
    /// Time before the display's that the compositor needs, seconds: timewarp runs 2 to 3 ms before vsync (Meta,
    /// hz-perfetto-debug; `notes/field.md` C).
    pub compositor: f64,
    /// Frames after which a GPU time comes back: wgpu resolves a query after the frame's submission, and its buffer is
    /// mapped in the next one `[E]`.
    pub read_back: u8,
    /// Whether the device has timestamps.
    pub timestamps: bool,
    /// Standard deviation of a frame's CPU and GPU cost, relative: frame times deviate by less than 1 ms where Meta calls
    /// it excellent (`notes/field.md` C).
    pub noise: [f64; 2],
    /// Chance of a hiccup in a frame, CPU and GPU, and its mean length in seconds `[E]`.
    pub hiccup: [f64; 2],
    /// Mean length of a hiccup, seconds, exponentially distributed `[E]`.
    pub hiccup_length: f64,
    /// The scene's true CPU shares: physics, animation, telemetry, panels, detail. Others than the governor believes at
    /// first, on purpose `[E]`.
    pub cpu_shares: [f64; 5],
    /// The scene's true GPU shares: pixels, shadows, lights, effects, detail. The same `[E]`.
    pub gpu_shares: [f64; 5],
    /// Pixel work goes with the scale to this power: less than 2, since edges and tiles don't shrink as areas do `[E]`.
    pub pixel_power: f64,
    /// Part of pixel work that full foveation saves `[E]`.
    pub foveation_saves: f64,
    /// Parts of CPU time in simulation and in preparing; the rest submits `[E]`.
    pub phases: [f64; 2],
    /// Whether `xrEndFrame` comes back only when the GPU is done, as Monado's does where it has no fence to hand on
    /// (`submit_fallback`, `comp_vk_client.c`). Rendering runs beside the simulation then, as in Bevy.
    pub waits: bool,
    /// Heat; `None` for a device that never gets hot.
    pub heat: Option<heat::Parameters>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            rate: 72.0,
            compositor: 2.5e-3,
            read_back: 1,
            timestamps: true,
            noise: [0.03, 0.02],
            hiccup: [4e-4, 2e-4],
            hiccup_length: 2.5e-3,
            cpu_shares: [0.12, 0.12, 0.06, 0.10, 0.30],
            gpu_shares: [0.62, 0.10, 0.05, 0.05, 0.08],
            pixel_power: 1.9,
            foveation_saves: 0.25,
            phases: [0.5, 0.3],
            waits: false,
            heat: None,
        }
    }
}

/// What the scene asks for at full quality and full clocks, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Of the CPU.
    pub cpu: f64,
    /// Of the GPU.
    pub gpu: f64,
}

/// The device, with what it remembers.
#[derive(Debug, Clone)]
pub struct Plant {
    /// Its parameters.
    pub parameters: Parameters,
    compositor: Compositor,
    body: Option<Body>,
    draws: Draws,
    /// GPU times that haven't come back, the newest first.
    under_way: [f64; 4],
    /// CPU time of the last frame, whose rendering is seen a frame later where it runs beside the simulation.
    before: f64,
    frames: u64,
}

/// What a frame was, as the device knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// As the governor sees it.
    pub sample: FrameSample,
    /// This very frame's CPU and GPU time, seconds.
    pub cost: Demand,
    /// Display periods without a new picture up to this frame's.
    pub missed: u32,
    /// Whether a hiccup was in it.
    pub hiccup: bool,
    /// Seconds from one frame to the next.
    pub interval: f64,
}

impl Plant {
    /// A device, cold, with its luck from a seed.
    #[must_use]
    pub fn new(parameters: Parameters, seed: u64) -> Self {
        Self {
            compositor: Compositor::new(1.0 / parameters.rate, parameters.compositor),
            body: parameters.heat.clone().map(Body::new),
            parameters,
            draws: Draws(seed),
            under_way: [0.0; 4],
            before: 0.0,
            frames: 0,
        }
    }

    /// What the runtime would say about heat.
    #[must_use]
    pub fn notice(&self) -> super::restraint::Notice {
        self.body
            .as_ref()
            .map_or_else(Default::default, Body::notice)
    }

    /// Degrees above the room; 0 without heat.
    #[must_use]
    pub fn warmth(&self) -> f64 {
        self.body.as_ref().map_or(0.0, Body::warmth)
    }

    /// Draws a frame of this demand in this quality. `every` is 2 where each picture is to be shown twice.
    pub fn frame(
        &mut self,
        demand: &Demand,
        quality: &Quality,
        setting: super::actuators::Setting,
        every: u32,
    ) -> Shown {
        let clock = self.body.as_ref().map_or(1.0, Body::clock);
        let [cpu_noise, gpu_noise] = self.parameters.noise;
        let [cpu_hiccup, gpu_hiccup] = self.parameters.hiccup;
        let cpu = demand.cpu * self.cpu_left(quality) / clock * self.draws.around(cpu_noise);
        let cpu_hiccup = self.hiccup(cpu_hiccup);
        let gpu = demand.gpu * self.gpu_left(quality) / clock * self.draws.around(gpu_noise);
        let gpu_hiccup = self.hiccup(gpu_hiccup);
        let (cpu, gpu) = (cpu + cpu_hiccup, gpu + gpu_hiccup);
        let [simulation, prepare] = self.parameters.phases;
        let told = if self.parameters.waits {
            let main = cpu * simulation;
            self.compositor.waiting(main, cpu - main, gpu, every)
        } else {
            self.compositor.frame(cpu, gpu, every)
        };
        if let Some(body) = &mut self.body {
            body.pass(told.interval, cpu / told.interval, gpu / told.interval);
        }
        let [end, ..] = self.under_way;
        self.under_way.rotate_right(1);
        self.under_way[0] = gpu;
        let before = std::mem::replace(&mut self.before, cpu);
        let cpu_phases = if self.parameters.waits {
            let main = cpu * simulation;
            CpuPhases {
                simulation: main,
                prepare: before * prepare,
                record: before * (1.0 - simulation - prepare),
                end,
                overlap: main.min(before * (1.0 - simulation)),
            }
        } else {
            CpuPhases {
                simulation: cpu * simulation,
                prepare: cpu * prepare,
                record: cpu * (1.0 - simulation - prepare),
                end: 0.0,
                overlap: 0.0,
            }
        };
        self.frames += 1;
        let age = self.parameters.read_back.min(3);
        let back = self.parameters.timestamps && self.frames > u64::from(age);
        let gpu_time = back.then(|| GpuTime {
            seconds: self.under_way.get(usize::from(age)).copied().unwrap_or(gpu),
            age,
        });
        Shown {
            sample: FrameSample {
                period: self.compositor.period(),
                cpu: cpu_phases,
                gpu: gpu_time,
                wait: told.wait,
                skipped: told.skipped.min(255) as u8,
                stale: false,
                setting,
            },
            cost: Demand { cpu, gpu },
            missed: told.skipped,
            hiccup: cpu_hiccup + gpu_hiccup > 0.0,
            interval: told.interval,
        }
    }

    fn hiccup(&mut self, chance: f64) -> f64 {
        if self.draws.share() < chance {
            -self.parameters.hiccup_length * (1.0 - self.draws.share()).ln()
        } else {
            0.0
        }
    }

    /// What is left of the CPU's cost.
    fn cpu_left(&self, quality: &Quality) -> f64 {
        left(&self.parameters.cpu_shares, &quality.cpu_work())
    }

    /// What is left of the GPU's cost. Its own formulas, which aren't the governor's.
    fn gpu_left(&self, quality: &Quality) -> f64 {
        let p = &self.parameters;
        // Full quality has low foveation already.
        let saved =
            (1.0 - p.foveation_saves * quality.foveation) / (1.0 - p.foveation_saves * 0.25);
        let work = [
            quality.render_scale.powf(p.pixel_power) * saved,
            quality.shadows.powf(1.8),
            quality.lights,
            quality.effects,
            quality.detail.powf(1.1),
        ];
        left(&p.gpu_shares, &work)
    }
}

fn left(shares: &[f64; 5], work: &[f64; 5]) -> f64 {
    let saved: f64 = shares.iter().zip(work).map(|(s, w)| s * (1.0 - w)).sum();
    1.0 - saved
}

/// Chance, from a seed: SplitMix64 (Steele, Lea & Flood 2014).
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws(pub(super) u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Even in [0, 1).
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around 1 with this standard deviation: the sum of four even numbers, which is normal enough and has no far tail.
    fn around(&mut self, deviation: f64) -> f64 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|n| (bits >> (16 * n)) & 0xffff).sum();
        let sum = sum as f64 / 65_536.0 - 2.0;
        (1.0 + deviation * sum * 3.0_f64.sqrt()).max(0.0)
    }
}

#[cfg(test)]
mod properties;
