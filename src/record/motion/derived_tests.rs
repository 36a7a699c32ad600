//! Tests of what leaves instead of motion.

use proptest::prelude::*;

use super::super::pose::{Controls, HandMotion};
use super::*;
use crate::learning::quality::Quality;
use crate::protocol::event::Evidence;
use crate::protocol::ids::{AttemptId, ObjectId, StepId};
use crate::protocol::motion::OwnLevel;

fn attempt(seconds: f64, miss: f32) -> Attempt {
    Attempt {
        id: AttemptId::fresh(),
        step: StepId::new("place"),
        skills: Vec::new(),
        correct: false,
        credit: 0.6,
        latency: Duration::from_secs_f64(seconds),
        hints_used: 1,
        position_error: Some(miss),
        rotation_error: None,
        quality: Quality {
            frame_health: 0.93,
            tracking: 1.0,
        },
        blurred: Default::default(),
        evidence: Evidence::Grabbed {
            object: ObjectId::new("cube"),
        },
    }
}

fn frame(at: f64, hand: [f64; 3], yaw: f64) -> MotionFrame {
    let turned = [0.0, (yaw / 2.0).sin() as f32, 0.0, (yaw / 2.0).cos() as f32];
    let pose = |p: [f64; 3], r| RawPose::new(p.map(|x| x as f32), r).unwrap();
    let hand = HandMotion::new(pose(hand, [0.0, 0.0, 0.0, 1.0]), None, Controls::default());
    MotionFrame::new(
        Duration::from_secs_f64(at),
        pose([0.0, 1.6, 0.0], turned),
        None,
        Some(hand),
    )
}

/// Releases with whatever noise; the draw keeps what is true.
fn release(derived: &mut Derived, seq: u64, attempt: &Attempt) -> Released {
    derived.release(seq, attempt, &WordNoise::default(), || 0.0)
}

/// A minimum-jerk reach of `far` metres in `time` seconds after `wait`, with a bow to the side.
fn reach(wait: f64, time: f64, far: f64, bow: f64) -> Window {
    let mut window = Window::default();
    let n = ((wait + time + 0.2) * 72.0) as u32;
    for i in 0..n {
        let t = f64::from(i) / 72.0;
        let tau = ((t - wait) / time).clamp(0.0, 1.0);
        let along = tau.powi(3) * (10.0 - 15.0 * tau + 6.0 * tau * tau);
        let aside = bow * (std::f64::consts::PI * along).sin();
        window.add(&frame(5.0 + t, [far * along, 1.0, aside], 0.3 * t));
    }
    window
}

#[test]
fn a_reach_is_measured_as_it_was_made() {
    let f = reach(0.7, 0.8, 0.5, 0.0).features();
    // The hand passes 0.08 m/s a little after it starts; positions are averaged over 50 ms.
    let hesitation = f.hesitation.unwrap();
    assert!((0.7..0.85).contains(&hesitation), "{hesitation}");
    let detour = f.detour.unwrap();
    assert!((1.0..1.001).contains(&detour), "{detour}");
    // A half circle is π/2 times its diameter.
    let round = reach(0.3, 1.0, 0.5, 0.25).features().detour.unwrap();
    assert!((1.4..1.6).contains(&round), "{round}");
}

#[test]
fn jerkiness_is_that_of_the_paper_and_has_no_size() {
    // Minimum jerk: ∫jerk² = 720·A²/T⁵ and peak 1.875·A/T give ln(720/1.875²) = 5.322; cut at the threshold of speed
    // and averaged over bins it comes out lower.
    let of = |time, far| reach(0.3, time, far, 0.0).features().jerkiness.unwrap();
    let usual = of(0.8, 0.5);
    assert!((4.2..5.4).contains(&usual), "{usual}");
    // A tall person's reach: longer in the same time, or as fast over a longer way.
    assert!((of(0.8, 0.8) - usual).abs() < 0.5);
    assert!((of(1.2, 0.75) - usual).abs() < 0.8);
    // Two movements in one are jerkier.
    let mut twice = reach(0.3, 0.6, 0.25, 0.0);
    for i in 0..60 {
        let tau = f64::from(i) / 60.0;
        let along = tau.powi(3) * (10.0 - 15.0 * tau + 6.0 * tau * tau);
        let at = 6.3 + f64::from(i) / 72.0;
        twice.add(&frame(at, [0.25 + 0.25 * along, 1.0, 0.0], 0.0));
    }
    assert!(twice.features().jerkiness.unwrap() > usual + 1.0);
}

#[test]
fn what_was_not_measured_is_absent() {
    let mut derived = Derived::new();
    let mut words = Vec::new();
    for seq in 0..30 {
        words.extend(release(&mut derived, seq, &attempt(3.0, 0.01)).stretch);
    }
    let places: Vec<u64> = words.iter().map(|w| w.until_seq).collect();
    assert_eq!(places, [9, 19, 29]);
    // No frame was seen, and the first stretch has nothing to be compared with.
    assert!(words.iter().all(|w| w.effort.is_none()));
    let slowness: Vec<Option<OwnLevel>> = words.iter().map(|w| w.slowness).collect();
    assert_eq!(
        slowness,
        [None, Some(OwnLevel::Usual), Some(OwnLevel::Usual)]
    );
}

#[test]
fn a_stretch_that_went_hard_says_so() {
    let mut derived = Derived::new();
    let mut words = Vec::new();
    for seq in 0..50 {
        let hard = (30..40).contains(&seq);
        let vary = f64::from((seq * 7 % 10) as u8) * 0.02;
        derived.window = if hard {
            reach(1.5 + vary, 1.4, 0.5, 0.25 + vary)
        } else {
            reach(0.4 + vary, 0.8 + vary, 0.5, 0.05 + vary)
        };
        let seconds = if hard { 4.0 } else { 2.0 };
        words.extend(release(&mut derived, seq, &attempt(seconds + vary, 0.01)).stretch);
    }
    let high = Some(OwnLevel::High);
    let of = |word: fn(&ReleasedStretch) -> Option<OwnLevel>| -> Vec<bool> {
        words.iter().map(|w| word(w) == high).collect()
    };
    assert_eq!(of(|w| w.slowness), [false, false, false, true, false]);
    assert_eq!(of(|w| w.effort), [false, false, false, true, false]);
}

/// The whole list: a field more is a decision, and the attack has to see it.
#[test]
fn this_and_nothing_else_leaves() {
    let mut derived = Derived::new();
    let mut last = None;
    for seq in 1..=10 {
        last = Some(release(&mut derived, seq, &attempt(3.0, 0.01)));
    }
    let last = last.unwrap();
    assert_eq!(
        serde_json::to_string(&last.attempt).unwrap(),
        "{\"seq\":10,\"step\":\"place\",\"skills\":[],\"correct\":false,\"nearly\":true,\"hints_used\":1}"
    );
    assert_eq!(
        serde_json::to_string(&last.stretch.unwrap()).unwrap(),
        "{\"until_seq\":10,\"slowness\":null,\"effort\":null,\"epsilon\":0.5}"
    );
}

#[test]
fn what_leaves_is_noised_and_what_stays_is_true() {
    let mut derived = Derived::new();
    for seq in 0..20 {
        let seconds = if seq < 10 { 2.0 } else { 4.0 };
        let told = derived.release(seq, &attempt(seconds, 0.01), &WordNoise::default(), || 0.99);
        if seq == 19 {
            // At this draw something else is told.
            assert_ne!(told.stretch.unwrap().slowness, Some(OwnLevel::High));
        }
    }
    assert!(derived.stretch().slowness == Some(OwnLevel::High));
}

#[test]
fn a_gap_of_hours_costs_no_time() {
    let mut window = reach(0.2, 0.8, 0.5, 0.0);
    window.add(&frame(1e8, [0.0, 1.0, 0.0], 0.0));
    window.add(&frame(1e8 + 0.1, [0.0, 1.0, 0.0], 0.0));
    assert!(window.features().detour.is_some());
}

proptest! {
    /// Tempo and care of a person cancel: whoever takes twice as long and misses twice as far leaves the same words.
    #[test]
    fn a_slow_learner_leaves_the_words_of_a_quick_one(
        tries in prop::collection::vec((0.2..20.0, 0.001_f32..0.2), 0..80), slower in 1.1..5.0, wider in 1.1_f32..5.0,
    ) {
        let (mut quick, mut slow) = (Derived::new(), Derived::new());
        for (seq, (seconds, miss)) in tries.into_iter().enumerate() {
            let a = release(&mut quick, seq as u64, &attempt(seconds, miss));
            let b = release(&mut slow, seq as u64, &attempt(slower * seconds, wider * miss));
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn any_frames_and_attempts_are_taken(
        frames in prop::collection::vec((0_u64..u64::MAX / 2, prop::array::uniform3(-20.0..20.0), -10.0..10.0), 0..60),
        credit in prop::num::f32::ANY, miss in prop::num::f32::ANY, health in prop::num::f64::ANY,
    ) {
        let mut derived = Derived::new();
        for (nanos, hand, yaw) in frames {
            let at = Duration::from_nanos(nanos).as_secs_f64();
            derived.observe(&frame(at, hand, yaw));
        }
        let mut odd = attempt(1.0, miss);
        odd.credit = credit;
        odd.quality.frame_health = health;
        let released = release(&mut derived, 1, &odd).attempt;
        let text = serde_json::to_string(&released).unwrap();
        let read: ReleasedAttempt = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read, released);
    }
}
