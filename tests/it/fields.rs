//! The fields of a submission: what a site requires, how long things may be, and that what cannot be read is named with field, limit and
//! what was got.

use crate::app::{BLOG_KEY, OPEN_KEY, Setup, TestApp, editor, stranger};
use reqwest::Method;
use serde_json::{Value, json};

fn codes(document: &Value) -> Vec<&str> {
    let hard = |reason: &&Value| reason["effect"] == "reject";
    document["reasons"].as_array().unwrap().iter().filter(hard).map(|reason| reason["code"].as_str().unwrap()).collect()
}

fn with(field: &str, value: Value) -> Value {
    let mut comment = stranger("A word about the kettle.");
    comment[field] = value;
    comment
}

async fn raw(app: &TestApp, body: impl Into<reqwest::Body>) -> crate::app::Answer {
    app.send(Method::POST, "/v1/comments", &[("authorization", &format!("Bearer {BLOG_KEY}"))], body).await
}

#[tokio::test]
async fn a_missing_name_or_address_is_rejected_with_its_exact_code() {
    let app = TestApp::start(Setup::default()).await;
    let blanks =
        [Value::Null, json!(""), json!(" \t\u{a0}\u{3000}"), json!("\u{200b}\u{2060}\u{feff}"), json!("\u{2800}\u{3164}"), json!("\u{ad}")];
    for blank in blanks {
        let cases = [("name", vec!["field_missing:name"]), ("email", vec!["field_missing:email"])];
        for (field, expected) in cases {
            let document = app.submit(BLOG_KEY, &with(field, blank.clone())).await.json();
            assert_eq!((codes(&document), &document["status"]), (expected, &json!("rejected")), "{field} {blank}");
            assert_eq!(document["discard"], false);
        }
    }
    let bare = app.submit(BLOG_KEY, &json!({ "body": "hi" })).await.json();
    assert_eq!(codes(&bare), ["field_missing:name", "field_missing:email"]);
    let open = app.submit(OPEN_KEY, &json!({ "body": "hi", "email": "no address" })).await.json();
    assert_eq!((codes(&open), &open["status"]), (vec![], &json!("published")));
}

#[tokio::test]
async fn an_address_is_a_bare_one() {
    let app = TestApp::start(Setup::default()).await;
    let (local, label) = ("a".repeat(64), "b".repeat(63));
    let good = ["jane@strangers.example", " jane@strangers.example\u{200b} ", "o'neil+blog@a.example", "jürgen@müller.example"];
    for address in good.map(str::to_owned).into_iter().chain([format!("{local}@a.example"), format!("a@{label}.example")]) {
        assert_eq!(codes(&app.submit(BLOG_KEY, &with("email", json!(address))).await.json()), Vec::<&str>::new(), "{address}");
    }
    let bad =
        ["jane", "jane@", "@a.example", "jane@a..example", "Jane <jane@a.example>", "<jane@a.example>", "a@b@c.example", "a b@c.example"];
    let long = [format!("{local}a@a.example"), format!("a@{label}b.example"), format!("a@{}example", "bcd.".repeat(70))];
    for address in bad.map(str::to_owned).into_iter().chain(long) {
        let document = app.submit(BLOG_KEY, &with("email", json!(address))).await.json();
        assert_eq!(codes(&document), ["field_invalid:email"], "{address}");
    }
}

#[tokio::test]
async fn a_trackback_needs_neither_name_nor_address_and_an_unknown_type_is_a_comment() {
    let app = TestApp::start(Setup::default()).await;
    for (kind, expected) in [("trackback", vec![]), ("pingback", vec![]), ("forum-post", vec!["field_missing:name", "field_missing:email"])]
    {
        let document = app.submit(BLOG_KEY, &json!({ "body": "They wrote of us.", "type": kind })).await.json();
        assert_eq!(codes(&document), expected, "{kind}");
    }
}

#[tokio::test]
async fn an_unknown_field_is_ignored_and_null_is_absent() {
    let app = TestApp::start(Setup::default()).await;
    let mut comment = editor("Thank you.");
    for field in ["url", "ip", "user_agent", "page_url", "page_title", "parent_id", "type", "submitted_at"] {
        comment[field] = Value::Null;
    }
    comment["shoe_size"] = json!({ "eu": [38, 39] });
    let answer = app.submit(BLOG_KEY, &comment).await;
    assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("published")));
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_with_field_limit_and_what_was_got() {
    let app = TestApp::start(Setup::default().set("HTTP__BODY_BYTES_MAX", 2048).set("HTTP__FIELD_BYTES_MAX", 64)).await;
    assert_eq!(app.submit(BLOG_KEY, &with("body", json!("x".repeat(2048)))).await.status, 200);
    assert_eq!(app.submit(BLOG_KEY, &with("body", json!("é".repeat(1024)))).await.status, 200);
    for (field, value, limit, got) in
        [("body", "x".repeat(2049), 2048, "2049"), ("body", "é".repeat(1025), 2048, "2050"), ("user_agent", "x".repeat(65), 64, "65")]
    {
        let answer = app.submit(BLOG_KEY, &with(field, json!(value))).await;
        assert_eq!((answer.status, answer.header("content-type")), (413, "application/problem+json"));
        let problem = answer.json();
        assert_eq!((&problem["field"], &problem["limit"], &problem["got"]), (&json!(field), &json!(limit), &json!(got)));
    }
    let flood = raw(&app, json!({ "body": "x".repeat(100_000) }).to_string()).await;
    assert_eq!((flood.status, flood.json()["field"].clone(), flood.json()["limit"].clone()), (413, json!("body"), json!(2048)));
    // An escape takes six bytes on the wire and one in the text: it is the text that counts.
    let escaped = format!(r#"{{"name":"J","email":"j@a.example","body":"{}"}}"#, "\\u0078".repeat(1200));
    assert_eq!(raw(&app, escaped).await.status, 200);
}

#[tokio::test]
async fn what_is_no_json_is_400_and_a_wrong_type_422_with_its_field() {
    let app = TestApp::start(Setup::default()).await;
    for body in ["", "{", "{\"body\":\"hi\"} and more", "{\"body\":\"\\ud800\"}", "{\"body\" \"hi\"}"] {
        let answer = raw(&app, body).await;
        assert_eq!((answer.status, answer.header("content-type")), (400, "application/problem+json"), "{body}");
    }
    assert_eq!(raw(&app, b"{\"body\":\"\xff\"}".to_vec()).await.status, 400);
    for (body, field) in [
        (r#"{"body":7}"#, json!("body")),
        (r#"{"body":"hi","name":["Ana"]}"#, json!("name")),
        (r#"{"body":"hi","type":{}}"#, json!("type")),
        (r#"{"name":"Ana"}"#, json!("body")),
        (r#"{"body":null}"#, json!("body")),
        (r#"{"body":"hi","ip":"256.1.1.1"}"#, json!("ip")),
        (r#"{"body":"hi","ip":"localhost"}"#, json!("ip")),
        (r#"{"body":"hi","submitted_at":"soon"}"#, json!("submitted_at")),
        ("[]", Value::Null),
        ("\"hi\"", Value::Null),
        ("null", Value::Null),
    ] {
        let answer = raw(&app, body).await;
        assert_eq!((answer.status, answer.json()["field"].clone()), (422, field), "{body}: {}", answer.text);
        assert!(!answer.text.contains("struct"), "senders know no types of ours: {}", answer.text);
    }
}

#[tokio::test]
async fn a_blank_body_is_rejected_and_strange_texts_are_judged() {
    let app = TestApp::start(Setup::default()).await;
    assert_eq!(codes(&app.submit(BLOG_KEY, &with("body", json!(" \u{200b} "))).await.json()), ["field_missing:body"]);
    let strange =
        ["\0", "\u{202e}olleh", "\u{fdfa}\u{1f468}\u{200d}\u{1f469}", "a\u{300}\u{300}\u{300}", "<script>alert(1)</script>", "\u{10ffff}"];
    for body in strange.map(str::to_owned).into_iter().chain(["(".repeat(9_000), "http://".repeat(3_000), "<b>".repeat(9_000)]) {
        let answer = app.submit(BLOG_KEY, &with("body", json!(body))).await;
        assert_eq!(answer.status, 200, "{}", &body[..body.len().min(20)]);
    }
}
