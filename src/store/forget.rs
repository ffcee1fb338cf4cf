//! Forgetting: comments go for good, with everything that tells of them, and leave a salted hash that keeps them from coming back. Deleted pages
//! are overwritten (`secure_delete`), and the log is cut, so that nothing of them lies in the files either.

use super::tombstones::{self, Grave};
use super::waiting::Waiting;
use super::{Pending, Reader, Record, Store, StoreError, comments, rows};
use crate::classifier::Label;
use crate::clock::Timestamp;
use crate::decision::Status;
use crate::delivery::Outgoing;
use crate::id::{CommentId, SiteId};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use std::time::Duration;

/// Tables that tell of a comment by its number in a column `comment`: their rows go with it. A test has every table of the store stand here or
/// among those that it gives a reason for.
const OF_A_COMMENT: [&str; 11] =
    ["decisions", "rulings", "traces", "domains", "list_hits", "imports", "second_looks", "edits", "objections", "late", "shadows"];

/// Tries to cut the log before somebody who still reads is let be; the next checkpoint overwrites it then.
const CUT_TRIES: usize = 5;

/// A label that is to be unlearnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlearnt {
    pub body: String,
    pub label: Label,
    /// The ruling that it came from, by its number.
    pub ruling: i64,
    pub is_imported: bool,
}

/// What went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub comments: Vec<CommentId>,
    pub labels: Vec<Unlearnt>,
}

/// What is to be forgotten, of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A person, by the email address that a comment has, or had before it was edited.
    Author(String),
    Comment(CommentId),
    /// What was received from the first time until before the second.
    Span(Timestamp, Timestamp),
    /// What this one ruled.
    Ruler(String),
}

impl Reader {
    /// The comments of a site that a target means, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn meant(&self, site: &SiteId, target: &Target) -> Result<Vec<CommentId>, StoreError> {
        let ids = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
            self.with(|connection| {
                let mut statement = connection.prepare(sql)?;
                let ids = statement.query_map(values, |row| Ok(CommentId::from_bytes(row.get(0)?)))?;
                Ok(ids.collect::<Result<Vec<_>, _>>()?)
            })
        };
        let site = site.as_str();
        match target {
            Target::Author(email) => {
                let author = rows::author_key_of(email.trim());
                let mut meant = ids("SELECT id FROM comments WHERE site = ?1 AND author = ?2 ORDER BY seq", &[&site, &author])?;
                let earlier = self.once_by(site, author)?;
                meant.extend(earlier.into_iter().filter(|id| !meant.contains(id)).collect::<Vec<_>>());
                Ok(meant)
            }
            Target::Comment(id) => ids("SELECT id FROM comments WHERE site = ?1 AND id = ?2", &[&site, &id.bytes()]),
            Target::Span(from, to) => {
                let sql = "SELECT id FROM comments WHERE site = ?1 AND received_at >= ?2 AND received_at < ?3 ORDER BY seq";
                ids(sql, &[&site, &from.ms(), &to.ms()])
            }
            Target::Ruler(by) => {
                let sql = "SELECT DISTINCT c.id FROM rulings r JOIN comments c ON c.seq = r.comment WHERE r.site = ?1 AND r.actor = ?2";
                ids(sql, &[&site, &by])
            }
        }
    }

    /// Comments that stood under an author's address before an edit.
    fn once_by(&self, site: &str, author: Option<[u8; 16]>) -> Result<Vec<CommentId>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT DISTINCT c.id, e.email FROM edits e JOIN comments c ON c.seq = e.comment
                       WHERE e.site = ?1 AND e.email IS NOT NULL ORDER BY c.seq";
            let mut statement = connection.prepare(sql)?;
            let (mut found, mut once_by) = (statement.query([site])?, Vec::new());
            while let Some(row) = found.next()? {
                if rows::author_key_of(&row.get::<_, String>(1)?) == author {
                    once_by.push(CommentId::from_bytes(row.get(0)?));
                }
            }
            Ok(once_by)
        })
    }

    /// Sites that have comments, whether they stand in the settings or not.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn sites(&self) -> Result<Vec<SiteId>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare("SELECT DISTINCT site FROM comments ORDER BY site")?;
            let sites = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(sites.map(|site| site.map(SiteId::new)).collect::<Result<_, _>>()?)
        })
    }

    /// When labels were last forgotten that a model knew which was trained then, on rulings up to this number.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn forgotten_since(&self, site: &SiteId, trained_at: Timestamp, ruling: i64) -> Result<Option<Timestamp>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT max(at) FROM forgets WHERE site = ?1 AND labels > 0 AND at >= ?2 AND ruling <= ?3";
            let at: Option<i64> = connection.query_row(sql, params![site.as_str(), trained_at.ms(), ruling], |row| row.get(0))?;
            Ok(at.map(Timestamp::from_ms))
        })
    }
}

impl Store {
    /// Forgets these comments of a site, and with `author` that nothing of an earlier time under this email address comes back. `tell` makes
    /// what must leave of each.
    pub fn forget(
        &self,
        site: &SiteId,
        ids: Vec<CommentId>,
        author: Option<String>,
        now: Timestamp,
        tell: impl Fn(&Record) -> Option<Outgoing> + Send + 'static,
    ) -> Pending<Forgotten> {
        let (site, waiting) = (site.clone(), Arc::clone(&self.waiting));
        self.write(move |connection| {
            keep_numbers(connection)?;
            let mut forgotten = Forgotten::default();
            for id in ids {
                let Some(record) = comments::by_id(connection, &site, id)? else { continue };
                forgotten.labels.extend(label_of(connection, &record)?);
                erase(connection, &waiting, &record)?;
                tombstones::set(connection, Grave::Comment(id), now)?;
                if let Some(outgoing) = tell(&record) {
                    super::outbox::insert(connection, &waiting, &outgoing)?;
                }
                forgotten.comments.push(id);
            }
            if let Some(author) = &author {
                tombstones::set(connection, Grave::Author(author), now)?;
            }
            note(connection, &site, &forgotten, now)?;
            Ok(forgotten)
        })
    }

    /// Takes back everything that somebody ruled on these comments. Each stands as it did without that: by the ruling before, else by the
    /// verdict. What was imported with that ruling goes.
    pub fn unrule(
        &self,
        site: &SiteId,
        ids: Vec<CommentId>,
        by: String,
        now: Timestamp,
        tell: impl Fn(&Record) -> Vec<Outgoing> + Send + 'static,
    ) -> Pending<Forgotten> {
        let (site, waiting) = (site.clone(), Arc::clone(&self.waiting));
        self.write(move |connection| {
            keep_numbers(connection)?;
            let mut forgotten = Forgotten::default();
            for id in ids {
                let Some(before) = comments::by_id(connection, &site, id)? else { continue };
                forgotten
                    .labels
                    .extend(label_of(connection, &before)?.filter(|_| before.ruled.as_ref().is_some_and(|ruled| ruled.by == by)));
                let objected_at = before.objected_at.or(asked_before(connection, &before, &by)?);
                connection.prepare_cached("DELETE FROM rulings WHERE comment = ?1 AND actor = ?2")?.execute(params![before.seq, by])?;
                let Some(after) = stand_again(connection, &waiting, &before, objected_at)? else {
                    erase(connection, &waiting, &before)?;
                    forgotten.comments.push(id);
                    continue;
                };
                let is_same = after.status == before.status;
                for outgoing in if is_same { Vec::new() } else { tell(&after) } {
                    super::outbox::insert(connection, &waiting, &outgoing)?;
                }
                forgotten.comments.push(id);
            }
            note(connection, &site, &forgotten, now)?;
            Ok(forgotten)
        })
    }

    /// Folds the log in and empties it, so that it holds nothing of what was deleted, and drops the copies that migrations made. Whether it
    /// could: somebody may still be reading.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn cut_log(&self) -> Result<bool, StoreError> {
        self.drop_copies()?;
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(Duration::from_secs(1))?;
        for _ in 0..CUT_TRIES {
            let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if !is_busy {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn drop_copies(&self) -> Result<(), StoreError> {
        let Some(folder) = self.path.parent() else { return Ok(()) };
        let files = |source| StoreError::Files { path: folder.to_owned(), source };
        for entry in std::fs::read_dir(folder).map_err(files)? {
            let entry = entry.map_err(files)?;
            if entry.file_name().to_string_lossy().starts_with(super::schema::COPY_PREFIX) {
                std::fs::remove_file(entry.path()).map_err(files)?;
            }
        }
        Ok(())
    }
}

/// Rows with the highest numbers may go, and their numbers must not be given again: models and memories count by them.
fn keep_numbers(connection: &Connection) -> Result<(), StoreError> {
    for table in ["comments", "rulings"] {
        let sql = format!(
            "INSERT INTO numbers VALUES ('{table}', (SELECT coalesce(max(seq), 0) FROM {table})) ON CONFLICT DO UPDATE SET last = max(last, excluded.last)"
        );
        connection.prepare_cached(&sql)?.execute([])?;
    }
    Ok(())
}

/// What its last ruling taught: the text that stood there then.
fn label_of(connection: &Connection, record: &Record) -> Result<Option<Unlearnt>, StoreError> {
    let Some(ruled) = &record.ruled else { return Ok(None) };
    let Some(label) = Label::of(ruled.ruling) else { return Ok(None) };
    let sql = "SELECT body FROM edits WHERE comment = ?1 AND until >= ?2 ORDER BY version LIMIT 1";
    let edited = || connection.prepare_cached(sql)?.query_row(params![record.seq, ruled.at.ms()], |row| row.get(0)).optional();
    let body = if record.edited { edited()? } else { None }.unwrap_or_else(|| record.comment.body.clone());
    let sql = "SELECT seq, via = 'import' FROM rulings WHERE comment = ?1 ORDER BY seq DESC LIMIT 1";
    let (ruling, is_imported) = connection.prepare_cached(sql)?.query_row([record.seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(Unlearnt { body, label, ruling, is_imported }))
}

fn erase(connection: &Connection, waiting: &Waiting, record: &Record) -> Result<(), StoreError> {
    let (site, seq) = (record.comment.site.as_str(), record.seq);
    if record.status == Status::Queued {
        waiting.queued.went(site);
    }
    // A digest that showed it goes as a whole, mail and link: what else it showed is then shown anew.
    let mut statement = connection.prepare_cached("SELECT DISTINCT digest FROM digest_items WHERE comment = ?1")?;
    let digests: Vec<[u8; 16]> = statement.query_map([seq], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for digest in digests {
        drop_parcels(connection, waiting, digest)?;
        connection.prepare_cached("DELETE FROM digest_items WHERE digest = ?1")?.execute([digest])?;
        connection.prepare_cached("DELETE FROM digests WHERE id = ?1")?.execute([digest])?;
    }
    drop_parcels(connection, waiting, record.comment.id.bytes())?;
    for table in OF_A_COMMENT {
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE comment = ?1"))?.execute([seq])?;
    }
    // What others answered may quote it.
    let answers = "UPDATE comments SET parent_body = NULL WHERE site = ?1 AND parent_id = ?2";
    connection.prepare_cached(answers)?.execute(params![site, record.comment.id.to_string()])?;
    connection.prepare_cached("DELETE FROM comments WHERE seq = ?1")?.execute([seq])?;
    Ok(())
}

/// Everything of a lane, on its way or given up.
fn drop_parcels(connection: &Connection, waiting: &Waiting, lane: [u8; 16]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("DELETE FROM parcels WHERE lane = ?1 RETURNING site, dead")?;
    let mut gone = statement.query([lane])?;
    while let Some(row) = gone.next()? {
        if !row.get::<_, bool>(1)? {
            waiting.parcels.went(&row.get::<_, String>(0)?);
        }
    }
    Ok(())
}

/// Since when people had been asked by objections that this one's last ruling answered.
fn asked_before(connection: &Connection, record: &Record, by: &str) -> Result<Option<Timestamp>, StoreError> {
    if record.ruled.as_ref().is_none_or(|ruled| ruled.by != by) {
        return Ok(None);
    }
    let sql = "SELECT objected_at FROM rulings WHERE comment = ?1 AND actor = ?2 ORDER BY seq DESC LIMIT 1";
    let at: Option<i64> = connection.prepare_cached(sql)?.query_row(params![record.seq, by], |row| row.get(0))?;
    Ok(at.map(Timestamp::from_ms))
}

/// How a comment stands by the rulings that are left, else by its verdict, else in the queue; none for what was imported with a ruling that went. `objected_at`: people are asked again, as they
/// were before a ruling that went.
fn stand_again(
    connection: &Connection,
    waiting: &Waiting,
    before: &Record,
    objected_at: Option<Timestamp>,
) -> Result<Option<Record>, StoreError> {
    let last = "SELECT ruling, at FROM rulings WHERE comment = ?1 ORDER BY seq DESC LIMIT 1";
    let last = connection.prepare_cached(last)?.query_row([before.seq], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
    let (ruling, at) = last.optional()?.map_or(Ok((None, 0)), |(ruling, at)| rows::standing(&ruling).map(|ruling| (ruling, at)))?;
    let edits = "SELECT 1 FROM edits WHERE comment = ?1 AND until >= ?2";
    let edited = ruling.is_some() && connection.prepare_cached(edits)?.exists(params![before.seq, at])?;
    let status = match (ruling, &before.decision) {
        (Some(_), Some(decision)) if edited => decision.status_after_edit(ruling),
        (Some(ruling), _) => ruling.status(),
        (None, Some(decision)) => decision.status(),
        (None, None) if is_imported(connection, before.seq)? => return Ok(None),
        (None, None) => {
            waiting.queued.came(before.comment.site.as_str());
            Status::Queued
        }
    };
    let sql = "UPDATE comments SET ruled = ?2, status = ?3, edited = ?4, objected_at = ?5, version = version + 1 WHERE seq = ?1";
    let ruled = ruling.map(crate::decision::Ruling::as_str);
    connection.prepare_cached(sql)?.execute(params![before.seq, ruled, status.as_str(), edited, objected_at.map(Timestamp::ms)])?;
    comments::by_id(connection, &before.comment.site, before.comment.id)
}

fn is_imported(connection: &Connection, seq: i64) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("SELECT 1 FROM imports WHERE comment = ?1")?.exists([seq])?)
}

/// That something was forgotten, and how much.
fn note(connection: &Connection, site: &SiteId, forgotten: &Forgotten, now: Timestamp) -> Result<(), StoreError> {
    if forgotten.comments.is_empty() {
        return Ok(());
    }
    let first = forgotten.labels.iter().map(|label| label.ruling).min().unwrap_or(0);
    let sql = "INSERT INTO forgets (site, at, comments, labels, ruling) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![site.as_str(), now.ms(), forgotten.comments.len(), forgotten.labels.len(), first])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Bounds;
    use std::collections::BTreeSet;

    /// Tables whose rows do not go by `OF_A_COMMENT`, and why.
    const OTHERS: [(&str, &str); 17] = [
        ("comments", "goes itself"),
        ("digests", "one that showed the comment goes as a whole"),
        ("digest_items", "with their digest"),
        ("parcels", "those of the comment's lane go, and its digests'"),
        ("days", "counts of a day; they name nobody"),
        ("passwords", "of moderators, who are in the settings"),
        ("login_links", "of moderators; they run out"),
        ("sessions", "of moderators; they run out"),
        ("acts", "what moderators did: ids only"),
        ("mailboxes", "of moderators, who are in the settings"),
        ("alerts", "of sites"),
        ("api_keys", "of sites"),
        ("keys", "secrets of the store itself"),
        ("tombstones", "keep what was forgotten from coming back"),
        ("forgets", "counts"),
        ("numbers", "numbers"),
        ("retention", "numbers"),
    ];

    fn strings(connection: &Connection, sql: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = connection.prepare(sql)?;
        let strings = statement.query_map([], |row| row.get(0))?;
        Ok(strings.collect::<Result<_, _>>()?)
    }

    /// Whoever adds a table says here what becomes of its rows when their comment or their person is forgotten, and in PRIVACY.md what it holds.
    #[test]
    fn every_table_is_forgotten_with_its_comment_or_says_why_not() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let privacy = include_str!("../../PRIVACY.md");
        store
            .read()
            .with(|connection| {
                let tables = strings(connection, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
                let told: Vec<&str> = OF_A_COMMENT.into_iter().chain(OTHERS.iter().map(|(table, _)| *table)).collect();
                let named: BTreeSet<&str> = told.iter().copied().collect();
                assert_eq!(named, tables.iter().map(String::as_str).collect(), "left: told of here; right: in the schema");
                assert_eq!(named.len(), told.len(), "each is told of once");
                for table in tables {
                    let columns = strings(connection, &format!("SELECT name FROM pragma_table_info('{table}')"))?;
                    let is_of_a_comment = OF_A_COMMENT.contains(&table.as_str());
                    assert!(!is_of_a_comment || columns.iter().any(|column| column == "comment"), "{table}");
                    assert!(privacy.contains(&format!("`{table}`")), "PRIVACY.md does not say what `{table}` holds");
                }
                Ok(())
            })
            .unwrap();
    }
}
