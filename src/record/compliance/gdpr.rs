//! The GDPR, Regulation (EU) 2016/679.

use std::collections::BTreeSet;

use super::facts::{all_of, none_of, observed};
use super::gdpr_rights::{
    access, anonymous, by_design, objection, portability, rectification, restriction,
};
use super::probe::Probe;
use super::{Law, Rule, Subject, Verdict};
use crate::protocol::consent::{ConsentActor, ConsentScope};
use crate::protocol::privacy::{DataClass, Purpose, Role};
use crate::record::access::Relation;
use crate::record::ages::{AgeBand, COPPA_AGE, GDPR_AGE};
use crate::record::consent::Basis;
use crate::record::purpose::{fields, treatment};

const fn rule(
    id: &'static str,
    source: &'static str,
    demands: &'static str,
    mechanism: &'static str,
    check: fn(&Subject) -> Verdict,
) -> Rule {
    Rule {
        id,
        law: Law::Gdpr,
        source,
        demands,
        mechanism,
        check,
    }
}

pub(super) const RULES: &[Rule] = &[
    rule(
        "gdpr-purpose",
        "Art. 5(1)(b)",
        "Data is used only for the purposes it was collected for.",
        "purposes of each kind of data, asked at every read",
        purpose,
    ),
    rule(
        "gdpr-minimisation",
        "Art. 5(1)(c), 25(2)",
        "Every field that is kept has a reason.",
        "kind of data of every field, found in the types themselves",
        minimisation,
    ),
    rule(
        "gdpr-storage",
        "Art. 5(1)(e), 5(2)",
        "Deletion at the end of the term can be shown.",
        "sweeper's proof log",
        |subject| {
            observed(subject.store, |facts| {
                all_of(facts.sweep_proofs, facts.expired, "sweeps left no proof")
            })
        },
    ),
    rule(
        "gdpr-integrity",
        "Art. 5(1)(f), 32(1)(b)",
        "A record that was changed, cut or reordered is noticed.",
        "hash chain, verified after every change that was tried",
        |subject| {
            observed(subject.store, |facts| {
                all_of(
                    facts.changes_found,
                    facts.changes_made,
                    "changes to the store went unnoticed",
                )
            })
        },
    ),
    rule(
        "gdpr-accountability",
        "Art. 5(2), 30",
        "Every read can be accounted for.",
        "audit of the store's doors",
        |subject| {
            observed(subject.store, |facts| {
                all_of(
                    facts.reads_audited,
                    facts.reads,
                    "reads are not in the audit",
                )
            })
        },
    ),
    rule(
        "gdpr-demonstrate",
        "Art. 7(1)",
        "Whoever relies on a consent can show it.",
        "every decision names the event of the log it rests on",
        demonstrate,
    ),
    rule(
        "gdpr-withdraw",
        "Art. 7(3)",
        "Consent is withdrawn as easily as it is given, and at once.",
        "fold of the log: one event ends what one event began",
        withdraw,
    ),
    rule(
        "gdpr-child",
        "Art. 8(1)",
        "Below the country's age a child's consent is the guardian's to give, and that age is 13 to 16.",
        "ages by country",
        child,
    ),
    rule(
        "gdpr-explicit",
        "Art. 9(1), 9(2)(a)",
        "Movement that can identify is recorded only with explicit consent, from grown-ups too.",
        "scopes asked of everybody",
        explicit,
    ),
    rule(
        "gdpr-access",
        "Art. 15(1), 15(3)",
        "The learner gets a copy of everything, in words they understand.",
        "export: every event, and a text to read",
        access,
    ),
    rule(
        "gdpr-rectification",
        "Art. 16",
        "What is wrong or incomplete can be put right by a statement.",
        "note events beside what they are about",
        rectification,
    ),
    rule(
        "gdpr-erasure",
        "Art. 17(1)",
        "An erased learner's records cannot be opened by anybody.",
        "destroyed key, tried with every key that is left",
        |subject| {
            observed(subject.store, |facts| {
                none_of(
                    facts.erased_readable,
                    facts.events_erased,
                    "erased events can be read",
                )
            })
        },
    ),
    rule(
        "gdpr-erasure-shown",
        "Art. 5(2), 17(1)",
        "That somebody was erased can be shown without keeping them.",
        "tombstone",
        |subject| {
            observed(subject.store, |facts| {
                all_of(
                    facts.tombstones,
                    facts.learners_erased,
                    "erased learners left no tombstone",
                )
            })
        },
    ),
    rule(
        "gdpr-restriction",
        "Art. 18(1), (2)",
        "A restricted record is kept and not used.",
        "restriction events, asked at every read",
        restriction,
    ),
    rule(
        "gdpr-portability",
        "Art. 20(1)",
        "The copy is in formats that other programs read.",
        "export as JSON lines and as xAPI statements",
        portability,
    ),
    rule(
        "gdpr-objection",
        "Art. 21(1), 22(1)",
        "Nobody is experimented on, and no model fitted from them, without having agreed.",
        "scopes asked of everybody",
        objection,
    ),
    rule(
        "gdpr-by-design",
        "Art. 25(1)",
        "Typed text is freed of what identifies before it is kept.",
        "screen for mail addresses, numbers, addresses, links, ids and the roster's names",
        by_design,
    ),
    rule(
        "gdpr-pseudonyms",
        "Art. 4(5), 25(1)",
        "Names stand in the roster and nowhere else.",
        "pseudonyms by keyed hash, roster apart",
        |subject| {
            observed(subject.store, |facts| {
                none_of(
                    facts.names_outside_roster,
                    facts.names_planted,
                    "names stand outside the roster",
                )
            })
        },
    ),
    rule(
        "gdpr-keys",
        "Art. 32(1)(a)",
        "Records open with their key only.",
        "encryption with a key per learner",
        |subject| {
            observed(subject.store, |facts| {
                none_of(
                    facts.wrong_keys_opened,
                    facts.wrong_keys_tried,
                    "wrong keys opened records",
                )
            })
        },
    ),
    rule(
        "gdpr-anonymous",
        "Recital 26",
        "Class figures stay anonymous however many are asked for.",
        "differential privacy with a budget for each learner that ends",
        anonymous,
    ),
];

fn purpose(subject: &Subject) -> Verdict {
    let roles = [
        Role::Learner,
        Role::Guardian,
        Role::Instructor,
        Role::Administrator,
        Role::Researcher,
        Role::ThirdParty,
    ];
    let relations = [
        Relation::Self_,
        Relation::Family,
        Relation::Class,
        Relation::School,
        Relation::Agreement,
    ];
    let purposes = [
        Purpose::Teaching,
        Purpose::Adaptation,
        Purpose::Safety,
        Purpose::Instruction,
        Purpose::Rights,
        Purpose::Administration,
        Purpose::Security,
        Purpose::Research,
        Purpose::ModelTraining,
    ];
    // Everything is agreed to, so that only the purpose can stand against it.
    let learner = ConsentScope::ALL
        .into_iter()
        .fold(Probe::new(subject, AgeBand::Adult), |probe, scope| {
            probe.given(&[scope], ConsentActor::Learner)
        });
    for class in DataClass::ALL {
        let why = treatment(class).map_or(&[][..], |entry| entry.why);
        for purpose in purposes.iter().filter(|purpose| !why.contains(purpose)) {
            for role in roles {
                for relation in relations {
                    if learner.read(role, relation, *purpose, &[class]).is_ok() {
                        return Verdict::Failed(format!(
                            "{role:?} reads {class:?} for {purpose:?}, which it is not kept for"
                        ));
                    }
                }
            }
        }
    }
    Verdict::Passed
}

fn minimisation(subject: &Subject) -> Verdict {
    let tagged: BTreeSet<&str> = subject
        .fields
        .iter()
        .flat_map(|(_, fields)| fields.iter().copied())
        .collect();
    let untagged: Vec<String> = fields()
        .into_keys()
        .filter(|field| !tagged.contains(field.as_str()))
        .collect();
    Verdict::when(
        untagged.is_empty(),
        &format!("kept without a reason: {untagged:?}"),
    )
}

fn demonstrate(subject: &Subject) -> Verdict {
    let probe = Probe::new(subject, AgeBand::Adult)
        .given(&[ConsentScope::ResearchExport], ConsentActor::Learner);
    let last = probe.log.last().map(|event| event.seq);
    match probe.may(ConsentScope::ResearchExport) {
        Ok(Basis::Consent { by, seq }) => Verdict::when(
            by == ConsentActor::Learner && Some(seq) == last,
            "the decision rests on no event of the log",
        ),
        other => Verdict::Failed(format!("the decision names no consent: {other:?}")),
    }
}

fn withdraw(subject: &Subject) -> Verdict {
    let scope = ConsentScope::ResearchExport;
    let given = Probe::new(subject, AgeBand::Adult).given(&[scope], ConsentActor::Learner);
    let withdrawn = given.withdrawn(scope, ConsentActor::Learner);
    Verdict::when(
        withdrawn.may(scope).is_err(),
        "a consent outlives its withdrawal",
    )
}

fn child(subject: &Subject) -> Verdict {
    let from = subject.consent.ages.consents_alone_from;
    if !(COPPA_AGE..=GDPR_AGE).contains(&from) {
        return Verdict::Failed(format!(
            "a learner would consent alone from {from} on; Art. 8(1) leaves 13 to 16"
        ));
    }
    let scope = ConsentScope::ResearchExport;
    let younger = subject.consent.ages.band(from - 1);
    let own = Probe::new(subject, younger).given(&[scope], ConsentActor::Learner);
    if own.may(scope).is_ok() {
        return Verdict::Failed(format!("the consent of a learner of {} counts", from - 1));
    }
    let guardian = Probe::new(subject, younger).given(&[scope], ConsentActor::Guardian);
    Verdict::when(
        guardian.may(scope).is_ok(),
        "the guardian's consent does not count",
    )
}

fn explicit(subject: &Subject) -> Verdict {
    let adult = Probe::new(subject, AgeBand::Adult);
    let scopes = [
        ConsentScope::KinematicLoad,
        ConsentScope::MotionRecording,
        ConsentScope::MotionRetention,
    ];
    match scopes.into_iter().find(|scope| adult.may(*scope).is_ok()) {
        Some(scope) => Verdict::Failed(format!("{scope:?} is open to anybody")),
        None => Verdict::Passed,
    }
}
