//! What surrounds every answer of the API: request ids, quotas, compression.

use crate::app::{BLOG_KEY, OTHER_KEY, Setup, TestApp, stranger};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn every_answer_has_a_request_id_and_a_sound_one_is_kept() {
    let app = TestApp::start(Setup::default()).await;
    for (path, status) in [("/health/live", 200), ("/v1/comments", 401), ("/nowhere", 404)] {
        let first = app.get(path).await;
        assert_eq!((first.status, first.header("x-request-id").len()), (status, 16), "{path}");
        assert_ne!(app.get(path).await.header("x-request-id"), first.header("x-request-id"));
        let named = app.send(Method::GET, path, &[("x-request-id", "trace-7")], "").await;
        assert_eq!(named.header("x-request-id"), "trace-7");
    }
    for unsound in ["", "two words", &"x".repeat(129)] {
        let answer = app.send(Method::GET, "/health/live", &[("x-request-id", unsound)], "").await;
        assert_eq!(answer.header("x-request-id").len(), 16, "{unsound}");
    }
}

#[tokio::test]
async fn a_key_that_calls_too_often_is_told_when_to_come_back_and_others_are_not() {
    let app = TestApp::start(Setup::default().set("HTTP__KEY_REQUESTS_PER_MINUTE_MAX", 3)).await;
    let body = stranger("A word about the kettle.");
    for left in [2, 1, 0] {
        let answer = app.submit(BLOG_KEY, &body).await;
        assert_eq!((answer.status, answer.header("ratelimit-policy")), (200, "\"key\";q=3;w=60"));
        assert!(answer.header("ratelimit").starts_with(&format!("\"key\";r={left};t=")), "{}", answer.header("ratelimit"));
    }
    let refused = app.submit(BLOG_KEY, &body).await;
    assert_eq!(
        (refused.status, refused.header("content-type"), refused.json()["status"].clone()),
        (429, "application/problem+json", json!(429))
    );
    assert!((1..=20).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    assert!(refused.header("ratelimit").starts_with("\"key\";r=0;t="));
    assert_eq!(app.submit(OTHER_KEY, &body).await.status, 200, "each key has its own");
    let unknown = app.submit("nobody-knows-me", &body).await;
    assert_eq!((unknown.status, unknown.header("ratelimit")), (401, ""));
    assert_eq!(app.get("/health/ready").await.status, 200);
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_ask() {
    let app = TestApp::start(Setup::default()).await;
    let plain = app.get("/v1/openapi.json").await;
    assert_eq!((plain.status, plain.header("content-encoding")), (200, ""));
    let packed = app.client.get(format!("{}/v1/openapi.json", app.base)).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let bytes = packed.bytes().await.unwrap();
    assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() * 2 < plain.text.len(), "{} of {}", bytes.len(), plain.text.len());
    let short = app.send(Method::GET, "/health/live", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(short.header("content-encoding"), "", "what fits into a packet is left alone");
}

#[tokio::test]
async fn no_page_of_elsewhere_reads_the_api() {
    let app = TestApp::start(Setup::default()).await;
    for method in [Method::GET, Method::OPTIONS] {
        let answer = app.send(method, "/v1/openapi.json", &[("origin", "https://elsewhere.example")], "").await;
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}
