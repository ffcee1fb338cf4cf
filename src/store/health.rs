//! What a doctor asks of the store: whether its file is sound, and whether anything waits longer than it should.

use super::{Reader, Store, StoreError};
use crate::clock::Timestamp;
use rusqlite::OptionalExtension;
use std::path::Path;

/// Problems told of a damaged file: more say no more.
const PROBLEMS_MAX: usize = 10;

/// How the store stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Steps that it has taken.
    pub schema: i64,
    /// The youngest comment.
    pub newest: Option<Timestamp>,
    /// Comments that wait for people, and since when the oldest does.
    pub held: u64,
    pub held_since: Option<Timestamp>,
    /// Comments that wait for the judge.
    pub queued: u64,
    /// Parcels that wait to leave, and since when the oldest does.
    pub parcels: u64,
    pub parcels_since: Option<Timestamp>,
    /// Parcels that were given up, and what the last of them met.
    pub dead: u64,
    pub dead_reason: Option<String>,
}

impl Reader {
    /// What SQLite finds wrong in the file, reading all of it; nothing where it is sound.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot even be asked.
    pub fn problems(&self) -> Result<Vec<String>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare(&format!("PRAGMA quick_check({PROBLEMS_MAX})"))?;
            let problems = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            Ok(problems.into_iter().filter(|problem| problem != "ok").collect())
        })
    }

    /// # Errors
    /// [`StoreError`] from the database.
    pub fn health(&self) -> Result<Health, StoreError> {
        self.with(|connection| {
            let count_since = |sql: &str| {
                let row = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)));
                row.map(|(count, since)| (count, since.map(Timestamp::from_ms)))
            };
            let (_, newest) = count_since("SELECT 0, (SELECT received_at FROM comments ORDER BY seq DESC LIMIT 1)")?;
            let (held, held_since) = count_since("SELECT count(*), min(received_at) FROM comments WHERE status = 'held'")?;
            let (queued, _) = count_since("SELECT count(*), NULL FROM comments WHERE status = 'queued'")?;
            let (parcels, parcels_since) = count_since("SELECT count(*), min(created_at) FROM parcels WHERE dead = 0")?;
            let (dead, _) = count_since("SELECT count(*), NULL FROM parcels WHERE dead = 1")?;
            let last = "SELECT last_error FROM parcels WHERE dead = 1 ORDER BY seq DESC LIMIT 1";
            let dead_reason = connection.query_row(last, [], |row| row.get(0)).optional()?.flatten();
            let schema = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            Ok(Health { schema, newest, held, held_since, queued, parcels, parcels_since, dead, dead_reason })
        })
    }
}

impl Store {
    /// Bytes that the disk of a directory has left; none where it does not tell.
    pub fn disk_free_bytes(folder: &Path) -> Option<u64> {
        let disk = rustix::fs::statvfs(folder).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}
