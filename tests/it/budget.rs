//! The budget: labels that stand for all comments carry thresholds, which come and go with the model that they were measured for. Too few
//! carry none, and it is said how many are missing. A site that has no model of its own gets one by itself.

use crate::app::{OPEN_KEY, Setup, TestApp, stranger};
use crate::commands::{Ended, hamlet_with, str};
use crate::retrain::{HAM, SPAM, rule_all};
use crate::store::Look;
use crate::wait::until;
use serde_json::{Value, json};

/// A site whose people look at everything, and allow a fifth of errors on either side.
fn watched() -> Setup {
    let set = |setup: Setup, key: &str, value: f64| setup.set(&format!("SITES__OPEN__POLICY__{key}"), value);
    let keys = [("AUDIT_PUBLISHED_SHARE", 1.0), ("AUDIT_REJECTED_SHARE", 1.0), ("SPAM_PUBLISHED_MAX", 0.2), ("HAM_REJECTED_MAX", 0.2)];
    keys.into_iter().fold(Setup::default().set("SITES__OPEN__POLICY__CONFIDENCE", 0.8), |setup, (key, value)| set(setup, key, value))
}

fn run(app: &TestApp, arguments: &[&str]) -> Ended {
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    hamlet_with(&app.setup, &[arguments, &["--config", str(&config), "--data", str(&data)]].concat(), "")
}

/// How many decisions flip.
fn replayed(app: &TestApp, more: &[&str]) -> usize {
    let ended = run(app, &[&["replay", "--site", "open", "--format", "json"], more].concat());
    let document: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr));
    document["flips"].as_array().unwrap().len()
}

/// Twice as many texts, none a copy of another.
fn more(bodies: &[&str]) -> Vec<String> {
    let again = bodies.iter().map(|body| body.split(' ').rev().collect::<Vec<_>>().join(" "));
    bodies.iter().map(|body| (*body).to_owned()).chain(again).collect()
}

fn refs(bodies: &[String]) -> Vec<&str> {
    bodies.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_that_stand_for_all_comments_certify_thresholds_that_come_and_go_with_the_model() {
    let app = TestApp::start(watched()).await;
    rule_all(&app, &refs(&more(&HAM)), "publish").await;
    rule_all(&app, &SPAM, "spam").await;
    let young = run(&app, &["retrain", "--site", "open"]);
    assert_eq!(young.code, 0, "{}", young.stderr);
    assert!(young.stderr.contains("NOT CERTIFIED") && young.stderr.contains("3 more labels of spam needed"), "{}", young.stderr);
    let published_at =
        |app: &TestApp| Look::into(app).one::<f64>("SELECT json_extract(why, '$.publish_max') FROM decisions ORDER BY seq DESC");
    app.submit(OPEN_KEY, &stranger("Whatever it is.")).await;
    assert!(published_at(&app) > 0.9, "the fixed threshold stays");

    rule_all(&app, &refs(&more(&SPAM)[8..]), "spam").await;
    let grown = run(&app, &["retrain", "--site", "open"]);
    assert!(grown.code == 0 && grown.stderr.contains(": CERTIFIED"), "{}", grown.stderr);
    for told in ["at most 20 % of spam published", "measured on 16 spam and 16 ham", "where 95 % of all is", "a day go to moderators"] {
        assert!(grown.stderr.contains(told), "{told}: {}", grown.stderr);
    }
    app.submit(OPEN_KEY, &stranger("Whatever it is, again.")).await;
    let certified = published_at(&app);
    assert!(certified < 0.5, "the certified threshold judges: {certified}");
    let shown = run(&app, &["model", "show", "--site", "open"]);
    assert!(shown.stdout.contains(": CERTIFIED") && shown.stdout.contains("(those of the budget)"), "{} {}", shown.stdout, shown.stderr);
    let card: Value = serde_json::from_str(&run(&app, &["model", "show", "--site", "open", "--format", "json"]).stdout).unwrap();
    assert_eq!(card["terms"]["outcome"]["certified"]["policy"]["publish_max"], certified, "{card}");

    let input = app.folder().join("one.jsonl");
    std::fs::write(&input, json!({ "content": SPAM[0] }).to_string()).unwrap();
    let scored = run(&app, &["score", "--site", "open", "--input", str(&input)]);
    assert!(scored.code == 0 && !scored.stdout.contains("publish"), "by the certified thresholds: {} {}", scored.stdout, scored.stderr);
    assert_eq!(replayed(&app, &[]), 0);
    assert!(replayed(&app, &["--model", "current"]) > 0, "what the fixed threshold published, the certified one does not");
    let back = run(&app, &["model", "rollback", "--site", "open"]);
    assert_eq!(back.code, 0, "{}", back.stderr);
    app.submit(OPEN_KEY, &stranger("Whatever it is, a third time.")).await;
    assert!(published_at(&app) > 0.9, "the model before brings its thresholds back");
    assert_eq!(replayed(&app, &[]), 0, "each is judged again by the thresholds of the model that judged it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_serves_the_budget_that_it_was_measured_for_and_fixed_thresholds_stay_when_they_are_chosen() {
    let mut app = TestApp::start(watched()).await;
    rule_all(&app, &refs(&more(&HAM)), "publish").await;
    rule_all(&app, &refs(&more(&SPAM)), "spam").await;
    assert_eq!(run(&app, &["retrain", "--site", "open"]).code, 0);
    for (key, value, why) in
        [("HAM_REJECTED_MAX", "0.01", "until a model is certified"), ("THRESHOLDS", "fixed", "`policy.thresholds` says")]
    {
        app.setup = watched().set(&format!("SITES__OPEN__POLICY__{key}"), value);
        app = app.start_again().await;
        let decided = app.submit(OPEN_KEY, &stranger("Whatever it is.")).await.json();
        assert_eq!(decided["status"], "published", "{key}: {decided}");
        let shown = run(&app, &["model", "show", "--site", "open"]);
        assert!(shown.stdout.contains(why), "{key}: {}", shown.stdout);
    }
}

/// People see what is held and nothing else: their labels are of the middle, and carry nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_without_spot_checks_stand_for_nothing() {
    let app = TestApp::start(watched().set("SITES__OPEN__POLICY__AUDIT_PUBLISHED_SHARE", 0)).await;
    rule_all(&app, &refs(&more(&HAM)), "publish").await;
    rule_all(&app, &refs(&more(&SPAM)), "spam").await;
    let ended = run(&app, &["retrain", "--site", "open"]);
    assert!(ended.stderr.contains("11 more labels of spam and 11 more labels of ham needed"), "{}", ended.stderr);
    assert!(ended.stderr.contains("spot checks were off"), "{}", ended.stderr);
}

/// Nobody looks at the spot checks: what was published wrongly has no label, and few errors among the rest say nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spot_checks_that_nobody_answers_certify_nothing() {
    let app = TestApp::start(watched()).await;
    rule_all(&app, &refs(&more(&HAM)), "publish").await;
    rule_all(&app, &refs(&more(&SPAM)), "spam").await;
    for unseen in 0..40 {
        app.submit(OPEN_KEY, &stranger(&format!("Nobody looks at number {unseen}."))).await;
    }
    let ended = run(&app, &["retrain", "--site", "open"]);
    assert!(ended.stderr.contains("NOT CERTIFIED") && ended.stderr.contains("while it is fewer than half"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_gets_its_first_model_from_ten_rulings_without_any_command() {
    let app = TestApp::start(Setup::default().set("LEARNING__SCHEDULE", "doubled")).await;
    let asked = stranger("Which model judges here?");
    let before = app.submit(OPEN_KEY, &asked).await.json()["model"].clone();
    rule_all(&app, &HAM, "publish").await;
    assert_eq!(app.submit(OPEN_KEY, &asked).await.json()["model"], before, "one class teaches nothing");
    rule_all(&app, &SPAM[..4], "spam").await;
    let after = until("a model of its own", || async {
        let model = app.submit(OPEN_KEY, &asked).await.json()["model"].clone();
        (model != before).then_some(model)
    });
    let after = after.await;
    assert!(app.data().join("models").join(format!("{}.hamlet", after.as_str().unwrap())).exists());
    let app = app.start_again().await;
    assert_eq!(app.submit(OPEN_KEY, &asked).await.json()["model"], after);
}
