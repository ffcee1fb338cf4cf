//! Tombstones: what was forgotten, as hashes with a salt of this store, so that neither a backup nor a file brings it back. A hash tells
//! nobody who it was without the salt, which lies in the same store and goes nowhere else.

use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::id::CommentId;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

/// The name under which the store keeps its salts: its own, and those of stores that it took the place of.
const PURPOSE: &str = "tombstone";

/// What a tombstone stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grave<'a> {
    Comment(CommentId),
    /// Everything under an email address.
    Author(&'a str),
}

impl Grave<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Comment(_) => "comment",
            Self::Author(_) => "author",
        }
    }

    fn hash(self, salt: [u8; 32]) -> [u8; 32] {
        let salted = Sha256::new().chain_update(salt).chain_update(self.kind());
        match self {
            Self::Comment(id) => salted.chain_update(id.bytes()).finalize().into(),
            Self::Author(email) => salted.chain_update(email.trim().to_lowercase()).finalize().into(),
        }
    }
}

impl Store {
    /// Makes the salt where there is none yet, so that what is forgotten later finds it.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn salt(&self, now: Timestamp, dice: &Dice) -> Result<(), StoreError> {
        self.keys(PURPOSE, now, dice).wait().map(|_| ())
    }
}

/// The store's own first.
fn salts(connection: &Connection) -> Result<Vec<[u8; 32]>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT secret FROM keys WHERE purpose = ?1 ORDER BY id")?;
    let salts = statement.query_map([PURPOSE], |row| row.get(0))?;
    Ok(salts.collect::<Result<_, _>>()?)
}

pub(super) fn set(connection: &Connection, grave: Grave<'_>, at: Timestamp) -> Result<(), StoreError> {
    // Made at every start, so it is there.
    let Some(salt) = salts(connection)?.first().copied() else { return Err(StoreError::Row("no salt for tombstones".to_owned())) };
    let sql = "INSERT INTO tombstones VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)";
    connection.prepare_cached(sql)?.execute(params![grave.kind(), grave.hash(salt), at.ms()])?;
    Ok(())
}

/// Those that a comment could lie in.
pub(super) fn graves_of(id: CommentId, email: Option<&str>) -> Vec<Grave<'_>> {
    std::iter::once(Grave::Comment(id)).chain(email.map(Grave::Author)).collect()
}

/// Whether one of these was forgotten at this time or later. What has no time counts as old.
pub(super) fn covers(connection: &Connection, graves: &[Grave<'_>], at: Option<Timestamp>) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM tombstones WHERE kind = ?1 AND hash = ?2 AND at >= ?3")?;
    let at = at.map_or(i64::MIN, Timestamp::ms);
    for salt in salts(connection)? {
        for grave in graves {
            if statement.exists(params![grave.kind(), grave.hash(salt), at])? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The tombstones of a store with its salts.
#[derive(Debug, Default)]
pub struct Graveyard {
    salts: Vec<[u8; 32]>,
    graves: Vec<(String, Vec<u8>, i64)>,
}

/// All of another store; none where it is of a version that kept none.
pub(super) fn all(connection: &Connection) -> Result<Graveyard, StoreError> {
    if !connection.prepare("SELECT 1 FROM sqlite_master WHERE name = 'tombstones'")?.exists([])? {
        return Ok(Graveyard::default());
    }
    let mut statement = connection.prepare("SELECT kind, hash, at FROM tombstones")?;
    let graves = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(Graveyard { salts: salts(connection)?, graves: graves.collect::<Result<_, _>>()? })
}

/// Takes the tombstones of another store over.
pub(super) fn adopt(connection: &Connection, graveyard: &Graveyard) -> Result<(), StoreError> {
    let known = salts(connection)?;
    for salt in graveyard.salts.iter().filter(|salt| !known.contains(salt)) {
        connection.execute("INSERT INTO keys (purpose, secret, created_at) VALUES (?1, ?2, 0)", params![PURPOSE, salt])?;
    }
    let sql = "INSERT INTO tombstones VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)";
    let mut statement = connection.prepare_cached(sql)?;
    for (kind, hash, at) in &graveyard.graves {
        statement.execute(params![kind, hash, at])?;
    }
    Ok(())
}
