//! Audits: what people said of automatic decisions that were drawn as spot checks.

use super::{Reader, StoreError, rows};
use crate::classifier::Label;
use crate::decision::Verdict;
use crate::id::{ModelId, SiteId};
use rusqlite::{OptionalExtension, params};

/// One spot check that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    pub verdict: Verdict,
    /// What a person called it; `Remove` answers nothing.
    pub label: Label,
}

impl Reader {
    /// The model that decided the last spot check of a site; none where there was none.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn last_audited(&self, site: &SiteId) -> Result<Option<ModelId>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT model FROM decisions WHERE site = ?1 AND audited = 1 ORDER BY seq DESC LIMIT 1";
            let last = connection.prepare_cached(sql)?.query_row([site.as_str()], |row| row.get::<_, Option<String>>(0)).optional()?;
            Ok(last.flatten().map(ModelId::new))
        })
    }

    /// The answered spot checks of what a model decided on a site, in the order of its decisions.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn audits(&self, site: &SiteId, model: &ModelId) -> Result<Vec<Audit>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT d.verdict, c.ruled FROM decisions d JOIN comments c ON c.seq = d.comment
                       WHERE d.site = ?1 AND d.audited = 1 AND d.model = ?2 AND c.ruled IS NOT NULL AND c.edited = 0
                         AND d.seq = (SELECT max(last.seq) FROM decisions last WHERE last.comment = d.comment) ORDER BY d.seq";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![site.as_str(), model.as_str()])?;
            let mut audits = Vec::new();
            while let Some(row) = found.next()? {
                let Some(label) = Label::of(rows::ruling(&row.get::<_, String>(1)?)?) else { continue };
                audits.push(Audit { verdict: rows::word(&row.get::<_, String>(0)?, Verdict::parse)?, label });
            }
            Ok(audits)
        })
    }
}
