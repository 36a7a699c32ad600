//! The policy: who speaks first, what never goes together, and the hint ladder.

use proptest::prelude::*;

use super::super::policy_view::Since;
use super::*;

fn between(lower: f64, upper: f64) -> Option<Bounded> {
    let mean = f64::midpoint(lower, upper);
    Some(Bounded {
        mean,
        lower,
        upper,
        n: 9,
    })
}

fn actions(view: &View) -> Vec<Action> {
    advise(&PolicyRules::default(), view)
        .iter()
        .map(|r| r.action)
        .collect()
}

#[test]
fn the_rules_as_delivered_are_valid() {
    assert!(PolicyRules::default().validated().is_ok());
    let crossed = PolicyRules {
        band_high: 0.5,
        ..PolicyRules::default()
    };
    assert_eq!(crossed.validated().unwrap_err().name, "band_high");
}

#[test]
fn one_failure_is_a_slip_two_bring_the_hint_and_success_takes_it_away() {
    let rules = HintRules::default();
    let fresh = HintView {
        rungs: 3,
        ..HintView::default()
    };
    let advised = |view| hint(&rules, &view).map(|r| r.action);
    assert_eq!(
        advised(HintView {
            failures: 1,
            ..fresh
        }),
        None
    );
    assert_eq!(
        advised(HintView {
            failures: 2,
            ..fresh
        }),
        Some(Action::OfferHint(1))
    );
    assert_eq!(
        advised(HintView {
            hesitated: 19.9,
            ..fresh
        }),
        None
    );
    assert_eq!(
        advised(HintView {
            hesitated: 20.0,
            ..fresh
        }),
        Some(Action::OfferHint(1))
    );
    let helped = HintView {
        failures: 5,
        successes: 1,
        rung: 2,
        ..fresh
    };
    assert_eq!(advised(helped), Some(Action::FadeHint));
}

#[test]
fn nothing_known_changes_nothing() {
    assert!(actions(&View::default()).is_empty());
}

#[test]
fn who_does_well_at_the_right_difficulty_is_left_alone() {
    let view = View {
        next_success: between(0.65, 0.8),
        load: between(0.2, 0.45),
        comfort: between(0.9, 1.0),
        mastery: between(0.5, 0.8),
        engagement_dropped: Some(0.1),
        wheel_spinning: Some(0.0),
        ..View::default()
    };
    assert!(actions(&view).is_empty());
}

/// Everything that could be wrong at once.
fn in_trouble() -> View {
    View {
        comfort: between(0.4, 0.6),
        wheel_spinning: Some(0.9),
        load: between(0.6, 0.9),
        next_success: between(0.1, 0.3),
        engagement_dropped: Some(0.99),
        review_due: true,
        ..View::default()
    }
}

#[test]
fn comfort_then_wheel_spinning_then_load_then_difficulty_then_engagement_then_review() {
    let mut view = in_trouble();
    assert_eq!(actions(&view), [Action::Rest]);
    view.comfort = between(0.9, 1.0);
    assert_eq!(
        actions(&view),
        [Action::TellInstructor, Action::ChangeApproach]
    );
    view.wheel_spinning = Some(0.1);
    assert_eq!(actions(&view), [Action::AddSupport]);
    view.load = between(0.2, 0.6);
    // logit .725 − logit .2 = .9694 + 1.3863 = 2.3557; ·.2 = .47, held at .3.
    assert_eq!(actions(&view), [Action::Difficulty(0.7)]);
    view.next_success = between(0.65, 0.8);
    assert_eq!(actions(&view), [Action::Vary]);
    view.engagement_dropped = None;
    assert_eq!(actions(&view), [Action::Review]);
}

#[test]
fn as_long_as_success_may_lie_in_the_band_the_difficulty_stays() {
    for (lower, upper) in [(0.2, 0.61), (0.84, 0.99), (0.0, 1.0)] {
        let view = View {
            next_success: between(lower, upper),
            ..View::default()
        };
        assert!(actions(&view).is_empty(), "{lower} to {upper}");
    }
}

#[test]
fn a_step_up_is_in_proportion_to_the_gap() {
    let view = View {
        next_success: between(0.86, 0.94),
        ..View::default()
    };
    // logit .9 − logit .725 = 2.197225 − .969401 = 1.227824; ·.2 = .245565, held at .2.
    assert_eq!(actions(&view), [Action::Difficulty(1.2)]);
    let gentle = PolicyRules {
        step_per_logit: 0.1,
        ..PolicyRules::default()
    };
    let advice = advise(&gentle, &view);
    let recommendation = advice.iter().next().unwrap();
    assert!(
        matches!(recommendation.action, Action::Difficulty(to) if (to - 1.122_782_4).abs() < 1e-6),
        "{recommendation:?}"
    );
    let because: Vec<_> = recommendation.because.iter().copied().collect();
    assert_eq!(
        because,
        [Observation {
            of: Observable::NextSuccess,
            value: 0.86,
            limit: 0.85
        }]
    );
}

#[test]
fn a_novice_gets_support_before_an_easier_task_and_a_master_moves_on() {
    let novice = View {
        next_success: between(0.2, 0.4),
        mastery: between(0.05, 0.3),
        ..View::default()
    };
    assert_eq!(actions(&novice), [Action::AddSupport]);
    assert!(
        matches!(actions(&View { supported: true, ..novice })[..], [Action::Difficulty(to)] if to < 1.0)
    );
    let master = View {
        next_success: between(0.9, 0.99),
        mastery: between(0.96, 0.99),
        ..View::default()
    };
    assert_eq!(actions(&master), [Action::MoveOn]);
}

#[test]
fn load_is_relieved_by_support_then_time_then_ease_and_then_by_nothing_harder() {
    let mut view = View {
        load: between(0.6, 0.9),
        next_success: between(0.9, 0.99),
        ..View::default()
    };
    assert_eq!(actions(&view), [Action::AddSupport]);
    view.supported = true;
    assert_eq!(actions(&view), [Action::Pace(0.9)]);
    view.pace = 0.6;
    assert_eq!(actions(&view), [Action::Difficulty(0.7)]);
    view.difficulty = 0.4;
    assert!(actions(&view).is_empty());
}

#[test]
fn help_that_did_its_work_goes_again() {
    let mut view = View {
        supported: true,
        pace: 0.8,
        load: between(0.1, 0.4),
        ..View::default()
    };
    view.hints.successes = 3;
    assert_eq!(actions(&view), [Action::FadeSupport]);
    view.supported = false;
    assert_eq!(actions(&view), [Action::Pace(0.9)]);
    view.pace = 0.95;
    assert_eq!(actions(&view), [Action::Pace(1.0)]);
}

#[test]
fn a_change_is_lived_with_before_the_next() {
    let mut view = in_trouble();
    view.comfort = None;
    view.since = Since {
        change: Some(49.0),
        notice: Some(299.0),
        ..Since::default()
    };
    assert!(actions(&view).is_empty());
    view.since.change = Some(50.0);
    assert_eq!(actions(&view), [Action::ChangeApproach]);
}

#[test]
fn half_an_hour_offers_a_break_and_goes_on() {
    let view = View {
        since_break: 1800.0,
        next_success: between(0.2, 0.4),
        ..View::default()
    };
    assert!(matches!(
        actions(&view)[..],
        [Action::OfferBreak, Action::Difficulty(_)]
    ));
}

#[test]
fn who_asks_for_a_hint_gets_it_at_once() {
    let hints = HintView {
        wanted: true,
        rung: 1,
        rungs: 2,
        since_hint: Some(1.0),
        ..HintView::default()
    };
    assert_eq!(
        actions(&View {
            hints,
            ..View::default()
        }),
        [Action::OfferHint(2)]
    );
    let exhausted = HintView { rung: 2, ..hints };
    assert!(
        actions(&View {
            hints: exhausted,
            ..View::default()
        })
        .is_empty()
    );
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..=1.0_f64, 1 => prop::num::f64::ANY]
}

fn any_estimate() -> impl Strategy<Value = Option<Bounded>> {
    prop::option::weighted(
        0.8,
        (prop::array::uniform3(number()), any::<bool>()).prop_map(|(mut x, sorted)| {
            if sorted {
                x.sort_by(f64::total_cmp);
            }
            Bounded {
                mean: x[1],
                lower: x[0],
                upper: x[2],
                n: 9,
            }
        }),
    )
}

fn any_seconds() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(prop_oneof![4 => 0.0..4000.0_f64, 1 => prop::num::f64::ANY])
}

fn any_hints() -> impl Strategy<Value = HintView> {
    (
        (0..5_u32, 0..3_u32, 0..60_000_u32),
        (0..6_u8, 0..6_u8),
        prop::option::of(0..20_000_u32),
    )
        .prop_map(
            |((failures, successes, hesitated), (rung, rungs), since)| HintView {
                failures,
                successes,
                hesitated: f64::from(hesitated) / 1000.0,
                rung,
                rungs,
                since_hint: since.map(|since| f64::from(since) / 1000.0),
                wanted: false,
            },
        )
}

fn any_view() -> impl Strategy<Value = View> {
    (
        prop::array::uniform4(any_estimate()),
        prop::array::uniform2(prop::option::of(number())),
        any_hints(),
        prop::array::uniform2(prop_oneof![4 => 0.4..1.6_f64, 1 => prop::num::f64::ANY]),
        any::<[bool; 2]>(),
        prop::array::uniform2(prop::bool::weighted(0.1)),
        prop::array::uniform4(any_seconds()),
    )
        .prop_map(
            |(
                [mastery, next_success, load, comfort],
                [engagement_dropped, wheel_spinning],
                hints,
                [difficulty, pace],
                [supported, review_due],
                [break_wanted, comfort_put_aside],
                [since_break, change, break_offer, notice],
            )| View {
                mastery,
                next_success,
                load,
                comfort,
                engagement_dropped,
                wheel_spinning,
                hints,
                difficulty,
                pace,
                supported,
                review_due,
                break_wanted,
                comfort_put_aside,
                since_break: since_break.unwrap_or(0.0),
                since: Since {
                    change,
                    break_offer,
                    notice,
                },
            },
        )
}

fn is_change(action: Action) -> bool {
    !matches!(
        action,
        Action::Rest
            | Action::OfferBreak
            | Action::TellInstructor
            | Action::OfferHint(_)
            | Action::FadeHint
    )
}

/// What counts as the present difficulty: what is no number is the authored one.
fn set_difficulty(view: &View) -> f64 {
    if view.difficulty.is_finite() {
        view.difficulty.clamp(0.4, 1.6)
    } else {
        1.0
    }
}

/// Whether it asks more of the learner than before.
fn is_more(action: Action, view: &View) -> bool {
    match action {
        Action::Difficulty(to) => to > set_difficulty(view),
        Action::Pace(to) => to > within(view.pace, 1.0, 1.4),
        Action::Vary => true,
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_hint_is_never_offered_beyond_the_ladder_or_within_the_cool_down(view in any_hints()) {
        let rules = HintRules::default();
        if let Some(Action::OfferHint(_)) = hint(&rules, &view).map(|r| r.action) {
            prop_assert!(view.rung < view.rungs);
            prop_assert!(view.since_hint.is_none_or(|since| since >= rules.cool_down));
        }
    }

    #[test]
    fn more_trouble_never_means_less_help(view in any_hints(), more in 0..5_u32, longer in 0.0..60.0_f64) {
        let rules = HintRules::default();
        let worse = HintView {
            failures: view.failures + more,
            hesitated: view.hesitated + longer,
            ..view
        };
        let offers = |view| matches!(hint(&rules, view).map(|r| r.action), Some(Action::OfferHint(_)));
        if offers(&view) {
            prop_assert!(offers(&worse), "{worse:?}");
        }
    }

    #[test]
    fn nothing_is_faded_that_is_not_shown(view in any_hints()) {
        if hint(&HintRules::default(), &view).map(|r| r.action) == Some(Action::FadeHint) {
            prop_assert!(view.rung > 0);
        }
    }

    #[test]
    fn whoever_is_unwell_or_wants_a_break_gets_just_that(view in any_view()) {
        let rules = PolicyRules::default();
        let unwell = view.comfort.and_then(Bounded::checked).is_some_and(|c| c.mean <= rules.comfort_break);
        if view.break_wanted || (unwell && !view.comfort_put_aside) {
            prop_assert_eq!(actions(&view), [Action::Rest]);
        }
    }

    #[test]
    fn at_most_one_change_at_a_time_and_none_within_the_cool_down(view in any_view()) {
        let changes = actions(&view).into_iter().filter(|action| is_change(*action)).count();
        prop_assert!(changes <= 1);
        if view.since.change.is_some_and(|since| since < PolicyRules::default().cool_down) {
            prop_assert_eq!(changes, 0);
        }
    }

    #[test]
    fn nothing_more_is_asked_of_who_has_too_much_or_spins_or_may_be_unwell(view in any_view()) {
        let rules = PolicyRules::default();
        let checked = |estimate: Option<Bounded>| estimate.and_then(Bounded::checked);
        let loaded = checked(view.load).is_some_and(|load| load.lower > rules.load_high);
        let spinning = view.wheel_spinning.is_some_and(|p| p >= rules.wheel_spinning);
        let unwell = checked(view.comfort).is_some_and(|c| c.lower < rules.comfort_ok);
        let hard = checked(view.next_success).is_none_or(|s| s.lower <= rules.band_high);
        for action in actions(&view) {
            let more = is_more(action, &view);
            prop_assert!(!(more && (loaded || spinning || unwell)), "{action:?}");
            if matches!(action, Action::Difficulty(_)) && (0.4..=1.6).contains(&view.difficulty) {
                prop_assert!(!(more && hard), "{action:?}");
            }
        }
    }

    #[test]
    fn every_recommendation_has_its_reasons_and_stays_within_the_limits(view in any_view()) {
        let advice = advise(&PolicyRules::default(), &view);
        prop_assert!(advice.iter().is_sorted_by_key(|r| r.tier));
        for recommendation in advice.iter() {
            prop_assert!(!recommendation.because.is_empty());
            for observation in recommendation.because.iter() {
                prop_assert!(observation.value.is_finite());
            }
            match recommendation.action {
                Action::Difficulty(to) => prop_assert!((0.4..=1.6).contains(&to)),
                Action::Pace(to) => prop_assert!((0.6..=1.4).contains(&to)),
                Action::OfferHint(rung) => prop_assert!(rung >= 1 && rung <= view.hints.rungs),
                _ => {}
            }
        }
    }

    #[test]
    fn odd_rules_give_no_panic(view in any_view(), numbers in prop::array::uniform8(prop::num::f64::ANY)) {
        let [easiest, hardest, slowest, fastest, easier_step, harder_step, pace_step, step_per_logit] = numbers;
        let rules = PolicyRules {
            easiest, hardest, slowest, fastest, easier_step, harder_step, pace_step, step_per_logit,
            ..PolicyRules::default()
        };
        prop_assert!(advise(&rules, &view).len() <= 5);
    }

    #[test]
    fn the_same_estimates_never_ask_for_both_directions(view in any_view(), difficulty in 0.4..1.6_f64, pace in 0.6..1.4_f64) {
        // Whatever the difficulty and pace have become meanwhile: no swinging to and fro on unchanged evidence.
        let settled = View { difficulty, pace, ..view };
        let direction = |view: &View| actions(view).into_iter().find_map(|action| match action {
            Action::Difficulty(to) => Some(to > view.difficulty),
            _ => None,
        });
        let within = View { difficulty: set_difficulty(&view), ..view };
        if let (Some(a), Some(b)) = (direction(&within), direction(&settled)) {
            prop_assert_eq!(a, b);
        }
    }
}
