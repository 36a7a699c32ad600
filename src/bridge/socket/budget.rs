//! How much a client may send.

use std::time::{Duration, Instant};

/// A token bucket.
pub(super) struct Budget {
    rate: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Budget {
    /// `rate` a second over any length of time, `burst` at once.
    pub(super) fn new(rate: f64, burst: f64) -> Self {
        Self {
            rate,
            burst,
            left: burst,
            at: Instant::now(),
        }
    }

    /// Whether there was one left.
    pub(super) fn spend(&mut self) -> bool {
        self.earn();
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }

    /// Spends one, and says how long to wait for it.
    pub(super) fn owe(&mut self) -> Duration {
        self.earn();
        self.left -= 1.0;
        Duration::try_from_secs_f64(-self.left / self.rate).unwrap_or(Duration::ZERO)
    }

    fn earn(&mut self) {
        let now = Instant::now();
        let earned = now.duration_since(self.at).as_secs_f64() * self.rate;
        self.left = (self.left + earned).min(self.burst);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_a_flood_is_not() {
        let mut budget = Budget::new(20.0, 40.0);
        let taken = (0..1000).filter(|_| budget.spend()).count();
        assert!((40..100).contains(&taken), "{taken}");
    }

    #[test]
    fn who_sends_more_than_their_share_waits_for_it() {
        let mut budget = Budget::new(100.0, 10.0);
        let owed = (0..110).map(|_| budget.owe()).max();
        let owed = owed.unwrap_or_default();
        assert!(owed > Duration::from_millis(500), "{owed:?}");
        assert!(owed <= Duration::from_secs(1), "{owed:?}");
    }
}
