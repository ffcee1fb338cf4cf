//! The message of RFC 5322: its headers, its two parts, its signature. lettre 0.11 panics on CR, LF or NUL in a display name, so nothing but
//! [`header_text`] makes one here.

use super::NoTransport;
use crate::action::Keys;
use crate::config::{self, Dkim};
use crate::delivery::{Delivery, Mail};
use crate::view::header_text;
use lettre::address::Envelope;
use lettre::message::dkim::{DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey, dkim_sign};
use lettre::message::header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use std::time::{Duration, UNIX_EPOCH};

/// What a signature vouches for. All that is there, above all both List-Unsubscribe headers: RFC 8058 lets nobody act on unsigned ones.
/// lettre's default would sign From, Subject, To and Date.
const SIGNED: [&str; 13] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "References",
    "In-Reply-To",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
];

/// Who sends, and how that is vouched for.
#[derive(Debug)]
pub struct Sender {
    from: Address,
    /// Where delivery reports go; the part before the `@`, and the domain.
    bounces: Option<(String, String)>,
    dkim: Option<DkimConfig>,
    keys: Keys,
}

impl Sender {
    pub fn new(mail: &config::Mail, keys: &Keys) -> Result<Self, NoTransport> {
        let from = mail.from.parse().map_err(|_| NoTransport::Address(format!("mail.from {:?}", mail.from)))?;
        let bounces =
            mail.bounces.as_ref().and_then(|address| address.rsplit_once('@')).map(|(local, domain)| (local.to_owned(), domain.to_owned()));
        Ok(Self { from, bounces, dkim: mail.dkim.as_ref().map(signer).transpose()?, keys: keys.clone() })
    }

    /// Its id is the digest's and its date the parcel's, so that a repeat is known as the same and a mail client folds it.
    pub fn message(&self, mail: &Mail, delivery: &Delivery) -> Result<Message, String> {
        let to: Address = mail.to_address.parse().map_err(|error| format!("the moderator's address cannot be used: {error}"))?;
        let domain = self.from.domain();
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(delivery.created_at.ms()).unwrap_or(0));
        let envelope = Envelope::new(Some(self.return_path(mail)), vec![to.clone()]).map_err(|error| error.to_string())?;
        let mut builder = Message::builder()
            .envelope(envelope)
            .from(Mailbox::new(name(&mail.from_name), self.from.clone()))
            .to(Mailbox::new(name(&mail.to_name), to))
            .subject(mail.subject.chars().filter(|c| !c.is_control()).collect::<String>())
            .date(date)
            .message_id(Some(format!("<{}@{domain}>", mail.digest)))
            .header(AutoSubmitted("auto-generated".to_owned()));
        if let Some(list) = &mail.list {
            // A root that was never sent: mail programs put under it what names it.
            let root = format!("<{}.{}.hamlet@{domain}>", list.week, delivery.site);
            builder = builder
                .references(root.clone())
                .in_reply_to(root)
                .header(ListId(format!("<{}.hamlet.{domain}>", delivery.site)))
                .header(ListUnsubscribe(format!("<{}>", list.pause_url)))
                .header(ListUnsubscribePost("List-Unsubscribe=One-Click".to_owned()));
        }
        let parts = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
            .singlepart(part(ContentType::TEXT_HTML, &mail.html));
        let kind = parts.headers().get::<ContentType>();
        let mut message = builder.multipart(parts).map_err(|error| error.to_string())?;
        if let Some(dkim) = &self.dkim {
            sign(&mut message, kind, dkim);
        }
        Ok(message)
    }

    /// `bounces+MARK@example.org`, by which a report tells its mail even if it quotes nothing of it (variable envelope return paths).
    fn return_path(&self, mail: &Mail) -> Address {
        let marked = self.bounces.as_ref().map(|(local, domain)| Address::new(format!("{local}+{}", self.keys.mark(mail.digest)), domain));
        marked.and_then(Result::ok).unwrap_or_else(|| self.from.clone())
    }
}

/// Relaxed both ways, as every large sender does: what is on the way may fold headers anew and drop blanks at ends of lines.
fn signer(dkim: &Dkim) -> Result<DkimConfig, NoTransport> {
    let text = dkim.key.text();
    let algorithm = if text.contains("BEGIN") { DkimSigningAlgorithm::Rsa } else { DkimSigningAlgorithm::Ed25519 };
    let key = DkimSigningKey::new(text.trim(), algorithm).map_err(|_| NoTransport::Key)?;
    let headers = SIGNED.map(HeaderName::new_from_ascii_str).to_vec();
    let relaxed = DkimCanonicalization { header: DkimCanonicalizationType::Relaxed, body: DkimCanonicalizationType::Relaxed };
    Ok(DkimConfig::new(dkim.selector.clone(), dkim.domain.clone(), key, headers, relaxed))
}

/// lettre keeps the Content-Type of a multipart message with its parts, where `dkim_sign` does not look: it would name the header and not hash
/// it. So it stands among the others while they are signed.
fn sign(message: &mut Message, kind: Option<ContentType>, dkim: &DkimConfig) {
    if let Some(kind) = kind {
        message.headers_mut().set(kind);
    }
    dkim_sign(message, dkim);
    message.headers_mut().remove::<ContentType>();
}

/// Quoted-printable or base64, whichever is less; lettre takes the former up to a third of bytes that it must escape, where it is a fifth more.
/// Plain ASCII in short lines stays as it is.
fn part(kind: ContentType, body: &str) -> SinglePart {
    let builder = SinglePart::builder().header(kind);
    let usual = Body::new(body.to_owned());
    let base64 = Body::new_with_encoding(body.to_owned(), ContentTransferEncoding::Base64);
    match base64 {
        Ok(base64) if base64.as_ref().len() < usual.as_ref().len() => builder.body(base64),
        Ok(_) | Err(_) => builder.body(usual),
    }
}

fn name(name: &str) -> Option<String> {
    let name = header_text(name);
    (!name.is_empty()).then_some(name)
}

/// A header of one line of our own making, written as it is: folded, some programs do not read it.
macro_rules! line_header {
    ($(#[$doc:meta])* $name:ident, $written:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        struct $name(String);

        impl Header for $name {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($written)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::dangerous_new_pre_encoded(Self::name(), self.0.clone(), self.0.clone())
            }
        }
    };
}

line_header!(
    /// RFC 3834: vacation responders leave it alone.
    AutoSubmitted,
    "Auto-Submitted"
);
line_header!(
    /// RFC 2919: one list a site, so that mail can be filed.
    ListId,
    "List-Id"
);
line_header!(
    /// RFC 2369: where its reader turns the mails off.
    ListUnsubscribe,
    "List-Unsubscribe"
);
line_header!(
    /// RFC 8058: and that one POST there is enough.
    ListUnsubscribePost,
    "List-Unsubscribe-Post"
);
