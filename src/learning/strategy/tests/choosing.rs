//! Who speaks first, and what never goes together.

use super::support::*;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::feature::{Feature, View};
use crate::learning::strategy::precedence::{Lever, Principal};

#[test]
fn nothing_known_changes_nothing() {
    assert!(actions(&View::default()).is_empty());
}

#[test]
fn who_does_well_at_the_right_difficulty_is_left_alone() {
    let view = View::default()
        .inferred(Feature::NextSuccess, between(0.65, 0.8))
        .inferred(Feature::Load, between(0.2, 0.45))
        .inferred(Feature::Comfort, between(0.9, 1.0))
        .inferred(Feature::Mastery, between(0.5, 0.8))
        .concluded(Feature::EngagementDropped, Some(0.1), 1)
        .concluded(Feature::WheelSpinning, Some(0.0), 9);
    assert!(actions(&view).is_empty());
}

#[test]
fn the_table_as_delivered_keeps_people_well_and_leaves_who_does_well_alone() {
    let table = delivered();
    assert!(actions_by(&table, &View::default()).is_empty());
    assert_eq!(actions_by(&table, &in_trouble()), [Action::Rest]);
    let well = View::default()
        .inferred(Feature::NextSuccess, between(0.65, 0.8))
        .inferred(Feature::Load, between(0.2, 0.45))
        .inferred(Feature::Comfort, between(0.9, 1.0))
        .inferred(Feature::Mastery, between(0.5, 0.8))
        .concluded(Feature::RecentSuccess, Some(0.7), 10)
        .concluded(Feature::ErrorRate, Some(0.3), 10)
        .concluded(Feature::HelpSeeking, Some(0.1), 10)
        .concluded(Feature::WheelSpinning, Some(0.0), 9);
    assert!(actions_by(&table, &well).is_empty());
    let stuck = well.concluded(Feature::WheelSpinning, Some(0.95), 12);
    assert!(actions_by(&table, &stuck).contains(&Action::TellInstructor));
}

#[test]
fn who_is_in_flow_is_left_alone_even_where_something_could_be_done() {
    let due = View::default()
        .inferred(Feature::NextSuccess, between(0.65, 0.8))
        .measured(Feature::ReviewDue, 1.0);
    assert_eq!(actions(&due), [Action::Review]);
    assert!(actions(&due.concluded(Feature::Flow, Some(0.9), 10)).is_empty());
    // Too easy is no flow.
    let bored = due
        .concluded(Feature::Flow, Some(1.0), 10)
        .inferred(Feature::NextSuccess, between(0.9, 0.99))
        .measured(Feature::SupportLevel, 0.0);
    assert!(matches!(actions(&bored)[..], [Action::Difficulty { .. }]));
}

#[test]
fn comfort_then_wheel_spinning_then_load_then_difficulty_then_engagement_then_review() {
    let mut view = in_trouble();
    assert_eq!(actions(&view), [Action::Rest]);
    view = view.inferred(Feature::Comfort, between(0.9, 1.0));
    assert_eq!(
        actions(&view),
        [Action::TellInstructor, Action::ChangeApproach]
    );
    view = view.concluded(Feature::WheelSpinning, Some(0.1), 9);
    assert!(matches!(actions(&view)[..], [Action::AddSupport { .. }]));
    view = view.inferred(Feature::Load, between(0.2, 0.6));
    // logit .725 − logit .2 = .9694 + 1.3863 = 2.3557; ·.2 = .47, held at .3.
    assert_eq!(actions(&view), [Action::Difficulty { multiplier: 0.7 }]);
    view = view
        .inferred(Feature::NextSuccess, between(0.65, 0.8))
        .inferred(Feature::Load, between(0.1, 0.4));
    assert!(matches!(actions(&view)[..], [Action::Vary { .. }]));
    view = view.concluded(Feature::EngagementDropped, None, 0);
    assert_eq!(actions(&view), [Action::Review]);
}

#[test]
fn as_long_as_success_may_lie_in_the_band_the_difficulty_stays() {
    for (lower, upper) in [(0.2, 0.61), (0.84, 0.99), (0.0, 1.0)] {
        let view = View::default()
            .inferred(Feature::NextSuccess, between(lower, upper))
            .measured(Feature::SupportLevel, 0.0);
        assert!(actions(&view).is_empty(), "{lower} to {upper}");
    }
}

#[test]
fn a_step_is_in_proportion_to_the_gap() {
    let view = |lower, upper| {
        View::default()
            .inferred(Feature::NextSuccess, between(lower, upper))
            .measured(Feature::SupportLevel, 0.0)
    };
    // logit .9 − logit .725 = 2.197225 − .969401 = 1.227824; ·.2 = .245565, held at .2.
    assert_eq!(
        actions(&view(0.86, 0.94)),
        [Action::Difficulty { multiplier: 1.2 }]
    );
    // logit .725 − logit .55 = .969401 − .200671 = .768730; ·.2 = .153746.
    let [Action::Difficulty { multiplier }] = actions(&view(0.5, 0.6))[..] else {
        panic!("no difficulty");
    };
    assert!((multiplier - 0.846_254).abs() < 1e-6, "{multiplier}");
}

#[test]
fn a_novice_gets_support_before_an_easier_task_and_a_master_moves_on() {
    let novice = View::default()
        .inferred(Feature::NextSuccess, between(0.2, 0.4))
        .inferred(Feature::Mastery, between(0.05, 0.3))
        .measured(Feature::SupportLevel, 0.0);
    assert!(matches!(actions(&novice)[..], [Action::AddSupport { .. }]));
    let supported = novice.measured(Feature::SupportLevel, 2.0);
    assert!(
        matches!(actions(&supported)[..], [Action::Difficulty { multiplier }] if multiplier < 1.0)
    );
    let master = View::default()
        .inferred(Feature::NextSuccess, between(0.9, 0.99))
        .inferred(Feature::Mastery, between(0.96, 0.99));
    assert_eq!(actions(&master), [Action::MoveOn]);
}

#[test]
fn load_is_relieved_by_support_then_time_then_ease_and_then_by_nothing_harder() {
    let mut view = View::default()
        .inferred(Feature::Load, between(0.6, 0.9))
        .inferred(Feature::NextSuccess, between(0.9, 0.99));
    assert!(matches!(actions(&view)[..], [Action::AddSupport { .. }]));
    view = view.measured(Feature::SupportLevel, 2.0);
    assert_eq!(actions(&view), [Action::Pace { multiplier: 0.9 }]);
    view = view.measured(Feature::Pace, 0.6);
    assert_eq!(actions(&view), [Action::Difficulty { multiplier: 0.7 }]);
    view = view.measured(Feature::Difficulty, 0.4);
    assert!(actions(&view).is_empty());
}

#[test]
fn half_an_hour_offers_a_break_and_goes_on() {
    let view = View::default()
        .measured(Feature::SinceBreak, 1800.0)
        .inferred(Feature::NextSuccess, between(0.2, 0.4));
    assert!(matches!(
        actions(&view)[..],
        [Action::OfferBreak, Action::Difficulty { .. }]
    ));
}

#[test]
fn only_who_is_unwell_may_go_on_in_spite_of_it() {
    let view = in_trouble().measured(Feature::ComfortPutAside, 1.0);
    assert!(!actions(&view).contains(&Action::Rest));
    // Nobody is kept from a break that they want.
    let view = view.measured(Feature::BreakWanted, 1.0);
    assert_eq!(actions(&view), [Action::Rest]);
}

#[test]
fn what_learner_or_instructor_set_stays_and_safety_goes_before() {
    let table = test_table();
    let view = View::default()
        .inferred(Feature::NextSuccess, between(0.2, 0.4))
        .inferred(Feature::Comfort, between(0.9, 1.0));
    let mut learner = Learner::new(&table);
    let now = learner.now;
    let memory = &mut learner.memory;
    memory.note(Lever::Difficulty, Principal::Instructor, now, &table);
    assert_eq!(
        memory.holder(Lever::Difficulty),
        Some(Principal::Instructor)
    );
    // The learner outranks the instructor, not the other way round.
    memory.note(Lever::Difficulty, Principal::Learner, now, &table);
    memory.note(Lever::Difficulty, Principal::Instructor, now, &table);
    assert_eq!(memory.holder(Lever::Difficulty), Some(Principal::Learner));
    assert!(done(&learner.after(599.0, &view)).is_empty());
    let unwell = view.inferred(Feature::Comfort, between(0.1, 0.2));
    learner
        .memory
        .note(Lever::Break, Principal::Learner, learner.now, &table);
    assert_eq!(done(&learner.after(0.5, &unwell)), [Action::Rest]);
    assert!(matches!(
        done(&learner.after(1.0, &view))[..],
        [Action::Difficulty { .. }]
    ));
}

#[test]
fn rules_that_conflict_go_together_neither_at_once_nor_while_one_is_in_effect() {
    let table = changed(|table| table.limits.changes_at_once = 2);
    let view = View::default()
        .inferred(Feature::Mastery, between(0.96, 0.99))
        .inferred(Feature::NextSuccess, between(0.9, 0.99))
        .concluded(Feature::HelpSeeking, Some(0.3), 10)
        .concluded(Feature::ErrorRate, Some(0.5), 10);
    let mut learner = Learner::new(&table);
    let choice = learner.after(0.0, &view);
    assert!(matches!(done(&choice)[..], [Action::AddSupport { .. }]));
    let supported = carried_out(view, &choice);
    // Its effect counts for 300 s.
    assert!(done(&learner.after(299.0, &supported)).is_empty());
    assert!(done(&learner.after(2.0, &supported)).contains(&Action::MoveOn));
}

#[test]
fn two_rules_for_a_hint_give_one() {
    let view = View::default()
        .concluded(Feature::StallRisk, Some(0.9), 9)
        .concluded(Feature::ErrorRate, Some(0.5), 10)
        .measured(Feature::Failures, 1.0)
        .measured(Feature::HintsLeft, 3.0);
    assert_eq!(actions(&view), [Action::OfferHint]);
}

#[test]
fn equal_actions_are_drawn_only_with_consent_and_nothing_is_one_of_them() {
    let table = test_table();
    let view = View::default().concluded(Feature::EngagementDropped, Some(0.9), 1);
    let mut counts = [0_u32; 3];
    for seed in 0..2000 {
        let choice = Learner::new(&table).drawing(0.0, &view, seed);
        let trial = choice.trial.expect("a trial");
        assert_eq!(trial.arms.len(), 2);
        let sum = trial.propensity * 2.0 + trial.propensity_of_nothing;
        assert!((sum - 1.0).abs() < 1e-12);
        let place = trial.drawn.map_or(2, |drawn| {
            trial
                .arms
                .iter()
                .position(|arm| *arm == drawn)
                .expect("an arm")
        });
        counts[place] += 1;
        assert_eq!(choice.picks.is_empty(), place == 2);
    }
    // Binomial of 2000 with .45 and .1: standard deviations 22 and 13; four of them.
    for (count, expected, spread) in [
        (counts[0], 900, 90),
        (counts[1], 900, 90),
        (counts[2], 200, 54),
    ] {
        assert!(count.abs_diff(expected) <= spread, "{counts:?}");
    }
    let plain = Learner::new(&table).after(0.0, &view);
    assert!(plain.trial.is_none() && plain.picks.len() == 1);
}

#[test]
fn who_was_held_out_stays_so_for_the_cool_down() {
    let table = test_table();
    let view = View::default()
        .concluded(Feature::EngagementDropped, Some(0.9), 1)
        .measured(Feature::ReviewDue, 1.0);
    let held_out = |seed| {
        let mut learner = Learner::new(&table);
        let choice = learner.drawing(0.0, &view, seed);
        let trial = choice.trial.expect("a trial");
        trial.drawn.is_none().then_some((learner, choice))
    };
    let (mut learner, choice) = (0..100).find_map(held_out).expect("one in ten");
    // Nor is anything else changed in its place or meanwhile, and the draw isn't made again and again.
    assert!(choice.picks.is_empty());
    for _ in 0..49 {
        assert!(!learner.drawing(1.0, &view, 7).is_decision());
    }
}

#[test]
fn one_message_holds_one_comparison() {
    let table = changed(|table| {
        table.limits.changes_at_once = 2;
        for rule in &mut table.rules {
            rule.experiment |= rule.id == "review-due";
        }
    });
    let view = View::default()
        .concluded(Feature::EngagementDropped, Some(0.9), 1)
        .measured(Feature::ReviewDue, 1.0);
    for seed in 0..50 {
        let choice = Learner::new(&table).drawing(0.0, &view, seed);
        let trial = choice.trial.expect("a trial");
        assert_eq!(trial.arms.len(), 2);
        assert_eq!(choice.picks.len(), usize::from(trial.drawn.is_some()));
    }
}

#[test]
fn a_replay_decides_the_same() {
    let table = test_table();
    let run = || {
        let mut learner = Learner::new(&table);
        let view = View::default().concluded(Feature::EngagementDropped, Some(0.9), 1);
        (0..2000)
            .map(|_| learner.drawing(1.0, &view, 42))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
