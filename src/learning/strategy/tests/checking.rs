//! The check of tables: every fault is found, with its rule and its cure, and no text brings it down.

use proptest::prelude::*;

use super::support::*;
use crate::learning::strategy::check::{Fault, check, read};
use crate::learning::strategy::table::{
    Condition, FadeOut, Payload, Rule, Strategy as Kind, Table, Threshold,
};

/// What is wrong with the table of the tests after a change.
fn faults(change: impl FnOnce(&mut Table)) -> Vec<String> {
    let mut table = test_table().table().clone();
    change(&mut table);
    let mistakes = check(table).err().unwrap_or_default();
    mistakes.iter().map(ToString::to_string).collect()
}

fn rule<'a>(table: &'a mut Table, id: &str) -> &'a mut Rule {
    table
        .rules
        .iter_mut()
        .find(|rule| rule.id == id)
        .expect("a rule")
}

#[track_caller]
fn only(change: impl FnOnce(&mut Table), words: &[&str]) {
    let found = faults(change);
    assert_eq!(found.len(), 1, "{found:#?}");
    for word in words {
        assert!(found[0].contains(word), "no `{word}` in: {}", found[0]);
    }
}

#[test]
fn the_table_as_delivered_is_sound_and_covers_all_strategies() {
    let table = delivered();
    for strategy in [
        Kind::Comfort,
        Kind::Difficulty,
        Kind::Support,
        Kind::Engagement,
        Kind::Content,
        Kind::Pacing,
        Kind::Review,
    ] {
        assert!(
            table
                .table()
                .rules
                .iter()
                .any(|rule| rule.strategy == strategy),
            "{strategy:?}"
        );
    }
    // An edited table can't pass for the one it was.
    let other = changed(|table| rule(table, "easier").cool_down = 61.0);
    assert_ne!(other.edition(), test_table().edition());
}

#[test]
fn thresholds_need_room_between_them() {
    let leave = |at| move |table: &mut Table| rule(table, "easier").when.all[0].leave = at;
    only(
        leave(Some(0.5)),
        &["rule `easier`", "next_success", "above 0.6"],
    );
    only(leave(Some(0.65)), &["rule `easier`", "0.1 apart"]);
    only(leave(None), &["rule `easier`", "no `leave`", "above"]);
    only(leave(Some(f64::NAN)), &["rule `easier`", "NaN"]);
    assert!(faults(leave(Some(0.7))).is_empty());
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    only(
        |table| rule(table, "review-due").when.all[0].of = "reviews_due".to_owned(),
        &[
            "rule `review-due`",
            "reviews_due",
            "did you mean `review_due`",
        ],
    );
    only(
        |table| {
            rule(table, "easier")
                .conflicts_with
                .push("hardest".to_owned());
        },
        &["rule `easier`", "did you mean `harder`"],
    );
}

#[test]
fn limits_can_be_tightened_and_not_loosened() {
    assert!(faults(|table| table.limits.per_window = 6).is_empty());
    only(
        |table| table.limits.per_window = 13,
        &["limits", "per_window", "12"],
    );
    only(
        |table| table.limits.hardest = 1.7,
        &["limits", "hardest", "1.6"],
    );
    only(
        |table| table.limits.slowest = 0.5,
        &["limits", "slowest", "0.6"],
    );
    only(
        |table| table.limits.settle = f64::NAN,
        &["limits", "settle"],
    );
    only(
        |table| {
            rule(table, "easier").payload = Payload::Difficulty {
                step: -0.31,
                aim: None,
            }
        },
        &["rule `easier`", "step", "-0.3"],
    );
    only(
        |table| {
            rule(table, "harder").payload = Payload::Difficulty {
                step: 0.21,
                aim: None,
            }
        },
        &["rule `harder`", "step", "0.2"],
    );
    only(
        |table| rule(table, "easier").cool_down = 29.0,
        &["rule `easier`", "cool_down", "30"],
    );
}

#[test]
fn contradicting_rules_must_say_so() {
    only(
        |table| {
            rule(table, "easier")
                .conflicts_with
                .retain(|id| id != "harder");
        },
        &["rule `harder`", "`easier`", "conflicts_with"],
    );
}

#[test]
fn nothing_advances_without_evidence_or_in_spite_of_load_and_discomfort() {
    only(
        |table| {
            rule(table, "harder")
                .when
                .all
                .retain(|it| it.of != "next_success");
        },
        &["rule `harder`", "without evidence"],
    );
    only(
        |table| {
            rule(table, "another-form")
                .blocked_while
                .retain(|it| it.of != "load");
        },
        &["rule `another-form`", "load", "blocked_while"],
    );
    only(
        |table| {
            rule(table, "move-on")
                .blocked_while
                .retain(|it| it.of != "comfort");
        },
        &["rule `move-on`", "comfort"],
    );
}

#[test]
fn safety_is_never_blocked_nor_tried_out() {
    only(
        |table| {
            let block = rule(table, "move-on").blocked_while[0].clone();
            rule(table, "rest-when-unwell").blocked_while.push(block);
        },
        &["rule `rest-when-unwell`", "load"],
    );
    only(
        |table| rule(table, "rest-when-wanted").experiment = true,
        &["rule `rest-when-wanted`", "safety"],
    );
}

#[test]
fn no_table_is_without_the_breaks_that_keep_people_well() {
    only(
        |table| table.rules.retain(|rule| rule.id != "rest-when-wanted"),
        &["wants one", "`rest-when-wanted`"],
    );
    only(
        |table| rule(table, "rest-when-unwell").when.all[0].enter = Threshold::Below(0.5),
        &["comfort", "`rest-when-unwell`"],
    );
    let slow = |change: fn(&mut Rule)| {
        only(
            |table| change(rule(table, "rest-when-wanted")),
            &["rule `rest-when-wanted`", "every minute"],
        );
    };
    slow(|rule| rule.cool_down = 300.0);
    // Nor may it conflict with anything, from either side.
    only(
        |table| {
            let unwell = "rest-when-unwell".to_owned();
            rule(table, "easier").conflicts_with.push(unwell);
        },
        &["rule `rest-when-unwell`", "conflicts_with"],
    );
    // A block that never holds is none.
    only(
        |table| {
            for block in &mut rule(table, "another-form").blocked_while {
                if block.of == "load" {
                    (block.enter, block.leave) = (Threshold::Above(1.0), Some(0.9));
                }
            }
        },
        &["rule `another-form`", "load"],
    );
}

#[test]
fn a_rule_that_can_never_speak_is_found() {
    let condition = |of: &str, enter, leave| Condition {
        of: of.to_owned(),
        bound: None,
        enter,
        leave: Some(leave),
    };
    only(
        |table| {
            let never = condition("next_success", Threshold::Above(0.7), 0.6);
            rule(table, "easier").when.all.push(never);
        },
        &["rule `easier`", "never speak", "next_success"],
    );
    only(
        |table| {
            let block = condition("review_due", Threshold::Above(1.0), 1.0);
            rule(table, "review-due").blocked_while.push(block);
        },
        &["rule `review-due`", "never speak"],
    );
    only(
        |table| {
            let mut copy = rule(table, "review-due").clone();
            copy.id = "review-again".to_owned();
            copy.conflicts_with = vec!["move-on".to_owned()];
            table.rules.push(copy);
        },
        &["rule `review-again`", "`review-due`"],
    );
}

#[test]
fn support_fades_and_other_things_do_not() {
    only(
        |table| rule(table, "example-for-novice").fade_out = None,
        &["fade_out"],
    );
    let fade = Some(FadeOut {
        success: 0.85,
        attempts: 3,
    });
    only(
        |table| rule(table, "harder").fade_out = fade,
        &["rule `harder`", "fade_out"],
    );
    only(
        |table| rule(table, "harder").strategy = Kind::Pacing,
        &["rule `harder`", "`difficulty`"],
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let found = faults(|table| {
        table.version = 2;
        table.limits.per_message = 6;
        rule(table, "easier").when.all[0].leave = None;
        rule(table, "harder").cool_down = 1.0;
        rule(table, "move-on").when.all[0].of = "mastering".to_owned();
        rule(table, "usual-pace").expiry = 1.0;
        let twice = rule(table, "review-due").clone();
        table.rules.push(twice);
    });
    for part in [
        "version 2",
        "per_message",
        "rule `easier`",
        "rule `harder`",
        "mastery",
        "rule `usual-pace`",
        "same id",
    ] {
        assert!(
            found.iter().any(|it| it.contains(part)),
            "{part}: {found:#?}"
        );
    }
}

#[test]
fn a_text_that_is_no_table_is_refused_with_its_place() {
    let mistakes = read("(version: 1,\n name: 7)").unwrap_err();
    assert!(
        matches!(mistakes[0].fault, Fault::Unreadable { line: 2, .. }),
        "{mistakes:?}"
    );
    assert!(matches!(
        read("(version: 1, name: \"x\", rules: [])").unwrap_err()[0].fault,
        Fault::RuleCount { found: 0, .. }
    ));
}

#[test]
fn the_schema_names_every_feature_and_a_table_survives_json() {
    let schema = serde_json::to_string(&schemars::schema_for!(Table)).unwrap();
    for feature in crate::learning::strategy::feature::Feature::ALL {
        assert!(schema.contains(feature.name()), "{}", feature.name());
        let written = serde_json::to_string(&feature).unwrap();
        assert_eq!(written, format!("\"{}\"", feature.name()));
    }
    let table = test_table().table().clone();
    let json = serde_json::to_string(&table).unwrap();
    assert_eq!(serde_json::from_str::<Table>(&json).unwrap(), table);
}

proptest! {
    #[test]
    fn no_text_brings_it_down(text in ".{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn no_damage_to_a_table_brings_it_down(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[-0-9a-z.()\\[\\]:,\" ]{0,6}"), 1..4),
    ) {
        let mut chars: Vec<char> = Table::DEFAULT.chars().collect();
        for (at, put) in cuts {
            let at = at.index(chars.len());
            chars.splice(at..(at + 3).min(chars.len()), put.chars());
        }
        let text: String = chars.into_iter().collect();
        if let Err(mistakes) = read(&text) {
            prop_assert!(!mistakes.is_empty());
            prop_assert!(mistakes.iter().all(|it| !it.to_string().is_empty()));
        }
    }

    #[test]
    fn whatever_number_stands_in_a_table_an_accepted_one_keeps_its_promises(
        which in any::<prop::sample::Index>(), field in 0..6_u8, value in prop_oneof![-2.0..2.0_f64, prop::num::f64::ANY],
        views in prop::collection::vec(any_view(), 1..5),
    ) {
        let mut table = test_table().table().clone();
        let place = which.index(table.rules.len());
        let rule = &mut table.rules[place];
        match field {
            0 => rule.cool_down = value,
            1 => rule.expiry = value,
            2 => rule.when.all[0].leave = Some(value),
            3 => rule.when.all[0].enter = Threshold::Above(value),
            4 => rule.payload = Payload::Difficulty { step: value, aim: None },
            _ => table.limits.step_up = value,
        }
        if let Ok(table) = check(table) {
            let mut learner = Learner::new(&table);
            for view in views {
                prop_assert!(learner.after(40.0, &view).picks.len() <= 5);
            }
        }
    }
}
