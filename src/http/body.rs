//! The body of a request, whole and bounded.

use super::error::Problem;
use crate::flow::App;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use http_body_util::LengthLimitError;

/// The whole body, if it is no larger than any submission may be.
pub async fn whole(body: Body, app: &App) -> Result<Bytes, Problem> {
    let limit = app.config.limits.body_bytes_max;
    to_bytes(body, limit.saturating_mul(super::REQUEST_PER_BODY)).await.map_err(|error| {
        let too_large = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if too_large {
            let detail = format!("the request is larger than any submission may be; `body` may have {limit} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request too large", detail).about("body").limited(limit, "more")
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "request cut off", "the request's body did not arrive whole")
        }
    })
}
