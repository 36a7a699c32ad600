//! What the five models are told of a learner: attempts, and moments between them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::learning::assessment::Credit;
use crate::learning::comfort::Exposure;
use crate::learning::engagement::Stretch;
use crate::learning::event_criteria::Criterion;
use crate::learning::few::Few;
use crate::learning::load::Observed;
use crate::learning::load::window::LoadWindow;
use crate::learning::quality::Quality;

/// One attempt. What was not measured is `None`, and nothing is concluded from it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Observation {
    /// Its number in the log, to be named where an estimate is explained.
    pub id: u64,
    /// Numbers of the skills it exercises. Each is updated as if it were the only one.
    pub skills: Few<u32, 8>,
    /// How hard the task is, in logit; `None`: as hard as its skill.
    pub difficulty: Option<f64>,
    /// The task's variant within its skill, numbered from 0 by the lesson.
    pub variant: Option<u32>,
    /// Whether the step's criterion was met.
    pub correct: bool,
    /// How well, from [`crate::learning::assessment::credit`].
    pub credit: Credit,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// Whether that was in good time, by the lesson's reference.
    pub in_good_time: Option<bool>,
    /// Whether help was on offer.
    pub help_on_offer: bool,
    /// Hints taken before it.
    pub hints: u32,
    /// Share of the step's help that was shown, in [0, 1].
    pub help: f64,
    /// Errors made on the way to it.
    pub errors: u32,
    /// Path of the hand against the lesson's reference, in [0, 1].
    pub efficiency: Option<f64>,
    /// Which criteria of a learning event the lesson says that it shows; what follows from the other fields need not be
    /// named (see [`super::shown`]).
    pub shows: Few<Criterion, 4>,
    /// How far the hardware could be trusted.
    pub quality: Quality,
}

impl Observation {
    /// What it is worth in [0, 1]: nothing if the criterion was missed, else its credit, or all where none was measured.
    #[must_use]
    pub fn score(&self) -> f64 {
        if self.correct {
            self.credit
                .total
                .filter(|total| total.is_finite())
                .map_or(1.0, |total| total.clamp(0.0, 1.0))
        } else {
            0.0
        }
    }
}

/// A moment: what else is known when time passes. What was not measured is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Moment {
    /// Time since the last one.
    pub dt: Duration,
    /// What was measured of engagement meanwhile.
    pub stretch: Option<Stretch>,
    /// What is observed of load, against the learner's own usual. What is left out comes from the attempts (response time,
    /// runs of errors, hints) and from the windows, this one and those before.
    pub load: Observed,
    /// How the task was done meanwhile; `None`: nothing was seen of it.
    pub window: Option<LoadWindow>,
    /// Share of the step's prerequisites that are not mastered, in [0, 1].
    pub prerequisite_gaps: Option<f64>,
    /// Share of the last actions that undid or repeated the one before, or asked what to do, in [0, 1].
    pub confusion: Option<f64>,
    /// What the headset did to the wearer's balance; `None`: none is worn.
    pub exposure: Option<Exposure>,
    /// ε of the equation; 0 for none.
    pub epsilon: f64,
    /// The headset is calibrated and the accessibility check is done.
    pub ready: bool,
    /// The learner wants a break.
    pub break_wanted: bool,
    /// The learner goes on although comfort is low. Nobody else may set this.
    pub comfort_put_aside: bool,
}
