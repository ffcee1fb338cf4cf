//! Explaining: what is on record of a comment, and what would be decided of one that is handed in.

use crate::app::{BLOG_KEY, OPEN_KEY, Setup, TestApp, stranger};
use crate::commands::{hamlet, hamlet_reading, str};
use serde_json::{Value, json};

fn sum(document: &Value) -> f64 {
    document["contributions"].as_array().unwrap().iter().map(|part| part["log_odds"].as_f64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_comment_is_explained_by_its_record() {
    let app = TestApp::start(Setup::default()).await;
    let mut comment = stranger("A word\x1b[2J about the kettle, see https://a.example/kettle");
    comment["name"] = json!("Jane\x1b]0;owned\x07");
    let id = app.submit(BLOG_KEY, &comment).await.id();
    app.rule(BLOG_KEY, &id, "spam").await;
    app.rule(BLOG_KEY, &id, "publish").await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let told = hamlet(&["explain", &id, "--data", str(&data)]);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""));
    for words in
        [&id, "HOLD", "(first_link)", "where every comment starts", "sum", "marked as spam by", "published by", "j...@s....example"]
    {
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
    }
    assert!(!told.stdout.contains('\x1b') && !told.stdout.contains("jane@") && !told.stdout.contains("203.0.113.9"), "{}", told.stdout);
    let place = ["--config", str(&config), "--data", str(&data)];
    let json = hamlet(&[&["explain", &id, "--format", "json"], &place[..]].concat());
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    let score = document["score"].as_f64().unwrap();
    let (logit, sum) = (document["logit"].as_f64().unwrap(), sum(&document));
    assert!((logit - sum).abs() < 1e-9 && (1.0 / (1.0 + (-sum).exp()) - score).abs() < 1e-9, "{document}");
    assert_eq!((&document["today"], document["rulings"].as_array().map(Vec::len)), (&Value::Null, Some(2)));
    let settings = std::fs::read_to_string(&config).unwrap();
    let other = app.folder().join("other.toml");
    std::fs::write(&other, settings.replace("\"blockedword\"", "\"kettle\"")).unwrap();
    let today = hamlet(&["explain", &id, "--data", str(&data), "--config", str(&other)]);
    assert!(today.stdout.contains("it would be: reject. new: “kettle” is on the list “blocklist”"), "{}", today.stdout);
    std::fs::write(&other, "[policy]\npublish_max = 2\n").unwrap();
    assert_eq!(hamlet(&["explain", &id, "--data", str(&data), "--config", str(&other)]).code, 3);
    let unknown = hamlet(&["explain", "019ab3c0-7a51-7c1e-8f00-2b6f0f6a9d11", "--data", str(&data)]);
    assert_eq!((unknown.code, hamlet(&["explain", "7", "--data", str(&data)]).code), (1, 1));
    assert_eq!(hamlet(&["explain", "--data", str(&data)]).code, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_gone_leaves_what_is_on_record() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(OPEN_KEY, &json!({ "body": "casino casino free money kettle" })).await.id();
    let store = rusqlite::Connection::open(app.data().join("hamlet.db")).unwrap();
    store.execute("UPDATE decisions SET model = 'gone'", []).unwrap();
    let told = hamlet(&["explain", &id, "--data", str(&app.data())]);
    assert!(told.code == 0 && told.stdout.contains("there is no model gone") && !told.stdout.contains("sum"), "{}", told.stdout);
}

#[test]
fn a_comment_is_explained_without_a_store_in_either_spelling() {
    let api = json!({ "name": "Ann", "email": "ann@example.org", "body": "Thank you, it works." });
    let training = json!({ "id": "t7", "label": "spam", "author": "Ann", "email": "ann@example.org", "date": "last week", "content": "Thank you, it works." });
    let input = format!("{}\n{training}\n", serde_json::to_string_pretty(&api).unwrap());
    let json = hamlet_reading(&["explain", "--input", "-", "--format", "json"], &input);
    let documents: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((json.code, documents.len()), (0, 2), "{}", json.stderr);
    assert_eq!((&documents[0]["score"], &documents[0]["verdict"]), (&documents[1]["score"], &json!("publish")));
    assert!((documents[0]["logit"].as_f64().unwrap() - sum(&documents[0])).abs() < 1e-9);
    let text = hamlet_reading(&["explain", "--input", "-"], &input).stdout;
    assert!(text.starts_with("comment 1 ") && text.contains("\nt7 ") && text.contains("PUBLISH"), "{text}");
    let nothing = hamlet_reading(&["explain", "--input", "-"], "");
    assert!(nothing.code == 1 && nothing.stderr.contains("stdin holds no comment"), "{}", nothing.stderr);
    let broken = hamlet_reading(&["explain", "--input", "-"], "{\"body\":\"x\"}\n{\"body\":");
    assert!(broken.code == 1 && broken.stderr.contains("stdin"), "{}", broken.stderr);
    let no_body = hamlet_reading(&["explain", "--input", "-"], "{\"name\":\"x\"}");
    assert!(no_body.code == 1 && no_body.stderr.contains("stdin, comment 1: `body` is missing"), "{}", no_body.stderr);
}
