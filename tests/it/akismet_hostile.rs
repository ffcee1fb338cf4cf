//! Hostile and malformed calls of Akismet's API: a clear 4xx or Akismet's own error, at once; never a 5xx, and never a word that means
//! ham.

use crate::akismet::BLOG;
use crate::app::{Setup, TestApp};
use crate::store::Look;
use crate::wire::{body, raw, raw_and_gone, status};
use reqwest::Method;

const JANE: &str = "blog=x&user_ip=203.0.113.9&comment_author=Jane&comment_author_email=jane@strangers.example&comment_content=hello";

#[tokio::test]
async fn http_1_0_is_spoken_as_wordpress_speaks_it() {
    let app = TestApp::start(Setup::default()).await;
    let fields = format!("{JANE}&api_key={BLOG}");
    for head in [
        "Host: rest.akismet.com\r\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8",
        "Content-Type: application/x-www-form-urlencoded",
        "X-Nothing: x",
    ] {
        let request =
            format!("POST /1.1/comment-check HTTP/1.0\r\n{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{fields}", fields.len());
        let answer = raw(&app, request.as_bytes()).await;
        assert_eq!((status(&answer), body(&answer)), (200, "true"), "{answer}");
        assert!(!answer.contains("transfer-encoding"), "{answer}");
    }
    let proxied = format!(
        "POST http://{BLOG}.rest.akismet.com/1.1/comment-check HTTP/1.1\r\nHost: elsewhere\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{JANE}",
        JANE.len()
    );
    assert_eq!(body(&raw(&app, proxied.as_bytes()).await), "true");
}

#[tokio::test]
async fn multipart_and_other_charsets_are_judged_as_what_they_say() {
    let app = TestApp::start(Setup::default()).await;
    let look = Look::into(&app);
    let send = async |content_type: &str, body: Vec<u8>| {
        let answer = app
            .send(Method::POST, "/1.1/comment-check", &[("content-type", content_type), ("host", &format!("{BLOG}.localhost"))], body)
            .await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "true"), "{content_type}");
        look.one::<String>("SELECT body FROM comments ORDER BY seq DESC LIMIT 1")
    };
    let fields = [("blog", "x"), ("user_ip", "203.0.113.9"), ("comment_author", "Jane"), ("comment_author_email", "jane@a.example")];
    let mut parts: Vec<u8> = fields
        .iter()
        .flat_map(|(name, value)| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes())
        .collect();
    parts.extend(b"--b\r\nContent-Disposition: form-data; name=\"comment_content\"\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n--b--\r\n");
    assert_eq!(send("multipart/form-data; boundary=b", parts).await, "Привет");
    let urlencoded = |content: &str| {
        format!("blog=x&user_ip=203.0.113.9&comment_author=Jane&comment_author_email=jane@a.example&comment_content={content}").into_bytes()
    };
    assert_eq!(send("application/x-www-form-urlencoded; charset=ISO-8859-1", urlencoded("caf%E9")).await, "café");
    assert_eq!(send("application/x-www-form-urlencoded; charset=GBK", urlencoded("%C4%E3")).await, "你");
    assert_eq!(send("application/x-www-form-urlencoded", urlencoded("a%00b&blog_charset=EUC-JP")).await, "a\0b");
    assert_eq!(
        send("application/x-www-form-urlencoded", urlencoded("%C3%A9&user_ip=nobody")).await,
        "é",
        "an address that is none is left out"
    );
}

#[tokio::test]
async fn what_is_no_call_is_refused_at_once_and_is_never_ham() {
    let app = TestApp::start(Setup::default()).await;
    let host = format!("{BLOG}.localhost");
    let long = "x".repeat(9_000);
    let with = |more: &str| format!("{JANE}&{more}");
    let form = "application/x-www-form-urlencoded";
    let multipart = "multipart/form-data; boundary=b";
    let bomb = "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--b".repeat(20_000);
    let cases: Vec<(&str, String, u16)> = vec![
        ("application/json", "{\"blog\":\"x\"}".into(), 415),
        ("text/plain", JANE.into(), 415),
        ("multipart/form-data", "--b--".into(), 400),
        (multipart, "--b\r\nContent-Disposition: form-data; name=\"blog\"\r\n\r\nx".into(), 400),
        (multipart, JANE.into(), 400),
        (multipart, format!("--b{bomb}--"), 413),
        (
            multipart,
            "--b\r\nContent-Disposition: form-data; name=\"blog\"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--".into(),
            400,
        ),
        ("application/x-www-form-urlencoded; charset=none-such", with("user_agent=%E9"), 415),
        (form, with(&"a=1&".repeat(5_000)), 413),
        (form, with(&format!("comment_author={long}")), 413),
        (form, with(&format!("comment_content={}", "x".repeat(1_100_000))), 413),
        (form, "%%%&&&===\u{0}&%00=%00".into(), 200),
        (form, "\u{feff}".into(), 200),
        (form, String::new(), 200),
    ];
    for (content_type, body, status) in cases {
        for path in ["/1.1/comment-check", "/1.1/submit-ham", "/1.1/submit-spam"] {
            let shown: String = body.chars().take(80).collect();
            let answer = app.send(Method::POST, path, &[("content-type", content_type), ("host", &host)], body.clone()).await;
            assert_eq!(answer.status, status, "{path} {content_type} {shown}: {}", answer.text);
            assert!(!answer.header("x-akismet-debug-help").is_empty(), "{path} {content_type} {shown}");
            assert!(!["true", "false", "valid"].contains(&answer.text.as_str()), "{shown}");
        }
    }
    let compressed = app.send(Method::POST, "/1.1/comment-check", &[("content-encoding", "gzip"), ("host", &host)], JANE).await;
    assert_eq!(compressed.status, 415);
    let head = format!("POST /1.1/comment-check HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999\r\n\r\n");
    let request = [head, "x".repeat((4 << 20) + 1)].concat();
    assert_eq!(status(&raw(&app, request.as_bytes()).await), 413, "told as soon as it is too much");
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 0);
}

#[tokio::test]
async fn requests_that_break_off_or_contradict_themselves_get_no_verdict() {
    let app = TestApp::start(Setup::default()).await;
    let fields = format!("{JANE}&api_key={BLOG}");
    let length = fields.len();
    let post = |head: &str, body: &str| format!("POST /1.1/comment-check HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{body}");
    let cases = [
        post(&format!("Content-Length: {}", length + 9), &fields),
        post("Transfer-Encoding: chunked", &format!("{length:x}\r\n{fields}")),
        post("Transfer-Encoding: chunked", &format!("zz\r\n{fields}\r\n0\r\n\r\n")),
        post(&format!("Content-Length: {length}\r\nContent-Length: 3"), &fields),
        post("Content-Length: -1", &fields),
        post("Content-Length: 99999999999999999999999", &fields),
        "POST /1.1/comment-check HTTP/9.9\r\n\r\n".to_owned(),
        "POST /1.1/comment-check\u{0} HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        format!("POST /1.1/comment-check HTTP/1.1\r\n{}: x\r\n\r\n", "H".repeat(1 << 17)),
    ];
    for request in cases {
        let answer = raw_and_gone(&app, request.as_bytes()).await;
        let shown: String = request.chars().take(120).collect();
        assert!([0, 400, 413, 431, 501].contains(&status(&answer)), "{shown}: {answer}");
        assert!(!["true", "false"].contains(&body(&answer)), "{shown}: {answer}");
    }
    let chunked = post("Transfer-Encoding: chunked\r\nConnection: close", &format!("{length:x}\r\n{fields}\r\n0\r\n\r\n"));
    assert_eq!(body(&raw(&app, chunked.as_bytes()).await), "true", "what is whole is judged");
    assert_eq!(Look::into(&app).count("SELECT count(*) FROM comments"), 1);
}
