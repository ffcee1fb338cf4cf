//! Forgetting from outside: nothing of a person is left in any file, the model is as if they had never been, and nothing brings them back.

use crate::app::{BLOG_KEY, OPEN_KEY, OTHER_KEY, Setup, TestApp, write_settings};
use crate::blog::Blog;
use crate::import::{json_of, run};
use crate::retrain::{HAM, SPAM, rule_all};
use crate::store::Look;
use crate::wait::until_true;
use hamlet::classifier::contest::Promote;
use hamlet::clock::Timestamp;
use hamlet::dice::Dice;
use hamlet::flow::{certify::Asked, training::Training};
use hamlet::id::SiteId;
use hamlet::shelf::Shelf;
use hamlet::store::{Bounds, Store, Target};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

const SECRETS: [&str; 4] = ["quokka-of-zanzibar", "Quillfeather", "q.quill@persons.example", "198.51.100.77"];

fn person(body: &str) -> Value {
    let [word, name, email, ip] = SECRETS;
    json!({ "name": name, "email": email, "ip": ip, "body": format!("{word}: {body}"), "page_title": "A page" })
}

/// Every file of the data directory that holds any of these words.
fn files_with(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if let Ok(bytes) = std::fs::read(&entry) {
                let has = |word: &&&str| memchr::memmem::find(&bytes, word.as_bytes()).is_some();
                found.extend(words.iter().filter(has).map(|word| format!("{word} in {}", entry.display())));
            }
        }
    }
    found
}

async fn erase(app: &TestApp, key: &str, method: Method, path: &str, body: &Value) -> crate::app::Answer {
    app.send(method, path, &[("authorization", &format!("Bearer {key}"))], body.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_person_is_left_in_any_file_and_the_blog_hears_of_it() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("blog", &blog)).await;
    let first = app.submit(BLOG_KEY, &person("one")).await.id();
    let second = app.submit(BLOG_KEY, &person("two")).await.id();
    let other = app.submit(BLOG_KEY, &crate::app::stranger("I stay")).await.id();
    let elsewhere = app.submit(OTHER_KEY, &person("another site")).await.id();
    assert_eq!(app.rule(BLOG_KEY, &first, "publish").await.status, 200);
    // The first is reported, then edited under another address, the second appealed for: none of it may stay.
    let report = json!({ "reader": SECRETS[2], "text": format!("{} annoys me", SECRETS[1]) });
    assert_eq!(erase(&app, BLOG_KEY, Method::POST, &format!("/v1/comments/{first}/report"), &report).await.status, 200);
    let edited = crate::app::stranger("Nothing of a person.");
    assert_eq!(erase(&app, BLOG_KEY, Method::PUT, &format!("/v1/comments/{first}"), &edited).await.status, 200);
    let appeal = json!({ "text": format!("I am {}", SECRETS[1]) });
    assert_eq!(erase(&app, BLOG_KEY, Method::POST, &format!("/v1/comments/{second}/appeal"), &appeal).await.status, 200);
    let kept = run(app.folder(), &["export", "--email", SECRETS[2], "--site", "blog"]);
    let kept = String::from_utf8(kept.stdout).unwrap();
    for (word, times) in SECRETS.into_iter().zip([2, 4, 2, 1]) {
        assert_eq!(kept.matches(word).count(), times, "an export holds {word} as often as it is kept: {kept}");
    }
    let planned = run(app.folder(), &["forget", "--email", "Q.Quill@persons.example", "--dry-run"]);
    assert!(String::from_utf8_lossy(&planned.stderr).contains("3 comments would be forgotten"), "{planned:?}");
    let erased = erase(&app, BLOG_KEY, Method::POST, "/v1/erasures", &json!({ "email": "Q.Quill@persons.example" })).await;
    assert_eq!((erased.status, erased.json()["comments"].as_u64()), (200, Some(2)));
    for id in [&first, &second] {
        assert_eq!(app.document(BLOG_KEY, id).await.status, 404);
    }
    assert_eq!(app.document(OTHER_KEY, &elsewhere).await.status, 200);
    until_true("the blog hears of both", || blog.heard().iter().filter(|heard| heard.kind == "comment.erased").count() == 2).await;
    let output = run(app.folder(), &["forget", "--comment", &elsewhere]);
    assert!(output.status.success(), "{output:?}");
    Look::into(&app).outbox_drained().await;
    let again = run(app.folder(), &["forget", "--email", SECRETS[2]]);
    assert!(again.status.success(), "it cleans up once more: {again:?}");
    assert_eq!(files_with(&app.data(), &SECRETS), [""; 0]);
    assert_eq!(app.document(BLOG_KEY, &other).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_comment_goes_by_the_api_and_no_other_site_may_say_so() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(BLOG_KEY, &person("one")).await.id();
    let path = format!("/v1/comments/{id}");
    assert_eq!(erase(&app, OTHER_KEY, Method::DELETE, &path, &Value::Null).await.status, 404);
    assert_eq!(erase(&app, BLOG_KEY, Method::DELETE, &path, &Value::Null).await.status, 204);
    assert_eq!(erase(&app, BLOG_KEY, Method::DELETE, &path, &Value::Null).await.status, 404);
    assert_eq!(erase(&app, BLOG_KEY, Method::POST, "/v1/erasures", &json!({ "email": "nobody" })).await.status, 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_forgotten_comes_back_by_no_import_and_no_old_model() {
    let app = TestApp::start(Setup::default()).await;
    let ids = rule_all(&app, &SPAM, "spam").await;
    rule_all(&app, &HAM, "publish").await;
    for _ in 0..2 {
        assert!(run(app.folder(), &["retrain", "--site", "open"]).status.success());
        rule_all(&app, &["One more word on the kettle."], "publish").await;
    }
    let path = format!("/v1/comments/{}", ids[0]);
    assert_eq!(erase(&app, OPEN_KEY, Method::DELETE, &path, &Value::Null).await.status, 204);
    let back = run(app.folder(), &["model", "rollback", "--site", "open"]);
    assert!(String::from_utf8_lossy(&back.stderr).contains("learnt from what was forgotten"), "{back:?}");
    erase(&app, OPEN_KEY, Method::POST, "/v1/erasures", &json!({ "email": SECRETS[2] })).await;
    let file = app.folder().join("old.jsonl");
    std::fs::write(
        &file,
        json!({ "id": 1, "label": "ham", "content": "hi", "email": SECRETS[2], "date": "2020-01-01T00:00:00Z" }).to_string(),
    )
    .unwrap();
    let report = json_of(&run(app.folder(), &["import", file.to_str().unwrap(), "--from", "jsonl", "--site", "open", "--format", "json"]));
    assert_eq!((&report["added"]["publish"], &report["skipped"][0]["reason"]), (&json!(0), &json!("forgotten")));
}

/// A moderator whose rulings are taken back: comments stand as the machine left them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderators_rulings_go_and_the_comments_stay() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(BLOG_KEY, &person("one")).await.id();
    assert!(run(app.folder(), &["queue", "rule", &id, "--as", "publish", "--by", "Mallory"]).status.success());
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "published");
    let report = json!({ "reader": "jo" });
    assert_eq!(erase(&app, BLOG_KEY, Method::POST, &format!("/v1/comments/{id}/report"), &report).await.json()["waits"], true);
    assert!(run(app.folder(), &["queue", "rule", &id, "--as", "publish", "--by", "Mallory"]).status.success());
    let output = run(app.folder(), &["forget", "--moderator", "Mallory"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1 comment, 1 label", "{output:?}");
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments WHERE objected_at IS NOT NULL"), 1, "the report is open again");
    let document = app.document(BLOG_KEY, &id).await.json();
    assert_eq!((&document["status"], &document["ruling"]), (&json!("held"), &Value::Null));
    assert!(!Look::into(&app).dump().contains("Mallory"));
}

/// A store with these labels under these addresses.
fn labelled(folder: &Path, name: &str, labels: &[(&str, &str, &str)]) -> std::path::PathBuf {
    let mut lines = String::new();
    for (label, email, content) in labels {
        writeln!(lines, "{}", json!({ "label": label, "email": email, "content": content })).unwrap();
    }
    let (file, data) = (folder.join("labels.jsonl"), folder.join(name));
    std::fs::write(&file, lines).unwrap();
    let config = write_settings(folder);
    let arguments = ["import", file.to_str().unwrap(), "--from", "jsonl", "--site", "open", "--config", config.to_str().unwrap(), "--data"];
    let output = crate::app::command(&[&arguments[..], &[data.to_str().unwrap()]].concat(), &Setup::default()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    data
}

fn trained(data: &Path) -> Vec<u8> {
    let store = Store::open(data, Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
    let config = hamlet::config::settings::Settings::load(Some(&data.parent().unwrap().join("hamlet.toml")), std::iter::empty()).unwrap();
    let site = config.check().unwrap().sites.remove(&SiteId::new("open")).unwrap();
    let asked = Asked { budget: site.budget, fixed: site.policy, rates: site.audit.rates };
    let (shelf, program) = (Shelf::of(data), Path::new(crate::app::HAMLET));
    let at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let (reader, drawn, promote) = (store.read(), [7; 32], Promote::Force);
    let training = Training { reader, shelf: &shelf, site: &site.id, program, drawn, at, since: None, asked, promote };
    let mut model = training.run().unwrap().model;
    // Whom it was set against is no part of what it knows.
    model.card.contest = None;
    model.to_bytes()
}

#[test]
fn the_model_after_forgetting_is_to_the_bit_the_one_that_never_knew() {
    let folder = tempfile::tempdir().unwrap();
    let others: Vec<(&str, &str, &str)> =
        SPAM.iter().map(|text| ("spam", "s@x.example", *text)).chain(HAM.iter().map(|text| ("ham", "h@x.example", *text))).collect();
    let theirs = [("ham", SECRETS[2], "My quokka likes a warm kettle."), ("spam", SECRETS[2], "Quokka pictures for sale, half the price")];
    let never = labelled(folder.path(), "never", &others);
    let with = labelled(folder.path(), "with", &[&others[..], &theirs[..]].concat());
    assert!(trained(&never) != trained(&with), "they taught something");
    let (store, site) = (Store::open(&with, Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap(), SiteId::new("open"));
    let meant = store.read().meant(&site, &Target::Author(SECRETS[2].to_uppercase())).unwrap();
    assert_eq!(meant.len(), 2);
    let now = Timestamp::from_ms(1);
    store.salt(now, &Dice::seeded(1)).unwrap();
    store.forget(&site, meant, None, now, |_| None).wait().unwrap();
    drop(store);
    assert!(trained(&never) == trained(&with));
}
