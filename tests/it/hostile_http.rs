//! Hostile and malformed HTTP, to our own API and to the server as such: a clear 4xx at once, a bounded place for the slow and the many, and
//! never a 5xx, a hang or a verdict on what did not come whole. The Akismet calls have their own in `akismet_hostile`.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::store::Look;
use crate::wire::{body, connect, raw, raw_and_gone, read, read_to_end, send, status};
use reqwest::Method;
use tokio::io::AsyncWriteExt;

const HEAD: &str = "Host: hamlet\r\nAuthorization: Bearer blog-key-000000\r\nContent-Type: application/json\r\n";

/// A whole request, with these lines after those that every one has.
fn post(lines: &str, body: &str) -> String {
    format!("POST /v1/comments HTTP/1.1\r\n{HEAD}{lines}\r\n\r\n{body}")
}

fn whole(comment: &str) -> String {
    post(&format!("Content-Length: {}", comment.len()), comment)
}

fn comments(app: &TestApp) -> i64 {
    Look::into(app).count("SELECT count(*) FROM comments")
}

#[tokio::test]
async fn bodies_that_are_no_submission_are_refused_with_a_reason() {
    let app = TestApp::start(Setup::default()).await;
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let in_field = format!("{{\"body\":{deep}}}");
    let cases: Vec<(&[u8], &str)> = vec![
        (b"", "nothing"),
        (b"\0", "a NUL"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (b"{\"body\":\"caf\xe9\"}", "Latin-1"),
        (b"\xef\xbb\xbf{\"body\":\"x\"}", "a byte order mark"),
        (b"{\"body\":\"\xed\xa0\x80\"}", "half of a surrogate"),
        (b"{\"body\":\"\\ud800\"}", "half of a surrogate, escaped"),
        (b"{\"body\":\"a\",\"body\":\"b\"}", "a field twice"),
        (b"{\"body\":1e999}", "a number without end"),
        (b"{\"body\":[\"x\"]}", "a list"),
        (b"[{\"body\":\"x\"}]", "a list of submissions"),
        (b"{\"body\":\"x\"", "no end"),
        (b"{\"body\":\"x\"} {\"body\":\"y\"}", "two"),
        (b"body=hello&name=Jane", "a form"),
        (deep.as_bytes(), "depth"),
        (in_field.as_bytes(), "depth in a field"),
    ];
    for (bytes, what) in cases {
        let key = format!("Bearer {BLOG_KEY}");
        let answer = app.send(Method::POST, "/v1/comments", &[("authorization", &key)], bytes.to_vec()).await;
        assert!([400, 422].contains(&answer.status), "{what}: {} {}", answer.status, answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty(), "{what}");
    }
    assert_eq!(comments(&app), 0);
}

#[tokio::test]
async fn unknown_fields_are_passed_over_be_they_many_or_deep_and_nuls_are_kept() {
    let app = TestApp::start(Setup::default()).await;
    let deep = format!(",\"deep\":{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let many: String = (0..100_000).map(|n| format!(",\"f{n}\":null")).chain([deep]).collect();
    let comment = format!("{{\"name\":\"Jane\",\"email\":\"jane@strangers.example\",\"body\":\"a\\u0000b\"{many}}}");
    let answer = raw(&app, whole(&comment).as_bytes()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(Look::into(&app).one::<String>("SELECT body FROM comments"), "a\0b");
}

#[tokio::test]
async fn compressed_bodies_are_not_unpacked() {
    let app = TestApp::start(Setup::default()).await;
    for encoding in ["gzip", "br", "x-none", "gzip, identity"] {
        let answer = raw(&app, post(&format!("Content-Encoding: {encoding}\r\nContent-Length: 4"), "\u{1f}\u{8}\0\0").as_bytes()).await;
        assert_eq!(status(&answer), 415, "{encoding}: {answer}");
        assert!(body(&answer).contains("compressed"), "{answer}");
    }
    let plain = stranger("hello").to_string();
    let answer = raw(&app, post(&format!("Content-Encoding: identity\r\nContent-Length: {}", plain.len()), &plain).as_bytes()).await;
    assert_eq!(status(&answer), 200, "{answer}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told_so_and_one_cut_off_is_not_judged() {
    let app = TestApp::start(Setup::default()).await;
    let comment = stranger("hello").to_string();
    let large = "x".repeat((4 << 20) + 1);
    let chunked = |body: &str| post("Transfer-Encoding: chunked", &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
    for request in [whole(&large), chunked(&large)] {
        let answer = raw(&app, request.as_bytes()).await;
        assert_eq!(status(&answer), 413, "{answer}");
    }
    for request in [
        post(&format!("Content-Length: {}", comment.len() + 1), &comment),
        post("Transfer-Encoding: chunked", &format!("{:x}\r\n{comment}", comment.len())),
        post("Transfer-Encoding: chunked", &format!("fffffffffffffffff\r\n{comment}\r\n0\r\n\r\n")),
        post("Transfer-Encoding: chunked", &format!("-1\r\n{comment}\r\n0\r\n\r\n")),
        post("Transfer-Encoding: gzip", &comment),
        post("Content-Length: 5\r\nContent-Length: 6", &comment),
        post("Content-Length: 0x10", &comment),
        post("Content-Length: +5", &comment),
        format!("POST /v1/comments HTTP/1.0\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ] {
        let answer = raw_and_gone(&app, request.as_bytes()).await;
        let shown: String = request.chars().skip(HEAD.len()).take(120).collect();
        assert!([0, 400].contains(&status(&answer)), "{shown}: {answer}");
    }
    assert_eq!(comments(&app), 0);
    assert_eq!(status(&raw(&app, chunked(&comment).as_bytes()).await), 200, "what is whole is judged");
}

#[tokio::test]
async fn what_hides_behind_two_lengths_is_never_a_second_request() {
    let app = TestApp::start(Setup::default()).await;
    let hidden = format!("GET /health/live HTTP/1.1\r\n{HEAD}\r\n");
    let comment = stranger("hello").to_string();
    let chunks = format!("{:x}\r\n{comment}\r\n0\r\n\r\n", comment.len());
    for lengths in ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"] {
        let mut stream = send(&app, post(lengths, &format!("{chunks}{hidden}")).as_bytes()).await;
        let answers = read_to_end(&mut stream).await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    }
    for lengths in
        ["Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked"]
    {
        let mut stream = send(&app, post(lengths, &format!("{chunks}{hidden}")).as_bytes()).await;
        let answers = read_to_end(&mut stream).await;
        assert_eq!((status(&answers), answers.matches("HTTP/1.1 ").count()), (400, 1), "{lengths}: {answers}");
    }
}

#[tokio::test]
async fn requests_in_one_go_are_answered_in_their_order() {
    let app = TestApp::start(Setup::default()).await;
    let ask = |comment: &str| whole(&stranger(comment).to_string());
    let last = format!("GET /nowhere HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n");
    let mut stream = send(&app, format!("{}{}{last}", ask("one"), ask("two")).as_bytes()).await;
    let answers = read_to_end(&mut stream).await;
    let statuses: Vec<u16> = answers.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 404]);
    assert_eq!(Look::into(&app).rows::<String>("SELECT body FROM comments ORDER BY seq"), ["one", "two"]);
}

#[tokio::test]
async fn http_1_0_is_answered_and_the_connection_closed() {
    let app = TestApp::start(Setup::default()).await;
    let comment = stranger("hello").to_string();
    let request = format!("POST /v1/comments HTTP/1.0\r\n{HEAD}Content-Length: {}\r\n\r\n{comment}", comment.len());
    let answer = read_to_end(&mut send(&app, request.as_bytes()).await).await;
    assert_eq!((status(&answer), answer.contains("transfer-encoding")), (200, false), "{answer}");
}

#[tokio::test]
async fn heads_that_are_none_or_too_large_are_refused() {
    let app = TestApp::start(Setup::default()).await;
    let many: String = (0..200).map(|n| format!("X-{n}: x\r\n")).collect();
    let cases: [(String, &[u16]); _] = [
        ("\0\0\0\0\r\n\r\n".to_owned(), &[400]),
        // HTTP/2 is not spoken: closed without a word.
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[0]),
        ("\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".to_owned(), &[400]),
        ("GET /health/live\r\n\r\n".to_owned(), &[400]),
        (format!("GET /health/live HTTP/1.1\r\n{HEAD}Bad Header: x\r\n\r\n"), &[400]),
        (format!("GET /health/live HTTP/1.1\r\n{HEAD}X: a\u{0}b\r\n\r\n"), &[400]),
        (format!("GET /health/live HTTP/1.1\r\n{HEAD}X: a\r\n b: c\r\n\r\n"), &[400]),
        (format!("GET /health/live HTTP/1.1\r\n{many}\r\n"), &[431]),
        (format!("GET /health/live HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(70_000)), &[431]),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(66_000)), &[414, 431]),
        ("CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere\r\n\r\n".to_owned(), &[404]),
        ("TRACE /health/live HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), &[405]),
    ];
    for (request, expected) in cases {
        let shown: String = request.chars().take(100).collect();
        let answer = raw(&app, request.as_bytes()).await;
        assert!(expected.contains(&status(&answer)), "{shown:?}: {answer}");
    }
}

#[tokio::test]
async fn who_is_slow_is_dropped_and_who_is_idle_is_kept() {
    let app = TestApp::start(Setup::default().set("HTTP__HEAD_SECONDS_MAX", 1).set("HTTP__BODY_SECONDS_MAX", 1)).await;
    let ask = format!("GET /health/live HTTP/1.1\r\n{HEAD}\r\n");
    let mut silent = connect(&app).await;
    let mut idle = send(&app, ask.as_bytes()).await;
    assert_eq!(status(&read(&mut idle).await), 200);
    let mut slow_head = send(&app, b"GET /health/live HTTP/1.1\r\nHost: ").await;
    let mut slow_next = send(&app, format!("{ask}GET /hea").as_bytes()).await;
    let mut slow_body = send(&app, post("Content-Length: 100", "{").as_bytes()).await;
    let late = read_to_end(&mut slow_body).await;
    assert_eq!(status(&late), 408, "{late}");
    assert_eq!(read_to_end(&mut slow_head).await, "");
    assert_eq!(read(&mut slow_next).await.matches("HTTP/1.1 200").count(), 1);
    for stream in [&mut silent, &mut idle] {
        stream.write_all(ask.as_bytes()).await.unwrap();
        assert_eq!(status(&read(stream).await), 200, "it was idle, not slow");
    }
    assert_eq!(comments(&app), 0);
}

#[tokio::test]
async fn who_stays_idle_too_long_is_closed() {
    let app = TestApp::start(Setup::default().set("HTTP__IDLE_SECONDS_MAX", 1)).await;
    let mut idle = send(&app, format!("GET /health/live HTTP/1.1\r\n{HEAD}\r\n").as_bytes()).await;
    assert_eq!(read_to_end(&mut idle).await.matches("HTTP/1.1 200").count(), 1);
    assert_eq!(read_to_end(&mut connect(&app).await).await, "");
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_room_returns() {
    let app = TestApp::start(Setup::default().set("HTTP__CONNECTIONS_MAX", 3)).await;
    let ask = format!("GET /health/live HTTP/1.1\r\n{HEAD}\r\n");
    let mut kept = Vec::new();
    let refused = loop {
        let mut stream = send(&app, ask.as_bytes()).await;
        let answer = read(&mut stream).await;
        if status(&answer) == 503 {
            break answer;
        }
        kept.push(stream);
        assert!(kept.len() <= 3, "more than three are served");
    };
    assert!(refused.contains("retry-after: 2") && refused.contains("http.connections_max"), "{refused}");
    drop(kept);
    crate::wait::until("room returns", || async {
        let answer = raw(&app, ask.as_bytes()).await;
        (status(&answer) == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn slow_and_unfinished_requests_do_not_keep_the_daemon_from_ending() {
    let mut app = TestApp::start(Setup::default()).await;
    let _idle = connect(&app).await;
    let mut answered = send(&app, format!("GET /health/live HTTP/1.1\r\n{HEAD}\r\n").as_bytes()).await;
    assert_eq!(status(&read(&mut answered).await), 200);
    assert!(app.stop().await, "it ends with 0");
    assert_eq!(read_to_end(&mut answered).await, "");
}
