//! The adaptation policy's numbers. The sources' where named, otherwise ours; none is measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The thresholds of [`super::policy`]. All times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyRules {
    /// Lower end of the success band: the zone in which a step is worth doing.
    pub band_low: f64,
    /// Upper end of the success band. 0.85 is also where a simple learner learns fastest (Wilson et al. 2019).
    pub band_high: f64,
    /// Mastery surely below this: a novice.
    pub novice_below: f64,
    /// Mastery surely at least this: mastered (Corbett & Anderson 1995).
    pub mastered: f64,
    /// Load surely above this is too much.
    pub load_high: f64,
    /// Comfort at or below this is a break.
    pub comfort_break: f64,
    /// Comfort not surely above this: nothing is made harder, faster or more varied.
    pub comfort_ok: f64,
    /// Probability of wheel-spinning from which more of the same is not tried.
    pub wheel_spinning: f64,
    /// Probability of a drop in engagement from which something is done.
    pub engagement_dropped: f64,
    /// Least time between two changes: the first must have been lived with before it can be judged (the sources: at
    /// least 30 s, and at most 12 changes in 10 min).
    pub cool_down: f64,
    /// Time in the headset after which a break is offered (headset makers advise one every half hour).
    pub break_after: f64,
    /// Least time between two offered breaks.
    pub break_offer_cool_down: f64,
    /// Least time between two notices to the instructor.
    pub notice_cool_down: f64,
    /// Change of difficulty per logit that success lies off the band's middle.
    pub step_per_logit: f64,
    /// Greatest step down (the sources').
    pub easier_step: f64,
    /// Greatest step up (the sources'): less, since too hard hurts more than too easy.
    pub harder_step: f64,
    /// Lowest multiple of the authored difficulty (the sources').
    pub easiest: f64,
    /// Highest multiple of the authored difficulty (the sources').
    pub hardest: f64,
    /// One step of pace.
    pub pace_step: f64,
    /// Lowest multiple of the authored pace (the sources').
    pub slowest: f64,
    /// Highest multiple of the authored pace (the sources').
    pub fastest: f64,
    /// Right attempts in a row after which support goes (the sources').
    pub support_successes: u32,
    /// The hint rule.
    pub hints: HintRules,
}

impl Default for PolicyRules {
    fn default() -> Self {
        Self {
            band_low: 0.6,
            band_high: 0.85,
            novice_below: 0.5,
            mastered: 0.95,
            load_high: 0.5,
            comfort_break: 0.6,
            comfort_ok: 0.65,
            wheel_spinning: 0.8,
            engagement_dropped: 0.8,
            cool_down: 50.0,
            break_after: 1800.0,
            break_offer_cool_down: 300.0,
            notice_cool_down: 300.0,
            step_per_logit: 0.2,
            easier_step: 0.3,
            harder_step: 0.2,
            easiest: 0.4,
            hardest: 1.6,
            pace_step: 0.1,
            slowest: 0.6,
            fastest: 1.4,
            support_successes: 3,
            hints: HintRules::default(),
        }
    }
}

/// The hint ladder's thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HintRules {
    /// Wrong attempts that bring the next hint. One miss is a slip of the hand; two in a row say that something is not
    /// understood.
    pub failures: u32,
    /// Seconds of hesitation that bring the next hint. Looking round, reading the goal and reaching for a thing takes a
    /// newcomer 10 to 15 s; beyond 20 s they are searching.
    pub hesitation: f64,
    /// Least seconds between two hints: a hint must be read (3 s) and tried (about 5 s) before it can have failed.
    pub cool_down: f64,
    /// Right attempts in a row that take the hint away.
    pub successes: u32,
}

impl Default for HintRules {
    fn default() -> Self {
        Self {
            failures: 2,
            hesitation: 20.0,
            cool_down: 8.0,
            successes: 1,
        }
    }
}

/// A rule's number that is out of its range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("`{name}` is {value}; it must lie in [{min}, {max}]")]
pub struct OutOfRange {
    /// Which.
    pub name: &'static str,
    /// What it was.
    pub value: f64,
    /// Lower end of its range.
    pub min: f64,
    /// Upper end of its range.
    pub max: f64,
}

impl PolicyRules {
    /// The same rules, if every number is in range and lower ends lie below upper ends.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first that is not.
    pub fn validated(self) -> Result<Self, OutOfRange> {
        let day = 86_400.0;
        let ranges = [
            ("band_low", self.band_low, 0.0, 1.0),
            ("band_high", self.band_high, self.band_low, 1.0),
            ("novice_below", self.novice_below, 0.0, 1.0),
            ("mastered", self.mastered, 0.0, 1.0),
            ("load_high", self.load_high, 0.0, 1.0),
            ("comfort_break", self.comfort_break, 0.0, 1.0),
            ("comfort_ok", self.comfort_ok, self.comfort_break, 1.0),
            ("wheel_spinning", self.wheel_spinning, 0.0, 1.0),
            ("engagement_dropped", self.engagement_dropped, 0.0, 1.0),
            ("cool_down", self.cool_down, 0.0, day),
            ("break_after", self.break_after, 0.0, day),
            (
                "break_offer_cool_down",
                self.break_offer_cool_down,
                0.0,
                day,
            ),
            ("notice_cool_down", self.notice_cool_down, 0.0, day),
            ("step_per_logit", self.step_per_logit, 0.0, 1.0),
            ("easier_step", self.easier_step, 0.0, 1.0),
            ("harder_step", self.harder_step, 0.0, 1.0),
            ("easiest", self.easiest, 0.0, 1.0),
            ("hardest", self.hardest, 1.0, 10.0),
            ("pace_step", self.pace_step, 0.0, 1.0),
            ("slowest", self.slowest, 0.0, 1.0),
            ("fastest", self.fastest, 1.0, 10.0),
            ("hints.hesitation", self.hints.hesitation, 0.0, day),
            ("hints.cool_down", self.hints.cool_down, 0.0, day),
        ];
        for (name, value, min, max) in ranges {
            if !(min..=max).contains(&value) {
                return Err(OutOfRange {
                    name,
                    value,
                    min,
                    max,
                });
            }
        }
        Ok(self)
    }
}
