//! FERPA, 34 CFR part 99.

use uuid::Uuid;

use super::probe::{NOTE, OWN, Probe, file};
use super::{Law, Rule, Subject, Verdict};
use crate::protocol::consent::{ConsentActor, ConsentScope};
use crate::protocol::ids::LearnerId;
use crate::protocol::privacy::{DataClass, Purpose, Role};
use crate::record::access::Relation;
use crate::record::ages::AgeBand;
use crate::record::aggregate::{AggregateRefusal, Asks, Ledger, MicroEpsilon, answer};
use crate::record::export::ExportError;

const fn rule(
    id: &'static str,
    source: &'static str,
    demands: &'static str,
    mechanism: &'static str,
    check: fn(&Subject) -> Verdict,
) -> Rule {
    Rule {
        id,
        law: Law::Ferpa,
        source,
        demands,
        mechanism,
        check,
    }
}

pub(super) const RULES: &[Rule] = &[
    rule(
        "ferpa-inspect",
        "34 CFR §99.10(a)",
        "A learner of age can inspect all of their record.",
        "access table; export",
        inspect,
    ),
    rule(
        "ferpa-transfer",
        "34 CFR §§99.3, 99.5(a)(1)",
        "The guardian's rights pass to the learner at 18.",
        "age band in every decision on access",
        transfer,
    ),
    rule(
        "ferpa-amend",
        "34 CFR §99.21(b)(2), (c)",
        "A note to a contested record stays with it, wherever the record goes.",
        "note events; export carries them with the event they are about",
        amend,
    ),
    rule(
        "ferpa-consent",
        "34 CFR §99.30(a)",
        "Records go to others only with written consent.",
        "access table with the scopes it needs",
        consent,
    ),
    rule(
        "ferpa-officials",
        "34 CFR §99.31(a)(1)(ii)",
        "Instructors see only the learners they have a legitimate educational interest in.",
        "access table by relation to the learner",
        officials,
    ),
    rule(
        "ferpa-deidentified",
        "34 CFR §99.31(b)(1)",
        "Figures given out let no learner be identified, by themselves or together.",
        "smallest group, also of those left out",
        deidentified,
    ),
    rule(
        "ferpa-disclosures",
        "34 CFR §99.32(a)(1), (3)",
        "Every disclosure stands in the record, with the party and its interest, before it is made.",
        "grant demands the event; export refuses without it; fold lists it",
        disclosures,
    ),
    rule(
        "ferpa-redisclosure",
        "34 CFR §99.33(a), (d)",
        "Whoever gets records is told that they must not go further.",
        "notice in every export that is a disclosure",
        redisclosure,
    ),
];

fn inspect(subject: &Subject) -> Verdict {
    let granted = Probe::new(subject, AgeBand::Adult).read(
        Role::Learner,
        Relation::Self_,
        Purpose::Rights,
        &OWN,
    );
    match granted {
        Ok(_) => Verdict::Passed,
        Err(refusal) => Verdict::Failed(refusal.to_string()),
    }
}

fn transfer(subject: &Subject) -> Verdict {
    let guardian = |band| {
        Probe::new(subject, band).read(Role::Guardian, Relation::Family, Purpose::Rights, &OWN)
    };
    if guardian(AgeBand::Minor).is_err() {
        return Verdict::Failed("the guardian of a minor is refused".to_owned());
    }
    Verdict::when(
        guardian(AgeBand::Adult).is_err(),
        "a guardian still reads the record of a learner of age",
    )
}

fn amend(subject: &Subject) -> Verdict {
    let probe = Probe::new(subject, AgeBand::Minor).noted();
    // A reader of attempts alone gets the note too.
    let narrow = probe.read(
        Role::Administrator,
        Relation::School,
        Purpose::Rights,
        &[DataClass::Attempts],
    );
    let Ok(export) = narrow.map(|grant| probe.export(&grant)) else {
        return Verdict::Failed("no export could be made".to_owned());
    };
    let carried = export.is_ok_and(|export| {
        file(&export, "events.jsonl").contains(NOTE) && file(&export, "record.md").contains(NOTE)
    });
    Verdict::when(
        carried,
        "an export carries the contested event without its note",
    )
}

fn consent(subject: &Subject) -> Verdict {
    let asked = Probe::new(subject, AgeBand::Adult);
    if asked.research().is_ok() {
        return Verdict::Failed("a researcher reads a record without consent".to_owned());
    }
    let given = asked.given(&[ConsentScope::ResearchExport], ConsentActor::Learner);
    Verdict::when(given.research().is_ok(), "consent does not open the record")
}

fn officials(subject: &Subject) -> Verdict {
    let learner = Probe::new(subject, AgeBand::Adult);
    let instructor = |relation| {
        learner.read(
            Role::Instructor,
            relation,
            Purpose::Instruction,
            &[DataClass::Progress],
        )
    };
    if instructor(Relation::Class).is_err() {
        return Verdict::Failed("an instructor is refused their own class".to_owned());
    }
    let others = [Relation::None, Relation::School, Relation::Agreement];
    Verdict::when(
        others.iter().all(|relation| instructor(*relation).is_err()),
        "an instructor reads the record of a learner of another class",
    )
}

fn deidentified(subject: &Subject) -> Verdict {
    let class: Vec<(LearnerId, f64)> = (1..=20)
        .map(|i| (LearnerId(Uuid::from_u128(i)), 0.5))
        .collect();
    let mut bits = {
        let mut state = 0_u64;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            state.rotate_left(23).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        }
    };
    let mut of = |some: usize| {
        answer(
            Asks::Mean {
                low: 0.0,
                high: 1.0,
            },
            class.get(..some).unwrap_or_default(),
            class.len(),
            MicroEpsilon(1),
            subject.aggregate,
            &mut Ledger::default(),
            &mut bits,
        )
    };
    // 5: the least this project's sources and this rule take.
    if !matches!(of(4), Err(AggregateRefusal::TooFew { .. })) {
        return Verdict::Failed("a figure over four learners is given".to_owned());
    }
    Verdict::when(
        matches!(of(19), Err(AggregateRefusal::ByDifference { .. })),
        "a figure over all but one is given",
    )
}

fn disclosures(subject: &Subject) -> Verdict {
    let probe = Probe::new(subject, AgeBand::Adult)
        .given(&[ConsentScope::ResearchExport], ConsentActor::Learner)
        .given(&[ConsentScope::ThirdParty], ConsentActor::Learner);
    let third = probe.read(
        Role::ThirdParty,
        Relation::Agreement,
        Purpose::Instruction,
        &[DataClass::Attempts],
    );
    let grants: Vec<_> = [probe.research(), third].into_iter().flatten().collect();
    if grants.is_empty() {
        return Verdict::NotApplicable("this table discloses to nobody".to_owned());
    }
    for grant in grants {
        let Some(event) = grant.to_record() else {
            return Verdict::Failed(format!("{:?} reads without a trace", grant.role()));
        };
        if !matches!(probe.export(&grant), Err(ExportError::NotRecorded)) {
            return Verdict::Failed("an export is made before it is recorded".to_owned());
        }
        let after = Probe::new(subject, AgeBand::Adult).with(event).rights();
        let listed = after.disclosures.iter().any(|noted| {
            noted.what.to == grant.role()
                && noted.what.purpose == grant.purpose()
                && !noted.what.party.is_empty()
        });
        if !listed {
            return Verdict::Failed("the record does not list a disclosure".to_owned());
        }
    }
    Verdict::Passed
}

fn redisclosure(subject: &Subject) -> Verdict {
    let probe = Probe::new(subject, AgeBand::Adult)
        .given(&[ConsentScope::ResearchExport], ConsentActor::Learner);
    let granted = probe.research().ok();
    let Some((grant, event)) = granted.and_then(|grant| {
        let event = grant.to_record()?;
        Some((grant, event))
    }) else {
        return Verdict::NotApplicable("this table discloses to nobody".to_owned());
    };
    let export = probe.with(event).export(&grant);
    Verdict::when(
        export.is_ok_and(|export| file(&export, "README.md").contains("give it to nobody else")),
        "a disclosure goes out without the notice",
    )
}
