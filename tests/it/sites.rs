//! Sites, their keys and their moderators by the command line, live: the file keeps its comments, the daemon follows, a key does what its
//! scopes say.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::commands::{Ended, hamlet, str};
use reqwest::Method;
use serde_json::json;

fn run(app: &TestApp, arguments: &[&str]) -> Ended {
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    hamlet(&[arguments, &["--config", str(&config), "--data", str(&data)]].concat())
}

fn key(app: &TestApp, arguments: &[&str]) -> String {
    let made = run(app, arguments);
    assert_eq!(made.code, 0, "{}", made.stderr);
    made.stdout.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_what_its_scopes_say_and_nothing_else() {
    let app = TestApp::start(Setup::default()).await;
    let submits = key(&app, &["site", "key", "add", "blog", "--name", "form", "--scope", "submit"]);
    let rules = key(&app, &["site", "key", "add", "blog", "--name", "desk", "--scope", "rule"]);
    let id = app.submit(&submits, &stranger("hello")).await.id();
    assert_eq!(app.document(&submits, &id).await.status, 200);
    let refused = app.rule(&submits, &id, "spam").await;
    assert_eq!((refused.status, refused.header("content-type")), (403, "application/problem+json"));
    assert_eq!(
        (&refused.json()["title"], &refused.json()["field"], &refused.json()["got"]),
        (&json!("scope missing"), &json!("rule"), &json!("submit"))
    );
    assert_eq!(app.submit(&rules, &stranger("hello")).await.status, 403);
    assert_eq!(app.rule(&rules, &id, "spam").await.status, 200);
    // The key of the settings does everything.
    assert_eq!(app.rule(BLOG_KEY, &id, "publish").await.status, 200);
    for secret in [&submits, &rules] {
        assert!(!app.log().contains(secret.as_str()) && !refused.text.contains(secret.as_str()));
        let store = std::fs::read(app.data().join("hamlet.db")).unwrap();
        assert!(!store.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    assert_eq!(run(&app, &["site", "key", "add", "blog", "--name", "form", "--scope", "rule"]).code, 1);
    assert_eq!(run(&app, &["site", "key", "add", "gone", "--name", "form", "--scope", "rule"]).code, 1);
    assert_eq!(run(&app, &["site", "key", "add", "blog", "--name", "x", "--scope", "all"]).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_with_an_overlap_and_revoked_at_once_and_outlives_a_restart() {
    let app = TestApp::start(Setup::default()).await;
    let old = key(&app, &["site", "key", "add", "blog", "--name", "form", "--scope", "submit"]);
    let new = key(&app, &["site", "key", "rotate", "blog", "--name", "form"]);
    assert_ne!(old, new);
    let app = app.start_again().await;
    assert_eq!((app.submit(&old, &stranger("old")).await.status, app.submit(&new, &stranger("new")).await.status), (200, 200));
    let newest = key(&app, &["site", "key", "rotate", "blog", "--name", "form", "--overlap-days", "0"]);
    assert_eq!((app.submit(&old, &stranger("a")).await.status, app.submit(&new, &stranger("b")).await.status), (401, 401));
    assert_eq!(app.submit(&newest, &stranger("c")).await.status, 200);
    let listed = hamlet(&["site", "key", "list", "--site", "blog", "--data", str(&app.data())]).stdout;
    assert_eq!((listed.lines().count(), listed.matches("ended").count(), listed.matches("good").count()), (3, 2, 1), "{listed}");
    assert!(listed.contains("last used") && !listed.contains(&newest), "{listed}");
    assert_eq!(run(&app, &["site", "key", "revoke", "blog", "--name", "form"]).code, 0);
    assert_eq!(app.submit(&newest, &stranger("d")).await.status, 401);
    assert_eq!(run(&app, &["site", "key", "revoke", "blog", "--name", "form"]).code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_added_changed_and_removed_while_the_daemon_runs() {
    let app = TestApp::start(Setup::default()).await;
    let file = app.folder().join("hamlet.toml");
    let original = format!("# Ours.\n{}", std::fs::read_to_string(&file).unwrap());
    std::fs::write(&file, &original).unwrap();
    let planned = run(&app, &["site", "add", "shop", "--dry-run", "name=Our shop"]);
    assert_eq!(planned.stdout, "+\n+[sites.shop]\n+name = \"Our shop\"\n+api_key = ***\n");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), original);

    let added = run(&app, &["site", "add", "shop", "name=Our shop", "policy.publish_max=0.999999999", "rules.require_name=false"]);
    assert_eq!((added.code, added.stderr.lines().nth(1)), (0, Some("new sites: shop")), "{}", added.stderr);
    let shop = added.stdout.trim().to_owned();
    assert_eq!(app.submit(&shop, &stranger("hello")).await.json()["status"], "published");
    assert!(run(&app, &["site", "list"]).stdout.contains("shop"));
    assert!(run(&app, &["site", "show", "shop"]).stdout.contains("publish to 0.999999999"));

    assert_eq!(run(&app, &["site", "set", "shop", "rules.links_max=0"]).code, 0);
    assert_eq!(app.submit(&shop, &stranger("see https://kettle.example")).await.json()["status"], "held");
    let moderator = ["moderator", "add", "cy", "--name", "Cy", "--email", "cy@moderators.example", "--site", "shop", "--site", "blog"];
    assert_eq!(run(&app, &moderator).code, 0);
    assert!(run(&app, &["site", "show", "shop"]).stdout.contains("moderators   cy"));

    let wrong = run(&app, &["site", "set", "shop", "rules.links_max=-1", "mode=perhaps"]);
    assert_eq!(wrong.code, 3);
    assert!(wrong.stderr.contains("sites.shop.rules.links_max") && wrong.stderr.contains("sites.shop.mode"), "{}", wrong.stderr);
    assert_eq!(app.submit(&shop, &stranger("still here")).await.status, 200);

    assert_eq!(run(&app, &["site", "remove", "shop"]).code, 0);
    assert_eq!(app.submit(&shop, &stranger("hello")).await.status, 401);
    let last = std::fs::read_to_string(&file).unwrap();
    assert!(last.starts_with(&original) && !last.contains("shop"), "{last}");
}

/// Keys may be made before the first start, too.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_keys_go_straight_into_the_store() {
    let mut app = TestApp::start(Setup::default()).await;
    assert!(app.stop().await);
    let made = key(&app, &["site", "key", "add", "blog", "--name", "form", "--scope", "submit"]);
    let app = app.start_again().await;
    let bearer = format!("Bearer {made}");
    let answer = app.send(Method::GET, "/v1/form-token", &[("authorization", &bearer)], "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// An Akismet key is known to whoever reads its host name on the way.
#[tokio::test(flavor = "multi_thread")]
async fn an_akismet_key_is_good_from_the_sites_networks_alone() {
    let app = TestApp::start(Setup::default()).await;
    let verify = || app.send(Method::POST, "/1.1/verify-key", &[("content-type", "application/x-www-form-urlencoded")], "key=akismetblog0");
    assert_eq!(verify().await.text, "valid");
    assert_eq!(run(&app, &["site", "set", "blog", "akismet.networks=[\"192.0.2.0/24\"]"]).code, 0);
    assert_eq!(verify().await.text, "invalid");
    assert_eq!(run(&app, &["site", "set", "blog", "akismet.networks=[\"192.0.2.0/24\", \"127.0.0.1\"]"]).code, 0);
    assert_eq!(verify().await.text, "valid");
}
