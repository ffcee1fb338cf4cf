//! Webhooks: signed, in order for each comment, the same id on every attempt, and one blog's troubles are not another's.

use crate::app::{BLOG_KEY, OTHER_KEY, Setup, TestApp, editor, stranger};
use crate::blog::{Blog, Heard, NEXT_SECRET, Order};
use crate::commands::{Ended, hamlet_with, str};
use crate::store::Look;
use crate::wait::{until, until_true};
use std::collections::HashSet;
use std::time::Duration;

fn ids(heard: &[Heard], kind: &str) -> HashSet<String> {
    heard.iter().filter(|heard| heard.kind == kind).map(|heard| heard.webhook_id.clone()).collect()
}

#[tokio::test]
async fn verdict_then_ruling_arrive_in_order_however_the_blog_fails() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    blog.order([Order::Answer(500), Order::Close, Order::Answer(302), Order::Hang, Order::Answer(404)]);
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let ruled = app.rule(BLOG_KEY, &id, "spam").await.json();
    Look::into(&app).outbox_drained().await;
    let heard = blog.heard_of(&id);
    assert!(heard.iter().all(|heard| heard.is_signed));
    let kinds: Vec<&str> = heard.iter().map(|heard| heard.kind.as_str()).collect();
    assert_eq!(kinds, [&["comment.verdict"; 6][..], &["comment.ruling"]].concat());
    assert_eq!((ids(&heard, "comment.verdict").len(), ids(&heard, "comment.ruling").len()), (1, 1));
    assert!(ids(&heard, "comment.verdict").is_disjoint(&ids(&heard, "comment.ruling")));
    assert_eq!(heard[6].event["data"], ruled);
    assert_eq!(app.document(BLOG_KEY, &id).await.json(), ruled);
    assert_eq!((heard[0].status.as_str(), heard[6].status.as_str()), ("published", "rejected"));
    assert!(!heard[0].event.to_string().contains("ida@editors.example"));
}

#[tokio::test]
async fn where_the_system_trusts_no_authority_blogs_hear_by_plain_http_and_by_no_other() {
    let blog = Blog::open().await;
    let setup = Setup::default().webhooks("BLOG", &blog).webhooks("OTHER", &blog);
    let setup = setup.set("SITES__OTHER__WEBHOOK_URL", blog.url().replace("http://", "https://"));
    let app = TestApp::start(setup.variable("SSL_CERT_FILE", "/dev/null").variable("SSL_CERT_DIR", "/dev/null")).await;
    assert!(app.log().contains("webhook.no_authorities"), "{}", app.log());
    let [heard, unheard] =
        [app.submit(BLOG_KEY, &editor("Thank you.")).await.id(), app.submit(OTHER_KEY, &editor("Thank you.")).await.id()];
    until_true("the first is told", || !blog.heard_of(&heard).is_empty()).await;
    until_true("the other is tried", || Look::into(&app).count("SELECT count(*) FROM parcels WHERE attempts > 0") == 1).await;
    assert!(blog.heard_of(&unheard).is_empty());
}

#[tokio::test]
async fn gone_ends_it_and_what_follows_is_still_told() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    blog.order([Order::Answer(410)]);
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let look = Look::into(&app);
    until_true("it is given up", || look.count("SELECT count(*) FROM parcels WHERE dead = 1") == 1).await;
    app.rule(BLOG_KEY, &id, "remove").await;
    look.outbox_drained().await;
    let heard = blog.heard_of(&id);
    assert_eq!(heard.iter().map(|heard| heard.kind.as_str()).collect::<Vec<_>>(), ["comment.verdict", "comment.ruling"]);
    assert_eq!(look.one::<String>("SELECT last_error FROM parcels"), "the blog answered 410 Gone");
}

#[tokio::test]
async fn after_the_last_attempt_a_parcel_is_dead_and_stays_listed() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog).set("OUTBOX__ATTEMPTS_MAX", 2)).await;
    blog.always(Some(Order::Answer(500)));
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let look = Look::into(&app);
    until_true("it is given up", || look.count("SELECT count(*) FROM parcels WHERE dead = 1") == 1).await;
    assert_eq!(blog.heard_of(&id).len(), 2);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    blog.order([Order::ComeBackIn(2)]);
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let heard = until("a second attempt", || std::future::ready(Some(blog.heard_of(&id)).filter(|heard| heard.len() == 2))).await;
    let waited = heard[1].at - heard[0].at;
    // Without the header it would have come back after half a second to a second.
    assert!(waited >= Duration::from_millis(1_950), "{waited:?}");
}

#[tokio::test]
async fn a_blog_that_hangs_keeps_no_other_blog_waiting() {
    let (stuck, sound) = (Blog::open().await, Blog::open().await);
    let setup = Setup::default().webhooks("BLOG", &stuck).webhooks("OTHER", &sound).set("OUTBOX__AT_ONCE_MAX", 4);
    let app = TestApp::start(setup).await;
    stuck.always(Some(Order::Hang));
    for number in 0..60 {
        app.submit(BLOG_KEY, &editor(&format!("Thank you, number {number}."))).await;
    }
    let id = app.submit(OTHER_KEY, &stranger("And here?")).await.id();
    until_true("the sound blog hears", || !sound.heard_of(&id).is_empty()).await;
    let tried = stuck.heard().len();
    assert!(tried < 40, "the stuck blog was tried {tried} times before the sound one's turn came");
}

#[tokio::test]
async fn the_last_webhook_a_blog_took_is_what_get_says() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    blog.order([Order::Answer(500), Order::Take, Order::Close, Order::Take, Order::Answer(503)]);
    let mut ids = Vec::new();
    for number in 0..12 {
        let comment = if number % 3 == 0 { editor("Thank you.") } else { stranger("A word about the kettle.") };
        let answer = if number % 2 == 0 { app.submit(BLOG_KEY, &comment).await } else { app.submit_async(BLOG_KEY, &comment).await };
        let id = answer.id();
        for ruling in &["spam", "publish", "remove"][..number % 4] {
            app.rule(BLOG_KEY, &id, ruling).await;
        }
        ids.push(id);
    }
    for id in &ids {
        app.judged(BLOG_KEY, id).await;
    }
    Look::into(&app).outbox_drained().await;
    let told = blog.statuses();
    for id in &ids {
        let document = app.document(BLOG_KEY, id).await.json();
        assert_eq!(told.get(id).map(String::as_str), document["status"].as_str(), "{document}");
    }
}

#[tokio::test]
async fn a_full_outbox_puts_its_own_site_off_until_it_drains() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog).set("OUTBOX__WAITING_MAX", 3)).await;
    blog.always(Some(Order::Answer(503)));
    for _ in 0..3 {
        assert_eq!(app.submit(BLOG_KEY, &editor("Thank you.")).await.status, 200);
    }
    for refused in [app.submit(BLOG_KEY, &editor("Thank you.")).await, app.submit_async(BLOG_KEY, &editor("Thank you.")).await] {
        assert_eq!((refused.status, refused.header("content-type")), (503, "application/problem+json"));
        assert!(refused.header("retry-after").parse::<u32>().is_ok() && refused.text.contains("limit is 3"), "{}", refused.text);
    }
    assert_eq!(app.submit(OTHER_KEY, &stranger("And here?")).await.status, 200);
    let look = Look::into(&app);
    assert_eq!(look.count("SELECT count(*) FROM comments WHERE site = 'blog'"), 3);
    blog.always(None);
    look.outbox_drained().await;
    assert_eq!(app.submit(BLOG_KEY, &editor("Thank you.")).await.status, 200);
}

#[tokio::test]
async fn while_a_secret_is_changed_both_sign() {
    let blog = Blog::open().await;
    let setup = Setup::default().webhooks("BLOG", &blog);
    let old = setup.set("SITES__BLOG__WEBHOOK_SECRET", NEXT_SECRET).set("SITES__BLOG__WEBHOOK_SECRET_OLD", crate::blog::SECRET);
    let app = TestApp::start(old).await;
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    Look::into(&app).outbox_drained().await;
    let heard = blog.heard_of(&id).remove(0);
    // The blog knows the old one only, and the old one signs last.
    assert!(heard.is_signed && heard.signatures.len() == 2, "{:?}", heard.signatures);
    assert!(heard.signatures[0] != heard.signatures[1] && heard.signatures.iter().all(|signature| signature.starts_with("v1,")));
}

/// The settings refuse what is plainly private; this is a way to write an address that they take for a name.
#[tokio::test]
async fn a_private_target_is_not_even_knocked_at() {
    let blog = Blog::open().await;
    let disguised = blog.url().replace("127.0.0.1", "127.1");
    let setup = Setup::default().webhooks("BLOG", &blog).set("SITES__BLOG__WEBHOOK_URL", disguised).set("OUTBOX__ATTEMPTS_MAX", 1);
    let refused = TestApp::start(setup.clone().set("SITES__BLOG__WEBHOOK_PRIVATE", false)).await;
    refused.submit(BLOG_KEY, &editor("Thank you.")).await;
    let look = Look::into(&refused);
    until_true("it is given up", || look.count("SELECT count(*) FROM parcels WHERE dead = 1") == 1).await;
    let error = look.one::<String>("SELECT last_error FROM parcels");
    assert!(error.starts_with("127.0.0.1 is no public address") && blog.heard().is_empty(), "{error}");
    let allowed = TestApp::start(setup).await;
    allowed.submit(BLOG_KEY, &editor("Thank you.")).await;
    Look::into(&allowed).outbox_drained().await;
    assert_eq!(blog.heard().len(), 1);
}

#[tokio::test]
async fn an_answer_without_end_is_taken_by_its_status() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    blog.order([Order::Babble]);
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    Look::into(&app).outbox_drained().await;
    assert_eq!(blog.heard_of(&id).len(), 1);
}

fn outbox(app: &TestApp, arguments: &[&str]) -> Ended {
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    hamlet_with(&app.setup, &[&["outbox"], arguments, &["--config", str(&config), "--data", str(&data)]].concat(), "")
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_retried_and_tells_how_the_comment_stands_now() {
    let blog = Blog::open().await;
    let mut app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    blog.order([Order::Answer(410), Order::Take, Order::Answer(410)]);
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let look = Look::into(&app);
    let dead = async |count| until_true("it is given up", || look.count("SELECT count(*) FROM parcels WHERE dead = 1") == count).await;
    dead(1).await;
    app.rule(BLOG_KEY, &id, "spam").await;
    look.outbox_drained().await;
    let other = app.submit(BLOG_KEY, &editor("And thank you.")).await.id();
    dead(2).await;

    let listed = outbox(&app, &["list", "--dead", "--format", "jsonl"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (0, "0 waiting, 2 dead in all\n"));
    let lines: Vec<serde_json::Value> = listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["comment"].as_str().unwrap()).collect::<Vec<_>>(), [&id, &other]);
    assert_eq!((lines[0]["state"].as_str(), lines[0]["error"].as_str()), (Some("dead"), Some("the blog answered 410 Gone")));
    assert!(outbox(&app, &["list", "--site", "other"]).stdout.is_empty());

    let parcel = lines[0]["id"].as_str().unwrap();
    let retried = outbox(&app, &["retry", parcel]);
    assert_eq!((retried.code, retried.stdout.as_str(), retried.stderr.as_str()), (0, "1\n", ""));
    look.outbox_drained().await;
    let heard = blog.heard_of(&id);
    let told: Vec<(&str, &str)> = heard.iter().map(|heard| (heard.kind.as_str(), heard.status.as_str())).collect();
    // The verdict was published; told today, that would bring the spam back.
    assert_eq!(told, [("comment.verdict", "published"), ("comment.ruling", "rejected"), ("comment.ruling", "rejected")]);
    assert_eq!((heard[2].webhook_id.as_str(), heard[2].is_signed), (parcel, true));
    let again = outbox(&app, &["retry", parcel]);
    assert_eq!((again.code, again.stdout.as_str()), (1, ""));

    // The same without a daemon: it leaves at the next start.
    assert!(app.stop().await);
    assert_eq!(outbox(&app, &["retry", "--site", "other"]).stdout, "0\n");
    assert_eq!(outbox(&app, &["retry", "--all"]).stdout, "1\n");
    let app = app.start_again().await;
    Look::into(&app).outbox_drained().await;
    assert_eq!(blog.heard_of(&other).len(), 2);
    assert_eq!(outbox(&app, &["retry"]).code, 2);
}

#[tokio::test]
async fn that_a_comment_is_gone_is_retried_too() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().webhooks("BLOG", &blog)).await;
    blog.order([Order::Take, Order::Answer(410)]);
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let look = Look::into(&app);
    look.outbox_drained().await;
    let authorization = [("authorization", &*format!("Bearer {BLOG_KEY}"))];
    assert_eq!(app.send(reqwest::Method::DELETE, &format!("/v1/comments/{id}"), &authorization, "").await.status, 204);
    until_true("it is given up", || look.count("SELECT count(*) FROM parcels WHERE dead = 1") == 1).await;
    assert_eq!(outbox(&app, &["retry", "--all"]).stdout, "1\n");
    look.outbox_drained().await;
    let told: Vec<String> = blog.heard_of(&id).into_iter().map(|heard| heard.kind).collect();
    assert_eq!(told, ["comment.verdict", "comment.erased", "comment.erased"]);
}
