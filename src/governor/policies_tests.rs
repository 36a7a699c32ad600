//! The published policies against what their sources say of themselves.

use super::*;
use crate::governor::sense::{CpuPhases, FrameSample, GpuTime};

const P: f64 = 1.0 / 90.0;

fn push(history: &mut History, gpu: f64) {
    history.push(FrameSample {
        period: P,
        cpu: CpuPhases {
            simulation: 0.3 * P,
            ..CpuPhases::default()
        },
        gpu: Some(GpuTime {
            seconds: gpu * P,
            age: 0,
        }),
        wait: 0.0,
        skipped: 0,
        stale: false,
        setting: Setting::FULL,
    });
}

/// Scales under Valve's for GPU times in shares of the period.
fn valve(times: &[f64]) -> Vec<f64> {
    let (mut valve, mut history) = (Valve::default(), History::default());
    times
        .iter()
        .map(|gpu| {
            push(&mut history, *gpu);
            valve.decide(&history, 1.0)
        })
        .collect()
}

fn unreal(times: &[f64]) -> Vec<f64> {
    let (mut unreal, mut history) = (Unreal::default(), History::default());
    times
        .iter()
        .map(|gpu| {
            push(&mut history, *gpu);
            unreal.decide(&history)
        })
        .collect()
}

#[test]
fn valve_drops_two_levels_of_fifteen_percent_fill_at_once() {
    let scales = valve(&[0.5, 0.5, 0.5, 0.95]);
    // 0.8, 0.858, 0.920, 0.987, 1.0: from 1.0 down two.
    let expected = 0.8 * 1.15;
    assert!((scales[2] - 1.0).abs() < 1e-12);
    assert!((scales[3] - expected).abs() < 1e-9, "{scales:?}");
}

#[test]
fn valve_waits_two_frames_and_one_before_the_next_critical_drop() {
    let mut times = vec![0.5; 4];
    times.extend([0.95; 4]);
    let scales = valve(&times);
    assert!(
        (scales[4] - scales[6]).abs() < 1e-12 && scales[7] < scales[6],
        "{scales:?}"
    );
}

#[test]
fn valve_drops_before_the_frame_that_it_sees_coming() {
    let mut times = vec![0.75; 6];
    times.extend([0.8, 0.86]);
    let scales = valve(&times);
    assert!(
        (scales[6] - 1.0).abs() < 1e-12 && scales[7] < 1.0,
        "{scales:?}"
    );
}

#[test]
fn valve_rises_one_level_after_three_cheap_frames_and_halves_the_rate_at_the_bottom() {
    let mut times = vec![0.5; 4];
    times.extend([0.95; 20]);
    let (mut law, mut history) = (Valve::default(), History::default());
    for gpu in &times {
        push(&mut history, *gpu);
        law.decide(&history, 1.0);
    }
    assert!(law.interleaved());
    let low = law.decide(&history, 1.0);
    assert!((low - 0.8).abs() < 1e-12);
    for _ in 0..3 {
        push(&mut history, 0.5);
        law.decide(&history, 1.0);
    }
    assert!(!law.interleaved());
    for _ in 0..6 {
        push(&mut history, 0.5);
        law.decide(&history, 1.0);
    }
    let scale = law.decide(&history, 1.0);
    assert!(scale > low && scale < 1.0, "{scale}");
}

#[test]
fn unreal_panics_after_two_frames_over_budget() {
    let mut times = vec![0.8; 20];
    times.extend([1.2, 1.2]);
    let scales = unreal(&times);
    assert!((scales[20] - 1.0).abs() < 0.05, "{scales:?}");
    let expected = (0.9_f64 / 1.2).sqrt();
    assert!(
        (scales[21] - expected).abs() < 0.03,
        "{} {expected}",
        scales[21]
    );
}

#[test]
fn unreal_waits_eight_frames_between_changes_and_stays_within_its_range() {
    let scales = unreal(&[0.97; 100]);
    let mut last_change = 0;
    for (n, pair) in scales.windows(2).enumerate() {
        if (pair[0] - pair[1]).abs() > 1e-12 {
            assert!(last_change == 0 || n - last_change >= 8, "{scales:?}");
            last_change = n;
        }
    }
    assert!(last_change > 0);
    assert!(
        unreal(&[3.0; 200])
            .iter()
            .all(|it| (0.5..=1.0).contains(it))
    );
}

#[test]
fn off_is_off_and_one_lever_is_one() {
    let rules = Rules::default();
    let asked = Policy::Off.decide(&History::default(), &Now::default(), &rules);
    assert!((asked.quality.index(&rules) - 1.0).abs() < 1e-12);
    let one = scale_only(&rules);
    assert_eq!(one.validate(), Ok(()));
    let end = Quality::at(&Setting { cpu: 1.0, gpu: 1.0 }, &one, &Limits::default());
    assert!((end.render_scale - 0.5).abs() < 1e-12 && (end.shadows - 1.0).abs() < 1e-12);
}
