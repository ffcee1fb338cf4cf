//! The demo as a new user meets it: one command, an article with a form, mail as files, a link that rules, and a blog that follows.

use crate::app::{Answer, TestApp};
use crate::mime::Mail;
use crate::page::{path, press};
use crate::store::Look;
use crate::wait::{until, until_true};
use reqwest::Method;
use serde_json::json;

const ORDINARY: &str = "Thank you for the article. My kettle hisses the same way, and I pour a little earlier in winter.";
const SPAM: &str =
    "Great article! I earn $5000 a week working from home, click here http://work-home.example to make money online fast, contact WhatsApp";
const ODD: &str = "I wrote about my own grinder at https://grinder-notes.example/coarse and would like to hear what you think.";

async fn reply(app: &TestApp, name: &str, body: &str) -> Answer {
    let encoded: Vec<String> = body.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let encoded = encoded.concat();
    let form = format!("name={name}&email={name}%40readers.example&url=&body={encoded}");
    app.send(Method::POST, "/demo/", &[("content-type", "application/x-www-form-urlencoded")], form).await
}

fn mails(app: &TestApp) -> Vec<Mail> {
    let files = std::fs::read_dir(app.data().join("mail")).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|end| end == "eml"))
        .map(|file| Mail::read(&std::fs::read_to_string(file).unwrap()))
        .collect()
}

#[tokio::test]
async fn an_ordinary_reply_appears_and_spam_does_not() {
    let app = TestApp::demo().await;
    let page = app.get("/demo/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text.contains("Your email address will not be published. Required fields are marked"));
    for field in ["name", "email", "url", "body"] {
        assert!(page.text.contains(&format!("name=\"{field}\"")), "{field}");
    }
    let ordinary = reply(&app, "Marit", ORDINARY).await;
    assert_eq!((ordinary.status, ordinary.header("location")), (303, "/demo/?said=published#thanks"));
    let spam = reply(&app, "Buyer", SPAM).await;
    assert_eq!((spam.status, spam.header("location")), (303, "/demo/?said=rejected#reply"));
    let page = app.get("/demo/").await.text;
    assert!(page.contains("My kettle hisses the same way") && page.contains("Marit"), "{page}");
    assert!(!page.contains("work-home") && !page.contains("Buyer") && !page.contains("readers.example"), "{page}");
}

#[tokio::test]
async fn the_form_tells_scripts_from_people() {
    let app = TestApp::demo().await;
    let page = app.get("/demo/").await.text;
    let token = page.split_once("name=\"form_token\" value=\"").unwrap().1.split_once('"').unwrap().0;
    assert_eq!(token.len(), 34, "{page}");
    assert!(
        page.contains(r#"aria-hidden="true"><label for="subject">"#) && page.contains(r#"name="subject" tabindex="-1" autocomplete="off""#)
    );
    let post = async |fields: &str| {
        let form = format!("email=ida%40readers.example&url=&body=My%20kettle%20hisses%20too.&{fields}");
        app.send(Method::POST, "/demo/", &[("content-type", "application/x-www-form-urlencoded")], form).await
    };
    let at_once = post(&format!("name=Ida&form_token={token}")).await;
    assert_eq!((at_once.status, at_once.header("location")), (303, "/demo/?said=held#waits"));
    let filled = post(&format!("name=Ida&form_token={token}&subject=hello")).await;
    assert_eq!((filled.status, filled.header("location")), (303, "/demo/?said=rejected#reply"));
    let asked_again = post(&format!("name=&form_token={token}")).await;
    assert!(asked_again.status == 422 && asked_again.text.contains(token), "shown again it is the same form: {}", asked_again.text);
}

#[tokio::test]
async fn an_odd_reply_waits_its_link_rules_and_then_it_appears() {
    let app = TestApp::demo().await;
    let held = reply(&app, "Odd", ODD).await;
    assert_eq!((held.status, held.header("location")), (303, "/demo/?said=held#waits"));
    assert!(!app.get("/demo/").await.text.contains("grinder-notes"));
    let mail = until("a mail file", || std::future::ready(mails(&app).pop())).await;
    assert_eq!(mail.header("to"), "Moderator <moderator@demo.invalid>");
    assert!(mail.text.contains("grinder-notes[.]example"), "{}", mail.text);
    let link = path(&app, &mail.link(&app.base));
    let done = press(&app, &link, 1, "publish").await;
    assert!(done.text.contains("Published."), "{}", done.text);
    until("it appears", || async { app.get("/demo/").await.text.contains("grinder-notes").then_some(()) }).await;
    let mut app = app.start_again().await;
    assert!(app.get("/demo/").await.text.contains("grinder-notes"), "a restart forgets nothing");
    app.kill();
}

#[tokio::test]
async fn every_held_reply_is_mailed_soon() {
    let app = TestApp::demo().await;
    let started = std::time::Instant::now();
    for number in 1..=8 {
        reply(&app, "Odd", &format!("{ODD} This is number {number}.")).await;
    }
    let shown = || mails(&app).iter().map(|mail| mail.text.matches("Review: ").count()).sum::<usize>();
    until_true("all were mailed", || shown() == 8).await;
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_missing_name_is_asked_for_and_what_was_typed_stays() {
    let app = TestApp::demo().await;
    for (form, said) in [
        ("name=%E2%80%8B&email=a%40b.example&url=&body=Kept%20%3Cwords%3E", "Please fill in your name."),
        ("name=Ana&email=&url=&body=Kept%20%3Cwords%3E", "Please fill in your email address."),
        ("name=Ana&email=nowhere&url=&body=Kept%20%3Cwords%3E", "Please write an address"),
    ] {
        let page = app.send(Method::POST, "/demo/", &[("content-type", "application/x-www-form-urlencoded")], form).await;
        assert_eq!(page.status, 422);
        assert!(
            page.text.contains(said) && page.text.contains("Kept &#60;words&#62;") | page.text.contains("Kept &lt;words&gt;"),
            "{}",
            page.text
        );
    }
    assert!(!app.get("/demo/").await.text.contains("Kept"));
}

#[tokio::test]
async fn the_key_that_everybody_knows_opens_from_this_machine_only() {
    let app = TestApp::demo().await;
    let comment = json!({ "name": "A", "email": "a@b.example", "body": "hi" });
    assert_eq!(app.submit("hamletdemo00", &comment).await.status, 200);
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        assert_eq!(app.submit_with("hamletdemo00", &[(header, "127.0.0.1")], &comment).await.status, 401, "{header}");
    }
    let forged = r#"{"type":"comment.ruling","data":{"id":"x","status":"published","reasons":[]}}"#;
    let headers = [("webhook-id", "1"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AAAA")];
    assert_eq!(app.send(Method::POST, "/demo/webhook", &headers, forged).await.status, 401);
}

#[tokio::test]
async fn looking_at_the_demo_changes_nothing() {
    let app = TestApp::demo().await;
    reply(&app, "Odd", ODD).await;
    let look = Look::into(&app);
    until_true("it was mailed", || mails(&app).len() == 1).await;
    look.outbox_drained().await;
    let thread = || std::fs::read(app.data().join("demo-blog.json")).unwrap();
    let before = (look.dump(), thread());
    for path in ["/demo", "/demo/", "/demo/?said=published", "/demo/webhook", "/demo/?name=a&email=a%40b.example&body=hi"] {
        for method in [Method::GET, Method::HEAD] {
            app.send(method, path, &[], "").await;
        }
    }
    assert_eq!((look.dump(), thread()), before);
}
