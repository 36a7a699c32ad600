//! `malloc-vr records class`: figures over everybody in a store that tell nothing about any one of them.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use super::law;
use super::records::open;
use crate::protocol::event::{EndReason, EventBody};
use crate::protocol::ids::LearnerId;
use crate::record::aggregate::{AggregatePolicy, Asks, MicroEpsilon};
use crate::record::{Action, ClassLedger, Store};
use crate::session::state::LearnerState;

/// Bounds of what is averaged. They must not come from the data.
const MOST_STEPS: f64 = 100.0;
const MOST_MINUTES: f64 = 600.0;
/// Two events further apart are not one stay, milliseconds.
const APART: u64 = 120_000;

/// One figure of everybody.
struct Question {
    title: &'static str,
    unit: &'static str,
    asks: Asks,
    of: fn(&Figures) -> f64,
}

const MEAN_SHARE: Asks = Asks::Mean {
    low: 0.0,
    high: 1.0,
};

const QUESTIONS: [Question; 4] = [
    Question {
        title: "attempts that were right",
        unit: "of all",
        asks: MEAN_SHARE,
        of: |it| it.right,
    },
    Question {
        title: "steps done",
        unit: "each",
        asks: Asks::Mean {
            low: 0.0,
            high: MOST_STEPS,
        },
        of: |it| it.steps,
    },
    Question {
        title: "time in lessons",
        unit: "minutes each",
        asks: Asks::Mean {
            low: 0.0,
            high: MOST_MINUTES,
        },
        of: |it| it.minutes,
    },
    Question {
        title: "have finished a lesson",
        unit: "learners",
        asks: Asks::AtLeast { value: 1.0 },
        of: |it| it.finished,
    },
];

/// What is counted of one learner.
#[derive(Debug, Default)]
struct Figures {
    right: f64,
    steps: f64,
    minutes: f64,
    finished: f64,
}

/// Prints the figures; each costs every learner a quarter of `epsilon`.
pub(super) fn figures(epsilon: f64, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    if !(epsilon.is_finite() && epsilon > 0.0) {
        return Err(
            format!("`{epsilon}` is no privacy loss; give a number above 0, such as 0.5").into(),
        );
    }
    let store = open(data_dir)?;
    let by = super::duties::by("figures of the class");
    store.audit(&by, None, Action::Accessed)?;
    let class = counted(&store)?;
    let all = store.learners()?.len();
    if class.len() < all {
        println!(
            "{} of {all} learners: the others' records are restricted",
            class.len()
        );
    }
    let mut ledger = ClassLedger::open(&law::ledger_file(data_dir), store.keys())?;
    let cost = MicroEpsilon::of(epsilon / QUESTIONS.len() as f64);
    let policy = AggregatePolicy::default();
    for question in &QUESTIONS {
        let values: Vec<(LearnerId, f64)> = class
            .iter()
            .map(|(learner, figures)| (*learner, (question.of)(figures)))
            .collect();
        // Whoever is left out by law is left out of the class, too: the rest does not show by difference.
        let told = ledger.ask(
            question.asks,
            &values,
            values.len(),
            cost,
            &policy,
            store.keys(),
        )?;
        println!(
            "{:<24} {:>8.2} \u{b1} {:.2} {} ({} learners)",
            question.title, told.value, told.noise_95, question.unit, told.learners
        );
    }
    let spent = class.iter().map(|(learner, _)| ledger.spent(*learner));
    let left = policy.budget.epsilon() - spent.max().unwrap_or_default().epsilon();
    println!(
        "each figure is blurred by chance so that nobody's own can be told from it; the noise lies within what stands \
         behind \u{b1} in 95 of 100 cases. Spent today: \u{3b5} = {epsilon}; left: {left:.2}"
    );
    Ok(ExitCode::SUCCESS)
}

/// What is counted of everybody whose record may be used.
fn counted(store: &Store) -> Result<Vec<(LearnerId, Figures)>, Box<dyn Error>> {
    let mut class = Vec::new();
    for entry in store.learners()? {
        let log = store.events(entry.learner)?;
        let state = LearnerState::of(&log)?;
        if state.is_restricted() {
            continue;
        }
        let mut figures = Figures::default();
        let (mut attempts, mut right, mut milliseconds) = (0_u32, 0_u32, 0_u64);
        let mut before = None;
        for event in &log {
            let since = event
                .at_unix_ms
                .saturating_sub(before.unwrap_or(event.at_unix_ms));
            before = Some(event.at_unix_ms);
            if since < APART {
                milliseconds += since;
            }
            match &event.body {
                EventBody::Attempted(attempt) => {
                    attempts += 1;
                    right += u32::from(attempt.correct);
                }
                EventBody::StepCompleted { skipped: false, .. } => figures.steps += 1.0,
                EventBody::SessionEnded {
                    reason: EndReason::LessonCompleted,
                } => figures.finished = 1.0,
                _ => {}
            }
        }
        figures.right = f64::from(right) / f64::from(attempts.max(1));
        figures.minutes = milliseconds as f64 / 60_000.0;
        class.push((entry.learner, figures));
    }
    Ok(class)
}
