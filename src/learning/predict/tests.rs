//! Prediction: what must hold for any learner, and that it is calibrated on simulated ones it wasn't fitted on.

use proptest::prelude::*;

use super::*;

fn inputs(x: [f64; 8]) -> Inputs {
    let [
        ability,
        known,
        recent,
        hesitated,
        failures,
        comfort,
        on_task,
        minutes,
    ] = x;
    let success = [[1.0, ability, known, recent - 0.5]; 3];
    Inputs {
        success,
        stall: [1.0, 0.0, hesitated, failures, 0.0],
        leaving: [1.0, comfort, on_task, minutes, 1.0 - recent],
    }
}

#[test]
fn a_longer_time_by_hand() {
    let soon = Prediction {
        success: Bounded {
            mean: 0.5,
            lower: 0.5,
            upper: 0.5,
            n: 0,
        },
        stall: 0.1,
        leaving: 0.01,
    };
    // Two intervals: 1 − 0.9²; ten: 1 − 0.99¹⁰.
    assert!((soon.stalls_within(60.0) - 0.19).abs() < 1e-12);
    assert!((soon.leaves_within(300.0) - 0.095_617_924_99).abs() < 1e-9);
    assert!(soon.leaves_within(f64::NAN) <= 0.0);
}

#[test]
fn a_learner_nothing_is_known_about_gets_a_prediction_that_says_so() {
    let p = Params::default();
    let five = Five::new(2, &p);
    let view = five.view(
        &[0],
        crate::learning::estimate::Estimate {
            mean: 0.0,
            variance: 0.0,
        },
        &View::default(),
        &p,
    );
    let prediction = Predictor::default().predict(&Inputs::of(&five, 0, &view, &p));
    let success = prediction.success;
    assert!(success.upper - success.lower > 0.5, "{success:?}");
}

#[test]
fn the_parameters_in_use_say_where_they_are_from() {
    let predictor = Predictor::default();
    assert!(predictor.version > 0);
    assert!(predictor.provenance.contains("simulated learners only"));
}

proptest! {
    #[test]
    fn any_inputs_give_probabilities_and_more_time_never_less(
        x in prop::array::uniform8(-20.0..20.0_f64), short in 0.0..300.0_f64, more in 0.0..300.0_f64,
    ) {
        let prediction = Predictor::default().predict(&inputs(x));
        for p in [prediction.success.mean, prediction.stall, prediction.leaving] {
            prop_assert!((0.0..=1.0).contains(&p));
        }
        prop_assert!(prediction.success.lower <= prediction.success.mean);
        prop_assert!(prediction.success.mean <= prediction.success.upper);
        prop_assert!(prediction.stalls_within(short + more) >= prediction.stalls_within(short));
        prop_assert!(prediction.leaves_within(short + more) >= prediction.leaves_within(short));
    }

    #[test]
    fn an_abler_learner_is_expected_to_succeed_sooner_and_to_stall_less(
        x in prop::array::uniform8(-3.0..3.0_f64), more in 0.1..3.0_f64,
    ) {
        let mut abler = x;
        abler[0] += more;
        let (before, after) = (Predictor::default().predict(&inputs(x)), Predictor::default().predict(&inputs(abler)));
        prop_assert!(after.success.mean >= before.success.mean);
        prop_assert!(after.stall <= before.stall);
    }

    #[test]
    fn discomfort_never_makes_leaving_less_likely(x in prop::array::uniform8(0.0..3.0_f64), more in 0.1..1.0_f64) {
        let mut worse = x;
        worse[5] += more;
        let (before, after) = (Predictor::default().predict(&inputs(x)), Predictor::default().predict(&inputs(worse)));
        prop_assert!(after.leaving >= before.leaving);
    }
}
