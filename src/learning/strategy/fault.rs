//! What can be wrong with a table. Every message names the rule and the cure.

use std::fmt;

use super::feature::Feature;

/// One fault and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// The rule's id, or the part of the table that it is in; empty: the whole text.
    pub place: String,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            write!(f, "{}", self.fault)
        } else {
            write!(f, "{}: {}", self.place, self.fault)
        }
    }
}

impl std::error::Error for Mistake {}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// No table at all.
    #[error("line {line}, column {column}: {why}; the table as delivered shows how it is written")]
    Unreadable {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// The parser's words.
        why: String,
    },
    /// Of another time.
    #[error("version {found} is not known; write {known}")]
    Version {
        /// What it says.
        found: u16,
        /// What it may say.
        known: u16,
    },
    /// None or too many.
    #[error("a table has 1 to {most} rules, this one {found}; leave some out or write one")]
    RuleCount {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Not a name.
    #[error("an id has 1 to 64 small letters, digits and hyphens; rename it")]
    BadId,
    /// Twice the same name.
    #[error("another rule has the same id; rename one of them")]
    DuplicateId,
    /// No such feature.
    #[error("there is no feature `{name}`; did you mean `{nearest}`?")]
    UnknownFeature {
        /// What it says.
        name: String,
        /// What is nearest.
        nearest: &'static str,
    },
    /// A number that is none, or too small or large.
    #[error("`{what}` is {value}; write a number from {min} to {max}")]
    OutOfRange {
        /// Which number.
        what: String,
        /// What it is.
        value: f64,
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// No hysteresis.
    #[error("`{of}` enters at {enter} and has no `leave`; write one at least 0.1 {side} it")]
    NoLeave {
        /// Which feature.
        of: &'static str,
        /// Its threshold.
        enter: f64,
        /// On which side of it.
        side: &'static str,
    },
    /// Hysteresis the wrong way round.
    #[error(
        "`{of}` enters at {enter} and would leave at {leave}, before it entered; write a `leave` {side} {enter}"
    )]
    LeaveOnWrongSide {
        /// Which feature.
        of: &'static str,
        /// Its threshold.
        enter: f64,
        /// Where it leaves.
        leave: f64,
        /// On which side it should be.
        side: &'static str,
    },
    /// Too little hysteresis.
    #[error(
        "`{of}` enters at {enter} and leaves at {leave}, where noise would make it flicker; set them at least 0.1 apart"
    )]
    LeaveTooNear {
        /// Which feature.
        of: &'static str,
        /// Its threshold.
        enter: f64,
        /// Where it leaves.
        leave: f64,
    },
    /// No condition.
    #[error("it has no condition and would speak always; write one in `when`")]
    Unconditional,
    /// It can never speak.
    #[error("it can never speak: {why}; change one of the two")]
    Unreachable {
        /// Which things exclude each other.
        why: String,
    },
    /// The same twice.
    #[error("it does the same on the same occasion as `{other}`; leave one of them out")]
    Repeated {
        /// The other rule.
        other: String,
    },
    /// No such rule.
    #[error("it conflicts with `{name}`, which no rule is called; did you mean `{nearest}`?")]
    UnknownRule {
        /// What it says.
        name: String,
        /// What is nearest.
        nearest: String,
    },
    /// Two rules that contradict each other may go together.
    #[error("it and `{other}` contradict each other; put `{other}` into its `conflicts_with`")]
    UndeclaredConflict {
        /// The other rule.
        other: String,
    },
    /// An action that belongs to another strategy.
    #[error("`{payload}` is no action of this strategy; put it under `{strategy}`")]
    WrongStrategy {
        /// What it does.
        payload: &'static str,
        /// Where that belongs.
        strategy: &'static str,
    },
    /// More is asked of who may have shown nothing.
    #[error(
        "it asks for more without evidence that the learner can do it; put a condition `above` 0.5 (of counts: 1) on the \
         lower bound of next_success, mastery, recent_success, successes or flow into `all`"
    )]
    AdvancesWithoutEvidence,
    /// More is asked of who may be unwell or have too much.
    #[error(
        "it asks for more and must be silent while {while_what} at the latest; put that into \
         `blocked_while`"
    )]
    NotBlocked {
        /// When it must be silent.
        while_what: &'static str,
    },
    /// Nobody would be taken out of the headset.
    #[error(
        "no rule stops for a break when {when}; take `{rule}` over from the table as delivered"
    )]
    NoSafety {
        /// On which occasion.
        when: &'static str,
        /// The rule as delivered.
        rule: &'static str,
    },
    /// It would not always be there.
    #[error(
        "it keeps the learner safe and must be able to speak every minute; set `cool_down` to 60 at most"
    )]
    SafetySlow,
    /// Safety must not be switched off.
    #[error(
        "it keeps the learner safe and may be blocked only by `comfort_put_aside`, not by `{by}`; leave that out"
    )]
    SafetyBlocked {
        /// By what it is.
        by: &'static str,
    },
    /// What may not be tried out.
    #[error("{what} is never part of an experiment; leave `experiment` out")]
    NoExperiment {
        /// What it is.
        what: &'static str,
    },
    /// No experiment that it could be part of.
    #[error(
        "it is part of an experiment that the table doesn't have; add `experiment: (do_nothing: 0.1)` to the table"
    )]
    ExperimentMissing,
    /// Support that never goes.
    #[error(
        "its support would stay for ever; add for example `fade_out: (success: 0.85, attempts: 3)`"
    )]
    NeverFades,
    /// What can't be taken back.
    #[error("its effect can't be taken back; leave `fade_out` out")]
    CannotFade,
    /// It may come again while it is active.
    #[error(
        "its effect is over after {expiry} s, before its cool-down of {cool_down} s; make it last at least as long"
    )]
    ExpiresTooSoon {
        /// Of the effect.
        expiry: f64,
        /// Of the rule.
        cool_down: f64,
    },
    /// A step that changes nothing.
    #[error("a step of 0 changes nothing; make it greater or smaller than 0")]
    NoStep,
    /// A limit beyond the step that it is for.
    #[error(
        "it goes {way} until {until}, which it can never reach from there; leave `until` out or turn the step round"
    )]
    UntilBehind {
        /// Which way it goes.
        way: &'static str,
        /// Up to where.
        until: f64,
    },
}

/// The name nearest to one that is not known, by the least number of letters changed (Levenshtein 1966).
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A text of any length may be written where a name belongs; no name is longer than this.
    let name: String = name.chars().take(64).collect();
    known.min_by_key(|candidate| distance(&name, candidate))
}

/// The name of the feature nearest to one that is not known.
pub(super) fn nearest_feature(name: &str) -> &'static str {
    nearest(name, Feature::ALL.into_iter().map(Feature::name)).unwrap_or_default()
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (place, to) in row.iter_mut().skip(1).zip(&b) {
            let here = (diagonal + usize::from(from != *to))
                .min(*place + 1)
                .min(left + 1);
            diagonal = std::mem::replace(place, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
