//! The HTTP side: routes, and who is let through to them.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::Heartbeat;
use super::access::{Access, host_is_ours, origin_is_ours};
use super::desk::Desk;
use super::mcp::Instructor;
use super::socket::{self, Limits, SocketDoor};

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
}

/// Serves until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    access: Access,
    desk: Desk,
    limits: Limits,
    heartbeat: Arc<Heartbeat>,
    stop: CancellationToken,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            error!("the bridge cannot listen: {error}");
            return;
        }
    };
    let router = router(access, desk, limits, heartbeat, &stop);
    let served = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stop.clone().cancelled_owned())
    .into_future();
    tokio::select! {
        result = served => if let Err(error) = result {
            error!("the bridge stopped: {error}");
        },
        // Open streams do not end by themselves.
        () = async { stop.cancelled().await; tokio::time::sleep(Duration::from_millis(300)).await } => {}
    }
}

fn router(
    access: Access,
    desk: Desk,
    limits: Limits,
    heartbeat: Arc<Heartbeat>,
    stop: &CancellationToken,
) -> Router {
    let for_mcp = desk.clone();
    let mcp = StreamableHttpService::new(
        move || Ok(Instructor::new(for_mcp.clone())),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_cancellation_token(stop.child_token())
            .with_max_request_body_bytes(BODY)
            // `host_is_ours` does this for every route, and knows addresses on the network too.
            .disable_allowed_hosts(),
    );
    let guarded = Router::new()
        .nest_service("/mcp", mcp)
        .route(
            "/ws",
            get(socket::upgrade).with_state(SocketDoor::new(desk.clone(), limits)),
        )
        .layer(from_fn_with_state(access, require_token));
    Router::new()
        .merge(guarded)
        .route(
            "/healthz",
            get(healthz).with_state(Health { desk, heartbeat }),
        )
        .route("/", get(welcome))
        .fallback(nothing_here)
        .layer(from_fn(require_own_host))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state(
            Arc::new(Semaphore::new(AT_ONCE)),
            in_time_and_measure,
        ))
}

/// What a person sees who opens the address in a browser.
async fn welcome() -> &'static str {
    "Malloc VR: the instructor's door.\n\
     MCP: POST /mcp    live stream and commands: WebSocket /ws    health: GET /healthz\n\
     Both need the bearer token that `malloc-vr play` printed (docs/bridge.md).\n"
}

async fn nothing_here() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "not_found",
        "nothing is here; there are /mcp, /ws and /healthz (docs/bridge.md)",
    )
}

fn problem(status: StatusCode, error: &str, message: &str) -> Response {
    (status, Json(json!({ "error": error, "message": message }))).into_response()
}

/// Neither too many requests at once, nor one that takes its time.
async fn in_time_and_measure(
    State(places): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(_place) = places.try_acquire() else {
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

async fn healthz(State(health): State<Health>) -> Response {
    let last = health.heartbeat.last_ms.load(Ordering::Relaxed);
    let since = health
        .heartbeat
        .start
        .elapsed()
        .saturating_sub(Duration::from_millis(last));
    let ticking = last > 0 && since < STANDS_STILL;
    let published = health.desk.published();
    let good = ticking && published.records.good;
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({
        "ok": good,
        "ticking": ticking,
        "last_tick_seconds_ago": (last > 0).then_some(since.as_secs_f64()),
        "records": published.records,
        "learners": published.learners.len(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body)).into_response()
}

async fn require_token(State(access): State<Access>, request: Request, next: Next) -> Response {
    if access.admits(request.headers(), request.uri()) {
        return next.run(request).await;
    }
    let mut response = problem(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "send the header `Authorization: Bearer TOKEN` with the token that `malloc-vr play` printed \
         (or that was given with --token); browsers may open /ws?token=TOKEN",
    );
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

async fn require_own_host(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if host_is_ours(headers) && origin_is_ours(headers) {
        return next.run(request).await;
    }
    problem(
        StatusCode::FORBIDDEN,
        "forbidden",
        "requests come from this machine's own pages or from programs, and name it by its address or as localhost",
    )
}
