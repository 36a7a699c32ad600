//! A store made for the purpose, and everything that the rules ask about done to it: written, searched for what was
//! planted, opened with wrong keys, tampered with, erased from, swept. Each count beside what it is out of.

use std::error::Error;
use std::fs;
use std::path::Path;

use malloc_vr::protocol::command::{Command, CommandBody, Principal};
use malloc_vr::protocol::consent::ConsentActor;
use malloc_vr::protocol::event::{Event, EventBody};
use malloc_vr::protocol::ids::{CommandId, LearnerId, LessonId, SessionId, StepId};
use malloc_vr::protocol::privacy::Amendment;
use malloc_vr::record::boundary::screen_words;
use malloc_vr::record::compliance::StoreFacts;
use malloc_vr::record::pii::Screen;
use malloc_vr::record::{Action, By, Keys, Retention, Roster, Store};
use redb::{ReadableDatabase, ReadableTable, TableDefinition};

use super::doors;

const NAMES: [&str; 4] = [
    "Mirabel Quince",
    "Zelda Canarywood",
    "Ottokar Sperling",
    "Ada Zaunkönig",
];
const DAY: u64 = 86_400_000;
/// 9 October 2025, as the rules' probes.
const NOW: u64 = 1_760_000_000_000;
/// Wrong keys that are tried.
const WRONG_KEYS: u64 = 16;

const EVENTS: TableDefinition<(u128, u64), &[u8]> = TableDefinition::new("sealed");
const AUDIT: TableDefinition<u64, &[u8]> = TableDefinition::new("audit");

fn by(actor: &str, at_unix_ms: u64) -> By {
    By {
        actor: actor.to_owned(),
        purpose: "the compliance suite".to_owned(),
        at_unix_ms,
    }
}

/// Exercises a store in this empty folder.
///
/// # Errors
/// Where a step cannot be taken at all; what is merely not as it should be is a count.
pub(super) fn facts(folder: &Path) -> Result<StoreFacts, Box<dyn Error>> {
    let mut facts = StoreFacts::default();
    let file = folder.join("records.redb");
    let learners = enter_class(folder, &mut facts)?;
    let canaries = write(&file, &learners, &mut facts)?;
    let read = doors::read(folder, learners[0])?;
    (facts.reads, facts.reads_audited) = (read.reads, read.audited);
    search(folder, &canaries, &read.said, &mut facts)?;
    try_wrong_keys(&file, &learners, &mut facts)?;
    tamper(&file, &mut facts)?;
    doors::malloc_vr(folder, &["records", "rotate-key"], "")?;
    erase(&file, &learners[..2], &mut facts)?;
    sweep(&file, &learners[2..], &mut facts)?;
    Ok(facts)
}

/// A roster of pupils, entered at the command line.
fn enter_class(folder: &Path, facts: &mut StoreFacts) -> Result<Vec<LearnerId>, Box<dyn Error>> {
    let mut learners = Vec::new();
    for (name, number) in NAMES.iter().zip(1..) {
        let id = format!("7b-{number}");
        let said = doors::malloc_vr(folder, &["records", "roster", "add", &id], name)?;
        learners.push(String::from_utf8(said)?.trim().parse()?);
        facts.names_planted += 1;
    }
    Ok(learners)
}

/// Logs with marked words wherever somebody can type, screened as the session screens them. Gives the marks.
fn write(
    file: &Path,
    learners: &[LearnerId],
    facts: &mut StoreFacts,
) -> Result<Vec<String>, Box<dyn Error>> {
    let keys = Keys::beside(file)?;
    let store = Store::open(file, &keys)?;
    let roster = Roster::open(&file.with_file_name("roster.sealed"), store.keys())?;
    let screen = Screen::with_names(roster.people().map(|(_, person)| person.name.as_str()));
    let mut marks = Vec::new();
    for (&learner, name) in learners.iter().zip(NAMES) {
        let session = SessionId::fresh();
        let mut mark = |place: &str| {
            let mark = format!("canary-{place}-{}", &learner.to_string()[..8]);
            marks.push(mark.clone());
            mark
        };
        let bodies = [
            EventBody::SessionStarted {
                lesson: LessonId::new(mark("lesson")),
                lesson_digest: mark("digest"),
                seed: 7,
                skills: Default::default(),
                protocol: 1,
            },
            EventBody::StepEntered {
                step: StepId::new(mark("step")),
                event: None,
                hints: 1,
            },
            EventBody::CommandApplied {
                command: Box::new(Command {
                    id: CommandId::fresh(),
                    learner,
                    principal: Principal::Instructor,
                    purpose: format!("{} for {name}", mark("purpose")),
                    body: CommandBody::Message {
                        text: format!("{name}, {}", mark("message")),
                    },
                    asker: None,
                    trace: None,
                }),
                hint_level: None,
            },
            EventBody::AmendmentNoted(Amendment {
                about_seq: 2,
                note: format!("{name}: {}", mark("note")),
                actor: ConsentActor::Guardian,
            }),
        ];
        let mut events = Vec::new();
        for (seq, mut body) in (1..).zip(bodies) {
            screen_words(&mut body, &screen);
            events.push(Event {
                seq,
                at_unix_ms: NOW + seq,
                learner,
                session,
                body,
            });
        }
        store.append(&events)?;
    }
    facts.canaries_planted = marks.len() as u64;
    Ok(marks)
}

/// Looks for what was planted: marks in every file of the store, names there and in all that was printed and exported.
fn search(
    folder: &Path,
    marks: &[String],
    said: &[u8],
    facts: &mut StoreFacts,
) -> Result<(), Box<dyn Error>> {
    let mut stored = Vec::new();
    for file in fs::read_dir(folder)? {
        stored.extend(fs::read(file?.path())?);
    }
    let holds =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
    facts.canaries_in_clear = marks.iter().filter(|mark| holds(&stored, mark)).count() as u64;
    // What is looked for must be findable: the export holds the marks of its learner.
    if !marks.iter().any(|mark| holds(said, mark)) {
        return Err(
            "the export holds none of the marks that were planted; nothing was searched".into(),
        );
    }
    let outside = |name: &str| {
        let mut parts = name.split(' ');
        parts.any(|part| holds(&stored, part) || holds(said, part))
    };
    facts.names_outside_roster = NAMES.iter().filter(|name| outside(name)).count() as u64;
    Ok(())
}

fn try_wrong_keys(
    file: &Path,
    learners: &[LearnerId],
    facts: &mut StoreFacts,
) -> Result<(), Box<dyn Error>> {
    for n in 0..WRONG_KEYS {
        let key: String = (0..32)
            .map(|i| format!("{:02x}", (n * 37 + i * 11 + 5) as u8))
            .collect();
        facts.wrong_keys_tried += 1;
        let opened = Store::open(file, &Keys::from_text(&key)?);
        let read = |store: Store| {
            learners
                .iter()
                .any(|learner| store.events(*learner).is_ok_and(|it| !it.is_empty()))
        };
        facts.wrong_keys_opened += u64::from(opened.is_ok_and(read));
    }
    Ok(())
}

/// Changes copies of the store, each in one place, and sees whether it is noticed.
fn tamper(file: &Path, facts: &mut StoreFacts) -> Result<(), Box<dyn Error>> {
    let keys = Keys::beside(file)?;
    let copy = file.with_file_name("tampered.redb");
    let sound = || -> Result<bool, Box<dyn Error>> {
        Ok(Store::open(&copy, &keys)
            .is_ok_and(|store| store.check().is_ok_and(|it| it.problems.is_empty())))
    };
    fs::copy(file, &copy)?;
    if !sound()? {
        return Err("an unchanged copy of the store is said to be damaged".into());
    }
    let rows: Vec<(u128, u64)> = {
        let read = redb::Database::open(&copy)?.begin_read()?;
        let table = read.open_table(EVENTS)?;
        let rows: Result<Vec<_>, redb::StorageError> =
            table.iter()?.map(|it| Ok(it?.0.value())).collect();
        rows?
    };
    let entries: Vec<u64> = {
        let read = redb::Database::open(&copy)?.begin_read()?;
        let table = read.open_table(AUDIT)?;
        let entries: Result<Vec<_>, redb::StorageError> =
            table.iter()?.map(|it| Ok(it?.0.value())).collect();
        entries?
    };
    let mut change = |how: &dyn Fn(&redb::WriteTransaction) -> Result<(), Box<dyn Error>>| -> Result<(), Box<dyn Error>> {
        fs::copy(file, &copy)?;
        {
            let database = redb::Database::open(&copy)?;
            let write = database.begin_write()?;
            how(&write)?;
            write.commit()?;
        }
        facts.changes_made += 1;
        facts.changes_found += u64::from(!sound()?);
        Ok(())
    };
    for (i, &row) in rows.iter().enumerate() {
        change(&|write| {
            let mut table = write.open_table(EVENTS)?;
            let mut bytes = table.get(row)?.ok_or("the row is gone")?.value().to_vec();
            let place = (i * 13) % bytes.len();
            bytes[place] ^= 1;
            table.insert(row, bytes.as_slice())?;
            Ok(())
        })?;
        change(&|write| {
            write.open_table(EVENTS)?.remove(row)?;
            Ok(())
        })?;
        let other = rows[(i + 1) % rows.len()];
        change(&|write| {
            let mut table = write.open_table(EVENTS)?;
            let one = table.get(row)?.ok_or("the row is gone")?.value().to_vec();
            let two = table.get(other)?.ok_or("the row is gone")?.value().to_vec();
            table.insert(row, two.as_slice())?;
            table.insert(other, one.as_slice())?;
            Ok(())
        })?;
    }
    for &entry in &entries {
        change(&|write| {
            write.open_table(AUDIT)?.remove(entry)?;
            Ok(())
        })?;
    }
    fs::remove_file(&copy)?;
    Ok(())
}

/// Erases learners, and tries to read them with every key that is left.
fn erase(
    file: &Path,
    learners: &[LearnerId],
    facts: &mut StoreFacts,
) -> Result<(), Box<dyn Error>> {
    {
        let store = Store::open(file, &Keys::beside(file)?)?;
        for &learner in learners {
            let events = store.events(learner)?.len() as u64;
            let proof = store
                .erase(learner, &by("the eraser", NOW))?
                .ok_or("nobody to erase")?;
            facts.events_erased += events;
            facts.learners_erased += 1;
            facts.erased_readable +=
                proof.events_left + events * u64::from(proof.key_copies_left > 0);
        }
    }
    let store = Store::open(file, &Keys::beside(file)?)?;
    for &learner in learners {
        facts.erased_readable += store
            .events(learner)
            .map_or(0, |events| events.len() as u64);
    }
    facts.tombstones = erased_by(&store, "the eraser")?;
    Ok(())
}

fn erased_by(store: &Store, actor: &str) -> Result<u64, Box<dyn Error>> {
    let log = store.audit_log()?;
    let erased = log
        .iter()
        .filter(|(_, entry)| entry.by.actor == actor && matches!(entry.action, Action::Erased(_)));
    Ok(erased.count() as u64)
}

/// Lets the days of the program's own policy pass, a sweep each day, and sees who is still there.
fn sweep(
    file: &Path,
    learners: &[LearnerId],
    facts: &mut StoreFacts,
) -> Result<(), Box<dyn Error>> {
    let retention = Retention::default();
    let store = Store::open(file, &Keys::beside(file)?)?;
    facts.expired = learners.len() as u64;
    // A day for the clock to be believed, and one for the sweep itself.
    for day in 0..retention.teaching + 3 {
        store.sweep(&retention, &by("the sweeper", NOW + day * DAY), false)?;
    }
    for &learner in learners {
        facts.expired_left += u64::from(!store.events(learner)?.is_empty());
    }
    facts.sweep_proofs = erased_by(&store, "the sweeper")?;
    Ok(())
}
