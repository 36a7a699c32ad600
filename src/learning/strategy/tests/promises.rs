//! What holds for the table as delivered, whatever is seen of a learner.

use proptest::prelude::*;

use super::support::*;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::choose::choose;
use crate::learning::strategy::feature::{Feature, View};
use crate::learning::strategy::memory::Memory;

fn is_change(action: Action) -> bool {
    !matches!(
        action,
        Action::Rest | Action::OfferBreak | Action::TellInstructor | Action::OfferHint
    )
}

proptest! {
    #[test]
    fn whoever_is_unwell_or_wants_a_break_gets_just_that(view in any_view()) {
        let wanted = view.get(Feature::BreakWanted).is_some_and(|it| it.lower >= 1.0);
        let aside = view.get(Feature::ComfortPutAside).is_some_and(|it| it.upper >= 1.0);
        let unwell = view.get(Feature::Comfort).is_some_and(|it| it.mean <= 0.6);
        if wanted || (unwell && !aside) {
            prop_assert_eq!(actions_by(&delivered(), &view), [Action::Rest]);
        }
    }

    #[test]
    fn nothing_more_is_asked_of_who_has_too_much_or_spins_or_may_be_unwell(view in any_view()) {
        let loaded = view.get(Feature::Load).is_some_and(|it| it.lower >= 0.5);
        let spinning = view.get(Feature::WheelSpinning).is_some_and(|it| it.upper >= 0.8);
        let unwell = view.get(Feature::Comfort).is_some_and(|it| it.lower <= 0.65);
        let difficulty = view.mean_or(Feature::Difficulty, 1.0).clamp(0.4, 1.6);
        let pace = view.mean_or(Feature::Pace, 1.0).clamp(0.6, 1.4);
        for action in actions_by(&delivered(), &view) {
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
        let table = delivered();
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
        let table = delivered();
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
        let table = delivered();
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
