//! Digests: when held comments are put before a moderator, and which. Mail never blocks judging: this reads what is held, writes a
//! parcel, and the outbox does the rest.

use super::App;
use crate::action::Review;
use crate::clock::Timestamp;
use crate::config::{Config, Digest as Timing, Moderator, Site, Transport};
use crate::decision::{Mode, Objection, Verdict};
use crate::delivery::{Mail, Outgoing, Parcel};
use crate::id::{DigestId, ParcelId};
use crate::store::{NewDigest, Reader, Record, Standing, StoreError};
use crate::text::Reading;
use crate::view::{DigestMail, DigestView, History, Item, Objections, Ruled};

/// Comments that one link may rule on. The page stays readable; what is beyond comes with the next digest.
const PAGE_ITEMS_MAX: usize = 200;

/// Whether a moderator should be written to now.
pub fn is_due(standing: &Standing, timing: &Timing, now: Timestamp) -> bool {
    let Some(oldest) = standing.oldest else { return false };
    let wanted = standing.waiting >= timing.items_min || now.since(oldest) >= timing.age_max;
    let rested = standing.last_digest.is_none_or(|last| now.since(last) >= timing.interval_min);
    wanted && rested && standing.digests_today < timing.per_day_max
}

/// Writes to every moderator for whom it is time; answers how many digests were made. None without a way to send mail: what is held then
/// waits unshown, for the day that there is one. Blocks: for a thread that serves nobody.
///
/// # Errors
/// [`StoreError`] from the store; digests made before it stand.
pub fn tick(app: &App) -> Result<usize, StoreError> {
    let mut made = 0;
    let config = app.config();
    if matches!(config.mail.transport, Transport::None) {
        return Ok(made);
    }
    for moderator in config.moderators.values() {
        let sites = moderator.sites.iter().filter_map(|site| config.sites.get(site)).filter(|site| site.mode == Mode::Enforce);
        for site in sites {
            let now = app.clock.now();
            let standing = app.store.read().standing(&site.id, &moderator.id, now)?;
            if is_due(&standing, &config.digest, now) {
                send(app, site, moderator, now)?;
                made += 1;
            }
        }
    }
    Ok(made)
}

fn send(app: &App, site: &Site, moderator: &Moderator, now: Timestamp) -> Result<(), StoreError> {
    let records = app.store.read().unshown(&site.id, &moderator.id, now, PAGE_ITEMS_MAX)?;
    if records.is_empty() {
        // Ruled on since it was found due.
        return Ok(());
    }
    let id = DigestId::new(now, &app.dice);
    let expires_at = now.plus(app.config().review.link_valid);
    let token = app.keys.sign_review(&Review { digest: id, moderator: moderator.id.clone(), expires_at });
    let link = Link { url: format!("{}/d/{token}", app.public_url), expires_at };
    let mail = render((site, moderator), &records, &link, (app.store.read(), app.config().digest.items_max, now))?;
    let parcel = Parcel::Mail(Mail {
        digest: id,
        to_name: moderator.name.clone(),
        to_address: moderator.email.clone(),
        from_name: format!("{} comments", site.name),
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
    });
    let outgoing = Outgoing { id: ParcelId::new(now, &app.dice), site: site.id.clone(), parcel, due_at: now };
    let items = records.iter().map(|record| record.seq).collect();
    let digest = NewDigest { id, site: site.id.clone(), moderator: moderator.id.clone(), created_at: now, expires_at, items, outgoing };
    app.store.send_digest(digest).wait()?;
    app.parcels.notify_one();
    Ok(())
}

/// Where a mail leads, and how long that works.
struct Link {
    url: String,
    expires_at: Timestamp,
}

/// The digest that a moderator would get now, with a link that gives no right; none when nothing waits. Sends and writes nothing.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn preview(
    config: &Config,
    reader: &Reader,
    site: &Site,
    moderator: &Moderator,
    now: Timestamp,
) -> Result<Option<DigestMail>, StoreError> {
    let records = reader.unshown(&site.id, &moderator.id, now, PAGE_ITEMS_MAX)?;
    if records.is_empty() {
        return Ok(None);
    }
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let link = Link { url: format!("{base}/d/preview"), expires_at: now.plus(config.review.link_valid) };
    render((site, moderator), &records, &link, (reader, config.digest.items_max, now)).map(Some)
}

fn render(
    (site, moderator): (&Site, &Moderator),
    records: &[Record],
    link: &Link,
    (reader, items_max, now): (&Reader, usize, Timestamp),
) -> Result<DigestMail, StoreError> {
    let items = items(reader, records, now)?;
    let shown = items.get(..items_max).unwrap_or(&items);
    let since = reader.standing(&site.id, &moderator.id, now)?.last_digest.unwrap_or(Timestamp::from_ms(0));
    let view = DigestView {
        site_name: &site.name,
        moderator_name: &moderator.name,
        items: shown,
        more: items.len() - shown.len(),
        handled: reader.handled(&site.id, since)?,
        review_url: &link.url,
        pause_url: None,
        expires_at: link.expires_at,
        now,
    };
    Ok(view.render())
}

/// Records as people are shown them, numbered from 1.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn items<'a>(reader: &Reader, records: &'a [Record], now: Timestamp) -> Result<Vec<Item<'a>>, StoreError> {
    let readings: Vec<Reading> = records.iter().map(|record| Reading::of(&record.comment.body)).collect();
    let facts = reader.facts(records.iter().map(|record| &record.comment).zip(&readings), now)?;
    let objections = records.iter().map(|record| objections(reader, record)).collect::<Result<Vec<_>, _>>()?;
    let items = (1..).zip(records.iter().zip(facts)).zip(objections).filter_map(|((number, (record, facts)), objections)| {
        let (decision, is_check) = (record.decision.as_ref()?, record.is_open_check());
        // A spot check that was published stands in its author's record, which would tell what was decided.
        let itself = u32::from(is_check && decision.verdict == Verdict::Publish);
        Some(Item {
            number,
            comment: &record.comment,
            decision,
            status: record.status,
            is_check,
            history: History { published: facts.author_published.saturating_sub(itself), spam: facts.author_spam },
            objections,
            // What was objected to is open again.
            ruled: record.ruled.as_ref().filter(|_| !record.waits()).map(|ruled| Ruled {
                ruling: ruled.ruling,
                by: &ruled.by,
                at: ruled.at,
            }),
        })
    });
    Ok(items.collect())
}

/// What is still to be answered; of most comments nothing, and then nothing is read.
fn objections(reader: &Reader, record: &Record) -> Result<Objections, StoreError> {
    if record.objected_at.is_none() {
        return Ok(Objections::default());
    }
    let all = reader.objections(record.seq)?;
    let count = |sought| all.iter().filter(|objected| objected.objection == sought).count();
    Ok(Objections { reports: count(Objection::Report), appeals: count(Objection::Appeal) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const TIMING: Timing =
        Timing { items_min: 10, age_max: Duration::from_hours(4), interval_min: Duration::from_mins(30), per_day_max: 6, items_max: 25 };

    fn hours(hours: u64) -> Timestamp {
        Timestamp::from_ms(0).plus(Duration::from_hours(hours))
    }

    #[test]
    fn a_digest_is_due_when_much_waits_or_long() {
        let standing = Standing { waiting: 1, oldest: Some(hours(0)), last_digest: None, digests_today: 0 };
        let due = |standing: Standing, now| is_due(&standing, &TIMING, now);
        assert!(!due(Standing { waiting: 0, oldest: None, ..standing }, hours(9)));
        assert!(!due(standing, hours(3)));
        assert!(due(standing, hours(4)));
        assert!(due(Standing { waiting: 10, ..standing }, hours(0)));
        assert!(!due(Standing { last_digest: Some(hours(4)), ..standing }, hours(4)));
        assert!(due(Standing { last_digest: Some(hours(4)), ..standing }, hours(5)));
        assert!(!due(Standing { digests_today: 6, ..standing }, hours(9)));
    }
}
