//! Edits: a comment that says something else now. What it said before is kept, with every decision and ruling on it; a ruling was on the
//! text that a person saw, so it is no label of the new one.

use super::comments::{by_id, insert_decision, insert_domains};
use super::{Pending, Reader, Record, Store, StoreError, rows};
use crate::budget::audit::Inclusion;
use crate::clock::Timestamp;
use crate::comment::{Alike, Comment, Lately};
use crate::decision::{Decision, Status};
use crate::delivery::Outgoing;
use crate::trace::Trace;
use rusqlite::{Connection, params};
use std::sync::Arc;

/// An edit that was judged.
#[derive(Debug, Clone)]
pub struct Edit {
    /// As it is now, under its own id.
    pub comment: Comment,
    /// Only if the comment still has this version.
    pub version: u32,
    pub decision: Decision,
    pub domains: Vec<String>,
    pub trace: Trace,
    pub remembered: (Lately, Alike),
}

/// What a comment said before an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub version: u32,
    pub name: Option<String>,
    pub email: Option<String>,
    pub url: Option<String>,
    pub body: String,
    /// It said so until then.
    pub until: Timestamp,
}

impl Store {
    /// Takes an edit; `outgoing` makes what must leave of the record after it. Answers the record as it then stands and whether the edit was
    /// taken: not if the comment changed since it was read, or still waits in the queue. None for an unknown comment.
    pub fn edit(&self, edit: Edit, outgoing: impl FnOnce(&Record) -> Vec<Outgoing> + Send + 'static) -> Pending<Option<(Record, bool)>> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            let Some(before) = by_id(connection, &edit.comment.site, edit.comment.id)? else { return Ok(None) };
            if before.version != edit.version || before.status == Status::Queued {
                return Ok(Some((before, false)));
            }
            keep(connection, &before, edit.decision.decided_at)?;
            let after = change(connection, before, edit)?;
            for outgoing in outgoing(&after) {
                super::outbox::insert(connection, &waiting, &outgoing)?;
            }
            Ok(Some((after, true)))
        })
    }
}

impl Reader {
    /// What a comment said before, by its number, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn earlier(&self, seq: i64) -> Result<Vec<Earlier>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT version, name, email, url, body, until FROM edits WHERE comment = ?1 ORDER BY version";
            let mut statement = connection.prepare_cached(sql)?;
            let earlier = statement.query_map([seq], |row| {
                Ok(Earlier {
                    version: row.get(0)?,
                    name: row.get(1)?,
                    email: row.get(2)?,
                    url: row.get(3)?,
                    body: row.get(4)?,
                    until: Timestamp::from_ms(row.get(5)?),
                })
            })?;
            Ok(earlier.collect::<Result<_, _>>()?)
        })
    }
}

fn keep(connection: &Connection, before: &Record, until: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO edits (site, comment, version, name, email, url, body, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let Comment { site, author, body, .. } = &before.comment;
    connection.prepare_cached(sql)?.execute(params![
        site.as_str(),
        before.seq,
        before.version,
        author.name,
        author.email,
        author.url,
        body,
        until.ms()
    ])?;
    Ok(())
}

fn change(connection: &Connection, before: Record, edit: Edit) -> Result<Record, StoreError> {
    let Edit { comment, decision, domains, trace, remembered, .. } = edit;
    let status = decision.status_after_edit(before.ruled.as_ref().map(|ruled| ruled.ruling));
    let record = Record {
        comment,
        status,
        version: before.version + 1,
        audited: false,
        edited: before.ruled.is_some(),
        decision: Some(decision.clone()),
        ..before
    };
    update(connection, &record, &decision)?;
    connection.prepare_cached("DELETE FROM domains WHERE comment = ?1")?.execute([record.seq])?;
    connection
        .prepare_cached("DELETE FROM traces WHERE site = ?1 AND comment = ?2")?
        .execute(params![record.comment.site.as_str(), record.seq])?;
    // Spot checks are drawn when a comment comes; the one of its old text ends here.
    insert_decision(connection, &record, &decision, Inclusion::NONE)?;
    insert_domains(connection, &record, &domains)?;
    super::lists::insert(connection, &record.comment.site, record.seq, &decision)?;
    super::traces::insert(connection, &record, &decision, &trace, remembered)?;
    Ok(record)
}

fn update(connection: &Connection, record: &Record, decision: &Decision) -> Result<(), StoreError> {
    let sql = "UPDATE comments SET name = ?2, email = ?3, url = ?4, ip = ?5, user_agent = ?6, role = ?7, body = ?8, page_url = ?9,
                      page_title = ?10, parent_id = ?11, author = ?12, page_excerpt = ?13, page_published_at = ?14, page = ?15,
                      parent_body = ?16, kind = ?17, status = ?18, verdict = ?19, version = ?20, audited = 0, edited = ?21 WHERE seq = ?1";
    let Comment { author, page, .. } = &record.comment;
    connection.prepare_cached(sql)?.execute(params![
        record.seq,
        author.name,
        author.email,
        author.url,
        author.ip.map(|ip| ip.to_string()),
        author.user_agent,
        author.role,
        record.comment.body,
        page.url,
        page.title,
        record.comment.parent_id,
        rows::author_key(&record.comment),
        page.excerpt,
        page.published_at.map(Timestamp::ms),
        rows::page_key(&record.comment),
        record.comment.parent_body,
        record.comment.kind.as_str(),
        record.status.as_str(),
        decision.verdict.as_str(),
        record.version,
        record.edited,
    ])?;
    Ok(())
}
