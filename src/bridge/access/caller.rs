//! Who came in. Every admitted request carries one of these as an extension
//! (`Extension<Caller>` in axum; in rmcp `http::request::Parts` in the request's extensions, and this in theirs).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::act::{Act, Reach};
use crate::protocol::asker::{Asker, TokenId, TokenRole};
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::ids::{CommandId, LearnerId};

/// Longest purpose kept, in characters.
pub const PURPOSE: usize = 200;

/// Whom a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everybody on this machine, whoever comes.
    Class,
    /// These.
    Learners(BTreeSet<LearnerId>),
}

impl Scope {
    /// Whether this one is meant.
    #[must_use]
    pub fn covers(&self, learner: LearnerId) -> bool {
        match self {
            Self::Class => true,
            Self::Learners(those) => those.contains(&learner),
        }
    }

    /// Whether everybody is meant that `other` means.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Class, _) => true,
            (Self::Learners(_), Self::Class) => false,
            (Self::Learners(mine), Self::Learners(theirs)) => theirs.is_subset(mine),
        }
    }
}

/// Why somebody who came in may not do this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The role does not go so far.
    #[error(
        "this token is for an {role}, who may not {}; {} may: ask whoever runs this machine for such a token",
        act.words(),
        roles(act.roles())
    )]
    Role {
        /// What was asked.
        act: Act,
        /// As what they came in.
        role: TokenRole,
    },
    /// The learner is none of theirs, or nobody: which of the two is not told.
    #[error(
        "this token is not for learner {learner}; the roster names those it is for, and whoever runs this machine can give another"
    )]
    Learner {
        /// Whom they asked for.
        learner: LearnerId,
    },
    /// It touches everybody, and the token is for some.
    #[error(
        "this token is for some learners, and to {} touches everybody; a token for the class is needed",
        act.words()
    )]
    Everybody {
        /// What was asked.
        act: Act,
    },
    /// The token is over.
    #[error("this token has expired or was revoked; pair again, or ask for another")]
    Over,
}

impl Refused {
    /// One word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Role { .. } => "role",
            Self::Learner { .. } => "scope",
            Self::Everybody { .. } => "scope",
            Self::Over => "token_over",
        }
    }
}

fn roles(roles: &[TokenRole]) -> String {
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    names.join(" or ")
}

/// Who came in, and what they may do. Cheap to clone; the same token gives the same caller.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Held>);

#[derive(Debug)]
struct Held {
    asker: Asker,
    name: String,
    scope: Scope,
    expires: Option<SystemTime>,
    ended: CancellationToken,
}

impl Caller {
    /// Whoever holds this token. `ended` is cancelled when the token is revoked or expires.
    pub(crate) fn new(
        asker: Asker,
        name: String,
        scope: Scope,
        expires: Option<SystemTime>,
        ended: CancellationToken,
    ) -> Self {
        Self(Arc::new(Held {
            asker,
            name,
            scope,
            expires,
            ended,
        }))
    }

    /// Token and role, for log and audit.
    #[must_use]
    pub fn asker(&self) -> Asker {
        self.0.asker
    }

    /// The token's id.
    #[must_use]
    pub fn token(&self) -> TokenId {
        self.0.asker.token
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> TokenRole {
        self.0.asker.role
    }

    /// What the token was named when it was issued, for lists. Not for logs: people write names there.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whom the token is for.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// When the token ends, milliseconds since the Unix epoch.
    #[must_use]
    pub fn expires_unix_ms(&self) -> Option<u64> {
        let since = self.0.expires?.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since.as_millis()).ok()
    }

    /// In whose name the command stands in the order of precedence.
    #[must_use]
    pub fn principal(&self) -> Principal {
        match self.role() {
            TokenRole::Learner => Principal::Learner,
            TokenRole::Observer | TokenRole::Instructor | TokenRole::Operator => {
                Principal::Instructor
            }
        }
    }

    /// Whether they may do this at all. For what touches one learner, ask [`Caller::may_with`].
    ///
    /// # Errors
    /// [`Refused`], whose text says what to do.
    pub fn may(&self, act: Act) -> Result<(), Refused> {
        if self.is_over() {
            return Err(Refused::Over);
        }
        if !act.roles().contains(&self.role()) {
            let role = self.role();
            return Err(Refused::Role { act, role });
        }
        if act.reach() == Reach::Everybody && self.0.scope != Scope::Class {
            return Err(Refused::Everybody { act });
        }
        Ok(())
    }

    /// Whether they may do this with that learner.
    ///
    /// # Errors
    /// [`Refused`], whose text says what to do.
    pub fn may_with(&self, act: Act, learner: LearnerId) -> Result<(), Refused> {
        self.may(act)?;
        if self.sees(learner) {
            Ok(())
        } else {
            Err(Refused::Learner { learner })
        }
    }

    /// Whether the learner is one of theirs. Streams and rosters leave out all others.
    #[must_use]
    pub fn sees(&self, learner: LearnerId) -> bool {
        self.0.scope.covers(learner)
    }

    /// A command in their name: the one way to make one in this room, so that none is given without having been
    /// allowed, and every one says who gave it. `purpose` is cut to [`PURPOSE`] characters.
    ///
    /// # Errors
    /// [`Refused`], whose text says what to do.
    pub fn command(
        &self,
        id: CommandId,
        learner: LearnerId,
        purpose: &str,
        body: CommandBody,
    ) -> Result<Command, Refused> {
        self.may_with(Act::of(&body), learner)?;
        Ok(Command {
            id,
            learner,
            principal: self.principal(),
            asker: Some(self.asker()),
            purpose: purpose.chars().take(PURPOSE).collect(),
            body,
            trace: None,
        })
    }

    /// Whether the token has expired or was revoked since they came in.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.ended.is_cancelled() || self.0.expires.is_some_and(|at| at <= SystemTime::now())
    }

    /// Comes to pass when the token is revoked: whatever lives on a connection waits for this, too, and hangs up.
    pub fn revoked(&self) -> WaitForCancellationFutureOwned {
        self.0.ended.clone().cancelled_owned()
    }

    /// Comes to pass when the token is revoked or expires. Every live connection selects on it and hangs up.
    pub async fn over(&self) {
        let left = self.0.expires.map(|at| {
            at.duration_since(SystemTime::now())
                .unwrap_or(Duration::ZERO)
        });
        match left {
            None => self.revoked().await,
            Some(left) => {
                let _ = tokio::time::timeout(left, self.revoked()).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::access::act::MATRIX;

    fn caller(role: TokenRole, scope: Scope) -> Caller {
        let token = TokenId(7);
        let asker = Asker { token, role };
        Caller::new(asker, String::new(), scope, None, CancellationToken::new())
    }

    #[test]
    fn what_a_caller_may_is_what_the_matrix_says_for_the_role() {
        let learner = LearnerId::fresh();
        for role in TokenRole::ALL {
            let class = caller(role, Scope::Class);
            for (act, _, _, roles) in MATRIX {
                assert_eq!(class.may_with(*act, learner).is_ok(), roles.contains(&role));
            }
        }
    }

    #[test]
    fn a_token_for_some_learners_reaches_neither_others_nor_everybody() {
        let (mine, other) = (LearnerId::fresh(), LearnerId::fresh());
        let some = caller(TokenRole::Operator, Scope::Learners([mine].into()));
        for (act, _, reach, roles) in MATRIX {
            let allowed = roles.contains(&TokenRole::Operator) && *reach != Reach::Everybody;
            assert_eq!(some.may_with(*act, mine).is_ok(), allowed, "{act:?}");
            assert!(some.may_with(*act, other).is_err(), "{act:?}");
        }
    }

    #[test]
    fn a_command_says_who_gave_it_and_none_is_made_without_leave() {
        let (id, learner) = (CommandId::fresh(), LearnerId::fresh());
        let teacher = caller(TokenRole::Instructor, Scope::Class);
        let command = teacher
            .command(id, learner, &"é".repeat(500), CommandBody::Pause)
            .unwrap();
        assert_eq!(command.asker, Some(teacher.asker()));
        assert_eq!(command.principal, Principal::Instructor);
        assert_eq!(command.purpose.chars().count(), PURPOSE);
        let own = caller(TokenRole::Learner, Scope::Learners([learner].into()));
        let command = own.command(id, learner, "", CommandBody::Pause).unwrap();
        assert_eq!(command.principal, Principal::Learner);
        let onlooker = caller(TokenRole::Observer, Scope::Class);
        let refused = onlooker.command(id, learner, "", CommandBody::Pause);
        let words = refused.unwrap_err().to_string();
        assert!(
            words.contains("observer") && words.contains("instructor"),
            "{words}"
        );
    }

    #[tokio::test]
    async fn who_is_over_may_nothing_and_is_told_at_once() {
        let ended = CancellationToken::new();
        let asker = Asker {
            token: TokenId(7),
            role: TokenRole::Operator,
        };
        let revoked = Caller::new(asker, String::new(), Scope::Class, None, ended.clone());
        assert!(revoked.may(Act::Tokens).is_ok());
        ended.cancel();
        revoked.over().await;
        assert_eq!(revoked.may(Act::Tokens), Err(Refused::Over));
        let past = Some(SystemTime::now() - Duration::from_secs(1));
        let expired = Caller::new(
            asker,
            String::new(),
            Scope::Class,
            past,
            CancellationToken::new(),
        );
        expired.over().await;
        assert_eq!(expired.may(Act::ReadState), Err(Refused::Over));
    }
}
