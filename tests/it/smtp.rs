//! A mail server that speaks real SMTP on loopback and obeys orders: take the mail, refuse the recipient, stall, cut the connection after
//! the text arrived. It keeps every message that reached it, taken or not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one mail. Without orders every mail is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Take,
    /// The answer to `RCPT TO`.
    RefuseRecipient(&'static str),
    /// Nothing is answered any more.
    Stall,
    /// The text arrives, and the connection ends without an answer.
    CutAfterData,
}

/// A message that reached the server.
#[derive(Debug, Clone)]
pub struct Letter {
    pub from: String,
    pub to: String,
    pub raw: String,
    /// The server said that it has it.
    pub is_taken: bool,
}

#[derive(Default)]
struct Memory {
    orders: VecDeque<Order>,
    always: Option<Order>,
    letters: Vec<Letter>,
    attempts: usize,
    connections: usize,
    refused: Option<(&'static str, &'static str)>,
    logins: Vec<String>,
}

/// Who may send; without it, anybody.
pub type Login = Option<(&'static str, &'static str)>;

pub struct SmtpServer {
    port: u16,
    memory: Arc<Mutex<Memory>>,
}

impl SmtpServer {
    pub async fn open(login: Login) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let memory = Arc::new(Mutex::new(Memory::default()));
        let shared = Arc::clone(&memory);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                let session = Session::new(stream, Arc::clone(&shared), login);
                // A connection that breaks ends its session and nothing else.
                tokio::spawn(async move { session.run().await });
            }
        });
        Self { port, memory }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn order(&self, orders: impl IntoIterator<Item = Order>) {
        self.memory.lock().unwrap().orders.extend(orders);
    }

    pub fn always(&self, order: Option<Order>) {
        self.memory.lock().unwrap().always = order;
    }

    /// Recipients whose address holds `part` are refused with this answer.
    pub fn refuse(&self, part: &'static str, answer: Option<&'static str>) {
        self.memory.lock().unwrap().refused = answer.map(|answer| (part, answer));
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        self.memory.lock().unwrap().connections
    }

    /// Every letter that reached the server, taken or not.
    pub fn letters(&self) -> Vec<Letter> {
        self.memory.lock().unwrap().letters.clone()
    }

    pub fn taken(&self) -> Vec<Letter> {
        self.letters().into_iter().filter(|letter| letter.is_taken).collect()
    }

    /// How many mails were begun.
    pub fn attempts(&self) -> usize {
        self.memory.lock().unwrap().attempts
    }

    /// How logins were tried: `user:password`.
    pub fn logins(&self) -> Vec<String> {
        self.memory.lock().unwrap().logins.clone()
    }
}

struct Session {
    reading: BufReader<OwnedReadHalf>,
    writing: OwnedWriteHalf,
    memory: Arc<Mutex<Memory>>,
    login: Login,
    is_known: bool,
    order: Order,
    letter: Letter,
}

impl Session {
    fn new(stream: TcpStream, memory: Arc<Mutex<Memory>>, login: Login) -> Self {
        let (reading, writing) = stream.into_split();
        let letter = Letter { from: String::new(), to: String::new(), raw: String::new(), is_taken: false };
        Self { reading: BufReader::new(reading), writing, memory, login, is_known: login.is_none(), order: Order::Take, letter }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.reading.read_line(&mut line).await.ok()?;
        (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    async fn say(&mut self, line: &str) -> Option<()> {
        self.writing.write_all(format!("{line}\r\n").as_bytes()).await.ok()
    }

    async fn run(mut self) -> Option<()> {
        self.say("220 mail.example ready").await?;
        loop {
            let line = self.line().await?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" if self.login.is_some() => self.say("250-mail.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN").await?,
                "EHLO" => self.say("250-mail.example\r\n250 8BITMIME").await?,
                "AUTH" => self.authenticate(rest).await?,
                "MAIL" => self.begin(rest).await?,
                "RCPT" => self.recipient(rest).await?,
                "DATA" => self.data().await?,
                "QUIT" => return self.say("221 bye").await,
                _ => self.say("250 ok").await?,
            }
        }
    }

    async fn authenticate(&mut self, rest: &str) -> Option<()> {
        let decoded = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default();
        let tried = if let Some(plain) = rest.strip_prefix("PLAIN ") {
            decoded(plain).trim_start_matches('\0').replace('\0', ":")
        } else {
            self.say("334 VXNlcm5hbWU6").await?;
            let user = decoded(&self.line().await?);
            self.say("334 UGFzc3dvcmQ6").await?;
            format!("{user}:{}", decoded(&self.line().await?))
        };
        self.is_known = self.login.is_some_and(|(user, password)| tried == format!("{user}:{password}"));
        self.memory.lock().unwrap().logins.push(tried);
        self.say(if self.is_known { "235 welcome" } else { "535 5.7.8 who are you" }).await
    }

    async fn begin(&mut self, from: &str) -> Option<()> {
        if !self.is_known {
            return self.say("530 5.7.0 log in first").await;
        }
        self.order = {
            let mut memory = self.memory.lock().unwrap();
            memory.attempts += 1;
            memory.always.or_else(|| memory.orders.pop_front()).unwrap_or(Order::Take)
        };
        self.letter = Letter { from: from.to_owned(), to: String::new(), raw: String::new(), is_taken: false };
        if self.order == Order::Stall {
            // Whatever comes is not answered, until the other side gives up.
            while self.line().await.is_some() {}
            return None;
        }
        self.say("250 ok").await
    }

    async fn recipient(&mut self, to: &str) -> Option<()> {
        if let Order::RefuseRecipient(answer) = self.order {
            return self.say(answer).await;
        }
        let refused = self.memory.lock().unwrap().refused;
        if let Some((_, answer)) = refused.filter(|(part, _)| to.contains(part)) {
            return self.say(answer).await;
        }
        to.clone_into(&mut self.letter.to);
        self.say("250 ok").await
    }

    async fn data(&mut self) -> Option<()> {
        self.say("354 go on").await?;
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            self.letter.raw.push_str(line.strip_prefix('.').unwrap_or(&line));
            self.letter.raw.push_str("\r\n");
        }
        self.letter.is_taken = self.order == Order::Take;
        self.memory.lock().unwrap().letters.push(self.letter.clone());
        if self.order == Order::CutAfterData {
            return None;
        }
        self.say("250 taken").await
    }
}
