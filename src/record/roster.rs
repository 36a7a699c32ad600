//! The roster: which pseudonym is whom. A sealed file of its own, apart from the records, which know pseudonyms only;
//! who has the records without it learns no name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::key::Keys;
use super::sealed_file::{SealedFile, SealedFileError, Sort};
use crate::protocol::ids::LearnerId;

/// How the school knows a learner: the number in its own system, for example.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RosterId(String);

impl RosterId {
    /// As the school writes it; spaces around it do not count.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.trim().to_owned())
    }

    /// As the school writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RosterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RosterId(..)")
    }
}

/// Who somebody is. Prints as `Person(..)`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// As they want to be called.
    pub name: String,
    /// Year of birth, where the school gives it; unknown is treated as the youngest.
    #[serde(default)]
    pub birth_year: Option<u16>,
    /// How to reach a parent or guardian.
    #[serde(default)]
    pub guardian: Option<String>,
    /// A time before which they were in the roster without a record, milliseconds since the Unix epoch, as a sweep saw it:
    /// whoever never comes is forgotten, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since_unix_ms: Option<u64>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(..)")
    }
}

/// An open roster.
#[derive(Debug)]
pub struct Roster {
    sealed: SealedFile,
    people: BTreeMap<RosterId, Person>,
}

const SORT: Sort = Sort {
    what: "roster",
    magic: b"mvroster",
    key_place: b"malloc-vr 2 roster key",
    text_place: b"malloc-vr 2 roster",
    text_key: "malloc-vr 2026-11-21 roster text",
};

impl Roster {
    /// Opens the roster; an empty one where there is no file yet.
    ///
    /// # Errors
    /// [`SealedFileError`].
    pub fn open(file: &Path, keys: &Keys) -> Result<Self, SealedFileError> {
        let (sealed, people) = SealedFile::open(file, &SORT, keys)?;
        Ok(Self { sealed, people })
    }

    /// Writes it: all of it or nothing. While keys are rotated either key opens it; written again after, only the new.
    ///
    /// # Errors
    /// [`SealedFileError`]; the file is then as it was.
    pub fn save(&self, keys: &Keys) -> Result<(), SealedFileError> {
        self.sealed.save(&self.people, keys)
    }

    /// The pseudonym of somebody, in the roster or not: a keyed hash as a UUID of version 8 (RFC 9562, 5.8). The same
    /// for as long as this roster is kept; without the roster it cannot be told from a random one.
    #[must_use]
    pub fn pseudonym(&self, id: &RosterId) -> LearnerId {
        let hash = self
            .sealed
            .derive("malloc-vr 2026-11-21 pseudonyms")
            .hash(id.0.as_bytes());
        let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash;
        LearnerId(Uuid::new_v8(bytes))
    }

    /// Who hides behind a pseudonym.
    #[must_use]
    pub fn whose(&self, learner: LearnerId) -> Option<(&RosterId, &Person)> {
        self.people
            .iter()
            .find(|(id, _)| self.pseudonym(id) == learner)
    }

    /// Everybody in it.
    pub fn people(&self) -> impl Iterator<Item = (&RosterId, &Person)> {
        self.people.iter()
    }

    /// Puts somebody in, or changes what is known of them. Kept by [`Roster::save`].
    pub fn insert(&mut self, id: RosterId, person: Person) {
        self.people.insert(id, person);
    }

    /// Takes somebody out. Kept by [`Roster::save`].
    pub fn remove(&mut self, id: &RosterId) -> Option<Person> {
        self.people.remove(id)
    }
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
