//! The statistics against their slow definitions.

use proptest::prelude::*;

use super::*;

fn sample(cpu: f64) -> FrameSample {
    FrameSample {
        period: 1.0 / 72.0,
        cpu: CpuPhases {
            simulation: cpu,
            ..CpuPhases::default()
        },
        ..EMPTY
    }
}

#[test]
fn the_history_is_bounded_and_its_newest_is_at_0() {
    let mut history = History::default();
    assert!(history.back(0).is_none());
    for n in 0..300 {
        assert!(history.push(sample(f64::from(n) * 1e-4)));
    }
    assert_eq!((history.len(), history.frames()), (REMEMBERED, 300));
    let newest = history.back(0).unwrap().cpu.total();
    let oldest = history.back(REMEMBERED - 1).unwrap().cpu.total();
    assert!((newest - 0.0299).abs() < 1e-12 && (oldest - 0.0172).abs() < 1e-12);
    assert!(history.back(REMEMBERED).is_none());
    history.forget();
    assert!(history.is_empty() && history.back(0).is_none());
}

#[test]
fn a_clock_that_jumped_is_no_sample() {
    let mut history = History::default();
    for wrong in [f64::NAN, -1e-3, 11.0, f64::INFINITY] {
        assert!(!history.push(sample(wrong)));
        let gpu = Some(GpuTime {
            seconds: wrong,
            age: 0,
        });
        assert!(!history.push(FrameSample { gpu, ..sample(0.0) }));
        let period = wrong;
        assert!(!history.push(FrameSample {
            period,
            ..sample(0.0)
        }));
    }
    assert!(history.is_empty());
    assert_eq!(history.refused(), 12);
}

#[test]
fn misses_are_counted_in_periods() {
    let mut history = History::default();
    for skipped in [0, 2, 0, 1] {
        history.push(FrameSample {
            skipped,
            ..sample(0.01)
        });
    }
    assert_eq!(history.missed_in(2), 1);
    assert_eq!(history.missed_in(100), 3);
}

#[test]
fn a_rising_line_is_found_and_noise_is_none() {
    let rising = line((0..16).map(f64::from)).unwrap();
    assert!((rising.slope - 1.0).abs() < 1e-12 && (rising.end - 15.0).abs() < 1e-12);
    let noise = [1.0, 1.1, 0.9, 1.05, 0.95, 1.1, 0.9, 1.0];
    let flat = line(noise.into_iter()).unwrap();
    assert!(flat.slope.abs() < 1e-12 && (flat.end - 1.0).abs() < 1e-12);
    assert_eq!(line([1.0, 2.0].into_iter()), None);
}

proptest! {
    #[test]
    fn ending_the_frame_is_the_render_worlds_and_counted_once(
        simulation in 1e-4..0.02_f64,
        (prepare, record, end) in (1e-4..0.01_f64, 1e-4..0.01_f64, 0.0..0.02_f64),
    ) {
        let rendered = prepare + record;
        let beside = CpuPhases {
            simulation,
            prepare,
            record,
            end,
            overlap: simulation.min(rendered),
        };
        prop_assert!((beside.total() - simulation.max(rendered)).abs() < 1e-12);
        prop_assert!((beside.total_with_end() - simulation.max(rendered + end)).abs() < 1e-12);
        prop_assert!((beside.before_end() - rendered).abs() < 1e-12);
        let after = CpuPhases { overlap: 0.0, ..beside };
        prop_assert!((after.total_with_end() - simulation - rendered - end).abs() < 1e-12);
        prop_assert!((after.before_end() - after.total()).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_the_nearest_rank_of_the_last_values(
        values in prop::collection::vec(prop::num::f32::ANY, 0..400),
        q in 0.0..=1.0_f64,
    ) {
        let mut window = Window::default();
        for value in &values {
            window.push(*value);
        }
        let finite: Vec<f32> = values.into_iter().filter(|it| it.is_finite()).collect();
        let mut last = finite[finite.len().saturating_sub(WINDOW)..].to_vec();
        last.sort_by(f32::total_cmp);
        prop_assert_eq!(window.len(), last.len());
        let rank = ((q * last.len() as f64).ceil() as usize).max(1);
        let expected = last.get(rank - 1).map(|it| f64::from(*it));
        prop_assert_eq!(window.quantile(q), expected);
    }

    #[test]
    fn the_line_of_a_line_is_itself(start in -5.0..5.0_f64, slope in 0.01..2.0_f64, n in 3..64_usize) {
        let found = line((0..n).map(|x| start + slope * x as f64)).unwrap();
        prop_assert!((found.slope - slope).abs() < 1e-9);
        prop_assert!((found.end - start - slope * (n - 1) as f64).abs() < 1e-9);
    }
}
