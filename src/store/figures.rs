//! Figures: what a span of days brought, counted from the rows that are there. Days are counted by the database itself as comments come and people rule
//! (see `schema`), so that a page of figures does not read every comment. What they mean is `flow::figures`'s.

use super::{Batch, Reader, StoreError, rows};
use crate::clock::Timestamp;
use crate::decision::{Ruling, Verdict};
use crate::id::SiteId;
use crate::rules::Effect;
use rusqlite::{OptionalExtension, Row, params};
use std::collections::HashMap;
use std::time::Duration;

/// Comments of one day with the same verdict and the same last ruling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970, in UTC.
    pub day: i64,
    pub verdict: Verdict,
    /// None: nobody has ruled.
    pub ruled: Option<Ruling>,
    /// Drawn as a spot check.
    pub is_audited: bool,
    pub comments: u64,
}

/// What people did in a span: their latest rulings, so many as are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// From a held comment's coming to its first ruling, ascending.
    pub waited: Vec<Duration>,
    pub rulings: u64,
    /// Rulings that were taken back.
    pub undone: u64,
    /// Presses of a button that ruled on several comments, and those comments.
    pub presses: u64,
    pub together: u64,
}

/// One decision's score, and what was decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// In `0.0..=1.0`.
    pub score: f64,
    pub verdict: Verdict,
}

/// Why comments were held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldFor {
    /// The latest held decisions of the span that were looked at.
    pub decisions: u64,
    /// By a rule's code, one of its texts and how many of them it held; the most frequent first.
    pub rules: Vec<(String, String, u64)>,
    /// Held by the score alone.
    pub by_score: u64,
}

/// How `via` names a ruling that takes another back.
const UNDO: &str = "undo";

/// How mail goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailHealth {
    /// Digests of the span, and the last of all.
    pub digests: u64,
    pub last_digest: Option<Timestamp>,
    /// Mails not yet taken, and given up.
    pub waiting: u64,
    pub given_up: u64,
    pub last_error: Option<String>,
}

/// Rulings that are read at most, the latest: two thousand waits tell their median to two in a hundred, and each costs a look into its
/// comment, some 14 us.
const RULINGS_MAX: usize = 2_000;

/// Held decisions that are read for their reasons: their share is known to two or three in a hundred then.
const DECISIONS_MAX: usize = 1_000;

/// Comments whose scores are read: enough for the shape of two heaps.
const SCORES_MAX: usize = 2_000;

impl Reader {
    /// A site's days from `since` on, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn days(&self, site: &SiteId, since: i64) -> Result<Vec<Day>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT day, verdict, ruled, audited, comments FROM days WHERE site = ?1 AND day >= ?2 AND comments > 0
                       ORDER BY day, verdict, ruled, audited";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), since])?;
            let mut days = Vec::new();
            while let Some(row) = found.next()? {
                let ruled: String = row.get(2)?;
                days.push(Day {
                    day: row.get(0)?,
                    verdict: rows::word(&row.get::<_, String>(1)?, Verdict::parse)?,
                    ruled: (!ruled.is_empty()).then(|| rows::ruling(&ruled)).transpose()?,
                    is_audited: row.get(3)?,
                    comments: row.get(4)?,
                });
            }
            Ok(days)
        })
    }

    /// What people did since then.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn work(&self, site: &SiteId, since: Timestamp) -> Result<Work, StoreError> {
        self.with(|connection| {
            // Backwards: of one comment the last that is read is its first ruling. The time is looked at outside of the search, which would
            // else go back to the first ruling of all where few are recent.
            let sql = "SELECT r.comment, r.at - c.received_at, c.verdict, c.received_at >= ?2, r.at, r.via, r.batch
                       FROM rulings r INDEXED BY rulings_site JOIN comments c ON c.seq = r.comment
                       WHERE r.site = ?1 ORDER BY r.seq DESC LIMIT ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), since.ms(), RULINGS_MAX])?;
            let (mut work, mut first, mut batches) = (Work::default(), HashMap::new(), HashMap::<Batch, u64>::new());
            while let Some(row) = found.next()? {
                if row.get::<_, i64>(4)? < since.ms() {
                    continue;
                }
                if row.get::<_, String>(5)? == UNDO {
                    work.undone += 1;
                    continue;
                }
                work.rulings += 1;
                if let Some(batch) = row.get::<_, Option<Batch>>(6)? {
                    *batches.entry(batch).or_default() += 1;
                }
                let is_held = row.get::<_, Option<String>>(2)?.as_deref() == Some(Verdict::Hold.as_str());
                if is_held && row.get(3)? {
                    first.insert(row.get::<_, i64>(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
                }
            }
            work.waited = first.into_values().map(Duration::from_millis).collect();
            work.waited.sort_unstable();
            let several: Vec<u64> = batches.into_values().filter(|comments| *comments > 1).collect();
            work.presses = several.len().try_into().unwrap_or(u64::MAX);
            work.together = several.iter().sum();
            Ok(work)
        })
    }

    /// The scores of a site's latest comments, as far as they had one and came since then.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn scores(&self, site: &SiteId, since: Timestamp) -> Result<Vec<Scored>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT d.score, d.verdict FROM (SELECT seq, received_at FROM comments INDEXED BY comments_site
                                                       WHERE site = ?1 ORDER BY seq DESC LIMIT ?3) c
                       JOIN decisions d ON d.seq = (SELECT max(seq) FROM decisions WHERE comment = c.seq)
                       WHERE c.received_at >= ?2 AND d.score IS NOT NULL";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), since.ms(), SCORES_MAX])?;
            let mut scores = Vec::new();
            while let Some(row) = found.next()? {
                scores.push(Scored { score: row.get(0)?, verdict: rows::word(&row.get::<_, String>(1)?, Verdict::parse)? });
            }
            Ok(scores)
        })
    }

    /// Which rules held the latest comments since then.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn held_for(&self, site: &SiteId, since: Timestamp) -> Result<HeldFor, StoreError> {
        self.with(|connection| {
            let sql = "SELECT why FROM (SELECT why, decided_at FROM decisions INDEXED BY decisions_held
                                        WHERE site = ?1 AND verdict = 'hold' ORDER BY seq DESC LIMIT ?3) WHERE decided_at >= ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), since.ms(), DECISIONS_MAX])?;
            let (mut held, mut rules) = (HeldFor::default(), HashMap::<String, (String, u64)>::new());
            while let Some(row) = found.next()? {
                held.decisions += 1;
                let findings = rows::findings(&row.get::<_, String>(0)?)?;
                let holding: Vec<_> = findings.into_iter().filter(|finding| finding.effect == Effect::Hold).collect();
                held.by_score += u64::from(holding.is_empty());
                for finding in holding {
                    rules.entry(finding.code).or_insert_with(|| (finding.text, 0)).1 += 1;
                }
            }
            held.rules = rules.into_iter().map(|(code, (text, count))| (code, text, count)).collect();
            held.rules.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
            Ok(held)
        })
    }

    /// How the site's mails go.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn mail_health(&self, site: &SiteId, since: Timestamp) -> Result<MailHealth, StoreError> {
        self.with(|connection| {
            let sql = "SELECT coalesce(sum(created_at >= ?2), 0), max(created_at) FROM digests WHERE site = ?1 AND kind <> 'weekly'";
            let (digests, last): (u64, Option<i64>) =
                connection.prepare_cached(sql)?.query_row(params![site.as_str(), since.ms()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let count = |which: &str| {
                let sql = format!("SELECT count(*) FROM parcels WHERE site = ?1 AND kind = 'mail' AND {which}");
                connection.prepare_cached(&sql)?.query_row([site.as_str()], |row| row.get(0))
            };
            let (waiting, given_up) = (count("dead = 0")?, count("dead = 1")?);
            // Of what was taken no error is kept: one that is there is of a mail that still waits or was given up.
            let error = |which: &str| {
                let sql = format!(
                    "SELECT seq, last_error FROM parcels WHERE site = ?1 AND kind = 'mail' AND {which} AND last_error IS NOT NULL
                     ORDER BY seq DESC LIMIT 1"
                );
                let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
                connection.prepare_cached(&sql)?.query_row([site.as_str()], read).optional()
            };
            let last_error = error("dead = 0")?.max(error("dead = 1")?).map(|(_, error)| error);
            let last_digest = last.map(Timestamp::from_ms);
            Ok(MailHealth { digests, last_digest, waiting, given_up, last_error })
        })
    }
}
