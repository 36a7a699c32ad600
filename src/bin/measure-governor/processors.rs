//! What other guests of the host take of this machine's processors: a figure measured meanwhile is theirs.

/// Where they take more than this part of the time, a run or a stretch is disturbed.
pub(crate) const DISTURBED: f64 = 0.02;

/// Ticks of all processors since the machine started: those that other guests of the host took, and all of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Processors {
    stolen: u64,
    all: u64,
}

impl Processors {
    /// By `/proc/stat`; none where there is no such file.
    pub(crate) fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let first = stat.lines().next().unwrap_or_default();
        // user, nice, system, idle, iowait, irq, softirq, steal: proc(5).
        let ticks = first.split_whitespace().skip(1).take(8);
        let ticks: Vec<u64> = ticks.filter_map(|it| it.parse().ok()).collect();
        Self {
            stolen: ticks.get(7).copied().unwrap_or_default(),
            all: ticks.iter().sum(),
        }
    }

    /// The part that was stolen from then to now.
    pub(crate) fn stolen_since(self, then: Self) -> f64 {
        let part = self.stolen.saturating_sub(then.stolen) as f64;
        part / self.all.saturating_sub(then.all).max(1) as f64
    }
}
