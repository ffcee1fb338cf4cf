//! The API of Akismet's clients: bodies to the byte, keys wherever they stand, verdicts in their words, reports as rulings, tests that
//! leave no trace, figures from what is stored.

use crate::app::{Answer, BLOG_KEY, Setup, TestApp, stranger};
use crate::blog::Blog;
use crate::store::Look;
use crate::wait::{until, until_true};
use reqwest::Method;
use serde_json::{Value, json};

/// The sites of `app`, as their Akismet clients name them. Strangers are held on all but the last two.
pub const BLOG: &str = "akismetblog0";
/// Tells of a held comment as ham.
const OTHER: &str = "akismetother";
const WATCH: &str = "akismetwatch";
const STERN: &str = "akismetstern";
const OPEN: &str = "akismetopen0";

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub const THANKS: &str = "Thanks for making the web a better place.";

/// A call with these fields beside the required ones.
pub async fn call(app: &TestApp, path: &str, key: &str, fields: &str) -> Answer {
    let body = format!("api_key={key}&blog=https://blog.example&user_ip=203.0.113.9&{fields}");
    app.send(Method::POST, path, &[FORM], body).await
}

async fn check(app: &TestApp, key: &str, fields: &str) -> Answer {
    call(app, "/1.1/comment-check", key, fields).await
}

async fn report(app: &TestApp, as_what: &str, fields: &str) {
    let answer = call(app, &format!("/1.1/submit-{as_what}"), BLOG, fields).await;
    assert_eq!((answer.status, answer.text.as_str(), answer.header("x-akismet-debug-help")), (200, THANKS, ""));
}

/// Body, pro tip and recheck; a verdict always has an id and never help.
fn verdict(answer: &Answer) -> (&str, &str, &str) {
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"), "{}", answer.text);
    assert_eq!((answer.header("x-akismet-guid").len(), answer.header("x-akismet-debug-help")), (36, ""));
    (answer.text.as_str(), answer.header("x-akismet-pro-tip"), answer.header("x-akismet-recheck-after"))
}

const JANE: &str = "comment_author=Jane&comment_author_email=jane@strangers.example&comment_content=A+word+about+the+kettle.";

/// The same, with a place to go: mere words are held at most while the starter judges.
fn leading() -> String {
    format!("{JANE}+Write+to+ann@kettle.example.")
}

#[tokio::test]
async fn every_verdict_has_its_word() {
    let app = TestApp::start(Setup::default().set("SITES__blog__AKISMET__HOLD", "spam")).await;
    let editor = "comment_author=Ida&comment_content=Thank+you&user_role=administrator";
    let blocked = "comment_author=Jane&comment_author_email=jane@strangers.example&comment_content=Get+a+blockedword";
    for (key, fields, expected) in [
        (BLOG, JANE, ("true", "", "")),
        (BLOG, editor, ("false", "", "")),
        (BLOG, blocked, ("true", "", "")),
        (OTHER, JANE, ("false", "", "120")),
        (WATCH, JANE, ("false", "", "")),
        (STERN, JANE, ("true", "", "")),
        (STERN, &leading(), ("true", "discard", "")),
        (OPEN, "comment_content=hello", ("false", "", "")),
    ] {
        assert_eq!(verdict(&check(&app, key, fields).await), expected, "{key} {fields}");
    }
    let guid = check(&app, BLOG, JANE).await.header("x-akismet-guid").to_owned();
    assert_eq!(app.document(BLOG_KEY, &guid).await.json()["status"], "held");
    let keeps = TestApp::start(Setup::default().set("SITES__stern__AKISMET__DISCARD", false)).await;
    assert_eq!(verdict(&check(&keeps, STERN, &leading()).await), ("true", "", ""));
}

#[tokio::test]
async fn the_key_may_stand_in_the_host_or_in_either_field() {
    let app = TestApp::start(Setup::default()).await;
    let host = format!("{BLOG}.rest.akismet.com");
    let send = async |path: &str, host: &str, body: String| {
        let answer = app.send(Method::POST, path, &[FORM, ("host", host)], body).await;
        assert_eq!(answer.status, 200);
        answer.text
    };
    let wanted = |key: &str| format!("{key}&blog=blog.example&user_ip=203.0.113.9&{JANE}");
    for (host, key, expected) in [
        (host.as_str(), "", "true"),
        ("AKISMETblog0.localhost:8025", "", "true"),
        ("localhost", "api_key=akismetblog0", "true"),
        ("localhost", "api_key=AkismetBlog0", "true"),
        ("rest.akismet.com", "key=akismetblog0", "true"),
        ("wrongwrong00.rest.akismet.com", "api_key=akismetblog0", "true"),
        (host.as_str(), "api_key=wrongwrong00", "invalid"),
        ("localhost", "", "invalid"),
        ("localhost", "api_key=blog-key-000000", "invalid"),
    ] {
        assert_eq!(send("/1.1/comment-check", host, wanted(key)).await, expected, "{host} {key}");
    }
    for (body, expected) in [
        ("key=akismetblog0&blog=https://blog.example", "valid"),
        ("api_key=akismetblog0", "valid"),
        ("key=akismetblog0&api_key=wrongwrong00", "valid"),
        ("key=wrongwrong00&api_key=akismetblog0", "invalid"),
        ("key=&api_key=akismetblog0", "invalid"),
        ("", "invalid"),
    ] {
        assert_eq!(send("/1.1/verify-key", "rest.akismet.com", body.to_owned()).await, expected, "{body}");
    }
    assert_eq!(app.submit(BLOG, &stranger("An Akismet key opens nothing else.")).await.status, 401);
}

#[tokio::test]
async fn a_wrong_key_or_a_missing_field_never_reads_as_a_verdict() {
    let app = TestApp::start(Setup::default()).await;
    for path in ["/1.1/verify-key", "/1.1/comment-check", "/1.1/submit-spam", "/1.1/submit-ham", "/1.1/deactivate", "/1.1/get-subscription"]
        .into_iter()
        .chain(["/1.1/get-stats", "/1.2/usage-limit", "/1.2/key-sites", "/1.1/token", "/1.1/verify-wpcom-key"])
    {
        let answer = call(&app, path, "wrongwrong00", JANE).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "invalid"), "{path}");
        assert!(!answer.header("x-akismet-debug-help").is_empty() && answer.header("x-akismet-guid").is_empty(), "{path}");
    }
    for (body, field) in [("user_ip=203.0.113.9", "blog"), ("blog=https://blog.example", "user_ip"), ("blog=x&user_ip=", "user_ip")] {
        for path in ["/1.1/comment-check", "/1.1/submit-spam"] {
            let answer = app.send(Method::POST, path, &[FORM], format!("api_key={BLOG}&{body}&{JANE}")).await;
            let expected = format!("Missing required field: {field}.");
            assert_eq!((answer.status, &answer.text), (200, &expected));
            assert_eq!(answer.header("x-akismet-debug-help"), expected);
        }
    }
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 0);
}

#[tokio::test]
async fn a_test_is_judged_and_leaves_no_trace() {
    let app = TestApp::start(Setup::default()).await;
    check(&app, BLOG, JANE).await;
    let look = Look::into(&app);
    let before = look.dump();
    for (fields, expected) in [
        (format!("{JANE}&is_test=1"), "true"),
        ("is_test=true&comment_content=test&user_role=administrator".to_owned(), "false"),
        ("comment_author=akismet-guaranteed-spam&comment_content=test".to_owned(), "true"),
        ("comment_author=viagra-test-123&user_role=administrator".to_owned(), "true"),
        (format!("{JANE}&comment_author_email=akismet-guaranteed-spam@example.com"), "true"),
    ] {
        assert_eq!(verdict(&check(&app, BLOG, &fields).await), (expected, "", ""), "{fields}");
        report(&app, "spam", &fields).await;
        report(&app, "ham", &fields).await;
    }
    let stern = check(&app, STERN, "comment_author=akismet-guaranteed-spam&comment_content=test").await;
    assert_eq!(verdict(&stern), ("true", "", ""), "the test words are never to be discarded");
    assert_eq!(verdict(&check(&app, STERN, &format!("{}&is_test=1", leading())).await), ("true", "discard", ""));
    assert_eq!(look.dump(), before);
}

#[tokio::test]
async fn a_report_is_a_ruling_on_the_comment_that_it_means() {
    let app = TestApp::start(Setup::default()).await;
    let guid = |answer: Answer| answer.header("x-akismet-guid").to_owned();
    let ids = [guid(check(&app, BLOG, JANE).await), guid(check(&app, BLOG, JANE).await)];
    let standing = async |id: &str| {
        let document = app.document(BLOG_KEY, id).await.json();
        (document["status"].as_str().unwrap().to_owned(), document["ruling"].clone())
    };
    report(&app, "ham", &format!("{JANE}&reporter=ana%0A&comment_check_response=true")).await;
    let (status, ruling) = standing(&ids[1]).await;
    assert_eq!(
        (status.as_str(), &ruling["ruling"], &ruling["by"], &ruling["via"]),
        ("published", &json!("publish"), &json!("ana"), &json!("akismet"))
    );
    assert_eq!(standing(&ids[0]).await, ("held".to_owned(), Value::Null), "the newest is meant");
    report(&app, "spam", &format!("comment_content=something+else&guid={}", ids[0])).await;
    let (status, ruling) = standing(&ids[0]).await;
    assert_eq!((status.as_str(), &ruling["ruling"], &ruling["by"]), ("rejected", &json!("spam"), &json!("Slow Kettle")));
    report(&app, "spam", JANE).await;
    report(&app, "spam", JANE).await;
    let look = Look::into(&app);
    assert_eq!((look.count("SELECT count(*) FROM comments"), look.count("SELECT count(*) FROM rulings")), (2, 3));
}

#[tokio::test]
async fn a_report_of_nothing_teaches_nothing() {
    let app = TestApp::start(Setup::default()).await;
    report(&app, "ham", "").await;
    report(&app, "spam", "comment_author=Jane&comment_content=+").await;
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 0);
}

#[tokio::test]
async fn a_report_of_an_unknown_comment_takes_it_in_as_ruled() {
    let app = TestApp::start(Setup::default()).await;
    let fields = "comment_author=Cy&comment_author_email=cy@c.example&comment_content=Nobody+asked+about+this&reporter=ana";
    report(&app, "spam", fields).await;
    let look = Look::into(&app);
    let (status, id): (String, Vec<u8>) = (look.one("SELECT status FROM comments"), look.one("SELECT id FROM comments"));
    let id = hamlet::id::CommentId::from_bytes(id.try_into().unwrap()).to_string();
    let document = app.document(BLOG_KEY, &id).await.json();
    assert_eq!((status.as_str(), &document["status"], &document["verdict"]), ("rejected", &json!("rejected"), &json!("hold")));
    assert_eq!((&document["ruling"]["by"], &document["ruling"]["via"]), (&json!("ana"), &json!("akismet")));
    assert_eq!(look.count("SELECT count(*) FROM parcels"), 0, "the site told us: nobody need tell it");
    report(&app, "ham", fields).await;
    assert_eq!(look.one::<String>("SELECT status FROM comments"), "published");
}

#[tokio::test]
async fn a_recheck_hears_the_ruling_and_is_not_counted_again() {
    let app = TestApp::start(Setup::default()).await;
    let recheck = async |key: &str| {
        let answer = check(&app, key, &format!("{JANE}&recheck_reason=recheck_queue")).await;
        let (word, _, after) = verdict(&answer);
        (word.to_owned(), after.to_owned(), answer.header("x-akismet-guid").to_owned())
    };
    let told = |word: &str, after: &str, id: &str| (word.to_owned(), after.to_owned(), id.to_owned());
    let first = check(&app, OTHER, JANE).await;
    let id = first.header("x-akismet-guid");
    assert_eq!(recheck(OTHER).await, told("false", "120", id));
    for (ruling, word) in [("spam", "true"), ("publish", "false"), ("remove", "true")] {
        app.rule(crate::app::OTHER_KEY, id, ruling).await;
        assert_eq!(recheck(OTHER).await, told(word, "", id), "{ruling}");
    }
    let look = Look::into(&app);
    assert_eq!(look.count("SELECT count(*) FROM comments"), 1);
    assert_eq!(recheck(BLOG).await.0, "true", "one that never came is new");
    assert_eq!(look.count("SELECT count(*) FROM comments"), 2);
}

#[tokio::test]
async fn figures_are_those_of_the_store() {
    let app = TestApp::start(Setup::default()).await;
    for (number, ruled) in [(1, ""), (2, "spam"), (3, "ham"), (4, "ham")] {
        let fields = format!("{JANE}+{number}");
        check(&app, BLOG, &fields).await;
        if !ruled.is_empty() {
            report(&app, ruled, &fields).await;
        }
    }
    let editor = "comment_author=Ida&comment_content=Thank+you&user_role=administrator";
    check(&app, BLOG, editor).await;
    report(&app, "spam", editor).await;
    let month: String = Look::into(&app).one("SELECT strftime('%Y-%m', max(received_at) / 1000, 'unixepoch') FROM comments");
    let row = json!({ "site": "blog", "api_calls": "5", "spam": "4", "ham": "1", "missed_spam": "1", "false_positives": "2", "is_revoked": false });
    let sites = app.get(&format!("/1.2/key-sites?api_key={BLOG}")).await;
    assert_eq!(sites.header("content-type"), "application/json");
    assert_eq!(sites.json(), json!({ (month.clone()): [row], "limit": 500, "offset": 0, "total": 1 }));
    let csv = app.get(&format!("/1.2/key-sites?api_key={BLOG}&format=csv&order=spam&limit=10")).await.text;
    let expected = format!(
        "Active sites during {month} (limit:10, offset: 0, total: 1)\nSite,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked\nblog,5,4,1,1,2,false\n"
    );
    assert_eq!(csv, expected);
    let none = app.get(&format!("/1.2/key-sites?api_key={BLOG}&month=2001-01&filter=elsewhere")).await.json();
    assert_eq!(none, json!({ "2001-01": [], "limit": 500, "offset": 0, "total": 0 }));
    assert_eq!(app.get(&format!("/1.2/key-sites?api_key={BLOG}&month=soon")).await.status, 400);
    let usage = call(&app, "/1.2/usage-limit", BLOG, "").await;
    assert_eq!(usage.json(), json!({ "limit": "none", "usage": 5, "percentage": "0.00", "throttled": false }));
    let statistics = call(&app, "/1.1/get-stats", BLOG, &format!("key={BLOG}&from=6-months")).await.json();
    assert_eq!(
        (&statistics["spam"], &statistics["accuracy"], &statistics["breakdown"][&month]["ham"]),
        (&json!(4), &json!(40.0), &json!(1))
    );
    let tallied = "SELECT count(*) FROM (SELECT verdict, coalesce(ruled, '') r, count(*) n FROM comments GROUP BY 1, 2
                   EXCEPT SELECT verdict, ruled, sum(comments) FROM days WHERE comments > 0 GROUP BY 1, 2)";
    assert_eq!(Look::into(&app).count(tallied), 0);
}

#[tokio::test]
async fn what_an_admin_page_asks_is_answered() {
    let app = TestApp::start(Setup::default()).await;
    let subscription = call(&app, "/1.1/get-subscription", BLOG, &format!("key={BLOG}")).await.json();
    assert_eq!((&subscription["status"], &subscription["account_name"]), (&json!("active"), &json!("Slow Kettle")));
    assert_eq!(call(&app, "/1.1/deactivate", BLOG, &format!("key={BLOG}")).await.text, "deactivated");
    assert_eq!(app.get("/1.1/test").await.text, "connected");
    assert_eq!(app.get("/1.1/comment-check").await.status, 405);
}

#[tokio::test]
async fn a_client_that_gave_an_address_hears_when_people_say_otherwise() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default().set("SITES__blog__WEBHOOK_PRIVATE", true)).await;
    let guid = check(&app, BLOG, &format!("{JANE}&callback={}", blog.url())).await.header("x-akismet-guid").to_owned();
    let silent = check(&app, BLOG, "comment_author=Ann&comment_content=No+address.").await.header("x-akismet-guid").to_owned();
    let told = async |times: usize| {
        until("a callback", || std::future::ready(Some(blog.heard()).filter(|heard| heard.len() == times))).await.pop().unwrap().event
    };
    let word = |result: &str| json!({ "key": BLOG, "endpoint": "comment-check", "comments": [{ "guid": guid, "result": result }] });
    app.rule(BLOG_KEY, &silent, "publish").await;
    app.rule(BLOG_KEY, &guid, "publish").await;
    assert_eq!(told(1).await, word("false"));
    // What the client itself reports comes back to nobody.
    report(&app, "spam", &format!("{JANE}&guid={guid}")).await;
    app.rule(BLOG_KEY, &guid, "remove").await;
    assert_eq!(told(2).await, word("true"));
    Look::into(&app).outbox_drained().await;
    assert_eq!(blog.heard().len(), 2);
    assert!(blog.heard().iter().all(|heard| heard.webhook_id.is_empty()), "it is signed by its key alone");
}

#[tokio::test]
async fn a_callback_goes_no_further_than_a_webhook() {
    let blog = Blog::open().await;
    let app = TestApp::start(Setup::default()).await;
    let guid = check(&app, BLOG, &format!("{JANE}&callback={}", blog.url())).await.header("x-akismet-guid").to_owned();
    app.rule(BLOG_KEY, &guid, "publish").await;
    let look = Look::into(&app);
    let refusal = "127.0.0.1 is no public address: webhook_private = true or webhook_networks would allow it";
    until_true("it is refused", || look.count(&format!("SELECT count(*) FROM parcels WHERE last_error = '{refusal}'")) == 1).await;
    assert!(blog.heard().is_empty());
    assert_eq!(look.count(&format!("SELECT count(*) FROM parcels WHERE content LIKE '%{BLOG}%'")), 0, "no key lies in the outbox");
}
