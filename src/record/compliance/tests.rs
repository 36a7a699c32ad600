//! Every rule holds on the real mechanisms, and fails alone when its own is taken out.

use std::collections::BTreeSet;

use super::*;
use crate::protocol::consent::{ConsentActor, ConsentScope};
use crate::protocol::event::EventBody;
use crate::protocol::privacy::{Purpose, Role};
use crate::record::access::Relation;
use crate::record::ages::AgeBand;
use crate::record::aggregate::MicroEpsilon;
use crate::record::consent::Asked;
use crate::record::pii::Kind;

/// Facts as a sound store gives them.
fn sound() -> StoreFacts {
    StoreFacts {
        canaries_planted: 40,
        names_planted: 3,
        wrong_keys_tried: 8,
        events_erased: 20,
        learners_erased: 2,
        tombstones: 2,
        changes_made: 500,
        changes_found: 500,
        expired: 4,
        sweep_proofs: 4,
        reads: 9,
        reads_audited: 9,
        ..StoreFacts::default()
    }
}

/// An installation that all three laws bind, and what a test takes out of it.
struct Installation {
    consent: ConsentPolicy,
    access: Vec<access::Rule>,
    retention: RetentionPolicy,
    aggregate: AggregatePolicy,
    fields: Vec<(DataClass, &'static [&'static str])>,
    mechanisms: Mechanisms,
    store: StoreFacts,
}

impl Installation {
    fn sound() -> Self {
        Self {
            consent: ConsentPolicy::default(),
            access: access::RULES.to_vec(),
            retention: RetentionPolicy::default(),
            aggregate: AggregatePolicy::default(),
            fields: FIELDS.to_vec(),
            mechanisms: Mechanisms::default(),
            store: sound(),
        }
    }

    fn without(change: impl FnOnce(&mut Self)) -> Vec<&'static str> {
        let mut installation = Self::sound();
        change(&mut installation);
        installation.failures()
    }

    fn failures(&self) -> Vec<&'static str> {
        let subject = Subject {
            binding: Binding {
                ferpa: true,
                coppa: true,
                gdpr: true,
            },
            consent: &self.consent,
            access: &self.access,
            retention: &self.retention,
            aggregate: &self.aggregate,
            fields: &self.fields,
            mechanisms: self.mechanisms,
            store: Some(&self.store),
        };
        check(&subject).failures().map(|(id, _)| id).collect()
    }
}

#[test]
fn everything_holds_on_the_real_mechanisms() {
    assert_eq!(Installation::sound().failures(), Vec::<&str>::new());
    assert!(rules().count() >= 20);
    let ids: BTreeSet<&str> = rules().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), rules().count());
}

#[test]
fn the_score_is_what_passed_of_what_applies() {
    let consent = ConsentPolicy {
        ages: AgeRules::of_country("AT"),
        ..ConsentPolicy::default()
    };
    let (retention, aggregate) = (RetentionPolicy::default(), AggregatePolicy::default());
    let mut facts = sound();
    facts.erased_readable = 1;
    let report = check(&Subject::of(
        true,
        &consent,
        &retention,
        &aggregate,
        Some(&facts),
    ));
    let of_gdpr = rules().filter(|rule| rule.law == Law::Gdpr).count();
    assert_eq!(report.applicable(), of_gdpr);
    assert_eq!(report.passed(), of_gdpr - 1);
    let score = report.score().unwrap();
    assert!((score - (of_gdpr - 1) as f64 / of_gdpr as f64).abs() < 1e-12);
    assert_eq!(
        report.failures().next(),
        Some(("gdpr-erasure", "1 of 20: erased events can be read"))
    );
    let nobody_bound = Subject {
        binding: Binding {
            ferpa: false,
            coppa: false,
            gdpr: false,
        },
        ..Subject::of(true, &consent, &retention, &aggregate, None)
    };
    assert_eq!(check(&nobody_bound).score(), None);
}

#[test]
fn without_a_store_that_was_exercised_its_rules_fail() {
    let consent = ConsentPolicy::default();
    let (retention, aggregate) = (RetentionPolicy::default(), AggregatePolicy::default());
    for store in [None, Some(&StoreFacts::default())] {
        let report = check(&Subject::of(true, &consent, &retention, &aggregate, store));
        let failed: Vec<&str> = report.failures().map(|(id, _)| id).collect();
        assert_eq!(
            failed,
            [
                "coppa-security",
                "coppa-deletion",
                "gdpr-storage",
                "gdpr-integrity",
                "gdpr-accountability",
                "gdpr-erasure",
                "gdpr-erasure-shown",
                "gdpr-pseudonyms",
                "gdpr-keys"
            ]
        );
    }
}

#[test]
fn each_rule_over_the_store_fails_alone_with_its_observation() {
    let weaker: [(&str, fn(&mut StoreFacts)); 9] = [
        ("coppa-security", |facts| facts.canaries_in_clear = 1),
        ("coppa-deletion", |facts| facts.expired_left = 1),
        ("gdpr-storage", |facts| facts.sweep_proofs -= 1),
        ("gdpr-integrity", |facts| facts.changes_found -= 1),
        ("gdpr-accountability", |facts| facts.reads_audited -= 1),
        ("gdpr-erasure", |facts| facts.erased_readable = 1),
        ("gdpr-erasure-shown", |facts| facts.tombstones = 0),
        ("gdpr-pseudonyms", |facts| facts.names_outside_roster = 1),
        ("gdpr-keys", |facts| facts.wrong_keys_opened = 1),
    ];
    for (id, weaken) in weaker {
        assert_eq!(Installation::without(|it| weaken(&mut it.store)), [id]);
    }
}

#[test]
fn each_rule_over_a_policy_fails_alone_when_the_policy_is_weakened() {
    let weaker: [(&str, fn(&mut Installation)); 17] = [
        ("ferpa-inspect", |it| {
            it.access
                .retain(|rule| rule.role != Role::Learner || rule.purpose != Purpose::Rights);
        }),
        ("ferpa-consent", |it| {
            for rule in &mut it.access {
                if rule.role == Role::Researcher {
                    rule.needs = &[];
                }
            }
        }),
        ("ferpa-officials", |it| {
            let any = access::Rule {
                relation: Relation::School,
                ..it.access[3].clone()
            };
            assert_eq!(any.role, Role::Instructor);
            it.access.push(any);
        }),
        ("ferpa-deidentified", |it| it.aggregate.fewest = 1),
        ("coppa-biometric", |it| {
            it.consent.biometric.clear();
            it.consent.school_may.insert(ConsentScope::MotionRecording);
        }),
        ("coppa-biometric", |it| it.retention.motion_days = 400),
        ("coppa-unknown-age", |it| {
            it.consent.unknown_is_child = false;
        }),
        ("coppa-notice", |it| {
            it.consent.texts.insert(super::probe::SUPERSEDED.to_owned());
        }),
        ("coppa-consent", |it| {
            it.consent
                .asked
                .insert(ConsentScope::InstructorView, Asked::Nobody);
        }),
        ("coppa-separate", |it| it.consent.apart.clear()),
        ("coppa-verifiable", |it| it.consent.disclosing.clear()),
        ("coppa-conditioning", |it| {
            it.consent
                .asked
                .insert(ConsentScope::TeachOnDevice, Asked::Everybody);
        }),
        ("coppa-retention", |it| it.retention.audit_days = u16::MAX),
        ("gdpr-minimisation", |it| {
            it.fields.remove(0);
        }),
        ("gdpr-child", |it| it.consent.ages.consents_alone_from = 12),
        ("gdpr-explicit", |it| {
            it.consent
                .asked
                .insert(ConsentScope::MotionRecording, Asked::ForChildren);
        }),
        ("gdpr-objection", |it| {
            it.consent
                .asked
                .insert(ConsentScope::HoldOut, Asked::ForChildren);
        }),
    ];
    for (id, weaken) in weaker {
        assert_eq!(Installation::without(weaken), [id]);
    }
}

/// Consents as a fold that does not hear this actor's withdrawals.
fn deaf_to(actor: ConsentActor, log: &[Event]) -> Consents {
    let heard: Vec<Event> = log
        .iter()
        .filter(|event| !matches!(&event.body, EventBody::ConsentWithdrawn(said) if said.actor == actor))
        .cloned()
        .collect();
    Consents::of(&heard)
}

fn changed(
    export: Result<Export, ExportError>,
    name: &str,
    change: impl FnOnce(&str) -> String,
) -> Result<Export, ExportError> {
    let mut export = export?;
    for (file, content) in &mut export.files {
        if *file == name {
            *content = change(content);
            break;
        }
    }
    Ok(export)
}

fn without_lines(text: &str, holding: &str) -> String {
    text.lines()
        .filter(|line| !line.contains(holding))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn each_rule_over_a_function_fails_alone_when_the_function_is_weakened() {
    let weaker: [(&str, fn(&mut Installation)); 15] = [
        ("ferpa-transfer", |it| {
            it.mechanisms.decide = |rules, question, standing| {
                let band = match standing.band {
                    AgeBand::Adult if question.role == Role::Guardian => AgeBand::Minor,
                    band => band,
                };
                access::decide_by(rules, question, &Standing { band, ..*standing })
            };
        }),
        ("ferpa-amend", |it| {
            it.mechanisms.export = |grant, log, home| {
                changed(Export::of(grant, log, home), "record.md", |text| {
                    without_lines(text, "Disputed").replace(super::probe::NOTE, "")
                })
            };
        }),
        ("ferpa-disclosures", |it| {
            it.mechanisms.rights = |log| {
                let mut rights = Rights::of(log);
                rights.disclosures.clear();
                rights
            };
        }),
        ("ferpa-disclosures", |it| {
            for rule in &mut it.access {
                rule.discloses = false;
            }
        }),
        ("ferpa-redisclosure", |it| {
            it.mechanisms.export = |grant, log, home| {
                changed(Export::of(grant, log, home), "README.md", |text| {
                    without_lines(text, "nobody else")
                })
            };
        }),
        ("coppa-guardian-refuses", |it| {
            it.mechanisms.consents = |log| deaf_to(ConsentActor::Guardian, log);
        }),
        ("coppa-guardian-reviews", |it| {
            it.mechanisms.decide = |rules, question, standing| {
                if question.role == Role::Guardian && standing.band == AgeBand::Under13 {
                    return Err(AccessRefusal::OfAge);
                }
                access::decide_by(rules, question, standing)
            };
        }),
        ("coppa-written-policy", |it| {
            it.mechanisms.page =
                |consent, retention| without_lines(&privacy_page(consent, retention), "**Motion**");
        }),
        ("gdpr-purpose", |it| {
            it.mechanisms.decide = |rules, question, standing| {
                let answer = access::decide_by(rules, question, standing);
                match answer {
                    Err(AccessRefusal::Purpose { .. }) if question.role == Role::Administrator => {
                        let other = Question {
                            purpose: Purpose::Rights,
                            ..question.clone()
                        };
                        access::decide_by(rules, &other, standing)
                    }
                    answer => answer,
                }
            };
        }),
        ("gdpr-demonstrate", |it| {
            it.mechanisms.consents = |log| {
                let timeless: Vec<Event> = log
                    .iter()
                    .map(|event| Event {
                        seq: 0,
                        ..event.clone()
                    })
                    .collect();
                Consents::of(&timeless)
            };
        }),
        ("gdpr-withdraw", |it| {
            it.mechanisms.consents = |log| deaf_to(ConsentActor::Learner, log);
        }),
        ("gdpr-access", |it| {
            it.mechanisms.export = |grant, log, home| {
                changed(Export::of(grant, log, home), "events.jsonl", |text| {
                    text.lines()
                        .skip(1)
                        .map(|line| format!("{line}\n"))
                        .collect()
                })
            };
        }),
        ("gdpr-rectification", |it| {
            it.mechanisms.rights = |log| {
                let mut rights = Rights::of(log);
                rights.amendments.clear();
                rights
            };
        }),
        ("gdpr-restriction", |it| {
            it.mechanisms.decide = |rules, question, standing| {
                let free = Standing {
                    rights: &Rights::default(),
                    ..*standing
                };
                access::decide_by(rules, question, &free)
            };
        }),
        ("gdpr-portability", |it| {
            it.mechanisms.export = |grant, log, home| {
                changed(Export::of(grant, log, home), "xapi.json", |text| {
                    text.replace('{', "(")
                })
            };
        }),
    ];
    for (id, weaken) in weaker {
        assert_eq!(Installation::without(weaken), [id]);
    }
    assert_eq!(
        Installation::without(|it| it.aggregate.budget = MicroEpsilon(u64::MAX)),
        ["gdpr-anonymous"]
    );
    for kind in Kind::ALL {
        // One screen per kind: a function pointer carries nothing with it.
        let screen: fn(&[&str]) -> Screen = match kind {
            Kind::Email => |names| Screen::with_names(names.iter().copied()).ignoring(Kind::Email),
            Kind::Number => {
                |names| Screen::with_names(names.iter().copied()).ignoring(Kind::Number)
            }
            Kind::Ip => |names| Screen::with_names(names.iter().copied()).ignoring(Kind::Ip),
            Kind::Link => |names| Screen::with_names(names.iter().copied()).ignoring(Kind::Link),
            Kind::Id => |names| Screen::with_names(names.iter().copied()).ignoring(Kind::Id),
            Kind::Name => |_| Screen::default(),
        };
        assert_eq!(
            Installation::without(|it| it.mechanisms.screen = screen),
            ["gdpr-by-design"],
            "{kind:?}"
        );
    }
}

#[test]
fn every_rule_has_been_seen_to_fail() {
    // The ids that the tests above name; a new rule without one is found here.
    let here = include_str!("tests.rs");
    for rule in rules() {
        assert!(
            here.contains(&format!("\"{}\"", rule.id)),
            "`{}` has never been seen to fail",
            rule.id
        );
        assert!(!rule.demands.is_empty() && !rule.source.is_empty() && !rule.mechanism.is_empty());
    }
}
