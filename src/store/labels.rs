//! Labels: what people's rulings teach a model, all at once for a training, or one after another for a model that is at work.

use super::rulings::{NOT_THIS_TEXT, RULED_CHANGE, in_turn, label};
use super::{Reader, Ruled, StoreError, rows};
use crate::budget::audit::Inclusion;
use crate::classifier::{Example, Label};
use crate::clock::Timestamp;
use crate::decision::{Mode, Ruling, Verdict};
use crate::id::{CommentId, SiteId};
use rusqlite::params;

/// What a site's people have ruled so far.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// Every comment whose last ruling is a label and whose text is still there, oldest first.
    pub examples: Vec<Example>,
    /// The comments' numbers, in the same order.
    pub numbers: Vec<i64>,
    /// Who gave each label and when, in the same order.
    pub given: Vec<GivenLabel>,
    /// The last ruling among them, by its number; 0 before the first.
    pub ruling: i64,
}

impl Labelled {
    /// Keeps those labels alone that `keeps` says so of.
    pub fn keep(&mut self, keeps: impl Fn(&GivenLabel) -> bool) {
        let kept: Vec<bool> = self.given.iter().map(keeps).collect();
        retain(&mut self.examples, &kept);
        retain(&mut self.numbers, &kept);
        retain(&mut self.given, &kept);
    }
}

fn retain<T>(all: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    all.retain(|_| kept.next().copied().unwrap_or(false));
}

/// Where a label is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenLabel {
    /// The ruling that gave it, by its number, and the first on this comment.
    pub ruling: i64,
    pub first_ruling: i64,
    pub by: String,
    pub via: String,
    pub at: Timestamp,
    /// When the comment came.
    pub received_at: Timestamp,
    /// A hash of its author's address.
    pub author: Option<[u8; 16]>,
    /// Somebody said the same a second time without knowing.
    pub is_confirmed: bool,
}

/// A ruling with the comment that it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulingOn {
    pub comment: CommentId,
    pub body: String,
    pub ruled: Ruled,
}

/// One decision, as far as it tells whether its comment's label may stand for others.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    pub number: i64,
    pub id: CommentId,
    pub received_at: Timestamp,
    pub verdict: Verdict,
    pub mode: Mode,
    pub is_by_rule: bool,
    pub is_held_by_rule: bool,
    /// What the past said of the comment, beside the model.
    pub facts_log_odds: f64,
    pub ruled: Option<Ruling>,
    pub audit: Inclusion,
}

impl Decided {
    pub fn label(&self) -> Option<Label> {
        self.ruled.and_then(Label::of)
    }
}

/// One ruling as a change of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relabelled {
    /// The ruling's number; later ones are higher.
    pub ruling: i64,
    /// What the comment said when it was ruled on.
    pub body: String,
    /// What the ruling before it taught of this text, if there was one.
    pub before: Option<Label>,
    pub now: Option<Label>,
}

impl Reader {
    /// What the next training of a site learns from.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn labelled(&self, site: &SiteId) -> Result<Labelled, StoreError> {
        self.with(|connection| {
            let sql = "SELECT c.body, c.ruled, c.page_url, c.seq, c.received_at, c.author, r.seq, r.actor, r.via, r.at,
                              (SELECT min(first.seq) FROM rulings first WHERE first.comment = c.seq),
                              EXISTS (SELECT 1 FROM second_looks s WHERE s.comment = c.seq AND s.first = s.second AND s.second = c.ruled)
                       FROM comments c INDEXED BY comments_ruled
                       JOIN rulings r ON r.seq = (SELECT max(last.seq) FROM rulings last WHERE last.comment = c.seq)
                       WHERE c.site = ?1 AND c.ruled IS NOT NULL AND c.edited = 0 AND c.body <> '' ORDER BY c.seq";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query([site.as_str()])?;
            let (mut examples, mut numbers, mut given) = (Vec::new(), Vec::new(), Vec::new());
            while let Some(row) = found.next()? {
                let Some(label) = Label::of(rows::ruling(&row.get::<_, String>(1)?)?) else { continue };
                numbers.push(row.get(3)?);
                given.push(GivenLabel {
                    ruling: row.get(6)?,
                    first_ruling: row.get(10)?,
                    by: row.get(7)?,
                    via: row.get(8)?,
                    at: Timestamp::from_ms(row.get(9)?),
                    received_at: Timestamp::from_ms(row.get(4)?),
                    author: row.get(5)?,
                    is_confirmed: row.get(11)?,
                });
                examples.push(Example { body: row.get(0)?, label, group: row.get(2)?, time: None });
            }
            let sql = "SELECT coalesce(max(seq), 0) FROM rulings WHERE site = ?1";
            let ruling = connection.prepare_cached(sql)?.query_row([site.as_str()], |row| row.get(0))?;
            Ok(Labelled { examples, numbers, given, ruling })
        })
    }

    /// A ruling by its number; none where it is gone, was taken back, or is not the last on its comment.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn ruling(&self, number: i64) -> Result<Option<RulingOn>, StoreError> {
        self.with(|connection| {
            let sql =
                "SELECT c.id, c.body, r.ruling, r.actor, r.via, r.at FROM rulings r JOIN comments c ON c.seq = r.comment WHERE r.seq = ?1
                         AND r.seq = (SELECT max(last.seq) FROM rulings last WHERE last.comment = r.comment)";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query([number])?;
            let Some(row) = found.next()? else { return Ok(None) };
            let Some(ruling) = rows::standing(&row.get::<_, String>(2)?)? else { return Ok(None) };
            let ruled = Ruled { ruling, by: row.get(3)?, via: row.get(4)?, at: Timestamp::from_ms(row.get(5)?) };
            Ok(Some(RulingOn { comment: CommentId::from_bytes(row.get(0)?), body: row.get(1)?, ruled }))
        })
    }

    /// How many (spam, ham) labels a site has.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn labels(&self, site: &SiteId) -> Result<(usize, usize), StoreError> {
        self.with(|connection| {
            let sql = "SELECT count(*) FILTER (WHERE ruled = 'spam'), count(*) FILTER (WHERE ruled = 'publish')
                       FROM comments INDEXED BY comments_ruled
                       WHERE site = ?1 AND ruled IS NOT NULL AND edited = 0 AND body <> ''";
            Ok(connection.prepare_cached(sql)?.query_row([site.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
    }

    /// A site's last decisions, at most `limit` of them, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn decided(&self, site: &SiteId, limit: usize) -> Result<Vec<Decided>, StoreError> {
        self.with(|connection| {
            let sql =
                "SELECT d.verdict, d.discard, d.band, d.score, d.model, d.mode, d.why, d.decided_at, c.seq, c.id, c.received_at, iif(c.edited, NULL, c.ruled),
                              d.audited, d.audit_probability, d.audit_floor
                       FROM comments c JOIN decisions d ON d.seq = (SELECT max(last.seq) FROM decisions last WHERE last.comment = c.seq)
                       WHERE c.site = ?1 ORDER BY c.seq DESC LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), limit])?;
            let mut decided = Vec::new();
            while let Some(row) = found.next()? {
                let decision = rows::decision(row)?;
                let ruled: Option<String> = row.get(11)?;
                decided.push(Decided {
                    number: row.get(8)?,
                    id: CommentId::from_bytes(row.get(9)?),
                    received_at: Timestamp::from_ms(row.get(10)?),
                    verdict: decision.verdict,
                    mode: decision.mode,
                    is_by_rule: decision.is_by_rule(),
                    is_held_by_rule: decision.is_held_by_rule(),
                    facts_log_odds: decision.facts_log_odds(),
                    ruled: ruled.map(|ruled| rows::ruling(&ruled)).transpose()?,
                    audit: Inclusion { audited: row.get(12)?, probability: row.get(13)?, floor: row.get(14)? },
                });
            }
            decided.reverse();
            Ok(decided)
        })
    }

    /// The rulings of a site after the one of this number, in order, at most `limit` of them. Imports are left out: they come by the hundred
    /// thousand and wait for a training, which knows them up to the number `trained`.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn relabelled(&self, site: &SiteId, (after, trained): (i64, i64), limit: usize) -> Result<Vec<Relabelled>, StoreError> {
        self.with(|connection| {
            // Of what is read again after a training, imports are in it or were never learnt one by one.
            let rulings = in_turn("(q.via <> 'import' OR q.seq <= ?4)");
            let sql = format!(
                "SELECT r.seq, coalesce((SELECT e.body FROM edits e WHERE {NOT_THIS_TEXT} ORDER BY e.version LIMIT 1), c.body) AS text, {RULED_CHANGE}
                 FROM {rulings} JOIN comments c ON c.seq = r.comment
                 WHERE r.site = ?1 AND r.seq > ?2 AND r.via <> 'import' AND text <> '' ORDER BY r.seq LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params![site.as_str(), after, limit, trained])?;
            let mut relabelled = Vec::new();
            while let Some(row) = found.next()? {
                relabelled.push(Relabelled { ruling: row.get(0)?, body: row.get(1)?, before: label(row, 3)?, now: label(row, 2)? });
            }
            Ok(relabelled)
        })
    }

    /// Sites with rulings, whether they stand in the settings or not.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn ruled_sites(&self) -> Result<Vec<SiteId>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached("SELECT DISTINCT site FROM rulings ORDER BY site")?;
            let sites = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(sites.map(|site| site.map(SiteId::new)).collect::<Result<_, _>>()?)
        })
    }
}
