//! What an MCP client finds that knows nothing but the address: metadata of the protected resource (RFC 9728).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::access::Origins;
use super::access::origin_host;

/// Where the metadata of the whole bridge lies; that of `/mcp` lies below it.
pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Address of the metadata, as this client names the machine.
pub(super) fn metadata_address(origins: &Origins, headers: &HeaderMap) -> Option<String> {
    base(origins, headers).map(|base| format!("{base}{WELL_KNOWN}/mcp"))
}

/// `https://192.168.1.7:7878`, as this client names the machine.
pub(super) fn base(origins: &Origins, headers: &HeaderMap) -> Option<String> {
    let host = origin_host(headers)?;
    Some(format!("{}://{host}", origins.scheme))
}

pub(super) fn routes(origins: Origins) -> Router {
    Router::new()
        .route(WELL_KNOWN, get(of_the_bridge))
        .route(&format!("{WELL_KNOWN}/mcp"), get(of_mcp))
        .with_state(origins)
}

async fn of_the_bridge(State(origins): State<Origins>, headers: HeaderMap) -> Response {
    metadata(&origins, &headers, "")
}

async fn of_mcp(State(origins): State<Origins>, headers: HeaderMap) -> Response {
    metadata(&origins, &headers, "/mcp")
}

fn metadata(origins: &Origins, headers: &HeaderMap, path: &str) -> Response {
    let base = base(origins, headers).unwrap_or_default();
    Json(json!({
        "resource": format!("{base}{path}"),
        "resource_name": "Malloc VR",
        "authorization_servers": [base],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["observer", "instructor", "operator"],
    }))
    .into_response()
}
