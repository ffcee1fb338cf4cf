//! Comments, what was decided of them and what people ruled: the one read and the one write of the judge loop, the durable queue, and the
//! record of one comment. Rulings are written in `rulings`.

use super::rows::{self, CommentRow};
use super::waiting::Waiting;
use super::{Pending, Reader, Shadowed, Store, StoreError};
use crate::budget::audit::Inclusion;
use crate::clock::Timestamp;
use crate::comment::{Alike, Comment, Lately};
use crate::decision::{Decision, Ruling, Status, Verdict};
use crate::delivery::Outgoing;
use crate::id::{CommentId, SiteId};
use crate::trace::Trace;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// What makes a resent submission the same: the sender's key, and a hash of what was sent with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    pub key: String,
    pub request_hash: [u8; 32],
}

/// A comment on its way into the durable queue.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub comment: Comment,
    pub idempotency: Option<Idempotency>,
}

/// A comment that was judged, with what must leave because of it.
#[derive(Debug, Clone)]
pub struct Judged {
    pub comment: Comment,
    pub idempotency: Option<Idempotency>,
    pub decision: Decision,
    /// What the model in the shadow would have made of it, where there is one.
    pub shadow: Option<Shadowed>,
    pub audit: Inclusion,
    /// The domains that it links to.
    pub domains: Vec<String>,
    pub trace: Trace,
    /// What was remembered of its like.
    pub remembered: (Lately, Alike),
    /// It stands in the durable queue already.
    pub seq: Option<i64>,
    /// A person ruled on it before it came.
    pub ruled: Option<Ruled>,
    pub outgoing: Vec<Outgoing>,
}

/// What became of an arrival or a judged comment.
#[derive(Debug, Clone)]
pub enum Received {
    New(Box<Record>),
    /// The same submission came before; here is how it stands.
    Known(Box<Record>),
    /// Another submission came before under the same idempotency key.
    Conflict,
}

/// Everything written down of one comment.
#[derive(Debug, Clone)]
pub struct Record {
    pub seq: i64,
    pub comment: Comment,
    pub status: Status,
    pub version: u32,
    /// People are asked although the machine decided.
    pub audited: bool,
    /// People are asked since then because a reader reported it or its author appealed.
    pub objected_at: Option<Timestamp>,
    /// The last ruling was on what it said before an edit.
    pub edited: bool,
    pub decision: Option<Decision>,
    pub ruled: Option<Ruled>,
}

impl Record {
    pub(super) fn new(seq: i64, comment: Comment, status: Status) -> Self {
        Self { seq, comment, status, version: 1, audited: false, objected_at: None, edited: false, decision: None, ruled: None }
    }

    /// A spot check that nobody has answered yet: people are to see neither what was decided nor why.
    pub fn is_open_check(&self) -> bool {
        self.audited && self.ruled.is_none() && self.status != Status::Queued
    }

    /// Whether people are asked to rule on it.
    pub fn waits(&self) -> bool {
        self.status == Status::Held || self.is_open_check() || self.objected_at.is_some()
    }
}

/// A ruling as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    pub ruling: Ruling,
    pub by: String,
    pub via: String,
    pub at: Timestamp,
}

impl Reader {
    /// The oldest comments of these sites in the durable queue, with their sequence numbers.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn queued<'a>(&self, sites: impl Iterator<Item = &'a SiteId>, limit: usize) -> Result<Vec<(i64, Comment)>, StoreError> {
        let sites = sites.map(SiteId::as_str).collect::<serde_json::Value>().to_string();
        self.with(|connection| {
            let sql = format!(
                "SELECT {} FROM comments c INDEXED BY comments_queued WHERE status = 'queued' AND site IN (SELECT value FROM json_each(?1)) ORDER BY seq LIMIT ?2",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params![sites, limit])?;
            let mut queued = Vec::new();
            while let Some(row) = found.next()? {
                let row = rows::comment(row)?;
                queued.push((row.seq, row.comment));
            }
            Ok(queued)
        })
    }

    /// One comment of one site.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn comment(&self, site: &SiteId, id: CommentId) -> Result<Option<Record>, StoreError> {
        self.with(|connection| by_id(connection, site, id))
    }

    /// The site of a comment, for those who stand above sites: the CLI.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn site_of(&self, id: CommentId) -> Result<Option<SiteId>, StoreError> {
        self.with(|connection| {
            let site = connection.query_row("SELECT site FROM comments WHERE id = ?1", [id.bytes()], |row| row.get::<_, String>(0));
            Ok(site.optional()?.map(SiteId::new))
        })
    }

    /// How many comments wait for a person, by site. The index is named, since the planner took another for such a count, and .8 s at 100,000.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn held_by_site(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.with(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT site, count(*) FROM comments INDEXED BY comments_held WHERE status = 'held' GROUP BY site")?;
            let held = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(held.collect::<Result<_, _>>()?)
        })
    }

    /// Comments that wait for a person, held or objected to, oldest first; of all sites, or of one.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn held(&self, site: Option<&SiteId>, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.with(|connection| {
            let sql = format!(
                "SELECT {} FROM comments c WHERE seq IN (
                     SELECT seq FROM comments INDEXED BY comments_held WHERE status = 'held' AND (?1 IS NULL OR site = ?1)
                     UNION SELECT seq FROM comments INDEXED BY comments_objected WHERE objected_at IS NOT NULL AND (?1 IS NULL OR site = ?1)
                 ) ORDER BY seq LIMIT ?2",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params![site.map(SiteId::as_str), limit])?;
            let mut held = Vec::new();
            while let Some(row) = found.next()? {
                held.push(complete(connection, rows::comment(row)?)?);
            }
            Ok(held)
        })
    }
}

impl Store {
    /// Writes a batch of judged comments with everything that leaves because of them: one transaction.
    pub fn record(&self, batch: Vec<Judged>) -> Pending<Vec<Received>> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| batch.into_iter().map(|judged| record(connection, &waiting, judged)).collect())
    }

    /// Puts a comment into the durable queue.
    pub fn enqueue(&self, arrival: Arrival) -> Pending<Received> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            if let Some(known) = known(connection, &arrival.comment.site, arrival.idempotency.as_ref())? {
                return Ok(known);
            }
            let seq = insert(connection, &arrival.comment, arrival.idempotency.as_ref(), (Status::Queued, None))?;
            waiting.queued.came(arrival.comment.site.as_str());
            let (status, comment) = (Status::Queued, arrival.comment);
            let record = Record::new(seq, comment, status);
            Ok(Received::New(Box::new(record)))
        })
    }
}

fn record(connection: &Connection, waiting: &Waiting, judged: Judged) -> Result<Received, StoreError> {
    let Judged { comment, idempotency, decision, shadow, audit, domains, trace, remembered, seq, ruled, outgoing } = judged;
    let status = decision.status();
    let record = if seq.is_some() {
        let Some(queued) = by_id(connection, &comment.site, comment.id)? else { return Err(StoreError::Row("queue".into())) };
        if queued.status != Status::Queued {
            // A person ruled while the judge had it in hand: the ruling stands, and needs no verdict.
            return Ok(Received::Known(Box::new(queued)));
        }
        waiting.queued.went(comment.site.as_str());
        decided(connection, queued, (status, decision.verdict))?
    } else {
        if let Some(known) = known(connection, &comment.site, idempotency.as_ref())? {
            return Ok(known);
        }
        let seq = insert(connection, &comment, idempotency.as_ref(), (status, Some(decision.verdict)))?;
        Record::new(seq, comment, status)
    };
    if audit.audited {
        connection.prepare_cached("UPDATE comments SET audited = 1 WHERE seq = ?1")?.execute([record.seq])?;
    }
    insert_decision(connection, &record, &decision, audit)?;
    if let Some(shadow) = &shadow {
        super::shadows::insert(connection, &record, &decision, shadow)?;
    }
    insert_domains(connection, &record, &domains)?;
    super::lists::insert(connection, &record.comment.site, record.seq, &decision)?;
    super::traces::insert(connection, &record, &decision, &trace, remembered)?;
    for outgoing in &outgoing {
        super::outbox::insert(connection, waiting, outgoing)?;
    }
    let record = Record { decision: Some(decision), audited: audit.audited, ..record };
    let record = if let Some(ruled) = ruled { super::rulings::rule(connection, record, ruled, None)? } else { record };
    Ok(Received::New(Box::new(record)))
}

/// A queued comment gets its verdict.
fn decided(connection: &Connection, queued: Record, (status, verdict): (Status, Verdict)) -> Result<Record, StoreError> {
    let version = queued.version + 1;
    let mut statement = connection.prepare_cached("UPDATE comments SET status = ?2, version = ?3, verdict = ?4 WHERE seq = ?1")?;
    statement.execute(params![queued.seq, status.as_str(), version, verdict.as_str()])?;
    Ok(Record { status, version, ..queued })
}

/// What stands under an idempotency key, if anything does.
fn known(connection: &Connection, site: &SiteId, idempotency: Option<&Idempotency>) -> Result<Option<Received>, StoreError> {
    let Some(idempotency) = idempotency else { return Ok(None) };
    let sql = format!("SELECT {}, c.request_hash FROM comments c WHERE site = ?1 AND idempotency_key = ?2", rows::COMMENT);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(params![site.as_str(), idempotency.key])?;
    let Some(row) = found.next()? else { return Ok(None) };
    if row.get::<_, [u8; 32]>("request_hash")? != idempotency.request_hash {
        return Ok(Some(Received::Conflict));
    }
    Ok(Some(Received::Known(Box::new(complete(connection, rows::comment(row)?)?))))
}

pub(super) fn by_id(connection: &Connection, site: &SiteId, id: CommentId) -> Result<Option<Record>, StoreError> {
    let sql = format!("SELECT {} FROM comments c WHERE id = ?1 AND site = ?2", rows::COMMENT);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(params![id.bytes(), site.as_str()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    Ok(Some(complete(connection, rows::comment(row)?)?))
}

/// Adds the last decision and the last ruling.
pub(super) fn complete(connection: &Connection, row: CommentRow) -> Result<Record, StoreError> {
    let CommentRow { seq, comment, status, version, audited, objected_at, edited } = row;
    let sql = format!("SELECT {} FROM decisions WHERE comment = ?1 ORDER BY seq DESC LIMIT 1", rows::DECISION);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query([seq])?;
    let decision = found.next()?.map(rows::decision).transpose()?;
    let mut statement =
        connection.prepare_cached("SELECT ruling, actor, via, at FROM rulings WHERE comment = ?1 ORDER BY seq DESC LIMIT 1")?;
    let last = statement.query_row([seq], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
    let ruled = match last {
        None => None,
        Some((ruling, by, via, at)) => rows::standing(&ruling)?.map(|ruling| Ruled { ruling, by, via, at: Timestamp::from_ms(at) }),
    };
    Ok(Record { seq, comment, status, version, audited, objected_at, edited, decision, ruled })
}

pub(super) fn insert(
    connection: &Connection,
    comment: &Comment,
    idempotency: Option<&Idempotency>,
    (status, verdict): (Status, Option<Verdict>),
) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO comments (seq, id, site, received_at, idempotency_key, request_hash, submitted_at, kind, name, email, url, ip,
                               user_agent, role, body, page_url, page_title, parent_id, author, status, verdict, page_excerpt,
                               page_published_at, page, parent_body, form_token, form_shown_at, honeypot, callback)
         VALUES (1 + max((SELECT coalesce(max(seq), 0) FROM comments),
                         (SELECT coalesce(max(last), 0) FROM numbers WHERE name = 'comments')),
                 ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26,
                 ?27, ?28)",
    )?;
    let author = &comment.author;
    let (form_token, form_shown_at) = rows::form_token_of(comment.form.token);
    Ok(statement.insert(params![
        comment.id.bytes(),
        comment.site.as_str(),
        comment.received_at.ms(),
        idempotency.map(|idempotency| &idempotency.key),
        idempotency.map(|idempotency| idempotency.request_hash),
        comment.submitted_at.map(Timestamp::ms),
        comment.kind.as_str(),
        author.name,
        author.email,
        author.url,
        author.ip.map(|ip| ip.to_string()),
        author.user_agent,
        author.role,
        comment.body,
        comment.page.url,
        comment.page.title,
        comment.parent_id,
        rows::author_key(comment),
        status.as_str(),
        verdict.map(Verdict::as_str),
        comment.page.excerpt,
        comment.page.published_at.map(Timestamp::ms),
        rows::page_key(comment),
        comment.parent_body,
        form_token,
        form_shown_at,
        comment.form.honeypot_filled,
        comment.callback,
    ])?)
}

pub(super) fn insert_domains(connection: &Connection, record: &Record, domains: &[String]) -> Result<(), StoreError> {
    for domain in domains {
        let mut statement = connection.prepare_cached("INSERT INTO domains (site, domain, comment) VALUES (?1, ?2, ?3)")?;
        statement.execute(params![record.comment.site.as_str(), domain, record.seq])?;
    }
    Ok(())
}

pub(super) fn insert_decision(connection: &Connection, record: &Record, decision: &Decision, audit: Inclusion) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO decisions (site, comment, verdict, discard, band, score, model, mode, why, decided_at, audited, audit_probability,
                                audit_floor)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    statement.insert(params![
        record.comment.site.as_str(),
        record.seq,
        decision.verdict.as_str(),
        decision.discard,
        decision.band.as_str(),
        decision.score,
        decision.model.as_ref().map(crate::id::ModelId::as_str),
        decision.mode.as_str(),
        rows::why_of(decision)?,
        decision.decided_at.ms(),
        audit.audited,
        audit.probability,
        audit.floor,
    ])?;
    Ok(())
}
