//! Replay: what another configuration would have decided, beside a running daemon; by the same one nothing flips.

use crate::app::{BLOG_KEY, OPEN_KEY, STERN_KEY, Setup, TestApp, WATCH_KEY, editor, stranger};
use crate::commands::{Ended, hamlet, str};
use serde_json::{Value, json};
use std::path::Path;

fn replay(config: &Path, app: &TestApp, more: &[&str]) -> Ended {
    hamlet(&[&["replay", "--config", str(config), "--data", str(&app.data())], more].concat())
}

fn document(ended: &Ended) -> Value {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

/// Comments of all kinds whose authors' records change under way, waited for and queued; some ruled.
async fn fill(app: &TestApp) -> usize {
    let mut comments = 0;
    for round in 0..3 {
        for key in [BLOG_KEY, OPEN_KEY, STERN_KEY, WATCH_KEY] {
            let linked = app.submit(key, &stranger(&format!("Round {round}: see https://a.example/{round} for the kettle"))).await.id();
            app.submit(key, &editor("Thank you for round.")).await;
            app.submit(key, &json!({ "body": "free casino bonus money now, no name" })).await;
            let queued: Vec<String> = [
                app.submit_async(key, &stranger("Twice the same.")).await.id(),
                app.submit_async(key, &stranger("Twice the same.")).await.id(),
            ]
            .into();
            for id in &queued {
                app.judged(key, id).await;
            }
            app.rule(key, &linked, ["spam", "publish", "remove"][round]).await;
            comments += 5;
        }
    }
    comments
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_same_settings_and_model_nothing_flips() {
    let app = TestApp::start(Setup::default()).await;
    let comments = fill(&app).await;
    let config = app.folder().join("hamlet.toml");
    for more in [&[][..], &["--model", "current"], &["--model", "starter"]] {
        let document = document(&replay(&config, &app, &[&["--format", "json"], more].concat()));
        assert_eq!((&document["flips"], &document["summary"]["comments"]), (&json!([]), &json!(comments)), "{more:?}");
        let held = &document["summary"]["held"];
        assert!(held["before"] == held["after"] && held["before"].as_u64() > Some(0), "{held}");
    }
    let table = replay(&config, &app, &[]);
    assert!(table.code == 0 && table.stdout.contains(&format!("{comments} comments judged again, 0 flips")), "{}", table.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flip_is_told_with_its_reason_and_the_ruling() {
    let app = TestApp::start(Setup::default()).await;
    let kettle = app.submit(BLOG_KEY, &stranger("A word about the\x1b[2J kettle.")).await.id();
    app.submit(BLOG_KEY, &stranger("A word about the weather.")).await;
    app.rule(BLOG_KEY, &kettle, "publish").await;
    app.submit(OPEN_KEY, &json!({ "body": "Good morning." })).await;
    let settings = std::fs::read_to_string(app.folder().join("hamlet.toml")).unwrap();
    let config = app.folder().join("new.toml");
    std::fs::write(&config, settings.replace("\"blockedword\"", "\"kettle\"")).unwrap();
    let table = replay(&config, &app, &[]);
    for words in [
        "hold → reject   ruled publish",
        &kettle,
        "new: “kettle” is on the list “blocklist” (list:blocklist, reject)",
        "1 flip",
        "of 1 ruled ham, rejected                 0, 0 %         1, 100 %",
    ] {
        assert!(table.stdout.contains(words), "{words}: {}", table.stdout);
    }
    assert!(table.code == 0 && !table.stdout.contains('\x1b'), "{}", table.stderr);
    let lines = replay(&config, &app, &["--format", "jsonl"]).stdout;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["id"], &lines[0]["ruling"]), (2, &json!(kettle), &json!("publish")));
    let summary = &lines[1]["summary"];
    assert_eq!((&summary["flips"], &summary["comments"]), (&json!({ "hold -> reject": 1 }), &json!(3)));
    assert_eq!(
        (&summary["ruled_ham_rejected"], &summary["held"]),
        (&json!({ "before": 0, "after": 1 }), &json!({ "before": 2, "after": 1 }))
    );
    let old = app.folder().join("hamlet.toml");
    let other_rules = replay(&old, &app, &["--set", "rules.links_max=0", "--set", "sites.open.policy.publish_max=0", "--format", "json"]);
    assert_eq!(document(&other_rules)["summary"]["flips"], json!({ "publish -> hold": 1 }));
    assert_eq!(replay(&old, &app, &["--set", "rules.links_max"]).code, 2);
    assert_eq!(replay(&old, &app, &["--set", "rules.links_max=many"]).code, 3);
    let one_site = document(&replay(&config, &app, &["--format", "json", "--site", "open"]));
    assert_eq!((&one_site["flips"], &one_site["summary"]["comments"]), (&json!([]), &json!(1)));
    let unknown = hamlet(&["replay", "--config", str(&config), "--data", str(&app.data()), "--site", "nowhere"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("blog, open, other"), "{}", unknown.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_settings_and_nothing_to_replay_have_their_exit_codes() {
    let app = TestApp::start(Setup::default()).await;
    let (config, broken) = (app.folder().join("hamlet.toml"), app.folder().join("broken.toml"));
    std::fs::write(&broken, "[policy]\nreject_min = 7\n[rules]\nlinks_max = -1\n").unwrap();
    let ended = replay(&broken, &app, &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""));
    for key in ["policy.reject_min", "rules.links_max", "sites"] {
        assert!(ended.stderr.contains(key), "{}", ended.stderr);
    }
    assert_eq!(replay(&config, &app, &[]).code, 1);
    app.submit(BLOG_KEY, &stranger("A word.")).await;
    assert_eq!((replay(&config, &app, &[]).code, replay(&config, &app, &["--since", "2100-01-01"]).code), (0, 1));
    assert_eq!(replay(&config, &app, &["--since", "yesterday"]).code, 2);
    let elsewhere = app.folder().join("elsewhere");
    assert_eq!(hamlet(&["replay", "--config", str(&config), "--data", str(&elsewhere)]).code, 4);
    let settings = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&broken, settings.replace("[sites.blog]", "[sites.blog-2]").replace("sites = [\"blog\"]", "sites = [\"open\"]"))
        .unwrap();
    let gone = replay(&broken, &app, &[]);
    assert!(gone.code == 1 && gone.stderr.contains("1 (the settings have no such site)"), "{}", gone.stderr);
}
