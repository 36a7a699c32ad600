//! The HTTP side: routes, and who is let through to them.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower::limit::GlobalConcurrencyLimitLayer;
use tracing::error;

use super::Heartbeat;
use super::access::{Access, host_is_ours, origin_is_ours};
use super::desk::Desk;
use super::mcp::Instructor;
use super::socket;

/// Largest request body.
const BODY: usize = 1 << 20;
/// Requests handled at once.
const AT_ONCE: usize = 256;
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
    let router = router(access, desk, heartbeat, &stop);
    let served = axum::serve(listener, router)
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

fn router(access: Access, desk: Desk, heartbeat: Arc<Heartbeat>, stop: &CancellationToken) -> Router {
    let instructor = Instructor::new(desk.clone());
    let mcp = StreamableHttpService::new(
        move || Ok(instructor.clone()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_cancellation_token(stop.child_token())
            .with_max_request_body_bytes(BODY)
            // `host_is_ours` does this for every route, and knows addresses on the network too.
            .disable_allowed_hosts(),
    );
    let guarded = Router::new()
        .nest_service("/mcp", mcp)
        .route("/ws", get(socket::upgrade).with_state(desk.clone()))
        .layer(from_fn_with_state(access, require_token));
    Router::new()
        .merge(guarded)
        .route("/healthz", get(healthz).with_state(Health { desk, heartbeat }))
        .route("/", get(welcome))
        .layer(from_fn(require_own_host))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
}

/// What a person sees who opens the address in a browser.
async fn welcome() -> &'static str {
    "Malloc VR: the instructor's door.\n\
     MCP: POST /mcp    live stream and commands: WebSocket /ws    health: GET /healthz\n\
     Both need the bearer token that `malloc-vr play` printed (docs/bridge.md).\n"
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
    let body = json!({
        "error": "unauthorized",
        "message": "send the header `Authorization: Bearer TOKEN` with the token that `malloc-vr play` printed \
                    (or that was given with --token); browsers may open /ws?token=TOKEN",
    });
    (
        StatusCode::UNAUTHORIZED,
        [("www-authenticate", "Bearer")],
        Json(body),
    )
        .into_response()
}

async fn require_own_host(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if host_is_ours(headers) && origin_is_ours(headers) {
        return next.run(request).await;
    }
    let body = json!({
        "error": "forbidden",
        "message": "requests come from this machine's own pages or from programs, and name it by its address or as localhost",
    });
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}
