//! What the adaptation policy looks at: one learner, now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_criteria::Bounded;

/// What the policy looks at. `None` and what is no number: not known, and nothing is decided on it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct View {
    /// Probability that the step's skill is mastered.
    pub mastery: Option<Bounded>,
    /// Probability of success in the next step.
    pub next_success: Option<Bounded>,
    /// Load, by [`super::load`].
    pub load: Option<Bounded>,
    /// Comfort, from the learner's own reports.
    pub comfort: Option<Bounded>,
    /// Probability that engagement has dropped below the learner's own baseline, in [0, 1].
    pub engagement_dropped: Option<f64>,
    /// Probability that more of the same won't help (wheel-spinning: Beck & Gong 2013), in [0, 1].
    pub wheel_spinning: Option<f64>,
    /// What the hint ladder looks at.
    pub hints: HintView,
    /// Difficulty as a multiple of the authored one.
    pub difficulty: f64,
    /// Pace as a multiple of the authored one.
    pub pace: f64,
    /// Whether support beyond hints (a worked example, ghost hands, fewer parts) is in place.
    pub supported: bool,
    /// Something earlier is due for review.
    pub review_due: bool,
    /// The learner wants a break.
    pub break_wanted: bool,
    /// The learner goes on although comfort is low. Nobody else may set this.
    pub comfort_put_aside: bool,
    /// Seconds since the last break, or since the session began.
    pub since_break: f64,
    /// Seconds since the last recommendation of its kind was carried out.
    pub since: Since,
}

impl Default for View {
    fn default() -> Self {
        Self {
            mastery: None,
            next_success: None,
            load: None,
            comfort: None,
            engagement_dropped: None,
            wheel_spinning: None,
            hints: HintView::default(),
            difficulty: 1.0,
            pace: 1.0,
            supported: false,
            review_due: false,
            break_wanted: false,
            comfort_put_aside: false,
            since_break: 0.0,
            since: Since::default(),
        }
    }
}

/// Seconds since a change was last carried out; `None`: not yet.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Since {
    /// Any change of difficulty, pace, support, approach or form, or a review.
    pub change: Option<f64>,
    /// An offered break.
    pub break_offer: Option<f64>,
    /// A notice to the instructor.
    pub notice: Option<f64>,
}

/// What the hint rule looks at. Times leave pauses out.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HintView {
    /// Wrong attempts on this step since its start or the last hint.
    pub failures: u32,
    /// Right attempts in a row since the last hint.
    pub successes: u32,
    /// Seconds without attempt, hint or other progress.
    pub hesitated: f64,
    /// Rung shown now; 0: none.
    pub rung: u8,
    /// Rungs that there are.
    pub rungs: u8,
    /// Seconds since the last hint came or went on this step; `None`: not yet.
    pub since_hint: Option<f64>,
    /// The learner asks for a hint.
    pub wanted: bool,
}
