//! What a scene asks for over time: steps, ramps, bursts, a long soak, or a trace that was recorded.

use super::{Demand, Draws};

/// A trace can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// A line isn't two numbers of seconds.
    #[error(
        "trace, line {line}: `{text}` isn't `CPU seconds,GPU seconds` of a frame at full quality, each in 0..1"
    )]
    Line {
        /// Which, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// Nothing in it.
    #[error(
        "the trace has no frames; one line for each frame is needed: `CPU seconds,GPU seconds`"
    )]
    Empty,
}

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub enum Script {
    /// GPU load steps to more than a half over what there is and back.
    Steps,
    /// GPU load rises over seconds to nearly double, stays, and falls.
    Ramps,
    /// GPU load steps only as far over what there is as a render scale of 0.8 absorbs: every policy's range suffices.
    Mild,
    /// Short bursts of GPU load, at irregular times.
    Bursts,
    /// The CPU's load steps.
    CpuSteps,
    /// Near the limit for as long as it lasts, so that the device gets hot.
    Soak,
    /// Nothing changes.
    Constant {
        /// CPU, in periods of 1/72 s.
        cpu: f64,
        /// GPU, in periods of 1/72 s.
        gpu: f64,
    },
    /// Random steps, ramps and bursts on both sides, within what actuators can absorb: for long runs.
    Wild,
    /// Seconds of each frame, over and over.
    Trace(Vec<Demand>),
}

/// The period that loads are given in, seconds.
const PERIOD: f64 = 1.0 / 72.0;

impl Script {
    /// The scripts that policies are compared on, with their names.
    pub const COMPARED: [(&str, Self); 6] = [
        ("steps", Self::Steps),
        ("ramps", Self::Ramps),
        ("mild", Self::Mild),
        ("bursts", Self::Bursts),
        ("cpu_steps", Self::CpuSteps),
        ("soak", Self::Soak),
    ];

    /// Reads a trace: a line for each frame, CPU and GPU seconds at full quality with a comma between; `#` begins a
    /// comment.
    ///
    /// # Errors
    /// The first line that is none, or a trace without any.
    pub fn trace(text: &str) -> Result<Self, TraceError> {
        let mut frames = Vec::new();
        for (line, text) in text.lines().enumerate() {
            let text = text.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let seconds = |field: Option<&str>| -> Option<f64> {
                let seconds: f64 = field?.trim().parse().ok()?;
                (0.0..1.0).contains(&seconds).then_some(seconds)
            };
            let mut fields = text.split(',');
            let (cpu, gpu) = (seconds(fields.next()), seconds(fields.next()));
            let (Some(cpu), Some(gpu), None) = (cpu, gpu, fields.next()) else {
                return Err(TraceError::Line {
                    line: line + 1,
                    text: text.to_owned(),
                });
            };
            frames.push(Demand { cpu, gpu });
        }
        if frames.is_empty() {
            return Err(TraceError::Empty);
        }
        Ok(Self::Trace(frames))
    }
}

/// A script that is being played.
#[derive(Debug, Clone)]
pub struct Playing<'a> {
    script: &'a Script,
    draws: Draws,
    frame: usize,
    /// Until when the present stretch lasts, and the loads at its begin and its end, in periods.
    stretch: Stretch,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    begun: f64,
    until: f64,
    cpu: [f64; 2],
    gpu: [f64; 2],
}

impl<'a> Playing<'a> {
    /// Plays a script with luck from a seed.
    #[must_use]
    pub fn new(script: &'a Script, seed: u64) -> Self {
        Self {
            script,
            draws: Draws(seed ^ 0x5c71),
            frame: 0,
            stretch: Stretch::default(),
        }
    }

    /// What is asked for at `time` seconds after the begin, and whether a step up begins with this very frame. Times
    /// never go back.
    pub fn at(&mut self, time: f64) -> (Demand, bool) {
        let mut stepped = false;
        let frame = self.frame;
        self.frame += 1;
        if let Script::Trace(frames) = self.script {
            let demand = frames.get(frame % frames.len().max(1)).copied();
            let none = Demand { cpu: 0.0, gpu: 0.0 };
            return (demand.unwrap_or(none), false);
        }
        while time >= self.stretch.until {
            let [_, cpu] = self.stretch.cpu;
            let [_, gpu] = self.stretch.gpu;
            self.stretch = self.next(self.stretch.until);
            let ([cpu_now, _], [gpu_now, _]) = (self.stretch.cpu, self.stretch.gpu);
            // The first stretch is no step.
            stepped |= self.stretch.begun > 0.0 && (cpu_now > cpu * 1.1 || gpu_now > gpu * 1.1);
        }
        let s = &self.stretch;
        let way = ((time - s.begun) / (s.until - s.begun)).clamp(0.0, 1.0);
        let on = |[from, to]: [f64; 2]| (from + (to - from) * way) * PERIOD;
        let demand = Demand {
            cpu: on(s.cpu),
            gpu: on(s.gpu),
        };
        (demand, stepped)
    }

    /// The stretch that begins at `begun`.
    fn next(&mut self, begun: f64) -> Stretch {
        let last = self.stretch;
        let draws = &mut self.draws;
        let mut between = |low: f64, high: f64| low + (high - low) * draws.share();
        let level = |lasts: f64, cpu: f64, gpu: f64| Stretch {
            begun,
            until: begun + lasts,
            cpu: [cpu, cpu],
            gpu: [gpu, gpu],
        };
        let [_, gpu] = last.gpu;
        let [_, cpu] = last.cpu;
        match self.script {
            Script::Steps if gpu > 1.0 || begun <= 0.0 => level(between(3.0, 5.0), 0.5, 0.65),
            Script::Steps => {
                let to = between(1.6, 2.1);
                level(between(20.0, 30.0), 0.5, to)
            }
            Script::Mild if gpu > 0.9 || begun <= 0.0 => level(between(15.0, 25.0), 0.5, 0.65),
            Script::Mild => {
                let to = between(1.0, 1.13);
                level(between(15.0, 25.0), 0.5, to)
            }
            Script::CpuSteps if cpu > 1.0 || begun <= 0.0 => level(between(3.0, 5.0), 0.55, 0.6),
            Script::CpuSteps => {
                let to = between(1.45, 1.65);
                level(between(20.0, 30.0), to, 0.6)
            }
            Script::Ramps => {
                let [from, _] = last.gpu;
                let flat = (from - gpu).abs() < 1e-9;
                let to = match (flat, gpu > 1.0) {
                    _ if begun <= 0.0 => 0.65,
                    (false, _) => gpu,
                    (true, true) => 0.65,
                    (true, false) => between(1.8, 2.2),
                };
                let lasts = match (flat, to > 1.0) {
                    _ if begun <= 0.0 => 3.0,
                    // Flat on top for long, at the bottom for short.
                    (false, true) => between(20.0, 30.0),
                    (false, false) => between(2.0, 4.0),
                    (true, _) => between(3.0, 8.0),
                };
                Stretch {
                    begun,
                    until: begun + lasts,
                    cpu: [0.5, 0.5],
                    gpu: [if begun <= 0.0 { 0.65 } else { gpu }, to],
                }
            }
            Script::Bursts if gpu > 1.0 || begun <= 0.0 => level(between(0.8, 2.5), 0.5, 0.7),
            Script::Bursts => {
                let to = between(1.3, 1.7);
                level(between(0.2, 0.6), 0.5, to)
            }
            Script::Soak => level(1e9, 0.7, 0.9),
            Script::Constant { cpu, gpu } => level(1e9, *cpu, *gpu),
            Script::Wild | Script::Trace(_) => {
                let kind = between(0.0, 1.0);
                let to = [between(0.3, 1.5), between(0.3, 2.0)];
                let lasts = if kind < 0.2 {
                    between(0.1, 0.6)
                } else {
                    between(1.0, 30.0)
                };
                let [cpu_to, gpu_to] = to;
                let ramp = kind > 0.7;
                Stretch {
                    begun,
                    until: begun + lasts,
                    cpu: [if ramp { cpu } else { cpu_to }, cpu_to],
                    gpu: [if ramp { gpu } else { gpu_to }, gpu_to],
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read_and_what_is_none_is_named() {
        let trace = Script::trace("# frames\n0.004,0.009\n 0.005 , 0.010 # a comment\n").unwrap();
        let mut playing = Playing::new(&trace, 1);
        let first = playing.at(0.0).0;
        assert!((first.gpu - 0.009).abs() < 1e-12);
        playing.at(0.01);
        assert_eq!(playing.at(0.02).0, first);
        for (text, line) in [("0.1", 1), ("0.1,0.1\n0.1,x", 2), ("1,2", 1), ("0,0,0", 1)] {
            let error = Script::trace(text).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}")), "{error}");
        }
        assert_eq!(Script::trace("# nothing\n"), Err(TraceError::Empty));
    }

    #[test]
    fn scripts_repeat_with_their_seed_and_steps_are_told() {
        for (name, script) in Script::COMPARED {
            let play = |seed| {
                let mut playing = Playing::new(&script, seed);
                let demands: Vec<(Demand, bool)> = (0..20_000)
                    .map(|n| playing.at(f64::from(n) / 72.0))
                    .collect();
                demands
            };
            assert_eq!(play(3), play(3), "{name}");
            let steps = play(3).iter().filter(|it| it.1).count();
            let expected = matches!(
                script,
                Script::Steps | Script::Mild | Script::CpuSteps | Script::Bursts
            );
            assert_eq!(steps > 0, expected, "{name}: {steps}");
        }
    }
}
