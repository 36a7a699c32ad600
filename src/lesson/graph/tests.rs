//! Ways through flows: by example, and through random ones.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::protocol::event::{Attempt, Evidence};
use crate::protocol::ids::{AttemptId, ObjectId};

fn step(name: &str) -> Flow {
    Flow::Step(StepId::new(name))
}

fn names(progress: &Progress) -> Vec<String> {
    progress
        .candidates()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_sequence_goes_one_by_one() {
    let mut progress = Progress::new(&Flow::Sequence(vec![step("a"), step("b")]));
    assert_eq!(names(&progress), ["a"]);
    progress.completed(&StepId::new("b"));
    assert_eq!(names(&progress), ["a"], "what is not due cannot be done");
    progress.completed(&StepId::new("a"));
    assert_eq!(names(&progress), ["b"]);
    progress.completed(&StepId::new("b"));
    assert!(progress.is_done());
}

#[test]
fn the_first_attempt_chooses() {
    let mut progress = Progress::new(&Flow::Choice(vec![step("a"), step("b")]));
    assert_eq!(names(&progress), ["a", "b"]);
    progress.attempted(&StepId::new("b"), false);
    assert_eq!(names(&progress), ["b"]);
    progress.completed(&StepId::new("b"));
    assert!(progress.is_done());
}

#[test]
fn doing_what_follows_skips_the_optional() {
    let flow = Flow::Sequence(vec![
        Flow::Optional(Box::new(Flow::Sequence(vec![step("a"), step("b")]))),
        step("c"),
    ]);
    let mut progress = Progress::new(&flow);
    assert_eq!(names(&progress), ["a", "c"]);
    let skipped = progress.completed(&StepId::new("c"));
    assert_eq!(skipped, [StepId::new("a"), StepId::new("b")]);
    assert!(progress.is_done());
}

#[test]
fn an_optional_once_begun_is_finished_first() {
    let flow = Flow::Sequence(vec![
        Flow::Optional(Box::new(Flow::Sequence(vec![step("a"), step("b")]))),
        step("c"),
    ]);
    let mut progress = Progress::new(&flow);
    progress.completed(&StepId::new("a"));
    assert_eq!(names(&progress), ["b"]);
}

#[test]
fn a_repetition_ends_after_clean_rounds_or_at_its_limit() {
    let repeat = |at_most| Flow::Repeat {
        flow: Box::new(step("a")),
        successes: 2,
        at_most,
    };
    let a = StepId::new("a");
    let mut progress = Progress::new(&repeat(10));
    progress.completed(&a);
    progress.attempted(&a, false);
    progress.completed(&a);
    assert!(!progress.is_done(), "the second round had a mistake");
    progress.completed(&a);
    progress.completed(&a);
    assert!(progress.is_done());
    let mut progress = Progress::new(&repeat(1));
    progress.attempted(&a, false);
    progress.completed(&a);
    assert!(progress.is_done());
}

/// A random flow whose steps all have names of their own.
fn flows() -> impl Strategy<Value = Flow> {
    let leaf = Just(step("x"));
    let flow = leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Flow::Sequence),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Flow::Choice),
            inner
                .clone()
                .prop_map(|flow| Flow::Optional(Box::new(flow))),
            (inner, 1u32..3, 1u32..4).prop_map(|(flow, successes, at_most)| Flow::Repeat {
                flow: Box::new(flow),
                successes,
                at_most,
            }),
        ]
    });
    flow.prop_map(|mut flow| {
        let mut next = 0;
        name_steps(&mut flow, &mut next);
        flow
    })
}

fn name_steps(flow: &mut Flow, next: &mut u32) {
    match flow {
        Flow::Step(id) => {
            *id = StepId::new(format!("s{next}"));
            *next += 1;
        }
        Flow::Sequence(items) | Flow::Choice(items) => {
            for item in items {
                name_steps(item, next);
            }
        }
        Flow::Optional(inner) | Flow::Repeat { flow: inner, .. } => name_steps(inner, next),
    }
}

/// Steps on the way of somebody who always takes the first candidate.
fn first_ways(flow: &Flow, due: &mut BTreeSet<StepId>) {
    match flow {
        Flow::Step(id) => {
            due.insert(id.clone());
        }
        Flow::Sequence(items) => items.iter().for_each(|item| first_ways(item, due)),
        Flow::Choice(items) => items.iter().take(1).for_each(|item| first_ways(item, due)),
        Flow::Optional(inner) | Flow::Repeat { flow: inner, .. } => first_ways(inner, due),
    }
}

#[test]
fn a_flow_as_deep_as_any_text_can_write_it_is_played() {
    let mut flow = step("a");
    for depth in 0..64 {
        flow = match depth % 4 {
            0 => Flow::Sequence(vec![flow]),
            1 => Flow::Choice(vec![flow]),
            2 => Flow::Optional(Box::new(flow)),
            _ => Flow::Repeat {
                flow: Box::new(flow),
                successes: 1,
                at_most: 3,
            },
        };
    }
    let mut progress = Progress::new(&flow);
    assert_eq!(names(&progress), ["a"]);
    progress.completed(&StepId::new("a"));
    assert!(progress.is_done());
}

fn attempt(step: &StepId, correct: bool) -> EventBody {
    EventBody::Attempted(Attempt {
        id: AttemptId::fresh(),
        step: step.clone(),
        skills: Vec::new(),
        correct,
        credit: 0.0,
        latency: Duration::ZERO,
        hints_used: 0,
        position_error: None,
        rotation_error: None,
        quality: crate::learning::quality::Quality::PERFECT,
        evidence: Evidence::Touched {
            object: ObjectId::new("o"),
        },
    })
}

proptest! {
    #[test]
    fn right_answers_alone_end_it_and_enter_every_step_that_is_no_other_way(flow in flows()) {
        let mut progress = Progress::new(&flow);
        let mut entered = BTreeSet::new();
        let mut rounds = 0;
        while let Some(step) = progress.candidates().first().cloned() {
            rounds += 1;
            prop_assert!(rounds < 10_000, "it goes on for ever");
            entered.insert(step.clone());
            progress.attempted(&step, true);
            prop_assert!(progress.completed(&step).is_empty(), "taking the first candidate skips nothing");
        }
        prop_assert!(progress.is_done());
        let mut due = BTreeSet::new();
        first_ways(&flow, &mut due);
        prop_assert_eq!(entered, due);
    }

    #[test]
    fn what_is_not_due_changes_nothing(flow in flows(), correct in any::<bool>()) {
        let mut progress = Progress::new(&flow);
        let before = progress.clone();
        let stranger = StepId::new("stranger");
        progress.attempted(&stranger, correct);
        prop_assert!(progress.completed(&stranger).is_empty());
        prop_assert_eq!(progress, before);
    }

    #[test]
    fn play_always_ends_and_its_log_gives_the_same_progress(
        flow in flows(),
        moves in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<bool>()), 600),
    ) {
        let mut live = Progress::new(&flow);
        let mut log = Vec::new();
        for (pick, correct, gives_up) in moves {
            let candidates = live.candidates();
            if candidates.is_empty() {
                break;
            }
            let step = pick.get(&candidates);
            live.attempted(step, correct);
            log.push(attempt(step, correct));
            if correct || gives_up {
                for skipped in live.completed(step) {
                    log.push(EventBody::StepCompleted { step: skipped, skipped: true });
                }
                log.push(EventBody::StepCompleted { step: step.clone(), skipped: !correct });
            }
            prop_assert_eq!(&Progress::replay(&flow, &log), &live);
        }
        // No dead end: right answers finish it from anywhere.
        for _ in 0..2000 {
            let candidates = live.candidates();
            prop_assert_eq!(candidates.is_empty(), live.is_done());
            let Some(step) = candidates.last() else { break };
            live.attempted(step, true);
            live.completed(step);
        }
        prop_assert!(live.is_done());
    }
}
