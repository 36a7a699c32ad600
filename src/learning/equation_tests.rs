//! The equation: golden vectors by hand, and what holds for any input.

use proptest::prelude::*;

use super::super::event::LearningEvent;
use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn signals(x: [f64; 4]) -> Signals {
    let [learner, knowledge, engagement, assessment] = x.map(Some);
    Signals {
        learner,
        knowledge,
        engagement,
        assessment,
    }
}

fn rate(seconds: f64) -> Rate {
    Rate::over(Duration::from_secs_f64(seconds), &Params::default())
}

fn practice() -> Weights {
    Weights::base(LearningEvent::Practice)
}

fn assert_index(index: Index, value: f64, lower: f64, upper: f64) {
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(
        close(index.value, value) && close(index.lower, lower) && close(index.upper, upper),
        "{index:?}"
    );
}

#[test]
fn golden_one_period_of_practice() {
    // w = .27 .32 .18 .23, x = .6 .7 .5 .8: Σwx = .162 + .224 + .090 + .184 = .660
    // I = .05·4·(.5−.5)(.7−.5) + .05·4·(.8−.5)(.6−.5) = 0 + .006; T = .666
    // ∂ = .5 + .7·(.666 − .5) = .6162; lower 0 + .7·.666 = .4662; upper 1 + .7·(.666 − 1) = .7662
    let moved = step(
        &rate(5.0),
        &practice(),
        Index::default(),
        &signals([0.6, 0.7, 0.5, 0.8]),
        0.0,
    );
    assert_index(moved.index, 0.6162, 0.4662, 0.7662);
    assert!((moved.evidence.unwrap() - 0.66).abs() < 1e-12);
    assert!((moved.interaction.unwrap() - 0.006).abs() < 1e-12);
    assert_eq!(moved.missing, [false; 4]);
}

#[test]
fn golden_half_a_period_with_engagement_missing_and_noise() {
    // α_dt = 1 − .3^½ = .452277442; β_dt·ε = .15·(.452277442/.7)·.2 = .019383319
    // Σwx/Σw = .570/.82 = .695121951; I = .2·(.195121951)(.2) + .006 = .013804878; T = .708926829
    // ∂ = .5 + .452277442·.208926829 + .019383319 = .613876211
    // E = 0: .570 + .2·(−.5)(.2) + .006 = .556; lower = .452277442·.556 + .019383319 = .270849577
    // E = 1: .750 + .2·(.5)(.2) + .006 = .776; upper = 1 − .452277442·.224 + .019383319 = .918073172
    let without_engagement = Signals {
        engagement: None,
        ..signals([0.6, 0.7, 0.0, 0.8])
    };
    let moved = step(
        &rate(2.5),
        &practice(),
        Index::default(),
        &without_engagement,
        0.2,
    );
    assert_index(moved.index, 0.613_876_211, 0.270_849_577, 0.918_073_172);
    assert!((moved.evidence.unwrap() - 0.57 / 0.82).abs() < 1e-12);
    assert_eq!(moved.missing, [false, false, true, false]);
}

#[test]
fn golden_nothing_but_zeros_falls_towards_a_tenth() {
    // Σwx = 0; I = .05·4·¼ twice = .1 (both low also counts as 'together'), so T = .1; ∂ = .5 + .7·(.1 − .5) = .22;
    // then .22 − .7·.12 = .136. In the original the same learner is at .8 after one step and told to advance.
    let zeros = signals([0.0; 4]);
    let first = step(&rate(5.0), &practice(), Index::default(), &zeros, 0.0);
    assert_index(first.index, 0.22, 0.07, 0.37);
    let second = step(&rate(5.0), &practice(), first.index, &zeros, 0.0);
    assert!((second.index.value - 0.136).abs() < 1e-12);
}

#[test]
fn golden_nothing_but_ones_stays_within_one() {
    // Σwx = 1, I = .1, T is held at 1: ∂ = .5 + .7·.5 = .85.
    let ones = signals([1.0; 4]);
    let moved = step(&rate(5.0), &practice(), Index::default(), &ones, 0.0);
    assert_index(moved.index, 0.85, 0.7, 1.0);
}

#[test]
fn with_nothing_observed_the_index_stays_and_its_interval_widens() {
    // lower .5·.3 = .15, upper 1 − .3·.3 = .91: 70 % of the way to [0, 1] in one period.
    let index = Index {
        value: 0.6,
        lower: 0.5,
        upper: 0.7,
    };
    let moved = step(&rate(5.0), &practice(), index, &Signals::default(), 0.0);
    assert_index(moved.index, 0.6, 0.15, 0.91);
    assert_eq!((moved.evidence, moved.interaction), (None, None));
    assert_eq!(moved.missing, [true; 4]);
}

#[test]
fn noise_that_is_no_number_is_none_and_too_much_of_it_is_held() {
    let at = |epsilon| {
        let x = signals([0.6, 0.7, 0.5, 0.8]);
        step(&rate(5.0), &practice(), Index::default(), &x, epsilon)
    };
    assert_eq!(at(f64::NAN), at(0.0));
    assert_eq!(at(9.0), at(0.3));
    assert_eq!(at(-9.0), at(-0.3));
}

#[test]
fn a_constant_out_of_range_is_named() {
    assert!(Params::default().validated().is_ok());
    let wrong = Params {
        alpha: f64::NAN,
        ..Params::default()
    };
    assert_eq!(wrong.validated().unwrap_err().name, "alpha");
}

#[test]
fn no_time_moves_nothing() {
    let params = Params {
        alpha: 1.0,
        ..Params::default()
    };
    let moved = step(
        &Rate::over(Duration::ZERO, &params),
        &practice(),
        Index::default(),
        &signals([1.0; 4]),
        0.3,
    );
    assert_eq!(moved.index, Index::default());
}

fn weights() -> impl Strategy<Value = Weights> {
    (
        prop::sample::select(LearningEvent::ALL.to_vec()),
        prop::array::uniform4(-0.3..0.9_f64),
    )
        .prop_map(|(event, wanted)| Weights::nearest(event, wanted))
}

fn input() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(0.0..=1.0_f64)
}

fn inputs() -> impl Strategy<Value = Signals> {
    (input(), input(), input(), input()).prop_map(|(learner, knowledge, engagement, assessment)| {
        Signals {
            learner,
            knowledge,
            engagement,
            assessment,
        }
    })
}

fn list(signals: &Signals) -> [Option<f64>; 4] {
    [
        signals.learner,
        signals.knowledge,
        signals.engagement,
        signals.assessment,
    ]
}

fn filled(holes: &Signals, fill: [f64; 4]) -> Signals {
    let mut fill = fill;
    for (fill, there) in fill.iter_mut().zip(list(holes)) {
        *fill = there.unwrap_or(*fill);
    }
    signals(fill)
}

fn start() -> impl Strategy<Value = Index> {
    prop::array::uniform3(0.0..=1.0_f64).prop_map(|mut x| {
        x.sort_by(f64::total_cmp);
        Index {
            value: x[1],
            lower: x[0],
            upper: x[2],
        }
    })
}

proptest! {
    #[test]
    fn the_path_does_not_depend_on_the_update_rate(
        w in weights(), from in start(), x in inputs(), epsilon in -0.3..0.3_f64,
        millis in 1..20_000_u64, parts in 2..40_u32,
    ) {
        let whole = Duration::from_millis(millis * u64::from(parts));
        let params = Params::default();
        let once = step(&Rate::over(whole, &params), &w, from, &x, epsilon).index;
        let part = Rate::over(Duration::from_millis(millis), &params);
        let mut often = from;
        for _ in 0..parts {
            often = step(&part, &w, often, &x, epsilon).index;
        }
        prop_assert!((once.value - often.value).abs() < 1e-9, "{once:?} {often:?}");
        prop_assert!((once.lower - often.lower).abs() < 1e-9);
        prop_assert!((once.upper - often.upper).abs() < 1e-9);
    }

    #[test]
    fn a_missing_input_counts_as_the_mean_of_the_others_and_never_as_a_half(
        w in weights(), from in start(), x in inputs(), low in 0.0..0.5_f64,
    ) {
        let moved = step(&rate(5.0), &w, from, &x, 0.0);
        if let Some(evidence) = moved.evidence {
            let complete = step(&rate(5.0), &w, from, &filled(&x, [evidence; 4]), 0.0);
            prop_assert!((complete.index.value - moved.index.value).abs() < 1e-9);
            prop_assert!((complete.interaction.unwrap() - moved.interaction.unwrap()).abs() < 1e-9);
        }
        // Where all that is known says `low`, whatever is missing, that is what is believed.
        let same = Signals {
            learner: x.learner.map(|_| low),
            knowledge: x.knowledge.map(|_| low),
            engagement: x.engagement.map(|_| low),
            assessment: x.assessment.map(|_| low),
        };
        if let Some(evidence) = step(&rate(5.0), &w, from, &same, 0.0).evidence {
            prop_assert!((evidence - low).abs() < 1e-12);
        }
    }

    #[test]
    fn the_interval_holds_whatever_the_missing_inputs_were(
        w in weights(), from in start(), x in inputs(), fill in prop::array::uniform4(0.0..=1.0_f64),
        truth in 0.0..=1.0_f64, seconds in 0.1..30.0_f64,
    ) {
        let moved = step(&rate(seconds), &w, from, &x, 0.0).index;
        let start = Index { value: from.lower + truth * (from.upper - from.lower), ..from };
        let complete = step(&rate(seconds), &w, start, &filled(&x, fill), 0.0).index;
        prop_assert!(moved.lower <= complete.value + 1e-12 && complete.value <= moved.upper + 1e-12);
        prop_assert!(moved.lower <= moved.value && moved.value <= moved.upper);
    }

    #[test]
    fn a_missing_input_widens_the_interval(
        w in weights(), from in start(), x in prop::array::uniform4(0.0..=1.0_f64), lost in 0..4_usize,
    ) {
        let complete = step(&rate(5.0), &w, from, &signals(x), 0.0).index;
        let mut holes = list(&signals(x));
        holes[lost] = None;
        let [learner, knowledge, engagement, assessment] = holes;
        let holed = step(&rate(5.0), &w, from, &Signals { learner, knowledge, engagement, assessment }, 0.0).index;
        // No input moves T by less than its weight's share; where T is held at 0 or 1 the bounds may agree.
        prop_assert!(holed.upper - holed.lower >= complete.upper - complete.lower - 1e-12);
        if from.upper < 1.0 && x.iter().all(|x| (0.2..0.8).contains(x)) {
            prop_assert!(holed.upper - holed.lower > complete.upper - complete.lower + 1e-4);
        }
    }

    #[test]
    fn more_of_anything_never_lowers_the_index(
        w in weights(), from in start(), x in prop::array::uniform4(0.0..=1.0_f64), which in 0..4_usize, more in 0.0..1.0_f64,
    ) {
        let mut better = x;
        better[which] = (better[which] + more).min(1.0);
        let before = step(&rate(5.0), &w, from, &signals(x), 0.0).index.value;
        prop_assert!(step(&rate(5.0), &w, from, &signals(better), 0.0).index.value >= before - 1e-12);
    }

    #[test]
    fn the_interaction_is_bounded_and_apart(w in weights(), x in inputs()) {
        let with = step(&rate(5.0), &w, Index::default(), &x, 0.0);
        let none = Params { engagement_knowledge: 0.0, assessment_learner: 0.0, ..Params::default() };
        let without = step(&Rate::over(5 * SECOND, &none), &w, Index::default(), &x, 0.0);
        prop_assert_eq!(with.evidence, without.evidence);
        if let Some(interaction) = with.interaction {
            prop_assert!(interaction.abs() <= 0.1 + 1e-12);
            prop_assert_eq!(without.interaction.map(f64::abs), Some(0.0));
        }
    }

    #[test]
    fn without_noise_the_index_goes_to_the_evidence_from_wherever_it_was(
        w in weights(), from in start(), x in prop::array::uniform4(0.0..=1.0_f64),
    ) {
        let moved = step(&rate(200.0), &w, from, &signals(x), 0.0);
        let target = (moved.evidence.unwrap() + moved.interaction.unwrap()).clamp(0.0, 1.0);
        prop_assert!((moved.index.value - target).abs() < 1e-9);
        prop_assert!(moved.index.upper - moved.index.lower < 1e-9);
    }

    #[test]
    fn any_number_at_all_gives_an_index_in_range(
        numbers in prop::array::uniform9(prop::num::f64::ANY),
        x in prop::array::uniform4(prop::num::f64::ANY),
        millis in any::<u64>(), w in weights(),
    ) {
        let [alpha, beta, epsilon_limit, engagement_knowledge, assessment_learner, period, value, lower, epsilon] = numbers;
        let params = Params { alpha, beta, epsilon_limit, engagement_knowledge, assessment_learner, period };
        let rate = Rate::over(Duration::from_millis(millis), &params);
        let index = step(&rate, &w, Index { value, lower, upper: epsilon }, &signals(x), epsilon).index;
        for bound in [index.lower, index.value, index.upper] {
            prop_assert!((0.0..=1.0).contains(&bound), "{index:?}");
        }
        prop_assert!(index.lower <= index.value && index.value <= index.upper);
    }
}
