//! What may leave instead of motion: each movement in a few words against the learner's own.
//!
//! In: every frame, and the attempt that ends a movement. Out: [`ReleasedAttempt`]. Numbers stay on the headset.
//! What was tried and dropped, and what it would have told, is in `docs/motion.md`; the attack is
//! `tests/reidentification`.

use std::fmt;
use std::time::Duration;

use crate::learning::load::Observed;
use crate::protocol::event::Attempt;
use crate::protocol::motion::{MovementLevels, OwnLevel, ReleasedAttempt};

use super::own::OwnScale;
use super::pose::{MotionFrame, RawPose};

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
    /// Sum and number of positions in the current bin.
    sum: [f64; 3],
    count: f64,
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
    fn add(&mut self, pose: &RawPose) {
        for (sum, x) in self.sum.iter_mut().zip(pose.position) {
            *sum += f64::from(x);
        }
        self.count += 1.0;
    }

    /// The bin that ends at `at` (seconds since the window began) is full.
    fn close_bin(&mut self, at: f64) {
        let place = (self.count > 0.0).then(|| self.sum.map(|x| x / self.count));
        (self.sum, self.count) = ([0.0; 3], 0.0);
        let Some(place) = place else {
            // Not tracked: nothing is differentiated across the gap.
            self.last = [None; 4];
            return;
        };
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
    yaw: Option<f64>,
    turned: f64,
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
                reach.add(&hand.grip);
            }
        }
        let yaw = yaw(&frame.head);
        if let Some(before) = self.yaw.replace(yaw) {
            let turn = (yaw - before).rem_euclid(std::f64::consts::TAU);
            self.turned += turn.min(std::f64::consts::TAU - turn);
        }
    }

    fn features(&self) -> Features {
        let [left, right] = &self.hands;
        let hand = if left.path > right.path { left } else { right };
        let time = self.bins as f64 * BIN;
        Features {
            hesitation: hand.began.map(|(_, at)| at.max(0.0)),
            detour: hand.detour(),
            jerkiness: hand.jerkiness(),
            head_turning: (time > 0.0).then(|| self.turned / time),
        }
    }
}

/// A movement in numbers. They identify, so they have no way out.
#[derive(Clone, Copy, Default)]
struct Features {
    hesitation: Option<f64>,
    detour: Option<f64>,
    jerkiness: Option<f64>,
    head_turning: Option<f64>,
}

/// The learner's own scales, and the movement under way. Under 5 kB.
#[derive(Clone, Default)]
pub struct Derived {
    window: Window,
    last: Features,
    hesitation: OwnScale,
    detour: OwnScale,
    jerkiness: OwnScale,
    head_turning: OwnScale,
    slowness: OwnScale,
    miss: OwnScale,
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

    /// An attempt ended the movement: what may leave of both. `seq` is its place in the learner's log.
    pub fn release(&mut self, seq: u64, attempt: &Attempt) -> ReleasedAttempt {
        self.last = std::mem::take(&mut self.window).features();
        let place = |scale: &mut OwnScale, x: Option<f64>| -> Option<OwnLevel> {
            x.and_then(|x| scale.place(x))
        };
        let movement = MovementLevels {
            hesitation: place(&mut self.hesitation, self.last.hesitation),
            detour: place(&mut self.detour, self.last.detour),
            jerkiness: place(&mut self.jerkiness, self.last.jerkiness),
            head_turning: place(&mut self.head_turning, self.last.head_turning),
        };
        // A NaN becomes 0.
        let parts = |x: f64, of: f64| (x.clamp(0.0, 1.0) * of).round() as u8;
        ReleasedAttempt {
            seq,
            step: attempt.step.clone(),
            skills: attempt.skills.clone(),
            correct: attempt.correct,
            credit_quarters: parts(f64::from(attempt.credit), 4.0),
            hints_used: attempt.hints_used,
            trust_tenths: parts(attempt.quality.trust(), 10.0),
            slowness: self.slowness.place(attempt.latency.as_secs_f64()),
            miss: place(&mut self.miss, attempt.position_error.map(f64::from)),
            movement,
        }
    }

    /// Puts the last movement into what the load estimate observes, as ratios to the learner's own usual. For the
    /// headset alone, and only where the region's policy allows the kinematic part: the ratios must not leave.
    pub fn load_signs(&self, observed: &mut Observed) {
        let ratio = |x: Option<f64>, scale: &OwnScale| {
            let (usual, _) = scale.median().filter(|(usual, _)| *usual > 1e-6)?;
            x.map(|x| x / usual)
        };
        observed.hesitation = ratio(self.last.hesitation, &self.hesitation);
        observed.path = self.last.detour;
        observed.head_motion = ratio(self.last.head_turning, &self.head_turning);
        let n = self.hesitation.median().map_or(0, |(_, n)| n);
        observed.baseline = u32::try_from(n).unwrap_or(u32::MAX);
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived(withheld)")
    }
}

/// Angle of the view around the vertical, radians.
fn yaw(head: &RawPose) -> f64 {
    let [x, y, z, w] = head.rotation.map(f64::from);
    // The quaternion applied to −z, seen from above.
    (2.0 * (x * z + w * y)).atan2(1.0 - 2.0 * (x * x + y * y))
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
