//! Random numbers that belong to a purpose and a place, not to an order of calls.
//!
//! The n-th answer of a simulated learner depends on the same number whatever was done before it, so that two policies
//! meet the same luck (common random numbers: Law & Kelton, "Simulation Modeling and Analysis", section 11.2).
//! Counter-based as in Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"; the mixing function is
//! SplitMix64's (Steele, Lea & Flood 2014).

/// What a number is for. Numbers for different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// A trait of the learner.
    Trait = 1,
    /// Whether an attempt is right.
    Right,
    /// How long an attempt takes.
    Seconds,
    /// Whether the learner gets stuck in it.
    Stuck,
    /// For how long.
    StuckSeconds,
    /// Whether the learner asks for help.
    AsksForHelp,
    /// Whether the learner leaves.
    Leaves,
    /// Whether an offered break is taken.
    TakesBreak,
    /// Noise of what is measured.
    Measured,
    /// Noise of what is told.
    Told,
    /// What a policy that chooses by chance chooses.
    Choice,
    /// Which learners are drawn again, for intervals.
    Resample,
}

/// A family of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    seed: u64,
}

impl Draws {
    /// The family of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Another family, independent of this one, for each `n`.
    #[must_use]
    pub const fn of(self, n: u64) -> Self {
        Self {
            seed: mix(self.seed ^ mix(n)),
        }
    }

    /// The `n`-th number for a purpose, uniform in [0, 1).
    #[must_use]
    pub const fn uniform(self, purpose: Purpose, n: u64) -> f64 {
        let bits = mix(mix(self.seed ^ mix(purpose as u64)) ^ n);
        // The upper 53 bits make every multiple of 2⁻⁵³ equally likely.
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The `n`-th number for a purpose, normal with mean 0 and variance 1 (Box & Muller 1958).
    #[must_use]
    pub fn normal(self, purpose: Purpose, n: u64) -> f64 {
        let (a, b) = (n.wrapping_mul(2), n.wrapping_mul(2).wrapping_add(1));
        let radius = (-2.0 * (1.0 - self.uniform(purpose, a)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform(purpose, b)).cos()
    }
}

/// SplitMix64: step and output function.
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_purpose_are_uniform_and_those_of_two_are_unrelated() {
        let draws = Draws::new(7);
        let n = 20_000_u64;
        let (mut sum, mut product, mut normal, mut square) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..n {
            let (a, b) = (
                draws.uniform(Purpose::Right, i),
                draws.uniform(Purpose::Leaves, i),
            );
            sum += a;
            product += (a - 0.5) * (b - 0.5);
            let x = draws.normal(Purpose::Told, i);
            normal += x;
            square += x * x;
        }
        let n = n as f64;
        // Five standard errors: 0.29/√n, 1/12/√n, 1/√n, √2/√n.
        assert!((sum / n - 0.5).abs() < 0.0103, "{}", sum / n);
        assert!((product / n).abs() < 0.003, "{}", product / n);
        assert!((normal / n).abs() < 0.036, "{}", normal / n);
        assert!((square / n - 1.0).abs() < 0.05, "{}", square / n);
    }

    #[test]
    fn a_number_does_not_depend_on_what_was_drawn_before() {
        let draws = Draws::new(7);
        let alone = draws.uniform(Purpose::Right, 12);
        for i in 0..12 {
            let _ = draws.uniform(Purpose::Right, i);
        }
        assert_eq!(alone.to_bits(), draws.uniform(Purpose::Right, 12).to_bits());
        assert_ne!(
            alone.to_bits(),
            draws.of(1).uniform(Purpose::Right, 12).to_bits()
        );
    }
}
