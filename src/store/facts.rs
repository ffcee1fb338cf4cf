//! Facts: what the past says of comments about to be judged; the one read of the judge loop. Everything is counted from the comments
//! themselves as they stand, never from counters of its own, so that it follows every ruling and every change of mind; and it can be asked
//! again as it was then, for a dry run.

use super::{Reader, StoreError, rows};
use crate::clock::Timestamp;
use crate::comment::{Comment, DomainRecord, Facts, MemberRecord};
use crate::id::CommentId;
use crate::rules;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use std::time::Duration;

/// The author's record is counted to this and no further: it saturates long before, and a busy author costs no more than a new one.
const RECORD_MAX: u32 = 20;

/// Of a member's comments the latest so many are looked at: what was ruled longer ago is forgiven.
const MEMBER_COMMENTS_MAX: u32 = 100;

/// Of a domain's comments the latest so many, so that a flood with it costs no more than a few.
const DOMAIN_COMMENTS_MAX: u32 = 50;

/// Of a page's comments the latest so many; spam that was rejected does not make it awake.
const PAGE_COMMENTS_MAX: u32 = 50;

impl Reader {
    /// What the past says of each comment, in their order. One snapshot.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn facts<'a>(&self, comments: impl IntoIterator<Item = &'a Comment>, now: Timestamp) -> Result<Vec<Facts>, StoreError> {
        self.with(|connection| comments.into_iter().map(|comment| facts(connection, comment, Until::Now, now)).collect())
    }

    /// What the past said of a stored comment when it was judged at `then`: by what had been judged before and ruled by that time. Of two
    /// batches in one millisecond the second is taken to have known nothing of the first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn facts_then(&self, comment: &Comment, then: Timestamp) -> Result<Facts, StoreError> {
        self.with(|connection| facts(connection, comment, Until::Then(then), then))
    }
}

/// Where the past ends.
#[derive(Debug, Clone, Copy)]
enum Until {
    Now,
    /// Without what was judged from then on, and ruled later.
    Then(Timestamp),
}

impl Until {
    /// In SQL, the last ruling on the comment `c`, and whether its verdict was there to be seen. The time is `?4`.
    fn seen(self) -> (&'static str, &'static str) {
        match self {
            Self::Now => ("c.ruled", "?4 IS NULL"),
            Self::Then(_) => (
                "(SELECT r.ruling FROM rulings r WHERE r.comment = c.seq AND r.at <= ?4 ORDER BY r.seq DESC LIMIT 1)",
                "EXISTS (SELECT 1 FROM decisions d WHERE d.comment = c.seq AND d.decided_at < ?4)",
            ),
        }
    }

    fn time(self) -> Option<i64> {
        match self {
            Self::Now => None,
            Self::Then(then) => Some(then.ms()),
        }
    }
}

fn facts(connection: &Connection, comment: &Comment, until: Until, now: Timestamp) -> Result<Facts, StoreError> {
    let mut facts = Facts::none(now);
    let author = rows::author_key(comment);
    if let Some(author) = author {
        (facts.author_published, facts.author_spam, facts.author_removed) = author_record(connection, comment, author, until)?;
        if comment.author.role.is_some() {
            facts.member = member_record(connection, comment, author, until)?;
        }
    }
    if let Some(page) = rows::page_key(comment) {
        facts.page_quiet = Some(page_quiet(connection, comment, page, until)?);
    }
    let record = |domain| domain_record(connection, comment, domain, until);
    facts.domains = rules::domains(comment).into_iter().map(record).collect::<Result<_, _>>()?;
    if comment.parent_body.is_none() {
        facts.parent_body = parent_body(connection, comment)?;
    }
    Ok(facts)
}

/// Published, ruled spam, removed.
fn author_record(connection: &Connection, comment: &Comment, author: [u8; 16], until: Until) -> Result<(u32, u32, u32), StoreError> {
    let (ruled, is_judged) = until.seen();
    // A site that only observes has everything published; what the machine would have said counts there, too.
    let of_author = "FROM comments c WHERE site = ?1 AND author = ?2 AND";
    let sql = format!(
        "SELECT (SELECT count(*) FROM (SELECT 1 {of_author} {ruled} = 'publish' LIMIT ?3))
              + (SELECT count(*) FROM (SELECT 1 {of_author} {ruled} IS NULL AND verdict = 'publish' AND {is_judged} LIMIT ?3)),
                (SELECT count(*) FROM (SELECT 1 {of_author} {ruled} = 'spam' LIMIT ?3)),
                (SELECT count(*) FROM (SELECT 1 {of_author} {ruled} = 'remove' LIMIT ?3))"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bounds = params![comment.site.as_str(), author, RECORD_MAX, until.time()];
    Ok(statement.query_row(bounds, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
}

/// Of comments that came with a role alone: under a bare address anybody may have written.
fn member_record(connection: &Connection, comment: &Comment, author: [u8; 16], until: Until) -> Result<Option<MemberRecord>, StoreError> {
    let (ruled, is_judged) = until.seen();
    let vouched =
        format!("FROM comments c WHERE site = ?1 AND author = ?2 AND author IS NOT NULL AND role IS NOT NULL AND {is_judged} ORDER BY seq");
    let sql = format!(
        "SELECT (SELECT received_at {vouched} LIMIT 1), count(*) FILTER (WHERE ruled = 'publish' OR ruled IS NULL AND verdict = 'publish'),
                count(*) FILTER (WHERE ruled IN ('spam', 'remove'))
         FROM (SELECT {ruled} AS ruled, verdict {vouched} DESC LIMIT ?3)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bounds = params![comment.site.as_str(), author, MEMBER_COMMENTS_MAX, until.time()];
    let (first, published, unwanted) = statement.query_row(bounds, |row| Ok((row.get::<_, Option<i64>>(0)?, row.get(1)?, row.get(2)?)))?;
    let known_for = |first| comment.received_at.since(Timestamp::from_ms(first));
    Ok(first.map(|first| MemberRecord { known_for: known_for(first), published, unwanted }))
}

/// How long nothing was published on the page; for ever where nothing ever was.
fn page_quiet(connection: &Connection, comment: &Comment, page: [u8; 16], until: Until) -> Result<Duration, StoreError> {
    let (ruled, is_judged) = until.seen();
    let sql = format!(
        "SELECT max(received_at) FROM (SELECT received_at, {ruled} AS ruled, verdict FROM comments c
         WHERE site = ?1 AND page = ?2 AND page IS NOT NULL AND {is_judged} ORDER BY seq DESC LIMIT ?3)
         WHERE ruled = 'publish' OR ruled IS NULL AND verdict = 'publish'"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bounds = params![comment.site.as_str(), page, PAGE_COMMENTS_MAX, until.time()];
    let last: Option<i64> = statement.query_row(bounds, |row| row.get(0))?;
    Ok(last.map_or(Duration::MAX, |last| comment.received_at.since(Timestamp::from_ms(last))))
}

fn domain_record(connection: &Connection, comment: &Comment, domain: String, until: Until) -> Result<DomainRecord, StoreError> {
    let (ruled, is_judged) = until.seen();
    let sql = format!(
        "SELECT c.author, {ruled}, c.verdict = 'publish', c.role IS NOT NULL FROM domains d JOIN comments c ON c.seq = d.comment
         WHERE d.site = ?1 AND d.domain = ?2 AND {is_judged} ORDER BY d.comment DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let author = rows::author_key(comment);
    let mut record = DomainRecord { domain, ..DomainRecord::default() };
    let mut found = statement.query(params![comment.site.as_str(), record.domain, DOMAIN_COMMENTS_MAX, until.time()])?;
    let mut publishers: BTreeSet<Option<[u8; 16]>> = BTreeSet::new();
    while let Some(row) = found.next()? {
        let (by, ruled): (Option<[u8; 16]>, Option<String>) = (row.get(0)?, row.get(1)?);
        let (passed, is_vouched): (Option<bool>, bool) = (row.get(2)?, row.get(3)?);
        let is_published = ruled.as_deref().map_or(passed == Some(true), |ruling| ruling == "publish");
        record.by_author |= is_published && by.is_some() && by == author;
        record.spam += u32::from(ruled.as_deref() == Some("spam"));
        if is_published && (ruled.is_some() || is_vouched) {
            record.published += 1;
            publishers.insert(by);
        }
    }
    record.publishers = u32::try_from(publishers.len()).unwrap_or(u32::MAX);
    Ok(record)
}

/// The blog may call comments by our ids.
fn parent_body(connection: &Connection, comment: &Comment) -> Result<Option<String>, StoreError> {
    let Some(id) = comment.parent_id.as_deref().and_then(|id| id.parse::<CommentId>().ok()) else { return Ok(None) };
    let mut statement = connection.prepare_cached("SELECT body FROM comments WHERE id = ?1 AND site = ?2")?;
    Ok(statement.query_row(params![id.bytes(), comment.site.as_str()], |row| row.get(0)).optional()?)
}
