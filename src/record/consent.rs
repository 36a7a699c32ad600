//! Who may agree to what for a learner, and what they have agreed to: the fold of the log's consents, and the policy
//! that reads it. In: events, the roster's age band. Out: allowed, or a refusal that says what is missing.
//! Never: asks anybody, keeps a clock.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ages::{AgeBand, AgeRules};
use crate::protocol::consent::{Consent, ConsentActor, ConsentScope};
use crate::protocol::event::{Event, EventBody};

/// Where an actor stands towards a scope: their last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Given {
        consent: Consent,
        seq: u64,
        at_unix_ms: u64,
    },
    Withdrawn {
        seq: u64,
    },
}

/// What has been agreed to: the fold of a learner's consents, in the order of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Said>", into = "Vec<Said>")]
pub struct Consents {
    words: BTreeMap<(ConsentScope, ConsentActor), Word>,
}

/// One entry of [`Consents`] as it is stored: JSON's keys are texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Said {
    scope: ConsentScope,
    by: ConsentActor,
    word: Word,
}

impl From<Vec<Said>> for Consents {
    fn from(said: Vec<Said>) -> Self {
        let words = said.into_iter().map(|it| ((it.scope, it.by), it.word));
        Self {
            words: words.collect(),
        }
    }
}

impl From<Consents> for Vec<Said> {
    fn from(consents: Consents) -> Self {
        let words = consents.words.into_iter();
        words
            .map(|((scope, by), word)| Said { scope, by, word })
            .collect()
    }
}

impl Consents {
    /// The fold of a log.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let mut consents = Self::default();
        for event in events {
            consents.take_in(event);
        }
        consents
    }

    /// One event more. Events that are no consents change nothing.
    pub fn take_in(&mut self, event: &Event) {
        match &event.body {
            EventBody::ConsentGiven(consent) => {
                for scope in &consent.scopes {
                    self.words.insert(
                        (*scope, consent.actor),
                        Word::Given {
                            consent: consent.clone(),
                            seq: event.seq,
                            at_unix_ms: event.at_unix_ms,
                        },
                    );
                }
            }
            EventBody::ConsentWithdrawn(withdrawal) => {
                for scope in &withdrawal.scopes {
                    self.words.insert(
                        (*scope, withdrawal.actor),
                        Word::Withdrawn { seq: event.seq },
                    );
                }
            }
            _ => {}
        }
    }

    /// Until when a consent holds, milliseconds since the Unix epoch; `None`: none, or no end.
    pub(super) fn until(&self, scope: ConsentScope, actor: ConsentActor) -> Option<u64> {
        match self.word(scope, actor)? {
            Word::Given { consent, .. } => consent.until_unix_ms,
            Word::Withdrawn { .. } => None,
        }
    }

    fn word(&self, scope: ConsentScope, actor: ConsentActor) -> Option<&Word> {
        self.words.get(&(scope, actor))
    }

    /// The consent of this actor to this scope, if it is their last word, and when it was given, milliseconds since
    /// the Unix epoch. Whether it counts is [`ConsentPolicy::decide`]'s to say.
    #[must_use]
    pub fn given(&self, scope: ConsentScope, by: ConsentActor) -> Option<(&Consent, u64)> {
        match self.word(scope, by)? {
            Word::Given {
                consent,
                at_unix_ms,
                ..
            } => Some((consent, *at_unix_ms)),
            Word::Withdrawn { .. } => None,
        }
    }

    /// Whether this actor's last word on this scope was no.
    #[must_use]
    pub fn refused(&self, scope: ConsentScope, by: ConsentActor) -> bool {
        matches!(self.word(scope, by), Some(Word::Withdrawn { .. }))
    }
}

/// Of whom consent is asked for a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Of nobody: it rests on another ground (GDPR Art. 6(1)(b), (e) or (f)), or nothing leaves the device.
    Nobody,
    /// Of those who may not consent alone, through their guardian or school; and where the age is not known.
    ForChildren,
    /// Of everybody.
    Everybody,
}

/// What has to be agreed to, and by whom. A school may change it; `compliance::check` says which law a weaker one breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentPolicy {
    /// Which ages hold.
    pub ages: AgeRules,
    /// Whether a learner of unknown age is treated as one under 13. Only an installation for grown-ups sets it false.
    pub unknown_is_child: bool,
    /// Of whom consent is asked, by scope; a scope that is not named is asked of everybody.
    pub asked: BTreeMap<ConsentScope, Asked>,
    /// What the school may agree to in the guardians' place, for its own teaching and nothing commercial
    /// (FTC, "Complying with COPPA: Frequently Asked Questions", section N; 16 CFR §312.5 in force since 2025 does not
    /// speak of schools).
    pub school_may: BTreeSet<ConsentScope>,
    /// Scopes that must be asked apart: a consent that names other scopes too does not count for them
    /// (16 CFR §312.5(a)(2): disclosure to third parties; 90 FR 16918 counts training of models among it).
    pub apart: BTreeSet<ConsentScope>,
    /// Scopes under which others get records: mail and text message are no sufficient proof for a child's.
    pub disclosing: BTreeSet<ConsentScope>,
    /// Scopes of biometric data: only explicit consent counts, never the school's (GDPR Art. 9(2)(a)).
    pub biometric: BTreeSet<ConsentScope>,
    /// Whether load may be estimated from how hands and head move, with consent to it. False: nobody is asked, and
    /// nothing of it is measured. Only where the region's law and the school allow it.
    pub kinematic_load: bool,
    /// Versions of the text that a consent may name; one to an older text is asked again.
    pub texts: BTreeSet<String>,
}

impl Default for ConsentPolicy {
    fn default() -> Self {
        use ConsentScope as Scope;
        Self {
            ages: AgeRules::of_country("ZZ"),
            unknown_is_child: true,
            asked: BTreeMap::from([
                (Scope::TeachOnDevice, Asked::Nobody),
                (Scope::LeaveHeadset, Asked::ForChildren),
                (Scope::InstructorView, Asked::ForChildren),
            ]),
            school_may: BTreeSet::from([Scope::LeaveHeadset, Scope::InstructorView]),
            apart: BTreeSet::from([Scope::ThirdParty, Scope::ModelTraining]),
            disclosing: BTreeSet::from([
                Scope::ResearchExport,
                Scope::ThirdParty,
                Scope::ModelTraining,
            ]),
            biometric: BTreeSet::from([
                Scope::KinematicLoad,
                Scope::MotionRecording,
                Scope::MotionRetention,
            ]),
            kinematic_load: false,
            texts: BTreeSet::from(["1".to_owned()]),
        }
    }
}

/// Why something may not be done without asking first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentRefusal {
    /// Nobody who may has agreed.
    #[error("no consent to {scope:?} is recorded; ask {}", names(.who))]
    Missing {
        /// For what.
        scope: ConsentScope,
        /// Who could give it.
        who: Vec<ConsentActor>,
    },
    /// Somebody said no.
    #[error("{by:?} refused {scope:?}; only the same can agree to it again")]
    Withdrawn {
        /// For what.
        scope: ConsentScope,
        /// Who.
        by: ConsentActor,
    },
    /// It names nothing that is agreed to.
    #[error("name at least one thing that is agreed to")]
    Nothing,
    /// Not theirs to agree to.
    #[error("{scope:?} is not {by:?}'s to agree to; ask {}", names(.who))]
    NotTheirs {
        /// What.
        scope: ConsentScope,
        /// Who agreed.
        by: ConsentActor,
        /// Who could.
        who: Vec<ConsentActor>,
    },
    /// There is a consent, and it does not count.
    #[error("the consent of {by:?} to {scope:?} does not count: {why}; ask again")]
    DoesNotCount {
        /// For what.
        scope: ConsentScope,
        /// Whose.
        by: ConsentActor,
        /// What is wrong with it.
        why: Defect,
    },
}

fn names(who: &[ConsentActor]) -> String {
    if who.is_empty() {
        return "nobody: it cannot be agreed to".to_owned();
    }
    let names: Vec<String> = who.iter().map(|actor| format!("{actor:?}")).collect();
    names.join(" or ")
}

/// What keeps a recorded consent from counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// Its end has come.
    #[error("its time is over")]
    Expired,
    /// It names another text than those in force.
    #[error("it was given to an older text")]
    OldText,
    /// The way it was given does not show who gave it.
    #[error("it does not show who gave it")]
    NotVerified,
    /// It was bundled with other scopes.
    #[error("this has to be asked apart from everything else")]
    Bundled,
    /// Nothing says what text, or how.
    #[error("it names no text")]
    NoText,
}

/// On what ground something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Consent is not asked for this.
    NotAsked,
    /// The consent in this event of the log.
    Consent {
        /// Who gave it.
        by: ConsentActor,
        /// Its place in the log.
        seq: u64,
    },
}

impl ConsentPolicy {
    /// Whether a learner of this band may be asked alone, as this policy sees it.
    fn is_child(&self, band: AgeBand) -> bool {
        match band {
            AgeBand::Under13 | AgeBand::UnderConsentAge => true,
            AgeBand::Minor | AgeBand::Adult => false,
            AgeBand::Unknown => self.unknown_is_child,
        }
    }

    /// Who may agree to this for a learner of this band. For a minor old enough to consent alone, disclosure of
    /// education records is still the guardian's to allow where FERPA holds (34 CFR §99.30(a), §99.3).
    #[must_use]
    pub fn may_agree(&self, scope: ConsentScope, band: AgeBand) -> Vec<ConsentActor> {
        if self.is_child(band) {
            let school = self.school_may.contains(&scope) && !self.biometric.contains(&scope);
            let mut who = vec![ConsentActor::Guardian];
            who.extend(school.then_some(ConsentActor::School));
            who
        } else if band == AgeBand::Minor && self.ages.ferpa && self.disclosing.contains(&scope) {
            vec![ConsentActor::Guardian]
        } else {
            vec![ConsentActor::Learner]
        }
    }

    /// Whether this may be done now for a learner of this band, `now` in milliseconds since the Unix epoch.
    /// A refusal by the learner, by the guardian of somebody under age, or by the school holds until taken back by
    /// the same, whoever else agrees.
    ///
    /// # Errors
    /// [`ConsentRefusal`], which says what is missing. Teaching on the device goes on whatever is refused here.
    pub fn decide(
        &self,
        scope: ConsentScope,
        band: AgeBand,
        consents: &Consents,
        now_unix_ms: u64,
    ) -> Result<Basis, ConsentRefusal> {
        let asked = self.asked.get(&scope).copied().unwrap_or(Asked::Everybody);
        if let Some(by) = objector(scope, band, consents).next() {
            return Err(ConsentRefusal::Withdrawn { scope, by });
        }
        match asked {
            Asked::Nobody => return Ok(Basis::NotAsked),
            Asked::ForChildren if !self.is_child(band) => return Ok(Basis::NotAsked),
            Asked::ForChildren | Asked::Everybody => {}
        }
        let who = self.may_agree(scope, band);
        let mut defect = None;
        for by in &who {
            if let Some(Word::Given { consent, seq, .. }) = consents.word(scope, *by) {
                match self.defect(scope, band, consent, now_unix_ms) {
                    None => return Ok(Basis::Consent { by: *by, seq: *seq }),
                    Some(why) => {
                        defect = Some(ConsentRefusal::DoesNotCount {
                            scope,
                            by: *by,
                            why,
                        });
                    }
                }
            }
        }
        Err(defect.unwrap_or(ConsentRefusal::Missing { scope, who }))
    }

    /// Whether a consent would count if it were recorded now, for everything that it names: what would not is not to
    /// be recorded as if it did. `now` in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`ConsentRefusal`]: the first scope that it does not open, and why.
    pub fn accepts(
        &self,
        consent: &Consent,
        band: AgeBand,
        consents: &Consents,
        now_unix_ms: u64,
    ) -> Result<(), ConsentRefusal> {
        if consent.scopes.is_empty() {
            return Err(ConsentRefusal::Nothing);
        }
        let by = consent.actor;
        for &scope in &consent.scopes {
            let who = self.may_agree(scope, band);
            if !who.contains(&by) {
                if consents.refused(scope, by) {
                    // Who may not agree alone can still take back their own no; it opens nothing by itself.
                    continue;
                }
                return Err(ConsentRefusal::NotTheirs { scope, by, who });
            }
            if let Some(why) = self.defect(scope, band, consent, now_unix_ms) {
                return Err(ConsentRefusal::DoesNotCount { scope, by, why });
            }
            if let Some(by) = objector(scope, band, consents).find(|other| *other != by) {
                return Err(ConsentRefusal::Withdrawn { scope, by });
            }
        }
        Ok(())
    }

    fn defect(
        &self,
        scope: ConsentScope,
        band: AgeBand,
        consent: &Consent,
        now_unix_ms: u64,
    ) -> Option<Defect> {
        let method = consent.evidence.method;
        let verified = if !self.is_child(band) {
            true
        } else if self.disclosing.contains(&scope) {
            method.covers_disclosure()
        } else {
            method.verifies()
        };
        if consent.text_version.trim().is_empty() {
            Some(Defect::NoText)
        } else if consent.until_unix_ms.is_some_and(|end| end <= now_unix_ms) {
            Some(Defect::Expired)
        } else if !self.texts.contains(&consent.text_version) {
            Some(Defect::OldText)
        } else if self.apart.contains(&scope) && consent.scopes.len() > 1 {
            Some(Defect::Bundled)
        } else if !verified {
            Some(Defect::NotVerified)
        } else {
            None
        }
    }
}

/// Who said no. What needs no consent can still be objected to, but for the lesson itself: whoever does not want it
/// takes the headset off. The guardian of somebody of age is not heard.
fn objector(
    scope: ConsentScope,
    band: AgeBand,
    consents: &Consents,
) -> impl Iterator<Item = ConsentActor> {
    [
        ConsentActor::Learner,
        ConsentActor::Guardian,
        ConsentActor::School,
    ]
    .into_iter()
    .filter(move |by| {
        let heard = *by != ConsentActor::Guardian || band != AgeBand::Adult;
        scope != ConsentScope::TeachOnDevice && heard && consents.refused(scope, *by)
    })
}

#[cfg(test)]
#[path = "consent_tests.rs"]
mod tests;
