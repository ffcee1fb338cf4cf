//! Mail: real SMTP that refuses, stalls and breaks off; what a mail may never hold; and that no trouble with mail slows judging.

use crate::app::{BLOG_KEY, Setup, TestApp, editor, stranger};
use crate::blog::Blog;
use crate::mime::Mail;
use crate::page::mail;
use crate::smtp::{Order, SmtpServer};
use crate::store::Look;
use crate::wait::until_true;
use serde_json::json;

async fn app_with(server: &SmtpServer) -> TestApp {
    TestApp::start(Setup::default().mail_by(server)).await
}

#[tokio::test]
async fn a_mail_has_the_headers_it_should_and_nothing_of_the_commenter_in_them() {
    let server = SmtpServer::open(None).await;
    let app = app_with(&server).await;
    let mut comment =
        stranger("Nice! See http://cheap-loans.example/now and <img src=\"https://pixel.example/x.png\"> or www.more.example");
    comment["name"] = json!("Eve\r\nBcc: all@victims.example\0 <b>");
    comment["url"] = json!("http://eve.example");
    comment["page_title"] = json!("Kettles\r\nX-Evil: yes");
    app.submit(BLOG_KEY, &comment).await;
    let mail = mail(&server, 1).await;
    let letter = &server.taken()[0];
    assert!(letter.from.contains("<review@hamlet.example>") && letter.to.contains("<ana@moderators.example>"));
    assert_eq!(mail.header("to"), "Ana <ana@moderators.example>");
    assert_eq!(mail.header("from").replace('"', ""), "Slow Kettle comments <review@hamlet.example>");
    assert!(mail.header("subject").starts_with("[Slow Kettle] 1 comment to review"), "{}", mail.header("subject"));
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert_eq!(mail.header("list-id"), "<blog.hamlet.hamlet.example>");
    assert!(mail.header("message-id").ends_with("@hamlet.example>") && !mail.header("date").is_empty());
    let names: Vec<&str> = mail.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(!names.contains(&"bcc") && !names.contains(&"x-evil"), "{names:?}");
    let decoded: Vec<String> = mail.headers.iter().map(|(name, _)| mail.header(name)).collect();
    for private in ["Eve", "victims", "Kettles", "cheap-loans", "strangers.example"] {
        assert!(!decoded.iter().any(|value| value.contains(private)), "{private} is in {decoded:?}");
    }
    nothing_lives_in(&mail, &app.base);
}

fn nothing_lives_in(mail: &Mail, base: &str) {
    for part in [&mail.text, &mail.html] {
        for private in ["jane@strangers.example", "203.0.113.9", "http://cheap-loans", "www.more.example", "http://eve"] {
            assert!(!part.contains(private), "{private} is in {part}");
        }
        assert!(part.contains("cheap-loans[.]example"), "{part}");
        for link in part.split("http").skip(1) {
            let link = format!("http{link}");
            assert!(["d", "u"].iter().any(|kind| link.starts_with(&format!("{base}/{kind}/"))), "a link leads elsewhere: {link}");
        }
    }
    assert!(mail.text.contains("j...@s....example") && mail.html.contains("j…@s….example"), "{}", mail.html);
    for alive in ["<img", "<script", "<iframe", "url("] {
        assert!(!mail.html.contains(alive), "{}", mail.html);
    }
}

#[tokio::test]
async fn a_mail_refused_for_now_is_sent_again() {
    let server = SmtpServer::open(None).await;
    let app = app_with(&server).await;
    server.order([Order::RefuseRecipient("451 4.7.1 greylisted"), Order::RefuseRecipient("452 4.2.2 full"), Order::Take]);
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    mail(&server, 1).await;
    Look::into(&app).outbox_drained().await;
    assert_eq!((server.attempts(), server.taken().len()), (3, 1));
}

#[tokio::test]
async fn a_mail_refused_for_good_is_given_up_and_judging_goes_on() {
    let server = SmtpServer::open(None).await;
    let app = app_with(&server).await;
    server.order([Order::RefuseRecipient("550 5.1.1 nobody here")]);
    let first = app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.id();
    let look = Look::into(&app);
    until_true("it is given up", || look.count("SELECT count(*) FROM parcels WHERE dead = 1") == 1).await;
    assert_eq!(app.document(BLOG_KEY, &first).await.json()["status"], "held");
    assert_eq!(app.submit(BLOG_KEY, &stranger("Another word.")).await.json()["status"], "held");
    mail(&server, 1).await;
    assert_eq!(server.attempts(), 2);
}

#[tokio::test]
async fn a_mail_cut_off_after_its_text_comes_again_as_the_same() {
    let server = SmtpServer::open(None).await;
    let app = app_with(&server).await;
    server.order([Order::CutAfterData]);
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    mail(&server, 1).await;
    Look::into(&app).outbox_drained().await;
    let letters = server.letters();
    assert_eq!(letters.len(), 2);
    let read = [Mail::read(&letters[0].raw), Mail::read(&letters[1].raw)];
    assert_eq!(read[0].header("message-id"), read[1].header("message-id"));
    assert_eq!((&read[0].text, read[0].header("date")), (&read[1].text, read[1].header("date")));
}

#[tokio::test]
async fn a_stalled_mail_server_keeps_nobody_waiting() {
    let (server, blog) = (SmtpServer::open(None).await, Blog::open().await);
    let app = TestApp::start(Setup::default().mail_by(&server).webhooks("BLOG", &blog).set("OUTBOX__ATTEMPTS_MAX", 100)).await;
    server.always(Some(Order::Stall));
    for number in 0..40 {
        let comment = if number % 2 == 0 { stranger("A word about the kettle.") } else { editor("Thank you.") };
        assert_eq!(app.submit(BLOG_KEY, &comment).await.status, 200);
    }
    until_true("the blog hears of all", || blog.statuses().len() == 40).await;
    // More attempts than there are places: a stalled one ends and gives its place back.
    until_true("mail is tried again and again", || server.attempts() > 32).await;
    assert_eq!((server.letters().len(), app.get("/health/ready").await.status), (0, 200));
    server.always(None);
    Look::into(&app).outbox_drained().await;
    let mails = server.taken();
    let shown: usize = mails.iter().map(|letter| Mail::read(&letter.raw).text.matches("Review: ").count()).sum();
    assert_eq!(shown, 20, "every held comment was put before Ana once");
}

#[tokio::test]
async fn many_mails_go_over_one_connection_one_after_another() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server).set("OUTBOX__AT_ONCE_MAX", 1)).await;
    for number in 1..=8 {
        app.submit(BLOG_KEY, &stranger(&format!("Word {number} about the kettle."))).await;
        mail(&server, number).await;
    }
    assert_eq!((server.connections(), server.taken().len()), (1, 8));
}

#[tokio::test]
async fn a_login_is_used_and_a_refused_one_is_tried_again() {
    let server = SmtpServer::open(Some(("hamlet", "00123"))).await;
    let setup = Setup::default().mail_by(&server).set("MAIL__SMTP__USERNAME", "hamlet");
    let app = TestApp::start(setup.clone().set("MAIL__SMTP__PASSWORD", "00123")).await;
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    mail(&server, 1).await;
    assert_eq!(server.logins(), ["hamlet:00123"]);
    let wrong = TestApp::start(setup.set("MAIL__SMTP__PASSWORD", "sesame")).await;
    wrong.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    until_true("two logins were refused", || server.logins().iter().filter(|login| *login == "hamlet:sesame").count() >= 2).await;
    assert_eq!(Look::into(&wrong).count("SELECT count(*) FROM parcels WHERE dead = 0"), 1);
    assert!(!wrong.log().contains("sesame") && !app.log().contains("00123"));
}

#[tokio::test]
async fn what_was_decided_before_the_mail_went_is_not_in_it() {
    let server = SmtpServer::open(None).await;
    let setup = Setup::default().mail_by(&server).set("DIGEST__ITEMS_MIN", 3).set("DIGEST__AGE_HOURS_MAX", 720);
    let app = TestApp::start(setup).await;
    let ruled = app.submit(BLOG_KEY, &stranger("Decided already.")).await.id();
    app.rule(BLOG_KEY, &ruled, "spam").await;
    for number in 1..=3 {
        assert_eq!(server.attempts(), 0);
        app.submit(BLOG_KEY, &stranger(&format!("Still open, number {number}."))).await;
    }
    let mail = mail(&server, 1).await;
    assert!(mail.text.contains("number 3") && !mail.text.contains("Decided already"), "{}", mail.text);
    assert!(mail.header("subject").contains("3 comments"));
}

#[tokio::test]
async fn what_was_held_before_there_was_mail_is_mailed_once_there_is() {
    let mut app = TestApp::start(Setup::default()).await;
    app.submit(BLOG_KEY, &stranger("Held long ago.")).await;
    // The digest is looked for after every held comment: by the second answer the first was long looked at.
    app.submit(BLOG_KEY, &stranger("Held after that.")).await;
    app.kill();
    let look = Look::into(&app);
    assert_eq!((look.count("SELECT count(*) FROM digests"), look.count("SELECT count(*) FROM parcels")), (0, 0));
    let server = SmtpServer::open(None).await;
    app.setup = app.setup.clone().mail_by(&server);
    let _app = app.start_again().await;
    let mail = mail(&server, 1).await;
    assert!(mail.text.contains("Held long ago.") && mail.text.contains("Held after that."), "{}", mail.text);
}
