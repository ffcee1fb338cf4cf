//! HTTP byte by byte, for requests that no client library would send.

use crate::app::TestApp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap()
}

pub async fn send(app: &TestApp, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(app).await;
    stream.write_all(bytes).await.unwrap();
    stream
}

/// What comes back for these bytes.
pub async fn raw(app: &TestApp, bytes: &[u8]) -> String {
    read(&mut send(app, bytes).await).await
}

/// The same where the sender leaves after them; empty where the connection was closed without a word.
pub async fn raw_and_gone(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = send(app, bytes).await;
    let _ = stream.shutdown().await;
    read(&mut stream).await
}

/// One answer, or what came of it before the connection was closed.
pub async fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !is_whole(&answer) && stream.read_buf(&mut answer).await.is_ok_and(|bytes| bytes > 0) {}
    String::from_utf8(answer).unwrap()
}

/// Everything that comes until the connection is closed.
pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answers = Vec::new();
    while stream.read_buf(&mut answers).await.is_ok_and(|bytes| bytes > 0) {}
    String::from_utf8(answers).unwrap()
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| body.len() >= length)
}

pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
