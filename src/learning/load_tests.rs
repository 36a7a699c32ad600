//! Load: an example by hand, and what holds for any observation.

use proptest::prelude::*;

use super::*;

/// As a region allows that lets motion count.
fn moving() -> LoadParams {
    LoadParams {
        kinematics: true,
        ..LoadParams::default()
    }
}

fn observed(x: [Option<f64>; SIGNS], baseline: u32) -> Observed {
    let [
        response_time,
        error_burst,
        hints,
        hesitation,
        path,
        head_motion,
        interval,
        interval_spread,
        jerk,
        head_entropy,
        head_returns,
        own_rating,
    ] = x;
    Observed {
        interval,
        interval_spread,
        jerk,
        head_entropy,
        head_returns,
        response_time,
        error_burst,
        hints,
        hesitation,
        path,
        head_motion,
        own_rating,
        baseline,
    }
}

#[test]
fn a_worked_example() {
    // Twice the usual response time says 1/1.5 = .6667; two errors in a row .5; half a hint per attempt .5; the pause as
    // usual 0. Σ weights .25 + .20 + .15 + .15 = .75 of 1.1; Σ weight·says = .166667 + .1 + .075 + 0 = .341667; level
    // .455556. Margin .1 + .3/√9 = .2: lower .310606 − .2, upper .310606 + .35/1.1 + .2 = .828788.
    let mut x = [None; SIGNS];
    for (x, value) in x.iter_mut().zip([2.0, 2.0, 0.5, 1.0]) {
        *x = Some(value);
    }
    let load = estimate(&LoadParams::default(), &observed(x, 9));
    assert!((load.level.unwrap() - 0.341_666_667 / 0.75).abs() < 1e-9);
    assert!((load.lower - 0.110_606_061).abs() < 1e-9);
    assert!((load.upper - 0.828_787_879).abs() < 1e-9);
    assert_eq!(load.class, LoadClass::Unsure);
}

#[test]
fn nothing_observed_is_no_load_and_no_middle() {
    let load = estimate(&LoadParams::default(), &Observed::default());
    assert_eq!(load.level, None);
    assert!(load.lower <= 0.0 && load.upper >= 1.0);
    assert_eq!(load.class, LoadClass::Unsure);
}

#[test]
fn everything_at_once_is_high_and_nothing_at_all_is_low() {
    let class = |params: &LoadParams, x: [f64; SIGNS - 1]| {
        let mut all = [None; SIGNS];
        for (all, x) in all.iter_mut().zip(x) {
            *all = Some(x);
        }
        estimate(params, &observed(all, 100)).class
    };
    for params in [LoadParams::default(), moving()] {
        let all = [2.5, 4.0, 1.0, 3.0, 3.0, 2.5, 2.5, 2.5, 1.5, 1.0, 3.0];
        assert_eq!(
            class(&params, all),
            LoadClass::High,
            "even without a rating"
        );
        let nothing = [1.0, 0.0, 0.0, 1.0, 1.2, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0];
        assert_eq!(class(&params, nothing), LoadClass::Low);
    }
}

#[test]
fn motion_counts_only_where_it_may() {
    let mut calm = [None; SIGNS];
    calm[0] = Some(1.0);
    let mut restless = calm;
    for sign in [5, 8, 9, 10] {
        restless[sign] = Some(100.0);
    }
    let params = LoadParams::default();
    let (without, with) = (observed(calm, 9), observed(restless, 9));
    assert_eq!(estimate(&params, &with), estimate(&params, &without));
    let allowed = (estimate(&moving(), &with), estimate(&moving(), &without));
    assert!(allowed.0.level > allowed.1.level);
}

#[test]
fn what_leaves_is_what_errors_hints_and_the_rating_say() {
    let params = moving();
    let all = |hands: f64| {
        let mut x = [Some(hands); SIGNS];
        (x[1], x[2], x[SIGNS - 1]) = (Some(2.0), Some(0.5), Some(5.0));
        estimate(&params, &observed(x, 9)).by_results(&params)
    };
    let told = all(100.0);
    assert_eq!(told, all(0.1));
    // All three say a half; nothing is missing: 0.5 ± 0.1.
    assert!((told.level.unwrap() - 0.5).abs() < 1e-9);
    assert!((told.lower - 0.4).abs() < 1e-9 && (told.upper - 0.6).abs() < 1e-9);
    let mut hands = [Some(2.0); SIGNS];
    (hands[1], hands[2], hands[SIGNS - 1]) = (None, None, None);
    let nothing = estimate(&params, &observed(hands, 9)).by_results(&params);
    assert_eq!(nothing.level, None);
}

#[test]
fn one_sign_alone_is_never_enough() {
    for i in 0..SIGNS {
        let mut x = [None; SIGNS];
        x[i] = Some(100.0);
        let load = estimate(&moving(), &observed(x, 1000));
        assert_eq!(load.class, LoadClass::Unsure, "{:?}", load.contributions[i]);
    }
}

fn seen() -> impl Strategy<Value = [Option<f64>; SIGNS]> {
    prop::array::uniform12(prop::option::weighted(0.7, 0.0..10.0_f64))
}

proptest! {
    #[test]
    fn any_number_at_all_gives_a_load_in_range(
        x in prop::array::uniform12(prop::option::of(prop::num::f64::ANY)), baseline in any::<u32>(),
        p in prop::array::uniform7(prop::num::f64::ANY),
    ) {
        let [weight, calm, strained, residual, baseline_spread, low, high] = p;
        let odd = LoadParams {
            path: Scale { weight, calm, strained }, residual, baseline_spread, low, high, ..LoadParams::default()
        };
        for params in [LoadParams::default(), odd] {
            let load = estimate(&params, &observed(x, baseline));
            prop_assert!((0.0..=1.0).contains(&load.lower) && (0.0..=1.0).contains(&load.upper));
            prop_assert!(load.lower <= load.upper);
            if let Some(level) = load.level {
                prop_assert!(load.lower <= level && level <= load.upper);
            }
        }
    }

    #[test]
    fn a_missing_sign_widens_the_interval_and_pulls_nothing_to_the_middle(
        x in seen(), lost in 0..SIGNS, says in 0.0..=1.0_f64,
    ) {
        let params = moving();
        let mut holed = x;
        holed[lost] = None;
        let (with, without) = (estimate(&params, &observed(x, 9)), estimate(&params, &observed(holed, 9)));
        prop_assert!(without.lower <= with.lower + 1e-12 && without.upper >= with.upper - 1e-12);

        // Where all that is seen says the same, the level is just that, whatever is missing.
        let scales = [
            params.response_time, params.error_burst, params.hints, params.hesitation, params.path, params.head_motion,
            params.interval, params.interval_spread, params.jerk, params.head_entropy, params.head_returns,
            params.own_rating,
        ];
        let mut agreeing = holed;
        for (value, scale) in agreeing.iter_mut().zip(scales) {
            *value = value.map(|_| scale.calm + says * (scale.strained - scale.calm));
        }
        if let Some(level) = estimate(&params, &observed(agreeing, 9)).level {
            prop_assert!((level - says).abs() < 1e-9);
        }
    }

    #[test]
    fn the_interval_holds_whatever_the_missing_signs_say(x in seen(), fill in prop::array::uniform12(0.0..10.0_f64)) {
        let mut complete = x;
        for (value, fill) in complete.iter_mut().zip(fill) {
            *value = value.or(Some(fill));
        }
        let params = moving();
        let holed = estimate(&params, &observed(x, 9));
        let level = estimate(&params, &observed(complete, 9)).level.unwrap();
        prop_assert!(holed.lower <= level && level <= holed.upper);
    }

    #[test]
    fn more_of_any_sign_never_means_less_load(x in seen(), which in 0..SIGNS, more in 0.0..5.0_f64) {
        let mut worse = x;
        worse[which] = worse[which].map(|value| value + more);
        let params = moving();
        let (before, after) = (estimate(&params, &observed(x, 9)), estimate(&params, &observed(worse, 9)));
        prop_assert!(after.lower >= before.lower - 1e-12 && after.upper >= before.upper - 1e-12);
        prop_assert!(after.level.unwrap_or(0.0) >= before.level.unwrap_or(0.0) - 1e-12);
    }

    #[test]
    fn a_firmer_baseline_narrows_the_interval(x in seen(), few in 1..50_u32, more in 0..50_u32) {
        let params = moving();
        let width = |n| {
            let load = estimate(&params, &observed(x, n));
            load.upper - load.lower
        };
        prop_assert!(width(few + more) <= width(few) + 1e-12);
    }
}
