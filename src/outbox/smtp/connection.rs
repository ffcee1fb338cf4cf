//! Talking to the mail server. A connection that carried a mail is kept for the next one, and its socket does not wait for more to send:
//! lettre's own writes a message and its end apart, and Nagle's algorithm then holds the end back until the other side's delayed
//! acknowledgement, some 40 ms a mail. Of sixty mails over one connection to aiosmtpd on this machine 22 or 23 left in a second, without delay
//! 750 to 1,300, and 110 to 190 of the daemon, which writes down each before the next (a debug build, four runs on a busy machine).

use crate::clock::Timestamp;
use crate::config::{Smtp, Tls};
use crate::delivery::Outcome;
use crate::flow::chain;
use lettre::Message;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;

/// Connections that are kept for later; more are used where mails are sent side by side, and closed after.
const IDLE_MAX: usize = 2;

/// Servers close what is silent for minutes (RFC 5321 asks for five); a kept connection is not trusted for longer than this.
const IDLE_AGE_MAX: Duration = Duration::from_secs(20);

/// The mail server, and connections to it that carry nothing just now.
pub struct Server {
    host: String,
    port: u16,
    tls: Tls,
    parameters: TlsParameters,
    login: Option<Credentials>,
    hello: ClientId,
    idle: Mutex<Vec<(AsyncSmtpConnection, Timestamp)>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Server({}:{})", self.host, self.port)
    }
}

/// Which step of a mail failed: what a refusal means depends on it.
enum Failed {
    /// The server cannot be reached, or does not want us.
    Hello(Error),
    /// It does not want the recipient.
    Recipient(Error),
    /// It does not want the sender or the message, or broke off.
    Mail(Error),
    Refused(String),
}

impl Server {
    pub fn new(smtp: &Smtp) -> Result<Self, Error> {
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port,
            tls: smtp.tls,
            parameters: TlsParameters::new(smtp.host.clone())?,
            login: smtp.login.as_ref().map(|(user, password)| Credentials::new(user.clone(), password.text().into_owned())),
            hello: ClientId::default(),
            idle: Mutex::new(Vec::new()),
        })
    }

    pub async fn send(&self, message: &Message, now: Timestamp) -> Outcome {
        match self.try_send(message, now).await {
            Ok(()) => Outcome::Delivered,
            Err(failed) => failed.outcome(),
        }
    }

    async fn try_send(&self, message: &Message, now: Timestamp) -> Result<(), Failed> {
        let (envelope, text) = (message.envelope(), message.formatted());
        if let Some(mut kept) = self.kept(now) {
            match deliver(&mut kept, envelope, &text).await {
                Ok(()) => {
                    self.keep(kept, now).await;
                    return Ok(());
                }
                // It was closed while nobody looked; the mail did not get to its text, so nothing came of it.
                Err(Failed::Hello(_)) => {}
                Err(failed) => return Err(failed),
            }
        }
        let mut fresh = self.connect().await?;
        deliver(&mut fresh, envelope, &text).await.map_err(|failed| match failed {
            Failed::Hello(error) => Failed::Mail(error),
            other @ (Failed::Recipient(_) | Failed::Mail(_) | Failed::Refused(_)) => other,
        })?;
        self.keep(fresh, now).await;
        Ok(())
    }

    fn kept(&self, now: Timestamp) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(connection, since)| !connection.has_broken() && now.since(*since) < IDLE_AGE_MAX);
        idle.pop().map(|(connection, _)| connection)
    }

    async fn keep(&self, mut connection: AsyncSmtpConnection, now: Timestamp) {
        {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_MAX {
                idle.push((connection, now));
                return;
            }
        }
        // The mail is delivered: whatever comes of the good-bye.
        let _ = connection.quit().await;
    }

    /// Connects as a mail would, with TLS and login, and says goodbye.
    pub async fn try_out(&self) -> Result<(), String> {
        let mut connection = self.connect().await.map_err(|failed| failed.reason())?;
        let _ = connection.quit().await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failed> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut connection = match self.tls {
            // lettre makes this socket itself, so each mail waits for an acknowledgement.
            Tls::Implicit => {
                let tls = Some(self.parameters.clone());
                AsyncSmtpConnection::connect_tokio1((host, self.port), None, &self.hello, tls, None).await.map_err(Failed::Hello)?
            }
            Tls::None | Tls::Starttls => {
                let refused = |error: std::io::Error| Failed::Refused(format!("the mail server cannot be reached: {error}"));
                let stream = TcpStream::connect((host, self.port)).await.map_err(refused)?;
                stream.set_nodelay(true).map_err(refused)?;
                let stream: Box<dyn AsyncTokioStream> = Box::new(stream);
                AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await.map_err(Failed::Hello)?
            }
        };
        if self.tls == Tls::Starttls {
            connection.starttls(self.parameters.clone(), &self.hello).await.map_err(Failed::Hello)?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await.map_err(Failed::Hello)?;
        }
        Ok(connection)
    }
}

/// One mail. Whatever fails ends the connection: the server's state is then anybody's guess.
async fn deliver(connection: &mut AsyncSmtpConnection, envelope: &Envelope, text: &[u8]) -> Result<(), Failed> {
    let begun = connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await;
    // No answer at all, or 421: the server closed the connection before this mail.
    begun.map_err(|error| match error.status().map(u16::from) {
        None | Some(421) => Failed::Hello(error),
        Some(_) => Failed::Mail(error),
    })?;
    for recipient in envelope.to() {
        if let Err(error) = connection.command(Rcpt::new(recipient.clone(), Vec::new())).await {
            connection.abort().await;
            return Err(Failed::Recipient(error));
        }
    }
    connection.command(Data).await.map_err(Failed::Mail)?;
    connection.message(text).await.map_err(Failed::Mail)?;
    Ok(())
}

impl Failed {
    /// A refusal of the recipient is a bounce, one of this mail is final, one of our login is the admin's to mend, so the mail waits.
    fn outcome(self) -> Outcome {
        let reason = self.reason();
        let is_final = |error: &Error| error.is_permanent() && !is_login_refused(error);
        match self {
            Self::Recipient(error) if is_final(&error) => Outcome::Bounced { reason },
            Self::Mail(error) if is_final(&error) => Outcome::GiveUp { reason },
            Self::Hello(_) | Self::Recipient(_) | Self::Mail(_) | Self::Refused(_) => Outcome::Retry { reason, after: None },
        }
    }

    /// The server's own words stay out of it: they often repeat the address.
    fn reason(&self) -> String {
        match self {
            Self::Hello(error) | Self::Recipient(error) | Self::Mail(error) => match error.status().map(u16::from) {
                Some(code) => format!("the mail server answered {code}"),
                None => chain(error),
            },
            Self::Refused(reason) => reason.clone(),
        }
    }
}

fn is_login_refused(error: &Error) -> bool {
    matches!(error.status().map(u16::from), Some(530 | 534 | 535 | 538))
}
