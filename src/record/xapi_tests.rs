//! Statements keep to the published rules, whatever the log; and the rules see what breaks them.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::xapi_check::check;
use super::*;
use crate::learning::quality::Quality;
use crate::learning::skill::SkillId;
use crate::protocol::consent::ConsentActor;
use crate::protocol::event::PauseCause;
use crate::protocol::ids::{AttemptId, ObjectId, PanelId};
use crate::protocol::privacy::Amendment;

fn log(bodies: Vec<EventBody>) -> Vec<Event> {
    let session = SessionId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
    (1..)
        .zip(bodies)
        .map(|(seq, body)| Event {
            seq,
            at_unix_ms: 1_760_000_000_000 + seq * 1500,
            learner: LearnerId(Uuid::from_u128(7)),
            session,
            body,
        })
        .collect()
}

fn started(lesson: &str) -> EventBody {
    EventBody::SessionStarted {
        lesson: LessonId::new(lesson),
        lesson_digest: "abc".to_owned(),
        seed: 1,
        skills: BTreeMap::new(),
        protocol: 1,
    }
}

fn attempt(step: &str, credit: f32, latency: Duration, evidence: Evidence) -> EventBody {
    EventBody::Attempted(Attempt {
        id: AttemptId::fresh(),
        step: StepId::new(step),
        skills: vec![SkillId::new("match shape")],
        correct: credit >= 1.0,
        credit,
        latency,
        hints_used: 1,
        position_error: Some(0.01),
        rotation_error: None,
        quality: Quality::default(),
        blurred: Default::default(),
        evidence,
    })
}

fn as_json(events: &[Event]) -> Vec<Value> {
    statements(events, &Home::default())
        .iter()
        .map(|statement| serde_json::to_value(statement).unwrap())
        .collect()
}

#[test]
fn a_session_becomes_statements_in_order() {
    let answered = Evidence::Answered {
        panel: PanelId::new("p"),
        choice: 2,
    };
    let events = log(vec![
        started("first-steps"),
        EventBody::StepEntered {
            step: StepId::new("one"),
            event: None,
            hints: 0,
        },
        attempt("one", 0.5, Duration::from_millis(2340), answered),
        EventBody::Paused {
            by: PauseCause::Learner,
        },
        EventBody::StepCompleted {
            step: StepId::new("one"),
            skipped: true,
        },
        EventBody::SessionEnded {
            reason: EndReason::LessonCompleted,
        },
    ]);
    let statements = as_json(&events);
    let verbs: Vec<&str> = statements
        .iter()
        .filter_map(|statement| statement["verb"]["display"]["en-US"].as_str())
        .collect();
    assert_eq!(
        verbs,
        [
            "initialized",
            "answered",
            "suspended",
            "skipped",
            "completed"
        ]
    );
    let answer = &statements[1];
    assert_eq!(answer["result"]["score"]["scaled"], 0.5);
    assert_eq!(answer["result"]["duration"], "PT2.34S");
    assert_eq!(answer["result"]["response"], "2");
    assert_eq!(answer["result"]["success"], false);
    assert_eq!(
        answer["object"]["id"],
        "https://malloc-vr.invalid/lessons/first-steps/steps/one"
    );
    assert_eq!(
        answer["context"]["contextActivities"]["other"][0]["id"],
        "https://malloc-vr.invalid/skills/match%20shape"
    );
    assert_eq!(
        answer["actor"]["account"]["name"],
        "00000000-0000-0000-0000-000000000007"
    );
    for statement in &statements {
        assert_eq!(check(statement), Ok(()), "{statement:#}");
    }
}

#[test]
fn a_second_export_gives_the_same_ids_and_no_two_are_alike() {
    let events = log(vec![
        started("l"),
        EventBody::SessionResumed,
        EventBody::SessionEnded {
            reason: EndReason::Shutdown,
        },
    ]);
    let (first, second) = (as_json(&events), as_json(&events));
    assert_eq!(first, second);
    let ids: BTreeSet<&str> = first.iter().filter_map(|s| s["id"].as_str()).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_note_goes_with_the_statement_it_disputes() {
    let events = log(vec![
        started("l"),
        attempt("one", 0.0, Duration::from_secs(1), Evidence::TimedOut),
        EventBody::AmendmentNoted(Amendment {
            about_seq: 2,
            note: "tracking was lost".to_owned(),
            actor: ConsentActor::Guardian,
        }),
    ]);
    let statements = as_json(&events);
    assert_eq!(statements.len(), 2);
    let notes =
        &statements[1]["context"]["extensions"]["https://malloc-vr.invalid/xapi/extensions/notes"];
    assert_eq!(
        notes,
        &json!([{ "by": "guardian", "note": "tracking was lost" }])
    );
    assert_eq!(check(&statements[1]), Ok(()));
}

#[test]
fn only_an_address_names_accounts() {
    assert!(Home::new("https://school.example/vr/").is_ok());
    for bad in [
        "",
        "school.example",
        "ftp://x",
        "https://",
        "https://a b",
        "https://x/?q",
        "mailto:a@b",
    ] {
        assert!(Home::new(bad).is_err(), "{bad}");
    }
}

/// A change to a valid statement, and whether the rules forbid it.
#[test]
fn the_rules_see_what_breaks_them() {
    let events = log(vec![
        started("l"),
        attempt("one", 0.5, Duration::from_secs(1), Evidence::TimedOut),
    ]);
    let valid = as_json(&events).remove(1);
    let broken: &[(&str, Value)] = &[
        ("/id", json!("123")),
        ("/id", json!("00000000-0000-0000-0000-000000000000")),
        ("/actor/account/homePage", json!("school.example")),
        ("/actor/mbox", json!("mailto:a@b.example")),
        ("/actor/account", json!({ "homePage": "https://x.example" })),
        ("/actor/objectType", json!("agent")),
        ("/verb/id", json!("attempted")),
        ("/verb/display", json!({ "english language": "x" })),
        ("/verb/id", Value::Null),
        ("/object/id", json!("no iri")),
        ("/object/definition/type", json!("lesson")),
        ("/result/score/scaled", json!(1.5)),
        ("/result/score/scaled", json!("0.5")),
        ("/result/score", json!({ "raw": 5, "min": 6, "max": 7 })),
        ("/result/success", json!("true")),
        ("/result/duration", json!("12.5 s")),
        ("/result/duration", json!("PT")),
        ("/result/duration", json!("P1.5DT2S")),
        ("/result/extensions", json!({ "hints": 1 })),
        ("/context/registration", json!("session 1")),
        ("/context/contextActivities", json!({ "parents": [] })),
        ("/context/revision", json!(1)),
        ("/timestamp", json!("2026-11-21 09:31:02")),
        ("/timestamp", json!("2026-13-21T09:31:02Z")),
        ("/timestamp", json!("2026-11-21T09:31:02-00:00")),
        ("/learner", json!("somebody")),
    ];
    for (path, value) in broken {
        let mut statement = valid.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        statement.pointer_mut(parent).unwrap()[key] = value.clone();
        assert!(check(&statement).is_err(), "{path} = {value}");
    }
    for key in ["actor", "verb", "object"] {
        let mut statement = valid.clone();
        statement.as_object_mut().unwrap().remove(key);
        assert!(check(&statement).is_err(), "without {key}");
    }
}

fn body() -> impl Strategy<Value = EventBody> {
    let name = || any::<String>();
    let evidence = prop_oneof![
        Just(Evidence::TimedOut),
        name().prop_map(|object| Evidence::Placed {
            object: ObjectId::new(object),
            socket: None
        }),
        (name(), prop::num::f32::ANY).prop_map(|(object, speed)| Evidence::Thrown {
            object: ObjectId::new(object),
            speed,
            hit: None
        }),
        (name(), any::<u32>()).prop_map(|(panel, choice)| Evidence::Answered {
            panel: PanelId::new(panel),
            choice
        }),
    ];
    prop_oneof![
        name().prop_map(|lesson| started(&lesson)),
        Just(EventBody::SessionResumed),
        (name(), any::<bool>()).prop_map(|(step, skipped)| EventBody::StepCompleted {
            step: StepId::new(step),
            skipped
        }),
        (name(), prop::num::f32::ANY, any::<u32>(), evidence).prop_map(
            |(step, credit, ms, evidence)| attempt(
                &step,
                credit,
                Duration::from_millis(ms.into()),
                evidence
            )
        ),
        Just(EventBody::SessionEnded {
            reason: EndReason::LearnerLeft
        }),
    ]
}

proptest! {
    #[test]
    fn every_statement_of_every_log_keeps_to_the_rules(mut bodies in prop::collection::vec(body(), 0..12), at in any::<u64>()) {
        bodies.insert(0, started("l"));
        let mut events = log(bodies);
        events[0].at_unix_ms = at;
        for statement in as_json(&events) {
            prop_assert_eq!(check(&statement), Ok(()), "{:#}", statement);
        }
    }
}
