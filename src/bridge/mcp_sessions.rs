//! Sessions of MCP belong to the token that began them: with another's session id nobody gets in (MCP, security best
//! practices, "session hijacking").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::access::Caller;
use super::door::problem;
use crate::protocol::asker::TokenId;

/// Name of the header.
const SESSION: &str = "mcp-session-id";
/// Sessions remembered; one beyond it makes the oldest begin anew.
const MOST: usize = 4096;

/// Which session is whose.
#[derive(Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    begun: u64,
    owners: HashMap<String, (TokenId, u64)>,
}

impl Sessions {
    fn owner(&self, session: &str) -> Option<TokenId> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.owners.get(session).map(|(owner, _)| *owner)
    }

    fn begin(&self, session: &str, owner: TokenId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.begun += 1;
        let begun = known.begun;
        known
            .owners
            .entry(session.to_owned())
            .or_insert((owner, begun));
        if known.owners.len() > MOST {
            let oldest = known.owners.iter().min_by_key(|(_, (_, at))| *at);
            if let Some(oldest) = oldest.map(|(session, _)| session.clone()) {
                known.owners.remove(&oldest);
            }
        }
    }
}

fn session(headers: &HeaderMap) -> Option<&str> {
    headers.get(SESSION)?.to_str().ok()
}

/// Lets nobody into a session of somebody else; whoever loses theirs begins another, as the protocol says for 404.
pub(super) async fn own_sessions_only(
    State(sessions): State<Sessions>,
    request: Request,
    next: Next,
) -> Response {
    let caller = request.extensions().get::<Caller>().map(Caller::token);
    let Some(caller) = caller else {
        return problem(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "no token was shown",
        );
    };
    if request.headers().contains_key(SESSION) {
        let owner = session(request.headers()).and_then(|it| sessions.owner(it));
        if owner != Some(caller) {
            let words = "no session of yours has that id; begin one with `initialize`";
            return problem(StatusCode::NOT_FOUND, "no_such_session", words);
        }
    }
    let ends = request.method() == Method::DELETE;
    let mut response = next.run(request).await;
    // A session that was ended is gone now, not later: the official Python client takes `202` for a failure.
    if ends && response.status() == StatusCode::ACCEPTED {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    if let Some(begun) = session(response.headers()) {
        sessions.begin(begun, caller);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_stays_whose_it_was_and_not_too_many_are_remembered() {
        let sessions = Sessions::default();
        sessions.begin("a", TokenId(1));
        sessions.begin("a", TokenId(2));
        assert_eq!(sessions.owner("a"), Some(TokenId(1)));
        assert_eq!(sessions.owner("b"), None);
        for other in 0..MOST {
            sessions.begin(&format!("s{other}"), TokenId(3));
        }
        assert_eq!(sessions.owner("a"), None);
        assert_eq!(sessions.owner("s0"), Some(TokenId(3)));
    }
}
