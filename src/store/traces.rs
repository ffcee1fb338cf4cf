//! Traces: what recent comments leave behind so that their like is known again after a restart (see `trace`), the rulings on them, and what
//! was remembered of a comment's like when it was judged, so that it can be judged again.

use super::rulings::{NOT_THIS_TEXT, RULED_CHANGE, in_turn, label};
use super::{Pending, Reader, Record, Store, StoreError, rows};
use crate::classifier::Label;
use crate::clock::Timestamp;
use crate::comment::{Alike, Campaign, Comment, Lately, Rulings, Shared};
use crate::decision::{Decision, Verdict};
use crate::id::{CampaignId, CommentId, SiteId};
use crate::trace::Trace;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// A trace as it stands in the store.
#[derive(Debug, Clone, Copy)]
pub struct Traced {
    pub trace: Trace,
    pub at: Timestamp,
    pub is_published: bool,
    pub comment: CommentId,
}

/// One ruling as a change of what people call comments of this trace.
#[derive(Debug, Clone, Copy)]
pub struct RuledTrace {
    /// The ruling's number; later ones are higher.
    pub ruling: i64,
    /// None where nothing was kept of the comment, or it said something else when it was ruled on.
    pub trace: Option<Trace>,
    pub before: Option<Label>,
    pub now: Option<Label>,
}

impl Reader {
    /// Hands over the last `limit` traces of a site since a time, oldest first. Those of an older way of tracing are left out.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn traces(&self, site: &SiteId, since: Timestamp, limit: usize, mut take: impl FnMut(Traced)) -> Result<(), StoreError> {
        self.with(|connection| {
            let sql = "SELECT t.trace, t.at, t.published, c.id FROM traces t JOIN comments c ON c.seq = t.comment
                       WHERE t.site = ?1 AND t.at >= ?2 AND t.comment >
                             coalesce((SELECT comment FROM traces WHERE site = ?1 ORDER BY comment DESC LIMIT 1 OFFSET ?3), 0)
                       ORDER BY t.comment";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), since.ms(), limit])?;
            while let Some(row) = found.next()? {
                let (at, is_published) = (Timestamp::from_ms(row.get(1)?), row.get(2)?);
                let comment = CommentId::from_bytes(row.get(3)?);
                let trace = Trace::from_bytes(row.get_ref(0)?.as_blob().unwrap_or_default());
                trace.into_iter().for_each(|trace| take(Traced { trace, at, is_published, comment }));
            }
            Ok(())
        })
    }

    /// The trace of one comment, if it was kept.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn trace(&self, record: &Record) -> Result<Option<Trace>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT trace FROM traces WHERE site = ?1 AND comment = ?2";
            let of = params![record.comment.site.as_str(), record.seq];
            let found = connection.prepare_cached(sql)?.query_row(of, |row| row.get::<_, Vec<u8>>(0)).optional()?;
            Ok(found.and_then(|bytes| Trace::from_bytes(&bytes)))
        })
    }

    /// The rulings of a site after the one of this number, in order, at most `limit` of them. Imported comments left no trace.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn ruled_traces(&self, site: &SiteId, after: i64, limit: usize) -> Result<Vec<RuledTrace>, StoreError> {
        self.with(|connection| {
            let rulings = in_turn("1");
            let sql = format!(
                "SELECT r.seq, t.trace, {RULED_CHANGE}
                 FROM {rulings} LEFT JOIN traces t ON t.site = r.site AND t.comment = r.comment
                      AND NOT EXISTS (SELECT 1 FROM edits e WHERE {NOT_THIS_TEXT})
                 WHERE r.site = ?1 AND r.seq > ?2 AND r.via <> 'import' ORDER BY r.seq LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query(params![site.as_str(), after, limit])?;
            let mut ruled = Vec::new();
            while let Some(row) = found.next()? {
                let trace = row.get_ref(1)?.as_blob_or_null().ok().flatten().and_then(Trace::from_bytes);
                ruled.push(RuledTrace { ruling: row.get(0)?, trace, before: label(row, 3)?, now: label(row, 2)? });
            }
            Ok(ruled)
        })
    }

    /// Sites with traces, whether they stand in the settings or not.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn traced_sites(&self) -> Result<Vec<SiteId>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached("SELECT DISTINCT site FROM traces ORDER BY site")?;
            let sites = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(sites.map(|site| site.map(SiteId::new)).collect::<Result<_, _>>()?)
        })
    }

    /// The first secret of a purpose, if the daemon made one.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn secret(&self, purpose: &str) -> Result<Option<[u8; 32]>, StoreError> {
        let sql = "SELECT secret FROM keys WHERE purpose = ?1 ORDER BY id LIMIT 1";
        self.with(|connection| Ok(connection.query_row(sql, [purpose], |row| row.get(0)).optional()?))
    }
}

impl Store {
    /// Drops the traces from before a time; answers how many.
    pub fn forget_traces(&self, before: Timestamp) -> Pending<usize> {
        self.write(move |connection| Ok(connection.execute("DELETE FROM traces WHERE at < ?1", [before.ms()])?))
    }
}

pub(super) fn insert(
    connection: &Connection,
    record: &Record,
    decision: &Decision,
    trace: &Trace,
    remembered: (Lately, Alike),
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("INSERT INTO traces (site, comment, at, published, trace, known) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let known = (remembered != (Lately::default(), Alike::default())).then(|| rows::json(&KnownRow::of(remembered))).transpose()?;
    let (site, is_published) = (record.comment.site.as_str(), decision.verdict == Verdict::Publish);
    statement.execute(params![site, record.seq, decision.decided_at.ms(), is_published, trace.bytes(), known])?;
    Ok(())
}

/// What was remembered of a stored comment's like when it was judged.
pub(super) fn known(connection: &Connection, comment: &Comment) -> Result<(Lately, Alike), StoreError> {
    let sql = "SELECT t.known FROM traces t JOIN comments c ON c.seq = t.comment AND c.site = t.site WHERE c.id = ?1";
    let known = connection.prepare_cached(sql)?.query_row([comment.id.bytes()], |row| row.get::<_, Option<String>>(0)).optional()?;
    known.flatten().map_or(Ok((Lately::default(), Alike::default())), |json| rows::from_json::<KnownRow>(&json)?.known())
}

#[derive(Serialize, Deserialize)]
struct KnownRow {
    /// From the address, the network, under the email address, on the page; repeats.
    lately: [u32; 5],
    same_text: RulingsRow,
    text: Option<CampaignRow>,
    mark: Option<CampaignRow>,
}

/// Spam, publish, whether the last was spam.
type RulingsRow = (u32, u32, bool);

#[derive(Serialize, Deserialize)]
struct CampaignRow {
    id: u64,
    shared: String,
    size: u32,
    published: u32,
    sources: u32,
    first_at: i64,
    last_at: i64,
    rulings: RulingsRow,
}

impl KnownRow {
    fn of((lately, alike): (Lately, Alike)) -> Self {
        let Lately { from_address, from_network, under_email, on_page, repeats } = lately;
        Self {
            lately: [from_address, from_network, under_email, on_page, repeats],
            same_text: rulings_row(alike.same_text),
            text: alike.text.map(CampaignRow::of),
            mark: alike.mark.map(CampaignRow::of),
        }
    }

    fn known(self) -> Result<(Lately, Alike), StoreError> {
        let [from_address, from_network, under_email, on_page, repeats] = self.lately;
        let text = self.text.map(CampaignRow::campaign).transpose()?;
        let mark = self.mark.map(CampaignRow::campaign).transpose()?;
        let alike = Alike { same_text: rulings(self.same_text), text, mark };
        Ok((Lately { from_address, from_network, under_email, on_page, repeats }, alike))
    }
}

impl CampaignRow {
    fn of(campaign: Campaign) -> Self {
        Self {
            id: campaign.id.0,
            shared: campaign.shared.as_str().to_owned(),
            size: campaign.size,
            published: campaign.published,
            sources: campaign.sources,
            first_at: campaign.first_at.ms(),
            last_at: campaign.last_at.ms(),
            rulings: rulings_row(campaign.rulings),
        }
    }

    fn campaign(self) -> Result<Campaign, StoreError> {
        Ok(Campaign {
            id: CampaignId(self.id),
            shared: rows::word(&self.shared, Shared::parse)?,
            size: self.size,
            published: self.published,
            sources: self.sources,
            first_at: Timestamp::from_ms(self.first_at),
            last_at: Timestamp::from_ms(self.last_at),
            rulings: rulings(self.rulings),
        })
    }
}

fn rulings_row(rulings: Rulings) -> RulingsRow {
    (rulings.spam, rulings.publish, rulings.is_last_spam)
}

fn rulings((spam, publish, is_last_spam): RulingsRow) -> Rulings {
    Rulings { spam, publish, is_last_spam }
}
