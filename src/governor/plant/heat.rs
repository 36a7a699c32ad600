//! Heat: one body that warms with the work and cools into the room, and clocks that go down where it gets too warm.

use crate::governor::restraint::Notice;

/// Parameters of the body. All `[E]`: no vendor publishes them; what matters is that work heats over minutes and that
/// clocks fall while the body is too warm.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Seconds in which the body comes two thirds of the way: phones and headsets take minutes.
    pub time: f64,
    /// Degrees above the room that it would reach with CPU and GPU busy all the time, each.
    pub busy: [f64; 2],
    /// Degrees above the room with nothing to do.
    pub idle: f64,
    /// Degrees above the room at which it warns, throttles, and throttles hard.
    pub limits: [f64; 3],
    /// Degrees that it must cool below a limit for it to be left.
    pub hysteresis: f64,
    /// Clocks when throttled, and throttled hard, as shares of the full ones.
    pub clocks: [f64; 2],
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            time: 300.0,
            busy: [10.0, 16.0],
            idle: 6.0,
            limits: [24.5, 26.0, 28.0],
            hysteresis: 1.0,
            clocks: [0.85, 0.7],
        }
    }
}

/// The body.
#[derive(Debug, Clone)]
pub struct Body {
    parameters: Parameters,
    warmth: f64,
    /// How many limits are passed.
    passed: u8,
}

impl Body {
    /// A body with nothing to do for long.
    #[must_use]
    pub fn new(parameters: Parameters) -> Self {
        Self {
            warmth: parameters.idle,
            parameters,
            passed: 0,
        }
    }

    /// Time passes with these shares of CPU and GPU busy.
    pub fn pass(&mut self, seconds: f64, cpu: f64, gpu: f64) {
        let p = &self.parameters;
        let clock = self.clock();
        let [by_cpu, by_gpu] = p.busy;
        // Dynamic power goes with the clock and the square of the voltage, which goes with the clock.
        let power = clock.powi(3);
        let towards =
            p.idle + power * (by_cpu * cpu.clamp(0.0, 1.0) + by_gpu * gpu.clamp(0.0, 1.0));
        self.warmth += (towards - self.warmth) * (seconds / p.time).min(1.0);
        let limits = p.limits;
        if let Some(next) = limits.get(usize::from(self.passed))
            && self.warmth > *next
        {
            self.passed += 1;
        } else if let Some(last) = self.passed.checked_sub(1)
            && limits
                .get(usize::from(last))
                .is_some_and(|it| self.warmth < it - p.hysteresis)
        {
            self.passed -= 1;
        }
    }

    /// What the runtime says.
    #[must_use]
    pub fn notice(&self) -> Notice {
        match self.passed {
            0 => Notice::Normal,
            1 => Notice::Warning,
            _ => Notice::Impaired,
        }
    }

    /// Clocks as a share of the full ones.
    #[must_use]
    pub fn clock(&self) -> f64 {
        let [throttled, hard] = self.parameters.clocks;
        match self.passed {
            0 | 1 => 1.0,
            2 => throttled,
            _ => hard,
        }
    }

    /// Degrees above the room.
    #[must_use]
    pub fn warmth(&self) -> f64 {
        self.warmth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_warms_it_until_it_throttles_and_rest_cools_it() {
        let mut body = Body::new(Parameters::default());
        let mut throttled = 0;
        for _ in 0..3600 {
            body.pass(1.0, 0.95, 1.0);
            throttled += u32::from(body.clock() < 1.0 && body.notice() == Notice::Impaired);
        }
        assert!(throttled > 600, "{throttled} s");
        for _ in 0..3600 {
            body.pass(1.0, 0.1, 0.1);
        }
        assert_eq!(body.notice(), Notice::Normal);
        assert!((body.clock() - 1.0).abs() < 1e-12 && body.warmth() < 10.0);
    }
}
