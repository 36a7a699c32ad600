//! The laws' demands as rules that are tried out, not asserted: each asks the mechanism itself, with learners made up
//! for it, or reads what was observed on a store that was really exercised.
//! In: the configuration and the mechanisms under test. Out: a verdict for each rule. Never: a constant score.
//!
//! It shows that a mechanism does what a paragraph asks of software. It is no legal advice, and no rule speaks of what
//! a school has to do itself: notices, contracts, impact assessments, training.

mod coppa;
mod facts;
mod ferpa;
mod gdpr;
mod gdpr_rights;
mod probe;

use serde::Serialize;

pub use facts::StoreFacts;

use super::access::{self, AccessRefusal, Grant, Question, Standing};
use super::ages::AgeRules;
use super::aggregate::AggregatePolicy;
use super::consent::{ConsentPolicy, Consents};
use super::export::{Export, ExportError};
use super::pii::Screen;
use super::privacy_page::privacy_page;
use super::purpose::RetentionPolicy;
use super::purpose_fields::FIELDS;
use super::rights::Rights;
use super::xapi::Home;
use crate::protocol::event::Event;
use crate::protocol::privacy::DataClass;

/// Which body of law a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Law {
    /// Family Educational Rights and Privacy Act, 20 U.S.C. §1232g; 34 CFR part 99.
    Ferpa,
    /// Children's Online Privacy Protection Rule, 16 CFR part 312, as amended 22 April 2025 (90 FR 16918).
    Coppa,
    /// General Data Protection Regulation (EU) 2016/679.
    Gdpr,
}

/// A demand of the law on this program.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable name.
    pub id: &'static str,
    /// From which law.
    pub law: Law,
    /// Paragraph.
    pub source: &'static str,
    /// What it asks, in a sentence.
    pub demands: &'static str,
    /// What holds it here.
    pub mechanism: &'static str,
    check: fn(&Subject) -> Verdict,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not, and why.
    Failed(String),
    /// It asks nothing of this installation, and why.
    NotApplicable(String),
}

impl Verdict {
    /// Passed if it holds, else failed for this reason.
    fn when(holds: bool, else_failed: &str) -> Self {
        if holds {
            Self::Passed
        } else {
            Self::Failed(else_failed.to_owned())
        }
    }
}

/// Which laws bind an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// FERPA: a school in the United States with federal funds.
    pub ferpa: bool,
    /// COPPA: learners under 13 in the United States.
    pub coppa: bool,
    /// The GDPR.
    pub gdpr: bool,
}

impl Binding {
    /// By country, with learners under 13 among them or not.
    #[must_use]
    pub fn of(ages: &AgeRules, children: bool) -> Self {
        Self {
            ferpa: ages.ferpa,
            coppa: children && (ages.ferpa || ages.country == "US"),
            gdpr: ages.gdpr,
        }
    }
}

/// The functions that hold the rules. [`Mechanisms::default`] are the real ones; a test puts a weaker one in and sees
/// the rule fail.
#[derive(Debug, Clone, Copy)]
pub struct Mechanisms {
    /// Folds consents.
    pub consents: fn(&[Event]) -> Consents,
    /// Folds notes, restrictions and disclosures.
    pub rights: fn(&[Event]) -> Rights,
    /// Decides who may read.
    pub decide: fn(&[access::Rule], &Question, &Standing) -> Result<Grant, AccessRefusal>,
    /// Makes an export.
    pub export: fn(&Grant, &[Event], &Home) -> Result<Export, ExportError>,
    /// Makes a screen that knows these names.
    pub screen: fn(&[&str]) -> Screen,
    /// Writes the page that says what is kept.
    pub page: fn(&ConsentPolicy, &RetentionPolicy) -> String,
}

impl Default for Mechanisms {
    fn default() -> Self {
        Self {
            consents: Consents::of,
            rights: Rights::of,
            decide: access::decide_by,
            export: Export::of,
            screen: |names| Screen::with_names(names.iter().copied()),
            page: privacy_page,
        }
    }
}

/// What is tried: an installation's configuration, the mechanisms, and what was observed on its store.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Which laws bind it.
    pub binding: Binding,
    /// Its policy of consent.
    pub consent: &'a ConsentPolicy,
    /// Its table of access.
    pub access: &'a [access::Rule],
    /// Its terms of retention.
    pub retention: &'a RetentionPolicy,
    /// Its protection of class figures.
    pub aggregate: &'a AggregatePolicy,
    /// The kinds of its fields.
    pub fields: &'a [(DataClass, &'static [&'static str])],
    /// The functions.
    pub mechanisms: Mechanisms,
    /// What was observed on a store; `None`: nobody exercised one, and the rules that need it fail.
    pub store: Option<&'a StoreFacts>,
}

impl<'a> Subject<'a> {
    /// The program's own mechanisms and table under an installation's policies.
    #[must_use]
    pub fn of(
        children: bool,
        consent: &'a ConsentPolicy,
        retention: &'a RetentionPolicy,
        aggregate: &'a AggregatePolicy,
        store: Option<&'a StoreFacts>,
    ) -> Self {
        Self {
            binding: Binding::of(&consent.ages, children),
            consent,
            access: access::RULES,
            retention,
            aggregate,
            fields: FIELDS,
            mechanisms: Mechanisms::default(),
            store,
        }
    }
}

/// A rule's outcome.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Which rule.
    pub id: &'static str,
    /// Its paragraph.
    pub source: &'static str,
    /// What became of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// All outcomes.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// In the order of [`rules`].
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Rules that hold.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.count(|verdict| *verdict == Verdict::Passed)
    }

    /// Rules that ask something of this installation.
    #[must_use]
    pub fn applicable(&self) -> usize {
        self.count(|verdict| !matches!(verdict, Verdict::NotApplicable(_)))
    }

    /// Passed ÷ applicable; `None` where no rule applies.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let applicable = self.applicable();
        (applicable > 0).then(|| self.passed() as f64 / applicable as f64)
    }

    /// The rules that do not hold, with the reason.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.outcomes
            .iter()
            .filter_map(|outcome| match &outcome.verdict {
                Verdict::Failed(reason) => Some((outcome.id, reason.as_str())),
                _ => None,
            })
    }

    fn count(&self, counts: impl Fn(&Verdict) -> bool) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| counts(&outcome.verdict))
            .count()
    }
}

/// All rules.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    ferpa::RULES.iter().chain(coppa::RULES).chain(gdpr::RULES)
}

/// Tries every rule.
#[must_use]
pub fn check(subject: &Subject) -> Report {
    let outcomes = rules()
        .map(|rule| {
            let (binds, law) = match rule.law {
                Law::Ferpa => (
                    subject.binding.ferpa,
                    "FERPA binds schools in the United States",
                ),
                Law::Coppa => (
                    subject.binding.coppa,
                    "COPPA binds where children under 13 in the United States are taught",
                ),
                Law::Gdpr => (
                    subject.binding.gdpr,
                    "the GDPR binds in the EEA, the United Kingdom's in the United Kingdom",
                ),
            };
            Outcome {
                id: rule.id,
                source: rule.source,
                verdict: if binds {
                    (rule.check)(subject)
                } else {
                    Verdict::NotApplicable(law.to_owned())
                },
            }
        })
        .collect();
    Report { outcomes }
}

#[cfg(test)]
mod tests;
