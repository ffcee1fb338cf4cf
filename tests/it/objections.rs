//! Objections: readers report, authors appeal; people are asked, and nothing else changes.

use crate::app::{Answer, BLOG_KEY, OTHER_KEY, Setup, TestApp, editor, stranger};
use crate::page::{mail, path, press};
use crate::smtp::SmtpServer;
use crate::store::Look;
use reqwest::Method;
use serde_json::{Value, json};

async fn object(app: &TestApp, key: &str, id: &str, what: &str, body: Value) -> Answer {
    let headers = [("authorization", &*format!("Bearer {key}"))];
    app.send(Method::POST, &format!("/v1/comments/{id}/{what}"), &headers, body.to_string()).await
}

#[tokio::test]
async fn a_reported_comment_stays_published_and_comes_to_a_moderator_who_answers() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    let id = app.submit(BLOG_KEY, &editor("Thank you, we mended it.")).await.id();
    let before = app.document(BLOG_KEY, &id).await.json();
    let reported = object(&app, BLOG_KEY, &id, "report", json!({ "reader": "198.51.100.7", "text": "An advertisement." })).await;
    let expected = json!({ "id": id, "status": "published", "waits": true, "new": true, "reports": 1, "appeals": 0 });
    assert_eq!((reported.status, reported.json()), (200, expected));
    let again = object(&app, BLOG_KEY, &id, "report", json!({ "reader": "198.51.100.7" })).await.json();
    assert_eq!((&again["new"], &again["reports"]), (&json!(false), &json!(1)));
    assert_eq!(object(&app, BLOG_KEY, &id, "report", json!({ "reader": "jo" })).await.json()["reports"], json!(2));
    assert_eq!(app.document(BLOG_KEY, &id).await.json(), before, "a report changes no status and is no ruling");
    let digest = mail(&server, 1).await;
    assert!(digest.text.contains("reported by"), "{}", digest.text);
    let page = press(&app, &path(&app, &digest.link(&app.base)), 1, "publish").await;
    assert!(page.status == 200 && page.text.contains("Published."), "{}", page.text);
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments WHERE objected_at IS NOT NULL"), 0);
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM rulings"), 1);
    let dump = Look::into(&app).dump();
    assert!(!dump.contains("198.51.100.7"), "who reported is kept as a hash only");
}

#[tokio::test]
async fn an_appeal_waits_for_a_person_whose_ruling_is_the_answer() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(BLOG_KEY, &stranger("Get a blockedword now")).await.id();
    let appealed = object(&app, BLOG_KEY, &id, "appeal", json!({ "text": "It is the name of our town." })).await.json();
    assert_eq!(appealed, json!({ "id": id, "status": "rejected", "waits": true, "new": true, "reports": 0, "appeals": 1 }));
    assert_eq!(app.rule(BLOG_KEY, &id, "publish").await.json()["status"], "published");
    let again = object(&app, BLOG_KEY, &id, "appeal", json!({ "text": "Please." })).await.json();
    assert_eq!(again, json!({ "id": id, "status": "published", "waits": false, "new": false, "reports": 0, "appeals": 1 }));
}

#[tokio::test]
async fn an_objection_that_is_none_is_refused_and_names_the_field() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    for (what, body, status, field) in [
        ("report", json!({}), 422, json!("reader")),
        ("report", json!({ "reader": " \u{200b}" }), 422, json!("reader")),
        ("report", json!({ "reader": 7 }), 422, json!("reader")),
        ("report", json!({ "reader": "x".repeat(100_000) }), 413, json!("reader")),
        ("report", json!({ "reader": "jo", "text": "x".repeat(1_001) }), 413, json!("text")),
        ("appeal", json!({ "reader": "jo" }), 422, json!("text")),
        ("appeal", json!([]), 422, Value::Null),
    ] {
        let answer = object(&app, BLOG_KEY, &id, what, body.clone()).await;
        assert_eq!((answer.status, answer.json()["field"].clone()), (status, field), "{what} {}", answer.text);
    }
    for (key, id, status) in [(OTHER_KEY, &*id, 404), (BLOG_KEY, "7", 404), ("nobody-knows-me", &*id, 401)] {
        assert_eq!(object(&app, key, id, "report", json!({ "reader": "jo" })).await.status, status);
    }
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM objections"), 0);
}
