//! Over HTTP: a pairing code becomes a token; whoever runs the machine sees, issues and revokes tokens.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::access::tokens::{Grant, TokenEntry, TokenError, now_unix_ms};
use super::access::{Access, Act, Caller, Offer, Refused, Scope, Token, Ungiven, Unpaired, Wish};
use super::door::problem;
use super::read::Body;
use super::serve::Whence;
use crate::protocol::asker::{TokenId, TokenRole};
use crate::protocol::ids::LearnerId;

/// Largest body here.
const BODY: usize = 16 * 1024;
/// Most learners in a token's scope.
const LEARNERS: usize = 256;

/// Routes for whoever has a code.
pub(super) fn open(access: Access) -> Router {
    Router::new()
        .route("/pair", post(pair))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(access)
}

/// Routes for whoever has a token.
pub(super) fn guarded(access: Access) -> Router {
    Router::new()
        .route("/pairing", post(open_pairing).delete(close_pairing))
        .route("/tokens", get(list).post(issue))
        .route("/tokens/self", get(who_am_i).delete(revoke_own))
        .route("/tokens/self/rotate", post(rotate_own))
        .route("/tokens/{id}", delete(revoke))
        .route("/tokens/{id}/rotate", post(rotate))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(access)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PairBody {
    code: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    role: Option<TokenRole>,
}

async fn pair(
    State(access): State<Access>,
    Extension(Whence(peer)): Extension<Whence>,
    Body(body): Body<PairBody>,
) -> Response {
    let wish = Wish {
        // People type the space that the panel shows.
        code: body
            .code
            .chars()
            .filter(|it| !it.is_whitespace())
            .take(64)
            .collect(),
        name: body.name.unwrap_or_else(|| "paired".to_owned()),
        role: body.role,
    };
    let place = access.place().clone();
    match blocking(move || access.pair(&wish, peer)).await {
        Ok(Ok((token, entry))) => given(&token, &entry, place.fingerprint.as_deref()),
        Ok(Err(Ungiven::Unpaired(why))) => unpaired(&why),
        Ok(Err(Ungiven::Token(error))) => unusable(&error),
        Err(response) => response,
    }
}

pub(super) fn unpaired(why: &Unpaired) -> Response {
    match why {
        Unpaired::Wrong => problem(StatusCode::FORBIDDEN, "wrong_code", &why.to_string()),
        Unpaired::TooMuch { .. } => problem(StatusCode::FORBIDDEN, "role", &why.to_string()),
        Unpaired::Wait { seconds } => {
            let mut response = problem(StatusCode::TOO_MANY_REQUESTS, "wait", &why.to_string());
            let seconds = HeaderValue::from(*seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferBody {
    #[serde(default)]
    role: Option<TokenRole>,
    /// Left out: the class.
    #[serde(default)]
    learners: Option<BTreeSet<LearnerId>>,
    #[serde(default)]
    life_seconds: Option<u64>,
}

impl OfferBody {
    // An answer is as large as it is, and there is one a request.
    #[allow(clippy::result_large_err)]
    fn offer(self) -> Result<Offer, Response> {
        let usual = Offer::default();
        let scope = match self.learners {
            None => Scope::Class,
            Some(those) if those.is_empty() || those.len() > LEARNERS => {
                let words = format!(
                    "`learners` names 1 to {LEARNERS} learners; leave it out for the class"
                );
                return Err(problem(StatusCode::BAD_REQUEST, "scope", &words));
            }
            Some(those) => Scope::Learners(those),
        };
        Ok(Offer {
            role: self.role.unwrap_or(usual.role),
            scope,
            life: self.life_seconds.map_or(usual.life, Duration::from_secs),
        })
    }
}

async fn open_pairing(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<OfferBody>,
) -> Result<Response, Response> {
    may(&caller)?;
    let shown = access
        .open_pairing(body.offer()?, Some(caller.asker()))
        .map_err(|error| unusable(&TokenError::Random(error)))?;
    let left = shown.until.saturating_duration_since(Instant::now());
    let body = json!({
        "code": shown.code,
        "address": shown.address,
        "fingerprint": shown.fingerprint,
        "good_for_seconds": left.as_secs(),
    });
    Ok(Json(body).into_response())
}

async fn close_pairing(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Response> {
    may(&caller)?;
    access.close_pairing();
    Ok(StatusCode::NO_CONTENT)
}

async fn list(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Response> {
    may(&caller)?;
    let now = now_unix_ms();
    let tokens: Vec<_> = access.list().iter().map(|it| shown(it, now)).collect();
    Ok(Json(json!({ "tokens": tokens })).into_response())
}

async fn who_am_i(Extension(caller): Extension<Caller>) -> Response {
    Json(json!({
        "id": caller.token(),
        "name": caller.name(),
        "role": caller.role(),
        "scope": caller.scope(),
        "expires_unix_ms": caller.expires_unix_ms(),
    }))
    .into_response()
}

#[derive(Debug, Deserialize)]
struct IssueBody {
    name: String,
    #[serde(flatten)]
    offer: OfferBody,
}

async fn issue(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<IssueBody>,
) -> Result<Response, Response> {
    may(&caller)?;
    let Offer { role, scope, life } = body.offer.offer()?;
    let name = body.name;
    let grant = Grant {
        name,
        role,
        scope,
        life,
    };
    let (by, place) = (caller.asker(), access.place().clone());
    let issued = blocking(move || access.issue(grant, by)).await?;
    let (token, entry) = issued.map_err(|error| unusable(&error))?;
    Ok(given(&token, &entry, place.fingerprint.as_deref()))
}

async fn revoke(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Response> {
    may(&caller)?;
    revoke_one(access, &caller, read_id(&id)?).await
}

async fn revoke_own(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Response> {
    revoke_one(access, &caller, caller.token()).await
}

async fn revoke_one(access: Access, caller: &Caller, id: TokenId) -> Result<StatusCode, Response> {
    let by = caller.asker();
    let revoked = blocking(move || access.revoke(id, by)).await?;
    revoked.map_err(|error| unusable(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn rotate(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    may(&caller)?;
    rotate_one(access, &caller, read_id(&id)?).await
}

async fn rotate_own(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Response> {
    rotate_one(access, &caller, caller.token()).await
}

async fn rotate_one(access: Access, caller: &Caller, id: TokenId) -> Result<Response, Response> {
    let (by, place) = (caller.asker(), access.place().clone());
    let rotated = blocking(move || access.rotate(id, by)).await?;
    let (token, entry) = rotated.map_err(|error| unusable(&error))?;
    Ok(given(&token, &entry, place.fingerprint.as_deref()))
}

// An answer is as large as it is, and there is one a request.
#[allow(clippy::result_large_err)]
fn read_id(text: &str) -> Result<TokenId, Response> {
    let unknown = |_| {
        problem(
            StatusCode::NOT_FOUND,
            "no_such_token",
            "no token has that id; GET /tokens lists them",
        )
    };
    text.parse().map_err(unknown)
}

// An answer is as large as it is, and there is one a request.
#[allow(clippy::result_large_err)]
fn may(caller: &Caller) -> Result<(), Response> {
    caller
        .may(Act::Tokens)
        .map_err(|refused| not_allowed(&refused))
}

/// What somebody gets who may not.
pub(super) fn not_allowed(refused: &Refused) -> Response {
    problem(StatusCode::FORBIDDEN, refused.code(), &refused.to_string())
}

pub(super) fn unusable(error: &TokenError) -> Response {
    let status = match error {
        TokenError::NoSuch(_) => StatusCode::NOT_FOUND,
        TokenError::Over(_) | TokenError::Full => StatusCode::CONFLICT,
        TokenError::Name | TokenError::Life | TokenError::LearnerScope => StatusCode::BAD_REQUEST,
        TokenError::Disk { .. }
        | TokenError::Damaged { .. }
        | TokenError::Open { .. }
        | TokenError::Random(_) => {
            tracing::error!("tokens: {error}");
            let words =
                "the list of tokens cannot be read or written; the log on the machine says why";
            return problem(StatusCode::INTERNAL_SERVER_ERROR, "tokens", words);
        }
    };
    problem(status, "token", &error.to_string())
}

fn shown(entry: &TokenEntry, now_unix_ms: u64) -> serde_json::Value {
    json!({
        "id": entry.id,
        "name": entry.name,
        "role": entry.role,
        "scope": entry.scope,
        "issued_unix_ms": entry.issued_unix_ms,
        "expires_unix_ms": entry.expires_unix_ms,
        "revoked_unix_ms": entry.revoked_unix_ms,
        "replaced_by": entry.replaced_by,
        "in_force": entry.in_force(now_unix_ms),
    })
}

fn given(token: &Token, entry: &TokenEntry, fingerprint: Option<&str>) -> Response {
    let body = json!({
        "token": token.text(),
        "id": entry.id,
        "role": entry.role,
        "scope": entry.scope,
        "expires_unix_ms": entry.expires_unix_ms,
        "fingerprint": fingerprint,
    });
    (StatusCode::CREATED, Json(body)).into_response()
}

/// Work that waits for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        let words = "the machine failed at it; try again";
        problem(StatusCode::INTERNAL_SERVER_ERROR, "fault", words)
    })
}
