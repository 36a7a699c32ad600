//! Who asks, by the token that the request came in with.

use axum::http::request::Parts;
use rmcp::model::Extensions;

use crate::bridge::access::Caller;

/// Whoever came in with this request.
///
/// # Errors
/// The request came by no door that says so.
pub(super) fn caller(extensions: &Extensions) -> Result<&Caller, String> {
    extensions
        .get::<Parts>()
        .and_then(|parts| parts.extensions.get::<Caller>())
        .ok_or_else(|| "this request says not who came in; pair again".to_owned())
}
