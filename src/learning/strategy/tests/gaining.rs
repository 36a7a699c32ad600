//! Looking one step ahead: what is expected to bring most goes first, and what brings little is left.

use super::support::*;
use crate::learning::strategy::action::Action;
use crate::learning::strategy::check::{Checked, check, read};
use crate::learning::strategy::choose::WhyNot;
use crate::learning::strategy::explain::explain;
use crate::learning::strategy::feature::{Feature, View};
use crate::learning::strategy::gain::ByGain;
use crate::learning::strategy::table::Table;

fn as_written() -> Checked {
    let mut table = delivered().table().clone();
    table.by_gain = None;
    check(table).unwrap_or_else(|mistakes| panic!("{}", list(&mistakes)))
}

/// For whom the task is far too hard, and to whom it is new.
fn novice() -> View {
    View::default()
        .inferred(Feature::NextSuccess, between(0.05, 0.15))
        .inferred(Feature::Mastery, between(0.05, 0.2))
        .measured(Feature::Difficulty, 1.3)
        .measured(Feature::SupportLevel, 0.0)
}

#[test]
fn of_what_is_admissible_together_that_speaks_which_is_expected_to_bring_most() {
    let (ahead, as_written) = (delivered(), as_written());
    // As written the example comes first …
    assert!(matches!(
        actions_by(&as_written, &novice())[..],
        [Action::AddSupport { .. }]
    ));
    // … but three logits off its one logit helps less than easing by one and a half.
    assert!(matches!(
        actions_by(&ahead, &novice())[..],
        [Action::Difficulty { .. }]
    ));
    // One logit off, an example helps as far and teaches besides.
    let nearly = novice()
        .inferred(Feature::NextSuccess, between(0.4, 0.6))
        .measured(Feature::Difficulty, 0.7);
    assert!(matches!(
        actions_by(&ahead, &nearly)[..],
        [Action::AddSupport { .. }]
    ));
}

#[test]
fn for_little_nobody_is_disturbed_and_a_school_that_does_not_look_ahead_is_not_asked() {
    let nearly = View::default()
        .inferred(Feature::NextSuccess, between(0.6, 0.7))
        .measured(Feature::SupportLevel, 0.0);
    let (ahead, as_written) = (delivered(), as_written());
    assert!(matches!(
        actions_by(&as_written, &nearly)[..],
        [Action::Difficulty { .. }]
    ));
    let mut learner = Learner::new(&ahead);
    let choice = learner.after(0.0, &nearly);
    assert!(done(&choice).is_empty());
    let easier = ahead.table().rules.iter().position(|it| it.id == "easier");
    let why = choice.why_not[easier.expect("a rule")];
    assert!(matches!(why, Some(WhyNot::LittleToGain(gain)) if gain < 0.03));
}

#[test]
fn safety_and_urgency_come_before_any_gain() {
    let unwell = novice().inferred(Feature::Comfort, between(0.3, 0.5));
    assert_eq!(actions_by(&delivered(), &unwell), [Action::Rest]);
    let spins = novice().concluded(Feature::WheelSpinning, Some(0.95), 12);
    assert_eq!(
        actions_by(&delivered(), &spins),
        [Action::ChangeApproach, Action::TellInstructor]
    );
}

#[test]
fn what_was_expected_stands_in_the_decision_and_in_its_words() {
    let table = delivered();
    let view = novice();
    let choice = Learner::new(&table).after(0.0, &view);
    let decision = explain(&table, &choice, &view, &[]).expect("a decision");
    let chosen = &decision.chosen[0];
    let gain = chosen.expected_gain.expect("a gain");
    assert!(gain > 0.03, "{gain}");
    let words = decision.in_words();
    let points = format!("expected to add {:.0} points in a hundred", 100.0 * gain);
    assert!(words.contains(&points), "{words}");
    let other = decision
        .considered
        .iter()
        .find(|it| it.rule == "example-for-novice")
        .expect("considered");
    assert!(other.expected_gain.expect("a gain") < gain);
    // Logs from before read, and a table that doesn't look ahead writes as it did.
    let plain = as_written();
    let choice = Learner::new(&plain).after(0.0, &view);
    let text = serde_json::to_string(&explain(&plain, &choice, &view, &[])).unwrap();
    assert!(!text.contains("expected_gain"), "{text}");
}

#[test]
fn assumptions_beyond_all_measure_are_refused() {
    for wrong in [
        ByGain {
            success: 1.0,
            ..ByGain::default()
        },
        ByGain {
            breadth: 0.0,
            ..ByGain::default()
        },
        ByGain {
            horizon: f64::NAN,
            ..ByGain::default()
        },
        ByGain {
            least: -0.1,
            ..ByGain::default()
        },
    ] {
        let mut table = delivered().table().clone();
        table.by_gain = Some(wrong);
        let mistakes = check(table).expect_err("a mistake");
        assert!(list(&mistakes).contains("by_gain"), "{}", list(&mistakes));
    }
}

/// Logs name it by its checksum, and are replayed with it.
#[test]
fn the_first_edition_is_to_the_letter_what_it_was() {
    let first = read(Table::EARLIER[0]).unwrap_or_else(|mistakes| panic!("{}", list(&mistakes)));
    assert_eq!(first.edition(), "default 1 (d8b45795)");
}
