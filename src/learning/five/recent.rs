//! The last few attempts: how many succeeded, with how many hints, how long a run of errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many attempts are remembered. Arbitrary: what an instructor would remember, too.
pub const REMEMBERED: u32 = 10;

/// The last attempts, one bit each, the newest lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recent {
    right: u16,
    hinted: u16,
    clean: u16,
    n: u8,
}

impl Recent {
    /// Takes in an attempt: whether it was right, whether a hint was taken, and whether it went by itself (right, with
    /// neither hint nor error on the way nor unusual slowness).
    pub fn push(&mut self, right: bool, hinted: bool, clean: bool) {
        let push = |bits: u16, bit: bool| (bits << 1 | u16::from(bit)) & ((1 << REMEMBERED) - 1);
        self.right = push(self.right, right);
        self.hinted = push(self.hinted, hinted);
        self.clean = push(self.clean, clean);
        self.n = (self.n + 1).min(REMEMBERED as u8);
    }

    /// How many there are, at most [`REMEMBERED`].
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::from(self.n)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Share that succeeded, in [0, 1]; `None` with fewer than `least` attempts.
    #[must_use]
    pub fn success(&self, least: u32) -> Option<f64> {
        self.share(self.right, least)
    }

    /// Share with hints.
    #[must_use]
    pub fn hinted(&self, least: u32) -> Option<f64> {
        self.share(self.hinted, least)
    }

    /// Share that went by itself.
    #[must_use]
    pub fn clean(&self, least: u32) -> Option<f64> {
        self.share(self.clean, least)
    }

    /// Longest run of failures; `None` with fewer than `least` attempts.
    #[must_use]
    pub fn longest_error_run(&self, least: u32) -> Option<f64> {
        let (mut run, mut longest) = (0_u32, 0);
        for i in 0..self.len() {
            run = if self.right >> i & 1 == 0 { run + 1 } else { 0 };
            longest = run.max(longest);
        }
        self.enough(least).then_some(f64::from(longest))
    }

    /// Whether each was right, the newest in the lowest bit.
    #[must_use]
    pub fn outcomes(&self) -> u32 {
        u32::from(self.right)
    }

    fn share(&self, bits: u16, least: u32) -> Option<f64> {
        let share = f64::from(bits.count_ones()) / f64::from(self.len().max(1));
        self.enough(least).then_some(share)
    }

    fn enough(&self, least: u32) -> bool {
        self.len() >= least.clamp(1, REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_ten_and_says_nothing_too_early() {
        let mut recent = Recent::default();
        for _ in 0..4 {
            recent.push(false, true, false);
        }
        assert_eq!(recent.success(5), None);
        assert_eq!(recent.longest_error_run(4), Some(4.0));
        for _ in 0..8 {
            recent.push(true, false, true);
        }
        // Two of the four failures are still among the last ten.
        assert_eq!(recent.success(5), Some(0.8));
        assert_eq!(recent.hinted(5), Some(0.2));
        assert_eq!(recent.clean(5), Some(0.8));
        assert_eq!(recent.longest_error_run(5), Some(2.0));
    }
}
