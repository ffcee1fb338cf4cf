//! A site's comments as a whole: the listing page by page, batches, and the figures.

use crate::app::{Answer, BLOG_KEY, OPEN_KEY, OTHER_KEY, Setup, TestApp, editor, stranger};
use crate::store::Look;
use reqwest::Method;
use serde_json::{Value, json};

async fn get(app: &TestApp, key: &str, path: &str) -> Answer {
    app.send(Method::GET, path, &[("authorization", &*format!("Bearer {key}"))], "").await
}

async fn batch(app: &TestApp, key: &str, body: &Value) -> Answer {
    app.send(Method::POST, "/v1/comments/batch", &[("authorization", &*format!("Bearer {key}"))], body.to_string()).await
}

#[tokio::test]
async fn a_listing_holds_every_comment_of_the_site_once_newest_first() {
    let app = TestApp::start(Setup::default()).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(app.submit(BLOG_KEY, &stranger(&format!("Word {number} about the kettle."))).await.id());
        app.submit(OTHER_KEY, &stranger("Elsewhere.")).await;
    }
    ids.reverse();
    let (mut path, mut seen) = ("/v1/comments?limit=2".to_owned(), Vec::new());
    for _ in 0..9 {
        let page = get(&app, BLOG_KEY, &path).await.json();
        seen.extend(page["comments"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/comments?limit=2&cursor={cursor}");
    }
    let found: Vec<&str> = seen.iter().map(|comment| comment["id"].as_str().unwrap()).collect();
    assert_eq!(found, ids);
    let one = app.document(BLOG_KEY, &ids[0]).await.json();
    for (key, value) in one.as_object().unwrap() {
        assert_eq!(&seen[0][key], value, "the document of a comment is the same in a listing");
    }
    assert_eq!((&seen[0]["waits"], &seen[0]["page_url"]), (&json!(true), &Value::Null));
    let all = get(&app, BLOG_KEY, "/v1/comments").await.text;
    assert!(!all.contains("jane@") && !all.contains("203.0.113.9") && !all.contains("about the kettle"), "{all}");
}

#[tokio::test]
async fn filters_say_what_they_cannot_read() {
    let app = TestApp::start(Setup::default()).await;
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    let published = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let listed = get(&app, BLOG_KEY, "/v1/comments?status=published&since=2020-01-01T00:00:00Z").await.json();
    assert_eq!((listed["comments"].as_array().unwrap().len(), listed["comments"][0]["id"].as_str()), (1, Some(&*published)));
    let theirs = app.submit(OTHER_KEY, &stranger("Elsewhere.")).await.id();
    for (query, field) in [
        ("status=spam", "status"),
        ("since=soon", "since"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        (&*format!("cursor={theirs}"), "cursor"),
        ("author_sha256=ana%40a.example", "author_sha256"),
    ] {
        let answer = get(&app, BLOG_KEY, &format!("/v1/comments?{query}")).await;
        assert_eq!((answer.status, answer.json()["field"].as_str()), (422, Some(field)), "{query} {}", answer.text);
    }
    assert_eq!(get(&app, BLOG_KEY, "/v1/comments?limit=1&limit=2").await.status, 400);
    assert_eq!(get(&app, "nobody-knows-me", "/v1/comments").await.status, 401);
}

#[tokio::test]
async fn each_of_a_batch_is_answered_as_if_it_had_come_alone() {
    let app = TestApp::start(Setup::default()).await;
    let mut again = editor("Sent twice.");
    again["idempotency_key"] = json!("once");
    let other = json!({ "body": "Another.", "idempotency_key": "once" });
    let comments = json!([editor("Thank you."), { "name": "no body" }, stranger("Hm."), { "body": "x", "ip": "nope" }, 7, again]);
    let answer = batch(&app, BLOG_KEY, &json!({ "comments": comments })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let results = answer.json()["results"].as_array().unwrap().clone();
    let statuses: Vec<u64> = results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 422, 200, 422, 422, 200]);
    assert_eq!((&results[0]["comment"]["status"], &results[2]["comment"]["status"]), (&json!("published"), &json!("held")));
    assert_eq!((&results[1]["problem"]["field"], &results[3]["problem"]["field"]), (&json!("body"), &json!("ip")));
    let repeat = batch(&app, BLOG_KEY, &json!({ "comments": [again, other] })).await.json();
    assert_eq!(repeat["results"][0]["comment"]["id"], results[5]["comment"]["id"]);
    assert_eq!((&repeat["results"][1]["status"], &repeat["results"][1]["problem"]["field"]), (&json!(409), &json!("idempotency_key")));
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 3);
}

#[tokio::test]
async fn a_batch_is_bounded_and_may_be_left_to_the_queue() {
    let app = TestApp::start(Setup::default()).await;
    for (body, field) in [
        (json!({ "comments": vec![json!({ "body": "x" }); 101] }), json!("comments")),
        (json!({}), json!("comments")),
        (json!({ "comments": 7 }), json!("comments")),
        (json!([]), Value::Null),
    ] {
        let answer = batch(&app, OPEN_KEY, &body).await;
        assert_eq!((answer.status, answer.json()["field"].clone()), (422, field), "{}", answer.text);
    }
    assert_eq!(batch(&app, OPEN_KEY, &json!({ "comments": [] })).await.json(), json!({ "results": [] }));
    let headers = [("authorization", &*format!("Bearer {OPEN_KEY}")), ("prefer", "respond-async")];
    let body = json!({ "comments": vec![json!({ "body": "Later is fine." }); 100] }).to_string();
    let answer = app.send(Method::POST, "/v1/comments/batch", &headers, body).await.json();
    for result in answer["results"].as_array().unwrap() {
        assert_eq!((&result["status"], &result["comment"]["status"]), (&json!(202), &json!("queued")));
        app.judged(OPEN_KEY, result["comment"]["id"].as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn figures_count_what_was_said_and_what_people_said_of_it() {
    let app = TestApp::start(Setup::default()).await;
    assert_eq!(get(&app, BLOG_KEY, "/v1/statistics").await.json(), json!({ "waiting": 0, "queued": 0, "months": [] }));
    let published = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let rejected = app.submit(BLOG_KEY, &stranger("Get a blockedword now")).await.id();
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    app.submit(OTHER_KEY, &stranger("Elsewhere.")).await;
    app.rule(BLOG_KEY, &published, "spam").await;
    app.rule(BLOG_KEY, &rejected, "publish").await;
    let mut figures = get(&app, BLOG_KEY, "/v1/statistics").await.json();
    assert!(figures["months"][0]["month"].take().as_str().unwrap().len() == 7);
    let month = json!({
        "month": null, "publish": 1, "hold": 1, "reject": 1, "ruled_publish": 1, "ruled_spam": 1, "ruled_remove": 0, "spam_published": 1,
        "ham_rejected": 1,
    });
    assert_eq!(figures, json!({ "waiting": 1, "queued": 0, "months": [month] }));
}
