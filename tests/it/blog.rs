//! A blog that takes webhooks over HTTP and fails to order. It checks every signature itself, by the Standard Webhooks specification, and
//! remembers every attempt in the order of arrival.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// `blog-secret-of-32-bytes-exactly!` in base64.
pub const SECRET: &str = "whsec_YmxvZy1zZWNyZXQtb2YtMzItYnl0ZXMtZXhhY3RseSE=";

/// `next-secret-of-32-bytes-exactly!` in base64.
pub const NEXT_SECRET: &str = "whsec_bmV4dC1zZWNyZXQtb2YtMzItYnl0ZXMtZXhhY3RseSE=";

/// What the blog does with an attempt. Without orders it takes everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Take,
    Answer(u16),
    /// 503 with `Retry-After` in seconds.
    ComeBackIn(u32),
    /// 200 with a body that never ends.
    Babble,
    Hang,
    Close,
}

/// One attempt that arrived.
#[derive(Debug, Clone)]
pub struct Heard {
    pub webhook_id: String,
    pub is_signed: bool,
    pub signatures: Vec<String>,
    pub kind: String,
    pub comment: String,
    pub status: String,
    pub event: Value,
    pub at: Instant,
    pub order: Order,
}

#[derive(Default)]
struct Memory {
    orders: VecDeque<Order>,
    always: Option<Order>,
    heard: Vec<Heard>,
}

pub struct Blog {
    port: u16,
    memory: Arc<Mutex<Memory>>,
}

impl Blog {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let memory = Arc::new(Mutex::new(Memory::default()));
        let shared = Arc::clone(&memory);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, memory }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// The next attempts are treated so, one after another.
    pub fn order(&self, orders: impl IntoIterator<Item = Order>) {
        self.memory.lock().unwrap().orders.extend(orders);
    }

    /// All attempts are treated so, until told otherwise.
    pub fn always(&self, order: Option<Order>) {
        self.memory.lock().unwrap().always = order;
    }

    /// Every attempt so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.memory.lock().unwrap().heard.clone()
    }

    /// The types of the events that arrived.
    pub fn kinds(&self) -> Vec<String> {
        self.heard().into_iter().map(|heard| heard.kind).collect()
    }

    /// The attempts about one comment.
    pub fn heard_of(&self, comment: &str) -> Vec<Heard> {
        self.heard().into_iter().filter(|heard| heard.comment == comment).collect()
    }

    /// How every comment stands to this blog: by the last webhook that it took.
    pub fn statuses(&self) -> HashMap<String, String> {
        self.memory
            .lock()
            .unwrap()
            .heard
            .iter()
            .filter(|heard| heard.order == Order::Take)
            .map(|heard| (heard.comment.clone(), heard.status.clone()))
            .collect()
    }
}

async fn serve(mut stream: TcpStream, memory: Arc<Mutex<Memory>>) {
    let Some((head, body)) = read_request(&mut stream).await else { return };
    let order = {
        let mut memory = memory.lock().unwrap();
        let order = memory.always.or_else(|| memory.orders.pop_front()).unwrap_or(Order::Take);
        memory.heard.push(hear(&head, &body, order));
        order
    };
    let answer = match order {
        Order::Take => "204 No Content\r\n".to_owned(),
        Order::Answer(status) => format!("{status} As Ordered\r\n"),
        Order::ComeBackIn(seconds) => format!("503 Later\r\nRetry-After: {seconds}\r\n"),
        Order::Babble => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            // Until the other side has heard enough.
            while stream.write_all(&[b'x'; 1 << 12]).await.is_ok() {}
            return;
        }
        Order::Close => return,
        Order::Hang => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0; 1]).await;
            return;
        }
    };
    let _ = stream.write_all(format!("HTTP/1.1 {answer}Content-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()).await;
}

type Head = HashMap<String, String>;

async fn read_request(stream: &mut TcpStream) -> Option<(Head, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let head: Head =
        text.lines().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length: usize = head.get("content-length")?.parse().ok()?;
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}

fn hear(head: &Head, body: &[u8], order: Order) -> Heard {
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Heard {
        webhook_id: head.get("webhook-id").cloned().unwrap_or_default(),
        is_signed: is_signed(head, body),
        signatures: head.get("webhook-signature").map(|all| all.split(' ').map(str::to_owned).collect()).unwrap_or_default(),
        kind: text(&event["type"]),
        comment: text(&event["data"]["id"]),
        status: text(&event["data"]["status"]),
        event,
        at: Instant::now(),
        order,
    }
}

fn is_signed(head: &Head, body: &[u8]) -> bool {
    let header = |name: &str| head.get(name).map_or("", String::as_str);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let is_recent = header("webhook-timestamp").parse::<u64>().is_ok_and(|sent| sent.abs_diff(now) < 300);
    let expected = signature(SECRET, header("webhook-id"), header("webhook-timestamp"), body);
    is_recent && header("webhook-signature").split(' ').any(|given| given == expected)
}

/// By the specification, independent of the daemon's own code.
pub fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
