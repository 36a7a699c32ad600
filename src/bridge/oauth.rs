//! A small authorization server, so that standard MCP clients can log in by themselves: metadata (RFC 8414), registration
//! (RFC 7591), the authorization code flow with PKCE (OAuth 2.1). Whoever knows the pairing code may authorize; there
//! are no accounts, no consent beyond typing the code, and no refresh tokens.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::access::tokens::{Grant, now_unix_ms};
use super::access::{Access, Origins, Wish, fresh_token, parameters};
use super::admin::{blocking, unusable};
use super::door::problem;
use super::oauth_page::{challenge_of, encoded, may_return_to, page};
use super::read::Body;
use super::resource::base;
use super::serve::Whence;
use crate::protocol::asker::{Asker, TokenId, TokenRole};

/// Largest body here.
const BODY: usize = 16 * 1024;
/// Clients remembered; the oldest make room and register again.
const CLIENTS: usize = 256;
/// Addresses that a client may be sent back to.
const RETURNS: usize = 8;
/// An authorization code is good for this long.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// Authorization codes at once.
const CODES: usize = 64;

#[derive(Clone)]
struct Server {
    access: Access,
    origins: Origins,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    clients: HashMap<String, Client>,
    codes: HashMap<String, Code>,
    registered: u64,
}

#[derive(Clone)]
struct Client {
    name: String,
    returns: Vec<String>,
    order: u64,
}

struct Code {
    client: String,
    back: String,
    challenge: String,
    until: Instant,
    state: Spent,
}

enum Spent {
    Not(Grant),
    /// On its way to becoming a token, or one already.
    Yes(Option<TokenId>),
}

pub(super) fn routes(access: Access, origins: Origins) -> Router {
    let server = Server {
        access,
        origins,
        known: Arc::default(),
    };
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/oauth/register", post(register))
        .route("/oauth/authorize", get(ask_for_code).post(authorize))
        .route("/oauth/token", post(token))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(server)
}

impl Server {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn base(&self, headers: &HeaderMap) -> String {
        base(&self.origins, headers).unwrap_or_default()
    }
}

async fn metadata(State(server): State<Server>, headers: HeaderMap) -> Response {
    let base = server.base(&headers);
    Json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/oauth/authorize"),
        "token_endpoint": format!("{base}/oauth/token"),
        "registration_endpoint": format!("{base}/oauth/register"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["observer", "instructor", "operator"],
        "authorization_response_iss_parameter_supported": true,
    }))
    .into_response()
}

#[derive(Deserialize)]
struct Registration {
    redirect_uris: Vec<String>,
    #[serde(default)]
    client_name: Option<String>,
}

async fn register(State(server): State<Server>, Body(body): Body<Registration>) -> Response {
    let many = body.redirect_uris.len();
    if many == 0 || many > RETURNS || !body.redirect_uris.iter().all(|it| may_return_to(it)) {
        let words = "redirect_uris: 1 to 8 addresses on this machine (http://127.0.0.1…, http://localhost…), https, or \
                     a program's own scheme";
        return oauth_error("invalid_redirect_uri", words);
    }
    let Ok(id) = fresh_token() else {
        return unusable_randomness();
    };
    let name: String = body.client_name.unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|it| !it.is_control())
        .take(60)
        .collect();
    let mut known = server.known();
    known.registered += 1;
    let order = known.registered;
    if known.clients.len() >= CLIENTS {
        let oldest = known.clients.iter().min_by_key(|(_, client)| client.order);
        if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
            known.clients.remove(&oldest);
        }
    }
    let answer = json!({
        "client_id": id,
        "client_name": name,
        "redirect_uris": body.redirect_uris,
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
    });
    let returns = body.redirect_uris;
    known.clients.insert(
        id,
        Client {
            name,
            returns,
            order,
        },
    );
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// What the client asks for, from the address or the form.
struct Asked {
    client: String,
    back: String,
    challenge: String,
    state: Option<String>,
    role: Option<TokenRole>,
    name: String,
}

impl Asked {
    /// What is wrong is shown to the person: a client that is not known is nobody to be sent back to.
    fn read(server: &Server, base: &str, given: &HashMap<String, String>) -> Result<Self, String> {
        let one = |name: &str| given.get(name).cloned().unwrap_or_default();
        let (client, back) = (one("client_id"), one("redirect_uri"));
        let known = server.known().clients.get(&client).cloned();
        let known = known.ok_or("this client is not registered here; let it connect anew")?;
        if !known.returns.contains(&back) {
            return Err(
                "the client did not register the address it wants you to be sent back to"
                    .to_owned(),
            );
        }
        if one("response_type") != "code" {
            return Err("the client wants something other than a code".to_owned());
        }
        let challenge = one("code_challenge");
        if challenge.len() != 43 || one("code_challenge_method") != "S256" {
            return Err("the client does not protect its code (PKCE with S256)".to_owned());
        }
        let resource = one("resource");
        let ours = |it: &str| {
            it == base
                || it
                    .strip_prefix(base)
                    .is_some_and(|rest| ["/", "/mcp"].contains(&rest))
        };
        if !resource.is_empty() && !ours(&resource) {
            return Err("the client asks for another machine's token".to_owned());
        }
        let scope = one("scope");
        let role = TokenRole::ALL
            .into_iter()
            .find(|role| scope.split(' ').any(|it| it == role.name()));
        Ok(Self {
            client,
            back,
            challenge,
            state: given.get("state").cloned(),
            role,
            name: known.name,
        })
    }
}

async fn ask_for_code(State(server): State<Server>, headers: HeaderMap, uri: Uri) -> Response {
    let given = parameters(uri.query().unwrap_or_default());
    match Asked::read(&server, &server.base(&headers), &given) {
        Ok(asked) => page(&asked.name, &asked.back, &given, None),
        Err(why) => problem(StatusCode::BAD_REQUEST, "invalid_request", &why),
    }
}

async fn authorize(
    State(server): State<Server>,
    Extension(Whence(peer)): Extension<Whence>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let given = parameters(&String::from_utf8_lossy(&body));
    let base = server.base(&headers);
    let asked = match Asked::read(&server, &base, &given) {
        Ok(asked) => asked,
        Err(why) => return problem(StatusCode::BAD_REQUEST, "invalid_request", &why),
    };
    let digits = given.get("code").map(String::as_str).unwrap_or_default();
    let wish = Wish {
        code: digits
            .chars()
            .filter(|it| !it.is_whitespace())
            .take(64)
            .collect(),
        name: if asked.name.is_empty() {
            "MCP client".to_owned()
        } else {
            asked.name.clone()
        },
        role: asked.role,
    };
    let grant = match server.access.exchange(&wish, peer) {
        Ok(grant) => grant,
        Err(why) => return page(&asked.name, &asked.back, &given, Some(&why)),
    };
    let Ok(code) = fresh_token() else {
        return unusable_randomness();
    };
    let mut address = asked.back.clone();
    address.push(if address.contains('?') { '&' } else { '?' });
    let _ = write!(address, "code={code}&iss={}", encoded(&base));
    if let Some(state) = &asked.state {
        let _ = write!(address, "&state={}", encoded(state));
    }
    let now = Instant::now();
    let mut known = server.known();
    known
        .codes
        .retain(|_, code| now < code.until + GOOD_FOR * 10);
    if known.codes.len() >= CODES {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "too many logins are under way; try again in a minute",
        );
    }
    known.codes.insert(
        code,
        Code {
            client: asked.client,
            back: asked.back,
            challenge: asked.challenge,
            until: now + GOOD_FOR,
            state: Spent::Not(grant),
        },
    );
    match HeaderValue::from_str(&address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(_) => problem(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "the address to be sent back to is no address",
        ),
    }
}

async fn token(State(server): State<Server>, body: Bytes) -> Response {
    let given = parameters(&String::from_utf8_lossy(&body));
    let one = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
    if one("grant_type") != "authorization_code" {
        return oauth_error(
            "unsupported_grant_type",
            "only authorization_code is offered; pair again when the token ends",
        );
    }
    let refused = || {
        oauth_error(
            "invalid_grant",
            "the code is wrong, used or older than a minute; log in again",
        )
    };
    let (code, replayed) = {
        let mut known = server.known();
        let now = Instant::now();
        let Some(code) = known.codes.get_mut(one("code")) else {
            return refused();
        };
        let right = code.client == one("client_id")
            && code.back == one("redirect_uri")
            && code.challenge == challenge_of(one("code_verifier"));
        match &mut code.state {
            // Somebody else had it as well: what it became ends (OAuth 2.1 §4.1.3).
            Spent::Yes(token) => (None, *token),
            Spent::Not(grant) if right && now < code.until => {
                let grant = grant.clone();
                code.state = Spent::Yes(None);
                (Some(grant), None)
            }
            Spent::Not(_) => {
                code.state = Spent::Yes(None);
                (None, None)
            }
        }
    };
    let access = server.access.clone();
    let Some(grant) = code else {
        if let Some(id) = replayed {
            let by = Asker {
                token: id,
                role: TokenRole::Observer,
            };
            if let Ok(Err(error)) = blocking(move || access.revoke(id, by)).await {
                tracing::error!("tokens: {error}");
            }
        }
        return refused();
    };
    match blocking(move || access.give(grant)).await {
        Ok(Ok((token, entry))) => {
            if let Some(code) = server.known().codes.get_mut(one("code")) {
                code.state = Spent::Yes(Some(entry.id));
            }
            let left = entry.expires_unix_ms.saturating_sub(now_unix_ms()) / 1000;
            Json(json!({
                "access_token": token.text(),
                "token_type": "Bearer",
                "expires_in": left,
                "scope": entry.role,
            }))
            .into_response()
        }
        Ok(Err(error)) => unusable(&error),
        Err(response) => response,
    }
}

fn unusable_randomness() -> Response {
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "fault",
        "the machine has no randomness",
    )
}

/// In the form of RFC 6749 §5.2.
fn oauth_error(error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
