//! Ways through flows: by example, and through random ones.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::lesson::format::Variant;
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

fn variants(of: &[(f64, &str)]) -> Flow {
    let variant = |(difficulty, name): &(f64, &str)| Variant {
        difficulty: *difficulty,
        flow: step(name),
    };
    Flow::Variants(of.iter().map(variant).collect())
}

#[test]
fn the_variant_nearest_to_the_difficulty_is_given_until_one_is_begun() {
    let flow = variants(&[(1.0, "usual"), (0.6, "easy"), (1.4, "hard")]);
    let mut progress = Progress::new(&flow);
    for (difficulty, name) in [
        (1.0, "usual"),
        (0.7, "easy"),
        (1.6, "hard"),
        (0.81, "usual"),
    ] {
        progress.suit(difficulty);
        assert_eq!(names(&progress), [name]);
    }
    progress.suit(0.4);
    let entered = EventBody::StepEntered {
        step: StepId::new("easy"),
        event: None,
        hints: 0,
    };
    // Who comes back stands before the same form.
    assert_eq!(names(&Progress::replay(&flow, [&entered])), ["easy"]);
    progress.attempted(&StepId::new("easy"), false);
    progress.suit(1.6);
    assert_eq!(names(&progress), ["easy"], "it is begun");
    progress.completed(&StepId::new("easy"));
    assert!(progress.is_done());
}

#[test]
fn forms_of_the_same_difficulty_take_turns_and_others_do_not() {
    let flow = variants(&[(1.0, "a"), (1.0, "b"), (0.6, "easy")]);
    let mut progress = Progress::new(&flow);
    let a = StepId::new("a");
    assert_eq!(
        progress.other_form(&a, Variety::Form),
        Some(StepId::new("b"))
    );
    progress.give(&StepId::new("b"));
    assert_eq!(names(&progress), ["b"]);
    assert_eq!(
        progress.other_form(&StepId::new("b"), Variety::Form),
        Some(a)
    );
    progress.attempted(&StepId::new("b"), false);
    assert_eq!(
        progress.other_form(&StepId::new("b"), Variety::Form),
        None,
        "it is begun"
    );
    progress.suit(0.6);
    let mut easy = Progress::new(&flow);
    easy.suit(0.5);
    assert_eq!(easy.other_form(&StepId::new("easy"), Variety::Form), None);
}

#[test]
fn by_interaction_the_form_with_the_next_more_to_do_is_taken() {
    let all = |names: &[&str]| Flow::Sequence(names.iter().map(|name| step(name)).collect());
    let variant = |flow| Variant {
        difficulty: 1.0,
        flow,
    };
    let thrice = Flow::Repeat {
        flow: Box::new(step("again")),
        successes: 3,
        at_most: 9,
    };
    let with_extra = Flow::Sequence(vec![Flow::Optional(Box::new(step("extra"))), step("usual")]);
    let flow = Flow::Variants(vec![
        variant(step("short")),
        variant(thrice),
        variant(all(&["hold", "turn"])),
        variant(with_extra),
    ]);
    let mut progress = Progress::new(&flow);
    for (from, to) in [
        ("short", Some("hold")),
        ("hold", Some("again")),
        ("again", None),
        // What may be left out is not more to do.
        ("extra", Some("hold")),
    ] {
        progress.give(&StepId::new(from));
        let fuller = progress.other_form(&StepId::new(from), Variety::Interaction);
        assert_eq!(fuller, to.map(StepId::new), "from {from}");
    }
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
            prop::collection::vec((0.4..1.6_f64, inner.clone()), 1..4).prop_map(|variants| {
                let variant = |(difficulty, flow)| Variant { difficulty, flow };
                Flow::Variants(variants.into_iter().map(variant).collect())
            }),
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
        Flow::Variants(variants) => {
            for variant in variants {
                name_steps(&mut variant.flow, next);
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
        Flow::Variants(variants) => {
            let first = variants.iter().take(1);
            first.for_each(|variant| first_ways(&variant.flow, due));
        }
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
        blurred: Default::default(),
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
        moves in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<bool>(), any::<bool>(), 0.4..1.6_f64), 600,
        ),
    ) {
        let mut live = Progress::new(&flow);
        let mut log = Vec::new();
        for (pick, correct, gives_up, difficulty) in moves {
            live.suit(difficulty);
            let candidates = live.candidates();
            if candidates.is_empty() {
                break;
            }
            let step = pick.get(&candidates);
            live.give(step);
            log.push(EventBody::StepEntered { step: step.clone(), event: None, hints: 0 });
            live.attempted(step, correct);
            log.push(attempt(step, correct));
            if correct || gives_up {
                for skipped in live.completed(step) {
                    log.push(EventBody::StepCompleted { step: skipped, skipped: true });
                }
                log.push(EventBody::StepCompleted { step: step.clone(), skipped: !correct });
            }
            // What has not begun is chosen when its turn comes.
            let (mut there, mut here) = (Progress::replay(&flow, &log), live.clone());
            there.suit(difficulty);
            here.suit(difficulty);
            prop_assert_eq!(there, here);
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
