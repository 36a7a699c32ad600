//! Checks of the GDPR's articles on the learner's rights and on protection by design: Art. 15 to 25, recital 26.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::probe::{NOTE, Probe, file};
use super::{Subject, Verdict};
use crate::protocol::consent::{ConsentActor, ConsentScope};
use crate::protocol::event::Event;
use crate::protocol::ids::LearnerId;
use crate::protocol::privacy::{DataClass, Purpose, Role};
use crate::record::access::Relation;
use crate::record::ages::AgeBand;
use crate::record::aggregate::{AggregateRefusal, Asks, Ledger, MicroEpsilon, answer};

pub(super) fn access(subject: &Subject) -> Verdict {
    let probe = Probe::new(subject, AgeBand::Adult).noted();
    let Some(export) = probe.own_export() else {
        return Verdict::Failed("no export could be made".to_owned());
    };
    let lines = file(&export, "events.jsonl").lines();
    let seqs: BTreeSet<u64> = lines
        .filter_map(|line| serde_json::from_str::<Event>(line).ok())
        .map(|event| event.seq)
        .collect();
    let text = file(&export, "record.md");
    for event in &probe.log {
        if !seqs.contains(&event.seq) || !text.contains(&format!("(#{})", event.seq)) {
            return Verdict::Failed(format!("event {} is missing in the copy", event.seq));
        }
    }
    Verdict::Passed
}

pub(super) fn rectification(subject: &Subject) -> Verdict {
    let rights = Probe::new(subject, AgeBand::Adult).noted().rights();
    let noted = rights.notes_to(2).any(|noted| noted.what.note == NOTE);
    Verdict::when(noted, "a note is not found beside what it is about")
}

pub(super) fn restriction(subject: &Subject) -> Verdict {
    let scopes = [ConsentScope::ResearchExport];
    let open = Probe::new(subject, AgeBand::Adult).given(&scopes, ConsentActor::Learner);
    let restricted = open.restricted(ConsentActor::Learner);
    let used = [
        restricted.research(),
        restricted.read(
            Role::System,
            Relation::School,
            Purpose::Adaptation,
            &[DataClass::Attempts],
        ),
        restricted.read(
            Role::Instructor,
            Relation::Class,
            Purpose::Instruction,
            &[DataClass::Progress],
        ),
    ];
    if let Some(grant) = used.into_iter().flatten().next() {
        return Verdict::Failed(format!(
            "a restricted record is still used for {:?}",
            grant.purpose()
        ));
    }
    Verdict::when(
        restricted.own_export().is_some(),
        "a restricted record is closed to the family too",
    )
}

pub(super) fn portability(subject: &Subject) -> Verdict {
    let Some(export) = Probe::new(subject, AgeBand::Adult).own_export() else {
        return Verdict::Failed("no export could be made".to_owned());
    };
    let lines = file(&export, "events.jsonl");
    let events = lines
        .lines()
        .all(|line| serde_json::from_str::<Event>(line).is_ok());
    let statements: Option<Vec<serde_json::Value>> =
        serde_json::from_str(file(&export, "xapi.json")).ok();
    let complete = statements.is_some_and(|statements| {
        !statements.is_empty()
            && statements.iter().all(|one| {
                ["actor", "verb", "object"]
                    .iter()
                    .all(|key| one[*key].is_object())
            })
    });
    Verdict::when(
        events && complete,
        "the copy cannot be read by another program",
    )
}

pub(super) fn objection(subject: &Subject) -> Verdict {
    let adult = Probe::new(subject, AgeBand::Adult);
    let scopes = [ConsentScope::HoldOut, ConsentScope::ModelTraining];
    match scopes.into_iter().find(|scope| adult.may(*scope).is_ok()) {
        Some(scope) => Verdict::Failed(format!("{scope:?} is done without asking")),
        None => Verdict::Passed,
    }
}

pub(super) fn by_design(subject: &Subject) -> Verdict {
    let screen = (subject.mechanisms.screen)(&["Mirabel Quince"]);
    let planted = [
        "mirabel.q@school.example",
        "+43 660 123 45 67",
        "2001:db8::7",
        "https://school.example/pupils?id=7",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "Mirabel Quince",
    ];
    for canary in planted {
        let masked = screen
            .mask(&format!("tell {canary} to look left"))
            .into_owned();
        if masked.contains(canary) || !masked.ends_with("to look left") {
            return Verdict::Failed(format!("text like `{canary}` would be kept"));
        }
    }
    Verdict::Passed
}

pub(super) fn anonymous(subject: &Subject) -> Verdict {
    let class: Vec<(LearnerId, f64)> = (1..=30)
        .map(|i| (LearnerId(Uuid::from_u128(i)), 0.5))
        .collect();
    let mut state = 0_u64;
    let mut bits = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.rotate_left(23).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let mut ledger = Ledger::default();
    // ε = 1 a question; a budget that lasts for more than ten of them protects nobody.
    for _ in 0..=10 {
        let answered = answer(
            Asks::AtLeast { value: 0.5 },
            &class,
            class.len(),
            MicroEpsilon(1_000_000),
            subject.aggregate,
            &mut ledger,
            &mut bits,
        );
        match answered {
            Err(AggregateRefusal::Spent { .. }) => return Verdict::Passed,
            Err(other) => return Verdict::Failed(other.to_string()),
            Ok(_) => {}
        }
    }
    Verdict::Failed("the budget does not end".to_owned())
}
