//! Every number that the governor decides by, as data, with where it comes from. `[E]` is our own estimate, tuned on the
//! plant model and to be looked at again with a headset.

use serde::{Deserialize, Serialize};

use super::actuators::Actuator;

/// Value of an actuator where 0, ¼, ½, ¾ and all of what may be given up is given up. Straight lines between.
pub type Path = [f64; 5];

/// The path of each actuator. Scenery goes first, resolution late, what learning is read from last
/// (`spec/production.md` 5.3: shadows off and detail lower at balanced, scale 0.8 at aggressive, 0.6 at emergency).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// See [`Actuator::RenderScale`].
    pub render_scale: Path,
    /// See [`Actuator::Foveation`].
    pub foveation: Path,
    /// See [`Actuator::Shadows`].
    pub shadows: Path,
    /// See [`Actuator::Lights`].
    pub lights: Path,
    /// See [`Actuator::Effects`].
    pub effects: Path,
    /// See [`Actuator::Detail`].
    pub detail: Path,
    /// See [`Actuator::Physics`].
    pub physics: Path,
    /// See [`Actuator::Animation`].
    pub animation: Path,
    /// See [`Actuator::Telemetry`].
    pub telemetry: Path,
    /// See [`Actuator::Panels`].
    pub panels: Path,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            render_scale: [1.0, 1.0, 1.0, 0.8, 0.6],
            foveation: [0.25, 0.5, 0.75, 1.0, 1.0],
            shadows: [1.0, 0.5, 0.0, 0.0, 0.0],
            lights: [1.0, 0.9, 0.5, 0.25, 0.25],
            effects: [1.0, 0.5, 0.0, 0.0, 0.0],
            detail: [1.0, 1.0, 0.6, 0.5, 0.5],
            physics: [1.0, 1.0, 0.75, 0.5, 0.5],
            animation: [1.0, 1.0, 0.5, 0.25, 0.1],
            telemetry: [1.0, 0.25, 0.1, 0.1, 0.1],
            panels: [1.0, 1.0, 0.5, 0.25, 0.1],
        }
    }
}

impl Paths {
    /// The path of one actuator.
    #[must_use]
    pub fn of(&self, actuator: Actuator) -> &Path {
        match actuator {
            Actuator::RenderScale => &self.render_scale,
            Actuator::Foveation => &self.foveation,
            Actuator::Shadows => &self.shadows,
            Actuator::Lights => &self.lights,
            Actuator::Effects => &self.effects,
            Actuator::Detail => &self.detail,
            Actuator::Physics => &self.physics,
            Actuator::Animation => &self.animation,
            Actuator::Telemetry => &self.telemetry,
            Actuator::Panels => &self.panels,
        }
    }
}

/// How the governor decides. Shares are of the budget, which is the runtime's period. `Rules::default()` is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Above this share the forecast's tail asks for less. Valve: 0.90 of the last frame, which has no tail in it: our
    /// middle is near 0.90 then `[E]`.
    pub high: f64,
    /// A cut lands at this share, tail included. Unreal: a tenth of head-room.
    pub aim: f64,
    /// Only below this share more is given. Valve: 0.70, of the last three frames; ours includes the tail already `[E]`.
    pub low: f64,
    /// What is given back ends at this share, with the cost model's doubt included `[E]`.
    pub raise_to: f64,
    /// Above this share of the middle forecast a miss is certain: learner's moment or not `[E]`.
    pub certain: f64,
    /// Which surprise of the last 96 counts as the tail.
    pub tail: f64,
    /// Frames ahead that the forecast looks: read-back, one frame to act, two to be sure `[E]`.
    pub ahead: f64,
    /// Frames ahead that a cut provides for where the load still rises: a sixth of a second `[E]`.
    pub provide: f64,
    /// A relative surprise this large, twice in a row and to the same side, is a step `[E]`.
    pub step: f64,
    /// The same in multiples of the tail: four standard deviations where surprises are normal `[E]`.
    pub step_tails: f64,
    /// Frames between two changes of a side, unless a miss is certain. Unreal: MinResolutionChangePeriod 8.
    pub least_frames: u32,
    /// Seconds after any change before anything is given back, at a seam of the lesson. AstroQuest 0.21: four.
    pub raise_after: f64,
    /// The same where no seam came `[E]`.
    pub raise_without_seam_after: f64,
    /// Most of the way that is given back at once outside a seam: one level `[E]`.
    pub raise_step: f64,
    /// Smallest part of the way that is worth giving up. Unreal: a change threshold of 2 %.
    pub least_change: f64,
    /// Smallest part of the way that is worth giving back, unless it is the last `[E]`.
    pub least_raise: f64,
    /// Seconds that a load is remembered at least, and twice that at most: what is given back has room for the largest.
    /// Doubled each time a load that was forgotten forces a cut again `[E]`.
    pub wall: f64,
    /// At most this long, seconds `[E]`.
    pub wall_longest: f64,
    /// Seconds for which no frame missed is taken for the first of a step after one that was a hiccup; doubled each time
    /// `[E]`. Only where the runtime waits for the GPU.
    pub alarm_rest: f64,
    /// At most this long, seconds `[E]`.
    pub alarm_rest_longest: f64,
    /// Two loads are the same within this share `[E]`.
    pub wall_same: f64,
    /// Share of the budget that is left to use under a thermal warning, and when impaired `[E]`.
    pub thermal: [f64; 2],
    /// Seconds that a thermal restraint outlives its notice; doubled each time, so that sustained wins over a sawtooth
    /// `[E]`.
    pub cool: f64,
    /// At most this long, seconds `[E]`.
    pub cool_longest: f64,
    /// Frames after a scene was loaded, and after the last pipeline was made, that are no evidence: a third of a second at
    /// 72 Hz `[E]`.
    pub warm_frames: u32,
    /// Seconds for which pipelines that are still being made excuse a frame `[E]`.
    pub warm_longest: f64,
    /// Misses while both sides take less than this share are the compositor's `[E]`.
    pub innocent: f64,
    /// How many standard deviations of doubt about an actuator's worth are provided for. What a cut turns out to
    /// lack is seen and cut again two frames later; what it gave up in vain stays away for seconds: so little of it `[E]`.
    pub doubt: f64,
    /// Shares of the CPU's work at full quality before anything is learnt: physics, animation, telemetry, panels, detail.
    /// The rest can't be shed `[E]`.
    pub cpu_shares: [f64; 5],
    /// The same for the GPU: pixels, shadows, lights, effects, detail `[E]`.
    pub gpu_shares: [f64; 5],
    /// Doubt about each share before anything is learnt: standard deviation as a part of it `[E]`.
    pub share_doubt: f64,
    /// Standard deviation of one measured ratio of costs `[E]`.
    pub ratio_noise: f64,
    /// Part of the pixels' work that full foveation saves `[E]`: Meta gives up to a quarter to a third for fragment-bound
    /// scenes.
    pub foveation_saves: f64,
    /// Smallest render scale: 0.6 at emergency in `spec/production.md` 5.3; Unreal's floor is 0.5.
    pub smallest_scale: f64,
    /// How far along its path an actuator must be for attempts to carry its marks `[E]`.
    pub mark_from: f64,
    /// Weight of each actuator in [`super::actuators::Quality::index`], in the order of [`Actuator::ALL`] `[E]`.
    pub index_weights: [f64; 10],
    /// The paths.
    pub paths: Paths,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            high: 0.96,
            aim: 0.92,
            low: 0.88,
            raise_to: 0.91,
            certain: 0.98,
            tail: 0.95,
            ahead: 4.0,
            provide: 12.0,
            step: 0.08,
            step_tails: 2.5,
            least_frames: 8,
            raise_after: 4.0,
            raise_without_seam_after: 8.0,
            raise_step: 0.25,
            least_change: 0.02,
            least_raise: 0.05,
            wall: 5.0,
            wall_longest: 40.0,
            alarm_rest: 30.0,
            alarm_rest_longest: 480.0,
            wall_same: 0.1,
            thermal: [0.93, 0.86],
            cool: 60.0,
            cool_longest: 960.0,
            warm_frames: 24,
            warm_longest: 10.0,
            innocent: 0.75,
            doubt: 0.25,
            cpu_shares: [0.15, 0.08, 0.10, 0.07, 0.35],
            gpu_shares: [0.55, 0.15, 0.06, 0.04, 0.10],
            share_doubt: 0.3,
            ratio_noise: 0.04,
            foveation_saves: 0.3,
            smallest_scale: 0.6,
            mark_from: 0.25,
            index_weights: [4.0, 1.0, 1.0, 1.0, 0.5, 1.5, 0.5, 1.0, 0.0, 0.5],
            paths: Paths::default(),
        }
    }
}

/// Why rules can't be decided by.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RulesError {
    /// Out of its range.
    #[error("governor rules: `{name}` is {value}; it must lie in {least}..={most}")]
    Range {
        /// Which.
        name: &'static str,
        /// What it is.
        value: f64,
        /// Its least.
        least: f64,
        /// Its most.
        most: f64,
    },
    /// Thresholds that would fight.
    #[error(
        "governor rules: `{lower}` must be less than `{upper}`, or what one does the other undoes; make `{lower}` smaller"
    )]
    Order {
        /// Which must be less.
        lower: &'static str,
        /// Than which.
        upper: &'static str,
    },
    /// A path that turns back.
    #[error(
        "governor rules: the path of `{actuator}` turns back; its five values must never rise, or for foveation never fall, and lie in 0..=1"
    )]
    Path {
        /// Whose.
        actuator: &'static str,
    },
    /// More than everything.
    #[error(
        "governor rules: `{name}` add up to {sum}; they are shares of one cost and must stay below 0.95"
    )]
    Shares {
        /// Which.
        name: &'static str,
        /// To how much.
        sum: f64,
    },
}

impl Rules {
    /// Whether these rules can be decided by.
    ///
    /// # Errors
    /// The first that is wrong, and how to mend it.
    pub fn validate(&self) -> Result<(), RulesError> {
        let [warned, impaired] = self.thermal;
        for (name, value, least, most) in [
            ("high", self.high, 0.5, 1.0),
            ("aim", self.aim, 0.4, 1.0),
            ("low", self.low, 0.3, 1.0),
            ("raise_to", self.raise_to, 0.3, 1.0),
            ("certain", self.certain, 0.9, 1.2),
            ("tail", self.tail, 0.5, 1.0),
            ("ahead", self.ahead, 0.0, 30.0),
            ("provide", self.provide, 0.0, 120.0),
            ("step", self.step, 0.02, 1.0),
            ("step_tails", self.step_tails, 1.0, 10.0),
            ("least_frames", f64::from(self.least_frames), 1.0, 1e3),
            ("raise_after", self.raise_after, 4.0, 600.0),
            (
                "raise_without_seam_after",
                self.raise_without_seam_after,
                4.0,
                600.0,
            ),
            ("raise_step", self.raise_step, 0.02, 1.0),
            ("least_change", self.least_change, 0.001, 0.2),
            ("least_raise", self.least_raise, 0.001, 0.5),
            ("wall", self.wall, 1.0, 3600.0),
            ("wall_longest", self.wall_longest, 1.0, 3600.0),
            ("alarm_rest", self.alarm_rest, 0.0, 3600.0),
            ("alarm_rest_longest", self.alarm_rest_longest, 0.0, 36_000.0),
            ("wall_same", self.wall_same, 0.0, 1.0),
            ("thermal", warned, 0.5, 1.0),
            ("thermal", impaired, 0.5, 1.0),
            ("cool", self.cool, 1.0, 3600.0),
            ("cool_longest", self.cool_longest, 1.0, 36_000.0),
            ("warm_frames", f64::from(self.warm_frames), 0.0, 1e3),
            ("warm_longest", self.warm_longest, 0.0, 120.0),
            ("innocent", self.innocent, 0.3, 1.0),
            ("doubt", self.doubt, 0.0, 4.0),
            ("share_doubt", self.share_doubt, 0.01, 2.0),
            ("ratio_noise", self.ratio_noise, 0.005, 1.0),
            ("foveation_saves", self.foveation_saves, 0.0, 0.9),
            ("smallest_scale", self.smallest_scale, 0.3, 1.0),
            ("mark_from", self.mark_from, 0.0, 1.0),
        ] {
            within(name, value, least, most)?;
        }
        for (lower, a, upper, b) in [
            ("low", self.low, "raise_to", self.raise_to),
            ("raise_to", self.raise_to, "high", self.high),
            ("aim", self.aim, "high", self.high),
            ("high", self.high, "certain", self.certain),
        ] {
            if a >= b {
                return Err(RulesError::Order { lower, upper });
            }
        }
        for actuator in Actuator::ALL {
            let path = self.paths.of(actuator);
            let turns = path.windows(2).any(|pair| match pair {
                [a, b] if actuator == Actuator::Foveation => a > b,
                [a, b] => a < b,
                _ => false,
            });
            if turns || path.iter().any(|it| !(0.0..=1.0).contains(it)) {
                let actuator = actuator.name();
                return Err(RulesError::Path { actuator });
            }
        }
        for (name, shares) in [
            ("cpu_shares", &self.cpu_shares),
            ("gpu_shares", &self.gpu_shares),
        ] {
            for share in shares {
                within(name, *share, 0.0, 0.9)?;
            }
            let sum: f64 = shares.iter().sum();
            if sum > 0.95 {
                return Err(RulesError::Shares { name, sum });
            }
        }
        for weight in self.index_weights {
            within("index_weights", weight, 0.0, 100.0)?;
        }
        Ok(())
    }
}

fn within(name: &'static str, value: f64, least: f64, most: f64) -> Result<(), RulesError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(RulesError::Range {
            name,
            value,
            least,
            most,
        })
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
