//! Pairing: six digits, shown beside the learner, become a token. They are good for five minutes, once, and for few
//! wrong guesses. A pure state machine over the time passed in.

use std::time::{Duration, Instant};

use super::backoff::{Backoff, Peer};
use super::caller::Scope;
use super::origin::same;
use super::tokens::Grant;
use crate::protocol::asker::TokenRole;

/// How long a code is good.
pub(in crate::bridge) const GOOD_FOR: Duration = Duration::from_secs(300);
/// Wrong guesses after which a code is withdrawn: a guesser's chance at one code is this in a million.
const GUESSES: u32 = 10;

/// What a code is exchanged for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The most that may be asked for.
    pub role: TokenRole,
    /// For whom.
    pub scope: Scope,
    /// How long the token lives.
    pub life: Duration,
}

impl Default for Offer {
    /// An instructor of everybody here, for a school day.
    fn default() -> Self {
        Self {
            role: TokenRole::Instructor,
            scope: Scope::Class,
            life: Duration::from_secs(12 * 3600),
        }
    }
}

/// What a client asks for with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bridge) struct Wish {
    pub(in crate::bridge) code: String,
    pub(in crate::bridge) name: String,
    /// Left out: all that is offered.
    pub(in crate::bridge) role: Option<TokenRole>,
}

/// Why no token is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::bridge) enum Unpaired {
    #[error(
        "the code is wrong, used, or older than five minutes; read the one that is shown now, or ask for a new one beside the learner"
    )]
    Wrong,
    #[error("too many wrong codes; wait {seconds} s and try again")]
    Wait { seconds: u64 },
    #[error(
        "the code is for the role {offered}, which is less than {asked}; leave `role` out, or have another code made"
    )]
    TooMuch {
        offered: TokenRole,
        asked: TokenRole,
    },
}

/// What somebody should notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bridge) enum Suspicion {
    /// So many wrong codes from one address.
    Guessing(u32),
    /// So many that the code was withdrawn.
    Withdrawn,
}

#[derive(Debug)]
struct Open {
    code: String,
    offer: Offer,
    until: Instant,
    wrong: u32,
}

/// At most one code at a time.
#[derive(Debug)]
pub(super) struct Pairing {
    open: Option<Open>,
    backoff: Backoff,
}

impl Default for Pairing {
    fn default() -> Self {
        Self {
            open: None,
            backoff: Backoff::new(3, 30),
        }
    }
}

impl Pairing {
    /// Opens with a fresh code, in place of the one before.
    pub(super) fn open(&mut self, offer: Offer, now: Instant) -> Result<String, getrandom::Error> {
        let code = fresh_code()?;
        self.open = Some(Open {
            code: code.clone(),
            offer,
            until: now + GOOD_FOR,
            wrong: 0,
        });
        Ok(code)
    }

    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Whether a code is good now; one that is over is forgotten.
    pub(super) fn is_open(&mut self, now: Instant) -> bool {
        self.open = self.open.take().filter(|open| now < open.until);
        self.open.is_some()
    }

    /// What this code is good for; it is then used up. The second part is what somebody should notice.
    pub(super) fn exchange(
        &mut self,
        wish: &Wish,
        from: Peer,
        now: Instant,
    ) -> (Result<Grant, Unpaired>, Option<Suspicion>) {
        let wait = self.backoff.wait(from, now);
        if !wait.is_zero() {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            return (Err(Unpaired::Wait { seconds }), None);
        }
        self.is_open(now);
        let right = |open: &Open| same(open.code.as_bytes(), wish.code.as_bytes());
        let Some(open) = self.open.take_if(|open| right(open)) else {
            return (Err(Unpaired::Wrong), self.wrong(from, now));
        };
        self.backoff.right(from);
        let role = wish.role.unwrap_or(open.offer.role);
        if !less_or_same(role, open.offer.role) {
            let offered = open.offer.role;
            // They know the code; they may try again with another wish.
            self.open = Some(open);
            return (
                Err(Unpaired::TooMuch {
                    offered,
                    asked: role,
                }),
                None,
            );
        }
        let Offer { scope, life, .. } = open.offer;
        let name = wish.name.clone();
        (
            Ok(Grant {
                name,
                role,
                scope,
                life,
            }),
            None,
        )
    }

    fn wrong(&mut self, from: Peer, now: Instant) -> Option<Suspicion> {
        let wrong = self.backoff.wrong(from, now);
        if let Some(open) = &mut self.open {
            open.wrong += 1;
            if open.wrong >= GUESSES {
                self.open = None;
                return Some(Suspicion::Withdrawn);
            }
        }
        (wrong >= 3).then_some(Suspicion::Guessing(wrong))
    }
}

/// Whether one role's holder may do nothing that the other's may not.
fn less_or_same(role: TokenRole, offered: TokenRole) -> bool {
    let rank = |role| match role {
        TokenRole::Observer => 0,
        TokenRole::Instructor => 1,
        TokenRole::Operator => 2,
        // Beside the others: nothing but itself.
        TokenRole::Learner => 3,
    };
    role == offered || (offered != TokenRole::Learner && rank(role) < rank(offered))
}

/// Six digits, each as likely as any other.
fn fresh_code() -> Result<String, getrandom::Error> {
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes)?;
        let number = u32::from_le_bytes(bytes);
        // The rest above the last whole million would make some codes likelier.
        if number < u32::MAX - u32::MAX % 1_000_000 {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    fn here(last: u8) -> Peer {
        Peer::of(IpAddr::from([10, 0, 0, last]))
    }

    fn wish(code: &str) -> Wish {
        Wish {
            code: code.to_owned(),
            name: "tablet".to_owned(),
            role: None,
        }
    }

    fn wrong(code: &str) -> String {
        if code == "000000" {
            "000001".to_owned()
        } else {
            "000000".to_owned()
        }
    }

    fn opened() -> (Pairing, String, Instant) {
        let (mut pairing, now) = (Pairing::default(), Instant::now());
        let code = pairing.open(Offer::default(), now).unwrap();
        (pairing, code, now)
    }

    #[test]
    fn a_code_is_good_once() {
        let (mut pairing, code, now) = opened();
        assert_eq!(code.len(), 6);
        let (grant, noticed) = pairing.exchange(&wish(&code), here(1), now);
        let grant = grant.unwrap();
        assert_eq!(
            (grant.role, grant.scope),
            (TokenRole::Instructor, Scope::Class)
        );
        assert_eq!(noticed, None);
        let (again, _) = pairing.exchange(&wish(&code), here(1), now);
        assert_eq!(again, Err(Unpaired::Wrong));
    }

    #[test]
    fn a_code_is_good_for_five_minutes_and_until_the_next_is_made() {
        let (mut pairing, code, now) = opened();
        let late = pairing.exchange(&wish(&code), here(1), now + GOOD_FOR).0;
        assert_eq!(late, Err(Unpaired::Wrong));
        let (mut pairing, code, now) = opened();
        let just = now + GOOD_FOR - Duration::from_millis(1);
        assert!(pairing.exchange(&wish(&code), here(1), just).0.is_ok());
        let (mut pairing, code, now) = opened();
        let next = pairing.open(Offer::default(), now).unwrap();
        if next != code {
            assert!(pairing.exchange(&wish(&code), here(1), now).0.is_err());
        }
        assert!(pairing.exchange(&wish(&next), here(2), now).0.is_ok());
    }

    #[test]
    fn who_guesses_waits_even_with_the_right_code_and_somebody_notices() {
        let (mut pairing, code, now) = opened();
        for guess in 1..=3 {
            let (refused, noticed) = pairing.exchange(&wish(&wrong(&code)), here(1), now);
            assert_eq!(refused, Err(Unpaired::Wrong));
            assert_eq!(noticed.is_some(), guess == 3);
        }
        let (refused, _) = pairing.exchange(&wish(&code), here(1), now);
        assert_eq!(refused, Err(Unpaired::Wait { seconds: 1 }));
        let later = now + Duration::from_secs(1);
        assert!(pairing.exchange(&wish(&code), here(1), later).0.is_ok());
    }

    #[test]
    fn a_code_that_many_guess_at_is_withdrawn() {
        let (mut pairing, code, now) = opened();
        let noticed: Vec<_> = (0..10)
            .map(|last| pairing.exchange(&wish(&wrong(&code)), here(last), now).1)
            .collect();
        assert_eq!(noticed.last(), Some(&Some(Suspicion::Withdrawn)));
        assert!(!pairing.is_open(now));
        assert!(pairing.exchange(&wish(&code), here(99), now).0.is_err());
    }

    #[test]
    fn a_code_gives_less_than_offered_but_never_more() {
        for (role, good) in [
            (TokenRole::Observer, true),
            (TokenRole::Instructor, true),
            (TokenRole::Operator, false),
            (TokenRole::Learner, false),
        ] {
            let (mut pairing, code, now) = opened();
            let asked = Wish {
                role: Some(role),
                ..wish(&code)
            };
            let (grant, _) = pairing.exchange(&asked, here(1), now);
            assert_eq!(grant.is_ok(), good, "{role}");
            if !good {
                assert!(pairing.exchange(&wish(&code), here(1), now).0.is_ok());
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_is_taken_for_the_code(text in "\\PC{0,12}") {
            let (mut pairing, code, now) = opened();
            prop_assume!(text != code);
            prop_assert!(pairing.exchange(&wish(&text), here(1), now).0.is_err());
        }
    }
}
