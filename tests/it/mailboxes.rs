//! Mailboxes: moderators turn their mails off and on, mail comes back, nobody decides; and whoever should know hears of it.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::blog::Blog;
use crate::commands::{hamlet_reading, hamlet_with, str};
use crate::mime::Mail;
use crate::page::{mail, path, post, press};
use crate::smtp::{Order, SmtpServer};
use crate::store::Look;
use crate::wait::until_true;
use reqwest::Method;

/// The path behind a mail's List-Unsubscribe.
fn pause_path(app: &TestApp, mail: &Mail) -> String {
    path(app, mail.header("list-unsubscribe").trim_matches(['<', '>']))
}

fn with_admin(server: &SmtpServer) -> Setup {
    Setup::default().mail_by(server).set("MAIL__ADMIN", "admin@hamlet.example")
}

/// Mails that the server took for an address.
fn taken_by(server: &SmtpServer, address: &str) -> Vec<Mail> {
    server.taken().iter().filter(|letter| letter.to.contains(address)).map(|letter| Mail::read(&letter.raw)).collect()
}

#[tokio::test]
async fn one_post_of_a_mail_program_turns_the_mails_off_and_only_a_person_turns_them_on() {
    let (server, blog) = (SmtpServer::open(None).await, Blog::open().await);
    let app = TestApp::start(with_admin(&server).webhooks("BLOG", &blog)).await;
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    let first = mail(&server, 1).await;
    assert_eq!(first.header("list-unsubscribe-post"), "List-Unsubscribe=One-Click");
    let link = pause_path(&app, &first);
    assert!(first.text.contains(&format!("Pause these mails: {}{link}", app.base)), "{}", first.text);
    let shown = app.get(&link).await;
    assert!(shown.status == 200 && shown.text.contains("Your mails are on") && shown.text.contains("the admin is told"), "{}", shown.text);
    assert_eq!((shown.header("cache-control"), shown.header("referrer-policy")), ("no-store", "same-origin"));
    // As RFC 8058 has it: no cookie, no origin, no nonce.
    let paused = post(&app, &link, &[], "List-Unsubscribe=One-Click".to_owned()).await;
    assert!(paused.status == 200 && paused.text.contains("Your mails are off"), "{}", paused.text);
    let look = Look::into(&app);
    assert_eq!(look.one::<String>("SELECT paused_by FROM mailboxes WHERE moderator = 'ana'"), "link");
    until_true("the admin hears of it", || taken_by(&server, "admin@hamlet.example").len() == 1).await;
    let told = &taken_by(&server, "admin@hamlet.example")[0];
    let words = told.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Nobody is written to about this site any more") && words.contains("hamlet moderator resume ana"), "{words}");
    assert!(told.header("list-unsubscribe").is_empty() && !told.text.contains("ana@moderators.example"), "{}", told.text);
    until_true("the blog hears of it", || blog.kinds().contains(&"moderator.paused".to_owned())).await;
    app.submit(BLOG_KEY, &stranger("While nobody listens.")).await;
    for (headers, form) in [
        (vec![], "mails=resume".to_owned()),
        (vec![("origin", "https://evil.example")], format!("mails=resume&nonce={}", nonce(&app, &link).await)),
        (vec![("origin", &*app.base)], "mails=resume&nonce=1.1.x".to_owned()),
    ] {
        assert!([403, 409].contains(&post(&app, &link, &headers, form).await.status));
    }
    assert_eq!(look.count("SELECT count(*) FROM mailboxes WHERE paused_at IS NULL"), 0);
    let form = format!("mails=resume&nonce={}", nonce(&app, &link).await);
    let resumed = post(&app, &link, &[("origin", &app.base)], form).await;
    assert!(resumed.status == 200 && resumed.text.contains("Your mails are on"), "{}", resumed.text);
    until_true("what waited comes", || taken_by(&server, "ana@").iter().any(|mail| mail.text.contains("While nobody listens."))).await;
}

async fn nonce(app: &TestApp, link: &str) -> String {
    let page = app.get(link).await.text;
    page.split("name=\"nonce\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_that_pauses_is_not_to_be_forged_and_opens_nothing_else() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    let mail = mail(&server, 1).await;
    let (pause, review) = (pause_path(&app, &mail), path(&app, &mail.link(&app.base)));
    let swapped =
        [pause.replace("/u/", "/d/"), review.replace("/d/", "/u/"), format!("{pause}A"), "/u/AWFuYQ".to_owned(), "/u/%ff".to_owned()];
    for link in swapped {
        for method in [Method::GET, Method::POST] {
            let answer = app.send(method, &link, &[("origin", &app.base)], "").await;
            assert!((400..500).contains(&answer.status), "{link}: {}", answer.status);
        }
    }
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM mailboxes"), 0);
}

#[tokio::test]
async fn the_admin_pauses_and_resumes_by_command() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let run = |word, who| hamlet_reading(&["moderator", word, who, "--config", str(&config), "--data", str(&data)], "");
    assert_eq!(run("pause", "ana").stdout, "ana: mails are off\n");
    let again = run("pause", "ana");
    assert!(again.code == 0 && again.stderr.contains("nothing changed"), "{}", again.stderr);
    app.submit(BLOG_KEY, &stranger("While Ana is away.")).await;
    app.submit(BLOG_KEY, &stranger("Still away.")).await;
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM digests"), 0);
    assert_eq!(run("resume", "ana").stdout, "ana: mails are on\n");
    assert!(mail(&server, 1).await.text.contains("While Ana is away."));
    let unknown = run("pause", "eve");
    assert!(unknown.code == 1 && unknown.stderr.contains("the settings have: ana, bob"), "{}", unknown.stderr);
}

#[tokio::test]
async fn a_mail_that_waits_does_not_leave_once_its_reader_wants_none() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    server.order([Order::RefuseRecipient("451 come back later")]);
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    let look = Look::into(&app);
    until_true("it is put off", || look.count("SELECT count(*) FROM parcels WHERE last_error IS NOT NULL AND lease_token IS NULL") == 1)
        .await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let paused = hamlet_reading(&["moderator", "pause", "ana", "--config", str(&config), "--data", str(&data)], "");
    assert_eq!(paused.stdout, "ana: mails are off\n");
    look.outbox_drained().await;
    assert!(server.taken().is_empty(), "{:?}", server.taken());
}

#[tokio::test]
async fn two_mails_that_bounce_end_them_and_the_others_hear_of_it() {
    let (server, blog) = (SmtpServer::open(None).await, Blog::open().await);
    let setup = with_admin(&server).webhooks("BLOG", &blog);
    let app = TestApp::start_with(setup, "[moderators.cy]\nname = \"Cy\"\nemail = \"cy@m.example\"\nsites = [\"blog\"]\n").await;
    server.refuse("ana@", Some("550 5.1.1 nobody here"));
    app.submit(BLOG_KEY, &stranger("The first word.")).await;
    let look = Look::into(&app);
    until_true("the first bounced", || look.count("SELECT coalesce(max(bounces), 0) FROM mailboxes WHERE moderator = 'ana'") == 1).await;
    assert_eq!(look.count("SELECT count(*) FROM mailboxes WHERE paused_at IS NOT NULL"), 0);
    app.submit(BLOG_KEY, &stranger("The second word.")).await;
    until_true("the second ends them", || look.count("SELECT count(*) FROM mailboxes WHERE paused_by = 'bounces'") == 1).await;
    until_true("Cy hears of it", || taken_by(&server, "cy@").iter().any(|mail| mail.text.contains("Mail to Ana came back"))).await;
    until_true("the admin hears of both", || taken_by(&server, "admin@").len() == 2).await;
    until_true("so does the blog", || {
        ["mail.undelivered", "moderator.paused"].iter().all(|kind| blog.kinds().contains(&(*kind).to_owned()))
    })
    .await;
    // Cy still gets digests, and Ana none.
    look.outbox_drained().await;
    let before = server.attempts();
    app.submit(BLOG_KEY, &stranger("The third word.")).await;
    until_true("Cy reads on", || taken_by(&server, "cy@").iter().any(|mail| mail.text.contains("The third word."))).await;
    assert_eq!(server.attempts(), before + 1);
}

#[tokio::test]
async fn a_delivery_report_is_counted_by_its_mark_or_its_message_id() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server).set("MAIL__BOUNCES", "bounces@hamlet.example")).await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let arguments = ["mail-in", "--config", str(&config), "--data", str(&data)];
    let bounces = || Look::into(&app).count("SELECT coalesce(max(bounces), 0) FROM mailboxes");
    app.submit(BLOG_KEY, &stranger("The first word.")).await;
    mail(&server, 1).await;
    let return_path = server.taken()[0].from.trim_start_matches("FROM:").trim_matches(['<', '>']).split('>').next().unwrap().to_owned();
    assert!(return_path.starts_with("bounces+") && return_path.ends_with("@hamlet.example"), "{return_path}");
    let report = |to: &str, returned: &str| {
        format!(
            "Return-Path: <>\nTo: <{to}>\nFrom: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n\
             {returned}\n--b--\n"
        )
    };
    let forged = return_path.replace(&return_path[40..56], "0000000000000000");
    let unknown = hamlet_reading(&arguments, &report(&forged, "Subject: x\n"));
    assert!(unknown.code == 0 && unknown.stderr.contains("no digest of ours") && bounces() == 0, "{}", unknown.stderr);
    let absent = hamlet_reading(&arguments, "From: ana@m.example\nAuto-Submitted: auto-replied\n\nI am away.");
    assert!(absent.code == 0 && absent.stderr.contains("left alone"));
    assert_eq!(hamlet_reading(&arguments, &report(&return_path, "Subject: x\n")).stdout, "counted\n");
    assert_eq!(bounces(), 1);
    assert_eq!(hamlet_reading(&arguments, &report(&return_path, "Subject: x\n")).code, 0);
    assert_eq!(bounces(), 1, "the same mail counts once");
    app.submit(BLOG_KEY, &stranger("The second word.")).await;
    let second = mail(&server, 2).await;
    let returned = format!("Message-ID: {}\n\nhello", second.header("message-id"));
    assert_eq!(hamlet_reading(&arguments, &report("postmaster@hamlet.example", &returned)).stdout, "counted\n");
    assert_eq!(Look::into(&app).one::<String>("SELECT paused_by FROM mailboxes"), "bounces");
}

#[tokio::test]
async fn a_ruling_by_link_shows_that_mail_arrives() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    let link = path(&app, &mail(&server, 1).await.link(&app.base));
    press(&app, &link, 1, "publish").await;
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM mailboxes WHERE answered_at IS NOT NULL AND bounces = 0"), 1);
}

#[tokio::test]
async fn what_was_decided_while_the_mail_server_was_away_is_not_mailed() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server).set("DIGEST__ITEMS_MIN", 2).set("DIGEST__AGE_HOURS_MAX", 720)).await;
    server.always(Some(Order::RefuseRecipient("451 4.7.1 later")));
    let (look, mut ids) = (Look::into(&app), Vec::new());
    for (digests, words) in [(1, ["One", "Two"]), (2, ["Three", "Four"])] {
        for word in words {
            ids.push(app.submit(BLOG_KEY, &stranger(&format!("{word} about the kettle."))).await.id());
        }
        until_true("a digest waits", || look.count("SELECT count(*) FROM digests") == digests).await;
    }
    for id in &ids[..3] {
        app.rule(BLOG_KEY, id, "spam").await;
    }
    server.always(None);
    look.outbox_drained().await;
    let mails: Vec<Mail> = server.taken().iter().map(|letter| Mail::read(&letter.raw)).collect();
    assert_eq!(mails.len(), 1, "of the first digest nothing is left, so no mail");
    assert!(mails[0].text.contains("Four about") && !mails[0].text.contains("Three about"), "{}", mails[0].text);
    assert!(mails[0].header("subject").contains(" 1 comment to review") && mails[0].text.contains("?i=2"), "{}", mails[0].text);
}

#[tokio::test]
async fn what_nobody_decides_is_mailed_once_more_and_then_goes_to_who_stands_by() {
    let (server, blog) = (SmtpServer::open(None).await, Blog::open().await);
    let standby = "[moderators.cy]\nname = \"Cy\"\nemail = \"cy@m.example\"\nsites = [\"blog\"]\nduty = \"standby\"\n";
    let mut app = TestApp::start_with(with_admin(&server).webhooks("BLOG", &blog), standby).await;
    let id = app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.id();
    mail(&server, 1).await;
    Look::into(&app).outbox_drained().await;
    assert_eq!(server.taken().len(), 1, "who stands by is not bothered yet");
    app.kill();
    let long_ago = "UPDATE comments SET received_at = received_at - 90000000; UPDATE digests SET created_at = created_at - 90000000";
    Look::change(&app, long_ago);
    app = app.start_again().await;
    until_true("Ana is reminded", || taken_by(&server, "ana@").len() == 2).await;
    let reminder = &taken_by(&server, "ana@")[1];
    assert!(
        reminder.header("subject").contains("1 comment still to review") && reminder.text.contains("still waits for you"),
        "{}",
        reminder.text
    );
    app.kill();
    Look::change(&app, long_ago);
    app = app.start_again().await;
    until_true("Cy gets it", || taken_by(&server, "cy@").len() == 1).await;
    until_true("the admin hears of it", || taken_by(&server, "admin@").iter().any(|mail| mail.text.contains("nobody has decided"))).await;
    until_true("so does the blog", || blog.kinds().contains(&"queue.undecided".to_owned())).await;
    assert_eq!(taken_by(&server, "ana@").len(), 2, "one reminder is enough");
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "held", "no time-out decides");
}

/// What the doctor says of a moderator's mail.
fn doctor_on(app: &TestApp, environment: &Setup, moderator: &str) -> (String, String) {
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let ended = hamlet_with(environment, &["doctor", "--format", "jsonl", "--config", str(&config), "--data", str(&data)], "");
    let found = ended.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut of_mail = found.filter(|one| one["area"] == "mail" && one["what"].as_str().unwrap().starts_with(&format!("{moderator}: ")));
    let found = of_mail.next().unwrap_or_else(|| panic!("nothing about {moderator}: {}{}", ended.stdout, ended.stderr));
    (found["what"].as_str().unwrap().to_owned(), found["fix"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_test_mail_is_confirmed_by_its_button_alone_and_the_doctor_tells() {
    let server = SmtpServer::open(None).await;
    let by_mail = Setup::default().mail_by(&server);
    let mut app = TestApp::start(by_mail.clone()).await;
    let run = |app: &TestApp, who: &str| {
        let (config, data) = (app.folder().join("hamlet.toml"), app.data());
        hamlet_reading(&["moderator", "test-mail", who, "--config", str(&config), "--data", str(&data)], "")
    };
    let (what, fix) = doctor_on(&app, &by_mail, "ana");
    assert!(what.contains("never confirmed") && fix.contains("hamlet moderator test-mail ana"), "{what} {fix}");
    let unknown = run(&app, "eve");
    assert!(unknown.code == 1 && unknown.stderr.contains("the settings have: ana, bob"), "{}", unknown.stderr);
    let sent = run(&app, "ana");
    assert_eq!((sent.code, sent.stdout.as_str()), (0, "ana: a test mail is on its way\n"), "{}", sent.stderr);
    let letter = mail(&server, 1).await;
    assert_eq!(letter.header("subject"), "[Slow Kettle] does this mail reach you?");
    assert!(letter.header("list-unsubscribe").is_empty());
    let start = letter.text.find(&format!("{}/confirm/", app.base)).unwrap();
    let link = path(&app, letter.text[start..].split_whitespace().next().unwrap());
    Look::into(&app).outbox_drained().await;
    let before = Look::into(&app).dump();
    let page = app.get(&link).await;
    assert!(
        page.status == 200 && page.text.contains("Did the test mail reach you?") && page.text.contains("a…@m….example"),
        "{}",
        page.text
    );
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "same-origin"));
    let form = format!("nonce={}", nonce(&app, &link).await);
    for (headers, form, status) in [
        (vec![], form.clone(), 403),
        (vec![("origin", "https://evil.example")], form.clone(), 403),
        (vec![("origin", &*app.base)], "nonce=1.1.x".to_owned(), 409),
        (vec![("origin", &*app.base)], String::new(), 409),
    ] {
        assert_eq!(post(&app, &link, &headers, form).await.status, status);
    }
    for forged in [link.replace("/confirm/", "/u/"), link.replace("/confirm/", "/d/"), format!("{link}A"), "/confirm/%ff".to_owned()] {
        assert_eq!(post(&app, &forged, &[("origin", &app.base)], form.clone()).await.status, 404, "{forged}");
    }
    assert_eq!(Look::into(&app).dump(), before, "opening it, or a form from elsewhere, says nothing");
    let done = post(&app, &link, &[("origin", &app.base)], form).await;
    assert!(done.status == 200 && done.text.contains("Noted: mail reaches you"), "{}", done.text);
    let (what, fix) = doctor_on(&app, &by_mail, "ana");
    assert!(what.starts_with("ana: confirmed on 20") && what.ends_with("that mail arrives") && fix.is_empty(), "{what} {fix}");
    // Another address has answered nothing, and the old mail cannot speak for it.
    app.setup = app.setup.clone().set("MODERATORS__ANA__EMAIL", "ana@elsewhere.example");
    app = app.start_again().await;
    assert_eq!(app.get(&link).await.status, 404);
    let config = app.folder().join("hamlet.toml");
    let moved = std::fs::read_to_string(&config).unwrap().replace("ana@moderators.example", "ana@elsewhere.example");
    std::fs::write(&config, moved).unwrap();
    assert!(doctor_on(&app, &by_mail, "ana").0.contains("under another address"));
    app.kill();
    let silent = run(&app, "ana");
    assert!(silent.code == 4 && silent.stderr.contains("start `hamlet serve` first"), "{}", silent.stderr);
}
