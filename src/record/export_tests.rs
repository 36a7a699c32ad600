//! What is in an export, what is not, and that it can be read back.

use uuid::Uuid;

use super::super::access::{Question, Relation, Standing, decide};
use super::super::ages::AgeBand;
use super::super::consent::{ConsentPolicy, Consents};
use super::super::rights::Rights;
use super::*;
use crate::learning::quality::Quality;
use crate::protocol::command::{Command, Principal};
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, OUTSIDE_SESSIONS,
};
use crate::protocol::event::{Attempt, Evidence};
use crate::protocol::ids::{AttemptId, CommandId, LearnerId, LessonId, SessionId, StepId};
use crate::protocol::privacy::{Amendment, Purpose, Role};

fn learner() -> LearnerId {
    LearnerId(Uuid::from_u128(7))
}

fn log() -> Vec<Event> {
    let session = SessionId(Uuid::from_u128(9));
    let bodies = vec![
        EventBody::SessionStarted {
            lesson: LessonId::new("first-steps"),
            lesson_digest: String::new(),
            seed: 1,
            skills: [].into(),
            protocol: 1,
        },
        EventBody::Attempted(Attempt {
            id: AttemptId(Uuid::nil()),
            step: StepId::new("place|cube"),
            skills: vec![],
            correct: false,
            credit: 0.0,
            latency: std::time::Duration::from_millis(2500),
            hints_used: 1,
            position_error: None,
            rotation_error: None,
            quality: Quality::default(),
            blurred: Default::default(),
            evidence: Evidence::TimedOut,
        }),
        EventBody::CommandApplied {
            command: Box::new(Command {
                id: CommandId(Uuid::nil()),
                learner: learner(),
                principal: Principal::Instructor,
                asker: None,
                purpose: "he seemed lost".to_owned(),
                body: CommandBody::Message {
                    text: "look behind you".to_owned(),
                },
                trace: None,
            }),
            hint_level: None,
        },
        EventBody::AmendmentNoted(Amendment {
            about_seq: 2,
            note: "tracking was lost".to_owned(),
            actor: ConsentActor::Guardian,
        }),
        EventBody::ConsentGiven(Consent {
            scopes: BTreeSet::from([ConsentScope::ResearchExport]),
            text_version: "1".to_owned(),
            actor: ConsentActor::Learner,
            evidence: ConsentEvidence {
                method: ConsentMethod::SignedForm,
                reference: None,
            },
            until_unix_ms: None,
        }),
    ];
    (1..)
        .zip(bodies)
        .map(|(seq, body)| Event {
            seq,
            at_unix_ms: 1_760_000_000_000 + seq,
            learner: learner(),
            session: if seq < 4 { session } else { OUTSIDE_SESSIONS },
            body,
        })
        .collect()
}

fn grant(
    log: &[Event],
    role: Role,
    relation: Relation,
    purpose: Purpose,
    data: &[DataClass],
) -> Grant {
    let question = Question {
        role,
        relation,
        purpose,
        data: data.iter().copied().collect(),
        party: "study 12".to_owned(),
    };
    let standing = Standing {
        learner: learner(),
        band: AgeBand::Adult,
        consents: &Consents::of(log),
        rights: &Rights::of(log),
        policy: &ConsentPolicy::default(),
        now_unix_ms: 1_760_000_100_000,
    };
    decide(&question, &standing).unwrap()
}

fn own(log: &[Event]) -> Grant {
    let all: Vec<DataClass> = DataClass::ALL
        .into_iter()
        .filter(|data| !matches!(data, DataClass::Aggregate | DataClass::Metrics))
        .collect();
    grant(log, Role::Learner, Relation::Self_, Purpose::Rights, &all)
}

fn file<'a>(export: &'a Export, name: &str) -> &'a str {
    export
        .files
        .iter()
        .find(|(file, _)| *file == name)
        .map(|(_, content)| content.as_str())
        .unwrap()
}

#[test]
fn the_learners_own_export_gives_back_every_event_as_it_was() {
    let log = log();
    let export = Export::of(&own(&log), &log, &Home::default()).unwrap();
    let read: Vec<Event> = file(&export, "events.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read, log);
    let xapi: Vec<serde_json::Value> = serde_json::from_str(file(&export, "xapi.json")).unwrap();
    assert_eq!(xapi.len(), 2);
}

#[test]
fn a_person_can_read_it_with_the_note_beside_what_it_disputes() {
    let log = log();
    let export = Export::of(&own(&log), &log, &Home::default()).unwrap();
    let text = file(&export, "record.md");
    let tried = text.find(
        "tried step \"place\\|cube\": let the time run out; not right after 2.5 s, with hint 1",
    );
    let disputed = text.find("**Disputed** by the Guardian: tracking was lost");
    assert!(tried.is_some() && disputed > tried, "{text}");
    assert!(text.contains("2025-10-09 08:53:20"));
    assert!(text.contains("Never disclosed outside family and school."));
}

#[test]
fn what_was_not_granted_is_not_in_it() {
    let mut log = log();
    let research = grant(
        &log,
        Role::Researcher,
        Relation::Agreement,
        Purpose::Research,
        &[DataClass::Attempts, DataClass::Support],
    );
    assert!(matches!(
        Export::of(&research, &log, &Home::default()),
        Err(ExportError::NotRecorded)
    ));
    log.push(Event {
        seq: 6,
        at_unix_ms: 1_760_000_000_006,
        learner: learner(),
        session: OUTSIDE_SESSIONS,
        body: research.to_record().unwrap(),
    });
    let export = Export::of(&research, &log, &Home::default()).unwrap();
    let whole: String = export
        .files
        .iter()
        .map(|(_, content)| content.as_str())
        .collect();
    for withheld in [
        "look behind you",
        "he seemed lost",
        "first-steps",
        "consent_given",
    ] {
        assert!(!whole.contains(withheld), "{withheld}");
    }
    // The note goes with the attempt although notes were not asked for.
    assert!(file(&export, "events.jsonl").contains("tracking was lost"));
    assert!(!file(&export, "record.md").contains("Where the record stands"));
    assert!(file(&export, "README.md").contains("give it to nobody else"));
    let own = Export::of(&own(&log), &log, &Home::default()).unwrap();
    assert!(file(&own, "record.md").contains("given to Researcher (study 12)"));
}

#[test]
fn another_learners_event_stops_it() {
    let mut log = log();
    let grant = own(&log);
    log[1].learner = LearnerId(Uuid::from_u128(8));
    assert!(matches!(
        Export::of(&grant, &log, &Home::default()),
        Err(ExportError::Foreign { seq: 2 })
    ));
}

#[test]
fn it_is_written_once_with_checksums_into_a_folder_of_its_own() {
    let log = log();
    let export = Export::of(&own(&log), &log, &Home::default()).unwrap();
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("record");
    export.write(&folder).unwrap();
    for line in fs::read_to_string(folder.join("SHA256SUMS"))
        .unwrap()
        .lines()
    {
        let (sum, name) = line.split_once("  ").unwrap();
        let digest = Sha256::digest(fs::read(folder.join(name)).unwrap());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sum, hex, "{name}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 5);
    assert!(matches!(
        export.write(&folder),
        Err(ExportError::NotEmpty { .. })
    ));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}
