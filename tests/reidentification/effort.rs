//! How a session's hands and head become windows in the log, a load on the headset, and what of that leaves.

use std::time::Duration;

use malloc_vr::learning::few::Few;
use malloc_vr::learning::five::Five;
use malloc_vr::learning::five::observation::{Moment, Observation};
use malloc_vr::learning::five::params::Params;
use malloc_vr::learning::load::meter::{FrameSeen, HandSeen, HeadSeen, Meter};
use malloc_vr::learning::load::window::LoadWindow;
use malloc_vr::learning::load::{Load, SIGNS, Sign};
use malloc_vr::protocol::event::Attempt;

use crate::attacker::Features;
use crate::over_the_wire;
use crate::people::{Frame, Seen};
use crate::traces::spread;

const WINDOW: f64 = 5.0;

/// A headset whose region allows everything.
pub struct Watched {
    meter: Meter,
    five: Five,
    params: Params,
    at: Duration,
    passed: f64,
    windows: Vec<LoadWindow>,
    /// The load on the headset, and the one that leaves, with each attempt.
    load: Vec<Load>,
    told: Vec<Load>,
    latest: Option<Load>,
}

impl Watched {
    pub fn new() -> Self {
        let params = Params::default();
        Self {
            meter: Meter::default(),
            five: Five::new(1, &params),
            params,
            at: Duration::ZERO,
            passed: 0.0,
            windows: Vec::new(),
            load: Vec::new(),
            told: Vec::new(),
            latest: None,
        }
    }

    pub fn attempt(&mut self, frames: &[Frame], attempt: &Attempt) {
        // The reach ends at the place.
        let Some((_, [_, left, right])) = frames.last() else {
            return;
        };
        let first = &frames[0].1;
        let moved = |a: &Seen, b: &Seen| distance(place(a), place(b));
        let hand = usize::from(moved(right, &first[2]) > moved(left, &first[1]));
        let goal = place([left, right][hand]);
        for frame in frames {
            self.frame(frame, goal);
        }
        self.meter.took(hand);
        let mut skills = Few::default();
        skills.push(0);
        let seen = Observation {
            skills,
            correct: attempt.correct,
            seconds: Some(attempt.latency.as_secs_f64()),
            help_on_offer: true,
            ..Observation::default()
        };
        self.five.observe(&seen, &self.params);
        if let Some(load) = self.latest {
            self.load.push(load);
            self.told
                .push(over_the_wire(&load.by_results(&self.params.load)));
        }
    }

    fn frame(&mut self, (at, [head, left, right]): &Frame, goal: [f64; 3]) {
        let dt = at.saturating_sub(self.at).as_secs_f64();
        self.at = *at;
        self.passed += dt;
        let hand = |seen: &Seen| {
            let at = place(seen);
            Some(HandSeen {
                at,
                near: distance(at, goal) < 0.15,
                holds: false,
            })
        };
        let [x, y, z, w] = head.rotation.map(f64::from);
        let forward = [
            -2.0 * (x * z + w * y),
            -2.0 * (y * z - w * x),
            -(1.0 - 2.0 * (x * x + y * y)),
        ];
        let eyes = place(head);
        let cosine: f64 = (0..3).map(|i| forward[i] * (goal[i] - eyes[i])).sum();
        self.meter.frame(&FrameSeen {
            dt,
            hands: [hand(left), hand(right)],
            head: Some(HeadSeen {
                yaw: (-forward[0]).atan2(-forward[2]),
                off: Some((cosine / distance(eyes, goal)).clamp(-1.0, 1.0).acos()),
            }),
            motion: true,
        });
        if self.passed >= WINDOW {
            let window = self.meter.take();
            let moment = Moment {
                dt: Duration::from_secs_f64(self.passed),
                window: Some(window),
                ..Moment::default()
            };
            self.passed = 0.0;
            self.windows.push(over_the_wire(&window));
            self.latest = Some(self.five.tick(&moment, &self.params).load);
        }
    }

    /// The windows of the log, figure by figure.
    pub fn windows(&self) -> Features {
        let figure = |of: &dyn Fn(&LoadWindow) -> Option<f64>| {
            spread(&self.windows.iter().filter_map(of).collect::<Vec<_>>())
        };
        let motion = |window: &LoadWindow| window.motion.unwrap();
        [
            figure(&|it| it.interval),
            figure(&|it| it.interval_spread),
            figure(&|it| it.hesitation),
            figure(&|it| it.path),
            figure(&|it| motion(it).jerk),
            figure(&|it| motion(it).head_turning),
            figure(&|it| motion(it).head_entropy),
            figure(&|it| motion(it).head_returns),
        ]
        .concat()
    }

    /// What each sign said, and the index they make.
    pub fn signs(&self) -> Features {
        let column =
            |of: &dyn Fn(&Load) -> f64| spread(&self.load.iter().map(of).collect::<Vec<_>>());
        let mut features = column(&|load| load.level.unwrap_or(0.5));
        for sign in 0..SIGNS {
            features.extend(column(&|load| load.contributions[sign].says.unwrap_or(0.0)));
        }
        features
    }

    /// What leaves: its level with each attempt, over the session and in tens.
    pub fn told(&self) -> Features {
        // The first attempts have none.
        let mut levels = vec![0.0; crate::people::TRIALS - self.told.len()];
        levels.extend(self.told.iter().map(|load| {
            let leaves = |sign| matches!(sign, Sign::ErrorBurst | Sign::Hints | Sign::OwnRating);
            let mut told = load.contributions.iter().filter(|it| it.says.is_some());
            assert!(told.all(|it| leaves(it.sign)));
            load.level.unwrap_or(0.0)
        }));
        let mut features = spread(&levels);
        features.extend(levels.chunks(10).map(|ten| ten.iter().sum::<f64>() / 10.0));
        features
    }
}

fn place(seen: &Seen) -> [f64; 3] {
    seen.position.map(f64::from)
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f64>()
        .sqrt()
}
