//! Mail: a digest becomes one message and leaves by SMTP, or lands as a file. The only room that names lettre: `message` builds and signs,
//! `connection` talks.

mod connection;
mod message;
mod public_key;

pub use public_key::public_record;

use crate::action::Keys;
use crate::clock::Timestamp;
use crate::config::{self, Config, Smtp, Transport};
use crate::delivery::{Delivery, Mail, Outcome, Parcel};
use crate::flow::chain;
use crate::id::{ParcelId, SiteId};
use connection::Server;
use lettre::{AsyncFileTransport, AsyncTransport, Tokio1Executor};
use message::Sender;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::time::Duration;

#[derive(Debug)]
pub struct Carrier {
    sender: Option<Sender>,
    transport: Way,
    timeout: Duration,
}

#[derive(Debug)]
enum Way {
    None,
    Files(Box<AsyncFileTransport<Tokio1Executor>>),
    Smtp(Box<Server>),
}

/// The mail transport cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NoTransport {
    #[error("the SMTP transport cannot be set up")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("cannot make the folder for mail at {path}")]
    Folder { path: std::path::PathBuf, source: std::io::Error },
    #[error("{0} is no address")]
    Address(String),
    #[error(
        "mail.dkim.key is neither RSA in PEM (BEGIN RSA PRIVATE KEY) nor 32 bytes of Ed25519 in base64; `openssl rsa -traditional -in KEY` rewrites a BEGIN PRIVATE KEY"
    )]
    Key,
}

/// A mail as the bytes of a message, as any mail program opens it. It is sent nowhere, and so belongs to no list.
///
/// # Errors
/// What keeps it from being written, in words.
pub fn eml(config: &config::Mail, mail: &Mail, created_at: Timestamp) -> Result<Vec<u8>, String> {
    // Keys mark return addresses alone, which stand on the envelope.
    let sender = Sender::new(config, &Keys::new(Vec::new())).map_err(|error| chain(&error))?;
    let (id, site, parcel) = (ParcelId::from_bytes([0; 16]), SiteId::new("preview"), Parcel::Mail(mail.clone()));
    let unsent = Delivery { id, site, parcel, attempt: 1, created_at, token: [0; 16] };
    Ok(sender.message(mail, &unsent)?.formatted())
}

/// Connects as a mail would, with TLS and login, and says goodbye.
///
/// # Errors
/// What went wrong, in words.
pub async fn try_out(smtp: &Smtp, timeout: Duration) -> Result<(), String> {
    let server = Server::new(smtp).map_err(|error| chain(&error))?;
    tokio::time::timeout(timeout, server.try_out()).await.unwrap_or_else(|_| Err("the mail server did not answer in time".to_owned()))
}

impl Carrier {
    /// `keys` mark the return address of each digest.
    pub fn new(config: &Config, keys: &Keys) -> Result<Self, NoTransport> {
        let timeout = config.outbox.timeout;
        let transport = match &config.mail.transport {
            Transport::None => return Ok(Self { sender: None, transport: Way::None, timeout }),
            Transport::Files(folder) => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)
                    .map_err(|source| NoTransport::Folder { path: folder.clone(), source })?;
                Way::Files(Box::new(AsyncFileTransport::new(folder)))
            }
            Transport::Smtp(smtp) => Way::Smtp(Box::new(Server::new(smtp)?)),
        };
        Ok(Self { sender: Some(Sender::new(&config.mail, keys)?), transport, timeout })
    }

    pub async fn carry(&self, mail: &Mail, delivery: &Delivery, now: Timestamp) -> Outcome {
        let Some(sender) = &self.sender else { return Outcome::GiveUp { reason: "no mail transport is set".to_owned() } };
        let message = match sender.message(mail, delivery) {
            Ok(message) => message,
            Err(reason) => return Outcome::GiveUp { reason },
        };
        match &self.transport {
            Way::None => Outcome::GiveUp { reason: "no mail transport is set".to_owned() },
            Way::Files(files) => match files.send(message).await {
                Ok(_) => Outcome::Delivered,
                Err(error) => Outcome::Retry { reason: error.to_string(), after: None },
            },
            // A connection that is cut off here is dropped with its mail: no answer of the one is read as the other's.
            Way::Smtp(server) => tokio::time::timeout(self.timeout, server.send(&message, now))
                .await
                .unwrap_or_else(|_| Outcome::Retry { reason: "the mail server did not answer in time".to_owned(), after: None }),
        }
    }
}
