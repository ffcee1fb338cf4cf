//! Lists in files: what stands on them is acted on, a changed file is taken over while the daemon runs, a broken one is not, and admins see
//! what they hold and what they found.

use crate::app::{BLOG_KEY, OPEN_KEY, OTHER_KEY, Setup, TestApp, command, stranger, write_settings};
use crate::commands::{Ended, hamlet, hamlet_with, str};
use crate::wait::{until, until_true};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;

fn list(setup: Setup, name: &str, file: &Path, kind: &str, effect: &str) -> Setup {
    let key = |key: &str| format!("LISTS__{name}__{key}");
    setup.set(&key("FILE"), file.display()).set(&key("KIND"), kind).set(&key("EFFECT"), effect)
}

/// A file put in its place by a rename, as the manual asks.
fn put(file: &Path, text: &str) {
    let beside = file.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(&beside, file).unwrap();
}

fn reasons(document: &Value) -> Vec<(&str, &str)> {
    let reasons = document["reasons"].as_array().unwrap().iter();
    reasons
        .map(|reason| (reason["code"].as_str().unwrap(), reason["text"].as_str().unwrap()))
        .filter(|(code, _)| code.starts_with("list:"))
        .collect()
}

#[tokio::test]
async fn a_list_follows_its_file_while_the_daemon_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pharmacy.txt");
    put(&file, "# medicine\ncialis\n...\n");
    let app = TestApp::start(list(Setup::default(), "PHARMACY", &file, "words", "reject")).await;
    let rejected = app.submit(OPEN_KEY, &stranger("Buy C\u{456}alis here")).await.json();
    assert_eq!(
        (&rejected["status"], reasons(&rejected)),
        (&json!("rejected"), vec![("list:pharmacy", "“cialis” is on the list “pharmacy”")])
    );
    assert_eq!(app.submit(OPEN_KEY, &stranger("Ask a specialist")).await.json()["status"], "published");
    assert!(app.log().contains("list.bad_lines"), "{}", app.log());

    put(&file, "viagra\n");
    app.hang_up();
    until_true("the new list works", || app.log().matches("list.taken").count() == 2).await;
    until("viagra", || async {
        Some(app.submit(OPEN_KEY, &stranger("viagra")).await.json()).filter(|document| document["status"] == "rejected")
    })
    .await;
    assert_eq!(app.submit(OPEN_KEY, &stranger("cialis")).await.json()["status"], "published");

    // Neither a file of which nothing is an entry nor one that is gone ends the list that works.
    put(&file, "---\n...\n");
    app.hang_up();
    until_true("the log tells of the bad file", || app.log().contains("has 2 bad lines and 0 entries")).await;
    assert_eq!(app.submit(OPEN_KEY, &stranger("viagra")).await.json()["status"], "rejected");
    std::fs::remove_file(&file).unwrap();
    app.hang_up();
    until_true("the log tells of the file that is gone", || app.log().contains("No such file")).await;
    assert_eq!(app.submit(OPEN_KEY, &stranger("viagra")).await.json()["status"], "rejected");
}

#[tokio::test]
async fn admins_see_what_lists_found_and_what_people_said_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let [words, addresses] = ["words.txt", "addresses.txt"].map(|name| folder.path().join(name));
    put(&words, "casino\nkettle\nnever\n");
    put(&addresses, "jane@strangers.example\n");
    let setup = list(list(Setup::default(), "WORDS", &words, "words", "hold"), "CLAIMS", &addresses, "addresses", "hold");
    let app = TestApp::start(setup.clone()).await;
    for (key, body, ruling) in [(BLOG_KEY, "casino", "spam"), (BLOG_KEY, "casino kettle", "publish"), (OTHER_KEY, "my kettle", "publish")] {
        let id = app.submit(key, &stranger(body)).await.id();
        app.rule(key, &id, ruling).await;
    }
    let document = app.submit(BLOG_KEY, &stranger("hello")).await;
    assert_eq!(reasons(&document.json()), [("list:claims", "the email address is on the list claims")]);
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let stats = |more: &[&str]| -> Ended {
        hamlet_with(&setup, &[&["lists", "stats", "--config", str(&config), "--data", str(&data)], more].concat(), "")
    };
    let told: Value = serde_json::from_str(&stats(&["--format", "json", "--list", "words"]).stdout).unwrap();
    let found = |site: &str, entry: &str| {
        let all = told[0]["found"].as_array().unwrap();
        let found = all.iter().find(|found| found["site"] == site && found["entry"] == entry).unwrap();
        [&found["hits"], &found["ruled_spam"], &found["ruled_ham"]].map(|count| count.as_u64().unwrap())
    };
    assert_eq!([found("blog", "casino"), found("blog", "kettle"), found("other", "kettle")], [[2, 1, 1], [1, 0, 1], [1, 0, 1]]);
    assert_eq!((&told[0]["entries"], &told[0]["entries_never_found"], &told[0]["hits"]), (&json!(3), &json!(1), &json!(4)));
    let table = stats(&[]).stdout;
    assert!(
        table.contains("words (hits: 4, ") && table.contains("entries found: 3, never found: 1)") && table.contains("j...@s....example"),
        "{table}"
    );
    assert!(!table.contains("jane@"), "{table}");
    let columns: Vec<_> = table.lines().filter_map(|line| line.find("entry").or_else(|| line.find("casino"))).collect();
    assert!(columns.len() > 1 && columns.iter().all(|column| *column == columns[0]), "a column begins where its head does: {table}");
    let unknown = stats(&["--list", "nonsense"]);
    assert_eq!((unknown.code, unknown.stderr.as_str()), (1, "hamlet: no list is called \"nonsense\", now or before\n"));
}

#[test]
fn check_names_every_bad_line_and_serve_refuses_a_list_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (good, mixed, config) = (folder.path().join("good.txt"), folder.path().join("mixed.txt"), write_settings(folder.path()));
    put(&good, "casino\nbonus\n");
    put(&mixed, "pills(?:today|now)\n(?<=x)pills\nkettle\n");
    let checked = hamlet(&["lists", "check", str(&mixed), "--kind", "patterns"]);
    let expected = format!("{}:2: look-around, including look-ahead and look-behind, is not supported", mixed.display());
    assert!(
        checked.code == 1 && checked.stdout.contains("(entries: 2, bad lines: 1, ") && checked.stdout.contains(&expected),
        "{}",
        checked.stdout
    );
    let networks = folder.path().join("networks.txt");
    put(&networks, "192.0.2.0/24\n300.1.1.1\n");
    let checked = hamlet(&["lists", "check", str(&networks), "--kind", "networks"]);
    assert!(
        checked.stdout.contains(":2: no network like 192.0.2.0/24 or 2001:db8::/32"),
        "an example is there to be copied: {}",
        checked.stdout
    );
    let setup = list(list(Setup::default(), "GOOD", &good, "words", "reject"), "MIXED", &mixed, "patterns", "evidence");
    let all = hamlet_with(&setup, &["lists", "check", "--config", str(&config), "--format", "json"], "");
    let all_told: Value = serde_json::from_str(&all.stdout).unwrap();
    assert_eq!((all.code, &all_told[0]["entries"], &all_told[1]["bad_lines"][0]["line"]), (1, &json!(2), &json!(2)));
    let config_checked = hamlet_with(&setup, &["config", "check", "--config", str(&config)], "");
    assert!(
        config_checked.code == 0 && config_checked.stderr.contains("passed over: 1; `hamlet lists check`"),
        "{}",
        config_checked.stderr
    );
    assert_eq!(hamlet(&["lists", "check", str(&good), "--kind", "words"]).code, 0);
    assert_eq!(hamlet(&["lists", "check", str(&good), "--kind", "wrods"]).code, 2);

    let gone = list(Setup::default(), "GONE", &folder.path().join("gone.txt"), "words", "reject");
    let data = folder.path().join("data");
    for arguments in [&["config", "check"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let mut command = command(&[arguments, &["--config", str(&config)]].concat(), &gone.clone().set("DATA__DIR", data.display()));
        let ended = command.stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.code() == Some(3) && told.contains("lists.gone.file is") && told.contains("No such file"), "{told}");
    }
}
