//! Back-ups from outside: a running store in one command, back again in one command, and what is refused; exports that come back in.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger, write_settings};
use crate::import::{json_of, run};
use crate::store::Look;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

fn back_up(app: &TestApp) -> PathBuf {
    let target = app.folder().join("copy");
    let output = run(app.folder(), &["backup", target.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    target
}

fn restore(folder: &Path, backup: &Path, extra: &[&str]) -> Output {
    run(folder, &[&["restore", backup.to_str().unwrap()], extra].concat())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_store_is_copied_and_comes_back_as_it_was() {
    let mut app = TestApp::start(Setup::default()).await;
    let kept = app.submit(BLOG_KEY, &stranger("in the copy")).await.id();
    let forgotten = app.submit(BLOG_KEY, &stranger("to be forgotten")).await.id();
    let copy = back_up(&app);
    let later = app.submit(BLOG_KEY, &stranger("after the copy")).await.id();
    assert!(run(app.folder(), &["forget", "--comment", &forgotten]).status.success());
    let busy = restore(app.folder(), &copy, &["--force"]);
    assert_eq!((busy.status.code(), said(&busy).contains("has") && said(&busy).contains("open")), (Some(5), true), "{busy:?}");
    assert!(app.stop().await);
    let refused = restore(app.folder(), &copy, &[]);
    assert!(said(&refused).contains("--force moves it aside"), "{refused:?}");
    let restored = restore(app.folder(), &copy, &["--force"]);
    assert!(restored.status.success() && said(&restored).contains("1 comments had been forgotten since"), "{restored:?}");
    let app = app.start_again().await;
    assert_eq!(app.document(BLOG_KEY, &kept).await.status, 200);
    assert_eq!(app.document(BLOG_KEY, &later).await.status, 404, "it came after the copy");
    assert_eq!(app.document(BLOG_KEY, &forgotten).await.status, 404, "it does not come back");
    assert!(!Look::into(&app).dump().contains("to be forgotten"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_back_up_and_a_newer_one_are_refused_and_nothing_changes() {
    let app = TestApp::start(Setup::default()).await;
    app.submit(BLOG_KEY, &stranger("hello")).await.id();
    let copy = back_up(&app);
    let elsewhere = tempfile::tempdir().unwrap();
    write_settings(elsewhere.path());
    let check = |expected: &str| {
        let refused = restore(elsewhere.path(), &copy, &[]);
        assert!(!refused.status.success() && said(&refused).contains(expected), "{expected}: {refused:?}");
        assert!(!elsewhere.path().join("data/hamlet.db").exists());
    };
    let manifest = copy.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let mut newer: Value = serde_json::from_str(&text).unwrap();
    newer["schema"] = json!(99);
    fs::write(&manifest, newer.to_string()).unwrap();
    check("newer hamlet (schema 99");
    fs::write(&manifest, text.replace("hamlet.db", "../hamlet.db")).unwrap();
    check("a path that leads elsewhere");
    fs::write(&manifest, &text).unwrap();
    let database = copy.join("hamlet.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[5000] ^= 1;
    fs::write(&database, &bytes).unwrap();
    check("another checksum");
    bytes.pop();
    fs::write(&database, &bytes).unwrap();
    check("another length");
    fs::remove_file(&database).unwrap();
    check("missing");
    fs::remove_file(&manifest).unwrap();
    check("is no back-up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_everything_and_comes_back_in() {
    let app = TestApp::start(Setup::default()).await;
    let ruled = app.submit(BLOG_KEY, &stranger("a label")).await.id();
    app.submit(BLOG_KEY, &stranger("no label")).await.id();
    app.submit(BLOG_KEY, &crate::app::editor("somebody else")).await.id();
    app.rule(BLOG_KEY, &ruled, "spam").await;
    let export = |arguments: &[&str]| {
        let output = run(app.folder(), &[&["export"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(export(&["--site", "blog"]).lines().count(), 3);
    let person = export(&["--email", "JANE@strangers.example"]);
    let lines: Vec<Value> = person.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["id"], &lines[0]["label"], &lines[0]["ip"]), (&json!(ruled), &json!("spam"), &json!("203.0.113.9")));
    assert_eq!(lines[0]["rulings"][0]["via"], "api");
    assert_eq!(export(&["--labels"]).lines().count(), 1);
    let other = tempfile::tempdir().unwrap();
    write_settings(other.path());
    let file = other.path().join("export.jsonl");
    fs::write(&file, &person).unwrap();
    let import =
        |folder: &Path| json_of(&run(folder, &["import", file.to_str().unwrap(), "--from", "jsonl", "--site", "blog", "--format", "json"]));
    let report = import(other.path());
    assert_eq!((&report["added"]["spam"], &report["skipped"][0]["reason"]), (&json!(1), &json!("undecided")));
    assert_eq!(import(app.folder())["known"], 1, "what is there already is known by its id");
    let again = String::from_utf8(run(other.path(), &["export"]).stdout).unwrap();
    let back: Value = serde_json::from_str(again.trim()).unwrap();
    assert_eq!((&back["id"], &back["content"], &back["email"]), (&lines[0]["id"], &lines[0]["content"], &lines[0]["email"]));
}
