//! The proof that motion may be recorded: it comes only from a recorded consent, and carries how long it may be kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::protocol::ids::LearnerId;

/// A consent to motion recording as the consent records hold it. Only `record/` makes one, from such a record.
#[derive(Debug)]
pub struct Grant {
    learner: LearnerId,
    from_unix_ms: u64,
    until_unix_ms: u64,
    longest: Duration,
    holds: Arc<AtomicBool>,
}

impl Grant {
    /// The consent of `learner` to motion recording, in force from `from_unix_ms` until before `until_unix_ms`, under
    /// which a recording may be kept for `longest`. To be called by what reads the consent records, and nothing else.
    pub(in crate::record) fn recorded(
        learner: LearnerId,
        from_unix_ms: u64,
        until_unix_ms: u64,
        longest: Duration,
    ) -> Self {
        Self {
            learner,
            from_unix_ms,
            until_unix_ms,
            longest,
            holds: Arc::new(AtomicBool::new(true)),
        }
    }

    /// The consent was taken back: every token of it is worthless from now on.
    pub fn withdraw(&self) {
        self.holds.store(false, Ordering::Release);
    }
}

/// Why there is no token, or why it no longer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The consent begins later.
    #[error("the consent to motion recording is not yet in force; set the clock, or wait")]
    NotYet,
    /// The consent has run out.
    #[error("the consent to motion recording has run out; ask for it anew")]
    RunOut,
    /// The consent was taken back.
    #[error("the consent to motion recording was taken back; nothing more is recorded")]
    Withdrawn,
    /// More than was consented to.
    #[error(
        "motion may be kept for at most {longest:?} under this consent; ask for {longest:?} or less"
    )]
    KeptTooLong {
        /// What was consented to.
        longest: Duration,
    },
    /// Another learner's.
    #[error("this token is another learner's; make one from this learner's consent")]
    AnotherLearner,
}

/// Proof that a learner's motion may be recorded (and replayed), and for how long it may be kept. It cannot be copied,
/// stored, read back or made up: see the examples in [the room's head](super).
#[derive(Debug)]
pub struct ConsentToken {
    learner: LearnerId,
    from_unix_ms: u64,
    until_unix_ms: u64,
    keep: Duration,
    holds: Arc<AtomicBool>,
}

impl ConsentToken {
    /// From a recorded consent that is in force at `now_unix_ms`, to keep what is recorded for `keep`.
    ///
    /// # Errors
    /// The consent is not in force, or allows less.
    pub fn from_grant(
        grant: &Grant,
        now_unix_ms: u64,
        keep: Duration,
    ) -> Result<Self, ConsentError> {
        if keep > grant.longest {
            return Err(ConsentError::KeptTooLong {
                longest: grant.longest,
            });
        }
        let token = Self {
            learner: grant.learner,
            from_unix_ms: grant.from_unix_ms,
            until_unix_ms: grant.until_unix_ms,
            keep,
            holds: Arc::clone(&grant.holds),
        };
        token.check(grant.learner, now_unix_ms).map(|()| token)
    }

    /// Whether it serves for `learner` at `now_unix_ms`.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, learner: LearnerId, now_unix_ms: u64) -> Result<(), ConsentError> {
        if learner != self.learner {
            Err(ConsentError::AnotherLearner)
        } else if !self.holds.load(Ordering::Acquire) {
            Err(ConsentError::Withdrawn)
        } else if now_unix_ms < self.from_unix_ms {
            Err(ConsentError::NotYet)
        } else if now_unix_ms >= self.until_unix_ms {
            Err(ConsentError::RunOut)
        } else {
            Ok(())
        }
    }

    /// When what is recorded at `now_unix_ms` has to be gone.
    #[must_use]
    pub fn delete_at_unix_ms(&self, now_unix_ms: u64) -> u64 {
        now_unix_ms.saturating_add(u64::try_from(self.keep.as_millis()).unwrap_or(u64::MAX))
    }

    /// True until the consent is taken back: shared, so that what waits for the disk can be thrown away.
    pub(super) fn holds(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn grant(learner: LearnerId) -> Grant {
        Grant::recorded(learner, 1_000, 9_000, 30 * DAY)
    }

    #[test]
    fn a_consent_not_in_force_gives_no_token() {
        let grant = grant(LearnerId::fresh());
        let at = |now| ConsentToken::from_grant(&grant, now, DAY).map(|_| ());
        assert_eq!(at(999), Err(ConsentError::NotYet));
        assert_eq!(at(1_000), Ok(()));
        assert_eq!(at(8_999), Ok(()));
        assert_eq!(at(9_000), Err(ConsentError::RunOut));
        grant.withdraw();
        assert_eq!(at(1_000), Err(ConsentError::Withdrawn));
    }

    #[test]
    fn nothing_is_kept_longer_than_was_consented_to() {
        let grant = grant(LearnerId::fresh());
        let longest = 30 * DAY;
        let too_long = longest + Duration::from_millis(1);
        assert_eq!(
            ConsentToken::from_grant(&grant, 2_000, too_long).map(|_| ()),
            Err(ConsentError::KeptTooLong { longest })
        );
        let token = ConsentToken::from_grant(&grant, 2_000, DAY).unwrap();
        assert_eq!(token.delete_at_unix_ms(2_000), 86_402_000);
    }

    #[test]
    fn a_token_serves_its_learner_alone_and_dies_with_the_consent() {
        let (ada, ben) = (LearnerId::fresh(), LearnerId::fresh());
        let grant = grant(ada);
        let token = ConsentToken::from_grant(&grant, 2_000, DAY).unwrap();
        assert_eq!(token.check(ben, 2_000), Err(ConsentError::AnotherLearner));
        assert_eq!(token.check(ada, 2_000), Ok(()));
        assert_eq!(token.check(ada, 9_000), Err(ConsentError::RunOut));
        grant.withdraw();
        assert_eq!(token.check(ada, 2_000), Err(ConsentError::Withdrawn));
    }
}
