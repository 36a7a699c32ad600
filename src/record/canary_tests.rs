//! Names, addresses and ids planted wherever an event has room for text, and looked for in every byte of the files.

use std::time::Duration;

use proptest::prelude::*;

use super::audit::{Action, By};
use super::disk_for_tests::{Disk, keys, log};
use super::plain;
use super::store::Store;
use crate::learning::skill::SkillId;
use crate::protocol::command::{Command, CommandBody, Principal, Refusal};
use crate::protocol::event::{Event, EventBody, Evidence};
use crate::protocol::ids::{CommandId, LearnerId, LessonId, ObjectId, PanelId, SocketId, StepId};

const CANARIES: [&str; 3] = [
    "Zelda Canarywood",
    "zelda.canarywood@school.example",
    "pupil-4711-canary",
];

/// Events with canaries in every text field.
fn planted(base: &[Event]) -> Vec<Event> {
    let text = || CANARIES.join(" ");
    let command = |body| Command {
        id: CommandId::fresh(),
        learner: base[0].learner,
        principal: Principal::Instructor,
        asker: None,
        purpose: text(),
        body,
        trace: None,
    };
    let EventBody::Attempted(attempt) = &base[1].body else {
        panic!("the second event is an attempt");
    };
    let attempt = |evidence| {
        let mut attempt = attempt.clone();
        attempt.step = StepId::new(text());
        attempt.skills = vec![SkillId::new(text())];
        attempt.latency = Duration::from_secs(1);
        attempt.evidence = evidence;
        EventBody::Attempted(attempt)
    };
    let EventBody::SessionStarted { seed, protocol, .. } = base[0].body else {
        panic!("the first event is a start");
    };
    let object = || ObjectId::new(text());
    let bodies = [
        EventBody::SessionStarted {
            lesson: LessonId::new(text()),
            lesson_digest: text(),
            seed,
            skills: [(SkillId::new(text()), Default::default())].into(),
            protocol,
        },
        EventBody::StepEntered {
            step: StepId::new(text()),
            event: None,
            hints: 0,
        },
        attempt(Evidence::Placed {
            object: object(),
            socket: Some(SocketId::new(text())),
        }),
        attempt(Evidence::Answered {
            panel: PanelId::new(text()),
            choice: 1,
        }),
        attempt(Evidence::Thrown {
            object: object(),
            speed: 1.0,
            hit: Some(object()),
        }),
        EventBody::CommandApplied {
            command: Box::new(command(CommandBody::Message { text: text() })),
            hint_level: None,
        },
        EventBody::CommandRefused {
            command: Box::new(command(CommandBody::Pause)),
            refusal: Refusal::Outranked { by: text() },
        },
        EventBody::StepCompleted {
            step: StepId::new(text()),
            skipped: false,
        },
    ];
    (1..)
        .zip(bodies)
        .map(|(seq, body)| Event {
            seq,
            body,
            ..base[0].clone()
        })
        .collect()
}

/// Every canary, the pseudonym, and the session, as text and as bytes.
fn traces(events: &[Event]) -> Vec<Vec<u8>> {
    let mut traces: Vec<Vec<u8>> = CANARIES
        .iter()
        .flat_map(|it| it.split([' ', '@']))
        .map(|it| it.as_bytes().to_vec())
        .collect();
    for id in [events[0].learner.0, events[0].session.0] {
        traces.push(id.as_bytes().to_vec());
        traces.push(id.as_bytes().iter().rev().copied().collect());
        traces.push(id.to_string().into_bytes());
        traces.push(id.simple().to_string().into_bytes());
    }
    traces
}

fn holds(bytes: &[u8], trace: &[u8]) -> bool {
    bytes.windows(trace.len()).any(|it| it == trace)
}

fn work(store: &Store, events: &[Event]) {
    let by = By {
        actor: CANARIES[0].to_owned(),
        purpose: CANARIES[1].to_owned(),
        at_unix_ms: 1_793_500_000_000,
    };
    for event in events {
        store.append(std::slice::from_ref(event)).unwrap();
    }
    store
        .audit(&by, Some(events[0].learner), Action::Exported)
        .unwrap();
}

#[test]
fn nothing_planted_in_events_and_audit_is_found_in_the_file_before_and_after_erasure() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let events = planted(&log(1));
    work(&store, &events);
    assert_eq!(store.events(events[0].learner).unwrap(), events);
    let by = By {
        actor: String::new(),
        purpose: String::new(),
        at_unix_ms: 1,
    };
    for moment in ["running", "closed", "erased"] {
        for trace in traces(&events) {
            assert!(
                !holds(&disk.bytes(), &trace),
                "{moment}: {}",
                String::from_utf8_lossy(&trace)
            );
        }
        if moment == "closed" {
            disk.open().unwrap().erase(events[0].learner, &by).unwrap();
        }
    }
}

#[test]
fn errors_name_nobody() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let events = planted(&log(1));
    work(&store, &events);
    let mut other = events[1].clone();
    other.at_unix_ms += 1;
    for event in [
        other,
        Event {
            seq: 99,
            ..events[1].clone()
        },
    ] {
        let error = store.append(&[event]).unwrap_err();
        let said = format!("{error} {error:?} {store:?}");
        assert!(!CANARIES.iter().any(|it| said.contains(it)), "{said}");
    }
}

/// A store as the version before wrote it.
fn in_clear(file: &std::path::Path, logs: &[Vec<Event>]) {
    let database = redb::Database::create(file).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut table = write.open_table(plain::EVENTS).unwrap();
        for event in logs.iter().flatten() {
            let bytes = super::codec::encode(event).unwrap();
            let key = (event.learner.0.as_u128(), event.seq);
            table.insert(key, bytes.as_slice()).unwrap();
        }
    }
    write.commit().unwrap();
}

#[test]
fn a_store_in_clear_is_sealed_whole_and_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("r.redb"), folder.path().join("kept"));
    let mut second = log(7);
    for event in &mut second {
        event.at_unix_ms += 1_000_000;
    }
    let logs = [planted(&log(1)), second];
    in_clear(&file, &logs);
    // Another name for the same blocks.
    std::fs::hard_link(&file, &kept).unwrap();
    assert!(holds(&std::fs::read(&file).unwrap(), b"canarywood"));
    let store = Store::open(&file, &keys()).unwrap();
    for log in &logs {
        assert_eq!(store.events(log[0].learner).unwrap(), *log);
    }
    assert_eq!(store.learners().unwrap()[0].learner, logs[1][0].learner);
    assert!(store.check().unwrap().problems.is_empty());
    drop(store);
    for path in [&file, &kept] {
        let bytes = std::fs::read(path).unwrap();
        for trace in traces(&logs[0]) {
            assert!(!holds(&bytes, &trace), "{}", path.display());
        }
    }
}

proptest! {
    #[test]
    fn the_names_of_rows_tell_nothing_of_the_pseudonym(id in any::<u128>()) {
        let store = Disk::default().open().unwrap();
        let learner = LearnerId(uuid::Uuid::from_u128(id));
        prop_assert_ne!(store.subject(learner).0, learner.0);
        prop_assert_ne!(store.subject(learner), Disk::default().open().unwrap().subject(learner));
    }
}
