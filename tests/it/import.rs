//! `hamlet import` from outside: with and without a daemon, twice, broken, and what it leaves alone.

use crate::app::{BLOG_KEY, Setup, TestApp, command, stranger, write_settings};
use crate::retrain::{HAM, SPAM};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

pub fn wxr(comments: usize) -> String {
    let comment = |number: usize| {
        format!(
            "<wp:comment><wp:comment_id>{number}</wp:comment_id><wp:comment_author>Reader {number}</wp:comment_author>\
             <wp:comment_author_email>reader{number}@readers.example</wp:comment_author_email><wp:comment_author_IP>192.0.2.7</wp:comment_author_IP>\
             <wp:comment_content><![CDATA[What I measured with kettle number {number} was {} degrees.]]></wp:comment_content>\
             <wp:comment_approved>{}</wp:comment_approved></wp:comment>\n",
            number * 7 % 100,
            u8::from(!number.is_multiple_of(10))
        )
    };
    let comments: String = (1..=comments).map(comment).collect();
    format!(
        "<rss><channel><wp:base_blog_url>https://blog.example</wp:base_blog_url>\n<item><link>https://blog.example/p</link>\n{comments}</item></channel></rss>"
    )
}

pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    let (config, data) = (folder.join("hamlet.toml"), folder.join("data"));
    let place = ["--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
    command(&[arguments, &place[..]].concat(), &Setup::default()).output().unwrap()
}

pub fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_site_starts_from_an_export_before_its_first_start_and_a_second_run_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_settings(folder.path());
    let file = write(folder.path(), "export.xml", wxr(450));
    let import = |extra: &[&str]| {
        let arguments = [&["import", &file, "--from", "wxr", "--site", "blog", "--format", "json"], extra].concat();
        let output = run(folder.path(), &arguments);
        assert!(output.status.success(), "{output:?}");
        json_of(&output)
    };
    let planned = import(&["--dry-run"]);
    assert!(!folder.path().join("data/hamlet.db").exists());
    let report = import(&[]);
    assert_eq!(report["added"], json!({ "publish": 405, "spam": 0, "remove": 0 }));
    assert_eq!(planned["added"], report["added"]);
    let waiting = &report["skipped"][0];
    assert_eq!((&waiting["reason"], &waiting["count"], &waiting["lines"][0]), (&json!("undecided"), &json!(45), &json!(12)));
    let again = import(&[]);
    assert_eq!((&again["added"]["publish"], &again["known"]), (&json!(0), &json!(405)));
}

#[test]
fn a_file_that_breaks_off_leaves_what_came_before_and_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    write_settings(folder.path());
    let whole = wxr(300);
    let file = write(folder.path(), "export.xml", &whole[..whole.len() / 2]);
    let import = || run(folder.path(), &["import", &file, "--from", "wxr", "--site", "blog", "--format", "json"]);
    let cut = import();
    assert_eq!(cut.status.code(), Some(10), "{cut:?}");
    let before = json_of(&cut)["added"]["publish"].as_u64().unwrap();
    assert!(before > 100 && json_of(&cut)["ended_early"].as_str().unwrap().contains("line "), "{cut:?}");
    write(folder.path(), "export.xml", &whole);
    let report = json_of(&import());
    assert_eq!((report["added"]["publish"].as_u64(), report["known"].as_u64()), (Some(270 - before), Some(before)));
}

#[test]
fn a_wrong_use_says_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    write_settings(folder.path());
    let file = write(folder.path(), "box", "From x\n\nhi\n");
    let said = |arguments: &[&str]| {
        let output = run(folder.path(), &[&["import"], arguments].concat());
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(&[&file, "--from", "mbox", "--site", "blog"]).contains("--label spam"));
    assert!(said(&[&file, "--from", "mbox", "--label", "spam"]).contains("say --site"));
    assert!(said(&[&file, "--from", "mbox", "--label", "spam", "--site", "none"]).contains("no site none"));
    assert!(said(&["/nowhere", "--from", "mbox", "--label", "spam", "--site", "blog"]).contains("cannot read /nowhere"));
    assert!(said(&[&file, "--from", "isso", "--site", "blog"]).contains("file is not a database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_takes_it_in_mails_nobody_and_counts_no_flood() {
    let app = TestApp::start(Setup::default().set("SITES__BLOG__RULES__FLOOD_ADDRESS_HOLD", 2)).await;
    let line = |label: &str, body: &str| {
        json!({ "label": label, "content": body, "ip": "203.0.113.9", "email": "jane@strangers.example" }).to_string() + "\n"
    };
    let lines: String = SPAM.iter().map(|body| line("spam", body)).chain(HAM.iter().map(|body| line("ham", body))).collect();
    let file = write(app.folder(), "labels.jsonl", lines);
    let output = run(app.folder(), &["import", &file, "--from", "jsonl", "--site", "blog", "--format", "json"]);
    assert_eq!(json_of(&output)["added"], json!({ "publish": 8, "spam": 8, "remove": 0 }), "{output:?}");
    let held = app.submit(BLOG_KEY, &stranger("hello")).await.json();
    let reasons = held["reasons"].to_string();
    assert!(!reasons.contains("flood") && !app.data().join("mail").exists(), "{reasons}");
    let retrained = run(app.folder(), &["retrain", "--site", "blog"]);
    assert!(String::from_utf8_lossy(&retrained.stderr).contains("learnt from 16 rulings, 8 spam and 8 ham"), "{retrained:?}");
}
