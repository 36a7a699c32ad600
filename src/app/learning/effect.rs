//! What the adaptation rules do: from the logs of a store, every comparison by lot with what came of it.

use std::fmt::Write as _;

use crate::learning::strategy::effect::{
    Effect, EffectRules, NoEffect, Observed, Outcome, RuleReport, report,
};
use crate::learning::strategy::explain::LoggedTrial;
use crate::protocol::event::{Event, EventBody};

/// The effect of every rule that was compared, over the logs of a class.
pub(super) fn of(logs: &[Vec<Event>]) -> Vec<RuleReport> {
    let trials: Vec<(u64, &LoggedTrial, Outcome)> = logs
        .iter()
        .zip(0..)
        .flat_map(|(log, learner)| {
            trials(log).map(move |(trial, outcome)| (learner, trial, outcome))
        })
        .collect();
    let observed: Vec<Observed> = trials
        .iter()
        .map(|&(learner, trial, outcome)| Observed {
            learner,
            trial,
            outcome,
        })
        .collect();
    report(&observed, &EffectRules::default())
}

/// The comparisons in one learner's log, each with the next attempt of the same session.
fn trials(log: &[Event]) -> impl Iterator<Item = (&LoggedTrial, Outcome)> {
    log.iter().zip(1..).filter_map(|(event, next)| {
        let EventBody::Decided(decision) = &event.body else {
            return None;
        };
        let trial = decision.trial.as_ref()?;
        let later = log.get(next..).unwrap_or_default().iter();
        let attempt = later
            .take_while(|it| it.session == event.session)
            .find_map(|it| match &it.body {
                EventBody::Attempted(attempt) => Some(attempt),
                _ => None,
            });
        let outcome = attempt.map_or_else(Outcome::default, |attempt| Outcome {
            success: Some(f64::from(u8::from(attempt.correct))),
            seconds: Some(attempt.latency.as_secs_f64()),
        });
        Some((trial, outcome))
    })
}

/// The report in words.
pub(super) fn in_words(reports: &[RuleReport]) -> String {
    let mut text = String::new();
    if reports.is_empty() {
        text.push_str(
            "no rule was ever left out by lot; that has to be agreed to (`records consent --scope hold-out`)\n",
        );
    }
    for it in reports {
        let _ = writeln!(text, "{}", it.rule);
        let _ = writeln!(
            text,
            "  next attempt right: {}",
            line(&it.success, 100.0, "points")
        );
        let _ = writeln!(
            text,
            "  time to it:         {}",
            line(&it.seconds, 1.0, "s")
        );
    }
    text
}

fn line(effect: &Result<Effect, NoEffect>, scale: f64, unit: &str) -> String {
    match effect {
        Ok(effect) => {
            let it = effect.hajek;
            format!(
                "{:+.2} {unit} [{:+.2}, {:+.2}], {} trials with and {} without, {} learners",
                it.estimate * scale,
                it.interval.low * scale,
                it.interval.high * scale,
                effect.treated,
                effect.untreated,
                effect.learners
            )
        }
        Err(why) => why.to_string(),
    }
}
