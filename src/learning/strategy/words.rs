//! A decision in two plain sentences, for a teacher.

use super::action::{Action, Modality, SupportKind, Variety};
use super::choose::WhyNot;
use super::explain::{Chosen, Decision, Reason};
use super::feature::{Feature, Provenance, Unit};
use super::precedence::Principal;
use super::table::{Bound, Threshold};

impl Decision {
    /// Two sentences: what was done and why; what else was considered and why not.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} {}", self.what_and_why(), self.what_else())
    }

    fn what_and_why(&self) -> String {
        let done: Vec<String> = self.chosen.iter().map(in_words).collect();
        if done.is_empty() {
            return "Nothing was done, by lot, so that the effect of doing something can be told."
                .to_owned();
        }
        capitalised(&format!("{}.", done.join("; ")))
    }

    fn what_else(&self) -> String {
        let lot = self.trial.as_ref().filter(|trial| trial.drawn.is_some());
        let lot = lot.map(|trial| {
            format!(
                "It was drawn by lot, with a chance of {:.0} %, {} chosen between",
                100.0 * trial.propensity,
                match trial.arms.len() {
                    1 => "it and nothing were".to_owned(),
                    n => format!("{n} ways and nothing were"),
                }
            )
        });
        let others: Vec<String> = self
            .considered
            .iter()
            .filter(|it| !matches!(it.why_not, WhyNot::Absent(_)))
            .map(|it| format!("‘{}’ ({})", spaced(&it.rule), why_not(&it.why_not)))
            .collect();
        let unknown = self.considered.len() - others.len();
        let mut rest = if others.is_empty() {
            "nothing else was called for".to_owned()
        } else {
            format!("also considered: {}", others.join(", "))
        };
        if unknown > 0 {
            // Fewer than 64.
            let unknown = counted(unknown as u32, "rule");
            rest.push_str(&format!(
                "; {unknown} could not be asked for want of a value"
            ));
        }
        match lot {
            Some(lot) => format!("{lot}; {rest}."),
            None => capitalised(&format!("{rest}.")),
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn counted(n: u32, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

fn spaced(id: &str) -> String {
    id.replace('-', " ")
}

fn in_words(chosen: &Chosen) -> String {
    let seen: Vec<String> = chosen.reasons.iter().filter_map(observed).collect();
    let mut what = action(&chosen.action);
    // As a share of what the best circumstances bring.
    if let Some(gain) = chosen.expected_gain.filter(|gain| *gain > 0.0) {
        what.push_str(&format!(
            " (expected to add {:.0} points in a hundred to learning)",
            100.0 * gain
        ));
    }
    if seen.is_empty() || chosen.fading {
        format!("{what}, because {}", chosen.because)
    } else {
        format!("{what}, because {}: {}", chosen.because, seen.join(", "))
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Rest => "the lesson was stopped for a break".to_owned(),
        Action::OfferBreak => "a break was offered".to_owned(),
        Action::OfferHint => "the next hint was given".to_owned(),
        Action::AddSupport {
            kind,
            level,
            modality,
        } => {
            let kind = match kind {
                SupportKind::WorkedExample => "a worked example",
                SupportKind::FewerParts => "smaller parts",
                SupportKind::WiderTolerance => "wider tolerances",
                SupportKind::Guidance => "guidance",
            };
            let by = match modality {
                Modality::Text => "in writing",
                Modality::Voice => "by voice",
                Modality::Highlight => "by highlights",
                Modality::Ghost => "by showing hands",
            };
            format!("support was added ({kind}, {by}, level {level} of 3)")
        }
        Action::FadeSupport => "support was taken away".to_owned(),
        Action::Difficulty { multiplier } => format!(
            "the difficulty was set to {:.0} % of the authored one",
            100.0 * multiplier
        ),
        Action::Pace { multiplier } => format!(
            "the pace was set to {:.0} % of the authored one",
            100.0 * multiplier
        ),
        Action::ChangeApproach => "another way to the same skill was taken".to_owned(),
        Action::Vary { by, .. } => match by {
            Variety::Form => "the same was given in another form".to_owned(),
            Variety::Interaction => "more was given to do".to_owned(),
        },
        Action::MoveOn => "the lesson moved on to the next skill".to_owned(),
        Action::Review => "a review was begun".to_owned(),
        Action::TellInstructor => "the instructor was told".to_owned(),
    }
}

/// A condition that held, with its value; flags say nothing that the reason doesn't.
fn observed(reason: &Reason) -> Option<String> {
    let unit = reason.feature.unit();
    if unit == Unit::Flag {
        return None;
    }
    let value = reason.value?;
    let value = match unit {
        Unit::Share | Unit::Multiple => format!("{:.0} %", 100.0 * value),
        Unit::Seconds => format!("{value:.0} s"),
        Unit::Count | Unit::Flag => format!("{value:.0}"),
    };
    // Where a model gives no interval, nothing is sure.
    let exact = reason.interval?.width() <= 0.0;
    let by = match (reason.provenance?, reason.bound, reason.enter) {
        (Provenance::Measured, ..) => "",
        (_, Bound::Lower, Threshold::Above(_)) if !exact => "surely at least ",
        (_, Bound::Upper, Threshold::Below(_)) if !exact => "surely at most ",
        (_, Bound::Lower | Bound::Upper, _) if !exact => "possibly ",
        _ => "about ",
    };
    let from = match reason.provenance? {
        Provenance::Measured => "measured".to_owned(),
        Provenance::Inferred => format!("inferred from {}", counted(reason.n, "observation")),
    };
    Some(format!("{} is {by}{value} ({from})", name(reason.feature)))
}

fn name(feature: Feature) -> &'static str {
    match feature {
        Feature::Comfort => "comfort",
        Feature::ComfortPutAside => "the learner's wish to go on in spite of discomfort",
        Feature::BreakWanted => "the wish for a break",
        Feature::SinceBreak => "the time since the last break",
        Feature::Load => "the estimated task load",
        Feature::NextSuccess => "the chance of success in the next attempt",
        Feature::Mastery => "the chance that the skill is mastered",
        Feature::WheelSpinning => "the chance that more of the same doesn't help",
        Feature::EngagementDropped => "the chance that the learner is less at it than usual",
        Feature::Sickness => "the sickness to be expected",
        Feature::StallRisk => "the risk of getting stuck",
        Feature::DropOutRisk => "the risk of leaving",
        Feature::RecentSuccess => "the share of right attempts lately",
        Feature::ErrorRate => "the share of wrong attempts lately",
        Feature::HelpSeeking => "the share of attempts with a hint",
        Feature::Flow => "the share of attempts that went by themselves",
        Feature::Completion => "the share of steps done",
        Feature::Attempts => "the number of attempts",
        Feature::Failures => "the number of failures on this step",
        Feature::Successes => "the number of successes in a row",
        Feature::Hesitation => "the time without progress",
        Feature::HintsLeft => "the number of hints left",
        Feature::SupportLevel => "the level of support",
        Feature::Difficulty => "the difficulty against the authored one",
        Feature::Pace => "the pace against the authored one",
        Feature::ReviewDue => "a due review",
    }
}

fn why_not(why: &WhyNot<String>) -> String {
    match why {
        WhyNot::Absent(feature) => format!("{} is not known", name(*feature)),
        WhyNot::Blocked(feature) => format!("not while {} is as it is", name(*feature)),
        WhyNot::LeftAlone => "the learner does well".to_owned(),
        WhyNot::Outranked(by) => match by {
            Principal::Learner => "the learner set it".to_owned(),
            Principal::Instructor => "the instructor set it".to_owned(),
            Principal::Safety | Principal::Governor | Principal::Automatic => {
                "it is set otherwise".to_owned()
            }
        },
        WhyNot::CoolingDown(left) => format!("not again for {:.0} s", left.ceil()),
        WhyNot::Settling(left) => {
            format!("the last change is watched for {:.0} s more", left.ceil())
        }
        WhyNot::BudgetSpent => "done often enough".to_owned(),
        WhyNot::StillActive(rule) => format!("‘{}’ is still in effect", spaced(rule)),
        WhyNot::ConflictsWith(rule) => format!("doesn't go with ‘{}’", spaced(rule)),
        WhyNot::TooManyLately => "enough was changed lately".to_owned(),
        WhyNot::MessageFull => "enough at once".to_owned(),
        WhyNot::OneAtATime => "one change at a time".to_owned(),
        WhyNot::NothingLeft => "nothing left to change".to_owned(),
        WhyNot::NotDrawn => "not drawn".to_owned(),
        WhyNot::HeldOut => "held out by lot".to_owned(),
        WhyNot::SafetyFirst => "the break comes first".to_owned(),
        WhyNot::LittleToGain(_) => "too little to be gained by it".to_owned(),
    }
}
