//! Where a master key lies: in a private file, in text, or in a passphrase with its salt.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::guard::{self, Guard};
use super::key::{KeyError, MasterKey};
use super::seal::{KEY, Secret, random};

/// Where the next key waits until the store is sealed with it.
pub(super) fn successor(file: &Path) -> PathBuf {
    file.with_extension("key.new")
}

pub(super) fn about(file: &Path) -> impl Fn(io::Error) -> KeyError {
    move |cause| KeyError::File {
        file: file.to_owned(),
        cause,
    }
}

pub(super) fn read_key(file: &Path) -> Result<Option<MasterKey>, KeyError> {
    let Some(text) = read_private(file)? else {
        return Ok(None);
    };
    let guard = Guard::of_this_device();
    let key = guard::open(&text, file, guard)?;
    if let Some(better) = guard::better(&text, &key, guard) {
        replace_private(file, better.as_bytes()).map_err(about(file))?;
    }
    Ok(Some(key))
}

/// As [`make_private`], in place of a file that is there: whole, or not at all.
fn replace_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = file.with_extension("key.wrapped");
    let _ = fs::remove_file(&new);
    make_private(&new, bytes)?;
    fs::rename(&new, file)?;
    sync_folder(file)
}

fn read_private(file: &Path) -> Result<Option<Zeroizing<String>>, KeyError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(about(file)(cause)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(file)
            .map_err(about(file))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed {
                file: file.to_owned(),
                mode: mode & 0o777,
            });
        }
    }
    Ok(Some(text))
}

/// A new random key in a new file. One that is there already is never replaced.
pub(super) fn make_key(file: &Path) -> Result<MasterKey, KeyError> {
    let key = Secret::fresh()?;
    let text = guard::close(key.bytes(), Guard::of_this_device());
    make_private(file, text.as_bytes()).map_err(about(file))?;
    Ok(MasterKey::of(key))
}

/// Bytes in hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len() + 1));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    text
}

/// What [`hexadecimal`] wrote.
pub(super) fn from_hexadecimal(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    bits(text, 4, |c| char::from(c).to_digit(16)).map(Zeroizing::new)
}

/// Writes a file that only its owner may read and that must not be there yet; it is on the disk, whole, when it has
/// its name.
pub(super) fn make_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = file.as_os_str().to_owned();
    part.push(format!(".{}", std::process::id()));
    let part = PathBuf::from(part);
    let _ = fs::remove_file(&part);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut out = options.open(&part)?;
    let named = out
        .write_all(bytes)
        .and_then(|()| out.sync_all())
        // Unlike a rename, it never replaces a key that another process has just made.
        .and_then(|()| fs::hard_link(&part, file))
        .or_else(|cause| match cause.kind() {
            // A file system without links.
            io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied if !file.exists() => {
                fs::rename(&part, file)
            }
            _ => Err(cause),
        });
    let _ = fs::remove_file(&part);
    named?;
    sync_folder(file)
}

/// Without this a power cut could take a new name away again.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = file.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

pub(super) fn parse(text: &str, place: &str) -> Result<MasterKey, KeyError> {
    let no_key = |why| KeyError::NoKey {
        place: place.to_owned(),
        why,
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(no_key("it is empty"));
    }
    let bytes = Zeroizing::new(
        if text.len() == 2 * KEY {
            bits(text, 4, |c| char::from(c).to_digit(16))
        } else {
            bits(text.trim_end_matches('='), 6, sextet)
        }
        .ok_or_else(|| no_key("it is neither hexadecimal nor Base64"))?,
    );
    let key = Secret::from_slice(&bytes).ok_or_else(|| no_key("it has another length"))?;
    if key.bytes().iter().all(|byte| *byte == key.bytes()[0]) {
        return Err(no_key("all its bytes are the same"));
    }
    Ok(MasterKey::of(key))
}

/// Bytes from digits of so many bits each; bits left over must be zero (RFC 4648, 3.5).
fn bits(text: &str, each: u32, digit: impl Fn(u8) -> Option<u32>) -> Option<Vec<u8>> {
    let (mut held, mut count) = (0_u32, 0);
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.bytes() {
        held = (held << each) | digit(character)?;
        count += each;
        if count >= 8 {
            count -= 8;
            bytes.push((held >> count) as u8);
            held &= (1 << count) - 1;
        }
    }
    (held == 0).then_some(bytes)
}

/// A digit of Base64, of either alphabet (RFC 4648, 4 and 5).
fn sextet(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(value.into())
}

/// How a passphrase becomes a key. No secret: it may lie beside the store.
#[derive(Serialize, Deserialize)]
pub(super) struct Salt {
    kdf: String,
    /// KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
}

impl Salt {
    /// RFC 9106, 4: the second recommended option (64 MiB, 3 passes, 4 lanes), for machines with little memory.
    pub(super) fn make(file: &Path) -> Result<Self, KeyError> {
        let salt = Self {
            kdf: "argon2id".to_owned(),
            memory: 64 * 1024,
            passes: 3,
            lanes: 4,
            salt: random()?,
        };
        let text = serde_json::to_vec(&salt).map_err(|error| KeyError::NoSalt {
            file: file.to_owned(),
            why: error.to_string(),
        })?;
        make_private(file, &text).map_err(about(file))?;
        Ok(salt)
    }

    pub(super) fn read(bytes: &[u8], file: &Path) -> Result<Self, KeyError> {
        let no_salt = |why: String| KeyError::NoSalt {
            file: file.to_owned(),
            why,
        };
        let salt: Self =
            serde_json::from_slice(bytes).map_err(|error| no_salt(error.to_string()))?;
        // A changed file must not make a weak key of a good passphrase, nor take all memory (1 GiB is ample).
        if salt.kdf != "argon2id" || salt.memory < 19 * 1024 || salt.memory > 1024 * 1024 {
            return Err(no_salt(
                "it names another derivation, or one too weak or too large".to_owned(),
            ));
        }
        Ok(salt)
    }

    pub(super) fn derive(&self, passphrase: &str, file: &Path) -> Result<MasterKey, KeyError> {
        let mut key = Zeroizing::new([0; KEY]);
        Params::new(self.memory, self.passes, self.lanes, Some(KEY))
            .and_then(|params| {
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
                    passphrase.as_bytes(),
                    &self.salt,
                    &mut *key,
                )
            })
            .map_err(|error| KeyError::NoSalt {
                file: file.to_owned(),
                why: error.to_string(),
            })?;
        Ok(MasterKey::of(Secret::of(*key)))
    }
}
