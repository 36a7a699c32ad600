//! Ages at which somebody speaks for themself, by country, and the band in which the roster keeps a learner's age.
//! A date of birth is never needed (data minimisation, GDPR Art. 5(1)(c)).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::year;

pub use crate::protocol::privacy::AgeBand;

/// Below this age a learner is a child under COPPA (15 U.S.C. §6501(1), 16 CFR §312.2 "Child").
pub const COPPA_AGE: u8 = 13;

/// From this age on the rights of FERPA are the learner's own (34 CFR §99.3 "Eligible student"); majority in the
/// countries listed here.
pub const MAJORITY: u8 = 18;

/// Nobody is older: the oldest person known reached 122.
const OLDEST: u8 = 122;

/// GDPR Art. 8(1) where a country has set no other age.
pub const GDPR_AGE: u8 = 16;

/// Which ages hold where the program is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgeRules {
    /// ISO 3166-1 code of the country, two letters.
    pub country: String,
    /// From this age on a learner may consent alone, 13..=18.
    pub consents_alone_from: u8,
    /// Whether FERPA holds: a school in the United States that takes federal funds (34 CFR §99.1).
    pub ferpa: bool,
    /// Whether the GDPR, or the United Kingdom's, holds.
    pub gdpr: bool,
}

/// A country's own age under GDPR Art. 8(1): code, age, law. As of 2025; a school that knows better sets
/// [`AgeRules::consents_alone_from`]. Sources: the laws named; European Commission SWD(2020) 115 p. 17 for the list.
const NATIONAL: &[(&str, u8, &str)] = &[
    ("AT", 14, "DSG §4(4)"),
    ("BE", 13, "Law of 30 July 2018, Art. 7"),
    ("BG", 14, "Personal Data Protection Act, Art. 25c"),
    ("CY", 14, "Law 125(I)/2018, s. 8"),
    ("CZ", 15, "Act 110/2019, §7"),
    ("DE", 16, "no other age set"),
    (
        "DK",
        15,
        "Databeskyttelsesloven §6(2), in force since 1 January 2024",
    ),
    ("EE", 13, "Personal Data Protection Act, §8"),
    ("ES", 14, "LOPDGDD, Art. 7"),
    ("FI", 13, "Data Protection Act 1050/2018, §5"),
    (
        "FR",
        15,
        "Loi 78-17, Art. 45; below it learner and guardian together",
    ),
    ("GB", 13, "Data Protection Act 2018, s. 9"),
    ("GR", 15, "Law 4624/2019, Art. 21"),
    ("HR", 16, "GDPR implementation act, Art. 19"),
    ("HU", 16, "no other age set"),
    ("IE", 16, "Data Protection Act 2018, s. 31"),
    ("IS", 13, "Act 90/2018, Art. 10"),
    ("IT", 14, "Codice privacy, Art. 2-quinquies"),
    ("LI", 16, "no other age set"),
    ("LT", 14, "Law on Legal Protection of Personal Data, Art. 6"),
    ("LU", 16, "no other age set"),
    ("LV", 13, "Personal Data Processing Law, s. 33"),
    ("MT", 13, "S.L. 586.11"),
    ("NL", 16, "UAVG, Art. 5"),
    ("NO", 13, "Personopplysningsloven §5"),
    ("PL", 16, "no other age set"),
    ("PT", 13, "Law 58/2019, Art. 16"),
    ("RO", 16, "no other age set"),
    ("SE", 13, "Act 2018:218, ch. 2 §4"),
    ("SI", 15, "ZVOP-2, Art. 8"),
    ("SK", 16, "Act 18/2018, §15"),
];

impl AgeRules {
    /// The rules of a country by its two-letter code. One that is not known here is treated most protectively:
    /// the GDPR's own age, and both laws' rules.
    #[must_use]
    pub fn of_country(code: &str) -> Self {
        let country = code.trim().to_ascii_uppercase();
        if country == "US" {
            return Self {
                country,
                consents_alone_from: COPPA_AGE,
                ferpa: true,
                gdpr: false,
            };
        }
        let known = NATIONAL.iter().find(|(code, ..)| *code == country);
        Self {
            consents_alone_from: known.map_or(GDPR_AGE, |(_, age, _)| *age),
            ferpa: known.is_none(),
            gdpr: true,
            country,
        }
    }

    /// The band of an age in years. The age itself need not be kept.
    #[must_use]
    pub fn band(&self, years: u8) -> AgeBand {
        if years < COPPA_AGE {
            AgeBand::Under13
        } else if years < self.consents_alone_from.min(MAJORITY) {
            AgeBand::UnderConsentAge
        } else if years < MAJORITY {
            AgeBand::Minor
        } else {
            AgeBand::Adult
        }
    }

    /// The band of whoever was born in this year, as young as they may be: nobody asks for the day. `Unknown` for no
    /// year, and for one that cannot be.
    #[must_use]
    pub fn band_of(&self, birth_year: Option<u16>, now_unix_ms: u64) -> AgeBand {
        let age = birth_year.and_then(|born| {
            let turned = year(now_unix_ms).checked_sub(u64::from(born))?;
            u8::try_from(turned.saturating_sub(1)).ok()
        });
        match age {
            Some(years) if years <= OLDEST => self.band(years),
            _ => AgeBand::Unknown,
        }
    }

    /// Where the country's own age comes from; `None` for the United States and unlisted countries.
    #[must_use]
    pub fn source(&self) -> Option<&'static str> {
        NATIONAL
            .iter()
            .find(|(code, ..)| *code == self.country)
            .map(|(.., law)| *law)
    }
}

/// The listed countries: code, age from which a learner consents alone, law.
#[must_use]
pub(super) fn countries() -> &'static [(&'static str, u8, &'static str)] {
    NATIONAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_age_is_another_band_in_another_country() {
        assert_eq!(AgeRules::of_country("us").band(13), AgeBand::Minor);
        assert_eq!(
            AgeRules::of_country("DE").band(15),
            AgeBand::UnderConsentAge
        );
        assert_eq!(AgeRules::of_country("DE").band(16), AgeBand::Minor);
        assert_eq!(AgeRules::of_country("AT").band(14), AgeBand::Minor);
        for country in ["US", "DE", "AT", "??"] {
            assert_eq!(AgeRules::of_country(country).band(12), AgeBand::Under13);
            assert_eq!(AgeRules::of_country(country).band(18), AgeBand::Adult);
        }
    }

    #[test]
    fn a_year_of_birth_gives_the_youngest_that_somebody_may_be() {
        let us = AgeRules::of_country("US");
        let in_2026 = 1_795_000_000_000;
        for (born, band) in [
            (Some(2013), AgeBand::Under13),
            (Some(2012), AgeBand::Minor),
            (Some(2008), AgeBand::Minor),
            (Some(2007), AgeBand::Adult),
            (Some(2026), AgeBand::Under13),
            (Some(2027), AgeBand::Unknown),
            (Some(1890), AgeBand::Unknown),
            (Some(0), AgeBand::Unknown),
            (None, AgeBand::Unknown),
        ] {
            assert_eq!(us.band_of(born, in_2026), band, "{born:?}");
        }
    }

    #[test]
    fn an_unlisted_country_gets_the_most_protective_rules() {
        let rules = AgeRules::of_country("ZZ");
        assert_eq!(rules.consents_alone_from, GDPR_AGE);
        assert!(rules.ferpa && rules.gdpr);
    }

    #[test]
    fn every_national_age_is_one_that_article_8_allows() {
        for (code, age, law) in NATIONAL {
            assert!((13..=16).contains(age), "{code}");
            assert!(code.len() == 2 && !law.is_empty());
        }
    }
}
