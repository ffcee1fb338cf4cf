//! Review: people's rulings, by link, API or CLI. The latest ruling wins and no machine overrides it; what a moderator may rule on is
//! what the signed link says, each item once a version.

use super::desk::PUBLISH_TOGETHER_MAX;
use super::{App, tell};
use crate::action::Refused;
use crate::clock::Timestamp;
use crate::config::Moderator;
use crate::decision::Ruling;
use crate::id::{CommentId, ModeratorId, SiteId};
use crate::store::{Batch, DigestRecord, NewRuling, Record, Ruled, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Who rules, and by what way: recorded with the ruling and told to the blog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruler {
    pub by: String,
    /// `link`, `desk`, `api`, `cli` or `akismet`.
    pub via: &'static str,
}

/// A name is shown to people, so it is kept short.
const NAME_CHARS_MAX: usize = 80;

impl Ruler {
    /// A name as a site gave it, fit to be shown.
    pub fn name(given: &str) -> String {
        given.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
    }
}

/// Gives a ruling; answers how the comment now stands and whether this ruling was taken (it is not when the comment stands so already,
/// or is no longer at `version`). None for an unknown comment. The blog hears of it after `hush`; the site's model learns it at once.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn rule(
    app: &std::sync::Arc<App>,
    site: &SiteId,
    comment: CommentId,
    ruling: Ruling,
    ruler: Ruler,
    (version, hush): (Option<u32>, Duration),
) -> Result<Option<(Record, bool)>, StoreError> {
    let now = app.clock.now();
    let second_look_at = second_look(app, ruling, ruler.via);
    let ruled = Ruled { ruling, by: ruler.by, via: ruler.via.to_owned(), at: now };
    let teller = std::sync::Arc::clone(app);
    let outgoing = move |record: &Record| tell::of_ruling(&teller, record, (now, now.plus(hush)));
    let ruled =
        app.store.rule(NewRuling { version, second_look_at, ..NewRuling::new(site.clone(), comment, ruled) }, outgoing).done().await?;
    app.has_ruled(site);
    app.parcels.notify_one();
    Ok(ruled)
}

/// One comment as it was shown to who rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub site: SiteId,
    pub comment: CommentId,
    pub version: u32,
}

/// Gives several rulings at once, with one undo; answers what names them together, and the comments that were still as they were shown. `who` is
/// whose act it is, for the log of acts. The blogs hear of it after the time to undo.
///
/// # Errors
/// [`StoreError`] from the store; nothing was ruled then.
pub async fn rule_together(
    app: &Arc<App>,
    shown: Vec<Shown>,
    ruling: Ruling,
    ruler: Ruler,
    who: Option<ModeratorId>,
) -> Result<(Batch, Vec<Record>), StoreError> {
    let (now, random) = (app.clock.now(), app.dice.bytes());
    let batch: Batch = random.first_chunk().copied().unwrap_or_default();
    let sites: BTreeSet<SiteId> = shown.iter().map(|shown| shown.site.clone()).collect();
    let new = |shown: Shown| {
        let ruled = Ruled { ruling, by: ruler.by.clone(), via: ruler.via.to_owned(), at: now };
        NewRuling {
            version: Some(shown.version),
            who: who.clone(),
            batch: Some(batch),
            second_look_at: second_look(app, ruling, ruler.via),
            ..NewRuling::new(shown.site, shown.comment, ruled)
        }
    };
    let new: Vec<NewRuling> = shown.into_iter().map(new).collect();
    let (teller, due_at) = (Arc::clone(app), now.plus(app.config().review.undo));
    let outgoing = move |record: &Record| tell::of_ruling(&teller, record, (now, due_at));
    let taken = app.store.rule_together(new, outgoing).done().await?;
    sites.iter().for_each(|site| app.has_ruled(site));
    app.parcels.notify_one();
    Ok((batch, taken))
}

/// Takes back a moderator's rulings of these sites that were given together, as far as nobody said anything since; answers the comments as they
/// now stand.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn undo(app: &Arc<App>, batch: Batch, moderator: &Moderator, sites: Vec<SiteId>) -> Result<Vec<Record>, StoreError> {
    let now = app.clock.now();
    let who = (moderator.id.clone(), moderator.name.clone(), sites);
    let teller = Arc::clone(app);
    let undone = app.store.undo(batch, who, now, move |record| tell::as_it_stands(&teller, record, (now, now))).done().await?;
    let sites: BTreeSet<&SiteId> = undone.iter().map(|record| &record.comment.site).collect();
    sites.into_iter().for_each(|site| app.has_ruled(site));
    app.parcels.notify_one();
    app.held.notify_one();
    Ok(undone)
}

/// A day: long enough to have forgotten what one said.
const SECOND_LOOK_AFTER: Duration = Duration::from_hours(24);

/// When somebody is to look again at what is ruled now, without knowing how: for a share of the labels that people give while they look at
/// the comment itself.
pub(super) fn second_look(app: &App, ruling: Ruling, via: &str) -> Option<Timestamp> {
    let is_drawn = ["link", "desk"].contains(&via) && ruling != Ruling::Remove && app.dice.unit() < app.config().review.second_look_share;
    is_drawn.then(|| app.clock.now().plus(SECOND_LOOK_AFTER))
}

/// A review link that was opened: whose it is, and what it is about.
#[derive(Debug)]
pub struct Opened<'a> {
    pub token: &'a str,
    pub moderator: Moderator,
    pub site_name: String,
    pub digest: DigestRecord,
}

/// Why a link or a form did nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The moderator, the site or the digest is no longer there.
    #[error("the link's right was withdrawn")]
    Withdrawn,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a form on the page asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The number of the item in the mail, from 1.
    pub item: usize,
    pub nonce: String,
    /// Near-copies that stayed ticked: their numbers, each with a nonce of its own.
    pub copies: Vec<(usize, String)>,
    pub ruling: Ruling,
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// So many comments were ruled on; those that were missed had been decided or had changed.
    Ruled {
        batch: Batch,
        comments: usize,
        missed: usize,
    },
    /// More than may be published together. Nothing changed.
    TooManyToPublish,
    /// A person decided it before, or in the meantime. Nothing changed.
    AlreadyDecided,
    /// The page was open too long, or showed something else. Nothing changed.
    PageTooOld,
    NoSuchItem,
}

/// Opens a review link. Changes nothing.
///
/// # Errors
/// [`NotOpened`].
pub fn open<'a>(app: &'a App, token: &'a str) -> Result<Opened<'a>, NotOpened> {
    let review = app.keys.verify_review(token, app.clock.now())?;
    let config = app.config();
    let moderator = config.moderators.get(&review.moderator).ok_or(NotOpened::Withdrawn)?;
    let digest = app.store.read().digest(review.digest)?.ok_or(NotOpened::Withdrawn)?;
    let site = config.sites.get(&digest.site).ok_or(NotOpened::Withdrawn)?;
    if digest.moderator != review.moderator || !moderator.sites.contains(&digest.site) {
        return Err(NotOpened::Withdrawn);
    }
    Ok(Opened { token, moderator: moderator.clone(), site_name: site.name.clone(), digest })
}

/// Rules on one item of an opened link and on its ticked near-copies, as far as the form was made for the versions that stand.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn rule_by_link(app: &Arc<App>, opened: &Opened<'_>, asked: &Asked) -> Result<Done, StoreError> {
    if opened.record(asked.item).is_none() {
        return Ok(Done::NoSuchItem);
    }
    let Some(record) = opened.open(asked.item) else { return Ok(Done::AlreadyDecided) };
    if !opened.was_shown(app, asked.item, record, &asked.nonce) {
        return Ok(Done::PageTooOld);
    }
    if asked.ruling == Ruling::Publish && asked.copies.len() >= PUBLISH_TOGETHER_MAX {
        return Ok(Done::TooManyToPublish);
    }
    let stands = |(item, nonce): &(usize, String)| opened.open(*item).filter(|copy| opened.was_shown(app, *item, copy, nonce));
    let copies: Vec<&Record> = asked.copies.iter().filter_map(stands).collect();
    let site = &opened.digest.site;
    let shown = |record: &Record| Shown { site: site.clone(), comment: record.comment.id, version: record.version };
    let shown: Vec<Shown> = std::iter::once(record).chain(copies).map(shown).collect();
    let ruler = Ruler { by: opened.moderator.name.clone(), via: "link" };
    let (batch, taken) = rule_together(app, shown, asked.ruling, ruler, None).await?;
    app.store.answered(&opened.moderator.id, opened.moderator.address_hash(), app.clock.now()).done().await?;
    let missed = (1 + asked.copies.len()).saturating_sub(taken.len());
    Ok(if taken.is_empty() { Done::AlreadyDecided } else { Done::Ruled { batch, comments: taken.len(), missed } })
}

/// Takes back what a link ruled, if a page of it offered that not long ago; none if not.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn undo_by_link(app: &Arc<App>, opened: &Opened<'_>, batch: Batch, nonce: &str) -> Result<Option<Vec<Record>>, StoreError> {
    let (now, valid) = (app.clock.now(), app.config().review.nonce_valid);
    if app.keys.verify_nonce(nonce, &opened.undoing(batch), 0, 0, now, valid).is_err() {
        return Ok(None);
    }
    undo(app, batch, &opened.moderator, vec![opened.digest.site.clone()]).await.map(Some)
}

impl Opened<'_> {
    /// The nonce of a form that takes a ruling of this link back.
    pub fn undo_nonce(&self, app: &App, batch: Batch) -> String {
        app.keys.sign_nonce(&self.undoing(batch), 0, 0, app.clock.now())
    }

    /// What such a nonce is for; no token has a space.
    fn undoing(&self, batch: Batch) -> String {
        format!("{} undo {:032x}", self.token, u128::from_be_bytes(batch))
    }

    /// The comment with this number, however it stands.
    fn record(&self, item: usize) -> Option<&Record> {
        self.digest.items.get(item.checked_sub(1)?)
    }

    /// The comment with this number, if the mail still asks about it.
    pub fn open(&self, item: usize) -> Option<&Record> {
        self.record(item).filter(|record| self.digest.kind.asks_about(record))
    }

    /// Whether a page of this link showed the comment as it stands, not long ago.
    fn was_shown(&self, app: &App, item: usize, record: &Record, nonce: &str) -> bool {
        let valid = app.config().review.nonce_valid;
        app.keys.verify_nonce(nonce, self.token, item, record.version, app.clock.now(), valid).is_ok()
    }

    /// The nonce that a form for this item must carry.
    pub fn nonce(&self, app: &App, item: usize, now: Timestamp) -> String {
        let version = item.checked_sub(1).and_then(|index| self.digest.items.get(index)).map_or(0, |record| record.version);
        app.keys.sign_nonce(self.token, item, version, now)
    }
}
