//! What happens in a simulated lesson, and what came of it.

use crate::learning::simulated::act::Advice;
use crate::learning::simulated::scene::Seen;
use crate::learning::simulated::world::World;

/// What happens on the way, for those who count or fit.
#[derive(Debug, Clone, Copy)]
pub enum Happened<'a> {
    /// Something was decided: before it was done. `free`: no change was made within the dwell.
    Decided {
        /// The truth.
        world: &'a World,
        /// What was decided.
        advice: &'a Advice,
        /// Whether a change was allowed.
        free: bool,
        /// Number of the moment.
        tick: u64,
    },
    /// A moment passed.
    Passed {
        /// What is seen, before it passed.
        seen: Seen<'a>,
        /// Seconds that passed.
        seconds: f64,
        /// Seconds without progress.
        hesitated: f64,
        /// The learner left for good.
        left: bool,
    },
    /// An attempt came out.
    Attempted {
        /// What is seen, before it came out.
        seen: Seen<'a>,
        /// Whether it was right.
        correct: bool,
    },
}

/// What came of a lesson.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Score in a test before, in [0, 1].
    pub before: f64,
    /// Score on the next day.
    pub after: f64,
    /// Seconds taught.
    pub seconds: f64,
    /// Left before the end.
    pub left: bool,
    /// Highest sickness, 0 to 20.
    pub sickness: f64,
    /// Attempts.
    pub attempts: u32,
    /// Actions done.
    pub actions: u32,
    /// Times a further rung of the hint ladder was shown.
    pub hints: u32,
    /// Times the chart went on to the next learning event.
    pub advances: u32,
    /// Times it went back.
    pub demotions: u32,
    /// Least seconds between two changes of the learning event.
    pub quickest_change: Option<f64>,
    /// Least seconds between two changes of difficulty in opposite directions.
    pub quickest_reversal: Option<f64>,
}
