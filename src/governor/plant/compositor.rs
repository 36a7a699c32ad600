//! The compositor's phases: a frame is waited for, made by the CPU, then by the GPU, and shown at the first vsync whose
//! deadline it makes. Two frames are under way at most.

/// What came of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// Seconds blocked in the frame wait.
    pub wait: f64,
    /// Periods without a new picture before it was shown.
    pub skipped: u32,
    /// Seconds from showing the last one to showing it.
    pub interval: f64,
}

/// The compositor.
#[derive(Debug, Clone)]
pub struct Compositor {
    period: f64,
    /// Before the vsync, seconds.
    lead: f64,
    /// The vsync that was shown last. Times are seconds after it, so that nothing is lost in a long run.
    cpu_free: f64,
    /// When the GPU was done with the last frame and the one before.
    gpu_free: [f64; 2],
    /// How long frames take from wake-up to done, seconds: late latching wakes the application so much before the
    /// deadline, and a margin.
    latency: f64,
}

impl Compositor {
    /// One that shows a picture every `period` seconds and needs it `lead` seconds before.
    #[must_use]
    pub fn new(period: f64, lead: f64) -> Self {
        Self {
            period,
            lead,
            cpu_free: -period,
            gpu_free: [-period; 2],
            latency: period,
        }
    }

    /// Seconds between two pictures.
    #[must_use]
    pub fn period(&self) -> f64 {
        self.period
    }

    /// A frame that takes the CPU and the GPU so many seconds; each picture is to stay for `every` periods.
    pub fn frame(&mut self, cpu: f64, gpu: f64, every: u32) -> Told {
        let [last, before] = self.gpu_free;
        let (wake, vsync) = self.wake(self.cpu_free.max(before), every);
        let recorded = wake + cpu;
        let done = recorded.max(last) + gpu;
        self.show(wake, vsync, recorded, done)
    }

    /// The same where ending a frame comes back only when the GPU is done: `main` seconds of the main world run beside what
    /// the frame before takes of the render world and, after that, of the GPU.
    pub fn waiting(&mut self, main: f64, render: f64, gpu: f64, every: u32) -> Told {
        let [last, _] = self.gpu_free;
        let (wake, vsync) = self.wake(self.cpu_free, every);
        let handed = (wake + main).max(last);
        self.show(wake, vsync, handed, handed + render + gpu)
    }

    /// When the application is woken, and for which vsync, where it is free at a time.
    fn wake(&self, free: f64, every: u32) -> (f64, u32) {
        // A vsync that can't be made any more is given up at the wait already.
        let mut vsync = every.max(1);
        let hopeless = 0.25 * self.latency;
        let late = (free + hopeless - self.deadline(vsync)) / self.period;
        if late > 0.0 {
            vsync += late.ceil() as u32;
        }
        // Woken so that the frame is done a margin before its deadline: PhaseSync's wait of 1 to 4 ms is normal
        // (hz-perfetto-debug; notes/field.md C).
        let ahead = (self.latency + 2e-3).clamp(self.period, 2.0 * self.period);
        (free.max(self.deadline(vsync) - ahead), vsync)
    }

    fn deadline(&self, vsync: u32) -> f64 {
        f64::from(vsync) * self.period - self.lead
    }

    /// A frame woken for that vsync, whose main thread is free at a time, and which is done at another.
    fn show(&mut self, wake: f64, mut vsync: u32, free: f64, done: f64) -> Told {
        let [last, _] = self.gpu_free;
        let late = (done - self.deadline(vsync)) / self.period;
        if late > 0.0 {
            vsync += late.ceil() as u32;
        }
        let took = done - wake;
        self.latency = if took > self.latency {
            took
        } else {
            self.latency + 0.02 * (took - self.latency)
        }
        .min(3.0 * self.period);
        let interval = f64::from(vsync) * self.period;
        let wait = (wake - self.cpu_free).max(0.0);
        self.cpu_free = free - interval;
        self.gpu_free = [done - interval, last - interval];
        Told {
            wait,
            skipped: vsync - 1,
            interval,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: f64 = 1.0 / 72.0;

    fn missed(cpu: f64, gpu: f64) -> f64 {
        let mut compositor = Compositor::new(P, 2.5e-3);
        let told: Vec<Told> = (0..2000)
            .map(|_| compositor.frame(cpu * P, gpu * P, 1))
            .collect();
        let skipped: u32 = told.iter().skip(100).map(|it| it.skipped).sum();
        f64::from(skipped) / (f64::from(skipped) + 1900.0)
    }

    #[test]
    fn what_fits_is_shown_in_every_period() {
        assert!(missed(0.6, 0.8) < 1e-9);
        assert!(missed(0.9, 0.9) < 1e-9);
    }

    #[test]
    fn what_is_too_long_is_shown_no_more_often_than_it_can_be() {
        for load in [1.2_f64, 1.6, 2.2] {
            // Between what the slower side can do, and waiting for the next vsync each time.
            let expected = 1.0 - 1.0 / load - 0.03..=1.0 - 1.0 / load.ceil() + 0.03;
            for (cpu, gpu) in [(0.5, load), (load, 0.5)] {
                let missed = missed(cpu, gpu);
                assert!(expected.contains(&missed), "{cpu} {gpu}: {missed}");
            }
        }
    }

    #[test]
    fn where_it_waits_for_the_gpu_rendering_and_the_gpu_share_the_period() {
        let missed = |main: f64, render: f64, gpu: f64| {
            let mut compositor = Compositor::new(P, 2.5e-3);
            let told: Vec<Told> = (0..2000)
                .map(|_| compositor.waiting(main * P, render * P, gpu * P, 1))
                .collect();
            told.iter().skip(100).map(|it| it.skipped).sum::<u32>()
        };
        assert_eq!(missed(0.5, 0.3, 0.6), 0);
        assert_eq!(missed(0.9, 0.3, 0.6), 0, "the main world runs beside");
        assert!(missed(0.5, 0.5, 0.6) > 100);
    }

    #[test]
    fn half_rate_shows_each_picture_twice() {
        let mut compositor = Compositor::new(P, 2.5e-3);
        let told = (0..100).map(|_| compositor.frame(0.5 * P, 0.9 * P, 2));
        assert!(told.skip(10).all(|it| it.skipped == 1));
    }

    #[test]
    fn who_is_early_waits() {
        let mut compositor = Compositor::new(P, 2.5e-3);
        let told = (0..200).map(|_| compositor.frame(0.3 * P, 0.4 * P, 1));
        assert!(told.skip(100).all(|it| it.wait > 1e-3 && it.wait < P));
    }
}
