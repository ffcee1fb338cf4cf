//! Shadows: what a model that decides nothing would have decided, one row a comment while it stands in the shadow. Ids, verdicts and scores; what
//! the comment says stands with it alone, and the row goes when it goes.

use super::comments::{Record, complete};
use super::{Reader, StoreError, rows};
use crate::clock::Timestamp;
use crate::decision::{Decision, Ruling, Verdict};
use crate::id::{ModelId, SiteId};
use rusqlite::{Connection, params};

/// A step of the schema.
pub(super) const TABLE: &str = "
-- What a model in the shadow would have decided of a comment, beside what was decided.
CREATE TABLE shadows (
    site            TEXT NOT NULL,
    model           TEXT NOT NULL,              -- the one in the shadow
    comment         INTEGER NOT NULL REFERENCES comments (seq),
    at              INTEGER NOT NULL,           -- ms
    verdict         TEXT NOT NULL,
    score           REAL,
    verdict_at_work TEXT NOT NULL,
    score_at_work   REAL,
    PRIMARY KEY (site, model, comment)
) STRICT, WITHOUT ROWID;
CREATE INDEX shadows_comment ON shadows (comment);
";

/// What the model in the shadow would have decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Shadowed {
    pub model: ModelId,
    pub verdict: Verdict,
    pub score: Option<f64>,
}

impl Shadowed {
    /// Of a decision that nobody will hear of.
    pub fn of(decision: Decision) -> Self {
        Self { model: decision.model.unwrap_or_else(|| ModelId::new("")), verdict: decision.verdict, score: decision.score }
    }
}

/// How many comments got the same two verdicts and the same last ruling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    pub at_work: Verdict,
    pub shadow: Verdict,
    /// None: nobody has ruled on what it says now.
    pub ruled: Option<Ruling>,
    pub comments: usize,
}

/// A comment that the model in the shadow would have decided otherwise.
#[derive(Debug, Clone)]
pub struct Beside {
    pub record: Record,
    pub at_work: (Verdict, Option<f64>),
    pub shadow: (Verdict, Option<f64>),
}

pub(super) fn insert(connection: &Connection, record: &Record, decision: &Decision, shadow: &Shadowed) -> Result<(), StoreError> {
    let sql = "INSERT INTO shadows (site, model, comment, at, verdict, score, verdict_at_work, score_at_work)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        record.comment.site.as_str(),
        shadow.model.as_str(),
        record.seq,
        decision.decided_at.ms(),
        shadow.verdict.as_str(),
        shadow.score,
        decision.verdict.as_str(),
        decision.score,
    ])?;
    Ok(())
}

impl Reader {
    /// How a model in the shadow and those at work decided a site's comments, and when the first of them was decided.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn sides(&self, site: &SiteId, model: &ModelId) -> Result<(Vec<Sides>, Option<Timestamp>), StoreError> {
        self.with(|connection| {
            let sql = "SELECT s.verdict_at_work, s.verdict, iif(c.edited, NULL, c.ruled), count(*), min(s.at)
                       FROM shadows s JOIN comments c ON c.seq = s.comment WHERE s.site = ?1 AND s.model = ?2 GROUP BY 1, 2, 3";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), model.as_str()])?;
            let (mut sides, mut since) = (Vec::new(), None);
            while let Some(row) = found.next()? {
                let ruled: Option<String> = row.get(2)?;
                sides.push(Sides {
                    at_work: rows::word(&row.get::<_, String>(0)?, Verdict::parse)?,
                    shadow: rows::word(&row.get::<_, String>(1)?, Verdict::parse)?,
                    ruled: ruled.map(|ruled| rows::ruling(&ruled)).transpose()?,
                    comments: row.get(3)?,
                });
                let first = Timestamp::from_ms(row.get(4)?);
                since = Some(since.map_or(first, |since: Timestamp| since.min(first)));
            }
            Ok((sides, since))
        })
    }

    /// The last comments that a model in the shadow would have decided otherwise, those that people ruled on first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn beside(&self, site: &SiteId, model: &ModelId, limit: usize) -> Result<Vec<Beside>, StoreError> {
        self.with(|connection| {
            let sql = format!(
                "SELECT {}, s.verdict_at_work, s.score_at_work, s.verdict AS verdict_in_shadow, s.score AS score_in_shadow
                 FROM shadows s JOIN comments c ON c.seq = s.comment
                 WHERE s.site = ?1 AND s.model = ?2 AND s.verdict <> s.verdict_at_work
                 ORDER BY c.ruled IS NULL OR c.edited, s.comment DESC LIMIT ?3",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params![site.as_str(), model.as_str(), limit])?;
            let mut beside = Vec::new();
            while let Some(row) = found.next()? {
                let verdict = |name| -> Result<Verdict, StoreError> { rows::word(&row.get::<_, String>(name)?, Verdict::parse) };
                let at_work = (verdict("verdict_at_work")?, row.get("score_at_work")?);
                let shadow = (verdict("verdict_in_shadow")?, row.get("score_in_shadow")?);
                beside.push(Beside { record: complete(connection, rows::comment(row)?)?, at_work, shadow });
            }
            Ok(beside)
        })
    }
}
