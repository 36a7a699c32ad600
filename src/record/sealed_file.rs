//! A small file of its own, sealed under the master key: the roster, what class figures have cost. All of it is written
//! or nothing, and what it held before is overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::disk::Shared;
use super::key::{KeyError, Keys};
use super::key_source::{make_private, sync_folder};
use super::seal::{NoRandomness, Sealer, Secret, WRAPPED};
use super::unlock::{backend, part};

/// Why such a file cannot be read or written. Names the file and the cure.
#[derive(Debug, thiserror::Error)]
pub enum SealedFileError {
    /// Sealed with another key.
    #[error("{file} is sealed with another master key than {place}; put the right key there")]
    WrongKey {
        /// The file.
        file: PathBuf,
        /// Where the key at hand came from.
        place: String,
    },
    /// Not what was written.
    #[error("{file} is no {what}, or was changed: {why}; restore it from a backup")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// It cannot be read or written.
    #[error("{file}: {cause}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// No key.
    #[error("{what} needs its master key: {cause}")]
    Key {
        /// What.
        what: &'static str,
        /// What is missing.
        cause: KeyError,
    },
}

/// What sort of file it is: how it begins, and what its parts are sealed for.
#[derive(Debug)]
pub(super) struct Sort {
    /// In an error's words.
    pub what: &'static str,
    pub magic: &'static [u8; 8],
    pub key_place: &'static [u8],
    pub text_place: &'static [u8],
    /// Context of the key of its text.
    pub text_key: &'static str,
}

/// An open file: where it lies, and its own key.
#[derive(Debug)]
pub(super) struct SealedFile {
    file: PathBuf,
    sort: &'static Sort,
    secret: Secret,
}

impl SealedFile {
    /// Opens it, with what it holds; a fresh one holds nothing.
    ///
    /// # Errors
    /// [`SealedFileError`].
    pub(super) fn open<T: Default + DeserializeOwned>(
        file: &Path,
        sort: &'static Sort,
        keys: &Keys,
    ) -> Result<(Self, T), SealedFileError> {
        let with = |secret| Self {
            file: file.to_owned(),
            sort,
            secret,
        };
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = Secret::fresh().map_err(|error| no_key(sort, error))?;
                return Ok((with(secret), T::default()));
            }
            Err(cause) => {
                return Err(SealedFileError::File {
                    file: file.to_owned(),
                    cause,
                });
            }
        };
        let damaged = |why| SealedFileError::Damaged {
            file: file.to_owned(),
            what: sort.what,
            why,
        };
        let rest = bytes
            .strip_prefix(sort.magic)
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
                secret = secret.or_else(|| key.wrapping().open_secret(sort.key_place, wrapped));
            }
        }
        if !known {
            if let Some(missing) = keys.missing() {
                return Err(no_key(sort, missing));
            }
            return Err(SealedFileError::WrongKey {
                file: file.to_owned(),
                place: keys.place(),
            });
        }
        let sealed = with(secret.ok_or_else(|| damaged("its key does not open"))?);
        let value = sealed
            .sealer()
            .open(sort.text_place, rest)
            .and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or_else(|| damaged("its text does not open"))?;
        Ok((sealed, value))
    }

    /// Writes it: all of it or nothing. While keys are rotated either key opens it; written again after, only the new.
    ///
    /// # Errors
    /// [`SealedFileError`]; the file is then as it was.
    pub(super) fn save(&self, value: &impl Serialize, keys: &Keys) -> Result<(), SealedFileError> {
        let about = |cause| SealedFileError::File {
            file: self.file.clone(),
            cause,
        };
        let bytes = self.sealed(value, keys)?;
        let part = part(&self.file);
        let _ = fs::remove_file(&part);
        make_private(&part, &bytes).map_err(about)?;
        // Held on to, to overwrite what it held that is not in it any more.
        let old: Option<Shared> = backend(&self.file, &self.file, false).ok();
        fs::rename(&part, &self.file)
            .and_then(|()| sync_folder(&self.file))
            .map_err(about)?;
        old.map_or(Ok(()), |old| old.wipe_all()).map_err(about)
    }

    /// Another secret of this file's, for one context.
    pub(super) fn derive(&self, context: &str) -> Secret {
        self.secret.derive(context)
    }

    fn sealed(&self, value: &impl Serialize, keys: &Keys) -> Result<Vec<u8>, SealedFileError> {
        let sort = self.sort;
        let random = |error: NoRandomness| no_key(sort, error);
        if let Some(missing) = keys.missing() {
            return Err(no_key(sort, missing));
        }
        let mut bytes = sort.magic.to_vec();
        let masters: Vec<_> = keys.candidates().collect();
        bytes.push(masters.len().min(2) as u8);
        for master in masters.into_iter().take(2) {
            let wrapped = (master.wrapping()).seal(sort.key_place, self.secret.bytes());
            bytes.extend_from_slice(&master.check());
            bytes.extend_from_slice(&wrapped.map_err(random)?);
        }
        let text = serde_json::to_vec(value).map_err(|_| SealedFileError::Damaged {
            file: self.file.clone(),
            what: sort.what,
            why: "it cannot be written as text",
        })?;
        let text = Zeroizing::new(text);
        let text = self.sealer().seal(sort.text_place, &text);
        bytes.extend_from_slice(&text.map_err(random)?);
        Ok(bytes)
    }

    fn sealer(&self) -> Sealer {
        self.secret.derive(self.sort.text_key).sealer()
    }
}

fn no_key(sort: &Sort, cause: impl Into<KeyError>) -> SealedFileError {
    SealedFileError::Key {
        what: sort.what,
        cause: cause.into(),
    }
}
