//! Whether what was called 70 % likely happened in 70 % of the cases.
//!
//! Sources: Brier 1950 for the score; expected calibration error over equal bins as in Naeini, Cooper & Hauskrecht 2015.

use serde::{Deserialize, Serialize};

/// Equal bins over [0, 1].
pub const BINS: usize = 10;

/// Predictions and outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reliability {
    bins: [Bin; BINS],
    squares: f64,
    n: f64,
    happened: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bin {
    predicted: f64,
    happened: f64,
    n: f64,
}

/// One point of the reliability curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Mean prediction in the bin.
    pub predicted: f64,
    /// Share that happened.
    pub happened: f64,
    /// How many.
    pub n: f64,
}

impl Reliability {
    /// Takes in a prediction in [0, 1] and whether it came true. What is no number is left out.
    pub fn observe(&mut self, predicted: f64, happened: bool) {
        if predicted.is_nan() {
            return;
        }
        let predicted = predicted.clamp(0.0, 1.0);
        let happened = f64::from(u8::from(happened));
        let which = ((predicted * BINS as f64) as usize).min(BINS - 1);
        if let Some(bin) = self.bins.get_mut(which) {
            bin.predicted += predicted;
            bin.happened += happened;
            bin.n += 1.0;
        }
        self.squares += (predicted - happened).powi(2);
        self.happened += happened;
        self.n += 1.0;
    }

    /// Mean of (prediction − outcome)²; `None`: nothing was predicted.
    #[must_use]
    pub fn brier(&self) -> Option<f64> {
        (self.n > 0.0).then(|| self.squares / self.n)
    }

    /// The Brier score of always saying how often it happens: what a prediction must be better than.
    #[must_use]
    pub fn brier_of_base_rate(&self) -> Option<f64> {
        let rate = (self.n > 0.0).then(|| self.happened / self.n)?;
        Some(rate * (1.0 - rate))
    }

    /// Mean distance between prediction and share over the bins, weighted by how many there are; `None` as above.
    #[must_use]
    pub fn calibration_error(&self) -> Option<f64> {
        let distance = |point: Point| point.n * (point.predicted - point.happened).abs();
        (self.n > 0.0).then(|| self.curve().map(distance).sum::<f64>() / self.n)
    }

    /// The curve: bins in which something was predicted, from low to high.
    pub fn curve(&self) -> impl Iterator<Item = Point> {
        let used = self.bins.iter().filter(|bin| bin.n > 0.0);
        used.map(|bin| Point {
            predicted: bin.predicted / bin.n,
            happened: bin.happened / bin.n,
            n: bin.n,
        })
    }

    /// How many predictions.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.n as u64
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n <= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_as_worked_by_hand() {
        // 0.8 twice (yes, no), 0.2 once (no): Brier (0.04 + 0.64 + 0.04)/3 = 0.24; bins off by 0.3 (2) and 0.2 (1):
        // (0.6 + 0.2)/3; base rate 1/3: 2/9.
        let mut seen = Reliability::default();
        seen.observe(0.8, true);
        seen.observe(0.8, false);
        seen.observe(0.2, false);
        seen.observe(f64::NAN, true);
        assert!((seen.brier().unwrap() - 0.24).abs() < 1e-12);
        assert!((seen.calibration_error().unwrap() - 0.8 / 3.0).abs() < 1e-12);
        assert!((seen.brier_of_base_rate().unwrap() - 2.0 / 9.0).abs() < 1e-12);
        assert_eq!(seen.curve().count(), 2);
    }
}
