//! The secret half of a token, and what is kept of it: a hash. A token has 256 random bits, so a fast keyed hash is as
//! good as a slow one would be for words that people think up.

use std::fmt;

use zeroize::Zeroizing;

use super::origin::same;
use crate::protocol::asker::TokenId;

/// What every token of ours begins with, so that scanners for leaked secrets know it.
const PREFIX: &str = "mvr1_";
/// Random bytes in a token.
const BYTES: usize = 32;
/// Domain of the hash.
const CONTEXT: &str = "malloc-vr 2026-11 bridge token";

/// A token as its holder has it: `mvr1_ID_SECRET`. Shown once, kept nowhere.
pub struct Token {
    /// Its public half.
    pub id: TokenId,
    text: Zeroizing<String>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, …)", self.id)
    }
}

impl Token {
    /// A fresh one.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn fresh() -> Result<Self, getrandom::Error> {
        let mut id = [0_u8; 8];
        let mut secret = Zeroizing::new([0_u8; BYTES]);
        getrandom::fill(&mut id)?;
        getrandom::fill(&mut *secret)?;
        let id = TokenId(u64::from_le_bytes(id).max(1));
        let text = Zeroizing::new(format!("{PREFIX}{id}_{}", hex(&*secret)));
        Ok(Self { id, text })
    }

    /// What the holder has to show.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The id that a shown text claims; `None`: it is no token of ours.
pub(super) fn claimed(shown: &[u8]) -> Option<TokenId> {
    let text = std::str::from_utf8(shown).ok()?;
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    (secret.len() == 2 * BYTES).then(|| id.parse().ok())?
}

/// What is kept of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept([u8; 32]);

impl Kept {
    /// `key` is the store's own, so that two machines keep different hashes.
    pub(super) fn of(shown: &[u8], key: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(key);
        hasher.update(shown);
        Self(*hasher.finalize().as_bytes())
    }

    /// Whether it is of this text, in a time that does not tell how much was right.
    pub(super) fn is_of(self, shown: &[u8], key: &[u8; 32]) -> bool {
        same(&Self::of(shown, key).0, &self.0)
    }

    pub(super) fn hex(self) -> String {
        hex(&self.0)
    }

    pub(super) fn from_hex(text: &str) -> Option<Self> {
        bytes(text).map(Self)
    }
}

/// In hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes from 64 hexadecimal digits.
pub(super) fn bytes(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_opens_by_its_whole_text_only_and_its_hash_does_not_show_it() {
        let (token, other) = (Token::fresh().unwrap(), Token::fresh().unwrap());
        let key = [7; 32];
        let kept = Kept::of(token.text().as_bytes(), &key);
        assert_eq!(claimed(token.text().as_bytes()), Some(token.id));
        assert!(kept.is_of(token.text().as_bytes(), &key));
        assert!(!kept.is_of(other.text().as_bytes(), &key));
        assert!(!kept.is_of(token.text().as_bytes(), &[8; 32]));
        assert!(!token.text().contains(&kept.hex()));
        assert_eq!(Kept::from_hex(&kept.hex()), Some(kept));
        assert!(!format!("{token:?}").contains(token.text()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(shown in prop::collection::vec(any::<u8>(), 0..120), text in "\\PC{0,70}") {
            let _ = claimed(&shown);
            let _ = bytes(&text);
            let _ = claimed(format!("{PREFIX}{text}").as_bytes());
        }

        #[test]
        fn one_wrong_byte_is_wrong(at in 0_usize..86, with in 33_u8..127) {
            let token = Token::fresh().unwrap();
            let mut shown = token.text().as_bytes().to_vec();
            prop_assume!(shown[at] != with);
            let kept = Kept::of(&shown, &[1; 32]);
            shown[at] = with;
            prop_assert!(!kept.is_of(&shown, &[1; 32]));
        }
    }
}
