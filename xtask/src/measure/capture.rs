//! What somebody beside the headset costs the learner: frames while somebody looks through their eyes as often as they may,
//! while many subscribe to what happens, and while nobody does, in turns of a few seconds within one session.

use std::time::Duration;

use anyhow::Result;

use super::{Args, Figure, Missing, Suite, figure};
use crate::cargo::{cargo, succeed, target_dir};
use crate::runtime::Runtime;
use session::{Session, Sums};

mod session;

/// Who is there in a round's stretches. There and back again, so that what drifts steadily, such as other load on the
/// machine, weighs on each kind alike.
const ROUND: [Beside; 6] = [
    Beside::Nobody,
    Beside::Looking,
    Beside::Subscribers,
    Beside::Subscribers,
    Beside::Looking,
    Beside::Nobody,
];

/// Frames of either kind that a comparison must rest on: on a machine that is busy with something else a frame in
/// software takes seconds, and a few of them say nothing. Arbitrary.
const LEAST: f64 = 200.0;

/// What a stretch of frames cost.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    frames: f64,
    work: f64,
    time: f64,
    missed: f64,
    /// Pictures or KiB that came.
    came: f64,
}

impl Stretch {
    fn add(&mut self, from: Sums, to: Sums, came: f64) {
        self.frames += (to.frames - from.frames) as f64;
        self.work += to.cpu_total_s - from.cpu_total_s;
        self.time += to.at_s - from.at_s;
        self.missed += (to.missed - from.missed) as f64;
        self.came += came;
    }

    fn each(&self, sum: f64) -> f64 {
        sum / self.frames.max(1.0)
    }
}

/// Who is there in a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nobody,
    /// One who fetches a picture a second.
    Looking,
    /// 64 on the bridge's WebSocket.
    Subscribers,
}

/// One round's stretches, by who was there.
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    nobody: Stretch,
    looking: Stretch,
    subscribers: Stretch,
}

impl Round {
    fn of(&mut self, beside: Beside) -> &mut Stretch {
        match beside {
            Beside::Nobody => &mut self.nobody,
            Beside::Looking => &mut self.looking,
            Beside::Subscribers => &mut self.subscribers,
        }
    }
}

/// These figures alone, without those of a class. What the rounds so far came to is written after each: who has no time
/// for all of them has some.
///
/// # Errors
/// As [`figures`].
pub(super) fn measure(args: &Args) -> Result<Suite> {
    let mut suite = Suite::new("capture", if args.release { "release" } else { "dev" });
    if let Some(out) = &args.out {
        suite.folder.clone_from(out);
    }
    rounds(args, |(figures, missing)| {
        (suite.figures, suite.missing) = (figures, missing);
        suite.write()
    })?;
    Ok(suite)
}

/// `capture_frame_ratio`, `subscribers_frame_ratio` and what belongs to them; what rests on too few frames is missing.
///
/// # Errors
/// Where no simulated headset can be had, no picture comes, or no subscriber is taken in.
pub(super) fn figures(args: &Args) -> Result<Told> {
    let mut last = Told::default();
    rounds(args, |told| {
        last = told;
        Ok(())
    })?;
    Ok(last)
}

/// Figures, and those that could not be had.
type Told = (Vec<Figure>, Vec<Missing>);

/// `so_far` is given what the rounds came to, after each.
fn rounds(args: &Args, mut so_far: impl FnMut(Told) -> Result<()>) -> Result<()> {
    let runtime = Runtime::ready()?;
    let mut build = cargo(&[
        "build",
        "--workspace",
        "--bin",
        "malloc-vr",
        "--bin",
        "simulate",
    ]);
    if args.release {
        build.arg("--release");
    }
    succeed(&mut build)?;
    let bin = target_dir().join(if args.release { "release" } else { "debug" });
    let n = args.rounds.max(1);
    // A round is as long as it is asked to be, but for the time to change from one kind to the next.
    let stretch = Duration::from_secs(u64::from(args.seconds)) / 4;
    let stretch = stretch.max(Duration::from_secs(2));
    let session = Session::begin(&runtime, &bin, stretch * 6 * n)?;
    let mut all = Vec::new();
    for number in 1..=n {
        let round = session.round(stretch)?;
        let base = round.nobody.each(round.nobody.work);
        println!(
            "round {number} of {n}: {:.2} ms of work a frame, x {:.3} with pictures, x {:.3} with subscribers ({:.0} frames)",
            base * 1e3,
            round.looking.each(round.looking.work) / base,
            round.subscribers.each(round.subscribers.work) / base,
            round.nobody.frames + round.looking.frames + round.subscribers.frames,
        );
        all.push(round);
        so_far(told(&all))?;
    }
    Ok(())
}

/// The figures of these rounds: median, smallest and largest.
fn told(rounds: &[Round]) -> Told {
    let of_looking = compared(rounds, |round| round.looking);
    let of_subscribers = compared(rounds, |round| round.subscribers);
    let names = [
        [
            "capture_frame_ratio",
            "capture_frame_interval_ratio",
            "capture_missed_more_ratio",
            "capture_pictures_per_s",
        ],
        [
            "subscribers_frame_ratio",
            "subscribers_frame_interval_ratio",
            "subscribers_missed_more_ratio",
            "subscribers_kib_per_s",
        ],
    ];
    let against = "the same session while nobody is there, in turns";
    let (mut figures, mut missing) = (Vec::new(), Vec::new());
    for (compared, [work, interval, missed, came]) in [of_looking, of_subscribers].iter().zip(names)
    {
        if compared.came.iter().any(|came| *came <= 0.0) {
            missing.push(Missing {
                name: work.into(),
                why: "in one of the rounds nothing came to who was there, so they cost nothing"
                    .into(),
            });
            continue;
        }
        if compared.least < LEAST {
            missing.push(Missing {
                name: work.into(),
                why: format!(
                    "only {:.0} frames of the kind with fewer, and {LEAST:.0} are needed: the machine is too busy, or the runs are too short (--seconds, --rounds)",
                    compared.least
                ),
            });
            continue;
        }
        let n = compared.frames as u64;
        figures.push(figure(
            work,
            "ratio",
            Some(1.01),
            against,
            n,
            &compared.work,
        ));
        figures.push(figure(
            interval,
            "ratio",
            Some(1.01),
            against,
            n,
            &compared.interval,
        ));
        figures.push(figure(
            missed,
            "ratio",
            Some(0.0),
            against,
            n,
            &compared.missed,
        ));
        let pictures = came == "capture_pictures_per_s";
        let unit = if pictures { "1/s" } else { "KiB/s" };
        let goal = pictures.then_some(1.0);
        let mut came = figure(came, unit, goal, "none", n, &compared.came);
        came.better = "higher";
        figures.push(came);
    }
    (figures, missing)
}

/// Of each round: work and time of a frame as multiples of those while nobody is there, share of missed frames beyond
/// theirs, and what came a second.
#[derive(Debug, Default)]
struct Compared {
    work: Vec<f64>,
    interval: Vec<f64>,
    missed: Vec<f64>,
    came: Vec<f64>,
    frames: f64,
    /// Of the kind that has fewer.
    least: f64,
}

fn compared(rounds: &[Round], with: impl Fn(&Round) -> Stretch) -> Compared {
    let mut all = Compared::default();
    let (mut of_one, mut of_other) = (0.0, 0.0);
    for round in rounds {
        let (with, without) = (with(round), round.nobody);
        let ratio = |of: fn(&Stretch) -> f64| with.each(of(&with)) / without.each(of(&without));
        all.work.push(ratio(|it| it.work));
        all.interval.push(ratio(|it| it.time));
        all.missed
            .push(with.each(with.missed) - without.each(without.missed));
        all.came.push(with.came / with.time.max(1e-9));
        (of_one, of_other) = (of_one + with.frames, of_other + without.frames);
    }
    all.frames = of_one + of_other;
    all.least = f64::min(of_one, of_other);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(frames: f64, work: f64, came: f64) -> Stretch {
        Stretch {
            frames,
            work,
            time: 5.0,
            missed: frames / 10.0,
            came,
        }
    }

    #[test]
    fn ratios_are_of_frames_and_not_of_seconds() {
        let round = |more: f64| Round {
            nobody: stretch(200.0, 2.0, 0.0),
            // Half the frames in the same time, each with so much more work.
            looking: stretch(100.0, more, 5.0),
            subscribers: stretch(200.0, 2.0, 320.0),
        };
        let (figures, missing) = told(&[round(1.1), round(1.2), round(1.6)]);
        let named = |name: &str| figures.iter().find(|it| it.name == name).unwrap();
        let work = named("capture_frame_ratio");
        assert!((work.value - 1.2).abs() < 1e-9);
        assert!((work.spread[0] - 1.1).abs() < 1e-9 && (work.spread[1] - 1.6).abs() < 1e-9);
        assert!((named("capture_frame_interval_ratio").value - 2.0).abs() < 1e-9);
        assert!((named("capture_pictures_per_s").value - 1.0).abs() < 1e-9);
        assert!((named("subscribers_frame_ratio").value - 1.0).abs() < 1e-9);
        assert!((named("subscribers_kib_per_s").value - 64.0).abs() < 1e-9);
        assert_eq!((work.n, figures.len(), missing.len()), (900, 8, 0));
        // Of a hundred frames with pictures nothing is told, of two hundred with subscribers something is.
        let (figures, missing) = told(&[round(1.1)]);
        assert_eq!((figures.len(), missing.len()), (4, 1));
        assert_eq!(missing[0].name, "capture_frame_ratio");
        // Who is refused every picture costs nothing, and that is no figure.
        let refused = Round {
            looking: stretch(300.0, 2.0, 0.0),
            ..round(1.1)
        };
        let (figures, missing) = told(&[refused]);
        assert_eq!((figures.len(), missing.len()), (4, 1));
    }

    #[test]
    fn each_kind_comes_as_early_as_late() {
        for kind in [Beside::Nobody, Beside::Looking, Beside::Subscribers] {
            let places = ROUND.iter().enumerate().filter(|(_, it)| **it == kind);
            let sum: usize = places.map(|(place, _)| place).sum();
            assert_eq!(sum, ROUND.len() - 1, "{kind:?}");
        }
    }
}
