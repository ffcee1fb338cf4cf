//! Idempotency: the same submission under the same key is one comment, however often, however fast, by whichever door.

use crate::app::{Answer, BLOG_KEY, OTHER_KEY, Setup, TestApp, stranger};
use crate::store::Look;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

fn comments(app: &TestApp) -> i64 {
    Look::into(app).count("SELECT count(*) FROM comments")
}

#[tokio::test]
async fn a_resent_submission_is_answered_from_the_record() {
    let app = TestApp::start(Setup::default()).await;
    let (key, comment) = ([("idempotency-key", "k1")], stranger("Once is enough."));
    let first = app.submit_with(BLOG_KEY, &key, &comment).await;
    let second = app.submit_with(BLOG_KEY, &key, &comment).await;
    assert_eq!((first.status, second.status, &first.text), (200, 200, &second.text));
    let conflict = app.submit_with(BLOG_KEY, &key, &stranger("Something else.")).await;
    assert_eq!((conflict.status, conflict.json()["field"].clone()), (409, json!("Idempotency-Key")));
    assert_eq!(comments(&app), 1);
    let elsewhere = app.submit_with(OTHER_KEY, &key, &comment).await;
    assert_eq!((elsewhere.status, elsewhere.id() == first.id()), (200, false));
    app.rule(BLOG_KEY, &first.id(), "publish").await;
    assert_eq!(app.submit_with(BLOG_KEY, &key, &comment).await.json()["status"], "published");
}

#[tokio::test]
async fn without_a_key_a_repeat_is_a_new_comment() {
    let app = TestApp::start(Setup::default()).await;
    let comment = stranger("Twice is two.");
    assert_ne!(app.submit(BLOG_KEY, &comment).await.id(), app.submit(BLOG_KEY, &comment).await.id());
    assert_eq!(comments(&app), 2);
}

#[tokio::test]
async fn what_lies_in_the_queue_is_known_at_both_doors() {
    let app = TestApp::start(Setup::default()).await;
    for round in 0..10 {
        let (key, comment) = (format!("queued-{round}"), stranger("Later is fine."));
        let later = [("idempotency-key", &*key), ("prefer", "respond-async")];
        let (first, again) = tokio::join!(app.submit_with(BLOG_KEY, &later, &comment), app.submit_with(BLOG_KEY, &later, &comment));
        let now = app.submit_with(BLOG_KEY, &later[..1], &comment).await;
        assert_eq!((first.id(), now.id()), (again.id(), again.id()));
        assert_eq!(app.submit_with(BLOG_KEY, &later, &stranger("Other")).await.status, 409);
        assert_eq!(app.judged(BLOG_KEY, &first.id()).await["status"], "held");
    }
    assert_eq!(comments(&app), 10);
}

#[tokio::test]
async fn thirty_two_at_once_are_one_comment() {
    let app = Arc::new(TestApp::start(Setup::default()).await);
    for door in ["", "respond-async"] {
        let mut requests = JoinSet::new();
        for _ in 0..32 {
            let app = Arc::clone(&app);
            requests.spawn(async move {
                app.submit_with(BLOG_KEY, &[("idempotency-key", &*format!("p{door}")), ("prefer", door)], &stranger("All at once.")).await
            });
        }
        let answers: Vec<Answer> = requests.join_all().await;
        assert!(answers.iter().all(|answer| [200, 202].contains(&answer.status)));
        assert_eq!(answers.iter().map(Answer::id).collect::<HashSet<_>>().len(), 1, "{door}");
    }
    assert_eq!(comments(&app), 2);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let app = TestApp::start(Setup::default()).await;
    for key in ["", &"k".repeat(256)] {
        let answer = app.submit_with(BLOG_KEY, &[("idempotency-key", key)], &stranger("hi")).await;
        assert_eq!((answer.status, answer.json()["field"].clone()), (400, json!("Idempotency-Key")), "{key}");
    }
    assert_eq!(app.submit_with(BLOG_KEY, &[("idempotency-key", &"k".repeat(255))], &stranger("hi")).await.status, 200);
}
