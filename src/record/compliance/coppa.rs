//! COPPA, 16 CFR part 312 as amended in 2025 (90 FR 16918; to be complied with since 22 April 2026).

use super::facts::{none_of, observed};
use super::probe::{OWN, Probe, SUPERSEDED};
use super::{Law, Rule, Subject, Verdict};
use crate::protocol::consent::{ConsentActor, ConsentMethod, ConsentScope};
use crate::protocol::privacy::{DataClass, Purpose, Role};
use crate::record::access::Relation;
use crate::record::ages::AgeBand;
use crate::record::purpose::RetentionPolicy;

const fn rule(
    id: &'static str,
    source: &'static str,
    demands: &'static str,
    mechanism: &'static str,
    check: fn(&Subject) -> Verdict,
) -> Rule {
    Rule {
        id,
        law: Law::Coppa,
        source,
        demands,
        mechanism,
        check,
    }
}

pub(super) const RULES: &[Rule] = &[
    rule(
        "coppa-biometric",
        "16 CFR §312.2 \"Personal information\" (10), since 2025",
        "Gait and other movement that identifies is personal information: for a child only a guardian may agree to its recording, and it is kept briefly.",
        "biometric scopes; term for motion",
        biometric,
    ),
    rule(
        "coppa-unknown-age",
        "16 CFR §§312.2 \"Mixed audience\", 312.3",
        "Until somebody's age is known they are treated as a child.",
        "policy for unknown ages",
        unknown_age,
    ),
    rule(
        "coppa-notice",
        "16 CFR §§312.4(b), 312.5(a)(1)",
        "Consent is to a text that was read; a material change is asked anew.",
        "text version in each consent, versions in force in the policy",
        notice,
    ),
    rule(
        "coppa-consent",
        "16 CFR §312.5(a)(1)",
        "Nothing of a child under 13 is collected online, used or disclosed without verifiable consent of the guardian.",
        "consent policy, asked at every read and before anything leaves the headset",
        consent,
    ),
    rule(
        "coppa-separate",
        "16 CFR §312.5(a)(2), since 2025",
        "Disclosure to third parties is agreed to apart from everything else.",
        "scopes that have to be asked apart",
        separate,
    ),
    rule(
        "coppa-verifiable",
        "16 CFR §312.5(b)",
        "Consent shows that it is the guardian's; where records are disclosed, mail and text message are not enough.",
        "method in each consent",
        verifiable,
    ),
    rule(
        "coppa-guardian-refuses",
        "16 CFR §312.6(a)(2)",
        "A guardian can refuse further collection at any time, whatever the school agreed to.",
        "a refusal holds against everybody else's consent",
        refuses,
    ),
    rule(
        "coppa-guardian-reviews",
        "16 CFR §312.6(a)(3)",
        "A guardian can review everything that is kept of their child.",
        "access table",
        reviews,
    ),
    rule(
        "coppa-conditioning",
        "16 CFR §312.7",
        "No child has to give up more data than the activity needs to take part in it.",
        "the lesson on the device asks for no consent",
        conditioning,
    ),
    rule(
        "coppa-security",
        "16 CFR §312.8(a), (b)",
        "Confidentiality of children's information is protected: nothing lies in clear on the disk.",
        "encryption at rest, found by marked texts",
        |subject| {
            observed(subject.store, |facts| {
                none_of(
                    facts.canaries_in_clear,
                    facts.canaries_planted,
                    "marked texts lie in clear in the store's files",
                )
            })
        },
    ),
    rule(
        "coppa-retention",
        "16 CFR §312.10, since 2025",
        "Nothing is kept indefinitely.",
        "a term for every kind of data",
        retention,
    ),
    rule(
        "coppa-written-policy",
        "16 CFR §§312.4(d), 312.10, since 2025",
        "A written policy says what is kept, what for and when it is deleted.",
        "docs/privacy.md, made from the kinds of data and their terms",
        written_policy,
    ),
    rule(
        "coppa-deletion",
        "16 CFR §312.10",
        "What is no longer needed is deleted.",
        "retention sweeper",
        |subject| {
            observed(subject.store, |facts| {
                none_of(
                    facts.expired_left,
                    facts.expired,
                    "learners whose term was over are still there",
                )
            })
        },
    ),
];

fn biometric(subject: &Subject) -> Verdict {
    let scopes = [
        ConsentScope::KinematicLoad,
        ConsentScope::MotionRecording,
        ConsentScope::MotionRetention,
    ];
    for scope in scopes {
        let school = Probe::new(subject, AgeBand::Under13).given_by(
            &[scope],
            ConsentActor::School,
            ConsentMethod::SchoolAgreement,
        );
        if school.may(scope).is_ok() {
            return Verdict::Failed(format!("the school alone opens {scope:?}"));
        }
    }
    let days = subject.retention.days(DataClass::Motion);
    Verdict::when(
        days <= RetentionPolicy::most(DataClass::Motion),
        "recorded movements are kept too long",
    )
}

fn unknown_age(subject: &Subject) -> Verdict {
    let unknown = Probe::new(subject, AgeBand::Unknown);
    let open = unknown.may(ConsentScope::LeaveHeadset).is_ok();
    Verdict::when(
        !open,
        "records of a learner of unknown age leave the headset without consent",
    )
}

fn notice(subject: &Subject) -> Verdict {
    for text in [SUPERSEDED, ""] {
        let probe = Probe::new(subject, AgeBand::Under13).given_to(
            &[ConsentScope::LeaveHeadset],
            ConsentActor::Guardian,
            ConsentMethod::SignedForm,
            text,
        );
        if probe.may(ConsentScope::LeaveHeadset).is_ok() {
            return Verdict::Failed(format!("a consent to text `{text}` counts"));
        }
    }
    Verdict::Passed
}

fn consent(subject: &Subject) -> Verdict {
    let child = Probe::new(subject, AgeBand::Under13);
    for scope in ConsentScope::ALL {
        if scope != ConsentScope::TeachOnDevice && child.may(scope).is_ok() {
            return Verdict::Failed(format!("{scope:?} is open for a child without consent"));
        }
    }
    for class in DataClass::ALL {
        let about_somebody = !matches!(class, DataClass::Aggregate | DataClass::Metrics);
        if about_somebody && child.may_leave(class) {
            return Verdict::Failed(format!("{class:?} of a child leaves without consent"));
        }
    }
    let own = Probe::new(subject, AgeBand::Under13)
        .given(&[ConsentScope::LeaveHeadset], ConsentActor::Learner);
    if own.may(ConsentScope::LeaveHeadset).is_ok() {
        return Verdict::Failed("a child's own consent counts".to_owned());
    }
    let guardian = Probe::new(subject, AgeBand::Under13)
        .given(&[ConsentScope::LeaveHeadset], ConsentActor::Guardian);
    Verdict::when(
        guardian.may(ConsentScope::LeaveHeadset).is_ok(),
        "the guardian's consent does not count",
    )
}

fn separate(subject: &Subject) -> Verdict {
    let bundle = [ConsentScope::LeaveHeadset, ConsentScope::ThirdParty];
    let bundled = Probe::new(subject, AgeBand::Under13).given(&bundle, ConsentActor::Guardian);
    if bundled.may(ConsentScope::ThirdParty).is_ok() {
        return Verdict::Failed("a bundled consent opens disclosure to third parties".to_owned());
    }
    Verdict::when(
        bundled.may(ConsentScope::LeaveHeadset).is_ok(),
        "who agrees to collection alone cannot have it",
    )
}

fn verifiable(subject: &Subject) -> Verdict {
    let by = |scope, method| {
        Probe::new(subject, AgeBand::Under13)
            .given_by(&[scope], ConsentActor::Guardian, method)
            .may(scope)
            .is_ok()
    };
    if by(ConsentScope::LeaveHeadset, ConsentMethod::OnScreen) {
        return Verdict::Failed("a click counts as the guardian's consent".to_owned());
    }
    let weak = [ConsentMethod::EmailPlus, ConsentMethod::TextPlus]
        .into_iter()
        .any(|method| by(ConsentScope::ResearchExport, method));
    Verdict::when(
        !weak,
        "mail or text message opens a disclosure of a child's records",
    )
}

fn refuses(subject: &Subject) -> Verdict {
    let probe = Probe::new(subject, AgeBand::Under13)
        .given(&[ConsentScope::LeaveHeadset], ConsentActor::Guardian)
        .withdrawn(ConsentScope::LeaveHeadset, ConsentActor::Guardian)
        .given_by(
            &[ConsentScope::LeaveHeadset],
            ConsentActor::School,
            ConsentMethod::SchoolAgreement,
        );
    Verdict::when(
        probe.may(ConsentScope::LeaveHeadset).is_err(),
        "records leave the headset against the guardian's refusal",
    )
}

fn reviews(subject: &Subject) -> Verdict {
    let granted = Probe::new(subject, AgeBand::Under13).read(
        Role::Guardian,
        Relation::Family,
        Purpose::Rights,
        &OWN,
    );
    match granted {
        Ok(_) => Verdict::Passed,
        Err(refusal) => Verdict::Failed(refusal.to_string()),
    }
}

fn conditioning(subject: &Subject) -> Verdict {
    let mut probe = Probe::new(subject, AgeBand::Under13);
    for scope in ConsentScope::ALL {
        probe = probe.withdrawn(scope, ConsentActor::Guardian);
    }
    Verdict::when(
        probe.may(ConsentScope::TeachOnDevice).is_ok(),
        "without consent there is no lesson",
    )
}

fn retention(subject: &Subject) -> Verdict {
    match subject.retention.validate() {
        Ok(()) => Verdict::Passed,
        // The term for motion is `coppa-biometric`'s.
        Err(error) if error.class == DataClass::Motion && error.days > 0 => Verdict::Passed,
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

fn written_policy(subject: &Subject) -> Verdict {
    let page = (subject.mechanisms.page)(subject.consent, subject.retention);
    for class in DataClass::ALL {
        let days = subject.retention.days(class);
        // One line holds both.
        let said = page.lines().any(|line| {
            line.contains(&format!("{class:?}")) && line.contains(&format!("{days} days"))
        });
        if !said {
            return Verdict::Failed(format!("the page does not say how long {class:?} is kept"));
        }
    }
    Verdict::Passed
}
