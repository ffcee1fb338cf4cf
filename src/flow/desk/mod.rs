//! The desk: what moderators who are in have before them. Reading what waits and what stands beside a comment is here; rulings given and
//! taken back are in `rule`. Whoever is not in never comes this far: that is `accounts`' and `http`'s.

mod claims;
mod filter;
mod groups;
mod rule;

pub use claims::{CLAIM_VALID, Claims};
pub use filter::Filter;
pub use groups::{Group, Groups, HELD_MAX};
pub use rule::{Asked, Done, PUBLISH_TOGETHER_MAX, look_again, rule, undo};

use super::App;
use super::accounts::Session;
use super::figures::Promises;
use crate::campaign::LIKENESS_MIN;
use crate::id::SiteId;
use crate::store::{Earlier, Objected, Record, StoreError, Waits, Way};
use std::collections::BTreeSet;

/// Rows of the list: three screens of a desktop, and a page that a phone draws at once.
pub const ROWS_MAX: usize = 50;

/// Comments that a search looks through before it says that it stopped; a screen of answers comes in a blink all the same.
pub const SEARCHED_MAX: usize = 20_000;

/// And so many at a time.
const SEARCHED_AT_ONCE: usize = 500;

/// Decided comments that one is compared with: some weeks of rulings, and a millisecond.
const COMPARED_MAX: usize = 500;

/// Similar comments beside one.
const SIMILAR_MAX: usize = 4;

/// Earlier comments of an author that are drawn.
const HISTORY_MAX: usize = 24;

/// What the desk keeps in memory: nothing that a restart would miss.
#[derive(Debug, Default)]
pub struct Desk {
    pub claims: Claims,
    pub promises: Promises,
    groups: groups::Cache,
}

/// A stretch of what waits.
#[derive(Debug)]
pub struct Stretch {
    pub records: Vec<Record>,
    /// The search stopped before the end.
    pub is_cut: bool,
}

/// A decided comment that is like the one on the desk.
#[derive(Debug)]
pub struct Similar {
    pub record: Record,
    /// `nearly the same text`, or what else they share.
    pub like: &'static str,
}

/// What waits on the moderator's sites and passes the filter, from a number on, the nearest first.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn waiting(app: &App, session: &Session, filter: &Filter, way: Way, limit: usize) -> Result<Stretch, StoreError> {
    let at_once = if filter.is_empty() { limit } else { limit.max(SEARCHED_AT_ONCE) };
    let (mut records, mut looked, mut way) = (Vec::new(), 0, way);
    loop {
        let (found, so_many, edge) = together(app, session, filter, way, at_once)?;
        looked += so_many;
        records.extend(found);
        let Some(edge) = edge else { break };
        if records.len() >= limit || looked >= SEARCHED_MAX {
            break;
        }
        way = match way {
            Way::Later(_) => Way::Later(edge),
            Way::Earlier(_) => Way::Earlier(edge),
        };
    }
    let is_cut = looked >= SEARCHED_MAX && records.len() < limit;
    records.truncate(limit);
    Ok(Stretch { records, is_cut })
}

/// Each site's stretch by its own index, then merged, as far as all of them reach: no query sorts what waits. With how many were looked at, and
/// from where there is more.
fn together(
    app: &App,
    session: &Session,
    filter: &Filter,
    way: Way,
    limit: usize,
) -> Result<(Vec<Record>, usize, Option<i64>), StoreError> {
    let now = app.clock.now();
    let (mut all, mut looked, mut edge) = (Vec::new(), 0, None);
    for site in &session.sites {
        let found = app.store.read().waiting(site, way, limit, now, |comment| filter.is_met_by(comment))?;
        looked += found.looked;
        if found.looked == limit {
            edge = match way {
                Way::Later(_) => edge.into_iter().chain(found.last).min(),
                Way::Earlier(_) => edge.into_iter().chain(found.last).max(),
            };
        }
        all.extend(found.records.into_iter().filter(|record| filter.passes(record)));
    }
    match way {
        Way::Later(_) => all.sort_by_key(|record| record.seq),
        Way::Earlier(_) => all.sort_by_key(|record| std::cmp::Reverse(record.seq)),
    }
    all.retain(|record| match (way, edge) {
        (Way::Later(_), Some(edge)) => record.seq <= edge,
        (Way::Earlier(_), Some(edge)) => record.seq >= edge,
        (Way::Later(_) | Way::Earlier(_), None) => true,
    });
    Ok((all, looked, edge))
}

/// What was said against how a comment stands, the newest first, and what it said before its edits, likewise.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn said(app: &App, record: &Record) -> Result<(Vec<Objected>, Vec<Earlier>), StoreError> {
    let reader = app.store.read();
    let (mut objections, mut earlier) = (reader.objections(record.seq)?, reader.earlier(record.seq)?);
    objections.reverse();
    earlier.reverse();
    Ok((objections, earlier))
}

/// How much waits on the moderator's sites.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn waits(app: &App, session: &Session) -> Result<Waits, StoreError> {
    let mut all = Waits::default();
    for site in &session.sites {
        let waits = app.store.read().waits(site, app.clock.now())?;
        all.comments += waits.comments;
        all.oldest = all.oldest.into_iter().chain(waits.oldest).min();
    }
    Ok(all)
}

/// Which place a comment has among what waits, from 1.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn place(app: &App, session: &Session, seq: i64) -> Result<usize, StoreError> {
    session.sites.iter().try_fold(1, |place, site| Ok(place + app.store.read().held_before(site, seq)?))
}

/// One comment of one of the moderator's sites; none for any other.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn comment(app: &App, session: &Session, id: crate::id::CommentId) -> Result<Option<Record>, StoreError> {
    let Some(site) = app.store.read().site_of(id)?.filter(|site| session.sites.contains(site)) else { return Ok(None) };
    app.store.read().comment(&site, id)
}

/// The near-copies among what is held on a site.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn groups(app: &App, site: &SiteId) -> Result<std::sync::Arc<Groups>, StoreError> {
    app.desk.groups.of(app, site)
}

/// What the author wrote before, the newest first.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn by_author(app: &App, record: &Record) -> Result<Vec<Record>, StoreError> {
    app.store.read().of_author(record, HISTORY_MAX)
}

/// Comments that people decided and that are like this one: near-copies first, then those with the same link or contact.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn similar(app: &App, record: &Record) -> Result<Vec<Similar>, StoreError> {
    let (site, reader) = (&record.comment.site, app.store.read());
    let Some(trace) = reader.trace(record)? else { return Ok(Vec::new()) };
    let marks: BTreeSet<u64> = trace.marks().map(crate::trace::Mark::bits).collect();
    let mut found: Vec<(u8, i64)> = Vec::new();
    for (seq, other) in reader.ruled_lately(site, COMPARED_MAX)? {
        let near = trace.sketch.zip(other.sketch).is_some_and(|(a, b)| a.likeness(&b) >= LIKENESS_MIN);
        let rank = match (near || (trace.body == other.body && trace.is_telling), other.marks().any(|mark| marks.contains(&mark.bits()))) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => continue,
        };
        found.extend((seq != record.seq).then_some((rank, seq)));
    }
    found.sort_by_key(|(rank, seq)| (*rank, std::cmp::Reverse(*seq)));
    found.truncate(SIMILAR_MAX);
    let numbers: Vec<i64> = found.iter().map(|(_, seq)| *seq).collect();
    let records = reader.numbered(site, &numbers)?;
    let like = |seq: i64| match found.iter().find(|(_, found)| *found == seq) {
        Some((0, _)) => "nearly the same text",
        _ => "same link or contact",
    };
    Ok(records.into_iter().map(|record| Similar { like: like(record.seq), record }).collect())
}
