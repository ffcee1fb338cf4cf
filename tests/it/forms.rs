//! The public form: posted to as a browser does from a static page, and by those who only pretend to be one.

use crate::app::{Answer, BLOG_KEY, Setup, TestApp};
use crate::blog::Blog;
use crate::store::Look;
use crate::wait::{until, until_true};
use crate::webdriver::Browser;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PAGE: &str = "http://localhost:1313";
const EXAMPLE: &str = include_str!("../../config/integrations/static/comment-form.html");

/// A daemon whose site `blog` has a form for [`PAGE`], published to everybody.
async fn start(setup: Setup) -> TestApp {
    start_for(PAGE, setup).await
}

async fn start_for(origin: &str, setup: Setup) -> TestApp {
    let form = format!("[sites.blog.form]\norigins = ['{origin}']\n");
    let judging = "[sites.blog.policy]\npublish_max = 0.999999999\n[sites.blog.rules]\nform_seconds_min = 0\n";
    TestApp::start_with(setup, &(form + judging)).await
}

/// A web server that knows one page.
async fn serve(listener: TcpListener, page: String) {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}", page.len());
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|bytes| bytes > 0) {}
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

async fn post(app: &TestApp, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let all: Vec<_> = headers.iter().copied().chain([("content-type", "application/x-www-form-urlencoded")]).collect();
    app.send(Method::POST, "/f/blog", &all, body.join("&")).await
}

const JO: [(&str, &str); 3] = [("name", "Jo"), ("email", "jo@readers.example"), ("body", "I count to ten and pour.")];

#[tokio::test]
async fn the_example_page_posts_what_the_form_takes_and_its_reader_comes_back() {
    let blog = Blog::open().await;
    let app = start(Setup::default().webhooks("BLOG", &blog)).await;
    let origin = [("origin", PAGE)];
    let token = app.send(Method::GET, "/f/blog/token", &origin, "").await;
    assert_eq!((token.header("access-control-allow-origin"), token.header("cache-control")), (PAGE, "no-store"));
    let names: Vec<&str> = EXAMPLE.split("name=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let filled: Vec<(&str, String)> = names
        .iter()
        .map(|name| {
            let value = match *name {
                "honeypot" => String::new(),
                "form_token" => token.json()["token"].as_str().unwrap().to_owned(),
                "page_url" | "next" => format!("{PAGE}/a-page/"),
                typed => JO.iter().find(|(field, _)| *field == typed).map_or("A page", |(_, value)| value).to_owned(),
            };
            (*name, value)
        })
        .collect();
    let fields: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = post(&app, &origin, &fields).await;
    assert_eq!((sent.status, sent.header("location")), (303, &*format!("{PAGE}/a-page/#comment-published")), "{}", sent.text);
    let look = Look::into(&app);
    assert_eq!(look.count("SELECT count(*) FROM comments WHERE form_token = 'shown' AND honeypot = 0 AND status = 'published'"), 1);
    assert_eq!(look.one::<String>("SELECT page_url FROM comments"), format!("{PAGE}/a-page/"));
    look.outbox_drained().await;
    let heard = blog.heard();
    let event = &heard.last().unwrap().event;
    assert_eq!((&event["content"]["body"], &event["content"]["name"]), (&json!("I count to ten and pour."), &json!("Jo")));
    assert!(!event.to_string().contains("jo@") && !event.to_string().contains("127.0.0.1"), "{event}");
}

#[tokio::test]
async fn a_browser_posts_from_a_static_page_and_its_reader_is_told_there() {
    let Some(browser) = Browser::start().await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let app = start_for(&origin, Setup::default()).await;
    let page = EXAMPLE.replace("https://hamlet.example.org", &app.base).replace("https://blog.example.org", &origin);
    tokio::spawn(serve(listener, page));
    browser.go(&format!("{origin}/a-page/")).await;
    until("the page has its token", || async {
        let has_token = browser.run("return document.querySelector('[name=form_token]').value != ''").await;
        (has_token == true).then_some(())
    })
    .await;
    for (name, value) in JO {
        browser.fill(&format!("[name={name}]"), value).await;
    }
    browser.click("form button").await;
    browser.says("#comment-published", "Thank you, your comment is published.").await;
    assert_eq!(browser.url().await, format!("{origin}/a-page/#comment-published"));
    let stored = "SELECT count(*) FROM comments WHERE name = 'Jo' AND form_token = 'shown' AND status = 'published'";
    assert_eq!(Look::into(&app).count(stored), 1);
}

#[tokio::test]
async fn what_is_held_or_rejected_is_told_in_the_same_words_and_its_text_goes_nowhere() {
    let blog = Blog::open().await;
    let app = start(Setup::default().webhooks("BLOG", &blog)).await;
    let mut answers = Vec::new();
    for body in ["See https://kettle.example.net/notes", "Get a blockedword now"] {
        let sent = post(&app, &[("origin", PAGE)], &[("name", "Jo"), ("email", "jo@readers.example"), ("body", body)]).await;
        assert_eq!(sent.status, 200);
        assert!(!sent.text.contains("spam") && !sent.text.contains("0."), "{}", sent.text);
        answers.push(sent.text);
    }
    assert_eq!(answers[0], answers[1]);
    Look::into(&app).outbox_drained().await;
    assert!(blog.heard().iter().all(|heard| heard.event.get("content").is_none()));
    let id: Vec<u8> = Look::into(&app).one("SELECT id FROM comments WHERE status = 'held'");
    let id = hamlet::id::CommentId::from_bytes(id.try_into().unwrap()).to_string();
    app.rule(BLOG_KEY, &id, "publish").await;
    until_true("the blog hears of it", || blog.heard_of(&id).last().unwrap().event["content"]["body"].is_string()).await;
}

#[tokio::test]
async fn who_is_no_page_of_the_site_gets_nothing_in() {
    let app = start(Setup::default()).await;
    for headers in [vec![], vec![("origin", "https://evil.example")], vec![("origin", "null")], vec![("origin", "http://localhost")]] {
        assert_eq!(post(&app, &headers, &JO).await.status, 403, "{headers:?}");
        let token = app.send(Method::GET, "/f/blog/token", &headers, "").await;
        assert_eq!((token.status, token.header("access-control-allow-origin")), (403, ""), "{headers:?}");
    }
    for path in ["/f/other", "/f/nobody", "/f/%00%ff", "/f/BLOG"] {
        assert_eq!(app.send(Method::POST, path, &[("origin", PAGE)], "body=x").await.status, 404, "{path}");
    }
    assert_eq!(app.send(Method::GET, "/f/blog", &[("origin", PAGE)], "").await.status, 405);
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 0);
}

#[tokio::test]
async fn what_a_reader_can_mend_is_said_and_nothing_is_taken() {
    let app = start(Setup::default()).await;
    let origin = [("origin", PAGE), ("x-real-ip", "203.0.113.9")];
    for (fields, status, said) in [
        (vec![("name", "Jo"), ("email", "jo@readers.example")], 422, "comment is empty"),
        (vec![("name", " "), ("email", "jo@readers.example"), ("body", "x")], 422, "name is missing"),
        (vec![("name", "Jo"), ("email", "jo"), ("body", "x")], 422, "email address is missing"),
        (vec![("name", &*"x".repeat(10_000)), ("email", "jo@readers.example"), ("body", "x")], 422, "the limit is 8192"),
    ] {
        let answer = post(&app, &origin, &fields).await;
        assert!(answer.status == status && answer.text.contains(said), "{} {}", answer.status, answer.text);
    }
    let json = app.send(Method::POST, "/f/blog", &[("origin", PAGE), ("content-type", "application/json")], "{}").await;
    assert_eq!(json.status, 400);
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 0);
}

#[tokio::test]
async fn an_address_posts_only_so_often_and_a_proxy_may_say_whose_it_is() {
    let app = start(Setup::default().set("HTTP__CLIENT_ADDRESS_HEADER", "X-Real-Ip")).await;
    let from = |ip: &'static str| [("origin", PAGE), ("x-real-ip", ip)];
    for _ in 0..5 {
        assert_eq!(post(&app, &from("2001:db8::1"), &JO).await.status, 200);
    }
    let refused = post(&app, &from("2001:db8::2"), &JO).await;
    assert_eq!((refused.status, refused.header("retry-after").is_empty()), (429, false), "of one house");
    assert_eq!(post(&app, &from("2001:db8:0:1::1"), &JO).await.status, 200);
    assert_eq!(post(&app, &from("203.0.113.9"), &JO).await.status, 200);
    let ips = Look::into(&app).rows::<String>("SELECT DISTINCT ip FROM comments ORDER BY ip");
    assert_eq!(ips, ["2001:db8:0:1::1", "2001:db8::1", "203.0.113.9"]);
}

#[tokio::test]
async fn readers_are_sent_nowhere_else() {
    let app = start(Setup::default()).await;
    for next in
        ["https://evil.example/", "//evil.example", "http://localhost:1313@evil.example/", "http://localhost:1313\\@evil.example", "/x"]
    {
        let mut fields = JO.to_vec();
        fields.push(("next", next));
        let sent = post(&app, &[("origin", PAGE), ("x-real-ip", next)], &fields).await;
        assert_eq!((sent.status, sent.header("location")), (200, ""), "{next}");
    }
}
