//! Lists: what of them was found in comments, and what people said of these.

use super::{Reader, StoreError};
use crate::clock::Timestamp;
use crate::decision::Decision;
use crate::id::SiteId;
use crate::rules::lists::CODE;
use rusqlite::{Connection, params};

/// One entry of one list on one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListHits {
    pub site: SiteId,
    pub list: String,
    pub entry: String,
    /// Comments in which it was found,
    pub hits: u64,
    pub last_at: Timestamp,
    /// of which people ruled so many spam,
    pub spam: u64,
    /// and so many fit to be published.
    pub ham: u64,
}

impl Reader {
    /// Every entry that was ever found, those found most first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn list_hits(&self) -> Result<Vec<ListHits>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT h.site, h.list, h.entry, count(*) AS hits, max(h.at), count(*) FILTER (WHERE c.ruled = 'spam'),
                              count(*) FILTER (WHERE c.ruled = 'publish')
                       FROM list_hits h LEFT JOIN comments c ON c.seq = h.comment
                       GROUP BY h.site, h.list, h.entry ORDER BY hits DESC, h.site, h.list, h.entry";
            let mut statement = connection.prepare_cached(sql)?;
            let hits = statement.query_map([], |row| {
                Ok(ListHits {
                    site: SiteId::new(row.get::<_, String>(0)?),
                    list: row.get(1)?,
                    entry: row.get(2)?,
                    hits: row.get(3)?,
                    last_at: Timestamp::from_ms(row.get(4)?),
                    spam: row.get(5)?,
                    ham: row.get(6)?,
                })
            })?;
            Ok(hits.collect::<Result<_, _>>()?)
        })
    }
}

/// Written with the decision that they led to.
pub(super) fn insert(connection: &Connection, site: &SiteId, comment: i64, decision: &Decision) -> Result<(), StoreError> {
    for finding in &decision.findings {
        let Some(list) = finding.code.strip_prefix(CODE) else { continue };
        let sql = "INSERT INTO list_hits (site, list, entry, comment, at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut statement = connection.prepare_cached(sql)?;
        for entry in &finding.entries {
            statement.execute(params![site.as_str(), list, entry, comment, decision.decided_at.ms()])?;
        }
    }
    Ok(())
}
