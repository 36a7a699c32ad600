//! The HTTP side: routes, and who is let through to them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::StreamExt;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Heartbeat;
use super::access::{Access, Caller, Denied, Origins};
use super::admin;
use super::counters::Counters;
use super::desk::Desk;
use super::mcp::{Instructor, Shared};
use super::mcp_sessions::{Sessions, own_sessions_only};
use super::oauth;
use super::page;
use super::pictures;
use super::resource;
use super::serve::{Limits, Whence};
use super::socket::{self, SocketDoor};

/// Largest request body.
const BODY: usize = 1 << 20;
/// Requests handled at once; one more is sent away with the advice to come again.
const AT_ONCE: usize = 256;
/// From the head of a request to the head of its answer; a body that trickles in slower is cut off.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// A world that has not ticked for this long does not answer.
const STANDS_STILL: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Health {
    desk: Desk,
    heartbeat: Arc<Heartbeat>,
    counters: Counters,
}

/// Who may come in, by which names and under which header.
pub(super) struct Guard {
    pub(super) access: Access,
    pub(super) origins: Origins,
}

/// Everything that can be asked for.
pub(super) fn router(
    guard: Guard,
    desk: Desk,
    mcp: Arc<Shared>,
    limits: Limits,
    counters: Counters,
    heartbeat: Arc<Heartbeat>,
    ending: &CancellationToken,
) -> Router {
    let Guard { access, origins } = guard;
    let looks = pictures::door::routes(mcp.clone());
    let mcp = StreamableHttpService::new(
        move || Ok(Instructor::new(mcp.clone())),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_cancellation_token(ending.child_token())
            .with_max_request_body_bytes(BODY)
            // `host_is_ours` does this for every route, and knows addresses on the network too.
            .disable_allowed_hosts(),
    );
    let guarded = Router::new()
        .nest_service("/mcp", mcp)
        .route(
            "/ws",
            get(socket::upgrade).with_state(SocketDoor::new(
                desk.clone(),
                limits,
                counters.clone(),
            )),
        )
        .layer(from_fn_with_state(Sessions::default(), own_sessions_only))
        .merge(admin::guarded(access.clone()))
        .merge(looks)
        .layer(from_fn_with_state(
            (access.clone(), origins.clone()),
            require_token,
        ));
    Router::new()
        .merge(guarded)
        .merge(admin::open(access.clone()).layer(from_fn_with_state(counters.clone(), nobody_new)))
        .merge(oauth::routes(access, origins.clone()))
        .merge(resource::routes(origins.clone()))
        .route(
            "/healthz",
            get(healthz).with_state(Health {
                desk,
                heartbeat,
                counters: counters.clone(),
            }),
        )
        .merge(page::routes(origins.clone()))
        .fallback(nothing_here)
        .layer(from_fn_with_state(origins, require_own_host))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state(
            (Arc::new(Semaphore::new(AT_ONCE)), counters.clone()),
            in_time_and_measure,
        ))
        .layer(from_fn(safe_in_a_browser))
}

async fn nothing_here() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "not_found",
        "nothing is here; there are the instructor's page at /, /mcp, /ws, /pair, /tokens and /healthz (docs/bridge.md)",
    )
}

pub(super) fn problem(status: StatusCode, error: &str, message: &str) -> Response {
    (status, Json(json!({ "error": error, "message": message }))).into_response()
}

/// Neither too many requests at once, nor one that takes its time.
async fn in_time_and_measure(
    State((places, counters)): State<(Arc<Semaphore>, Counters)>,
    request: Request,
    next: Next,
) -> Response {
    let place = places.try_acquire();
    counters.request(place.is_ok());
    let Ok(_place) = place else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "too many requests are under way; try again in a second",
        );
    };
    match tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => problem(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "the request took longer than 20 s to arrive or to be answered; send it again",
        ),
    }
}

/// While the machine is drained nobody new comes in. Those who are in go on.
async fn nobody_new(State(counters): State<Counters>, request: Request, next: Next) -> Response {
    if !counters.is_draining() {
        return next.run(request).await;
    }
    drained()
}

/// What somebody new is told then.
pub(super) fn drained() -> Response {
    let words = "this machine is being drained and takes nobody new; come again in a minute, or go to another";
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "draining", words);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(60));
    response
}

async fn healthz(State(health): State<Health>) -> Response {
    let last = health.heartbeat.last_ms.load(Ordering::Relaxed);
    let since = health
        .heartbeat
        .start
        .elapsed()
        .saturating_sub(Duration::from_millis(last));
    let ticking = last > 0 && since < STANDS_STILL;
    let published = health.desk.published();
    let draining = health.counters.is_draining();
    // Whoever sends clients here sends them elsewhere, as long as this is drained.
    let good = ticking && published.health.good() && !draining;
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({
        "ok": good,
        "ticking": ticking,
        "draining": draining,
        "last_tick_seconds_ago": (last > 0).then_some(since.as_secs_f64()),
        "records": published.health.records,
        "commands": published.health.commands,
        "stream": published.health.stream,
        "memory": published.health.memory,
        "learners": published.learners.len(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body)).into_response()
}

/// Whoever is let in is told to the handlers as a [`Caller`](super::access::Caller) in the request's extensions.
/// What is still being sent when the token ends is cut off.
async fn require_token(
    State((access, origins)): State<(Access, Origins)>,
    mut request: Request,
    next: Next,
) -> Response {
    let whence = request.extensions().get::<Whence>().copied();
    let Some(Whence(peer)) = whence else {
        let words = "the connection's address is not known";
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "fault", words);
    };
    match access.admit(request.headers(), request.uri(), peer) {
        Ok(caller) => {
            request.extensions_mut().insert(caller.clone());
            let response = next.run(request).await;
            if response.body().size_hint().exact().is_some() {
                return response;
            }
            // A stream, which may last as long as the token.
            response.map(|body| {
                let until = body.into_data_stream().take_until(ended(caller));
                Body::from_stream(until)
            })
        }
        Err(denied) => {
            let metadata = resource::metadata_address(&origins, request.headers());
            turned_away(denied, metadata.as_deref())
        }
    }
}

async fn ended(caller: Caller) {
    caller.over().await;
}

fn turned_away(denied: Denied, metadata: Option<&str>) -> Response {
    let (status, error, words) = match denied {
        Denied::Missing | Denied::Unknown => (
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "send the header `Authorization: Bearer TOKEN` with a token from POST /pair, from `malloc-vr tokens issue`, \
             or the one that `malloc-vr play` printed; browsers may open /ws?token=TOKEN",
        ),
        Denied::Over => (
            StatusCode::UNAUTHORIZED,
            "token_over",
            "this token has expired, was replaced or was revoked; pair again, or ask for another",
        ),
        Denied::Crowded => (
            StatusCode::TOO_MANY_REQUESTS,
            "busy",
            "this token has too many requests and connections open; close one that is not needed and try again",
        ),
        Denied::Wait { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "wait",
            "too many wrong tokens came from your address; wait, and use a token that is in force",
        ),
    };
    let mut response = problem(status, error, words);
    let headers = response.headers_mut();
    if let Denied::Wait { seconds } = denied {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        // RFC 6750 §3 and RFC 9728 §5.1.
        let mut challenge = "Bearer realm=\"malloc-vr\"".to_owned();
        if denied != Denied::Missing {
            challenge += ", error=\"invalid_token\"";
        }
        if let Some(metadata) = metadata {
            challenge += &format!(", resource_metadata=\"{metadata}\"");
        }
        let challenge = HeaderValue::from_str(&challenge);
        let challenge = challenge.unwrap_or(HeaderValue::from_static("Bearer"));
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

async fn require_own_host(
    State(origins): State<Origins>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    if origins.host_is_ours(headers) && origins.origin_is_ours(headers) {
        return next.run(request).await;
    }
    problem(
        StatusCode::FORBIDDEN,
        "forbidden",
        "requests come from this machine's own pages or from programs, and name it by its address, as localhost, \
         or by a name given with --host",
    )
}

/// What pages may do, and what browsers may make of answers.
async fn safe_in_a_browser(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        // With `no-referrer` browsers would send `Origin: null` from our own forms.
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
        ),
        ("cache-control", "no-store"),
    ] {
        // A page that knows better says so.
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
