//! Edits: judged anew, with a person's ruling never overridden and everything that was said before kept.

use crate::app::{Answer, BLOG_KEY, OPEN_KEY, OTHER_KEY, Setup, TestApp, WATCH_KEY, editor, stranger};
use crate::blog::Blog;
use crate::store::Look;
use reqwest::Method;
use serde_json::{Value, json};

async fn edit(app: &TestApp, key: &str, id: &str, comment: &Value) -> Answer {
    app.send(Method::PUT, &format!("/v1/comments/{id}"), &[("authorization", &*format!("Bearer {key}"))], comment.to_string()).await
}

fn stands(document: &Value) -> (&str, &str) {
    (document["status"].as_str().unwrap(), document["verdict"].as_str().unwrap())
}

#[tokio::test]
async fn what_nobody_ruled_on_stands_as_the_new_text_is_judged() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    for (comment, expected) in [
        (editor("Thank you, we mended it."), ("published", "publish")),
        (stranger("A word about the kettle."), ("held", "hold")),
        (stranger("Get a blockedword now"), ("rejected", "reject")),
        (editor("Thank you."), ("published", "publish")),
    ] {
        let edited = edit(&app, BLOG_KEY, &id, &comment).await;
        assert_eq!((edited.status, stands(&edited.json())), (200, expected), "{}", edited.text);
        assert_eq!(edited.json(), app.document(BLOG_KEY, &id).await.json());
    }
    let look = Look::into(&app);
    assert_eq!(look.rows::<String>("SELECT body FROM edits ORDER BY version").len(), 4);
    assert_eq!(look.rows::<String>("SELECT body FROM edits ORDER BY version")[0], "Thank you.");
    assert_eq!(look.count("SELECT count(*) FROM decisions"), 5);
}

#[tokio::test]
async fn a_ruling_is_never_overridden_and_is_no_label_of_another_text() {
    let app = TestApp::start(Setup::default()).await;
    let labels = || Look::into(&app).count("SELECT count(*) FROM comments WHERE ruled IN ('spam', 'publish') AND edited = 0");
    for (ruling, comment, expected) in [
        ("publish", editor("Thank you."), ("published", "publish")),
        ("publish", stranger("Another word."), ("held", "hold")),
        ("publish", stranger("Get a blockedword now"), ("held", "reject")),
        ("spam", editor("Thank you."), ("rejected", "publish")),
        ("remove", stranger("Another word."), ("rejected", "hold")),
    ] {
        let id = app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.id();
        app.rule(BLOG_KEY, &id, ruling).await;
        let before = labels();
        let edited = edit(&app, BLOG_KEY, &id, &comment).await.json();
        assert_eq!(stands(&edited), expected, "{ruling} {comment}");
        assert_eq!(edited["ruling"]["ruling"], json!(ruling), "what was said is not forgotten");
        assert_eq!(labels(), before - i64::from(ruling != "remove"));
        let again = app.rule(BLOG_KEY, &id, ruling).await.json();
        assert_eq!(again["status"], if ruling == "publish" { "published" } else { "rejected" }, "the same ruling is one on the new text");
        assert_eq!(labels(), before);
    }
}

#[tokio::test]
async fn an_edit_that_is_none_changes_nothing() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let before = app.document(BLOG_KEY, &id).await.json();
    for (key, id, body, status) in [
        (BLOG_KEY, &*id, json!({}), 422),
        (BLOG_KEY, &*id, json!({ "body": "x", "ip": "nope" }), 422),
        (BLOG_KEY, &*id, json!([]), 422),
        (OTHER_KEY, &*id, editor("Thank you."), 404),
        (BLOG_KEY, "7", editor("Thank you."), 404),
        ("nobody-knows-me", &*id, editor("Thank you."), 401),
    ] {
        assert_eq!(edit(&app, key, id, &body).await.status, status, "{body}");
    }
    assert_eq!(app.document(BLOG_KEY, &id).await.json(), before);
    let edited = edit(&app, BLOG_KEY, &id, &stranger("A word about the kettle.")).await.json();
    Look::into(&app).outbox_drained().await;
    assert_eq!(blog.heard_of(&id).last().unwrap().event["data"], edited, "the blog hears of it");
}

#[tokio::test]
async fn edits_count_nothing_twice_and_a_site_that_observes_shows_all() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(WATCH_KEY, &stranger("A word about the kettle.")).await.id();
    assert_eq!(stands(&edit(&app, WATCH_KEY, &id, &stranger("Get a blockedword now")).await.json()), ("published", "reject"));
    let open = app.submit(OPEN_KEY, &json!({ "body": "hello" })).await.id();
    edit(&app, OPEN_KEY, &open, &json!({ "body": "hello there" })).await;
    let look = Look::into(&app);
    assert_eq!(look.count("SELECT sum(comments) FROM days"), 2);
    assert_eq!(look.count("SELECT count(*) FROM traces"), 2);
}
