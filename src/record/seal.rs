//! Secrets, and what is sealed with them: XChaCha20-Poly1305 (RFC 8439 with the 24-byte nonce of
//! draft-irtf-cfrg-xchacha-03), keys derived and ids hashed by BLAKE3. No secret is ever printed.

use std::fmt;

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Length of a key in bytes.
pub(super) const KEY: usize = 32;
/// Length of a nonce in bytes.
pub(super) const NONCE: usize = 24;
/// Length of an authentication tag in bytes.
const TAG: usize = 16;
/// Length of a sealed key: nonce, key, tag.
pub(super) const WRAPPED: usize = NONCE + KEY + TAG;

/// The system gives no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("this system gives no random bytes for keys: {0}")]
pub struct NoRandomness(String);

/// Bytes nobody could guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| NoRandomness(error.to_string()))?;
    Ok(bytes)
}

/// 32 secret bytes; zeroed when dropped.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<[u8; KEY]>);

impl Secret {
    pub(super) fn fresh() -> Result<Self, NoRandomness> {
        random().map(Self::of)
    }

    pub(super) fn of(bytes: [u8; KEY]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::of)
    }

    pub(super) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Another secret, one for each context; none tells anything of another.
    pub(super) fn derive(&self, context: &str) -> Self {
        Self::of(blake3::derive_key(context, &*self.0))
    }

    /// Keyed hash of this.
    pub(super) fn hash(&self, of: &[u8]) -> [u8; KEY] {
        *blake3::keyed_hash(&self.0, of).as_bytes()
    }

    pub(super) fn sealer(&self) -> Sealer {
        Sealer(XChaCha20Poly1305::new(Key::from_slice(&*self.0)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Seals and opens with one key; the cipher zeroes it when dropped.
#[derive(Clone)]
pub(super) struct Sealer(XChaCha20Poly1305);

impl Sealer {
    /// Nonce, ciphertext, tag. `place` is authenticated with it: opened under another one, it does not open.
    ///
    /// The nonce is random: 2^80 rows under one key before a repeat is as likely as 2^-32.
    pub(super) fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        let nonce = random::<NONCE>()?;
        let mut sealed = Vec::with_capacity(NONCE + plain.len() + TAG);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let Some(text) = sealed.get_mut(NONCE..) else {
            return Ok(sealed); // It was just put there.
        };
        let tag = self
            .0
            .encrypt_in_place_detached(XNonce::from_slice(&nonce), place, text)
            // Only a text of more than 256 GiB is refused.
            .map_err(|_| NoRandomness("the text is too long to seal".to_owned()))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// The plain text; `None`: another key, another place, or changed since.
    pub(super) fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (text, tag) = rest.split_last_chunk::<TAG>()?;
        let mut plain = Zeroizing::new(text.to_vec());
        self.0
            .decrypt_in_place_detached(
                XNonce::from_slice(nonce),
                place,
                &mut plain,
                Tag::from_slice(tag),
            )
            .ok()?;
        Some(plain)
    }

    pub(super) fn open_secret(&self, place: &[u8], sealed: &[u8]) -> Option<Secret> {
        Secret::from_slice(&self.open(place, sealed)?)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cipher_gives_the_published_vector() {
        // draft-irtf-cfrg-xchacha-03, A.3.1.
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + i as u8);
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + i as u8);
        let mut sealed = nonce.to_vec();
        let mut text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.".to_vec();
        let place = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ];
        let sealer = Secret::of(key).sealer();
        let tag = sealer
            .0
            .encrypt_in_place_detached(XNonce::from_slice(&nonce), &place, &mut text)
            .unwrap();
        assert_eq!(
            tag[..],
            [
                0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a,
                0xcf, 0x49
            ]
        );
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(&tag);
        assert!(
            sealer
                .open(&place, &sealed)
                .unwrap()
                .starts_with(b"Ladies and")
        );
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_only_unchanged_in_its_place_with_its_key(
            text in prop::collection::vec(any::<u8>(), 0..200),
            place in prop::collection::vec(any::<u8>(), 0..40),
            bit in any::<prop::sample::Index>(),
        ) {
            let sealer = Secret::fresh().unwrap().sealer();
            let sealed = sealer.seal(&place, &text).unwrap();
            prop_assert_eq!(&*sealer.open(&place, &sealed).unwrap(), &text);
            prop_assert!(Secret::fresh().unwrap().sealer().open(&place, &sealed).is_none());
            let elsewhere = [&place[..], &[0]].concat();
            prop_assert!(sealer.open(&elsewhere, &sealed).is_none());
            let mut changed = sealed.clone();
            let bit = bit.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(sealer.open(&place, &changed).is_none());
            prop_assert_ne!(sealer.seal(&place, &text).unwrap(), sealed);
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let secret = Secret::of([0xab; 32]);
        let said = format!("{secret:?} {:?}", secret.sealer());
        assert_eq!(said, "Secret(..) Sealer(..)");
    }
}
