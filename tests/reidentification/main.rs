//! Motion is biometric: an attacker with a person's sessions under one name tries to find the sessions of the same
//! person under another, from the motion itself and from what leaves the headset instead.
//!
//! The figures, as JSON: `cargo test --test reidentification -- --nocapture | grep reidentification_auc`.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacker;
mod people;
mod random;
mod traces;

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::Duration;

use malloc_vr::protocol::event::Attempt;
use malloc_vr::protocol::motion::{BodyAttribute, NoisedAttribute, ReleasedAttempt};
use malloc_vr::record::motion::derived::Derived;
use malloc_vr::record::motion::private::{BodyReport, Noise};
use malloc_vr::record::motion::{Controls, HandMotion, MotionFrame, RawPose};

use attacker::{Features, Sessions, Success, attack};
use people::{Differ, Frame, Person, session};
use random::Random;
use traces::{MotionTrace, of_attempts, of_common_words, of_released};

/// Independent groups of people; in each the attacker chooses among [`PEOPLE`].
const WORLDS: u64 = 4;
const PEOPLE: usize = 60;
/// Sessions whose person the attacker knows, and sessions to be named.
const KNOWN: usize = 4;
const UNKNOWN: usize = 2;

/// The same sessions, in each form.
struct Traces {
    motion: Features,
    attempts: Features,
    released: Features,
    latencies: VecDeque<Duration>,
}

fn frame((at, [head, left, right]): &Frame) -> MotionFrame {
    let pose = |seen: &people::Seen| RawPose::new(seen.position, seen.rotation).unwrap();
    let hand = |seen| Some(HandMotion::new(pose(seen), None, Controls::default()));
    MotionFrame::new(*at, pose(head), hand(left), hand(right))
}

fn play(person: &Person, r: &mut Random) -> Traces {
    let mut motion = MotionTrace::default();
    let mut derived = Derived::new();
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut released: Vec<ReleasedAttempt> = Vec::new();
    session(person, r, |frames, attempt| {
        motion.add(frames);
        frames.iter().for_each(|seen| derived.observe(&frame(seen)));
        let leaves = derived.release(attempts.len() as u64, attempt);
        // Over the wire, so that nothing counts that is not there.
        released.push(serde_json::from_str(&serde_json::to_string(&leaves).unwrap()).unwrap());
        attempts.push(attempt.clone());
    });
    // Told anew each session, as under a new pseudonym each time: worse than one pseudonym, which tells once.
    let mut report = BodyReport::with_budget(1.5);
    let body: Vec<NoisedAttribute> = [
        (BodyAttribute::Height, person.height),
        (BodyAttribute::Span, person.span),
    ]
    .map(|(attribute, metres)| {
        report
            .tell(attribute, metres, &Noise::of(attribute), r.uniform())
            .unwrap()
    })
    .into();
    Traces {
        motion: motion.features(),
        released: of_released(&released, &body),
        latencies: attempts.iter().map(|a| a.latency).collect(),
        attempts: of_attempts(&attempts),
    }
}

/// Person by person, session by session.
fn world(seed: u64, differ: Differ) -> Vec<Vec<Traces>> {
    let mut r = Random::new(seed);
    (0..PEOPLE)
        .map(|_| {
            let person = Person::new(differ, &mut r);
            (0..KNOWN + UNKNOWN)
                .map(|_| play(&person, &mut r))
                .collect()
        })
        .collect()
}

type Worlds = Vec<Vec<Vec<Traces>>>;

fn worlds(differ: Differ) -> &'static Worlds {
    static BODY: OnceLock<Worlds> = OnceLock::new();
    static LEARNING: OnceLock<Worlds> = OnceLock::new();
    let (place, seed) = match differ {
        Differ::InBody => (&BODY, 1),
        Differ::InBodyAndLearning => (&LEARNING, 1_000_001),
    };
    place.get_or_init(|| (seed..seed + WORLDS).map(|s| world(s, differ)).collect())
}

fn attack_on(worlds: &[Vec<Vec<Traces>>], form: impl Fn(&Traces) -> &Features) -> Success {
    let worlds: Vec<Vec<Sessions>> = worlds
        .iter()
        .map(|people| {
            people
                .iter()
                .map(|p| split(p.iter().map(&form).cloned().collect()))
                .collect()
        })
        .collect();
    attack(&worlds)
}

fn split(mut sessions: Vec<Features>) -> Sessions {
    let unknown = sessions.split_off(KNOWN);
    Sessions {
        known: sessions,
        unknown,
    }
}

fn tell(name: &str, success: Success) {
    println!("{name}: {success}");
    println!(
        "{{\"figure\":\"reidentification_auc\",\"of\":\"{name}\",\"auc\":{:.4},\"half_width\":{:.4},\"first_guess\":{:.4},\"chance\":{:.4},\"people\":{}}}",
        success.auc,
        success.half_width,
        success.first_guess,
        success.chance,
        WORLDS as usize * PEOPLE
    );
}

#[test]
fn motion_tells_who_it_is() {
    let success = attack_on(worlds(Differ::InBody), |t| &t.motion);
    tell("motion", success);
    assert!(
        success.auc > 0.95,
        "the attack is too weak to prove anything: {success}"
    );
    assert!(success.first_guess > 0.5, "{success}");
}

#[test]
fn what_leaves_the_headset_does_not() {
    let success = attack_on(worlds(Differ::InBody), |t| &t.released);
    tell("released", success);
    assert!(success.auc - success.half_width < 0.5, "{success}");
    assert!(success.auc + success.half_width < 0.55, "{success}");
    assert!(success.first_guess < 2.5 * success.chance, "{success}");
}

/// Why times and distances stay: the same attack finds people by them.
#[test]
fn the_attempts_as_the_log_holds_them_would_tell() {
    let success = attack_on(worlds(Differ::InBody), |t| &t.attempts);
    tell("attempts_in_log", success);
    assert!(success.auc > 0.7, "{success}");
}

/// Why the scale is the learner's own: the same words of one single number, from a scale for all, tell.
#[test]
fn the_same_words_from_a_scale_for_all_would_tell() {
    let words: Vec<Vec<Sessions>> = worlds(Differ::InBody)
        .iter()
        .map(|people| {
            let mut flat: Vec<VecDeque<Duration>> = people
                .iter()
                .flatten()
                .map(|t| t.latencies.clone())
                .collect();
            let words = of_common_words(&mut flat);
            words
                .chunks(KNOWN + UNKNOWN)
                .map(|p| split(p.to_vec()))
                .collect()
        })
        .collect();
    let success = attack(&words);
    tell("slowness_on_a_common_scale", success);
    assert!(success.auc > 0.65, "{success}");
}

/// What a learner knows shows in what they get right, and that is what leaves the headset on purpose.
#[test]
fn what_people_know_tells_a_little_and_is_meant_to() {
    let success = attack_on(worlds(Differ::InBodyAndLearning), |t| &t.released);
    tell("released_with_knowledge", success);
    assert!(success.auc < 0.85, "{success}");
}
