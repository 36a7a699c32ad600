//! Load: an example by hand, and what holds for any observation.

use proptest::prelude::*;

use super::*;

fn observed(x: [Option<f64>; 7], baseline: u32) -> Observed {
    let [
        response_time,
        error_burst,
        hints,
        hesitation,
        path,
        head_motion,
        own_rating,
    ] = x;
    Observed {
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
    // usual 0. Σ shares .25 + .20 + .15 + .15 = .75; Σ share·says = .166667 + .1 + .075 + 0 = .341667; level .455556.
    // Margin .1 + .3/√9 = .2: lower .141667, upper .341667 + .25 + .2 = .791667.
    let x = [Some(2.0), Some(2.0), Some(0.5), Some(1.0), None, None, None];
    let load = estimate(&LoadParams::default(), &observed(x, 9));
    assert!((load.level.unwrap() - 0.341_666_667 / 0.75).abs() < 1e-9);
    assert!((load.lower - 0.141_666_667).abs() < 1e-9);
    assert!((load.upper - 0.791_666_667).abs() < 1e-9);
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
    let all = [2.5, 4.0, 1.0, 3.0, 3.0, 2.5].map(Some);
    let with = |x: [Option<f64>; 6]| {
        let [a, b, c, d, e, f] = x;
        estimate(
            &LoadParams::default(),
            &observed([a, b, c, d, e, f, None], 100),
        )
        .class
    };
    assert_eq!(with(all), LoadClass::High, "even without a rating");
    assert_eq!(
        with([1.0, 0.0, 0.0, 1.0, 1.2, 1.0].map(Some)),
        LoadClass::Low
    );
}

#[test]
fn one_sign_alone_is_never_enough() {
    for i in 0..7 {
        let mut x = [None; 7];
        x[i] = Some(100.0);
        let load = estimate(&LoadParams::default(), &observed(x, 1000));
        assert_eq!(load.class, LoadClass::Unsure, "{:?}", load.contributions[i]);
    }
}

fn seen() -> impl Strategy<Value = [Option<f64>; 7]> {
    prop::array::uniform7(prop::option::weighted(0.7, 0.0..10.0_f64))
}

proptest! {
    #[test]
    fn any_number_at_all_gives_a_load_in_range(
        x in prop::array::uniform7(prop::option::of(prop::num::f64::ANY)), baseline in any::<u32>(),
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
        x in seen(), lost in 0..7_usize, says in 0.0..=1.0_f64,
    ) {
        let params = LoadParams::default();
        let mut holed = x;
        holed[lost] = None;
        let (with, without) = (estimate(&params, &observed(x, 9)), estimate(&params, &observed(holed, 9)));
        prop_assert!(without.lower <= with.lower + 1e-12 && without.upper >= with.upper - 1e-12);

        // Where all that is seen says the same, the level is just that, whatever is missing.
        let scales = [
            params.response_time, params.error_burst, params.hints, params.hesitation, params.path, params.head_motion,
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
    fn the_interval_holds_whatever_the_missing_signs_say(x in seen(), fill in prop::array::uniform7(0.0..10.0_f64)) {
        let mut complete = x;
        for (value, fill) in complete.iter_mut().zip(fill) {
            *value = value.or(Some(fill));
        }
        let params = LoadParams::default();
        let holed = estimate(&params, &observed(x, 9));
        let level = estimate(&params, &observed(complete, 9)).level.unwrap();
        prop_assert!(holed.lower <= level && level <= holed.upper);
    }

    #[test]
    fn more_of_any_sign_never_means_less_load(x in seen(), which in 0..7_usize, more in 0.0..5.0_f64) {
        let mut worse = x;
        worse[which] = worse[which].map(|value| value + more);
        let params = LoadParams::default();
        let (before, after) = (estimate(&params, &observed(x, 9)), estimate(&params, &observed(worse, 9)));
        prop_assert!(after.lower >= before.lower - 1e-12 && after.upper >= before.upper - 1e-12);
        prop_assert!(after.level.unwrap_or(0.0) >= before.level.unwrap_or(0.0) - 1e-12);
    }

    #[test]
    fn a_firmer_baseline_narrows_the_interval(x in seen(), few in 1..50_u32, more in 0..50_u32) {
        let params = LoadParams::default();
        let width = |n| {
            let load = estimate(&params, &observed(x, n));
            load.upper - load.lower
        };
        prop_assert!(width(few + more) <= width(few) + 1e-12);
    }
}
