//! API keys that the command line made: their hashes, what they allow and until when. The keys themselves are nowhere.

use super::{Pending, Reader, Store, StoreError};
use crate::access::{KeyHash, Scopes};
use crate::clock::Timestamp;
use crate::id::SiteId;
use rusqlite::params;

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: i64,
    pub site: SiteId,
    pub name: String,
    pub hash: KeyHash,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    /// From then on it opens nothing; none: until it is revoked.
    pub ends_at: Option<Timestamp>,
    /// In UTC, like `2026-11-25`.
    pub used_day: Option<String>,
}

impl ApiKey {
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|ends_at| now < ends_at)
    }
}

/// A key to be kept.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    pub site: SiteId,
    pub name: String,
    pub hash: KeyHash,
    pub scopes: Scopes,
    pub ends_at: Option<Timestamp>,
}

impl Store {
    /// Keeps a key; with `others_end_at` those of the same name that are good for longer end then.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn add_api_key(&self, key: NewApiKey, others_end_at: Option<Timestamp>, now: Timestamp) -> Pending<()> {
        self.write(move |connection| {
            if let Some(ends_at) = others_end_at {
                end(connection, &key.site, &key.name, ends_at)?;
            }
            connection.execute(
                "INSERT INTO api_keys (site, name, hash, scopes, created_at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![key.site.as_str(), key.name, key.hash, key.scopes.to_string(), now.ms(), key.ends_at.map(Timestamp::ms)],
            )?;
            Ok(())
        })
    }

    /// Ends the keys of this name that are good for longer. Answers how many.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn end_api_keys(&self, site: SiteId, name: String, ends_at: Timestamp) -> Pending<usize> {
        self.write(move |connection| end(connection, &site, &name, ends_at))
    }

    /// A key was used on this day.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn use_api_key(&self, id: i64, day: String) -> Pending<()> {
        self.write(move |connection| {
            connection.execute("UPDATE api_keys SET used_day = ?2 WHERE id = ?1", params![id, day])?;
            Ok(())
        })
    }
}

fn end(connection: &rusqlite::Connection, site: &SiteId, name: &str, ends_at: Timestamp) -> Result<usize, StoreError> {
    let sql = "UPDATE api_keys SET ends_at = ?3 WHERE site = ?1 AND name = ?2 AND (ends_at IS NULL OR ends_at > ?3)";
    Ok(connection.execute(sql, params![site.as_str(), name, ends_at.ms()])?)
}

impl Reader {
    /// All of them, also those that ended, by site and age.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT id, site, name, hash, scopes, created_at, ends_at, used_day FROM api_keys ORDER BY site, id";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query([])?;
            let mut keys = Vec::new();
            while let Some(row) = found.next()? {
                let scopes: String = row.get(4)?;
                keys.push(ApiKey {
                    id: row.get(0)?,
                    site: SiteId::new(row.get::<_, String>(1)?),
                    name: row.get(2)?,
                    hash: row.get(3)?,
                    scopes: Scopes::parse(&scopes).ok_or_else(|| StoreError::Row(format!("scopes {scopes:?}")))?,
                    created_at: Timestamp::from_ms(row.get(5)?),
                    ends_at: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_ms),
                    used_day: row.get(7)?,
                });
            }
            Ok(keys)
        })
    }
}
