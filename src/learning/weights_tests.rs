//! Weights: worked examples by hand, and what holds for any rule and any number.

use proptest::prelude::*;

use super::*;

fn close(weights: Weights, expected: [f64; 4]) {
    for (weight, expected) in <[f64; 4]>::from(weights).into_iter().zip(expected) {
        assert!((weight - expected).abs() < 1e-12, "{weights:?}");
    }
}

#[test]
fn every_base_row_sums_to_one_and_is_legal() {
    for event in LearningEvent::ALL {
        let base = Weights::base(event);
        assert!(Weights::try_from(<[f64; 4]>::from(base)).is_ok());
        close(Weights::nearest(event, base.into()), base.into());
    }
}

#[test]
fn a_struggling_learner_in_practice() {
    // By hand: .27+.10, .32−.05, .18, .23−.05: sums to 1, all within ±.15, so the projection changes nothing.
    let adjusted = adjust(
        LearningEvent::Practice,
        &Rules::default(),
        &Conditions {
            success: Some(0.4),
            ..Conditions::default()
        },
    );
    close(adjusted.weights, [0.37, 0.27, 0.18, 0.18]);
    let fired: Vec<_> = adjusted.fired.iter().map(|fired| fired.rule).collect();
    assert_eq!(fired, [RuleName::Struggling]);
}

#[test]
fn what_was_negative_in_the_original_stays_a_weight() {
    // Onboarding, struggling, low engagement, stress and confusion: assessment would be −0.126 without bounds.
    // By hand, with bounds L [.25,.55], K [.07,.37], E [.13,.43], A [.05,.25]:
    // struggling     .50  .17  .28  .05
    // low engagement .50  .10  .40  .00 → A is held at .05; the .05 too much is taken from the free three in equal
    //                parts (τ = 1/60): .483333 .083333 .383333 .05
    // stress ×.7     .588333 .048333 .383333 −.02 → K at .07, A at .05; L and E give τ = .045833: .5425 .07 .3375 .05
    // confusion ×.7  .5425 .154 .3095 −.006 → A at .05; τ = .056/3: .523833 .135333 .290833 .05
    let adjusted = adjust(
        LearningEvent::Onboarding,
        &Rules::default(),
        &Conditions {
            success: Some(0.0),
            engagement_trend: Some(0.0),
            stress: Some(1.0),
            flow: Some(1.0),
            confusion: Some(1.0),
            prerequisite_gaps: None,
        },
    );
    let third = 0.056 / 3.0;
    close(
        adjusted.weights,
        [0.5425 - third, 0.154 - third, 0.3095 - third, 0.05],
    );
    let fired: Vec<_> = adjusted.fired.iter().map(|fired| fired.rule).collect();
    assert_eq!(
        fired,
        [
            RuleName::Struggling,
            RuleName::LowEngagement,
            RuleName::Stress,
            RuleName::Confusion
        ],
        "flow is not tried beside stress"
    );
}

#[test]
fn what_is_not_observed_fires_nothing() {
    let nothing = Conditions {
        stress: Some(f64::NAN),
        ..Conditions::default()
    };
    let adjusted = adjust(LearningEvent::Mastery, &Rules::default(), &nothing);
    assert!(adjusted.fired.is_empty());
    assert_eq!(adjusted.weights, Weights::base(LearningEvent::Mastery));
}

#[test]
fn the_sources_rules_take_as_much_as_they_give() {
    for rule in Rules::default().0.iter() {
        assert!(rule.shift.iter().sum::<f64>().abs() < 1e-12, "{rule:?}");
    }
}

#[test]
fn weights_that_are_none_are_refused_on_reading() {
    assert!(serde_json::from_str::<Weights>("[0.5,0.5,0.5,-0.5]").is_err());
    assert!(serde_json::from_str::<Weights>("[0.25,0.25,0.25,0.25]").is_ok());
}

fn any_event() -> impl Strategy<Value = LearningEvent> {
    prop::sample::select(LearningEvent::ALL.to_vec())
}

fn any_rule() -> impl Strategy<Value = Rule> {
    (
        prop::array::uniform4(prop::num::f64::ANY),
        prop::num::f64::ANY,
    )
        .prop_map(|(shift, scale)| Rule {
            name: RuleName::Stress,
            trigger: Trigger::Above(0.0),
            shift,
            scale,
            unless: None,
        })
}

/// The sources' rules and any other.
fn some_rules() -> impl Strategy<Value = Vec<Rule>> {
    let sources: Vec<Rule> = Rules::default().0.iter().copied().collect();
    prop::collection::vec(
        prop_oneof![prop::sample::select(sources), any_rule()],
        0..30,
    )
}

proptest! {
    #[test]
    fn weights_stay_weights_after_any_sequence_of_rules(event in any_event(), rules in some_rules()) {
        let mut weights = Weights::base(event);
        for rule in &rules {
            weights = apply(event, weights, rule);
            let each: [f64; 4] = weights.into();
            prop_assert!((each.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{weights:?}");
            for (weight, (low, high)) in each.into_iter().zip(Weights::bounds(event)) {
                prop_assert!(weight >= low && weight <= high, "{weights:?}");
            }
        }
    }

    /// No legal point is nearer: moving any amount from one coordinate to another, as far as the bounds let,
    /// never comes closer. For a convex set these exchanges are all the directions that need checking.
    #[test]
    fn the_projection_is_the_nearest_legal_point(
        event in any_event(),
        wanted in prop::array::uniform4(-2.0..2.0_f64),
        amount in 0.0..0.3_f64,
    ) {
        let found: [f64; 4] = Weights::nearest(event, wanted).into();
        let bounds = Weights::bounds(event);
        let distance = |w: [f64; 4]| w.iter().zip(wanted).map(|(w, v)| (w - v).powi(2)).sum::<f64>();
        for from in 0..4 {
            for to in 0..4 {
                let step = amount.min(found[from] - bounds[from].0).min(bounds[to].1 - found[to]);
                let mut other = found;
                other[from] -= step;
                other[to] += step;
                prop_assert!(distance(other) >= distance(found) - 1e-12);
            }
        }
    }
}
