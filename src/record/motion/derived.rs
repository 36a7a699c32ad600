//! What may leave instead of motion: outcomes, and stretches of attempts in two words against the learner's own.
//!
//! In: every frame, and the attempt that ends a movement. Out: [`Released`]. Numbers stay on the headset.
//! What was tried and dropped, and what it would have told, is in `docs/motion.md`; the attack is
//! `tests/reidentification`.

use std::fmt;
use std::time::Duration;

use crate::protocol::event::Attempt;
use crate::protocol::motion::{OwnLevel, ReleasedAttempt, ReleasedStretch};

use super::own::{OwnScale, Places, STRETCH};
use super::pose::{MotionFrame, RawPose};
use super::words::WordNoise;

/// Positions are averaged over this time before they are differentiated: thrice differentiated, a tracking noise of
/// 0.3 mm at 72 Hz would drown any movement. Human reaches have hardly anything above 10 Hz. Arbitrary within that.
const BIN: f64 = 0.05;
/// Speed of a hand that counts as moving, m/s: 5 to 10 % of a reach's peak is usual in movement science. Arbitrary.
const MOVING: f64 = 0.08;
/// Shortest way that can have a detour, metres. Arbitrary: less is a fidget.
const SHORTEST: f64 = 0.05;
/// Fewest averaged positions of a movement whose jerk means something. Arbitrary.
const FEWEST: u32 = 6;

/// One hand's movement since the last attempt.
#[derive(Clone, Default)]
struct Reach {
    /// Sums of positions and times in the current bin, and their number.
    sum: [f64; 3],
    times: f64,
    count: f64,
    /// Mean position and time of the bin before.
    mean: Option<([f64; 3], f64)>,
    /// The last averaged positions, newest first.
    last: [Option<[f64; 3]>; 4],
    began: Option<([f64; 3], f64)>,
    /// Since it began: path, newest place, when last moving.
    path: f64,
    end: [f64; 3],
    last_moving: f64,
    peak: f64,
    jerk_squared: f64,
    bins: u32,
}

impl Reach {
    fn add(&mut self, at: f64, pose: &RawPose) {
        for (sum, x) in self.sum.iter_mut().zip(pose.position) {
            *sum += f64::from(x);
        }
        self.times += at;
        self.count += 1.0;
    }

    /// The bin that ends at `at` (seconds since the window began) is full.
    fn close_bin(&mut self, at: f64) {
        let mean =
            (self.count > 0.0).then(|| (self.sum.map(|x| x / self.count), self.times / self.count));
        (self.sum, self.times, self.count) = ([0.0; 3], 0.0, 0.0);
        let before = std::mem::replace(&mut self.mean, mean);
        let Some((mut place, time)) = mean else {
            // Not tracked: nothing is differentiated across the gap.
            self.last = [None; 4];
            return;
        };
        // Frames don't lie evenly in a bin: at a metre a second, a mean a few milliseconds off the middle is off by
        // millimetres, which would pass for jerk.
        if let Some((earlier, then)) = before
            && time > then
        {
            let share = (at - BIN / 2.0 - time) / (time - then);
            for (x, y) in place.iter_mut().zip(earlier) {
                *x += (*x - y) * share;
            }
        }
        let [a, b, c, _] = self.last;
        self.last = [Some(place), a, b, c];
        let Some(before) = a else { return };
        let step = length(&[(1.0, place), (-1.0, before)]);
        let speed = step / BIN;
        if self.began.is_none() {
            if speed < MOVING {
                return;
            }
            self.began = Some((before, at - BIN));
        }
        self.path += step;
        self.end = place;
        self.bins += 1;
        if speed >= MOVING {
            self.last_moving = at;
        }
        self.peak = self.peak.max(speed);
        if let (Some(b), Some(c)) = (b, c) {
            let jerk = length(&[(1.0, place), (-3.0, before), (3.0, b), (-1.0, c)]) / BIN.powi(3);
            self.jerk_squared += jerk * jerk * BIN;
        }
    }

    /// Path over the straight way, at least 1.
    fn detour(&self) -> Option<f64> {
        let (from, _) = self.began?;
        let straight = length(&[(1.0, self.end), (-1.0, from)]);
        (straight >= SHORTEST).then(|| self.path / straight)
    }

    /// Log dimensionless jerk: ln(T³/v² · ∫ |jerk|² dt), higher is less smooth (Balasubramanian, Melendez-Calderon,
    /// Roby-Brami & Burdet 2015, "On the analysis of movement smoothness", with the sign turned).
    fn jerkiness(&self) -> Option<f64> {
        let (_, began) = self.began?;
        let time = self.last_moving - began;
        let jerk = (time.powi(3) / self.peak.powi(2) * self.jerk_squared).ln();
        (self.bins >= FEWEST && jerk.is_finite()).then_some(jerk)
    }
}

/// The movement since the last attempt.
#[derive(Clone, Default)]
struct Window {
    began: Option<Duration>,
    bins: u64,
    hands: [Reach; 2],
}

impl Window {
    fn add(&mut self, frame: &MotionFrame) {
        let began = *self.began.get_or_insert(frame.at);
        let at = frame.at.saturating_sub(began).as_secs_f64();
        // A long gap is a handful of empty bins, not a long loop.
        let due = ((at / BIN) as u64).min(self.bins + 4);
        while self.bins < due {
            self.bins += 1;
            for hand in &mut self.hands {
                hand.close_bin(self.bins as f64 * BIN);
            }
        }
        self.bins = self.bins.max((at / BIN) as u64);
        for (reach, hand) in self.hands.iter_mut().zip(&frame.hands) {
            if let Some(hand) = hand {
                reach.add(at, &hand.grip);
            }
        }
    }

    fn features(&self) -> Features {
        let [left, right] = &self.hands;
        let hand = if left.path > right.path { left } else { right };
        Features {
            hesitation: hand.began.map(|(_, at)| at.max(0.0)),
            detour: hand.detour(),
            jerkiness: hand.jerkiness(),
        }
    }
}

/// A movement in numbers. They identify, so they have no way out.
#[derive(Clone, Copy, Default)]
struct Features {
    hesitation: Option<f64>,
    detour: Option<f64>,
    jerkiness: Option<f64>,
}

/// What may leave after an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    /// What came of it.
    pub attempt: ReleasedAttempt,
    /// With every tenth attempt: how the last ten went, noised.
    pub stretch: Option<ReleasedStretch>,
}

/// How the last ten attempts went, in truth: for help on the headset. Not serialisable: such words find people.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Stretch {
    /// How long they took.
    pub slowness: Option<OwnLevel>,
    /// How the hand came to them: pauses, detours and jerks together.
    pub effort: Option<OwnLevel>,
}

/// The learner's own scales, and the movement under way. Under 5 kB.
#[derive(Clone, Default)]
pub struct Derived {
    window: Window,
    hesitation: OwnScale,
    detour: OwnScale,
    jerkiness: OwnScale,
    effort: OwnScale,
    slowness: OwnScale,
    attempts: u32,
    slow: Places,
    effortful: Places,
    stretch: Stretch,
}

impl Derived {
    /// For a learner of whom nothing is known. One for each session: what a scale remembers over sessions would link
    /// them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A frame passed. Not to be called while the lesson stands still.
    pub fn observe(&mut self, frame: &MotionFrame) {
        self.window.add(frame);
    }

    /// An attempt ended the movement: what may leave of both. `seq` is its place in the learner's log; `uniform` draws
    /// from [0, 1), from a source nobody outside can know (never the session's logged seed).
    pub fn release(
        &mut self,
        seq: u64,
        attempt: &Attempt,
        noise: &WordNoise,
        mut uniform: impl FnMut() -> f64,
    ) -> Released {
        let Features {
            hesitation,
            detour,
            jerkiness,
        } = std::mem::take(&mut self.window).features();
        let place = |scale: &mut OwnScale, x: Option<f64>| x.and_then(|x| scale.place(x));
        let signs = [
            place(&mut self.hesitation, hesitation),
            place(&mut self.detour, detour),
            place(&mut self.jerkiness, jerkiness),
        ];
        // How the signs go together is a person's own as well, so their sum is placed again.
        let sum = signs.iter().copied().sum::<Option<f64>>();
        self.effortful.add(place(&mut self.effort, sum));
        self.slow
            .add(self.slowness.place(attempt.latency.as_secs_f64()));
        self.attempts = (self.attempts + 1) % STRETCH;
        let stretch = (self.attempts == 0).then(|| {
            self.stretch = Stretch {
                slowness: self.slow.word(),
                effort: self.effortful.word(),
            };
            ReleasedStretch {
                until_seq: seq,
                slowness: noise.draw(self.stretch.slowness, uniform()),
                effort: noise.draw(self.stretch.effort, uniform()),
                epsilon: noise.epsilon(),
            }
        });
        let attempt = ReleasedAttempt {
            seq,
            step: attempt.step.clone(),
            skills: attempt.skills.clone(),
            correct: attempt.correct,
            nearly: !attempt.correct && attempt.credit >= 0.5,
            hints_used: attempt.hints_used,
        };
        Released { attempt, stretch }
    }

    /// The last whole stretch, for help on the headset.
    #[must_use]
    pub fn stretch(&self) -> Stretch {
        self.stretch
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived(withheld)")
    }
}

impl fmt::Debug for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stretch(withheld)")
    }
}

/// Length of a sum of weighted vectors.
fn length(terms: &[(f64, [f64; 3])]) -> f64 {
    let mut sum = [0.0; 3];
    for (weight, vector) in terms {
        for (to, x) in sum.iter_mut().zip(vector) {
            *to += weight * x;
        }
    }
    sum.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
#[path = "derived_tests.rs"]
mod tests;
