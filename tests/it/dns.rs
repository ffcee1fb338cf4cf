//! DNS lists: what leaves the machine, what an answer does, and that no answer does nothing and holds nobody up.

use crate::app::{OPEN_KEY, Setup, TestApp};
use crate::commands::{hamlet_with, str};
use crate::resolver::{Resolver, ZONE};
use serde_json::{Value, json};
use std::time::Duration;

/// Far above all that a look-up may take, far below what a stuck one would.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

fn listing(resolver: &Resolver, asks: &str, effect: &str) -> Setup {
    let setup = Setup::default().set("DNS__RESOLVER", resolver.address()).set("DNS__TIMEOUT_MS", 300);
    let list = setup.set("DNS_LISTS__TEST__ZONE", ZONE).set("DNS_LISTS__TEST__ASKS", asks).set("DNS_LISTS__TEST__EFFECT", effect);
    list.set("DNS_LISTS__TEST__REASON", "sends spam elsewhere")
}

fn from(ip: &str) -> Value {
    json!({ "name": "Jane", "email": "jane@strangers.example", "body": "A word about the kettle.", "ip": ip })
}

async fn submitted(app: &TestApp, comment: &Value) -> Value {
    tokio::time::timeout(ANSWERED_WITHIN, app.submit(OPEN_KEY, comment)).await.expect("an answer in time").json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_holds_and_every_failure_is_no_opinion() {
    let resolver = Resolver::open();
    let app = TestApp::start(listing(&resolver, "ip", "hold")).await;
    for (case, status) in [
        ("1", "held"),
        ("2", "published"),
        ("3", "published"),
        ("4", "published"),
        ("5", "published"),
        ("6", "published"),
        ("7", "published"),
        ("8", "published"),
        ("9", "published"),
        ("10", "published"),
    ] {
        let document = submitted(&app, &from(&format!("11.22.33.{case}"))).await;
        assert_eq!(document["status"], status, "{case}: {document}");
    }
    let held = submitted(&app, &from("11.22.33.1")).await;
    let reason = json!({ "code": "dns_list:test", "effect": "hold", "text": "sends spam elsewhere" });
    assert!(held["reasons"].as_array().unwrap().contains(&reason), "{held}");
    let asked = resolver.asked();
    assert_eq!(asked.iter().filter(|name| **name == format!("1.33.22.11.{ZONE}")).count(), 1, "kept: {asked:?}");
    for own in ["127.0.0.1", "10.0.0.1", "192.168.0.1", "::1", "fd00::1"] {
        assert_eq!(submitted(&app, &from(own)).await["status"], "published");
    }
    assert_eq!(resolver.asked(), asked, "nothing of private networks leaves");
    assert!(!app.log().contains(ZONE), "{}", app.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_wait_is_looked_up_too_and_a_replay_goes_by_the_record() {
    let resolver = Resolver::open();
    let app = TestApp::start(listing(&resolver, "ip", "hold")).await;
    let id = app.submit_async(OPEN_KEY, &from("11.22.33.1")).await.id();
    let document = app.judged(OPEN_KEY, &id).await;
    assert_eq!(document["status"], "held", "{document}");
    let asked = resolver.asked();
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let replay = |setup: &Setup| {
        let ended = hamlet_with(setup, &["replay", "--config", str(&config), "--data", str(&data), "--format", "json"], "");
        serde_json::from_str::<Value>(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr))
    };
    assert_eq!(replay(&app.setup)["flips"], json!([]));
    let without = replay(&Setup::default());
    assert_eq!(without["flips"][0]["changes"], json!(["no longer: sends spam elsewhere (dns_list:test, hold)"]));
    assert_eq!(resolver.asked(), asked, "a replay asks nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn domains_are_evidence_and_nothing_else_of_a_comment_is_asked() {
    let resolver = Resolver::open();
    let app = TestApp::start(listing(&resolver, "domain", "evidence").set("DNS_LISTS__TEST__LOG_ODDS", 1.5)).await;
    let mut comment = from("11.22.33.1");
    comment["body"] = json!("See https://listed.example/secret?q=1 for the kettle, or http://127.0.0.1/ or http://other.example.");
    comment["page_url"] = json!("https://other.example/post");
    let without = submitted(&app, &from("11.22.33.1")).await;
    let document = submitted(&app, &comment).await;
    let codes: Vec<&str> = document["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"dns_list:test") && !without.to_string().contains("dns_list"), "{document}");
    assert_eq!(resolver.asked(), [format!("listed.example.{ZONE}")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_resolver_is_left_alone_and_without_a_list_nobody_is_asked() {
    let resolver = Resolver::open();
    let app = TestApp::start(listing(&resolver, "ip", "hold").set("DNS__TIMEOUT_MS", 50)).await;
    for network in 0..3 {
        assert_eq!(submitted(&app, &from(&format!("11.22.{network}.4"))).await["status"], "published");
    }
    let asked = resolver.asked();
    assert_eq!(asked.len(), 6, "each once more: {asked:?}");
    for network in 3..40 {
        assert_eq!(submitted(&app, &from(&format!("11.22.{network}.4"))).await["status"], "published");
    }
    assert_eq!(resolver.asked(), asked);
    assert_eq!(app.log().matches("dns.silent").count(), 1, "{}", app.log());
    let off = TestApp::start(Setup::default().set("DNS__RESOLVER", resolver.address())).await;
    assert_eq!(submitted(&off, &from("11.22.33.1")).await["status"], "published");
    assert_eq!(resolver.asked(), asked);
}
