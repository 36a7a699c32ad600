//! The thresholds of the system this one grew out of, on our signals: what ours is compared with.
//!
//! They are the rows of its four strategies as they stood. Where it took 0.5 for what was not measured, so does this;
//! where it repeated a command every five seconds, so does this. Read in its favour: a multiplier is one of the authored
//! level and not of the present one, a change of approach is made once per step, support in place isn't put up again.

use super::act::{Act, Advice};
use super::scene::Seen;
use crate::learning::strategy::feature::Feature;

/// What the thresholds look at, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signals {
    /// Our load.
    pub stress: f64,
    /// Share of the last attempts that were right.
    pub completion: f64,
    /// P(known) of the step's skill.
    pub confidence: f64,
    /// Share of the last attempts that were wrong.
    pub errors: f64,
    /// Share of the last attempts with hints.
    pub help: f64,
    /// Share of the time on task.
    pub attention: f64,
    /// Share of the time with the head on the task.
    pub quality: f64,
    /// Competency in the step's skill.
    pub skill: f64,
}

impl Signals {
    /// From what our models say.
    #[must_use]
    pub fn of(seen: &Seen) -> Self {
        let recent = seen.five.recent();
        let skill = seen.five.skills().get(seen.skill as usize);
        let on_task = seen.five.engagement().on_task();
        let head = seen.five.engagement().head_on_task();
        let success = recent.success(1);
        Self {
            stress: seen.view().get(Feature::Load).map_or(0.5, |load| load.mean),
            completion: success.unwrap_or(0.5),
            confidence: skill
                .and_then(|skill| skill.mastery())
                .map_or(0.5, |known| known.mean),
            errors: success.map_or(0.5, |success| 1.0 - success),
            help: recent.hinted(1).unwrap_or(0.5),
            attention: on_task.map_or(0.5, |share| share.estimate.mean),
            quality: head.map_or(0.5, |share| share.estimate.mean),
            skill: skill.and_then(|skill| skill.competency()).unwrap_or(0.5),
        }
    }
}

/// What the thresholds say: at most five commands, most urgent first.
#[must_use]
pub fn advise(s: &Signals, other_approach: bool) -> Advice {
    // Act and its priority there, 1 the most urgent.
    let mut rows: [Option<(u8, Act)>; 8] = [None; 8];
    let [
        difficulty,
        hints,
        tutorial,
        reduce,
        engagement,
        variety,
        content,
        pace,
    ] = &mut rows;
    if s.stress > 0.7 || s.completion < 0.3 {
        let multiple = 1.0 - (0.5 * s.stress).min(0.3);
        *difficulty = Some((2, Act::Difficulty(multiple)));
    } else if s.confidence > 0.8 && s.errors < 0.1 {
        let multiple = 1.0 + (0.3 * s.confidence).min(0.2);
        *difficulty = Some((3, Act::Difficulty(multiple)));
    }
    if s.help > 0.2 || s.errors > 0.4 {
        *hints = (s.errors > 0.3).then_some((1, Act::OfferHint(1)));
        *tutorial = (s.help > 0.15).then_some((2, Act::AddSupport));
    } else if s.help < 0.05 && s.confidence > 0.7 {
        *reduce = Some((4, Act::FadeSupport));
    }
    if s.attention < 0.4 {
        *engagement = Some((2, Act::Vary));
        *variety = (s.quality < 0.4).then_some((3, Act::Vary));
    }
    if s.skill < 0.4 {
        *content = (!other_approach).then_some((2, Act::ChangeApproach));
    } else if s.confidence > 0.8 && s.completion > 0.8 {
        *content = Some((3, Act::MoveOn));
    }
    if s.stress > 0.6 || s.errors > 0.3 {
        *pace = Some((2, Act::Pace(0.7)));
    } else if s.attention > 0.8 && s.errors < 0.1 {
        *pace = Some((4, Act::Pace(1.2)));
    }
    let mut advice = Advice::default();
    for urgency in 1..=5 {
        for (priority, action) in rows.iter().flatten() {
            if *priority == urgency {
                advice.push(*action);
            }
        }
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_rows_are_the_sources() {
        let calm = Signals {
            stress: 0.2,
            completion: 0.5,
            confidence: 0.5,
            errors: 0.2,
            help: 0.1,
            attention: 0.6,
            quality: 0.6,
            skill: 0.5,
        };
        assert!(advise(&calm, false).is_empty());
        let stressed = Signals {
            stress: 0.8,
            ..calm
        };
        let said: Vec<_> = advise(&stressed, false).iter().copied().collect();
        assert_eq!(said, [Act::Difficulty(0.7), Act::Pace(0.7)]);
        let sure = Signals {
            confidence: 0.9,
            completion: 0.95,
            errors: 0.05,
            ..calm
        };
        let said: Vec<_> = advise(&sure, false).iter().copied().collect();
        assert_eq!(said, [Act::Difficulty(1.2), Act::MoveOn]);
    }
}
