//! `GET /learners/{id}/view.png`: the newest picture for a page or a program, with the token in the header.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::{PICTURE_WITHIN, PictureRefused, PictureWish};
use crate::bridge::access::{Act, Caller};
use crate::bridge::door::problem;
use crate::bridge::mcp::Shared;
use crate::bridge::mcp::look::Look;
use crate::protocol::ids::{CommandId, LearnerId};
use crate::protocol::picture::NoPicture;

/// The route, for whoever has a token.
pub(in crate::bridge) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/learners/{id}/view.png", get(view))
        .with_state(shared)
}

async fn view(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let Ok(learner) = id.parse::<LearnerId>() else {
        let words =
            "the address names a learner's id, as the roster gives it: /learners/ID/view.png";
        return problem(StatusCode::NOT_FOUND, "not_found", words);
    };
    if let Err(why) = caller.may_with(Act::View, learner) {
        let purpose = "to see what the learner sees".to_owned();
        caller.tell_refused(CommandId::fresh(), learner, Act::View, purpose);
        return problem(StatusCode::FORBIDDEN, why.code(), &why.to_string());
    }
    let asker = caller.asker();
    let wish = |answer| {
        Look::Picture(PictureWish {
            learner,
            asker,
            answer,
            at_the_host: false,
        })
    };
    match shared.look(PICTURE_WITHIN, wish).await {
        Ok(Ok(picture)) => (
            [
                (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
                (
                    HeaderName::from_static("x-picture-size"),
                    size(picture.width, picture.height),
                ),
            ],
            picture.png.to_vec(),
        )
            .into_response(),
        Ok(Err(why)) => refused(&why),
        Err(why) => again(
            problem(StatusCode::SERVICE_UNAVAILABLE, "busy", &why),
            Some(1),
        ),
    }
}

fn size(width: u32, height: u32) -> HeaderValue {
    let size = HeaderValue::from_str(&format!("{width}x{height}"));
    size.unwrap_or(HeaderValue::from_static("0x0"))
}

fn refused(why: &PictureRefused) -> Response {
    let (status, error) = match why {
        PictureRefused::NoLearner(_) => (StatusCode::NOT_FOUND, "not_found"),
        PictureRefused::NotAgreed(_) | PictureRefused::None(NoPicture::NotAgreed(_)) => {
            (StatusCode::FORBIDDEN, "consent")
        }
        PictureRefused::TooOften(_)
        | PictureRefused::Crowded
        | PictureRefused::None(NoPicture::TooOften) => (StatusCode::TOO_MANY_REQUESTS, "wait"),
        PictureRefused::None(NoPicture::NotReached) => {
            (StatusCode::SERVICE_UNAVAILABLE, "not_reached")
        }
        PictureRefused::None(NoPicture::NoAnswer) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        PictureRefused::None(NoPicture::Elsewhere) => (StatusCode::CONFLICT, "elsewhere"),
        PictureRefused::None(NoPicture::NothingDrawn) => (StatusCode::CONFLICT, "headless"),
        PictureRefused::None(NoPicture::Asleep) => (StatusCode::SERVICE_UNAVAILABLE, "asleep"),
        PictureRefused::None(NoPicture::Emergency) => {
            (StatusCode::SERVICE_UNAVAILABLE, "emergency")
        }
        PictureRefused::None(NoPicture::Failed(_)) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    again(problem(status, error, &why.to_string()), why.again_after())
}

fn again(mut response: Response, seconds: Option<u64>) -> Response {
    if let Some(seconds) = seconds {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
