//! Retraining: rulings become labels, the new model lands on the shelf, and the running daemon judges with it without a restart.

use crate::app::{BLOG_KEY, OPEN_KEY, Setup, TestApp, editor, stranger};
use crate::commands::{hamlet, hamlet_reading, str};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_takes_what_was_learnt_from_rulings_without_a_restart() {
    let app = TestApp::start(Setup::default()).await;
    let comment = json!({ "body": "Zwirbelkopf kettles descale the garden hose" });
    let before = app.submit(OPEN_KEY, &comment).await.json();
    for (key, ruling) in [(OPEN_KEY, "spam"), (OPEN_KEY, "spam"), (BLOG_KEY, "publish"), (BLOG_KEY, "remove")] {
        let body = if ruling == "spam" { "Zwirbelkopf kettles here" } else { "A kettle word" };
        let id = app.submit(key, &stranger(body)).await.id();
        assert_eq!(app.rule(key, &id, ruling).await.status, 200);
    }
    let data = app.data();
    let place = ["--data", str(&data)];
    let retrained = hamlet(&[&["retrain"], &place[..]].concat());
    assert_eq!(retrained.code, 0, "{}", retrained.stderr);
    assert!(retrained.stderr.contains("3 of them rulings"), "`remove` is no label: {}", retrained.stderr);
    assert!(retrained.stderr.contains("the running daemon judges with it") && !retrained.stderr.contains("linfa"), "{}", retrained.stderr);
    let model = retrained.stdout.trim();
    let after = app.submit(OPEN_KEY, &comment).await.json();
    assert_ne!(before["model"], after["model"]);
    assert_eq!(after["model"], model);
    assert!(after["score"].as_f64() > before["score"].as_f64(), "spam was learnt: {before} {after}");
    let scored = hamlet_reading(&[&["score", "--input", "-"], &place[..]].concat(), &format!("{comment}\n").replace("body", "content"));
    let score = serde_json::from_str::<serde_json::Value>(&scored.stdout).unwrap()["score"].as_f64().unwrap();
    assert!((score - after["score"].as_f64().unwrap()).abs() < 1e-9, "score uses the shelf's model: {score} {after}");
    let app = app.start_again().await;
    assert_eq!(app.submit(OPEN_KEY, &comment).await.json()["model"], model);
}

#[tokio::test]
async fn without_a_model_that_can_be_read_the_rules_alone_decide_and_publish_nobody_unknown() {
    let mut app = TestApp::start(Setup::default()).await;
    app.kill();
    let shelf = app.data().join("models");
    std::fs::create_dir_all(&shelf).unwrap();
    std::fs::write(shelf.join("promoted"), "0123456789ab\n").unwrap();
    std::fs::write(shelf.join("0123456789ab.hamlet"), "no model").unwrap();
    let app = app.start_again().await;
    let open = app.submit(OPEN_KEY, &stranger("A word about the kettle.")).await.json();
    assert_eq!(
        (&open["status"], &open["band"], &open["score"], &open["model"]),
        (&json!("held"), &json!("rules_only"), &json!(null), &json!(null))
    );
    assert_eq!(app.submit(BLOG_KEY, &editor("Thank you.")).await.json()["status"], "published");
    assert_eq!(app.submit(BLOG_KEY, &stranger("blockedword")).await.json()["status"], "rejected");
    assert_eq!(hamlet_reading(&["score", "--data", str(&app.data()), "--input", "-"], "").code, 1);
}
