//! Jerk and entropy: what the papers give, and what cancels.

use proptest::prelude::*;

use super::*;

/// The smoothest way of so many steps along a line (Flash & Hogan 1985), with what it rests before and after.
fn reach(steps: u32, along: [f64; 3]) -> Vec<[f64; 3]> {
    (0..=steps)
        .map(|step| {
            let t = f64::from(step) / f64::from(steps);
            let share = t.powi(3) * (10.0 - 15.0 * t + 6.0 * t * t);
            along.map(|x| share * x)
        })
        .collect()
}

#[test]
fn the_smoothest_way_has_the_jerk_of_the_papers() {
    // T³/v²·∫j² = 720/(1.875)² = 204.8, whatever its length and duration.
    for (steps, along) in [(200, [0.4, 0.0, 0.0]), (1000, [0.1, -0.9, 0.2])] {
        let jerk = log_dimensionless_jerk(&reach(steps, along)).unwrap();
        assert!((jerk + 204.8_f64.ln()).abs() < 0.05, "{steps}: {jerk}");
    }
}

#[test]
fn a_way_in_two_moves_is_less_smooth_than_one() {
    let one = reach(40, [0.4, 0.0, 0.0]);
    let mut two = reach(20, [0.2, 0.0, 0.0]);
    two.extend(
        reach(20, [0.2, 0.0, 0.0])
            .iter()
            .map(|[x, y, z]| [x + 0.2, *y, *z]),
    );
    let jerk = |way: &[[f64; 3]]| log_dimensionless_jerk(way).unwrap();
    assert!(
        jerk(&two) < jerk(&one) - 1.0,
        "{} {}",
        jerk(&two),
        jerk(&one)
    );
}

#[test]
fn what_is_no_movement_has_no_jerk() {
    assert_eq!(log_dimensionless_jerk(&[]), None);
    assert_eq!(log_dimensionless_jerk(&[[0.3, 1.1, 0.0]; 40]), None);
    let mut way = reach(40, [0.4, 0.0, 0.0]);
    way[20][1] = f64::NAN;
    assert_eq!(log_dimensionless_jerk(&way), None);
}

#[test]
fn entropy_as_worked_by_hand() {
    assert_eq!(entropy(&[0.0, 3.0, 0.0]), Some(0.0));
    assert!((entropy(&[1.0, 1.0, 2.0]).unwrap() - 1.5 * 2.0_f64.ln()).abs() < 1e-12);
    assert_eq!(entropy(&[0.0, f64::NAN, -1.0]), None);
}

#[test]
fn a_head_that_looks_away_and_back_returns_and_one_that_sways_does_not() {
    let watch = |off: &dyn Fn(u32) -> f64| {
        let mut head = HeadMeter::default();
        for frame in 0..500 {
            head.seen(0.01, 0.0, Some(off(frame)));
        }
        let [_, _, returns] = head.take(5.0);
        returns.unwrap()
    };
    // Away for half a second out of each second: back at 1, 2, 3 and 4 s.
    assert!((watch(&|frame| if frame % 100 < 50 { 0.0 } else { 1.0 }) - 48.0).abs() < 1e-9);
    // Out of the narrow cone, never out of the wide one; and away for a moment only.
    assert!(watch(&|frame| if frame % 100 < 50 { 0.0 } else { 0.3 }).abs() < 1e-9);
    assert!(watch(&|frame| if frame % 100 < 90 { 0.0 } else { 1.0 }).abs() < 1e-9);
    // Who comes to the task for the first time does not return.
    assert!(watch(&|frame| if frame < 100 { 1.0 } else { 0.0 }).abs() < 1e-9);
}

#[test]
fn what_was_not_seen_of_a_head_is_absent() {
    let mut head = HeadMeter::default();
    for _ in 0..20 {
        head.seen(0.1, 0.5, None);
    }
    assert_eq!(head.take(5.0), [None; 3]);
    for frame in 0..50 {
        head.seen(0.1, 0.5 + 0.02 * f64::from(frame), None);
    }
    let [turning, entropy, returns] = head.take(5.0);
    assert!((turning.unwrap() - 0.2).abs() < 0.02, "{turning:?}");
    assert!(entropy.unwrap() > 1.0, "{entropy:?}");
    assert_eq!(returns, None);
}

proptest! {
    #[test]
    fn jerk_does_not_know_size_place_direction_or_duration(
        size in 0.01..100.0_f64, at in prop::array::uniform3(-5.0..5.0_f64), angle in 0.0..6.3_f64,
        more in 2_u32..6, shake in prop::collection::vec(-0.02..0.02_f64, 41),
    ) {
        let mut way = reach(40, [0.3, 0.2, -0.1]);
        for ([_, y, _], shake) in way.iter_mut().zip(&shake) {
            *y += shake;
        }
        let (sin, cos) = angle.sin_cos();
        let moved: Vec<[f64; 3]> = way
            .iter()
            .map(|[x, y, z]| [size * (cos * x - sin * z) + at[0], size * y + at[1], size * (sin * x + cos * z) + at[2]])
            .collect();
        let (jerk, other) = (log_dimensionless_jerk(&way).unwrap(), log_dimensionless_jerk(&moved).unwrap());
        prop_assert!((jerk - other).abs() < 1e-3, "{jerk} {other}");
        // The same way back is as smooth, and so is one that takes as many times as long.
        let back: Vec<[f64; 3]> = way.iter().rev().copied().collect();
        prop_assert!((log_dimensionless_jerk(&back).unwrap() - jerk).abs() < 1e-6);
        let [quick, slow] = [60, 60 * more].map(|steps| log_dimensionless_jerk(&reach(steps, [0.3, 0.2, -0.1])).unwrap());
        prop_assert!((quick - slow).abs() < 0.15, "{quick} {slow}");
    }

    #[test]
    fn any_places_give_a_finite_jerk_or_none(
        places in prop::collection::vec(prop::array::uniform3(prop::num::f64::ANY), 0..40),
    ) {
        prop_assert!(log_dimensionless_jerk(&places).is_none_or(f64::is_finite));
    }

    #[test]
    fn entropy_is_in_range_and_knows_neither_order_nor_unit(
        mut times in prop::collection::vec(0.0..10.0_f64, 1..40), unit in 0.001..1000.0_f64,
    ) {
        let before = entropy(&times);
        if let Some(entropy) = before {
            prop_assert!((0.0..=(times.len() as f64).ln() + 1e-9).contains(&entropy));
        }
        times.reverse();
        times.iter_mut().for_each(|time| *time *= unit);
        match (before, entropy(&times)) {
            (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-9),
            (a, b) => prop_assert_eq!(a, b),
        }
    }

    #[test]
    fn any_head_gives_figures_in_range(
        frames in prop::collection::vec((0.0..1.0_f64, prop::num::f64::ANY, prop::option::of(prop::num::f64::ANY)), 0..60),
        seconds in prop::num::f64::ANY,
    ) {
        let mut head = HeadMeter::default();
        for (dt, yaw, off) in frames {
            head.seen(dt, yaw, off);
        }
        let [turning, entropy, returns] = head.take(seconds);
        prop_assert!(turning.is_none_or(|x| (0.0..=FASTEST_TURN + 1e-9).contains(&x)));
        prop_assert!(entropy.is_none_or(|x| (0.0..=(DIRECTIONS as f64).ln() + 1e-9).contains(&x)));
        prop_assert!(returns.is_none_or(|x| x >= 0.0 && x.is_finite()));
    }

    #[test]
    fn any_times_give_a_finite_entropy_or_none(times in prop::collection::vec(prop::num::f64::ANY, 0..40)) {
        prop_assert!(entropy(&times).is_none_or(|x| x.is_finite() && x >= 0.0));
    }
}
