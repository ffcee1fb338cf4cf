//! What a digest is made of: near-copies as one item that is ruled on together, and a week's rejections near the line in a mail of their own.

use crate::app::{BLOG_KEY, Setup, TestApp, WATCH_KEY, editor, stranger};
use crate::commands::{hamlet_with, str};
use crate::mime::Mail;
use crate::page::{mail, nonce, path, post, press};
use crate::smtp::SmtpServer;
use crate::store::Look;
use crate::wait::until_true;
use reqwest::Method;
use serde_json::json;

const OFFER: &str =
    "Great post! Get fresh beans with 70 % off today for every kettle and grinder, see http://beans-deal.example and use code BEANS";

/// A daemon that was sent so many near-copies and something else between them, the ids in that order, and the mail about all.
async fn with_copies(server: &SmtpServer, copies: usize) -> (TestApp, Vec<String>, Mail) {
    let setup = Setup::default().mail_by(server).set("DIGEST__ITEMS_MIN", copies + 1).set("DIGEST__AGE_HOURS_MAX", 720);
    let app = TestApp::start(setup).await;
    let mut ids = Vec::new();
    for number in 0..copies {
        let mut comment = stranger(&format!("{OFFER}{number}"));
        comment["name"] = json!(format!("Roaster {number}"));
        ids.push(app.submit(BLOG_KEY, &comment).await.id());
        if number == 0 {
            ids.push(app.submit(BLOG_KEY, &stranger("I never understood why the hiss stops before the boil.")).await.id());
        }
    }
    let mail = mail(server, 1).await;
    (app, ids, mail)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

/// The values of the page's ticked boxes.
fn ticked(page: &str) -> Vec<String> {
    let boxes = page.split("name=\"like\" value=\"").skip(1);
    boxes.map(|rest| rest.split_once("\" checked").unwrap().0.to_owned()).collect()
}

fn form(page: &str, ruling: &str, likes: &[String]) -> String {
    let likes: String = likes.iter().map(|like| format!("&like={like}")).collect();
    format!("item=1&nonce={}&ruling={ruling}{likes}", nonce(page, 1))
}

#[tokio::test]
async fn near_copies_are_one_item_and_one_press_rules_on_those_that_were_shown_and_ticked() {
    let server = SmtpServer::open(None).await;
    let (app, ids, mail) = with_copies(&server, 6).await;
    assert!(mail.header("subject").contains(" 7 comments to review"), "{}", mail.header("subject"));
    assert!(mail.text.contains("5 more like it, by 6 names on 1 page"), "{}", mail.text);
    assert!(mail.text.contains("2. ") && mail.text.contains("why the hiss stops") && !mail.text.contains("3. "), "{}", mail.text);
    let link = path(&app, &mail.link(&app.base));
    let page = app.get(&link).await.text;
    let likes = ticked(&page);
    assert_eq!((likes.len(), page.matches("<form").count()), (5, 2));
    // Meanwhile one is edited and another decided; a third is unticked.
    let headers = [("authorization", &*format!("Bearer {BLOG_KEY}"))];
    let edited = app.send(Method::PUT, &format!("/v1/comments/{}", ids[2]), &headers, stranger("Never mind.").to_string()).await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    app.rule(BLOG_KEY, &ids[3], "remove").await;
    let done = post(&app, &link, &[("origin", &app.base)], form(&page, "spam", &likes[..4])).await;
    assert!(
        done.status == 200 && done.text.contains("3 comments marked as spam.") && done.text.contains("2 had been decided"),
        "{}",
        done.text
    );
    let mut statuses = Vec::new();
    for id in &ids {
        let document = app.document(BLOG_KEY, id).await.json();
        statuses.push((document["status"].as_str().unwrap().to_owned(), document["ruling"]["ruling"].as_str().map(str::to_owned)));
    }
    let is = |status: &str, ruling: Option<&str>| (status.to_owned(), ruling.map(str::to_owned));
    let (spam, held) = (is("rejected", Some("spam")), is("held", None));
    assert_eq!(statuses, [spam.clone(), held.clone(), held.clone(), is("rejected", Some("remove")), spam.clone(), spam, held]);
    let look = Look::into(&app);
    assert_eq!(look.count("SELECT count(DISTINCT batch) FROM rulings WHERE via = 'link'"), 1);
    // One undo takes all three back, and nothing that the page did not offer.
    let proof = between(&done.text, "<form class=\"end\"", "</form>");
    let (batch, proof) = (between(proof, "name=\"undo\" value=\"", "\""), between(proof, "name=\"nonce\" value=\"", "\""));
    let origin = [("origin", &*app.base)];
    for (headers, undo, nonce, status) in [
        (&[][..], batch, proof, 403),
        (&origin, batch, "1.2.x", 409),
        (&origin, batch, &*nonce(&page, 1), 409),
        (&origin, "00000000000000000000000000000000", proof, 409),
    ] {
        assert_eq!(post(&app, &link, headers, format!("undo={undo}&nonce={nonce}")).await.status, status, "{undo} {nonce}");
    }
    assert_eq!(app.get(&format!("{link}?undo={batch}&nonce={proof}")).await.status, 200);
    assert_eq!(app.document(BLOG_KEY, &ids[0]).await.json()["status"], "rejected");
    let undone = post(&app, &link, &origin, format!("undo={batch}&nonce={proof}")).await;
    assert!(undone.status == 200 && undone.text.contains("3 comments wait again."), "{}", undone.text);
    for id in [&ids[0], &ids[4], &ids[5]] {
        assert_eq!(app.document(BLOG_KEY, id).await.json()["status"], "held");
    }
    let again = post(&app, &link, &origin, format!("undo={batch}&nonce={proof}")).await;
    assert!(again.text.contains("nothing to take back"), "{}", again.text);
}

#[tokio::test]
async fn more_than_ten_near_copies_are_never_published_together() {
    let server = SmtpServer::open(None).await;
    let (app, ids, mail) = with_copies(&server, 11).await;
    let link = path(&app, &mail.link(&app.base));
    let page = app.get(&link).await.text;
    let likes = ticked(&page);
    let first = page.split("</form>").next().unwrap();
    assert!(!first.contains("value=\"publish\"") && first.contains("?each=1"), "{first}");
    let origin = [("origin", &*app.base)];
    let refused = post(&app, &link, &origin, form(&page, "publish", &likes)).await;
    assert!(refused.status == 422 && refused.text.contains("At most 10 are published together"), "{}", refused.text);
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM rulings"), 0);
    // A box twice, of another item or of none rules on nothing that was not shown.
    for likes in [["x.1.2.3"], ["99.1.2.3"]] {
        let asked = post(&app, &link, &origin, form(&page, "publish", &likes.map(str::to_owned))).await;
        assert!([200, 400].contains(&asked.status), "{}", asked.text);
    }
    let done = post(&app, &link, &origin, form(&page, "spam", &[&likes[..], &likes[..]].concat())).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let apart = app.get(&format!("{link}?each=1")).await.text;
    assert_eq!(ticked(&apart).len(), 0, "{apart}");
    assert_eq!(app.document(BLOG_KEY, &ids[1]).await.json()["status"], "held");
}

#[tokio::test]
async fn a_comment_is_not_its_own_past() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    let id = app.submit(BLOG_KEY, &editor("Thank you.")).await.id();
    let headers = [("authorization", &*format!("Bearer {BLOG_KEY}"))];
    let reported = app
        .send(
            Method::POST,
            &format!("/v1/comments/{id}/report"),
            &headers,
            json!({ "reader": "198.51.100.7", "text": "Rude." }).to_string(),
        )
        .await;
    assert_eq!(reported.status, 200, "{}", reported.text);
    let mail = mail(&server, 1).await;
    assert!(mail.text.contains("first comment, reported by 1 reader"), "{}", mail.text);
}

/// `Monday 00:00`, whatever day it is today in UTC.
fn today() -> String {
    let days = hamlet::clock::Clock::System.now().seconds() / 86_400;
    // The first of 1970 was a Thursday.
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    format!("{} 00:00", names[usize::try_from(days % 7).unwrap()])
}

#[tokio::test]
async fn a_week_s_rejections_near_the_line_come_once_and_can_be_published() {
    const WORDS: &str = "Has anybody tried this one? Mine whistles early. http://kettles.example/stove and http://kettles.example/lid";
    let server = SmtpServer::open(None).await;
    let mut app = TestApp::start(Setup::default().mail_by(&server)).await;
    app.submit(WATCH_KEY, &stranger(WORDS)).await;
    let score: f64 = Look::into(&app).one("SELECT score FROM decisions");
    app.kill();
    // A line of which the comment stands a little beyond.
    let line = 1.0 / (1.0 + ((1.0 - score) / score) * 0.3_f64.exp());
    let of_blog = |setup: Setup, key: &str, value: f64| setup.set(&format!("SITES__BLOG__POLICY__{key}"), format!("{value:.17}"));
    app.setup = of_blog(of_blog(of_blog(app.setup.clone(), "REJECT_MIN", line), "DISCARD_MIN", 1.0), "PUBLISH_MAX", line / 100.0);
    app.setup = app.setup.clone().set("DIGEST__WEEKLY", today()).set("RULES__HOLD_FIRST_LINK", false);
    app = app.start_again().await;
    let id = app.submit(BLOG_KEY, &stranger(WORDS)).await.id();
    app.submit(BLOG_KEY, &stranger("blockedword")).await;
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "rejected");
    // It looks once in its time, and that was before these came.
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let arguments = ["digest", "preview", "--to", "ana", "--weekly", "--config", str(&config), "--data", str(&data)];
    let preview = hamlet_with(&app.setup, &arguments, "");
    assert!(
        preview.stdout.starts_with("Subject: [Slow Kettle] 1 comment rejected near the line\n"),
        "{}{}",
        preview.stdout,
        preview.stderr
    );
    app = app.start_again().await;
    let mail = mail(&server, 1).await;
    assert_eq!(mail.header("subject"), "[Slow Kettle] 1 comment rejected near the line");
    assert!(mail.text.contains("Mine whistles early") && !mail.text.contains("blockedword"), "{}", mail.text);
    let link = path(&app, &mail.link(&app.base));
    let shown = app.get(&link).await.text;
    assert!(shown.contains("Rejected by Hamlet, near the line"), "{shown}");
    app = app.start_again().await;
    assert_eq!(press(&app, &link, 1, "publish").await.status, 200);
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "published");
    let again = app.get(&format!("{link}?i=1")).await.text;
    assert!(again.contains("Already decided by Ana"), "{again}");
    let look = Look::into(&app);
    until_true("the outbox is empty", || look.count("SELECT count(*) FROM parcels WHERE dead = 0") == 0).await;
    assert_eq!(look.count("SELECT count(*) FROM digests"), 1, "once a week, and nothing else of it is mailed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_sends_at_once_what_is_not_due_yet() {
    let server = SmtpServer::open(None).await;
    let setup = Setup::default().mail_by(&server).set("DIGEST__ITEMS_MIN", 100).set("DIGEST__AGE_HOURS_MAX", 720);
    let app = TestApp::start(setup).await;
    app.submit(BLOG_KEY, &stranger("I never understood why the hiss stops before the boil.")).await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let setup = app.setup.clone();
    let digest = |arguments: &[&str]| {
        let place = ["--config", str(&config), "--data", str(&data)];
        hamlet_with(&setup, &[&["digest", "send"], arguments, &place].concat(), "")
    };
    let would = digest(&["--to", "ana", "--dry-run"]);
    assert_eq!(
        (would.code, would.stdout.trim()),
        (0, "would mail ana: [Slow Kettle] 1 comment to review (oldest 1 min)"),
        "{}",
        would.stderr
    );
    let place = ["--config", str(&config), "--data", str(&data)];
    let eml = hamlet_with(&setup, &[&["digest", "preview", "--to", "ana", "--eml"], &place[..]].concat(), "");
    let shown = Mail::read(&eml.stdout);
    assert!(shown.header("subject").contains("1 comment to review") && shown.text.contains("why the hiss stops"), "{}", eml.stderr);
    let sent = digest(&["--to", "ana"]);
    assert_eq!((sent.code, sent.stdout.trim()), (0, "ana: 1 on the way"), "{}", sent.stderr);
    assert!(mail(&server, 1).await.text.contains("why the hiss stops"));
    let again = digest(&["--to", "ana"]);
    assert!(again.code == 1 && again.stderr.contains("nothing waits that ana was not shown"), "{}", again.stderr);
    let nobody = digest(&["--to", "eve"]);
    assert!(nobody.code == 1 && nobody.stderr.contains("eve"), "{}", nobody.stderr);
    assert_eq!(server.taken().len(), 1);
    drop(app);
    let data = tempfile::tempdir().unwrap();
    let alone = hamlet_with(&Setup::default(), &["digest", "send", "--to", "ana", "--data", str(data.path())], "");
    assert!(alone.code == 4 && alone.stderr.contains("start `hamlet serve` first, since it sends the mail"), "{}", alone.stderr);
}
