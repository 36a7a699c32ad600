//! The master key: where it comes from, and how one follows another. It wraps every learner's data key, so whoever
//! holds it and the store can read the records; kept beside the store it only protects copies of the store alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key_source::{Salt, about, make_key, parse, read_key, successor, sync_folder};
use super::seal::{NoRandomness, Sealer, Secret};

/// Environment variable with the master key: 32 bytes as 64 hexadecimal digits, or as Base64.
pub const MASTER_KEY_VARIABLE: &str = "MALLOC_VR_MASTER_KEY";
/// Environment variable with a passphrase that the master key is derived from.
pub const PASSPHRASE_VARIABLE: &str = "MALLOC_VR_PASSPHRASE";

/// Why there is no master key to use. Says where it was looked for and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Others may read it.
    #[error(
        "the master key in {file} can be read by others (mode {mode:o}); `chmod 600` it, and rotate it if somebody may have seen it"
    )]
    Exposed {
        /// The key file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no key.
    #[error(
        "{place} holds no master key: {why}; a key is 32 bytes, as 64 hexadecimal digits or as Base64"
    )]
    NoKey {
        /// File or variable.
        place: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Another device wrapped it, or this one has forgotten how.
    #[error(
        "the master key in {file} is wrapped by the key store of the device that made it, and does not open here ({why}); \
         records are read on that device alone, or with the key from a backup in {MASTER_KEY_VARIABLE}"
    )]
    Wrapped {
        /// The key file.
        file: PathBuf,
        /// What the key store said.
        why: String,
    },
    /// The records are sealed, and the file that would open them is not there.
    #[error(
        "{} is not there, and the records cannot be read without it; put it back from its backup, or set {MASTER_KEY_VARIABLE}",
        file.display()
    )]
    Missing {
        /// The key file, or the salt of a passphrase.
        file: PathBuf,
    },
    /// The salt of a passphrase is damaged.
    #[error("{file} is no salt of a passphrase: {why}; put it back from its backup")]
    NoSalt {
        /// The salt file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A key file cannot be read or written.
    #[error("the key file {file}: {cause}")]
    File {
        /// The key file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A passphrase that anybody would guess.
    #[error("a passphrase needs at least {MIN_PASSPHRASE} characters; several words are best")]
    ShortPassphrase,
    /// No random bytes.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Shortest passphrase, in characters (NIST SP 800-63B-4, 3.1.1.2, for a secret used alone).
const MIN_PASSPHRASE: usize = 15;

/// A master key. Zeroed when dropped; prints as `MasterKey(..)`.
#[derive(Clone)]
pub(super) struct MasterKey(Secret);

impl MasterKey {
    pub(super) fn of(secret: Secret) -> Self {
        Self(secret)
    }

    /// The key itself, for whoever keeps it.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// 16 bytes that tell this key from others and say nothing more of it.
    pub(super) fn check(&self) -> [u8; 16] {
        let hash = self.0.derive("malloc-vr 2026-11-21 master key check value");
        let [check @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash.bytes();
        *check
    }

    pub(super) fn wrapping(&self) -> Sealer {
        self.0
            .derive("malloc-vr 2026-11-21 master key wraps data keys")
            .sealer()
    }
}

impl MasterKey {
    pub(super) fn secret_for(&self, context: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(*self.0.derive(context).bytes())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// The master key, where it comes from, and the one that follows it while keys are rotated.
#[derive(Debug, Clone)]
pub struct Keys {
    current: Option<MasterKey>,
    next: Option<MasterKey>,
    origin: Origin,
}

#[derive(Clone)]
enum Origin {
    File(PathBuf),
    Text(&'static str),
    Passphrase(Zeroizing<String>, PathBuf),
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) | Self::Passphrase(_, file) => write!(f, "{}", file.display()),
            Self::Text(name) => f.write_str(name),
        }
    }
}

impl Keys {
    /// The key for the store in this file: from [`MASTER_KEY_VARIABLE`], else derived from [`PASSPHRASE_VARIABLE`]
    /// with the salt in `master.salt` beside the store, else from `master.key` beside it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn beside(store: &Path) -> Result<Self, KeyError> {
        let variable = |name| std::env::var(name).ok().map(Zeroizing::new);
        if let Some(text) = variable(MASTER_KEY_VARIABLE) {
            return Self::from_text(&text);
        }
        if let Some(passphrase) = variable(PASSPHRASE_VARIABLE) {
            return Self::from_passphrase(&passphrase, &store.with_file_name("master.salt"));
        }
        Self::from_file(&store.with_file_name("master.key"))
    }

    /// From a file that only its owner can read. Where it is missing it is made, once a store is.
    ///
    /// # Errors
    /// [`KeyError`] where others can read the file, or it holds no key.
    pub fn from_file(file: &Path) -> Result<Self, KeyError> {
        Ok(Self {
            current: read_key(file)?,
            next: read_key(&successor(file))?,
            origin: Origin::File(file.to_owned()),
        })
    }

    /// From text, as in [`MASTER_KEY_VARIABLE`].
    ///
    /// # Errors
    /// [`KeyError::NoKey`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        Ok(Self {
            current: Some(parse(text, MASTER_KEY_VARIABLE)?),
            next: None,
            origin: Origin::Text(MASTER_KEY_VARIABLE),
        })
    }

    /// Derived by Argon2id (RFC 9106) with the salt and the parameters in this file. Where it is missing it is made,
    /// once a store is.
    ///
    /// # Errors
    /// [`KeyError`] where the passphrase is short or the file is damaged.
    pub fn from_passphrase(passphrase: &str, salt_file: &Path) -> Result<Self, KeyError> {
        if passphrase.chars().count() < MIN_PASSPHRASE {
            return Err(KeyError::ShortPassphrase);
        }
        let current = match fs::read(salt_file) {
            Ok(bytes) => Some(Salt::read(&bytes, salt_file)?.derive(passphrase, salt_file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(about(salt_file)(cause)),
        };
        let passphrase = Zeroizing::new(passphrase.to_owned());
        Ok(Self {
            current,
            next: None,
            origin: Origin::Passphrase(passphrase, salt_file.to_owned()),
        })
    }

    /// These keys with the one that is to follow: a new random one in a file beside the present file, for
    /// [`Store::rotate`](super::Store::rotate).
    ///
    /// # Errors
    /// [`KeyError`]; keys that are not in a file are followed by [`Keys::followed_by`].
    pub fn renewed(&self) -> Result<Self, KeyError> {
        let Origin::File(file) = &self.origin else {
            return Err(KeyError::NoKey {
                place: format!("{:?}", self.origin),
                why: "it is not in a file, and the new key must be given",
            });
        };
        let new = successor(file);
        match fs::remove_file(&new) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(about(&new)(cause));
            }
            _ => {}
        }
        Ok(Self {
            next: Some(make_key(&new)?),
            ..self.clone()
        })
    }

    /// These keys, to be followed by the ones given.
    #[must_use]
    pub fn followed_by(&self, next: &Self) -> Self {
        Self {
            next: next.current.clone(),
            origin: next.origin.clone(),
            ..self.clone()
        }
    }

    /// Keys that may open a store, the present one first.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &MasterKey> {
        self.current.iter().chain(&self.next)
    }

    pub(super) fn next(&self) -> Option<&MasterKey> {
        self.next.as_ref()
    }

    /// Where they come from, for messages.
    pub(super) fn place(&self) -> String {
        match &self.origin {
            Origin::Passphrase(_, salt) => {
                format!("the one of this passphrase and {}", salt.display())
            }
            origin => format!("the one in {origin:?}"),
        }
    }

    /// The error of keys that hold none.
    pub(super) fn missing(&self) -> Option<KeyError> {
        match (&self.origin, self.candidates().next()) {
            (Origin::File(file) | Origin::Passphrase(_, file), None) => {
                Some(KeyError::Missing { file: file.clone() })
            }
            _ => None,
        }
    }

    /// These keys for a new store: makes key or salt where there is none yet.
    pub(super) fn made(mut self) -> Result<(Self, MasterKey), KeyError> {
        let key = match (&self.current, &self.origin) {
            (Some(key), _) => key.clone(),
            (None, Origin::File(file)) => make_key(file)?,
            (None, Origin::Passphrase(passphrase, file)) => {
                Salt::make(file)?.derive(passphrase, file)?
            }
            (None, Origin::Text(place)) => {
                return Err(KeyError::NoKey {
                    place: (*place).to_owned(),
                    why: "it is empty",
                });
            }
        };
        self.current = Some(key.clone());
        Ok((self, key))
    }

    /// Ends a rotation, whole or broken off: from now on this is the key, in its file too.
    pub(super) fn settled(&self, on: &MasterKey) -> Result<Self, KeyError> {
        if let Origin::File(file) = &self.origin {
            let new = successor(file);
            let is_next = self.current.as_ref().map(MasterKey::check) != Some(on.check());
            let done = match &self.next {
                None => Ok(()),
                Some(_) if is_next => fs::rename(&new, file).and_then(|()| sync_folder(file)),
                Some(_) => fs::remove_file(&new),
            };
            match done {
                // The next key has another place.
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                done => done.map_err(about(&new))?,
            }
        }
        Ok(Self {
            current: Some(on.clone()),
            next: None,
            origin: self.origin.clone(),
        })
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
