//! JSON bodies, and refusals in our own form where they are none.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::door::problem;

/// A JSON body of this type; the content type must say that it is JSON, which keeps plain forms of foreign pages out.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let read: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        let refused = |error: JsonRejection| problem(error.status(), "body", &error.body_text());
        read.map(|Json(body)| Self(body)).map_err(refused)
    }
}
