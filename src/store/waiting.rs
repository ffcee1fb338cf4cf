//! What waits in the store, counted beside it by site, so that no bound costs a query. Counted inside the transactions that change it, and
//! anew after one that was undone.

use super::StoreError;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct Waiting {
    /// Comments not yet judged.
    pub queued: Counts,
    /// Parcels not yet taken or given up.
    pub parcels: Counts,
}

impl Waiting {
    pub fn count(connection: &Connection) -> Result<Self, StoreError> {
        Ok(Self {
            queued: Counts::of(connection, "SELECT site, count(*) FROM comments WHERE status = 'queued' GROUP BY site")?,
            parcels: Counts::of(connection, "SELECT site, count(*) FROM parcels WHERE dead = 0 GROUP BY site")?,
        })
    }

    /// After work that was undone: what was counted on the way may not have happened.
    pub fn recount(&self, connection: &Connection) {
        match Self::count(connection) {
            Ok(counted) => {
                self.queued.become_those_of(&counted.queued);
                self.parcels.become_those_of(&counted.parcels);
            }
            Err(error) => tracing::error!(error = %error, "store.recount_failed"),
        }
    }
}

/// How many, by site.
#[derive(Debug, Default)]
pub struct Counts(Mutex<HashMap<String, usize>>);

impl Counts {
    fn of(connection: &Connection, sql: &str) -> Result<Self, StoreError> {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self(Mutex::new(rows.collect::<Result<_, _>>()?)))
    }

    pub fn came(&self, site: &str) {
        *self.map().entry(site.to_owned()).or_default() += 1;
    }

    pub fn went(&self, site: &str) {
        if let Some(count) = self.map().get_mut(site) {
            *count = count.saturating_sub(1);
        }
    }

    pub fn of_site(&self, site: &str) -> usize {
        self.map().get(site).copied().unwrap_or(0)
    }

    pub fn total(&self) -> usize {
        self.map().values().sum()
    }

    /// Sites with anything waiting.
    pub fn sites(&self) -> Vec<String> {
        self.map().iter().filter(|(_, count)| **count > 0).map(|(site, _)| site.clone()).collect()
    }

    fn become_those_of(&self, other: &Self) {
        *self.map() = std::mem::take(&mut *other.map());
    }

    fn map(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
