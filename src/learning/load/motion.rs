//! Figures of how a hand and a head move, as pure functions and accumulators of fixed size.
//!
//! They need the region's leave (see [`super`]); nothing here is kept or written.

/// Fewest places of a movement whose jerk means something: three differences and a few to average over. Arbitrary.
const FEWEST: usize = 8;
/// Least speed of a movement's peak, in units per step, for the jerk to be one of a movement at all.
const LEAST_STEP: f64 = 1e-6;

/// Log dimensionless jerk of a movement, −ln(T³/v² · ∫ |jerk|² dt) with its duration T and peak speed v: nearer 0 is
/// smoother; the smoothest way from rest to rest has −ln(204.8) = −5.32 (Hogan & Sternad 2009, "Sensitivity of
/// smoothness measures to movement duration, amplitude, and arrests"; Balasubramanian, Melendez-Calderon & Burdet 2012,
/// "A robust and sensitive metric for quantifying movement smoothness"; the logarithm and the sign as in
/// Balasubramanian, Melendez-Calderon, Roby-Brami & Burdet 2015, "On the analysis of movement smoothness").
///
/// `places` run from rest to rest and are evenly spaced in time, in any unit: time and unit cancel, so neither is asked
/// for. Thrice differentiated, the noise of tracking would drown the movement, so each place is first averaged with its
/// neighbours (¼, ½, ¼). `None`: fewer than eight places, no movement, or places that are no numbers.
#[must_use]
pub fn log_dimensionless_jerk(places: &[[f64; 3]]) -> Option<f64> {
    if places.len() < FEWEST {
        return None;
    }
    let (first, last) = (places.first()?, places.last()?);
    // The hand rests before and after, for as long as differences reach.
    let rest = |place| std::iter::repeat_n(place, 4);
    let padded = rest(first).chain(places).chain(rest(last));
    let mut raw = [*first; 2];
    let mut smooth = [*first; 3];
    let (mut peak, mut squares) = (0.0_f64, 0.0_f64);
    for place in padded {
        let [a, b] = raw;
        raw = [*place, a];
        let middle = weighted(&[(0.25, *place), (0.5, a), (0.25, b)]);
        let [a, b, c] = smooth;
        smooth = [middle, a, b];
        let jerk = length(weighted(&[(1.0, middle), (-3.0, a), (3.0, b), (-1.0, c)]));
        squares += jerk * jerk;
        peak = peak.max(length(weighted(&[(1.0, middle), (-1.0, a)])));
    }
    // In steps of time, whose own length cancels.
    let time = (places.len() - 1) as f64;
    let jerk = -(time.powi(3) / (peak * peak) * squares).ln();
    (peak > LEAST_STEP && jerk.is_finite()).then_some(jerk)
}

/// Sum of weighted vectors.
fn weighted(terms: &[(f64, [f64; 3])]) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for (weight, vector) in terms {
        for (to, x) in sum.iter_mut().zip(vector) {
            *to += weight * x;
        }
    }
    sum
}

fn length(vector: [f64; 3]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Shannon's entropy of shares of time, −Σ p·ln p, in nats, in [0, ln n] (Shannon 1948). Over where somebody looks it is
/// known as stationary gaze entropy and taken as a sign of how scattered looking is (Shiferaw, Downey & Crewther 2019,
/// "A review of gaze entropy as a measure of visual scanning efficiency"); the head is a coarse stand-in for the eyes.
///
/// `times`: spent in each place, in any unit; what is no number or negative counts nothing. `None`: no time at all.
#[must_use]
pub fn entropy(times: &[f64]) -> Option<f64> {
    let spent = || {
        times
            .iter()
            .copied()
            .filter(|time| time.is_finite() && *time > 0.0)
    };
    let most = spent().fold(0.0, f64::max);
    // In shares of the longest first: sums of the largest numbers stay finite.
    let whole: f64 = spent().map(|time| time / most).sum();
    let terms = spent().map(|time| time / most / whole);
    (most > 0.0)
        .then(|| {
            terms
                .map(|p| if p > 0.0 { -p * p.ln() } else { 0.0 })
                .sum::<f64>()
        })
        .map(|entropy| entropy.max(0.0))
}

/// Directions that are told apart: 10°, about what a head turns to look at the next thing on a table. Arbitrary.
const DIRECTIONS: usize = 36;
/// A turn faster than this was no person's, radians per second: a step of the picture, or tracking that jumped.
const FASTEST_TURN: f64 = 15.0;
/// A head that was away for less than this has not looked at anything else, seconds: shorter than a fixation. Arbitrary.
const AWAY: f64 = 0.3;
/// On the task within the first angle, away from it beyond the second, radians: between them it stays what it was.
const CONE: [f64; 2] = [0.26, 0.39];

/// What a head does in a stretch.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadMeter {
    times: [f64; DIRECTIONS],
    known: f64,
    turned: f64,
    yaw: Option<f64>,
    task_known: f64,
    returns: f64,
    /// Seconds away from the task; `None`: on it, or it was not seen there yet.
    away: Option<f64>,
    been_there: bool,
}

impl Default for HeadMeter {
    fn default() -> Self {
        Self {
            times: [0.0; DIRECTIONS],
            known: 0.0,
            turned: 0.0,
            yaw: None,
            task_known: 0.0,
            returns: 0.0,
            away: None,
            been_there: false,
        }
    }
}

impl HeadMeter {
    /// The head points to `yaw` for `dt` seconds, `off` the task by this angle where there is one to see; radians.
    pub fn seen(&mut self, dt: f64, yaw: f64, off: Option<f64>) {
        let turn = std::f64::consts::TAU;
        let yaw = yaw.rem_euclid(turn);
        if !yaw.is_finite() {
            self.lost();
            return;
        }
        let before = self.yaw.replace(yaw);
        let way = before.map_or(0.0, |before| {
            let way = (yaw - before).rem_euclid(turn);
            way.min(turn - way)
        });
        if way > FASTEST_TURN * dt {
            return;
        }
        self.turned += way;
        self.known += dt;
        let place = ((yaw / turn * DIRECTIONS as f64) as usize).min(DIRECTIONS - 1);
        if let Some(time) = self.times.get_mut(place) {
            *time += dt;
        }
        let Some(off) = off.filter(|off| off.is_finite()) else {
            return;
        };
        self.task_known += dt;
        let [near, far] = CONE;
        if off <= near {
            if self.been_there && self.away.is_some_and(|away| away >= AWAY) {
                self.returns += 1.0;
            }
            self.been_there = true;
            self.away = None;
        } else if off > far || self.away.is_some() {
            self.away = Some(self.away.unwrap_or(0.0) + dt);
        }
    }

    /// The head was not seen.
    pub fn lost(&mut self) {
        self.yaw = None;
        self.away = None;
        self.been_there = false;
    }

    /// Speed of turning, entropy of the yaw and returns per minute, of a stretch of so many seconds; the next begins.
    /// Half of it seen is enough to speak of all of it.
    pub fn take(&mut self, seconds: f64) -> [Option<f64>; 3] {
        let known = self.known > 0.0 && 2.0 * self.known >= seconds;
        let task = self.task_known > 0.0 && 2.0 * self.task_known >= seconds;
        let figures = [
            known.then(|| self.turned / self.known),
            entropy(&self.times).filter(|_| known),
            task.then(|| 60.0 * self.returns / self.task_known),
        ];
        *self = Self {
            yaw: self.yaw,
            away: self.away,
            been_there: self.been_there,
            ..Self::default()
        };
        figures
    }
}

#[cfg(test)]
#[path = "motion_tests.rs"]
mod tests;
