//! A learner's own usual way of doing things, and how the last half minute stands against it.
//!
//! In: windows as the log holds them, in order. Out: ratios and differences for [`super::estimate`]. The first calm windows
//! in which a sign is seen make its baseline (with `first-steps` they lie in onboarding); before there is one the sign is
//! absent. It is then left alone: a baseline that follows would take lasting strain for usual. Who gets quicker with
//! practice is so taken for calm, never for strained.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Observed;
use super::window::{LoadMotion, LoadWindow};
use crate::learning::baseline::Baseline;

/// Windows that make a baseline, and the fewest against which anything is said. Arbitrary: a minute in which a sign is
/// seen all the time, three or four grasps more of one that is seen now and then.
const WHOLE: f64 = 12.0;
const FEWEST: f64 = 3.0;
/// What was seen fades with this time constant, seconds …
const FADES: f64 = 20.0;
/// … counts as so many windows at most, however often it was seen …
const MOST: f64 = 2.0;
/// … and as less than this says nothing of now any more: half a minute after one window, 40 s after many.
const GONE: f64 = 0.25;
/// Least seconds that count of a pause before a grasp, and least spread of logarithms: shorter ones differ by chance,
/// and their ratios would say much of little.
const LEAST_PAUSE: f64 = 0.3;
const LEAST_SPREAD: f64 = 0.2;
/// Least speed of head turning, radians per second, and what is added to returns per minute, for the same reason.
const LEAST_TURNING: f64 = 0.05;
const RETURNS: f64 = 6.0;

/// Nothing measured here goes further from 0: sums stay finite.
const LARGEST: f64 = 1e6;

/// One sign: its baseline, and what was seen lately.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Usual {
    baseline: Baseline,
    /// Mean of what was seen lately, the newest weighing most.
    lately: f64,
    /// What it rests on; a window just seen counts 1.
    weight: f64,
}

impl Usual {
    fn pass(&mut self, share: f64) {
        self.weight *= share;
    }

    fn see(&mut self, x: Option<f64>, calm: bool) {
        let Some(x) = x.filter(|x| x.is_finite()) else {
            return;
        };
        let x = x.clamp(-LARGEST, LARGEST);
        if calm && self.baseline.count() < WHOLE {
            self.baseline.observe(x, WHOLE);
        }
        self.weight = (self.weight + 1.0).min(MOST);
        self.lately += (x - self.lately) / self.weight;
    }

    /// How far what was seen lately is above the usual, and how many windows that rests on.
    fn above(&self) -> Option<(f64, f64)> {
        let n = self.baseline.count();
        let usual = self.baseline.estimate().filter(|_| n >= FEWEST)?;
        (self.weight >= GONE).then_some((self.lately - usual.mean, n))
    }
}

/// A learner's usual way, sign by sign.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Own {
    interval: Usual,
    interval_spread: Usual,
    hesitation: Usual,
    path: Usual,
    jerk: Usual,
    head_turning: Usual,
    head_entropy: Usual,
    head_returns: Usual,
}

impl Own {
    /// So much time passed, in which `window` was seen. `calm`: nothing else says that the learner struggled meanwhile.
    pub fn see(&mut self, dt: Duration, window: &LoadWindow, calm: bool) {
        let share = (-dt.as_secs_f64() / FADES).exp();
        for usual in self.all() {
            usual.pass(share);
        }
        let log = |x: Option<f64>, least: f64| x.map(|x| x.max(least).ln());
        let LoadMotion {
            jerk,
            head_turning,
            head_entropy,
            head_returns,
        } = window.motion.unwrap_or_default();
        let seen = [
            log(window.interval, LEAST_PAUSE),
            log(window.interval_spread, LEAST_SPREAD),
            log(window.hesitation, LEAST_PAUSE),
            log(window.path, 1.0),
            jerk,
            log(head_turning, LEAST_TURNING),
            head_entropy,
            head_returns.map(|x| (x.max(0.0) + RETURNS).ln()),
        ];
        for (usual, x) in self.all().into_iter().zip(seen) {
            usual.see(x, calm);
        }
    }

    /// The learner was away: what was seen before says nothing of now. The baseline stays.
    pub fn away(&mut self) {
        for usual in self.all() {
            usual.weight = 0.0;
        }
    }

    /// What there is to say of now, with the fewest windows that any of it rests on; what a window's motion said only
    /// where it may be looked at now. Nothing else is set.
    #[must_use]
    pub fn signs(&self, motion: bool) -> Observed {
        let mut least = f64::INFINITY;
        let mut above = |usual: &Usual| {
            let (above, n) = usual.above()?;
            least = least.min(n);
            Some(above)
        };
        let mut ratio = |usual: &Usual| above(usual).map(f64::exp);
        let mut signs = Observed {
            interval: ratio(&self.interval),
            interval_spread: ratio(&self.interval_spread),
            hesitation: ratio(&self.hesitation),
            path: ratio(&self.path),
            ..Observed::default()
        };
        if motion {
            signs.head_motion = ratio(&self.head_turning);
            signs.head_returns = ratio(&self.head_returns);
            // Less smooth is further below 0.
            signs.jerk = above(&self.jerk).map(|above| -above);
            signs.head_entropy = above(&self.head_entropy);
        }
        // At most as many as make a baseline.
        signs.baseline = if least.is_finite() { least as u32 } else { 0 };
        signs
    }

    fn all(&mut self) -> [&mut Usual; 8] {
        [
            &mut self.interval,
            &mut self.interval_spread,
            &mut self.hesitation,
            &mut self.path,
            &mut self.jerk,
            &mut self.head_turning,
            &mut self.head_entropy,
            &mut self.head_returns,
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIVE: Duration = Duration::from_secs(5);

    fn pause(seconds: f64) -> LoadWindow {
        LoadWindow {
            hesitation: Some(seconds),
            ..LoadWindow::default()
        }
    }

    fn usually(seconds: f64) -> Own {
        let mut own = Own::default();
        (0..12).for_each(|_| own.see(FIVE, &pause(seconds), true));
        own
    }

    #[test]
    fn twice_the_usual_pause_is_two_and_grows_towards_it() {
        let mut own = usually(0.5);
        let signs = own.signs(true);
        assert!((signs.hesitation.unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(signs.baseline, 12);
        assert_eq!(signs.path, None);
        let mut before = 1.0;
        for _ in 0..30 {
            own.see(FIVE, &pause(1.0), true);
            let now = own.signs(true).hesitation.unwrap();
            assert!(now >= before && now <= 2.0 + 1e-9, "{now}");
            before = now;
        }
        assert!(before > 1.99, "{before}");
    }

    #[test]
    fn before_there_is_a_baseline_nothing_is_said_and_strained_windows_make_none() {
        let mut own = Own::default();
        for n in 0..3 {
            assert_eq!(own.signs(true), Observed::default(), "{n}");
            own.see(FIVE, &pause(0.5), true);
        }
        assert!(own.signs(true).hesitation.is_some());
        let mut own = Own::default();
        (0..50).for_each(|_| own.see(FIVE, &pause(3.0), false));
        assert_eq!(own.signs(true), Observed::default());
    }

    #[test]
    fn what_was_seen_a_while_ago_says_nothing_of_now() {
        let mut own = usually(0.5);
        own.see(FIVE, &pause(2.0), false);
        (0..12).for_each(|_| own.see(FIVE, &LoadWindow::default(), true));
        assert_eq!(own.signs(true).hesitation, None);
        let mut own = usually(0.5);
        own.away();
        assert_eq!(own.signs(true).hesitation, None);
        own.see(FIVE, &pause(0.5), true);
        assert!(own.signs(true).hesitation.is_some(), "the baseline stays");
    }

    #[test]
    fn motion_that_may_no_longer_be_looked_at_is_not_told() {
        let mut own = Own::default();
        let window = LoadWindow {
            motion: Some(LoadMotion {
                jerk: Some(-6.0),
                head_turning: Some(0.4),
                head_entropy: Some(1.0),
                head_returns: Some(12.0),
            }),
            ..pause(0.5)
        };
        (0..6).for_each(|_| own.see(FIVE, &window, true));
        let with = own.signs(true);
        let said = [
            with.jerk,
            with.head_motion,
            with.head_entropy,
            with.head_returns,
        ];
        assert!(said.iter().all(Option::is_some), "{with:?}");
        let without = own.signs(false);
        let expected = Observed {
            hesitation: with.hesitation,
            baseline: 6,
            ..Observed::default()
        };
        assert_eq!(without, expected);
    }

    proptest! {
        #[test]
        fn any_windows_give_ratios_that_are_numbers(
            windows in prop::collection::vec(
                (prop::array::uniform8(prop::option::of(prop::num::f64::ANY)), any::<bool>(), any::<bool>(), 0.0..100.0_f64), 0..60,
            ),
        ) {
            let mut own = Own::default();
            for ([interval, interval_spread, hesitation, path, jerk, head_turning, head_entropy, head_returns], motion, calm, dt) in windows {
                let motion = motion.then_some(LoadMotion { jerk, head_turning, head_entropy, head_returns });
                let window = LoadWindow { interval, interval_spread, hesitation, path, motion };
                own.see(Duration::from_secs_f64(dt), &window, calm);
                let signs = own.signs(true);
                for ratio in [signs.interval, signs.interval_spread, signs.hesitation, signs.path, signs.head_motion, signs.head_returns] {
                    prop_assert!(ratio.is_none_or(|x| x >= 0.0 && !x.is_nan()));
                }
                for difference in [signs.jerk, signs.head_entropy] {
                    prop_assert!(difference.is_none_or(|x| !x.is_nan()));
                }
                // It has to come back out of a stored state as it went in.
                let stored = serde_json::to_string(&own).unwrap();
                prop_assert_eq!(serde_json::from_str::<Own>(&stored).unwrap(), own);
            }
        }

        #[test]
        fn whoever_does_everything_so_many_times_as_slowly_is_as_loaded(
            pauses in prop::collection::vec(0.5..3.0_f64, 12..40), times in 1.0..5.0_f64,
        ) {
            let after = |times: f64| {
                let mut own = Own::default();
                pauses.iter().for_each(|seconds| own.see(FIVE, &pause(times * seconds), true));
                own.signs(false).hesitation.unwrap()
            };
            prop_assert!((after(1.0) - after(times)).abs() < 1e-6);
        }
    }
}
