//! What a comment's form, page, links and author's past do to it: the form token, the honeypot, known domains, members, old pages, and that
//! whoever merely claims an address gains little by it.

use crate::app::{BLOG_KEY, OPEN_KEY, OTHER_KEY, Setup, TestApp, editor, stranger};
use crate::store::Look;
use hamlet::action::Keys;
use hamlet::clock::{Clock, Timestamp};
use hamlet::id::SiteId;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// What rules found, and how the comment stands. These tests send one text over and over: what was ruled on it is told elsewhere.
fn found(document: &Value) -> (Vec<&str>, &str) {
    let codes = document["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap());
    (
        codes.filter(|code| !["classifier", "ruled_text", "campaign"].iter().any(|of| code.starts_with(of))).collect(),
        document["status"].as_str().unwrap(),
    )
}

fn with(mut comment: Value, fields: &Value) -> Value {
    fields.as_object().unwrap().iter().for_each(|(field, value)| comment[field] = value.clone());
    comment
}

/// Submits to the site that publishes by score whatever no rule holds: this is found beside the author's record, and so it stands.
async fn check(app: &TestApp, comment: &Value, expected: (&[&str], &str)) -> String {
    let answer = app.submit(OPEN_KEY, comment).await;
    let document = answer.json();
    let (mut codes, status) = found(&document);
    codes.retain(|code| *code != "author_record");
    assert_eq!((codes.as_slice(), status), expected, "{comment}");
    answer.id()
}

async fn form_token(app: &TestApp, key: &str) -> String {
    let bearer = format!("Bearer {key}");
    let answer = app.send(Method::GET, "/v1/form-token", &[("authorization", &bearer)], "").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
    assert_eq!(answer.json()["valid_seconds"], 48 * 3600);
    answer.json()["token"].as_str().unwrap().to_owned()
}

/// A token as the daemon would have signed it some time ago.
fn token_of(app: &TestApp, site: &str, ago: Duration) -> String {
    let secret = Look::into(app).one::<[u8; 32]>("SELECT secret FROM keys WHERE purpose = 'action'");
    let id = u8::try_from(Look::into(app).one::<i64>("SELECT id FROM keys WHERE purpose = 'action'")).unwrap();
    Keys::new(vec![(id, secret)]).sign_form(&SiteId::new(site), Clock::System.now().minus(ago))
}

#[tokio::test]
async fn a_form_token_tells_a_form_that_was_sent_at_once_or_was_forged() {
    let app = TestApp::start(Setup::default()).await;
    let sent = |token: &str| with(stranger("A word about the kettle."), &json!({ "form_token": token }));
    check(&app, &sent(&form_token(&app, OPEN_KEY).await), (&["form_too_fast"], "held")).await;
    check(&app, &sent(&token_of(&app, "open", Duration::from_mins(1))), (&[], "published")).await;
    check(&app, &sent(&token_of(&app, "open", Duration::from_hours(49))), (&["form_token_bad"], "published")).await;
    for forged in ["x", "AQ", &token_of(&app, "blog", Duration::from_mins(1)), &"A".repeat(9_000)] {
        check(&app, &sent(forged), (&["form_token_bad"], "published")).await;
    }
    check(&app, &sent(" "), (&[], "published")).await;
    check(&app, &stranger("A word about the kettle."), (&[], "published")).await;
    assert_eq!(app.get("/v1/form-token").await.status, 401);
}

#[tokio::test]
async fn a_token_waits_with_its_comment_in_the_queue_and_is_as_old_as_it_came() {
    let app = TestApp::start(Setup::default()).await;
    let comment = with(stranger("A word about the kettle."), &json!({ "form_token": form_token(&app, OPEN_KEY).await, "honeypot": "x" }));
    let id = app.submit_async(OPEN_KEY, &comment).await.id();
    let document = app.judged(OPEN_KEY, &id).await;
    assert_eq!(found(&document), (vec!["honeypot", "form_too_fast"], "rejected"));
}

#[tokio::test]
async fn a_site_may_require_its_form_and_say_what_a_honeypot_does() {
    let app = TestApp::start(Setup::default().set("SITES__OPEN__RULES__REQUIRE_FORM_TOKEN", true).set("RULES__HONEYPOT", "hold")).await;
    let comment = stranger("A word about the kettle.");
    check(&app, &comment, (&["form_token_missing"], "held")).await;
    check(&app, &with(comment.clone(), &json!({ "form_token": "x" })), (&["form_token_bad"], "held")).await;
    let good = json!({ "form_token": token_of(&app, "open", Duration::from_mins(1)) });
    check(&app, &with(comment.clone(), &good), (&[], "published")).await;
    check(&app, &with(with(comment, &good), &json!({ "honeypot": "x" })), (&["honeypot"], "held")).await;
}

#[tokio::test]
async fn a_field_that_no_person_sees_rejects_whoever_fills_it() {
    let app = TestApp::start(Setup::default()).await;
    for (value, expected) in
        [("http://x.example", (&["honeypot"][..], "rejected")), ("", (&[], "published")), (" \u{200b}", (&[], "published"))]
    {
        check(&app, &with(stranger("Nice."), &json!({ "honeypot": value })), expected).await;
    }
    let own = app.submit(BLOG_KEY, &with(editor("Nice."), &json!({ "honeypot": "a browser filled it" }))).await.json();
    assert_eq!(found(&own), (vec!["site_role"], "published"));
    let kept = Look::into(&app).rows::<String>("SELECT name FROM pragma_table_info('comments')");
    assert!(!Look::into(&app).dump().contains("x.example") && kept.contains(&"honeypot".to_owned()), "what stood in it is not kept");
}

/// A comment of another author with a link.
fn linking(author: &str, link: &str) -> Value {
    let email = format!("{author}@strangers.example");
    json!({ "name": author, "email": email, "body": format!("More of this at {link} if you like."), "page_url": "https://www.kettle.example/a" })
}

#[tokio::test]
async fn a_domain_that_people_published_of_several_authors_is_known_until_they_change_their_minds() {
    let app = TestApp::start(Setup::default().set("RULES__KNOWN_DOMAIN_COMMENTS_MIN", 2)).await;
    let held = (&["first_link"][..], "held");
    let mut ids = Vec::new();
    for author in ["ana", "bob"] {
        let id = check(&app, &linking(author, "http://wiki.tea.example/x"), held).await;
        app.rule(OPEN_KEY, &id, "publish").await;
        ids.push(id);
    }
    check(&app, &linking("eve", "http://tea.example/y"), (&[], "published")).await;
    check(&app, &linking("eve", "http://tea.example/y and http://pills.example"), held).await;
    app.rule(OPEN_KEY, &ids[0], "spam").await;
    check(&app, &linking("joe", "http://tea.example/y"), held).await;
    app.rule(OPEN_KEY, &ids[1], "spam").await;
    check(&app, &linking("joe", "http://tea.example/y"), (&["first_link", "domain_ruled_spam"], "held")).await;
    for id in &ids {
        app.rule(OPEN_KEY, id, "publish").await;
    }
    check(&app, &linking("joe", "http://tea.example/y"), (&[], "published")).await;
    let other = app.submit(OTHER_KEY, &linking("joe", "http://tea.example/y")).await.json();
    assert_eq!(found(&other).0, ["first_link"], "what one site knows another does not");
}

#[tokio::test]
async fn links_to_the_page_s_own_site_and_to_those_that_the_settings_name_are_not_held() {
    let app = TestApp::start(Setup::default()).await;
    check(&app, &linking("ana", "https://kettle.example/other"), (&[], "published")).await;
    let website = with(linking("ana", "this"), &json!({ "url": "https://www.kettle.example/ana" }));
    check(&app, &website, (&[], "published")).await;
    check(&app, &linking("ana", "https://kettle.example.evil.example/"), (&["first_link"], "held")).await;
}

#[tokio::test]
async fn whoever_claims_an_address_gets_its_nudge_and_no_more() {
    let app = TestApp::start(Setup::default()).await;
    let id = check(&app, &linking("ana", "http://ana.example/"), (&["first_link"], "held")).await;
    app.rule(OPEN_KEY, &id, "publish").await;
    check(&app, &linking("ana", "http://www.ana.example/more"), (&[], "published")).await;
    check(&app, &linking("ana", "http://pills.example/"), (&["first_link"], "held")).await;
    let removed = check(&app, &linking("ana", "here"), (&[], "published")).await;
    app.rule(OPEN_KEY, &removed, "remove").await;
    let document = app.submit(OPEN_KEY, &linking("ana", "here")).await.json();
    let record = document["reasons"].as_array().unwrap().iter().find(|reason| reason["code"] == "author_record").unwrap();
    assert_eq!(record["text"], "earlier comments of this author: 2 published, 1 removed");
}

#[tokio::test]
async fn a_member_whom_the_site_vouches_for_is_trusted_and_the_bare_address_is_not() {
    let setup = Setup::default().set("RULES__MEMBER_COMMENTS_MIN", 2).set("RULES__MEMBER_DAYS_MIN", 0);
    let app = TestApp::start(setup).await;
    let guest = json!({ "name": "Ana", "email": "ana@members.example", "body": "A word about the kettle." });
    let member = with(guest.clone(), &json!({ "role": "subscriber" }));
    let submit = async |comment: &Value| app.submit(BLOG_KEY, comment).await;
    // What came under the bare address is no part of the member's record.
    for _ in 0..3 {
        app.rule(BLOG_KEY, &submit(&guest).await.id(), "publish").await;
    }
    assert_eq!(found(&submit(&member).await.json()), (vec!["author_record"], "held"));
    let mut last = String::new();
    for _ in 0..2 {
        last = submit(&member).await.id();
        app.rule(BLOG_KEY, &last, "publish").await;
    }
    assert_eq!(found(&submit(&member).await.json()), (vec!["site_member", "author_record"], "published"));
    assert_eq!(found(&submit(&guest).await.json()), (vec!["author_record"], "held"));
    app.rule(BLOG_KEY, &last, "remove").await;
    assert_eq!(found(&submit(&member).await.json()), (vec!["author_record"], "held"));
    let elsewhere = app.submit(OTHER_KEY, &member).await.json();
    assert_eq!(found(&elsewhere), (vec![], "held"), "another site's member is a stranger");
}

#[tokio::test]
async fn an_old_page_sleeps_until_somebody_writes_again() {
    let app = TestApp::start(Setup::default()).await;
    let old = json!({ "page_url": "https://kettle.example/old", "page_published_at": "2019-05-01T00:00:00Z" });
    let young = json!({ "page_url": "https://kettle.example/new", "page_published_at": Timestamp::to_string(&Clock::System.now()) });
    check(&app, &with(stranger("Still true."), &young), (&[], "published")).await;
    check(&app, &with(stranger("Still true."), &old), (&["page_asleep"], "published")).await;
    check(&app, &with(stranger("Yes."), &old), (&[], "published")).await;
    for ruled in Look::into(&app).rows::<[u8; 16]>("SELECT id FROM comments WHERE page_url LIKE '%old'") {
        app.rule(OPEN_KEY, &hamlet::id::CommentId::from_bytes(ruled).to_string(), "remove").await;
    }
    check(&app, &with(stranger("Yes."), &old), (&["page_asleep"], "published")).await;
    let malformed = app.submit(OPEN_KEY, &with(stranger("Yes."), &json!({ "page_published_at": "last year" }))).await;
    assert_eq!((malformed.status, malformed.json()["field"].clone()), (422, json!("page_published_at")));
}

const ARTICLE: &str = "A kettle tells you nearly everything. First it ticks, while the metal stretches. Then it hisses like rain on a far roof: \
    small bubbles dying before they reach the top. When the hiss drops and turns round, the water is near ninety degrees, and that is the moment. \
    For eleven years I made bad coffee with great care. I weighed the beans and timed the pour, and I owned a thermometer that I trusted more \
    than my own mouth. The cups came out thin in winter and bitter in summer. Then my neighbour, who repairs outboard motors and has no \
    thermometer, gave me a cup across the fence. A minute later it shouts, which is why everyone pours too late. Grind a little coarser, and \
    wait as long as it takes to put the milk back. Each morning since then was better, and each evening was too, whatever the weather.";

#[tokio::test]
async fn a_comment_that_shares_no_word_with_the_page_or_its_parent_says_so() {
    let app = TestApp::start(Setup::default()).await;
    let digression =
        "Yesterday my sister married: guests danced until midnight, grandmother included, tremendous photographs followed afterwards.";
    let page = json!({ "page_title": "How we brew", "page_excerpt": ARTICLE });
    let about = |body: &str| with(stranger(body), &page);
    let id = check(
        &app,
        &about("My kettle never whistles, so the thermometer helps every morning; winter makes water harder."),
        (&[], "published"),
    )
    .await;
    check(&app, &with(stranger(digression), &json!({ "page_title": "How we brew" })), (&[], "published")).await;
    check(&app, &about(digression), (&["off_topic"], "published")).await;
    let answer = json!({ "parent_body": "Whose photographs are these?" });
    let question = check(&app, &with(about(digression), &answer), (&[], "published")).await;
    check(&app, &with(about(digression), &json!({ "parent_id": question })), (&[], "published")).await;
    check(&app, &with(about(digression), &json!({ "parent_id": id })), (&["off_topic"], "published")).await;
    check(&app, &with(about(digression), &json!({ "parent_id": "17" })), (&["off_topic"], "published")).await;
    let long = with(stranger("Yes."), &json!({ "page_excerpt": "word ".repeat(20_000) }));
    check(&app, &long, (&[], "published")).await;
    assert_eq!(Look::into(&app).one::<i64>("SELECT max(length(page_excerpt)) FROM comments"), 4096);
}
