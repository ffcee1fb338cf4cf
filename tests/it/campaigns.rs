//! What the past says: floods, repeats, what people ruled on the same text and on near-copies, shared links; as a blog and its moderators
//! meet them.

use crate::app::{BLOG_KEY, OPEN_KEY, OTHER_KEY, Setup, TestApp, WATCH_KEY};
use crate::commands::{hamlet, hamlet_with, str};
use crate::store::Look;
use serde_json::{Value, json};

const SPAM: &str = "Hello friends, I made 5000 dollars last week from home with this simple system and so can you today";
const COPY: &str = "Hello dear friends, I made 7300 dollars last week from home with this simple system and so can you today";

/// A comment that is published on the open site unless something of the past holds it.
fn from(who: u32, body: &str) -> Value {
    json!({ "name": "Jo", "email": format!("jo{who}@readers.example"), "ip": format!("198.51.{}.{}", who % 250, 1 + who / 250), "body": body })
}

/// With the limits that ship.
fn usual() -> Setup {
    let limits = [("ADDRESS_HOLD", 10), ("ADDRESS_REJECT", 100), ("NETWORK_HOLD", 60), ("EMAIL_HOLD", 10)];
    let setup = limits.iter().fold(Setup::default(), |setup, (key, value)| setup.set(&format!("RULES__FLOOD_{key}"), value));
    setup.set("RULES__REPEATS_HOLD", 2).set("RULES__CAMPAIGN_HOLD", 5)
}

async fn status(app: &TestApp, key: &str, comment: &Value) -> String {
    app.submit(key, comment).await.json()["status"].as_str().unwrap().to_owned()
}

fn codes(document: &Value) -> Vec<&str> {
    let codes = document["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap());
    codes.filter(|code| !code.starts_with("classifier:") && *code != "author_record").collect()
}

/// Thirty different things that people say.
fn sayings() -> impl Iterator<Item = String> {
    let (things, ways) = (["kettle", "bread", "garden", "bicycle", "lamp"], ["is fine", "broke", "sings", "was cheap", "leaks", "is blue"]);
    things.into_iter().flat_map(move |thing| ways.into_iter().map(move |way| format!("My {thing} {way}.")))
}

#[tokio::test]
async fn a_flood_from_one_address_is_held_and_then_rejected_and_other_readers_are_not() {
    let app = TestApp::start(usual().set("RULES__FLOOD_ADDRESS_REJECT", 20)).await;
    let mut statuses = Vec::new();
    for (n, saying) in (0..25).zip(sayings()) {
        let comment = json!({ "name": "Bo", "email": format!("bo{n}@flood.example"), "ip": "203.0.113.77", "body": saying });
        statuses.push(status(&app, OPEN_KEY, &comment).await);
    }
    assert!(statuses[..10].iter().all(|status| status == "published"), "{statuses:?}");
    assert!(statuses[10..20].iter().all(|status| status == "held"), "{statuses:?}");
    assert!(statuses[20..].iter().all(|status| status == "rejected"), "{statuses:?}");
    assert_eq!(status(&app, OPEN_KEY, &from(1, "An ordinary word.")).await, "published");
    let ours = json!({ "name": "Ida", "email": "ida@editors.example", "ip": "203.0.113.77", "role": "editor", "body": "Please, calm." });
    assert_eq!(status(&app, OPEN_KEY, &ours).await, "published", "the site's own people are not held");
}

#[tokio::test]
async fn comments_of_one_batch_know_of_each_other() {
    let app = std::sync::Arc::new(TestApp::start(usual()).await);
    let mut sending = tokio::task::JoinSet::new();
    for (n, saying) in (0..30).zip(sayings()) {
        let app = std::sync::Arc::clone(&app);
        let comment = json!({ "name": "Bo", "email": format!("bo{n}@flood.example"), "ip": "203.0.113.77", "body": saying });
        sending.spawn(async move { status(&app, OPEN_KEY, &comment).await });
    }
    let published = sending.join_all().await.iter().filter(|status| *status == "published").count();
    assert_eq!(published, 10);
}

#[tokio::test]
async fn a_comment_sent_again_under_its_key_counts_once_at_both_doors() {
    let app = TestApp::start(usual()).await;
    for _ in 0..30 {
        for (door, key) in [("", "now"), ("respond-async", "later")] {
            let answer = app.submit_with(OPEN_KEY, &[("idempotency-key", key), ("prefer", door)], &from(7, "Once is enough for me.")).await;
            app.judged(OPEN_KEY, &answer.id()).await;
        }
    }
    let third = app.submit(OPEN_KEY, &from(7, "Something else entirely.")).await;
    assert_eq!((third.json()["status"].as_str(), Look::into(&app).count("SELECT count(*) FROM traces")), (Some("published"), 3));
}

#[tokio::test]
async fn forty_people_may_say_thanks_and_one_may_not_say_it_forty_times() {
    let app = TestApp::start(usual()).await;
    for who in 0..40 {
        assert_eq!(status(&app, OPEN_KEY, &from(who, "Thanks!")).await, "published", "{who}");
    }
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(status(&app, OPEN_KEY, &from(99, "Thanks!")).await);
    }
    assert_eq!(statuses, ["published", "published", "held", "held"]);
}

#[tokio::test]
async fn a_petition_of_forty_people_is_at_most_held_and_one_ruling_frees_it() {
    let app = TestApp::start(usual().set("SITES__OPEN__RULES__HOLD_FIRST_LINK", false)).await;
    let text = "I am a neighbour and I ask the council to keep the old library open, sign at https://petition.example/library";
    let mut last = Value::Null;
    for who in 0..40 {
        last = app.submit(OPEN_KEY, &from(who, text)).await.json();
        assert_ne!(last["status"], "rejected", "{who}");
    }
    assert_eq!(last["status"], "held", "{last}");
    assert_eq!(codes(&last), ["campaign:text", "campaign:link"]);
    app.rule(OPEN_KEY, last["id"].as_str().unwrap(), "publish").await;
    assert_eq!(status(&app, OPEN_KEY, &from(41, text)).await, "published");
}

#[tokio::test]
async fn who_names_the_site_of_an_innocent_in_spam_does_not_get_it_rejected() {
    let app =
        TestApp::start(usual().set("SITES__OPEN__RULES__HOLD_FIRST_LINK", false).set("SITES__OPEN__POLICY__REJECT_MIN", "0.9999999999"))
            .await;
    for (who, body) in
        ["Earn money fast and easy at https://innocent.example now", "Cheap watches for everybody, only on https://innocent.example"]
            .iter()
            .enumerate()
    {
        let spam = app.submit(OPEN_KEY, &from(u32::try_from(who).unwrap(), body)).await;
        app.rule(OPEN_KEY, &spam.id(), "spam").await;
    }
    let honest = app
        .submit(OPEN_KEY, &from(9, "The recipe that I used for years stands on https://innocent.example/bread and it works."))
        .await
        .json();
    assert_eq!((honest["status"].as_str(), codes(&honest)), (Some("held"), vec!["campaign:link", "domain_ruled_spam"]));
    app.rule(OPEN_KEY, honest["id"].as_str().unwrap(), "publish").await;
    let next = app.submit(OPEN_KEY, &from(10, "I second that, their bread turns out well: https://innocent.example/bread")).await.json();
    assert_eq!(
        (next["status"].as_str(), codes(&next)),
        (Some("held"), vec!["domain_ruled_spam"]),
        "the last ruling lifts the campaign's word"
    );
}

#[tokio::test]
async fn a_ruling_on_a_text_acts_on_the_next_of_its_kind_until_it_is_reversed() {
    let app = TestApp::start(usual().set("SITES__OPEN__POLICY__REJECT_MIN", "0.9999999999")).await;
    let first = app.submit(OPEN_KEY, &from(1, SPAM)).await;
    assert_eq!(first.json()["status"], "published");
    app.rule(OPEN_KEY, &first.id(), "spam").await;
    let same = app.submit(OPEN_KEY, &from(2, SPAM)).await.json();
    assert_eq!((same["status"].as_str(), codes(&same)), (Some("held"), vec!["ruled_text:spam", "campaign:text"]));
    let near = app.submit(OPEN_KEY, &from(3, COPY)).await.json();
    assert_eq!((near["status"].as_str(), codes(&near)), (Some("held"), vec!["campaign:text"]));
    let reason = near["reasons"][0]["text"].as_str().unwrap();
    assert_eq!(reason, "one of 3 near-copies from about 2 sources in under 2 minutes, 1 ruled spam");
    app.rule(OPEN_KEY, &first.id(), "publish").await;
    let same = app.submit(OPEN_KEY, &from(4, SPAM)).await.json();
    assert_eq!((same["status"].as_str(), codes(&same)), (Some("published"), vec!["ruled_text:publish"]));
    assert_eq!(status(&app, OPEN_KEY, &from(5, COPY)).await, "published");
}

#[tokio::test]
async fn spam_that_people_ruled_on_three_times_may_be_dropped_unseen() {
    let app = TestApp::start(usual().set("SITES__OPEN__POLICY__PUBLISH_MAX", 0.1).set("SITES__OPEN__POLICY__REJECT_MIN", 0.5)).await;
    for who in 0..3 {
        let spam = app.submit(OPEN_KEY, &from(who, SPAM)).await;
        app.rule(OPEN_KEY, &spam.id(), "spam").await;
    }
    let fourth = app.submit(OPEN_KEY, &from(4, SPAM)).await.json();
    assert_eq!((fourth["status"].as_str(), fourth["discard"].as_bool()), (Some("rejected"), Some(true)), "{fourth}");
    let text = fourth["reasons"][0]["text"].as_str().unwrap();
    assert_eq!(text, "this very text was ruled spam, 3 times");
}

#[tokio::test]
async fn what_is_remembered_outlives_the_daemon_and_stays_on_its_site() {
    let mut app = TestApp::start(usual()).await;
    let first = app.submit(OPEN_KEY, &from(1, SPAM)).await;
    app.rule(OPEN_KEY, &first.id(), "spam").await;
    for saying in sayings().take(10) {
        app.submit(OPEN_KEY, &json!({ "name": "Bo", "email": "bo@flood.example", "ip": "203.0.113.77", "body": saying })).await;
    }
    for restarted in [false, true] {
        if restarted {
            app = app.start_again().await;
        }
        let near = app.submit(OPEN_KEY, &from(3, COPY)).await.json();
        assert_eq!((near["status"].as_str(), codes(&near)), (Some("held"), vec!["campaign:text"]), "{restarted}");
        let flood = json!({ "name": "Bo", "email": "bo@flood.example", "ip": "203.0.113.77", "body": format!("{restarted}") });
        assert_eq!(codes(&app.submit(OPEN_KEY, &flood).await.json()), ["flood:address", "flood:email"], "{restarted}");
        for key in [OTHER_KEY, BLOG_KEY, WATCH_KEY] {
            assert_eq!(codes(&app.submit(key, &from(7, SPAM)).await.json()), [""; 0], "{restarted}");
        }
    }
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let replayed = hamlet_with(&usual(), &["replay", "--config", str(&config), "--data", str(&data)], "");
    assert!(replayed.stdout.contains("21 comments judged again, 0 flips"), "{}{}", replayed.stdout, replayed.stderr);
}

#[tokio::test]
async fn the_largest_campaigns_are_listed_harmless() {
    let app = TestApp::start(usual()).await;
    let data = app.data();
    let none = hamlet(&["campaigns", "list", "--data", str(&data)]);
    assert_eq!((none.code, none.stdout.as_str(), none.stderr.as_str()), (0, "", "no two comments are alike\n"));
    let evil = format!("{SPAM} \u{1b}[31m\u{202e} see http://evil.example/x");
    let first = app.submit(OPEN_KEY, &from(1, &evil)).await;
    app.rule(OPEN_KEY, &first.id(), "spam").await;
    app.submit(OPEN_KEY, &from(2, &evil)).await;
    app.submit(OTHER_KEY, &from(3, SPAM)).await;
    let table = hamlet(&["campaigns", "list", "--data", str(&data)]);
    assert_eq!((table.code, table.stdout.lines().count(), table.stderr.as_str()), (0, 4, "2 campaigns\n"), "{}", table.stdout);
    assert!(table.stdout.contains("2 comments  open  same text") && table.stdout.contains("ruled spam: 1"), "{}", table.stdout);
    let listed = hamlet(&["campaigns", "list", "--data", str(&data), "--format", "json", "--site", "open"]);
    let documents: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(documents.iter().map(|document| document["size"].clone()).collect::<Vec<_>>(), [2, 2]);
    for harmful in ["\u{1b}", "\u{202e}", "http://evil"] {
        assert!(!table.stdout.contains(harmful) && !listed.stdout.contains(harmful), "{}", listed.stdout);
    }
    assert!(listed.stdout.contains("hxxp://evil[.]example"), "{}", listed.stdout);
    let elsewhere = hamlet(&["campaigns", "list", "--data", str(&data), "--site", "other"]);
    assert_eq!((elsewhere.code, elsewhere.stdout.as_str()), (0, ""));
}
