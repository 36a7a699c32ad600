//! A device's own key store around the master key's file: a copy of the file opens nowhere else.
//!
//! Headsets have one (Android's, in [`super::keystore`]); a desk has none that every machine offers, there the file
//! lies as it is, readable to its owner alone.

use std::path::Path;

use tracing::warn;
use zeroize::Zeroizing;

use super::key::{KeyError, MasterKey};
use super::key_source::{from_hexadecimal, hexadecimal, parse};

/// How a file with a wrapped key begins.
const WRAPPED: &str = "keystore:";

/// Wraps and unwraps with a key that never leaves the device. Both say in words why they cannot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard {
    pub wrap: fn(&[u8]) -> Result<Vec<u8>, String>,
    pub unwrap: fn(&[u8]) -> Result<Zeroizing<Vec<u8>>, String>,
}

impl Guard {
    /// This device's, if it has one.
    pub fn of_this_device() -> Option<Self> {
        #[cfg(target_os = "android")]
        return Some(super::keystore::GUARD);
        #[cfg(not(target_os = "android"))]
        None
    }
}

/// How the master key lies in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// There is no file.
    Nothing,
    /// As it is: who reads the file has the key.
    Plain,
    /// Wrapped by the device's key store.
    Wrapped,
}

impl Keeping {
    /// How the key lies in this file.
    #[must_use]
    pub fn of(file: &Path) -> Self {
        match std::fs::read_to_string(file).map(Zeroizing::new) {
            Err(_) => Self::Nothing,
            Ok(text) if text.starts_with(WRAPPED) => Self::Wrapped,
            Ok(_) => Self::Plain,
        }
    }
}

/// What goes into the file. Where the key store fails the key goes in as it is, and the log says so: a lesson must
/// not fail for it, and the file is private to the application all the same.
pub(super) fn close(key: &[u8], guard: Option<Guard>) -> Zeroizing<String> {
    let mut text = match guard.map(|guard| wrapped(key, guard)) {
        Some(Ok(wrapped)) => {
            let mut text = Zeroizing::new(WRAPPED.to_owned());
            text.push_str(&hexadecimal(&wrapped));
            text
        }
        Some(Err(why)) => {
            warn!(
                "the device's key store does not keep the master key ({why}); it lies in the application's private storage as it is"
            );
            hexadecimal(key)
        }
        None => hexadecimal(key),
    };
    text.push('\n');
    text
}

/// Wrapped, and seen to open again: a key store that only takes would lose every record.
fn wrapped(key: &[u8], guard: Guard) -> Result<Vec<u8>, String> {
    let wrapped = (guard.wrap)(key)?;
    let again = (guard.unwrap)(&wrapped)?;
    if *again == key {
        Ok(wrapped)
    } else {
        Err("what it gives back is not what it was given".to_owned())
    }
}

/// What should stand in a file whose key lies there as it is, although the device could wrap it by now.
pub(super) fn better(
    text: &str,
    key: &MasterKey,
    guard: Option<Guard>,
) -> Option<Zeroizing<String>> {
    if text.starts_with(WRAPPED) {
        return None;
    }
    let better = close(key.bytes(), Some(guard?));
    better.starts_with(WRAPPED).then_some(better)
}

/// The key in the text of a file.
pub(super) fn open(text: &str, file: &Path, guard: Option<Guard>) -> Result<MasterKey, KeyError> {
    let Some(wrapped) = text.trim().strip_prefix(WRAPPED) else {
        return parse(text, &file.display().to_string());
    };
    let closed = |why: &str| KeyError::Wrapped {
        file: file.to_owned(),
        why: why.to_owned(),
    };
    let wrapped = from_hexadecimal(wrapped).ok_or_else(|| closed("the file is damaged"))?;
    let guard = guard.ok_or_else(|| closed("this machine has no such key store"))?;
    let key = (guard.unwrap)(&wrapped).map_err(|why| closed(&why))?;
    parse(&hexadecimal(&key), &file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/data/master.key";

    /// Turns the bytes round and writes a mark before them: enough to tell wrapped from plain.
    const TURNED: Guard = Guard {
        wrap: |key| {
            Ok(std::iter::once(7)
                .chain(key.iter().rev().copied())
                .collect())
        },
        unwrap: |wrapped| match wrapped {
            [7, rest @ ..] => Ok(Zeroizing::new(rest.iter().rev().copied().collect())),
            _ => Err("the mark is missing".to_owned()),
        },
    };
    const BROKEN: Guard = Guard {
        wrap: |_| Err("no Java".to_owned()),
        unwrap: |_| Err("no Java".to_owned()),
    };
    /// Takes a key and gives back another.
    const FORGETFUL: Guard = Guard {
        wrap: |_| Ok(vec![1, 2, 3]),
        unwrap: |_| Ok(Zeroizing::new(vec![9; 32])),
    };

    fn key() -> Vec<u8> {
        (0..32).collect()
    }

    fn check_of(text: &str, guard: Option<Guard>) -> [u8; 16] {
        open(text, Path::new(FILE), guard).unwrap().check()
    }

    #[test]
    fn a_wrapped_key_opens_on_its_device_and_nowhere_else() {
        let plain = close(&key(), None);
        let text = close(&key(), Some(TURNED));
        assert!(text.starts_with(WRAPPED), "{}", text.as_str());
        assert!(!text.contains(plain.trim()));
        assert_eq!(check_of(&text, Some(TURNED)), check_of(&plain, None));
        for elsewhere in [None, Some(BROKEN)] {
            let error = open(&text, Path::new(FILE), elsewhere)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(FILE) && error.contains("MALLOC_VR_MASTER_KEY"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_key_store_that_fails_or_forgets_costs_no_record() {
        for guard in [BROKEN, FORGETFUL] {
            let text = close(&key(), Some(guard));
            assert!(!text.starts_with(WRAPPED));
            assert_eq!(
                check_of(&text, Some(guard)),
                check_of(&close(&key(), None), None)
            );
        }
    }

    #[test]
    fn a_key_that_lies_as_it_is_gets_wrapped_as_soon_as_the_device_can() {
        let plain = close(&key(), None);
        let master = open(&plain, Path::new(FILE), None).unwrap();
        let text = better(&plain, &master, Some(TURNED)).unwrap();
        assert_eq!(check_of(&text, Some(TURNED)), master.check());
        assert!(better(&text, &master, Some(TURNED)).is_none(), "only once");
        for guard in [None, Some(BROKEN), Some(FORGETFUL)] {
            assert!(better(&plain, &master, guard).is_none());
        }
    }

    #[test]
    fn a_damaged_file_is_told_as_such() {
        let error = open("keystore:xyz", Path::new(FILE), Some(TURNED)).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    }

    #[test]
    fn how_a_key_lies_is_seen_without_opening_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        assert_eq!(Keeping::of(&file), Keeping::Nothing);
        for (guard, keeping) in [(None, Keeping::Plain), (Some(TURNED), Keeping::Wrapped)] {
            std::fs::write(&file, close(&key(), guard).as_bytes()).unwrap();
            assert_eq!(Keeping::of(&file), keeping);
        }
    }
}
