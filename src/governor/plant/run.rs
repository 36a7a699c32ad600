//! A policy on the plant: what it missed, how fast it recovered, how often it turned back, what it kept.

use super::script::{Playing, Script};
use super::{Parameters, Plant};
use crate::governor::policies::Policy;
use crate::governor::rules::Rules;
use crate::governor::sense::History;
use crate::governor::state::{Moment, Now};

/// Frames in a row without a miss after which a step is over.
const CALM: u32 = 8;
/// How far back reversals are counted, seconds.
const PUMP: f64 = 2.0;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Frames made.
    pub frames: u64,
    /// Display periods without a new picture.
    pub missed: u64,
    /// Mean render scale over display periods.
    pub mean_scale: f64,
    /// Mean of [`crate::governor::actuators::Quality::index`] over display periods.
    pub mean_quality: f64,
    /// For each step up, the frames from its first to the last one that missed before eight in a row
    /// that didn't. A miss with a hiccup in its frame isn't the step's: it counts in `missed` only.
    pub recoveries: Vec<u32>,
    /// How often quality changed.
    pub changes: u64,
    /// How often a change undid the one before it within 2 s, most in any 2 s.
    pub reversals: u32,
    /// How often a change went the other way than the one before it, however long ago that was; most in any 2 s. Something
    /// given back after seconds of calm and a step of the load in the next moment are two of these.
    pub turns: u32,
    /// Changes from one level to another.
    pub level_changes: u64,
    /// Seconds played.
    pub seconds: f64,
    /// Frames, if they were asked for.
    pub trace: Vec<Point>,
}

/// A frame of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Seconds after the begin.
    pub time: f64,
    /// From the last picture to this one, milliseconds.
    pub interval: f64,
    /// The longer of CPU and GPU time, milliseconds.
    pub cost: f64,
    /// Level, 0..3.
    pub level: u8,
    /// Render scale.
    pub scale: f64,
}

impl Report {
    /// Part of the display periods without a new picture, 0..1.
    #[must_use]
    pub fn missed_ratio(&self) -> f64 {
        self.missed as f64 / (self.frames + self.missed).max(1) as f64
    }
}

/// How a run is to be.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The device.
    pub parameters: Parameters,
    /// What the scene asks for.
    pub script: &'a Script,
    /// Luck.
    pub seed: u64,
    /// How long, seconds.
    pub seconds: f64,
    /// Every so many seconds the lesson has a seam of a third of a second; 0 for never.
    pub seams: f64,
    /// Whether every frame is kept.
    pub trace: bool,
}

/// Plays a script on the plant under a policy.
#[must_use]
pub fn run(policy: &mut Policy, setup: &Setup, rules: &Rules) -> Report {
    let mut plant = Plant::new(setup.parameters.clone(), setup.seed);
    let mut playing = Playing::new(setup.script, setup.seed);
    let mut history = History::default();
    let mut tally = Tally::new(setup.trace);
    let mut out = policy.full(rules);
    let (mut time, mut hiccup_before) = (0.0, false);
    while time < setup.seconds {
        let (demand, stepped) = playing.at(time);
        let shown = plant.frame(&demand, &out.quality, out.setting, out.every);
        let point = Point {
            time,
            interval: shown.interval * 1e3,
            cost: shown.cost.cpu.max(shown.cost.gpu) * 1e3,
            level: out.level as u8,
            scale: out.quality.render_scale,
        };
        time += shown.interval;
        history.push(shown.sample);
        let at_seam = setup.seams > 0.0 && time % setup.seams < 1.0 / 3.0;
        let now = Now {
            time,
            moment: if at_seam { Moment::Seam } else { Moment::Free },
            heat: plant.notice(),
            ..Now::default()
        };
        let index = out.quality.index(rules);
        let next = policy.decide(&history, &now, rules);
        // What a long frame delays may be the next one.
        let before = std::mem::replace(&mut hiccup_before, shown.hiccup);
        let hiccup = before || shown.hiccup;
        tally.frame(point, stepped, shown.missed, hiccup, index);
        tally.decided(
            time,
            out.level != next.level,
            next.quality.index(rules) - index,
        );
        out = next;
    }
    tally.end(time)
}

/// Makes a [`Report`] of frames as they come, on the plant or in a session.
#[derive(Debug, Default)]
pub struct Tally {
    report: Report,
    judge: Judge,
    keeps: bool,
}

impl Tally {
    /// Before the first frame; `trace`: whether every frame is kept.
    #[must_use]
    pub fn new(trace: bool) -> Self {
        Self {
            keeps: trace,
            ..Self::default()
        }
    }

    /// A frame: what it was, whether the load stepped up with it, display periods missed, whether a hiccup is known to be
    /// why, index of its quality.
    pub fn frame(&mut self, point: Point, stepped: bool, missed: u32, hiccup: bool, index: f64) {
        let periods = f64::from(missed) + 1.0;
        self.report.frames += 1;
        self.report.missed += u64::from(missed);
        self.report.mean_scale += point.scale * periods;
        self.report.mean_quality += index * periods;
        let of_step = if hiccup { 0 } else { missed };
        self.judge.step(&mut self.report, stepped, of_step);
        if self.keeps {
            self.report.trace.push(point);
        }
    }

    /// What was decided then: another level or not, and the quality's index changed by so much.
    pub fn decided(&mut self, time: f64, other_level: bool, by: f64) {
        self.report.level_changes += u64::from(other_level);
        self.judge.change(&mut self.report, time, by);
    }

    /// The report of so many seconds.
    #[must_use]
    pub fn end(mut self, seconds: f64) -> Report {
        self.judge.end(&mut self.report);
        let periods = (self.report.frames + self.report.missed).max(1) as f64;
        self.report.mean_scale /= periods;
        self.report.mean_quality /= periods;
        self.report.seconds = seconds;
        self.report
    }
}

/// Watches for recoveries and reversals.
#[derive(Debug, Default)]
struct Judge {
    /// Frames since a step, up to its last miss, and in a row without one.
    since: Option<(u32, u32, u32)>,
    /// The way of the last change, and when it was.
    last: Option<(bool, f64)>,
    undone: Vec<f64>,
    turned: Vec<f64>,
}

impl Judge {
    fn step(&mut self, report: &mut Report, stepped: bool, missed: u32) {
        if stepped {
            self.end(report);
            self.since = Some((0, 0, 0));
        }
        let Some((frames, last, calm)) = &mut self.since else {
            return;
        };
        *frames += 1;
        if missed > 0 {
            *last = *frames;
            *calm = 0;
        } else {
            *calm += 1;
        }
        if *calm >= CALM {
            self.end(report);
        }
    }

    fn end(&mut self, report: &mut Report) {
        if let Some((_, last, _)) = self.since.take() {
            report.recoveries.push(last);
        }
    }

    fn change(&mut self, report: &mut Report, time: f64, by: f64) {
        if by.abs() < 1e-9 {
            return;
        }
        report.changes += 1;
        let up = by > 0.0;
        let Some((before, at)) = self.last.replace((up, time)) else {
            return;
        };
        if before == up {
            return;
        }
        let most = |times: &mut Vec<f64>, most: u32| {
            times.retain(|it| time - it < PUMP);
            times.push(time);
            most.max(times.len() as u32)
        };
        report.turns = most(&mut self.turned, report.turns);
        if time - at < PUMP {
            report.reversals = most(&mut self.undone, report.reversals);
        }
    }
}
