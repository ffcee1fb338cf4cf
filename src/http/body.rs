//! The body of a request, whole and bounded.

use super::error::Problem;
use crate::flow::App;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

/// The whole body, if it is no larger than any submission may be.
pub async fn whole(mut body: Body, app: &App) -> Result<Bytes, Problem> {
    let limit = app.config().limits.body_bytes_max;
    let bytes_max = limit.saturating_mul(super::REQUEST_PER_BODY);
    let error = match Limited::new(&mut body, bytes_max).collect().await {
        Ok(whole) => return Ok(whole.to_bytes()),
        Err(error) => error,
    };
    if !error.is::<LengthLimitError>() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "request cut off", "the request's body did not arrive whole"));
    }
    drain(body, bytes_max).await;
    let detail = format!("the request is larger than any submission may be; `body` may have {limit} bytes");
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request too large", detail).about("body").limited(limit, "more"))
}

/// Of a body that is too large so much more is read and thrown away, in times what it may have, and for so long. A client that is still sending
/// when its connection is closed sees the connection reset, and never our answer.
const DRAINED_MAX: usize = 16;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(1);

async fn drain(body: Body, bytes_max: usize) {
    let mut rest = Limited::new(body, bytes_max.saturating_mul(DRAINED_MAX));
    let drained = async { while let Some(Ok(_)) = rest.frame().await {} };
    let _ = tokio::time::timeout(DRAIN_TIME_MAX, drained).await;
}
