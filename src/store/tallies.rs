//! Tallies: how many comments a month brought, by what the machine said and what people said. Added up from the days, which the database counts
//! by itself (see `schema`): a few thousand rows a year, and no comment is read.

use super::{Reader, StoreError, rows};
use crate::decision::{Ruling, Verdict};
use crate::id::SiteId;

/// Comments of one month that got the same verdict and the same last ruling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// In UTC, like `2026-11`.
    pub month: String,
    pub verdict: Verdict,
    /// None: nobody has ruled.
    pub ruled: Option<Ruling>,
    pub comments: u64,
}

impl Reader {
    /// All tallies of a site, the oldest month first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn tallies(&self, site: &SiteId) -> Result<Vec<Tally>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT strftime('%Y-%m', day * 86400, 'unixepoch') AS month, verdict, ruled, sum(comments) FROM days
                       WHERE site = ?1 AND comments > 0 GROUP BY month, verdict, ruled ORDER BY month, verdict, ruled";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query([site.as_str()])?;
            let mut tallies = Vec::new();
            while let Some(row) = found.next()? {
                let ruled: String = row.get(2)?;
                tallies.push(Tally {
                    month: row.get(0)?,
                    verdict: rows::word(&row.get::<_, String>(1)?, Verdict::parse)?,
                    ruled: (!ruled.is_empty()).then(|| rows::ruling(&ruled)).transpose()?,
                    comments: row.get(3)?,
                });
            }
            Ok(tallies)
        })
    }
}
