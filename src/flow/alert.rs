//! Alerts: trouble that judging does not suffer from and people would not notice, such as mail that does not arrive. Each is told in the
//! log, by the site's webhook, and to the admin by mail where one is set; never with an address in it.

use super::{App, mailbox};
use crate::clock::Timestamp;
use crate::config::{Site, Transport};
use crate::delivery::{Outgoing, Parcel, Webhook};
use crate::id::{CommentId, ModeratorId, ParcelId};
use crate::store::{PausedBy, StoreError};
use crate::view::LetterView;
use serde::Serialize;
use std::time::Duration;

/// The same trouble of one site is told again after this.
const REST: Duration = Duration::from_hours(24);

/// What somebody should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alert<'a> {
    /// A digest was given up.
    Undelivered { moderator: &'a ModeratorId, reason: &'a str },
    /// A moderator gets no more mail; `left` others of the site do.
    Paused { moderator: &'a ModeratorId, by: PausedBy, left: usize },
    /// Comments were held for so long that whose turn it was had theirs.
    Undecided { comments: usize, oldest: Timestamp },
}

/// As webhooks carry it.
#[derive(Serialize)]
struct Event<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    site: &'a str,
    /// One sentence for people.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    moderator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<usize>,
}

impl Alert<'_> {
    /// The type of the webhook's event.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Undelivered { .. } => "mail.undelivered",
            Self::Paused { .. } => "moderator.paused",
            Self::Undecided { .. } => "queue.undecided",
        }
    }

    fn moderator(&self) -> Option<&ModeratorId> {
        match self {
            Self::Undelivered { moderator, .. } | Self::Paused { moderator, .. } => Some(moderator),
            Self::Undecided { .. } => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Undelivered { moderator, reason } => format!("A digest for {moderator} could not be delivered: {reason}."),
            Self::Paused { moderator, by, left } => {
                let why = match by {
                    PausedBy::Link | PausedBy::Desk => "asked for it",
                    PausedBy::Cli => "was paused on the command line",
                    PausedBy::Bounces => "did not get the last two: they came back",
                };
                let left = match left {
                    0 => "Nobody is written to about this site any more.".to_owned(),
                    1 => "1 other is.".to_owned(),
                    others => format!("{others} others are."),
                };
                format!("{moderator} gets no more digests: {moderator} {why}. {left}")
            }
            Self::Undecided { comments, oldest } => {
                let verb = if *comments == 1 { "1 comment is held" } else { &format!("{comments} comments are held") };
                format!("{verb} that nobody has decided, the oldest since {} UTC. What nobody decides stays held.", oldest.day_and_hour())
            }
        }
    }

    /// What the admin can do about it.
    fn advice(&self) -> String {
        match self {
            Self::Undelivered { moderator, .. } => {
                format!(
                    "Check the address of {moderator} in the settings and the log of the mail server. `hamlet queue list` shows what waits."
                )
            }
            Self::Paused { moderator, .. } => format!("`hamlet moderator resume {moderator}` turns them on again."),
            Self::Undecided { .. } => {
                "`hamlet queue list` shows them; a moderator with duty = \"standby\" would have got them by mail.".to_owned()
            }
        }
    }
}

/// Tells an alert about a site, unless its like was told within a day. Blocks: for a thread that serves nobody.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn raise(app: &App, site: &Site, alert: &Alert<'_>) -> Result<(), StoreError> {
    let now = app.clock.now();
    let is_news = match alert {
        Alert::Paused { .. } => true,
        Alert::Undelivered { .. } | Alert::Undecided { .. } => {
            !app.store.read().was_alerted(&site.id, alert.kind(), now, REST)?
                && app.store.alert(&site.id, alert.kind(), now, REST).wait()?
        }
    };
    if !is_news {
        return Ok(());
    }
    tracing::warn!(site = %site.id, kind = alert.kind(), text = alert.text(), "alert.raised");
    let webhook = site.webhook.is_some().then(|| webhook(app, site, alert, now));
    let outgoing: Vec<Outgoing> = webhook.into_iter().chain(to_admin(app, site, alert, now)).collect();
    app.store.send(outgoing).wait()?;
    app.parcels.notify_one();
    Ok(())
}

fn webhook(app: &App, site: &Site, alert: &Alert<'_>, now: Timestamp) -> Outgoing {
    let comments = if let Alert::Undecided { comments, .. } = alert { Some(*comments) } else { None };
    let data = Data { site: site.id.as_str(), text: alert.text(), moderator: alert.moderator().map(ModeratorId::as_str), comments };
    let event = Event { r#type: alert.kind(), timestamp: now.to_string(), data };
    let payload = serde_json::to_string(&event).unwrap_or_default();
    // It is about no comment, so a fresh id gives it a lane of its own.
    let parcel = Parcel::Webhook(Webhook { comment: CommentId::new(now, &app.dice), payload });
    Outgoing { id: ParcelId::new(now, &app.dice), site: site.id.clone(), parcel, due_at: now }
}

fn to_admin(app: &App, site: &Site, alert: &Alert<'_>, now: Timestamp) -> Option<Outgoing> {
    let config = app.config();
    let address = config.mail.admin.as_ref()?;
    if matches!(config.mail.transport, Transport::None) {
        return None;
    }
    let subject = match alert {
        Alert::Undelivered { .. } => "a digest could not be delivered",
        Alert::Paused { left: 0, .. } => "nobody is written to any more",
        Alert::Paused { .. } => "a moderator gets no more digests",
        Alert::Undecided { .. } => "comments that nobody decides",
    };
    let letter = LetterView { site_name: &site.name, subject, sentences: &[alert.text(), alert.advice()], link: None }.render();
    Some(mailbox::letter(app, site, ("", address), letter, now))
}
