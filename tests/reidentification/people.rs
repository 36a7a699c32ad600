//! People with bodies and habits, and what they do in a session of pick-and-place.
//!
//! Sizes after adult anthropometry (height 1.66 ± 0.10 m over both sexes, span within 2 % of height: Gordon et al. 2014,
//! ANSUR II, roughly), reaches as minimum-jerk movements (Flash & Hogan 1985) with a person's own bow, tremor and tempo;
//! the spreads of habits are choices, made large rather than small so that the attack has much to hold on to.

use std::time::Duration;

use malloc_vr::learning::quality::Quality;
use malloc_vr::learning::skill::SkillId;
use malloc_vr::protocol::event::{Attempt, Evidence};
use malloc_vr::protocol::ids::{AttemptId, ObjectId, StepId};

use crate::random::Random;

/// Attempts in a session.
pub const TRIALS: usize = 60;
/// Frames a second: below any headset's, to keep the test short; nothing a person does is faster than half of it.
const RATE: f64 = 30.0;
/// Attempts at one place before the next: as long as the stretches that leave, and in step with them, so that whatever
/// a place does to a body shows in a word of its own.
const BLOCK: usize = 10;
/// Where things lie, metres from the anchor: the same for everybody.
const PLACES: [[f64; 3]; 6] = [
    [-0.35, 0.95, -0.45],
    [0.30, 1.00, -0.50],
    [0.05, 1.15, -0.55],
    [-0.20, 1.25, -0.40],
    [0.40, 0.85, -0.40],
    [0.10, 1.05, -0.65],
];

/// What the people of a world differ in.
#[derive(Clone, Copy, PartialEq)]
pub enum Differ {
    /// Body, style of movement, tempo and care; the lesson's tolerance fits everybody.
    Body,
    /// Also in whether their hand is steady enough for the lesson's tolerance.
    Steadiness,
    /// Also in how much they know and how long they think.
    Learning,
}

pub struct Person {
    pub height: f64,
    pub span: f64,
    right_handed: bool,
    tilt: [f64; 2],
    sway: f64,
    sway_rate: f64,
    rest: [f64; 3],
    tempo: f64,
    bow: f64,
    rise: f64,
    tremor: f64,
    tremor_rate: f64,
    head_follows: f64,
    hesitation: f64,
    hesitation_spread: f64,
    pauses: f64,
    scatter: f64,
    /// Change of tempo over a session, as a share: practice or tiredness.
    drift: f64,
    /// How much one attempt is like the one before.
    mood: f64,
    /// What the mood does to time, bow and scatter.
    mood_acts: [f64; 3],
    think: f64,
    knows: f64,
}

impl Person {
    pub fn new(differ: Differ, r: &mut Random) -> Self {
        let height = r.around(1.66, 0.10).clamp(1.3, 2.0);
        let learning = differ == Differ::Learning;
        let (think, knows) = (r.normal(), r.uniform());
        Self {
            height,
            span: height * r.around(1.01, 0.02),
            right_handed: r.uniform() < 0.9,
            tilt: [r.around(-0.15, 0.09), r.around(0.0, 0.03)],
            sway: r.about(0.008, 0.4),
            sway_rate: r.about(0.4, 0.25),
            rest: [
                r.around(0.22, 0.04),
                r.around(-0.45, 0.05),
                r.around(-0.20, 0.05),
            ],
            tempo: r.about(1.0, 0.2),
            bow: r.around(0.08, 0.06),
            rise: r.about(0.10, 0.4),
            tremor: r.about(0.6e-3, 0.5),
            tremor_rate: r.around(8.5, 1.0).clamp(5.0, 12.0),
            head_follows: r.around(0.6, 0.15),
            hesitation: r.about(0.5, 0.4),
            hesitation_spread: r.about(0.3, 0.3),
            pauses: 0.2 * r.uniform(),
            scatter: if differ == Differ::Body {
                r.about(0.007, 0.2)
            } else {
                r.about(0.009, 0.35)
            },
            drift: r.around(-0.15, 0.15),
            mood: (0.6 * r.uniform()).clamp(0.0, 0.6),
            mood_acts: [r.around(0.15, 0.1), r.around(0.2, 0.1), r.around(0.2, 0.1)],
            think: if learning {
                0.8 * (0.3 * think).exp()
            } else {
                0.8
            },
            knows: if learning { 0.5 + 0.45 * knows } else { 0.8 },
        }
    }

    fn eye_height(&self) -> f64 {
        0.936 * self.height
    }

    /// From shoulder to hand.
    fn arm(&self) -> f64 {
        0.38 * self.span
    }
}

/// A pose as the runtime gives it.
#[derive(Clone, Copy, Default)]
pub struct Seen {
    pub position: [f32; 3],
    pub rotation: [f32; 4],
}

/// Head, left and right hand.
pub type Frame = (Duration, [Seen; 3]);

/// What one day changes: how the headset sits, where one stands, how awake one is.
struct Day {
    mount: [f64; 2],
    floor: f64,
    stand: [f64; 2],
    facing: f64,
    tempo: f64,
    hesitation: f64,
    phase: f64,
}

/// Plays a session; every attempt is told with its frames.
pub fn session(person: &Person, r: &mut Random, mut tell: impl FnMut(&[Frame], &Attempt)) {
    let day = Day {
        mount: [r.around(0.0, 0.04), r.around(0.0, 0.02)],
        floor: r.around(0.0, 0.01),
        stand: [r.around(0.0, 0.06), r.around(0.0, 0.06)],
        facing: r.around(0.0, 0.1),
        tempo: r.about(1.0, 0.08),
        hesitation: r.about(1.0, 0.15),
        phase: 10.0 * r.uniform(),
    };
    let mut now = 0.0;
    let mut mood = r.normal();
    let mut frames = Vec::new();
    for trial in 0..TRIALS {
        mood = person.mood * mood + (1.0 - person.mood.powi(2)).sqrt() * r.normal();
        let [on_time, on_bow, on_scatter] = person.mood_acts.map(|share| share * mood);
        let practice = person.drift * trial as f64 / TRIALS as f64;
        let slowly = person.tempo * day.tempo * (practice + on_time).exp();
        let pause = if r.uniform() < person.pauses {
            r.about(1.0, 0.3)
        } else {
            0.0
        };
        let wait = r.about(person.think, 0.3)
            + slowly * r.about(person.hesitation * day.hesitation, person.hesitation_spread)
            + pause;
        let place = PLACES[trial / BLOCK % PLACES.len()];
        let reach = Reach {
            wait,
            time: slowly * r.about(0.9, 0.08),
            bow: person.bow * (1.0 + 0.4 * r.normal() + on_bow),
            rise: person.rise * r.about(1.0, 0.2),
            place,
        };
        frames.clear();
        let length = reach.wait + reach.time;
        for i in 0..(length * RATE) as usize {
            frames.push(reach.frame(person, &day, now, i as f64 / RATE, r));
        }
        now += length;
        let scatter = person.scatter * on_scatter.exp();
        let miss = (scatter * r.normal()).hypot(scatter * r.normal());
        tell(
            &frames,
            &attempt(trial, length, miss, r.uniform() < person.knows),
        );
    }
}

fn attempt(trial: usize, seconds: f64, miss: f64, knew: bool) -> Attempt {
    // Three centimetres are a usual tolerance of our lessons.
    let correct = knew && miss < 0.03;
    Attempt {
        id: AttemptId::fresh(),
        step: StepId::new(format!("place-{}", trial / BLOCK % PLACES.len())),
        skills: vec![SkillId::new("place")],
        correct,
        credit: if correct {
            1.0
        } else {
            (1.0 - miss / 0.1).clamp(0.0, 0.9) as f32
        },
        latency: Duration::from_secs_f64(seconds),
        hints_used: 0,
        position_error: Some(miss as f32),
        rotation_error: None,
        quality: Quality::PERFECT,
        blurred: Default::default(),
        evidence: Evidence::Placed {
            object: ObjectId::new("cube"),
            socket: None,
        },
    }
}

struct Reach {
    wait: f64,
    time: f64,
    bow: f64,
    rise: f64,
    place: [f64; 3],
}

impl Reach {
    /// At `t` seconds of this attempt, which began `since` seconds into the session.
    fn frame(&self, person: &Person, day: &Day, since: f64, t: f64, r: &mut Random) -> Frame {
        let at = since + t;
        let turn = |rate: f64, phase: f64| (std::f64::consts::TAU * rate * at + phase).sin();
        let [x, z] = day.stand;
        let eyes = [
            x + person.sway * turn(person.sway_rate, day.phase),
            person.eye_height() + day.floor + 0.3 * person.sway * turn(1.7 * person.sway_rate, 2.0),
            z + 0.6 * person.sway * turn(0.7 * person.sway_rate, 1.0),
        ];
        // Minimum jerk: 10τ³ − 15τ⁴ + 6τ⁵.
        let tau = ((t - self.wait) / self.time).clamp(0.0, 1.0);
        let along = tau.powi(3) * (10.0 - 15.0 * tau + 6.0 * tau * tau);
        let arch = (std::f64::consts::PI * along).sin();
        let arm = person.arm() / 0.63;
        let side = if person.right_handed { 1.0 } else { -1.0 };
        let rest = |side: f64| {
            let [dx, dy, dz] = person.rest;
            [
                eyes[0] + side * arm * dx,
                eyes[1] + arm * dy,
                eyes[2] + arm * dz,
            ]
        };
        let from = rest(side);
        let way: Vec<f64> = self
            .place
            .iter()
            .zip(from)
            .map(|(to, from)| to - from)
            .collect();
        let far = way.iter().map(|x| x * x).sum::<f64>().sqrt();
        let shake = person.tremor * turn(person.tremor_rate, 0.5);
        let moving = [
            from[0] + way[0] * along + side * self.bow * far * arch + shake,
            from[1] + way[1] * along + self.rise * far * arch + 0.7 * shake,
            from[2] + way[2] * along + 0.5 * shake,
        ];
        let head_turn = day.facing
            - person.head_follows * (self.place[0] - eyes[0]).atan2(0.5) * (0.3 + 0.7 * along);
        let head = [
            head_turn,
            person.tilt[0] + day.mount[0] - 0.1 * along,
            person.tilt[1] + day.mount[1],
        ];
        let hand = [
            0.3 * side + head_turn,
            -0.4 + 0.5 * person.bow,
            0.2 * side + person.bow,
        ];
        let idle = rest(-side);
        let (left, right) = if person.right_handed {
            (idle, moving)
        } else {
            (moving, idle)
        };
        let mut seen = |place: [f64; 3], turned: [f64; 3]| Seen {
            // A tracker's noise.
            position: place.map(|x| (x + 0.3e-3 * r.normal()) as f32),
            rotation: rotation(turned.map(|x| x + 0.5e-3 * r.normal())),
        };
        let poses = [seen(eyes, head), seen(left, hand), seen(right, hand)];
        (Duration::from_secs_f64(at), poses)
    }
}

/// Yaw, then pitch, then roll, as a quaternion x, y, z, w.
fn rotation([yaw, pitch, roll]: [f64; 3]) -> [f32; 4] {
    let [(sy, cy), (sp, cp), (sr, cr)] = [yaw, pitch, roll].map(|angle| (angle / 2.0).sin_cos());
    [
        cy * sp * cr + sy * cp * sr,
        sy * cp * cr - cy * sp * sr,
        cy * cp * sr - sy * sp * cr,
        cy * cp * cr + sy * sp * sr,
    ]
    .map(|x| x as f32)
}
