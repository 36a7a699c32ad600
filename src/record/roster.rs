//! The roster: which pseudonym is whom. A sealed file of its own, apart from the records, which know pseudonyms only;
//! who has the records without it learns no name.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::disk::Shared;
use super::key::{KeyError, Keys};
use super::key_source::{make_private, sync_folder};
use super::seal::{NoRandomness, Secret, WRAPPED};
use super::unlock::{backend, part};
use crate::protocol::ids::LearnerId;

/// Why a roster cannot be read or written. Names the file and the cure.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// Sealed with another key.
    #[error(
        "the roster {file} is sealed with another master key than {place}; put the right key there"
    )]
    WrongKey {
        /// The roster.
        file: PathBuf,
        /// Where the key at hand came from.
        place: String,
    },
    /// Not what was written.
    #[error("{file} is no roster, or was changed: {why}; restore it from a backup")]
    Damaged {
        /// The roster.
        file: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// It cannot be read or written.
    #[error("the roster {file}: {cause}")]
    File {
        /// The roster.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// No key.
    #[error("the roster needs its master key: {0}")]
    Key(#[from] KeyError),
}

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
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(..)")
    }
}

/// An open roster.
#[derive(Debug)]
pub struct Roster {
    file: PathBuf,
    secret: Secret,
    people: BTreeMap<RosterId, Person>,
}

const MAGIC: &[u8; 8] = b"mvroster";
const KEY_PLACE: &[u8] = b"malloc-vr 2 roster key";
const TEXT_PLACE: &[u8] = b"malloc-vr 2 roster";

impl Roster {
    /// Opens the roster; an empty one where there is no file yet.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn open(file: &Path, keys: &Keys) -> Result<Self, RosterError> {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    file: file.to_owned(),
                    secret: Secret::fresh().map_err(KeyError::from)?,
                    people: BTreeMap::new(),
                });
            }
            Err(cause) => {
                return Err(RosterError::File {
                    file: file.to_owned(),
                    cause,
                });
            }
        };
        let damaged = |why| RosterError::Damaged {
            file: file.to_owned(),
            why,
        };
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| damaged("it begins as none does"))?;
        let (&count, mut rest) = rest.split_first().ok_or_else(|| damaged("it is cut off"))?;
        let mut secret = None;
        let mut known = false;
        for _ in 0..count {
            let (slot, after) = rest
                .split_at_checked(16 + WRAPPED)
                .ok_or_else(|| damaged("it is cut off"))?;
            rest = after;
            let (check, wrapped) = slot.split_at(16);
            for key in keys.candidates().filter(|key| key.check() == check) {
                known = true;
                secret = secret.or_else(|| key.wrapping().open_secret(KEY_PLACE, wrapped));
            }
        }
        if !known {
            if let Some(missing) = keys.missing() {
                return Err(missing.into());
            }
            return Err(RosterError::WrongKey {
                file: file.to_owned(),
                place: keys.place(),
            });
        }
        let secret = secret.ok_or_else(|| damaged("its key does not open"))?;
        let people = sealing(&secret)
            .open(TEXT_PLACE, rest)
            .and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or_else(|| damaged("its text does not open"))?;
        Ok(Self {
            file: file.to_owned(),
            secret,
            people,
        })
    }

    /// Writes it: all of it or nothing. While keys are rotated either key opens it; written again after, only the new.
    ///
    /// # Errors
    /// [`RosterError`]; the file is then as it was.
    pub fn save(&self, keys: &Keys) -> Result<(), RosterError> {
        let about = |cause| RosterError::File {
            file: self.file.clone(),
            cause,
        };
        let bytes = self.sealed(keys)?;
        let part = part(&self.file);
        let _ = fs::remove_file(&part);
        make_private(&part, &bytes).map_err(about)?;
        // Held on to, to overwrite what it held of people who are not in it any more.
        let old: Option<Shared> = backend(&self.file, &self.file, false).ok();
        fs::rename(&part, &self.file)
            .and_then(|()| sync_folder(&self.file))
            .map_err(about)?;
        old.map_or(Ok(()), |old| old.wipe_all()).map_err(about)
    }

    fn sealed(&self, keys: &Keys) -> Result<Vec<u8>, RosterError> {
        let random = |error: NoRandomness| RosterError::Key(error.into());
        if let Some(missing) = keys.missing() {
            return Err(missing.into());
        }
        let mut bytes = MAGIC.to_vec();
        let masters: Vec<_> = keys.candidates().collect();
        bytes.push(masters.len().min(2) as u8);
        for master in masters.into_iter().take(2) {
            let wrapped = master.wrapping().seal(KEY_PLACE, self.secret.bytes());
            bytes.extend_from_slice(&master.check());
            bytes.extend_from_slice(&wrapped.map_err(random)?);
        }
        let text = serde_json::to_vec(&self.people).map_err(|_| RosterError::Damaged {
            file: self.file.clone(),
            why: "it cannot be written as text",
        })?;
        let text = Zeroizing::new(text);
        let text = sealing(&self.secret).seal(TEXT_PLACE, &text);
        bytes.extend_from_slice(&text.map_err(random)?);
        Ok(bytes)
    }

    /// The pseudonym of somebody, in the roster or not: a keyed hash as a UUID of version 8 (RFC 9562, 5.8). The same
    /// for as long as this roster is kept; without the roster it cannot be told from a random one.
    #[must_use]
    pub fn pseudonym(&self, id: &RosterId) -> LearnerId {
        let hash = self
            .secret
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

fn sealing(secret: &Secret) -> super::seal::Sealer {
    secret.derive("malloc-vr 2026-11-21 roster text").sealer()
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
