//! The API's contract: what an answer holds, who may ask, how rulings are taken, and that the address of a commenter is in no answer.

use crate::app::{BLOG_KEY, OPEN_KEY, OTHER_KEY, STERN_KEY, Setup, TestApp, WATCH_KEY, editor, stranger};
use crate::store::Look;
use reqwest::Method;
use serde_json::{Value, json};

fn keys(document: &Value) -> Vec<&str> {
    document.as_object().unwrap().keys().map(String::as_str).collect()
}

fn stands(document: &Value) -> (&str, &str, bool) {
    (document["status"].as_str().unwrap(), document["verdict"].as_str().unwrap(), document["discard"].as_bool().unwrap())
}

#[tokio::test]
async fn an_answer_has_every_field_and_every_verdict_its_status() {
    let app = TestApp::start(Setup::default()).await;
    for (key, comment, expected) in [
        (BLOG_KEY, stranger("A word about the kettle."), ("held", "hold", false)),
        (BLOG_KEY, editor("Thank you, we mended it."), ("published", "publish", false)),
        (BLOG_KEY, stranger("Get a blockedword now"), ("rejected", "reject", false)),
        (STERN_KEY, stranger("A word about the kettle: write to ann@kettle.example."), ("rejected", "reject", true)),
        (STERN_KEY, stranger("A word about the kettle."), ("held", "hold", false)),
        (WATCH_KEY, stranger("A word about the kettle."), ("published", "hold", false)),
        (OPEN_KEY, json!({ "body": "hello" }), ("published", "publish", false)),
    ] {
        let answer = app.submit(key, &comment).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("content-type"), "application/json");
        let document = answer.json();
        let expected_keys = ["band", "decided_at", "discard", "id", "model", "reasons", "score", "status", "verdict"];
        assert_eq!(keys(&document), expected_keys);
        assert_eq!(stands(&document), expected);
        assert!((0.0..=1.0).contains(&document["score"].as_f64().unwrap()));
        assert!(["likely_fine", "unsure", "likely_spam"].contains(&document["band"].as_str().unwrap()));
        assert!(document["decided_at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(document["model"].as_str().unwrap().len(), 12);
        for reason in document["reasons"].as_array().unwrap() {
            assert_eq!(keys(reason), ["code", "effect", "text"]);
            assert!(["reject", "hold", "evidence", "trust"].contains(&reason["effect"].as_str().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_caller_who_does_not_wait_gets_202_and_the_verdict_later() {
    let app = TestApp::start(Setup::default()).await;
    for prefer in ["respond-async", "wait=10, respond-async", "return=minimal; x=1, Respond-Async"] {
        let answer = app.submit_with(BLOG_KEY, &[("prefer", prefer)], &stranger("Later is fine.")).await;
        assert_eq!((answer.status, keys(&answer.json())), (202, vec!["id", "status"]), "{prefer}: {}", answer.text);
        assert_eq!(answer.json()["status"], "queued");
        let judged = app.judged(BLOG_KEY, &answer.id()).await;
        assert_eq!(stands(&judged), ("held", "hold", false));
    }
    let answer = app.submit_with(BLOG_KEY, &[("prefer", "return=minimal, respond-asynchronously")], &stranger("Now, please.")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_ruling_may_follow_any_verdict_and_the_last_one_wins() {
    let app = TestApp::start(Setup::default()).await;
    for comment in [stranger("A word about the kettle."), editor("Thank you."), stranger("blockedword")] {
        let id = app.submit(BLOG_KEY, &comment).await.id();
        let verdict = app.document(BLOG_KEY, &id).await.json()["verdict"].clone();
        assert_eq!(app.document(BLOG_KEY, &id).await.json()["ruling"], Value::Null);
        for (ruling, status) in [("publish", "published"), ("spam", "rejected"), ("publish", "published"), ("remove", "rejected")] {
            let ruled = app.rule(BLOG_KEY, &id, ruling).await;
            assert_eq!(ruled.status, 200, "{}", ruled.text);
            let document = app.document(BLOG_KEY, &id).await.json();
            assert_eq!(ruled.json(), document);
            assert_eq!((&document["status"], &document["verdict"]), (&json!(status), &verdict));
            assert_eq!(keys(&document["ruling"]), ["at", "by", "ruling", "via"]);
            assert_eq!((&document["ruling"]["ruling"], &document["ruling"]["via"]), (&json!(ruling), &json!("api")));
        }
    }
}

#[tokio::test]
async fn a_ruling_that_is_none_changes_nothing() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.id();
    for (ruling, status) in [("approve", 422), ("", 422), ("Publish", 422)] {
        let answer = app.rule(BLOG_KEY, &id, ruling).await;
        assert_eq!((answer.status, answer.json()["field"].clone()), (status, json!("ruling")), "{ruling}");
    }
    let path = format!("/v1/comments/{id}/ruling");
    let key = [("authorization", &*format!("Bearer {BLOG_KEY}"))];
    for (body, status) in [("{}", 422), ("[", 400), ("{\"ruling\":1}", 422)] {
        assert_eq!(app.send(Method::POST, &path, &key, body).await.status, status, "{body}");
    }
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["ruling"], Value::Null);
}

#[tokio::test]
async fn what_is_not_this_sites_is_unknown_to_it() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.id();
    for (key, id) in [(OTHER_KEY, &*id), (BLOG_KEY, "019ab3c0-7a51-7c1e-8f00-2b6f0f6a9d11"), (BLOG_KEY, "7"), (BLOG_KEY, "%00%ff")] {
        let (read, ruled) = (app.document(key, id).await, app.rule(key, id, "publish").await);
        assert_eq!((read.status, ruled.status), (404, 404), "{id}");
        assert_eq!(read.header("content-type"), "application/problem+json");
    }
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "held");
}

#[tokio::test]
async fn only_a_known_key_opens() {
    let app = TestApp::start(Setup::default()).await;
    let body = stranger("A word about the kettle.").to_string();
    for authorization in
        ["", "Bearer", "Bearer ", "Bearer nobody-knows-me", "Basic blog-key-000000", "blog-key-000000", "Bearer blog-key-00000"]
    {
        let headers: Vec<_> = Some(("authorization", authorization)).filter(|(_, value)| !value.is_empty()).into_iter().collect();
        for (method, path) in [(Method::POST, "/v1/comments"), (Method::GET, "/v1/comments/7"), (Method::POST, "/v1/comments/7/ruling")] {
            let answer = app.send(method, path, &headers, body.clone()).await;
            assert_eq!(answer.status, 401, "{authorization:?} {path}");
            assert_eq!((answer.header("www-authenticate"), answer.json()["status"].clone()), ("Bearer", json!(401)));
        }
    }
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 0);
}

#[tokio::test]
async fn the_address_and_the_text_are_in_no_answer_and_in_no_log() {
    let app = TestApp::start(Setup::default()).await;
    let secret = json!({ "name": "Quincy", "email": "quincy@private.example", "ip": "203.0.113.77", "body": "Xylophones are quiet https://a.example" });
    let mut answers = String::new();
    for key in [BLOG_KEY, WATCH_KEY, STERN_KEY] {
        let headers = [("idempotency-key", "once")];
        let first = app.submit_with(key, &headers, &secret).await;
        answers += &first.text;
        answers += &app.submit_with(key, &headers, &secret).await.text;
        answers += &app.document(key, &first.id()).await.text;
        answers += &app.rule(key, &first.id(), "remove").await.text;
        answers += &app.submit_async(key, &secret).await.text;
    }
    answers += &app.submit(BLOG_KEY, &json!({ "name": "Quincy", "email": "quincy@private.example <x>", "body": "hi" })).await.text;
    answers += &app.log();
    for private in ["quincy@", "private.example", "203.0.113.77", "Quincy", "Xylophones"] {
        assert!(!answers.contains(private), "{private} is in {answers}");
    }
}

#[tokio::test]
async fn addresses_and_ways_that_are_not_there_are_named() {
    let app = TestApp::start(Setup::default()).await;
    for (method, path, status) in [
        (Method::GET, "/", 404),
        (Method::GET, "/v1/comment", 404),
        (Method::PUT, "/v1/comments", 405),
        (Method::PATCH, "/v1/comments/7", 405),
        (Method::GET, "/v1/comments/7/ruling", 405),
        (Method::POST, "/health/live", 405),
        (Method::GET, "/demo/", 404),
    ] {
        let answer = app.send(method, path, &[], "").await;
        assert_eq!((answer.status, answer.header("content-type")), (status, "application/problem+json"), "{path}");
    }
    assert_eq!((app.get("/health/live").await.status, app.get("/health/ready").await.status), (200, 200));
}
