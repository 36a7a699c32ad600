//! `malloc-vr learning` as its users meet it.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use malloc_vr::learning::bkt::BktParams;
use malloc_vr::learning::quality::Quality;
use malloc_vr::learning::skill::SkillId;
use malloc_vr::protocol::PROTOCOL_VERSION;
use malloc_vr::protocol::event::{Attempt, Event, EventBody, Evidence};
use malloc_vr::protocol::ids::{AttemptId, LearnerId, LessonId, ObjectId, SessionId, StepId};

mod support;

use support::{malloc_vr, run, says};

/// A number in [0, 1) that is the same in every run (SplitMix64: Steele, Lea & Flood 2014).
fn drawn(place: u64) -> f64 {
    let mut z = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Answers of learners who differ in ability to items that differ in difficulty.
fn answers(folder: &Path, name: &str, learners: std::ops::Range<u32>) -> PathBuf {
    let mut text = "learner,skill,correct,item\n".to_owned();
    for learner in learners {
        for round in 0..30_u32 {
            let item = (learner * 7 + round) % 9;
            let chance = drawn(u64::from(learner * 1000 + round));
            let ability = f64::from(learner % 10) / 2.0 - 2.2;
            let easiness = f64::from(item) / 3.0 - 1.3;
            let right = chance < 1.0 / (1.0 + (-(ability + easiness)).exp());
            let _ = writeln!(
                text,
                "ann{learner},skill{},{},q{item}",
                item % 2,
                u8::from(right)
            );
        }
    }
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn every_model_is_fitted_stored_and_measured_on_other_learners() {
    let home = tempfile::tempdir().unwrap();
    let ours = answers(home.path(), "ours.csv", 0..40);
    let others = answers(home.path(), "others.csv", 40..60);
    for model in ["bkt", "pfa", "elo", "best-lr", "best"] {
        let params = home.path().join(format!("{model}.json"));
        let (code, text) = run(malloc_vr(home.path())
            .args(["learning", "fit", "--model", model])
            .arg(&ours)
            .arg("-o")
            .arg(&params));
        assert_eq!(code, Some(0), "{text}");
        says(&text, &["1200 answers of 40 learners", "2 skills, 9 items"]);
        let output = malloc_vr(home.path())
            .args(["learning", "eval", "--json", "--params"])
            .arg(&params)
            .arg(&others)
            .output()
            .unwrap();
        let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        for key in ["auc", "rmse", "log_loss", "accuracy", "ece", "seconds"] {
            assert!(figures[key].is_f64(), "{model}: {key} in {figures}");
        }
        assert_eq!(figures["n"], 600);
        // Better than a coin, on learners it has never seen.
        assert!(
            figures["auc"].as_f64().unwrap() > 0.55,
            "{model}: {figures}"
        );
    }
    let plot = home.path().join("reliability.png");
    let (code, text) = run(malloc_vr(home.path())
        .args(["learning", "eval", "--params"])
        .arg(home.path().join("best.json"))
        .arg(&others)
        .arg("--plot")
        .arg(&plot));
    assert_eq!(code, Some(0), "{text}");
    says(&text, &["AUC", "one step ahead", "ours.csv"]);
    assert!(std::fs::read(&plot).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn answers_that_cannot_be_used_are_named_by_their_lines() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("bad.csv");
    std::fs::write(&file, "learner,skill,correct\na,x,1\na,x,maybe\n").unwrap();
    let fit = |file: &Path, output: &Path| {
        run(malloc_vr(home.path())
            .args(["learning", "fit", "--model", "elo"])
            .arg(file)
            .arg("-o")
            .arg(output))
    };
    let (code, text) = fit(&file, &home.path().join("p.json"));
    assert_eq!(code, Some(1));
    says(&text, &["bad.csv:3", "`correct` is `maybe`", "0 or 1"]);
    assert!(!home.path().join("p.json").exists());
    let (code, text) = fit(&home.path().join("none.csv"), &home.path().join("p.json"));
    assert_eq!(code, Some(1));
    says(&text, &["none.csv"]);
    let good = answers(home.path(), "good.csv", 0..3);
    let (code, text) = fit(&good, Path::new("/no/such/folder/p.json"));
    assert_eq!(code, Some(1));
    says(&text, &["cannot write /no/such/folder/p.json"]);
}

#[test]
fn parameters_that_are_none_are_refused_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let good = answers(home.path(), "good.csv", 0..3);
    let params = home.path().join("params.json");
    for (text, expected) in [
        ("what?", "`malloc-vr learning fit` writes them"),
        ("{\"format\": 1}", "not the parameters of a tracer"),
    ] {
        std::fs::write(&params, text).unwrap();
        let (code, said) = run(malloc_vr(home.path())
            .args(["learning", "eval", "--params"])
            .arg(&params)
            .arg(&good));
        assert_eq!(code, Some(1));
        says(&said, &["params.json", expected]);
    }
}

/// A log of one session: three attempts, the middle one wrong and the last on a headset that dropped its frames.
fn log(learner: LearnerId) -> Vec<Event> {
    let session = SessionId::fresh();
    let skills = BTreeMap::from([(SkillId::new("grasp"), BktParams::default())]);
    let attempt = |correct, frame_health| {
        EventBody::Attempted(Attempt {
            id: AttemptId::fresh(),
            step: StepId::new("grab-cube"),
            skills: vec![SkillId::new("grasp")],
            correct,
            credit: f32::from(u8::from(correct)),
            latency: Duration::from_secs(4),
            hints_used: 0,
            position_error: None,
            rotation_error: None,
            quality: Quality {
                frame_health,
                tracking: 1.0,
            },
            blurred: Default::default(),
            evidence: Evidence::Grabbed {
                object: ObjectId::new("cube"),
            },
        })
    };
    let started = EventBody::SessionStarted {
        lesson: LessonId::new("first-steps"),
        lesson_digest: "0".to_owned(),
        seed: 1,
        skills,
        protocol: PROTOCOL_VERSION,
    };
    [
        started,
        attempt(true, 1.0),
        attempt(false, 1.0),
        attempt(false, 0.0),
    ]
    .into_iter()
    .zip(1..)
    .map(|(body, seq)| Event {
        seq,
        at_unix_ms: 1_795_000_000_000 + seq * 1000,
        learner,
        session,
        body,
    })
    .collect()
}

#[test]
fn a_story_says_what_is_believed_and_which_attempts_made_it_so() {
    let home = tempfile::tempdir().unwrap();
    let learner = LearnerId::fresh();
    let lines: Vec<String> = log(learner)
        .iter()
        .map(|event| serde_json::to_string(event).unwrap())
        .collect();
    let file = home.path().join("log.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let plot = home.path().join("story.svg");
    let (code, text) = run(malloc_vr(home.path())
        .args(["learning", "explain"])
        .arg(&file)
        .arg("--plot")
        .arg(&plot));
    assert_eq!(code, Some(0), "{text}");
    says(
        &text,
        &[
            &learner.to_string(),
            "1 session(s), 3 attempts, 1 of them right",
            "grasp",
            "by #2 `grab-cube`: right",
            "by #3 `grab-cube`: wrong",
        ],
    );
    // What the headset is to blame for moves nothing.
    assert!(!text.contains("by #4"), "{text}");
    assert!(std::fs::read_to_string(&plot).unwrap().contains("grasp"));
    std::fs::write(&file, "no event\n").unwrap();
    let (code, text) = run(malloc_vr(home.path())
        .args(["learning", "explain"])
        .arg(&file));
    assert_eq!(code, Some(1));
    says(&text, &["log.jsonl:1", "records show"]);
}
