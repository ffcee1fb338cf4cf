//! Digests: what is put before whom, as it stands when the mail leaves. Mail never blocks judging: this reads what is held, writes a
//! parcel, and the outbox does the rest. When one is due is `timing`'s to say, who gets mail at all `mailbox`'s; a week's rejections are
//! `weekly`'s.

mod copies;
mod timing;
mod weekly;

pub use copies::mark as mark_copies;
pub use weekly::{Looked, tick as weekly};

use crate::action::{Keys, Review};
use crate::clock::Timestamp;
use crate::config::{Config, Duty, Excerpt, Moderator, Site, Transport};
use crate::decision::{Decision, Mode, Objection, Ruling, Verdict};
use crate::delivery::{List, Mail, Outgoing, Parcel};
use crate::flow::alert::{self, Alert};
use crate::flow::desk::{self, Groups};
use crate::flow::{App, mailbox};
use crate::id::{DigestId, ParcelId};
use crate::store::{Kind, NewDigest, Reader, Record, StoreError, Wanted};
use crate::text::Reading;
use crate::view::{DigestMail, DigestView, History, Item, Objections, Occasion, Ruled};
use std::sync::PoisonError;

/// Comments that one link may rule on. The page stays readable; what is beyond comes with the next digest.
const PAGE_ITEMS_MAX: usize = 200;

/// Examples in the summary of a flood: it is there to be known of, not to be worked through in a mail.
const FLOOD_ITEMS_MAX: usize = 5;

/// Writes to every moderator for whom it is time; answers how many digests were made. None without a way to send mail: what is held then
/// waits unshown, for the day that there is one. Blocks: for a thread that serves nobody.
///
/// # Errors
/// [`StoreError`] from the store; digests made before it stand.
pub fn tick(app: &App) -> Result<usize, StoreError> {
    let mut made = 0;
    let config = app.config();
    let _alone = app.digests.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(config.mail.transport, Transport::None) {
        return Ok(made);
    }
    for site in config.sites.values().filter(|site| site.mode == Mode::Enforce) {
        let active = mailbox::active(&config, app.store.read(), site)?;
        let has_first = active.iter().any(|moderator| moderator.duty == Duty::First);
        for moderator in active {
            let now = app.clock.now();
            let Some(came_by) = came_by(moderator, has_first, now) else { continue };
            made += usize::from(write_to(app, site, moderator, came_by, now)?);
        }
        tell_undecided(app, site, app.clock.now())?;
    }
    Ok(made)
}

/// Writes to a moderator at once about what waits and they were not shown, whatever the hour; answers how many digests were made, of each of
/// their sites one at most. None where no mail is sent, or theirs are off. Blocks: for a thread that serves nobody.
///
/// # Errors
/// [`StoreError`] from the store; digests made before it stand.
pub fn send_now(app: &App, moderator: &Moderator) -> Result<usize, StoreError> {
    let (config, reader, now, mut made) = (app.config(), app.store.read(), app.clock.now(), 0);
    let _alone = app.digests.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(config.mail.transport, Transport::None) || reader.mailbox(&moderator.id)?.paused.is_some() {
        return Ok(made);
    }
    let sites = moderator.sites.iter().filter_map(|site| config.sites.get(site));
    for site in sites.filter(|site| site.mode == Mode::Enforce) {
        let wanted = Wanted { site: &site.id, moderator: &moderator.id, came_by: Timestamp::from_ms(i64::MAX), now };
        let (waiting, records) = (reader.standing(wanted)?.waiting, reader.unshown(wanted, PAGE_ITEMS_MAX)?);
        if records.is_empty() {
            continue;
        }
        let (groups, behind) = (desk::groups(app, &site.id)?, waiting.saturating_sub(records.len()));
        send(app, site, moderator, &Draft::new(app, Kind::New, copies::arranged(records, &groups), behind, now))?;
        made += 1;
    }
    Ok(made)
}

/// Comments that came by then are this moderator's business; none where there is never any.
fn came_by(moderator: &Moderator, has_first: bool, now: Timestamp) -> Option<Timestamp> {
    match moderator.duty {
        Duty::First => Some(Timestamp::from_ms(i64::MAX)),
        Duty::Standby if !has_first => Some(Timestamp::from_ms(i64::MAX)),
        Duty::Standby => (!moderator.digest.handover.is_zero()).then(|| now.minus(moderator.digest.handover)),
    }
}

fn write_to(app: &App, site: &Site, moderator: &Moderator, came_by: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    let reader = app.store.read();
    let wanted = Wanted { site: &site.id, moderator: &moderator.id, came_by, now };
    let standing = reader.standing(wanted)?;
    let (kind, records) = match timing::due(&standing, &moderator.digest, now) {
        Some(kind) => (kind, reader.unshown(wanted, PAGE_ITEMS_MAX)?),
        None if timing::may_remind(&standing, &moderator.digest, now) => {
            (Kind::Reminder, reader.unanswered(wanted, now.minus(moderator.digest.reminder), PAGE_ITEMS_MAX)?)
        }
        None => return Ok(false),
    };
    if records.is_empty() {
        // Ruled on since it was found due.
        return Ok(false);
    }
    let groups = desk::groups(app, &site.id)?;
    let behind = if kind == Kind::Reminder { 0 } else { standing.waiting.saturating_sub(records.len()) };
    send(app, site, moderator, &Draft::new(app, kind, copies::arranged(records, &groups), behind, now))?;
    Ok(true)
}

/// What is held for longer than anybody's turn, the admin should know of.
fn tell_undecided(app: &App, site: &Site, now: Timestamp) -> Result<(), StoreError> {
    let config = app.config();
    let of_site = config.moderators.values().filter(|moderator| moderator.sites.contains(&site.id));
    let Some(handover) = of_site.map(|moderator| moderator.digest.handover).filter(|handover| !handover.is_zero()).max() else {
        return Ok(());
    };
    let came_by = now.minus(handover);
    match app.store.read().oldest_held(&site.id)? {
        Some(oldest) if oldest <= came_by => {
            let comments = app.store.read().held_by(&site.id, came_by)?;
            alert::raise(app, site, &Alert::Undecided { comments, oldest })
        }
        Some(_) | None => Ok(()),
    }
}

/// A digest about to be written down, or to be written anew.
struct Draft {
    id: DigestId,
    kind: Kind,
    records: Vec<Record>,
    /// Comments that wait beyond these.
    behind: usize,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl Draft {
    fn new(app: &App, kind: Kind, records: Vec<Record>, behind: usize, now: Timestamp) -> Self {
        let (id, expires_at) = (DigestId::new(now, &app.dice), now.plus(app.config().review.link_valid));
        Self { id, kind, records, behind, created_at: now, expires_at }
    }
}

fn send(app: &App, site: &Site, moderator: &Moderator, draft: &Draft) -> Result<(), StoreError> {
    let now = draft.created_at;
    let parcel = Parcel::Mail(mail(app, site, moderator, draft)?);
    let outgoing = Outgoing { id: ParcelId::new(now, &app.dice), site: site.id.clone(), parcel, due_at: now };
    let digest = NewDigest {
        id: draft.id,
        site: site.id.clone(),
        moderator: moderator.id.clone(),
        kind: draft.kind,
        created_at: now,
        expires_at: draft.expires_at,
        items: draft.records.iter().map(|record| record.seq).collect(),
        outgoing,
    };
    app.store.send_digest(digest).wait()?;
    app.parcels.notify_one();
    Ok(())
}

fn mail(app: &App, site: &Site, moderator: &Moderator, draft: &Draft) -> Result<Mail, StoreError> {
    let links = Links::signed(app, moderator, draft);
    let groups = desk::groups(app, &site.id)?;
    let shown = render((app.store.read(), &groups), site, moderator, draft, &links)?;
    Ok(Mail {
        digest: draft.id,
        to_name: moderator.name.clone(),
        to_address: moderator.email.clone(),
        from_name: format!("{} comments", site.name),
        subject: shown.subject,
        text: shown.text,
        html: shown.html,
        list: Some(List { week: moderator.digest.zone.week(draft.created_at), pause_url: links.pause }),
    })
}

/// How a digest that waits in the outbox should leave.
#[derive(Debug)]
pub enum AtSend {
    AsWritten,
    /// Some of its comments were decided meanwhile.
    Anew(Box<Mail>),
    /// Nothing of it waits any more, or its reader is no moderator any more, or wants no mail.
    NoLonger,
}

/// Looks again at what a mail is about, as the last thing before it leaves.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn at_send(app: &App, mail: &Mail) -> Result<AtSend, StoreError> {
    if mail.list.is_none() {
        return Ok(AtSend::AsWritten);
    }
    // A comment of it was forgotten, and the digest with it.
    let Some(record) = app.store.read().digest(mail.digest)? else { return Ok(AtSend::NoLonger) };
    if app.store.read().mailbox(&record.moderator)?.paused.is_some() {
        return Ok(AtSend::NoLonger);
    }
    let open = record.items.iter().filter(|item| record.kind.asks_about(item)).count();
    if open == record.items.len() {
        return Ok(AtSend::AsWritten);
    }
    let config = app.config();
    let (Some(site), Some(moderator)) = (config.sites.get(&record.site), config.moderators.get(&record.moderator)) else {
        return Ok(AtSend::NoLonger);
    };
    if open == 0 {
        return Ok(AtSend::NoLonger);
    }
    let (created_at, expires_at) = (record.created_at, record.expires_at);
    let draft = Draft { id: mail.digest, kind: record.kind, records: record.items, behind: 0, created_at, expires_at };
    Ok(AtSend::Anew(Box::new(self::mail(app, site, moderator, &draft)?)))
}

/// Where a mail leads.
struct Links {
    review: String,
    pause: String,
}

impl Links {
    fn signed(app: &App, moderator: &Moderator, draft: &Draft) -> Self {
        let review = Review { digest: draft.id, moderator: moderator.id.clone(), expires_at: draft.expires_at };
        let review = format!("{}/d/{}", app.public_url, app.keys.sign_review(&review));
        Self { review, pause: pause_url(&app.public_url, &app.keys, moderator) }
    }
}

/// Where a moderator turns their mails off and on.
pub fn pause_url(public_url: &str, keys: &Keys, moderator: &Moderator) -> String {
    format!("{public_url}/u/{}", keys.sign_pause(&moderator.id))
}

/// Which mail is looked at before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preview {
    Digest,
    Weekly,
}

/// The mail that a moderator would get now, with links that give no right; none when there is nothing to tell. Sends and writes nothing.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn preview(
    config: &Config,
    reader: &Reader,
    site: &Site,
    moderator: &Moderator,
    (which, now): (Preview, Timestamp),
) -> Result<Option<DigestMail>, StoreError> {
    let wanted = Wanted { site: &site.id, moderator: &moderator.id, came_by: Timestamp::from_ms(i64::MAX), now };
    let waiting = reader.standing(wanted)?.waiting;
    let (kind, records) = match which {
        Preview::Weekly => (Kind::Weekly, weekly::near_the_line(reader, site, moderator, now)?),
        Preview::Digest if waiting >= moderator.digest.flood_items_min => (Kind::Flood, reader.unshown(wanted, PAGE_ITEMS_MAX)?),
        Preview::Digest => (Kind::New, reader.unshown(wanted, PAGE_ITEMS_MAX)?),
    };
    if records.is_empty() {
        return Ok(None);
    }
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let links = Links { review: format!("{base}/d/preview"), pause: format!("{base}/u/preview") };
    let behind = if which == Preview::Weekly { 0 } else { waiting.saturating_sub(records.len()) };
    let (created_at, expires_at) = (now, now.plus(config.review.link_valid));
    let groups = Groups::find(reader, &site.id)?;
    let records = copies::arranged(records, &groups);
    let draft = Draft { id: DigestId::from_bytes([0; 16]), kind, records, behind, created_at, expires_at };
    render((reader, &groups), site, moderator, &draft, &links).map(Some)
}

fn render(
    (reader, groups): (&Reader, &Groups),
    site: &Site,
    moderator: &Moderator,
    draft: &Draft,
    links: &Links,
) -> Result<DigestMail, StoreError> {
    let now = draft.created_at;
    let mut items = items(reader, &draft.records, now)?;
    items.retain(|item| record(&draft.records, item).is_some_and(|record| draft.kind.asks_about(record)));
    copies::mark(&mut items, &draft.records, groups);
    let since = match draft.kind {
        Kind::Weekly => weekly::since(reader, site, moderator, now)?,
        Kind::New | Kind::Flood | Kind::Reminder => reader.last_digest(&site.id, &moderator.id, now)?.unwrap_or(Timestamp::from_ms(0)),
    };
    let view = DigestView {
        occasion: match (draft.kind, moderator.duty) {
            (Kind::New, Duty::First) => Occasion::New,
            (Kind::New, Duty::Standby) => Occasion::Handover,
            (Kind::Flood, _) => Occasion::Flood,
            (Kind::Reminder, _) => Occasion::Reminder,
            (Kind::Weekly, _) => Occasion::Weekly,
        },
        site_name: &site.name,
        moderator_name: &moderator.name,
        items: &items,
        items_max: if draft.kind == Kind::Flood { FLOOD_ITEMS_MAX } else { moderator.digest.items_max },
        behind: draft.behind,
        handled: reader.handled(&site.id, since)?,
        excerpt_chars_max: match moderator.digest.excerpt {
            Excerpt::Full => 280,
            Excerpt::Short => 80,
            Excerpt::None => 0,
        },
        review_url: &links.review,
        pause_url: Some(&links.pause),
        expires_at: draft.expires_at,
        now,
    };
    Ok(view.render())
}

/// The record that an item was made of.
fn record<'a>(records: &'a [Record], item: &Item<'_>) -> Option<&'a Record> {
    records.get(item.number.checked_sub(1)?)
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
        Some(Item {
            number,
            comment: &record.comment,
            decision,
            status: record.status,
            is_check,
            history: before(record, decision, (facts.author_published, facts.author_spam)),
            objections,
            // What was objected to is open again.
            ruled: record.ruled.as_ref().filter(|_| !record.waits()).map(|ruled| Ruled {
                ruling: ruled.ruling,
                by: &ruled.by,
                at: ruled.at,
            }),
            copy_of: None,
        })
    });
    Ok(items.collect())
}

/// An author's record without the comment itself, which stands in it by how it was ruled, else by its verdict. It would count as its own past,
/// and of a spot check tell what was decided.
fn before(record: &Record, decision: &Decision, (published, spam): (u32, u32)) -> History {
    let ruling = record.ruled.as_ref().map(|ruled| ruled.ruling);
    let is_published = ruling.map_or(decision.verdict == Verdict::Publish, |ruling| ruling == Ruling::Publish);
    let (itself_published, itself_spam) = (u32::from(is_published), u32::from(ruling == Some(Ruling::Spam)));
    History { published: published.saturating_sub(itself_published), spam: spam.saturating_sub(itself_spam) }
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
