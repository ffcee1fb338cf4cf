//! What benches ask servers with: comments as requests, a server as a process of its own, and connections that ask one thing after another.

use crate::generate::Generator;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Comments that are made beforehand and sent in turn: so many that a round seldom sends one twice. From each address come two.
const COMMENTS: usize = 60_000;

const SETTINGS: &str = "[sites.blog]\napi_key = \"benchbenchbench\"\nakismet_key = \"benchakismet\"\n";

/// Comments of seventeen languages, ham and spam, as a blog with readers everywhere would get them: no two alike, no source twice at a time.
pub fn comments() -> Vec<Comment> {
    let mut generator = Generator::new(3);
    let comment = |n: usize| {
        let line: serde_json::Value = serde_json::from_str(&generator.line()).unwrap();
        Comment {
            email: format!("ana{n}@mail.example"),
            ip: format!("11.{}.{}.{}", n / 2 % 250, n / 500 % 250, 1 + n / 2 % 200),
            page: format!("https://blog.example/{}", line["group"].as_str().unwrap()),
            body: line["content"].as_str().unwrap().to_owned(),
        }
    };
    (0..COMMENTS).map(comment).collect()
}

pub struct Comment {
    email: String,
    ip: String,
    page: String,
    body: String,
}

impl Comment {
    pub fn as_ours(&self) -> String {
        let Self { email, ip, page, body } = self;
        let json = serde_json::json!({ "name": "Ana", "email": email, "ip": ip, "page_url": page, "body": body }).to_string();
        request("/v1/comments", "Authorization: Bearer benchbenchbench\r\nContent-Type: application/json\r\n", &json)
    }

    pub fn as_akismet(&self) -> String {
        let Self { email, ip, page, body } = self;
        let fields = [("comment_author_email", email), ("user_ip", ip), ("permalink", page), ("comment_content", body)];
        let fields: String = fields.map(|(name, value)| format!("&{name}={}", escaped(value))).concat();
        let form = format!("api_key=benchakismet&blog=https%3A%2F%2Fblog.example&comment_author=Ana{fields}");
        request("/1.1/comment-check", "Content-Type: application/x-www-form-urlencoded\r\n", &form)
    }

    /// As a mail, which is what rspamd judges.
    pub fn as_mail(&self) -> String {
        let Self { email, body, .. } = self;
        let mail = format!("From: Ana <{email}>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n");
        request("/checkv2", "", &mail)
    }
}

fn request(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: blog\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// The daemon, with its settings and its data in this folder. `HAMLET` names another build of it.
    pub fn hamlet(folder: &Path) -> Self {
        let settings = folder.join("hamlet.toml");
        std::fs::write(&settings, SETTINGS).unwrap();
        let mut hamlet = Command::new(std::env::var_os("HAMLET").unwrap_or_else(|| env!("CARGO_BIN_EXE_hamlet").into()));
        hamlet.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&settings).arg("--data").arg(folder);
        Self::start(&mut hamlet)
    }

    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.map(Result::unwrap).find(|line| line.contains("listens on http://")).unwrap();
        let address = line.rsplit_once("http://").unwrap().1.trim().parse().unwrap();
        Self { process, address }
    }

    /// Processor time that it has taken, in ms; of a thing that the whole machine works on the figure least troubled by what else runs there.
    pub fn busy_ms(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // In user mode and for it in the kernel (proc(5): fields 14 and 15), in ticks of 10 ms.
        fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() * 10.0).sum()
    }

    pub fn resident_kb(&self) -> u64 {
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

pub struct Requests {
    all: Vec<String>,
    sent: AtomicUsize,
}

impl Requests {
    /// `first`: the one to begin with.
    pub fn new(comments: &[Comment], first: usize, as_sent: fn(&Comment) -> String) -> Arc<Self> {
        Arc::new(Self { all: comments.iter().map(as_sent).collect(), sent: AtomicUsize::new(first) })
    }

    fn next(&self) -> &str {
        &self.all[self.sent.fetch_add(1, Ordering::Relaxed) % self.all.len()]
    }
}

#[derive(Clone, Copy)]
pub struct Round {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub answers: usize,
    /// Processor time of the server for each answer, where somebody measured it.
    pub busy_us: f64,
}

impl Round {
    fn of(mut waits: Vec<Duration>, time: Duration) -> Self {
        waits.sort();
        let ms = |wait: Duration| wait.as_secs_f64() * 1000.0;
        let percent = |percent: usize| ms(waits[waits.len() * percent / 100]);
        let (p50_ms, p99_ms, max_ms) = (percent(50), percent(99), ms(waits[waits.len() - 1]));
        Self { per_second: waits.len() as f64 / time.as_secs_f64(), p50_ms, p99_ms, max_ms, answers: waits.len(), busy_us: f64::NAN }
    }

    pub fn median(rounds: &[Self]) -> Self {
        let middle = |value: fn(&Self) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Self {
            per_second: middle(|round| round.per_second),
            p50_ms: middle(|round| round.p50_ms),
            p99_ms: middle(|round| round.p99_ms),
            max_ms: middle(|round| round.max_ms),
            answers: rounds.iter().map(|round| round.answers).sum(),
            busy_us: middle(|round| round.busy_us),
        }
    }
}

pub async fn drive(address: SocketAddr, requests: &Arc<Requests>, connections: usize, time: Duration) -> Round {
    let started = Instant::now();
    let connections: Vec<_> = (0..connections).map(|_| tokio::spawn(ask_until(address, Arc::clone(requests), started + time))).collect();
    let mut waits = Vec::new();
    for connection in connections {
        waits.extend(connection.await.unwrap());
    }
    Round::of(waits, started.elapsed())
}

/// So many comments a second, whatever comes back, on so many connections.
#[derive(Clone, Copy)]
pub struct Pace {
    pub per_second: usize,
    pub connections: usize,
}

/// Sends at a pace; waits count from when each was due.
#[allow(dead_code, reason = "each bench uses what it needs")]
pub async fn drive_at(address: SocketAddr, requests: &Arc<Requests>, pace: Pace, time: Duration) -> Round {
    let started = Instant::now();
    let due = Arc::new(Due { started, sent: AtomicUsize::new(0), per_second: pace.per_second, end: started + time });
    let ask = |_| tokio::spawn(ask_when_due(address, Arc::clone(requests), Arc::clone(&due)));
    let connections: Vec<_> = (0..pace.connections).map(ask).collect();
    let mut waits = Vec::new();
    for connection in connections {
        waits.extend(connection.await.unwrap());
    }
    Round::of(waits, started.elapsed())
}

/// When the next is due, for all connections together.
struct Due {
    started: Instant,
    sent: AtomicUsize,
    per_second: usize,
    end: Instant,
}

impl Due {
    fn next(&self) -> Option<Instant> {
        let sent = self.sent.fetch_add(1, Ordering::Relaxed);
        let at = self.started + Duration::from_micros((sent * 1_000_000 / self.per_second) as u64);
        (at < self.end).then_some(at)
    }
}

async fn ask_when_due(address: SocketAddr, requests: Arc<Requests>, due: Arc<Due>) -> Vec<Duration> {
    let mut stream = connect(address).await;
    let mut waits = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while let Some(at) = due.next() {
        tokio::time::sleep_until(at.into()).await;
        stream.write_all(requests.next().as_bytes()).await.unwrap();
        let is_kept = read_answer(&mut stream, &mut buffer).await;
        waits.push(at.elapsed());
        if !is_kept {
            stream = connect(address).await;
        }
    }
    waits
}

/// One keep-alive connection, one request after another; answers how long each took.
async fn ask_until(address: SocketAddr, requests: Arc<Requests>, end: Instant) -> Vec<Duration> {
    let mut stream = connect(address).await;
    let mut waits = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while Instant::now() < end {
        let request = requests.next();
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let is_kept = read_answer(&mut stream, &mut buffer).await;
        waits.push(asked.elapsed());
        if !is_kept {
            stream = connect(address).await;
        }
    }
    waits
}

pub async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one whole answer; whether the connection goes on.
pub async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    let mut filled = 0;
    loop {
        let n = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(n > 0, "the server hung up");
        filled += n;
        let text = std::str::from_utf8(&buffer[..filled]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return !head.contains("connection: close");
        }
    }
}
