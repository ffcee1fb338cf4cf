//! Copies of a whole store, made beside whoever writes to it; and the graves of an older store that a copy is put in place of.

use super::tombstones;
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::id::{CommentId, SiteId};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Comments compared with graves at a time.
const PAGE: i64 = 1_000;

/// Copies the store of a data directory into a new file, as it stands at one moment; answers the steps it has taken. What was deleted is
/// not in the copy.
///
/// # Errors
/// [`StoreError::Missing`], or from the database: a damaged store is not copied.
pub fn copy(data: &Path, to: &Path) -> Result<i64, StoreError> {
    let path = Store::file(data);
    if !path.exists() {
        return Err(StoreError::Missing(data.to_owned()));
    }
    let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    vacuum_into(&connection, to)?;
    let copied = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    Ok(copied.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

pub(super) fn vacuum_into(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    Ok(())
}

impl Store {
    /// Takes over the graves of another store and forgets what they stand for; answers how many comments went.
    ///
    /// # Errors
    /// [`StoreError`] from either database.
    pub fn bury(&self, other: &Path, now: Timestamp, dice: &Dice) -> Result<usize, StoreError> {
        self.salt(now, dice)?;
        let other = Connection::open_with_flags(other, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        let graves = tombstones::all(&other)?;
        self.write(move |connection| tombstones::adopt(connection, &graves)).wait()?;
        let mut went = 0;
        for (site, ids) in self.covered()? {
            went += self.forget(&site, ids, None, now, |_| None).wait()?.comments.len();
        }
        Ok(went)
    }

    /// Comments that graves stand for, by site.
    fn covered(&self) -> Result<BTreeMap<SiteId, Vec<CommentId>>, StoreError> {
        let (mut covered, mut after) = (BTreeMap::<SiteId, Vec<CommentId>>::new(), 0_i64);
        loop {
            let last = self.reader.with(|connection| {
                let sql = "SELECT seq, id, site, email, received_at FROM comments WHERE seq > ?1 ORDER BY seq LIMIT ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let (mut rows, mut last) = (statement.query([after, PAGE])?, None);
                while let Some(row) = rows.next()? {
                    last = Some(row.get(0)?);
                    let (id, email) = (CommentId::from_bytes(row.get(1)?), row.get::<_, Option<String>>(3)?);
                    let graves = tombstones::graves_of(id, email.as_deref());
                    if tombstones::covers(connection, &graves, Some(Timestamp::from_ms(row.get(4)?)))? {
                        covered.entry(SiteId::new(row.get::<_, String>(2)?)).or_default().push(id);
                    }
                }
                Ok(last)
            })?;
            match last {
                Some(last) => after = last,
                None => return Ok(covered),
            }
        }
    }
}
