//! The body of a request: whole, and bounded in bytes and time.

use super::error::Problem;
use crate::flow::App;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

/// The whole body, if it is no larger than any submission may be.
pub async fn whole(headers: &HeaderMap, mut body: Body, app: &App) -> Result<Bytes, Problem> {
    // Comments are short, and what is compressed may unpack to a thousand times its size.
    if headers.get_all(CONTENT_ENCODING).iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let detail = "the body is compressed; send it as it is";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed body", detail).about("Content-Encoding"));
    }
    let limit = app.config().limits.body_bytes_max;
    let bytes_max = limit.saturating_mul(super::REQUEST_PER_BODY);
    let time_max = app.config().http.body_max;
    let error = match tokio::time::timeout(time_max, Limited::new(&mut body, bytes_max).collect()).await {
        Ok(Ok(whole)) => return Ok(whole.to_bytes()),
        Ok(Err(error)) => error,
        Err(_) => {
            let detail = format!("the request's body did not arrive within {} seconds", time_max.as_secs());
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request too slow", detail));
        }
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
