//! Review: a held comment comes by mail, its link shows a page, and only a press of the page's own button rules, once.

use crate::app::{BLOG_KEY, OTHER_KEY, Setup, TestApp, stranger};
use crate::blog::Blog;
use crate::page::{form, mail, nonce, path, post, press};
use crate::smtp::SmtpServer;
use crate::store::Look;
use hamlet::action::{Keys, Review};
use hamlet::clock::Timestamp;
use hamlet::id::{DigestId, ModeratorId};
use reqwest::Method;
use serde_json::json;

/// A daemon with its mail server, one held comment and the path of its link.
async fn held(setup: Setup) -> (TestApp, SmtpServer, String, String) {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(setup.mail_by(&server)).await;
    let id = app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.id();
    let link = path(&app, &mail(&server, 1).await.link(&app.base));
    (app, server, id, link)
}

#[tokio::test]
async fn a_link_from_the_mail_rules_once_and_the_blog_hears_of_it() {
    let blog = Blog::open().await;
    let (app, _server, id, link) = held(Setup::default().webhooks("BLOG", &blog)).await;
    let page = app.get(&format!("{link}?i=1")).await;
    let (nonce, origin) = (nonce(&page.text, 1), [("origin", &*app.base)]);
    let done = post(&app, &link, &origin, form(1, &nonce, "publish")).await;
    assert!(done.status == 200 && done.text.contains("Published."), "{}", done.text);
    let document = app.document(BLOG_KEY, &id).await.json();
    assert_eq!(
        (&document["status"], &document["ruling"]["by"], &document["ruling"]["via"]),
        (&json!("published"), &json!("Ana"), &json!("link"))
    );
    for ruling in ["publish", "spam"] {
        let again = post(&app, &link, &origin, form(1, &nonce, ruling)).await;
        assert!(again.status == 200 && again.text.contains("Already decided by Ana"), "{}", again.text);
    }
    assert_eq!(app.document(BLOG_KEY, &id).await.json(), document);
    Look::into(&app).outbox_drained().await;
    assert_eq!(blog.heard_of(&id).last().unwrap().event["data"], document);
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM rulings"), 1);
}

#[tokio::test]
async fn every_button_gives_its_ruling() {
    let (app, server, _, first) = held(Setup::default()).await;
    assert_eq!(press(&app, &first, 1, "remove").await.status, 200);
    for (number, ruling, status) in [(2, "publish", "published"), (3, "spam", "rejected"), (4, "remove", "rejected")] {
        let id = app.submit(BLOG_KEY, &stranger("Another word.")).await.id();
        let link = path(&app, &mail(&server, number).await.link(&app.base));
        press(&app, &link, 1, ruling).await;
        let document = app.document(BLOG_KEY, &id).await.json();
        assert_eq!((&document["status"], &document["ruling"]["ruling"]), (&json!(status), &json!(ruling)));
    }
}

#[tokio::test]
async fn a_post_from_elsewhere_is_refused() {
    let (app, _server, id, link) = held(Setup::default()).await;
    let nonce = nonce(&app.get(&link).await.text, 1);
    let base = app.base.clone();
    let near = base.replace("http://", "https://");
    for headers in [
        vec![],
        vec![("origin", "https://evil.example")],
        vec![("origin", &*near)],
        vec![("origin", "http://127.0.0.1")],
        vec![("origin", "null")],
        vec![("origin", "null"), ("sec-fetch-site", "cross-site")],
        vec![("origin", "null"), ("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "same-origin")],
        vec![("referer", &*base)],
    ] {
        let refused = post(&app, &link, &headers, form(1, &nonce, "publish")).await;
        assert_eq!(refused.status, 403, "{headers:?}");
        assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "held", "{headers:?}");
    }
    let vouched = [("origin", "null"), ("sec-fetch-site", "same-origin")];
    assert_eq!(post(&app, &link, &vouched, form(1, &nonce, "publish")).await.status, 200);
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "published");
}

#[tokio::test]
async fn a_nonce_fits_its_item_and_its_version_only() {
    let server = SmtpServer::open(None).await;
    let setup = Setup::default().mail_by(&server).set("DIGEST__ITEMS_MIN", 2).set("DIGEST__AGE_HOURS_MAX", 720);
    let app = TestApp::start(setup).await;
    let one = app.submit(BLOG_KEY, &stranger("First word.")).await.id();
    let two = app.submit(BLOG_KEY, &stranger("Second word.")).await.id();
    let link = path(&app, &mail(&server, 1).await.link(&app.base));
    let page = app.get(&link).await.text;
    let (first, second, origin) = (nonce(&page, 1), nonce(&page, 2), [("origin", &*app.base)]);
    for (item, nonce, status) in
        [(1, &*second, 409), (1, "", 409), (1, "1.2.3", 409), (1, &first[1..], 409), (0, &*first, 404), (3, &*first, 404)]
    {
        assert_eq!(post(&app, &link, &origin, form(item, nonce, "publish")).await.status, status, "{item} {nonce}");
    }
    for body in ["", "item=1", "item=x&nonce=y&ruling=publish", "item=1&nonce=x&ruling=approve"] {
        assert_eq!(post(&app, &link, &origin, body.to_owned()).await.status, 400, "{body}");
    }
    assert_eq!(app.send(Method::POST, &link, &origin, form(1, &first, "publish")).await.status, 400, "no form");
    // The nonce must come from the same link, and the comment must stand as it was shown.
    for id in [&one, &two] {
        assert_eq!(app.document(BLOG_KEY, id).await.json()["ruling"], json!(null));
    }
    app.rule(BLOG_KEY, &two, "remove").await;
    assert!(post(&app, &link, &origin, form(2, &second, "publish")).await.text.contains("Already decided by Slow Kettle"));
    assert_eq!(app.document(BLOG_KEY, &two).await.json()["status"], "rejected");
    assert_eq!(post(&app, &link, &origin, form(1, &first, "spam")).await.status, 200);
    assert_eq!(app.document(BLOG_KEY, &one).await.json()["status"], "rejected");
    let rest = app.get(&link).await.text;
    assert!(rest.contains("Every comment of this mail is decided"), "{rest}");
}

#[tokio::test]
async fn a_link_that_was_forged_expired_or_made_for_another_gives_no_right() {
    let (app, _server, id, link) = held(Setup::default()).await;
    let other = app.submit(OTHER_KEY, &stranger("A word elsewhere.")).await.id();
    let look = Look::into(&app);
    crate::wait::until_true("both digests", || look.count("SELECT count(*) FROM digests") == 2).await;
    let digest = |site: &str| DigestId::from_bytes(look.one(&format!("SELECT id FROM digests WHERE site = '{site}'")));
    let (now, late) = (hamlet::clock::Clock::System.now(), Timestamp::from_ms(4_000_000_000_000));
    let ours = Keys::new(vec![(1, look.one("SELECT secret FROM keys WHERE purpose = 'action'"))]);
    let theirs = Keys::new(vec![(1, [7; 32])]);
    let sign = |keys: &Keys, site: &str, moderator: &str, expires_at| {
        format!("/d/{}", keys.sign_review(&Review { digest: digest(site), moderator: ModeratorId::new(moderator), expires_at }))
    };
    assert_eq!(app.get(&sign(&ours, "blog", "ana", late)).await.status, 200, "signed as the daemon signs");
    let past = now.minus(std::time::Duration::from_secs(2));
    let flipped = link.strip_suffix(|_: char| true).unwrap().to_owned() + if link.ends_with('A') { "B" } else { "A" };
    let cases = [
        (flipped, 404),
        (link[..link.len() - 4].to_owned(), 404),
        ("/d/x".to_owned(), 404),
        ("/d/preview".to_owned(), 404),
        (sign(&ours, "blog", "ana", past), 410),
        (sign(&theirs, "blog", "ana", late), 404),
        (sign(&ours, "blog", "bob", late), 404),
        (sign(&ours, "other", "ana", late), 404),
        (sign(&ours, "blog", "nobody", late), 404),
    ];
    for (path, status) in cases {
        let nonce = ours.sign_nonce(path.strip_prefix("/d/").unwrap(), 1, 1, now);
        let (shown, ruled) = (app.get(&path).await, post(&app, &path, &[("origin", &app.base)], form(1, &nonce, "publish")).await);
        assert_eq!((shown.status, ruled.status), (status, status), "{path}");
        assert!(shown.header("cache-control") == "no-store" && !shown.text.contains("kettle"), "{}", shown.text);
    }
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "held");
    assert_eq!(app.document(OTHER_KEY, &other).await.json()["status"], "held");
}

#[tokio::test]
async fn the_page_is_kept_nowhere_framed_nowhere_and_runs_nothing() {
    let (app, _server, _, link) = held(Setup::default()).await;
    for path in [link.clone(), format!("{link}?i=1"), format!("{link}?i=9&i=x"), "/d/forged".to_owned()] {
        for method in [Method::GET, Method::HEAD] {
            let page = app.send(method, &path, &[], "").await;
            assert_eq!(page.header("cache-control"), "no-store");
            assert_eq!(page.header("referrer-policy"), "same-origin");
            assert!(page.header("x-robots-tag").contains("noindex"));
            assert_eq!(page.header("x-frame-options"), "DENY");
            let policy = page.header("content-security-policy");
            for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(part) && !policy.contains("unsafe"), "{policy}");
            }
            assert!(!page.text.contains("<script") && !page.text.contains("http://") && !page.text.contains("https://"), "{}", page.text);
        }
    }
}

#[tokio::test]
async fn the_blog_hears_of_a_ruling_by_link_only_after_the_time_to_undo() {
    let blog = Blog::open().await;
    let (app, _server, id, link) = held(Setup::default().webhooks("BLOG", &blog).set("REVIEW__UNDO_SECONDS", 2)).await;
    Look::into(&app).outbox_drained().await;
    let pressed = std::time::Instant::now();
    press(&app, &link, 1, "publish").await;
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "published");
    Look::into(&app).outbox_drained().await;
    let heard = blog.heard_of(&id);
    assert_eq!((heard.len(), heard[1].status.as_str()), (2, "published"));
    assert!(heard[1].at - pressed >= std::time::Duration::from_secs(2));
}
