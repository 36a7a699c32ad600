//! Unreal's dynamic resolution, after the behaviour of its heuristic (`FDynamicResolutionHeuristicProxy`, its console
//! variables' defaults; `notes/field.md` C): 50 to 100 % of the screen, a budget of one period with a tenth of head-room,
//! a history of 16 frames with weights 0.9ⁿ, costs taken as going with the square of the scale; upwards only by at least
//! 2 % and 0.9 of the way; 8 frames between changes; two frames over budget in a row are a panic that acts at once and
//! forgets the history. What the CPU misses isn't answered.

use crate::governor::sense::{FrameSample, History};

/// r.DynamicRes.MinScreenPercentage, r.DynamicRes.MaxScreenPercentage.
const RANGE: [f64; 2] = [0.5, 1.0];
/// r.DynamicRes.TargetedGPUHeadRoomPercentage.
const HEADROOM: f64 = 0.1;
/// r.DynamicRes.HistorySize.
const REMEMBERED: u64 = 16;
/// r.DynamicRes.FrameWeightExponent.
const WEIGHT: f64 = 0.9;
/// r.DynamicRes.IncreaseAmortizationBlendFactor.
const BLEND: f64 = 0.9;
/// r.DynamicRes.ChangePercentageThreshold.
const THRESHOLD: f64 = 0.02;
/// r.DynamicRes.MinResolutionChangePeriod.
const PERIOD: u32 = 8;
/// r.DynamicRes.MaxConsecutiveOverbudgetGPUFrameCount.
const PANIC: u32 = 2;

/// Unreal's dynamic resolution, with what it remembers.
#[derive(Debug, Clone)]
pub struct Unreal {
    scale: f64,
    /// Scales of the last frames, the newest first: times come back later than frames.
    scales: [f64; 20],
    /// Frames that have come since the history was last forgotten.
    known: u64,
    since: u32,
}

impl Default for Unreal {
    fn default() -> Self {
        let [_, most] = RANGE;
        Self {
            scale: most,
            scales: [most; 20],
            known: 0,
            since: 0,
        }
    }
}

impl Unreal {
    /// The scale from the next frame on.
    pub fn decide(&mut self, history: &History) -> f64 {
        self.scales.rotate_right(1);
        self.scales[0] = self.scale;
        let Some(newest) = history.back(0) else {
            return self.scale;
        };
        if newest.gpu.is_none() {
            return self.scale;
        }
        self.known = (self.known + 1).min(REMEMBERED);
        let budget = newest.period;
        let target = budget * (1.0 - HEADROOM);
        let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
        let (mut over, mut counted) = (0, 0);
        for back in 0..self.known as usize {
            let Some(sample) = history.back(back) else {
                break;
            };
            let Some(gpu) = sample.gpu else { continue };
            let scale = self.scales.get(back + usize::from(gpu.age)).copied();
            let scale = scale.unwrap_or(self.scale);
            let by_cpu = is_cpu_bound(sample, target);
            over = if !by_cpu && gpu.seconds > budget {
                over + 1
            } else {
                0
            };
            // Where the CPU is late, resolution doesn't help, and full resolution is aimed at.
            let [_, most] = RANGE;
            let suggested = if by_cpu {
                scale.max(most)
            } else {
                (target / gpu.seconds.max(1e-6)).sqrt() * scale
            };
            sum += suggested * weight;
            weights += weight;
            weight *= WEIGHT;
            counted += 1;
            if over == PANIC {
                break;
            }
        }
        if counted == 0 {
            return self.scale;
        }
        let mut next = sum / weights;
        let panics = over == counted && over >= PANIC;
        if panics {
            self.known = 0;
        } else if next > self.scale {
            next = if next < self.scale * (1.0 + THRESHOLD) {
                self.scale
            } else {
                self.scale + (next - self.scale) * BLEND
            };
        }
        let [least, most] = RANGE;
        let next = next.clamp(least, most);
        let differs = (next - self.scale).abs() > 1e-12;
        if panics || differs && self.since >= PERIOD {
            self.since = 0;
            self.scale = next;
        } else {
            self.since += 1;
        }
        self.scale
    }
}

/// Whether the game or the render thread was late: with a frame of ours they follow each other, so it's their sum.
fn is_cpu_bound(sample: &FrameSample, target: f64) -> bool {
    sample.cpu.total() > target.max(sample.period)
}
