//! What may be given up and what never.

use proptest::prelude::*;

use super::*;

fn setting(cpu: f64, gpu: f64) -> Setting {
    Setting { cpu, gpu }
}

fn at(cpu: f64, gpu: f64) -> Quality {
    Quality::at(&setting(cpu, gpu), &Rules::default(), &Limits::default())
}

#[test]
fn levels_are_as_the_specification_has_them() {
    assert_eq!(Level::of(&Setting::FULL), Level::Conservative);
    let balanced = at(0.0, 0.5);
    assert!(balanced.shadows < 1e-9 && (balanced.foveation - 0.75).abs() < 1e-9);
    let aggressive = at(0.75, 0.75);
    assert!((aggressive.render_scale - 0.8).abs() < 1e-9);
    assert!((aggressive.physics - 0.5).abs() < 1e-9 && aggressive.telemetry < 0.2);
    let emergency = at(1.0, 1.0);
    assert!((emergency.render_scale - 0.6).abs() < 1e-9);
    assert_eq!(Level::of(&setting(1.0, 0.0)), Level::Emergency);
    assert!(Level::Emergency > Level::Aggressive);
}

#[test]
fn full_quality_blurs_nothing_and_each_actuator_says_what_it_blurs() {
    let rules = Rules::default();
    assert!(at(0.0, 0.0).marks(&rules).is_empty());
    let all = at(1.0, 1.0).marks(&rules);
    for actuator in Actuator::ALL {
        for signal in actuator.degrades() {
            assert!(all.has(*signal), "{}: {signal:?}", actuator.name());
        }
    }
    let telemetry = at(0.25, 0.0).marks(&rules);
    assert!(telemetry.has(Blur::MotionFeatures) && !telemetry.has(Blur::Precision));
}

#[test]
fn nothing_is_drawn_larger_than_the_runtime_recommends_nor_smaller_than_text_needs() {
    let rules = Rules::default();
    let limits = Limits {
        scale_ceiling: 0.9,
        scale_floor: 0.85,
        foveation: false,
    };
    let full = Quality::at(&Setting::FULL, &rules, &limits);
    assert!((full.render_scale - 0.9).abs() < 1e-9 && full.foveation < 1e-9);
    let least = Quality::at(&setting(1.0, 1.0), &rules, &limits);
    assert!((least.render_scale - 0.85).abs() < 1e-9);
    // What nobody may draw isn't asked for by a floor.
    let limits = Limits {
        scale_floor: 1.0,
        ..limits
    };
    assert!((Quality::at(&Setting::FULL, &rules, &limits).render_scale - 0.9).abs() < 1e-9);
}

#[test]
fn text_keeps_its_pixels_per_degree() {
    // 1680 pixels across 45° to both sides: 14.7 per degree at the axis.
    let quarter = std::f64::consts::FRAC_PI_4;
    let scale = legible_scale(12.0, 1680.0, quarter, quarter);
    let per_degree = 1680.0 * scale / 2.0 * 1.0_f64.to_radians();
    assert!((per_degree - 12.0).abs() < 1e-9, "{per_degree}");
    assert!((legible_scale(20.0, 1680.0, quarter, quarter) - 1.0).abs() < 1e-12);
    assert!(legible_scale(0.0, 1680.0, quarter, quarter) < 1e-12);
}

proptest! {
    #[test]
    fn giving_up_more_never_costs_more_and_never_looks_better(
        a in 0.0..=1.0_f64, b in 0.0..=1.0_f64, other in 0.0..=1.0_f64,
        ceiling in 0.3..=1.0_f64, floor in 0.0..=1.0_f64, foveation in any::<bool>(),
    ) {
        let rules = Rules::default();
        let limits = Limits { scale_ceiling: ceiling, scale_floor: floor, foveation };
        let (less, more) = (a.min(b), a.max(b));
        for (one, two) in [
            (setting(less, other), setting(more, other)),
            (setting(other, less), setting(other, more)),
        ] {
            let (one, two) = (Quality::at(&one, &rules, &limits), Quality::at(&two, &rules, &limits));
            prop_assert!(two.index(&rules) <= one.index(&rules) + 1e-12);
            for (x, y) in one.gpu_work(&rules).iter().zip(&two.gpu_work(&rules)) {
                prop_assert!(*y <= *x + 1e-12);
            }
            for (x, y) in one.cpu_work().iter().zip(&two.cpu_work()) {
                prop_assert!(*y <= *x + 1e-12);
            }
            for actuator in Actuator::ALL {
                prop_assert!((0.0..=1.0).contains(&two.of(actuator)));
            }
            prop_assert!(two.render_scale >= rules.smallest_scale - 1e-12);
            prop_assert!(two.render_scale >= floor.min(ceiling) - 1e-12);
        }
    }
}
