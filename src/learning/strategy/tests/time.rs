//! What depends on time: cool-downs, budgets, fading, and that nothing swings to and fro.

use proptest::prelude::*;

use super::support::*;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::check::Checked;
use crate::learning::strategy::explain::explain;
use crate::learning::strategy::feature::{Feature, View};
use crate::learning::strategy::gain::ByGain;
use crate::learning::strategy::memory::Memory;
use crate::learning::strategy::precedence::{Lever, Principal};
use crate::learning::strategy::table::Payload;

#[test]
fn a_change_is_lived_with_before_the_next() {
    let table = test_table();
    let mut learner = Learner::new(&table);
    let view = in_trouble().inferred(Feature::Comfort, between(0.9, 1.0));
    assert_eq!(
        done(&learner.after(0.0, &view)),
        [Action::TellInstructor, Action::ChangeApproach]
    );
    assert!(done(&learner.after(49.0, &view)).is_empty());
    assert!(matches!(
        done(&learner.after(1.0, &view))[..],
        [Action::AddSupport { .. }]
    ));
}

#[test]
fn a_rule_entered_stays_so_until_its_other_threshold() {
    let table = test_table();
    let load = |lower| View::default().inferred(Feature::Load, between(lower, 0.9));
    let mut learner = Learner::new(&table);
    assert!(done(&learner.after(0.0, &load(0.45))).is_empty());
    assert_eq!(done(&learner.after(1.0, &load(0.51))).len(), 1);
    // Within the two thresholds it still speaks, below both no more.
    let supported = |view: View| view.measured(Feature::SupportLevel, 2.0);
    let _ = learner.after(60.0, &supported(load(0.51)));
    assert_eq!(done(&learner.after(60.0, &supported(load(0.45)))).len(), 1);
    assert!(done(&learner.after(60.0, &supported(load(0.39)))).is_empty());
    assert!(done(&learner.after(60.0, &supported(load(0.45)))).is_empty());
}

#[test]
fn support_goes_after_three_right_attempts_and_not_while_it_is_needed() {
    let table = test_table();
    let mut learner = Learner::new(&table);
    let hard = View::default().inferred(Feature::Load, between(0.6, 0.9));
    let choice = learner.after(0.0, &hard);
    let mut view = carried_out(hard, &choice);
    for right in [true, false, true, true] {
        view = view.attempted(right);
    }
    let calm = view.inferred(Feature::Load, between(0.2, 0.55));
    assert!(done(&learner.after(100.0, &calm)).is_empty());
    // Three in a row, but there is surely too much still.
    let three = view.attempted(true);
    let loaded = done(&learner.after(60.0, &three));
    assert!(!loaded.contains(&Action::FadeSupport), "{loaded:?}");
    let calm = three.inferred(Feature::Load, between(0.2, 0.55));
    assert_eq!(done(&learner.after(60.0, &calm)), [Action::FadeSupport]);
    // Once is enough.
    let gone = calm.measured(Feature::SupportLevel, 0.0);
    assert!(done(&learner.after(60.0, &gone)).is_empty());
}

#[test]
fn support_that_went_counts_no_more_when_other_support_comes() {
    let table = test_table();
    let mut learner = Learner::new(&table);
    let hard = View::default().inferred(Feature::Load, between(0.6, 0.9));
    let choice = learner.after(0.0, &hard);
    let three = (0..3).fold(carried_out(hard, &choice), |view, _| view.attempted(true));
    let calm = three.inferred(Feature::Load, between(0.2, 0.45));
    let choice = learner.after(60.0, &calm);
    assert_eq!(done(&choice), [Action::FadeSupport]);
    let novice = carried_out(calm, &choice)
        .inferred(Feature::NextSuccess, between(0.1, 0.3))
        .inferred(Feature::Mastery, between(0.1, 0.3));
    let choice = learner.after(60.0, &novice);
    assert!(matches!(done(&choice)[..], [Action::AddSupport { .. }]));
    // Those three successes were before it.
    let well = carried_out(novice, &choice).inferred(Feature::NextSuccess, between(0.65, 0.8));
    assert!(done(&learner.after(60.0, &well)).is_empty());
}

#[test]
fn what_the_world_refused_is_not_taken_back() {
    let table = test_table();
    let mut learner = Learner::new(&table);
    let hard = View::default().inferred(Feature::NextSuccess, between(0.1, 0.3));
    let choice = learner.after(0.0, &hard);
    let rule = choice.picks.iter().next().expect("easier").rule;
    // One difficulty command at a time …
    assert!(done(&learner.after(80.0, &hard)).is_empty());
    learner.memory.refused(rule, &table);
    // … and a refused one is none.
    assert_eq!(done(&learner.after(1.0, &hard)).len(), 1);
}

#[test]
fn who_looks_ahead_need_not_live_with_what_was_refused() {
    let hard = View::default().inferred(Feature::NextSuccess, between(0.1, 0.3));
    let loaded = View::default().inferred(Feature::Load, between(0.6, 0.9));
    let after_refusal = |table: &Checked| {
        let mut learner = Learner::new(table);
        let choice = learner.after(0.0, &hard);
        let rule = choice.picks.iter().next().expect("easier").rule;
        learner.memory.refused(rule, table);
        done(&learner.after(1.0, &loaded)).len()
    };
    assert_eq!(after_refusal(&test_table()), 0);
    let ahead = changed(|table| table.by_gain = Some(ByGain::default()));
    assert_eq!(after_refusal(&ahead), 1);
}

#[test]
fn another_table_begins_anew_and_what_was_done_stays_done() {
    let first = test_table();
    let second = changed(|table| table.limits.hold_for_learner = 60.0);
    let load = |lower| {
        let view = View::default().inferred(Feature::Load, between(lower, 0.9));
        view.measured(Feature::SupportLevel, 2.0)
    };
    let mut learner = Learner::new(&first);
    assert_eq!(done(&learner.after(0.0, &load(0.51))).len(), 1);
    learner.table = &second;
    // The change is lived with all the same …
    assert!(done(&learner.after(40.0, &load(0.51))).is_empty());
    learner.table = &first;
    // … and what held under the other table's numbers doesn't go on holding.
    assert!(done(&learner.after(60.0, &load(0.45))).is_empty());
    assert_eq!(done(&learner.after(1.0, &load(0.51))).len(), 1);
}

#[test]
fn time_that_goes_back_stands_still() {
    let table = test_table();
    let mut learner = Learner::new(&table);
    let view = View::default().inferred(Feature::NextSuccess, between(0.1, 0.3));
    assert_eq!(learner.after(0.0, &view).picks.len(), 1);
    for wrong in [f64::NAN, f64::NEG_INFINITY, -1e9, f64::INFINITY] {
        learner.now = wrong;
        assert!(!learner.after(0.0, &view).is_decision());
    }
}

/// Something to do all the time: hints every 30 s, reviews every 300 s.
fn busy() -> View {
    View::default()
        .concluded(Feature::StallRisk, Some(0.9), 9)
        .measured(Feature::HintsLeft, 3.0)
        .measured(Feature::ReviewDue, 1.0)
}

#[test]
fn a_rule_speaks_no_more_often_than_its_budget() {
    let table = changed(|table| {
        for rule in &mut table.rules {
            if rule.payload == Payload::OfferHint {
                rule.budget.times = 2;
            }
        }
    });
    let mut learner = Learner::new(&table);
    let mut given = Vec::new();
    for _ in 0..599 {
        given.extend(done(&learner.after(1.0, &busy())));
    }
    let count = |action| given.iter().filter(|it| **it == action).count();
    assert_eq!((count(Action::OfferHint), count(Action::Review)), (2, 2));
    // The window moves on.
    assert_eq!(done(&learner.after(2.0, &busy())).len(), 2);
}

#[test]
fn no_budget_keeps_anybody_from_a_break() {
    let table = changed(|table| {
        for rule in &mut table.rules {
            rule.budget.times = 1;
        }
    });
    let mut learner = Learner::new(&table);
    let wants = View::default().measured(Feature::BreakWanted, 1.0);
    for _ in 0..30 {
        assert_eq!(done(&learner.after(30.0, &wants)), [Action::Rest]);
    }
}

#[test]
fn the_limit_of_ten_minutes_holds_for_all_rules_together_and_not_for_a_break() {
    let table = changed(|table| table.limits.per_window = 3);
    let mut learner = Learner::new(&table);
    let mut given = Vec::new();
    for _ in 0..599 {
        given.extend(done(&learner.after(1.0, &busy())));
    }
    assert_eq!(given.len(), 3, "{given:?}");
    let wants = busy().measured(Feature::BreakWanted, 1.0);
    assert_eq!(done(&learner.after(0.5, &wants)), [Action::Rest]);
    // Nor is it passed within one message.
    let table = changed(|table| table.limits.per_window = 1);
    assert_eq!(Learner::new(&table).after(0.0, &busy()).picks.len(), 1);
}

#[test]
fn the_rate_of_asking_changes_nothing() {
    let table = test_table();
    let view = |second: u32| {
        let load = if second % 200 < 100 { 0.6 } else { 0.1 };
        View::default()
            .inferred(Feature::Load, between(load, load + 0.2))
            .inferred(Feature::NextSuccess, between(0.3, 0.55))
            .measured(Feature::SupportLevel, 2.0)
    };
    let run = |per_second: u32| {
        let mut learner = Learner::new(&table);
        let mut seen = Vec::new();
        for tick in 0..900 * per_second {
            // Binary fractions: both runs ask at exactly the same whole seconds.
            learner.now = 1000.0 + f64::from(tick) / f64::from(per_second);
            let choice = learner.after(0.0, &view(tick / per_second));
            seen.extend(choice.picks.iter().map(|pick| (choice.at, pick.action)));
        }
        seen
    };
    let slow = run(1);
    assert!(slow.len() > 5);
    assert_eq!(slow, run(64));
}

#[test]
fn on_a_threshold_nothing_flickers() {
    let table = test_table();
    let mut learner = Learner::new(&table);
    let (mut last, mut turns) = (0.0_f64, 0);
    let mut scene = View::default().measured(Feature::SupportLevel, 0.0);
    for tick in 0..3600 {
        // A success that jumps to and fro across both ends of the band every second.
        let success = if tick % 2 == 0 {
            between(0.3, 0.5)
        } else {
            between(0.9, 0.95)
        };
        let choice = learner.after(1.0, &scene.inferred(Feature::NextSuccess, success));
        for action in done(&choice) {
            if let Action::Difficulty { multiplier } = action {
                let step = multiplier - scene.mean_or(Feature::Difficulty, 1.0);
                if step * last < 0.0 {
                    turns += 1;
                }
                last = step;
            }
        }
        scene = carried_out(scene, &choice);
    }
    // An effect counts for 120 s: at most 30 turns in an hour.
    assert!(turns <= 30, "{turns}");
}

proptest! {
    #[test]
    fn a_memory_is_what_its_log_says(
        views in prop::collection::vec((any_view(), 0.0..60.0_f64, any::<bool>()), 1..30), seed in any::<u64>(),
    ) {
        let table = delivered();
        let mut learner = Learner::new(&table);
        let mut recalled = Memory::new(&table);
        for (view, seconds, noted) in views {
            let choice = learner.drawing(seconds, &view, seed);
            if let Some(decision) = explain(&table, &choice, &view, &[]) {
                recalled.recall(&decision, &table);
            }
            if noted {
                for memory in [&mut learner.memory, &mut recalled] {
                    memory.note(Lever::Pace, Principal::Learner, learner.now, &table);
                }
            }
        }
        // All but what is seen anew with the next look.
        let as_seen = Memory {
            now: learner.memory.now,
            entered: learner.memory.entered,
            blocked: learner.memory.blocked,
            left_alone: learner.memory.left_alone,
            ..recalled
        };
        prop_assert_eq!(as_seen, learner.memory);
    }

    #[test]
    fn nothing_goes_to_and_fro_faster_than_its_cool_down_and_limits_hold_over_time(
        views in prop::collection::vec((any_view(), 0.0..60.0_f64), 1..60),
    ) {
        let table = delivered();
        let mut learner = Learner::new(&table);
        let mut given: Vec<(f64, Action, usize)> = Vec::new();
        for (view, seconds) in views {
            let before = [Feature::Difficulty, Feature::Pace]
                .map(|feature| view.mean_or(feature, 1.0));
            let choice = learner.after(seconds, &view);
            for pick in choice.picks.iter() {
                let rule = table.rule(pick.rule).unwrap();
                let mut same = given.iter().filter(|it| it.2 == pick.rule);
                prop_assert!(same.all(|it| choice.at - it.0 >= rule.cool_down.min(30.0) - 1e-9));
                if pick.action != Action::Rest {
                    let lately = given.iter().filter(|it| choice.at - it.0 < 600.0).count();
                    prop_assert!(lately < 12, "{lately}");
                }
                for (at, action, _) in &given {
                    let opposite = match (pick.action, action) {
                        (Action::Difficulty { .. }, Action::Difficulty { .. }) => true,
                        (Action::AddSupport { .. }, Action::FadeSupport)
                        | (Action::FadeSupport, Action::AddSupport { .. }) => true,
                        (Action::Pace { multiplier }, Action::Pace { .. }) => multiplier > before[1],
                        _ => false,
                    };
                    prop_assert!(!opposite || choice.at - at >= 50.0 - 1e-9, "{:?} after {action:?}", pick.action);
                }
            }
            given.extend(choice.picks.iter().map(|pick| (choice.at, pick.action, pick.rule)));
        }
    }
}
