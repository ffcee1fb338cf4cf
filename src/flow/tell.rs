//! Who is told what of a comment once its word is another: the blog by its webhook, and an Akismet client at the address that came with the
//! comment. What stands in a webhook is `document`'s.

use super::{App, document};
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::config::{HoldAs, Site};
use crate::decision::Status;
use crate::delivery::{Callback, Outgoing, Parcel, Webhook};
use crate::dice::Dice;
use crate::id::ParcelId;
use crate::store::Record;

/// What must leave of a ruling, from `due_at` on. Of what an Akismet client itself reported it need not be told.
pub fn of_ruling(app: &App, record: &Record, times: (Timestamp, Timestamp)) -> Vec<Outgoing> {
    let is_own = record.ruled.as_ref().is_some_and(|ruled| ruled.via == "akismet");
    let mut outgoing = as_it_stands(app, record, times);
    outgoing.retain(|outgoing| !is_own || !matches!(outgoing.parcel, Parcel::Callback(_)));
    outgoing
}

/// What must leave so that everybody knows how a comment stands, from `due_at` on.
pub fn as_it_stands(app: &App, record: &Record, (now, due_at): (Timestamp, Timestamp)) -> Vec<Outgoing> {
    let config = app.config();
    let Some(site) = config.sites.get(&record.comment.site) else { return Vec::new() };
    let webhook = site.webhook.as_ref().map(|_| document::ruling_webhook(site, record, now, due_at, &app.dice));
    let callback = callback(site, (&record.comment, record.status), (now, due_at), &app.dice);
    webhook.into_iter().chain(callback).collect()
}

/// A callback with how the comment now stands. None where nobody asked for one, or where Akismet has no word for it.
pub fn callback(
    site: &Site,
    (comment, status): (&Comment, Status),
    (now, due_at): (Timestamp, Timestamp),
    dice: &Dice,
) -> Option<Outgoing> {
    let callback = Callback { comment: comment.id, url: comment.callback.clone()?, is_spam: word(status, site.akismet.hold)? };
    Some(Outgoing { id: ParcelId::new(now, dice), site: comment.site.clone(), parcel: Parcel::Callback(callback), due_at })
}

/// What is told instead by a parcel that was given up: how the comment stands by now. None where nothing else is to be told.
pub fn renewed(site: &Site, parcel: &Parcel, record: &Record, now: Timestamp) -> Option<Parcel> {
    match parcel {
        Parcel::Webhook(webhook) => {
            Some(Parcel::Webhook(Webhook { payload: document::renewed_payload(site.form.as_ref(), record, now), ..webhook.clone() }))
        }
        Parcel::Callback(callback) => {
            let is_spam = word(record.status, site.akismet.hold)?;
            Some(Parcel::Callback(Callback { is_spam, ..callback.clone() }))
        }
        Parcel::Mail(_) => None,
    }
}

/// Whether a comment that stands so is spam to a client that knows no doubt. To some, held is ham for now; a callback would make that final.
fn word(status: Status, hold: HoldAs) -> Option<bool> {
    match (status, hold) {
        (Status::Published, _) => Some(false),
        (Status::Rejected, _) | (Status::Held, HoldAs::Spam) => Some(true),
        (Status::Held, HoldAs::Ham) | (Status::Queued, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_hears_only_what_it_has_a_word_for() {
        let check = |status, hold, expected| assert_eq!(word(status, hold), expected, "{status:?} {hold:?}");
        for hold in [HoldAs::Spam, HoldAs::Ham] {
            check(Status::Published, hold, Some(false));
            check(Status::Rejected, hold, Some(true));
            check(Status::Queued, hold, None);
        }
        check(Status::Held, HoldAs::Spam, Some(true));
        check(Status::Held, HoldAs::Ham, None);
    }
}
