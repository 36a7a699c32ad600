//! What if: the rest of a session from any point on under another table, or with its hint at another time.
//!
//! The learner of the log is left behind at that point; simulated ones go on, drawn from what the models believe of them
//! there, with its uncertainty (`learning::simulated::fork`). Of those only count who would have been seen doing what the
//! learner did until the next attempt. What comes out says something of such learners, never of a person.

use std::error::Error;
use std::fmt::Write as _;

use serde::Serialize;

use super::point::{before_hint, begin, clock, point_at, remembered, session, start};
use super::{ReplayArgs, edition};
use crate::adaptation::Strategies;
use crate::app::policy;
use crate::learning::simulated::act::{Act, Advice};
use crate::learning::simulated::draws::Draws;
use crate::learning::simulated::fork::{Fork, Pair, WhatIf};
use crate::learning::simulated::lesson::{Lesson as Simulated, Step as Task};
use crate::learning::simulated::ours::going_on;
use crate::learning::simulated::scene::{Decider, Policy, Seen};
use crate::learning::simulated::truth::{MAX_SKILLS, Population};
use crate::lesson::format::Lesson;
use crate::protocol::event::Event;
use crate::protocol::ids::{LearnerId, SessionId, StepId};
use crate::session::state::LearnerState;

/// Longest that the simulated rest may last, seconds. Arbitrary: as long as a school lesson leaves for the headset.
const LONGEST: f64 = 1800.0;
/// Seconds that are good time for an attempt, where the author does not say: as in the simulated lesson.
const GOOD_TIME: f64 = 12.0;

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    learner: LearnerId,
    session: SessionId,
    /// Last event that happened in both.
    at: u64,
    /// Seconds since the session began.
    at_seconds: f64,
    step: StepId,
    first: String,
    second: String,
    /// Simulated learners that count.
    learners: usize,
    /// Steps of the lesson that are left out: they exercise no skill, or one too many to simulate.
    steps_left_out: Vec<StepId>,
    simulated: &'static str,
    pub figures: WhatIf,
}

const WARNING: &str = "This is simulated: people who do not exist, of whom the models would believe the same, in a model \
of learning that was not fitted to anybody. It says what the two policies do to them, not what would have become of this learner.";

/// Runs the rest of a session both ways.
///
/// # Errors
/// What keeps it from being asked, and what to ask instead.
pub(super) fn what_if(
    args: &ReplayArgs,
    learner: LearnerId,
    log: &[Event],
    strategies: &Strategies,
) -> Result<Told, Box<dyn Error>> {
    let own = &session(log, args.session)?;
    let other = match &args.policy {
        Some(file) => policy::read(Some(file))?,
        None => strategies.clone(),
    };
    let shift = args.shift_hint.unwrap_or(0.0);
    if !shift.is_finite() || shift.abs() > 600.0 {
        return Err("a hint can be moved by at most 600 seconds; give --shift-hint less".into());
    }
    let from = begin(args, own)?;
    let (point, hint) = match args.shift_hint {
        Some(shift) => {
            let (point, rung) = before_hint(log, own, from, shift)?;
            (point, Some(rung))
        }
        None => (point_at(log, own, from), None),
    };
    let state = LearnerState::of(point.events)?;
    let (Some(lesson_id), Some(step)) = (&state.lesson, &state.step) else {
        return Err("no step of a lesson runs at that point; choose a later or an earlier one with --at or --at-time".into());
    };
    let lesson = edition(args, lesson_id)?;
    let rest = Rest::of(&lesson.lesson, &state, step).ok_or_else(|| {
        format!("nothing that exercises a skill is left of the lesson from step `{step}` on; choose an earlier point")
    })?;
    let five = state.models.five().with_first(&rest.numbers);
    let params = state.models.params().with_first(&rest.numbers);
    let population = Population::default();
    let fork = Fork {
        five: &five,
        params: &params,
        lesson: &rest.lesson,
        step: 0,
        start: start(own, &point, &state),
        left: LONGEST,
        population: &population,
    };
    let clock = clock(own, point.at);
    let tables = [strategies.table(), other.table()];
    let memories = tables.map(|table| remembered(own, &point, table));
    // As it was the hint comes after the shift, or at once where it is to come later.
    let when = [shift.max(0.0), (-shift).max(0.0)];
    let hint = |which: usize| hint.map(|rung| (when.get(which).copied().unwrap_or(0.0), rung));
    let decider = |which: usize| -> Decider {
        match (tables.get(which), memories.get(which)) {
            (Some(table), Some(memory)) => {
                let inner = going_on(table, memory.clone(), clock);
                match hint(which) {
                    Some((when, rung)) => hint_at(inner, when, rung),
                    None => inner,
                }
            }
            // There are two of each.
            _ => Box::new(|_: &Seen| Advice::default()),
        }
    };
    let (first, second) = (|| decider(0), || decider(1));
    let draws = Draws::new(state.seed);
    let figures = fork
        .compare(Policy::Models(&first), Policy::Models(&second), u64::from(args.seeds), draws)
        .ok_or("no simulated learner would have been seen doing the same until then; choose another point, or more --seeds")?;
    let words = |which: usize| {
        let table = tables.get(which).map(|table| table.edition());
        let mut words = table.unwrap_or_default();
        if let Some((when, rung)) = hint(which) {
            let _ = write!(words, ", hint {rung} after {when:.0} s");
        }
        words
    };
    Ok(Told {
        learner,
        session: own
            .events
            .first()
            .map_or(SessionId(uuid::Uuid::nil()), |it| it.session),
        at: point.events.last().map_or(0, |event| event.seq),
        at_seconds: point.at,
        step: step.clone(),
        first: words(0),
        second: words(1),
        learners: figures.differences.len(),
        steps_left_out: rest.left_out,
        simulated: WARNING,
        figures,
    })
}

/// The rules, but for the next hint, which comes after so many seconds and not before.
fn hint_at(mut inner: Decider<'_>, after: f64, rung: u8) -> Decider<'_> {
    let mut given = false;
    Box::new(move |seen: &Seen| {
        let advised = inner(seen);
        if given {
            return advised;
        }
        let mut advice = Advice::default();
        for act in advised
            .iter()
            .filter(|act| !matches!(act, Act::OfferHint(_)))
        {
            advice.push(*act);
        }
        if seen.scene.now + 1e-9 >= after {
            given = true;
            advice.push(Act::OfferHint(rung));
        }
        advice
    })
}

/// What is left of the lesson, for simulated learners.
struct Rest {
    lesson: Simulated,
    /// Numbers in the models of the skills, by their number in the simulated lesson.
    numbers: Vec<u32>,
    left_out: Vec<StepId>,
}

impl Rest {
    /// The running step first, then those not done, in the author's order. A step stands for the first of its skills.
    fn of(lesson: &Lesson, state: &LearnerState, running: &StepId) -> Option<Self> {
        let done = |id: &StepId| state.completed.iter().any(|done| done.step == *id);
        let open = lesson
            .steps
            .iter()
            .filter(|step| step.id != *running && !done(&step.id));
        let first = lesson.steps.iter().find(|step| step.id == *running);
        let (mut steps, mut numbers, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for step in first.into_iter().chain(open) {
            let number = step.evidence_for.first();
            let number = number.and_then(|skill| state.models.number(&lesson.id, skill));
            let place = number.and_then(|number| {
                let known = numbers.iter().position(|it| *it == number);
                known.or_else(|| {
                    (numbers.len() < MAX_SKILLS).then(|| {
                        numbers.push(number);
                        numbers.len() - 1
                    })
                })
            });
            match place {
                Some(skill) => steps.push(Task {
                    skill,
                    difficulty: 0.0,
                    variants: 1,
                    motion: 1.0,
                    reference: step.time_limit.map_or(GOOD_TIME, f64::from),
                }),
                None => left_out.push(step.id.clone()),
            }
        }
        // Where the running step is none of a skill, the point says nothing of what follows.
        let starts = first.is_some_and(|step| !left_out.contains(&step.id));
        (starts && !steps.is_empty()).then_some(Self {
            lesson: Simulated {
                steps,
                successes: 1,
                at_most: u32::MAX,
                seconds: LONGEST,
                once: true,
            },
            numbers,
            left_out,
        })
    }
}

impl Told {
    pub fn in_words(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "from event {} on ({:.1} s into session {}, step {}), {} simulated learners each way",
            self.at, self.at_seconds, self.session, self.step, self.learners
        );
        let _ = writeln!(text, "  A: {}\n  B: {}", self.first, self.second);
        let _ = writeln!(
            text,
            "{:<28}{:>10}{:>10}   B - A (95 % interval)",
            "", "A", "B"
        );
        let figures = &self.figures;
        let rows: [(&str, &Pair, f64, usize); 5] = [
            ("score next day, %", &figures.score, 100.0, 2),
            ("attempts", &figures.attempts, 1.0, 2),
            ("seconds", &figures.seconds, 1.0, 1),
            ("further hints", &figures.hints, 1.0, 2),
            ("leave before the end, %", &figures.left, 100.0, 1),
        ];
        for (name, pair, unit, digits) in rows {
            let d = &pair.difference;
            let _ = writeln!(
                text,
                "{name:<28}{:>10.digits$}{:>10.digits$}   {:+.digits$} ({:+.digits$} to {:+.digits$})",
                unit * pair.first.mean,
                unit * pair.second.mean,
                unit * d.mean,
                unit * d.lower,
                unit * d.upper,
            );
        }
        if !self.steps_left_out.is_empty() {
            let names: Vec<&str> = self.steps_left_out.iter().map(StepId::as_str).collect();
            let _ = writeln!(
                text,
                "left out, for no skill of theirs can be simulated: {}",
                names.join(", ")
            );
        }
        let _ = writeln!(text, "{}", self.simulated);
        text
    }
}
