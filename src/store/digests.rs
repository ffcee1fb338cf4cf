//! Digests: which held comments were put before whom, and when.

use super::comments::complete;
use super::{Pending, Reader, Record, Store, StoreError, rows};
use crate::clock::Timestamp;
use crate::delivery::Outgoing;
use crate::id::{DigestId, ModeratorId, SiteId};
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;
use std::time::Duration;

/// A digest about to be sent: the comments by number, and the mail, in one transaction.
#[derive(Debug)]
pub struct NewDigest {
    pub id: DigestId,
    pub site: SiteId,
    pub moderator: ModeratorId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// `Record::seq`, in the order of the mail.
    pub items: Vec<i64>,
    pub outgoing: Outgoing,
}

/// A digest that was sent, with how its comments stand now.
#[derive(Debug)]
pub struct DigestRecord {
    pub site: SiteId,
    pub moderator: ModeratorId,
    pub expires_at: Timestamp,
    /// In the order of their numbers, from 1.
    pub items: Vec<Record>,
}

/// How a moderator stands on a site: what decides whether a digest is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Held comments, spot checks and objections that this moderator was not yet shown.
    pub waiting: usize,
    pub oldest: Option<Timestamp>,
    pub last_digest: Option<Timestamp>,
    /// Digests within the last 24 hours.
    pub digests_today: usize,
}

impl Store {
    pub fn send_digest(&self, digest: NewDigest) -> Pending<()> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            connection
                .prepare_cached("INSERT INTO digests (id, site, moderator, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![
                    digest.id.bytes(),
                    digest.site.as_str(),
                    digest.moderator.as_str(),
                    digest.created_at.ms(),
                    digest.expires_at.ms()
                ])?;
            let mut item = connection
                .prepare_cached("INSERT INTO digest_items (digest, number, site, moderator, comment) VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for (number, seq) in (1_i64..).zip(&digest.items) {
                item.execute(params![digest.id.bytes(), number, digest.site.as_str(), digest.moderator.as_str(), seq])?;
            }
            super::outbox::insert(connection, &waiting, &digest.outgoing)
        })
    }
}

/// Comments of a site that wait for a ruling: held, drawn as spot checks, or objected to. Each kind has its own index, and each is named: the
/// planner would rather read every comment of the site.
pub(super) const WAITING: &str = "SELECT seq FROM comments INDEXED BY comments_held WHERE site = ?1 AND status = 'held' \
     UNION SELECT seq FROM comments INDEXED BY comments_audited WHERE site = ?1 AND audited = 1 AND ruled IS NULL \
     UNION SELECT seq FROM comments INDEXED BY comments_objected WHERE site = ?1 AND objected_at IS NOT NULL";

/// Of a set of comments those that no link still valid puts before a moderator: never shown, not since somebody objected, or the link ran out.
const UNSHOWN: &str = "NOT EXISTS (SELECT 1 FROM digest_items i JOIN digests d ON d.id = i.digest WHERE i.moderator = ?2 \
                       AND i.comment = c.seq AND d.expires_at > ?3 AND d.created_at >= coalesce(c.objected_at, 0))";

impl Reader {
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn standing(&self, site: &SiteId, moderator: &ModeratorId, now: Timestamp) -> Result<Standing, StoreError> {
        self.with(|connection| {
            let sql =
                format!("SELECT count(*), min(coalesce(objected_at, received_at)) FROM comments c WHERE seq IN ({WAITING}) AND {UNSHOWN}");
            let who = params![site.as_str(), moderator.as_str(), now.ms()];
            let (waiting, oldest): (usize, Option<i64>) =
                connection.prepare_cached(&sql)?.query_row(who, |row| Ok((row.get(0)?, row.get(1)?)))?;
            let since = now.minus(Duration::from_hours(24)).ms();
            let sql = "SELECT max(created_at), count(*) FILTER (WHERE created_at > ?3) FROM digests WHERE site = ?1 AND moderator = ?2";
            let (last, digests_today): (Option<i64>, usize) = connection
                .prepare_cached(sql)?
                .query_row(params![site.as_str(), moderator.as_str(), since], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let time = |ms: Option<i64>| ms.map(Timestamp::from_ms);
            Ok(Standing { waiting, oldest: time(oldest), last_digest: time(last), digests_today })
        })
    }

    /// The oldest comments of a site that wait for a ruling and that a moderator was not shown yet, held ones and spot checks as they came.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn unshown(&self, site: &SiteId, moderator: &ModeratorId, now: Timestamp, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.with(|connection| {
            let sql = format!("SELECT {} FROM comments c WHERE seq IN ({WAITING}) AND {UNSHOWN} ORDER BY seq LIMIT ?4", rows::COMMENT);
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params![site.as_str(), moderator.as_str(), now.ms(), limit])?;
            let mut records = Vec::new();
            while let Some(row) = found.next()? {
                records.push(complete(connection, rows::comment(row)?)?);
            }
            Ok(records)
        })
    }

    /// Comments of a site that were decided without a person since `since`.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn handled(&self, site: &SiteId, since: Timestamp) -> Result<u64, StoreError> {
        self.with(|connection| {
            let sql = "SELECT count(*) FROM comments WHERE site = ?1 AND received_at > ?2 AND status IN ('published', 'rejected') AND ruled IS NULL
                       AND audited = 0";
            Ok(connection.prepare_cached(sql)?.query_row(params![site.as_str(), since.ms()], |row| row.get(0))?)
        })
    }

    /// # Errors
    /// [`StoreError`] from the database.
    pub fn digest(&self, id: DigestId) -> Result<Option<DigestRecord>, StoreError> {
        self.with(|connection| {
            let head = connection
                .prepare_cached("SELECT site, moderator, expires_at FROM digests WHERE id = ?1")?
                .query_row([id.bytes()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?)))
                .optional()?;
            let Some((site, moderator, expires_at)) = head else { return Ok(None) };
            let sql = format!(
                "SELECT {} FROM digest_items i JOIN comments c ON c.seq = i.comment WHERE i.digest = ?1 ORDER BY i.number",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query([id.bytes()])?;
            let mut items = Vec::new();
            while let Some(row) = found.next()? {
                items.push(complete(connection, rows::comment(row)?)?);
            }
            let (site, moderator) = (SiteId::new(site), ModeratorId::new(moderator));
            Ok(Some(DigestRecord { site, moderator, expires_at: Timestamp::from_ms(expires_at), items }))
        })
    }
}
