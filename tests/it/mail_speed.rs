//! How fast mail leaves: sixty moderators' digests over one connection to aiosmtpd, and as many mails over a socket with and without delay.

use crate::akismet_clients::{clients, script};
use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::wait::until;
use lettre::Message;
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;

const MODERATORS: usize = 60;

/// A mail as the server saw it.
#[derive(Debug, Clone)]
struct Came {
    seconds: f64,
    connection: String,
    to: String,
}

struct Sink {
    child: Child,
    port: u16,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Sink {
    fn open(clients: &Path) -> Self {
        let mut command = Command::new(clients.join("python/bin/python"));
        let mut child = command.arg(script("smtp_sink.py")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.next().expect("a port").parse().unwrap();
        let came = Arc::new(Mutex::new(Vec::new()));
        let noting = Arc::clone(&came);
        std::thread::spawn(move || {
            for line in lines {
                let words: Vec<&str> = line.split(' ').collect();
                let mail = Came { seconds: words[0].parse().unwrap(), connection: words[1].to_owned(), to: words[2].to_owned() };
                noting.lock().unwrap().push(mail);
            }
        });
        Self { child, port, came }
    }

    /// All of one round, once they are there.
    async fn all(&self, number: usize) -> Vec<Came> {
        let all = until("every mail", || std::future::ready(Some(self.came.lock().unwrap().clone()).filter(|came| came.len() >= number)));
        let all = all.await;
        self.came.lock().unwrap().clear();
        all
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Mails in a second, from the first to the last.
fn rate(came: &[Came]) -> f64 {
    let (first, last) = (came.first().unwrap().seconds, came.last().unwrap().seconds);
    f64::from(u32::try_from(came.len() - 1).unwrap()) / (last - first)
}

/// Linux acknowledges after 40 ms what it need not at once.
const ACKNOWLEDGED_SECONDS: f64 = 0.035;

/// How soon after the one before the quicker quarter of mails came.
fn quick(came: &[Came]) -> f64 {
    let mut gaps: Vec<f64> = came.windows(2).map(|two| two[1].seconds - two[0].seconds).collect();
    gaps.sort_by(f64::total_cmp);
    gaps[gaps.len() / 4]
}

fn distinct(came: &[Came], of: impl Fn(&Came) -> &str) -> usize {
    came.iter().map(of).collect::<BTreeSet<_>>().len()
}

#[tokio::test]
async fn sixty_digests_leave_by_one_connection_that_waits_for_nothing() {
    let Some(clients) = clients() else { return };
    let sink = Sink::open(&clients);
    let mut moderators = String::new();
    for number in 0..MODERATORS {
        writeln!(moderators, "[moderators.m{number}]\nname = \"M\"\nemail = \"m{number}@m.example\"\nsites = [\"blog\"]").unwrap();
    }
    let setup = Setup::default().set("MODERATORS__ANA__DUTY", "standby").set("OUTBOX__AT_ONCE_MAX", 1);
    let setup = setup.set("MAIL__FROM", "review@hamlet.example").set("MAIL__TRANSPORT", "smtp").set("MAIL__SMTP__HOST", "127.0.0.1");
    let setup = setup.set("MAIL__SMTP__PORT", sink.port).set("MAIL__SMTP__TLS", "none");
    let app = TestApp::start_with(setup, &moderators).await;
    app.submit(BLOG_KEY, &stranger(&"A word about the kettle. ".repeat(12))).await;
    let ours = sink.all(MODERATORS).await;
    assert_eq!((distinct(&ours, |mail| &mail.to), distinct(&ours, |mail| &mail.connection)), (MODERATORS, 1));

    let hello = ClientId::default();
    let address = ("127.0.0.1", sink.port);
    let mut usual = AsyncSmtpConnection::connect_tokio1(address, None, &hello, None, None).await.unwrap();
    let with_delay = round(&sink, &mut usual).await;
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let stream: Box<dyn AsyncTokioStream> = Box::new(stream);
    let mut undelayed = AsyncSmtpConnection::connect_with_transport(stream, &hello).await.unwrap();
    let without = round(&sink, &mut undelayed).await;
    let rates = [&ours, &without, &with_delay].map(|came| rate(came));
    eprintln!(
        "mails/s over one connection: {:.0} of the daemon; {:.0} without delay, {:.0} as lettre connects",
        rates[0], rates[1], rates[2]
    );
    // On a machine that does much else everything takes longer, yet of four mails one comes at once, unless each waits to be acknowledged.
    let waits = [&ours, &without, &with_delay].map(|came| quick(came) >= ACKNOWLEDGED_SECONDS);
    assert_eq!(waits, [false, false, true], "{rates:?}");
}

/// Sixty mails of some 8 KB, one after another.
async fn round(sink: &Sink, connection: &mut AsyncSmtpConnection) -> Vec<Came> {
    for number in 0..MODERATORS {
        let to = format!("m{number}@m.example").parse().unwrap();
        let message = Message::builder().from("review@hamlet.example".parse().unwrap()).to(to).subject("x");
        let message = message.body("A word about the kettle.\r\n".repeat(300)).unwrap();
        connection.send(message.envelope(), &message.formatted()).await.unwrap();
    }
    let came = sink.all(MODERATORS).await;
    assert_eq!(distinct(&came, |mail| &mail.connection), 1);
    came
}
