//! The file of tokens, `tokens.json` in the data folder: who may come in, as what, for whom and until when.
//! It holds hashes only, belongs to its owner alone (0600), and is replaced as a whole, so that the command line may
//! write it while a lesson runs. Whoever is revoked stays in it as history.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::caller::Scope;
use super::secret::{Kept, Token, bytes, claimed, hex};
use crate::protocol::asker::{TokenId, TokenRole};
use crate::record::replace;

/// Name of the file in the data folder.
pub const FILE: &str = "tokens.json";
/// Tokens kept, revoked ones included; the oldest that are over make room.
const MOST: usize = 4096;
/// Longest name, in characters.
const NAME: usize = 80;
/// Longest life of a token.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);
/// Largest file read.
const LARGEST: u64 = 16 << 20;

/// Why the tokens could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The disk said no.
    #[error("{file}: {cause}; tokens are kept there, and the folder must be yours to write")]
    Disk {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Not written by us, or cut short.
    #[error(
        "{file} is no list of tokens: {why}; move it away to start an empty one (everybody then pairs again)"
    )]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Others could write tokens of their own into it.
    #[error(
        "{file} can be written by others than its owner; `chmod 600 {file}`, and look through `malloc-vr tokens list`"
    )]
    Open {
        /// Which file.
        file: PathBuf,
    },
    /// Nobody has that id.
    #[error("no token has the id {0}; `malloc-vr tokens list` shows them")]
    NoSuch(TokenId),
    /// It is over already.
    #[error("token {0} has expired or was revoked; issue a new one")]
    Over(TokenId),
    /// A name that no list can show.
    #[error(
        "a token's name has 1 to {NAME} characters without line breaks; say whose device it is for, such as `tablet 3`"
    )]
    Name,
    /// A life that is none.
    #[error("a token lives from 1 second to 400 days; rotate it before it ends")]
    Life,
    /// A learner's token for the class.
    #[error("a learner's token is for one learner; give exactly one with --learner")]
    LearnerScope,
    /// All places are taken by tokens that live.
    #[error("{MOST} tokens are in force; revoke those that nobody needs (`malloc-vr tokens list`)")]
    Full,
    /// No randomness.
    #[error("no fresh token could be made: {0}")]
    Random(getrandom::Error),
}

/// A token as the list has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenEntry {
    /// Its id.
    pub id: TokenId,
    /// Hash of it, in hexadecimal.
    hash: String,
    /// Which device or program it is for. Never a learner's name.
    pub name: String,
    /// What it lets its holder be.
    pub role: TokenRole,
    /// For whom.
    pub scope: Scope,
    /// When it was issued, milliseconds since the Unix epoch.
    pub issued_unix_ms: u64,
    /// When it ends.
    pub expires_unix_ms: u64,
    /// When it was revoked, if it was.
    #[serde(default)]
    pub revoked_unix_ms: Option<u64>,
    /// Its successor, if it was rotated.
    #[serde(default)]
    pub replaced_by: Option<TokenId>,
}

impl TokenEntry {
    /// Whether it still opens.
    #[must_use]
    pub fn in_force(&self, now_unix_ms: u64) -> bool {
        self.revoked_unix_ms.is_none() && now_unix_ms < self.expires_unix_ms
    }
}

/// What a token shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which device or program it is for.
    pub name: String,
    /// As what.
    pub role: TokenRole,
    /// For whom.
    pub scope: Scope,
    /// How long.
    pub life: Duration,
}

/// All tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    version: u16,
    /// Key of the hashes.
    key: String,
    tokens: Vec<TokenEntry>,
}

/// What a shown text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    /// None of ours, or a wrong secret.
    Unknown,
    /// It opens.
    Good(&'a TokenEntry),
    /// It was good once.
    Over(&'a TokenEntry),
}

impl Tokens {
    /// An empty list with a key of its own.
    ///
    /// # Errors
    /// [`TokenError::Random`].
    pub fn empty() -> Result<Self, TokenError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(TokenError::Random)?;
        Ok(Self {
            version: 1,
            key: hex(&key),
            tokens: Vec::new(),
        })
    }

    /// Reads the file; an empty list where there is none.
    ///
    /// # Errors
    /// [`TokenError`], where it is there and cannot be trusted.
    pub fn read(file: &Path) -> Result<Self, TokenError> {
        let disk = |cause| TokenError::Disk {
            file: file.to_owned(),
            cause,
        };
        let damaged = |why: String| TokenError::Damaged {
            file: file.to_owned(),
            why,
        };
        let meta = match fs::metadata(file) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::empty(),
            Err(error) => return Err(disk(error)),
        };
        if writable_by_others(&meta) {
            return Err(TokenError::Open {
                file: file.to_owned(),
            });
        }
        if meta.len() > LARGEST {
            return Err(damaged("it is larger than 16 MiB".to_owned()));
        }
        let text = fs::read(file).map_err(disk)?;
        let tokens: Self =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if tokens.version != 1 {
            return Err(damaged(format!("it has version {}", tokens.version)));
        }
        let whole = |entry: &TokenEntry| Kept::from_hex(&entry.hash).is_some();
        if bytes(&tokens.key).is_none() || !tokens.tokens.iter().all(whole) {
            return Err(damaged("a hash or the key is cut short".to_owned()));
        }
        Ok(tokens)
    }

    /// Reads, changes and replaces the file, while nobody else does.
    ///
    /// # Errors
    /// [`TokenError`]; the file is then as it was.
    pub fn change<T>(
        file: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let disk = |cause| TokenError::Disk {
            file: file.to_owned(),
            cause,
        };
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(disk)?;
        // The list itself is replaced, so the lock is a file beside it.
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(file.with_extension("lock"))
            .map_err(disk)?;
        lock.lock().map_err(disk)?;
        let mut tokens = Self::read(file)?;
        let done = change(&mut tokens)?;
        let text = serde_json::to_vec_pretty(&tokens).map_err(|error| disk(error.into()))?;
        replace(file, &text).map_err(disk)?;
        Ok(done)
    }

    /// Every token, oldest first, those that are over too.
    #[must_use]
    pub fn list(&self) -> &[TokenEntry] {
        &self.tokens
    }

    /// Issues a token. Its text is in what is returned and nowhere else.
    ///
    /// # Errors
    /// [`TokenError`] where the grant makes no sense or there is no room.
    pub fn issue(&mut self, grant: Grant, now_unix_ms: u64) -> Result<Token, TokenError> {
        let length = grant.name.chars().count();
        if length == 0 || length > NAME || grant.name.chars().any(char::is_control) {
            return Err(TokenError::Name);
        }
        if grant.life < Duration::from_secs(1) || grant.life > LONGEST {
            return Err(TokenError::Life);
        }
        let one = matches!(&grant.scope, Scope::Learners(those) if those.len() == 1);
        if grant.role == TokenRole::Learner && !one {
            return Err(TokenError::LearnerScope);
        }
        if self.tokens.len() >= MOST {
            let over = self.tokens.iter().position(|it| !it.in_force(now_unix_ms));
            self.tokens.remove(over.ok_or(TokenError::Full)?);
        }
        let token = Token::fresh().map_err(TokenError::Random)?;
        let life = u64::try_from(grant.life.as_millis()).unwrap_or(u64::MAX);
        self.tokens.push(TokenEntry {
            id: token.id,
            hash: Kept::of(token.text().as_bytes(), &self.key()).hex(),
            name: grant.name,
            role: grant.role,
            scope: grant.scope,
            issued_unix_ms: now_unix_ms,
            expires_unix_ms: now_unix_ms.saturating_add(life),
            revoked_unix_ms: None,
            replaced_by: None,
        });
        Ok(token)
    }

    /// Ends a token for good. Ending it twice is no mistake.
    ///
    /// # Errors
    /// [`TokenError::NoSuch`].
    pub fn revoke(&mut self, id: TokenId, now_unix_ms: u64) -> Result<(), TokenError> {
        let entry = self.find(id).ok_or(TokenError::NoSuch(id))?;
        entry.revoked_unix_ms.get_or_insert(now_unix_ms);
        Ok(())
    }

    /// Puts a new token in the place of one in force: same name, role, scope and length of life.
    ///
    /// # Errors
    /// [`TokenError`] where it is not there or over.
    pub fn rotate(&mut self, id: TokenId, now_unix_ms: u64) -> Result<Token, TokenError> {
        let old = self.find(id).ok_or(TokenError::NoSuch(id))?.clone();
        if !old.in_force(now_unix_ms) {
            return Err(TokenError::Over(id));
        }
        let life = old.expires_unix_ms.saturating_sub(old.issued_unix_ms);
        let grant = Grant {
            name: old.name,
            role: old.role,
            scope: old.scope,
            life: Duration::from_millis(life),
        };
        let fresh = self.issue(grant, now_unix_ms)?;
        if let Some(entry) = self.find(id) {
            entry.revoked_unix_ms = Some(now_unix_ms);
            entry.replaced_by = Some(fresh.id);
        }
        Ok(fresh)
    }

    /// Whose token this text is.
    pub(super) fn look_up(&self, shown: &[u8], now_unix_ms: u64) -> Shown<'_> {
        let Some(id) = claimed(shown) else {
            return Shown::Unknown;
        };
        let Some(entry) = self.tokens.iter().find(|entry| entry.id == id) else {
            return Shown::Unknown;
        };
        let kept = Kept::from_hex(&entry.hash);
        match kept.is_some_and(|kept| kept.is_of(shown, &self.key())) {
            false => Shown::Unknown,
            true if entry.in_force(now_unix_ms) => Shown::Good(entry),
            true => Shown::Over(entry),
        }
    }

    fn key(&self) -> [u8; 32] {
        // Checked when it was read.
        bytes(&self.key).unwrap_or_default()
    }

    fn find(&mut self, id: TokenId) -> Option<&mut TokenEntry> {
        self.tokens.iter_mut().find(|entry| entry.id == id)
    }
}

/// Milliseconds since the Unix epoch.
#[must_use]
pub fn now_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(unix)]
fn writable_by_others(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o022 != 0
}

#[cfg(not(unix))]
fn writable_by_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
