//! The desk's reads: what waits for a person, page by page in the order of an index, and what stands beside one comment. And its writes:
//! rulings given together and taken back together. Second looks are `second_looks`'s.

use super::comments::complete;
use super::rulings::rule_one;
use super::{Act, NewRuling, Pending, Reader, Record, Store, StoreError, What, accounts, rows};
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::decision::Ruling;
use crate::delivery::Outgoing;
use crate::id::{CommentId, ModeratorId, SiteId};
use crate::trace::Trace;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// Rulings that were given together: what one undo takes back.
pub type Batch = [u8; 16];

/// Which way to go from a comment's number, which is not part of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Later(i64),
    Earlier(i64),
}

/// A stretch of what waits on a site.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Those that were kept, the nearest first.
    pub records: Vec<Record>,
    /// How many were looked at, and the number of the last of them.
    pub looked: usize,
    pub last: Option<i64>,
}

/// How much waits on a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    pub comments: usize,
    pub oldest: Option<Timestamp>,
}

/// Rulings that were given together, as they stand now.
#[derive(Debug, Clone)]
pub struct Given {
    pub ruling: Ruling,
    pub at: Timestamp,
    pub comments: usize,
    pub first: Record,
    /// Whether the first is still as it was then ruled.
    pub stands: bool,
}

/// Counted in the index alone. Left to itself the planner takes that of bodies, which has every comment of the site: a second for 100,000.
const COUNT_HELD: &str = "SELECT count(*) FROM comments INDEXED BY comments_held WHERE site = ?1 AND status = 'held'";
const COUNT_CHECKS: &str = "SELECT count(*) FROM comments INDEXED BY comments_audited
                            WHERE site = ?1 AND audited = 1 AND ruled IS NULL AND status != 'held'";

const COUNT_OBJECTED: &str = "SELECT count(*) FROM comments INDEXED BY comments_objected
                              WHERE site = ?1 AND objected_at IS NOT NULL AND status != 'held' AND NOT (audited = 1 AND ruled IS NULL)";

/// Held, or an open spot check, or objected to, or a second look that is due: each by its own index, never more than are asked for.
fn waiting_sql(way: Way) -> String {
    let (compare, order) = match way {
        Way::Later(_) => (">", "ASC"),
        Way::Earlier(_) => ("<", "DESC"),
    };
    format!(
        "SELECT {columns} FROM comments c WHERE c.seq IN (
             SELECT * FROM (SELECT seq FROM comments INDEXED BY comments_held
                            WHERE site = ?1 AND status = 'held' AND seq {compare} ?2 ORDER BY seq {order} LIMIT ?3)
             UNION
             SELECT * FROM (SELECT seq FROM comments INDEXED BY comments_audited
                            WHERE site = ?1 AND audited = 1 AND ruled IS NULL AND seq {compare} ?2
                            ORDER BY seq {order} LIMIT ?3)
             UNION
             SELECT * FROM (SELECT seq FROM comments INDEXED BY comments_objected
                            WHERE site = ?1 AND objected_at IS NOT NULL AND seq {compare} ?2 ORDER BY seq {order} LIMIT ?3)
             UNION
             SELECT * FROM (SELECT comment FROM second_looks WHERE site = ?1 AND second IS NULL AND due_at <= ?4 AND comment {compare} ?2
                            LIMIT ?3)
         ) ORDER BY c.seq {order} LIMIT ?3",
        columns = rows::COMMENT
    )
}

impl Reader {
    /// What waits on a site, from a number on; of so many that are looked at those that are wanted by what they say. Of the others no decision
    /// is read, which is most of the work.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn waiting(
        &self,
        site: &SiteId,
        way: Way,
        limit: usize,
        now: Timestamp,
        is_wanted: impl Fn(&Comment) -> bool,
    ) -> Result<Stretch, StoreError> {
        let (Way::Later(from) | Way::Earlier(from)) = way;
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&waiting_sql(way))?;
            let mut found = statement.query(params![site.as_str(), from, limit, now.ms()])?;
            let mut stretch = Stretch::default();
            while let Some(row) = found.next()? {
                let row = rows::comment(row)?;
                stretch.looked += 1;
                stretch.last = Some(row.seq);
                if is_wanted(&row.comment) {
                    stretch.records.push(complete(connection, row)?);
                }
            }
            Ok(stretch)
        })
    }

    /// How much waits on a site.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn waits(&self, site: &SiteId, now: Timestamp) -> Result<Waits, StoreError> {
        self.with(|connection| {
            let count = |sql: &str| connection.prepare_cached(sql)?.query_row([site.as_str()], |row| row.get::<_, usize>(0));
            let held = count(COUNT_HELD)?;
            let checks = count(COUNT_CHECKS)?;
            let objected = count(COUNT_OBJECTED)?;
            // One that waits for another reason, too, is counted there.
            let sql = "SELECT count(*) FROM second_looks l JOIN comments c ON c.seq = l.comment
                       WHERE l.site = ?1 AND l.second IS NULL AND l.due_at <= ?2
                         AND c.status != 'held' AND c.objected_at IS NULL AND NOT (c.audited = 1 AND c.ruled IS NULL)";
            let looks: usize = connection.prepare_cached(sql)?.query_row(params![site.as_str(), now.ms()], |row| row.get(0))?;
            let sql = "SELECT received_at FROM comments INDEXED BY comments_held WHERE site = ?1 AND status = 'held' ORDER BY seq LIMIT 1";
            let oldest = connection.prepare_cached(sql)?.query_row([site.as_str()], |row| row.get(0)).optional()?;
            Ok(Waits { comments: held + checks + objected + looks, oldest: oldest.map(Timestamp::from_ms) })
        })
    }

    /// How many held comments of a site came before a number.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn held_before(&self, site: &SiteId, seq: i64) -> Result<usize, StoreError> {
        self.with(|connection| {
            let sql = format!("{COUNT_HELD} AND seq < ?2");
            Ok(connection.prepare_cached(&sql)?.query_row(params![site.as_str(), seq], |row| row.get(0))?)
        })
    }

    /// The traces of the oldest held comments of a site, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn held_traces(&self, site: &SiteId, limit: usize) -> Result<Vec<(i64, Trace)>, StoreError> {
        self.traces_by(
            "SELECT t.comment, t.trace FROM (SELECT seq FROM comments INDEXED BY comments_held
                   WHERE site = ?1 AND status = 'held' ORDER BY seq LIMIT ?2) c
             JOIN traces t ON t.site = ?1 AND t.comment = c.seq ORDER BY t.comment",
            site,
            limit,
        )
    }

    /// The traces of the last comments of a site that people ruled on, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn ruled_lately(&self, site: &SiteId, limit: usize) -> Result<Vec<(i64, Trace)>, StoreError> {
        self.traces_by(
            "SELECT t.comment, t.trace FROM (SELECT seq FROM comments INDEXED BY comments_ruled
                   WHERE site = ?1 AND ruled IS NOT NULL ORDER BY seq DESC LIMIT ?2) c
             JOIN traces t ON t.site = ?1 AND t.comment = c.seq ORDER BY t.comment DESC",
            site,
            limit,
        )
    }

    fn traces_by(&self, sql: &str, site: &SiteId, limit: usize) -> Result<Vec<(i64, Trace)>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), limit])?;
            let mut traces = Vec::new();
            while let Some(row) = found.next()? {
                let seq = row.get(0)?;
                traces.extend(Trace::from_bytes(row.get_ref(1)?.as_blob().unwrap_or_default()).map(|trace| (seq, trace)));
            }
            Ok(traces)
        })
    }

    /// Comments of a site by their numbers, in the order asked; those that are gone are left out.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn numbered(&self, site: &SiteId, numbers: &[i64]) -> Result<Vec<Record>, StoreError> {
        self.with(|connection| {
            let mut statement =
                connection.prepare_cached(&format!("SELECT {} FROM comments c WHERE seq = ?1 AND site = ?2", rows::COMMENT))?;
            let mut all = Vec::new();
            for number in numbers {
                all.extend(records(connection, statement.query(params![number, site.as_str()])?)?);
            }
            Ok(all)
        })
    }

    /// The last comments under the same email address, the newest first, without the one itself.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn of_author(&self, record: &Record, limit: usize) -> Result<Vec<Record>, StoreError> {
        let Some(author) = rows::author_key(&record.comment) else { return Ok(Vec::new()) };
        self.with(|connection| {
            let sql = format!(
                "SELECT {} FROM comments c WHERE c.seq IN (SELECT seq FROM comments WHERE site = ?1 AND author = ?2 AND seq != ?3
                                                           LIMIT 1000) ORDER BY c.seq DESC LIMIT ?4",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement.query(params![record.comment.site.as_str(), author, record.seq, limit])?;
            records(connection, found)
        })
    }

    /// What was decided without a person before a number, the newest first; of the last `window` comments of all sites, so that a site
    /// on which nothing happens costs no more than another.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn automatic(&self, site: &SiteId, before: i64, (limit, window): (usize, usize)) -> Result<Vec<Record>, StoreError> {
        self.with(|connection| {
            let sql = format!(
                "SELECT {} FROM comments c WHERE c.seq < ?2 AND c.seq > min(?2, (SELECT max(seq) FROM comments) + 1) - ?4 AND +c.site = ?1
                 AND +c.status IN ('published', 'rejected') AND c.ruled IS NULL AND +c.audited = 0 ORDER BY c.seq DESC LIMIT ?3",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement.query(params![site.as_str(), before, limit, window])?;
            records(connection, found)
        })
    }

    /// Comments of a site that came since a time, up to the first that is older, and at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn came_since(&self, site: &SiteId, since: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.with(|connection| {
            let sql = "SELECT received_at FROM comments INDEXED BY comments_site WHERE site = ?1 ORDER BY seq DESC LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), limit])?;
            let mut came = 0;
            while let Some(row) = found.next()? {
                if row.get::<_, i64>(0)? < since.ms() {
                    break;
                }
                came += 1;
            }
            Ok(came)
        })
    }

    /// Rulings that were given together; none for an unknown batch.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn given(&self, batch: Batch) -> Result<Option<Given>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT count(*), min(seq) FROM rulings WHERE batch = ?1";
            let (comments, first): (usize, Option<i64>) =
                connection.prepare_cached(sql)?.query_row([batch], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let Some(first) = first else { return Ok(None) };
            let sql = format!(
                "SELECT {}, r.ruling AS given, r.at AS given_at, (SELECT max(l.seq) FROM rulings l WHERE l.comment = r.comment) = r.seq AS stands
                 FROM rulings r JOIN comments c ON c.seq = r.comment WHERE r.seq = ?1",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query([first])?;
            let Some(row) = found.next()? else { return Ok(None) };
            let (ruling, at, stands): (String, i64, bool) = (row.get("given")?, row.get("given_at")?, row.get("stands")?);
            let first = complete(connection, rows::comment(row)?)?;
            Ok(Some(Given { ruling: rows::ruling(&ruling)?, at: Timestamp::from_ms(at), comments, first, stands }))
        })
    }
}

fn records(connection: &Connection, mut found: rusqlite::Rows<'_>) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    while let Some(row) = found.next()? {
        records.push(complete(connection, rows::comment(row)?)?);
    }
    Ok(records)
}

impl Store {
    /// Gives several rulings in one transaction, each as [`Store::rule`] does; answers those that were taken.
    pub fn rule_together(&self, new: Vec<NewRuling>, outgoing: impl Fn(&Record) -> Vec<Outgoing> + Send + 'static) -> Pending<Vec<Record>> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            let mut taken = Vec::new();
            for new in new {
                let ruled = rule_one(connection, &waiting, new, &outgoing)?;
                taken.extend(ruled.filter(|(_, is_taken)| *is_taken).map(|(record, _)| record));
            }
            Ok(taken)
        })
    }

    /// Takes back the rulings of a batch that still stand, on these sites. What waits to tell of them is withdrawn, so that the blog hears nothing;
    /// where it has left, `outgoing` makes the one that sets it right. Answers the comments as they now stand.
    pub fn undo(
        &self,
        batch: Batch,
        (who, name, sites): (ModeratorId, String, Vec<SiteId>),
        now: Timestamp,
        outgoing: impl Fn(&Record) -> Vec<Outgoing> + Send + 'static,
    ) -> Pending<Vec<Record>> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            let mut undone = Vec::new();
            for (ruling, version, site, id) in standing(connection, batch)? {
                if !sites.contains(&site) {
                    continue;
                }
                let Some(after) = undo_one(connection, &waiting, (ruling, &site, id), (&name, now))? else { continue };
                let act = Act { at: now, who: Some(who.clone()), what: What::Undone, comment: Some(id), site: Some(site) };
                accounts::insert_act(connection, &act)?;
                let outgoing = outgoing(&after);
                // What an edit since then told is not for the taking back.
                let is_last = version.is_none_or(|version| version + 1 == after.version);
                if !is_last || withdraw(connection, &waiting, &after, now)? < outgoing.len() {
                    for outgoing in &outgoing {
                        super::outbox::insert(connection, &waiting, outgoing)?;
                    }
                }
                undone.push(after);
            }
            Ok(undone)
        })
    }
}

/// A ruling by its number, the version that it gave its comment, and that.
type Standing = (i64, Option<u32>, SiteId, CommentId);

/// The rulings of a batch after which nobody said anything else.
fn standing(connection: &Connection, batch: Batch) -> Result<Vec<Standing>, StoreError> {
    let sql = "SELECT r.seq, r.version, c.site, c.id FROM rulings r JOIN comments c ON c.seq = r.comment WHERE r.batch = ?1
               AND r.seq = (SELECT max(l.seq) FROM rulings l WHERE l.comment = r.comment) ORDER BY r.seq";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map([batch], |row| {
        Ok((row.get(0)?, row.get(1)?, SiteId::new(row.get::<_, String>(2)?), CommentId::from_bytes(row.get(3)?)))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn undo_one(
    connection: &Connection,
    waiting: &super::Waiting,
    (ruling, site, id): (i64, &SiteId, CommentId),
    (name, now): (&str, Timestamp),
) -> Result<Option<Record>, StoreError> {
    let Some(before) = super::comments::by_id(connection, site, id)? else { return Ok(None) };
    let sql = "SELECT ruling FROM rulings WHERE comment = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1";
    let earlier = connection.prepare_cached(sql)?.query_row(params![before.seq, ruling], |row| row.get::<_, String>(0)).optional()?;
    let stands = earlier.as_deref().map(rows::standing).transpose()?.flatten();
    // What was asked of people before the ruling is asked again. What comes back was on the text of then: perhaps there was an edit before the
    // ruling that goes, or after it.
    let sql = "SELECT afresh OR EXISTS (SELECT 1 FROM edits e WHERE e.comment = r.comment AND e.version >= r.version), objected_at
               FROM rulings r WHERE seq = ?1";
    let asked = |row: &Row<'_>| Ok((row.get::<_, bool>(0)?, row.get::<_, Option<i64>>(1)?));
    let (is_other_text, objected_at) = connection.prepare_cached(sql)?.query_row([ruling], asked)?;
    let edited = is_other_text && stands.is_some();
    let next = super::rulings::NEXT;
    let sql = format!(
        "INSERT INTO rulings (seq, site, comment, ruling, actor, via, at, version) VALUES ({next}, ?1, ?2, ?3, ?4, 'undo', ?5, ?6)"
    );
    let (word, version) = (stands.map_or(rows::NO_RULING, Ruling::as_str), before.version + 1);
    connection.prepare_cached(&sql)?.insert(params![site.as_str(), before.seq, word, name, now.ms(), version])?;
    let status = match (stands, &before.decision) {
        (Some(_), Some(decision)) if edited => decision.status_after_edit(stands),
        (Some(ruling), _) => ruling.status(),
        (None, Some(decision)) => decision.status(),
        (None, None) => {
            waiting.queued.came(site.as_str());
            crate::decision::Status::Queued
        }
    };
    let sql = "UPDATE comments SET status = ?2, ruled = ?3, version = ?4, edited = ?5, objected_at = ?6 WHERE seq = ?1";
    let ruled = stands.map(Ruling::as_str);
    connection.prepare_cached(sql)?.execute(params![before.seq, status.as_str(), ruled, version, edited, objected_at])?;
    connection.prepare_cached("DELETE FROM second_looks WHERE comment = ?1 AND second IS NULL")?.execute([before.seq])?;
    super::comments::by_id(connection, site, id)
}

/// Takes back what was to tell of the latest ruling, webhook and callback, as far as neither was tried; answers how many.
fn withdraw(connection: &Connection, waiting: &super::Waiting, record: &Record, now: Timestamp) -> Result<usize, StoreError> {
    let sql = "DELETE FROM parcels WHERE seq IN (SELECT max(seq) FROM parcels WHERE lane = ?1 AND dead = 0 GROUP BY kind)
               AND kind <> 'mail' AND attempts = 0 AND lease_token IS NULL AND due_at > ?2";
    let withdrawn = connection.prepare_cached(sql)?.execute(params![record.comment.id.bytes(), now.ms()])?;
    (0..withdrawn).for_each(|_| waiting.parcels.went(record.comment.site.as_str()));
    Ok(withdrawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Bounds;

    /// Steps of a query's plan.
    fn plan(store: &Store, sql: &str, parameters: &[&dyn rusqlite::ToSql]) -> Vec<String> {
        let steps = |connection: &Connection| -> Result<Vec<String>, StoreError> {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let steps = statement.query_map(parameters, |row| row.get("detail"))?;
            Ok(steps.collect::<Result<_, _>>()?)
        };
        store.read().with(steps).unwrap()
    }

    #[test]
    fn the_list_is_read_from_indexes_however_much_waits() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        for (way, from) in [(Way::Later(0), 0), (Way::Earlier(i64::MAX), i64::MAX)] {
            let steps = plan(&store, &waiting_sql(way), &[&"blog", &from, &50, &0]);
            for index in [
                "comments_held (site=? AND seq",
                "comments_audited (site=? AND seq",
                "comments_objected (site=? AND seq",
                "second_looks_open (site=? AND due_at",
            ] {
                assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:?}");
            }
            assert!(!steps.iter().any(|step| step.starts_with("SCAN c")), "{steps:?}");
        }
    }
}
