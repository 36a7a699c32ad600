//! A hand that reaches, lingers, takes, carries and lets go, frame by frame.

use proptest::prelude::*;

use super::*;

const DT: f64 = 1.0 / 72.0;

/// A person before a thing at the origin.
struct Scene {
    meter: Meter,
    at: [f64; 3],
    holds: bool,
    motion: bool,
}

impl Scene {
    fn new(motion: bool) -> Self {
        let mut scene = Self {
            meter: Meter::default(),
            at: [0.0, 0.3, 0.5],
            holds: false,
            motion,
        };
        scene.wait(0.1);
        scene
    }

    fn frame(&mut self, dt: f64) {
        let hand = HandSeen {
            at: self.at,
            near: distance(self.at, [0.0; 3]) < 0.15,
            holds: self.holds,
        };
        self.meter.frame(&FrameSeen {
            dt,
            hands: [None, Some(hand)],
            head: Some(HeadSeen {
                yaw: 0.0,
                off: Some(0.0),
            }),
            motion: self.motion,
        });
    }

    fn wait(&mut self, seconds: f64) {
        for _ in 0..(seconds / DT).round() as u32 {
            self.frame(DT);
        }
    }

    /// From rest to rest as smoothly as can be.
    fn reach(&mut self, to: [f64; 3], seconds: f64) {
        let from = self.at;
        let frames = (seconds / DT).round() as u32;
        for frame in 1..=frames {
            let t = f64::from(frame) / f64::from(frames);
            let share = t.powi(3) * (10.0 - 15.0 * t + 6.0 * t * t);
            self.at = std::array::from_fn(|axis| from[axis] + share * (to[axis] - from[axis]));
            self.frame(DT);
        }
    }

    fn take_it(&mut self) {
        self.meter.took(1);
        self.holds = true;
        self.frame(DT);
    }

    fn let_go(&mut self) {
        self.meter.let_go(1);
        self.holds = false;
        self.frame(DT);
    }
}

#[test]
fn who_lingers_before_taking_it_hesitates_for_so_long() {
    let hesitation = |lingers: f64| {
        let mut scene = Scene::new(false);
        scene.reach([0.0, 0.05, 0.0], 0.8);
        scene.wait(lingers);
        scene.take_it();
        scene.meter.take().hesitation.unwrap()
    };
    let (at_once, later) = (hesitation(0.0), hesitation(1.5));
    // The last centimetres of a smooth reach are slow for everybody.
    assert!(at_once < 0.4, "{at_once}");
    assert!((later - at_once - 1.5).abs() < 2.0 * DT, "{later}");
}

#[test]
fn a_detour_to_the_thing_and_one_with_it_count_and_trembling_does_not() {
    let path = |over: &[[f64; 3]], carried_over: &[[f64; 3]]| {
        let mut scene = Scene::new(false);
        for place in over {
            scene.reach(*place, 0.4);
        }
        scene.reach([0.0; 3], 0.6);
        // A hand kept as still as hands are, for a while.
        for frame in 0..72 {
            scene.at[1] = if frame % 2 == 0 { 0.0004 } else { -0.0004 };
            scene.frame(DT);
        }
        scene.take_it();
        for place in carried_over {
            scene.reach(*place, 0.4);
        }
        scene.reach([0.4, 0.0, 0.0], 0.6);
        scene.let_go();
        scene.meter.take().path.unwrap()
    };
    let straight = path(&[], &[]);
    assert!((1.0..1.02).contains(&straight), "{straight}");
    assert!(path(&[[0.5, 0.3, 0.5]], &[]) > 1.3);
    assert!(path(&[], &[[0.2, 0.4, 0.0]]) > 1.3);
}

#[test]
fn the_smoother_the_reach_the_nearer_to_nothing_its_jerk() {
    let jerk = |over: &[[f64; 3]]| {
        let mut scene = Scene::new(true);
        for place in over {
            scene.reach(*place, 0.4);
        }
        scene.reach([0.0; 3], 0.8);
        scene.take_it();
        scene.meter.take().motion.unwrap().jerk.unwrap()
    };
    let smooth = jerk(&[]);
    // Places are 50 ms apart, which rounds the beginning and the end off.
    assert!((smooth + 5.32).abs() < 0.7, "{smooth}");
    assert!(jerk(&[[0.3, 0.3, 0.4], [0.1, 0.1, 0.2]]) < smooth - 1.0);
}

#[test]
fn where_it_may_not_be_looked_at_no_motion_is_told_not_even_of_a_part() {
    let mut scene = Scene::new(false);
    scene.reach([0.0; 3], 0.8);
    scene.take_it();
    let window = scene.meter.take();
    assert!(window.motion.is_none() && window.hesitation.is_some());
    // Allowed, and taken back before the window ended.
    let mut scene = Scene::new(true);
    scene.reach([0.0; 3], 0.8);
    scene.take_it();
    scene.motion = false;
    scene.wait(0.1);
    assert_eq!(scene.meter.take().motion, None);
    scene.motion = true;
    scene.wait(0.1);
    assert_eq!(scene.meter.take().motion.and_then(|it| it.jerk), None);
}

#[test]
fn what_tracking_did_not_see_is_absent() {
    let mut meter = Meter::default();
    for _ in 0..360 {
        meter.frame(&FrameSeen {
            dt: DT,
            motion: true,
            ..FrameSeen::default()
        });
    }
    meter.took(1);
    let expected = LoadWindow {
        motion: Some(LoadMotion::default()),
        ..LoadWindow::default()
    };
    assert_eq!(meter.take(), expected);
    // A hand that was lost on the way has no way.
    let mut scene = Scene::new(false);
    scene.reach([0.0, 0.2, 0.2], 0.5);
    scene.meter.frame(&FrameSeen {
        dt: DT,
        ..FrameSeen::default()
    });
    scene.reach([0.0; 3], 0.05);
    scene.take_it();
    assert_eq!(scene.meter.take().path, None);
}

#[test]
fn who_is_put_elsewhere_has_made_no_way() {
    let mut scene = Scene::new(false);
    scene.at = [5.0, 0.3, 0.5];
    scene.frame(DT);
    scene.at = [0.0, 0.1, 0.1];
    scene.frame(DT);
    scene.take_it();
    assert_eq!(scene.meter.take().path, None);
}

#[test]
fn times_between_deeds_and_their_spread_as_worked_by_hand() {
    let mut meter = Meter::default();
    let wait = |meter: &mut Meter, seconds: u32| {
        for _ in 0..seconds * 10 {
            meter.frame(&FrameSeen {
                dt: 0.1,
                ..FrameSeen::default()
            });
        }
    };
    meter.acted();
    assert!(meter.take().is_empty(), "one deed has no time between");
    for seconds in [1, 4, 2, 2] {
        wait(&mut meter, seconds);
        meter.acted();
    }
    let window = meter.take();
    // ⁴√16, of four times no spread yet.
    assert!((window.interval.unwrap() - 2.0).abs() < 1e-9, "{window:?}");
    assert_eq!(window.interval_spread, None);
    // What comes at once with another is the same deed.
    meter.acted();
    assert!(meter.take().is_empty());
    wait(&mut meter, 8);
    meter.acted();
    // Logarithms to base 2: 0 2 1 1 3, middle 1, off it 1 1 0 0 2, middle 1.
    let spread = meter.take().interval_spread.unwrap();
    assert!((spread - 1.4826 * 2.0_f64.ln()).abs() < 1e-9, "{spread}");
    // A pause is none of it.
    meter.interrupted();
    wait(&mut meter, 60);
    meter.acted();
    assert!(meter.take().is_empty());
}

fn hand() -> impl Strategy<Value = Option<HandSeen>> {
    let any = (
        prop::array::uniform3(prop_oneof![prop::num::f64::ANY, -1.0..1.0_f64]),
        any::<bool>(),
        any::<bool>(),
    );
    prop::option::of(any.prop_map(|(at, near, holds)| HandSeen { at, near, holds }))
}

proptest! {
    #[test]
    fn whatever_is_seen_the_figures_are_in_range(
        frames in prop::collection::vec(
            (prop_oneof![prop::num::f64::ANY, 0.0..0.1_f64], [hand(), hand()], prop::option::of((prop::num::f64::ANY, prop::option::of(prop::num::f64::ANY))), any::<bool>(), 0..12_u8),
            0..200,
        ),
    ) {
        let mut meter = Meter::default();
        for (dt, hands, head, motion, deed) in frames {
            let head = head.map(|(yaw, off)| HeadSeen { yaw, off });
            match deed {
                0 => meter.took(0),
                1 => meter.took(1),
                2 => meter.let_go(1),
                3 => meter.acted(),
                4 => meter.interrupted(),
                _ => {}
            }
            meter.frame(&FrameSeen { dt, hands, head, motion });
            if deed == 5 {
                let window = meter.take();
                let finite = |x: Option<f64>, least: f64| x.is_none_or(|x| x.is_finite() && x >= least);
                prop_assert!(finite(window.interval, ONE_DEED - 1e-9), "{window:?}");
                prop_assert!(finite(window.interval_spread, 0.0), "{window:?}");
                prop_assert!(finite(window.hesitation, 0.0) && window.hesitation.is_none_or(|x| x <= LONGEST), "{window:?}");
                prop_assert!(finite(window.path, 1.0 - 1e-9), "{window:?}");
                let motion = window.motion.unwrap_or_default();
                prop_assert!(motion.jerk.is_none_or(f64::is_finite), "{window:?}");
                prop_assert!(finite(motion.head_turning, 0.0) && finite(motion.head_entropy, 0.0) && finite(motion.head_returns, 0.0), "{window:?}");
            }
        }
    }

    /// Frames come as they come; what is told of the same reach hardly depends on it.
    #[test]
    fn a_reach_is_the_same_at_any_frame_rate(rate in 45.0..120.0_f64, lingers in 0.0..2.0_f64) {
        let told = |rate: f64| {
            let mut scene = Scene::new(true);
            let (dt, from, frames) = (1.0 / rate, scene.at, (0.8 * rate) as u32);
            for frame in 1..=frames {
                let t = f64::from(frame) / f64::from(frames);
                let share = t.powi(3) * (10.0 - 15.0 * t + 6.0 * t * t);
                scene.at = from.map(|x| x * (1.0 - share));
                scene.frame(dt);
            }
            (0..(lingers * rate) as u32).for_each(|_| scene.frame(dt));
            scene.take_it();
            let window = scene.meter.take();
            [window.hesitation.unwrap(), window.path.unwrap(), window.motion.unwrap().jerk.unwrap()]
        };
        let (some, other) = (told(rate), told(72.0));
        prop_assert!((some[0] - other[0]).abs() < 0.06, "{some:?} {other:?}");
        prop_assert!((some[1] - other[1]).abs() < 0.02, "{some:?} {other:?}");
        prop_assert!((some[2] - other[2]).abs() < 0.5, "{some:?} {other:?}");
    }
}
