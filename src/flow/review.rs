//! Review: people's rulings, by link, API or CLI. The latest ruling wins and no machine overrides it; what a moderator may rule on is
//! what the signed link says, each item once a version.

use super::{App, tell};
use crate::action::Refused;
use crate::clock::Timestamp;
use crate::config::Moderator;
use crate::decision::Ruling;
use crate::id::{CommentId, SiteId};
use crate::store::{DigestRecord, NewRuling, Record, Ruled, StoreError};
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
    pub ruling: Ruling,
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    Ruled,
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

/// Rules on one item of an opened link, if the form was made for the version that stands.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn rule_by_link(app: &std::sync::Arc<App>, opened: &Opened<'_>, asked: &Asked) -> Result<Done, StoreError> {
    let Some(record) = asked.item.checked_sub(1).and_then(|index| opened.digest.items.get(index)) else { return Ok(Done::NoSuchItem) };
    if !record.waits() {
        return Ok(Done::AlreadyDecided);
    }
    let now = app.clock.now();
    let nonce_valid = app.config().review.nonce_valid;
    if app.keys.verify_nonce(&asked.nonce, opened.token, asked.item, record.version, now, nonce_valid).is_err() {
        return Ok(Done::PageTooOld);
    }
    let ruler = Ruler { by: opened.moderator.name.clone(), via: "link" };
    let terms = (Some(record.version), app.config().review.undo);
    let ruled = rule(app, &opened.digest.site, record.comment.id, asked.ruling, ruler, terms).await?;
    app.store.answered(&opened.moderator.id, now).done().await?;
    Ok(if ruled.is_some_and(|(_, taken)| taken) { Done::Ruled } else { Done::AlreadyDecided })
}

impl Opened<'_> {
    /// The nonce that a form for this item must carry.
    pub fn nonce(&self, app: &App, item: usize, now: Timestamp) -> String {
        let version = item.checked_sub(1).and_then(|index| self.digest.items.get(index)).map_or(0, |record| record.version);
        app.keys.sign_nonce(self.token, item, version, now)
    }
}
