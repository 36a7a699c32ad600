//! Worked examples and properties of the features of engagement.

use proptest::prelude::*;

use super::*;

fn stretch(on_task: f64) -> Stretch {
    Stretch {
        seconds: 5.0,
        on_task: Some(on_task),
        ..Stretch::default()
    }
}

#[test]
fn a_feature_says_how_sure_it_is() {
    let p = EngagementParams::default();
    let mut engagement = Engagement::new(&p);
    assert_eq!(engagement.on_task(), None);
    for _ in 0..2 {
        engagement.observe(&stretch(1.0), &p);
    }
    // Beta(1, 1) and two observations of 1: mean 3/4, variance 0.75·0.25/5 = 0.0375, confidence 1 − 2·0.193649.
    let feature = engagement.on_task().unwrap();
    assert!((feature.estimate.mean - 0.75).abs() < 1e-12);
    assert!((feature.confidence - 0.612_701_7).abs() < 1e-6);
    assert_eq!(engagement.head_on_task(), None);
}

#[test]
fn ten_attempts_without_three_in_a_row_are_wheel_spinning() {
    let mut skill = WheelSpinning::default();
    for i in 0..9 {
        skill.attempt(i % 3 != 2, Quality::PERFECT, 0.8);
        assert!(!skill.is_spinning());
    }
    skill.attempt(true, Quality::PERFECT, 0.8);
    assert!(skill.is_spinning());
    // Two more in a row make three: it was slow, not in vain.
    skill.attempt(true, Quality::PERFECT, 0.8);
    skill.attempt(true, Quality::PERFECT, 0.8);
    assert!(!skill.is_spinning());
}

#[test]
fn three_in_a_row_end_wheel_spinning_for_good() {
    let mut skill = WheelSpinning::default();
    for i in 0..40 {
        skill.attempt(i < 3, Quality::PERFECT, 0.8);
    }
    assert!(!skill.is_spinning());
}

#[test]
fn failures_through_bad_hardware_are_no_wheel_spinning() {
    let lost = Quality {
        frame_health: 0.2,
        tracking: 1.0,
    };
    let mut skill = WheelSpinning::default();
    for _ in 0..40 {
        skill.attempt(false, lost, 0.8);
    }
    assert_eq!(skill, WheelSpinning::default());
}

#[test]
fn turning_away_is_noticed_against_the_learners_own_habit() {
    let p = EngagementParams::default();
    let mut engagement = Engagement::new(&p);
    // Someone who is usually half on task, give or take: that is no change.
    for i in 0..60 {
        let share = if i % 2 == 0 { 0.45 } else { 0.55 };
        assert_eq!(engagement.observe(&stretch(share), &p), Changes::default());
    }
    let noticed = (0..3).find_map(|_| engagement.observe(&stretch(0.2), &p).on_task);
    assert_eq!(noticed, Some(Change::Fell));
}

#[test]
fn a_slower_rhythm_is_noticed() {
    let p = EngagementParams::default();
    let mut engagement = Engagement::new(&p);
    let acting = |seconds| Stretch {
        seconds: 5.0,
        between_actions: Some(seconds),
        ..Stretch::default()
    };
    for i in 0..40 {
        engagement.observe(&acting(if i % 2 == 0 { 2.0 } else { 2.4 }), &p);
    }
    let noticed = (0..3).find_map(|_| engagement.observe(&acting(6.0), &p).between_actions);
    assert_eq!(noticed, Some(Change::Rose));
}

#[test]
fn a_path_is_measured_only_beyond_the_noise() {
    assert_eq!(path_efficiency(0.3, 0.6, 0.002), Some(0.5));
    assert_eq!(path_efficiency(0.3, 0.2, 0.002), Some(1.0));
    assert_eq!(path_efficiency(0.0, 0.001, 0.002), None);
    assert_eq!(path_efficiency(f64::NAN, 1.0, 0.002), None);
    assert_eq!(path_efficiency(1.0, f64::INFINITY, 0.002), None);
}

#[test]
fn the_head_is_on_the_task_inside_the_cone() {
    assert!(head_on_task(0.2, 0.26));
    assert!(!head_on_task(0.3, 0.26));
    assert!(!head_on_task(f64::NAN, 0.26));
}

#[test]
fn the_index_as_worked_by_hand() {
    let seen = |mean, variance| {
        Some(Feature {
            estimate: Estimate { mean, variance },
            confidence: 0.0,
        })
    };
    // (2·0.8 + 1·0.5)/3 = 0.7; variance (4·0.01 + 1·0.04 + 1/4 + 1/4)/25 = 0.0232.
    let index = combine(
        [seen(0.8, 0.01), seen(0.5, 0.04), None, None],
        [2.0, 1.0, 1.0, 1.0],
    )
    .unwrap();
    assert!((index.mean - 0.7).abs() < 1e-12);
    assert!((index.variance - 0.0232).abs() < 1e-12);
}

#[test]
fn what_was_seen_survives_storage() {
    let p = EngagementParams::default();
    let mut engagement = Engagement::new(&p);
    for i in 0..40 {
        engagement.observe(&stretch(0.37 + 0.013 * f64::from(i % 7)), &p);
    }
    let stored = serde_json::to_string(&engagement).unwrap();
    assert_eq!(
        serde_json::from_str::<Engagement>(&stored).unwrap(),
        engagement
    );
    let params = serde_json::to_string(&p).unwrap();
    assert_eq!(
        serde_json::from_str::<EngagementParams>(&params).unwrap(),
        p
    );
}

fn shares() -> impl Strategy<Value = (f64, f64, f64, f64)> {
    (0.0..=1.0, 0.0..=1.0, 0.0..=1.0, 0.0..=1.0)
}

proptest! {
    #[test]
    fn what_is_missing_widens_and_never_pulls_to_the_middle(
        seen in prop::collection::vec(shares(), 1..40), share in 0.0..=1.0, missing in 0..4usize,
    ) {
        let p = EngagementParams::default();
        let (mut whole, mut partly) = (Engagement::new(&p), Engagement::new(&p));
        let unseen = Rate::new(&p.rates);
        let mut persistence = unseen;
        for (on_task, head, path, went_on) in seen {
            let full = Stretch {
                seconds: 5.0,
                on_task: Some(on_task),
                head_on_task: Some(head),
                path_efficiency: Some(path),
                ..Stretch::default()
            };
            let mut part = full;
            match missing {
                0 => part.on_task = None,
                1 => part.head_on_task = None,
                2 => part.path_efficiency = None,
                _ => {}
            }
            whole.observe(&full, &p);
            partly.observe(&part, &p);
            persistence.observe(went_on, 1.0, Quality::PERFECT, &p.rates);
        }
        let left = if missing == 3 { unseen } else { persistence };
        prop_assert!(partly.index(&left, &p).unwrap().variance > whole.index(&persistence, &p).unwrap().variance);

        // The same share everywhere: whatever is missing, the mean of what was seen stays where it is.
        let same = Some(Feature { estimate: Estimate { mean: share, variance: 0.01 }, confidence: 0.8 });
        let mut features = [same; 4];
        features[missing] = None;
        prop_assert!((combine(features, [1.0; 4]).unwrap().mean - share).abs() < 1e-12);
    }

    #[test]
    fn an_empty_stretch_changes_nothing(seen in prop::collection::vec(shares(), 0..40)) {
        let p = EngagementParams::default();
        let mut engagement = Engagement::new(&p);
        for (on_task, ..) in seen {
            engagement.observe(&stretch(on_task), &p);
        }
        let before = engagement;
        engagement.observe(&Stretch { seconds: 60.0, ..Stretch::default() }, &p);
        engagement.observe(&stretch(f64::NAN), &p);
        engagement.observe(&Stretch { quality: Quality { frame_health: 0.1, tracking: 1.0 }, ..stretch(0.0) }, &p);
        prop_assert_eq!(engagement, before);
    }

    #[test]
    fn more_time_on_task_never_lowers_the_ratio(
        seen in prop::collection::vec((0.0..=1.0, 0.1..60.0), 1..40), which in any::<prop::sample::Index>(),
    ) {
        let p = EngagementParams::default();
        let better = which.index(seen.len());
        let (mut plain, mut more) = (Engagement::new(&p), Engagement::new(&p));
        for (i, &(share, seconds)) in seen.iter().enumerate() {
            plain.observe(&Stretch { seconds, ..stretch(share) }, &p);
            more.observe(&Stretch { seconds, ..stretch(if i == better { 1.0 } else { share }) }, &p);
        }
        prop_assert!(more.on_task().unwrap().estimate.mean >= plain.on_task().unwrap().estimate.mean - 1e-12);
    }

    #[test]
    fn any_input_stays_in_range(
        seen in prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY, prop::num::f64::ANY, prop::num::f64::ANY), 0..40),
        seconds_per_observation in prop::num::f64::ANY, least_trust in prop::num::f64::ANY, weight in prop::num::f64::ANY, z in prop::num::f64::ANY,
    ) {
        let p = EngagementParams {
            seconds_per_observation, least_trust, index_weights: [weight, 1.0, weight, 1.0], ..EngagementParams::default()
        };
        let mut engagement = Engagement::new(&p);
        for (seconds, a, b, c) in seen {
            let stretch = Stretch {
                seconds,
                on_task: Some(a),
                head_on_task: Some(b),
                path_efficiency: path_efficiency(a, b, c),
                between_actions: Some(c),
                quality: Quality { frame_health: 1.0, tracking: 1.0 },
            };
            engagement.observe(&stretch, &p);
            let interval = engagement.index_interval(&Rate::new(&p.rates), z, &p);
            prop_assert!(0.0 <= interval.low && interval.low <= interval.high && interval.high <= 1.0);
            prop_assert!(engagement.between_actions(&p).is_none_or(|d| d.mean.is_finite()));
            for feature in [engagement.on_task(), engagement.head_on_task(), engagement.path_efficiency()].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&feature.estimate.mean));
                prop_assert!((0.0..=1.0).contains(&feature.confidence));
            }
        }
    }
}
