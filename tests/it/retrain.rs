//! Learning: a site's rulings become a model of its own, and the running daemon judges with it without a restart; between trainings every
//! ruling is learnt at once, and may hold what would have been published. A model that does not fit is refused, and one can go back.

use crate::app::{BLOG_KEY, OPEN_KEY, Setup, TestApp, editor, stranger};
use crate::commands::{Ended, hamlet, hamlet_reading, str};
use crate::wait::until;
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
    let would = hamlet(&["model", "rollback", "--dry-run", "--data", str(&data), "--site", "open"]);
    assert_eq!((would.code, would.stdout.trim()), (0, &*format!("would let {model} judge open again")), "{}", would.stderr);
    for expected in [model.clone(), shelf::starter().unwrap().id.to_string()] {
        let back = hamlet(&["model", "rollback", "--data", str(&data), "--site", "open"]);
        assert_eq!((back.code, back.stdout.trim()), (0, &*format!("open {expected}")), "{}", back.stderr);
        assert_eq!(model_of(&app, OPEN_KEY).await, expected);
    }
    let back = hamlet(&["model", "rollback", "--data", str(&data), "--site", "open"]);
    assert!(back.code == 1 && back.stderr.contains("nothing to roll back to"), "{}", back.stderr);
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

const WORDS: [&str; 12] =
    ["amber", "bridge", "copper", "dahlia", "ember", "feather", "garnet", "harbour", "island", "juniper", "kestrel", "lantern"];

/// An advertisement and a remark, none a copy of another pair's; of near-copies only ten would count.
fn pair(n: usize) -> [String; 2] {
    let word = |step: usize| WORDS[(n * step + n / WORDS.len()) % WORDS.len()];
    let words = format!("{} {} {} {n}", word(1), word(5), word(7));
    [format!("{}: {words}", SPAM[n % SPAM.len()]), format!("{} {words}", HAM[n % HAM.len()])]
}

/// People rule on these pairs: rightly, or each for the other.
async fn rule_pairs(app: &TestApp, numbers: std::ops::Range<usize>, [spam, ham]: [&str; 2]) {
    for [advertisement, remark] in numbers.map(pair) {
        rule_all(app, &[&advertisement], spam).await;
        rule_all(app, &[&remark], ham).await;
    }
}

fn model(app: &TestApp, arguments: &[&str]) -> Ended {
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    hamlet(&[&["model"], arguments, &["--config", str(&config), "--data", str(&data)]].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_does_worse_than_the_one_at_work_waits_on_the_shelf_until_somebody_insists() {
    let (app, champion) = with_own_model(Setup::default()).await;
    // A quarter of what comes is ruled the wrong way round, before people find their feet.
    rule_pairs(&app, 0..12, ["publish", "spam"]).await;
    rule_pairs(&app, 12..48, ["spam", "publish"]).await;
    let refused = retrain(&app, &["--site", "open"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{}", refused.stderr);
    let held_out = format!("against {champion}, on 36 spam and 36 ham that neither had learnt from, 72 texts");
    for told in [&held_out, "WORSE: log loss +", "log loss  ", "held for people", "the model before goes on for open"] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    assert_eq!(model_of(&app, OPEN_KEY).await, champion);
    let forced = retrain(&app, &["--site", "open", "--promote", "force"]);
    let challenger = forced.stdout.trim().strip_prefix("open ").unwrap_or_else(|| panic!("{}", forced.stderr));
    assert_eq!(model_of(&app, OPEN_KEY).await, challenger);
    let shown = model(&app, &["show", "--site", "open"]);
    assert!(shown.stdout.contains("WORSE: log loss +"), "the card says so: {} {}", shown.stdout, shown.stderr);
    let listed = model(&app, &["list"]).stdout;
    assert!(listed.contains(&format!("open {challenger} judges\nopen {champion} judged before\n")), "{listed}");
    let back = model(&app, &["rollback", "--site", "open"]);
    assert_eq!((back.code, model_of(&app, OPEN_KEY).await), (0, json!(champion)), "{}", back.stderr);
    let never = retrain(&app, &["--site", "open", "--promote", "never"]);
    assert_eq!((never.stdout.trim(), model_of(&app, OPEN_KEY).await), (&*format!("open {challenger}"), json!(champion)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_since_tells_whether_the_new_model_is_better() {
    let (app, champion) = with_own_model(Setup::default()).await;
    rule_pairs(&app, 0..48, ["spam", "publish"]).await;
    let retrained = retrain(&app, &["--site", "open"]);
    let told = format!("against {champion}, on 36 spam and 36 ham that neither had learnt from, 72 texts");
    assert!(retrained.code == 0 && retrained.stderr.contains(&told), "{}", retrained.stderr);
    assert!(retrained.stderr.contains("BETTER: log loss -") && !retrained.stdout.contains(&champion), "{}", retrained.stderr);
    let same = retrain(&app, &["--site", "open"]);
    assert!(same.code == 0 && same.stdout == retrained.stdout, "the same labels make the same model: {}", same.stderr);
    let none = retrain(&app, &["--site", "open", "--since", "2100-01-01"]);
    assert!(none.code == 1 && none.stderr.contains("0 spam and 0 ham"), "{}", none.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_in_the_shadow_scores_what_comes_in_and_decides_nothing_until_it_is_promoted() {
    // The starter gives the advertisement .37, and who has learnt .98.
    let setup = Setup::default().set("SITES__OPEN__POLICY__PUBLISH_MAX", 0.6).set("SITES__OPEN__POLICY__REJECT_MIN", 0.999_999_9);
    let app = TestApp::start(setup).await;
    let advertisement = json!({ "body": "Original Zwirbelkopf parts for my students" });
    let remark = json!({ "body": "My kettle hisses too, and in winter I pour a little later." });
    let starter = model_of(&app, OPEN_KEY).await;
    rule_pairs(&app, 0..16, ["spam", "publish"]).await;
    let shadowed = retrain(&app, &["--site", "open", "--promote", "shadow"]);
    assert!(shadowed.code == 0 && shadowed.stderr.contains("scores in the shadow"), "{}", shadowed.stderr);
    let none = model(&app, &["shadow", "--site", "open"]);
    assert!(none.code == 1 && none.stderr.contains("no comment has come since"), "{}", none.stderr);

    let app = app.start_again().await;
    let before = app.submit(OPEN_KEY, &advertisement).await;
    app.submit(OPEN_KEY, &remark).await;
    assert_eq!((&before.json()["model"], &before.json()["status"]), (&starter, &json!("published")), "it decides nothing: {}", before.text);
    app.rule(OPEN_KEY, &before.id(), "spam").await;
    let shown = model(&app, &["shadow", "--site", "open", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {}", shown.stderr));
    assert_eq!((&shown["comments"], &shown["at_work"]), (&json!(2), &starter), "{shown}");
    let difference = json!({ "at_work": "publish", "shadow": "hold", "comments": 1, "ruled_publish": 0, "ruled_spam": 1 });
    assert_eq!(shown["differences"], json!([difference]), "{shown}");
    assert_eq!(shown["ruled_spam_published"], json!({ "at_work": 1, "shadow": 0 }), "{shown}");
    assert_eq!((&shown["examples"][0]["id"], &shown["examples"][0]["ruling"]), (&json!(before.id()), &json!("spam")), "{shown}");
    let table = model(&app, &["shadow", "--site", "open"]).stdout;
    for told in ["1 would be decided otherwise, 50 %", "publish → hold", "ruled spam", "Zwirbelkopf"] {
        assert!(table.contains(told), "{told}: {table}");
    }

    let shadow = shown["model"].as_str().unwrap();
    let replayed = hamlet(&["replay", "--config", str(&app.folder().join("hamlet.toml")), "--data", str(&app.data()), "--model", shadow]);
    assert!(replayed.code == 0 && replayed.stdout.contains("judged again"), "{}", replayed.stderr);
    let promoted = model(&app, &["promote", "--site", "open"]);
    assert_eq!((promoted.code, promoted.stdout.trim()), (0, &*format!("open {shadow}")), "{}", promoted.stderr);
    assert_eq!(model_of(&app, OPEN_KEY).await, shadow);
    let gone = model(&app, &["shadow", "--site", "open"]);
    assert!(gone.code == 1 && gone.stderr.contains("no model stands in open's shadow"), "{}", gone.stderr);
    retrain(&app, &["--site", "open", "--promote", "shadow"]);
    let dropped = model(&app, &["drop", "--site", "open"]);
    assert_eq!((dropped.code, model(&app, &["drop", "--site", "open"]).code), (0, 1), "{}", dropped.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_rolls_a_model_back_is_not_overruled_before_the_schedule_comes_round_again() {
    let app = TestApp::start(Setup::default().set("LEARNING__SCHEDULE", "labels").set("LEARNING__LABELS_NEW", 8)).await;
    let starter = model_of(&app, OPEN_KEY).await;
    rule_pairs(&app, 0..5, ["spam", "publish"]).await;
    let has_own = |app: &TestApp| Shelf::of(&app.data()).current_id(&SiteId::new("open")).unwrap();
    until("a model of its own", || async { has_own(&app) }).await;
    assert_eq!(model(&app, &["rollback", "--site", "open"]).code, 0);
    let app = app.start_again().await;
    rule_pairs(&app, 5..8, ["spam", "publish"]).await;
    assert_eq!(model_of(&app, OPEN_KEY).await, starter, "six labels are no eight");
    let noted = std::fs::read_to_string(app.data().join("models/trainings")).unwrap();
    assert!(noted.starts_with("open 10 "), "one training so far: {noted}");
    rule_pairs(&app, 8..9, ["spam", "publish"]).await;
    until("the next training", || async { has_own(&app) }).await;
    let noted = std::fs::read_to_string(app.data().join("models/trainings")).unwrap();
    assert!(noted.starts_with("open 18 "), "{noted}");
}

/// As somebody of this name rules by the API.
async fn rule_as(app: &TestApp, by: &str, body: &str, ruling: &str) -> String {
    let id = app.submit(OPEN_KEY, &json!({ "body": body })).await.id();
    let headers = [("authorization", &*format!("Bearer {OPEN_KEY}"))];
    let said = json!({ "ruling": ruling, "by": by }).to_string();
    let answer = app.send(reqwest::Method::POST, &format!("/v1/comments/{id}/ruling"), &headers, said).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_of_a_source_that_turns_everything_round_are_put_aside_until_an_admin_releases_them() {
    let app = TestApp::start(Setup::default()).await;
    rule_pairs(&app, 0..52, ["spam", "publish"]).await;
    assert_eq!(retrain(&app, &["--site", "open"]).code, 0);
    let mut ids = Vec::new();
    for [advertisement, remark] in (100..112).map(pair) {
        ids.push(rule_as(&app, "Eve", &advertisement, "publish").await);
        ids.push(rule_as(&app, "Eve", &remark, "spam").await);
    }
    rule_pairs(&app, 52..58, ["spam", "publish"]).await;
    let guarded = retrain(&app, &["--site", "open"]);
    assert!(guarded.stderr.contains("24 labels were put in quarantine and not learnt"), "{}", guarded.stderr);
    assert!(guarded.stderr.contains("learnt from 116 rulings, 58 spam and 58 ham"), "{}", guarded.stderr);
    let quarantine = |arguments: &[&str]| hamlet(&[&["quarantine"], arguments, &["--data", str(&app.data())]].concat());
    let listed = quarantine(&["list", "--format", "jsonl"]);
    let lines: Vec<Value> = listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (lines.len(), &lines[0]["by"], &lines[0]["comment"], &lines[0]["reason"]),
        (24, &json!("Eve"), &json!(ids[0]), &json!("burst"))
    );
    let table = quarantine(&["list", "--site", "open"]);
    assert!(table.stdout.contains("publish by Eve (api)") && table.stderr.contains("24 labels wait"), "{} {}", table.stdout, table.stderr);
    let shown = model(&app, &["show", "--site", "open"]);
    assert!(shown.stdout.contains("24 labels wait in quarantine"), "{}", shown.stdout);
    let doctor = hamlet(&["doctor", "--config", str(&app.folder().join("hamlet.toml")), "--data", str(&app.data())]);
    assert!(doctor.stdout.contains("24 labels look like poison"), "{} {}", doctor.stdout, doctor.stderr);

    assert_eq!(quarantine(&["release", "--site", "open", "--by", "Nobody"]).code, 1);
    assert_eq!(quarantine(&["release", "--site", "open"]).code, 2);
    // Who looked and found that Eve was right on one; a person who rules anew says so too.
    let one = lines[0]["ruling_number"].to_string();
    assert_eq!(quarantine(&["release", "--site", "open", "--ruling", &one]).code, 0);
    app.rule(OPEN_KEY, &ids[1], "publish").await;
    let again = retrain(&app, &["--site", "open"]);
    assert!(
        again.stderr.contains("learnt from 118 rulings, 58 spam and 60 ham") && !again.stderr.contains("quarantine"),
        "{}",
        again.stderr
    );
    assert_eq!(quarantine(&["release", "--site", "open", "--by", "Eve"]).code, 0);
    let all = retrain(&app, &["--site", "open", "--promote", "force"]);
    assert!(all.stderr.contains("learnt from 140 rulings"), "released labels are learnt: {}", all.stderr);
}
