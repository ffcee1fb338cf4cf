//! Mail: a digest becomes one message and leaves by SMTP, or lands as a file. The only room that names lettre.
//! lettre 0.11 panics on CR, LF or NUL in a display name, so nothing but [`header_text`] makes one here.

use crate::config::{Config, Smtp, Tls, Transport};
use crate::delivery::{Delivery, Mail, Outcome};
use crate::flow::chain;
use crate::view::header_text;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::time::{Duration, UNIX_EPOCH};

#[derive(Debug)]
pub struct Carrier {
    from: Option<Address>,
    transport: Way,
    timeout: Duration,
}

#[derive(Debug)]
enum Way {
    None,
    Files(Box<AsyncFileTransport<Tokio1Executor>>),
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

/// The mail transport cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NoTransport {
    #[error("the SMTP transport cannot be set up")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("cannot make the folder for mail at {path}")]
    Folder { path: std::path::PathBuf, source: std::io::Error },
    #[error("mail.from {0:?} is no address")]
    From(String),
}

impl Carrier {
    pub fn new(config: &Config) -> Result<Self, NoTransport> {
        let timeout = config.outbox.timeout;
        let transport = match &config.mail.transport {
            Transport::None => return Ok(Self { from: None, transport: Way::None, timeout }),
            Transport::Files(folder) => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)
                    .map_err(|source| NoTransport::Folder { path: folder.clone(), source })?;
                Way::Files(Box::new(AsyncFileTransport::new(folder)))
            }
            Transport::Smtp(smtp) => Way::Smtp(Box::new(connect(smtp, timeout)?)),
        };
        let from = config.mail.from.parse().map_err(|_| NoTransport::From(config.mail.from.clone()))?;
        Ok(Self { from: Some(from), transport, timeout })
    }

    pub async fn carry(&self, mail: &Mail, delivery: &Delivery) -> Outcome {
        let message =
            match self.from.clone().ok_or_else(|| "no mail transport is set".to_owned()).and_then(|from| message(mail, delivery, from)) {
                Ok(message) => message,
                Err(reason) => return Outcome::GiveUp { reason },
            };
        match &self.transport {
            Way::None => Outcome::GiveUp { reason: "no mail transport is set".to_owned() },
            Way::Files(files) => match files.send(message).await {
                Ok(_) => Outcome::Delivered,
                Err(error) => Outcome::Retry { reason: error.to_string(), after: None },
            },
            // lettre's own timeout is for connecting only. Its pool would keep what is cut off here, with answers still to come on it, hence
            // a connection for each mail.
            Way::Smtp(smtp) => match tokio::time::timeout(self.timeout, smtp.send(message)).await {
                Ok(Ok(_)) => Outcome::Delivered,
                Ok(Err(error)) => outcome(&error),
                Err(_) => Outcome::Retry { reason: "the mail server did not answer in time".to_owned(), after: None },
            },
        }
    }
}

fn connect(smtp: &Smtp, timeout: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let builder = match smtp.tls {
        Tls::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host),
        Tls::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&smtp.host)?,
        Tls::Implicit => AsyncSmtpTransport::<Tokio1Executor>::relay(&smtp.host)?,
    };
    let builder = builder.port(smtp.port).timeout(Some(timeout));
    Ok(match &smtp.login {
        Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.text().into_owned())).build(),
        None => builder.build(),
    })
}

/// Connects as a mail would, with TLS and login, and says goodbye.
///
/// # Errors
/// What went wrong, in words.
pub async fn try_out(smtp: &Smtp, timeout: Duration) -> Result<(), String> {
    let transport = connect(smtp, timeout).map_err(|error| chain(&error))?;
    match tokio::time::timeout(timeout, transport.test_connection()).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err("the mail server closed the connection".to_owned()),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err("the mail server did not answer in time".to_owned()),
    }
}

/// What an SMTP failure means. A refusal of this mail is final; a refusal of our login is the admin's to mend, so the mail waits. The server's
/// own words stay out of the reason: they often repeat the address.
fn outcome(error: &lettre::transport::smtp::Error) -> Outcome {
    let code = error.status().map(u16::from);
    let reason = code.map_or_else(|| chain(error), |code| format!("the mail server answered {code}"));
    let login_refused = matches!(code, Some(530 | 534 | 535 | 538));
    if error.is_permanent() && !login_refused { Outcome::GiveUp { reason } } else { Outcome::Retry { reason, after: None } }
}

/// The message of RFC 5322. Its id and date are the parcel's, so that a repeat is byte for byte the same and a mail client folds it.
fn message(mail: &Mail, delivery: &Delivery, from: Address) -> Result<Message, String> {
    let to: Address = mail.to_address.parse().map_err(|error| format!("the moderator's address cannot be used: {error}"))?;
    let domain = from.domain().to_owned();
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(delivery.created_at.ms()).unwrap_or(0));
    Message::builder()
        .from(Mailbox::new(name(&mail.from_name), from))
        .to(Mailbox::new(name(&mail.to_name), to))
        .subject(mail.subject.chars().filter(|c| !c.is_control()).collect::<String>())
        .date(date)
        .message_id(Some(format!("<{}@{domain}>", delivery.id)))
        .header(AutoSubmitted)
        .header(ListId(format!("<{}.hamlet.{domain}>", delivery.site)))
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
                .singlepart(part(ContentType::TEXT_HTML, &mail.html)),
        )
        .map_err(|error| error.to_string())
}

fn part(kind: ContentType, body: &str) -> SinglePart {
    SinglePart::builder().header(kind).body(body.to_owned())
}

fn name(name: &str) -> Option<String> {
    let name = header_text(name);
    (!name.is_empty()).then_some(name)
}

/// RFC 3834: vacation responders leave it alone.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// RFC 2919: one list a site, so that mail can be filed.
#[derive(Clone)]
struct ListId(String);

impl Header for ListId {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Id")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}
