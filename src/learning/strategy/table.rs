//! The adaptation table as authors write it (RON) and as the JSON Schema describes it: data, not code.
//!
//! A table means nothing before [`super::check::check`] has made a [`super::check::Checked`] of it. All times are in
//! seconds. [`Table::DEFAULT`] is the table as delivered, with the reasons for its numbers beside them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{Modality, SupportKind, Variety};
use super::feature::Feature;
use super::gain::ByGain;
use super::precedence::Lever;
use crate::learning::hints::HintRules;

/// The only version so far.
pub const TABLE_VERSION: u16 = 1;

/// Most rules of a table: sets of them are kept as bits of one word.
pub const MAX_RULES: usize = 64;

/// A whole table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Format version: 1.
    pub version: u16,
    /// Its name and edition, for people and logs, for example `default 1`.
    pub name: String,
    /// What no rule may exceed.
    #[serde(default)]
    pub limits: Limits,
    /// Randomised comparison of equally admissible actions; `None`: never.
    #[serde(default)]
    pub experiment: Option<Experiment>,
    /// Who does well is left alone: while this holds, rules of this priority and later are silent.
    #[serde(default)]
    pub leave_alone: Option<LeaveAlone>,
    /// Among admissible rules of one priority the one with the most expected gain speaks first; `None`: as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_gain: Option<ByGain>,
    /// The hint ladder's numbers.
    #[serde(default)]
    pub hints: HintRules,
    /// The rules. Among those of one priority an earlier one speaks first.
    pub rules: Vec<Rule>,
}

/// What no rule may exceed. A table may be stricter than these defaults, never laxer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Commands in one message, 1..5.
    pub per_message: u32,
    /// Commands in `window`, 1..12.
    pub per_window: u32,
    /// The window of `per_window`, at least ten minutes.
    pub window: f64,
    /// Changes (of difficulty, pace, support, route or variety) at once, 1..5. One: the effect of each can be seen.
    pub changes_at_once: u32,
    /// Least time between two changes: the first must have been lived with before it can be judged. At least 30.
    pub settle: f64,
    /// Greatest step of difficulty down, 0..0.3 of the authored one.
    pub step_down: f64,
    /// Greatest step of difficulty up, 0..0.2: less, since too hard hurts more than too easy.
    pub step_up: f64,
    /// Lowest multiple of the authored difficulty, 0.4..1.
    pub easiest: f64,
    /// Highest multiple of the authored difficulty, 1..1.6.
    pub hardest: f64,
    /// Lowest multiple of the authored pace, 0.6..1.
    pub slowest: f64,
    /// Highest multiple of the authored pace, 1..1.4.
    pub fastest: f64,
    /// What the learner set stays untouched for so long. Ours, arbitrary.
    pub hold_for_learner: f64,
    /// What the instructor set stays untouched for so long. Ours, arbitrary.
    pub hold_for_instructor: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_message: 5,
            per_window: 12,
            window: 600.0,
            changes_at_once: 1,
            settle: 50.0,
            step_down: 0.3,
            step_up: 0.2,
            easiest: 0.4,
            hardest: 1.6,
            slowest: 0.6,
            fastest: 1.4,
            hold_for_learner: 600.0,
            hold_for_instructor: 300.0,
        }
    }
}

/// How actions are compared with each other and with nothing. Only where consent to it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Probability that nothing is done although something could be, 0.02..0.25.
    pub do_nothing: f64,
}

/// When somebody is left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveAlone {
    /// What must hold.
    pub when: When,
    /// Rules of this priority and later are silent, 2..5; safety never is.
    pub from_priority: u8,
}

/// What a rule belongs to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Being well: dominates everything else and is never part of an experiment.
    Comfort,
    /// How much help.
    Support,
    /// How hard.
    Difficulty,
    /// How fast.
    Pacing,
    /// Which way.
    Content,
    /// How varied.
    Engagement,
    /// Going over what would be forgotten.
    Review,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique in the table: small letters, digits and hyphens.
    pub id: String,
    /// What it belongs to.
    pub strategy: Strategy,
    /// Urgency, 1 (most urgent)..5.
    pub priority: u8,
    /// In words, for a teacher, for example `the task was surely too hard`.
    pub because: String,
    /// When it speaks.
    pub when: When,
    /// Conditions any one of which keeps it silent.
    #[serde(default)]
    pub blocked_while: Vec<Condition>,
    /// What it does.
    pub payload: Payload,
    /// Least time before it speaks again, at least 30.
    pub cool_down: f64,
    /// How often it may speak in how long. A break now is bound by none.
    pub budget: Budget,
    /// How long its effect counts as active: so long nothing else moves the same lever the other way, and of difficulty
    /// nothing moves it at all.
    pub expiry: f64,
    /// When its effect is taken back. Support must have it.
    #[serde(default)]
    pub fade_out: Option<FadeOut>,
    /// Rules that don't go together with it, at once or while its effect is active; holds both ways.
    #[serde(default)]
    pub conflicts_with: Vec<String>,
    /// Whether it may be compared with others of its priority and with nothing.
    #[serde(default)]
    pub experiment: bool,
}

/// All of `all` and, where `any` isn't empty, one of `any`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Each must hold.
    pub all: Vec<Condition>,
    /// One must hold.
    pub any: Vec<Condition>,
}

/// A feature beyond a threshold. What is absent is beyond none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Which feature.
    #[schemars(with = "Feature")]
    pub of: String,
    /// Which part of its interval is compared. Left out: the sure one, `lower` for `above` and `upper` for `below`.
    #[serde(default)]
    pub bound: Option<Bound>,
    /// From where it holds, the threshold included.
    pub enter: Threshold,
    /// Up to where it goes on holding. Shares and multiples must have it, at least 0.1 on the hither side of `enter`; of
    /// flags, counts and seconds it may be left out, and is `enter` then.
    #[serde(default)]
    pub leave: Option<f64>,
}

/// Part of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Its lower end.
    Lower,
    /// Its middle.
    Mean,
    /// Its upper end.
    Upper,
}

/// A threshold and its side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// At least this.
    Above(f64),
    /// At most this.
    Below(f64),
}

/// At most so often in so long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// 1..12.
    pub times: u32,
    /// Up to a day.
    pub window: f64,
}

/// Success from which support goes again (fading: Wood, Bruner & Ross 1976).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FadeOut {
    /// Least share of right attempts, 0.5..1.
    pub success: f64,
    /// Over so many attempts since the effect began, 1..10.
    pub attempts: u32,
}

/// What a rule does, relative to what is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Stop for a break now.
    Rest,
    /// Offer a break.
    OfferBreak,
    /// Show the next hint.
    OfferHint,
    /// Put support in place.
    AddSupport {
        /// Which.
        kind: SupportKind,
        /// How much, 1..3.
        level: u8,
        /// By which sense.
        modality: Modality,
    },
    /// Take support away.
    FadeSupport,
    /// Change the difficulty.
    Difficulty {
        /// By so much of the authored one; negative is easier.
        step: f64,
        /// Smaller where the gap is smaller; left out: the whole step.
        #[serde(default)]
        aim: Option<Aim>,
    },
    /// Change the pace.
    Pace {
        /// By so much of the authored one; negative is slower.
        step: f64,
        /// No further than this.
        #[serde(default)]
        until: Option<f64>,
    },
    /// Another way to the same skill.
    ChangeApproach,
    /// The same otherwise.
    Vary {
        /// What.
        by: Variety,
        /// How much, 0..1.
        level: f64,
    },
    /// No more repetitions of the skill.
    MoveOn,
    /// Go over what is due.
    Review,
    /// Tell the instructor.
    TellInstructor,
}

/// A step in proportion to how far success lies from where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aim {
    /// Probability of success to aim at.
    pub success: f64,
    /// Step per logit of distance to it.
    pub per_logit: f64,
}

impl Table {
    /// The table as delivered.
    pub const DEFAULT: &str = include_str!("default.ron");

    /// Earlier editions of it, for logs of sessions that were led by them.
    pub const EARLIER: [&str; 1] = [include_str!("default-1.ron")];
}

/// Which way a payload moves its lever: -1 towards less, 1 towards more, 0 neither.
pub(super) fn direction(payload: &Payload) -> i8 {
    let sign = |x: f64| i8::from(x > 0.0) - i8::from(x < 0.0);
    match payload {
        Payload::Difficulty { step, .. } | Payload::Pace { step, .. } => sign(*step),
        Payload::AddSupport { .. } => 1,
        Payload::FadeSupport => -1,
        _ => 0,
    }
}

impl Payload {
    /// What it moves.
    #[must_use]
    pub fn lever(&self) -> Lever {
        match self {
            Self::Rest | Self::OfferBreak => Lever::Break,
            Self::OfferHint => Lever::Hint,
            Self::AddSupport { .. } | Self::FadeSupport => Lever::Support,
            Self::Difficulty { .. } => Lever::Difficulty,
            Self::Pace { .. } => Lever::Pace,
            Self::ChangeApproach | Self::MoveOn | Self::Review => Lever::Route,
            Self::Vary { .. } => Lever::Variety,
            Self::TellInstructor => Lever::Notice,
        }
    }

    /// Whether it changes the task, so that the next change must wait.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !matches!(self.lever(), Lever::Break | Lever::Hint | Lever::Notice)
    }

    /// Whether the learner is held for further than before: never on absent evidence.
    #[must_use]
    pub fn advances(&self) -> bool {
        match self {
            Self::Difficulty { step, .. } | Self::Pace { step, .. } => *step > 0.0,
            Self::FadeSupport | Self::MoveOn => true,
            _ => false,
        }
    }

    /// Whether there is more to take in than before: never for who has too much or may be unwell.
    #[must_use]
    pub fn asks_more(&self) -> bool {
        self.advances() || matches!(self, Self::Vary { .. })
    }
}
