//! Mailboxes: who gets mail, who turned it off, and whose mail comes back. Whatever ends a moderator's mails is told to somebody who can
//! do something about it; what is in the mails is `digest`'s.

use super::App;
use super::alert::{self, Alert};
use crate::clock::Timestamp;
use crate::config::{Config, Moderator, Site, Transport};
use crate::delivery::{Mail, Outgoing, Parcel};
use crate::id::{DigestId, ModeratorId, ParcelId};
use crate::store::{Mailbox, PausedBy, Reader, StoreError};
use crate::view::{Letter, LetterView};

/// Digests in a row that come back before no more are sent. One may be a mail server's bad day.
const BOUNCES_MAX: u32 = 2;

/// The moderators of a site who get mail.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn active<'a>(config: &'a Config, reader: &Reader, site: &Site) -> Result<Vec<&'a Moderator>, StoreError> {
    let mut active = Vec::new();
    for moderator in config.moderators.values().filter(|moderator| moderator.sites.contains(&site.id)) {
        if reader.mailbox(&moderator.id)?.paused.is_none() {
            active.push(moderator);
        }
    }
    Ok(active)
}

/// Turns a moderator's digests off; whether they were on. Blocks: for a thread that serves nobody.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn pause(app: &App, moderator: &Moderator, by: PausedBy) -> Result<bool, StoreError> {
    if !app.store.pause(&moderator.id, by, app.clock.now()).wait()? {
        return Ok(false);
    }
    tracing::info!(moderator = %moderator.id, by = by.as_str(), "mailbox.paused");
    let config = app.config();
    for site in moderator.sites.iter().filter_map(|site| config.sites.get(site)) {
        let others = active(&config, app.store.read(), site)?;
        let alert = Alert::Paused { moderator: &moderator.id, by, left: others.len() };
        if others.is_empty() || by == PausedBy::Bounces {
            alert::raise(app, site, &alert)?;
        }
        if by == PausedBy::Bounces {
            tell(app, site, &others, moderator)?;
        }
    }
    Ok(true)
}

/// Turns them on again; whether they were off.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn resume(app: &App, moderator: &ModeratorId) -> Result<bool, StoreError> {
    let resumed = app.store.resume(moderator).wait()?;
    if resumed {
        tracing::info!(moderator = %moderator, "mailbox.resumed");
    }
    // What waited meanwhile may be due at once.
    app.held.notify_one();
    Ok(resumed)
}

/// A digest came back for good. The second in a row ends them, until somebody resumes them; a person who rules by a link in between shows
/// that mail arrives. Whether the digest was known.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn bounced(app: &App, digest: DigestId, reason: &str) -> Result<bool, StoreError> {
    let Some(digest_record) = app.store.read().digest(digest)? else { return Ok(false) };
    let config = app.config();
    let Some(moderator) = config.moderators.get(&digest_record.moderator) else { return Ok(true) };
    let Some(bounces) = app.store.bounced(&moderator.id, digest).wait()? else { return Ok(true) };
    tracing::warn!(moderator = %moderator.id, digest.id = %digest, bounces, reason, "mailbox.bounced");
    if bounces >= BOUNCES_MAX {
        pause(app, moderator, PausedBy::Bounces)?;
    }
    Ok(true)
}

/// How a mail was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// For whatever reason of its own or the server's.
    Undelivered,
    /// There is no such mailbox.
    Bounced,
}

/// A digest was given up by the outbox. A letter about such trouble makes no more of it.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn given_up(app: &App, mail: &Mail, how: GivenUp, reason: &str) -> Result<(), StoreError> {
    let Some(digest) = app.store.read().digest(mail.digest)? else { return Ok(()) };
    if let Some(site) = app.config().sites.get(&digest.site) {
        alert::raise(app, site, &Alert::Undelivered { moderator: &digest.moderator, reason })?;
    }
    if how == GivenUp::Bounced {
        bounced(app, mail.digest, reason)?;
    }
    Ok(())
}

/// The other moderators of a site learn that they are fewer now.
fn tell(app: &App, site: &Site, others: &[&Moderator], moderator: &Moderator) -> Result<(), StoreError> {
    let now = app.clock.now();
    let sentences = [
        format!("Mail to {} came back twice, so none is sent there any more.", moderator.name),
        format!("Until that is mended, the comments of {} wait for you and the others.", site.name),
    ];
    let to = |other: &&Moderator| {
        let view = LetterView { site_name: &site.name, subject: "mail to a moderator comes back", sentences: &sentences, link: None };
        letter(app, site, (&other.name, &other.email), view.render(), now)
    };
    app.store.send(others.iter().map(to).collect()).wait()?;
    app.parcels.notify_one();
    Ok(())
}

/// Sends a mail by which a moderator can show that mail arrives, by the button behind its link; whether mail is sent at all.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn ask_to_confirm(app: &App, moderator: &Moderator) -> Result<bool, StoreError> {
    let (config, now) = (app.config(), app.clock.now());
    let Some(site) = moderator.sites.iter().find_map(|site| config.sites.get(site)) else { return Ok(false) };
    if matches!(config.mail.transport, Transport::None) {
        return Ok(false);
    }
    let expires_at = now.plus(config.review.link_valid);
    let url = format!("{}/confirm/{}", app.public_url, app.keys.sign_confirm(&moderator.id, &moderator.email, expires_at));
    let sentences = [
        format!("This is a test of the mail that Hamlet sends to {}.", moderator.name),
        "If you read it in your inbox, all is well: open the link and press its button, so that Hamlet knows. If it lay in a folder for junk, \
         first tell your mail program that it is not junk."
            .to_owned(),
        format!("The link works until {}. Nothing happens if you leave it.", expires_at.day()),
    ];
    let view = LetterView {
        site_name: &site.name,
        subject: "does this mail reach you?",
        sentences: &sentences,
        link: Some(("Say that it does", &url)),
    };
    let outgoing = letter(app, site, (&moderator.name, &moderator.email), view.render(), now);
    app.store.send(vec![outgoing]).wait()?;
    app.parcels.notify_one();
    Ok(true)
}

/// What is known of whether a moderator reads the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// Somebody pressed a button behind a link then.
    At(Timestamp),
    /// Somebody did, and the address in the settings is another one since.
    Elsewhere(Timestamp),
    Never,
}

impl Confirmed {
    pub fn of(mailbox: &Mailbox, moderator: &Moderator) -> Self {
        match mailbox.answered {
            Some((at, Some(address))) if address != moderator.address_hash() => Self::Elsewhere(at),
            Some((at, _)) => Self::At(at),
            None => Self::Never,
        }
    }
}

/// A letter on its way: of no list, with nothing to turn off.
pub(super) fn letter(app: &App, site: &Site, (to_name, to_address): (&str, &str), letter: Letter, now: Timestamp) -> Outgoing {
    let mail = Mail {
        digest: DigestId::new(now, &app.dice),
        to_name: to_name.to_owned(),
        to_address: to_address.to_owned(),
        from_name: format!("{} comments", site.name),
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
        list: None,
    };
    Outgoing { id: ParcelId::new(now, &app.dice), site: site.id.clone(), parcel: Parcel::Mail(mail), due_at: now }
}
