//! Second looks: a small share of what people decided is put before somebody again, who is not told what was said the first time.

use super::{Act, Pending, Reader, Record, Store, StoreError, What, accounts};
use crate::clock::Timestamp;
use crate::decision::Ruling;
use crate::id::{ModeratorId, SiteId};
use rusqlite::{Row, params};

/// Answers of people who did not know what was said the first time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondLooks {
    pub answered: usize,
    /// A label became the other.
    pub differing: usize,
}

impl Reader {
    /// Whether a second look at a comment is due.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn is_second_look(&self, seq: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.with(|connection| {
            let sql = "SELECT count(*) FROM second_looks WHERE comment = ?1 AND second IS NULL AND due_at <= ?2";
            Ok(connection.prepare_cached(sql)?.query_row(params![seq, now.ms()], |row| row.get::<_, i64>(0))? > 0)
        })
    }

    /// What second looks showed on a site.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn second_looks(&self, site: &SiteId) -> Result<SecondLooks, StoreError> {
        self.with(|connection| {
            let sql = "SELECT count(*), count(*) FILTER (WHERE first != second) FROM second_looks
                       WHERE site = ?1 AND second IN ('publish', 'spam')";
            let counted = |row: &Row<'_>| Ok(SecondLooks { answered: row.get(0)?, differing: row.get(1)? });
            Ok(connection.prepare_cached(sql)?.query_row([site.as_str()], counted)?)
        })
    }
}

impl Store {
    /// Writes down what somebody said who did not know of the first ruling; it changes nothing. Whether such an answer was asked for.
    pub fn look_again(&self, record: &Record, who: ModeratorId, second: Ruling, now: Timestamp) -> Pending<bool> {
        let (seq, comment, site) = (record.seq, record.comment.id, record.comment.site.clone());
        self.write(move |connection| {
            let sql = "UPDATE second_looks SET second = ?2, answered_by = ?3, answered_at = ?4
                       WHERE comment = ?1 AND second IS NULL AND due_at <= ?4";
            let taken = connection.prepare_cached(sql)?.execute(params![seq, second.as_str(), who.as_str(), now.ms()])? == 1;
            if taken {
                let act = Act { at: now, who: Some(who), what: What::LookedAgain, comment: Some(comment), site: Some(site) };
                accounts::insert_act(connection, &act)?;
            }
            Ok(taken)
        })
    }
}
