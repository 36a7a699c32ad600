//! What we hand a client so that it brings it back: readable by anybody, forged by nobody, and old after a while.

use std::time::Duration;

use uuid::Uuid;

use crate::session::unix_ms;

/// How long an answer to a question may take.
const LASTS: Duration = Duration::from_secs(15 * 60);

/// Seals with a key that lives as long as the process.
#[derive(Clone)]
pub struct Seal {
    key: [u8; 32],
}

/// Why a sealed text is not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It was changed, comes from another process, or belongs to another act.
    #[error("it does not belong to this act, or it was changed")]
    Foreign,
    /// It is too old.
    #[error("it is older than 15 minutes; ask again")]
    Old,
}

impl Seal {
    /// A seal with a fresh key.
    #[must_use]
    pub fn fresh() -> Self {
        let mut key = [0; 32];
        if getrandom::fill(&mut key).is_err() {
            // Two random UUIDs have less, and enough, of what nobody can guess.
            let ids = [Uuid::now_v7(), Uuid::now_v7()].map(|id| id.as_u128().to_be_bytes());
            key = *blake3::hash(&ids.concat()).as_bytes();
        }
        Self { key }
    }

    /// Seals `payload` (letters, digits and signs but the dot) for `act`; who opens it must name the same act.
    #[must_use]
    pub fn close(&self, act: &str, payload: &str) -> String {
        let until = unix_ms().saturating_add(u64::try_from(LASTS.as_millis()).unwrap_or(u64::MAX));
        let mark = self.mark(act, until, payload);
        format!("{until}.{payload}.{mark}")
    }

    /// What was sealed.
    ///
    /// # Errors
    /// [`Broken`]: it must not be trusted.
    pub fn open<'a>(&self, act: &str, sealed: &'a str) -> Result<&'a str, Broken> {
        let (until, rest) = sealed.split_once('.').ok_or(Broken::Foreign)?;
        let (payload, mark) = rest.rsplit_once('.').ok_or(Broken::Foreign)?;
        let until: u64 = until.parse().map_err(|_| Broken::Foreign)?;
        let shown = blake3::Hash::from_hex(mark).map_err(|_| Broken::Foreign)?;
        // The comparison of hashes takes the same time wherever they differ.
        if shown != self.mark(act, until, payload) {
            return Err(Broken::Foreign);
        }
        if unix_ms() > until {
            return Err(Broken::Old);
        }
        Ok(payload)
    }

    fn mark(&self, act: &str, until: u64, payload: &str) -> blake3::Hash {
        // Lengths first, so that no two triples are written alike.
        let text = format!("{}|{}|{until}|{act}|{payload}", act.len(), payload.len());
        blake3::keyed_hash(&self.key, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_act_in_the_same_process_opens_a_seal() {
        let seal = Seal::fresh();
        let sealed = seal.close("erase|learner", "round-1");
        assert_eq!(seal.open("erase|learner", &sealed), Ok("round-1"));
        assert_eq!(seal.open("erase|other", &sealed), Err(Broken::Foreign));
        assert_eq!(
            Seal::fresh().open("erase|learner", &sealed),
            Err(Broken::Foreign)
        );
        let longer = sealed.replacen(['1', '2'], "9", 1);
        assert_eq!(seal.open("erase|learner", &longer), Err(Broken::Foreign));
        assert_eq!(
            seal.open("erase|learner", "1.round-1.00"),
            Err(Broken::Foreign)
        );
    }

    #[test]
    fn an_old_seal_is_not_taken_back() {
        let seal = Seal::fresh();
        let mark = seal.mark("a", 7, "x");
        assert_eq!(seal.open("a", &format!("7.x.{mark}")), Err(Broken::Old));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_opening_panic(text in "[0-9a-f.é]{0,90}") {
            let _ = Seal::fresh().open("act", &text);
        }
    }
}
