//! How far intervals are off: counts in fixed buckets, four to each doubling, from a microsecond to an hour.

use std::time::Duration;

/// Buckets of a doubling are told apart by the two bits after the leading one (as in HdrHistogram; Tene 2012).
const SUB_BITS: u32 = 2;
const BUCKETS: usize = 128;

/// Counts of durations. A bucket's upper end is at most 25 % above its lower end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    n: u64,
    longest: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
            n: 0,
            longest: Duration::ZERO,
        }
    }
}

impl Histogram {
    /// Takes in one.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(micros).min(BUCKETS - 1)) {
            *count += 1;
        }
        self.n += 1;
        self.longest = self.longest.max(duration);
    }

    /// How many there are.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The longest.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// At least this `share` (in [0, 1]) of all are no longer than what is returned, which is a bucket's upper end or
    /// the longest, so never too small; `None` where there are none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        if self.n == 0 {
            return None;
        }
        let needed = (share.clamp(0.0, 1.0) * self.n as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (end, count) in self.buckets() {
            seen += count;
            if seen >= needed {
                return Some(end.min(self.longest));
            }
        }
        Some(self.longest)
    }

    /// Upper end and count of every bucket, shortest first. The last one holds everything longer, too.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let ends = (0..BUCKETS).map(|bucket| Duration::from_micros(end(bucket)));
        ends.zip(self.counts)
    }
}

/// 0…3 for so many microseconds, then four buckets to each doubling.
fn bucket(micros: u64) -> usize {
    let exponent = micros.checked_ilog2().unwrap_or(0);
    if exponent < SUB_BITS {
        return micros as usize;
    }
    let sub = micros >> (exponent - SUB_BITS) & ((1 << SUB_BITS) - 1);
    ((exponent - SUB_BITS + 1) << SUB_BITS) as usize + sub as usize
}

/// Largest number of microseconds in a bucket.
fn end(bucket: usize) -> u64 {
    let (doubling, sub) = (bucket >> SUB_BITS, (bucket & ((1 << SUB_BITS) - 1)) as u64);
    match doubling.checked_sub(1) {
        None => sub,
        Some(shift) => (((1 << SUB_BITS) + sub + 1) << shift) - 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_never_too_small_and_at_most_a_quarter_too_large(
            mut micros in prop::collection::vec(0_u64..3_600_000_000, 1..200),
            share in 0.0_f64..=1.0,
        ) {
            let mut histogram = Histogram::default();
            for value in &micros {
                histogram.record(Duration::from_micros(*value));
            }
            micros.sort_unstable();
            let place = ((share * micros.len() as f64).ceil() as usize).max(1) - 1;
            let exact = micros[place];
            let told = histogram.quantile(share).unwrap().as_micros() as u64;
            prop_assert!(told >= exact && told <= exact + exact / 4 + 1, "{told} for {exact}");
            prop_assert_eq!(histogram.n(), micros.len() as u64);
        }
    }

    #[test]
    fn every_bucket_ends_where_the_next_one_begins() {
        for bucket_number in 0..BUCKETS - 1 {
            assert_eq!(bucket(end(bucket_number)), bucket_number);
            assert_eq!(bucket(end(bucket_number) + 1), bucket_number + 1);
        }
    }

    #[test]
    fn nothing_measured_has_no_quantile_and_what_lasts_for_days_is_counted() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        histogram.record(Duration::MAX);
        assert_eq!(histogram.n(), 1);
        assert!(histogram.quantile(0.5).is_some());
    }
}
