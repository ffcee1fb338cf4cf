//! The command line: results on stdout, everything else on stderr, exit codes that scripts can trust, and files named where they are wrong.

use crate::app::{BLOG_KEY, Setup, TestApp, command, editor, stranger, write_settings};
use crate::blog::Blog;
use crate::store::Look;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command to its end.
pub fn hamlet(arguments: &[&str]) -> Ended {
    hamlet_reading(arguments, "")
}

pub fn hamlet_reading(arguments: &[&str], stdin: &str) -> Ended {
    hamlet_with(&Setup::default(), arguments, stdin)
}

/// With variables in its environment and something on its stdin.
pub fn hamlet_with(setup: &Setup, arguments: &[&str], stdin: &str) -> Ended {
    let mut command = command(arguments, setup);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_owned();
    let writing = std::thread::spawn(move || drop(pipe.write_all(stdin.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub fn str(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn line(label: &str, content: &str) -> String {
    json!({ "id": "1", "label": label, "author": "A", "email": "a@a.example", "url": null, "date": null, "content": content, "group": "g" })
        .to_string()
}

/// A small corpus that tells casinos from kettles. No two texts are near copies of one another, of which only ten would count.
fn corpus() -> String {
    let words = "lemon river castle paper copper winter garden silver museum harbour ladder violin candle desert forest";
    let words: Vec<&str> = words.split(' ').collect();
    let three = |n: usize| (words[n % 15], words[(n * 4 + 2) % 15], words[(n * 7 + n / 15 + 5) % 15]);
    let spam = (0..30).map(|n| {
        let (a, b, c) = three(n);
        line("spam", &format!("{a} casino {b} bonus {c} http://casino-{n}.example"))
    });
    let ham = (0..30).map(|n| {
        let (a, b, c) = three(n);
        line("ham", &format!("my {a} kettle hisses {b} {n} degrees, thank {c} you"))
    });
    spam.chain(ham).map(|line| line + "\n").collect()
}

#[test]
fn train_learns_and_score_answers_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (input, model) = (folder.path().join("in.jsonl"), folder.path().join("m.hamlet"));
    let abuse = line("abuse", "go away") + "\n" + &json!({ "content": "no label at all" }).to_string() + "\n";
    std::fs::write(&input, corpus() + &abuse).unwrap();
    let trained = hamlet(&["train", "--input", str(&input), "--output", str(&model)]);
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    assert!(trained.stdout.lines().count() == 1 && trained.stdout.ends_with(&format!(" {}\n", str(&model))), "{}", trained.stdout);
    assert!(trained.stderr.contains("30 spam and 30 ham, skipped 2 lines"), "{}", trained.stderr);
    assert!(
        trained.stderr.lines().count() <= 3 && !trained.stderr.contains('[') && !trained.stderr.contains("linfa"),
        "{}",
        trained.stderr
    );
    let asked = "{\"id\":\"b\",\"content\":\"garden casino violin bonus paper http://casino-3.example\"}\n\n{\"id\":\"a\",\"content\":\"my garden kettle hisses paper 7 degrees, thank you\"}\n{\"content\":\"?\"}\n";
    let scored = hamlet_reading(&["score", "--model", str(&model), "--input", "-"], asked);
    assert_eq!((scored.code, scored.stderr.as_str()), (0, ""));
    let lines: Vec<Value> = scored.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["id"].clone()).collect::<Vec<_>>(), [json!("b"), json!("a"), Value::Null]);
    for line in &lines {
        assert_eq!(line.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "score", "verdict"]);
        assert!((0.0..=1.0).contains(&line["score"].as_f64().unwrap()));
        assert!(["publish", "hold", "reject"].contains(&line["verdict"].as_str().unwrap()));
    }
    assert!(lines[0]["score"].as_f64() > Some(0.9) && lines[1]["score"].as_f64() < Some(0.1), "{lines:?}");
    assert_eq!(hamlet_reading(&["score", "--model", str(&model), "--input", "-"], asked).stdout, scored.stdout);
}

#[test]
fn a_broken_line_stops_training_and_scoring_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let (input, model) = (folder.path().join("in.jsonl"), folder.path().join("m.hamlet"));
    for broken in ["{\"label\":\"ham\"}", "{\"label\":\"ham\",\"content\":7}", "ham: hello", "{\"label\":\"ham\",\"content\":\"x\""] {
        std::fs::write(&input, corpus() + broken + "\n").unwrap();
        for arguments in [&["train", "--output", str(&model), "--input", str(&input)][..], &["score", "--input", str(&input)]] {
            let ended = hamlet(arguments);
            assert_eq!(ended.code, 1, "{broken}");
            assert!(ended.stderr.contains(str(&input)) && ended.stderr.contains("line 61"), "{}", ended.stderr);
        }
        assert!(!model.exists());
    }
}

#[test]
fn what_cannot_be_read_or_learnt_from_is_exit_1_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let model = hamlet_reading(&["score", "--model", str(&gone), "--input", "-"], "not even read");
    let input = hamlet(&["score", "--input", str(&gone)]);
    let training = hamlet(&["train", "--input", str(&gone), "--output", "x"]);
    for ended in [model, input, training] {
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
        assert!(ended.stderr.contains(str(&gone)), "{}", ended.stderr);
    }
    let few = hamlet_reading(&["train", "--input", "-", "--output", str(&gone)], &(line("spam", "casino") + "\n"));
    assert_eq!((few.code, gone.exists()), (1, false));
    std::fs::write(&gone, "no model").unwrap();
    assert_eq!(hamlet_reading(&["score", "--model", str(&gone), "--input", "-"], "").code, 1);
}

#[test]
fn without_a_model_the_starter_in_the_binary_scores() {
    let folder = tempfile::tempdir().unwrap();
    let scored = hamlet_reading(&["score", "--data", str(&folder.path().join("none")), "--input", "-"], "{\"content\":\"thank you\"}\n");
    assert_eq!((scored.code, scored.stdout.lines().count()), (0, 1), "{}", scored.stderr);
}

#[test]
fn init_writes_settings_whose_placeholders_the_check_reports() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hamlet.toml");
    assert_eq!(hamlet(&["init", str(&file)]).code, 0);
    let written = std::fs::read_to_string(&file).unwrap();
    let check = hamlet(&["config", "check", "--config", str(&file)]);
    assert_eq!((check.code, check.stdout.as_str()), (3, ""));
    for key in ["mail.smtp.username", "sites.blog.api_key", "sites.blog.webhook_secret"] {
        assert!(check.stderr.contains(key), "{}", check.stderr);
    }
    assert!(!check.stderr.contains("CHANGE-ME"), "{}", check.stderr);
    assert_eq!(hamlet(&["init", str(&file)]).code, 1, "a file that is there is left alone");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
    let filled = written.replace("password = \"\"", "password = \"x\"").replacen("CHANGE-ME", "an-api-key-00", 1);
    std::fs::write(&file, filled.replace("CHANGE-ME", crate::blog::SECRET)).unwrap();
    assert_eq!(hamlet(&["config", "check", "--config", str(&file)]).code, 0);
}

#[test]
fn names_with_line_breaks_are_refused_in_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let file = write_settings(folder.path());
    let settings = std::fs::read_to_string(&file).unwrap();
    for (plain, evil) in [
        ("Slow Kettle", "Slow\\r\\nBcc: all@a.example"),
        ("\"Ana\"", "\"Ana\\u0000\""),
        ("ana@moderators.example", "ana@a.example\\r\\nBcc: b@c.example"),
    ] {
        std::fs::write(&file, settings.replace(plain, evil)).unwrap();
        assert_eq!(hamlet(&["config", "check", "--config", str(&file)]).code, 3, "{evil}");
    }
}

#[test]
fn a_wrong_use_is_exit_2_and_no_site_exit_3() {
    for arguments in [&["frobnicate"][..], &["serve", "--port", "7"], &["queue", "rule", "x", "--as", "maybe"], &["train"], &[]] {
        let ended = hamlet(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ended = hamlet(&["serve", "--data", str(&data), "--listen", "127.0.0.1:0"]);
    assert_eq!((ended.code, data.exists()), (3, false));
    assert!(ended.stderr.contains("serve --demo"), "{}", ended.stderr);
    for command in [&["queue", "list"][..], &["retrain"]] {
        assert_eq!(hamlet(&[command, &["--data", str(&data)]].concat()).code, 4, "{command:?}");
    }
}

#[test]
fn who_stops_reading_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    std::fs::write(&input, "{\"id\":\"a\",\"content\":\"thank you\"}\n".repeat(6_000)).unwrap();
    let mut child =
        command(&["score", "--input", str(&input)], &Setup::default()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap()), (Some(0), String::new()));
    for arguments in [
        &["--help"][..],
        &["init", str(&folder.path().join("new.toml"))],
        &["config", "check", "--config", str(&write_settings(folder.path()))],
    ] {
        let (reading, writing) = std::io::pipe().unwrap();
        drop(reading);
        let ended = command(arguments, &Setup::default()).stdout(writing).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.code() == Some(0) && !stderr.contains("panicked"), "{arguments:?} {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_is_listed_and_ruled_with_and_without_a_daemon() {
    let blog = Blog::open().await;
    let mut app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    let mut comment = stranger("A word\x1b[2J about\nthe kettle.");
    comment["name"] = json!("Jane\x1b]0;owned\x07");
    let one = app.submit(BLOG_KEY, &comment).await.id();
    let two = app.submit(BLOG_KEY, &stranger("Another word.")).await.id();
    app.submit(BLOG_KEY, &editor("Thank you.")).await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let place = ["--config", str(&config), "--data", str(&data)];
    let table = hamlet(&[&["queue", "list"], &place[..]].concat());
    assert_eq!((table.code, table.stdout.lines().count()), (0, 2), "{}", table.stderr);
    assert!(table.stdout.contains(&one) && !table.stdout.contains('\x1b') && !table.stdout.contains("jane@"), "{}", table.stdout);
    let listed = hamlet(&[&["queue", "list", "--format", "jsonl", "--limit", "1"], &place[..]].concat());
    let mut expected = app.document(BLOG_KEY, &one).await.json();
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    // As the API answers, and what tells apart comments of several sites.
    (expected["site"], expected["received_at"]) = (json!("blog"), listed["received_at"].clone());
    assert_eq!(listed, expected);
    let setup = app.setup.clone();
    let rule =
        |id: &str, ruling: &str| hamlet_with(&setup, &[&["queue", "rule", id, "--as", ruling, "--by", "Cem"], &place[..]].concat(), "");
    assert_eq!(rule(&one, "publish").stdout, "published\n");
    let document = app.document(BLOG_KEY, &one).await.json();
    assert_eq!(
        (&document["status"], &document["ruling"]["by"], &document["ruling"]["via"]),
        (&json!("published"), &json!("Cem"), &json!("cli"))
    );
    assert!(rule(&one, "publish").stderr.contains("ruled so before"));
    assert_eq!((rule("019ab3c0-7a51-7c1e-8f00-2b6f0f6a9d11", "spam").code, rule("7", "spam").code), (1, 1));
    app.kill();
    assert_eq!(rule(&two, "spam").stdout, "rejected\n");
    let app = app.start_again().await;
    let document = app.document(BLOG_KEY, &two).await.json();
    assert_eq!((&document["status"], &document["ruling"]["by"]), (&json!("rejected"), &json!("Cem")));
    Look::into(&app).outbox_drained().await;
    assert_eq!(blog.statuses().get(&two).map(String::as_str), Some("rejected"));
    assert_eq!(hamlet(&[&["queue", "list"], &place[..]].concat()).stderr, "nothing waits\n");
}

#[tokio::test]
async fn a_digest_is_previewed_and_not_sent() {
    let app = TestApp::start(Setup::default().set("DIGEST__ITEMS_MIN", 100).set("DIGEST__AGE_HOURS_MAX", 720)).await;
    app.submit(BLOG_KEY, &stranger("See https://a.example/kettle")).await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let (look, place) = (Look::into(&app), ["--config", str(&config), "--data", str(&data)]);
    let before = look.dump();
    let preview = hamlet(&[&["digest", "preview", "--to", "ana"], &place[..]].concat());
    assert_eq!(preview.code, 0, "{}", preview.stderr);
    assert!(
        preview.stdout.starts_with("Subject: [Slow Kettle] 1 comment to review") && preview.stdout.contains("/d/preview"),
        "{}",
        preview.stdout
    );
    assert!(preview.stdout.contains("a[.]example/kettle") && !preview.stdout.contains("jane@"));
    let nobody = hamlet(&[&["digest", "preview", "--to", "zoe"], &place[..]].concat());
    assert!(nobody.code == 1 && nobody.stderr.contains("ana, bob"), "{}", nobody.stderr);
    assert_eq!(look.dump(), before);
}
