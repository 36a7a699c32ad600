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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::learning::quality::Quality;
    use crate::learning::strategy::explain::Decision;
    use crate::protocol::event::{Attempt, Evidence};
    use crate::protocol::ids::{AttemptId, LearnerId, SessionId, StepId};

    fn decided(number: u64, spoke: bool) -> EventBody {
        EventBody::Decided(Decision {
            number,
            at: 0.0,
            attempts: number,
            chosen: Vec::new(),
            considered: Vec::new(),
            saw: Vec::new(),
            trial: Some(LoggedTrial {
                arms: vec!["another-form".to_owned()],
                drawn: spoke.then(|| "another-form".to_owned()),
                propensity: 0.5,
                propensity_of_nothing: 0.5,
                seed: 7,
                uniform: 0.5,
            }),
            table: String::new(),
            models: Vec::new(),
        })
    }

    fn attempted(correct: bool, seconds: u64) -> EventBody {
        EventBody::Attempted(Attempt {
            id: AttemptId::fresh(),
            step: StepId::new("step"),
            skills: Vec::new(),
            correct,
            credit: 0.0,
            latency: Duration::from_secs(seconds),
            hints_used: 0,
            position_error: None,
            rotation_error: None,
            quality: Quality::default(),
            blurred: Default::default(),
            evidence: Evidence::TimedOut,
        })
    }

    /// A learner whom the rule helps: right in 4 s with it, wrong in 9 s without.
    fn helped() -> Vec<Event> {
        let (learner, session) = (LearnerId::fresh(), SessionId::fresh());
        let bodies = (0..6).flat_map(|number| {
            let spoke = number % 2 == 0;
            let came = attempted(spoke, if spoke { 4 } else { 9 });
            [decided(number, spoke), came]
        });
        let event = |(seq, body)| Event {
            seq,
            at_unix_ms: seq,
            learner,
            session,
            body,
        };
        (1..).zip(bodies).map(event).collect()
    }

    #[test]
    fn a_rule_that_helps_is_found_in_the_logs_of_a_class() {
        let logs: Vec<_> = (0..12).map(|_| helped()).collect();
        let reports = of(&logs);
        let [report] = &reports[..] else {
            panic!("{reports:?}");
        };
        let success = report.success.as_ref().unwrap();
        assert!((success.hajek.estimate - 1.0).abs() < 1e-9);
        assert_eq!(
            (success.treated, success.untreated, success.learners),
            (36, 36, 12)
        );
        let seconds = report.seconds.as_ref().unwrap();
        assert!((seconds.hajek.estimate + 5.0).abs() < 1e-9);
        assert!(
            in_words(&reports).contains("+100.00 points"),
            "{}",
            in_words(&reports)
        );
    }

    #[test]
    fn few_trials_say_nothing_and_another_session_is_no_outcome() {
        let reports = of(&[helped()]);
        assert!(reports[0].success.is_err());
        assert!(in_words(&reports).contains("too few"));
        let mut later = helped();
        let session = SessionId::fresh();
        later[1].session = session;
        let (_, outcome) = trials(&later[..2]).next().unwrap();
        assert_eq!(outcome, Outcome::default());
        assert!(in_words(&of(&[])).contains("hold-out"));
    }
}
