//! FSRS-6 against its authors' package, and its properties.

use proptest::prelude::*;

use super::Rating::{Again, Easy, Good, Hard};
use super::*;

/// (days since the last review, rating, recall just before it, stability and difficulty after it, days to the next)
type Row = (f64, Rating, f64, f64, f64, f64);

/// Computed with fsrs 6.3.2 (Python, by FSRS's authors): default weights, no learning steps, no fuzz.
#[rustfmt::skip]
const VECTORS: [&[Row]; 6] = [
    &[
        (0.0, Good, 0.0, 2.306500000000, 2.118103970459, 2.0),
        (1.0, Good, 0.946847499383, 7.315300744077, 2.111214235785, 7.0),
        (3.0, Good, 0.949225883336, 19.833473465760, 2.104331390846, 20.0),
        (8.0, Good, 0.949917668651, 48.199592558629, 2.097455428752, 48.0),
        (21.0, Good, 0.946633637824, 111.686808310361, 2.090586342621, 112.0),
    ],
    &[
        (0.0, Again, 0.0, 0.212000000000, 6.413300000000, 1.0),
        (0.0, Good, 1.0, 0.246689187776, 6.402115069297, 1.0),
        (1.0, Good, 0.780850277020, 2.021477251638, 6.390941323524, 2.0),
        (3.0, Hard, 0.870676638729, 5.534989315484, 7.589367037718, 6.0),
        (0.0, Easy, 1.0, 8.939466732231, 6.769074206516, 9.0),
    ],
    &[
        (0.0, Easy, 0.0, 8.295600000000, 1.000000000000, 8.0),
        (10.0, Again, 0.886657219624, 1.425309620963, 7.026989569297, 1.0),
        (0.0, Again, 1.0, 0.494378563356, 9.008020057196, 1.0),
        (1.0, Hard, 0.844906691643, 1.063432526983, 9.326705856998, 1.0),
        (5.0, Easy, 0.766509760234, 5.444685964475, 9.086950699211, 5.0),
        (60.0, Good, 0.683434417497, 20.080447851530, 9.073092117808, 20.0),
    ],
    &[
        (0.0, Hard, 0.0, 1.293100000000, 5.112170705601, 1.0),
        (2.0, Again, 0.867367501757, 0.407175159205, 8.378632117467, 1.0),
        (2.0, Again, 0.762258618951, 0.181019784257, 9.452295771610, 1.0),
        (2.0, Again, 0.683184452925, 0.097409491093, 9.805201713814, 1.0),
        (2.0, Good, 0.624749195770, 0.485730459439, 9.790624881397, 1.0),
        (400.0, Good, 0.356164701840, 3.369800046629, 9.776062625812, 3.0),
    ],
    &[
        (0.0, Easy, 0.000000000000, 8.295600000000, 1.000000000000, 8.0),
        (0.0, Good, 1.000000000000, 8.295600000000, 1.000000000000, 8.0),
        (0.0, Hard, 1.000000000000, 8.295600000000, 4.010608969297, 8.0),
        (0.0, Again, 1.000000000000, 2.562508168226, 8.016556265364, 3.0),
    ],
    &[
        (0.0, Again, 0.000000000000, 0.212000000000, 6.413300000000, 1.0),
        (30.0, Again, 0.466871281474, 0.165234482648, 8.806304468857, 1.0),
        (100.0, Again, 0.373463027370, 0.149555710846, 9.592868765340, 1.0),
        (300.0, Again, 0.310511540207, 0.142336357473, 9.851407100956, 1.0),
        (1000.0, Again, 0.255953366999, 0.135465496730, 9.936386893813, 1.0),
        (3000.0, Again, 0.214428283093, 0.128926306182, 9.964319173862, 1.0),
        (5000.0, Good, 0.196680360237, 1.222629092305, 9.949583223985, 1.0),
    ],
];

#[test]
fn it_agrees_with_the_authors_own_scheduler() {
    let p = RetentionParams::default();
    for rows in VECTORS {
        let mut memory: Option<Memory> = None;
        for &(days, rating, recall, stability, difficulty, due) in rows {
            let after = match memory {
                None => first_review(rating, &p),
                Some(before) => {
                    assert!((retrievability(&before, days, &p) - recall).abs() < 1e-9);
                    review(&before, days, rating, &p)
                }
            };
            assert!((after.stability - stability).abs() < 1e-9, "{after:?}");
            assert!((after.difficulty - difficulty).abs() < 1e-9, "{after:?}");
            assert!((interval(&after, &p) - due).abs() < 1e-9, "{after:?}");
            memory = Some(after);
        }
    }
}

#[test]
fn stability_is_the_time_to_nine_in_ten() {
    let p = RetentionParams::default();
    let memory = Memory {
        stability: 12.0,
        difficulty: 5.0,
    };
    assert!((retrievability(&memory, 12.0, &p) - 0.9).abs() < 1e-12);
    assert!((retrievability(&memory, 0.0, &p) - 1.0).abs() < 1e-12);
    assert!((interval(&memory, &p) - 12.0).abs() < 1e-9);
    assert!(!is_due(&memory, 11.9, &p));
    assert!(is_due(&memory, 12.1, &p));
}

#[test]
fn a_rating_comes_from_what_was_seen() {
    let p = RetentionParams::default();
    let rated = |correct, hints, z| Rating::of_attempt(correct, hints, z, Quality::PERFECT, &p);
    assert_eq!(rated(false, 0, Some(-3.0)), Some(Again));
    assert_eq!(rated(true, 2, Some(-3.0)), Some(Hard));
    assert_eq!(rated(true, 0, Some(1.5)), Some(Hard));
    assert_eq!(rated(true, 0, Some(-1.5)), Some(Easy));
    assert_eq!(rated(true, 0, None), Some(Good));
    assert_eq!(rated(true, 0, Some(f64::NAN)), Some(Good));
}

#[test]
fn a_failure_through_bad_hardware_is_no_lapse() {
    let p = RetentionParams::default();
    let bad = Quality {
        frame_health: 0.5,
        tracking: 1.0,
    };
    assert_eq!(Rating::of_attempt(false, 0, None, bad, &p), None);
    assert_eq!(Rating::of_attempt(true, 0, Some(4.0), bad, &p), Some(Good));
}

fn rating() -> impl Strategy<Value = Rating> {
    prop_oneof![Just(Again), Just(Hard), Just(Good), Just(Easy)]
}

fn memory() -> impl Strategy<Value = Memory> {
    (0.01..1000.0, 1.0..10.0).prop_map(|(stability, difficulty)| Memory {
        stability,
        difficulty,
    })
}

proptest! {
    #[test]
    fn memory_only_fades_with_time(memory in memory(), a in 0.0..5000.0, b in 0.0..5000.0) {
        let p = RetentionParams::default();
        let (soon, late): (f64, f64) = if a < b { (a, b) } else { (b, a) };
        prop_assert!(retrievability(&memory, soon, &p) >= retrievability(&memory, late, &p));
    }

    #[test]
    fn a_better_rating_never_leaves_a_weaker_memory(memory in memory(), days in 0.0..1000.0, a in rating(), b in rating()) {
        let p = RetentionParams::default();
        let (worse, better) = if a < b { (a, b) } else { (b, a) };
        let after_worse = review(&memory, days, worse, &p);
        let after_better = review(&memory, days, better, &p);
        prop_assert!(after_better.stability >= after_worse.stability);
        prop_assert!(after_better.difficulty <= after_worse.difficulty);
    }

    #[test]
    fn a_stricter_wish_never_waits_longer(memory in memory(), a in 0.7..0.97, b in 0.7..0.97) {
        let (loose, strict): (f64, f64) = if a < b { (a, b) } else { (b, a) };
        let at = |desired_retention| interval(&memory, &RetentionParams { desired_retention, ..RetentionParams::default() });
        prop_assert!(at(strict) <= at(loose));
    }

    #[test]
    fn any_input_stays_in_range(
        stability in prop::num::f64::ANY, difficulty in prop::num::f64::ANY, days in prop::num::f64::ANY, retention in prop::num::f64::ANY,
        longest in prop::num::f64::ANY, weight in prop::num::f64::ANY, rating in rating(),
    ) {
        let p = RetentionParams {
            weights: [weight; 21], desired_retention: retention, longest_interval: longest, ..RetentionParams::default()
        };
        let after = review(&Memory { stability, difficulty }, days, rating, &p);
        for memory in [after, first_review(rating, &p)] {
            prop_assert!((MIN_STABILITY..=MAX_STABILITY).contains(&memory.stability));
            prop_assert!((1.0..=10.0).contains(&memory.difficulty));
            let recall = retrievability(&memory, days, &p);
            prop_assert!(recall > 0.0 && recall <= 1.0);
            prop_assert!((1.0..=MAX_STABILITY).contains(&interval(&memory, &p)));
        }
    }
}
