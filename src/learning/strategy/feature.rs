//! What a rule may look at: model outputs and facts of the scene, each with its interval and where it comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::learning::event_criteria::Bounded;

/// What can be looked at. Tables name them as written here in snake case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Comfort, from the learner's own reports, 0..1.
    Comfort,
    /// The learner goes on although comfort is low. Nobody else may set this.
    ComfortPutAside,
    /// The learner wants a break.
    BreakWanted,
    /// Seconds since the last break, or since the session began.
    SinceBreak,
    /// Task load estimated from behaviour, 0..1 ([`crate::learning::load`]).
    Load,
    /// Probability of success in the next attempt.
    NextSuccess,
    /// Probability that the step's weakest skill is mastered.
    Mastery,
    /// Probability that more of the same doesn't help (Beck & Gong 2013).
    WheelSpinning,
    /// Probability that engagement has dropped below the learner's own.
    EngagementDropped,
    /// Probability of no progress within the horizon of the prediction.
    StallRisk,
    /// Probability of leaving within the horizon of the prediction.
    DropOutRisk,
    /// Share of the last attempts that were right.
    RecentSuccess,
    /// Share of the last attempts that were wrong.
    ErrorRate,
    /// Share of the last attempts made with a hint.
    HelpSeeking,
    /// Share of the last attempts that went by themselves: right, unaided, without hesitation.
    Flow,
    /// Share of the lesson's steps that are done.
    Completion,
    /// Scored attempts at the step's skills.
    Attempts,
    /// Wrong attempts on this step since its start or the last hint.
    Failures,
    /// Right attempts in a row.
    Successes,
    /// Seconds without attempt, hint or other progress.
    Hesitation,
    /// Hints of this step not shown yet.
    HintsLeft,
    /// Support in place beyond hints: 0 none, up to 3.
    SupportLevel,
    /// Difficulty as a multiple of the authored one.
    Difficulty,
    /// Pace as a multiple of the authored one.
    Pace,
    /// Something earlier is due for review.
    ReviewDue,
}

/// In what a feature is measured; with it go its range and how far apart thresholds must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share or probability, 0..1.
    Share,
    /// Yes (1) or no (0).
    Flag,
    /// Whole things.
    Count,
    /// Seconds.
    Seconds,
    /// A multiple of what the author wrote.
    Multiple,
}

impl Feature {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 25] = [
        Self::Comfort,
        Self::ComfortPutAside,
        Self::BreakWanted,
        Self::SinceBreak,
        Self::Load,
        Self::NextSuccess,
        Self::Mastery,
        Self::WheelSpinning,
        Self::EngagementDropped,
        Self::StallRisk,
        Self::DropOutRisk,
        Self::RecentSuccess,
        Self::ErrorRate,
        Self::HelpSeeking,
        Self::Flow,
        Self::Completion,
        Self::Attempts,
        Self::Failures,
        Self::Successes,
        Self::Hesitation,
        Self::HintsLeft,
        Self::SupportLevel,
        Self::Difficulty,
        Self::Pace,
        Self::ReviewDue,
    ];

    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Comfort => "comfort",
            Self::ComfortPutAside => "comfort_put_aside",
            Self::BreakWanted => "break_wanted",
            Self::SinceBreak => "since_break",
            Self::Load => "load",
            Self::NextSuccess => "next_success",
            Self::Mastery => "mastery",
            Self::WheelSpinning => "wheel_spinning",
            Self::EngagementDropped => "engagement_dropped",
            Self::StallRisk => "stall_risk",
            Self::DropOutRisk => "drop_out_risk",
            Self::RecentSuccess => "recent_success",
            Self::ErrorRate => "error_rate",
            Self::HelpSeeking => "help_seeking",
            Self::Flow => "flow",
            Self::Completion => "completion",
            Self::Attempts => "attempts",
            Self::Failures => "failures",
            Self::Successes => "successes",
            Self::Hesitation => "hesitation",
            Self::HintsLeft => "hints_left",
            Self::SupportLevel => "support_level",
            Self::Difficulty => "difficulty",
            Self::Pace => "pace",
            Self::ReviewDue => "review_due",
        }
    }

    /// The feature of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }

    /// In what it is measured.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::ComfortPutAside | Self::BreakWanted | Self::ReviewDue => Unit::Flag,
            Self::SinceBreak | Self::Hesitation => Unit::Seconds,
            Self::Attempts
            | Self::Failures
            | Self::Successes
            | Self::HintsLeft
            | Self::SupportLevel => Unit::Count,
            Self::Difficulty | Self::Pace => Unit::Multiple,
            _ => Unit::Share,
        }
    }

    /// Smallest and largest value that means anything.
    #[must_use]
    pub fn range(self) -> (f64, f64) {
        match (self, self.unit()) {
            (Self::SupportLevel, _) => (0.0, 3.0),
            (_, Unit::Share | Unit::Flag) => (0.0, 1.0),
            (_, Unit::Multiple) => (0.0, 10.0),
            // A day; nobody stays longer.
            (_, Unit::Seconds) => (0.0, 86_400.0),
            (_, Unit::Count) => (0.0, 10_000.0),
        }
    }

    /// Whether a high value is evidence that the learner can do it: only on such may more be asked.
    #[must_use]
    pub fn speaks_for_ability(self) -> bool {
        matches!(
            self,
            Self::NextSuccess | Self::Mastery | Self::RecentSuccess | Self::Successes | Self::Flow
        )
    }
}

/// Where a value comes from. What is absent has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Counted, timed, or said by the learner.
    Measured,
    /// Concluded by a model.
    Inferred,
}

/// One value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Middle, in [`lower`, `upper`].
    pub mean: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Observations behind it.
    pub n: u32,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// What is known of a learner now. What was not put in is absent, and nothing is decided on it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct View {
    seen: [Option<Seen>; Feature::ALL.len()],
    /// Scored attempts so far.
    pub attempts: u64,
    /// Whether each of the last attempts was right, the newest in the lowest bit.
    pub outcomes: u32,
}

impl View {
    /// Puts in a model's estimate. Ends are brought in order and range; what is no number is left out.
    #[must_use]
    pub fn inferred(self, feature: Feature, estimate: Option<Bounded>) -> Self {
        let seen = estimate.filter(|it| it.mean.is_finite()).map(|it| Seen {
            mean: it.mean,
            lower: it.lower,
            upper: it.upper,
            n: it.n,
            provenance: Provenance::Inferred,
        });
        self.with(feature, seen)
    }

    /// Puts in a model's output that has no interval, with the number of observations behind it.
    #[must_use]
    pub fn concluded(self, feature: Feature, value: Option<f64>, n: u32) -> Self {
        self.with(feature, exactly(value, n, Provenance::Inferred))
    }

    /// Puts in what was counted, timed or said. It counts as one observation, and its interval is the value itself.
    #[must_use]
    pub fn measured(self, feature: Feature, value: impl Into<Option<f64>>) -> Self {
        self.with(feature, exactly(value.into(), 1, Provenance::Measured))
    }

    /// Takes in the outcome of one more attempt, for the rules by which support fades.
    #[must_use]
    pub fn attempted(mut self, right: bool) -> Self {
        self.attempts = self.attempts.saturating_add(1);
        self.outcomes = self.outcomes << 1 | u32::from(right);
        self
    }

    /// Puts in how many scored attempts there were, and whether each of the last was right, the newest in the lowest bit.
    #[must_use]
    pub fn with_outcomes(self, attempts: u64, outcomes: u32) -> Self {
        Self {
            attempts,
            outcomes,
            ..self
        }
    }

    /// Leaves only what concerns the learner's body: comfort and breaks. For a learner whose record may be used for
    /// nothing else; rules that ask for more are silent.
    #[must_use]
    pub fn for_safety_only(self) -> Self {
        let mut view = Self::default();
        for feature in [
            Feature::Comfort,
            Feature::ComfortPutAside,
            Feature::BreakWanted,
            Feature::SinceBreak,
        ] {
            view = view.with(feature, self.get(feature));
        }
        view
    }

    /// What is known of a feature.
    #[must_use]
    pub fn get(&self, feature: Feature) -> Option<Seen> {
        self.seen.get(feature as usize).copied().flatten()
    }

    /// Everything known, in the order of [`Feature::ALL`].
    pub fn known(&self) -> impl Iterator<Item = (Feature, Seen)> {
        let values = Feature::ALL.into_iter().zip(self.seen);
        values.filter_map(|(feature, seen)| Some((feature, seen?)))
    }

    /// The middle of a feature; `otherwise` where it is absent.
    pub(super) fn mean_or(&self, feature: Feature, otherwise: f64) -> f64 {
        self.get(feature).map_or(otherwise, |seen| seen.mean)
    }

    fn with(mut self, feature: Feature, seen: Option<Seen>) -> Self {
        let (low, high) = feature.range();
        let sane = seen.map(|it| {
            let mean = it.mean.clamp(low, high);
            // Comparisons with NaN are false: an end that is no number leaves all that is possible.
            let lower = if it.lower.is_nan() { low } else { it.lower };
            let upper = if it.upper.is_nan() { high } else { it.upper };
            Seen {
                mean,
                lower: lower.clamp(low, high).min(mean),
                upper: upper.clamp(low, high).max(mean),
                ..it
            }
        });
        if let Some(place) = self.seen.get_mut(feature as usize) {
            *place = sane;
        }
        self
    }
}

fn exactly(value: Option<f64>, n: u32, provenance: Provenance) -> Option<Seen> {
    let value = value.filter(|value| value.is_finite())?;
    Some(Seen {
        mean: value,
        lower: value,
        upper: value,
        n,
        provenance,
    })
}
