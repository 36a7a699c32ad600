//! Noise for differential privacy, drawn with whole numbers only.
//!
//! Laplace noise made from floating-point uniforms gives the true value away by its low bits (Mironov, "On significance
//! of the least significant bits for differential privacy", CCS 2012). So values are whole numbers and the noise is
//! the discrete Laplace distribution, drawn exactly (Canonne, Kamath & Steinke, "The discrete Gaussian for
//! differential privacy", NeurIPS 2020, arXiv:2004.00010, algorithms 1 and 2; OpenDP draws it the same way).

/// A source of random bits. In use it has to be the operating system's or a cryptographic generator; a learner's
/// seeded generator can be replayed, and with it the noise taken off.
pub type Bits<'a> = &'a mut dyn FnMut() -> u64;

/// The largest scale: far above any that an aggregate asks for, and small enough that nothing overflows.
pub const MAX_SCALE: u64 = 1 << 40;

/// One draw with P(x) ∝ exp(−|x|·`s`/`t`), that is of scale `t`/`s` (algorithm 2); both are cut to 1..=[`MAX_SCALE`].
/// `None` where the source gives no usable bits: nothing may then be published.
#[must_use]
pub fn discrete_laplace(t: u64, s: u64, bits: Bits) -> Option<i64> {
    let (t, s) = (t.clamp(1, MAX_SCALE), s.clamp(1, MAX_SCALE));
    for _ in 0..MOST_ROUNDS {
        let u = uniform(t, bits)?;
        if !bernoulli_exp(u, t, bits)? {
            continue;
        }
        let mut v = 0_u64;
        while bernoulli_exp(1, 1, bits)? {
            v += 1;
            if v > MOST_ROUNDS {
                return None;
            }
        }
        let y = u.saturating_add(t.saturating_mul(v)) / s;
        let negative = bits() & 1 == 1;
        if negative && y == 0 {
            continue;
        }
        let y = i64::try_from(y).ok()?;
        return Some(if negative { -y } else { y });
    }
    None
}

/// Rounds after which a source is taken to be broken; a sound one needs as many with a probability below 2⁻¹⁰⁰.
const MOST_ROUNDS: u64 = 1000;

/// A whole number in 0..`n`, each as likely (`n` ≥ 1): rejection, so that no remainder is favoured.
fn uniform(n: u64, bits: Bits) -> Option<u64> {
    let whole = u64::MAX - u64::MAX % n;
    (0..MOST_ROUNDS)
        .map(|_| bits())
        .find(|draw| *draw < whole)
        .map(|draw| draw % n)
}

/// True with probability `a`/`b`, where `a` ≤ `b`.
fn bernoulli(a: u64, b: u64, bits: Bits) -> Option<bool> {
    Some(uniform(b, bits)? < a)
}

/// True with probability exp(−`a`/`b`), where `a` ≤ `b` (algorithm 1, its first case).
fn bernoulli_exp(a: u64, b: u64, bits: Bits) -> Option<bool> {
    let mut k = 1_u64;
    // a/b ≤ 1, so the chance to come to round k is at most 1/(k−1)!.
    while k < 64 && bernoulli(a, b.saturating_mul(k), bits)? {
        k += 1;
    }
    Some(k % 2 == 1)
}

/// Half-width that the noise of scale `t`/`s` keeps to with a probability of at least 95 %:
/// the least whole w with P(|x| > w) = 2·q^(w+1)/(1+q) ≤ 0.05, where q = exp(−s/t).
#[must_use]
pub fn half_width_95(t: u64, s: u64) -> u64 {
    let (t, s) = (t.clamp(1, MAX_SCALE) as f64, s.clamp(1, MAX_SCALE) as f64);
    let q = (-s / t).exp();
    let w = t / s * (2.0 / (0.05 * (1.0 + q))).ln() - 1.0;
    w.ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::chance_for_tests::bits;
    use super::*;

    #[test]
    fn the_draws_follow_the_discrete_laplace_distribution() {
        let mut source = bits(7);
        let (t, s, n) = (5, 2, 40_000);
        let mut counts = std::collections::BTreeMap::<i64, u32>::new();
        for _ in 0..n {
            *counts
                .entry(discrete_laplace(t, s, &mut source).unwrap())
                .or_default() += 1;
        }
        // P(x) = (1−q)/(1+q)·q^|x| with q = exp(−s/t).
        let q = (-0.4_f64).exp();
        let mut chi2 = 0.0;
        for x in -6..=6_i64 {
            let p = (1.0 - q) / (1.0 + q) * q.powi(x.unsigned_abs() as i32);
            let expected = p * f64::from(n);
            let seen = f64::from(counts.get(&x).copied().unwrap_or(0));
            chi2 += (seen - expected).powi(2) / expected;
        }
        // 99.9 % point of χ² with 12 degrees of freedom is 32.9; the seed is fixed, so this never flickers.
        assert!(chi2 < 32.9, "{chi2}");
    }

    #[test]
    fn the_stated_width_holds_95_of_100_draws_and_not_99() {
        let mut source = bits(11);
        let (t, s) = (1000, 3);
        let width = half_width_95(t, s).cast_signed();
        let inside = (0..4000)
            .filter(|_| discrete_laplace(t, s, &mut source).unwrap().abs() <= width)
            .count();
        assert!((3740..3860).contains(&inside), "{inside}");
    }

    #[test]
    fn two_neighbours_give_any_answer_almost_equally_often() {
        // ε = s/t = 0.5; answers for true values 0 and 1.
        let mut source = bits(3);
        let n = 60_000;
        let mut seen = [
            std::collections::BTreeMap::<i64, f64>::new(),
            std::collections::BTreeMap::new(),
        ];
        for (truth, counts) in (0_i64..).zip(seen.iter_mut()) {
            for _ in 0..n {
                *counts
                    .entry(truth + discrete_laplace(2, 1, &mut source).unwrap())
                    .or_default() += 1.0;
            }
        }
        for answer in -4..=5 {
            let ratio = (seen[0][&answer] / seen[1][&answer]).ln().abs();
            // 0.15: three standard errors of the rarest answer looked at.
            assert!(ratio < 0.5 + 0.15, "{answer}: {ratio}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_ends_with_any_scale_and_any_source(t in any::<u64>(), s in any::<u64>(), seed in any::<u64>()) {
            let mut source = bits(seed);
            prop_assert!(discrete_laplace(t, s, &mut source).is_some() || t / s.max(1) > MAX_SCALE);
        }
    }

    #[test]
    fn a_broken_source_neither_hangs_nor_gives_noise() {
        assert_eq!(discrete_laplace(3, 1, &mut || u64::MAX), None);
    }
}
