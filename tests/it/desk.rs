//! The desk on the wire: who gets in, what a form must carry, rulings on the version that was shown, undo, claims, campaigns and roles.

use crate::app::{Answer, BLOG_KEY, OPEN_KEY, OTHER_KEY, Setup, TestApp, stranger};
use crate::blog::Blog;
use crate::commands::{hamlet, str};
use crate::moderator::{Moderator, field, login_link, post, session};
use crate::smtp::SmtpServer;
use crate::store::Look;
use crate::wait::until_true;
use reqwest::Method;
use serde_json::json;

const ANA: &str = "ana@moderators.example";
const BOB: &str = "bob@moderators.example";

async fn open(setup: Setup) -> (TestApp, SmtpServer) {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(setup.set("REVIEW__SECOND_LOOK_SHARE", 0).mail_by(&server)).await;
    (app, server)
}

async fn held(app: &TestApp, body: &str) -> String {
    app.submit(BLOG_KEY, &stranger(body)).await.id()
}

async fn status(app: &TestApp, key: &str, id: &str) -> String {
    app.document(key, id).await.json()["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_mailed_link_lets_in_once_and_opening_it_changes_nothing() {
    let (app, server) = open(Setup::default()).await;
    let sent = app.get("/desk/c/1?q=x").await;
    assert_eq!((sent.status, sent.header("location")), (303, "/desk/login?next=%2Fdesk%2Fc%2F1%3Fq%3Dx"));
    let known = post(&app, "/desk/login", "", &format!("email={}", ANA.to_uppercase())).await;
    let unknown = post(&app, "/desk/login", "", "email=eve@moderators.example").await;
    let said = |answer: &Answer, email: &str| (answer.status, answer.text.replace(email, ""));
    assert_eq!(said(&known, &ANA.to_uppercase()), said(&unknown, "eve@moderators.example"), "who asks learns nothing");
    let link = login_link(&server, ANA, 1).await;
    let look = Look::into(&app);
    look.outbox_drained().await;
    let before = look.dump();
    for method in [Method::GET, Method::HEAD, Method::GET] {
        assert_eq!(app.send(method, &link, &[], "").await.status, 200);
    }
    assert_eq!(look.dump(), before);
    let foreign = app.send(Method::POST, &link, &[("origin", "https://evil.example")], "").await;
    assert_eq!((foreign.status, look.dump()), (403, before));
    let used = post(&app, &link, "", "").await;
    let cookie = used.header("set-cookie").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
    let desk = app.send(Method::GET, "/desk/", &[("cookie", &session(&used))], "").await;
    assert!(desk.status == 200 && desk.text.contains("Nothing to review."), "{}", desk.text);
    let policy = desk.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let again = post(&app, &link, "", "").await;
    assert!(again.status == 410 && again.text.contains("This link does not work."), "{}", again.text);
    let mut kept = Look::into(&app).rows::<String>("SELECT hex(hash) FROM sessions");
    kept.retain(|hash| cookie.contains(hash.as_str()));
    assert_eq!(kept, [] as [String; 0], "of the cookie only a hash is kept");
}

#[tokio::test]
async fn under_tls_the_cookie_is_for_this_host_alone() {
    let (app, server) = open(Setup::default().set("HTTP__PUBLIC_URL", "https://mod.example")).await;
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://mod.example")];
    app.send(Method::POST, "/desk/login", &headers, format!("email={ANA}")).await;
    let link = login_link(&server, ANA, 1).await;
    let used = app.send(Method::POST, &link, &headers, "").await;
    let cookie = used.header("set-cookie");
    assert!(cookie.starts_with("__Host-hamlet=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_password_once_set_lets_in_and_guessing_is_slowed_down() {
    let (app, server) = open(Setup::default()).await;
    let ana = Moderator::by_mail(&app, &server, ANA).await;
    let page = ana.get("/desk/you").await.text;
    assert_eq!(ana.send(&page, "/desk/you", "password=short").await.status, 422);
    let other = Moderator::by_mail(&app, &server, ANA).await;
    assert_eq!(ana.send(&page, "/desk/you", "password=correct+horse+battery").await.status, 200);
    assert_eq!(ana.get("/desk/").await.status, 200);
    assert_eq!(other.get("/desk/").await.status, 303, "a new password ends every other session");
    let try_in = async |email: &str, password: &str| post(&app, "/desk/login", "", &format!("email={email}&password={password}")).await;
    let wrong = try_in(ANA, "correct+horse+batterz").await;
    let nobody = try_in("eve@moderators.example", "correct+horse+battery").await;
    assert_eq!((wrong.status, nobody.status), (401, 401));
    assert_eq!(wrong.text.replace(ANA, ""), nobody.text.replace("eve@moderators.example", ""));
    let right = try_in(ANA, "correct+horse+battery").await;
    assert_eq!((right.status, right.header("location")), (303, "/desk/"));
    let out = ana.send(&page, "/desk/logout", "").await;
    assert!(out.text.contains("You are logged out.") && out.header("set-cookie").contains("Max-Age=0"), "{}", out.text);
    assert_eq!(ana.get("/desk/").await.status, 303);
    let mut last = 0;
    for _ in 0..10 {
        last = try_in(ANA, "guess+guess+guess").await.status;
    }
    assert_eq!(last, 429);
    assert_eq!(try_in(ANA, "correct+horse+battery").await.status, 429, "the right one too: who guesses learns nothing");
    let look = Look::into(&app);
    assert!(look.count("SELECT count(*) FROM acts WHERE what = 'login_failed' AND who IS NULL") >= 2);
    assert!(look.one::<String>("SELECT phc FROM passwords").starts_with("$argon2id$"));
}

#[tokio::test]
async fn an_admin_resets_an_account_and_rules_everywhere_a_moderator_on_their_sites() {
    let (app, server) = open(Setup::default().set("MODERATORS__BOB__ADMIN", true)).await;
    let id = held(&app, "A word about the kettle.").await;
    let foreign = app.submit(OTHER_KEY, &stranger("A word elsewhere.")).await.id();
    let (ana, bob) = (Moderator::by_mail(&app, &server, ANA).await, Moderator::by_mail(&app, &server, BOB).await);
    assert_eq!(ana.get(&format!("/desk/c/{id}")).await.status, 200);
    for path in [format!("/desk/c/{foreign}"), format!("/desk/explain/{foreign}"), "/desk/c/nonsense".into()] {
        assert_eq!(ana.get(&path).await.status, 404, "{path}");
    }
    let page = ana.get(&format!("/desk/c/{id}")).await.text;
    assert_eq!(ana.send(&page, &format!("/desk/c/{foreign}"), "version=1&ruling=publish").await.status, 404);
    assert_eq!(status(&app, OTHER_KEY, &foreign).await, "held");
    assert_eq!(bob.rule(&id, "publish").await.status, 303);
    assert_eq!(bob.rule(&foreign, "publish").await.status, 303);
    let reset = hamlet(&["moderator", "reset", "ana", "--data", str(&app.data())]);
    let link = reset.stdout.trim().strip_prefix(&app.base).expect("a link").to_owned();
    assert_eq!(ana.get("/desk/").await.status, 303, "logged out everywhere");
    assert_eq!(post(&app, &link, "", "").await.status, 303);
    assert_eq!(hamlet(&["moderator", "reset", "eve", "--data", str(&app.data())]).code, 1);
}

#[tokio::test]
async fn a_form_counts_only_with_its_session_s_proof_and_from_our_own_page() {
    let (app, server) = open(Setup::default().set("MODERATORS__BOB__ADMIN", true)).await;
    let id = held(&app, "A word about the kettle.").await;
    let (ana, bob) = (Moderator::by_mail(&app, &server, ANA).await, Moderator::by_mail(&app, &server, BOB).await);
    let path = format!("/desk/c/{id}");
    let (page, others) = (ana.get(&path).await.text, bob.get(&path).await.text);
    let form = |csrf: &str| format!("csrf={csrf}&version={}&ruling=publish", field(&page, "version"));
    let (own, foreign) = (form(&field(&page, "csrf")), form(&field(&others, "csrf")));
    for (headers, form) in [
        (vec![("origin", &*app.base)], foreign.as_str()),
        (vec![("origin", &app.base)], "version=1&ruling=publish"),
        (vec![("origin", "https://evil.example")], own.as_str()),
        (vec![], own.as_str()),
        (vec![("origin", "null")], own.as_str()),
    ] {
        let mut headers = headers;
        headers.extend([("content-type", "application/x-www-form-urlencoded"), ("cookie", ana.cookie.as_str())]);
        for path in [path.as_str(), "/desk/undo", "/desk/logout", "/desk/you", &format!("{path}/address"), &format!("{path}/claim")] {
            let answer = app.send(Method::POST, path, &headers, format!("{form}&batch=0&password=correct+horse+battery")).await;
            assert!((400..500).contains(&answer.status), "{path} {headers:?}: {}", answer.status);
        }
        assert_eq!(status(&app, BLOG_KEY, &id).await, "held");
    }
    let without = post(&app, &path, "", &own).await;
    assert!(without.status == 401 && without.text.contains("Your last ruling was not taken."), "{}", without.text);
    assert_eq!(ana.get("/desk/").await.status, 200);
    assert_eq!(post(&app, &path, &ana.cookie, &own).await.status, 303);
    assert_eq!(status(&app, BLOG_KEY, &id).await, "published");
}

#[tokio::test]
async fn a_ruling_taken_back_in_time_is_never_heard_of_and_later_is_set_right() {
    let blog = Blog::open().await;
    let (app, server) = open(Setup::default().webhooks("BLOG", &blog).set("REVIEW__UNDO_SECONDS", 3600)).await;
    let id = held(&app, "A word about the kettle.").await;
    let ana = Moderator::by_mail(&app, &server, ANA).await;
    let ruled = ana.rule(&id, "publish").await;
    assert_eq!(ruled.status, 303);
    let toast = ana.get(ruled.header("location")).await.text;
    assert!(toast.contains("Published:") && toast.contains("The blog hears of it in 3"), "{toast}");
    assert_eq!(status(&app, BLOG_KEY, &id).await, "published");
    let undone = ana.send(&toast, "/desk/undo", &format!("batch={}", field_of_button(&toast))).await;
    assert_eq!((undone.status, undone.header("location")), (303, &*format!("/desk/c/{id}?undone=1")));
    assert_eq!(status(&app, BLOG_KEY, &id).await, "held");
    let look = Look::into(&app);
    look.outbox_drained().await;
    assert_eq!(blog.heard_of(&id).iter().map(|heard| heard.status.clone()).collect::<Vec<_>>(), ["held"], "not a word of it");
    let again = ana.send(&toast, "/desk/undo", &format!("batch={}", field_of_button(&toast))).await;
    assert_eq!(again.header("location"), "/desk/?undone=0", "once");
    let rulings = look.rows::<String>("SELECT ruling || ' ' || via || ' ' || actor FROM rulings ORDER BY seq");
    assert_eq!(rulings, ["publish desk Ana", "none undo Ana"], "append-only");
    assert_eq!(look.count("SELECT count(*) FROM comments WHERE ruled IS NOT NULL"), 0, "no label is left");
    assert_eq!(look.rows::<String>("SELECT what FROM acts ORDER BY seq"), ["link_asked", "logged_in", "ruled", "undone"]);
}

/// The batch that the undo button carries.
fn field_of_button(page: &str) -> String {
    field(page, "batch")
}

#[tokio::test]
async fn what_the_blog_had_heard_is_set_right() {
    let blog = Blog::open().await;
    let (app, server) = open(Setup::default().webhooks("BLOG", &blog)).await;
    let id = held(&app, "A word about the kettle.").await;
    assert_eq!(app.rule(BLOG_KEY, &id, "remove").await.status, 200);
    let ana = Moderator::by_mail(&app, &server, ANA).await;
    let ruled = ana.rule(&id, "spam").await;
    let look = Look::into(&app);
    look.outbox_drained().await;
    let page = ana.get(ruled.header("location")).await.text;
    ana.send(&page, "/desk/undo", &format!("batch={}", field_of_button(&page))).await;
    look.outbox_drained().await;
    let heard = blog.heard_of(&id);
    let told: Vec<_> = heard.iter().map(|heard| heard.event["data"]["ruling"]["ruling"].as_str().unwrap_or("none").to_owned()).collect();
    assert_eq!(told, ["none", "remove", "spam", "remove"], "the earlier ruling stands again");
}

#[tokio::test]
async fn what_was_said_of_another_text_comes_back_as_no_word_on_this_one() {
    let (app, server) = open(Setup::default()).await;
    let id = held(&app, "A word about the kettle.").await;
    app.rule(BLOG_KEY, &id, "publish").await;
    let ana = Moderator::by_mail(&app, &server, ANA).await;
    let ruled = ana.rule(&id, "spam").await;
    let page = ana.get(ruled.header("location")).await.text;
    let authorization = [("authorization", &*format!("Bearer {BLOG_KEY}"))];
    let edited = app.send(Method::PUT, &format!("/v1/comments/{id}"), &authorization, stranger("Another word.").to_string()).await;
    assert_eq!(edited.json()["status"], "rejected");
    ana.send(&page, "/desk/undo", &format!("batch={}", field_of_button(&page))).await;
    let document = app.document(BLOG_KEY, &id).await.json();
    assert_eq!((&document["status"], &document["ruling"]["ruling"]), (&json!("held"), &json!("publish")), "nobody has read it yet");
    let labels = "SELECT count(*) FROM comments WHERE ruled = 'publish' AND edited = 0";
    assert_eq!(Look::into(&app).count(labels), 0, "and it is no label");
}

#[tokio::test]
async fn only_the_version_that_was_shown_is_ruled_on() {
    let (app, server) = open(Setup::default()).await;
    let id = held(&app, "A word about the kettle.").await;
    let ana = Moderator::by_mail(&app, &server, ANA).await;
    let path = format!("/desk/c/{id}");
    let page = ana.get(&path).await.text;
    let version = field(&page, "version");
    app.rule(BLOG_KEY, &id, "publish").await;
    let late = ana.send(&page, &path, &format!("version={version}&ruling=spam")).await;
    assert!(late.status == 409 && late.text.contains("Already decided by"), "{}", late.text);
    assert_eq!(status(&app, BLOG_KEY, &id).await, "published");
    assert!(late.text.contains("Rule otherwise"), "{}", late.text);
    assert_eq!(ana.rule(&id, "spam").await.status, 303, "on purpose it can be ruled otherwise");
    assert_eq!(status(&app, BLOG_KEY, &id).await, "rejected");
}

#[tokio::test]
async fn what_one_is_on_another_cannot_decide() {
    let (app, server) = open(Setup::default().set("MODERATORS__BOB__ADMIN", true)).await;
    let id = held(&app, "A word about the kettle.").await;
    let (ana, bob) = (Moderator::by_mail(&app, &server, ANA).await, Moderator::by_mail(&app, &server, BOB).await);
    let path = format!("/desk/c/{id}");
    let page = ana.get(&path).await.text;
    assert_eq!(ana.send(&page, &format!("{path}/claim"), "").await.status, 204);
    let seen = bob.get(&path).await.text;
    assert!(seen.contains("Ana is on this for 2 more minutes.") && seen.contains("Ana is on it"), "{seen}");
    assert_eq!(bob.send(&seen, &format!("{path}/claim"), "").await.status, 409);
    let refused = bob.rule(&id, "spam").await;
    assert!(refused.status == 409 && refused.text.contains("Ana is on this."), "{}", refused.text);
    assert_eq!(ana.rule(&id, "publish").await.status, 303);
}

/// Near-copies of one text from different people.
async fn copies(app: &TestApp, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        let body = format!("Great post! Get fresh beans with 70 percent off today for every kettle and grinder in town, code BEANS{n}");
        let comment =
            json!({ "name": format!("Roaster {n}"), "email": format!("r{n}@roast.example"), "body": body, "page_title": "Coffee" });
        ids.push(app.submit(BLOG_KEY, &comment).await.id());
    }
    ids
}

#[tokio::test]
async fn a_campaign_is_ruled_on_as_shown_with_one_undo() {
    let (app, server) = open(Setup::default()).await;
    let ids = copies(&app, 12).await;
    held(&app, "Something quite different that a reader wrote about her garden and the rain.").await;
    let ana = Moderator::by_mail(&app, &server, ANA).await;
    assert!(ana.get("/desk/").await.text.contains("12 alike"));
    let page = ana.get("/desk/campaigns").await.text;
    let path = page.split_once("id=\"campaign\" method=\"post\" action=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let boxes: Vec<&str> = page.split("name=\"v\" value=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(boxes.len(), 12);
    let ticked = |boxes: &[&str]| boxes.iter().map(|value| format!("v={value}&")).collect::<String>();
    let much = ana.send(&page, &path, &format!("{}ruling=publish", ticked(&boxes))).await;
    assert!(much.status == 422 && much.text.contains("At most 10 are published together"), "{}", much.text);
    assert_eq!(ana.send(&page, &path, "ruling=spam").await.status, 422, "nothing was ticked");
    // One is decided elsewhere meanwhile, and one that came later is not in it.
    app.rule(BLOG_KEY, &ids[0], "publish").await;
    let later = copies(&app, 1).await;
    let done = ana.send(&page, &path, &format!("{}ruling=spam", ticked(&boxes))).await;
    assert!(done.status == 409 && done.text.contains("11 comments ruled."), "{}", done.text);
    assert_eq!(status(&app, BLOG_KEY, &ids[0]).await, "published");
    assert_eq!(status(&app, BLOG_KEY, &later[0]).await, "held");
    let spam = || Look::into(&app).count("SELECT count(*) FROM comments WHERE ruled = 'spam'");
    assert_eq!(spam(), 11);
    let undone = ana.send(&done.text, "/desk/undo", &format!("batch={}", field_of_button(&done.text))).await;
    assert_eq!((undone.header("location"), spam()), ("/desk/?undone=11", 0));
}

#[tokio::test]
async fn an_address_is_shown_on_demand_and_that_is_written_down() {
    let (app, server) = open(Setup::default()).await;
    let id = held(&app, "A word about the kettle.").await;
    let ana = Moderator::by_mail(&app, &server, ANA).await;
    let path = format!("/desk/c/{id}");
    let page = ana.get(&path).await.text;
    assert!(page.contains("j…@s….example") && !page.contains("jane@strangers"), "{page}");
    let shown = ana.send(&page, &format!("{path}/address"), "").await.text;
    assert!(shown.contains("jane@strangers[.]example"), "{shown}");
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM acts WHERE what = 'address_shown' AND comment IS NOT NULL"), 1);
}

#[tokio::test]
async fn automatic_decisions_are_looked_through_and_a_second_look_changes_nothing() {
    let setup = Setup::default().set("MODERATORS__BOB__ADMIN", true).set("REVIEW__SECOND_LOOK_SHARE", 1);
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(setup.mail_by(&server)).await;
    let published = app.submit(OPEN_KEY, &stranger("The machine lets this through.")).await.id();
    let bob = Moderator::by_mail(&app, &server, BOB).await;
    let audit = bob.get("/desk/audit").await.text;
    assert!(audit.contains("The machine lets this through.") && audit.contains(&format!("/desk/c/{published}")), "{audit}");
    assert_eq!(bob.rule(&published, "spam").await.status, 303);
    let look = Look::into(&app);
    assert_eq!(look.count("SELECT count(*) FROM second_looks WHERE second IS NULL AND first = 'spam'"), 1);
    assert!(bob.get("/desk/").await.text.contains("Nothing to review."), "it is not due before tomorrow");
}

#[tokio::test]
async fn get_and_head_at_the_desk_change_nothing() {
    let (app, server) = open(Setup::default()).await;
    let id = held(&app, "A word about the kettle.").await;
    copies(&app, 4).await;
    let ana = Moderator::by_mail(&app, &server, ANA).await;
    let look = Look::into(&app);
    look.outbox_drained().await;
    until_true("nothing is under way", || look.count("SELECT count(*) FROM comments WHERE status = 'queued'") == 0).await;
    let before = look.dump();
    let csrf = field(&ana.get(&format!("/desk/c/{id}")).await.text, "csrf");
    for path in [
        "/desk/".to_owned(),
        "/desk/?q=kettle+is:unsure+page:%3Cx".to_owned(),
        format!("/desk/c/{id}?csrf={csrf}&version=1&ruling=publish"),
        format!("/desk/c/{id}/claim?csrf={csrf}"),
        format!("/desk/explain/{id}"),
        "/desk/campaigns".to_owned(),
        "/desk/audit?near=1&before=9".to_owned(),
        "/desk/you".to_owned(),
        "/desk/logout".to_owned(),
        "/desk/undo?batch=00000000000000000000000000000000".to_owned(),
        "/assets/desk.js".to_owned(),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = app.send(method, &path, &[("cookie", &ana.cookie), ("origin", &app.base)], "").await;
            assert!(answer.status < 500, "{path}");
        }
    }
    assert_eq!(look.dump(), before);
}
