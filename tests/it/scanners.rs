//! Mail scanners and crawlers: GET and HEAD on every route, however often and with whatever query, change no row of any table.

use crate::app::{BLOG_KEY, Setup, TestApp, editor, stranger};
use crate::page::{mail, nonce, path};
use crate::smtp::SmtpServer;
use crate::store::Look;
use crate::wait::until_true;
use hamlet::action::Keys;
use hamlet::id::ModeratorId;
use reqwest::Method;

#[tokio::test]
async fn get_and_head_on_every_route_change_nothing() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    let id = app.submit(BLOG_KEY, &stranger("See https://a.example/kettle")).await.id();
    app.submit(BLOG_KEY, &editor("Thank you.")).await;
    let sent = mail(&server, 1).await;
    let link = path(&app, &sent.link(&app.base));
    let pause = path(&app, sent.header("list-unsubscribe").trim_matches(['<', '>']));
    let look = Look::into(&app);
    let ours = Keys::new(vec![(1, look.one("SELECT secret FROM keys WHERE purpose = 'action'"))]);
    let until = hamlet::clock::Clock::System.now().plus(std::time::Duration::from_hours(1));
    let confirm = format!("/confirm/{}", ours.sign_confirm(&ModeratorId::new("ana"), "ana@moderators.example", until));
    assert_eq!(app.get(&confirm).await.status, 200);
    look.outbox_drained().await;
    until_true("nothing is under way", || look.count("SELECT count(*) FROM comments WHERE status = 'queued'") == 0).await;
    let nonce = nonce(&app.get(&link).await.text, 1);
    let before = look.dump();
    assert!(before.contains("digest_items") && before.contains("decisions"));
    let paths = [
        "/".to_owned(),
        "/v1/comments".to_owned(),
        format!("/v1/comments/{id}"),
        format!("/v1/comments/{id}/ruling?ruling=publish"),
        link.clone(),
        format!("{link}?i=1"),
        format!("{link}?item=1&nonce={nonce}&ruling=publish"),
        format!("{link}?i=1&_method=POST&item=1&nonce={nonce}&ruling=spam"),
        pause.clone(),
        format!("{pause}?mails=pause&List-Unsubscribe=One-Click"),
        confirm.clone(),
        format!("{confirm}?nonce=1"),
        "/assets/hamlet.css".to_owned(),
        "/health/live".to_owned(),
        "/1.1/test".to_owned(),
        "/1.1/submit-spam?api_key=akismetblog0&blog=x&user_ip=203.0.113.9&comment_content=See".to_owned(),
        "/1.2/usage-limit?api_key=akismetblog0".to_owned(),
        "/1.2/key-sites?api_key=akismetblog0".to_owned(),
        "/health/ready".to_owned(),
    ];
    let body = format!("item=1&nonce={nonce}&ruling=publish");
    for _ in 0..3 {
        for path in &paths {
            for method in [Method::GET, Method::HEAD] {
                let key = format!("Bearer {BLOG_KEY}");
                let headers = [
                    ("authorization", &*key),
                    ("origin", &app.base),
                    ("sec-fetch-site", "same-origin"),
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("x-http-method-override", "POST"),
                ];
                let answer = app.send(method, path, &headers, body.clone()).await;
                assert!(answer.status < 500, "{path}");
            }
        }
    }
    assert_eq!(look.dump(), before);
}

#[tokio::test]
async fn a_page_looks_the_same_however_often_it_is_opened() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await;
    let link = path(&app, &mail(&server, 1).await.link(&app.base));
    let without_nonce = |page: String| page.replace(&nonce(&page, 1), "NONCE");
    let first = without_nonce(app.get(&link).await.text);
    for _ in 0..5 {
        assert_eq!(without_nonce(app.get(&link).await.text), first);
        assert_eq!(app.send(Method::HEAD, &link, &[], "").await.text, "");
    }
}
