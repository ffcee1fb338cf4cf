//! Learning: a site's rulings become a model of its own, and the running daemon judges with it without a restart; between trainings every
//! ruling is learnt at once, and may hold what would have been published. A model that does not fit is refused, and one can go back.

use crate::app::{BLOG_KEY, OPEN_KEY, Setup, TestApp, editor, stranger};
use crate::commands::{Ended, hamlet, hamlet_reading, str};
use hamlet::control::{Command, Reply, ask};
use hamlet::id::SiteId;
use hamlet::shelf::{self, Shelf};
use serde_json::{Value, json};

pub const HAM: [&str; 8] = [
    "My kettle hisses the same way, and I pour a little earlier in winter.",
    "I disagree with the second part, but the photos are lovely.",
    "Does it also work with a hand grinder?",
    "Thanks, that solved it for me.",
    "We tried this at the office and half the team switched to tea.",
    "The link in the third paragraph no longer works, by the way.",
    "My grandmother used a cloth filter all her life.",
    "Which water do you use? Ours is very hard.",
];

pub const SPAM: [&str; 8] = [
    "Zwirbelkopf descaler kits, order today at half the price",
    "Earn daily from home, message us for the program",
    "Zwirbelkopf original parts with free shipping this week",
    "Cheap loans without questions, apply now",
    "We write essays for students, best quality guaranteed",
    "Zwirbelkopf dealers wanted, high commission",
    "Win a phone today, just register your number",
    "Slots and roulette with a welcome bonus for new players",
];

/// The open site's people rule on these, by the API.
pub async fn rule_all(app: &TestApp, bodies: &[&str], ruling: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for body in bodies {
        let id = app.submit(OPEN_KEY, &json!({ "body": body })).await.id();
        assert_eq!(app.rule(OPEN_KEY, &id, ruling).await.status, 200);
        ids.push(id);
    }
    ids
}

fn retrain(app: &TestApp, arguments: &[&str]) -> Ended {
    let data = app.data();
    hamlet(&[&["retrain", "--data", str(&data)], arguments].concat())
}

/// A daemon whose open site has a model of its own, and the model's name.
async fn with_own_model(setup: Setup) -> (TestApp, String) {
    let app = TestApp::start(setup).await;
    rule_all(&app, &HAM, "publish").await;
    rule_all(&app, &SPAM, "spam").await;
    let retrained = retrain(&app, &["--site", "open"]);
    assert_eq!(retrained.code, 0, "{}", retrained.stderr);
    let model = retrained.stdout.trim().strip_prefix("open ").unwrap().to_owned();
    (app, model)
}

async fn model_of(app: &TestApp, key: &str) -> Value {
    app.submit(key, &stranger("Which model judges here?")).await.json()["model"].clone()
}

fn codes(document: &Value) -> Vec<&str> {
    document["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_takes_what_was_learnt_from_a_sites_rulings_without_a_restart() {
    let app = TestApp::start(Setup::default()).await;
    let comment = json!({ "body": "Zwirbelkopf kettles descale the garden hose" });
    let before = app.submit(OPEN_KEY, &comment).await.json();
    rule_all(&app, &HAM, "publish").await;
    rule_all(&app, &SPAM, "spam").await;
    rule_all(&app, &["An insult, and no spam."], "remove").await;
    let id = app.submit(BLOG_KEY, &stranger("Zwirbelkopf!")).await.id();
    app.rule(BLOG_KEY, &id, "spam").await;
    let retrained = retrain(&app, &[]);
    assert_eq!(retrained.code, 0, "{}", retrained.stderr);
    assert!(retrained.stderr.contains("open: learnt from 16 rulings, 8 spam and 8 ham"), "`remove` is no label: {}", retrained.stderr);
    assert!(retrained.stderr.contains("blog: 1 spam and 0 ham examples; training needs at least 2"), "{}", retrained.stderr);
    assert!(
        retrained.stderr.contains("open: the running daemon judges with it") && !retrained.stderr.contains("linfa"),
        "{}",
        retrained.stderr
    );
    let model = retrained.stdout.trim().strip_prefix("open ").unwrap();
    let after = app.submit(OPEN_KEY, &comment).await.json();
    assert_eq!(after["model"], model);
    assert!(after["score"].as_f64() > before["score"].as_f64(), "spam was learnt: {before} {after}");
    assert_eq!(model_of(&app, BLOG_KEY).await, before["model"], "another site's model is its own");
    let data = app.data();
    let asked = format!("{comment}\n").replace("body", "content");
    let scored = hamlet_reading(&["score", "--input", "-", "--site", "open", "--data", str(&data)], &asked);
    let score = serde_json::from_str::<Value>(&scored.stdout).unwrap()["score"].as_f64().unwrap();
    assert!((score - after["score"].as_f64().unwrap()).abs() < 1e-9, "score uses the site's model: {score} {after}");
    let app = app.start_again().await;
    assert_eq!(app.submit(OPEN_KEY, &comment).await.json()["model"], model);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ruling_is_learnt_at_once_and_may_hold_what_was_published() {
    let setup = Setup::default().set("SITES__OPEN__POLICY__PUBLISH_MAX", 0.75).set("SITES__OPEN__POLICY__REJECT_MIN", 0.999);
    let (app, _) = with_own_model(setup).await;
    let similar = json!({ "body": "Quillon sharpeners fold neatly beside the garden bench" });
    let first = app.submit(OPEN_KEY, &similar).await.json();
    assert_eq!(first["status"], "published", "{first}");
    let quillons = [
        "Quillon sharpeners fold neatly into the drawer",
        "Quillon sharpeners beside every garden bench",
        "Get Quillon sharpeners, they fold neatly",
        "Quillon sharpeners for the garden",
    ];
    let ids = rule_all(&app, &quillons, "spam").await;
    let held = app.submit(OPEN_KEY, &similar).await.json();
    assert_eq!((&held["status"], &held["score"]), (&json!("held"), &first["score"]), "{held}");
    assert!(codes(&held).contains(&"recent_rulings"), "{held}");
    let app = app.start_again().await;
    let held = app.submit(OPEN_KEY, &similar).await.json();
    assert!(held["status"] == "held" && codes(&held).contains(&"recent_rulings"), "{held}");
    for id in ids {
        app.rule(OPEN_KEY, &id, "remove").await;
    }
    let published = app.submit(OPEN_KEY, &similar).await.json();
    assert_eq!(published["status"], "published", "what was taken back is unlearnt: {published}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_says_other_than_it_said_is_refused_and_one_can_go_back() {
    let (app, model) = with_own_model(Setup::default()).await;
    let (data, open) = (app.data(), SiteId::new("open"));
    let shelf = Shelf::of(&data);
    let mut drifted = shelf.current(&open).unwrap().unwrap();
    drifted.card.golden[0].log_odds += 0.5;
    std::fs::write(data.join("models/0123456789ab.hamlet"), drifted.to_bytes()).unwrap();
    let promoted = std::fs::read_to_string(data.join("models/promoted")).unwrap();
    std::fs::write(data.join("models/promoted"), promoted + "open 0123456789ab\n").unwrap();
    let refused = ask(&data, &Command::SwapModel { site: "open".into() }).unwrap();
    let Some(Reply::Failed { reason }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("0123456789ab.hamlet") && reason.contains("train anew"), "{reason}");
    assert_eq!(model_of(&app, OPEN_KEY).await, model);
    for expected in [model.clone(), shelf::starter().unwrap().id.to_string()] {
        let back = retrain(&app, &["--roll-back", "--site", "open"]);
        assert_eq!((back.code, back.stdout.trim()), (0, &*format!("open {expected}")), "{}", back.stderr);
        assert_eq!(model_of(&app, OPEN_KEY).await, expected);
    }
    let back = retrain(&app, &["--roll-back", "--site", "open"]);
    assert!(back.code == 1 && back.stderr.contains("nothing to roll back to"), "{}", back.stderr);
    assert_eq!(retrain(&app, &["--roll-back"]).code, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_few_rulings_the_starter_goes_on() {
    let app = TestApp::start(Setup::default()).await;
    let before = model_of(&app, OPEN_KEY).await;
    let nobody = retrain(&app, &[]);
    assert!(nobody.code == 1 && nobody.stderr.contains("nobody has ruled"), "{}", nobody.stderr);
    rule_all(&app, &SPAM, "spam").await;
    let named = retrain(&app, &["--site", "open"]);
    assert!(named.code == 1 && named.stderr.contains("8 spam and 0 ham"), "{}", named.stderr);
    let all = retrain(&app, &[]);
    assert!(all.code == 1 && all.stderr.contains("no site has enough rulings"), "{}", all.stderr);
    assert_eq!(model_of(&app, OPEN_KEY).await, before);
}

#[tokio::test]
async fn without_a_model_that_can_be_read_the_rules_alone_decide_and_publish_nobody_unknown() {
    let mut app = TestApp::start(Setup::default()).await;
    app.kill();
    let shelf = app.data().join("models");
    std::fs::create_dir_all(&shelf).unwrap();
    std::fs::write(shelf.join("promoted"), "open 0123456789ab\nblog 0123456789ab\n").unwrap();
    std::fs::write(shelf.join("0123456789ab.hamlet"), "no model").unwrap();
    let app = app.start_again().await;
    let open = app.submit(OPEN_KEY, &stranger("A word about the kettle.")).await.json();
    assert_eq!(
        (&open["status"], &open["band"], &open["score"], &open["model"]),
        (&json!("held"), &json!("rules_only"), &json!(null), &json!(null))
    );
    assert_eq!(app.submit(BLOG_KEY, &editor("Thank you.")).await.json()["status"], "published");
    assert_eq!(app.submit(BLOG_KEY, &stranger("blockedword")).await.json()["status"], "rejected");
    assert_eq!(hamlet_reading(&["score", "--data", str(&app.data()), "--site", "open", "--input", "-"], "").code, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writing_unlike_anything_that_the_starter_learnt_from_is_held() {
    let app = TestApp::start(Setup::default()).await;
    for (body, status) in [("Ευχαριστώ πολύ, το δοκίμασα χθες.", "held"), ("Thank you, I tried it yesterday.", "published")]
    {
        let decided = app.submit(OPEN_KEY, &json!({ "body": body })).await.json();
        assert_eq!(decided["status"], status, "{decided}");
        assert_eq!(decided.to_string().contains("\"unfamiliar\""), status == "held", "{decided}");
    }
}
