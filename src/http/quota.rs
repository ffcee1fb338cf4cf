//! Quotas: how often a key may call, told with every answer in the fields of the IETF's draft on rate limits (draft-ietf-httpapi-ratelimit-headers,
//! 10), and 429 for those who call more often. The counting is `pace`'s.

use super::auth;
use super::error::Problem;
use crate::access::{KeyHash, hash};
use crate::flow::{App, access};
use crate::pace::{Left, Pace, Quota, TooOften};
use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a quota is counted in.
const WINDOW: Duration = Duration::from_mins(1);

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The counts of all keys, by their hash.
#[derive(Debug)]
pub struct Quotas {
    pub app: Arc<App>,
    pub keys: Mutex<Pace<KeyHash>>,
}

/// Counts a call under the key that it carries. A key that opens nothing is not counted here: it gets its 401, and costs no more.
pub async fn count(State(quotas): State<Arc<Quotas>>, request: Request, next: Next) -> Response {
    let config = quotas.app.config();
    let key = auth::bearer(request.headers()).filter(|key| access::caller(&quotas.app, key).is_some()).map(hash);
    let (Some(key), 1..) = (key, config.key_requests_per_minute_max) else { return next.run(request).await };
    let quota = Quota { count: config.key_requests_per_minute_max, window: WINDOW };
    let now = quotas.app.clock.now();
    let admitted = quotas.keys.lock().unwrap_or_else(PoisonError::into_inner).admit(key, quota, now);
    let mut response = match admitted {
        Ok(_) => next.run(request).await,
        Err(too_often) => refusal(quota, too_often),
    };
    let headers = response.headers_mut();
    for (name, value) in [(POLICY, policy(quota)), (LIMIT, limit(admitted))] {
        headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
    }
    response
}

fn policy(quota: Quota) -> String {
    format!("\"key\";q={};w={}", quota.count, quota.window.as_secs())
}

fn limit(admitted: Result<Left, TooOften>) -> String {
    match admitted {
        Ok(left) => format!("\"key\";r={};t={}", left.count, seconds(left.full_in)),
        Err(TooOften(wait)) => format!("\"key\";r=0;t={}", seconds(wait)),
    }
}

/// Whole seconds, up: who comes back when they are over is admitted.
fn seconds(duration: Duration) -> u64 {
    duration.as_micros().div_ceil(1_000_000).try_into().unwrap_or(u64::MAX)
}

fn refusal(quota: Quota, TooOften(wait): TooOften) -> Response {
    let detail = format!("this key made {} requests within {} s, its limit; nothing was taken", quota.count, quota.window.as_secs());
    let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_read_as_the_draft_writes_them() {
        assert_eq!(policy(Quota { count: 600, window: WINDOW }), "\"key\";q=600;w=60");
        assert_eq!(limit(Ok(Left { count: 599, full_in: Duration::from_micros(100) })), "\"key\";r=599;t=1");
        assert_eq!(limit(Err(TooOften(Duration::from_millis(1_001)))), "\"key\";r=0;t=2");
    }
}
