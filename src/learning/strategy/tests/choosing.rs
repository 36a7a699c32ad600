//! Who speaks first, what never goes together, and what nobody is asked for.

use proptest::prelude::*;

use super::support::*;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::choose::choose;
use crate::learning::strategy::feature::{Feature, View};
use crate::learning::strategy::memory::Memory;
use crate::learning::strategy::precedence::{Lever, Principal};

fn is_change(action: Action) -> bool {
    !matches!(
        action,
        Action::Rest | Action::OfferBreak | Action::TellInstructor | Action::OfferHint
    )
}

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
    let table = default_table();
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
fn equal_actions_are_drawn_only_with_consent_and_nothing_is_one_of_them() {
    let table = default_table();
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
    let table = default_table();
    let view = View::default()
        .concluded(Feature::EngagementDropped, Some(0.9), 1)
        .measured(Feature::ReviewDue, 1.0);
    let held_out = |seed| {
        let mut learner = Learner::new(&table);
        let choice = learner.drawing(0.0, &view, seed);
        choice
            .trial
            .is_some_and(|trial| trial.drawn.is_none())
            .then_some(learner)
    };
    let mut learner = (0..100).find_map(held_out).expect("one in ten");
    // Nor is anything else changed meanwhile, and the draw isn't made again and again.
    for _ in 0..49 {
        assert!(!learner.drawing(1.0, &view, 7).is_decision());
    }
}

#[test]
fn a_replay_decides_the_same() {
    let table = default_table();
    let run = || {
        let mut learner = Learner::new(&table);
        let view = View::default().concluded(Feature::EngagementDropped, Some(0.9), 1);
        (0..2000)
            .map(|_| learner.drawing(1.0, &view, 42))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

proptest! {
    #[test]
    fn whoever_is_unwell_or_wants_a_break_gets_just_that(view in any_view()) {
        let wanted = view.get(Feature::BreakWanted).is_some_and(|it| it.lower >= 1.0);
        let aside = view.get(Feature::ComfortPutAside).is_some_and(|it| it.upper >= 1.0);
        let unwell = view.get(Feature::Comfort).is_some_and(|it| it.mean <= 0.6);
        if wanted || (unwell && !aside) {
            prop_assert_eq!(actions(&view), [Action::Rest]);
        }
    }

    #[test]
    fn nothing_more_is_asked_of_who_has_too_much_or_spins_or_may_be_unwell(view in any_view()) {
        let loaded = view.get(Feature::Load).is_some_and(|it| it.lower >= 0.5);
        let spinning = view.get(Feature::WheelSpinning).is_some_and(|it| it.upper >= 0.8);
        let unwell = view.get(Feature::Comfort).is_some_and(|it| it.lower <= 0.65);
        let difficulty = view.mean_or(Feature::Difficulty, 1.0).clamp(0.4, 1.6);
        let pace = view.mean_or(Feature::Pace, 1.0).clamp(0.6, 1.4);
        for action in actions(&view) {
            let more = match action {
                Action::Difficulty { multiplier } => multiplier > difficulty,
                Action::Pace { multiplier } => multiplier > pace.max(1.0),
                Action::Vary { .. } | Action::MoveOn => true,
                _ => false,
            };
            prop_assert!(!(more && (loaded || spinning || unwell)), "{action:?}");
        }
    }

    #[test]
    fn every_number_stays_within_its_limits_and_few_things_happen_at_once(
        views in prop::collection::vec((any_view(), 0.0..100.0_f64), 1..30),
    ) {
        let table = default_table();
        let mut learner = Learner::new(&table);
        for (view, seconds) in views {
            let choice = learner.after(seconds, &view);
            prop_assert!(choice.picks.iter().filter(|pick| is_change(pick.action)).count() <= 1);
            for pick in choice.picks.iter() {
                match pick.action {
                    Action::Difficulty { multiplier } => {
                        prop_assert!((0.4..=1.6).contains(&multiplier));
                        let step = multiplier - view.mean_or(Feature::Difficulty, 1.0).clamp(0.4, 1.6);
                        prop_assert!((-0.3 - 1e-9..=0.2 + 1e-9).contains(&step), "{step}");
                    }
                    Action::Pace { multiplier } => prop_assert!((0.6..=1.4).contains(&multiplier)),
                    Action::OfferHint => prop_assert!(view.mean_or(Feature::HintsLeft, 1.0) >= 1.0),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn without_any_evidence_nobody_advances(
        view in any_view(), seconds in prop::collection::vec(0.1..400.0_f64, 1..20),
    ) {
        let table = default_table();
        // Everything that is known is zero, or rests on nothing.
        let empty = Feature::ALL.into_iter().fold(View::default(), |empty, feature| {
            let zero = view.get(feature).map(|seen| if seen.n % 2 == 0 { 0.0 } else { seen.mean });
            empty.concluded(feature, zero, 0)
        });
        let zeros = Feature::ALL
            .into_iter()
            .fold(View::default(), |zeros, feature| zeros.measured(feature, 0.0));
        for view in [empty, zeros] {
            let mut learner = Learner::new(&table);
            let mut view = view;
            for seconds in &seconds {
                let choice = learner.after(*seconds, &view);
                for action in done(&choice) {
                    let further = match action {
                        Action::Difficulty { multiplier } => multiplier > view.mean_or(Feature::Difficulty, 1.0),
                        Action::Pace { multiplier } => multiplier > view.mean_or(Feature::Pace, 1.0),
                        Action::MoveOn | Action::FadeSupport => true,
                        _ => false,
                    };
                    prop_assert!(!further, "{action:?}");
                }
                view = carried_out(view, &choice);
            }
        }
    }

    #[test]
    fn a_memory_read_back_from_storage_decides_the_same(
        views in prop::collection::vec((any_view(), 0.0..100.0_f64), 1..10), last in any_view(),
    ) {
        let table = default_table();
        let mut learner = Learner::new(&table);
        for (view, seconds) in views {
            let _ = learner.after(seconds, &view);
        }
        let stored = serde_json::to_string(&learner.memory).unwrap();
        let mut back: Memory = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&back, &learner.memory);
        let again = choose(&table, &mut back, &last, learner.now + 40.0, None);
        prop_assert_eq!(again, learner.after(40.0, &last));
    }
}
