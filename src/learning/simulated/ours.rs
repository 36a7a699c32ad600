//! Our adaptation rules at work in a simulated lesson.

use super::act::{Act, Advice};
use super::scene::{Decider, Seen};
use crate::learning::hints::{HintAction, hint};
use crate::learning::predict::Predictor;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::check::Checked;
use crate::learning::strategy::choose::choose;
use crate::learning::strategy::memory::Memory;

/// The rules of a table and its hint ladder, with a memory of their own, through one lesson. Nothing is randomised.
#[must_use]
pub fn ours(table: &Checked) -> Decider<'_> {
    going_on(table, Memory::new(table), 0.0)
}

/// The same from the middle of a lesson on: with what is remembered, `clock` seconds on its clock.
#[must_use]
pub fn going_on(table: &Checked, mut memory: Memory, clock: f64) -> Decider<'_> {
    let predictor = Predictor::default();
    Box::new(move |seen: &Seen| {
        let view = seen.view_with(&predictor);
        let choice = choose(table, &mut memory, &view, clock + seen.scene.now, None);
        let rung = seen.scene.hints.rung.saturating_add(1);
        let mut advice = Advice::default();
        for pick in choice.picks.iter() {
            let act = match pick.action {
                Action::Rest => Act::Rest,
                Action::OfferBreak => Act::OfferBreak,
                Action::OfferHint => Act::OfferHint(rung),
                Action::AddSupport { .. } => Act::AddSupport,
                Action::FadeSupport => Act::FadeSupport,
                Action::Difficulty { multiplier } => Act::Difficulty(multiplier),
                Action::Pace { multiplier } => Act::Pace(multiplier),
                Action::ChangeApproach => Act::ChangeApproach,
                Action::Vary { .. } => Act::Vary,
                Action::MoveOn => Act::MoveOn,
                // Nobody is told and nothing is due within one lesson.
                Action::Review | Action::TellInstructor => continue,
            };
            advice.push(act);
        }
        let hinted = advice.iter().any(|act| matches!(act, Act::OfferHint(_)));
        let ladder = hint(table.hints(), &seen.scene.hints);
        match ladder.map(|ladder| ladder.action) {
            Some(HintAction::Offer(rung)) if !hinted => {
                advice.push(Act::OfferHint(rung));
            }
            Some(HintAction::Fade) if !hinted => {
                advice.push(Act::FadeHint);
            }
            _ => {}
        }
        advice
    })
}

/// What the original's thresholds say, every time they are asked.
#[must_use]
pub fn original() -> Decider<'static> {
    Box::new(|seen: &Seen| {
        let signals = super::original::Signals::of(seen);
        super::original::advise(&signals, seen.other_approach())
    })
}

/// The same with at least `seconds` between two changes, so that not its worst fault alone decides a comparison.
#[must_use]
pub fn patient_original(seconds: f64) -> Decider<'static> {
    let mut every_time = original();
    Box::new(move |seen: &Seen| {
        let since = seen.scene.since_change;
        if since.is_some_and(|since| since < seconds) {
            Advice::default()
        } else {
            every_time(seen)
        }
    })
}
