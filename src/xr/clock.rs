//! What a frame costs. [`FrameClock`] stands around the frame wait and fills [`FrameStats`];
//! it knows no OpenXR, so that a bare application can be measured by the very same ruler.

use std::time::Instant;

use bevy::prelude::*;

/// Frames that the quantiles look back on.
const REMEMBERED: usize = 1024;

/// What a frame cost, from our own frame loop. Bounded ring, no allocation per frame.
#[derive(Resource, Debug, Clone, Default)]
pub struct FrameStats {
    /// Frames begun since the session first ran.
    pub frames: u64,
    /// Frames whose predicted display time skipped at least one period.
    pub missed: u64,
    /// The display's period at the last frame, seconds; 0 before the first. Not the multiple of it that some runtimes predict
    /// for an application that is late.
    pub period: f64,
    /// CPU time of the application in the last frame (wait left out), seconds.
    pub cpu: f64,
    /// Time that the last frame wait blocked, seconds.
    pub wait: f64,
    /// Display periods without a frame since the session first ran: one for each that [`missed`](Self::missed) is about,
    /// or more.
    pub skipped: u64,
    /// Frames that were handed over only after the moment at which they should have been seen: an older picture was shown in
    /// their place. Stays 0 where the runtime doesn't tell its clock.
    pub stale: u64,
    /// Where the last frame's CPU time went; `None` where nobody measures it.
    pub phases: Option<Phases>,
    /// From process start to the first FOCUSED frame, seconds.
    pub start_to_focused: Option<f64>,
    /// CPU time of all frames since the session first ran (waits left out), seconds.
    pub total_cpu: f64,
    /// CPU times of the last frames, seconds; a ring once full.
    recent: Vec<f32>,
    /// Where the ring is written next.
    next: usize,
}

/// CPU time of a frame by phase, seconds. What was waited for belongs to none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Phases {
    /// The main world: input, physics, lesson, panels.
    pub simulation: f64,
    /// Taking over into the render world, while both stand still.
    pub extract: f64,
    /// The render world until commands are recorded.
    pub prepare: f64,
    /// Recording commands.
    pub record: f64,
    /// Handing the frame over: what the driver kept us in submitting, and the runtime in `xrEndFrame`; their own work and
    /// their waits.
    pub end: f64,
    /// Whether the render world works beside the main world.
    pub overlapped: bool,
}

impl FrameStats {
    /// Quantile `q` (0..1) of the CPU times of the last 1024 frames, seconds; `None` before the first.
    /// Sorts a copy: for reports, not for every frame.
    #[must_use]
    pub fn cpu_quantile(&self, q: f64) -> Option<f64> {
        let mut sorted = self.recent.clone();
        let last = sorted.len().checked_sub(1)?;
        let rank = (q.clamp(0.0, 1.0) * last as f64).round() as usize;
        let (_, value, _) = sorted.select_nth_unstable_by(rank, f32::total_cmp);
        Some(f64::from(*value))
    }

    /// Standard deviation of the CPU times of the last 1024 frames, seconds; `None` before the first. For reports.
    #[must_use]
    pub fn cpu_deviation(&self) -> Option<f64> {
        let times = || self.recent.iter().map(|it| f64::from(*it));
        let count = self.recent.len() as f64;
        let mean = times().sum::<f64>() / count;
        let spread = times().map(|it| (it - mean).powi(2)).sum::<f64>();
        (count > 0.0).then(|| (spread / count).sqrt())
    }

    /// CPU times of the last frames (at most 1024), seconds, in no particular order.
    #[must_use]
    pub fn recent_cpu(&self) -> &[f32] {
        &self.recent
    }

    /// Part of the frames that were missed, 0..1; `None` before the first frame.
    #[must_use]
    pub fn missed_ratio(&self) -> Option<f64> {
        (self.frames > 0).then(|| self.missed as f64 / self.frames as f64)
    }

    fn remember(&mut self, cpu: f64) {
        self.cpu = cpu;
        self.total_cpu += cpu;
        let cpu = cpu as f32;
        if self.recent.len() < REMEMBERED {
            if self.recent.capacity() == 0 {
                self.recent.reserve_exact(REMEMBERED);
            }
            self.recent.push(cpu);
        } else {
            self.recent[self.next] = cpu;
            self.next = (self.next + 1) % REMEMBERED;
        }
    }
}

/// Stands around the frame wait: call [`wait_begins`](Self::wait_begins) before and
/// [`wait_ended`](Self::wait_ended) after it.
#[derive(Resource, Debug, Default, Clone, Copy)]
pub struct FrameClock {
    working_since: Option<Instant>,
    waiting_since: Option<Instant>,
    last_display: Option<i64>,
    display: Display,
}

/// The display's own period. Runtimes tell a multiple of it to an application that is late (Monado does), and a late one
/// must not count as in time for that.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Display {
    /// Nothing told yet.
    #[default]
    Unknown,
    /// The shortest that was told lately, nanoseconds.
    Seen(i64),
    /// By the refresh rate that the runtime names, nanoseconds.
    Named(i64),
}

impl Display {
    /// The display's period where the runtime tells `told` for the next frame.
    fn period(&mut self, told: i64) -> i64 {
        match *self {
            Self::Named(period) => period,
            Self::Seen(period) if is_multiple(told, period) => period,
            _ => {
                *self = Self::Seen(told);
                told
            }
        }
    }
}

/// Whether it is at least twice the period, and a multiple of it.
fn is_multiple(told: i64, period: i64) -> bool {
    let times = told as f64 / period.max(1) as f64;
    times > 1.5 && (times - times.round()).abs() < 0.02 * times
}

impl FrameClock {
    /// The display runs at this rate, hertz, as its runtime names it; `None`: the runtime doesn't, so it is told from the
    /// periods that it predicts.
    pub fn display_runs_at(&mut self, rate: Option<f32>) {
        self.display = match rate.filter(|rate| *rate >= 1.0) {
            Some(rate) => Display::Named((1e9 / f64::from(rate)).round() as i64),
            None => Display::Unknown,
        };
    }

    /// The application's work for a frame is done; the wait for the next frame begins.
    pub fn wait_begins(&mut self, now: Instant, stats: &mut FrameStats) {
        if let Some(since) = self.working_since.take() {
            stats.remember(now.saturating_duration_since(since).as_secs_f64());
        }
        self.waiting_since = Some(now);
    }

    /// The runtime let us go on; `display` and `period`: its prediction for the frame, nanoseconds.
    pub fn wait_ended(&mut self, now: Instant, display: i64, period: i64, stats: &mut FrameStats) {
        self.working_since = Some(now);
        stats.wait = self.waiting_since.take().map_or(0.0, |since| {
            now.saturating_duration_since(since).as_secs_f64()
        });
        stats.frames += 1;
        let period = self.display.period(period);
        stats.period = period as f64 * 1e-9;
        // Half a period of jitter is the runtime's, not a miss.
        if let Some(last) = self.last_display.replace(display)
            && period > 0
            && display.saturating_sub(last) > period + period / 2
        {
            stats.missed += 1;
            let passed = (display.saturating_sub(last) + period / 2) / period;
            stats.skipped += passed.saturating_sub(1).unsigned_abs();
        }
    }

    /// No frames for now (headset put down, session lost): the gap is neither cost nor a miss.
    pub fn pause(&mut self) {
        *self = Self {
            display: self.display,
            ..Self::default()
        };
    }
}

/// Seconds that this process has lived. `None` where the system does not tell.
pub(super) fn process_age() -> Option<f64> {
    // Fields after the command's closing bracket; the 20th is the start in clock ticks (100 per second on Linux).
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let started: f64 = stat
        .rsplit(')')
        .next()?
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Some((uptime - started / 100.0).max(0.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PERIOD: i64 = 13_888_889;

    #[test]
    fn work_is_counted_and_the_wait_is_not() {
        let (mut clock, mut stats) = (FrameClock::default(), FrameStats::default());
        let start = Instant::now();
        clock.wait_begins(start, &mut stats);
        clock.wait_ended(start + Duration::from_millis(9), 0, PERIOD, &mut stats);
        clock.wait_begins(start + Duration::from_millis(12), &mut stats);
        assert!((stats.cpu - 0.003).abs() < 1e-9);
        assert!((stats.wait - 0.009).abs() < 1e-9);
        assert_eq!(stats.frames, 1);
        assert_eq!(stats.recent_cpu().len(), 1);
    }

    #[test]
    fn a_skipped_display_period_is_a_missed_frame_and_jitter_is_not() {
        let (mut clock, mut stats) = (FrameClock::default(), FrameStats::default());
        let now = Instant::now();
        for display in [0, PERIOD, 2 * PERIOD + PERIOD / 4, 5 * PERIOD, 6 * PERIOD] {
            clock.wait_ended(now, display, PERIOD, &mut stats);
        }
        assert_eq!((stats.frames, stats.missed), (5, 1));
        // From 2¼ to 5 periods: a little less than two were left out.
        assert_eq!(stats.skipped, 2);
    }

    #[test]
    fn a_headset_put_down_is_neither_a_miss_nor_a_cost() {
        let (mut clock, mut stats) = (FrameClock::default(), FrameStats::default());
        let now = Instant::now();
        clock.wait_ended(now, 0, PERIOD, &mut stats);
        clock.pause();
        let later = now + Duration::from_secs(60);
        clock.wait_begins(later, &mut stats);
        clock.wait_ended(later, 60_000_000_000, PERIOD, &mut stats);
        assert_eq!(stats.missed, 0);
        assert!(stats.recent_cpu().is_empty());
    }

    #[test]
    fn quantiles_come_from_the_last_frames_only() {
        let (mut clock, mut stats) = (FrameClock::default(), FrameStats::default());
        assert_eq!(stats.cpu_quantile(0.5), None);
        let mut now = Instant::now();
        for frame in 0..3000_u64 {
            let cost = if frame < 1500 { 50 } else { 1 + frame % 10 };
            clock.wait_ended(now, frame as i64 * PERIOD, PERIOD, &mut stats);
            now += Duration::from_millis(cost);
            clock.wait_begins(now, &mut stats);
        }
        assert_eq!(stats.recent_cpu().len(), REMEMBERED);
        assert!(stats.cpu_quantile(1.0).is_some_and(|worst| worst < 0.011));
        assert!(stats.cpu_quantile(0.0) <= stats.cpu_quantile(0.5));
        // 1 to 10 ms, each as often.
        assert!((stats.cpu_deviation().unwrap() - 0.002_872).abs() < 1e-5);
        assert_eq!(FrameStats::default().cpu_deviation(), None);
    }

    #[test]
    fn a_runtime_that_tells_a_late_application_a_longer_period_hides_no_miss() {
        let late = |rate: Option<f32>, told: &[i64]| {
            let (mut clock, mut stats) = (FrameClock::default(), FrameStats::default());
            clock.display_runs_at(rate);
            let mut display = 0;
            for period in told {
                display += period;
                clock.wait_begins(Instant::now(), &mut stats);
                clock.wait_ended(Instant::now(), display, *period, &mut stats);
            }
            (stats.missed, stats.skipped, (stats.period * 1e3).round())
        };
        let ms = |periods: &[i64]| periods.iter().map(|it| it * 1_000_000).collect::<Vec<_>>();
        // Told only: four times the period is three pictures missed.
        let (missed, skipped, period) = late(None, &ms(&[50, 50, 200, 50]));
        assert_eq!((missed, skipped), (1, 3));
        assert!((period - 50.0).abs() < 1e-9);
        // Named, and told longer from the first frame on.
        let (missed, skipped, _) = late(Some(20.0), &ms(&[100, 100, 100]));
        assert_eq!((missed, skipped), (2, 2));
        // Another rate is no multiple.
        let (missed, _, period) = late(None, &ms(&[8, 8, 14, 14]));
        assert_eq!(missed, 0);
        assert!((period - 14.0).abs() < 1e-9);
    }
}
