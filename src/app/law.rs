//! Which law holds here and how old somebody is: what the command line, a school's policy and the roster say.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::protocol::ids::LearnerId;
use crate::record::ages::{AgeBand, AgeRules};
use crate::record::consent::ConsentPolicy;
use crate::record::pii::Screen;
use crate::record::purpose::RetentionPolicy;
use crate::record::{Action, By, ClassLedger, Keys, Person, Roster, RosterId, Store, Tombstone};
use crate::session::unix_ms;

/// Which law holds.
#[derive(Debug, Clone, Default, Args)]
pub struct LawArgs {
    /// Country whose ages of consent hold (two letters: US, DE …); left out: the most protective ones.
    #[arg(long, env = "MALLOC_VR_COUNTRY", value_name = "CODE")]
    pub country: Option<String>,
    /// The school's own rules of consent (RON) in place of those delivered.
    #[arg(long, env = "MALLOC_VR_CONSENT_POLICY", value_name = "FILE")]
    pub consent_policy: Option<PathBuf>,
}

/// How old somebody is, where the roster does not say. Never kept in the records.
#[derive(Debug, Clone, Default, Args)]
pub struct AgeArgs {
    /// How old the learner is, roughly; what the roster knows comes first. Left out: unknown, treated as a child.
    #[arg(long, env = "MALLOC_VR_AGE_BAND", value_name = "BAND")]
    pub age_band: Option<BandName>,
    /// The learner's age in years.
    #[arg(long, value_name = "YEARS")]
    pub age: Option<u8>,
    /// The learner's year of birth.
    #[arg(long, value_name = "YEAR", conflicts_with = "age")]
    pub birth_year: Option<u16>,
}

/// How old, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BandName {
    /// Under 13.
    Child,
    /// 13 to 17; taken as the youngest of them.
    Teen,
    /// 18 or older.
    Adult,
}

impl LawArgs {
    /// The policy in force.
    ///
    /// # Errors
    /// Names the file and what is wrong in it.
    pub(super) fn policy(&self) -> Result<ConsentPolicy, Box<dyn Error>> {
        let mut policy = match &self.consent_policy {
            None => ConsentPolicy::default(),
            Some(file) => {
                let cannot = |error: &dyn std::fmt::Display| {
                    format!(
                        "the rules of consent {} cannot be used ({error}); leave --consent-policy out for those delivered",
                        file.display()
                    )
                };
                let text = std::fs::read_to_string(file).map_err(|error| cannot(&error))?;
                ron::from_str(&text).map_err(|error| cannot(&error))?
            }
        };
        if let Some(country) = &self.country {
            if country.trim().len() != 2
                || !country.trim().bytes().all(|it| it.is_ascii_alphabetic())
            {
                return Err(format!(
                    "`{country}` is no country code; it has two letters, for example US or DE"
                )
                .into());
            }
            policy.ages = AgeRules::of_country(country);
        }
        Ok(policy)
    }
}

impl AgeArgs {
    /// The band that the command line names.
    fn band(&self, ages: &AgeRules) -> AgeBand {
        // An exact age outweighs a band that the environment may hold.
        if let Some(age) = self.age {
            return ages.band(age);
        }
        match (self.birth_year, self.age_band) {
            (Some(_), _) | (None, None) => ages.band_of(self.birth_year, unix_ms()),
            (None, Some(BandName::Child)) => AgeBand::Under13,
            // The youngest there are: whoever knows better says the age.
            (None, Some(BandName::Teen)) => ages.band(13),
            (None, Some(BandName::Adult)) => AgeBand::Adult,
        }
    }
}

/// The roster beside the store.
pub(super) fn roster_file(data_dir: &Path) -> PathBuf {
    data_dir.join("roster.sealed")
}

/// Opens the roster; an empty one where there is none.
pub(super) fn roster(data_dir: &Path, keys: &Keys) -> Result<Roster, Box<dyn Error>> {
    Ok(Roster::open(&roster_file(data_dir), keys)?)
}

/// What class figures have cost, beside the store.
pub(super) fn ledger_file(data_dir: &Path) -> PathBuf {
    data_dir.join("class-figures.sealed")
}

/// What lies beside the records goes with them: the names of whoever was erased, and what figures have cost them.
/// Returns how many names.
pub(super) fn forget(
    store: &Store,
    data_dir: &Path,
    erased: &[Tombstone],
) -> Result<usize, Box<dyn Error>> {
    let gone = |learner| {
        let subject = store.subject(learner);
        erased.iter().any(|tombstone| tombstone.subject == subject)
    };
    let mut roster = roster(data_dir, store.keys())?;
    let names: Vec<RosterId> = roster
        .people()
        .map(|(id, _)| id)
        .filter(|id| gone(roster.pseudonym(id)))
        .cloned()
        .collect();
    for id in &names {
        roster.remove(id);
    }
    if !names.is_empty() {
        roster.save(store.keys())?;
    }
    ClassLedger::open(&ledger_file(data_dir), store.keys())?.forget(gone, store.keys())?;
    Ok(names.len())
}

/// Names go when their own time is over, though the record may stay: of whoever was away for so long, and of whoever was
/// entered that long ago and never came. By the clock that the sweep just before believed. Returns how many.
pub(super) fn forget_names(
    store: &Store,
    data_dir: &Path,
    terms: &RetentionPolicy,
    by: &By,
    believed_unix_ms: u64,
) -> Result<usize, Box<dyn Error>> {
    let mut roster = roster(data_dir, store.keys())?;
    if believed_unix_ms == 0 || roster.people().next().is_none() {
        return Ok(0);
    }
    let away = store.away(u64::from(terms.identity_days))?;
    let known = store.learners()?;
    let term = u64::from(terms.identity_days) * 86_400_000;
    let (mut gone, mut waiting) = (Vec::new(), Vec::new());
    for (id, person) in roster.people() {
        let learner = roster.pseudonym(id);
        if !known.iter().any(|it| it.learner == learner) {
            match person.waits_since_unix_ms {
                // No later than now, or a clock that was ahead once would keep them for ever.
                Some(since) if since <= believed_unix_ms => {
                    if since + term <= believed_unix_ms {
                        gone.push(id.clone());
                    }
                }
                _ => waiting.push((id.clone(), person.clone())),
            }
        } else if away.contains(&learner) {
            gone.push(id.clone());
        }
    }
    if gone.is_empty() && waiting.is_empty() {
        return Ok(0);
    }
    for (id, person) in waiting {
        let waits_since_unix_ms = Some(believed_unix_ms);
        let person = Person {
            waits_since_unix_ms,
            ..person
        };
        roster.insert(id, person);
    }
    for id in &gone {
        roster.remove(id);
    }
    roster.save(store.keys())?;
    for _ in &gone {
        store.audit(by, None, Action::Identified { known: false })?;
    }
    Ok(gone.len())
}

/// How old a learner is: what the roster knows, else what the command line says, else unknown.
pub(super) fn band(
    learner: LearnerId,
    roster: &Roster,
    age: &AgeArgs,
    policy: &ConsentPolicy,
) -> AgeBand {
    let birth_year = roster
        .whose(learner)
        .and_then(|(_, person)| person.birth_year);
    match policy.ages.band_of(birth_year, unix_ms()) {
        AgeBand::Unknown => age.band(&policy.ages),
        known => known,
    }
}

/// Masks what identifies anybody, and the roster's names.
pub(super) fn screen(roster: &Roster) -> Screen {
    Screen::with_names(roster.people().map(|(_, person)| person.name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Person, RosterId};

    #[test]
    fn the_roster_knows_better_than_the_command_line_and_nobody_is_grown_up_by_default() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::beside(&folder.path().join("records.redb")).unwrap();
        // The key is made with the first store.
        crate::record::Store::open(&folder.path().join("records.redb"), &keys).unwrap();
        let keys = Keys::beside(&folder.path().join("records.redb")).unwrap();
        let mut roster = roster(folder.path(), &keys).unwrap();
        let pupil = RosterId::new("7b-12");
        let learner = roster.pseudonym(&pupil);
        let policy = ConsentPolicy::default();
        let says = |age_band| AgeArgs {
            age_band,
            ..AgeArgs::default()
        };
        let adult = says(Some(BandName::Adult));
        assert_eq!(
            band(learner, &roster, &says(None), &policy),
            AgeBand::Unknown
        );
        assert_eq!(band(learner, &roster, &adult, &policy), AgeBand::Adult);
        let teen = says(Some(BandName::Teen));
        assert_eq!(
            band(learner, &roster, &teen, &policy),
            AgeBand::UnderConsentAge
        );
        let this_year = crate::record::ages::AgeRules::of_country("DE");
        assert_eq!(this_year.consents_alone_from, 16);
        roster.insert(
            pupil,
            Person {
                name: "Mirabel Quince".to_owned(),
                birth_year: Some(2020),
                guardian: None,
                waits_since_unix_ms: None,
            },
        );
        assert_eq!(band(learner, &roster, &adult, &policy), AgeBand::Under13);
        let masked = screen(&roster).mask("Mirabel Quince did well").into_owned();
        assert!(!masked.contains("Mirabel"), "{masked}");
    }

    #[test]
    fn a_policy_that_cannot_be_read_and_a_country_that_is_none_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "(unknown_is_child: maybe)").unwrap();
        let law = LawArgs {
            consent_policy: Some(file.path().to_owned()),
            ..LawArgs::default()
        };
        assert!(
            law.policy()
                .unwrap_err()
                .to_string()
                .contains("rules of consent")
        );
        std::fs::write(file.path(), "(unknown_is_child: false)").unwrap();
        assert!(!law.policy().unwrap().unknown_is_child);
        for country in ["USA", "1", ""] {
            let law = LawArgs {
                country: Some(country.to_owned()),
                ..LawArgs::default()
            };
            assert!(law.policy().is_err(), "{country}");
        }
    }
}
