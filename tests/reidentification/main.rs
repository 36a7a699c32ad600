//! Motion is biometric: an attacker with a person's sessions under one name tries to find the sessions of the same
//! person under another, from the motion itself and from what leaves the headset instead.
//!
//! The figures, as JSON: `cargo test --test reidentification -- --nocapture | grep reidentification_auc`; two of them are in
//! `cargo xtask measure adaptation`.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacker;
mod effort;
mod people;
mod random;
mod traces;

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::Duration;

use malloc_vr::protocol::event::Attempt;
use malloc_vr::protocol::motion::{BodyAttribute, ReleasedAttempt, ReleasedStretch};
use malloc_vr::record::motion::derived::Derived;
use malloc_vr::record::motion::private::{BodyReport, Noise};
use malloc_vr::record::motion::words::WordNoise;
use malloc_vr::record::motion::{Controls, HandMotion, MotionFrame, RawPose};

use serde::Serialize;
use serde::de::DeserializeOwned;

use attacker::{Features, Sessions, Success, attack};
use effort::Watched;
use people::{Differ, Frame, Person, session};
use random::Random;
use traces::{
    MotionTrace, of_attempts, of_body, of_common_words, of_outcomes, of_stretches, of_words,
};

/// People among whom the attacker chooses, in each of a few independent worlds.
const PEOPLE: usize = 60;
/// Sessions whose person the attacker knows, and sessions to be named.
const KNOWN: usize = 4;
const UNKNOWN: usize = 2;

/// The same sessions, in each form.
struct Traces {
    motion: Features,
    attempts: Features,
    released: Features,
    outcomes: Features,
    because_of_motion: Features,
    without_noise: Features,
    windows: Features,
    signs: Features,
    load: Features,
    latencies: VecDeque<Duration>,
}

fn frame((at, [head, left, right]): &Frame) -> MotionFrame {
    let pose = |seen: &people::Seen| RawPose::new(seen.position, seen.rotation).unwrap();
    let hand = |seen| Some(HandMotion::new(pose(seen), None, Controls::default()));
    MotionFrame::new(*at, pose(head), hand(left), hand(right))
}

/// So that nothing counts that is not there.
fn over_the_wire<T: Serialize + DeserializeOwned>(sent: &T) -> T {
    serde_json::from_str(&serde_json::to_string(sent).unwrap()).unwrap()
}

fn play(person: &Person, r: &mut Random) -> Traces {
    let mut motion = MotionTrace::default();
    let mut derived = Derived::new();
    let mut lot = Random::new((1e15 * r.uniform()) as u64);
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut released: Vec<ReleasedAttempt> = Vec::new();
    let mut stretches: Vec<ReleasedStretch> = Vec::new();
    let mut words = Vec::new();
    let mut watched = Watched::new();
    session(person, r, |frames, attempt| {
        motion.add(frames);
        watched.attempt(frames, attempt);
        frames.iter().for_each(|seen| derived.observe(&frame(seen)));
        let seq = attempts.len() as u64;
        let leaves = derived.release(seq, attempt, &WordNoise::default(), || lot.uniform());
        released.push(over_the_wire(&leaves.attempt));
        if let Some(stretch) = &leaves.stretch {
            stretches.push(over_the_wire(stretch));
            words.push([derived.stretch().slowness, derived.stretch().effort]);
        }
        attempts.push(attempt.clone());
    });
    // Told anew each session, as under a new pseudonym each time: worse than one pseudonym, which tells once.
    let mut report = BodyReport::with_budget(1.5);
    let attributes = [
        (BodyAttribute::Height, person.height),
        (BodyAttribute::Span, person.span),
    ];
    let body = attributes.map(|(attribute, metres)| {
        let noise = Noise::of(attribute);
        over_the_wire(
            &report
                .tell(attribute, metres, &noise, lot.uniform())
                .unwrap(),
        )
    });
    let outcomes = of_outcomes(&released);
    let load = watched.told();
    let because_of_motion = [of_stretches(&stretches), of_body(&body)].concat();
    Traces {
        motion: motion.features(),
        released: [outcomes.clone(), because_of_motion.clone(), load.clone()].concat(),
        outcomes,
        because_of_motion,
        without_noise: of_words(&words),
        windows: watched.windows(),
        signs: watched.signs(),
        load,
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
    static PLACES: [OnceLock<Worlds>; 3] = [const { OnceLock::new() }; 3];
    let (place, seed, worlds) = match differ {
        Differ::Body => (&PLACES[0], 1, 3),
        Differ::Steadiness => (&PLACES[1], 101, 1),
        Differ::Learning => (&PLACES[2], 201, 2),
    };
    place.get_or_init(|| (seed..seed + worlds).map(|s| world(s, differ)).collect())
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
        success.auc, success.half_width, success.first_guess, success.chance, success.people,
    );
}

/// No better than guessing: the interval holds 0.5, and is narrow enough to mean it.
fn at_chance(success: Success) -> bool {
    success.auc - success.half_width < 0.5 && success.half_width < 0.04
}

#[test]
fn motion_tells_who_it_is() {
    let success = attack_on(worlds(Differ::Body), |t| &t.motion);
    tell("motion", success);
    assert!(
        success.auc > 0.95,
        "the attack is too weak to prove anything: {success}"
    );
    assert!(success.first_guess > 0.5, "{success}");
}

#[test]
fn what_leaves_the_headset_does_not() {
    let success = attack_on(worlds(Differ::Body), |t| &t.released);
    tell("released", success);
    assert!(at_chance(success), "{success}");
    assert!(success.first_guess < 2.5 * success.chance, "{success}");
}

#[test]
fn nor_does_what_leaves_because_of_motion_whatever_people_know() {
    for (name, differ) in [
        ("because_of_motion", Differ::Body),
        ("because_of_motion_with_knowledge", Differ::Learning),
    ] {
        let success = attack_on(worlds(differ), |t| &t.because_of_motion);
        tell(name, success);
        assert!(at_chance(success), "{name}: {success}");
    }
}

/// Why times and distances stay: the same attack finds people by them.
#[test]
fn the_attempts_as_the_log_holds_them_would_tell() {
    let success = attack_on(worlds(Differ::Body), |t| &t.attempts);
    tell("attempts_in_log", success);
    assert!(success.auc > 0.9, "{success}");
}

/// Why words are noised: measured against the learner's own, and ten attempts together, they still find people.
#[test]
fn the_words_without_noise_would_tell() {
    let success = attack_on(worlds(Differ::Body), |t| &t.without_noise);
    tell("stretches_without_noise", success);
    assert!(success.auc - success.half_width > 0.6, "{success}");
}

/// Of the load leaves what results say of it, whatever hands and head did.
#[test]
fn nor_does_what_leaves_of_the_load() {
    let success = attack_on(worlds(Differ::Body), |t| &t.load);
    tell("load_as_told", success);
    assert!(at_chance(success), "{success}");
}

/// Why no more of it leaves: the same attack finds people by the windows in the log, and by what each sign says against
/// the learner's own.
#[test]
fn the_windows_of_the_log_and_the_signs_of_the_load_would_tell() {
    let windows = attack_on(worlds(Differ::Body), |t| &t.windows);
    tell("load_windows_in_log", windows);
    assert!(windows.auc - windows.half_width > 0.8, "{windows}");
    let signs = attack_on(worlds(Differ::Body), |t| &t.signs);
    tell("load_by_sign", signs);
    assert!(signs.auc - signs.half_width > 0.5, "{signs}");
}

/// Why the scale is the learner's own: the same words of one single number, from a scale for all, tell.
#[test]
fn the_same_words_from_a_scale_for_all_would_tell() {
    let words: Vec<Vec<Sessions>> = worlds(Differ::Body)
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
                .map(|p| split(Vec::from(p)))
                .collect()
        })
        .collect();
    let success = attack(&words);
    tell("slowness_on_a_common_scale", success);
    assert!(success.auc > 0.65, "{success}");
}

/// The limit: what a learner gets right is what leaves on purpose, and it tells. The figures are for the documentation;
/// the test holds that they were measured with people who differ.
#[test]
fn what_people_get_right_tells_and_is_meant_to() {
    for (name, differ) in [
        ("outcomes_of_unsteady_hands", Differ::Steadiness),
        ("outcomes_with_knowledge", Differ::Learning),
    ] {
        let success = attack_on(worlds(differ), |t| &t.outcomes);
        tell(name, success);
        assert!(success.auc - success.half_width > 0.5, "{name}: {success}");
    }
}
