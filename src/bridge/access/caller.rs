//! Who came in. Every admitted request carries one of these as an extension
//! (`Extension<Caller>` in axum; in rmcp `http::request::Parts` in the request's extensions, and this in theirs).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::act::{Act, Reach};
use super::news::{News, Teller};
use crate::protocol::asker::{Asker, TokenId, TokenRole};
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::ids::{CommandId, LearnerId};
use crate::protocol::trace::Trace;

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
        "this token is for the role {role}, which may not {}; {} may: ask whoever runs this machine for such a token",
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

/// Who came in, and what they may do. Cheap to clone. A clone that lives as long as a connection keeps one of the
/// token's places, so hold it there and nowhere else.
#[derive(Debug, Clone)]
pub struct Caller {
    held: Arc<Held>,
    _place: Option<Arc<OwnedSemaphorePermit>>,
}

#[derive(Debug)]
struct Held {
    asker: Asker,
    name: String,
    scope: Scope,
    expires: Option<SystemTime>,
    ended: CancellationToken,
    news: Option<Teller>,
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
        let held = Held {
            asker,
            name,
            scope,
            expires,
            ended,
            news: None,
        };
        Self {
            held: Arc::new(held),
            _place: None,
        }
    }

    /// The same, for whom what is refused is told on, for the audit.
    pub(super) fn watched(self, news: Teller) -> Self {
        let Held {
            asker,
            scope,
            expires,
            ended,
            name,
            ..
        } = &*self.held;
        let held = Held {
            asker: *asker,
            name: name.clone(),
            scope: scope.clone(),
            expires: *expires,
            ended: ended.clone(),
            news: Some(news),
        };
        Self {
            held: Arc::new(held),
            _place: None,
        }
    }

    /// The same, in one of the token's places.
    pub(super) fn in_place(&self, place: OwnedSemaphorePermit) -> Self {
        Self {
            held: self.held.clone(),
            _place: Some(Arc::new(place)),
        }
    }

    /// The token is over: whatever it holds open ends.
    pub(super) fn end(&self) {
        self.held.ended.cancel();
    }

    /// Token and role, for log and audit.
    #[must_use]
    pub fn asker(&self) -> Asker {
        self.held.asker
    }

    /// The token's id.
    #[must_use]
    pub fn token(&self) -> TokenId {
        self.held.asker.token
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> TokenRole {
        self.held.asker.role
    }

    /// What the token was named when it was issued, for lists. Not for logs: people write names there.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.held.name
    }

    /// Whom the token is for.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.held.scope
    }

    /// When the token ends, milliseconds since the Unix epoch.
    #[must_use]
    pub fn expires_unix_ms(&self) -> Option<u64> {
        let since = self.held.expires?.duration_since(UNIX_EPOCH).ok()?;
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
        if act.reach() == Reach::Everybody && self.held.scope != Scope::Class {
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
        self.held.scope.covers(learner)
    }

    /// A command in their name: the one way to make one in this room, so that none is given without having been
    /// allowed, and every one says who gave it. `purpose` is cut to [`PURPOSE`] characters; `trace` is what the act
    /// belongs to, if its client says so.
    ///
    /// # Errors
    /// [`Refused`], whose text says what to do.
    pub fn command(
        &self,
        id: CommandId,
        learner: LearnerId,
        purpose: &str,
        body: CommandBody,
        trace: Option<Trace>,
    ) -> Result<Command, Refused> {
        let act = Act::of(&body);
        let purpose: String = purpose.chars().take(PURPOSE).collect();
        if let Err(refused) = self.may_with(act, learner) {
            self.tell_refused(id, learner, act, purpose);
            return Err(refused);
        }
        Ok(Command {
            id,
            learner,
            principal: self.principal(),
            asker: Some(self.asker()),
            purpose,
            body,
            trace,
        })
    }

    /// Tells the audit of something that was refused for role or scope.
    pub(in crate::bridge) fn tell_refused(
        &self,
        command: CommandId,
        learner: LearnerId,
        act: Act,
        purpose: String,
    ) {
        if let Some(news) = &self.held.news {
            news.tell(News::NotAllowed {
                command,
                learner,
                asker: self.asker(),
                act,
                purpose,
            });
        }
    }

    /// Whether the token has expired or was revoked since they came in.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.held.ended.is_cancelled()
            || self.held.expires.is_some_and(|at| at <= SystemTime::now())
    }

    /// Comes to pass when the token is revoked: whatever lives on a connection waits for this, too, and hangs up.
    pub fn revoked(&self) -> WaitForCancellationFutureOwned {
        self.held.ended.clone().cancelled_owned()
    }

    /// Comes to pass when the token is revoked or expires. Every live connection selects on it and hangs up.
    pub async fn over(&self) {
        let left = self.held.expires.map(|at| {
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
#[path = "caller_tests.rs"]
mod tests;
