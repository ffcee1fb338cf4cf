//! Request ids: what a client calls its request, or what we do, stands in the answer and before every line that the log has of it.

use super::spans;
use crate::flow::App;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use tracing::Instrument;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A UUID has 36 and trace ids of proxies some 60; what is longer is somebody's way of writing into the log.
const CHARS_MAX: usize = 128;

pub async fn tag(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let sent = request.headers().get(&X_REQUEST_ID).filter(|id| is_sound(id.as_bytes()));
    let id = sent.cloned().unwrap_or_else(|| made(app.dice.bytes()));
    let span = spans::of(id.to_str().unwrap_or_default(), &request);
    let mut response = next.run(request).instrument(span.clone()).await;
    spans::answered(&span, response.status());
    response.headers_mut().insert(X_REQUEST_ID, id);
    response
}

fn is_sound(id: &[u8]) -> bool {
    (1..=CHARS_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

/// 64 bits: ids need only be told apart in one log.
fn made(chance: [u8; 32]) -> HeaderValue {
    let id = chance.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    HeaderValue::try_from(format!("{id:016x}")).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_visible() {
        for (id, sound) in [("a", true), ("019ab3c0-7a51-7c1e", true), ("", false), ("a b", false), ("a\u{e9}", false), ("a\n", false)] {
            assert_eq!(is_sound(id.as_bytes()), sound, "{id:?}");
        }
        assert!(is_sound("x".repeat(128).as_bytes()) && !is_sound("x".repeat(129).as_bytes()));
        assert_eq!(made([0x1f; 32]), "1f1f1f1f1f1f1f1f");
    }
}
