//! Resume tokens: what a learner shows to take their session up again, on this host or on another one with the same key.
//!
//! A token names learner, session, the last event that was acknowledged, and how long it is good; a keyed hash (BLAKE3,
//! O'Connor, Aumasson, Neves & Wilcox-O'Hearn 2020) over all of it makes it impossible to make up or to change. It holds
//! no secret but itself: whoever has it can resume, so it goes over protected links only and never into a log.

use std::fmt;
use std::time::Duration;

use crate::protocol::ids::{LearnerId, SessionId};

/// What the key is for: other uses of the same master key give other keys.
const PURPOSE: &str = "malloc-vr 2026-11 session resume token";
const VERSION: u8 = 1;
const CLAIM: usize = 1 + 16 + 16 + 8 + 8 + 8;
const TAG: usize = blake3::OUT_LEN;

/// Why a token is of no use. In every case nothing is lost: the log has the session, and pairing again resumes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// Not a token at all.
    #[error("this is no resume token; pair again to go on with the session")]
    Malformed,
    /// Not made with this key, or changed since.
    #[error(
        "the resume token was not issued here or was changed; pair again to go on with the session"
    )]
    Forged,
    /// Of a later version.
    #[error(
        "the resume token is of version {0}, newer than this program's {VERSION}; update Malloc VR"
    )]
    Newer(u8),
    /// Its time is over.
    #[error("the resume token expired {since:?} ago; pair again to go on with the session")]
    Expired {
        /// For how long.
        since: Duration,
    },
    /// Issued later than now: the clock was set back meanwhile.
    #[error(
        "the resume token is from the future ({ahead:?}): check this machine's clock, or pair again"
    )]
    ClockSetBack {
        /// By how much.
        ahead: Duration,
    },
    /// Of another learner or another session.
    #[error(
        "the resume token belongs to another learner or session; pair again to go on with this one"
    )]
    Foreign,
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Who may resume.
    pub learner: LearnerId,
    /// What.
    pub session: SessionId,
    /// The last event that was acknowledged. A host whose log ends before it lacks what the learner was promised to be
    /// safe, and has to ask for it first.
    pub seq: u64,
    /// When it was issued, milliseconds since the Unix epoch.
    pub issued_unix_ms: u64,
    /// How long it is good, in milliseconds.
    pub good_for_ms: u64,
}

/// The key that tokens are made and checked with. Never shown.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

impl TokenKey {
    /// From a master key, which has at least 32 bytes of randomness.
    #[must_use]
    pub fn derive(master: &[u8]) -> Self {
        Self(blake3::derive_key(PURPOSE, master))
    }

    /// A token: 178 hexadecimal digits.
    #[must_use]
    pub fn issue(&self, claim: &Claim) -> String {
        let bytes = claim.to_bytes();
        let tag = blake3::keyed_hash(&self.0, &bytes);
        let mut token = String::with_capacity(2 * (CLAIM + TAG));
        for byte in bytes.iter().chain(tag.as_bytes()) {
            for digit in [byte >> 4, byte & 15] {
                token.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        token
    }

    /// What a token says, if it is genuine and good at `now_unix_ms`. `skew`: how far clocks may be apart.
    ///
    /// # Errors
    /// [`TokenRefused`], every one but [`TokenRefused::Foreign`].
    pub fn check(
        &self,
        token: &str,
        now_unix_ms: u64,
        skew: Duration,
    ) -> Result<Claim, TokenRefused> {
        let bytes = from_hex(token).ok_or(TokenRefused::Malformed)?;
        let (&version, _) = bytes.split_first().ok_or(TokenRefused::Malformed)?;
        if version > VERSION {
            return Err(TokenRefused::Newer(version));
        }
        let (claimed, tag) = bytes.split_at(CLAIM);
        let tag: [u8; TAG] = tag.try_into().map_err(|_| TokenRefused::Malformed)?;
        // Compared in constant time by blake3.
        if blake3::keyed_hash(&self.0, claimed) != blake3::Hash::from_bytes(tag) {
            return Err(TokenRefused::Forged);
        }
        let claim = Claim::from_bytes(claimed).ok_or(TokenRefused::Malformed)?;
        let ahead = Duration::from_millis(claim.issued_unix_ms.saturating_sub(now_unix_ms));
        if ahead > skew {
            return Err(TokenRefused::ClockSetBack { ahead });
        }
        let end = claim.issued_unix_ms.saturating_add(claim.good_for_ms);
        if now_unix_ms >= end {
            let since = Duration::from_millis(now_unix_ms - end);
            return Err(TokenRefused::Expired { since });
        }
        Ok(claim)
    }
}

impl Claim {
    /// # Errors
    /// [`TokenRefused::Foreign`] if the claim is not about this learner and session.
    pub fn is_for(&self, learner: LearnerId, session: SessionId) -> Result<(), TokenRefused> {
        if self.learner == learner && self.session == session {
            Ok(())
        } else {
            Err(TokenRefused::Foreign)
        }
    }

    fn to_bytes(self) -> [u8; CLAIM] {
        let mut bytes = [0; CLAIM];
        let parts = [VERSION]
            .into_iter()
            .chain(*self.learner.0.as_bytes())
            .chain(*self.session.0.as_bytes())
            .chain(self.seq.to_be_bytes())
            .chain(self.issued_unix_ms.to_be_bytes())
            .chain(self.good_for_ms.to_be_bytes());
        for (place, byte) in bytes.iter_mut().zip(parts) {
            *place = byte;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.get(1..)?;
        let (learner, rest) = rest.split_first_chunk()?;
        let (session, rest) = rest.split_first_chunk()?;
        let (seq, rest) = rest.split_first_chunk()?;
        let (issued, rest) = rest.split_first_chunk()?;
        let (good_for, _) = rest.split_first_chunk()?;
        Some(Self {
            learner: LearnerId(uuid::Uuid::from_bytes(*learner)),
            session: SessionId(uuid::Uuid::from_bytes(*session)),
            seq: u64::from_be_bytes(*seq),
            issued_unix_ms: u64::from_be_bytes(*issued),
            good_for_ms: u64::from_be_bytes(*good_for),
        })
    }
}

fn from_hex(token: &str) -> Option<[u8; CLAIM + TAG]> {
    let mut bytes = [0; CLAIM + TAG];
    if token.len() != 2 * bytes.len() {
        return None;
    }
    let mut digits = token.chars().map(|digit| digit.to_digit(16));
    for byte in &mut bytes {
        let value = digits.next()?? << 4 | digits.next()??;
        *byte = u8::try_from(value).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[path = "resume_tests.rs"]
mod tests;
