//! `cargo bench --bench submit`: how much of a bare axum handler's speed is left once every comment is judged and on disk before its answer.
//!
//! Both servers run as processes of their own and are driven in turns by 64 connections on loopback, so that a noisy machine troubles both
//! alike; the ratio of the medians is the figure that counts. Ends by itself: rounds and seconds are bounded below.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench measures time, and may fall over when it cannot"
)]

mod generate;

use axum::routing::post;
use axum::serve::ListenerExt;
use generate::Generator;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);

/// Requests that are made beforehand and sent in turn: so many that a round seldom sends one twice. From each address come two.
const REQUESTS: usize = 60_000;

/// Comments of seventeen languages, ham and spam, as a blog with readers everywhere would get them: no two alike, no source twice at a time.
fn requests() -> Vec<String> {
    let mut generator = Generator::new(3);
    let request = |n: usize| {
        let line: serde_json::Value = serde_json::from_str(&generator.line()).unwrap();
        let ip = format!("11.{}.{}.{}", n / 2 % 250, n / 500 % 250, 1 + n / 2 % 200);
        let page = format!("https://blog.example/{}", line["group"].as_str().unwrap());
        let comment = serde_json::json!({ "name": "Ana", "email": format!("ana{n}@mail.example"), "ip": ip, "page_url": page, "body": line["content"] });
        let comment = comment.to_string();
        let head =
            "POST /v1/comments HTTP/1.1\r\nHost: blog\r\nAuthorization: Bearer benchbenchbench\r\nContent-Type: application/json\r\n";
        format!("{head}Content-Length: {}\r\n\r\n{comment}", comment.len())
    };
    (0..REQUESTS).map(request).collect()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if std::env::args().any(|argument| argument == "bare") {
        return runtime.block_on(serve_bare());
    }
    let data = tempfile::tempdir().unwrap();
    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
    let settings = data.path().join("hamlet.toml");
    std::fs::write(&settings, "[sites.blog]\napi_key = \"benchbenchbench\"\n").unwrap();
    let mut hamlet = Command::new(env!("CARGO_BIN_EXE_hamlet"));
    hamlet.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&settings).arg("--data").arg(data.path());
    let hamlet = Server::start(&mut hamlet);
    println!("memory of the daemon when idle: {} KB", hamlet.resident_kb());
    let requests = Arc::new(Requests { all: requests(), sent: AtomicUsize::new(0) });
    let mut results = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (result, server) in results.iter_mut().zip([&bare, &hamlet]) {
            result.push(runtime.block_on(drive(server.address, &requests)));
        }
    }
    println!("memory of the daemon after it: {} KB", hamlet.resident_kb());
    let [bare, hamlet] = results.map(|rounds| Round::median(&rounds));
    println!("bare axum handler      {:>8.0} requests/s   p99 {:>6.2} ms", bare.per_second, bare.p99_ms);
    println!("POST /v1/comments      {:>8.0} requests/s   p99 {:>6.2} ms", hamlet.per_second, hamlet.p99_ms);
    println!(
        "ratio                  {:>8.2}              p99 {:>6.2} times",
        hamlet.per_second / bare.per_second,
        hamlet.p99_ms / bare.p99_ms
    );
}

/// Reads the body and answers a few bytes: what any server must do.
async fn serve_bare() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listens on http://{}", listener.local_addr().unwrap());
    let answer = post(|body: axum::body::Bytes| async move { format!("{{\"bytes\":{}}}", body.len()) });
    let router = axum::Router::new().route("/v1/comments", answer);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    axum::serve(listener, router).await.unwrap();
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.map(Result::unwrap).find(|line| line.contains("listens on http://")).unwrap();
        let address = line.rsplit_once("http://").unwrap().1.trim().parse().unwrap();
        Self { process, address }
    }

    fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Requests {
    all: Vec<String>,
    sent: AtomicUsize,
}

impl Requests {
    fn next(&self) -> &str {
        &self.all[self.sent.fetch_add(1, Ordering::Relaxed) % self.all.len()]
    }
}

#[derive(Clone, Copy)]
struct Round {
    per_second: f64,
    p99_ms: f64,
}

impl Round {
    fn median(rounds: &[Self]) -> Self {
        let middle = |value: fn(&Self) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Self { per_second: middle(|round| round.per_second), p99_ms: middle(|round| round.p99_ms) }
    }
}

async fn drive(address: SocketAddr, requests: &Arc<Requests>) -> Round {
    let started = Instant::now();
    let connections: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(ask_until(address, Arc::clone(requests), started + ROUND))).collect();
    let mut waits = Vec::new();
    for connection in connections {
        waits.extend(connection.await.unwrap());
    }
    let seconds = started.elapsed().as_secs_f64();
    waits.sort();
    Round { per_second: waits.len() as f64 / seconds, p99_ms: waits[waits.len() * 99 / 100].as_secs_f64() * 1000.0 }
}

/// One keep-alive connection, one request after another; answers how long each took.
async fn ask_until(address: SocketAddr, requests: Arc<Requests>, end: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut waits = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while Instant::now() < end {
        let request = requests.next();
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream, &mut buffer).await;
        waits.push(asked.elapsed());
    }
    waits
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let n = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(n > 0, "the server hung up");
        filled += n;
        let text = std::str::from_utf8(&buffer[..filled]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)).unwrap();
        if body.len() >= length.parse().unwrap() {
            return;
        }
    }
}
